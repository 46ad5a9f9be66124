//! The development tasks of the workspace: `cargo xtask help` lists them.
//!
//! Each task is a module: [`ci`] runs everything, [`tidy`] holds the rules of the house that no
//! compiler checks, [`generate`] writes the files that follow from the code. [`cargo`] starts the
//! processes. Nothing here is part of the program.

mod cargo;
mod ci;
mod generate;
mod parts;
mod tidy;

use std::process::ExitCode;

/// What a task returns: nothing, or why it failed, as a message for the terminal.
type Outcome = Result<(), String>;

const HELP: &str = "\
cargo xtask ci            everything that must hold before a commit, in order
cargo xtask tidy          the rules of the house: arrows between crates, rooms, layout, licences
cargo xtask generate      write the generated files again (docs/forewarn.schema.json)
cargo xtask generate-log --rows N --out FOLDER
                          write a made-up prediction log of N rows, for measurements
cargo xtask help          this text
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["ci"] => cargo::enter_root().and_then(|()| ci::run()),
        ["tidy"] => cargo::enter_root().and_then(|()| tidy::run()),
        ["generate"] => cargo::enter_root().and_then(|()| generate::run()),
        // Stays where it was called from, because FOLDER may be relative.
        ["generate-log", options @ ..] => generate::log(options),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        _ => Err(format!("`{}` is no task; there are:\n{HELP}", words.join(" "))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
