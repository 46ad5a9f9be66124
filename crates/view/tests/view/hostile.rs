//! Reports that nobody hopes for: hostile names, empty and degenerate data. Nothing may panic and
//! nothing from the data may become markup.

use stats::interval::IntervalMethod;
use types::CheckId;
use types::Verdict;
use types::answer::Coverage;
use types::detail::AverageAndWorst;
use types::finding::{
    Detail, Distribution, DistributionBin, Finding, ReliabilityRow, SegmentRow, Subject, Unmeasured,
};
use types::report::CheckReport;
use view::{junit::junit, markdown::markdown, report::html};

use crate::sample::{self, finding, interval, measure};

pub(crate) const SCRIPT: &str = "<script>alert(1)</script>\"'&|`\n";

fn with(finding: Finding) -> CheckReport {
    CheckReport { findings: vec![finding], ..sample::report() }
}

fn about_model(check: CheckId, detail: Option<Detail>) -> Finding {
    let mut finding = finding(check, Subject::Model, Verdict::Fail, "s");
    finding.detail = detail;
    finding
}

fn distribution(bins: Vec<(String, f64, f64)>) -> Detail {
    let bins =
        bins.into_iter().map(|(label, reference, current)| DistributionBin { label, reference, current });
    Detail::Distribution(Distribution {
        of: None,
        bins: bins.collect(),
        method: None,
        reference_n: 0,
        current_n: u64::MAX,
        reference_missing: 0.0,
        current_missing: 1.0,
        reference_quantiles: vec![],
        current_quantiles: vec![],
    })
}

fn segments(values: usize) -> Detail {
    let rows = (0..values).map(|i| SegmentRow {
        column: "carrier".into(),
        value: Some(format!("value {i}")),
        verdict: Some(Verdict::Pass),
        rows: i as u64,
        positives: Some(0),
        measure: (i % 3 > 0).then(|| measure("roc_auc", 0.5, i as u64, "m")),
        shrunken: None,
        reason: None,
    });
    Detail::Segments { metric: "roc_auc".into(), overall: None, rows: rows.collect(), others: Vec::new() }
}

fn scores(bins: &[(f64, f64)]) -> Detail {
    let bins = bins.iter().map(|(min, max)| ReliabilityRow {
        score_min: *min,
        score_max: *max,
        score_mean: *min,
        outcome_share: *max,
        interval: interval(*min, *max, IntervalMethod::Wilson),
        n: 0,
    });
    Detail::Reliability { bins: bins.collect(), more: Box::default() }
}

/// All formats, which must come out whole; returns the page.
pub(crate) fn rendered(report: &CheckReport) -> String {
    let page = html(report);
    for broken in ["NaN%", "inf%", "\"NaN\"", "\"inf\"", "\"-inf\""] {
        assert!(!page.contains(broken), "a coordinate is {broken}");
    }
    assert!(page.ends_with("</html>"));
    assert!(junit(report).ends_with("</testsuites>\n"));
    assert!(!markdown(report).is_empty());
    page
}

#[test]
fn nothing_from_the_data_becomes_markup() {
    let subjects = [
        Subject::Feature { name: SCRIPT.into(), source: Some(SCRIPT.into()) },
        Subject::Segment { column: SCRIPT.into(), value: Some(SCRIPT.into()) },
        Subject::Score { name: SCRIPT.into() },
    ];
    let mut report = sample::report();
    report.system.name = Some(SCRIPT.into());
    report.system.purpose = Some(SCRIPT.into());
    report.system.owner = Some(SCRIPT.into());
    report.model = SCRIPT.into();
    report.program = SCRIPT.into();
    report.checkpoint = SCRIPT.into();
    report.datasets[0].name = SCRIPT.into();
    report.gates[0].gate = SCRIPT.into();
    report.gates[0].needs[0].reasons = vec![SCRIPT.into()];
    report.gates[0].needs[0].check = SCRIPT.into();
    for check in CheckId::ALL {
        for subject in &subjects {
            for detail in [distribution(vec![(SCRIPT.into(), 0.5, 0.5)]), segment_named(SCRIPT)] {
                report.findings.push(hostile_finding(check, subject.clone(), detail));
            }
        }
    }
    let page = rendered(&report);
    assert_eq!(page.matches("<script").count(), 1, "only our own script");
    assert!(!page.contains("alert(1)</script>"));
    assert!(!junit(&report).contains("<script"));
    assert!(!outside_code(&markdown(&report)).contains("<script"));
}

