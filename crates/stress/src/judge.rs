//! From what the model answered to findings: whether it is the model of the log, which faults it stands, and which of
//! them nobody would notice.

use serde_json::Value;
use stats::classification::Estimate;
use stats::interval::{Interval, Level};
use stats::proportion::Proportion;
use types::faults::{
    FaultStatus, NotTried, Noticed, PricedStrategy, ResponseClass, ResponseShare, TriedFault, TriedFaults,
};
use types::finding::{Threshold, Unmeasured};
use types::format::{capitalised, counted, number, percent};
use types::nearest::listed;
use types::{CheckId, Definition, Detail, Finding, Measure, Subject, Verdict, Window};

use crate::degrade::{StrategyCost, Weighed};
use crate::fault::{Fault, Manifest, NotApplicable};
use crate::plan::{Experiment, Subject as Of};
use crate::response::{ClassShare, Impact};

/// What a check is about.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    pub definition: &'a Definition,
    pub window: Window,
}

/// An experiment, and what came of it.
#[derive(Clone, Debug)]
pub struct Tried {
    pub experiment: Experiment,
    pub outcome: Result<Outcome, NotApplicable>,
}

/// What came of a fault that could be tried.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub manifest: Manifest,
    pub impact: Impact,
    /// What the model said where it did not answer.
    pub error: Option<String>,
    /// What could be done instead; `None` where that was not weighed.
    pub weighed: Option<Weighed>,
    /// Whether monitoring notices; `None` where that was not looked at.
    pub noticed: Option<Noticed>,
}

/// The model that was asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Where, such as `model.onnx`.
    pub model: &'a str,
    /// Rows with an outcome that it was asked about.
    pub rows: u64,
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

/// Whether the model stands the faults of a check, missing inputs or all others.
pub fn faults(
    scope: Scope<'_>,
    check: CheckId,
    asked: Asked<'_>,
    tried: &[Tried],
    parity: Verdict,
) -> Finding {
    let stress = &scope.definition.stress;
    let (max_drop, from) = match check {
        CheckId::Missing => (stress.missing.max_accuracy_drop, "stress.missing.max_accuracy_drop"),
        _ => (stress.faults.max_accuracy_drop, "stress.faults.max_accuracy_drop"),
    };
    let mut rows: Vec<TriedFault> = Vec::new();
    let mut not_tried = Vec::new();
    for tried in tried {
        match &tried.outcome {
            Ok(outcome) => rows.push(row(&tried.experiment, outcome)),
            Err(why) => not_tried.push(NotTried {
                fault: tried.experiment.fault.entry().id.into(),
                of: subject(&tried.experiment.subject),
                reason: why.to_string(),
            }),
        }
    }
    rows.sort_by(|a, b| b.verdict.cmp(&a.verdict).then_with(|| drop_of(b).total_cmp(&drop_of(a))));
    let clean = tried.iter().find_map(|tried| clean(tried.outcome.as_ref().ok()?));
    let (verdict, summary) = verdict_on(&rows, max_drop, parity);
    let mut finding = blank(scope, check, verdict, summary);
    finding
        .measures
        .extend(rows.iter().filter_map(|row| row.impact.clone()).max_by(|a, b| a.value.total_cmp(&b.value)));
    let failed = rows.iter().filter(|row| row.status == FaultStatus::Failed).count() as u64;
    add_share(&mut finding, "failed_faults", failed, rows.len() as u64);
    let silent = rows.iter().filter_map(silently_wrong).max_by(|a, b| a.share.total_cmp(&b.share));
    if let Some(silent) = silent {
        let measure = Measure::new(
            "silently_wrong_share",
            silent.share,
            silent.rows,
            "of the rows that the worst fault changed; Wilson",
        );
        finding.measures.push(Measure { interval: Some(silent.interval), ..measure });
    }
    if rows.is_empty() {
        let reason = "no fault could be tried".to_owned();
        finding.unmeasured.push(Unmeasured { name: "accuracy_drop".into(), reason });
    }
    finding.thresholds.push(Threshold {
        measure: "accuracy_drop".into(),
        at_least: None,
        at_most: Some(max_drop),
        from: from.into(),
    });
    finding.detail = Some(Detail::Faults(Box::new(TriedFaults {
        model: asked.model.into(),
        rows: asked.rows,
        clean,
        faults: rows,
        not_tried,
    })));
    finding
}

