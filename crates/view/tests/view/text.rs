//! Markdown and JUnit XML.

use types::CheckId;
use types::Verdict;
use types::report::CheckReport;
use view::{junit::junit, markdown::markdown, monitoring};

use crate::sample;

/// One finding of each verdict, few enough to read.
fn short() -> CheckReport {
    let mut report = sample::report();
    let mut seen = Vec::new();
    report.findings.retain(|finding| {
        let keep = finding.check == CheckId::Drift && !seen.contains(&finding.verdict);
        seen.push(finding.verdict);
        keep
    });
    report
}

#[test]
fn markdown_reads_well() {
    insta::assert_snapshot!(markdown(&short()));
}

#[test]
fn junit_reads_well() {
    insta::assert_snapshot!(junit(&short()));
}

#[test]
fn every_row_of_a_table_has_its_five_cells() {
    let mut report = short();
    report.findings[0].summary = "a | b \\| c".into();
    let text = markdown(&report);
    for row in text.lines().filter(|line| line.starts_with('|')) {
        let escaped = row.replace("\\\\", "").replace("\\|", "");
        assert_eq!(escaped.matches('|').count(), 6, "{row}");
    }
}

#[test]
fn a_comment_stays_below_what_code_hosts_accept() {
    let mut report = sample::report();
    let mut long = report.findings[0].clone();
    long.summary = "word ".repeat(2000);
    report.findings = vec![long; 500];
    assert!(markdown(&report).chars().count() < 65_000);
}

#[test]
fn junit_counts_unknown_as_a_failure_and_a_warning_as_a_pass() {
    let text = junit(&short());
    assert!(text.contains("tests=\"4\" failures=\"2\""));
    assert!(text.contains("<failure type=\"unknown\""));
    assert_eq!(text.matches("<system-out>").count(), 1);
    assert!(!text.contains("skipped=\"1\""));
}

#[test]
fn junit_survives_control_characters() {
    let mut report = short();
    report.findings[0].summary = "bell \u{7} nul \u{0} end ]]> <&>".into();
    let text = junit(&report);
    assert!(text.chars().all(|c| !c.is_control() || c == '\n'));
    assert!(text.contains("bell \u{fffd} nul \u{fffd} end ]]&gt; &lt;&amp;&gt;"));
}

#[test]
fn formats_agree_on_the_number_of_findings() {
    let mut report = sample::report();
    // Without the short tables of evaluations, each row is a finding.
    report.findings.iter_mut().for_each(|finding| finding.detail = None);
    assert_eq!(junit(&report).matches("<testcase ").count(), report.findings.len());
    let rows = markdown(&report).lines().filter(|line| line.starts_with("| ")).count();
    assert_eq!(rows, report.findings.len() + 2, "and two heads");
    let failing = report.count(Verdict::Fail);
    assert!(markdown(&report).contains(&format!("❌ {failing} fail")));
}

/// What only an evaluation finds.
fn evaluated() -> CheckReport {
    let mut report = sample::report();
    report.findings = sample::evaluation::findings();
    report.gates.clear();
    report
}

#[test]
fn markdown_of_an_evaluation_reads_well() {
    insta::assert_snapshot!(markdown(&evaluated()));
}

#[test]
fn junit_of_an_evaluation_reads_well() {
    insta::assert_snapshot!(junit(&evaluated()));
}

/// Two columns and the last four months, few enough to read.
fn short_over_time() -> types::monitor_report::MonitorReport {
    let mut report = sample::over_time::monitor_report();
    report.drift.retain(|column| ["temp", "seats"].contains(&column.subject.label().as_str()));
    report.performance.drain(..4);
    report
}

#[test]
fn monitoring_over_time_reads_well() {
    insta::assert_snapshot!(monitoring::markdown(&short_over_time()));
}

#[test]
fn a_long_monitoring_report_stays_below_what_code_hosts_accept() {
    let mut report = sample::over_time::sized(52, 400);
    report.changes = vec!["word ".repeat(2000); 40];
    let text = monitoring::markdown(&report);
    assert!(text.chars().count() < 65_000, "{}", text.chars().count());
    assert!(text.contains("more columns; the HTML report has them all"));
}

#[test]
fn a_monitored_window_says_what_was_estimated_beside_what_came_true() {
    let mut report = sample::report();
    report
        .findings
        .retain(|finding| matches!(finding.check, CheckId::PerformanceOverTime | CheckId::Multivariate));
    let text = markdown(&report);
    assert!(
        text.contains(
            "from outcomes: ROC AUC 0.712 (0.704 – 0.720), estimated: ROC AUC 0.695 (0.689 – 0.701)"
        )
    );
    assert!(text.contains("maturing: 64.3 % of outcomes known, 71 % expected by now"));
    assert!(text.contains("domain classifier AUC 0.742"));
    let text = junit(&report);
    assert!(text.contains("estimated: ROC AUC 0.695 (0.689 – 0.701)\nestimated for its inputs"));
    assert!(text.contains("without seats: auc lower by 0.094"));
}
