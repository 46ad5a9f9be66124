//! Rule: nothing is left for later in a comment, and a silenced lint says why it is silenced.

use super::Violation;
use super::tree::{File, lines_with};

const IN_COMMENTS: &[&str] = &["TODO", "FIXME"];
const IN_CODE: &[&str] = &["todo!", "unimplemented!"];
const SILENCERS: &[&str] = &["[allow(", "[expect("];

pub(super) fn violations(files: &[File]) -> Vec<Violation> {
    files.iter().filter(|file| file.is_rust()).flat_map(of_file).collect()
}

fn of_file(file: &File) -> Vec<Violation> {
    let at = |line: usize, what: String| Violation::new(format!("{}:{line}", file.path), what);
    let left = |text: &str, words: &[&str]| -> Vec<Violation> {
        let lines =
            words.iter().flat_map(|word| lines_with(text, word).into_iter().map(move |line| (line, word)));
        lines
            .map(|(line, word)| at(line, format!("`{word}`: finish it, or write it down as an issue")))
            .collect()
    };
    let mut violations = left(&file.comments, IN_COMMENTS);
    violations.extend(left(&file.code, IN_CODE));
    for (start, word) in SILENCERS.iter().flat_map(|word| file.code.match_indices(word)) {
        let line = file.code[..start].matches('\n').count() + 1;
        let attribute = file.code[start..].split(')').next().unwrap_or_default();
        let is_attribute = file.code[..start].ends_with(['#', '!']);
        if is_attribute && !attribute.contains("reason") {
            violations
                .push(at(line, format!("`#{word}…)]` without a reason: `#[expect(lint, reason = \"…\")]`")));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found = violations(&[File::new("crates/app/src/lib.rs", text)]);
        assert_eq!(found.len(), expected.len(), "{text}: {found:?}");
        for (violation, expected) in found.iter().zip(expected) {
            assert!(violation.to_string().contains(expected), "{violation}");
        }
    }

    #[test]
    fn what_is_left_for_later_is_refused() {
        check("a();\n// TODO: b", &["lib.rs:2: `TODO`"]);
        check("/// FIXME(me)\nfn a() { todo!() }", &["`FIXME`", "`todo!`"]);
        check("let word = \"TODO\";", &[]);
    }

    #[test]
    fn a_silenced_lint_needs_a_reason() {
        check("#![allow(dead_code)]", &["lib.rs:1: `#[allow("]);
        check("#[expect(\n    dead_code,\n)]", &["`#[expect("]);
        check("#[expect(dead_code, reason = \"read by a macro\")]", &[]);
        check("let a = b[expect(c)];", &[]);
    }
}
