//! Everything that must hold before a commit, on a laptop and on a server alike.
//!
//! All steps run even where an earlier one failed, so that one run shows everything. Tests run in
//! the release profile: DataFusion takes many minutes to build, and so it is built once for the
//! program and for its tests.

use std::time::Instant;

use crate::cargo::{cargo, has, run as run_command};
use crate::{Outcome, generate, parts, tidy};

/// How a step ended that did not fail.
enum Done {
    Passed,
    /// With the reason.
    Skipped(&'static str),
}

type Step = (&'static str, fn() -> Result<Done, String>);

const STEPS: &[Step] = &[
    ("format", || passed(&["fmt", "--all", "--check"])),
    ("clippy", || passed(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])),
    ("tidy", || tidy::run().map(|()| Done::Passed)),
    ("deny", deny),
    ("docs", docs),
    ("parts", || Ok(parts())),
    ("build", || passed(&["build", "--release", "--locked"])),
    ("generated files", || generate::check().map(|()| Done::Passed)),
    ("tests", tests),
    ("doctests", doctests),
];

/// Runs all steps; fails with the names of those that failed.
pub(crate) fn run() -> Outcome {
    let start = Instant::now();
    let mut failed = Vec::new();
    let mut skipped = Vec::new();
    for (name, step) in STEPS {
        println!("ci: {name} ...");
        let step_start = Instant::now();
        let outcome = step();
        let seconds = step_start.elapsed().as_secs_f64();
        match outcome {
            Ok(Done::Passed) => println!("ci: {name} passed in {seconds:.1} s"),
            Ok(Done::Skipped(reason)) => {
                println!("ci: {name} SKIPPED: {reason}");
                skipped.push(*name);
            }
            Err(message) => {
                println!("ci: {name} FAILED in {seconds:.1} s: {message}");
                failed.push(format!("{name}: {message}"));
            }
        }
    }
    println!("{}", summary(STEPS.len(), &failed, &skipped, start.elapsed().as_secs()));
    if failed.is_empty() { Ok(()) } else { Err("ci failed".into()) }
}

fn summary(steps: usize, failed: &[String], skipped: &[&str], seconds: u64) -> String {
    let mut text = String::new();
    for message in failed {
        text += &format!("ci: failed: {message}\n");
    }
    let passed = steps - failed.len() - skipped.len();
    text += &format!("ci: {passed} steps passed");
    if !failed.is_empty() {
        text += &format!(", {} FAILED", failed.len());
    }
    if !skipped.is_empty() {
        text += &format!(", {} skipped ({})", skipped.len(), skipped.join(", "));
    }
    text + &format!(" in {seconds} s")
}

fn passed(arguments: &[&str]) -> Result<Done, String> {
    run_command(&mut cargo(arguments)).map(|()| Done::Passed)
}

/// Optional everywhere: it comes only as source, minutes of building, and it needs the network.
fn deny() -> Result<Done, String> {
    if has("deny") {
        return passed(&["deny", "check"]);
    }
    Ok(Done::Skipped(
        "cargo-deny is not installed; tidy has checked licences, bans and sources, but NOBODY has checked advisories",
    ))
}

/// What tests need beside Rust; a test that misses something says so itself.
fn parts() -> Done {
    let missing = parts::missing();
    if missing.is_empty() {
        return Done::Passed;
    }
    println!("ci: not installed: {}; the tests that need them say so", missing.join(", "));
    Done::Skipped("some parts are not installed; tests without them fail where CI=true")
}

fn docs() -> Result<Done, String> {
    let mut command = cargo(&["doc", "--workspace", "--no-deps", "--locked"]);
    run_command(command.env("RUSTDOCFLAGS", "-D warnings")).map(|()| Done::Passed)
}

fn tests() -> Result<Done, String> {
    if has("nextest") {
        passed(&["nextest", "run", "--release", "--workspace", "--locked", "--no-fail-fast"])
    } else {
        passed(&["test", "--release", "--workspace", "--locked", "--no-fail-fast"])
    }
}

fn doctests() -> Result<Done, String> {
    if has("nextest") {
        passed(&["test", "--release", "--doc", "--workspace", "--locked"])
    } else {
        Ok(Done::Skipped("`cargo test` has just run them"))
    }
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn the_last_line_counts_what_passed() {
        assert_eq!(summary(8, &[], &[], 123), "ci: 8 steps passed in 123 s");
    }

    #[test]
    fn failures_and_skips_are_named_at_the_end() {
        let text = summary(9, &["clippy: `cargo clippy` failed".into()], &["deny"], 60);
        let expected = "ci: failed: clippy: `cargo clippy` failed\n\
                        ci: 7 steps passed, 1 FAILED, 1 skipped (deny) in 60 s";
        assert_eq!(text, expected);
    }
}
