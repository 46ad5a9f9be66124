//! Faults done to the inputs of a model that is asked for real: a file in ONNX, a program, a server; and models that
//! hang, end, talk nonsense, or are not the one of the log.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::fixture::{Folder, Report, Run, Table, definition_with, repository, says, summary};
use crate::flights::flights;
use crate::parts;

/// Few enough faults and rows that a run takes a moment.
const FEW: &str = "rows = 200\nfaults = { kinds = [\"unit\", \"wrong-join\"] }";
const RIGHT: &str = "command = [\"python3\", \"model.py\", \"right\"]";
/// How long a run may take with a model that hangs or ends; its first answer alone may take longer than that.
const PATIENCE: Duration = Duration::from_mins(1);
const CHECKS: [&str; 4] = ["stress.detection", "stress.faults", "stress.missing", "stress.parity"];

/// The small log, with a score that is high where `x` is above 10 and an outcome that follows it nine times of ten.
pub(crate) fn log() -> Table {
    let small = Table::small_log();
    let is_above = |row: usize| small.cell(row, "x").parse::<f64>().unwrap() > 10.0;
    let score = |row, _: &str| if is_above(row) { "0.9" } else { "0.1" }.to_owned();
    let label = |row: usize, _: &str| u8::from(is_above(row) != row.is_multiple_of(10)).to_string();
    small.clone().with("score", score).with("label", label)
}

/// The definition of the small log with these keys of `[model]` and `[stress]`, and without a gate.
pub(crate) fn definition(model: &str, stress: &str) -> String {
    let gate = "[gate.deploy]\nneeds = [\"evaluate.*\", \"monitor.quality\"]\n";
    definition_with(gate, &format!("[model]\n{model}\n\n[stress]\n{stress}\n"))
}

/// A folder with that log, and a program that answers for the model.
fn folder(model: &str, stress: &str) -> Folder {
    let folder = Folder::with_log(&definition(model, stress), &log());
    folder.write("model.py", std::fs::read(parts::script("rule_model.py")).unwrap());
    folder
}

fn stressed(folder: &Folder) -> Report {
    folder.run(&["stress", "--format", "json"]).exits(0).report()
}

/// What came of a fault.
#[track_caller]
fn fault<'a>(finding: &'a Value, name: &str, of: &str) -> &'a Value {
    let faults = finding["detail"]["faults"].as_array().unwrap();
    let found = faults.iter().find(|fault| fault["fault"] == name && fault["of"] == of);
    found.unwrap_or_else(|| panic!("no {name} of {of} in {faults:#?}"))
}

/// The share of the changed rows that were answered in some way.
fn share(fault: &Value, class: &str) -> f64 {
    let responses = fault["responses"].as_array().unwrap();
    responses.iter().filter(|of| of["class"] == class).map(|of| of["share"].as_f64().unwrap()).sum()
}

/// The example with the model itself.
fn flights_with_model(stress: &str) -> Folder {
    let folder = flights();
    folder.write("model.onnx", std::fs::read(repository("examples/flights/model.onnx")).unwrap());
    folder.write("forewarn.toml", format!("{}\n[stress]\n{stress}\n", folder.read("forewarn.toml")));
    folder
}

/// Runs the program where `python3` is the one with ONNX Runtime.
fn run_with(python: &Path, folder: &Folder, arguments: &[&str]) -> Run {
    let mut path = vec![python.parent().unwrap().to_owned()];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let mut command = folder.command(arguments);
    command.env_remove("ORT_DYLIB_PATH").env("PATH", std::env::join_paths(path).unwrap());
    Run::of(command.output().unwrap())
}

/// By how much accuracy drops, as ONNX Runtime and NumPy have it without this program.
fn drops(python: &Path) -> Value {
    let example = repository("examples/flights");
    let mut command = Command::new(python);
    command.arg(parts::script("onnx_faults.py")).arg(example.join("model.onnx"));
    for table in ["predictions", "outcomes"] {
        command.arg(example.join("data").join(table).join("2013-12.parquet"));
    }
    serde_json::from_str(&parts::output(command.args(["2013-12-23", "2013-12-30"])).unwrap()).unwrap()
}

