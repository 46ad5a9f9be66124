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
mod kept;
mod live;
mod load;
mod manipulating;
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
use serving::{Stop, Target};
use types::batch::Batch;
use types::cases::Cases;
use types::definition::{Definition, DefinitionError, Model};
use types::{Answers, CheckId, ColumnKind, Digest, Finding, Question, Window};

use self::answers::{Answered, Session};
use self::asking::Described;
use self::degrading::{Other, Ways};
use self::noticing::{Noticing, Quiet};
pub(crate) use self::planned::inputs;
use self::planned::{check_kinds, check_named, digested, other_columns};
use self::rehearsal::Rehearsal;
use crate::check::{CheckError, CheckOutcome, Made, Stage, chosen_window, conclude, log_state};
use crate::opened::Opened;
use crate::state::State;
use crate::watch::Watch;
use crate::window::EmptyWindow;

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
    /// How many times the model was not asked, because a run that was interrupted had the answers already.
    pub not_asked_again: usize,
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
    let mistaken = |error| opened.located.mistake(error);
    check_kinds(definition)
        .and_then(|()| endpoint::check_kinds(definition))
        .and_then(|()| refuse_skipped(definition, &request.only))
        .and_then(|()| manipulating::check_declared(definition, &request.only))
        .map_err(mistaken)?;
    let as_of = request.as_of.unwrap_or(now);
    let (window, range) = chosen_window(&opened, (request.window, EmptyWindow::Refused), request.as_of, now)?;
    let inputs = inputs(&opened)?;
    let names: Vec<String> = inputs.iter().map(|(name, _)| name.clone()).collect();
    let columns: Vec<(String, ColumnKind)> =
        inputs.iter().cloned().chain(other_columns(&opened, &inputs)?).collect();
    let mut models = Models::open(definition, &opened.located.folder, &names).map_err(mistaken)?;
    progress(Stage::Digesting { files: log.file_count() });
    let datasets = log.dataset_versions()?;
    let mut chain = state.chain(&definition.system.id)?;

    let is_made = |check: CheckId| {
        if request.only.is_empty() {
            definition.stresses(check)
        } else {
            definition.may_stress(check) && request.only.contains(&check)
        }
    };
    let watch = Watch::of(&opened, window, as_of);
    let questions = [window, definition.reference.window].map(|window| cases(&columns, definition, window));
    let mut asked = questions.to_vec();
    if is_made(CheckId::Detection) {
        asked.extend(watch.questions());
    }
    progress(Stage::Measuring { questions: asked.len(), window });
    let answers = Arc::new(log.answer(&asked, as_of).map_err(|error| opened.explain(error))?);
    let of = |question| Drawn::of(&answers, question, &opened, &names);
    let (current, usual) = (of(&questions[0])?, of(&questions[1])?);
    check_named(definition, &current.inputs).map_err(mistaken)?;
    models.refuse_misfits(&current)?;

    let Models { target, at: model, fallbacks, against } = models;
    let mut session = Session::of(definition, target, &current.cases.outputs);
    // Load and faults of a server ask in their own way.
    let is_about_inputs = INPUTS.into_iter().any(is_made);
    let clean = if is_about_inputs { session.ask(&current.inputs) } else { Answered::nothing() };
    if is_about_inputs {
        session.keep(&opened.located.folder, &identity(definition, &opened, &model), &clean);
    }
    let log_is = log_state(&opened, range, (as_of, now))?;
    let noticing = if is_made(CheckId::Detection) && usual.inputs.rows() > 0 {
        let quiet = Quiet::of(&usual, &mut session);
        Some(Noticing::of(&watch, window, Arc::clone(&answers), &log_is, quiet)?)
    } else {
        None
    };
    let ways = Ways::of(definition, fallbacks, &current, &usual);
    let mut rehearsal = Rehearsal {
        definition,
        window,
        rows: &current.inputs,
        all: &current.all,
        usual: &usual.inputs,
        ids: &current.cases.ids,
        session,
        clean,
        noticing,
        against,
        ways,
        weighed: Vec::new(),
    };
    let asked = judge::Asked { model: &model, rows: current.inputs.rows() as u64 };
    let mut findings = rehearsal.findings(asked, &is_made, progress);
    let not_asked_again = rehearsal.session.finished();
    let policy = Policy::proposed(&rehearsal.weighed).text();
    let scope = Scope { definition, window };
    let of_server = (&names[..], &current.inputs);
    let served = served(scope, &opened.located.folder, of_server, &is_made, progress);
    findings.extend(served.map_err(mistaken)?);
    let made = Made { findings, datasets, window, asked_window: request.window, as_of };
    let check = conclude(&opened, state, &mut chain, made, now, progress)?;
    Ok(StressOutcome { check, policy, not_asked_again })
}

