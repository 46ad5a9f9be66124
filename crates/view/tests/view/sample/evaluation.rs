//! What an evaluation adds to the week: slices, worst case, errors, rare cases, fairness, another version.

mod beside;
mod groups;
mod tail;

use stats::interval::IntervalMethod;
use types::CheckId;
use types::Verdict;
use types::detail::{
    CurvePoint, Driver, ErrorStructure, FoundSlices, RateRow, ResidualRow, SliceRow, Stretch, Subpopulation,
};
use types::finding::{Detail, Finding, Measure, Subject};
use types::report::CheckReport;

use super::{finding, interval, measure, threshold};

pub(crate) use beside::{averages, calibration_detail, intersections};
use beside::{classes, quantiles};

const ROWS: u64 = 5_459;

/// The findings of the checks that only an evaluation makes.
pub(crate) fn findings() -> Vec<Finding> {
    vec![slices(), worst_subpopulation(), errors(), tail::tail(), groups::fairness(), groups::comparison()]
}

/// A model that tells flights that are on time, late and cancelled.
pub(crate) fn of_classes() -> CheckReport {
    let mut report = super::report();
    report.findings.retain(|finding| matches!(finding.check, CheckId::Outcomes | CheckId::Performance));
    for finding in &mut report.findings {
        if finding.check == CheckId::Performance {
            finding.detail = Some(classes());
        }
    }
    report
}

/// A model that predicts delays in minutes.
pub(crate) fn of_numbers() -> CheckReport {
    let mut report = super::report();
    report.findings.retain(|finding| finding.check == CheckId::Outcomes);
    let mut calibration = finding(
        CheckId::Calibration,
        Subject::Model,
        Verdict::Warn,
        "The 90 % quantile is too low: 13.9 % of delays exceed it instead of 10 %.",
    );
    calibration.measures = vec![
        measure("coverage_gap", 0.039, ROWS, "largest distance over the predicted quantiles"),
        measure("interval_coverage", 0.781, ROWS, "outcomes between the 10 % and the 90 % quantile"),
        Measure { p_value: Some(0.0004), ..measure("pit_chi_square", 28.4, ROWS, "over 10 bins") },
    ];
    calibration.thresholds = vec![threshold("coverage_gap", None, Some(0.05), "evaluate.calibration")];
    calibration.detail = Some(quantiles());
    report.findings.push(calibration);
    let mut errors = with_measures(
        CheckId::Errors,
        Verdict::Fail,
        "Delays of evening flights are predicted too low by 6.2 minutes on average; 11 % of the errors can be foreseen.",
        &[("systematic_share", 0.112, Some((0.081, 0.143)))],
    );
    let residual = |column: &str, value: &str, at: f64, n: u64| ResidualRow {
        column: column.into(),
        value: Some(value.into()),
        residual: Measure { p_adjusted: Some(0.002), ..with_interval("mean_residual", at, 1.4, n) },
        flagged: at.abs() > 3.0,
    };
    errors.detail = Some(Detail::Errors(Box::new(ErrorStructure {
        drivers: drivers(&[("dep_hour", 0.44), ("origin", 0.21), ("carrier", 0.18), ("distance", 0.09)]),
        residuals: vec![
            residual("day_part", "evening", 6.2, 1_430),
            residual("carrier", "EV", 4.4, 917),
            residual("day_part", "morning", -3.9, 2_339),
            residual("origin", "EWR", 1.1, 1_786),
        ],
        levels: (0..10).map(|i| around(f64::from(i) * 7.0 - 5.0, 5.0 - f64::from(i) * 1.1, 1.3)).collect(),
        ..ErrorStructure::default()
    })));
    report.findings.push(errors);
    report
}

pub(super) fn around(at: f64, value: f64, half: f64) -> CurvePoint {
    CurvePoint { at, value, lower: value - half, upper: value + half }
}

pub(super) fn with_interval(name: &str, value: f64, half: f64, n: u64) -> Measure {
    Measure {
        interval: Some(interval(value - half, value + half, IntervalMethod::NormalOfMean)),
        ..measure(name, value, n, "mean over the rows")
    }
}

fn drivers(of: &[(&str, f64)]) -> Vec<Driver> {
    of.iter().map(|(name, weight)| Driver { name: (*name).into(), weight: *weight }).collect()
}

