//! Monitoring over time as an HTML page.

use types::definition::Cadence;
use types::finding::{Detail, Finding, MaturityState, Sequential, Threshold, Unmeasured, WindowPerformance};
use types::monitor_report::MonitorReport;
use types::{Measure, Verdict, window};
use view::monitoring::html;

use crate::sample::over_time::{monitor_report, sized};

fn section<'a>(page: &'a str, id: &str) -> &'a str {
    let start = page.find(&format!("<section id=\"{id}\"")).unwrap_or_else(|| panic!("no section {id}"));
    let end = page[start..].find("</section>").expect("it ends");
    &page[start..start + end]
}

/// The heat map's row of a column.
fn row<'a>(page: &'a str, column: &str) -> &'a str {
    let rows = section(page, "drift").split("<tr>");
    rows.into_iter().find(|row| row.contains(&format!("title=\"{column}\""))).expect("a row")
}

fn performance(finding: &mut Finding) -> &mut WindowPerformance {
    match &mut finding.detail {
        Some(Detail::Performance(of)) => of,
        _ => panic!("a finding about performance"),
    }
}

#[test]
fn the_page_is_complete_in_itself() {
    let page = html(&monitor_report());
    for fetching in
        ["http:", "https:", "//cdn", "url(", "@import", "src=", "<iframe", "<img", "fetch(", "XMLHttpRequest"]
    {
        assert!(!page.contains(fetching), "the page contains {fetching}");
    }
    for link in page.match_indices("href=\"").map(|(at, _)| &page[at + 6..]) {
        assert!(link.starts_with('#') || link.starts_with("data:,\""), "a link leads out of the page");
    }
}

#[test]
fn every_link_and_every_mark_inside_the_page_has_its_target() {
    let page = html(&monitor_report());
    let links = page.match_indices("href=\"#").map(|(at, _)| &page[at + 7..]);
    for link in links.filter_map(|rest| rest.split('"').next()) {
        assert!(page.contains(&format!("id=\"{link}\"")), "#{link} leads nowhere");
    }
}

#[test]
fn a_column_of_which_only_the_missing_share_changed_has_no_distance_and_says_what_that_is() {
    let mut report = monitor_report();
    let last = report.drift[0].findings.last_mut().unwrap().as_mut().unwrap();
    let change = Measure::new("missing_share_change", -1.0, 5_000, "difference of shares");
    last.measures = vec![Measure { expected_by_chance: Some(0.0), ..change }];
    if let Some(Detail::Distribution(of)) = &mut last.detail {
        of.method = None;
    }
    let label = report.drift[0].subject.label();
    let page = html(&report);
    let row = row(&page, &label);
    assert!(row.contains("missing share change −100 %") && !row.contains("−1.000"), "{row}");
    let markdown = view::monitoring::markdown(&report);
    assert!(markdown.contains("| missing share change −100 % |"), "{markdown}");
}

#[test]
fn the_map_has_a_row_for_each_column_and_a_cell_for_each_window() {
    let report = monitor_report();
    let page = html(&report);
    assert_eq!((report.drift.len(), report.windows.len()), (27, 35));
    for column in &report.drift {
        assert_eq!(row(&page, &column.subject.label()).matches("<g class=\"hit\"").count(), 35);
    }
}

#[test]
fn each_verdict_has_a_mark_that_is_not_its_colour() {
    let report = monitor_report();
    let page = html(&report);
    for column in &report.drift {
        let row = row(&page, &column.subject.label());
        for (mark, of) in [
            ("#mark-fail", Some(Verdict::Fail)),
            ("#mark-warn", Some(Verdict::Warn)),
            ("#mark-unknown", Some(Verdict::Unknown)),
            ("#mark-nothing", None),
        ] {
            let expected =
                column.findings.iter().filter(|finding| finding.as_ref().map(|of| of.verdict) == of);
            assert_eq!(row.matches(mark).count(), expected.count(), "{mark} of {}", column.subject.label());
        }
    }
}

#[test]
fn an_alarm_is_marked_exactly_where_it_is_within_the_budget() {
    let report = monitor_report();
    let page = html(&report);
    for column in &report.drift {
        let within = |finding: &&Finding| finding.sequential.as_ref().is_some_and(|of| of.adjusted <= 0.01);
        let expected = column.findings.iter().flatten().filter(within).count();
        let drawn = row(&page, &column.subject.label()).matches("class=\"stands\"").count();
        assert_eq!(drawn, expected, "{}", column.subject.label());
    }
}