/// The model of the log, and those that are asked beside it.
struct Models {
    target: Box<dyn Target>,
    /// Where it is asked.
    at: String,
    /// Those that could stand in for it.
    fallbacks: Vec<Other>,
    /// The one that it was made of.
    against: Option<Other>,
}

impl Models {
    fn open(definition: &Definition, folder: &Path, inputs: &[String]) -> Result<Self, DefinitionError> {
        let stress = &definition.stress;
        let (target, at) = asking::target(Described::of_log(definition), definition, folder, inputs)?;
        let open =
            |model: &Model, key: &str| Other::open(Described { model, key }, definition, folder, inputs);
        let fallbacks = stress.degradation.fallback.iter().enumerate();
        let fallbacks =
            fallbacks.map(|(at, model)| open(model, &format!("stress.degradation.fallback.{at}")));
        let fallbacks = fallbacks.collect::<Result<_, _>>()?;
        let against = stress.parity.against.as_ref().map(|model| open(model, "stress.parity.against"));
        Ok(Self { target, at, fallbacks, against: against.transpose()? })
    }

    /// Refuses rows that one of them cannot be asked about at all.
    fn refuse_misfits(&mut self, rows: &Drawn) -> Result<(), CheckError> {
        answers::refuse_misfits(self.target.as_mut(), &rows.inputs).map_err(CheckError::Model)?;
        let mut others = self.fallbacks.iter_mut().chain(&mut self.against);
        others.try_for_each(|other| other.refuse_misfits(&rows.all))
    }
}

/// Rows of a window.
struct Drawn {
    cases: Cases,
    /// With all columns that somebody takes.
    all: Batch,
    /// With those that the model takes.
    inputs: Batch,
}

impl Drawn {
    fn of(
        answers: &Answers,
        question: &Question,
        opened: &Opened<'_>,
        inputs: &[String],
    ) -> Result<Self, CheckError> {
        let none = Cases::default();
        let cases = rows::in_time_order(answers.cases(question).unwrap_or(&none));
        let all =
            rows::batch(&cases, &opened.schema).map_err(|error| CheckError::Model(error.to_string()))?;
        let inputs = rows::only(&all, inputs);
        Ok(Self { cases, all, inputs })
    }
}

/// What tells the model that is asked from any other: where it is, its version, how it is asked, and what the files are
/// that its command names.
fn identity(definition: &Definition, opened: &Opened<'_>, at: &str) -> String {
    let model = &definition.model;
    let named = model.onnx.iter().chain(&model.command);
    let files = named.filter_map(|file| std::fs::read(opened.located.folder.join(file)).ok());
    let digests: Vec<String> = files.map(|bytes| Digest::of(&bytes).to_string()).collect();
    format!("{at}\n{model:?}\n{}", digests.join("\n"))
}

/// What is asked for by name is not skipped without a word.
fn refuse_skipped(definition: &Definition, only: &[CheckId]) -> Result<(), DefinitionError> {
    let skipped = definition.stress.skip.iter().enumerate().find(|(_, check)| only.contains(check));
    let Some((at, check)) = skipped else { return Ok(()) };
    let message = format!("`{}` is asked for, and skipped here", check.name());
    let help = "remove it from `skip`, or do not ask for it".to_owned();
    Err(DefinitionError::at_key(format!("stress.skip.{at}"), message).with_help(Some(help)))
}

/// The checks that hold answers to changed rows against those to the rows as they are.
const INPUTS: [CheckId; 5] =
    [CheckId::Parity, CheckId::Missing, CheckId::Faults, CheckId::Detection, CheckId::Manipulation];

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
    let seed = digested(&format!("{}\nserver", scope.window));
    if is_loaded {
        let loaded = load::Loaded { scope, folder, inputs, rows, seed, stop: &stop };
        findings.push(load::finding(&loaded, progress)?);
    }
    if is_broken {
        findings.push(endpoint::finding(scope, rows, (seed, &stop), progress)?);
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
