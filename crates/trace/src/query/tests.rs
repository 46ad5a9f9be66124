//! Questions to the graph of a small world: an Airflow task without versions, a preparation, a training, a service.

use jiff::Timestamp;
use proptest::prelude::*;
use types::lineage::{AsOf, Kind, Quality, State, Trace, What};

use super::*;
use crate::change::Key;
use crate::form;
use crate::graph::{Builder, Graph, NodeId};
use crate::openlineage;
use crate::random_events;

const EVENTS: &str = include_str!("../../../../testdata/lineage/flights.ndjson");
const RECEIVED: &str = "2013-07-01T00:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn graph_of<'a>(lines: impl IntoIterator<Item = &'a str>) -> Graph {
    let mut builder = Builder::default();
    for line in lines {
        let remarks = builder.add(&openlineage::read(line.as_bytes(), at(RECEIVED)).unwrap(), at(RECEIVED));
        assert_eq!(remarks, [""; 0]);
    }
    builder.build()
}

fn now() -> AsOf {
    AsOf { true_at: at("2013-08-01T00:00:00Z"), known_at: at("2013-08-01T00:00:00Z") }
}

fn node(graph: &Graph, key: &Key<'_>) -> NodeId {
    graph.find(key).unwrap()
}

fn features(digit: &str) -> Key<'static> {
    Key::dataset_version("file", "features", format!("sha256:{}", digit.repeat(64)))
}

#[track_caller]
fn check_tree(trace: &Trace, expected: &str) {
    let text = form::tree(trace);
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn a_prediction_is_traced_to_its_sources_with_every_gap() {
    let graph = graph_of(EVENTS.lines());
    let view = View::new(&graph, now());
    let begin = prediction(&view, "flight-delay", "2013.04", at("2013-06-05T12:00:00Z")).unwrap();
    let Begin::Context(context) = begin else { panic!("{begin:?}") };
    check_tree(&upstream(&view, context, 100), include_str!("../../../../testdata/lineage/prediction.txt"));
}

#[test]
fn a_time_without_a_context_begins_at_the_model_and_an_unknown_model_nowhere() {
    let graph = graph_of(EVENTS.lines());
    let view = View::new(&graph, now());
    let before = prediction(&view, "flight-delay", "2013.04", at("2013-04-30T00:00:00Z"));
    assert!(matches!(before, Some(Begin::Model(_))), "{before:?}");
    assert_eq!(prediction(&view, "flight-delay", "2012", at("2013-06-05T12:00:00Z")), None);
    assert_eq!(versions_of(&view, "flight-delay"), ["2013.04", "2013.05"]);
}

#[test]
fn impact_reaches_models_and_what_they_answered() {
    let graph = graph_of(EVENTS.lines());
    let trace = downstream(
        &View::new(&graph, now()),
        node(&graph, &Key::run("0190f5b2-7c1a-7000-8000-000000000001")),
        100,
    );
    check_tree(&trace, include_str!("../../../../testdata/lineage/impact.txt"));
}

#[test]
fn a_trace_is_cut_where_it_was_asked_to_be_and_says_so() {
    let graph = graph_of(EVENTS.lines());
    let view = View::new(&graph, now());
    let start = node(&graph, &features("c"));
    let whole = upstream(&view, start, 100);
    assert!(!whole.truncated);
    let cut = upstream(&view, start, 3);
    assert!(cut.truncated && cut.nodes.len() == 3);
    assert!(cut.hops.iter().all(|hop| hop.to < 3 && hop.from.is_none_or(|from| from < 3)));
    assert!(!upstream(&view, start, whole.nodes.len()).truncated);
}

#[test]
fn what_was_not_true_or_not_known_yet_is_not_seen() {
    let graph = graph_of(EVENTS.lines());
    let start = node(&graph, &features("c"));
    let nodes = |as_of: AsOf| downstream(&View::new(&graph, as_of), start, 100).nodes.len();
    let after_training = AsOf { true_at: at("2013-05-01T03:00:00Z"), ..now() };
    // The version itself, the check, the training and the model; the service began on the next day.
    assert_eq!(nodes(after_training), 4);
    assert_eq!(nodes(AsOf { known_at: at("2013-06-30T00:00:00Z"), ..now() }), 1);
}

/// A run of the job `name` with an input or output that has these facets.
fn event(time: &str, run: &str, kind: &str, inputs: &str, outputs: &str) -> String {
    format!(
        r#"{{"eventType":"{kind}","eventTime":"{time}","producer":"p","run":{{"runId":"{run}"}},
        "job":{{"namespace":"n","name":"{run}"}},"inputs":[{inputs}],"outputs":[{outputs}]}}"#
    )
}