#[test]
fn a_window_without_data_does_not_end_an_alarm() {
    let report = monitor_report();
    let temp = report.drift.iter().find(|column| column.subject.label() == "temp").unwrap();
    assert!(temp.findings[20].is_none(), "the feed stopped");
    let first = temp
        .findings
        .iter()
        .flatten()
        .find(|of| of.sequential.as_ref().is_some_and(|of| of.adjusted <= 0.01));
    let since = window::instant_text(first.unwrap().window.from());
    assert!(
        section(&html(&report), "drift")
            .contains(&format!("<code>temp</code> since <span class=\"date\">{since}</span>"))
    );
}

#[test]
fn a_cell_says_when_how_much_by_chance_and_what_is_missing() {
    let page = html(&monitor_report());
    let row = row(&page, "humid");
    let last = row.rsplit("<title>").next().unwrap();
    for said in [
        "humid\n2013-12-30 to 2014-01-06: fail",
        "PSI 0.0",
        "0.0034 expected by chance",
        "missing 1.4 % → 11.8 %",
        "adjusted significance &lt; 0.001: has surely changed",
    ] {
        assert!(last.contains(said), "{said} in {last}");
    }
    assert!(row.contains("2013-09-23 to 2013-09-30: no data"));
    assert!(row.contains("61 of 5,871 rows have a value; 100 are needed"));
}

#[test]
fn quiet_columns_are_folded_where_there_are_many() {
    let report = sized(52, 73);
    let page = html(&report);
    let drift = section(&page, "drift");
    let shown = drift.split("<details").next().unwrap();
    assert_eq!(report.drift.len(), 100);
    assert!(!shown.contains("quiet_"), "no quiet column is shown");
    assert!(shown.contains("title=\"temp\""));
    assert!(drift.contains("more columns"));
    assert_eq!(drift.matches("<svg class=\"heat\"").count(), 100);
}

#[test]
fn a_map_of_only_quiet_columns_shows_ten_of_them() {
    let mut report = sized(5, 60);
    report.drift.retain(|column| column.subject.label().starts_with("quiet_"));
    let page = html(&report);
    let shown = section(&page, "drift").split("<details").next().unwrap();
    assert_eq!(shown.matches("<svg class=\"heat\"").count(), 10);
    assert!(page.contains("50 more columns") && page.contains("50 of them passed in every window"));
}

#[test]
fn a_gap_in_time_parts_the_lines_of_a_fan() {
    let page = html(&monitor_report());
    let charts = section(&page, "distributions");
    let of = |name: &str| {
        let chart =
            charts.split("<figure").find(|chart| chart.contains(&format!("title=\"{name}\""))).unwrap();
        let start = chart.find("<path class=\"median\" d=\"").unwrap();
        chart[start + 24..].split('"').next().unwrap().matches('M').count()
    };
    assert_eq!(of("temp"), 2, "the feed stopped in between");
    assert_eq!(of("seats"), 1);
}

#[test]
fn twelve_distributions_are_shown_and_the_rest_is_folded() {
    let page = html(&monitor_report());
    let charts = section(&page, "distributions");
    assert_eq!(charts.split("<details").next().unwrap().matches("<figure").count(), 12);
    assert_eq!(charts.matches("<figure").count(), 27);
    assert!(charts.contains("class=\"kind-0\""), "categories are stacked");
}

#[test]
fn it_is_marked_when_the_outcomes_of_a_window_had_arrived_or_are_to_be_expected() {
    let page = html(&monitor_report());
    let performance = section(&page, "performance");
    let chart = performance.split("<table").next().unwrap();
    // Of eight months; the last one's are expected in the next year, outside of the picture.
    assert_eq!(chart.matches("<g class=\"arrival\"").count(), 6, "{chart}");
    assert_eq!(chart.matches("<g class=\"arrival hollow\"").count(), 1);
    assert!(
        chart.contains("outcomes settled by 2013-11-10\nhalf of its outcomes within 36 hours"),
        "{chart}"
    );
    assert!(performance.contains("to be expected by 2014-01-10"));
}

#[test]
fn maturity_is_told_apart_in_chart_and_table() {
    let page = html(&monitor_report());
    let of = section(&page, "performance");
    assert!(of.contains("outcomes settled up to 2013-11-01"));
    assert_eq!(of.matches("class=\"ground maturing\"").count(), 1);
    assert_eq!(of.matches("class=\"ground too-early\"").count(), 1);
    assert_eq!(of.matches("class=\"dot hollow\"").count(), 1, "what is known so far is hollow");
    assert_eq!(of.matches("class=\"dot\"").count(), 6);
    assert_eq!(of.matches("chip maturity settled").count(), 6);
    assert!(of.contains("half of the outcomes were known within 34 hours and 95 % within 32 days"));
}

