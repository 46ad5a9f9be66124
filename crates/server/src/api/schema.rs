//! JSON Schemas of what is answered and taken, from the types that are written and read.
//!
//! They are made by `schemars`, as those of the definition are, and OpenAPI 3.1 uses them as they come. What
//! `utoipa` keeps of a schema does not hold them, so it is given a placeholder that carries one, and [`put_in`]
//! puts it into the finished document.

use std::borrow::Cow;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema};
use utoipa::openapi::{RefOr, Required};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::asked::{Asked, Body};
use crate::items::{Items, Part};
use crate::reply::Reply;

/// Where a placeholder carries its schema, and the other schemas that it refers to.
const SCHEMA: &str = "x-schema";
const DEFINITIONS: &str = "x-definitions";
/// Where schemas are in the document.
const PLACE: &str = "#/components/schemas/";

/// Whether a type is written or read: of what is read, fields may be left out that are always written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Written,
    Read,
}

impl<T: JsonSchema> PartialSchema for Reply<T> {
    fn schema() -> RefOr<Schema> {
        described::<T>(Way::Written)
    }
}

impl<T: JsonSchema> ToSchema for Reply<T> {
    fn name() -> Cow<'static, str> {
        T::schema_name()
    }
}

impl<T: JsonSchema> PartialSchema for Part<T> {
    fn schema() -> RefOr<Schema> {
        described::<Items<T>>(Way::Written)
    }
}

impl<T: JsonSchema> ToSchema for Part<T> {
    fn name() -> Cow<'static, str> {
        Items::<T>::schema_name()
    }
}

impl<T: JsonSchema> PartialSchema for Body<T> {
    fn schema() -> RefOr<Schema> {
        described::<T>(Way::Read)
    }
}

impl<T: JsonSchema> ToSchema for Body<T> {
    fn name() -> Cow<'static, str> {
        T::schema_name()
    }
}

/// Every field of a query is a parameter.
impl<T: JsonSchema> IntoParams for Asked<T> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut settings = settings(Way::Read);
        settings.inline_subschemas = true;
        let schema = settings.into_generator().into_root_schema_for::<T>();
        let required = |name: &str| {
            let named = schema.get("required").and_then(Value::as_array);
            named.is_some_and(|named| named.iter().any(|of| of == name))
        };
        let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let parameter = |(name, schema): (&String, &Value)| {
            let mut schema = schema.clone();
            let described = schema.as_object_mut().and_then(|schema| schema.remove("description"));
            ParameterBuilder::new()
                .name(name.as_str())
                .parameter_in(ParameterIn::Query)
                .required(if required(name) { Required::True } else { Required::False })
                .description(described.as_ref().and_then(Value::as_str))
                .schema(Some(placeholder(schema, Map::new())))
                .build()
        };
        properties.map(parameter).collect()
    }
}

fn settings(way: Way) -> SchemaSettings {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    match way {
        Way::Written => settings.for_serialize(),
        Way::Read => settings.for_deserialize(),
    }
}

fn placeholder(schema: Value, definitions: Map<String, Value>) -> RefOr<Schema> {
    let carried = ExtensionsBuilder::new().add(SCHEMA, schema).add(DEFINITIONS, Value::Object(definitions));
    ObjectBuilder::new().extensions(Some(carried.build())).into()
}

fn described<T: JsonSchema>(way: Way) -> RefOr<Schema> {
    let (schema, mut definitions) = generated::<T>(way);
    if way == Way::Read {
        let written = generated::<T>(Way::Written).1;
        definitions = apart_from(definitions, &written, &T::schema_name());
    }
    let own = definitions.remove(T::schema_name().as_ref());
    placeholder(own.unwrap_or(schema), definitions)
}

/// A type's schema (a reference, where it has a name) and those that it rests on.
fn generated<T: JsonSchema>(way: Way) -> (Value, Map<String, Value>) {
    let mut generator = settings(way).into_generator();
    let mut schema = generator.subschema_for::<T>().to_value();
    let mut definitions = generator.take_definitions(true);
    if way == Way::Read {
        allow_repeats(&mut schema);
        definitions.values_mut().for_each(allow_repeats);
    }
    (schema, definitions)
}

/// A set is read from a list that may name a member twice.
fn allow_repeats(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.remove("uniqueItems");
            fields.values_mut().for_each(allow_repeats);
        }
        Value::Array(items) => items.iter_mut().for_each(allow_repeats),
        _ => {}
    }
}

/// Schemas of what is read, under names of their own where they may differ from what is written.
fn apart_from(read: Map<String, Value>, written: &Map<String, Value>, own: &str) -> Map<String, Value> {
    let is_shared = |name: &str, schema: &Value| {
        let rests_on_others = schema.to_string().contains(PLACE);
        name == own || (!rests_on_others && written.get(name) == Some(schema))
    };
    let renamed: Map<String, Value> = read
        .iter()
        .filter(|(name, schema)| !is_shared(name, schema))
        .map(|(name, _)| (format!("{PLACE}{name}"), json!(format!("{PLACE}{name}Read"))))
        .collect();
    let name_of = |name: String| {
        let is_renamed = renamed.contains_key(&format!("{PLACE}{name}"));
        if is_renamed { format!("{name}Read") } else { name }
    };
    read.into_iter()
        .map(|(name, mut schema)| {
            refer(&mut schema, &renamed);
            (name_of(name), schema)
        })
        .collect()
}

/// Lets references go to other names.
fn refer(schema: &mut Value, renamed: &Map<String, Value>) {
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value.as_str().and_then(|to| renamed.get(to))) {
                    ("$ref", Some(other)) => *value = other.clone(),
                    _ => refer(value, renamed),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| refer(item, renamed)),
        _ => {}
    }
}

/// Puts schemas in the place of placeholders.
pub(super) fn put_in(document: &mut Value) {
    let mut definitions = Map::new();
    replace(document, &mut definitions);
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        schemas.extend(definitions);
    }
}

fn replace(part: &mut Value, definitions: &mut Map<String, Value>) {
    match part {
        Value::Object(fields) => {
            if let Some(Value::Object(carried)) = fields.remove(DEFINITIONS) {
                definitions.extend(carried);
            }
            match fields.remove(SCHEMA) {
                Some(schema) => *part = schema,
                None => fields.values_mut().for_each(|value| replace(value, definitions)),
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, definitions)),
        _ => {}
    }
}

/// The schema of a text that is one of some words.
pub(crate) fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> schemars::Schema {
    let words: Vec<&str> = words.into_iter().collect();
    schemars::json_schema!({ "type": "string", "enum": words })
}
