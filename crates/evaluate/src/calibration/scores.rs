//! How far scores are off, by every name that the literature has for it.

use rand_core::RngCore;
use stats::classification::calibration::binned_error::binned_error;
use stats::classification::calibration::brier_parts::brier_parts;
use stats::classification::calibration::corp::{CorpDiagram, CorpIntervals, corp_diagram, corp_intervals};
use stats::classification::calibration::hosmer_lemeshow::hosmer_lemeshow;
use stats::classification::calibration::line::calibration_line;
use stats::classification::calibration::smooth_error::smooth_calibration_error;
use stats::classification::calibration::{Binning, calibration_in_the_large};
use stats::classification::{Estimate, Undefined};
use stats::interval::{Interval, Level};
use stats::labelled_scores::LabelledScores;
use types::Measure;
use types::detail::CurvePoint;
use types::finding::Unmeasured;
use types::format::counted;
use types::performance::reason;

/// Simulated samples behind each band and interval.
const REPLICATES: usize = 200;
/// The level of the band that a calibrated model's curve stays in.
const BAND: f64 = 0.9;
/// Points of the curve.
const POINTS: usize = 100;

/// What is measured beside the expected calibration error.
#[derive(Default)]
pub(super) struct More {
    pub(super) measures: Vec<Measure>,
    pub(super) unmeasured: Vec<Unmeasured>,
    pub(super) curve: Vec<CurvePoint>,
}

impl More {
    pub(super) fn of(scores: &LabelledScores, bins: usize, rng: &mut impl RngCore) -> Self {
        let mut more = Self::default();
        more.add("mean_score_less_outcome_share", in_the_large(scores));
        more.add("ece_equal_width", binned(scores, bins));
        more.add("smooth_ece", smooth(scores, rng));
        more.add("calibration_slope", line(scores));
        more.add("hosmer_lemeshow", lemeshow(scores, bins));
        more.add("brier_reliability", brier(scores, bins));
        let level = Level::new(BAND).unwrap_or(Level::P95);
        match corp_diagram(scores, level, REPLICATES, POINTS, rng) {
            Ok(diagram) => {
                more.curve = curve(&diagram);
                let parts = corp_intervals(scores, Level::P95, REPLICATES, rng);
                more.add("miscalibration", parts.map(|parts| corp(&diagram, &parts).to_vec()));
            }
            Err(undefined) => more.failed("miscalibration", &undefined),
        }
        more
    }

    fn add(&mut self, name: &str, measured: Result<Vec<Measure>, Undefined>) {
        match measured {
            Ok(measures) => self.measures.extend(measures),
            Err(undefined) => self.failed(name, &undefined),
        }
    }

    fn failed(&mut self, name: &str, undefined: &Undefined) {
        self.unmeasured.push(Unmeasured { name: name.into(), reason: reason(undefined) });
    }
}

fn measure(name: &str, estimate: &Estimate, method: impl Into<String>) -> Measure {
    Measure {
        interval: Some(estimate.interval),
        error_bound: estimate.error_bound,
        ..Measure::new(name, estimate.value, estimate.n, method)
    }
}

fn in_the_large(scores: &LabelledScores) -> Result<Vec<Measure>, Undefined> {
    let lean = calibration_in_the_large(scores, Level::P95)?;
    let method = "mean score less share of positive outcomes; above 0 the scores promise too much";
    Ok(vec![Measure {
        expected_by_chance: Some(0.0),
        ..measure("mean_score_less_outcome_share", &lean, method)
    }])
}

fn binned(scores: &LabelledScores, bins: usize) -> Result<Vec<Measure>, Undefined> {
    let width = binned_error(scores, bins, Binning::EqualWidth, Level::P95)?;
    let mass = binned_error(scores, bins, Binning::EqualMass, Level::P95)?;
    let by_width = format!("expected calibration error over {} bins of equal width", width.bins.len());
    let largest = format!("largest distance of any of {} equal-mass bins", mass.bins.len());
    let debiased = "expected calibration error over equal-mass bins less what chance gives, not below 0";
    Ok(vec![
        Measure {
            expected_by_chance: Some(width.expected_if_calibrated),
            ..measure("ece_equal_width", &width.ece, by_width)
        },
        Measure { expected_by_chance: Some(0.0), ..measure("ece_debiased", &mass.ece_debiased, debiased) },
        measure("mce", &mass.mce.estimate, largest),
    ])
}

