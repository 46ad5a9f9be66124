//! Eight months of performance: six settled, one whose outcomes are arriving, one too early to say.

use jiff::Span;
use stats::interval::{Interval, IntervalMethod, Level};
use types::CheckId;
use types::finding::{
    Attribution, AttributionTerm, Detail, Finding, Maturity, MaturityState, Measure, SegmentRow, Subject,
    WindowPerformance,
};
use types::{Verdict, Window};

use super::super::{measure, threshold};
use super::noise;

/// From, to, realised and estimated ROC AUC.
const MONTHS: [(&str, &str, f64, f64); 8] = [
    ("2013-05-01", "2013-06-01", 0.724, 0.726),
    ("2013-06-01", "2013-07-01", 0.731, 0.728),
    ("2013-07-01", "2013-08-01", 0.735, 0.733),
    ("2013-08-01", "2013-09-01", 0.716, 0.724),
    ("2013-09-01", "2013-10-01", 0.694, 0.716),
    ("2013-10-01", "2013-11-01", 0.701, 0.711),
    ("2013-11-01", "2013-12-01", 0.712, 0.695),
    ("2013-12-01", "2014-01-01", 0.0, 0.681),
];

pub(crate) fn months() -> Vec<Finding> {
    MONTHS.iter().enumerate().map(|(slot, of)| month(slot, *of)).collect()
}

fn month(slot: usize, (from, to, realised, estimated): (&str, &str, f64, f64)) -> Finding {
    let window: Window = format!("{from}/{to}").parse().expect("a constant");
    let (state, coverage) = match slot {
        0..=5 => (MaturityState::Settled, 0.991),
        6 => (MaturityState::Maturing, 0.643),
        _ => (MaturityState::TooEarly, 0.012),
    };
    let verdict = match slot {
        7 => Verdict::Unknown,
        4 => Verdict::Fail,
        5 | 6 => Verdict::Warn,
        _ => Verdict::Pass,
    };
    let rows = if state == MaturityState::Maturing { 15_804 } else { 24_650 };
    let of = WindowPerformance {
        metric: "roc_auc".into(),
        maturity: Maturity {
            state,
            coverage,
            expected_coverage: [0.992, 0.71, 0.02][state as usize],
            delay_days: vec![0.12, 0.31, 1.4, 9.0, 32.0],
            own_delay_days: if state == MaturityState::Settled {
                vec![0.12, 0.3, 1.5, 9.2, 31.0]
            } else {
                vec![]
            },
            settled_by: window.to().checked_add(Span::new().hours(24 * 9)).ok(),
        },
        realised: (state != MaturityState::TooEarly).then(|| auc(realised, 0.0085, rows)),
        estimated: Some(auc(estimated, 0.006, 24_650)),
        estimated_for_shift: Some(auc(estimated - 0.009 * f64::from(slot > 2), 0.011, 24_650)),
        reference: Some(auc(0.728, 0.004, 104_211)),
        segments: if state == MaturityState::TooEarly { vec![] } else { segments(slot, realised) },
        attribution: (3..=6).contains(&slot).then(|| attribution(slot)),
    };
    Finding {
        summary: summary(state, realised, estimated),
        thresholds: vec![
            threshold("roc_auc", Some(0.65), None, "evaluate.performance"),
            threshold("loss_against_reference", None, Some(0.03), "evaluate.performance.max_drop"),
        ],
        detail: Some(Detail::Performance(Box::new(of))),
        ..Finding::blank(CheckId::PerformanceOverTime, Subject::Model, verdict, window)
    }
}

fn summary(state: MaturityState, realised: f64, estimated: f64) -> String {
    match state {
        MaturityState::Settled => format!(
            "With nearly all outcomes known, the model ranked flights with ROC AUC {realised:.3}; 0.728 in the reference."
        ),
        MaturityState::Maturing => format!(
            "Two thirds of the outcomes are known; those say {realised:.3}, and the estimate for the whole month is {estimated:.3}."
        ),
        MaturityState::TooEarly => format!(
            "Hardly any outcome is known yet. From the scores alone the ROC AUC is estimated at {estimated:.3}, which is less than in any month before."
        ),
    }
}

fn auc(value: f64, half: f64, n: u64) -> Measure {
    let mut of = measure("roc_auc", value, n, "all rows with an outcome");
    of.interval = Some(Interval {
        lower: value - half,
        upper: value + half * 0.95,
        level: Level::P95,
        method: IntervalMethod::DeLongLogit,
    });
    of
}

fn segments(slot: usize, overall: f64) -> Vec<SegmentRow> {
    let values = [
        ("origin", "LGA", 7_420, -0.018 - 0.012 * slot as f64),
        ("origin", "JFK", 8_210, 0.006),
        ("origin", "EWR", 9_020, 0.014),
        ("carrier", "B6", 3_820, -0.031),
        ("carrier", "MQ", 1_804, -0.028),
        ("carrier", "EV", 4_033, -0.012),
        ("carrier", "9E", 1_340, -0.006),
        ("carrier", "AA", 2_470, 0.004),
        ("carrier", "UA", 4_391, 0.012),
        ("carrier", "DL", 3_570, 0.024),
        ("carrier", "US", 1_508, 0.008),
        ("carrier", "WN", 903, 0.009),
        ("carrier", "VX", 384, 0.021),
        ("carrier", "HA", 31, 0.0),
        ("day_part", "later", 13_770, -0.021),
        ("day_part", "morning", 10_880, 0.018),
    ];
    let mut rows: Vec<SegmentRow> = values
        .iter()
        .map(|(column, value, n, apart)| segment(slot, column, value, *n, overall + apart))
        .collect();
    rows.sort_by(|a, b| lowest(a).total_cmp(&lowest(b)));
    rows
}

fn lowest(row: &SegmentRow) -> f64 {
    row.measure.as_ref().map_or(f64::INFINITY, |measure| measure.value)
}

fn segment(slot: usize, column: &str, value: &str, rows: u64, level: f64) -> SegmentRow {
    let at = level + noise(value, slot) * 0.4 / (rows as f64).sqrt();
    let half = 1.15 / (rows as f64).sqrt();
    let verdict = match at {
        at if at + half < 0.66 => Verdict::Fail,
        at if at - half < 0.62 => Verdict::Warn,
        _ => Verdict::Pass,
    };
    let enough = rows >= 200;
    SegmentRow {
        column: column.into(),
        value: Some(value.into()),
        verdict: Some(if enough { verdict } else { Verdict::Unknown }),
        rows,
        positives: Some(rows / 5),
        measure: enough.then(|| auc(at, half, rows)),
        shrunken: None,
        reason: (!enough).then(|| format!("too few rows with an outcome: {rows}, 200 are needed")),
    }
}

fn attribution(slot: usize) -> Attribution {
    let grow = f64::from(u32::try_from(slot).expect("small")) / 5.0;
    let term = |name: &str, change: f64, standard_error: f64| AttributionTerm {
        name: name.into(),
        change: change * grow,
        standard_error,
    };
    let terms = vec![
        term("outcome given inputs", 0.0084, 0.0016),
        term("fleet", 0.0041, 0.0009),
        term("weather", -0.0026, 0.0011),
        term("schedule", 0.0007, 0.0005),
        term("bookings", -0.0002, 0.0004),
    ];
    Attribution {
        of: "change of the mean Brier loss against the reference".into(),
        total: terms.iter().map(|term| term.change).sum(),
        terms,
        assumption: "Every combination of inputs in this window also occurred in the reference, and groups of features change independently of each other.".into(),
    }
}
