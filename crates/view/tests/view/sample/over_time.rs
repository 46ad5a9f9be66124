//! Eight months of the flight-delay model, as monitoring would report them: seasons, a weather feed
//! that stops and comes back with holes, another fleet, a mix of carriers that slowly changes.

mod performance;

use std::time::Duration;

use stats::interval::{Interval, IntervalMethod, Level};
use types::CheckId;
use types::definition::Cadence;
use types::finding::{
    Detail, Distribution, DistributionBin, FeatureWeight, Finding, Sequential, Subject, Unmeasured,
};
use types::monitor_report::{ColumnHistory, FORMAT, Look, MonitorReport};
use types::{Verdict, Window, window};

use super::{CARRIERS, drift_thresholds, measure, threshold};

/// Thirty-five weeks from 2013-05-06 on, over twenty-seven columns.
pub(crate) fn monitor_report() -> MonitorReport {
    sized(35, 0)
}

/// As many weeks, and quiet columns beside the usual ones.
pub(crate) fn sized(weeks: u32, more_columns: usize) -> MonitorReport {
    let check = super::report();
    let windows = weeks_from("2013-05-06", weeks);
    let mut drift: Vec<ColumnHistory> = COLUMNS.iter().map(|of| history(of, &windows)).collect();
    drift.push(carriers(&windows));
    drift.push(classes(&windows));
    for i in 0..more_columns {
        drift.push(history(column(&format!("quiet_{i}"), Some("archive"), 10.0, 2.0, Story::Calm), &windows));
    }
    drift.sort_by_key(|column| {
        std::cmp::Reverse(column.findings.last().and_then(Option::as_ref).map(|last| last.verdict))
    });
    MonitorReport {
        format: FORMAT,
        program: check.program,
        at: window::parse_instant("2014-01-07T06:00:09Z").expect("a constant"),
        as_of: window::parse_instant("2014-01-07").expect("a constant"),
        system: check.system,
        model: check.model,
        task: check.task,
        cadence: Cadence::Week,
        against: "2013-01-01/2013-05-01".into(),
        reference: check.reference,
        definition: check.definition,
        datasets: check.datasets.clone(),
        gates: check.gates,
        changes: vec![
            "`engines` went from pass to warn, and `carrier` stays on fail: EV and US fly more than before, B6 less.".into(),
            "The values of `humid` are still missing in 11.8 % of rows, as in each of the last eleven weeks.".into(),
            "The estimated ROC AUC of December fell from 0.695 to 0.681; the outcomes of October have settled at 0.701.".into(),
        ],
        multivariate: multivariate(&windows),
        windows,
        drift,
        performance: performance::months(),
        quality: super::quality(),
        quality_look: Some(Look {
            at: window::parse_instant("2014-01-07T06:00:09Z").expect("a constant"),
            datasets: check.datasets.clone(),
        }),
        files_read: 1,
        files: 36,
        checkpoint: check.checkpoint,
    }
}

fn weeks_from(monday: &str, weeks: u32) -> Vec<Window> {
    let first = window::parse_instant(monday).expect("a constant");
    let week = Duration::from_hours(7 * 24);
    let at = |i: u32| first.checked_add(week * i).expect("in range");
    (0..weeks).map(|i| Window::new(at(i), at(i + 1)).expect("a week")).collect()
}

/// What happens to a column.
#[derive(Clone, Copy)]
enum Story {
    Calm,
    /// Away from the reference in summer by as many standard deviations, and back in winter.
    Season(f64),
    /// Another level from a week on.
    Step(usize, f64),
    /// Slowly, to as many standard deviations.
    Trend(f64),
    /// Values go missing from a week on.
    Holes(usize, f64),
}

struct Column {
    name: String,
    source: Option<&'static str>,
    mean: f64,
    spread: f64,
    story: Story,
}

fn column(name: &str, source: Option<&'static str>, mean: f64, spread: f64, story: Story) -> Column {
    Column { name: name.into(), source, mean, spread, story }
}

