//! `forewarn trace`: events are taken in, and asked.

use app::State;
use app::lineage::{self, Asked, Imported, LineageError, Remark, form};
use jiff::Timestamp;
use types::lineage::{AsOf, Trace};

use super::Status;
use super::check::{impossible, json, now, state};
use crate::cli::{ListFormat, TraceCommand, TraceFormat, TraceOptions, TracePlace};
use crate::terminal::{diagnostic, lineage as texts, output};

/// Remarks and refused lines that are told one by one.
const REMARKS_MAX: usize = 20;

pub(crate) fn run(command: &TraceCommand) -> Status {
    let text = match command {
        TraceCommand::Import { files, place } => {
            return match opened(place).and_then(|state| lineage::import(&state, files, now())) {
                Ok(imported) => told(&imported),
                Err(error) => failed(&error),
            };
        }
        TraceCommand::Prediction { time, model, options, form } => opened(&options.place)
            .and_then(|state| {
                let path = &options.place.path;
                lineage::prediction(&state, path, model.as_deref(), *time, asked(options))
            })
            .map(|trace| written(&trace, form.format)),
        TraceCommand::Dataset { name, options, form } => opened(&options.place)
            .and_then(|state| lineage::upstream(&state, name, asked(options)))
            .map(|trace| written(&trace, form.format)),
        TraceCommand::Impact { name, options, form } => opened(&options.place)
            .and_then(|state| lineage::impact(&state, name, asked(options)))
            .map(|trace| written(&trace, form.format)),
        TraceCommand::Diff { first, second, options, format } => opened(&options.place)
            .and_then(|state| lineage::difference(&state, first, second, asked(options)))
            .map(|changes| listed(&changes, *format, texts::changes)),
        TraceCommand::Gaps { options, format } => opened(&options.place)
            .and_then(|state| lineage::gaps(&state, asked(options)))
            .map(|coverage| listed(&coverage, *format, texts::gaps)),
    };
    match text {
        Ok(text) => {
            output::print(&text);
            Status::Fine
        }
        Err(error) => failed(&error),
    }
}

fn opened(place: &TracePlace) -> Result<State, LineageError> {
    Ok(state(&place.path, &place.state)?)
}

fn asked(options: &TraceOptions) -> Asked {
    // To the fraction of a second: what was said just now counts.
    let now = Timestamp::now();
    let as_of = AsOf { true_at: options.as_of.unwrap_or(now), known_at: options.known_at.unwrap_or(now) };
    Asked { as_of, most: options.most }
}

fn written(trace: &Trace, format: TraceFormat) -> String {
    match format {
        TraceFormat::Text => form::tree(trace),
        TraceFormat::Json => json(trace).expect("texts, whole numbers and instants are JSON"),
        TraceFormat::Dot => form::dot(trace),
        TraceFormat::Mermaid => form::mermaid(trace),
    }
}

fn listed<T: serde::Serialize>(list: &[T], format: ListFormat, text: impl Fn(&[T]) -> String) -> String {
    match format {
        ListFormat::Text => text(list),
        ListFormat::Json => json(&list).expect("texts and whole numbers are JSON"),
    }
}

/// Says what came of taking events in. Lines that were refused are a failure, whatever else was kept.
fn told(imported: &Imported) -> Status {
    for Remark { file, line, message } in imported.remarks.iter().take(REMARKS_MAX) {
        output::error(&diagnostic::warning(&format!("`{}`, line {line}: {message}", file.display())));
    }
    for Remark { file, line, message } in imported.refused.iter().take(REMARKS_MAX) {
        output::error(&diagnostic::error(&format!("`{}`, line {line}: {message}", file.display())));
    }
    output::print(&texts::imported(imported, REMARKS_MAX));
    if imported.refused.is_empty() { Status::Fine } else { Status::Impossible }
}

fn failed(error: &LineageError) -> Status {
    match error {
        LineageError::Definition(error) => impossible(error),
        error => {
            output::error(&diagnostic::error(&error.to_string()));
            Status::Impossible
        }
    }
}
