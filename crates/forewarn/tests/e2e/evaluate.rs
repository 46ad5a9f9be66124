//! What averages hide, through the program: logs with a fault of which the truth is known.

use serde_json::Value;

use crate::fixture::{
    DEFINITION, Folder, REFERENCE_ROWS, Report, Table, definition_with, measure, repository, says,
};

/// The small log under [`DEFINITION`] with more under `[evaluate]`.
fn definition(more: &str) -> String {
    definition_with("[gate", &format!("{more}\n[gate"))
}

/// What `forewarn evaluate` reports, and exits with, where the gate needs no other practice.
fn evaluated(definition: &str, log: &Table, status: i32) -> Report {
    let folder = Folder::with_log(&definition.replace(", \"monitor.quality\"", ""), log);
    folder.run(&["evaluate", "--format", "json"]).exits(status).report()
}

/// Whether a row is in the window and meets a condition on two columns.
fn is(log: &Table, row: usize, conditions: &[(&str, &str)]) -> bool {
    row >= REFERENCE_ROWS && conditions.iter().all(|(column, value)| log.cell(row, column) == *value)
}

#[test]
fn a_sound_model_passes_every_check_and_each_is_evidence() {
    let report = evaluated(DEFINITION, &Table::small_log(), 0);
    let checks = [
        "evaluate.calibration",
        "evaluate.errors",
        "evaluate.outcomes",
        "evaluate.performance",
        "evaluate.slices",
        "evaluate.tail",
        "evaluate.worst_segment",
        "evaluate.worst_subpopulation",
    ];
    assert_eq!(report.checks(), checks);
    says(report.finding("evaluate.errors"), "pass", &["look random"]);
    says(report.finding("evaluate.slices"), "pass", &["336 rows were searched and 336 others judged"]);
    says(report.finding("evaluate.tail"), "pass", &[]);
}

#[test]
fn a_slice_that_is_served_badly_is_found_by_its_conditions_and_confirmed() {
    let log = Table::small_log();
    let bad = |row: usize| is(&log, row, &[("colour", "red"), ("region", "north")]);
    // There the model says the opposite of what happens.
    let flipped = log.clone().with("label", |row, label| {
        let score: f64 = log.cell(row, "score").parse().unwrap();
        if bad(row) { if score < 0.5 { "1" } else { "0" }.to_owned() } else { label.to_owned() }
    });
    let report = evaluated(DEFINITION, &flipped, 1);
    let slices = report.finding("evaluate.slices");
    says(slices, "fail", &["colour = red and region = north", "surely more than the 2"]);
    let worst = &slices["detail"]["slices"][0];
    assert_eq!(worst["conditions"], serde_json::json!(["colour = red", "region = north"]));
    assert_eq!(worst["confirmed"], true);
    // Every prediction there is wrong; one in four elsewhere.
    assert_eq!(worst["mean_loss"]["value"], 1.0);
    let lift = measure(slices, "slice_lift");
    assert!((2.5..4.0).contains(&lift), "{lift}");
    says(report.finding("evaluate.errors"), "fail", &["`colour`", "`region`"]);
    assert_eq!(report.need("evaluate.slices"), "failed");
}

#[test]
fn the_same_fault_is_named_as_an_intersection_of_declared_segments() {
    let log = Table::small_log();
    let bad = |row: usize| is(&log, row, &[("colour", "red"), ("region", "north")]);
    let flipped = log.clone().with("label", |row, label| {
        let score: f64 = log.cell(row, "score").parse().unwrap();
        if bad(row) { if score < 0.5 { "1" } else { "0" }.to_owned() } else { label.to_owned() }
    });
    let definition = definition("[evaluate]\nmin_rows = 50\n")
        .replace("segments = [\"region\"]", "segments = [\"region\", \"colour\"]");
    let worst = evaluated(&definition, &flipped, 1).finding("evaluate.worst_segment").clone();
    says(&worst, "fail", &["region × colour = north × red"]);
    let row = &worst["detail"]["rows"][0];
    // A small group is drawn towards the others.
    let (own, shrunken) =
        (row["measure"]["value"].as_f64().unwrap(), row["shrunken"]["value"].as_f64().unwrap());
    assert!(own < shrunken && shrunken < worst["detail"]["overall"]["value"].as_f64().unwrap());
}

