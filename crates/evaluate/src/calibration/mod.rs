//! Calibration: when the model says 70 %, does it happen in 70 of 100 cases?
//!
//! The expected calibration error decides, with the worst segment; [`scores`] has what else can be said of scores,
//! [`gaps`] the segments, [`quantiles`] the promises of a regression task.

mod gaps;
mod quantiles;
mod scores;

use std::borrow::Cow;

use rand_core::RngCore;
use stats::classification::calibration::says_and_is::{SaysAndIs, says_and_is};
use stats::classification::calibration::{
    Binning, CalibrationError, ReliabilityBin, expected_calibration_error, reliability,
};
use stats::interval::{Interval, Level};
use stats::labelled_scores::LabelledScores;
use stats::multiclass::ClassifiedRows;
use stats::multiclass::classwise_calibration::classwise_calibration_error;
use types::definition::Task;
use types::detail::CalibrationDetail;
use types::finding::{ReliabilityRow, Unmeasured};
use types::format::{number, percent};
use types::outcomes::Outcomes;
use types::{Answers, CheckId, Detail, Finding, Measure, Verdict};

use crate::performance::{interval_words, limit_words, overall, too_few};
use types::performance::{Limit, reason};

use crate::rows::Rows;
use crate::{Scope, blank, unknown};

/// From this distance on it is worth saying that a stretch of scores is off.
const WORTH_SAYING: f64 = 0.02;
/// Simulated samples behind the interval.
const REPLICATES: usize = 1000;

pub(crate) fn judge(
    scope: Scope<'_>,
    answers: &Answers,
    by_row: Option<&Rows<'_>>,
    rng: &mut impl RngCore,
) -> Finding {
    if let (Task::Regression, Some(rows)) = (scope.definition.model.task, by_row) {
        return quantiles::judge(rows);
    }
    let not_measured = || unknown(scope, CheckId::Calibration, "Calibration was not measured.".into());
    let Some((outcomes, invalid)) = overall(answers, scope.window) else {
        return not_measured();
    };
    let Some(scores) = confidences(outcomes) else { return not_measured() };
    let scores = &*scores;
    if scores.n() < scope.definition.evaluate.min_rows {
        return too_few(
            scope,
            CheckId::Calibration,
            "Whether scores mean what they say",
            scores.n(),
            invalid,
        );
    }
    let calibration = &scope.definition.evaluate.calibration;
    let bins = calibration.bins as usize;
    let computed = expected_calibration_error(scores, bins, Level::P95, REPLICATES, rng)
        .and_then(|error| Ok((error, reliability(scores, bins, Level::P95)?)));
    let (error, rows) = match computed {
        Ok(computed) => computed,
        Err(undefined) => {
            let reason = reason(&undefined);
            let mut finding =
                unknown(scope, CheckId::Calibration, format!("Calibration cannot be measured: {reason}."));
            finding.unmeasured.push(Unmeasured { name: "ece".into(), reason });
            return finding;
        }
    };
    let measure = ece_measure(&error);
    let limit = Limit::AtMost(calibration.ece_at_most);
    let of_scores = limit.verdict(&measure);
    let gaps = gaps::gaps(scope, answers);
    let verdict = of_scores.max(gaps.as_ref().map_or(Verdict::Pass, |gaps| gaps.verdict));
    let mut finding = blank(scope, CheckId::Calibration, verdict);
    finding.thresholds.push(limit.threshold("ece", "evaluate.calibration.ece_at_most"));
    let more = scores::More::of(scores, bins, rng);
    let stretch = says_and_is(scores, bins, Level::P95, scope.definition.evaluate.min_rows.min(100)).ok();
    finding.summary = summary(&measure, limit, of_scores, &more, stretch.as_ref());
    if let Outcomes::Multiclass(rows) = outcomes {
        finding.summary.push_str(
            " Scores are the probabilities of the predicted class, and the share is how often it is right.",
        );
        finding.measures.extend(classwise(rows, bins));
    }
    finding.measures.insert(0, measure);
    finding.measures.extend(more.measures);
    finding.unmeasured.extend(more.unmeasured);
    let mut detail = CalibrationDetail { curve: more.curve, ..CalibrationDetail::default() };
    if let Some(gaps) = gaps {
        // What the verdict rests on comes first.
        if gaps.verdict > of_scores {
            finding.summary = format!("{} {}", gaps.words.trim_start(), finding.summary);
        } else {
            finding.summary.push_str(&gaps.words);
        }
        finding.measures.extend(gaps.measure);
        finding.thresholds.push(gaps::limit(scope));
        detail.gaps = gaps.rows;
    }
    let ends = rows.first().zip(rows.last()).map(|(first, last)| (first.score_min, last.score_max));
    if ends.is_some_and(|(least, most)| least == most) {
        let measures = finding.measures.into_iter();
        finding.measures = measures
            .map(|measure| measure.without_empty_interval_because("all predictions are equal"))
            .collect();
    }
    let bins = rows.into_iter().map(row).collect();
    finding.detail = Some(Detail::Reliability { bins, more: Box::new(detail) });
    finding
}

