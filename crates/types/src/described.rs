//! JSON Schemas of what other crates own and evidence holds: instants, intervals, alarms that go on.
//!
//! None of these types has a value; fields name them in `#[schemars(with = "…")]`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// An instant.
#[derive(Debug)]
pub struct Instant;

/// A range that an estimate may lie in; see `stats::interval`.
#[derive(Debug)]
pub struct Interval;

/// What an alarm continues from; see [`crate::finding::StreamState`].
#[derive(Debug)]
pub struct StreamState;

impl JsonSchema for Instant {
    fn schema_name() -> Cow<'static, str> {
        "Instant".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

impl JsonSchema for Interval {
    fn schema_name() -> Cow<'static, str> {
        "Interval".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A range that covers the true value with probability `level`, as far as `method` is right.",
            "type": "object",
            "properties": {
                "lower": { "type": "number" },
                "upper": { "type": "number" },
                "level": { "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 },
                "method": { "type": "string" }
            },
            "required": ["lower", "upper", "level", "method"]
        })
    }
}

impl JsonSchema for StreamState {
    fn schema_name() -> Cow<'static, str> {
        "StreamState".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "What the next window continues from; the program reads it, nobody else needs to.",
            "type": "object",
            "properties": { "process": { "enum": ["change", "spending", "harm"] } },
            "required": ["process"]
        })
    }
}
