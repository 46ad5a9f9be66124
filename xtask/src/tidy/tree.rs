//! The text files of the repository, those that git knows or would add.

use std::path::Path;
use std::process::Command;

use super::source;
use crate::cargo::output;

/// A text file. Of Rust, the code and the comments apart, each with the lines of the whole.
#[derive(Debug, Default)]
pub(super) struct File {
    /// From the root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    /// Without comments and without what stands in quotes; empty where the file is not Rust.
    pub(super) code: String,
    /// Only the comments; empty where the file is not Rust.
    pub(super) comments: String,
}

impl File {
    pub(super) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let (path, text) = (path.into(), text.into());
        let (code, comments) = if is_rust(&path) { source::split(&text) } else { <_>::default() };
        Self { path, text, code, comments }
    }

    pub(super) fn is_rust(&self) -> bool {
        is_rust(&self.path)
    }

    /// The crate's folder where this is a source file of a crate under crates/, tests and examples
    /// excepted.
    pub(super) fn source_of(&self) -> Option<&str> {
        let (folder, rest) = self.path.strip_prefix("crates/")?.split_once('/')?;
        (self.is_rust() && rest.starts_with("src/")).then_some(folder)
    }
}

fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

/// All text files, also new ones that are not added yet. What is not UTF-8 is not text.
pub(super) fn read() -> Result<Vec<File>, String> {
    let listed =
        output(Command::new("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]))?;
    let paths = listed.split_terminator('\0');
    // A file that was removed but not yet from the index is listed and cannot be read.
    Ok(paths.filter_map(|path| Some(File::new(path, std::fs::read_to_string(path).ok()?))).collect())
}

/// The lines, counted from 1, that hold `word` as a word: `print!` is not in `eprint!`.
pub(super) fn lines_with(text: &str, word: &str) -> Vec<usize> {
    let lines = text.lines().enumerate().filter(|(_, line)| has_word(line, word));
    lines.map(|(at, _)| at + 1).collect()
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let starts_within = is_part(word.chars().next()) && is_part(before);
        let ends_within = is_part(word.chars().next_back()) && is_part(after);
        !starts_within && !ends_within
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_whole() {
        let text = "eprint!(1)\nprint!(1)\nstd::iota\nstd::io::Read";
        assert_eq!(lines_with(text, "print!"), [2]);
        assert_eq!(lines_with(text, "std::io"), [4]);
    }

    #[test]
    fn tests_and_examples_are_not_sources_of_a_crate() {
        let source_of = |path: &str| File::new(path, "").source_of().map(str::to_owned);
        assert_eq!(source_of("crates/stats/src/sketch/mod.rs").as_deref(), Some("stats"));
        for path in ["crates/stats/tests/reference.rs", "crates/view/src/style.css", "xtask/src/main.rs"] {
            assert_eq!(source_of(path), None, "{path}");
        }
    }
}
