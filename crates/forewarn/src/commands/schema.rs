//! `forewarn schema`.

use types::Definition;
use types::organisation::Organisation;

use super::Status;
use crate::cli::SchemaOf;
use crate::terminal::{diagnostic, output};

pub(crate) fn run(of: SchemaOf) -> Status {
    let (mut schema, title) = match of {
        SchemaOf::Definition => (schemars::schema_for!(Definition), "forewarn.toml"),
        SchemaOf::Organisation => (schemars::schema_for!(Organisation), "organisation.toml"),
        SchemaOf::Openapi => {
            output::print(server::openapi());
            return Status::Fine;
        }
    };
    schema.insert("title".into(), title.into());
    match serde_json::to_string_pretty(&schema) {
        Ok(text) => {
            output::print(&(text + "\n"));
            Status::Fine
        }
        Err(error) => {
            output::error(&diagnostic::error(&format!("the schema cannot be written as JSON: {error}")));
            Status::Impossible
        }
    }
}