type Row = (&'static str, Option<&'static str>, f64, f64, Story);

const COLUMNS: [Row; 25] = [
    ("temp", Some("weather"), 38.2, 9.4, Story::Season(3.1)),
    ("dewp", Some("weather"), 24.6, 11.2, Story::Season(2.4)),
    ("humid", Some("weather"), 59.0, 16.0, Story::Holes(24, 0.118)),
    ("visib", Some("weather"), 9.1, 1.8, Story::Season(0.35)),
    ("pressure", Some("weather"), 1017.4, 7.1, Story::Season(-0.3)),
    ("precip", Some("weather"), 0.004, 0.019, Story::Calm),
    ("wind_speed", Some("weather"), 11.3, 5.2, Story::Season(-0.42)),
    ("wind_dir", Some("weather"), 214.0, 98.0, Story::Calm),
    ("wind_gust_last_six_hours_at_destination", Some("weather"), 19.0, 7.5, Story::Holes(24, 0.062)),
    ("seats", Some("fleet"), 137.0, 70.0, Story::Step(15, 0.62)),
    ("engines", Some("fleet"), 2.0, 0.1, Story::Step(15, 0.34)),
    ("plane_age", Some("fleet"), 9.8, 5.4, Story::Trend(0.58)),
    ("plane_year", Some("fleet"), 2003.2, 5.4, Story::Trend(-0.41)),
    ("p_delayed", None, 0.21, 0.14, Story::Season(0.36)),
    ("schedule_lead_days", Some("bookings"), 61.0, 24.0, Story::Trend(0.37)),
    ("load_factor", Some("bookings"), 0.82, 0.11, Story::Season(0.29)),
    ("distance", Some("schedule"), 1040.0, 733.0, Story::Calm),
    ("air_time_planned", Some("schedule"), 150.0, 93.0, Story::Calm),
    ("hour", Some("schedule"), 13.2, 4.7, Story::Calm),
    ("minute", Some("schedule"), 26.2, 19.3, Story::Calm),
    ("day_of_week", Some("schedule"), 3.9, 2.0, Story::Calm),
    ("flights_same_hour", Some("schedule"), 22.0, 9.0, Story::Season(0.2)),
    ("flights_same_day", Some("schedule"), 305.0, 21.0, Story::Trend(-0.22)),
    ("previous_delay", Some("operations"), 6.2, 31.0, Story::Calm),
    ("turnaround_planned", Some("operations"), 54.0, 18.0, Story::Calm),
];

