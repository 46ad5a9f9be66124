//! Rule: `stats` and the five practices do no IO, read no clock and own no randomness, in their unit
//! tests neither. Time and generators are arguments, so that every result can be made again.

use super::Violation;
use super::tree::{File, lines_with};

const PURE: &[&str] = &["stats", "monitor", "evaluate", "stress", "trace", "govern"];

/// Modules of the standard library, refused as `std::fs` and as `std::{fs, …}`.
const MODULES: &[&str] = &["env", "fs", "io", "net", "process"];

const CALLS: &[&str] = &[
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "thread_rng",
    "rand::rng(",
    "rand::random",
    "OsRng",
    "from_os_rng",
    "from_entropy",
];

pub(super) fn violations(files: &[File]) -> Vec<Violation> {
    let pure = files.iter().filter(|file| file.source_of().is_some_and(|folder| PURE.contains(&folder)));
    pure.flat_map(of_file).collect()
}

fn of_file(file: &File) -> Vec<Violation> {
    let modules = MODULES.iter().map(|module| format!("std::{module}"));
    let words = modules.chain(CALLS.iter().map(|&call| call.to_owned()));
    let plain = words
        .flat_map(|word| lines_with(&file.code, &word).into_iter().map(move |line| (line, word.clone())));
    let grouped =
        grouped_modules(&file.code).into_iter().map(|(line, module)| (line, format!("std::{module}")));
    let refuse = |(line, word): (usize, String)| {
        let what = format!("`{word}` in a crate without IO, clock and randomness: make it an argument");
        Violation::new(format!("{}:{line}", file.path), what)
    };
    plain.chain(grouped).map(refuse).collect()
}

/// The refused modules of each `std::{…}`, with their lines.
fn grouped_modules(code: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (start, opening) in code.match_indices("std::{") {
        let from = start + opening.len();
        let mut depth = 1;
        let mut item_from = from;
        for (at, c) in code[from..].char_indices().map(|(at, c)| (from + at, c)) {
            depth += i32::from(c == '{') - i32::from(c == '}');
            let is_end = depth == 0;
            if is_end || (c == ',' && depth == 1) {
                let item = code[item_from..at].trim();
                let module =
                    item.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
                if MODULES.contains(&module) {
                    let line = code[..at].matches('\n').count() + 1;
                    found.push((line, module));
                }
                item_from = at + 1;
            }
            if is_end {
                break;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found = violations(&[File::new("crates/stats/src/psi.rs", text)]);
        let found: Vec<String> = found
            .iter()
            .map(|violation| violation.to_string().split(" in a").next().unwrap().to_owned())
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn clocks_files_and_global_generators_are_refused() {
        check("use std::fs::File;", &["crates/stats/src/psi.rs:1: `std::fs`"]);
        check("//\nlet t = Timestamp::now();", &["crates/stats/src/psi.rs:2: `Timestamp::now`"]);
        check("rand::rng().random()", &["crates/stats/src/psi.rs:1: `rand::rng(`"]);
        check("use std::{fmt,\n    io::{self, Read},\n};", &["crates/stats/src/psi.rs:2: `std::io`"]);
    }

    #[test]
    fn what_is_an_argument_or_a_comment_is_fine() {
        check("use std::time::Duration; // not Instant::now", &[]);
        check("use std::{fmt, iter}; fn a(now: Timestamp) {}", &[]);
    }

    #[test]
    fn other_crates_and_integration_tests_may() {
        for path in ["crates/engine/src/files.rs", "crates/stats/tests/reference.rs"] {
            assert_eq!(violations(&[File::new(path, "use std::fs;")]), [], "{path}");
        }
    }
}
