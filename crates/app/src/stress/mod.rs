//! What a model does when its inputs fail: rows of the log are changed on purpose, and the model is asked about them
//! once more.
//!
//! The model that is asked has to answer unchanged rows as the log has it (`stress.parity`); then every fault of the
//! plan is done to the same rows (`stress.missing`, `stress.faults`), and to what monitoring would see of them
//! (`stress.detection`). Which faults there are, and what answers to them mean, is in the crate `stress`.

mod answers;
mod asking;
mod degrading;
mod manipulating;
mod noticing;
mod rows;

use std::path::PathBuf;
use std::sync::Arc;

use ::stress::degrade::Weighed;
use ::stress::degrade::policy::Policy;
use ::stress::fault::{CATALOGUE, Faulted};
use ::stress::judge::{self, Outcome, Scope, Tried};
use ::stress::plan::{self, Experiment, Feature, Options, Subject};
use ::stress::response::{AskedTwice, Impact, Tolerance, impact};
use engine::{Engine, EngineOptions};
use jiff::Timestamp;
use types::batch::{Batch, BatchError};
use types::cases::Cases;
use types::definition::{self, Definition, DefinitionError, Refusal};
use types::faults::Noticed;
use types::nearest::{listed, nearest};
use types::{CheckId, ColumnKind, Digest, Finding, Question, Verdict, Window};

use self::answers::{Answered, Session};
use self::degrading::{Known, weighed};
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

/// What the checks came to.
#[derive(Clone, Debug)]
pub struct StressOutcome {
    pub check: CheckOutcome,
    /// What to do while an input is down, as a file; empty where nothing was weighed.
    pub policy: String,
}

/// Makes the checks and records their evidence.
pub fn run(
    request: &StressRequest,
    state: &State,
    now: Timestamp,
    progress: &mut dyn FnMut(Stage),
) -> Result<StressOutcome, CheckError> {
    progress(Stage::Opening);
    let engine = Engine::new(EngineOptions::default())?;
    let opened = Opened::at(&engine, &request.path)?;
    let (definition, log) = (&opened.definition, &opened.log);
    check_kinds(definition).map_err(|error| opened.located.mistake(error))?;
    manipulating::check_declared(definition, &request.only).map_err(|error| opened.located.mistake(error))?;
    let as_of = request.as_of.unwrap_or(now);
    let (window, range) = chosen_window(&opened, request.window, request.as_of, now)?;
    let inputs = inputs(&opened)?;
    let names: Vec<String> = inputs.iter().map(|(name, _)| name.clone()).collect();
    let (target, model) = asking::target(definition, &opened.located.folder, &names)
        .map_err(|error| opened.located.mistake(error))?;
    progress(Stage::Digesting { files: log.file_count() });
    let datasets = log.dataset_versions()?;
    let mut chain = state.chain(&definition.system.id)?;

    let is_made = |check: CheckId| {
        definition.stresses(check) && (request.only.is_empty() || request.only.contains(&check))
    };
    let watch = Watch::of(&opened, window, as_of);
    let [current, usual] =
        [window, definition.reference.window].map(|window| cases(&inputs, definition, window));
    let mut questions = vec![current.clone(), usual.clone()];
    if is_made(CheckId::Detection) {
        questions.extend(watch.questions());
    }
    progress(Stage::Measuring { questions: questions.len(), window });
    let answers = Arc::new(log.answer(&questions, as_of).map_err(|error| opened.explain(error))?);
    let none = Cases::default();
    let [current, usual] =
        [current, usual].map(|question| rows::in_time_order(answers.cases(&question).unwrap_or(&none)));
    let broken = |error: BatchError| CheckError::Model(error.to_string());
    let rows = rows::batch(&current, &opened.schema).map_err(broken)?;
    let usual = rows::batch(&usual, &opened.schema).map_err(broken)?;

    let mut session = Session::of(definition, target, &current.outputs);
    session.refuse_misfits(&rows)?;
    let clean = session.ask(&rows);
    let log_is = log_state(&opened, range.undated_rows, (as_of, now))?;
    let noticing = if is_made(CheckId::Detection) && usual.rows() > 0 {
        let answered = session.ask(&usual);
        let seen = Seen { batch: &usual, outputs: &session.outputs(&answered) };
        Some(Noticing::of(&watch, window, Arc::clone(&answers), &log_is, seen)?)
    } else {
        None
    };
    let mut rehearsal = Rehearsal {
        definition,
        window,
        rows: &rows,
        usual: &usual,
        ids: &current.ids,
        session,
        clean,
        noticing,
        weighed: Vec::new(),
    };
    let asked = judge::Asked { model: &model, rows: rows.rows() as u64 };
    let findings = rehearsal.findings(asked, &is_made, progress);
    let made = Made { findings, datasets, window, asked_window: request.window, as_of };
    let check = conclude(&opened, state, &mut chain, made, now, progress)?;
    Ok(StressOutcome { check, policy: Policy::proposed(&rehearsal.weighed).text() })
}

