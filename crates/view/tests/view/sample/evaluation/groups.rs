//! Groups of people, and another version of the model.

use stats::interval::IntervalMethod;
use types::CheckId;
use types::Verdict;
use types::detail::{
    ComparisonDetail, CriterionRow, FairnessDetail, GroupRow, PairRow, PairedSlice, RateWithInterval,
};
use types::finding::{Detail, Finding, Measure};

use super::super::{interval, measure, threshold};
use super::{with_interval, with_measures};

pub(super) fn fairness() -> Finding {
    let mut finding = with_measures(
        CheckId::Fairness,
        Verdict::Fail,
        "Passengers over 65 get a warning 0.71 times as often as those from 26 to 45, below the 0.80 of the four-fifths rule. Their flights are late less often, so decide which criterion is the right one here.",
        &[
            ("demographic_parity_ratio", 0.71, Some((0.64, 0.78))),
            ("demographic_parity_difference", 0.053, Some((0.038, 0.068))),
        ],
    );
    finding.thresholds = vec![threshold(
        "demographic_parity_ratio",
        Some(0.8),
        None,
        "default of evaluate.fairness (four-fifths rule)",
    )];
    finding.owner = Some("Compliance, Dr. Amara Diallo".into());
    finding.detail = Some(Detail::Fairness(Box::new(FairnessDetail {
        groups: vec![
            group("age_group", "18 – 25", 812, 171, [0.164, 0.321, 0.122, 0.412]),
            group("age_group", "26 – 45", 2_204, 491, [0.183, 0.344, 0.137, 0.419]),
            group("age_group", "46 – 65", 1_690, 352, [0.159, 0.316, 0.117, 0.418]),
            group("age_group", "over 65", 753, 121, [0.130, 0.298, 0.098, 0.368]),
            group("sex", "female", 2_811, 588, [0.166, 0.328, 0.123, 0.413]),
            group("sex", "male", 2_648, 547, [0.161, 0.322, 0.119, 0.414]),
        ],
        criteria: vec![
            criterion("demographic_parity", 0.053, 0.71, Some(Verdict::Fail)),
            criterion("equal_opportunity", 0.046, 0.866, None),
            criterion("predictive_equality", 0.039, 0.715, None),
            criterion("equalized_odds", 0.046, 0.715, Some(Verdict::Pass)),
            criterion("predictive_parity", 0.051, 0.878, None),
            CriterionRow {
                column: "age_group".into(),
                criterion: "treatment_equality".into(),
                difference: None,
                ratio: None,
                lowest: None,
                highest: None,
                reason: Some("too few false positives in over 65: 62, 100 are needed".into()),
                verdict: Some(Verdict::Unknown),
            },
        ],
        metrics: Vec::new(),
    })));
    finding
}

fn rate(value: f64, n: u64) -> RateWithInterval {
    let half = 1.96 * (value * (1.0 - value) / n as f64).sqrt();
    let interval = Some(interval(value - half, value + half, IntervalMethod::Wilson));
    RateWithInterval { value, interval, n }
}

fn group(column: &str, value: &str, rows: u64, positives: u64, of: [f64; 4]) -> GroupRow {
    let [selected, found, alarms, right] = of;
    GroupRow {
        column: column.into(),
        value: Some(value.into()),
        rows,
        positives,
        selection_rate: Some(rate(selected, rows)),
        true_positive_rate: Some(rate(found, positives)),
        false_positive_rate: Some(rate(alarms, rows - positives)),
        precision: Some(rate(right, (rows as f64 * selected) as u64)),
        calibration_gap: Some(RateWithInterval {
            value: -0.05 - selected / 10.0,
            interval: Some(interval(
                -0.09 - selected / 10.0,
                -0.01 - selected / 10.0,
                IntervalMethod::NormalOfMean,
            )),
            n: rows,
        }),
        // Nothing was promised to anybody, and it happened.
        expected_over_observed: Some(RateWithInterval { value: 0.0, interval: None, n: rows }),
    }
}

fn criterion(name: &str, difference: f64, ratio: f64, verdict: Option<Verdict>) -> CriterionRow {
    CriterionRow {
        column: "age_group".into(),
        criterion: name.into(),
        difference: Some(with_interval(&format!("{name}_difference"), difference, 0.015, 5_459)),
        ratio: Some(with_interval(&format!("{name}_ratio"), ratio, 0.07, 5_459)),
        lowest: Some("over 65".into()),
        highest: Some("26 – 45".into()),
        reason: None,
        verdict,
    }
}

pub(super) fn comparison() -> Finding {
    let mut finding = with_measures(
        CheckId::Comparison,
        Verdict::Warn,
        "This version is wrong less often than 2013.01 (21.9 % against 23.1 %), but more often on flights from LGA after 17:00. Decide whether the gain is worth that loss.",
        &[("loss_difference", -0.012, Some((-0.019, -0.005)))],
    );
    finding.detail = Some(Detail::Comparison(Box::new(ComparisonDetail {
        other: "2013.01".into(),
        loss: "wrong_share".into(),
        metrics: vec![
            pair("roc_auc", 0.702, 0.689, 0.009),
            pair("accuracy", 0.781, 0.769, 0.007),
            pair("brier", 0.158, 0.163, 0.003),
            pair("recall", 0.314, 0.317, 0.016),
        ],
        wins: 381,
        ties: 4_762,
        losses: 316,
        slices: vec![
            slice("origin = LGA and dep_hour over 17", 826, 0.391, 0.352, 0.017, Verdict::Fail),
            slice("carrier = EV", 917, 0.254, 0.241, 0.018, Verdict::Pass),
            slice("origin = JFK", 1_871, 0.204, 0.221, 0.011, Verdict::Pass),
            slice("day_part = morning", 2_339, 0.147, 0.171, 0.010, Verdict::Pass),
        ],
    })));
    finding
}

fn pair(name: &str, this: f64, other: f64, half: f64) -> PairRow {
    PairRow {
        name: name.into(),
        this,
        this_interval: None,
        other,
        other_interval: None,
        difference: with_interval(&format!("{name}_difference"), this - other, half, 5_459),
        reason: None,
    }
}

fn slice(label: &str, rows: u64, this: f64, other: f64, half: f64, verdict: Verdict) -> PairedSlice {
    let p = if verdict == Verdict::Fail { 0.0009 } else { 0.31 };
    let difference =
        Measure { p_adjusted: Some(p), ..with_interval("loss_difference", this - other, half, rows) };
    PairedSlice {
        label: label.into(),
        found: label.contains(" and "),
        rows,
        this,
        this_interval: with_interval("wrong_share", this, 0.02, rows).interval,
        other,
        other_interval: None,
        wins: rows / 9,
        ties: rows - rows / 9 - rows / 7,
        losses: rows / 7,
        difference: Measure { method: measure("", 0.0, 0, "paired rows").method, ..difference },
        verdict,
    }
}
