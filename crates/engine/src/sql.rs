//! Small pieces of SQL text, safe for any name that a file can have.

/// A name as a quoted SQL identifier.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as an SQL literal.
pub(crate) fn text_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The column that says which cell of time a row belongs to.
pub(crate) const CELL: &str = "__cell";

/// The column that holds the value of the segment at a position of the plan.
pub(crate) fn segment_column(at: usize) -> String {
    format!("__segment_{at}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_quote_in_a_name_cannot_end_the_identifier() {
        assert_eq!(super::quoted("a\"; DROP"), "\"a\"\"; DROP\"");
        assert_eq!(super::text_literal("it's"), "'it''s'");
    }
}
