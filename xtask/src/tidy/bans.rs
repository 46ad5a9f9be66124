//! Rule: the packages that deny.toml bans are in no build on any platform.

use super::Violation;
use super::lock_file::Locked;

pub(super) fn violations(locked: &[Locked], banned: &[String]) -> Vec<Violation> {
    let found = locked.iter().filter(|package| banned.contains(&package.name));
    found
        .map(|package| Violation::new("Cargo.lock", format!("`{}` is banned by deny.toml", package.name)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banned_package_is_refused() {
        let locked = ["serde", "openssl-sys"].map(|name| Locked { name: name.into(), ..Locked::default() });
        let expected = Violation::new("Cargo.lock", "`openssl-sys` is banned by deny.toml");
        assert_eq!(violations(&locked, &["openssl-sys".into()]), [expected]);
    }
}
