//! A policy as the guard enforces it, against rows of a small reference.

use serde_json::json;
use serving::guard::Expected;
use types::batch::ValueKind;
use types::definition;

use super::*;

fn reference() -> Reference {
    let numbers = |values: [f64; 4]| Values::Numbers(values.map(Some).to_vec());
    let carriers = ["AA", "UA", "UA", "B6"].map(|text| Some(text.to_owned()));
    let columns = [
        ("temp", numbers([10.0, 20.0, 30.0, 20.0])),
        ("wind", numbers([1.0, 2.0, 3.0, 2.0])),
        ("carrier", Values::Texts(carriers.to_vec())),
    ];
    let columns = columns.map(|(name, values)| BatchColumn { name: name.into(), values });
    let rows = Batch::new(columns.to_vec()).unwrap();
    let of = |column: &BatchColumn| Expected {
        name: column.name.clone(),
        kind: column.values.kind(),
        may_be_missing: false,
        range: None,
        categories: None,
    };
    assert_eq!(rows.columns()[2].values.kind(), ValueKind::Text);
    Reference { expected: rows.columns().iter().map(of).collect(), rows }
}

fn defined(more: &str) -> Definition {
    let log = "[log]\npath = \"l\"\nid = \"i\"\ntime = \"t\"\nscore = \"p\"\n";
    let reference = "[reference]\nwindow = \"2013-01-01/2013-02-01\"\n";
    let source = "[[source]]\nname = \"weather\"\nfeatures = [\"temp\", \"wind\"]\n";
    let text = format!("{log}{reference}{source}{more}");
    definition::parse(&text).unwrap()
}

fn read(policy: &str, more: &str) -> Result<(Enforced, Vec<String>), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    std::fs::write(&path, policy).unwrap();
    let mut notes = Vec::new();
    let enforced = Enforced::read(&path, &defined(more), Some(&reference()), &mut notes);
    enforced.map(|enforced| (enforced, notes)).map_err(|error| error.to_string())
}

fn rule(outage: &str, then: &str) -> String {
    format!("[[rule]]\noutage = {outage}\nthen = {then}\n")
}

/// A row with `temp`, `wind` and `carrier`, as far as they are there.
fn row(temp: Option<f64>, wind: Option<f64>, carrier: Option<&str>) -> Batch {
    let columns = [
        ("temp", Values::Numbers(vec![temp])),
        ("wind", Values::Numbers(vec![wind])),
        ("carrier", Values::Texts(vec![carrier.map(str::to_owned)])),
    ];
    Batch::new(columns.map(|(name, values)| BatchColumn { name: name.into(), values }).to_vec()).unwrap()
}

#[test]
fn rules_count_in_their_order_and_a_source_before_its_features() {
    let policy = rule("{ feature = \"temp\" }", "{ strategy = \"impute-usual\" }")
        + &rule("{ source = \"weather\" }", "{ strategy = \"constant\", answer = 0.5 }")
        + &rule("{ feature = \"carrier\" }", "{ strategy = \"abstain\" }");
    let (enforced, notes) = read(&policy, "").unwrap();
    assert_eq!(notes, Vec::<String>::new());
    let of = |batch: Batch, out: &[usize]| enforced.of_inputs(&batch, &[out.to_vec()]).remove(0);
    let filled = Remedy { fills: vec![(0, json!(20.0))], instead: None, name: "impute-usual" };
    assert_eq!(of(row(None, Some(1.0), Some("AA")), &[0]), filled);
    let constant = Remedy { instead: Some(Instead::Constant(0.5)), name: "constant", ..Remedy::default() };
    assert_eq!(of(row(None, None, Some("AA")), &[0, 1]), constant);
    // Of two that answer in the model's place the first one decides.
    assert_eq!(of(row(None, None, None), &[0, 1, 2]), constant);
    let abstain = Remedy { instead: Some(Instead::Abstain), name: "abstain", ..Remedy::default() };
    assert_eq!(of(row(None, Some(1.0), None), &[0, 2]), abstain);
    assert_eq!(of(row(Some(1.0), None, Some("AA")), &[1]), Remedy::default());
}

#[test]
fn values_are_filled_in_from_the_nearest_rows() {
    let policy = rule("{ feature = \"carrier\" }", "{ strategy = \"impute-nearest\", neighbours = 1 }");
    let (enforced, _) = read(&policy, "").unwrap();
    let found = enforced.of_inputs(&row(Some(11.0), Some(1.0), None), &[vec![2]]).remove(0);
    assert_eq!(found, Remedy { fills: vec![(2, json!("AA"))], instead: None, name: "impute-nearest" });
    // A value that is there and counts as missing is replaced too.
    let unseen = row(Some(29.0), Some(3.0), Some("ZZ"));
    assert_eq!(enforced.of_inputs(&unseen, &[vec![2]])[0].fills, [(2, json!("UA"))]);
}

#[test]
fn the_model_s_outage_has_a_rule_of_its_own() {
    let other = "{ strategy = \"fallback-model\", model = \"http://127.0.0.1:5001/invocations\" }";
    let breaker = "breaker = { failures = 3, rows_open = 10 }";
    let breaker = format!("{{ strategy = \"circuit-breaker\", {breaker}, meanwhile = {other} }}");
    let (enforced, _) = read(&rule("\"model\"", &breaker), "").unwrap();
    let pause = Pause::Rows(10);
    assert_eq!(enforced.breaker, Some(BreakerSettings { failures: 3, pause }));
    assert_eq!(enforced.others, ["http://127.0.0.1:5001/invocations"]);
    let expected = Remedy { instead: Some(Instead::Model(0)), name: "fallback-model", ..Remedy::default() };
    assert_eq!(enforced.of_model(), Some(expected));
    assert_eq!(read("", "").unwrap().0.of_model(), None);
}

#[test]
fn what_cannot_be_enforced_is_said() {
    let refused = |policy: &str, part: &str| {
        let error = read(policy, "").unwrap_err();
        assert!(error.contains(part), "{error}");
    };
    refused("[[rule]]\n", "missing field `outage`");
    refused(
        &rule("{ feature = \"tmp\" }", "{ strategy = \"abstain\" }"),
        "rule 1: there is no input `tmp`; did you mean `temp`?",
    );
    refused(&rule("{ source = \"sun\" }", "{ strategy = \"abstain\" }"), "there is no source `sun`");
    refused(&rule("\"model\"", "{ strategy = \"impute-usual\" }"), "answers nothing while the model is down");
    refused(&rule("{ feature = \"temp\" }", "{ strategy = \"cached-answer\" }"), "add [guard.cache]");
    let (_, notes) = read(&rule("{ together = 3 }", "{ strategy = \"abstain\" }"), "").unwrap();
    assert!(notes[0].contains("Rule 1 of the policy is not enforced"), "{notes:?}");
}
