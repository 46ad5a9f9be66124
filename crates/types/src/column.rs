//! Columns of a table as the practices see them: a name and a kind, no Arrow.

use serde::{Deserialize, Serialize};

/// How a column is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// Integers, floats and decimals.
    Numeric,
    /// Text and booleans.
    Categorical,
    /// Text that people write, as the definition says: no value is like another.
    Text,
    /// Lists of floats.
    Embedding,
    /// Instants and dates.
    Time,
    /// Other lists, structs, binary: not measured yet, and said so.
    Other,
}

impl ColumnKind {
    /// The word used in messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Numeric => "a number",
            Self::Categorical => "text",
            Self::Text => "free text",
            Self::Embedding => "an embedding",
            Self::Time => "a time",
            Self::Other => "a nested or binary value",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    pub kind: ColumnKind,
    /// The type as the file declares it, for messages: `Float32`, `Utf8`.
    pub type_name: String,
}

impl Column {
    /// The type name of a column that has no value in any row, and so no type either.
    pub const EMPTY: &'static str = "empty";

    pub fn is_empty(&self) -> bool {
        self.type_name == Self::EMPTY
    }

    /// `text`, or `a number (Float64)` where the file's own word says more.
    pub fn kind_words(&self) -> String {
        if self.type_name == self.kind.word() {
            self.type_name.clone()
        } else {
            format!("{} ({})", self.kind.word(), self.type_name)
        }
    }
}

/// The columns of a table in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    pub columns: Vec<Column>,
}

impl Schema {
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }
}
