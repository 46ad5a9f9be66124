//! The week's drift findings: a cold spell, a weather feed with holes, another mix of carriers.

use types::CheckId;
use types::Verdict;
use types::finding::{
    Detail, Distribution, DistributionBin, Finding, Measure, MethodChoice, Subject, Threshold, Unmeasured,
};

use super::{finding, measure, threshold};

/// Name, source, how far the distribution moves, missing now, PSI, p adjusted.
type Column = (&'static str, Option<&'static str>, f64, f64, f64, f64);

const COLUMNS: [Column; 21] = [
    ("temp", Some("weather"), -3.4, 0.118, 0.912, 0.0),
    ("dewp", Some("weather"), -2.6, 0.118, 0.634, 0.0),
    ("precip", Some("weather"), 1.9, 0.118, 0.322, 0.0002),
    ("schedule_lead_days", Some("bookings"), 1.7, 0.0, 0.281, 0.0004),
    ("visib", Some("weather"), -1.5, 0.118, 0.214, 0.0011),
    ("month_of_year_sin", None, 1.3, 0.0, 0.187, 0.0021),
    ("humid", Some("weather"), 1.2, 0.118, 0.163, 0.0038),
    ("p_delayed", None, 1.0, 0.0, 0.131, 0.0061),
    ("wind_speed", Some("weather"), 0.5, 0.118, 0.044, 0.031),
    ("wind_gust_last_six_hours_at_destination", Some("weather"), 0.4, 0.121, 0.039, 0.044),
    ("pressure", Some("weather"), 0.4, 0.118, 0.037, 0.062),
    ("seats", Some("fleet"), 0.3, 0.014, 0.022, 0.18),
    ("distance", Some("schedule"), 0.2, 0.0, 0.014, 0.31),
    ("air_time_planned", Some("schedule"), 0.2, 0.0, 0.013, 0.33),
    ("hour", Some("schedule"), 0.1, 0.0, 0.009, 0.52),
    ("day_of_week", Some("schedule"), 0.1, 0.0, 0.008, 0.55),
    ("flights_same_hour", Some("schedule"), 0.1, 0.0, 0.008, 0.57),
    ("plane_age", Some("fleet"), 0.1, 0.021, 0.007, 0.61),
    ("engines", Some("fleet"), 0.0, 0.014, 0.004, 0.78),
    ("wind_dir", Some("weather"), 0.0, 0.131, 0.004, 0.81),
    ("minute", Some("schedule"), 0.0, 0.0, 0.003, 0.92),
];

pub(super) fn drift() -> Vec<Finding> {
    let mut findings: Vec<Finding> = COLUMNS.iter().map(|column| numeric_drift(*column)).collect();
    findings.insert(3, carriers());
    findings.push(classes());
    findings.push(unmeasured_column());
    findings.push(constant_column());
    findings
}

fn numeric_drift(of: Column) -> Finding {
    let (name, source, moved, missing, psi, p) = of;
    let verdict = if psi > 0.25 {
        Verdict::Fail
    } else if psi > 0.1 {
        Verdict::Warn
    } else {
        Verdict::Pass
    };
    let summary = match verdict {
        Verdict::Fail => format!(
            "`{name}` has changed a lot since the reference window, far more than chance explains. Find out whether the world or the feed changed before trusting the scores."
        ),
        Verdict::Warn => format!(
            "`{name}` has changed noticeably. Worth a look; no action is needed if the season explains it."
        ),
        _ => format!("`{name}` looks as it did in the reference window."),
    };
    let subject = if name == "p_delayed" {
        Subject::Score { name: name.into() }
    } else {
        Subject::Feature { name: name.into(), source: source.map(str::to_owned) }
    };
    let mut finding = finding(CheckId::Drift, subject, verdict, &summary);
    finding.measures = drift_measures(psi, p, moved);
    finding.thresholds = drift_thresholds();
    finding.detail = Some(Detail::Distribution(bell(moved, missing)));
    finding
}

fn drift_measures(psi: f64, p: f64, moved: f64) -> Vec<Measure> {
    let mut headline = measure("psi", psi, 5_871, "quantile bins of the reference, pseudocount ½");
    headline.expected_by_chance = Some(0.0034);
    let mut jensen_shannon = measure("jensen_shannon", (psi / 8.0).sqrt(), 5_871, "same bins, base 2");
    jensen_shannon.expected_by_chance = Some(0.021);
    let mut wasserstein =
        measure("wasserstein", moved.abs() * 4.1, 5_871, "between the sketches' distribution functions");
    wasserstein.error_bound = 0.012;
    let mut kolmogorov_smirnov = measure(
        "kolmogorov_smirnov",
        psi.sqrt() / 2.5,
        5_871,
        "largest distance of the distribution functions; asymptotic",
    );
    kolmogorov_smirnov.p_value = Some(p / 4.0);
    kolmogorov_smirnov.p_adjusted = Some(p);
    vec![headline, kolmogorov_smirnov, jensen_shannon, wasserstein]
}

pub(super) fn drift_thresholds() -> Vec<Threshold> {
    vec![
        threshold("psi above chance and what is usual (fail)", None, Some(0.25), "monitor.drift.fail"),
        threshold("psi above chance and what is usual (warn)", None, Some(0.1), "monitor.drift.warn"),
        threshold("missing_share_change, unseen_share", None, Some(0.1), "monitor.drift.share_fail"),
        threshold("expected share of false alarms", None, Some(0.01), "monitor.drift.false_alarms"),
    ]
}

