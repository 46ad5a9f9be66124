//! Rule: only `forewarn` prints to the terminal; the other crates return what there is to say. Tests may
//! print: what they skipped, or what a process that they started has to tell them.

use super::Violation;
use super::tree::{File, lines_with};

const PRINTING: &[&str] = &["print!", "println!", "eprint!", "eprintln!", "dbg!", "io::stdout", "io::stderr"];

pub(super) fn violations(files: &[File]) -> Vec<Violation> {
    let is_silent = |file: &&File| {
        file.source_of().is_some_and(|folder| folder != "forewarn") && !file.path.contains("/tests/")
    };
    let silent = files.iter().filter(is_silent);
    let hits = silent.flat_map(|file| PRINTING.iter().map(move |word| (file, word)));
    hits.flat_map(|(file, word)| {
        lines_with(&file.code, word).into_iter().map(move |line| {
            Violation::new(format!("{}:{line}", file.path), format!("`{word}` outside of the binary"))
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_does_not_print() {
        let text = "fn a() {\n    // println!(1)\n    println!(\"print!\");\n}\n";
        let expected = Violation::new("crates/app/src/check.rs:3", "`println!` outside of the binary");
        assert_eq!(violations(&[File::new("crates/app/src/check.rs", text)]), [expected]);
        let printing = [
            "crates/forewarn/src/main.rs",
            "crates/view/examples/page.rs",
            "crates/engine/src/ingest/tests/killed.rs",
            "xtask/src/main.rs",
        ];
        for path in printing {
            assert_eq!(violations(&[File::new(path, text)]), [], "{path}");
        }
    }
}