#[test]
fn the_model_of_the_example_loses_by_each_missing_input_what_onnx_runtime_alone_says() {
    let Some(python) = parts::python() else { return };
    // More rows than the week has: all of them are asked about.
    let folder = flights_with_model("rows = 10_000\nfaults = { kinds = [\"unseen-category\"] }");
    // Its gates need checks that nobody has made here.
    let report = run_with(&python, &folder, &["stress", "--format", "json"]).exits(1).report();
    assert_eq!(report.checks(), CHECKS);
    let expected = drops(&python);
    says(report.finding("stress.parity"), "pass", &["model.onnx", "6,010 rows"]);
    for (check, kind) in [("stress.missing", "missing"), ("stress.faults", "unseen-category")] {
        let finding = report.finding(check);
        assert_eq!(finding["detail"]["rows"], expected["rows"]);
        assert_near(&finding["detail"]["clean"]["value"], &expected["accuracy"], "accuracy");
        for (column, drop) in expected[kind].as_object().unwrap() {
            let impact = &fault(finding, kind, column)["impact"];
            assert_near(&impact["value"], drop, column);
            let interval = &impact["interval"];
            let ends = [&interval["lower"], &interval["upper"]].map(|end| end.as_f64().unwrap());
            assert!(ends[0] <= impact["value"].as_f64().unwrap() && ends[0] < ends[1], "{impact}");
        }
    }
    let missing = report.finding("stress.missing");
    assert_eq!(missing["detail"]["faults"].as_array().unwrap().len(), 25 + 5, "columns and sources");
    assert_eq!(fault(missing, "missing", "source airports")["columns"].as_array().unwrap().len(), 3);
    let recorded = folder.evidence();
    let is_recorded = |check: &str| recorded.contains(&format!("\"check\":\"{check}\""));
    assert!(CHECKS.into_iter().all(is_recorded), "{recorded}");
    let said = folder.run(&["verify"]).exits(0).stdout;
    assert!(said.contains(report.text("checkpoint")), "{said}");
}

#[track_caller]
fn assert_near(ours: &Value, theirs: &Value, what: &str) {
    let (ours, theirs) = (ours.as_f64().unwrap(), theirs.as_f64().unwrap());
    assert!((ours - theirs).abs() < 1e-9, "{what}: {ours}, where another program has {theirs}");
}

#[test]
fn without_onnx_runtime_the_way_to_get_it_is_told() {
    let folder = flights_with_model("rows = 200");
    let mut command = folder.command(&["stress"]);
    let run = Run::of(command.env("ORT_DYLIB_PATH", folder.path("none.so")).output().unwrap());
    run.refuses(&["none.so", "ORT_DYLIB_PATH", "there is no such file", "pip install onnxruntime"]);
    folder.write("none.so", "no library at all");
    let mut command = folder.command(&["stress"]);
    let run = Run::of(command.env("ORT_DYLIB_PATH", folder.path("none.so")).output().unwrap());
    run.refuses(&["none.so", "not a usable ONNX Runtime", "pip install onnxruntime"]);
}

#[test]
fn a_file_that_is_no_model_or_another_one_is_refused() {
    let Some(python) = parts::python() else { return };
    let folder = folder("onnx = \"model.onnx\"", FEW);
    let refuses = |parts: &[&str]| {
        run_with(&python, &folder, &["stress"]).refuses(parts);
    };
    refuses(&["forewarn.toml", "model.onnx", "does not exist"]);
    folder.write("model.onnx", "no model at all");
    refuses(&["forewarn.toml", "model.onnx", "is no model that ONNX Runtime"]);
    folder.write("model.onnx", std::fs::read(repository("examples/flights/model.onnx")).unwrap());
    refuses(&["the columns of the log are not its inputs", "`carrier` is missing", "`wind_gust` is missing"]);
}

#[test]
fn a_model_that_refuses_a_missing_input_fails_and_what_it_says_is_in_the_report() {
    let folder = folder(RIGHT, FEW);
    let run = folder.run(&["stress", "--format", "json", "--html", "report.html"]).exits(0);
    let report = run.report();
    assert_eq!(report.checks(), CHECKS);
    says(report.finding("stress.parity"), "pass", &["python3 model.py right"]);
    let missing = report.finding("stress.missing");
    says(missing, "fail", &["x", "source crm", "ValueError: x must be there"]);
    for of in ["x", "source crm"] {
        let lost = fault(missing, "missing", of);
        assert_eq!((&lost["status"], share(lost, "rejected")), (&json!("failed"), 1.0));
        assert_eq!(lost["error"], "rejected: ValueError: x must be there");
    }
    // What the model does not look at cannot hurt it.
    for of in ["amount", "colour"] {
        let lost = fault(missing, "missing", of);
        assert_eq!((&lost["status"], &lost["impact"]["value"]), (&json!("handled"), &json!(0.0)));
    }
    assert!(folder.read("report.html").contains("ValueError: x must be there"));
}

