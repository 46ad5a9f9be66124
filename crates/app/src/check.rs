//! One check, from the definition to evidence: the walk that every entry point takes.

use std::path::PathBuf;

use engine::{Engine, EngineError, EngineOptions, TimeRange};
use jiff::{Span, Timestamp, ToSpan};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use store::Chain;
use types::definition::{Definition, DefinitionError};
use types::evidence::{DatasetVersion, Evidence, NewFinding};
use types::log_state::LogState;
use types::question::Measured;
use types::report::{self, CheckReport};
use types::{Answers, Digest, Finding, Question, Window};

use crate::PROGRAM;
use crate::opened::Opened;
use crate::state::{State, StateError};
use crate::watch::Watch;
use crate::window::{self, EmptyWindow, WindowChoiceError};

/// The name of a definition in a folder.
pub const DEFINITION_FILE: &str = "forewarn.toml";

/// What to check.
#[derive(Clone, Debug)]
pub struct CheckRequest {
    /// A folder with a definition, or the definition itself.
    pub path: PathBuf,
    pub practices: Practices,
    /// By default the last whole week of the log.
    pub window: Option<Window>,
    /// Outcomes that became known later are not used; by default now.
    pub as_of: Option<Timestamp>,
}

/// Which practices' checks to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Practices {
    All,
    Monitor,
    Evaluate,
}

impl Practices {
    fn monitor(self) -> bool {
        self != Self::Evaluate
    }

    fn evaluate(self) -> bool {
        self != Self::Monitor
    }

    /// Monitoring finds out that nothing was logged; how good a model is, is asked of rows.
    fn empty_window(self) -> EmptyWindow {
        if self == Self::Monitor { EmptyWindow::Found } else { EmptyWindow::Refused }
    }
}

/// What a check is busy with, for a progress line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    Opening,
    Digesting {
        files: usize,
    },
    Measuring {
        questions: usize,
        window: Window,
    },
    /// Profiling the files that were not profiled before.
    Profiling {
        columns: usize,
    },
    Judging {
        window: Window,
    },
    Recording {
        findings: usize,
    },
    /// Asking the model about rows with a fault.
    Asking {
        done: usize,
        of: usize,
    },
    /// Putting load on the server of the model.
    Loading {
        step: usize,
        of: usize,
    },
    /// Asking the model about changes that may flip a decision.
    Searching {
        asked: u64,
        at_most: u64,
    },
}

/// What a check came to.
#[derive(Clone, Debug)]
pub struct CheckOutcome {
    pub report: CheckReport,
    /// Where its evidence is kept.
    pub evidence: String,
}

