//! The cheapest change that flips a decision, with a model whose cheapest change is known without a search.

use serde_json::Value;

use crate::fixture::{Folder, Report, Table, definition_with, says, summary};
use crate::parts;

/// What the model in `logistic_model.py` weighs: above 0 the decision is positive.
fn weighed(x: f64, amount: f64) -> f64 {
    0.8 * (x - 10.0) + 0.04 * (amount - 25.0)
}

const X_MAX: f64 = 13.0;
const AMOUNT_MAX: f64 = 90.0;
const BUDGET: f64 = 1.5;
const MODEL: &str = "command = [\"python3\", \"model.py\"]";

/// `x` does more for its cost, as far as it goes.
fn declared(more: &str) -> String {
    format!(
        "rows = 10_000\n[stress.manipulation]\ntowards = \"positive\"\ncases = 10_000\nbudget = {BUDGET}\n{more}\n\
         [stress.manipulation.features]\nx = {{ direction = \"up\", max = {X_MAX}, cost = 0.5 }}\n\
         amount = {{ max = {AMOUNT_MAX}, cost = 0.05 }}\n"
    )
}

fn cell(log: &Table, row: usize, column: &str) -> f64 {
    log.cell(row, column).parse().unwrap()
}

fn log() -> Table {
    let small = Table::small_log();
    let weigh = |row| weighed(cell(&small, row, "x"), cell(&small, row, "amount"));
    let score = |row, _: &str| format!("{:.6}", 1.0 / (1.0 + (-weigh(row)).exp()));
    small.clone().with("score", score)
}

fn folder(model: &str, stress: &str) -> Folder {
    let gate = "[gate.deploy]\nneeds = [\"evaluate.*\", \"monitor.quality\"]\n";
    let definition = definition_with(gate, &format!("[model]\n{model}\n\n[stress]\n{stress}\n"));
    let folder = Folder::with_log(&definition, &log());
    folder.write("model.py", std::fs::read(parts::script("logistic_model.py")).unwrap());
    folder
}

fn stressed(folder: &Folder) -> Report {
    folder.run(&["stress", "--only", "manipulation", "--format", "json"]).exits(0).report()
}

