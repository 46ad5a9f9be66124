//! Predicted quantiles: do as many outcomes lie below each as it promises?

use stats::interval::Level;
use stats::regression::quantiles::{QuantileCalibration, QuantileOutcomes, quantile_calibration};
use types::cases::Outputs;
use types::detail::{CalibrationDetail, QuantileRow};
use types::format::{counted, percent};
use types::performance::{Limit, without_failed_to};
use types::{CheckId, Detail, Finding, Measure, Verdict};

use super::distance;
use crate::rows::{Rows, quantile_levels};
use crate::{blank, unknown};

const NAME: &str = "coverage_gap";

pub(super) fn judge(rows: &Rows<'_>) -> Finding {
    let scope = rows.scope;
    let computed = match rows.too_few() {
        Some(reason) => Err(reason),
        None => calibrated(rows),
    };
    let of = match computed {
        Ok(of) => of,
        Err(reason) => {
            let summary = format!("Whether predicted quantiles keep their promise is not known: {reason}.");
            return unknown(scope, CheckId::Calibration, summary);
        }
    };
    let needed = scope.definition.evaluate.min_rows;
    if of.n < needed {
        let summary = format!(
            "Whether predicted quantiles keep their promise is not known: {} all quantiles and an outcome, \
             {needed} are needed (evaluate.min_rows).",
            counted(of.n, "row has", "rows have")
        );
        return unknown(scope, CheckId::Calibration, summary);
    }
    let limit = Limit::AtMost(scope.definition.evaluate.calibration.coverage_gap_at_most);
    let quantiles: Vec<QuantileRow> = of
        .levels
        .iter()
        .map(|level| {
            let covered = Measure {
                interval: Some(level.below.interval),
                expected_by_chance: Some(level.nominal),
                p_value: Some(level.p_value),
                ..Measure::new(
                    "covered_share",
                    level.below.value,
                    level.below.n,
                    "share of outcomes at or below the predicted quantile",
                )
            };
            let pinball = level.pinball.as_ref().map(|loss| {
                Measure {
                    interval: Some(loss.interval),
                    ..Measure::new("pinball_loss", loss.value, loss.n, "mean pinball loss of the quantile")
                }
                .without_empty_interval()
            });
            let verdict = limit.verdict(&gap(&covered, level.nominal));
            QuantileRow { level: level.nominal, covered, pinball, verdict }
        })
        .collect();
    let worst = quantiles.iter().max_by(|a, b| {
        let size = |row: &QuantileRow| (row.covered.value - row.level).abs();
        a.verdict.cmp(&b.verdict).then(size(a).total_cmp(&size(b)))
    });
    let Some(worst) = worst else {
        return unknown(scope, CheckId::Calibration, "No quantile is predicted.".into());
    };
    let mut finding = blank(scope, CheckId::Calibration, worst.verdict);
    finding.summary = summary(worst, &of, limit, rows);
    finding.measures.push(gap(&worst.covered, worst.level));
    finding.measures.extend(outer(&of));
    finding.measures.push(Measure {
        expected_by_chance: Some(of.degrees_of_freedom as f64),
        p_value: Some(of.p_value),
        ..Measure::new(
            "pit_chi_square",
            of.statistic,
            of.n,
            "outcomes between neighbouring quantiles against what they promise; of a test, so with a p-value and no interval",
        )
    });
    finding.thresholds.push(limit.threshold(NAME, "evaluate.calibration.coverage_gap_at_most"));
    let more = CalibrationDetail { quantiles, ..CalibrationDetail::default() };
    finding.detail = Some(Detail::Reliability { bins: Vec::new(), more: Box::new(more) });
    finding
}

fn calibrated(rows: &Rows<'_>) -> Result<QuantileCalibration, String> {
    let levels: Vec<f64> = quantile_levels(rows.scope).into_iter().map(|(level, _)| level).collect();
    let Outputs::Regression { outcomes, .. } = &rows.cases.outputs else {
        return Err("only a regression task predicts quantiles".into());
    };
    let mut met = QuantileOutcomes::new(&levels).map_err(|error| without_failed_to(&error))?;
    met.extend(outcomes.iter().enumerate().map(|(row, &outcome)| {
        let predicted: Vec<f64> = (0..levels.len()).map(|at| rows.also(at)[row]).collect();
        (predicted, outcome)
    }));
    // All levels are looked at together.
    let level = Level::P95.for_each_of(levels.len());
    quantile_calibration(&met, level).map_err(|error| without_failed_to(&error))
}

/// How far a share is from what was promised, with what its interval makes of that.
fn gap(covered: &Measure, nominal: f64) -> Measure {
    let interval = covered.interval.map(|of| distance(covered.value, of, nominal).1);
    Measure {
        interval,
        expected_by_chance: Some(0.0),
        p_value: covered.p_value,
        ..Measure::new(
            NAME,
            (covered.value - nominal).abs(),
            covered.n,
            "distance of the share of outcomes below a predicted quantile from its promise, the worst of all quantiles",
        )
    }
}

/// The share of outcomes between the lowest and the highest quantile.
fn outer(of: &QuantileCalibration) -> Option<Measure> {
    let (low, high) = (of.levels.first()?, of.levels.last()?);
    let promised = high.nominal - low.nominal;
    (promised > 0.0).then(|| Measure {
        interval: Some(of.inside.interval),
        expected_by_chance: Some(promised),
        ..Measure::new(
            "interval_coverage",
            of.inside.value,
            of.n,
            format!("share of outcomes between the quantiles {} and {}", low.nominal, high.nominal),
        )
    })
}

fn summary(worst: &QuantileRow, of: &QuantileCalibration, limit: Limit, rows: &Rows<'_>) -> String {
    let mut words = format!(
        "The predicted {} quantile has {} of outcomes below it.",
        percent(worst.level),
        percent(worst.covered.value)
    );
    let most = percent(limit.value());
    words.push_str(&match worst.verdict {
        Verdict::Fail => {
            format!(" That is surely off by more than {most}: do not plan with these quantiles.")
        }
        Verdict::Pass => format!(" No quantile is off by more than {most}."),
        Verdict::Warn | Verdict::Unknown => {
            format!(" Whether it is off by more than {most} cannot be told from so few rows.")
        }
    });
    if of.crossed > 0 {
        words.push_str(&format!(
            " {} quantiles that cross each other.",
            counted(of.crossed, "row has", "rows have")
        ));
    }
    if of.left_out > 0 {
        words.push_str(&format!(
            " {} not counted, for lack of a quantile.",
            counted(of.left_out, "row is", "rows are")
        ));
    }
    format!("{words}{}", rows.sampled_words())
}