/// Whether monitoring notices the faults that hurt.
pub fn detection(scope: Scope<'_>, tried: &[Tried], parity: Verdict) -> Finding {
    let harmful_from = scope.definition.stress.detection.harmful;
    let outcomes = tried.iter().filter_map(|tried| Some((&tried.experiment, tried.outcome.as_ref().ok()?)));
    let harmful: Vec<(&Experiment, &Outcome)> =
        outcomes.filter(|(_, outcome)| is_harmful(&outcome.impact, harmful_from)).collect();
    let named = |is: &dyn Fn(Option<&Noticed>) -> bool| -> Vec<String> {
        let of = harmful.iter().filter(|(_, outcome)| is(outcome.noticed.as_ref()));
        of.map(|(experiment, _)| format!("{}: {}", subject(&experiment.subject), title(&experiment.fault)))
            .collect()
    };
    let missed = named(&|noticed| noticed.is_some_and(|noticed| noticed.by.is_empty()));
    let unseen = named(&|noticed| noticed.is_none());
    let (verdict, summary) = if parity != Verdict::Pass {
        (Verdict::Unknown, not_certified(parity).to_owned())
    } else if tried.iter().all(|tried| tried.outcome.is_err()) {
        (Verdict::Unknown, NOTHING_TRIED.to_owned())
    } else {
        detection_words(harmful.len(), &missed, &unseen, &percent(harmful_from))
    };
    let mut finding = blank(scope, CheckId::Detection, verdict, summary);
    let looked_at = harmful.len() - unseen.len();
    add_share(&mut finding, "missed_faults", missed.len() as u64, looked_at as u64);
    finding
}

fn detection_words(harmful: usize, missed: &[String], unseen: &[String], limit: &str) -> (Verdict, String) {
    let listed = |faults: &[String]| listed(faults.iter().map(String::as_str), NAMED);
    let hurting = counted(harmful as u64, "fault that hurts", "faults that hurt");
    let (verdict, mut words) = match (harmful, missed.len()) {
        (0, _) => {
            let words = format!("No fault that was tried raises the loss by {limit} or stops the model.");
            (Verdict::Pass, words)
        }
        (_, 0) if unseen.is_empty() => {
            let all = if harmful == 1 { "the" } else { "all" };
            let words =
                format!("Monitoring notices {all} {hurting} (a loss that rises by {limit}, or no answer).");
            (Verdict::Pass, words)
        }
        (_, 0) => (Verdict::Unknown, String::new()),
        (_, count) => {
            let words = format!(
                "{count} of {hurting} would go unnoticed within one window: {}. Watch these inputs more closely.",
                listed(missed)
            );
            (Verdict::Fail, words)
        }
    };
    if !unseen.is_empty() {
        let words_of_unseen = format!(
            "Of {} of {hurting} it is not known whether anybody would notice, because {} cannot be tried on the reference: {}.",
            unseen.len(),
            if unseen.len() == 1 { "it" } else { "they" },
            listed(unseen)
        );
        words = if words.is_empty() { words_of_unseen } else { format!("{words} {words_of_unseen}") };
    }
    (verdict, words)
}

/// Faults that a sentence names before it counts.
const NAMED: usize = 4;
const NOTHING_TRIED: &str = "No fault could be tried on these inputs.";

/// Why nothing is said of faults where parity does not pass.
pub(crate) fn not_certified(parity: Verdict) -> &'static str {
    if parity == Verdict::Unknown {
        "Nothing was tried: no row of the window has an outcome, so it is not known how right the model is."
    } else {
        "The model that can be asked is not the one of the log (stress.parity), so that what it does under faults is not certified."
    }
}

fn verdict_on(rows: &[TriedFault], max_drop: f64, parity: Verdict) -> (Verdict, String) {
    let of = |status: FaultStatus| rows.iter().filter(move |row| row.status == status);
    let named = |status| {
        let mut names: Vec<&str> = Vec::new();
        for row in of(status) {
            if !names.contains(&row.of.as_str()) {
                names.push(&row.of);
            }
        }
        listed(names, NAMED)
    };
    let all = counted(rows.len() as u64, "fault", "faults");
    if parity != Verdict::Pass {
        return (Verdict::Unknown, not_certified(parity).into());
    }
    let Some(worst) = rows.first() else {
        return (Verdict::Unknown, NOTHING_TRIED.into());
    };
    match (of(FaultStatus::Failed).count(), of(FaultStatus::Unknown).count()) {
        (0, 0) => {
            let most = percent(max_drop);
            (
                Verdict::Pass,
                format!(
                    "The model stands all of {all}: its accuracy surely drops by no more than the {most} tolerated."
                ),
            )
        }
        (0, unknown) => (
            Verdict::Warn,
            format!(
                "Of {all}, the model surely fails none; of {unknown} it cannot be told from so many rows ({}).",
                named(FaultStatus::Unknown)
            ),
        ),
        (failed, _) => (
            Verdict::Fail,
            format!(
                "The model fails {failed} of {all} ({}). The worst is {}, {}: {} Decide what should happen instead when it occurs.",
                named(FaultStatus::Failed),
                worst.of,
                worst.title,
                worst.sentence
            ),
        ),
    }
}

