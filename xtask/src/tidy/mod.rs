//! The rules of the house that no compiler checks.
//!
//! A rule is a file with one function, `violations`, that takes what was read (the [`tree`] of
//! files, the [`packages`] that cargo resolved, the lock file) and says what breaks it, and where.
//! [`run`] reads everything once and asks every rule. A new rule is a file and a line in [`run`].

mod arrows;
mod bans;
mod deny_toml;
mod features;
mod length;
mod licences;
mod lock_file;
mod machine_paths;
mod module_docs;
mod names;
mod packages;
mod printing;
mod profile;
mod purity;
mod rooms;
mod source;
mod sources;
mod tree;
mod unfinished;

use std::fmt;

use crate::Outcome;
use packages::Packages;

/// Something that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Violation {
    /// A file, a line of a file, or a package.
    place: String,
    /// What is wrong and the way out.
    what: String,
}

impl Violation {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Prints every violation; fails where there is one.
pub(crate) fn run() -> Outcome {
    let files = tree::read()?;
    let packages = Packages::read()?;
    let manifest = read("Cargo.toml")?;
    let deny = read("deny.toml")?;
    let locked = lock_file::packages(&read("Cargo.lock")?);
    let rules = [
        ("arrows", arrows::violations(&packages.members)),
        ("names", names::violations(&packages.members)),
        ("rooms", rooms::violations(&packages.members)),
        ("printing", printing::violations(&files)),
        ("purity", purity::violations(&files)),
        ("module docs", module_docs::violations(&files)),
        ("unfinished", unfinished::violations(&files)),
        ("length", length::violations(&files)),
        ("machine paths", machine_paths::violations(&files)),
        ("licences", licences::violations(&packages.program, &deny_toml::list(&deny, "licenses", "allow"))),
        ("bans", bans::violations(&locked, &deny_toml::list(&deny, "bans", "deny"))),
        ("sources", sources::violations(&locked)),
        ("profile", profile::violations(&manifest, &locked)),
        ("features", features::violations(&features::of_program()?, &features::of_tests()?)),
    ];
    let mut count = 0;
    for (rule, violations) in &rules {
        for violation in violations {
            println!("tidy: [{rule}] {violation}");
        }
        count += violations.len();
    }
    if count > 0 {
        return Err(format!(
            "tidy found what breaks the rules of the house, {count} times (CONTRIBUTING.md has the rules)"
        ));
    }
    println!("tidy: {} rules hold for {} files and {} packages", rules.len(), files.len(), locked.len());
    Ok(())
}

fn read(path: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"))
}
