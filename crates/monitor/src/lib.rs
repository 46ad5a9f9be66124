//! Monitor: has the world moved since the reference, and is the log still sound?
//!
//! [`plan`] asks for the profile of every feature, of the score and of the predicted class, in the
//! reference and in the current window; [`judge`] compares them. [`mod@drift`] decides whether a
//! distribution changed materially *and* significantly, [`mod@quality`] whether columns died, froze
//! or hold values that cannot be. What earlier windows showed comes in as [`History`]. Nothing here
//! reads data or a clock.

pub mod alert;
pub mod changes;
mod column_files;
pub mod drift;
#[cfg(test)]
mod generated;
mod history;
pub mod multivariate;
mod parallel;
pub mod performance;
pub mod quality;
pub mod reference;
mod scores;
pub mod usual;

pub use history::History;
pub use usual::{StoredUsual, Usual, UsualBuilder, chunk_windows, usual_windows};

use std::borrow::Cow;

use rand_core::{RngCore, SeedableRng};
use stats::ecdf::Ecdf;
use stats::sketch::Profile;
use types::column::ColumnKind;
use types::definition::{Against, Cadence, Output, features};
use types::log_state::LogState;
use types::question::Measured;
use types::{Answers, Definition, Finding, Question, Schema, Subject, Window};

/// What a check is about: the definition, the log's columns and the window.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    pub definition: &'a Definition,
    pub schema: &'a Schema,
    pub window: Window,
    /// The cadence that the window belongs to.
    pub every: Cadence,
    /// The windows that it is compared against, as [`against`] says.
    pub against: &'a [Window],
    pub log: &'a LogState,
    /// What the windows before it showed.
    pub history: &'a History,
    /// How much windows differ where nothing has changed.
    pub usual: &'a Usual,
}

/// What a window of a cadence is compared against under a definition.
pub fn against(definition: &Definition, every: Cadence, window: Window) -> Vec<Window> {
    let drift = &definition.monitor.drift;
    match drift.against {
        Against::Reference => vec![definition.reference.window],
        Against::Trailing => window.before(every, drift.windows).into_iter().collect(),
        Against::SameHours => {
            let length = window.to() - window.from();
            let weeks = (length.as_hours() + WEEK_HOURS - 1) / WEEK_HOURS;
            (1..=i64::from(drift.windows))
                .filter_map(|week| window.days_earlier(7 * week * weeks.max(1), 0))
                .collect()
        }
        Against::LastYear => window.days_earlier(DAYS_OF_52_WEEKS, 7).into_iter().collect(),
    }
}

const WEEK_HOURS: i64 = 7 * 24;
/// The same weekdays a year ago.
const DAYS_OF_52_WEEKS: i64 = 364;

/// What [`against`] is, in words that fit after "compared against".
pub fn against_in_words(definition: &Definition) -> String {
    let drift = &definition.monitor.drift;
    let count = drift.windows;
    match drift.against {
        Against::Reference => match &definition.reference.path {
            Some(path) => format!("the reference {} of {path}", definition.reference.window),
            None => format!("the reference {}", definition.reference.window),
        },
        Against::Trailing => format!("the {count} windows before each"),
        Against::SameHours => format!("the same hours of the {count} weeks before each"),
        Against::LastYear => "the same weeks of last year".into(),
    }
}

/// A column that is watched, and the role that it plays.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    pub(crate) subject: Subject,
    pub(crate) of: Measured,
    pub(crate) kind: ColumnKind,
    /// The type as the file declares it.
    pub(crate) type_name: String,
}

impl Watched {
    pub(crate) fn question(&self, window: Window) -> Question {
        Question::Profile { of: self.of.clone(), kind: self.kind, window }
    }

    /// The profile of a column over some windows together, with its distribution where it is numeric.
    pub(crate) fn profile<'a>(&self, answers: &'a Answers, windows: &[Window]) -> Option<Summarised<'a>> {
        if let [only] = windows {
            let question = self.question(*only);
            let profile = Cow::Borrowed(answers.profile(&question)?);
            return Some(Summarised { profile, ecdfs: Cow::Borrowed(answers.ecdfs(&question)?) });
        }
        let mut parts = windows.iter().filter_map(|window| answers.profile(&self.question(*window)));
        let mut whole = parts.next()?.clone();
        for part in parts {
            whole.merge(part)?;
        }
        Some(Summarised::of(whole))
    }
}

/// A column's profile, and the distributions of its numbers.
#[derive(Clone, Debug)]
pub(crate) struct Summarised<'a> {
    pub(crate) profile: Cow<'a, Profile>,
    pub(crate) ecdfs: Cow<'a, [Ecdf]>,
}

