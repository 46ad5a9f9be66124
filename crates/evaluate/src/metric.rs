//! One metric of scores with outcomes, as a measure with its interval.

use stats::classification::average_precision::average_precision;
use stats::classification::brier::brier_score;
use stats::classification::confusion::Confusion;
use stats::classification::log_loss::log_loss;
use stats::classification::roc_auc::roc_auc;
use stats::classification::{Estimate, Undefined};
use stats::interval::Level;
use stats::labelled_scores::LabelledScores;
use types::Measure;
use types::definition::Metric;

/// A metric at a decision threshold, with an interval of the given level.
///
/// # Errors
/// Why the metric does not exist for these rows, as words that complete "because …".
pub(crate) fn measure(
    scores: &LabelledScores,
    metric: Metric,
    threshold: f64,
    level: Level,
) -> Result<Measure, String> {
    let at_threshold = || Confusion::at(scores, threshold);
    let mut note = String::new();
    let estimate: Result<Estimate, Undefined> = match metric {
        Metric::Accuracy => at_threshold().and_then(|confusion| confusion.accuracy(level)),
        Metric::Precision => at_threshold().and_then(|confusion| confusion.precision(level)),
        Metric::Recall => at_threshold().and_then(|confusion| confusion.recall(level)),
        Metric::F1 => at_threshold().and_then(|confusion| confusion.f1(level)),
        Metric::RocAuc => roc_auc(scores, level),
        Metric::AveragePrecision => average_precision(scores, level),
        Metric::Brier => brier_score(scores, level),
        Metric::LogLoss => log_loss(scores, level).map(|loss| {
            if loss.clipped > 0 {
                note = format!("; {} certain but wrong rows clipped", loss.clipped);
            }
            loss.estimate
        }),
    };
    let estimate = estimate.map_err(|undefined| reason(&undefined))?;
    let method = format!("{} interval, level {:.4}{note}", estimate.interval.method.name(), level.get());
    Ok(Measure {
        interval: Some(estimate.interval),
        error_bound: estimate.error_bound,
        ..Measure::new(metric.name(), estimate.value, estimate.n, method)
    })
}

/// The part of the message that says why, without the "failed to …" that it completes.
pub(crate) fn reason(undefined: &Undefined) -> String {
    let message = undefined.to_string();
    message.split_once(": ").map_or(message.clone(), |(_, reason)| reason.to_owned())
}
