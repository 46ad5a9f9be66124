//! Reads Cargo.lock: every package that any build on any platform can need.

/// A locked package.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Locked {
    pub(super) name: String,
    pub(super) version: String,
    /// None for the packages of the workspace.
    pub(super) source: Option<String>,
}

pub(super) fn packages(text: &str) -> Vec<Locked> {
    text.split("[[package]]").skip(1).filter_map(package).collect()
}

fn package(block: &str) -> Option<Locked> {
    let value = |key: &str| {
        let quoted = block.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""))?;
        Some(quoted.trim_end_matches('"').to_owned())
    };
    Some(Locked { name: value("name")?, version: value("version")?, source: value("source") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_have_name_version_and_source() {
        let text = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.2.0\"\nsource = \"registry+x\"\n\n\
                    [[package]]\nname = \"b\"\nversion = \"0.1.0\"\ndependencies = [\n \"a\",\n]\n";
        let locked = |name: &str, version: &str, source: Option<&str>| Locked {
            name: name.into(),
            version: version.into(),
            source: source.map(str::to_owned),
        };
        assert_eq!(packages(text), [locked("a", "1.2.0", Some("registry+x")), locked("b", "0.1.0", None)]);
    }
}