#[test]
fn the_worst_segment_is_that_of_the_last_settled_window() {
    let mut report = monitor_report();
    let page = html(&report);
    assert!(section(&page, "segments").contains("<strong>origin = LGA</strong>: ROC AUC 0.624"));
    for finding in &mut report.performance {
        performance(finding).maturity.state = MaturityState::Maturing;
    }
    let page = html(&report);
    assert!(section(&page, "segments").contains("2013-11-01 to 2013-12-01"), "else of the last known");
}

#[test]
fn an_attribution_states_its_total_and_its_assumption() {
    let page = html(&monitor_report());
    let of = section(&page, "causes");
    assert!(of.contains("<strong>+0.012</strong>"));
    assert!(of.contains("Every combination of inputs in this window also occurred in the reference"));
    assert!(of.contains("3 earlier windows"));
    let faint = of.split("<details").next().unwrap().matches("faint").count();
    assert_eq!(faint, 2, "schedule and bookings are within two standard errors of nothing");
}

#[test]
fn a_loss_that_could_not_be_divided_says_why() {
    let mut report = monitor_report();
    let not_divided = |name: &str, reason: &str| Unmeasured { name: name.into(), reason: reason.into() };
    let last = &mut report.performance[6];
    performance(last).attribution = None;
    last.unmeasured = vec![not_divided("attribution", "the inputs hardly overlap")];
    report.performance[5].unmeasured = vec![not_divided("attribution_by_source", "`temp` is new")];
    let page = html(&report);
    let of = section(&page, "causes");
    assert!(of.contains("the loss could not be divided: the inputs hardly overlap."));
    assert!(of.contains("<strong>Not divided by source: </strong><code>temp</code> is new."));
    assert!(of.contains("3 earlier windows"), "one that was not divided counts as one");
}

#[test]
fn the_bet_on_harm_is_drawn_and_said_in_words() {
    let said = |adjusted: f64| {
        let mut report = monitor_report();
        let finding = &mut report.performance[5];
        let loss = Measure::new("mean_daily_loss", 0.21, 24_650, "mean over 30 days");
        finding.measures = vec![Measure { expected_by_chance: Some(0.17), ..loss }];
        let limit = |measure: &str, at_most: f64| Threshold {
            measure: measure.into(),
            at_least: None,
            at_most: Some(at_most),
            from: "monitor.performance.tolerance".into(),
        };
        finding.thresholds =
            vec![limit("mean_daily_loss", 0.2), limit("probability of a false alarm of harm, ever", 0.01)];
        finding.sequential = Some(Sequential {
            every: Cadence::Month,
            windows: 6,
            log_e_value: 0.0,
            adjusted,
            streams: vec![],
        });
        section(&html(&report), "performance").to_owned()
    };
    assert!(!section(&html(&monitor_report()), "performance").contains("Mean loss of a day"));
    assert!(
        said(1.0).contains("Mean loss of a day") && said(1.0).contains("No evidence of harm: over 6 settled")
    );
    assert!(said(0.2).contains("No harm that is sure so far") && said(0.2).contains("an alarm takes 0.010"));
    assert!(said(0.006).contains("The model has been found harmfully worse"));
}

#[test]
fn changes_are_one_paragraph_and_none_is_said_as_well() {
    let mut report = monitor_report();
    let page = html(&report);
    assert!(section(&page, "glance").contains("B6 less. The values of <code>humid</code>"));
    report.changes.clear();
    assert!(html(&report).contains("Nothing worth naming changed"));
}

#[test]
fn what_was_read_is_said() {
    let said = |files_read| {
        let page = html(&MonitorReport { files_read, ..monitor_report() });
        section(&page, "method").to_owned()
    };
    assert!(said(0).contains("None of the log's 36 files had to be read"));
    assert!(said(1).contains("1 of the log's 36 files was read"));
    assert!(said(36).contains("All of the log's 36 files were read"));
}

#[test]
fn a_section_without_evidence_is_left_out() {
    let mut report = monitor_report();
    report.performance.clear();
    report.multivariate = vec![None; report.windows.len()];
    let page = html(&report);
    for id in ["performance", "segments", "causes", "together"] {
        assert!(!page.contains(&format!("<section id=\"{id}\"")), "{id}");
    }
    report.drift.clear();
    report.quality.clear();
    assert!(html(&report).contains("There is no evidence to show"));
}
