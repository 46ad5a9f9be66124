//! Rule: packages come from the standard registry or from this workspace, on every platform.

use super::Violation;
use super::lock_file::Locked;

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(super) fn violations(locked: &[Locked]) -> Vec<Violation> {
    let foreign = |package: &Locked| package.source.clone().filter(|source| source != REGISTRY);
    let found = locked.iter().filter_map(|package| Some((package, foreign(package)?)));
    found
        .map(|(package, source)| {
            Violation::new("Cargo.lock", format!("`{}` comes from {source}", package.name))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_standard_registry_is_a_source() {
        let locked = |source: Option<&str>| Locked { source: source.map(str::to_owned), ..Locked::default() };
        assert_eq!(violations(&[locked(None), locked(Some(REGISTRY))]), []);
        let bad =
            [locked(Some("git+https://example.org/a")), locked(Some("registry+https://example.org/index"))];
        assert_eq!(violations(&bad).len(), 2);
    }
}
