//! What the HTML report shows of an evaluation: the dashboard and its sections.

use types::CheckId;
use types::finding::Detail;
use types::report::CheckReport;
use view::report::html;

use crate::sample;
use crate::sample::evaluation;

/// A section of the page.
fn section<'a>(page: &'a str, id: &str) -> &'a str {
    let start = page.find(&format!("<section id=\"{id}\"")).unwrap_or_else(|| panic!("no section {id}"));
    page[start..].split("</section>").next().unwrap_or_default()
}

/// What a reader sees, without markup.
fn text(markup: &str) -> String {
    let mut text = String::new();
    let mut in_tag = false;
    for c in markup.chars() {
        match c {
            '<' => in_tag = true,
            '>' => in_tag = false,
            // A number and its unit stand in one line.
            '\u{a0}' => text.push(' '),
            c if !in_tag => text.push(c),
            _ => {}
        }
    }
    text
}

fn says(markup: &str, all: &[&str]) {
    let text = text(markup);
    for said in all {
        assert!(text.contains(said), "{said:?} is missing in {text}");
    }
}

#[test]
fn each_check_has_its_section_and_an_owner_where_it_has_one() {
    let page = html(&sample::report());
    for id in ["slices", "worst-case", "tail", "errors", "fairness", "comparison"] {
        assert!(section(&page, id).contains("class=\"question\""), "{id}");
    }
    says(section(&page, "slices"), &["Owner: ramp-operations"]);
    says(section(&page, "fairness"), &["Owner: Compliance, Dr. Amara Diallo"]);
    assert!(!section(&page, "tail").contains("Owner:"));
}

#[test]
fn the_dashboard_puts_average_and_worst_case_side_by_side() {
    let page = html(&sample::report());
    let glance = section(&page, "glance");
    says(
        glance,
        &[
            "Average and worst case",
            "Worst segmentorigin = LGA",
            "0.584",
            "Worst slice foundorigin = LGA and dep_hour over 17",
            "52.1 %",
            "Worst 20 % of the rows",
            "44.6 %",
            "Rare casesrare inputs",
            "46.4 %",
            "Loss by rarity of the inputs",
            "Who gets which errors",
        ],
    );
    for anchor in ["segments", "slices", "worst-case", "tail", "errors", "calibration"] {
        assert!(glance.contains(&format!("href=\"#{anchor}\"")), "{anchor}");
    }
}

/// The mean absolute error as the metric of the verdict has the worst cases beside it, and no average twice.
#[test]
fn a_metric_that_is_the_mean_of_the_loss_stands_once() {
    let mut report = sample::report();
    for finding in &mut report.findings {
        match (finding.check, &mut finding.detail) {
            (CheckId::Performance, _) => finding.measures[0].name = "mae".into(),
            (CheckId::WorstSubpopulation, Some(Detail::Subpopulation(of))) => {
                of.loss = "mean_absolute_error".into();
            }
            (CheckId::WorstSegment, Some(Detail::Segments { metric, .. })) => *metric = "mae".into(),
            _ => {}
        }
    }
    let page = html(&report);
    let panel = section(&page, "glance").split("Average and worst case").nth(1).unwrap_or_default();
    let panel = panel.split("</article>").next().unwrap_or_default();
    let first = panel.split("<details").next().unwrap_or_default();
    assert_eq!(first.matches("<h4>").count(), 1, "{}", text(first));
    says(first, &["Worst segment", "Worst slice found", "Worst 20 % of the rows"]);
}

