//! Rule: no source file is longer than 600 lines. Long before that it has two reasons to change.

use super::Violation;
use super::tree::File;

const LINES_MAX: usize = 600;

pub(super) fn violations(files: &[File]) -> Vec<Violation> {
    let sources = files.iter().filter(|file| file.source_of().is_some());
    let lengths = sources.map(|file| (file, file.text.lines().count()));
    let long = lengths.filter(|(_, lines)| *lines > LINES_MAX);
    long.map(|(file, lines)| {
        Violation::new(&file.path, format!("{lines} lines, more than {LINES_MAX}: split it by noun"))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_601_lines_is_too_long() {
        let file = |lines: usize| File::new("crates/app/src/check.rs", "\n".repeat(lines));
        assert_eq!(violations(&[file(600)]), []);
        let expected =
            Violation::new("crates/app/src/check.rs", "601 lines, more than 600: split it by noun");
        assert_eq!(violations(&[file(601)]), [expected]);
    }
}