#[test]
fn a_model_that_is_right_on_average_and_fails_on_every_rare_case_does_not_pass() {
    // Four per cent of outcomes are positive, and the model never says so: it is 96 % accurate.
    let log = Table::small_log();
    let rare = log
        .clone()
        .with("label", |row, _| if row % 25 == 0 { "1" } else { "0" }.to_owned())
        .with("score", |row, _| if row % 25 == 0 { "0.3" } else { "0.02" }.to_owned());
    let average = "[evaluate]\nperformance = { metric = \"accuracy\", at_least = 0.9 }\n";
    let report = evaluated(&definition(average), &rare, 1);
    says(report.finding("evaluate.performance"), "pass", &["0.960"]);
    let tail = report.finding("evaluate.tail");
    says(tail, "fail", &["rare class", "100 % of predictions are wrong"]);
    assert_eq!(measure(tail, "rare_class_wrong_share"), 1.0);
    assert_eq!((report.need("evaluate.performance"), report.need("evaluate.tail")), ("met", "failed"));
}

#[test]
fn numbers_beyond_the_reference_are_pooled_and_held_to_a_limit() {
    let log = Table::small_log();
    let far = |row: usize| row >= REFERENCE_ROWS && row.is_multiple_of(20);
    let strange = log
        .clone()
        .with("amount", |row, amount| if far(row) { "5000".into() } else { amount.to_owned() })
        .with("label", |row, label| {
            let score: f64 = log.cell(row, "score").parse().unwrap();
            if far(row) { if score < 0.5 { "1" } else { "0" }.to_owned() } else { label.to_owned() }
        });
    let tail = evaluated(DEFINITION, &strange, 1).finding("evaluate.tail").clone();
    says(&tail, "fail", &["numbers outside the reference's range", "(34 rows)"]);
    let outside = &tail["detail"]["outside"][0];
    assert_eq!((outside["column"].as_str(), outside["rows"].as_u64()), (Some("amount"), Some(33)));
    assert_eq!(tail["detail"]["deciles"].as_array().map(Vec::len), Some(10));
}

#[test]
fn fifteen_rows_of_a_new_value_that_are_all_wrong_do_not_pass() {
    let log = Table::small_log();
    let new = |row: usize| row >= REFERENCE_ROWS && (row - REFERENCE_ROWS).is_multiple_of(45);
    let hidden = log
        .clone()
        .with("colour", |row, colour| if new(row) { "violet".into() } else { colour.to_owned() })
        .with("label", |row, label| {
            let score: f64 = log.cell(row, "score").parse().unwrap();
            if new(row) { if score < 0.5 { "1" } else { "0" }.to_owned() } else { label.to_owned() }
        });
    let tail = evaluated(DEFINITION, &hidden, 1).finding("evaluate.tail").clone();
    says(&tail, "fail", &["15 rows", "100 %"]);
    let lift = &tail["measures"][0];
    assert_eq!((lift["name"].as_str(), lift["n"].as_u64()), (Some("rare_lift"), Some(15)), "{lift:#}");
}

#[test]
fn inputs_of_single_cases_are_in_the_report_and_never_in_evidence() {
    let folder = Folder::small();
    let report = folder.run(&["check", "--format", "json"]).exits(0).report();
    let worst = report.finding("evaluate.tail")["detail"]["worst"].as_array().unwrap().clone();
    assert_eq!(worst.len(), 10);
    let losses: Vec<f64> = worst.iter().map(|case| case["loss"].as_f64().unwrap()).collect();
    assert!(losses.is_sorted_by(|a, b| a >= b));
    assert_eq!(worst[0]["inputs"].as_array().map(Vec::len), Some(4));
    let id = worst[0]["id"].as_str().unwrap();
    let evidence = folder.evidence();
    assert!(evidence.contains(&format!("\"id\":\"{id}\"")));
    assert!(!evidence.contains("\"inputs\""));
}

#[test]
fn a_check_has_an_owner_and_can_be_skipped() {
    let more = "[evaluate]\nskip = [\"evaluate.slices\"]\ntail = { owner = \"claims desk\" }\n";
    let owned = definition(more).replace("name = \"Small system\"", "owner = \"ml team\"");
    let report = evaluated(&owned, &Table::small_log(), 0);
    assert_eq!(report.finding("evaluate.tail")["owner"], "claims desk");
    assert_eq!(report.finding("evaluate.performance")["owner"], "ml team");
    assert!(!report.checks().contains(&"evaluate.slices"));
    let folder = Folder::with_log(&owned, &Table::small_log());
    let terminal = folder.run(&["check"]).exits(0).stdout;
    assert!(terminal.contains("Owner: claims desk"), "{terminal}");
}

#[test]
fn costs_name_the_cheapest_threshold_and_can_be_held_to_a_limit() {
    let cost = "[evaluate.cost]\nfalse_negative = 9\nfalse_positive = 1\nat_most = 0.3\n";
    let report = evaluated(&definition(cost), &Table::small_log(), 1);
    let performance = report.finding("evaluate.performance");
    says(performance, "fail", &["A decision costs", "surely is not"]);
    // Of scores that are probabilities, missing one must be risked below one in ten.
    let cheapest = performance["detail"]["cheapest"]["threshold"].as_f64().unwrap();
    assert!((0.05..0.2).contains(&cheapest), "{cheapest}");
    assert!(performance["detail"]["thresholds"].as_array().unwrap().len() > 20);
}