fn smooth(scores: &LabelledScores, rng: &mut impl RngCore) -> Result<Vec<Measure>, Undefined> {
    let of = smooth_calibration_error(scores, Level::P95, REPLICATES, rng)?;
    let method = format!("smooth calibration error, kernel width {:.4} (Błasiok & Nakkiran)", of.width);
    Ok(vec![Measure {
        expected_by_chance: Some(of.expected_if_calibrated),
        p_value: Some(of.p_value),
        ..measure("smooth_ece", &of.estimate, method)
    }])
}

fn line(scores: &LabelledScores) -> Result<Vec<Measure>, Undefined> {
    let of = calibration_line(scores, Level::P95)?;
    let slope = "slope of the outcome's log odds on the score's; below 1 the scores are too extreme (Cox)";
    let intercept = "intercept of the same line; above 0 the scores are too low. The p-value is for slope 1 and intercept 0 together";
    Ok(vec![
        Measure { expected_by_chance: Some(1.0), ..measure("calibration_slope", &of.slope, slope) },
        Measure {
            expected_by_chance: Some(0.0),
            p_value: Some(of.joint.p_value),
            ..measure("calibration_intercept", &of.intercept, intercept)
        },
    ])
}

fn lemeshow(scores: &LabelledScores, groups: usize) -> Result<Vec<Measure>, Undefined> {
    let of = hosmer_lemeshow(scores, groups)?;
    // A certain score that was wrong refutes calibration whatever the other groups say.
    let refuted = match of.certain_wrong {
        0 => String::new(),
        rows => format!(
            "; {} of a group whose scores are all 0 or all 1 went otherwise",
            counted(rows, "row", "rows")
        ),
    };
    let method = format!(
        "Hosmer–Lemeshow statistic over {} groups, {} degrees of freedom{refuted}; of a test, so with a p-value and no interval",
        of.groups.len(),
        of.degrees_of_freedom
    );
    Ok(vec![Measure {
        expected_by_chance: Some(of.degrees_of_freedom as f64),
        p_value: Some(of.p_value),
        ..Measure::new("hosmer_lemeshow", of.statistic, of.n, method)
    }])
}

fn brier(scores: &LabelledScores, bins: usize) -> Result<Vec<Measure>, Undefined> {
    let of = brier_parts(scores, bins, Binning::EqualMass, Level::P95)?;
    let part = |name: &str, value: f64, interval: Interval, what: &str| Measure {
        interval: Some(interval),
        ..Measure::new(name, value, scores.n(), format!("{what}; {} interval", interval.method.name()))
    };
    Ok(vec![
        part(
            "brier_reliability",
            of.reliability,
            of.reliability_interval,
            "part of the Brier score that recalibration would remove (Murphy)",
        ),
        part(
            "brier_resolution",
            of.resolution,
            of.resolution_interval,
            "part of the Brier score that telling rows apart removes (Murphy)",
        ),
        part(
            "brier_uncertainty",
            of.uncertainty,
            of.uncertainty_interval,
            "Brier score of always saying the overall share (Murphy)",
        ),
    ])
}

fn corp(of: &CorpDiagram, parts: &CorpIntervals) -> [Measure; 2] {
    let simulated = format!("interval from {REPLICATES} samples of the recalibrated scores");
    let removed = format!("part of the Brier score that isotonic recalibration removes (CORP); {simulated}");
    let told =
        format!("by how much recalibrated scores beat always saying the overall share (CORP); {simulated}");
    [
        Measure {
            expected_by_chance: Some(of.expected_if_calibrated),
            p_value: Some(of.p_value),
            ..measure("miscalibration", &parts.miscalibration, removed)
        },
        measure("discrimination", &parts.discrimination, told),
    ]
}

fn curve(of: &CorpDiagram) -> Vec<CurvePoint> {
    of.curve
        .iter()
        .map(|point| CurvePoint {
            at: point.score,
            value: point.recalibrated,
            lower: point.lower,
            upper: point.upper,
        })
        .collect()
}
