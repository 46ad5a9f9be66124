//! Monitoring reports that nobody hopes for: hostile names, lists of the wrong length, numbers of any size.

use types::CheckId;
use types::finding::{
    Attribution, AttributionTerm, Detail, Distribution, DistributionBin, FeatureWeight, Finding, Maturity,
    MaturityState, Measure, SegmentRow, Subject, Unmeasured, WindowPerformance,
};
use types::monitor_report::{ColumnHistory, MonitorReport};
use types::{Verdict, Window};
use view::monitoring::{html, markdown};

use crate::sample::over_time::monitor_report;
use crate::sample::{interval, measure};
use stats::interval::IntervalMethod;

const SCRIPT: &str = "<script>alert(1)</script>\"'&|`\n";
const SIZES: [f64; 9] =
    [0.0, -1.0, 1.0, f64::MAX, f64::MIN, f64::MIN_POSITIVE, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

/// Both formats, which must come out whole; returns the page.
fn rendered(report: &MonitorReport) -> String {
    let page = html(report);
    let shapes = ["rect", "path", "line", "circle", "text", "use"];
    let tags = page.split('<').filter(|tag| shapes.iter().any(|shape| tag.starts_with(shape)));
    for tag in tags.filter_map(|tag| tag.split('>').next()) {
        assert!(!["NaN", "inf"].iter().any(|broken| tag.contains(broken)), "a coordinate is broken in {tag}");
    }
    assert!(page.ends_with("</html>"));
    assert!(!markdown(report).is_empty());
    page
}

fn window() -> Window {
    "2013-06-03/2013-06-10".parse().expect("a constant")
}

fn finding(check: CheckId, verdict: Verdict, detail: Option<Detail>) -> Finding {
    Finding { detail, ..Finding::blank(check, Subject::Model, verdict, window()) }
}

fn hostile(check: CheckId, detail: Detail) -> Finding {
    Finding {
        summary: SCRIPT.into(),
        measures: vec![measure(SCRIPT, 0.5, 1, SCRIPT)],
        unmeasured: vec![Unmeasured { name: SCRIPT.into(), reason: SCRIPT.into() }],
        ..finding(check, Verdict::Fail, Some(detail))
    }
}

fn distribution(label: &str, share: f64, quantiles: Vec<f64>) -> Detail {
    Detail::Distribution(Distribution {
        of: None,
        bins: vec![DistributionBin { label: label.into(), reference: share, current: share }],
        method: None,
        reference_n: 1,
        current_n: 1,
        reference_missing: share,
        current_missing: share,
        reference_quantiles: quantiles.clone(),
        current_quantiles: quantiles,
    })
}

fn performance(name: &str, value: f64) -> Detail {
    let mut of: Measure = measure(name, value, 1, name);
    of.interval = Some(interval(value, value, IntervalMethod::Wilson));
    let row = |value: Option<&str>, of: Option<Measure>| SegmentRow {
        column: name.into(),
        value: value.map(str::to_owned),
        verdict: None,
        rows: 1,
        positives: Some(1),
        measure: of,
        shrunken: None,
        reason: Some(name.into()),
    };
    Detail::Performance(Box::new(WindowPerformance {
        metric: name.into(),
        maturity: Maturity {
            state: MaturityState::Maturing,
            coverage: value,
            expected_coverage: value,
            delay_days: vec![value; 5],
            own_delay_days: vec![value; 5],
            settled_by: None,
        },
        realised: Some(of.clone()),
        estimated: Some(of.clone()),
        estimated_for_shift: Some(of.clone()),
        reference: Some(of.clone()),
        segments: vec![row(Some(name), Some(of)), row(None, None)],
        attribution: Some(Attribution {
            of: name.into(),
            total: value,
            terms: vec![AttributionTerm { name: name.into(), change: value, standard_error: value }],
            assumption: name.into(),
        }),
    }))
}

fn together(name: &str, value: f64) -> Detail {
    Detail::Multivariate { features: vec![FeatureWeight { name: name.into(), auc_drop: value }] }
}

#[test]
fn nothing_from_the_data_becomes_markup() {
    let mut report = monitor_report();
    report.system.name = Some(SCRIPT.into());
    report.system.purpose = Some(SCRIPT.into());
    report.system.owner = Some(SCRIPT.into());
    report.model = SCRIPT.into();
    report.against = SCRIPT.into();
    report.program = SCRIPT.into();
    report.checkpoint = SCRIPT.into();
    report.changes = vec![SCRIPT.into()];
    report.datasets[0].name = SCRIPT.into();
    report.gates[0].gate = SCRIPT.into();
    report.gates[0].needs[0].check = SCRIPT.into();
    let subject = Subject::Feature { name: SCRIPT.into(), source: Some(SCRIPT.into()) };
    for quantiles in [vec![], vec![1.0; 5]] {
        let of = hostile(CheckId::Drift, distribution(SCRIPT, 0.5, quantiles));
        report.drift.insert(0, ColumnHistory { subject: subject.clone(), findings: vec![Some(of); 35] });
    }
    report.multivariate = vec![Some(hostile(CheckId::Multivariate, together(SCRIPT, 0.5))); 35];
    report.performance = vec![hostile(CheckId::PerformanceOverTime, performance(SCRIPT, 0.5)); 3];
    report.quality = vec![hostile(CheckId::Quality, together(SCRIPT, 0.5))];
    let page = rendered(&report);
    assert_eq!(page.matches("<script").count(), 1, "only our own script");
    assert!(!page.contains("alert(1)</script>"));
    let outside_code: String = markdown(&report).split("``").step_by(2).collect();
    assert!(!outside_code.contains("<script"));
}

#[test]
fn numbers_of_any_size_are_drawn() {
    for value in SIZES {
        let mut report = monitor_report();
        let mut drift =
            finding(CheckId::Drift, Verdict::Fail, Some(distribution("a", value, vec![value; 5])));
        drift.measures = vec![measure("psi", value, 0, "m")];
        drift.measures[0].expected_by_chance = Some(value);
        let subject = Subject::Outcome;
        report.drift = vec![
            ColumnHistory { subject: subject.clone(), findings: vec![Some(drift); 35] },
            ColumnHistory {
                subject,
                findings: vec![
                    Some(finding(
                        CheckId::Drift,
                        Verdict::Pass,
                        Some(distribution("b", value, vec![]))
                    ));
                    35
                ],
            },
        ];
        let mut at_once = finding(CheckId::Multivariate, Verdict::Fail, Some(together("a", value)));
        at_once.measures = vec![measure("domain_classifier_auc", value, 0, "m")];
        report.multivariate = vec![Some(at_once); 35];
        report.performance =
            vec![
                finding(CheckId::PerformanceOverTime, Verdict::Warn, Some(performance("roc_auc", value)));
                3
            ];
        rendered(&report);
    }
}

#[test]
fn lists_of_the_wrong_length_do_no_harm() {
    let whole = monitor_report();
    for keep in [0, 1, 34, 35] {
        let mut report = whole.clone();
        report.windows.truncate(keep);
        rendered(&report);
        let mut report = whole.clone();
        report.multivariate.truncate(keep);
        for column in &mut report.drift {
            column.findings.truncate(keep);
        }
        rendered(&report);
    }
}

#[test]
fn a_detail_that_does_not_belong_to_its_check_does_no_harm() {
    for detail in [
        None,
        Some(distribution("a", 0.5, vec![])),
        Some(together("a", 0.1)),
        Some(performance("brier", 0.1)),
    ] {
        let mut report = monitor_report();
        let of = finding(CheckId::Drift, Verdict::Unknown, detail);
        report.drift = vec![ColumnHistory { subject: Subject::Log, findings: vec![Some(of.clone()); 35] }];
        report.multivariate = vec![Some(of.clone()); 35];
        report.performance = vec![of.clone(); 2];
        report.quality = vec![of];
        rendered(&report);
    }
}

#[test]
fn a_metric_of_which_less_is_better_is_worse_when_it_is_higher() {
    let mut report = monitor_report();
    let mut detail = performance("brier", 0.1);
    if let Detail::Performance(of) = &mut detail {
        let mut high = measure("brier", 0.2, 900, "m");
        high.interval = Some(interval(0.18, 0.22, IntervalMethod::Wilson));
        of.segments.truncate(1);
        of.segments[0].measure = Some(high);
    }
    report.performance = vec![finding(CheckId::PerformanceOverTime, Verdict::Pass, Some(detail))];
    let page = rendered(&report);
    let segments = page.split("<section id=\"segments\"").nth(1).unwrap();
    assert!(segments.contains("clearly worse than all rows in 1 of 1 windows"));
}
