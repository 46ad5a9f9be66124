//! `forewarn trace`: events in, traces out.

use serde_json::Value;

use crate::fixture::{Folder, definition_with};

const EVENTS: &str = include_str!("../../../../testdata/lineage/flights.ndjson");

/// The system of the events, without a log: lineage needs none.
fn traced() -> Folder {
    let folder = Folder::empty();
    folder.write(
        "forewarn.toml",
        definition_with("id = \"small\"", "id = \"flight-delay\"")
            .replace("[log]", "[model]\nversion = \"2013.04\"\n\n[log]"),
    );
    folder.write("events.ndjson", EVENTS);
    let said = folder.run(&["trace", "import", "events.ndjson"]).exits(0).stdout;
    assert_eq!(said, "10 events taken in.\n");
    folder
}

#[test]
fn a_prediction_is_traced_to_its_sources_and_gaps() {
    let folder = traced();
    let asked = ["trace", "prediction", "--time", "2013-06-05T12:00:00Z"];
    let expected = include_str!("../../../../testdata/lineage/prediction.txt");
    assert_eq!(folder.run(&asked).exits(0).stdout, expected);
    let json = folder.run(&[&asked[..], &["--format", "json"]].concat()).exits(0).stdout;
    let trace: Value = serde_json::from_str(&json).unwrap();
    let states = trace["hops"].as_array().unwrap().iter().map(|hop| hop["state"].as_str().unwrap());
    let states: std::collections::BTreeSet<&str> = states.collect();
    assert_eq!(Vec::from_iter(states), ["declared_none", "inferred", "missing", "recorded"]);
    for (format, start) in [("dot", "digraph trace {"), ("mermaid", "flowchart LR")] {
        let text = folder.run(&[&asked[..], &["--format", format]].concat()).exits(0).stdout;
        assert!(text.starts_with(start), "{text}");
    }
    let said = folder.run(&[&asked[..], &["--model", "2012"]].concat()).exits(2).stderr;
    assert!(
        said.contains("version `2012` of the model `flight-delay` (but about 2013.04, 2013.05)"),
        "{said}"
    );
}

#[test]
fn events_are_kept_once_and_lines_that_are_none_are_told() {
    let folder = traced();
    let line = EVENTS.lines().next().unwrap();
    folder.write("more.ndjson", format!("{line}\n\n{{\"eventTime\":\"2013-05-01T00:00:00Z\"}}\nhello\n"));
    let run = folder.run(&["trace", "import", "more.ndjson", "events.ndjson"]).exits(2);
    assert_eq!(run.stdout, "0 events taken in, 11 known already, 2 lines refused.\n");
    assert!(run.stderr.contains("`more.ndjson`, line 3: it is of none of the three types"), "{}", run.stderr);
    assert!(run.stderr.contains("`more.ndjson`, line 4: it is not JSON"), "{}", run.stderr);
}

#[test]
fn data_leads_to_models_and_models_are_compared() {
    let folder = traced();
    let text = folder.run(&["trace", "impact", "features@cccccc"]).exits(0).stdout;
    assert!(text.contains("trained model version flight-delay@2013.04"), "{text}");
    let text = folder.run(&["trace", "impact", "features@cccccc", "--as-of", "2013-05-01T01:40:00Z"]);
    assert!(!text.exits(0).stdout.contains("model version"));
    let text = folder.run(&["trace", "diff", "flight-delay@2013.04", "flight-delay@2013.05"]).exits(0).stdout;
    assert!(text.contains("step `impute`: parameter `strategy` \"median\" → \"mean\""), "{text}");
    let text = folder.run(&["trace", "gaps"]).exits(0).stdout;
    assert!(text.contains("What wrote it: known for 2 of 4 dataset versions"), "{text}");
    let said = folder.run(&["trace", "dataset", "feature"]).exits(2).stderr;
    assert!(said.contains("no event is about `feature`; is it `file/features`?"), "{said}");
}
