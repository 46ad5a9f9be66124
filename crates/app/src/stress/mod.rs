//! What a model does when its inputs fail: rows of the log are changed on purpose, and the model is asked about them
//! once more.
//!
//! The model that is asked has to answer unchanged rows as the log has it (`stress.parity`); then every fault of the
//! plan is done to the same rows (`stress.missing`, `stress.faults`), and to what monitoring would see of them
//! (`stress.detection`). Which faults there are, and what answers to them mean, is in the crate `stress`.

mod answers;
mod asking;
mod degrading;
mod noticing;
mod rows;

use std::path::PathBuf;
use std::sync::Arc;

use ::stress::fault::{CATALOGUE, Faulted};
use ::stress::judge::{self, Outcome, Scope, Tried};
use ::stress::plan::{self, Experiment, Feature, Options};
use ::stress::response::{AskedTwice, Tolerance, impact};
use engine::{Engine, EngineOptions};
use jiff::Timestamp;
use types::batch::Batch;
use types::cases::Cases;
use types::definition::{self, Definition, DefinitionError, Refusal};
use types::nearest::{listed, nearest};
use types::{CheckId, Digest, Finding, Question, Verdict, Window};

use self::answers::{Answered, Session};
use self::degrading::weighed;
use self::noticing::{Noticing, Seen};
use crate::check::{CheckError, CheckOutcome, Made, Stage, chosen_window, conclude, log_state};
use crate::opened::Opened;
use crate::state::State;
use crate::watch::Watch;

/// What to try.
#[derive(Clone, Debug)]
pub struct StressRequest {
    /// A folder with a definition, or the definition itself.
    pub path: PathBuf,
    /// The checks to make; all that the definition does not skip where none is named.
    pub only: Vec<CheckId>,
    /// By default the last whole week of the log.
    pub window: Option<Window>,
    /// Outcomes that became known later are not used; by default now.
    pub as_of: Option<Timestamp>,
}

/// Makes the checks and records their evidence.
pub fn run(
    request: &StressRequest,
    state: &State,
    now: Timestamp,
    progress: &mut dyn FnMut(Stage),
) -> Result<CheckOutcome, CheckError> {
    progress(Stage::Opening);
    let engine = Engine::new(EngineOptions::default())?;
    let opened = Opened::at(&engine, &request.path)?;
    let (definition, log) = (&opened.definition, &opened.log);
    check_kinds(definition).map_err(|error| opened.located.mistake(error))?;
    let as_of = request.as_of.unwrap_or(now);
    let (window, range) = chosen_window(&opened, request.window, request.as_of, now)?;
    let inputs = inputs(&opened)?;
    let names: Vec<String> = inputs.iter().map(|(name, _)| name.clone()).collect();
    let (target, model) = asking::target(definition, &opened.located.folder, &names)
        .map_err(|error| opened.located.mistake(error))?;
    progress(Stage::Digesting { files: log.file_count() });
    let datasets = log.dataset_versions()?;
    let mut chain = state.chain(&definition.system.id)?;

    let cases = |window| Question::Cases {
        features: inputs.clone(),
        segments: Vec::new(),
        also: Vec::new(),
        rows: definition.stress.rows,
        window,
    };
    let (current, reference) = (cases(window), cases(definition.reference.window));
    let watch = Watch::of(&opened, window, as_of);
    let is_made = |check: CheckId| {
        definition.stresses(check) && (request.only.is_empty() || request.only.contains(&check))
    };
    let mut questions = vec![current.clone(), reference.clone()];
    if is_made(CheckId::Detection) {
        questions.extend(watch.questions());
    }
    progress(Stage::Measuring { questions: questions.len(), window });
    let answers = Arc::new(log.answer(&questions, as_of).map_err(|error| opened.explain(error))?);
    let none = Cases::default();
    let (current, reference) =
        (answers.cases(&current).unwrap_or(&none), answers.cases(&reference).unwrap_or(&none));
    let broken = |error: types::batch::BatchError| CheckError::Model(error.to_string());
    let rows = rows::batch(current, &opened.schema).map_err(broken)?;
    let usual = rows::batch(reference, &opened.schema).map_err(broken)?;

    let mut session = Session::of(definition, target, &current.outputs);
    session.refuse_misfits(&rows)?;
    let clean = session.ask(&rows);
    let scope = Scope { definition, window };
    let asked = judge::Asked { model: &model, rows: rows.rows() as u64 };
    let parity = judge::parity(scope, asked, &session.differences(&clean), clean.error.as_deref());
    let holds = parity.verdict;
    let mut findings: Vec<Finding> = is_made(CheckId::Parity).then_some(parity).into_iter().collect();

    let log_is;
    let noticing = if is_made(CheckId::Detection) && rows.rows() > 0 {
        log_is = log_state(&opened, range.undated_rows, (as_of, now))?;
        let seen = Seen { batch: &rows, outputs: &session.outputs(&clean) };
        Some(Noticing::of(&watch, window, Arc::clone(&answers), &log_is, seen)?)
    } else {
        None
    };
    let features = features(&rows);
    let mut tried: Vec<(CheckId, Vec<Tried>)> = Vec::new();
    for check in [CheckId::Missing, CheckId::Faults] {
        // A fault is tried for detection too, where the check itself is not asked for.
        if holds != Verdict::Pass || !(is_made(check) || is_made(CheckId::Detection)) {
            tried.push((check, Vec::new()));
            continue;
        }
        let planned = plan::experiments(&features, &definition.source, &options(definition, check));
        let of = planned.len();
        let mut results = Vec::with_capacity(of);
        for (done, experiment) in planned.into_iter().enumerate() {
            progress(Stage::Asking { done, of });
            let seed = seed(window, &experiment);
            let outcome = experiment
                .fault
                .apply(&rows, &usual, seed)
                .map(|faulted| outcome(&mut session, &clean, faulted, definition, noticing.as_ref()));
            results.push(Tried { experiment, outcome });
        }
        tried.push((check, results));
    }
    progress(Stage::Judging { window });
    for (check, results) in &tried {
        if is_made(*check) {
            findings.push(judge::faults(scope, *check, asked, results, holds));
        }
    }
    if is_made(CheckId::Detection) {
        let all: Vec<Tried> = tried.into_iter().flat_map(|(_, results)| results).collect();
        findings.push(judge::detection(scope, &all, holds));
    }
    let made = Made { findings, datasets, window, asked_window: request.window, as_of };
    conclude(&opened, state, &mut chain, made, now, progress)
}