fn row(experiment: &Experiment, outcome: &Outcome) -> TriedFault {
    let (entry, impact) = (experiment.fault.entry(), &outcome.impact);
    TriedFault {
        fault: entry.id.into(),
        title: title(&experiment.fault),
        of: subject(&experiment.subject),
        columns: outcome.manifest.columns.clone(),
        touched_share: outcome.manifest.rows_touched as f64 / outcome.manifest.rows.max(1) as f64,
        verdict: match impact.status {
            FaultStatus::Handled => Verdict::Pass,
            FaultStatus::Failed => Verdict::Fail,
            FaultStatus::Unknown => Verdict::Warn,
        },
        status: impact.status,
        sentence: capitalised(&impact.reason),
        impact: impact.accuracy.as_ref().map(|accuracy| {
            let change = accuracy.difference;
            let measure = Measure::new(
                "accuracy_drop",
                0.0 - change.value,
                change.n,
                "of the same rows without the fault; Bonett and Price",
            );
            Measure { interval: Some(turned(change)), p_value: Some(accuracy.p_mid), ..measure }
        }),
        loss_rise: loss_rise(impact),
        responses: impact.classes.iter().filter(|of| of.rows > 0).map(response).collect(),
        silently_wrong_before: impact.silently_wrong_before.map(|share| share.value),
        error: outcome.error.clone(),
        strategies: outcome.weighed.iter().flat_map(|of| &of.strategies).map(priced).collect(),
        noticed: outcome.noticed.clone(),
    }
}

fn priced(of: &StrategyCost) -> PricedStrategy {
    PricedStrategy {
        strategy: of.strategy.words(),
        mean_cost: of.mean.value,
        interval: of.mean.interval,
        surely_saves: of.surely_saves(),
    }
}

/// A fall of accuracy is a drop of the same size: the same interval from the other side.
fn turned(change: Estimate) -> Interval {
    Interval { lower: 0.0 - change.interval.upper, upper: 0.0 - change.interval.lower, ..change.interval }
}

fn response(of: &ClassShare) -> ResponseShare {
    ResponseShare { class: of.class, rows: of.rows, share: of.share.value, interval: of.share.interval }
}

/// By which share of the mean loss without the fault it rises.
fn loss_rise(impact: &Impact) -> Option<f64> {
    let (rise, before) = (impact.loss.as_ref()?.difference.value, impact.mean_loss_before?);
    (before > 0.0).then(|| rise / before)
}

/// A fault hurts where the model no longer answers, or its loss rises by so much.
pub fn is_harmful(impact: &Impact, from: f64) -> bool {
    let no_answer = [ResponseClass::Rejected, ResponseClass::Malformed, ResponseClass::Crashed];
    let unanswered: f64 =
        impact.classes.iter().filter(|of| no_answer.contains(&of.class)).map(|of| of.share.value).sum();
    unanswered > 0.5 || loss_rise(impact).is_some_and(|rise| rise >= from)
}

fn silently_wrong(row: &TriedFault) -> Option<&ResponseShare> {
    row.responses.iter().find(|of| of.class == ResponseClass::SilentlyWrong)
}

/// What is answered wrongly comes before what is not answered: it is the more silent.
fn drop_of(row: &TriedFault) -> f64 {
    row.impact.as_ref().map_or(f64::NEG_INFINITY, |impact| impact.value)
}

/// How right the model is without the fault.
fn clean(outcome: &Outcome) -> Option<Measure> {
    let accuracy = outcome.impact.accuracy_before?;
    let measure = Measure::new("accuracy", accuracy.value, accuracy.n, "of the unchanged rows; Wilson");
    Some(Measure { interval: Some(accuracy.interval), ..measure })
}

/// A share of faults; of none there is no share.
fn add_share(finding: &mut Finding, name: &str, of: u64, all: u64) {
    if let Ok(share) = Proportion::new(of, all) {
        finding.measures.push(Measure::new(name, share.share(), all, "exact"));
    } else {
        let reason = "there is no such fault to count".to_owned();
        finding.unmeasured.push(Unmeasured { name: name.into(), reason });
    }
}

/// `Wrong unit (factor 1000)`: the fault, and what tells it from others of its kind.
fn title(fault: &Fault) -> String {
    let title = fault.entry().title;
    let Ok(Value::Object(parameters)) = serde_json::to_value(fault) else { return title.to_owned() };
    let told: Vec<String> = parameters
        .iter()
        .filter(|(key, _)| !UNTOLD.contains(&key.as_str()))
        .filter_map(|(key, value)| match value {
            Value::String(word) => Some(word.replace('-', " ")),
            Value::Number(number) if number.as_f64() != Some(0.0) => {
                Some(format!("{} {number}", key.replace('_', " ")))
            }
            _ => None,
        })
        .collect();
    if told.is_empty() { title.to_owned() } else { format!("{title} ({})", told.join(", ")) }
}

/// Parameters that are told elsewhere: the kind, the columns, the share of rows.
const UNTOLD: [&str; 3] = ["fault", "columns", "rate"];

/// `temp`, `source weather`, `inputs together, run 2`.
pub fn subject(of: &Of) -> String {
    match of {
        Of::Feature(name) => name.clone(),
        Of::Source(name) => format!("source {name}"),
        Of::Together(run) => format!("inputs together, run {run}"),
        Of::Rows => "whole rows".into(),
    }
}

fn blank(scope: Scope<'_>, check: CheckId, verdict: Verdict, summary: String) -> Finding {
    Finding { summary, ..Finding::blank(check, Subject::Model, verdict, scope.window) }
}
