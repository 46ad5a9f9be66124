//! Monitor: has the world moved since the reference, and is the log still sound?
//!
//! [`plan`] asks for the profile of every feature, of the score and of the predicted class, in the
//! reference and in the current window; [`judge`] compares them. [`mod@drift`] decides whether a
//! distribution changed materially *and* significantly, [`mod@quality`] whether columns died, froze
//! or hold values that cannot be. Nothing here reads data or a clock.

pub mod drift;
pub mod quality;

use types::column::ColumnKind;
use types::definition::features;
use types::question::Measured;
use types::{Answers, Definition, Finding, Question, Schema, Subject, Window};

/// What a check is about: the definition, the log's columns and the two windows.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    pub definition: &'a Definition,
    pub schema: &'a Schema,
    pub window: Window,
    pub reference: Window,
    /// Rows of the whole log that have no time and so lie in no window.
    pub undated_rows: u64,
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
}

/// What to measure.
pub fn plan(scope: Scope<'_>) -> Vec<Question> {
    let mut questions: Vec<Question> = watched(scope)
        .iter()
        .filter(|watched| is_measured(watched.kind))
        .flat_map(|watched| [watched.question(scope.window), watched.question(scope.reference)])
        .collect();
    if scope.definition.log.id.is_some() {
        questions.push(Question::Identity { window: scope.window });
    }
    questions
}

/// What the answers mean.
pub fn judge(scope: Scope<'_>, answers: &Answers) -> Vec<Finding> {
    let mut findings = quality::judge(scope, answers);
    findings.extend(drift::judge(scope, answers));
    findings
}

pub(crate) fn is_measured(kind: ColumnKind) -> bool {
    matches!(kind, ColumnKind::Numeric | ColumnKind::Categorical)
}

/// The features in the order of the log, then the score and the predicted class.
pub(crate) fn watched(scope: Scope<'_>) -> Vec<Watched> {
    let definition = scope.definition;
    let source_of = |feature: &str| {
        let source =
            definition.source.iter().find(|source| source.features.iter().any(|name| name == feature));
        source.map(|source| source.name.clone())
    };
    let mut watched: Vec<Watched> = features(definition, scope.schema)
        .into_iter()
        .filter_map(|name| scope.schema.column(name))
        .map(|column| Watched {
            subject: Subject::Feature { name: column.name.clone(), source: source_of(&column.name) },
            of: Measured::Column { name: column.name.clone() },
            kind: column.kind,
            type_name: column.type_name.clone(),
        })
        .collect();
    let score = &definition.log.score;
    let score_type = scope.schema.column(score).map(|column| column.type_name.clone()).unwrap_or_default();
    watched.push(Watched {
        subject: Subject::Score { name: score.clone() },
        of: Measured::Column { name: score.clone() },
        kind: ColumnKind::Numeric,
        type_name: score_type.clone(),
    });
    watched.push(Watched {
        subject: Subject::PredictedClass,
        of: Measured::PredictedClass,
        kind: ColumnKind::Categorical,
        type_name: score_type,
    });
    watched
}
