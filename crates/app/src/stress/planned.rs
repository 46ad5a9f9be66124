//! What the definition asks for: inputs, faults, and what is tolerated of them.

use ::stress::fault::{CATALOGUE, Faulted};
use ::stress::plan::{Experiment, Feature, Options};
use ::stress::response::Tolerance;
use types::batch::Batch;
use types::definition::{self, Definition, DefinitionError, Refusal};
use types::nearest::{listed, nearest};
use types::{CheckId, ColumnKind, Digest, Window};

use crate::check::CheckError;
use crate::opened::Opened;

/// What the definition tolerates of a fault.
pub(super) fn tolerance(definition: &Definition, faulted: &Faulted) -> Tolerance {
    let (missing, faults) = (&definition.stress.missing, &definition.stress.faults);
    let (max_drop, refusal) = if faulted.manifest.fault.entry().id == MISSING {
        (missing.max_accuracy_drop, missing.refusal)
    } else {
        (faults.max_accuracy_drop, faults.refusal)
    };
    Tolerance { max_drop, is_rejecting_handled: refusal == Refusal::Handled, ..Tolerance::default() }
}

/// The kind of fault that has a check of its own.
pub(super) const MISSING: &str = "missing";

/// The columns that the model is asked with, and their kinds.
pub(crate) fn inputs(opened: &Opened<'_>) -> Result<Vec<(String, ColumnKind)>, CheckError> {
    let (definition, schema) = (&opened.definition, &opened.schema);
    if definition.model.inputs.is_empty() {
        return Ok(definition::compared_columns(definition, schema));
    }
    let mut inputs = Vec::new();
    for (at, name) in definition.model.inputs.iter().enumerate() {
        let column = schema.column(name).ok_or_else(|| {
            let message = format!("column `{name}` is not in the log");
            let help = match nearest(name, schema.names()) {
                Some(choice) => format!("did you mean `{choice}`?"),
                None => format!("it has {}", listed(schema.names(), 12)),
            };
            let error = DefinitionError::at_key(format!("model.inputs.{at}"), message);
            opened.located.mistake(error.with_help(Some(help)))
        })?;
        inputs.push((name.clone(), column.kind));
    }
    Ok(inputs)
}

pub(super) fn features(rows: &Batch) -> Vec<Feature> {
    let of = |column: &types::batch::BatchColumn| Feature {
        name: column.name.clone(),
        kind: column.values.kind(),
    };
    rows.columns().iter().map(of).collect()
}

/// What the definition asks for of a check.
pub(super) fn options(definition: &Definition, check: CheckId) -> Options {
    let (missing, faults) = (&definition.stress.missing, &definition.stress.faults);
    if check == CheckId::Missing {
        return Options {
            faults: vec![MISSING.into()],
            rates: missing.rates.clone(),
            each: missing.each,
            sources: missing.sources,
            pairs: missing.pairs,
        };
    }
    let all = || CATALOGUE.iter().map(|entry| entry.id.to_owned()).collect();
    let mut kinds: Vec<String> = faults.kinds.clone().unwrap_or_else(all);
    kinds.retain(|kind| kind != MISSING);
    // An empty list stands for the whole catalogue there.
    let each = !kinds.is_empty();
    Options { faults: kinds, rates: vec![faults.rate], each, sources: each, pairs: false }
}

/// The catalogue is known here, and not where definitions are read.
pub(super) fn check_kinds(definition: &Definition) -> Result<(), DefinitionError> {
    let ids = || CATALOGUE.iter().map(|entry| entry.id);
    for (at, kind) in definition.stress.faults.kinds.iter().flatten().enumerate() {
        if !ids().any(|id| id == kind) {
            let message = format!("`{kind}` is no fault of the catalogue");
            let help = match nearest(kind, ids()) {
                Some(choice) => format!("did you mean `{choice}`?"),
                None => format!("there are {}", listed(ids(), CATALOGUE.len())),
            };
            return Err(
                DefinitionError::at_key(format!("stress.faults.kinds.{at}"), message).with_help(Some(help))
            );
        }
    }
    Ok(())
}

/// The same window and the same experiment always have the same rows.
pub(super) fn seed(window: Window, experiment: &Experiment) -> u64 {
    digested(&format!("{window}\n{experiment:?}"))
}

pub(super) fn digested(text: &str) -> u64 {
    let digest = Digest::of(text.as_bytes()).bytes();
    digest.iter().take(8).fold(0, |seed, byte| (seed << 8) | u64::from(*byte))
}