#[test]
fn answers_that_are_wrong_and_sure_are_counted_and_those_that_monitoring_misses_are_named() {
    let folder = folder(RIGHT, FEW);
    let report = stressed(&folder);
    let faults = report.finding("stress.faults");
    says(faults, "fail", &["x"]);
    // A thousand times `x` is always above 10: the half that is below is answered with 0.9, and so nine of ten wrongly.
    let unit = faults["detail"]["faults"].as_array().unwrap().iter();
    let largest = unit.filter(|fault| fault["fault"] == "unit" && fault["of"] == "x");
    let largest = largest.map(|fault| share(fault, "silently_wrong")).fold(0.0, f64::max);
    assert!((0.4..0.65).contains(&largest), "{largest}");
    // Values of other rows look as ever, one column at a time.
    let detection = report.finding("stress.detection");
    says(detection, "fail", &["x", "Wrong join", "source crm"]);
    let noticed = |name: &str, of: &str| fault(faults, name, of)["noticed"]["by"].as_array().unwrap().clone();
    assert_eq!(noticed("wrong-join", "x"), Vec::<Value>::new());
    let missing = report.finding("stress.missing");
    assert!(fault(missing, "missing", "x")["noticed"]["by"].to_string().contains("monitor.quality: x"));
}

#[test]
fn faults_of_another_model_than_the_one_of_the_log_are_not_certified() {
    let other = RIGHT.replace("right", "other");
    let report = stressed(&folder(&other, FEW));
    says(report.finding("stress.parity"), "fail", &["is not the model of the log", "0.800 at most"]);
    for check in ["stress.missing", "stress.faults", "stress.detection"] {
        says(report.finding(check), "unknown", &["stress.parity", "not certified"]);
    }
}

/// A model that answers for no row: parity fails with its words, nothing else is known, and the program goes on.
#[track_caller]
fn answers_nothing(model: &str, parts: &[&str]) {
    let begun = Instant::now();
    let report = stressed(&folder(model, FEW));
    says(report.finding("stress.parity"), "fail", &["answers none of"]);
    says(report.finding("stress.parity"), "fail", parts);
    for check in ["stress.missing", "stress.faults", "stress.detection"] {
        assert_eq!(report.finding(check)["verdict"], "unknown");
    }
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
}

#[test]
fn a_model_that_talks_nonsense_answers_too_little_or_ends_is_told_in_its_own_words() {
    let of_python = |how: &str| RIGHT.replace("right", how);
    answers_nothing(&of_python("garbage"), &["malformed answer", "not JSON", "Loading the model ... done"]);
    answers_nothing(&of_python("few"), &["too few rows", "were asked about"]);
    let ends = "command = [\"sh\", \"-c\", \"echo the weights are gone >&2; exit 3\"]";
    answers_nothing(ends, &["crashed", "exit status: 3", "the weights are gone"]);
    folder("command = [\"no-such-program\"]", FEW)
        .run(&["stress"])
        .refuses(&["the model cannot be asked", "cannot start `no-such-program`"]);
}

#[test]
fn a_model_that_hangs_on_a_fault_is_ended_and_asked_about_the_next_one() {
    let model = format!("{}\ntimeout = \"3s\"\nstart_timeout = \"5s\"", RIGHT.replace("right", "hangs"));
    let folder = folder(&model, "rows = 200\nmissing = { sources = false }");
    let begun = Instant::now();
    let report = folder.run(&["stress", "--only", "parity,missing", "--format", "json"]).exits(0).report();
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    assert_eq!(report.checks(), ["stress.missing", "stress.parity"]);
    let missing = report.finding("stress.missing");
    let lost = fault(missing, "missing", "x");
    assert_eq!((&lost["status"], share(lost, "crashed")), (&json!("failed"), 1.0));
    assert_eq!(lost["error"], "timed out: no answer within 3s");
    assert_eq!(fault(missing, "missing", "amount")["status"], "handled");
}

/// A server that answers every request in one way.
struct Http {
    port: u16,
    asked: Arc<AtomicUsize>,
}

