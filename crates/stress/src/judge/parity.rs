//! Whether the model that can be asked is the one of the log, and answers as the one that it was made of.

use stats::interval::Level;
use stats::proportion::Proportion;
use types::finding::Threshold;
use types::format::{counted, number};
use types::nearest::listed;
use types::{CheckId, Finding, Measure, Verdict};

use super::row::{subject, title};
use super::{Asked, NAMED, Scope, Tried, blank};

/// How a model answers under a fault beside the one that it was made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Rows that both were asked about.
    pub rows: u64,
    /// Rows in which one answers and the other does not, or their answers differ by more than is tolerated.
    pub differing: u64,
    /// The largest difference of two answers.
    pub largest: f64,
}

/// How far the answers for unchanged rows are from what the log has; `None` where there is no answer.
pub fn parity(
    scope: Scope<'_>,
    asked: Asked<'_>,
    differences: &[Option<f64>],
    error: Option<&str>,
) -> Finding {
    let tolerance = scope.definition.stress.parity.tolerance;
    let n = differences.len() as u64;
    let equal = differences.iter().flatten().filter(|difference| **difference <= tolerance).count() as u64;
    let answered = differences.iter().flatten().count() as u64;
    let largest = differences.iter().flatten().copied().fold(0.0, f64::max);
    let said = error.map(|error| format!(" It says: {error}.")).unwrap_or_default();
    let rows = counted(n, "row", "rows");
    let (verdict, summary) = match (n, answered) {
        (0, _) => {
            (Verdict::Unknown, "No row of the window has an outcome, so the model was not asked.".to_owned())
        }
        (_, 0) => (
            Verdict::Fail,
            format!(
                "{} answers none of {rows} of the log as they are.{said} Nothing can be said of faults.",
                asked.model
            ),
        ),
        _ if equal == n => (
            Verdict::Pass,
            format!(
                "{} answers all of {rows} of the log as the log has it: no answer differs by more than {}.",
                asked.model,
                number(tolerance)
            ),
        ),
        _ => (
            Verdict::Fail,
            format!(
                "{} is not the model of the log: {} of {rows} differ by more than {}, by {} at most.{said} What follows would be of another model and is not certified.",
                asked.model,
                counted(n - equal, "answer", "answers"),
                number(tolerance),
                number(largest),
            ),
        ),
    };
    let mut finding = blank(scope, CheckId::Parity, verdict, summary);
    if let Ok(share) = Proportion::new(equal, n) {
        let measure = Measure::new("parity_share", share.share(), n, "answers within the tolerance; Wilson");
        finding.measures.push(Measure { interval: Some(share.wilson(Level::P95)), ..measure });
    }
    if answered > 0 {
        finding.measures.push(Measure::new("parity_largest_difference", largest, answered, "exact"));
    }
    finding.thresholds.push(Threshold {
        measure: "parity_largest_difference".into(),
        at_least: None,
        at_most: Some(tolerance),
        from: "stress.parity.tolerance".into(),
    });
    finding
}

/// Adds to the finding of parity whether the model answers under faults as the one that it was made of does, which
/// is asked at `against`.
pub fn under_faults(finding: &mut Finding, against: &str, tried: &[Tried]) {
    let asked: Vec<(&Tried, Agreement)> =
        tried.iter().filter_map(|tried| Some((tried, tried.outcome.as_ref().ok()?.agreement?))).collect();
    let differing: Vec<&(&Tried, Agreement)> =
        asked.iter().filter(|(_, agreement)| agreement.differing > 0).collect();
    if asked.is_empty() {
        return;
    }
    let all = counted(asked.len() as u64, "fault", "faults");
    if differing.is_empty() {
        finding.summary += &format!(" Under all of {all} it answers as {against} does.");
        return;
    }
    let names: Vec<String> = differing
        .iter()
        .map(|(tried, _)| {
            format!("{}: {}", subject(&tried.experiment.subject), title(&tried.experiment.fault))
        })
        .collect();
    let largest = differing.iter().map(|(_, agreement)| agreement.largest).fold(0.0, f64::max);
    finding.verdict = finding.verdict.max(Verdict::Fail);
    finding.summary += &format!(
        " Under {} of {all} it does not answer as {against} does ({}), by {} at most: what is found of them is not certified. An export may treat such values in another way than the model does.",
        differing.len(),
        listed(names.iter().map(String::as_str), NAMED),
        number(largest),
    );
}
