//! The HTML report.

use types::CheckId;
use types::gate::NeedState;
use types::report::CheckReport;
use view::report::html;

use crate::sample;

fn only(checks: &[CheckId]) -> CheckReport {
    let mut report = sample::report();
    report.findings.retain(|finding| checks.contains(&finding.check));
    report
}

fn has_section(page: &str, id: &str) -> bool {
    page.contains(&format!("<section id=\"{id}\""))
}

#[test]
fn the_page_is_complete_in_itself() {
    let page = html(&sample::report());
    for fetching in
        ["http:", "https:", "//cdn", "url(", "@import", "src=", "<iframe", "<img", "fetch(", "XMLHttpRequest"]
    {
        assert!(!page.contains(fetching), "the page contains {fetching}");
    }
    let links = page.match_indices("href=\"").map(|(at, _)| &page[at + 6..]);
    for link in links {
        assert!(link.starts_with('#') || link.starts_with("data:,\""), "a link leads out of the page");
    }
    assert!(page.contains("default-src &#39;none&#39;") || page.contains("default-src 'none'"));
}

#[test]
fn every_link_inside_the_page_has_its_target() {
    let page = html(&sample::report());
    let links = page.match_indices("href=\"#").map(|(at, _)| &page[at + 7..]);
    for link in links.filter_map(|rest| rest.split('"').next()) {
        assert!(page.contains(&format!("id=\"{link}\"")), "#{link} leads nowhere");
    }
}

#[test]
fn every_finding_says_its_sentence() {
    let report = sample::report();
    // A number and its unit stand in one line.
    let plain = html(&report).replace("<code>", "").replace("</code>", "").replace('\u{a0}', " ");
    for finding in &report.findings {
        let said = finding.summary.replace('`', "");
        assert!(plain.contains(&said), "{said} is missing");
    }
}

#[test]
fn gates_say_open_or_shut_with_their_reasons() {
    let page = html(&sample::report());
    for said in [
        "Gate <code>deploy</code> is <strong>shut</strong>",
        "Gate <code>keep-running</code> is <strong>open</strong>",
        "expired on 2013-12-08",
    ] {
        assert!(page.contains(said), "{said}");
    }
}

#[test]
fn what_a_gate_needs_and_nobody_has_made_is_said_last() {
    let mut report = sample::report();
    let need = &mut report.gates[0].needs[0];
    (need.state, need.reasons) = (NeedState::Missing, vec!["the check was never made".into()]);
    let check = need.check.clone();
    let page = html(&report);
    assert!(page.contains(&format!("Not made yet: {check}. <code>forewarn check</code> makes every check.")));
    assert!(!page.contains("never made"));
}

#[test]
fn a_practice_without_findings_has_no_section() {
    for (checks, shown) in [
        (&[CheckId::Drift][..], &["drift"][..]),
        (&[CheckId::Calibration], &["calibration"]),
        (&[CheckId::Quality, CheckId::WorstSegment], &["outcomes", "segments"]),
        (&[], &[]),
    ] {
        let page = html(&only(checks));
        for id in ["drift", "performance", "segments", "calibration", "outcomes"] {
            assert_eq!(has_section(&page, id), shown.contains(&id), "{id} for {checks:?}");
        }
        for id in ["glance", "method", "glossary"] {
            assert!(has_section(&page, id), "{id}");
        }
    }
}

#[test]
fn an_empty_report_says_what_to_do_next() {
    let mut report = only(&[]);
    report.gates.clear();
    report.datasets.clear();
    report.system = types::definition::System::default();
    report.checkpoint = String::new();
    let page = html(&report);
    for said in
        ["No gate is defined", "This run made no findings", "No purpose is stated", "No dataset version"]
    {
        assert!(page.contains(said), "{said}");
    }
}

#[test]
fn unknown_is_named_with_its_reason_and_never_as_a_pass() {
    let page = html(&sample::report());
    let row = page.split("<details class=\"row\"").find(|row| row.contains("runway_<wbr>temp")).unwrap();
    assert!(row.contains("61 of 5,871 rows have a value; 100 are needed"));
    assert!(row.contains("chip unknown") && !row.contains("chip pass"));
}

#[test]
fn a_reference_value_stands_beside_its_metric_and_not_in_a_row_of_its_own() {
    let page = html(&only(&[CheckId::Performance]));
    assert!(page.contains(">0.728<"));
    assert!(!page.contains("roc auc reference"));
}

#[test]
fn all_columns_together_stand_above_the_single_ones_with_what_gives_the_shift_away() {
    let page = html(&sample::report());
    let drift = page.split("<section id=\"drift\"").nth(1).unwrap();
    let (together, single) = (drift.find("All columns together").unwrap(), drift.find("drift-head").unwrap());
    assert!(together < single);
    assert!(drift[together..single].contains("seats: AUC −0.094"));
    assert!(has_section(&html(&only(&[CheckId::Multivariate])), "drift"));
}

#[test]
fn what_was_estimated_stands_beside_what_came_true() {
    let page = html(&only(&[CheckId::PerformanceOverTime]));
    for said in [
        "from outcomes: ROC AUC 0.712",
        "estimated without outcomes: ROC AUC 0.695",
        "chip maturity maturing",
        "64.3 % of outcomes known, 71 % expected by now",
    ] {
        assert!(page.contains(said), "{said}");
    }
}
