//! Files that follow from the code and are kept in the repository, so that they can be read, and
//! used by editors, without building anything.
//!
//! Each is what the release binary prints for some arguments. A new one is a line in [`FILES`].

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;
use crate::cargo::{cargo, output, run as run_command, target_folder};

/// A file, and the arguments of `forewarn` that print it.
const FILES: &[(&str, &[&str])] = &[
    ("docs/forewarn.schema.json", &["schema"]),
    ("docs/organisation.schema.json", &["schema", "organisation"]),
    ("docs/openapi.json", &["schema", "openapi"]),
];

/// Writes the files that are not current.
pub(crate) fn run() -> Outcome {
    for (path, content) in generated()? {
        if is_current(path, &content) {
            println!("{path} is current");
            continue;
        }
        let folder = Path::new(path).parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(path, content))
            .map_err(|error| format!("cannot write {path}: {error}"))?;
        println!("{path} written");
    }
    Ok(())
}

/// Fails where a file in the repository is not what the code generates.
pub(crate) fn check() -> Outcome {
    let stale: Vec<&str> = generated()?
        .into_iter()
        .filter(|(path, content)| !is_current(path, content))
        .map(|(path, _)| path)
        .collect();
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} not as the code generates it: run `cargo xtask generate` and commit it",
        stale.join(", ")
    ))
}

/// Writes a made-up prediction log, for measurements.
///
/// The example is built with the whole workspace selected, which only decides the features: `cargo
/// run --package forewarn-engine` has fewer, and would build DataFusion a second time.
pub(crate) fn log(options: &[&str]) -> Outcome {
    run_command(&mut cargo(&["build", "--release", "--locked", "--workspace", "--example", "generate_log"]))?;
    run_command(Command::new(built("examples/generate_log")?).args(options))
}

/// The files' contents, by the release binary, which is built first where it is not there.
fn generated() -> Result<Vec<(&'static str, String)>, String> {
    run_command(&mut cargo(&["build", "--release", "--locked"]))?;
    let program = built("forewarn")?;
    FILES
        .iter()
        .map(|(path, arguments)| Ok((*path, output(Command::new(&program).args(*arguments))?)))
        .collect()
}

/// Where the release profile puts a program.
fn built(name: &str) -> Result<PathBuf, String> {
    Ok(target_folder()?.join("release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

fn is_current(path: &str, content: &str) -> bool {
    std::fs::read_to_string(path).is_ok_and(|there| there == content)
}

#[cfg(test)]
mod tests {
    use super::is_current;

    #[test]
    fn a_file_that_is_not_there_is_not_current() {
        assert!(!is_current("no/such/file.json", ""));
    }
}
