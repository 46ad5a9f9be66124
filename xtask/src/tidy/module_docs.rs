//! Rule: every module opens with `//!`: its purpose, what it does not do, where to look next.

use super::Violation;
use super::tree::File;

pub(super) fn violations(files: &[File]) -> Vec<Violation> {
    let modules = files
        .iter()
        .filter(|file| file.source_of().is_some() || (file.is_rust() && file.path.starts_with("xtask/src/")));
    let bare = modules.filter(|file| !file.text.starts_with("//!"));
    bare.map(|file| Violation::new(&file.path, "does not open with `//!`: say what the module is for"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_says_what_it_is_for() {
        let files = [
            File::new("crates/stats/src/psi.rs", "use std::fmt;\n//! Late.\n"),
            File::new("crates/stats/src/tests.rs", "//! Tests of it.\n"),
            File::new("crates/stats/tests/reference.rs", "use stats::psi;\n"),
            File::new("xtask/src/main.rs", "fn main() {}\n"),
        ];
        let places: Vec<String> = violations(&files).into_iter().map(|violation| violation.place).collect();
        assert_eq!(places, ["crates/stats/src/psi.rs", "xtask/src/main.rs"]);
    }
}
