//! `forewarn schema`.

use types::Definition;

use super::Status;
use crate::terminal::{diagnostic, output};

pub(crate) fn run() -> Status {
    let mut schema = schemars::schema_for!(Definition);
    schema.insert("title".into(), "forewarn.toml".into());
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