#[test]
fn an_overconfident_stretch_is_said_in_words() {
    let log = Table::small_log().with("score", |_, score| {
        let odds = |p: f64| (p / (1.0 - p)).ln();
        let score: f64 = score.parse().unwrap();
        format!("{:.6}", 1.0 / (1.0 + (-2.5 * odds(score)).exp()))
    });
    let calibration = evaluated(DEFINITION, &log, 1).finding("evaluate.calibration").clone();
    says(&calibration, "fail", &["When it says", "too sure of itself"]);
    let slope = measure(&calibration, "calibration_slope");
    assert!((0.3..0.5).contains(&slope), "the true one is 0.4: {slope}");
    for name in
        ["ece_equal_width", "mce", "smooth_ece", "hosmer_lemeshow", "brier_reliability", "miscalibration"]
    {
        measure(&calibration, name);
    }
    assert!(!calibration["detail"]["curve"].as_array().unwrap().is_empty());
}

#[test]
fn another_version_on_the_same_rows_is_compared_overall_and_by_slice() {
    let log = Table::small_log();
    // The other version is right where this one is turned round: on one colour in the window.
    let turned = |row: usize| row >= REFERENCE_ROWS && log.cell(row, "colour") == "red";
    let with_other = log
        .clone()
        .renamed("amount", "p_before")
        .with("p_before", |row, _| log.cell(row, "score").to_owned());
    let worse = with_other.with("score", |row, score| {
        if turned(row) { (1.0 - score.parse::<f64>().unwrap()).to_string() } else { score.to_owned() }
    });
    let comparison = "[evaluate.comparison]\nversion = \"before\"\nscore = \"p_before\"\n";
    let definition = definition(comparison)
        .replace("features = [\"x\", \"amount\"]", "features = [\"x\"]")
        .replace("segments = [\"region\"]", "segments = [\"region\", \"colour\"]");
    let found = evaluated(&definition, &worse, 1).finding("evaluate.comparison").clone();
    says(&found, "fail", &["before", "colour = red"]);
    let rows: Vec<&Value> = found["detail"]["slices"].as_array().unwrap().iter().collect();
    let green = rows.iter().find(|row| row["label"] == "colour = green").unwrap();
    assert_eq!((green["difference"]["value"].as_f64(), green["verdict"].as_str()), (Some(0.0), Some("pass")));
    let same = with_other_equal(&log);
    let report = evaluated(&definition, &same, 0);
    says(report.finding("evaluate.comparison"), "pass", &[]);
}

/// Both versions say the same.
fn with_other_equal(log: &Table) -> Table {
    log.clone().renamed("amount", "p_before").with("p_before", |row, _| log.cell(row, "score").to_owned())
}

#[test]
fn predicted_quantiles_are_held_to_their_promise() {
    let log = Table::small_log()
        .with("score", |_, _| "10".into())
        .with("label", |_, _| String::new())
        .renamed("amount", "low");
    let x = Table::small_log();
    // The outcome is normal with mean 10 and deviation 2.
    let log = log.with("label", |row, _| x.cell(row, "x").to_owned());
    let definition = |low: f64| {
        let text =
            definition_with("score = \"score\"", "predicted = \"score\"\nquantiles = { \"0.1\" = \"low\" }")
                .replace("[log]", "[model]\ntask = \"regression\"\n\n[log]\nignore = [\"x\"]")
                .replace("features = [\"x\", \"amount\"]", "features = [\"colour\"]");
        (text, log.clone().with("low", move |_, _| low.to_string()))
    };
    // The first decile of it, and a number that a quarter of outcomes lie below.
    let (text, right) = definition(7.437);
    says(evaluated(&text, &right, 0).finding("evaluate.calibration"), "pass", &["No quantile is off"]);
    let (text, wrong) = definition(8.651);
    let calibration = evaluated(&text, &wrong, 1).finding("evaluate.calibration").clone();
    says(&calibration, "fail", &["The predicted 10 % quantile", "do not plan"]);
    assert!((measure(&calibration, "coverage_gap") - 0.15).abs() < 0.05);
}

