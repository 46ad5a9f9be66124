//! What stands beside the metrics: classes one by one, what other thresholds would give, and what decisions cost.

use stats::classification::Estimate;
use stats::classification::confusion::{Confusion, Uncertain};
use stats::classification::expected_cost::{Costs, cheapest_threshold, expected_cost};
use stats::classification::threshold_curve::{ThresholdPoint, threshold_curve};
use stats::interval::Level;
use stats::labelled_scores::LabelledScores;
use stats::multiclass::ClassifiedRows;
use stats::multiclass::averages::{Average, ClassMetric, average, by_class};
use stats::multiclass::balanced_accuracy::{balanced_accuracy, binary_balanced_accuracy};
use stats::multiclass::cohens_kappa::{binary_cohens_kappa, cohens_kappa};
use stats::multiclass::expected_cost::{CostTable, expected_cost as expected_cost_of_classes};
use stats::multiclass::matthews::{binary_matthews_correlation, matthews_correlation};
use stats::proportion::wilson_interval;
use types::definition::Cost;
use types::detail::{Averages, ClassRow, ThresholdRow};
use types::finding::Unmeasured;
use types::format::number;
use types::outcomes::Outcomes;
use types::performance::{Limit, without_failed_to};
use types::{Finding, Measure};

use crate::Scope;
use crate::performance::{interval_words, limit_words};

const COST: &str = "expected_cost";
/// Points of the curve over thresholds.
const POINTS: usize = 100;

/// Adds to a finding about the average what else can be said of these rows.
pub(crate) fn add(scope: Scope<'_>, outcomes: Outcomes<'_>, finding: &mut Finding) -> Averages {
    let mut averages = Averages::default();
    match outcomes {
        Outcomes::Binary(scores) => of_scores(scope, scores, finding, &mut averages),
        Outcomes::Multiclass(rows) => of_classes(scope, rows, finding, &mut averages),
        Outcomes::Regression(_) => {}
    }
    averages
}

fn push<E: std::fmt::Display>(
    finding: &mut Finding,
    name: &str,
    method: &str,
    estimate: Result<Estimate, E>,
) -> Option<Measure> {
    match estimate {
        Ok(estimate) => {
            let measure = Measure {
                interval: Some(estimate.interval),
                error_bound: estimate.error_bound,
                ..Measure::new(
                    name,
                    estimate.value,
                    estimate.n,
                    format!("{method}; {} interval", estimate.interval.method.name()),
                )
            };
            finding.measures.push(measure.clone());
            Some(measure)
        }
        Err(error) => {
            finding.unmeasured.push(Unmeasured { name: name.into(), reason: without_failed_to(&error) });
            None
        }
    }
}

fn of_scores(scope: Scope<'_>, scores: &LabelledScores, finding: &mut Finding, averages: &mut Averages) {
    let threshold = scope.definition.log.threshold;
    let Ok(confusion) = Confusion::at(scores, threshold) else { return };
    let level = Level::P95;
    push(
        finding,
        "balanced_accuracy",
        "mean of both classes' recall",
        binary_balanced_accuracy(&confusion, level),
    );
    push(finding, "matthews", "Matthews correlation", binary_matthews_correlation(&confusion, level));
    push(finding, "cohens_kappa", "agreement beyond chance", binary_cohens_kappa(&confusion, level));
    let costs = scope.definition.evaluate.cost.as_ref().and_then(costs_of);
    let points = threshold_curve(scores, costs.as_ref(), POINTS).unwrap_or_default();
    averages.in_use = Some(threshold);
    averages.thresholds = points.iter().filter_map(|point| threshold_row(point, costs.as_ref())).collect();
    let (Some(costs), Some(cost)) = (costs, &scope.definition.evaluate.cost) else { return };
    let measure = push(finding, COST, "mean cost of a decision", expected_cost(&confusion, &costs, level));
    if let Some(measure) = measure {
        finding.summary.push_str(&format!(
            " A decision costs {}{} on average.",
            number(measure.value),
            interval_words(&measure)
        ));
        hold(finding, cost, &measure);
        if let Ok(cheapest) = cheapest_threshold(scores, &costs, level) {
            let how = cheapest.threshold.map_or_else(
                || "Never predicting the positive class".to_owned(),
                |at| format!("Predicting the positive class from {} on", number(at)),
            );
            finding.summary.push_str(&format!(" {how} would cost {}.", number(cheapest.cost.value)));
            averages.cheapest = cheapest.threshold.and_then(|at| {
                let confusion = Confusion::at(scores, at).ok()?;
                row_of(&confusion, Some(&costs))
            });
        }
    }
}

/// The definition refuses costs that are none.
fn costs_of(cost: &Cost) -> Option<Costs> {
    Costs::new(cost.true_positive, cost.false_positive, cost.true_negative, cost.false_negative).ok()
}

