//! A segment is written as a column's name or as a named SQL expression.

use schemars::JsonSchema;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A column, or a named SQL expression over columns, whose values users care about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Segment {
    pub name: String,
    /// SQL over the log's columns; `None` where the name is a column.
    pub sql: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum Written {
    /// A column of the log.
    Column(String),
    /// A named SQL expression over the log's columns.
    Expression { name: String, sql: String },
}

impl Serialize for Segment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.sql.clone() {
            None => Written::Column(self.name.clone()),
            Some(sql) => Written::Expression { name: self.name.clone(), sql },
        }
        .serialize(serializer)
    }
}

/// By hand, because an untagged enum would answer a misspelt key with "did not match any variant".
impl<'de> Deserialize<'de> for Segment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SegmentVisitor;

        impl<'de> Visitor<'de> for SegmentVisitor {
            type Value = Segment;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a column's name or { name = \"…\", sql = \"…\" }")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Segment, E> {
                Ok(Segment { name: name.to_owned(), sql: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Segment, A::Error> {
                let (mut name, mut sql) = (None, None);
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "name" => name = Some(map.next_value()?),
                        "sql" => sql = Some(map.next_value()?),
                        _ => return Err(A::Error::unknown_field(&key, &["name", "sql"])),
                    }
                }
                Ok(Segment {
                    name: name.ok_or_else(|| A::Error::missing_field("name"))?,
                    sql: Some(sql.ok_or_else(|| A::Error::missing_field("sql"))?),
                })
            }
        }

        deserializer.deserialize_any(SegmentVisitor)
    }
}

impl JsonSchema for Segment {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Segment".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Written::json_schema(generator)
    }
}
