//! Rule: crates depend on each other only along the arrows of the house (ARCHITECTURE.md), in
//! tests too.

use super::Violation;
use super::packages::Member;

/// Each crate, and the crates that it may name.
const ARROWS: &[(&str, &[&str])] = &[
    ("stats", &[]),
    ("types", &["stats"]),
    ("monitor", &["types", "stats"]),
    ("evaluate", &["types", "stats"]),
    ("stress", &["types", "stats"]),
    ("trace", &["types", "stats"]),
    ("govern", &["types", "stats"]),
    ("engine", &["types", "stats"]),
    ("store", &["types"]),
    ("serving", &["types"]),
    ("view", &["types", "stats"]),
    (
        "app",
        &[
            "monitor", "evaluate", "stress", "trace", "govern", "engine", "serving", "store", "view",
            "types", "stats",
        ],
    ),
    ("server", &["app", "view", "types"]),
    ("forewarn", &["server", "app", "view", "types"]),
    ("xtask", &[]),
];

pub(super) fn violations(members: &[Member]) -> Vec<Violation> {
    members.iter().flat_map(|member| of_member(member, members)).collect()
}

fn of_member(member: &Member, members: &[Member]) -> Vec<Violation> {
    let folder = member.folder();
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == folder) else {
        let what = "a crate that the house does not know: give it its arrows in ARCHITECTURE.md and here";
        return vec![Violation::new(&member.path, what)];
    };
    let folder_of = |name: &String| members.iter().find(|other| other.name == *name).map(Member::folder);
    let ours = member.dependencies.iter().filter_map(folder_of);
    ours.filter(|other| !allowed.contains(other))
        .map(|other| {
            let may = if allowed.is_empty() { "no other crate".into() } else { allowed.join(", ") };
            Violation::new(&member.path, format!("depends on `{other}`, but `{folder}` may name only {may}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(folder: &str, dependencies: &[&str]) -> Member {
        Member {
            name: format!("forewarn-{folder}"),
            path: format!("crates/{folder}"),
            dependencies: dependencies.iter().map(|&name| name.into()).collect(),
            ..Member::default()
        }
    }

    #[test]
    fn practices_do_not_depend_on_each_other() {
        let members = [
            member("types", &["serde"]),
            member("monitor", &["forewarn-types", "forewarn-evaluate"]),
            member("evaluate", &[]),
        ];
        let expected = "depends on `evaluate`, but `monitor` may name only types, stats";
        assert_eq!(violations(&members), [Violation::new("crates/monitor", expected)]);
    }

    #[test]
    fn a_crate_that_is_not_in_the_house_is_refused() {
        assert_eq!(violations(&[member("utils", &[])]).len(), 1);
    }
}
