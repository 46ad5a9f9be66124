//! What the definition asks for: inputs, faults, and what is tolerated of them.

use ::stress::fault::CATALOGUE;
use ::stress::plan::{self, Experiment, Feature, Options};
use ::stress::response::{Response, Tolerance};
use types::batch::Batch;
use types::definition::{self, Definition, DefinitionError, Model, Refusal};
use types::nearest::{listed, nearest};
use types::{CheckId, ColumnKind, Digest, Window};

use crate::check::CheckError;
use crate::opened::Opened;

/// What the definition tolerates of a fault.
pub(super) fn tolerance(definition: &Definition, experiment: &Experiment) -> Tolerance {
    let (missing, faults) = (&definition.stress.missing, &definition.stress.faults);
    let (max_drop, refusal) = if is_missing(experiment) {
        (missing.max_accuracy_drop, missing.refusal)
    } else {
        (faults.max_accuracy_drop, faults.refusal)
    };
    let own = experiment.hypothesis.as_ref().and_then(|hypothesis| hypothesis.max_accuracy_drop);
    let max_drop = own.unwrap_or(max_drop);
    Tolerance { max_drop, is_rejecting_handled: refusal == Refusal::Handled, ..Tolerance::default() }
}

/// The kind of fault that has a check of its own.
pub(super) const MISSING: &str = "missing";

/// The columns that the model is asked with, and their kinds.
pub(super) fn inputs(opened: &Opened<'_>) -> Result<Vec<(String, ColumnKind)>, CheckError> {
    let (definition, schema) = (&opened.definition, &opened.schema);
    if definition.model.inputs.is_empty() {
        return Ok(definition::compared_columns(definition, schema));
    }
    let inputs = definition.model.inputs.iter().enumerate();
    inputs.map(|(at, name)| in_log(opened, &format!("model.inputs.{at}"), name)).collect()
}

/// The columns that others take beside the model's inputs: other models, and what answers are repeated by.
pub(super) fn other_columns(
    opened: &Opened<'_>,
    inputs: &[(String, ColumnKind)],
) -> Result<Vec<(String, ColumnKind)>, CheckError> {
    let stress = &opened.definition.stress;
    let mut named: Vec<(String, &str)> = Vec::new();
    for (at, fallback) in stress.degradation.fallback.iter().enumerate() {
        named.extend(named_inputs(&format!("stress.degradation.fallback.{at}"), fallback));
    }
    if let Some(against) = &stress.parity.against {
        named.extend(named_inputs("stress.parity.against", against));
    }
    let cached_by = stress.degradation.cached_by.as_deref();
    named.extend(cached_by.map(|key| ("stress.degradation.cached_by".to_owned(), key)));
    let mut others: Vec<(String, ColumnKind)> = Vec::new();
    for (key, name) in named {
        let column = in_log(opened, &key, name)?;
        if inputs.iter().chain(&others).all(|(known, _)| known != name) {
            others.push(column);
        }
    }
    Ok(others)
}

fn named_inputs<'a>(key: &str, model: &'a Model) -> impl Iterator<Item = (String, &'a str)> {
    let inputs = model.inputs.iter().enumerate();
    inputs.map(move |(at, name)| (format!("{key}.inputs.{at}"), name.as_str()))
}

/// A column that the definition names under a key.
fn in_log(opened: &Opened<'_>, key: &str, name: &str) -> Result<(String, ColumnKind), CheckError> {
    let schema = &opened.schema;
    let column = schema.column(name).ok_or_else(|| {
        let message = format!("column `{name}` is not in the log");
        let help = match nearest(name, schema.names()) {
            Some(choice) => format!("did you mean `{choice}`?"),
            None => format!("it has {}", listed(schema.names(), 12)),
        };
        opened.located.mistake(DefinitionError::at_key(key, message).with_help(Some(help)))
    })?;
    Ok((name.to_owned(), column.kind))
}

fn features(rows: &Batch) -> Vec<Feature> {
    let of = |column: &types::batch::BatchColumn| Feature {
        name: column.name.clone(),
        kind: column.values.kind(),
    };
    rows.columns().iter().map(of).collect()
}

/// What says which faults have a meaning for the inputs.
#[derive(Clone, Copy)]
pub(super) struct Inputs<'a> {
    pub(super) definition: &'a Definition,
    /// Rows of the window, and what the model answers to them.
    pub(super) rows: &'a Batch,
    pub(super) answers: &'a [Response],
    /// Rows of the reference.
    pub(super) usual: &'a Batch,
}

