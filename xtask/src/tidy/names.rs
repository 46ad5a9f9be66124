//! Rule: a folder's name is its crate's name, and the package name carries the prefix.

use super::Violation;
use super::packages::Member;

pub(super) fn violations(members: &[Member]) -> Vec<Violation> {
    members.iter().flat_map(of_member).collect()
}

fn of_member(member: &Member) -> Vec<Violation> {
    let folder = member.folder();
    let is_program = matches!(member.path.as_str(), "crates/forewarn" | "xtask");
    let package = if is_program { folder.to_owned() } else { format!("forewarn-{folder}") };
    let mut violations = Vec::new();
    let mut refuse = |what: String| violations.push(Violation::new(&member.path, what));
    if member.name != package {
        refuse(format!("the package is called `{}`; `{package}` is its name in this folder", member.name));
    }
    let is_named = |name: &str| name == folder;
    if is_program && !member.binaries.iter().any(|name| is_named(name)) {
        refuse(format!("has no binary `{folder}`"));
    }
    if !is_program && !member.library.as_deref().is_some_and(is_named) {
        refuse(format!("has no library `{folder}`: set `[lib] name = \"{folder}\"`"));
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, name: &str, library: Option<&str>, binary: Option<&str>, expected: usize) {
        let member = Member {
            name: name.into(),
            path: path.into(),
            library: library.map(str::to_owned),
            binaries: binary.map(str::to_owned).into_iter().collect(),
            ..Member::default()
        };
        assert_eq!(violations(&[member]).len(), expected, "{path} {name}");
    }

    #[test]
    fn package_and_library_follow_the_folder() {
        check("crates/stats", "forewarn-stats", Some("stats"), None, 0);
        check("crates/stats", "forewarn-stats", Some("forewarn_stats"), None, 1);
        check("crates/stats", "stats", None, None, 2);
    }

    #[test]
    fn programs_are_called_as_their_folder() {
        check("crates/forewarn", "forewarn", None, Some("forewarn"), 0);
        check("crates/forewarn", "forewarn-forewarn", None, Some("fw"), 2);
        check("xtask", "xtask", None, Some("xtask"), 0);
    }
}