/// A limit on the cost is one more thing that an average is held to.
fn hold(finding: &mut Finding, cost: &Cost, measure: &Measure) {
    let Some(most) = cost.at_most else { return };
    let limit = Limit::AtMost(most);
    let verdict = limit.verdict(measure);
    finding.thresholds.push(limit.threshold(COST, "evaluate.cost.at_most"));
    finding.verdict = finding.verdict.max(verdict);
    finding.summary.push_str(&format!(" {}", limit_words(verdict, limit)));
}

fn threshold_row(point: &ThresholdPoint, costs: Option<&Costs>) -> Option<ThresholdRow> {
    let confusion = Confusion {
        threshold: point.threshold?,
        true_positives: point.true_positives,
        false_positives: point.false_positives,
        true_negatives: point.true_negatives,
        false_negatives: point.false_negatives,
        uncertain: Uncertain::default(),
    };
    row_of(&confusion, costs)
}

/// Each share with its own interval: over many thresholds some are outside by chance.
fn row_of(at: &Confusion, costs: Option<&Costs>) -> Option<ThresholdRow> {
    let share = |part: u64, of: u64| (of > 0).then(|| part as f64 / of as f64);
    let interval = |part: u64, of: u64| wilson_interval(part, of, Level::P95).ok();
    let (positives, negatives) = (at.positives(), at.negatives());
    let (called, n) = (at.predicted_positives(), at.n());
    let cost = costs.and_then(|costs| expected_cost(at, costs, Level::P95).ok());
    Some(ThresholdRow {
        threshold: at.threshold,
        recall: share(at.true_positives, positives)?,
        recall_interval: interval(at.true_positives, positives),
        false_positive_rate: share(at.false_positives, negatives)?,
        false_positive_rate_interval: interval(at.false_positives, negatives),
        precision: share(at.true_positives, called),
        precision_interval: interval(at.true_positives, called),
        predicted_positive_share: share(called, n)?,
        predicted_positive_share_interval: interval(called, n),
        cost: cost.map(|cost| cost.value),
        cost_interval: cost.map(|cost| cost.interval).filter(|interval| interval.width() > 0.0),
    })
}

fn of_classes(scope: Scope<'_>, rows: &ClassifiedRows, finding: &mut Finding, averages: &mut Averages) {
    let level = Level::P95;
    push(finding, "balanced_accuracy", "mean of the classes' recall", balanced_accuracy(rows, level));
    push(finding, "matthews", "Matthews correlation", matthews_correlation(rows, level));
    push(finding, "cohens_kappa", "agreement beyond chance", cohens_kappa(rows, level));
    let means = [(Average::Micro, "micro"), (Average::Macro, "macro"), (Average::Weighted, "weighted")];
    let metrics =
        [(ClassMetric::Precision, "precision"), (ClassMetric::Recall, "recall"), (ClassMetric::F1, "f1")];
    for (mean, of_mean) in means {
        for (metric, of_metric) in metrics {
            let name = format!("{of_mean}_{of_metric}");
            // Macro F1 is one of the metrics that a definition can ask for, and is there already.
            if finding.measure(&name).is_none() {
                push(finding, &name, "over all classes", average(rows, metric, mean, level));
            }
        }
    }
    let names = scope.definition.log.classes();
    let measure = |name: &str, estimate: Option<&Estimate>| {
        estimate.map(|of| Measure {
            interval: Some(of.interval),
            ..Measure::new(name, of.value, of.n, of.interval.method.name())
        })
    };
    averages.classes = by_class(rows, level)
        .unwrap_or_default()
        .iter()
        .map(|class| ClassRow {
            name: names.get(class.class).map_or_else(String::new, |name| (*name).to_owned()),
            outcomes: class.outcomes,
            predictions: class.predictions,
            precision: measure("precision", class.precision.as_ref().ok()),
            recall: measure("recall", class.recall.as_ref().ok()),
            f1: measure("f1", class.f1.as_ref().ok()),
            roc_auc: measure("roc_auc", class.roc_auc.as_ref().ok()),
            ece: None,
        })
        .collect();
    let Some(cost) = &scope.definition.evaluate.cost else { return };
    let cell = |outcome: &str, predicted: &str| {
        let written = cost.matrix.get(outcome).and_then(|row| row.get(predicted)).copied();
        written.unwrap_or_else(|| f64::from(u8::from(outcome != predicted)))
    };
    let table = names
        .iter()
        .map(|outcome| names.iter().map(|predicted| cell(outcome, predicted)).collect())
        .collect();
    let estimate = CostTable::new(table).and_then(|table| expected_cost_of_classes(rows, &table, level));
    if let Some(measure) = push(finding, COST, "mean cost of a decision", estimate) {
        finding.summary.push_str(&format!(
            " A decision costs {}{} on average.",
            number(measure.value),
            interval_words(&measure)
        ));
        hold(finding, cost, &measure);
    }
}