#[test]
fn what_makes_no_sense_under_evaluate_is_refused_with_the_way_out() {
    let refused = |more: &str, parts: &[&str]| {
        let folder = Folder::with_log(&definition(more), &Table::small_log());
        folder.run(&["evaluate"]).refuses(parts);
    };
    refused("[evaluate]\nskip = [\"monitor.drift\"]\n", &["no check of [evaluate]"]);
    refused("[evaluate]\nloss = \"squared\"\n", &["no loss of a binary task", "wrong, brier, log_loss"]);
    refused("[evaluate.slices]\nmax_lift = 0.5\n", &["not above 1"]);
    refused("[evaluate.fairness]\nprotected = []\n", &["no column is protected"]);
    refused("[evaluate.fairness]\nprotected = [\"regoin\"]\n", &["regoin", "did you mean `region`"]);
    let criterion = "[evaluate.fairness]\nprotected = [\"region\"]\nlimits = [{ criterion = \"demographic_parity\", at_most = 0.1 }]\n";
    refused(criterion, &["no criterion of fairness", "did you mean"]);
    refused("[evaluate.comparison]\nversion = \"b\"\n", &["`score` is missing"]);
    refused("[evaluate.cost]\nmatrix = { a = { b = 1 } }\n", &["several classes"]);
    refused("[evaluate.tail]\nconfident = 1.5\n", &["1.5 is not between 0 and 1"]);
}

#[test]
fn a_log_without_features_says_what_it_cannot_say() {
    let log = Table::small_log().select(&["id", "at", "score", "label"]);
    let text = DEFINITION
        .replace("segments = [\"region\"]\n", "")
        .replace("[[source]]\nname = \"crm\"\nfeatures = [\"x\", \"amount\"]\n", "");
    let report = evaluated(&text, &log, 1);
    says(report.finding("evaluate.performance"), "pass", &[]);
    says(report.finding("evaluate.slices"), "unknown", &["no feature", "`skip`"]);
    let skip = "[evaluate]\nskip = [\"evaluate.slices\", \"evaluate.worst_subpopulation\", \"evaluate.errors\", \"evaluate.tail\"]\n[gate";
    evaluated(&text.replace("[gate", skip), &log, 0);
}

/// Fairlearn's figures of the same rows: `testdata/reference/make_credit.py`.
#[test]
fn fairness_of_the_credit_example_equals_fairlearn() {
    let reference: Value =
        serde_json::from_str(&std::fs::read_to_string(repository("testdata/reference/credit.json")).unwrap())
            .unwrap();
    let theirs = &reference["scores"]["p_over_50k"]["last_13_weeks"];
    let folder = Folder::empty();
    let example = repository("examples/credit");
    folder.write("forewarn.toml", std::fs::read(example.join("forewarn.toml")).unwrap());
    let log = "data/applications.csv";
    folder.write(log, std::fs::read(example.join(log)).unwrap());
    let window = reference["windows"]["last_13_weeks"].as_str().unwrap();
    let report = folder.run(&["evaluate", "--format", "json", "--window", window]).exits(1).report();
    let ours = &report.finding("evaluate.fairness")["detail"];
    let close = |ours: &Value, theirs: &Value, what: &str| {
        let (ours, theirs) = (ours.as_f64().unwrap(), theirs.as_f64().unwrap());
        assert!((ours - theirs).abs() < 1e-12, "{what}: {ours} and {theirs}");
    };
    let mut compared = 0;
    for group in ours["groups"].as_array().unwrap() {
        let (column, value) = (group["column"].as_str().unwrap(), group["value"].as_str().unwrap());
        let of = &theirs[column]["by_group"][value];
        for (here, there) in [
            ("selection_rate", "selection_rate"),
            ("true_positive_rate", "true_positive_rate"),
            ("false_positive_rate", "false_positive_rate"),
            ("precision", "precision"),
        ] {
            close(&group[here]["value"], &of[there], &format!("{column} = {value}: {here}"));
            compared += 1;
        }
    }
    // Two sexes, five races and six age groups.
    assert_eq!(compared, 4 * 13);
    for column in ["sex", "race"] {
        let of = &theirs[column]["all_groups"];
        let criteria = ours["criteria"].as_array().unwrap();
        let row = criteria
            .iter()
            .find(|row| row["column"] == column && row["criterion"] == "demographic_parity")
            .unwrap();
        close(&row["difference"]["value"], &of["demographic_parity_difference"], column);
        close(&row["ratio"]["value"], &of["demographic_parity_ratio"], column);
    }
    let odds = ours["criteria"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["column"] == "sex" && row["criterion"] == "equalised_odds");
    let odds = odds.unwrap();
    close(&odds["difference"]["value"], &theirs["sex"]["all_groups"]["equalized_odds_difference"], "sex");
    close(&odds["ratio"]["value"], &theirs["sex"]["all_groups"]["equalized_odds_ratio"], "sex");
}
