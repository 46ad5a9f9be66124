//! Data quality: is the log what it should be?
//!
//! One finding for each thing that is wrong, and one for each `[[expect]]` table, kept or broken; where nothing
//! else is wrong, one finding says what was looked at. `columns` has columns that died or froze and values
//! that cannot be, `ids` ids that repeat, `files` files and their columns, `rows` how many rows
//! there are and `clocks` when, `declared` what the definition expects, and `inferred` what
//! the reference lets expect where nothing is declared. [`mod@proposed`] writes expectations for a new log.

mod clocks;
mod columns;
mod declared;
mod files;
mod ids;
mod inferred;
pub mod proposed;
mod rows;

use types::finding::{Threshold, Unmeasured};
use types::log_state::LogState;
use types::{
    Answers, CheckId, Definition, Finding, Measure, Question, Record, Schema, Subject, Verdict, Window,
    format,
};

use crate::{Scope, Watched, scores, watched};

pub(crate) use columns::bad_score;
pub(crate) use files::CHANGED_FILES;
pub use files::are_empty_files_told;

/// From this share of rows on, a repeated id or a value that cannot be is a failure.
const SHARE_FAIL: f64 = 0.01;

/// What it takes to tell whether a window's ids repeat and its columns are as expected; what is asked of watched
/// columns anyway is left out.
pub(crate) fn plan(definition: &Definition, schema: &Schema, window: Window) -> Vec<Question> {
    let id = definition.log.id.iter();
    let mut questions: Vec<Question> =
        id.map(|id| Question::Identity { column: id.clone(), window }).collect();
    for expected in &definition.expect {
        for question in declared::questions(expected, schema, window) {
            if !questions.contains(&question) {
                questions.push(question);
            }
        }
    }
    questions
}

/// Whether the records say of the newest window what there is to say now of how fresh the log is: nothing where
/// nothing is expected, else the same verdict.
///
/// `records` are those of this definition, oldest first.
pub fn is_freshness_told(
    definition: &Definition,
    log: &LogState,
    newest: Window,
    records: &[&Record],
) -> bool {
    let Some(verdict) = clocks::fresh_verdict(definition, log) else { return true };
    let told = records.iter().rev().find_map(|record| {
        let finding = &record.finding;
        let is_told = finding.check == CheckId::Quality
            && finding.window == newest
            && finding.thresholds.iter().any(|threshold| threshold.from == clocks::FRESH_WITHIN);
        is_told.then_some(finding.verdict)
    });
    told == Some(verdict)
}

/// Findings about the log, its columns and its rows, worst first.
pub fn judge(scope: Scope<'_>, answers: &Answers) -> Vec<Finding> {
    let columns = watched(scope.definition, scope.schema);
    let files = files::of(scope);
    let mut findings = columns::findings(scope, &columns, answers);
    findings.extend(scores::judge(scope, answers));
    // A column that the files do not have is told as that, not as one without values.
    findings.retain(|finding| !files.gone.contains(&finding.subject));
    findings.extend(files.findings);
    findings.extend(ids::repeated_ids(scope, answers));
    findings.extend(inferred::findings(scope, &columns, answers));
    let clocks = clocks::of(scope);
    let rows = rows::of(scope);
    findings.extend(clocks.findings);
    findings.extend(rows.findings);
    if findings.is_empty() {
        let looked_at = columns.iter().filter(|watched| watched.subject != Subject::PredictedClass).count();
        let mut finding = all_well(scope, looked_at, answers, rows.said.as_deref());
        finding.measures.extend(rows.measures);
        finding.unmeasured = rows.unmeasured.into_iter().chain(clocks.unmeasured).collect();
        findings.push(finding);
    }
    findings.extend(clocks.kept.into_iter().chain(rows.kept));
    findings.extend(declared::findings(scope, answers));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
    findings
}

/// What a look at one side of the log came to.
#[derive(Debug, Default)]
struct Looked {
    /// What is wrong.
    findings: Vec<Finding>,
    /// Expectations that the definition declares and the log keeps.
    kept: Vec<Finding>,
    /// What is well, as a part of a sentence.
    said: Option<String>,
    measures: Vec<Measure>,
    unmeasured: Vec<Unmeasured>,
}

fn all_well(scope: Scope<'_>, columns: usize, answers: &Answers, rows_said: Option<&str>) -> Finding {
    let identity = ids::question(scope).and_then(|question| answers.identity(&question).copied());
    let rows = identity.map(|identity| identity.rows).or_else(|| {
        let is_score = |watched: &Watched| matches!(watched.subject, Subject::Score { .. });
        let score = watched(scope.definition, scope.schema).into_iter().find(is_score)?;
        Some(answers.profile(&score.question(scope.window))?.rows())
    });
    let rows = rows.unwrap_or(0);
    let ids = if identity.is_some() { ", every id stands on one row" } else { "" };
    let range = if scope.definition.monitor.quality.inferred {
        ", none lies far outside of the reference's range"
    } else {
        ""
    };
    let summary = format!(
        "{} looked at: none is empty or frozen, no value is infinite{range}, {}{ids} ({}{}).",
        format::counted(columns as u64, "column", "columns"),
        scores::all_well(scope.definition),
        format::counted(rows, "row", "rows"),
        rows_said.map(|said| format!(", {said}")).unwrap_or_default(),
    );
    let measure = Measure::new("rows", rows as f64, rows, "count");
    finding(scope, Subject::Log, Verdict::Pass, summary, vec![measure])
}

fn finding(
    scope: Scope<'_>,
    subject: Subject,
    verdict: Verdict,
    summary: String,
    measures: Vec<Measure>,
) -> Finding {
    Finding { summary, measures, ..Finding::blank(CheckId::Quality, subject, verdict, scope.window) }
}

/// What a finding about a column of the log is about: a feature or the score, else the column.
fn column_subject(scope: Scope<'_>, column: &str) -> Subject {
    let named = |watched: &Watched| match &watched.subject {
        Subject::Feature { name, .. } | Subject::Score { name } => name == column,
        _ => false,
    };
    let known = watched(scope.definition, scope.schema).into_iter().find(named);
    known.map_or_else(|| Subject::Column { name: column.to_owned() }, |watched| watched.subject)
}

fn share_measure(name: &str, count: u64, rows: u64) -> Measure {
    Measure::new(
        name,
        if rows == 0 { 0.0 } else { count as f64 / rows as f64 },
        rows,
        "share of rows, all counted",
    )
}

fn share_threshold(measure: &str) -> Threshold {
    Threshold { measure: measure.into(), at_least: None, at_most: Some(SHARE_FAIL), from: "default".into() }
}

#[cfg(test)]
mod tests;