impl Http {
    /// `answer` makes the head and the body of an answer from what was asked.
    fn answering(answer: impl Fn(&[u8]) -> (String, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                count.fetch_add(1, Ordering::SeqCst);
                let (head, body) = answer(&body_of(&client));
                let length = body.len();
                let end = format!("content-length: {length}\r\nconnection: close\r\n\r\n{body}");
                let _ = (&client).write_all(format!("HTTP/1.1 {head}\r\n{end}").as_bytes());
            }
        });
        Self { port, asked }
    }

    fn address(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

fn body_of(client: &TcpStream) -> Vec<u8> {
    let mut reader = BufReader::new(client);
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    body
}

/// Keys of `[model]` for a server in JSON of its own.
pub(crate) fn json_at(address: &str) -> String {
    format!("endpoint = \"{address}\"\nprotocol = \"json\"\nrequest = '{{\"instances\": \"{{records}}\"}}'")
}

#[test]
fn a_server_in_json_of_its_own_is_asked_like_any_other_model() {
    let server = Http::answering(|body| {
        let asked: Value = serde_json::from_slice(body).unwrap();
        let score = |record: &Value| record["x"].as_f64().map(|x| if x > 10.0 { 0.9 } else { 0.1 });
        let scores: Option<Vec<f64>> = asked["instances"].as_array().unwrap().iter().map(score).collect();
        match scores {
            Some(scores) => ("200 OK".into(), json!({"predictions": scores}).to_string()),
            None => ("422 Unprocessable Content".into(), json!({"detail": "x is required"}).to_string()),
        }
    });
    let report = stressed(&folder(&json_at(&server.address("/predict")), FEW));
    says(report.finding("stress.parity"), "pass", &[&server.address("/predict")]);
    let lost = fault(report.finding("stress.missing"), "missing", "x");
    assert_eq!(lost["error"], "rejected: 422: x is required");
}

#[test]
fn a_server_that_is_down_or_not_allowed_is_refused_and_one_that_sends_elsewhere_is_not_followed() {
    let at = |address: &str| format!("endpoint = \"{address}\"");
    let elsewhere = Http::answering(|_| ("200 OK".into(), "{\"predictions\": []}".into()));
    let target = elsewhere.address("/predict");
    let sends =
        Http::answering(move |_| (format!("307 Temporary Redirect\r\nlocation: {target}"), String::new()));
    let refused = |model: &str, parts: &[&str]| {
        folder(model, FEW).run(&["stress"]).refuses(parts);
    };
    refused(
        &at("http://127.0.0.1:9/invocations"),
        &["the model cannot be asked", "unreachable", "127.0.0.1:9"],
    );
    refused(
        &at("http://models.example.org/invocations"),
        &["forewarn.toml", "another machine", "allowed_hosts", "`models.example.org`"],
    );
    refused(&at(&sends.address("/invocations")), &["redirected", "307", "redirects are not followed"]);
    // Without a path that tells whether a server is well, the first answer does.
    answers_nothing(&json_at(&sends.address("/predict")), &["redirected", "redirects are not followed"]);
    assert!(sends.asked.load(Ordering::SeqCst) > 0);
    assert_eq!(elsewhere.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn mistakes_in_the_definition_of_a_stress_test_are_told_with_the_way_out() {
    let refused = |model: &str, stress: &str, parts: &[&str]| {
        let run = folder(model, stress).run(&["stress"]);
        run.refuses(&[&["forewarn.toml"], parts].concat());
    };
    let endpoint = "endpoint = \"http://127.0.0.1:9/v2\"";
    refused(RIGHT, "faults = { kinds = [\"unti\"] }", &["`unti`", "did you mean `unit`?"]);
    refused(RIGHT, "rows = 50", &["50 rows", "at least 100"]);
    refused(RIGHT, "missing = { rates = [1.5] }", &["1.5 is not a share between 0 and 1"]);
    refused(RIGHT, "missing = { rates = [] }", &["no rate is named"]);
    refused(RIGHT, "faults = { refusal = \"okay\" }", &["okay", "handled", "failed"]);
    refused(RIGHT, "skip = [\"monitor.drift\"]", &["`monitor.drift` is not a check of [stress]"]);
    refused(RIGHT, "row = 200", &["`row`", "did you mean `rows`?"]);
    let inputs = format!("{RIGHT}\ninputs = [\"x\", \"amout\"]");
    refused(&inputs, FEW, &["`amout` is not in the log", "did you mean `amount`?"]);
    refused(&format!("{RIGHT}\n{endpoint}"), FEW, &["`endpoint` and by `command`", "keep the one"]);
    refused("command = [\"\"]", FEW, &["names no program"]);
    let json = format!("{endpoint}\nprotocol = \"json\"");
    refused(&json, FEW, &["needs to know what to send", "add request"]);
    refused(&format!("{json}\nrequest = \"[\""), FEW, &["the request is no JSON"]);
    refused(&format!("{json}\nrequest = \"{{}}\""), FEW, &["says nothing of the rows", "{records}"]);
    refused(
        &format!("{endpoint}\nprotocol = \"oip\""),
        FEW,
        &["does not say which model", "/v2/models/NAME"],
    );
    refused("version = \"1\"", FEW, &["nothing says where the model can be asked", "add onnx"]);
}

#[test]
fn a_gate_that_needs_missing_inputs_is_shut_until_they_were_tried_under_this_definition() {
    let folder = folder(RIGHT, FEW);
    let gated = |stress: &str| {
        format!("{}\n[gate.deploy]\nneeds = [\"stress.missing\"]\n", definition(RIGHT, stress))
    };
    let handled = format!("{FEW}\nmissing = {{ refusal = \"handled\" }}");
    folder.write("forewarn.toml", gated(&handled));
    assert_eq!(folder.report(1).need("stress.missing"), "missing");
    folder.run(&["stress", "--only", "parity"]).exits(1);
    let report = folder.run(&["stress", "--format", "json"]).exits(0).report();
    assert_eq!(
        (report.finding("stress.missing")["verdict"].as_str(), report.need("stress.missing")),
        (Some("pass"), "met")
    );
    assert_eq!(folder.report(0).need("stress.missing"), "met");
    // Who needs an answer for every row is not served by a refusal, and what was found before is not about that.
    folder.write("forewarn.toml", gated(FEW));
    assert_eq!(folder.report(1).need("stress.missing"), "stale");
    let report = folder.run(&["stress", "--format", "json"]).exits(1).report();
    assert_eq!(report.need("stress.missing"), "failed");
}

#[test]
fn the_same_rows_get_the_same_faults_every_time() {
    let folder = folder(RIGHT, &format!("{FEW}\nmissing = {{ rates = [0.3], pairs = true }}"));
    let first = stressed(&folder);
    // Some of the rows are hit, and which ones is drawn.
    let lost = fault(first.finding("stress.missing"), "missing", "x");
    assert!((0.2..0.4).contains(&lost["touched_share"].as_f64().unwrap()), "{lost}");
    let again = stressed(&folder);
    assert_eq!(first.without_run(), again.without_run());
}

#[test]
fn the_checks_that_are_asked_for_are_made_and_no_others() {
    let folder = folder(RIGHT, FEW);
    let only = |checks: &str| folder.run(&["stress", "--only", checks, "--format", "json"]).exits(0).report();
    assert_eq!(only("parity").checks(), ["stress.parity"]);
    assert_eq!(only("missing,detection").checks(), ["stress.detection", "stress.missing"]);
    folder.run(&["stress", "--only", "pariti"]).refuses(&["pariti", "parity"]);
}

#[test]
fn every_form_of_the_report_tells_what_a_fault_does() {
    let folder = folder(RIGHT, FEW);
    let report = stressed(&folder);
    let sentence = summary(report.finding("stress.missing")).to_owned();
    let printed = |format: &str| folder.run(&["stress", "--format", format]).exits(0).stdout;
    for text in [printed("markdown"), printed("junit")] {
        assert!(text.contains(&sentence), "no {sentence:?} in:\n{text}");
    }
    let junit = printed("junit");
    assert!(junit.contains("<testcase classname=\"stress.missing\" name=\"x: Missing values\">"), "{junit}");
    assert!(
        junit.contains("<testcase classname=\"stress.missing\" name=\"amount: Missing values\"/>"),
        "{junit}"
    );
    assert!(printed("markdown").contains("Faults that the model does not stand"));
    let text = folder.run(&["stress", "--html", "report.html"]).exits(0).stdout;
    assert!(text.contains("✗ x: Missing values") && text.contains("✗ x: Wrong join"), "{text}");
    let html = folder.read("report.html");
    let told: BTreeMap<&str, bool> =
        ["Missing values", "Wrong join", "source crm", "Failure modes", "Silently wrong"]
            .into_iter()
            .map(|part| (part, html.contains(part)))
            .collect();
    assert!(told.values().all(|is_told| *is_told), "{told:?}");
}

#[test]
fn every_way_that_the_definition_names_is_weighed_for_inputs_and_for_the_model_itself() {
    let ways = "degradation = { abstaining = 0.3, waiting = 0.1, constant = 0.1, cached_by = \"colour\", \
                fallback = [{ command = [\"python3\", \"model.py\", \"colours\"], inputs = [\"colour\"] }] }";
    let folder = folder(RIGHT, &format!("{FEW}\n{ways}"));
    let run = folder.run(&["stress", "--policy", "policy.toml", "--html", "report.html", "--format", "json"]);
    let report = run.exits(0).report();
    let missing = report.finding("stress.missing");
    let named = |strategies: &Value| -> Vec<String> {
        let strategies = strategies.as_array().unwrap().iter();
        strategies.map(|of| of["strategy"].as_str().unwrap().to_owned()).collect()
    };
    let of_x = named(&fault(missing, "missing", "x")["strategies"]).join("; ");
    for part in [
        "ask the model with what there is",
        "fill in the most usual values",
        "nearest rows",
        "colours`, which does without the features",
        "repeat the last answer",
        "answer 0.1",
        "send the case to a person",
        "after 3 failures in a row",
    ] {
        assert!(of_x.contains(part), "no {part:?} in {of_x}");
    }
    let outage = named(&missing["detail"]["model_outage"]).join("; ");
    for part in ["leave callers without an answer", "send the case to a person", "after 3 failures in a row"]
    {
        assert!(outage.contains(part), "no {part:?} in {outage}");
    }
    assert!(folder.read("policy.toml").contains("outage = \"model\""), "{}", folder.read("policy.toml"));
    assert!(folder.read("report.html").contains("While the model itself does not answer"));
}

#[test]
fn a_model_that_answers_missing_values_otherwise_than_the_one_it_was_made_of_is_not_certified_there() {
    let lenient = RIGHT.replace("right", "lenient");
    let against = format!("{FEW}\nparity = {{ against = {{ {RIGHT} }} }}");
    let report = stressed(&folder(&lenient, &against));
    says(report.finding("stress.parity"), "fail", &["does not answer as python3 model.py right does", "x"]);
    let missing = report.finding("stress.missing");
    let lost = fault(missing, "missing", "x");
    assert_eq!((&lost["status"], &lost["is_uncertified"]), (&json!("unknown"), &json!(true)));
    assert_eq!(fault(missing, "missing", "amount")["status"], "handled");
}

#[test]
fn an_experiment_of_the_definition_is_tried_and_named_where_its_hypothesis_fails() {
    let experiment = "[[stress.experiment]]\nname = \"no-x\"\nhypothesis = \"x is not needed\"\n\
                      faults = [\"missing\"]\nfeatures = [\"x\"]\nrate = 0.5\nrollback = \"ask a person\"\n\
                      who = \"the desk\"";
    let report = stressed(&folder(RIGHT, &format!("{FEW}\n{experiment}")));
    let told = ["`no-x` does not hold (x is not needed)", "the desk: ask a person"];
    says(report.finding("stress.missing"), "fail", &told);
    let unknown = experiment.replace("features = [\"x\"]", "features = [\"y\"]");
    folder(RIGHT, &format!("{FEW}\n{unknown}")).run(&["stress"]).refuses(&["`y` is no input of the model"]);
}

#[test]
fn what_hurts_has_a_curve_and_the_smallest_rate_and_the_windows_that_are_noticed() {
    let report = stressed(&folder(RIGHT, FEW));
    let curves = &report.finding("stress.faults")["detail"]["curves"];
    let of_x = curves.as_array().unwrap().iter().find(|curve| curve["of"] == "x").unwrap();
    let drops: Vec<f64> = of_x["points"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|point| point["drop"]["value"].as_f64())
        .collect();
    assert_eq!(drops.len(), 5, "{of_x}");
    assert!(drops[0] < drops[2] && drops[2] < drops[4], "{drops:?}");
    let lost = fault(report.finding("stress.missing"), "missing", "x");
    assert!(lost["noticed"]["least_rate"].as_f64().is_some(), "{}", lost["noticed"]);
}

#[test]
fn what_is_asked_for_and_skipped_is_refused() {
    let folder = folder(RIGHT, &format!("{FEW}\nskip = [\"stress.parity\"]"));
    let run = folder.run(&["stress", "--only", "parity"]);
    run.refuses(&["`stress.parity` is asked for, and skipped here", "remove it from `skip`"]);
}