/// What the model does with rows that a fault was done to.
fn outcome(
    session: &mut Session<'_>,
    clean: &Answered,
    faulted: Faulted,
    definition: &Definition,
    noticing: Option<&Noticing<'_>>,
) -> Outcome {
    let answered = session.ask(&faulted.batch);
    let before = clean.of_rows(&faulted.origin);
    let asked = AskedTwice {
        clean: &before,
        faulted: &answered.responses,
        outcomes: &session.outcomes(&faulted.origin),
        mask: &faulted.mask,
        error: answered.error.as_deref(),
    };
    let tolerance = tolerance(definition, &faulted);
    let impact = impact(asked, session.reading(), &tolerance).expect("one answer for every row of the fault");
    let noticed = noticing.map(|noticing| {
        noticing.noticed(Seen { batch: &faulted.batch, outputs: &session.outputs(&answered) })
    });
    Outcome { manifest: faulted.manifest, impact, error: answered.error, weighed: None, noticed }
}

/// What the definition tolerates of a fault.
fn tolerance(definition: &Definition, faulted: &Faulted) -> Tolerance {
    let (missing, faults) = (&definition.stress.missing, &definition.stress.faults);
    let (max_drop, refusal) = if faulted.manifest.fault.entry().id == MISSING {
        (missing.max_accuracy_drop, missing.refusal)
    } else {
        (faults.max_accuracy_drop, faults.refusal)
    };
    Tolerance { max_drop, is_rejecting_handled: refusal == Refusal::Handled, ..Tolerance::default() }
}

/// The kind of fault that has a check of its own.
const MISSING: &str = "missing";

/// The columns that the model is asked with, and their kinds.
fn inputs(opened: &Opened<'_>) -> Result<Vec<(String, types::ColumnKind)>, CheckError> {
    let (definition, schema) = (&opened.definition, &opened.schema);
    let mut compared = definition::compared_columns(definition, schema);
    if definition.model.inputs.is_empty() {
        return Ok(compared);
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
    compared.retain(|(name, _)| !inputs.iter().any(|(input, _)| input == name));
    Ok(inputs)
}

fn features(rows: &Batch) -> Vec<Feature> {
    let of = |column: &types::batch::BatchColumn| Feature {
        name: column.name.clone(),
        kind: column.values.kind(),
    };
    rows.columns().iter().map(of).collect()
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
        };
    }
    let all = || CATALOGUE.iter().map(|entry| entry.id.to_owned()).collect();
    let mut kinds: Vec<String> = faults.kinds.clone().unwrap_or_else(all);
    kinds.retain(|kind| kind != MISSING);
    Options { faults: kinds, rates: vec![faults.rate], each: true, sources: true, pairs: false }
}

/// The catalogue is known here, and not where definitions are read.
fn check_kinds(definition: &Definition) -> Result<(), DefinitionError> {
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
fn seed(window: Window, experiment: &Experiment) -> u64 {
    let digest = Digest::of(format!("{window}\n{experiment:?}").as_bytes()).bytes();
    digest.iter().take(8).fold(0, |seed, byte| (seed << 8) | u64::from(*byte))
}
