//! Starts cargo, and other programs, from the root of the repository.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::Outcome;

/// Goes to the root of the repository, wherever the task was called from.
pub(crate) fn enter_root() -> Outcome {
    let own = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").into());
    let root = Path::new(&own).parent().ok_or("xtask has no parent folder")?;
    std::env::set_current_dir(root).map_err(|error| format!("cannot enter {}: {error}", root.display()))
}

/// The cargo that runs this task, with the environment that it would have in a shell.
///
/// `cargo run` describes the package `xtask` in variables. Handed on, they could reach a build
/// script, and what it makes would differ from what `cargo build` makes.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let of_this_package = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(of_this_package) {
            command.env_remove(name);
        }
    }
    command.args(arguments);
    command
}

/// Runs a program with its output on the terminal.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let status = command.status().map_err(|error| not_started(command, &error))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed ({status})", shown(command))) }
}

/// What a program prints; its complaints go to the terminal.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| not_started(command, &error))?;
    if !output.status.success() {
        return Err(format!("`{}` failed ({})", shown(command), output.status));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| format!("`{}` printed something that is not UTF-8", shown(command)))
}

/// Whether cargo has a subcommand such as `nextest` here.
pub(crate) fn has(subcommand: &str) -> bool {
    let mut command = cargo(&[subcommand, "--version"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The output of `cargo metadata`.
pub(crate) fn metadata(options: &[&str]) -> Result<Value, String> {
    let text = output(cargo(&["metadata", "--locked", "--format-version", "1"]).args(options))?;
    serde_json::from_str(&text).map_err(|error| format!("cargo metadata cannot be read: {error}"))
}

/// Where cargo puts what it builds: `CARGO_TARGET_DIR`, or what the configuration says.
pub(crate) fn target_folder() -> Result<PathBuf, String> {
    let metadata = metadata(&["--no-deps"])?;
    metadata["target_directory"]
        .as_str()
        .map(PathBuf::from)
        .ok_or("cargo metadata names no target folder".into())
}

fn not_started(command: &Command, error: &std::io::Error) -> String {
    format!("`{}` cannot be started: {error}", shown(command))
}

/// The command as one would type it: the program's file name, then its arguments.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_stem().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_command_is_named_as_one_would_type_it() {
        let message = run(&mut cargo(&["no-such-subcommand-at-all"])).unwrap_err();
        assert!(message.starts_with("`cargo no-such-subcommand-at-all` failed"), "{message}");
    }

    #[test]
    fn a_missing_subcommand_is_not_there() {
        assert!(!has("no-such-subcommand-at-all"));
    }
}