/// The distance of a value from `from`, with what its interval makes of that.
fn distance(value: f64, interval: Interval, from: f64) -> (f64, Interval) {
    let (a, b) = ((interval.lower - from).abs(), (interval.upper - from).abs());
    let lower = if interval.contains(from) { 0.0 } else { a.min(b) };
    ((value - from).abs(), Interval { lower, upper: a.max(b), ..interval })
}

/// The mean over all classes, each against the rest.
fn classwise(rows: &ClassifiedRows, bins: usize) -> Option<Measure> {
    let of = classwise_calibration_error(rows, bins, Binning::EqualMass, Level::P95).ok()?;
    let sampled = if of.is_sampled() { "; of a random sample of the rows" } else { "" };
    Some(Measure {
        interval: Some(of.mean.interval),
        ..Measure::new(
            "classwise_ece",
            of.mean.value,
            of.mean.n,
            format!("mean over the classes of the expected calibration error against the rest{sampled}"),
        )
    })
}

/// The scores that make a promise: of several classes, the probability of the predicted one.
fn confidences(outcomes: Outcomes<'_>) -> Option<Cow<'_, LabelledScores>> {
    match outcomes {
        Outcomes::Binary(scores) => Some(Cow::Borrowed(scores)),
        Outcomes::Multiclass(rows) => Some(Cow::Owned(rows.top_label().unwrap_or_default())),
        Outcomes::Regression(_) => None,
    }
}

fn ece_measure(error: &CalibrationError) -> Measure {
    Measure {
        interval: Some(error.estimate.interval),
        error_bound: error.estimate.error_bound,
        expected_by_chance: Some(error.expected_if_calibrated),
        p_value: Some(error.p_value),
        ..Measure::new(
            "ece",
            error.estimate.value,
            error.estimate.n,
            format!(
                "expected calibration error over {} equal-mass bins; interval from {REPLICATES} simulated samples",
                error.bins
            ),
        )
    }
}

fn row(bin: ReliabilityBin) -> ReliabilityRow {
    ReliabilityRow {
        score_min: bin.score_min,
        score_max: bin.score_max,
        score_mean: bin.score_mean,
        outcome_share: bin.outcome_share,
        interval: bin.interval,
        n: bin.n,
    }
}

fn summary(
    measure: &Measure,
    limit: Limit,
    verdict: Verdict,
    more: &scores::More,
    stretch: Option<&SaysAndIs>,
) -> String {
    let mut words = format!(
        "Scores miss the observed share by {} on average{}.",
        number(measure.value),
        interval_words(measure)
    );
    words.push_str(&format!(" {}", limit_words(verdict, limit)));
    if let Some(stretch) =
        stretch.filter(|stretch| stretch.is_off() && (stretch.says - stretch.is.value).abs() >= WORTH_SAYING)
    {
        words.push_str(&format!(
            " When it says {}, it happens in {}.",
            percent(stretch.says),
            percent(stretch.is.value)
        ));
        if stretch.is_overconfident() {
            words.push_str(" It is too sure of itself there.");
        }
    }
    if verdict > Verdict::Pass {
        let lean = more.measures.iter().find(|measure| measure.name == "mean_score_less_outcome_share");
        match lean.map(|lean| lean.value) {
            Some(lean) if lean > 0.01 => words.push_str(" The scores are too high on the whole."),
            Some(lean) if lean < -0.01 => words.push_str(" The scores are too low on the whole."),
            _ => {}
        }
    }
    if verdict == Verdict::Fail {
        words.push_str(" Do not read the score as a probability until the model is recalibrated.");
    }
    words
}