impl Summarised<'_> {
    pub(crate) fn of(profile: Profile) -> Self {
        let ecdfs = Cow::Owned(profile.ecdfs());
        Self { profile: Cow::Owned(profile), ecdfs }
    }

    /// The same rows, as they are to be compared with those of `reference`: vectors of the length that it has.
    pub(crate) fn alike(self, reference: &Summarised<'_>) -> Self {
        let (Profile::Embedding(before), Profile::Embedding(now)) = (&*reference.profile, &*self.profile)
        else {
            return self;
        };
        match before.dimensions() {
            Some(dimensions) if now.dimensions() != Some(dimensions) => {
                Self::of(Profile::Embedding(now.of_dimensions(dimensions)))
            }
            _ => self,
        }
    }
}

/// What to measure.
pub fn plan(scope: Scope<'_>) -> Vec<Question> {
    let (definition, schema) = (scope.definition, scope.schema);
    let mut questions: Vec<Question> =
        scope.against.iter().flat_map(|&window| profile_questions(definition, schema, window)).collect();
    questions.extend(column_questions(definition, schema, scope.window));
    questions.extend(vector_questions(definition, schema, scope.against.iter().chain([&scope.window])));
    questions
}

/// The vectors of some rows of each window, where a feature is an embedding.
pub fn vector_questions<'a>(
    definition: &Definition,
    schema: &Schema,
    windows: impl IntoIterator<Item = &'a Window>,
) -> Vec<Question> {
    let of = |window: &Window| drift::embedding::sample_question(definition, schema, *window);
    windows.into_iter().filter_map(of).collect()
}

/// The profile of every column that is watched, in a window.
pub fn profile_questions(definition: &Definition, schema: &Schema, window: Window) -> Vec<Question> {
    let watched = watched(definition, schema);
    let measured = watched.iter().filter(|watched| is_measured(watched.kind));
    measured.map(|watched| watched.question(window)).collect()
}

/// All that is asked of the columns of a window: their profiles, whether ids repeat, and what is expected.
pub fn column_questions(definition: &Definition, schema: &Schema, window: Window) -> Vec<Question> {
    let mut questions = profile_questions(definition, schema, window);
    for question in quality::plan(definition, schema, window) {
        if !questions.contains(&question) {
            questions.push(question);
        }
    }
    questions.extend(scores::plan(definition, window));
    questions
}

/// What it takes to tell whether the outcome itself drifted.
pub fn outcome_questions(definition: &Definition, every: Cadence, window: Window) -> Vec<Question> {
    let mut windows = against(definition, every, window);
    let parts = [usual_windows(definition, every, &windows), chunk_windows(definition, every, &windows)];
    windows.extend(parts.concat());
    windows.push(window);
    drift::outcome::plan(definition, &windows)
}

/// Whether the outcome itself drifted; `None` where the definition names none.
pub fn judge_outcome(scope: Scope<'_>, answers: &Answers) -> Option<Finding> {
    drift::judge_outcome(scope, answers)
}

/// What the answers mean. `rng` serves embeddings alone.
pub fn judge<R: RngCore + SeedableRng>(scope: Scope<'_>, answers: &Answers, rng: &mut R) -> Vec<Finding> {
    let mut findings = quality::judge(scope, answers);
    findings.extend(drift::judge(scope, answers, rng));
    findings
}

pub(crate) fn is_measured(kind: ColumnKind) -> bool {
    !matches!(kind, ColumnKind::Time | ColumnKind::Other)
}

/// The features in the order of the log, then the score (one for each class; the predicted number) and the
/// predicted class.
pub(crate) fn watched(definition: &Definition, schema: &Schema) -> Vec<Watched> {
    let source_of = |feature: &str| {
        let source =
            definition.source.iter().find(|source| source.features.iter().any(|name| name == feature));
        source.map(|source| source.name.clone())
    };
    let mut watched: Vec<Watched> = features(definition, schema)
        .into_iter()
        .filter_map(|name| schema.column(name))
        .map(|column| Watched {
            subject: Subject::Feature { name: column.name.clone(), source: source_of(&column.name) },
            of: Measured::Column { name: column.name.clone() },
            kind: column.kind,
            type_name: column.type_name.clone(),
        })
        .collect();
    let type_of = |name: &str| schema.column(name).map(|column| column.type_name.clone()).unwrap_or_default();
    let scores = definition.log.score_columns();
    watched.extend(scores.iter().map(|&score| Watched {
        subject: Subject::Score { name: score.to_owned() },
        of: Measured::Column { name: score.to_owned() },
        kind: ColumnKind::Numeric,
        type_name: type_of(score),
    }));
    // A predicted number has no class.
    if !matches!(definition.log.output(), Output::Number(_)) {
        watched.push(Watched {
            subject: Subject::PredictedClass,
            of: Measured::PredictedClass,
            kind: ColumnKind::Categorical,
            type_name: scores.first().map_or_else(String::new, |score| type_of(score)),
        });
    }
    watched
}
