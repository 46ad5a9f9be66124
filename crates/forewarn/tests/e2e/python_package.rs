//! The Python package in `python/`: its own tests, with nothing but Python, and with the libraries whose
//! frames it reads and the client that OpenLineage publishes.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::parts::{self, skip};

fn package() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python").canonicalize().unwrap()
}

/// Runs all tests of the package; what they say at the end, such as `OK (skipped=12)`.
fn tested(python: &Path) -> Result<String, String> {
    let mut command = Command::new(python);
    command.args(["-m", "unittest", "discover", "-s", ".", "-t", "."]).current_dir(package());
    // The environment of whoever runs this must not send events of tests anywhere.
    for name in [
        "FOREWARN_URL",
        "FOREWARN_SERVER",
        "FOREWARN_TOKEN",
        "FOREWARN_DIR",
        "FOREWARN_SPOOL",
        "FOREWARN_STRICT",
    ] {
        command.env_remove(name);
    }
    let output = command
        .env("PYTHONPATH", package().join("src"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(said.lines().last().unwrap_or_default().to_owned()) } else { Err(said) }
}

#[test]
fn the_package_needs_nothing_but_python() {
    // What needs a library skips there; the test below has the libraries.
    match Command::new("python3").arg("--version").output() {
        Ok(_) => assert!(tested(Path::new("python3")).unwrap().starts_with("OK")),
        Err(why) => skip(&format!("there is no python3: {why}")),
    }
}

#[test]
fn the_package_reads_frames_and_says_what_openlineage_understands() {
    let Some(python) = parts::python() else { return };
    let said = tested(&python).unwrap();
    assert!(said.starts_with("OK"), "{said}");
    if said != "OK" {
        skip(&format!("tests of the Python package were skipped: {said}"));
    }
}