/// Name and value of a measure, and the ends of its interval.
pub(super) type Named = (&'static str, f64, Option<(f64, f64)>);

pub(super) fn with_measures(check: CheckId, verdict: Verdict, summary: &str, of: &[Named]) -> Finding {
    let mut finding = finding(check, Subject::Model, verdict, summary);
    let measures = of.iter().map(|(name, value, ends)| Measure {
        interval: ends.map(|(lower, upper)| interval(lower, upper, IntervalMethod::NormalOfMean)),
        ..measure(name, *value, ROWS, "rows with an outcome")
    });
    finding.measures = measures.collect();
    finding
}

fn slice(conditions: &[&str], rows: u64, loss: f64, p: f64) -> SliceRow {
    let half = 1.96 * (loss * (1.0 - loss) / rows as f64).sqrt();
    let average = 0.219;
    let confirmed = p < 0.05;
    SliceRow {
        conditions: conditions.iter().map(ToString::to_string).collect(),
        rows,
        share: rows as f64 / 2_729.0,
        mean_loss: Measure {
            interval: Some(interval(loss - half, loss + half, IntervalMethod::Wilson)),
            ..measure("wrong_share", loss, rows, "rows of the other half")
        },
        lift: Measure {
            interval: Some(interval(
                (loss - half) / average,
                (loss + half) / average,
                IntervalMethod::NormalOfLogarithm,
            )),
            p_value: Some(p / 10.0),
            p_adjusted: Some(p),
            ..measure("slice_lift", loss / average, rows, "mean loss ÷ that of all rows")
        },
        confirmed,
        verdict: match loss / average {
            lift if confirmed && lift > 2.0 => Verdict::Fail,
            _ if confirmed => Verdict::Warn,
            _ => Verdict::Pass,
        },
    }
}

fn slices() -> Finding {
    let mut finding = with_measures(
        CheckId::Slices,
        Verdict::Fail,
        "Evening flights from LGA with more than 20 minutes of taxiing are predicted wrongly 2.4 times as often as the average flight (52.1 % against 21.9 %). Look at what the model does not know about them before using it there.",
        &[],
    );
    let slices = vec![
        slice(&["origin = LGA", "dep_hour over 17", "taxi_minutes over 20"], 96, 0.521, 0.0004),
        slice(&["carrier = EV", "visib at most 4.0"], 71, 0.465, 0.0031),
        slice(&["origin = LGA", "dep_hour over 17"], 412, 0.391, 0.0002),
        slice(&["wind_speed over 23.0"], 188, 0.351, 0.012),
        slice(&["distance at most 229", "seats at most 55"], 143, 0.343, 0.034),
        slice(&["carrier = MQ", "humid is missing"], 58, 0.328, 0.21),
        slice(&["day_part = later", "temp at most 28.4"], 240, 0.283, 0.38),
    ];
    finding.measures = vec![
        slices[0].lift.clone(),
        Measure { name: "slice_mean_loss".into(), ..slices[0].mean_loss.clone() },
    ];
    finding.thresholds =
        vec![threshold("slice_lift", None, Some(2.0), "default of evaluate.slices.max_lift")];
    finding.owner = Some("ramp-operations".into());
    finding.detail = Some(Detail::Slices(FoundSlices {
        loss: "wrong_share".into(),
        overall: 0.219,
        overall_interval: Some(interval(0.204, 0.235, IntervalMethod::Wilson)),
        searched_rows: 2_730,
        judged_rows: 2_729,
        slices,
    }));
    finding
}

fn worst_subpopulation() -> Finding {
    let mut finding = with_measures(
        CheckId::WorstSubpopulation,
        Verdict::Warn,
        "Of any fifth of the flights, at most 44.6 % are predicted wrongly; that is 19 % more than in the reference. Most of the worst fifth are evening flights in poor weather.",
        &[
            ("worst_subpopulation_loss", 0.446, Some((0.413, 0.479))),
            ("reference_worst_subpopulation_loss", 0.374, Some((0.369, 0.379))),
        ],
    );
    finding.thresholds = vec![threshold(
        "worst_subpopulation_loss",
        None,
        Some(0.4675),
        "evaluate.worst_subpopulation.max_rise",
    )];
    let at = [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];
    let now = [0.588, 0.516, 0.478, 0.446, 0.401, 0.364, 0.332, 0.304, 0.279, 0.257, 0.238, 0.219];
    let before = [0.472, 0.421, 0.394, 0.374, 0.338, 0.309, 0.284, 0.263, 0.244, 0.227, 0.212, 0.198];
    finding.detail = Some(Detail::Subpopulation(Subpopulation {
        loss: "wrong_share".into(),
        share: Some(at[3]),
        curve: (0..12).map(|i| around(at[i], now[i], 0.011 + 0.022 * (1.0 - at[i]))).collect(),
        reference: (0..12).map(|i| around(at[i], before[i], 0.004)).collect(),
        drivers: drivers(&[
            ("dep_hour", 0.31),
            ("visib", 0.22),
            ("taxi_minutes", 0.17),
            ("carrier", 0.12),
            ("wind_speed", 0.08),
            ("seats", 0.04),
        ]),
    }));
    finding
}

fn rate(value: (&str, &str), kind: &str, own: f64, others: f64, n: u64) -> RateRow {
    let half = 1.96 * (own * (1.0 - own) / n as f64).sqrt();
    let flagged = (own - others).abs() > 0.1;
    RateRow {
        column: value.0.into(),
        value: Some(value.1.into()),
        rate: Measure {
            interval: Some(interval((own - half).max(0.0), own + half, IntervalMethod::Wilson)),
            p_adjusted: Some(if flagged { 0.003 } else { 0.4 }),
            ..measure(kind, own, n, "rows of the segment")
        },
        others,
        others_interval: Some(interval(others - 0.02, others + 0.02, IntervalMethod::Wilson)),
        others_n: Some(5_459 - n),
        flagged,
    }
}

fn errors() -> Finding {
    let mut finding = with_measures(
        CheckId::Errors,
        Verdict::Warn,
        "8.3 % of the variation of the errors could have been foreseen from the inputs, more than the 5.0 % allowed. Late flights from LGA are missed far more often than others.",
        &[
            ("systematic_share", 0.083, Some((0.061, 0.105))),
            ("error_auc", 0.634, Some((0.616, 0.652))),
            ("loss_autocorrelation", 0.061, Some((0.034, 0.088))),
            ("time_dispersion", 1.84, None),
        ],
    );
    finding.thresholds = vec![threshold(
        "systematic_share",
        None,
        Some(0.05),
        "default of evaluate.errors.systematic_at_most",
    )];
    let (lga, jfk, ewr) = (("origin", "LGA"), ("origin", "JFK"), ("origin", "EWR"));
    let (ev, mq, later, morning) =
        (("carrier", "EV"), ("carrier", "MQ"), ("day_part", "later"), ("day_part", "morning"));
    let kinds = ["false_positive_rate", "false_negative_rate"];
    let rows = [
        (lga, 0.061, 0.098, 0.842, 0.611, 1_430, 372),
        (ev, 0.213, 0.081, 0.574, 0.698, 690, 227),
        (later, 0.141, 0.041, 0.618, 0.781, 2_310, 810),
        (morning, 0.041, 0.141, 0.781, 0.618, 1_961, 378),
        (mq, 0.072, 0.089, 0.731, 0.682, 340, 91),
        (jfk, 0.094, 0.084, 0.655, 0.703, 1_430, 441),
        (ewr, 0.112, 0.078, 0.602, 0.732, 1_411, 375),
    ];
    finding.detail = Some(Detail::Errors(Box::new(ErrorStructure {
        drivers: drivers(&[("dep_hour", 0.38), ("origin", 0.24), ("taxi_minutes", 0.16), ("visib", 0.11)]),
        rates: rows
            .into_iter()
            .flat_map(|(value, fp, fp_others, fneg, fn_others, negatives, positives)| {
                [
                    rate(value, kinds[0], fp, fp_others, negatives),
                    rate(value, kinds[1], fneg, fn_others, positives),
                ]
            })
            .collect(),
        stretch: Some(Stretch {
            from: "2013-12-05T14:00:00Z".into(),
            to: "2013-12-06T02:00:00Z".into(),
            rows: 402,
            mean_loss: 0.361,
            p_value: 0.0004,
        }),
        over_time: [
            0.201, 0.188, 0.224, 0.197, 0.209, 0.231, 0.193, 0.248, 0.342, 0.301, 0.226, 0.204, 0.187, 0.199,
            0.212, 0.183,
        ]
        .iter()
        .enumerate()
        .map(|(i, loss)| around(16_041.0 + (i as f64 + 0.5) * 7.0 / 16.0, *loss, 0.044))
        .collect(),
        ..ErrorStructure::default()
    })));
    finding
}
