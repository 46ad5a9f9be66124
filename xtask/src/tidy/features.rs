//! Rule: the tests build the program's packages with the features that the program builds them with.
//!
//! Where a package that only tests need turns on a feature of a package below DataFusion, cargo
//! builds that one, and DataFusion above it, a second time: a quarter of an hour. Either the
//! program turns the feature on as well, or the tests do without.

use std::collections::{BTreeMap, BTreeSet};

use super::Violation;
use crate::cargo::{cargo, output};

/// The sets of features that each package is built with: for the target, and for build scripts.
type Features = BTreeMap<String, BTreeSet<String>>;

/// What `cargo build` builds.
pub(super) fn of_program() -> Result<Features, String> {
    tree(&["--package", "forewarn", "--edges", "normal,build"])
}

/// What the tests of the whole workspace build.
pub(super) fn of_tests() -> Result<Features, String> {
    tree(&["--workspace", "--edges", "normal,build,dev"])
}

pub(super) fn violations(program: &Features, tests: &Features) -> Vec<Violation> {
    let differ = program.iter().filter_map(|(package, features)| {
        let in_tests = tests.get(package)?;
        (!features.is_subset(in_tests)).then_some((package, features, in_tests))
    });
    differ
        .map(|(package, features, in_tests)| {
            let listed = |sets: &BTreeSet<String>| sets.iter().map(|set| format!("[{set}]")).collect::<String>();
            let (features, in_tests) = (listed(features), listed(in_tests));
            let what = format!(
                "has the features {features} in the program and {in_tests} in the tests, so all above it is built twice"
            );
            Violation::new(package, what)
        })
        .collect()
}

fn tree(options: &[&str]) -> Result<Features, String> {
    let mut command = cargo(&["tree", "--locked", "--prefix", "none", "--format", "{p}|{f}"]);
    Ok(parse(&output(command.args(options))?))
}

fn parse(text: &str) -> Features {
    let mut features = Features::new();
    for line in text.lines() {
        // ` (*)` marks a package whose dependencies were listed before.
        if let Some((package, set)) = line.trim_end_matches(" (*)").split_once('|') {
            features.entry(package.into()).or_default().insert(set.into());
        }
    }
    features
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_that_only_tests_turn_on_is_refused() {
        let program = parse("forewarn v0.1.0|\ngetrandom v0.4.3|\nserde v1.0.0|std\nserde v1.0.0|std (*)\n");
        let tests = parse("getrandom v0.4.3|std\nserde v1.0.0|std\nproptest v1.0.0|std\n");
        let found = violations(&program, &tests);
        assert_eq!(found.len(), 1);
        assert!(
            found[0]
                .to_string()
                .starts_with("getrandom v0.4.3: has the features [] in the program and [std]")
        );
    }
}