/// The least cost that makes a decision positive, where it is not and any does.
fn least_cost(x: f64, amount: f64) -> Option<f64> {
    let gap = -weighed(x, amount);
    let by_x = (gap / 0.8).min((X_MAX - x).max(0.0));
    let by_amount = (gap - 0.8 * by_x) / 0.04;
    (gap > 0.0 && by_amount <= (AMOUNT_MAX - amount).max(0.0) + 1e-9).then_some(0.5 * by_x + 0.05 * by_amount)
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn as_many_decisions_are_flipped_and_for_as_little_as_follows_from_the_model() {
    let folder = folder(MODEL, &declared(""));
    let report = stressed(&folder);
    assert_eq!(report.checks(), ["stress.manipulation"]);
    let finding = report.finding("stress.manipulation");
    let detail = &finding["detail"];
    let log = log();
    let window = 4 * 7 * 96..log.len();
    let negative = window.filter(|&row| cell(&log, row, "score") < 0.5);
    let mut costs: Vec<f64> = Vec::new();
    let mut tried = 0_u32;
    for row in negative {
        tried += 1;
        costs.extend(
            least_cost(cell(&log, row, "x"), cell(&log, row, "amount")).filter(|cost| *cost <= BUDGET),
        );
    }
    costs.sort_by(f64::total_cmp);
    assert_eq!(detail["tried"], tried);
    let flipped = detail["flipped"].as_u64().unwrap() as usize;
    // What is found is a flip, and of those that are just within the budget a few may be missed.
    let surely = costs.iter().filter(|cost| **cost <= 0.98 * BUDGET).count();
    assert!((surely..=costs.len()).contains(&flipped), "{surely} {flipped} {}", costs.len());
    let median = number(&finding["measures"][1]["value"]);
    let least = costs[costs.len() / 2];
    assert!(median > 0.97 * least && median < 1.05 * least, "{median} where {least} is the least");
    for point in detail["curve"].as_array().unwrap() {
        let (cost, share) = (number(&point["at"]), number(&point["value"]));
        let possible = costs.iter().filter(|of| **of <= cost + 1e-9).count() as f64 / f64::from(tried);
        let surely = costs.iter().filter(|of| **of * 1.03 <= cost).count() as f64 / f64::from(tried);
        assert!(surely - 0.01 <= share && share <= possible + 1e-9, "{cost}: {surely} {share} {possible}");
    }
    let examples = detail["examples"].as_array().unwrap();
    assert_eq!(examples.len(), 5);
    for example in examples {
        let row: usize = example["id"].as_str().unwrap().trim_start_matches('p').parse().unwrap();
        let least = least_cost(cell(&log, row, "x"), cell(&log, row, "amount")).unwrap();
        let cost = number(&example["cost"]);
        assert!(cost > least - 1e-9 && cost < 1.05 * least + 1e-6, "{least}: {example}");
    }
    assert!(detail["queries"].as_u64().unwrap() <= u64::from(tried) * 300);
    // More than a tenth can be flipped; the sentence names what does it.
    says(
        finding,
        "fail",
        &["negative decisions", "Raising `x` alone flips", "surely more than the 10 % tolerated"],
    );
    // What single cases are made of stays out of evidence.
    assert!(!folder.evidence().contains("\"examples\""));
    assert_eq!(stressed(&folder).without_run(), report.without_run());
}

#[test]
fn every_form_of_the_report_tells_what_flips_decisions() {
    let folder = folder(MODEL, &declared("max_flipped = 0.5"));
    let said = summary(stressed(&folder).finding("stress.manipulation")).to_owned();
    let printed =
        |format: &str| folder.run(&["stress", "--only", "manipulation", "--format", format]).exits(0).stdout;
    assert!(printed("junit").contains(&said), "no {said:?}");
    assert!(printed("markdown").contains("Flips alone"));
    assert!(printed("text").contains("manipulation"));
    folder.run(&["stress", "--only", "manipulation", "--html", "report.html"]).exits(0);
    let html = folder.read("report.html");
    for part in
        ["What can be changed, and what it flips", "cost of the change", "Examples, from the cheapest"]
    {
        assert!(html.contains(part), "no {part:?}");
    }
}

#[test]
fn where_nothing_is_declared_nothing_is_tried_and_the_way_to_declare_it_is_told() {
    let undeclared = folder(MODEL, "rows = 200\nfaults = { kinds = [] }");
    undeclared.run(&["stress", "--only", "manipulation"]).refuses(&[
        "forewarn.toml",
        "it is not declared which inputs somebody can change",
        "[stress.manipulation.features]",
    ]);
    let report =
        undeclared.run(&["stress", "--only", "parity,detection", "--format", "json"]).exits(0).report();
    assert_eq!(report.checks(), ["stress.detection", "stress.parity"]);
}

#[test]
fn constraints_that_leave_nothing_to_try_are_a_finding_or_a_mistake_with_the_way_out() {
    let with = |features: &str, more: &str| {
        let features = format!("[stress.manipulation]\n{more}\nfeatures = {{ {features} }}");
        folder(MODEL, &format!("rows = 200\n{features}"))
    };
    let nothing = stressed(&with("x = { direction = \"up\", min = -100, max = -50 }", ""));
    says(nothing.finding("stress.manipulation"), "unknown", &["Nothing was tried", "nothing can be changed"]);
    let never = stressed(&with("x = {}", "relations = [\"x > 1000\"]"));
    says(never.finding("stress.manipulation"), "unknown", &["no case fulfils `x > 1000`"]);
    let refused = |features: &str, more: &str, parts: &[&str]| {
        with(features, more).run(&["stress"]).refuses(&[&["forewarn.toml"], parts].concat());
    };
    refused("amout = {}", "", &["`amout` is no input of the model", "did you mean `amount`?"]);
    refused("x = { min = 3, max = 2 }", "", &["at least 3 and at most 2"]);
    refused("colour = { step = 1 }", "", &["`colour` holds text", "has no step"]);
    refused("x = {}", "relations = [\"x ~ 3\"]", &["`x ~ 3` is no relation", "open <= total"]);
    refused("x = {}", "relations = [\"x <= total\"]", &["`total` in `x <= total` is no input"]);
    refused("x = {}", "towards = \"yes\"", &["`yes` is no decision", "positive"]);
}

#[test]
fn a_model_that_ends_on_the_way_is_told_with_what_was_done() {
    // It answers for the rows as they are, for the cases, for rows of the reference, and a few times more.
    let folder = folder("command = [\"python3\", \"model.py\", \"6\"]", &declared(""));
    let report = stressed(&folder);
    let finding = report.finding("stress.manipulation");
    says(finding, "unknown", &["ended", "the weights are gone"]);
    assert!(
        finding["detail"]["stopped"].as_str().is_some_and(|said| said.contains("exit status: 1")),
        "{finding}"
    );
}

#[test]
fn a_model_that_is_not_the_one_of_the_log_is_not_searched() {
    let folder = folder(MODEL, &declared(""));
    folder.write("log.csv", Table::small_log().csv());
    says(stressed(&folder).finding("stress.manipulation"), "unknown", &["stress.parity", "not certified"]);
}