/// Markdown without its code spans, in which angle brackets are only text.
pub(crate) fn outside_code(text: &str) -> String {
    text.split("``").step_by(2).collect()
}

fn hostile_finding(check: CheckId, subject: Subject, detail: Detail) -> Finding {
    let mut finding = finding(check, subject, Verdict::Fail, SCRIPT);
    finding.measures = vec![measure(SCRIPT, 0.5, 1, SCRIPT)];
    finding.unmeasured = vec![Unmeasured { name: SCRIPT.into(), reason: SCRIPT.into() }];
    finding.detail = Some(detail);
    finding
}

fn segment_named(name: &str) -> Detail {
    let row = |value: Option<&str>| SegmentRow {
        column: name.into(),
        value: value.map(str::to_owned),
        verdict: Some(Verdict::Pass),
        rows: 1,
        positives: Some(1),
        measure: value.map(|_| measure(name, 0.5, 1, name)),
        shrunken: None,
        reason: Some(name.into()),
    };
    Detail::Segments {
        metric: name.into(),
        overall: Some(measure(name, 0.5, 1, name)),
        rows: vec![row(Some(name)), row(None)],
        others: vec![AverageAndWorst {
            overall: measure(name, 0.5, 1, name),
            column: name.into(),
            value: Some(name.into()),
            worst: measure(name, 0.5, 1, name),
        }],
    }
}

#[test]
fn every_shape_of_distribution_is_drawn() {
    let bins =
        |n: usize| (0..n).map(|i| (format!("{i} – {}", i + 1), 1.0 / n as f64, 0.0)).collect::<Vec<_>>();
    for of in [
        vec![],
        bins(1),
        bins(2),
        bins(60),
        bins(1000),
        vec![("≤ 0".into(), 0.0, 0.0)],
        vec![("x".repeat(3000), 1.0, 1.0)],
        vec![(String::new(), f64::MIN_POSITIVE, 0.0)],
    ] {
        rendered(&with(about_model(CheckId::Drift, Some(distribution(of)))));
    }
}

#[test]
fn two_hundred_segment_values_are_folded_after_twenty_five() {
    let page = rendered(&with(about_model(CheckId::WorstSegment, Some(segments(200)))));
    assert!(page.contains("175 more values of carrier"));
    rendered(&with(about_model(CheckId::WorstSegment, Some(segments(0)))));
    rendered(&with(about_model(CheckId::WorstSegment, Some(segments(1)))));
}

#[test]
fn a_hundred_columns_are_folded_after_twenty_five() {
    let mut report = sample::report();
    let one = report.findings[0].clone();
    report.findings = vec![one; 100];
    let page = rendered(&report);
    assert!(page.contains("75 more columns"));
    assert_eq!(page.matches("<details class=\"row\" open").count(), 8);
}

#[test]
fn every_shape_of_reliability_is_drawn() {
    for of in [&[][..], &[(0.0, 0.0)], &[(1.0, 1.0)], &[(0.5, 0.5); 60], &[(0.0, 1.0)], &[(-1.0, 7.0)]] {
        rendered(&with(about_model(CheckId::Calibration, Some(scores(of)))));
    }
}

#[test]
fn coverage_of_nothing_is_drawn() {
    rendered(&with(about_model(CheckId::Outcomes, Some(Detail::Coverage(Coverage::default())))));
}

#[test]
fn a_detail_that_does_not_belong_to_its_check_does_no_harm() {
    for check in CheckId::ALL {
        for detail in
            [distribution(vec![]), segments(3), scores(&[(0.1, 0.2)]), Detail::Coverage(Coverage::default())]
        {
            rendered(&with(about_model(check, Some(detail))));
        }
        rendered(&with(about_model(check, None)));
    }
}

#[test]
fn measures_of_any_size_are_drawn() {
    for value in [0.0, -1.0, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 1e-320] {
        for check in CheckId::ALL {
            let mut of = about_model(check, None);
            let mut measured = measure("psi", value, 0, "m");
            measured.interval = Some(interval(value, value, IntervalMethod::Wilson));
            measured.expected_by_chance = Some(value);
            of.measures = vec![measured];
            rendered(&with(of));
        }
    }
}