/// Eleven bins of equal mass, of which the current window fills others.
fn bell(moved: f64, missing: f64) -> Distribution {
    let edges = [14.0, 24.1, 30.9, 35.1, 39.0, 42.1, 46.0, 51.1, 57.0, 66.9];
    let weight = |i: f64| (-((i - 5.0 - moved) / 3.2).powi(2)).exp();
    let total: f64 = (0..11).map(|i| weight(f64::from(i))).sum();
    let flat: f64 = (0..11).map(|i| (-((f64::from(i) - 5.0) / 3.2).powi(2)).exp()).sum();
    let label = |i: usize| match i {
        0 => "≤ 14.0".into(),
        10 => "> 66.9".into(),
        _ => format!("{:.1} – {:.1}", edges[i - 1], edges[i]),
    };
    let bins = (0..11).map(|i| DistributionBin {
        label: label(i),
        reference: (-((i as f64 - 5.0) / 3.2).powi(2)).exp() / flat,
        current: weight(i as f64) / total,
    });
    Distribution {
        of: None,
        bins: bins.collect(),
        method: Some(MethodChoice {
            name: "psi".into(),
            reason: "a number with 812 different values: bins at quantiles of the reference".into(),
        }),
        reference_n: 108_432,
        current_n: 5_178,
        reference_missing: if missing > 0.1 { 0.0041 } else { missing },
        current_missing: missing,
        reference_quantiles: vec![],
        current_quantiles: vec![],
    }
}

pub(super) const CARRIERS: [(&str, f64, f64, u64, f64); 16] = [
    ("UA", 0.178, 0.164, 1_011, 0.713),
    ("B6", 0.163, 0.121, 842, 0.701),
    ("EV", 0.161, 0.203, 917, 0.688),
    ("DL", 0.139, 0.142, 841, 0.724),
    ("AA", 0.101, 0.098, 602, 0.709),
    ("MQ", 0.079, 0.071, 431, 0.668),
    ("US", 0.060, 0.094, 560, 0.702),
    ("9E", 0.055, 0.041, 251, 0.679),
    ("WN", 0.034, 0.039, 233, 0.716),
    ("VX", 0.014, 0.016, 96, 0.731),
    ("FL", 0.011, 0.002, 14, 0.0),
    ("AS", 0.002, 0.003, 16, 0.0),
    ("F9", 0.002, 0.004, 24, 0.0),
    ("YV", 0.002, 0.002, 11, 0.0),
    ("HA", 0.001, 0.001, 7, 0.0),
    ("OO", 0.0001, 0.0, 0, 0.0),
];

fn carriers() -> Finding {
    let subject = Subject::Feature { name: "carrier".into(), source: Some("schedule".into()) };
    let mut finding = finding(
        CheckId::Drift,
        subject,
        Verdict::Fail,
        "The mix of carriers has changed: EV and US fly more, B6 less. If routes were reassigned, the reference window should be renewed.",
    );
    finding.measures = drift_measures(0.296, 0.0003, 0.0);
    finding.measures.truncate(2);
    finding.thresholds = drift_thresholds();
    let bins = CARRIERS.iter().map(|(name, reference, current, ..)| DistributionBin {
        label: (*name).into(),
        reference: *reference,
        current: *current,
    });
    finding.detail = Some(Detail::Distribution(Distribution {
        of: None,
        bins: bins.collect(),
        method: None,
        reference_n: 108_874,
        current_n: 5_871,
        reference_missing: 0.0,
        current_missing: 0.0,
        reference_quantiles: vec![],
        current_quantiles: vec![],
    }));
    finding
}

fn classes() -> Finding {
    let mut finding = finding(
        CheckId::Drift,
        Subject::PredictedClass,
        Verdict::Pass,
        "The model raises about as many alarms as before.",
    );
    finding.measures = drift_measures(0.006, 0.64, 0.0);
    finding.measures.truncate(1);
    finding.thresholds = drift_thresholds();
    let bins = [("0", 0.871, 0.858), ("1", 0.129, 0.142)]
        .map(|(label, reference, current)| DistributionBin { label: label.into(), reference, current });
    finding.detail = Some(Detail::Distribution(Distribution {
        of: None,
        bins: bins.to_vec(),
        method: None,
        reference_n: 108_874,
        current_n: 5_871,
        reference_missing: 0.0,
        current_missing: 0.0,
        reference_quantiles: vec![],
        current_quantiles: vec![],
    }));
    finding
}

fn unmeasured_column() -> Finding {
    let subject = Subject::Feature { name: "runway_temp".into(), source: Some("sensors".into()) };
    let mut finding = finding(
        CheckId::Drift,
        subject,
        Verdict::Unknown,
        "`runway_temp` could not be compared: the current window has only 61 values and 100 are needed. Check the sensors feed.",
    );
    finding.unmeasured = vec![Unmeasured {
        name: "psi".into(),
        reason: "61 of 5,871 rows have a value; 100 are needed".into(),
    }];
    finding
}

fn constant_column() -> Finding {
    let subject = Subject::Feature { name: "year".into(), source: Some("schedule".into()) };
    let mut finding = finding(
        CheckId::Drift,
        subject,
        Verdict::Pass,
        "`year` is constant, as it was in the reference window.",
    );
    finding.measures = vec![measure("psi", 0.0, 5_871, "one value")];
    let bins = vec![DistributionBin { label: "2013".into(), reference: 1.0, current: 1.0 }];
    finding.detail = Some(Detail::Distribution(Distribution {
        of: None,
        bins,
        method: None,
        reference_n: 108_874,
        current_n: 5_871,
        reference_missing: 0.0,
        current_missing: 0.0,
        reference_quantiles: vec![],
        current_quantiles: vec![],
    }));
    finding
}