impl Inputs<'_> {
    /// Every experiment of a check: those of the catalogue, then those that the definition names.
    pub(super) fn experiments(self, check: CheckId) -> Vec<Experiment> {
        let (features, sources) = (features(self.rows), &self.definition.source);
        let mut planned = plan::experiments(&features, sources, &self.options(check));
        let named = plan::named(&features, sources, &self.definition.stress.experiment);
        let is_of_check = |experiment: &Experiment| is_missing(experiment) == (check == CheckId::Missing);
        planned.extend(named.into_iter().filter(is_of_check));
        planned
    }

    /// The experiments of a check with another share of rows, to find one of them by.
    pub(super) fn at_rate(self, check: CheckId, rate: f64) -> Vec<Experiment> {
        // Named ones may be of kinds that are not asked for otherwise.
        let all = Options { faults: Vec::new(), each: true, sources: true, ..self.options(check) };
        let options = Options { rates: vec![rate], ..all };
        plan::experiments(&features(self.rows), &self.definition.source, &options)
    }

    fn options(self, check: CheckId) -> Options {
        let stress = &self.definition.stress;
        let asked = options(self.definition, check);
        if check != CheckId::Missing {
            let swaps = plan::mistaken_pairs(&features(self.rows), &self.definition.source, self.usual);
            return Options { swaps, ..asked };
        }
        let by = match &stress.missing.by {
            Some(by) => vec![by.clone()],
            None => plan::going_along(self.rows, &self.answers.iter().map(surety).collect::<Vec<_>>()),
        };
        Options { mechanisms: stress.missing.mechanisms.clone(), by, ..asked }
    }
}

/// The number of an answer; of a class how sure it is, because classes have no order.
fn surety(response: &Response) -> Option<f64> {
    match response {
        Response::Answer { value, confidence, .. } => Some(confidence.unwrap_or(*value)),
        Response::Rejected | Response::Crashed | Response::Malformed => None,
    }
}

pub(super) fn is_missing(experiment: &Experiment) -> bool {
    experiment.fault.entry().id == MISSING
}

/// What the definition asks for of a check.
fn options(definition: &Definition, check: CheckId) -> Options {
    let (missing, faults) = (&definition.stress.missing, &definition.stress.faults);
    if check == CheckId::Missing {
        return Options {
            faults: vec![MISSING.into()],
            rates: missing.rates.clone(),
            each: missing.each,
            sources: missing.sources,
            pairs: missing.pairs,
            ..Options::default()
        };
    }
    let all = || CATALOGUE.iter().map(|entry| entry.id.to_owned()).collect();
    let mut kinds: Vec<String> = faults.kinds.clone().unwrap_or_else(all);
    kinds.retain(|kind| kind != MISSING);
    // An empty list stands for the whole catalogue there.
    let each = !kinds.is_empty();
    let rates = vec![faults.rate];
    Options { faults: kinds, rates, each, sources: each, pairs: false, ..Options::default() }
}

/// The catalogue is known here, and not where definitions are read.
pub(super) fn check_kinds(definition: &Definition) -> Result<(), DefinitionError> {
    let stress = &definition.stress;
    for (at, kind) in stress.faults.kinds.iter().flatten().enumerate() {
        check_kind(&format!("stress.faults.kinds.{at}"), kind)?;
    }
    for (at, experiment) in stress.experiment.iter().enumerate() {
        for (position, kind) in experiment.faults.iter().enumerate() {
            check_kind(&format!("stress.experiment.{at}.faults.{position}"), kind)?;
        }
    }
    Ok(())
}

fn check_kind(key: &str, kind: &str) -> Result<(), DefinitionError> {
    let ids = || CATALOGUE.iter().map(|entry| entry.id);
    if ids().any(|id| id == kind) {
        return Ok(());
    }
    let message = format!("`{kind}` is no fault of the catalogue");
    let help = match nearest(kind, ids()) {
        Some(choice) => format!("did you mean `{choice}`?"),
        None => format!("there are {}", listed(ids(), CATALOGUE.len())),
    };
    Err(DefinitionError::at_key(key, message).with_help(Some(help)))
}

/// What experiments and mechanisms name are inputs of the model, and something is left to try.
pub(super) fn check_named(definition: &Definition, rows: &Batch) -> Result<(), DefinitionError> {
    let stress = &definition.stress;
    let features = features(rows);
    let names = || features.iter().map(|feature| feature.name.as_str());
    let is_input = |key: String, name: &str| {
        if names().any(|known| known == name) {
            return Ok(());
        }
        let help = match nearest(name, names()) {
            Some(choice) => format!("did you mean `{choice}`?"),
            None => format!("there are {}", listed(names(), 12)),
        };
        Err(DefinitionError::at_key(key, format!("`{name}` is no input of the model")).with_help(Some(help)))
    };
    if let Some(by) = &stress.missing.by {
        is_input("stress.missing.by".into(), by)?;
    }
    for (at, experiment) in stress.experiment.iter().enumerate() {
        for (position, name) in experiment.features.iter().enumerate() {
            is_input(format!("stress.experiment.{at}.features.{position}"), name)?;
        }
        if plan::named(&features, &definition.source, std::slice::from_ref(experiment)).is_empty() {
            let message = format!("no fault of `{}` has a meaning for what it names", experiment.name);
            let help = "docs/faults.md says what each fault is done to".to_owned();
            return Err(
                DefinitionError::at_key(format!("stress.experiment.{at}"), message).with_help(Some(help))
            );
        }
    }
    Ok(())
}

/// The same window and the same experiment always have the same rows.
pub(super) fn seed(window: Window, experiment: &Experiment) -> u64 {
    let Experiment { subject, fault, .. } = experiment;
    digested(&format!("{window}\n{subject:?}\n{fault:?}"))
}

pub(super) fn digested(text: &str) -> u64 {
    let digest = Digest::of(text.as_bytes()).bytes();
    digest.iter().take(8).fold(0, |seed, byte| (seed << 8) | u64::from(*byte))
}
