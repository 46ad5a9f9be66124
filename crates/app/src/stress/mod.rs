//! What a model does when its inputs fail: rows of the log are changed on purpose, and the model is asked about them
//! once more.
//!
//! The model that is asked has to answer unchanged rows as the log has it (`stress.parity`); then every fault of the
//! plan is done to the same rows (`stress.missing`, `stress.faults`), and to what monitoring would see of them
//! (`stress.detection`). Which faults there are, and what answers to them mean, is in the crate `stress`.

mod answers;
pub(crate) mod asking;
mod degrading;
mod endpoint;
mod live;
mod load;
mod noticing;
mod planned;
mod rehearsal;
pub(crate) mod rows;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::stress::degrade::policy::Policy;
use ::stress::judge::{self, Scope};
use engine::{Engine, EngineOptions};
use jiff::Timestamp;
use serving::Stop;
use types::batch::{Batch, BatchError};
use types::cases::Cases;
use types::definition::{Definition, DefinitionError};
use types::{CheckId, ColumnKind, Finding, Question, Window};

use self::answers::Session;
use self::noticing::{Noticing, Seen};
pub(crate) use self::planned::inputs;
use self::planned::{check_kinds, digested};
use self::rehearsal::Rehearsal;
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
    check_kinds(definition)
        .and_then(|()| endpoint::check_kinds(definition))
        .map_err(|error| opened.located.mistake(error))?;
    let as_of = request.as_of.unwrap_or(now);
    let (window, range) = chosen_window(&opened, request.window, request.as_of, now)?;
    let inputs = inputs(&opened)?;
    let names: Vec<String> = inputs.iter().map(|(name, _)| name.clone()).collect();
    let (target, model) = asking::target(definition, &opened.located.folder, &names)
        .map_err(|error| opened.located.mistake(error))?;
    progress(Stage::Digesting { files: log.file_count() });
    let datasets = log.dataset_versions()?;
    let mut chain = state.chain(&definition.system.id)?;

    let is_made = |check: CheckId| match request.only.is_empty() {
        true => definition.stresses(check),
        false => definition.may_stress(check) && request.only.contains(&check),
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
        session,
        clean,
        noticing,
        weighed: Vec::new(),
    };
    let asked = judge::Asked { model: &model, rows: rows.rows() as u64 };
    let mut findings = rehearsal.findings(asked, &is_made, progress);
    let scope = Scope { definition, window };
    let served = served(scope, &opened.located.folder, (&names, &rows), &is_made, progress);
    findings.extend(served.map_err(|error| opened.located.mistake(error))?);
    let made = Made { findings, datasets, window, asked_window: request.window, as_of };
    let check = conclude(&opened, state, &mut chain, made, now, progress)?;
    Ok(StressOutcome { check, policy: Policy::proposed(&rehearsal.weighed).text() })
}

/// What is done to the server of the model: load, and faults of its answers. Ctrl-C ends it, and what was measured until
/// then is kept.
fn served(
    scope: Scope<'_>,
    folder: &Path,
    (inputs, rows): (&[String], &Batch),
    is_made: &dyn Fn(CheckId) -> bool,
    progress: &mut dyn FnMut(Stage),
) -> Result<Vec<Finding>, DefinitionError> {
    let [is_loaded, is_broken] = [CheckId::Load, CheckId::Endpoint].map(is_made);
    if !is_loaded && !is_broken {
        return Ok(Vec::new());
    }
    let (stop, mut findings) = (Stop::on_interrupt(), Vec::new());
    if is_loaded {
        let seed = digested(&format!("{}\nload", scope.window));
        let loaded = load::Loaded { scope, folder, inputs, rows, seed, stop: &stop };
        findings.push(load::finding(&loaded, progress)?);
    }
    if is_broken {
        findings.push(endpoint::finding(scope, rows, &stop, progress)?);
    }
    Ok(findings)
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
