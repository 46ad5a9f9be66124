//! One fault as reports show it: what was done, how the model responded, what it costs, and who would notice.

use serde_json::Value;
use stats::classification::Estimate;
use stats::interval::Interval;
use types::definition::Hypothesis;
use types::faults::{
    FaultStatus, ImpactCurve, ImpactPoint, PricedStrategy, ResponseClass, ResponseShare, TestedHypothesis,
    TriedFault,
};
use types::format::{capitalised, counted, number};
use types::{Measure, Verdict};

use super::{Agreement, Outcome};
use crate::degrade::{Strategy, StrategyCost, Weighed};
use crate::fault::Fault;
use crate::plan::{Experiment, Subject as Of};
use crate::response::{ClassShare, Impact};

pub(super) fn row(experiment: &Experiment, outcome: &Outcome) -> TriedFault {
    let (entry, impact) = (experiment.fault.entry(), &outcome.impact);
    let differing = outcome.agreement.filter(|agreement| agreement.differing > 0);
    let status = if differing.is_some() { FaultStatus::Unknown } else { impact.status };
    TriedFault {
        fault: entry.id.into(),
        title: title(&experiment.fault),
        of: subject(&experiment.subject),
        columns: outcome.manifest.columns.clone(),
        touched_share: outcome.manifest.rows_touched as f64 / outcome.manifest.rows.max(1) as f64,
        verdict: match status {
            FaultStatus::Handled => Verdict::Pass,
            FaultStatus::Failed => Verdict::Fail,
            FaultStatus::Unknown => Verdict::Warn,
        },
        status,
        sentence: differing.map_or_else(|| capitalised(&impact.reason), of_another_model),
        impact: accuracy_drop(impact),
        loss_rise: loss_rise(impact),
        responses: impact.classes.iter().filter(|of| of.rows > 0).map(response).collect(),
        silently_wrong_before: impact.silently_wrong_before.map(|share| share.value),
        error: outcome.error.clone(),
        strategies: outcome.weighed.iter().flat_map(|of| &of.strategies).map(priced).collect(),
        noticed: outcome.noticed.clone(),
        experiment: experiment.hypothesis.as_deref().map(tested),
        is_uncertified: differing.is_some(),
    }
}

fn tested(of: &Hypothesis) -> TestedHypothesis {
    TestedHypothesis {
        name: of.name.clone(),
        hypothesis: of.hypothesis.clone(),
        rollback: of.rollback.clone(),
        who: of.who.clone(),
    }
}

fn of_another_model(agreement: Agreement) -> String {
    let rows = counted(agreement.rows, "row", "rows");
    format!(
        "Not certified: {} of {rows} are answered otherwise than by the model that it was made of, by {} at most.",
        agreement.differing,
        number(agreement.largest)
    )
}

/// By how much fewer answers are right than of the same rows without the fault.
fn accuracy_drop(impact: &Impact) -> Option<Measure> {
    let accuracy = impact.accuracy.as_ref()?;
    let change = accuracy.difference;
    let method = "of the same rows without the fault; Bonett and Price";
    let measure = Measure::new("accuracy_drop", 0.0 - change.value, change.n, method);
    Some(Measure { interval: Some(turned(change)), p_value: Some(accuracy.p_mid), ..measure })
}

/// How the impact of a fault grows with the share of rows that it hits; `impacts` by that share.
pub fn curve(experiment: &Experiment, max_accuracy_drop: f64, impacts: &[(f64, Impact)]) -> ImpactCurve {
    let mut points: Vec<ImpactPoint> = impacts
        .iter()
        .map(|(rate, impact)| ImpactPoint {
            rate: *rate,
            drop: accuracy_drop(impact),
            unanswered: unanswered(impact),
        })
        .collect();
    points.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    ImpactCurve {
        fault: experiment.fault.entry().id.into(),
        title: title(&experiment.fault),
        of: subject(&experiment.subject),
        max_accuracy_drop,
        points,
    }
}

/// The share of the rows that a fault changed that got no answer.
pub fn unanswered(impact: &Impact) -> f64 {
    let no_answer = [ResponseClass::Rejected, ResponseClass::Malformed, ResponseClass::Crashed];
    impact.classes.iter().filter(|of| no_answer.contains(&of.class)).map(|of| of.share.value).sum()
}

