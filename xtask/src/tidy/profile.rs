//! Rule: the optimisation levels of Cargo.toml name packages that exist. Cargo only warns about
//! others, and a package that was renamed would become slow without anybody noticing.

use super::Violation;
use super::lock_file::Locked;

pub(super) fn violations(manifest: &str, locked: &[Locked]) -> Vec<Violation> {
    let unknown = named(manifest).filter(|(_, spec)| !locked.iter().any(|package| is_named(package, spec)));
    unknown
        .map(|(line, spec)| {
            Violation::new(format!("Cargo.toml:{line}"), format!("Cargo.lock has no package `{spec}`"))
        })
        .collect()
}

/// The packages in headers such as `[profile.release.package."hashbrown@0.17"]`, with their lines.
fn named(manifest: &str) -> impl Iterator<Item = (usize, &str)> {
    let headers = manifest.lines().enumerate().filter_map(|(at, line)| {
        let (_, spec) = line.trim().strip_prefix("[profile.")?.split_once(".package.")?;
        Some((at + 1, spec.strip_suffix(']')?.trim_matches('"')))
    });
    headers.filter(|(_, spec)| *spec != "*")
}

fn is_named(package: &Locked, spec: &str) -> bool {
    let (name, version) = spec.split_once('@').unwrap_or((spec, ""));
    let is_version = version.is_empty()
        || package.version.strip_prefix(version).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    package.name == name && is_version
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_is_not_locked_is_refused() {
        let manifest = "[profile.release.package.\"*\"]\n[profile.release.package.\"a@1.2\"]\nopt-level = 3\n\
                        [profile.release.package.\"a@1\"]\n[profile.release.package.b]\n";
        let locked = [Locked { name: "a".into(), version: "1.20.0".into(), source: None }];
        let expected = [
            Violation::new("Cargo.toml:2", "Cargo.lock has no package `a@1.2`"),
            Violation::new("Cargo.toml:5", "Cargo.lock has no package `b`"),
        ];
        assert_eq!(violations(manifest, &locked), expected);
    }
}
