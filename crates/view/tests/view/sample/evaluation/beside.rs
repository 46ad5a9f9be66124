//! What stands beside the findings that every check makes: thresholds, curves, gaps, intersections.

use stats::interval::IntervalMethod;
use types::Verdict;
use types::detail::{Averages, CalibrationDetail, ClassRow, CurvePoint, GapRow, QuantileRow, ThresholdRow};
use types::finding::{Detail, Measure, SegmentRow};

use super::super::{interval, measure, segment_measure};
use super::with_interval;

/// Decision thresholds of the week, a false alarm costing 1 and a miss 3.
pub(crate) fn averages() -> Detail {
    let row = |i: u32| {
        let threshold = f64::from(i) / 40.0;
        let recall = (1.0 - threshold).powf(2.1);
        let false_positive_rate = (1.0 - threshold).powf(4.6) * (1.0 - threshold * 0.2);
        let selected = 0.208 * recall + 0.792 * false_positive_rate;
        ThresholdRow {
            threshold,
            recall,
            recall_interval: None,
            false_positive_rate,
            false_positive_rate_interval: None,
            precision: (i < 40).then(|| 0.208 * recall / selected),
            precision_interval: None,
            predicted_positive_share: selected,
            predicted_positive_share_interval: None,
            cost: Some(3.0 * 0.208 * (1.0 - recall) + 0.792 * false_positive_rate),
            cost_interval: None,
        }
    };
    let thresholds: Vec<ThresholdRow> = (0..=40).map(row).collect();
    let cheapest =
        thresholds.iter().copied().min_by(|a, b| a.cost.unwrap_or(9.0).total_cmp(&b.cost.unwrap_or(9.0)));
    Detail::Averages(Box::new(Averages { classes: vec![], thresholds, in_use: Some(0.5), cheapest }))
}

/// Classes of a task that has several.
pub(crate) fn classes() -> Detail {
    let class = |name: &str, outcomes: u64, f1: f64| ClassRow {
        name: name.into(),
        outcomes,
        predictions: outcomes + 17,
        precision: Some(with_interval("precision", f1 + 0.04, 0.03, outcomes)),
        recall: Some(with_interval("recall", f1 - 0.03, 0.03, outcomes)),
        f1: Some(with_interval("f1", f1, 0.02, outcomes)),
        roc_auc: Some(with_interval("roc_auc", 0.6 + f1 / 4.0, 0.02, outcomes)),
        ece: (outcomes > 200).then(|| measure("ece", 0.021, outcomes, "ten bins")),
    };
    let classes =
        vec![class("on time", 4_324, 0.871), class("late", 998, 0.412), class("cancelled", 137, 0.301)];
    Detail::Averages(Box::new(Averages { classes, ..Averages::default() }))
}

pub(crate) fn calibration_detail() -> CalibrationDetail {
    let steps = [
        (0.01, 0.04),
        (0.05, 0.055),
        (0.08, 0.1),
        (0.12, 0.152),
        (0.17, 0.226),
        (0.22, 0.292),
        (0.3, 0.39),
        (0.4, 0.487),
        (0.52, 0.61),
        (0.66, 0.72),
        (0.8, 0.83),
        (0.914, 0.87),
    ];
    let curve = steps.iter().map(|(at, value)| {
        let half = 0.012 + 0.06 * at;
        CurvePoint { at: *at, value: *value, lower: (at - half).max(0.0), upper: (at + half).min(1.0) }
    });
    let gap = |column: &str, value: &str, rows: u64, said: f64, happened: f64, verdict| GapRow {
        column: column.into(),
        value: Some(value.into()),
        rows,
        score_mean: said,
        outcome_share: happened,
        gap: with_interval(
            "mean_score_less_outcome_share",
            said - happened,
            0.9 / (rows as f64).sqrt(),
            rows,
        ),
        verdict,
    };
    CalibrationDetail {
        curve: curve.collect(),
        gaps: vec![
            gap("carrier", "EV", 917, 0.181, 0.302, Verdict::Fail),
            gap("origin", "LGA", 1_802, 0.142, 0.221, Verdict::Warn),
            gap("carrier", "MQ", 431, 0.168, 0.231, Verdict::Warn),
            gap("origin", "JFK", 1_871, 0.161, 0.214, Verdict::Pass),
            gap("carrier", "DL", 841, 0.139, 0.148, Verdict::Pass),
            gap("carrier", "HA", 200, 0.121, 0.104, Verdict::Pass),
        ],
        quantiles: vec![],
    }
}

/// Predicted quantiles of a number.
pub(crate) fn quantiles() -> Detail {
    let row = |level: f64, covered: f64, verdict| QuantileRow {
        level,
        covered: Measure {
            interval: Some(interval(covered - 0.009, covered + 0.009, IntervalMethod::Wilson)),
            ..measure("quantile_coverage", covered, 5_459, "outcomes at or below it ÷ rows")
        },
        pinball: Some(measure("pinball_loss", 4.2 + level, 5_459, "mean pinball loss")),
        verdict,
    };
    let quantiles =
        vec![row(0.1, 0.094, Verdict::Pass), row(0.5, 0.521, Verdict::Pass), row(0.9, 0.861, Verdict::Warn)];
    Detail::Reliability {
        bins: vec![],
        more: Box::new(CalibrationDetail { quantiles, ..CalibrationDetail::default() }),
    }
}

/// Two segments at once, with estimates that few rows draw towards the others.
pub(crate) fn intersections() -> Vec<SegmentRow> {
    let row = |value: &str, rows: u64, auc: f64, verdict| {
        let half = 1.35 / (rows as f64).sqrt();
        let drawn = 0.702 + (auc - 0.702) * rows as f64 / (rows as f64 + 400.0);
        SegmentRow {
            column: "origin × carrier".into(),
            value: Some(value.into()),
            verdict: Some(verdict),
            rows,
            positives: Some(rows / 5),
            measure: Some(segment_measure(auc, auc - half, auc + half * 0.9, rows)),
            shrunken: Some(Measure { interval: None, ..segment_measure(drawn, drawn, drawn, rows) }),
            reason: None,
        }
    };
    vec![
        row("LGA × MQ", 211, 0.561, Verdict::Warn),
        row("LGA × DL", 402, 0.588, Verdict::Fail),
        row("EWR × EV", 640, 0.671, Verdict::Pass),
        row("JFK × B6", 611, 0.719, Verdict::Pass),
        row("EWR × UA", 702, 0.741, Verdict::Pass),
    ]
}