/// A number in [−1, 1) that looks like chance and is the same every time.
fn noise(name: &str, slot: usize) -> f64 {
    let seed: u32 = name.bytes().fold(17, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
    let x = (f64::from(seed % 10_007) * 12.9898 + slot as f64 * 78.233).sin() * 43_758.545;
    (x - x.floor()) * 2.0 - 1.0
}

/// By how many standard deviations a column has moved, and what share of it is missing.
fn moved(story: Story, slot: usize, of: usize) -> (f64, f64) {
    let time = slot as f64 / of.max(1) as f64;
    match story {
        Story::Calm => (0.0, 0.0),
        Story::Season(most) => (most * (time * 1.35 * std::f64::consts::PI).sin().max(-0.4), 0.004),
        Story::Step(from, size) => (if slot >= from { size } else { 0.0 }, 0.014),
        Story::Trend(most) => (most * time, 0.0),
        Story::Holes(from, share) => (0.1, if slot >= from { share } else { 0.004 }),
    }
}

/// The weather feed stopped for two weeks, and few rows came in a third.
fn outage(column: &Column, slot: usize) -> Option<Verdict> {
    match (column.source, slot) {
        (Some("weather"), 20) => None,
        (Some("weather"), 21) => Some(Verdict::Unknown),
        _ => Some(Verdict::Pass),
    }
}

fn history(of: impl Into<Column>, windows: &[Window]) -> ColumnHistory {
    let of = of.into();
    let subject = match of.name.as_str() {
        "p_delayed" => Subject::Score { name: of.name.clone() },
        _ => Subject::Feature { name: of.name.clone(), source: of.source.map(str::to_owned) },
    };
    let mut log_e = 0.0;
    let findings = windows.iter().enumerate().map(|(slot, window)| {
        let base = Finding::blank(CheckId::Drift, subject.clone(), outage(&of, slot)?, *window);
        if base.verdict == Verdict::Unknown {
            return Some(unknown(base));
        }
        let (shift, missing) = moved(of.story, slot, windows.len());
        let shift = shift + noise(&of.name, slot) * 0.09;
        let mut finding = judged(base, shift * shift, missing, slot, &mut log_e);
        finding.detail = Some(Detail::Distribution(bell(&of, shift, missing)));
        Some(finding)
    });
    ColumnHistory { findings: findings.collect(), subject }
}

impl From<&Row> for Column {
    fn from((name, source, mean, spread, story): &Row) -> Self {
        column(name, *source, *mean, *spread, *story)
    }
}

fn unknown(mut finding: Finding) -> Finding {
    let name = finding.subject.label();
    finding.summary =
        format!("Whether `{name}` drifted is not known: 61 of 5,871 rows have a value; 100 are needed.");
    finding.unmeasured = vec![Unmeasured {
        name: "psi".into(),
        reason: "61 of 5,871 rows have a value; 100 are needed".into(),
    }];
    finding
}

fn judged(mut finding: Finding, above: f64, missing: f64, slot: usize, log_e: &mut f64) -> Finding {
    let name = finding.subject.label();
    *log_e = (*log_e + above * 60.0 + missing * 90.0 - 0.9).clamp(-4.0, 500.0);
    let adjusted = (27.0 * (-*log_e).exp()).min(1.0);
    let significant = adjusted <= 0.01;
    let (verdict, summary) = if significant && (above > 0.25 || missing > 0.1) {
        (
            Verdict::Fail,
            format!(
                "`{name}` has changed a lot, far more than chance explains. Find out whether the world or the feed changed before trusting the scores."
            ),
        )
    } else if significant && (above > 0.1 || missing > 0.05) {
        (
            Verdict::Warn,
            format!(
                "`{name}` has changed noticeably. Worth a look; no action is needed if the season explains it."
            ),
        )
    } else {
        (Verdict::Pass, format!("`{name}` looks as it did before."))
    };
    (finding.verdict, finding.summary) = (verdict, summary);
    let mut psi = measure("psi", above + 0.004, 5_871, "quantile bins of the reference, pseudocount ½");
    psi.expected_by_chance = Some(0.0034);
    finding.measures = vec![psi];
    finding.thresholds = drift_thresholds();
    finding.sequential = Some(Sequential {
        every: Cadence::Week,
        windows: slot as u64 + 1,
        log_e_value: *log_e,
        adjusted,
        streams: vec![],
    });
    finding
}

fn bell(of: &Column, shift: f64, missing: f64) -> Distribution {
    let quantiles = |mean: f64| [-1.645, -0.674, 0.0, 0.674, 1.645].map(|z| mean + z * of.spread).to_vec();
    let bin = |label: String, current: f64| DistributionBin { label, reference: 0.5, current };
    Distribution {
        of: None,
        bins: vec![
            bin(format!("≤ {}", of.mean), 0.5 - shift / 10.0),
            bin(format!("> {}", of.mean), 0.5 + shift / 10.0),
        ],
        method: None,
        reference_n: 108_432,
        current_n: 5_178,
        reference_missing: missing.min(0.014),
        current_missing: missing,
        reference_quantiles: quantiles(of.mean),
        current_quantiles: quantiles(of.mean + shift * of.spread),
    }
}

/// A column of categories with their shares in the reference and at the end of the story.
fn mix(subject: &Subject, of: &[(&str, f64, f64)], windows: &[Window]) -> ColumnHistory {
    let mut log_e = 0.0;
    let findings = windows.iter().enumerate().map(|(slot, window)| {
        let time = slot as f64 / windows.len() as f64;
        let bins: Vec<DistributionBin> = of
            .iter()
            .map(|(label, reference, end)| {
                let current = (reference + (end - reference) * time) * (1.0 + noise(label, slot) * 0.04);
                DistributionBin { label: (*label).into(), reference: *reference, current }
            })
            .collect();
        let psi: f64 =
            bins.iter().map(|bin| (bin.current - bin.reference) * (bin.current / bin.reference).ln()).sum();
        let base = Finding::blank(CheckId::Drift, subject.clone(), Verdict::Pass, *window);
        let mut finding = judged(base, psi, 0.0, slot, &mut log_e);
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
        Some(finding)
    });
    ColumnHistory { findings: findings.collect(), subject: subject.clone() }
}

fn carriers(windows: &[Window]) -> ColumnHistory {
    let subject = Subject::Feature { name: "carrier".into(), source: Some("schedule".into()) };
    let known = CARRIERS.iter().filter(|(_, reference, current, ..)| *reference > 0.001 && *current > 0.0);
    let shares: Vec<(&str, f64, f64)> = known
        .map(|(name, reference, current, ..)| (*name, *reference, reference + (current - reference) * 2.4))
        .map(|(name, reference, current)| (name, reference, current.max(0.001)))
        .collect();
    mix(&subject, &shares, windows)
}

fn classes(windows: &[Window]) -> ColumnHistory {
    mix(&Subject::PredictedClass, &[("0", 0.871, 0.858), ("1", 0.129, 0.142)], windows)
}

fn multivariate(windows: &[Window]) -> Vec<Option<Finding>> {
    windows
        .iter()
        .enumerate()
        .map(|(slot, window)| {
            let (season, _) = moved(Story::Season(0.3), slot, windows.len());
            let auc = 0.56 + season.abs() + noise("auc", slot) * 0.012;
            let fleet = if slot >= 15 { 0.22 } else { 0.0 };
            (slot != 20).then(|| together(*window, auc, 1.02 + fleet + noise("pca", slot) * 0.03))
        })
        .collect()
}

fn together(window: Window, auc: f64, error: f64) -> Finding {
    let verdict = if auc > 0.8 {
        Verdict::Fail
    } else if auc > 0.7 {
        Verdict::Warn
    } else {
        Verdict::Pass
    };
    let interval =
        |lower, upper| Interval { lower, upper, level: Level::P95, method: IntervalMethod::DeLongLogit };
    let mut classifier = measure("domain_classifier_auc", auc, 11_742, "gradient-boosted trees, five folds");
    classifier.interval = Some(interval(auc - 0.014, auc + 0.014));
    classifier.expected_by_chance = Some(0.5);
    let mut pca = measure("pca_reconstruction_error", error, 5_871, "65 % of the variance kept");
    pca.interval = Some(interval(error - 0.035, error + 0.035));
    pca.expected_by_chance = Some(1.0);
    Finding {
        summary: "A classifier tells rows of this week from those of the reference, mostly by the fleet and by the weather. Look at `seats` and `temp` together.".into(),
        measures: vec![classifier, pca],
        thresholds: vec![
            threshold("domain_classifier_auc", None, Some(0.8), "monitor.multivariate.auc_fail"),
        ],
        detail: Some(Detail::Multivariate {
            features: [("seats", 0.094), ("temp", 0.061), ("plane_age", 0.032), ("engines", 0.021), ("humid", 0.012), ("carrier", 0.008), ("hour", -0.001)]
                .map(|(name, auc_drop)| FeatureWeight { name: name.into(), auc_drop }).to_vec(),
        }),
        ..Finding::blank(CheckId::Multivariate, Subject::Model, verdict, window)
    }
}

/// The two checks of monitoring that a check report can hold as well.
pub(crate) fn in_a_check() -> Vec<Finding> {
    let together = together(super::current(), 0.742, 1.21);
    let mut performance = performance::months().swap_remove(6);
    performance.window = super::current();
    vec![together, performance]
}
