//! Calibration: when the model says 70 %, does it happen in 70 of 100 cases?

use std::borrow::Cow;

use rand_core::RngCore;
use stats::classification::calibration::{
    CalibrationError, ReliabilityBin, calibration_in_the_large, expected_calibration_error, reliability,
};
use stats::interval::Level;
use stats::labelled_scores::LabelledScores;
use types::finding::{ReliabilityRow, Unmeasured};
use types::format::{number, percent};
use types::outcomes::Outcomes;
use types::{Answers, CheckId, Detail, Finding, Measure, Verdict};

use crate::performance::{interval_words, limit_words, overall, too_few};
use types::performance::{Limit, reason};

use crate::{Scope, blank, unknown};

/// Simulated samples behind the interval.
const REPLICATES: usize = 1000;

pub(crate) fn judge(scope: Scope<'_>, answers: &Answers, rng: &mut impl RngCore) -> Finding {
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
    let top_label = matches!(outcomes, Outcomes::Multiclass(_));
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
    let verdict = limit.verdict(&measure);
    let mut finding = blank(scope, CheckId::Calibration, verdict);
    finding.thresholds.push(limit.threshold("ece", "evaluate.calibration.ece_at_most"));
    let lean = calibration_in_the_large(scores, Level::P95).ok();
    finding.summary = summary(&measure, limit, verdict, lean.as_ref().map(|lean| lean.value), &rows);
    if top_label {
        finding.summary.insert_str(
            0,
            "Scores are the probabilities of the predicted class, and the share is how often it is right. ",
        );
    }
    finding.measures.push(measure);
    if let Some(lean) = lean {
        finding.measures.push(Measure {
            interval: Some(lean.interval),
            error_bound: lean.error_bound,
            expected_by_chance: Some(0.0),
            ..Measure::new(
                "mean_score_less_outcome_share",
                lean.value,
                lean.n,
                "mean score less share of positive outcomes; above 0 the scores promise too much",
            )
        });
    }
    finding.detail = Some(Detail::Reliability { bins: rows.into_iter().map(row).collect(), more: Box::default() });
    finding
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
    lean: Option<f64>,
    bins: &[ReliabilityBin],
) -> String {
    let mut words = format!(
        "Scores miss the observed share by {} on average{}.",
        number(measure.value),
        interval_words(measure.interval.as_ref())
    );
    words.push_str(&format!(" {}", limit_words(verdict, limit)));
    if verdict > Verdict::Pass {
        // The bin whose miss weighs most says it best.
        let weight = |bin: &&ReliabilityBin| bin.n as f64 * (bin.score_mean - bin.outcome_share).abs();
        if let Some(bin) = bins.iter().max_by(|a, b| weight(a).total_cmp(&weight(b))) {
            words.push_str(&format!(
                " When it says about {}, it happens in {}.",
                percent(bin.score_mean),
                percent(bin.outcome_share)
            ));
        }
        match lean {
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