#[test]
fn values_without_an_interval_say_why_and_numbers_are_not_broken() {
    let mut report = sample::report();
    for finding in &mut report.findings {
        match &mut finding.detail {
            Some(Detail::Comparison(of)) => {
                of.metrics[0].reason = Some("both values have no interval, because all is alike".into());
            }
            Some(Detail::Fairness(of)) => {
                of.criteria[0].ratio = None;
                of.criteria[0].reason = Some("a rate is 0 in all groups, so there is no ratio".into());
            }
            Some(Detail::Slices(of)) => of.slices[0].conditions = vec!["dewp over 42.89 up to 52.52".into()],
            _ => {}
        }
    }
    let page = html(&report);
    says(section(&page, "comparison"), &["Both values have no interval, because all is alike"]);
    says(
        section(&page, "fairness"),
        &["a rate is 0 in all groups, so there is no ratio", "no interval: these rows are all alike"],
    );
    says(section(&page, "slices"), &["all rows 21.9 % (20.4 % – 23.5 %)", "1.92 × – 2.84 ×"]);
    says(section(&page, "errors"), &["others 61.1 % (59.1 % – 63.1 %), n 5,087"]);
    assert!(section(&page, "glance").contains("dewp over 42.89 up to 52.52"));
}

#[test]
fn a_panel_without_data_is_left_out() {
    let mut report = sample::report();
    report.findings.retain(|finding| finding.check == CheckId::Performance);
    let page = html(&report);
    let glance = section(&page, "glance");
    for title in [
        "Average and worst case",
        "Worst slices found",
        "Loss by rarity",
        "Who gets which errors",
        "Do scores mean",
    ] {
        assert!(!glance.contains(title), "{title}");
    }
    report.findings.retain(|finding| finding.check == CheckId::Outcomes);
    assert!(!html(&report).contains("class=\"dashboard\""));
}

#[test]
fn a_slice_says_its_conditions_its_rows_and_whether_others_confirm_it() {
    let page = html(&sample::report());
    let slices = section(&page, "slices");
    says(slices, &["searched on 2,730 rows, judged on 2,729 others", "52.1 %", "2.38 ×", "not confirmed"]);
    assert_eq!(slices.matches("not confirmed").count(), 2);
}

#[test]
fn fairness_says_that_not_all_criteria_can_hold() {
    let page = html(&sample::report());
    says(
        section(&page, "fairness"),
        &[
            "cannot all hold at once",
            "Kleinberg",
            "Chouldechova",
            "Demographic parity",
            "too few false positives",
        ],
    );
}

#[test]
fn the_threshold_in_use_and_the_cheapest_are_drawn() {
    let page = html(&sample::report());
    let performance = section(&page, "performance");
    says(performance, &["in use 0.5", "cheapest 0.325"]);
    assert!(
        performance.contains("class=\"guide cheapest\"") && performance.contains("class=\"guide place\"")
    );
}

#[test]
fn classes_and_quantiles_have_their_tables() {
    let page = html(&evaluation::of_classes());
    says(section(&page, "performance"), &["Classes", "cancelled", "0.301"]);
    let page = html(&evaluation::of_numbers());
    says(section(&page, "calibration"), &["Predicted quantiles", "86.1 %", "Does each predicted quantile"]);
    says(section(&page, "errors"), &["carrier = EV", "By the level of the prediction"]);
    says(
        section(&page, "glance"),
        &["Do quantiles hold what they promise?", "Who is predicted too low or too high"],
    );
}

#[test]
fn words_are_explained_only_where_they_are_used() {
    let glossary = |report: &CheckReport| text(section(&html(report), "glossary"));
    let mut report = sample::report();
    let all = glossary(&report);
    for term in ["Slice", "Lift", "Worst subpopulation", "Rarity", "Four-fifths rule", "Decision threshold"] {
        assert!(all.contains(term), "{term}");
    }
    report.findings.retain(|finding| finding.check == CheckId::Drift);
    let few = glossary(&report);
    for term in ["Lift", "Worst subpopulation", "Rarity", "Four-fifths rule", "Decision threshold"] {
        assert!(!few.contains(term), "{term}");
    }
}

#[test]
fn inputs_of_single_cases_are_left_out_once_they_are_evidence() {
    let mut report = sample::report();
    assert!(html(&report).contains("UA-1207-1205"));
    report.findings = report.findings.into_iter().map(types::finding::Finding::for_evidence).collect();
    let page = html(&report);
    says(section(&page, "tail"), &["not kept"]);
    assert!(report.findings.iter().any(|finding| matches!(finding.detail, Some(Detail::Tail(_)))));
}