fn priced(of: &StrategyCost) -> PricedStrategy {
    PricedStrategy {
        strategy: of.strategy.words(),
        mean_cost: of.mean.value,
        interval: of.mean.interval,
        surely_saves: of.surely_saves(),
        is_doing_nothing: of.strategy == Strategy::Nothing,
    }
}

/// Strategies while the model itself does not answer: doing nothing leaves whoever asks alone.
pub(super) fn priced_outage(of: &Weighed) -> Vec<PricedStrategy> {
    let priced = |of: &StrategyCost| match priced(of) {
        nothing if nothing.is_doing_nothing => {
            PricedStrategy { strategy: "leave callers without an answer".into(), ..nothing }
        }
        other => other,
    };
    of.strategies.iter().map(priced).collect()
}

/// A fall of accuracy is a drop of the same size: the same interval from the other side.
fn turned(change: Estimate) -> Interval {
    Interval { lower: 0.0 - change.interval.upper, upper: 0.0 - change.interval.lower, ..change.interval }
}

fn response(of: &ClassShare) -> ResponseShare {
    ResponseShare { class: of.class, rows: of.rows, share: of.share.value, interval: of.share.interval }
}

/// By which share of the mean loss without the fault it rises.
pub(super) fn loss_rise(impact: &Impact) -> Option<f64> {
    let (rise, before) = (impact.loss.as_ref()?.difference.value, impact.mean_loss_before?);
    (before > 0.0).then(|| rise / before)
}

pub(super) fn silently_wrong(row: &TriedFault) -> Option<&ResponseShare> {
    row.responses.iter().find(|of| of.class == ResponseClass::SilentlyWrong)
}

/// What is answered wrongly comes before what is not answered: it is the more silent.
pub(super) fn drop_of(row: &TriedFault) -> f64 {
    row.impact.as_ref().map_or(f64::NEG_INFINITY, |impact| impact.value)
}

/// How right the model is without the fault.
pub(super) fn clean(outcome: &Outcome) -> Option<Measure> {
    let accuracy = outcome.impact.accuracy_before?;
    let measure = Measure::new("accuracy", accuracy.value, accuracy.n, "of the unchanged rows; Wilson");
    Some(Measure { interval: Some(accuracy.interval), ..measure })
}

/// `Wrong unit (factor 1000)`: the fault, and what tells it from others of its kind.
pub(super) fn title(fault: &Fault) -> String {
    let title = fault.entry().title;
    let Ok(Value::Object(parameters)) = serde_json::to_value(fault) else { return title.to_owned() };
    let told: Vec<String> = parameters
        .iter()
        .filter(|(key, _)| !UNTOLD.contains(&key.as_str()))
        .filter_map(|(key, value)| match value {
            // What nothing is said of is at random.
            Value::String(word) if word == "at-random" => None,
            Value::String(word) => Some(word.replace('-', " ")),
            Value::Number(number) if number.as_f64() != Some(0.0) => {
                Some(format!("{} {number}", key.replace('_', " ")))
            }
            Value::Object(of_column) => {
                let mut words = of_column.iter().rev().filter_map(|(how, column)| {
                    Some(format!("{} {}", how.replace('-', " "), column.as_str()?))
                });
                words.next()
            }
            _ => None,
        })
        .collect();
    if told.is_empty() { title.to_owned() } else { format!("{title} ({})", told.join(", ")) }
}

/// Parameters that are told elsewhere: the kind, the columns, the share of rows.
const UNTOLD: [&str; 5] = ["fault", "columns", "rate", "first", "second"];

/// `temp`, `source weather`, `inputs together, run 2`.
pub fn subject(of: &Of) -> String {
    match of {
        Of::Feature(name) => name.clone(),
        Of::Source(name) => format!("source {name}"),
        Of::Pair(first, second) => format!("{first} and {second}"),
        Of::Model => "the model itself".into(),
        Of::Together(run) => format!("inputs together, run {run}"),
        Of::Rows => "whole rows".into(),
    }
}
