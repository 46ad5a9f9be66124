//! Rule: no paths of somebody's machine and no private package hosts in the repository.
//!
//! Such lines work for one person only and tell strangers about their machine. `Cargo.lock` is
//! cargo's own and excepted. The words are put together here, so that this file passes itself.

use super::Violation;
use super::tree::File;

/// Top-level folders below which people and build servers keep their work.
const FOLDERS: &[&str] = &["home", "Users", "root", "work"];

/// Mirrors of package registries, and cargo's cache of one.
const HOSTS: &[&str] = &[
    concat!("index.crates", ".io-"),
    concat!(".cargo/", "registry/"),
    concat!("pypi.org", "/simple"),
    concat!("/arti", "factory/"),
    concat!("arti", "factory."),
    concat!("/nexus/", "repository/"),
];

pub(super) fn violations(files: &[File]) -> Vec<Violation> {
    files.iter().filter(|file| file.path != "Cargo.lock").flat_map(of_file).collect()
}

fn of_file(file: &File) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        let mut refuse = |found: &str| {
            let what = format!("`{found}` is a path or a host of one machine");
            violations.push(Violation::new(format!("{}:{}", file.path, at + 1), what));
        };
        for folder in FOLDERS {
            let unix = format!("/{folder}/");
            if line.match_indices(&unix).any(|(start, _)| is_absolute(&line[..start])) {
                refuse(&unix);
            }
            let windows = format!(":\\{folder}\\");
            if line.contains(&windows) {
                refuse(&windows);
            }
        }
        HOSTS.iter().filter(|host| line.contains(**host)).for_each(|host| refuse(host));
    }
    violations
}

/// Whether a `/` after this text begins a path: it goes on after a name, a variable, `.` or `~`.
fn is_absolute(before: &str) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || "._-~*)}>]%/".contains(c);
    before.ends_with("file://") || !before.ends_with(goes_on)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: usize) {
        assert_eq!(violations(&[File::new("docs/a.md", line)]).len(), expected, "{line}");
    }

    #[test]
    fn paths_of_a_machine_are_refused() {
        for folder in FOLDERS {
            check(&format!("open /{folder}/ada/data.csv"), 1);
            check(&format!("\"path\": \"/{folder}/ada\""), 1);
            check(&format!("see file:///{folder}/ada"), 1);
            check(&format!("C:\\{folder}\\ada"), 1);
        }
    }

    #[test]
    fn folders_of_that_name_elsewhere_are_fine() {
        for folder in FOLDERS {
            check(&format!("https://example.org/{folder}/page"), 0);
            check(&format!("crates/{folder}/src, ./{folder}/a, ~/{folder}/a, $DATA/{folder}/a"), 0);
        }
    }

    #[test]
    fn mirrors_are_refused() {
        for host in HOSTS {
            check(&format!("url = https://mirror{host}x"), 1);
        }
        check("https://crates.io/crates/serde and https://pypi.org/project/scipy", 0);
    }

    #[test]
    fn the_lock_file_is_excepted() {
        assert_eq!(violations(&[File::new("Cargo.lock", HOSTS[0])]), []);
    }
}