fn dataset(name: &str, version: &str, checked: bool) -> String {
    let facets = match version {
        "" => String::new(),
        version => format!(r#""version":{{"datasetVersion":"{version}"}}"#),
    };
    let check = r#""dataQualityAssertions":{"assertions":[{"assertion":"unique","success":true}]}"#;
    let check = if checked { check } else { "" };
    format!(r#"{{"namespace":"n","name":"{name}","facets":{{{facets}}},"inputFacets":{{{check}}}}}"#)
}

#[test]
fn checked_another_version_checked_and_never_checked_stay_distinct() {
    let check_at = |version: &str, checked: &str, time: &str| {
        let lines = [
            event("2013-05-01T00:00:00Z", "use", "COMPLETE", &dataset("d", version, false), ""),
            event(time, "check", "COMPLETE", &dataset("d", checked, true), ""),
        ];
        let graph = graph_of(lines.iter().map(String::as_str));
        let trace = upstream(&View::new(&graph, now()), node(&graph, &Key::run("use")), 100);
        trace.hops.into_iter().find_map(|hop| hop.quality).unwrap()
    };
    let (before, after) = ("2013-04-30T00:00:00Z", "2013-05-02T00:00:00Z");
    let checked = |at| (at, 1_u64, Vec::<String>::new());
    let (time, passed, failed) = checked(at(before));
    assert_eq!(check_at("v1", "v1", before), Quality::Checked { at: time, passed, failed: failed.clone() });
    let another = Quality::AnotherVersion { version: "v2".into(), at: time, passed, failed };
    assert_eq!(check_at("v1", "v2", before), another);
    assert_eq!(check_at("v1", "v1", after), Quality::Never { later: Some(at(after)) });
    assert_eq!(check_at("v1", "v2", after), Quality::Never { later: None });
}

#[test]
fn a_read_without_a_version_is_of_what_was_written_last_before() {
    let lines = [
        event("2013-05-01T01:00:00Z", "first", "COMPLETE", "", &dataset("d", "", false)),
        event("2013-05-01T02:00:00Z", "second", "COMPLETE", "", &dataset("d", "v2", false)),
        event("2013-05-01T03:00:00Z", "reader", "START", &dataset("d", "", false), ""),
        event("2013-05-01T04:00:00Z", "third", "COMPLETE", "", &dataset("d", "", false)),
        event("2013-05-01T01:30:00Z", "early", "START", &dataset("d", "", false), ""),
    ];
    let graph = graph_of(lines.iter().map(String::as_str));
    let view = View::new(&graph, now());
    let read = |run: &'static str| {
        let hops = view.upstream(node(&graph, &Key::run(run))).into_iter();
        hops.filter(|hop| hop.what == What::Read).map(|hop| (hop.from, hop.state)).collect::<Vec<_>>()
    };
    let version = node(&graph, &Key::dataset_version("n", "d", "v2"));
    assert_eq!(read("reader"), [(Some(version), State::Inferred)]);
    assert_eq!(read("early"), [(Some(node(&graph, &Key::run("first"))), State::Inferred)]);
}

#[test]
fn a_model_of_two_contents_and_a_run_of_two_ends_are_contradicted() {
    let train = |run: &str, digit: &str, end: &str| {
        let facet =
            format!(r#""forewarn_model":{{"name":"m","version":"1","digest":"{}"}}"#, digit.repeat(64));
        event("2013-05-01T00:00:00Z", run, end, &dataset("d", "v1", false), "")
            .replace(&format!(r#""runId":"{run}""#), &format!(r#""runId":"{run}","facets":{{{facet}}}"#))
    };
    let lines = [train("a", "1", "COMPLETE"), train("b", "2", "COMPLETE"), train("b", "2", "FAIL")];
    let graph = graph_of(lines.iter().map(String::as_str));
    let view = View::new(&graph, now());
    let trace = upstream(&view, node(&graph, &Key::model("m", "1")), 100);
    let states: Vec<_> =
        trace.hops.iter().filter(|hop| hop.what == What::Trained).map(|hop| hop.state).collect();
    assert_eq!(states, [State::Contradicted; 2]);
    let text = form::tree(&trace);
    assert!(text.contains("contradicted: it is said to have ended as COMPLETE and FAIL"), "{text}");
}

#[test]
fn cycles_end() {
    let lines = [
        event("2013-05-01T01:00:00Z", "a", "COMPLETE", &dataset("x", "1", false), &dataset("y", "1", false)),
        event("2013-05-01T02:00:00Z", "b", "COMPLETE", &dataset("y", "1", false), &dataset("x", "1", false)),
    ];
    let graph = graph_of(lines.iter().map(String::as_str));
    let view = View::new(&graph, now());
    let start = node(&graph, &Key::run("a"));
    assert!(form::tree(&upstream(&view, start, 100)).contains("run a (above)"));
    assert!(form::tree(&downstream(&view, start, 100)).contains("run a (above)"));
}

#[test]
fn gaps_are_counted_by_question() {
    let graph = graph_of(EVENTS.lines());
    let found = gaps(&View::new(&graph, now()), 10);
    let counts: Vec<_> = found.iter().map(|of| (of.kind, of.asked, of.nodes, of.answered)).collect();
    let expected = [
        (Kind::ModelVersion, What::Trained, 2, 2),
        (Kind::ServingContext, What::Serves, 1, 1),
        // The parent that an Airflow task names is a run of which nothing else is known.
        (Kind::Run, What::Executed, 7, 6),
        (Kind::Run, What::Read, 7, 6),
        (Kind::DatasetVersion, What::Wrote, 4, 2),
    ];
    assert_eq!(counts, expected);
    assert_eq!(found[4].gaps.len(), 2);
}

#[test]
fn two_trainings_differ_in_data_code_and_one_parameter() {
    let graph = graph_of(EVENTS.lines());
    let view = View::new(&graph, now());
    let trace = |version| upstream(&view, node(&graph, &Key::model("flight-delay", version)), 100);
    let changes = difference(&view, &trace("2013.04"), &trace("2013.05"));
    let versions = |name: &str| {
        changes.iter().find_map(|change| match change {
            Change::Version { name: of, before, after, .. } if of == name => {
                Some((before.len(), after.len()))
            }
            _ => None,
        })
    };
    assert_eq!(versions("file/features"), Some((1, 1)));
    assert_eq!(versions("flights/train"), Some((1, 1)));
    assert!(
        changes.contains(&Change::Removed { kind: Kind::DatasetVersion, name: "file/weather.csv".into() })
    );
    let pipelines: Vec<_> = changes
        .iter()
        .filter_map(|change| match change {
            Change::Pipeline { job, differences, .. } => Some((job.as_str(), differences.clone())),
            _ => None,
        })
        .collect();
    let expected = "step `impute`: parameter `strategy` \"median\" → \"mean\"".to_owned();
    assert_eq!(pipelines, [("flights/train", vec![expected])]);
    let mut same = difference(&view, &trace("2013.04"), &trace("2013.04"));
    assert_eq!(same.pop(), None);
}

#[test]
fn things_are_found_by_what_people_call_them() {
    let graph = graph_of(EVENTS.lines());
    let view = View::new(&graph, now());
    let check = |text: &str, expected: Result<&Key<'_>, &str>| match (find(&view, text), expected) {
        (Ok(found), Ok(key)) => assert_eq!(graph.key(found), *key, "{text}"),
        (Err(error), Err(expected)) => assert!(error.to_string().starts_with(expected), "{error}"),
        (found, _) => panic!("{text}: {found:?}"),
    };
    check("air.flights", Ok(&Key::dataset("postgres://db:5432", "air.flights")));
    check("s3://raw:9000/flights", Ok(&Key::dataset("s3://raw:9000", "flights")));
    check("flight-delay@2013.04", Ok(&Key::model("flight-delay", "2013.04")));
    check("features@cccccc", Ok(&features("c")));
    check("file/features@sha256:dddddddddddd", Ok(&features("d")));
    check("features@ccccc", Err("no event is about `features@ccccc`; is it `file/features@sha256:"));
    check("flight-delay", Err("no event is about `flight-delay`; is it `flight-delay@2013.0"));
    let lines = [dataset("d", "", false), dataset("d", "", false).replace("\"n\"", "\"m\"")];
    let lines = lines.map(|inputs| event("2013-05-01T00:00:00Z", "r", "COMPLETE", &inputs, ""));
    let graph = graph_of(lines.iter().map(String::as_str));
    let error = find(&View::new(&graph, now()), "d").unwrap_err();
    assert!(error.to_string().starts_with("`d` could be several: m/d, n/d; write"), "{error}");
}

proptest! {
    /// What is upstream of a node has the node downstream, and the other way round; only a dataset without a version
    /// has more below it than it is above of.
    #[test]
    fn downstream_mirrors_upstream(texts in prop::collection::vec(random_events::event(), 1..12)) {
        let graph = graph_of(texts.iter().map(String::as_str));
        let view = View::new(&graph, now());
        let kinds = [Kind::Run, Kind::DatasetVersion, Kind::Dataset, Kind::Job, Kind::JobVersion];
        let nodes: Vec<NodeId> = kinds.into_iter().flat_map(|kind| graph.of_kind(kind)).collect();
        let is_dataset = |node| graph.kind(node) == Kind::Dataset;
        let pairs = |hops: Vec<Hop<'_>>| -> Vec<(NodeId, NodeId)> {
            let ends = hops.iter().filter_map(|hop| Some((hop.from?, hop.to)));
            ends.filter(|&(from, to)| !is_dataset(from) && !is_dataset(to)).collect()
        };
        let one_name = |node: NodeId| view.one_name(node) == node;
        let asked = || nodes.iter().copied().filter(|&node| one_name(node));
        let mut above: Vec<_> = asked().flat_map(|node| pairs(view.upstream(node))).collect();
        let mut below: Vec<_> = asked().flat_map(|node| pairs(view.downstream(node))).collect();
        for pairs in [&mut above, &mut below] {
            pairs.sort_unstable();
            pairs.dedup();
        }
        prop_assert_eq!(above, below);
    }
}