/// Why a check could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error("`{path}` has no {DEFINITION_FILE}; `forewarn init LOG` writes a first one")]
    NoDefinition { path: PathBuf },
    #[error("failed to read `{path}`: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    /// A mistake that can be pointed at in the definition.
    #[error("{error}")]
    Definition { path: PathBuf, text: String, error: DefinitionError },
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Window(#[from] WindowChoiceError),
    #[error("window {window} has no rows in the log")]
    NoRows { window: Window },
    #[error("the model cannot be asked: {0}")]
    Model(String),
    #[error(transparent)]
    Evidence(#[from] StateError),
}

/// Makes the check and records its evidence.
pub fn run(
    request: &CheckRequest,
    state: &State,
    now: Timestamp,
    progress: &mut dyn FnMut(Stage),
) -> Result<CheckOutcome, CheckError> {
    progress(Stage::Opening);
    let engine = Engine::new(EngineOptions::default())?;
    let opened = Opened::at(&engine, &request.path)?;
    let (definition, log) = (&opened.definition, &opened.log);
    let as_of = request.as_of.unwrap_or(now);
    let reference = definition.reference.window;
    let empty = request.practices.empty_window();
    let (window, range) = chosen_window(&opened, (request.window, empty), request.as_of, now)?;
    progress(Stage::Digesting { files: log.file_count() });
    let datasets = log.dataset_versions()?;
    let mut chain = state.chain(&definition.system.id)?;
    let watch = Watch::of(&opened, window, as_of);
    let evaluated = evaluate::Scope { definition, schema: &opened.schema, window, reference };
    let mut questions = Vec::new();
    if request.practices.monitor() {
        questions.extend(watch.questions());
    }
    if request.practices.evaluate() {
        questions.extend(evaluate::plan(evaluated));
    }
    progress(Stage::Measuring { questions: questions.len(), window });
    let answers = log.answer(&questions, as_of).map_err(|error| opened.explain(error))?;
    let needed = if empty == EmptyWindow::Found { vec![reference] } else { vec![window, reference] };
    refuse_empty_windows(definition, &answers, &needed)?;
    let log_is = log_state(&opened, range, (as_of, now))?;

    progress(Stage::Judging { window });
    let mut findings = Vec::new();
    if request.practices.evaluate() {
        let mut rng = seeded(window);
        findings.extend(evaluate::judge(evaluated, &answers, &mut rng));
    }
    if request.practices.monitor() {
        findings.extend(watch.findings(answers, &log_is, &opened.ours(&chain.records))?);
    }

    let made = Made { findings, datasets, window, asked_window: request.window, as_of };
    conclude(&opened, state, &mut chain, made, now, progress)
}

/// The window that is asked for, or the last whole week of the log; and the times of the log.
pub(crate) fn chosen_window(
    opened: &Opened<'_>,
    (asked, empty): (Option<Window>, EmptyWindow),
    as_of: Option<Timestamp>,
    now: Timestamp,
) -> Result<(Window, TimeRange), CheckError> {
    if let (Some(window), Some(as_of)) = (asked, as_of)
        && window.to() > as_of
    {
        return Err(WindowChoiceError::EndsAfter { window, as_of }.into());
    }
    let range = opened.log.time_range().map_err(|error| opened.explain(error))?;
    let reference = opened.definition.reference.window;
    let window = window::choose(asked, reference, (range.first, range.last), as_of.unwrap_or(now), empty);
    let window = window.map_err(|error| match error {
        WindowChoiceError::ReferenceOutsideLog { .. } => {
            opened.located.mistake(DefinitionError::at_key("reference.window", error.to_string()))
        }
        error => CheckError::Window(error),
    })?;
    Ok((window, range))
}

/// What a check found, before it is recorded.
pub(crate) struct Made {
    pub(crate) findings: Vec<Finding>,
    pub(crate) datasets: Vec<DatasetVersion>,
    pub(crate) window: Window,
    /// The window, where somebody asked for it.
    pub(crate) asked_window: Option<Window>,
    pub(crate) as_of: Timestamp,
}

/// Gives findings their owners, records them, and says what the gates come to.
pub(crate) fn conclude(
    opened: &Opened<'_>,
    state: &State,
    chain: &mut Chain,
    made: Made,
    now: Timestamp,
    progress: &mut dyn FnMut(Stage),
) -> Result<CheckOutcome, CheckError> {
    let definition = &opened.definition;
    let Made { mut findings, datasets, window, asked_window, as_of } = made;
    for finding in &mut findings {
        finding.owner = definition.owner(finding.check).map(str::to_owned);
    }
    progress(Stage::Recording { findings: findings.len() });
    let evidence = Evidence {
        at: now,
        system: definition.system.id.clone(),
        model: definition.model.version.clone(),
        definition: opened.hash(),
        program: PROGRAM.into(),
        datasets: datasets.clone(),
        findings: findings
            .iter()
            .map(|finding| new_finding(definition, finding.clone(), now, None))
            .collect(),
    };
    state.append(chain, evidence)?;
    opened.log.remember_files()?;
    let gates = govern::gate::decide(definition, opened.hash(), &chain.records, now, asked_window);
    let report = CheckReport {
        format: report::FORMAT,
        program: PROGRAM.into(),
        at: now,
        as_of,
        system: definition.system.clone(),
        model: definition.model.version.clone(),
        task: definition.model.task,
        window,
        reference: definition.reference.window,
        definition: opened.hash(),
        datasets,
        gates,
        findings,
        checkpoint: chain.end.to_string(),
    };
    Ok(CheckOutcome { report, evidence: state.shown() })
}

/// What is known of the log as a whole, as the newest window tells it; its files must have been profiled.
pub(crate) fn log_state(
    opened: &Opened<'_>,
    range: TimeRange,
    (as_of, now): (Timestamp, Timestamp),
) -> Result<LogState, CheckError> {
    Ok(LogState {
        undated_rows: range.undated_rows,
        rows_of_no_instant: range.rows_of_no_instant,
        changes: opened.log.file_changes()?.clone(),
        days: opened.log.days(),
        columns: opened.log.uneven_columns()?,
        files: opened.log.log_file_count(),
        empty_files: opened.log.empty_files()?,
        as_of,
        now,
        newest: true,
    })
}

/// A window that lies within the log's time but holds no row cannot be checked.
fn refuse_empty_windows(
    definition: &Definition,
    answers: &Answers,
    windows: &[Window],
) -> Result<(), CheckError> {
    let score = definition.log.score_columns().first().copied().unwrap_or_default();
    for &window in windows {
        let of = Measured::Column { name: score.to_owned() };
        let score = Question::Profile { of, kind: types::ColumnKind::Numeric, window };
        let profiled = answers.profile(&score).map(stats::sketch::Profile::rows);
        let covered = answers
            .coverage(&Question::Coverage { orphans: true, window })
            .map(|coverage| coverage.predictions);
        if profiled.or(covered) == Some(0) {
            return Err(CheckError::NoRows { window });
        }
    }
    Ok(())
}

/// The same window draws the same random numbers, whatever is written in the definition: no verdict may hang on a
/// comment.
pub(crate) fn seeded(window: Window) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(Digest::of(window.to_string().as_bytes()).bytes())
}

/// A finding with the instant at which it goes stale, and with who answers for it.
///
/// Evidence stays fresh for its cadence and half as long again, so that a run that is a little late
/// does not shut a gate.
pub(crate) fn new_finding(
    definition: &Definition,
    finding: Finding,
    at: Timestamp,
    inputs: Option<Digest>,
) -> NewFinding {
    let fresh_for: Span = (definition.cadence(finding.check).hours() * 3 / 2).hours();
    NewFinding {
        finding: Finding {
            owner: definition.owner(finding.check).map(str::to_owned),
            ..finding.for_evidence()
        },
        fresh_until: at.checked_add(fresh_for).unwrap_or(Timestamp::MAX),
        inputs,
    }
}
