//! One check, from the definition to evidence: the walk that every entry point takes.

use std::path::{Path, PathBuf};

use engine::{Engine, EngineError, EngineOptions, Log};
use jiff::{Span, Timestamp, ToSpan};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use types::definition::{self, Definition, DefinitionError};
use types::evidence::Evidence;
use types::finding::CheckId;
use types::question::Measured;
use types::report::{self, CheckReport};
use types::{Answers, Digest, Finding, Question, Window};

use crate::PROGRAM;
use crate::evidence_log::{self, EvidenceLogError};
use crate::window::{self, WindowChoiceError};

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
}

/// What a check is busy with, for a progress line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    Opening,
    Digesting { files: usize },
    Measuring { questions: usize, window: Window },
    Judging,
    Recording { findings: usize },
}

/// What a check came to.
#[derive(Clone, Debug)]
pub struct CheckOutcome {
    pub report: CheckReport,
    pub evidence: PathBuf,
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
    #[error(transparent)]
    Evidence(#[from] EvidenceLogError),
}

/// Makes the check and records its evidence.
pub fn run(
    request: &CheckRequest,
    now: Timestamp,
    progress: &mut dyn FnMut(Stage),
) -> Result<CheckOutcome, CheckError> {
    progress(Stage::Opening);
    let located = locate(&request.path)?;
    let definition = definition::parse(&located.text).map_err(|error| located.mistake(error))?;
    let engine = Engine::new(EngineOptions::default())?;
    let log =
        engine.open(&definition, &located.folder).map_err(|error| located.explain(&definition, error))?;
    let schema = log.schema();
    definition::check_against(&definition, &schema, log.outcome_schema().as_ref())
        .map_err(|error| located.mistake(error))?;

    let as_of = request.as_of.unwrap_or(now);
    if let (Some(window), Some(as_of)) = (request.window, request.as_of)
        && window.to() > as_of
    {
        return Err(WindowChoiceError::EndsAfter { window, as_of }.into());
    }
    let range = log.time_range().map_err(|error| located.explain(&definition, error))?;
    let reference = definition.reference.window;
    let window =
        window::choose(request.window, reference, (range.first, range.last), as_of).map_err(|error| {
            match error {
                WindowChoiceError::ReferenceOutsideLog { .. } => {
                    located.mistake(DefinitionError::at_key("reference.window", error.to_string()))
                }
                error => CheckError::Window(error),
            }
        })?;
    progress(Stage::Digesting { files: log.file_count() });
    let datasets = log.dataset_versions()?;

    let monitored = monitor::Scope {
        definition: &definition,
        schema: &schema,
        window,
        reference,
        undated_rows: range.undated_rows,
    };
    let evaluated = evaluate::Scope { definition: &definition, window, reference };
    let mut questions = Vec::new();
    if request.practices.monitor() {
        questions.extend(monitor::plan(monitored));
    }
    if request.practices.evaluate() {
        questions.extend(evaluate::plan(evaluated));
    }
    progress(Stage::Measuring { questions: questions.len(), window });
    let answers = answer(&log, &questions, as_of, &definition, &located)?;
    refuse_empty_windows(&answers, &[window, reference])?;

    progress(Stage::Judging);
    let mut findings = Vec::new();
    if request.practices.evaluate() {
        let mut rng = seeded(&located.text, window);
        findings.extend(evaluate::judge(evaluated, &answers, &mut rng));
    }
    if request.practices.monitor() {
        findings.extend(monitor::judge(monitored, &answers));
    }

    progress(Stage::Recording { findings: findings.len() });
    let evidence = Evidence {
        at: now,
        system: definition.system.id.clone(),
        model: definition.model.version.clone(),
        definition: Digest::of(located.text.as_bytes()),
        program: PROGRAM.into(),
        datasets: datasets.clone(),
        findings: findings
            .iter()
            .map(|finding| (finding.clone(), fresh_until(&definition, finding, now)))
            .collect(),
    };
    let definition_hash = evidence.definition;
    let chain = evidence_log::append(&located.folder, evidence)?;
    let gates = govern::gate::decide(&definition, definition_hash, &chain.records, now);
    let report = CheckReport {
        format: report::FORMAT,
        program: PROGRAM.into(),
        at: now,
        as_of,
        system: definition.system,
        model: definition.model.version,
        task: definition.model.task,
        window,
        reference,
        definition: definition_hash,
        datasets,
        gates,
        findings,
        checkpoint: chain.end.to_string(),
    };
    Ok(CheckOutcome { report, evidence: chain.path })
}

/// The folder that holds the definition given as itself or by its folder.
pub fn definition_folder(path: &Path) -> PathBuf {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
    if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() }
}