/// Rows of a window as the model is asked about them.
fn cases(inputs: &[(String, ColumnKind)], definition: &Definition, window: Window) -> Question {
    Question::Cases {
        features: inputs.to_vec(),
        segments: Vec::new(),
        also: Vec::new(),
        rows: definition.stress.rows,
        window,
    }
}

/// A model that has answered unchanged rows, and what faults are done to.
struct Rehearsal<'a> {
    definition: &'a Definition,
    window: Window,
    rows: &'a Batch,
    /// Rows of the reference, which say what is usual.
    usual: &'a Batch,
    /// Of the rows; empty where the log has none.
    ids: &'a [String],
    session: Session<'a>,
    clean: Answered,
    noticing: Option<Noticing<'a>>,
    /// What could be done in each outage of all rows, once per outage.
    weighed: Vec<(Subject, Weighed)>,
}

impl Rehearsal<'_> {
    fn findings(
        &mut self,
        asked: judge::Asked<'_>,
        is_made: &dyn Fn(CheckId) -> bool,
        progress: &mut dyn FnMut(Stage),
    ) -> Vec<Finding> {
        let scope = Scope { definition: self.definition, window: self.window };
        let differences = self.session.differences(&self.clean);
        let parity = judge::parity(scope, asked, &differences, self.clean.error.as_deref());
        let holds = parity.verdict;
        let mut findings: Vec<Finding> = is_made(CheckId::Parity).then_some(parity).into_iter().collect();
        let mut all = Vec::new();
        for check in [CheckId::Missing, CheckId::Faults] {
            // Nothing is certified of another model; and what is not asked for is tried for detection alone.
            let is_tried = holds == Verdict::Pass && (is_made(check) || is_made(CheckId::Detection));
            let tried = if is_tried { self.tried(check, progress) } else { Vec::new() };
            if is_made(check) {
                findings.push(judge::faults(scope, check, asked, &tried, holds));
            }
            all.extend(tried);
        }
        if is_made(CheckId::Detection) {
            findings.push(judge::detection(scope, &all, holds));
        }
        if is_made(CheckId::Manipulation) {
            findings.extend(self.manipulated(scope, asked, holds, progress));
        }
        findings
    }

    /// Every experiment of a check, one after the other.
    fn tried(&mut self, check: CheckId, progress: &mut dyn FnMut(Stage)) -> Vec<Tried> {
        let options = options(self.definition, check);
        let planned = plan::experiments(&features(self.rows), &self.definition.source, &options);
        let of = planned.len();
        let tried = planned.into_iter().enumerate().map(|(done, experiment)| {
            progress(Stage::Asking { done, of });
            let seed = seed(self.window, &experiment);
            let faulted = experiment.fault.apply(self.rows, self.usual, seed);
            let outcome = faulted.map(|faulted| {
                let outcome = self.outcome(faulted);
                Outcome { noticed: self.noticed(&experiment, seed, &outcome.impact), ..outcome }
            });
            if let Ok(Outcome { weighed: Some(weighed), .. }) = &outcome
                && self.weighed.iter().all(|(subject, _)| *subject != experiment.subject)
            {
                self.weighed.push((experiment.subject.clone(), weighed.clone()));
            }
            Tried { experiment, outcome }
        });
        tried.collect()
    }

    /// What the model does with rows that a fault was done to.
    fn outcome(&mut self, faulted: Faulted) -> Outcome {
        let answered = self.session.ask(&faulted.batch);
        let known = Known { clean: &self.clean, faulted: &answered };
        let weighed = weighed(&mut self.session, known, &faulted, self.usual, self.definition);
        let asked = AskedTwice {
            clean: &self.clean.of_rows(&faulted.origin),
            faulted: &answered.responses,
            outcomes: &self.session.outcomes(&faulted.origin),
            mask: &faulted.mask,
            error: answered.error.as_deref(),
        };
        let tolerance = tolerance(self.definition, &faulted);
        let impact = impact(asked, self.session.reading(), &tolerance);
        let impact = impact.expect("one answer and one outcome for every row of the fault");
        Outcome { manifest: faulted.manifest, impact, error: answered.error, weighed, noticed: None }
    }

    /// Whether monitoring notices, where it begins in a quiet week: the same fault is done to rows of the reference.
    fn noticed(&mut self, experiment: &Experiment, seed: u64, impact: &Impact) -> Option<Noticed> {
        let noticing = self.noticing.as_ref()?;
        let faulted = experiment.fault.apply(self.usual, self.usual, seed).ok()?;
        let answered = self.session.ask(&faulted.batch);
        let seen = Seen { batch: &faulted.batch, outputs: &self.session.outputs(&answered) };
        let mut by = noticing.by_columns(seen);
        if by.is_empty() && judge::is_harmful(impact, self.definition.stress.detection.harmful) {
            by.extend(noticing.by_all_together(seen));
        }
        Some(Noticed { by })
    }
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
fn inputs(opened: &Opened<'_>) -> Result<Vec<(String, ColumnKind)>, CheckError> {
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
    // An empty list stands for the whole catalogue there.
    let each = !kinds.is_empty();
    Options { faults: kinds, rates: vec![faults.rate], each, sources: each, pairs: false }
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
