//! The packages of the workspace and those that the program is built from, as cargo resolved them.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use std::process::Command;

use crate::cargo::{metadata, output};

/// A package of the workspace.
#[derive(Clone, Debug, Default)]
pub(super) struct Member {
    pub(super) name: String,
    /// From the root: `crates/stats`.
    pub(super) path: String,
    /// The name of its library, where it has one.
    pub(super) library: Option<String>,
    pub(super) binaries: Vec<String>,
    /// The packages that it names itself, for building, tests and examples too.
    pub(super) dependencies: Vec<String>,
}

impl Member {
    /// The last part of the path, the name by which the house knows the crate.
    pub(super) fn folder(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// A package that becomes part of the program, or builds it.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) licence: Option<String>,
}

#[derive(Debug)]
pub(super) struct Packages {
    pub(super) members: Vec<Member>,
    /// What `forewarn` is built from, ours included, on this platform.
    pub(super) program: Vec<Part>,
}

impl Packages {
    pub(super) fn read() -> Result<Self, String> {
        // Packages of other platforms may not be on this machine, and would be downloaded.
        let metadata = metadata(&["--filter-platform", &platform()?])?;
        Self::from_metadata(&metadata).ok_or("cargo metadata has another form than expected".into())
    }

    fn from_metadata(metadata: &Value) -> Option<Self> {
        let root = metadata["workspace_root"].as_str()?;
        let members: HashSet<&str> = texts(&metadata["workspace_members"]);
        let packages = metadata["packages"].as_array()?;
        let is_member = |package: &&Value| package["id"].as_str().is_some_and(|id| members.contains(id));
        let program = reachable(&metadata["resolve"]["nodes"], id_of(packages, "forewarn")?)?;
        let is_part = |package: &&Value| package["id"].as_str().is_some_and(|id| program.contains(id));
        Some(Self {
            members: packages
                .iter()
                .filter(is_member)
                .map(|package| member(package, root))
                .collect::<Option<_>>()?,
            program: packages.iter().filter(is_part).map(part).collect::<Option<_>>()?,
        })
    }
}

fn platform() -> Result<String, String> {
    let text = output(Command::new("rustc").arg("-vV"))?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or("`rustc -vV` names no host".into())
}

fn id_of<'a>(packages: &'a [Value], name: &str) -> Option<&'a str> {
    packages.iter().find(|package| package["name"] == name)?["id"].as_str()
}

/// Everything that `root` needs in order to be built, itself included; not what only tests need.
fn reachable<'a>(nodes: &'a Value, root: &'a str) -> Option<HashSet<&'a str>> {
    let by_id: HashMap<&str, &Value> =
        nodes.as_array()?.iter().filter_map(|node| Some((node["id"].as_str()?, node))).collect();
    let mut found = HashSet::new();
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        if !found.insert(id) {
            continue;
        }
        let needed = |dependency: &&Value| {
            dependency["dep_kinds"]
                .as_array()
                .is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"] != "dev"))
        };
        let dependencies = by_id.get(id)?["deps"].as_array()?;
        open.extend(dependencies.iter().filter(needed).filter_map(|dependency| dependency["pkg"].as_str()));
    }
    Some(found)
}

fn member(package: &Value, root: &str) -> Option<Member> {
    let manifest = package["manifest_path"].as_str()?.strip_prefix(root)?.replace('\\', "/");
    let targets = package["targets"].as_array()?;
    let of_kind = |kind: &'static str| {
        let is_kind = move |target: &&Value| texts(&target["kind"]).contains(kind);
        targets.iter().filter(is_kind).filter_map(|target| target["name"].as_str()).map(str::to_owned)
    };
    let dependencies = package["dependencies"].as_array()?;
    Some(Member {
        name: package["name"].as_str()?.into(),
        path: manifest.trim_start_matches('/').strip_suffix("/Cargo.toml")?.into(),
        library: of_kind("lib").next(),
        binaries: of_kind("bin").collect(),
        dependencies: dependencies.iter().filter_map(|one| one["name"].as_str()).map(str::to_owned).collect(),
    })
}

fn part(package: &Value) -> Option<Part> {
    Some(Part {
        name: package["name"].as_str()?.into(),
        version: package["version"].as_str()?.into(),
        licence: package["license"].as_str().map(str::to_owned),
    })
}

fn texts(list: &Value) -> HashSet<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_only_tests_need_is_not_part_of_the_program() {
        let nodes = json!([
            { "id": "forewarn", "deps": [
                { "pkg": "app", "dep_kinds": [{ "kind": null }] },
                { "pkg": "insta", "dep_kinds": [{ "kind": "dev" }] },
            ] },
            { "id": "app", "deps": [{ "pkg": "cc", "dep_kinds": [{ "kind": "dev" }, { "kind": "build" }] }] },
            { "id": "cc", "deps": [] },
            { "id": "insta", "deps": [] },
        ]);
        assert_eq!(reachable(&nodes, "forewarn"), Some(HashSet::from(["forewarn", "app", "cc"])));
    }

    #[test]
    fn a_member_is_known_by_its_folder() {
        let package = json!({
            "name": "forewarn-stats",
            "manifest_path": "/root-of-it/crates/stats/Cargo.toml",
            "targets": [{ "kind": ["lib"], "name": "stats" }, { "kind": ["test"], "name": "reference" }],
            "dependencies": [{ "name": "serde", "kind": null }, { "name": "proptest", "kind": "dev" }],
        });
        let member = member(&package, "/root-of-it").unwrap();
        assert_eq!((member.folder(), member.library.as_deref()), ("stats", Some("stats")));
        assert_eq!(member.dependencies, ["serde", "proptest"]);
    }
}