/// A definition's file, folder and text.
struct Located {
    file: PathBuf,
    folder: PathBuf,
    text: String,
}

fn locate(path: &Path) -> Result<Located, CheckError> {
    let file = if path.is_dir() { path.join(DEFINITION_FILE) } else { path.to_owned() };
    match std::fs::read_to_string(&file) {
        Ok(text) => Ok(Located { folder: definition_folder(path), file, text }),
        Err(source) if source.kind() == std::io::ErrorKind::NotFound && path.extension().is_none() => {
            Err(CheckError::NoDefinition { path: path.to_owned() })
        }
        Err(source) => Err(CheckError::Unreadable { path: file, source }),
    }
}

impl Located {
    fn mistake(&self, error: DefinitionError) -> CheckError {
        CheckError::Definition { path: self.file.clone(), text: self.text.clone(), error }
    }

    /// Points at the key that an engine's error comes from, where there is one.
    fn explain(&self, definition: &Definition, error: EngineError) -> CheckError {
        let key = match &error {
            EngineError::NotFound { .. } | EngineError::NoFiles { .. } | EngineError::BadGlob { .. } => {
                let log_is_missing = error.to_string().contains(&definition.log.path);
                Some(if log_is_missing { "log.path".to_owned() } else { "log.outcome.path".to_owned() })
            }
            EngineError::UnreadableTime { .. } | EngineError::NoTimes { .. } => Some("log.time".to_owned()),
            EngineError::BadSegment { segment, .. } => {
                let at = definition.log.segments.iter().position(|declared| declared.name == *segment);
                at.map(|at| format!("log.segments.{at}"))
            }
            _ => None,
        };
        match key {
            Some(key) => self.mistake(DefinitionError::at_key(key, error.to_string())),
            None => CheckError::Engine(error),
        }
    }
}

fn answer(
    log: &Log<'_>,
    questions: &[Question],
    as_of: Timestamp,
    definition: &Definition,
    located: &Located,
) -> Result<Answers, CheckError> {
    log.answer(questions, as_of).map_err(|error| located.explain(definition, error))
}

/// A window that lies within the log's time but holds no row cannot be checked.
fn refuse_empty_windows(answers: &Answers, windows: &[Window]) -> Result<(), CheckError> {
    for &window in windows {
        let class =
            Question::Profile { of: Measured::PredictedClass, kind: types::ColumnKind::Categorical, window };
        let profiled = answers.profile(&class).map(stats::sketch::Profile::rows);
        let covered = answers.coverage(&Question::Coverage { window }).map(|coverage| coverage.predictions);
        if profiled.or(covered) == Some(0) {
            return Err(CheckError::NoRows { window });
        }
    }
    Ok(())
}

/// The same definition and window draw the same random numbers.
fn seeded(definition: &str, window: Window) -> ChaCha8Rng {
    let digest = Digest::of(format!("{window}\n{definition}").as_bytes());
    ChaCha8Rng::from_seed(digest.bytes())
}

/// Evidence stays fresh for its cadence and half as long again, so that a run that is a little
/// late does not shut a gate.
fn fresh_until(definition: &Definition, finding: &Finding, at: Timestamp) -> Timestamp {
    let every = match finding.check {
        CheckId::Drift | CheckId::Quality => definition.monitor.drift.every,
        CheckId::Outcomes | CheckId::Performance | CheckId::WorstSegment | CheckId::Calibration => {
            definition.evaluate.every
        }
    };
    let fresh_for: Span = (every.hours() * 3 / 2).hours();
    at.checked_add(fresh_for).unwrap_or(Timestamp::MAX)
}
