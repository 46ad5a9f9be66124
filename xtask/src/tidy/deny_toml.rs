//! Reads lists of deny.toml, so that what is allowed stands in one place for cargo-deny and for us.

/// The first quoted text of each line of `key = [ … ]` in `[section]`; one entry has one line.
pub(super) fn list(text: &str, section: &str, key: &str) -> Vec<String> {
    let header = format!("[{section}]");
    let in_section = text.lines().map(str::trim).skip_while(|line| *line != header).skip(1);
    let in_section = in_section.take_while(|line| !line.starts_with('['));
    let opening = format!("{key} = [");
    let entries = in_section.skip_while(|line| *line != opening).skip(1).take_while(|line| *line != "]");
    let entries = entries.filter(|line| !line.starts_with('#'));
    entries.filter_map(|line| line.split('"').nth(1)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::list;

    const TEXT: &str = "[bans]\ndeny = [\n    # \"no\"\n    { crate = \"openssl-sys\", reason = \"C\" },\n]\n\
                        allow = [\n    \"other\",\n]\n[licenses]\nallow = [\n    \"MIT\",  # \"why\"\n    \"ISC\",\n]\n";

    #[test]
    fn lists_are_read_by_section_and_key() {
        assert_eq!(list(TEXT, "licenses", "allow"), ["MIT", "ISC"]);
        assert_eq!(list(TEXT, "bans", "deny"), ["openssl-sys"]);
        assert!(list(TEXT, "licenses", "deny").is_empty());
    }
}
