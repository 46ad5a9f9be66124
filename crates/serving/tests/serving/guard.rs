//! A guard on loopback, before servers that answer, are slow, fail, and write garbage.

use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use serving::guard::{
    Backlog, BreakerSettings, CacheSettings, Expected, GuardLimits, Instead, Journal, Listening, NotKept,
    Odd, Parts, Pause, Predictions, Questions, Remedies, Remedy, Settings,
};
use serving::http::{DEGRADED_HEADER, Endpoint};
use serving::{Mlflow, Outcome, Reading, Scores, Target};
use tokio::sync::oneshot;
use types::batch::{Batch, ValueKind};
use types::definition::Oddity;
use ureq::Agent;
use ureq::http::Response;
use url::Url;

use crate::broken_servers::{endpoint, reply, serve};

/// What a guard has logged.
#[derive(Clone, Debug, Default)]
struct Kept {
    predictions: Arc<Mutex<Vec<Predictions>>>,
    is_full: bool,
}

impl Journal for Kept {
    fn keep(&self, predictions: &Predictions) -> Result<String, NotKept> {
        if self.is_full {
            return Err(NotKept("no space left".into()));
        }
        self.predictions.lock().unwrap().push(predictions.clone());
        Ok(format!("{}-0", predictions.request))
    }

    fn backlog(&self) -> Backlog {
        Backlog { rows: 3, ..Backlog::default() }
    }
}

/// The same for every row that is out, and for the model.
#[derive(Clone, Debug, Default)]
struct Always {
    inputs: Remedy,
    model: Option<Remedy>,
}

impl Remedies for Always {
    fn of_inputs(&self, _inputs: &Batch, out: &[Vec<usize>]) -> Vec<Remedy> {
        let of = |out: &Vec<usize>| if out.is_empty() { Remedy::default() } else { self.inputs.clone() };
        out.iter().map(of).collect()
    }

    fn of_model(&self) -> Option<Remedy> {
        self.model.clone()
    }
}

/// A guard that runs until the value is gone.
struct Running {
    url: String,
    kept: Kept,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().map(thread::JoinHandle::join);
    }
}

fn settings(port: u16) -> Settings {
    let of = |name: &str, kind| Expected {
        name: name.into(),
        kind,
        may_be_missing: false,
        range: Some((0.0, 100.0)),
        categories: None,
    };
    let upstream = Url::parse(&format!("http://127.0.0.1:{port}/invocations")).unwrap();
    Settings {
        questions: Questions::mlflow(&upstream),
        upstream,
        expected: vec![of("a", ValueKind::Number), of("b", ValueKind::Text)],
        odd: Odd { unseen: Oddity::Flag, out_of_range: Oddity::Flag },
        order: vec!["a".into(), "b".into()],
        reading: Reading::default(),
        id: "id".into(),
        breaker: BreakerSettings { failures: 2, pause: Pause::For(Duration::from_millis(300)) },
        cache: None,
        limits: GuardLimits { call: Duration::from_millis(700), body_bytes: 100_000 },
        refuses_unread: false,
        refuses_unlogged: true,
    }
}

fn start(settings: Settings, always: Always, kept: Kept, others: Vec<Vec<Box<dyn Target>>>) -> Running {
    let listening = Listening::on("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = listening.url();
    let parts = Parts { journal: Box::new(kept.clone()), remedies: Box::new(always), others };
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async {
        let _ = stopped.await;
    };
    let thread = thread::spawn(move || listening.serve(settings, parts, stopped).unwrap());
    Running { url, kept, stop: Some(stop), thread: Some(thread) }
}

fn plain(port: u16) -> Running {
    start(settings(port), Always::default(), Kept::default(), Vec::new())
}

fn agent() -> Agent {
    Agent::config_builder().http_status_as_error(false).build().new_agent()
}

impl Running {
    fn ask(&self, body: &str) -> Response<String> {
        self.ask_with(body, &[])
    }

    fn ask_with(&self, body: &str, headers: &[(&str, &str)]) -> Response<String> {
        let mut request = agent().post(format!("{}/invocations", self.url));
        let has_type = headers.iter().any(|(name, _)| *name == "content-type");
        let usual = (!has_type).then_some(("content-type", "application/json"));
        for (name, value) in usual.iter().chain(headers) {
            request = request.header(*name, *value);
        }
        whole(request.send(body).unwrap())
    }

    fn get(&self, path: &str) -> Response<String> {
        whole(agent().get(format!("{}{path}", self.url)).call().unwrap())
    }

    fn kept(&self) -> Vec<Predictions> {
        self.kept.predictions.lock().unwrap().clone()
    }
}

fn whole(response: Response<ureq::Body>) -> Response<String> {
    let (head, mut body) = response.into_parts();
    Response::from_parts(head, body.read_to_string().unwrap())
}

fn header<'a>(response: &'a Response<String>, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

/// The body of a request that was handed over.
fn body_of(request: &str) -> &str {
    request.split_once("\r\n\r\n").unwrap().1
}

const TWO: &str = r#"{"dataframe_split": {"columns":["a","b"],  "data": [[1.50, "x"], [2e0, "y"]]}}"#;
const ONE_OUT: &str = r#"{"dataframe_split":{"columns":["a","b"],"data":[[1.5,"x"],[null,"y"]]}}"#;

/// A server that answers as many rows as it is asked about, with 0.5 each, and keeps what it was asked.
fn halves() -> (u16, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    let port = serve(move |stream, request| {
        let body: Value = serde_json::from_str(body_of(request)).unwrap();
        let rows = body["dataframe_split"]["data"].as_array().unwrap().len();
        seen.lock().unwrap().push(body_of(request).to_owned());
        reply(stream, "200 OK", "", &json!({"predictions": vec![0.5; rows]}).to_string());
    });
    (port, asked)
}

#[test]
fn an_untouched_request_and_its_answer_are_the_same_byte_for_byte() {
    let answers = [
        r#"{"predictions":[0.5,0.25]}"#,
        "{ \"predictions\" :\n [5.0e-1, [0.2,  0.80]] , \"more\": \"ü\\u00e9\" }",
        r#"[1, "late"]"#,
        r#"{"predictions": [NaN, {"p": 1, "q": null}]}"#,
    ];
    for answer in answers {
        let asked = Arc::new(Mutex::new(String::new()));
        let seen = asked.clone();
        let port = serve(move |stream, request| {
            *seen.lock().unwrap() = request.to_owned();
            reply(stream, "200 OK", "x-model: late-7\r\ncontent-type: application/json; x=1\r\n", answer);
        });
        let guard = plain(port);
        let response = guard.ask_with(TWO, &[("x-caller", "me"), ("accept-encoding", "gzip")]);
        assert_eq!((response.status().as_u16(), response.body().as_str()), (200, answer));
        assert_eq!(header(&response, "x-model"), Some("late-7"));
        assert_eq!(header(&response, "content-type"), Some("application/json; x=1"));
        assert_eq!(header(&response, DEGRADED_HEADER), None);
        let request = header(&response, "x-forewarn-request-id").unwrap();
        assert_eq!(header(&response, "x-forewarn-id"), Some(format!("{request}-0").as_str()));
        let asked = asked.lock().unwrap().clone();
        assert_eq!(body_of(&asked), TWO);
        let head = asked.to_lowercase();
        assert!(head.contains("x-caller: me") && head.contains(&format!("host: 127.0.0.1:{port}")), "{head}");
        // What comes has to be read.
        assert!(!head.contains("accept-encoding"), "{head}");
        let [kept] = &guard.kept()[..] else { panic!("not one request is logged") };
        assert_eq!((kept.request.as_str(), kept.rows()), (request, 2));
        assert_eq!(kept.columns[0], ("a".into(), vec![json!(1.5), json!(2.0)]));
    }
}

#[test]
fn what_is_no_question_to_the_model_passes() {
    let port = serve(|stream, request| {
        let first = request.lines().next().unwrap_or_default().to_owned();
        reply(stream, "418 I'm a teapot", "", &first);
    });
    let guard = plain(port);
    for path in ["/ping", "/invocations?x=1", "/v2/models?a=b%20c"] {
        let response = guard.get(path);
        assert_eq!(response.status().as_u16(), 418);
        assert_eq!(response.body(), &format!("GET {path} HTTP/1.1"));
    }
    // What the server refuses is between it and the caller.
    assert_eq!(guard.ask(TWO).status().as_u16(), 418);
    assert_eq!(guard.kept(), []);
    assert_eq!(guard.get("/healthz").body(), "ok\n");
}

#[test]
fn missing_inputs_are_filled_in_and_the_answer_says_so() {
    let (port, asked) = halves();
    let inputs = Remedy { fills: vec![(0, json!(20.5))], instead: None, name: "impute-usual" };
    let guard = start(settings(port), Always { inputs, model: None }, Kept::default(), Vec::new());
    let response = guard.ask(ONE_OUT);
    assert_eq!(response.body(), r#"{"predictions":[0.5,0.5]}"#);
    assert_eq!(header(&response, DEGRADED_HEADER), Some("1"));
    assert_eq!(header(&response, "x-forewarn-strategies"), Some("impute-usual; rows=1"));
    let sent: Value = serde_json::from_str(&asked.lock().unwrap()[0]).unwrap();
    assert_eq!(sent["dataframe_split"]["data"], json!([[1.5, "x"], [20.5, "y"]]));
    let kept = guard.kept().remove(0);
    assert_eq!(kept.columns[0].1, [json!(1.5), Value::Null], "what is logged is what came");
    assert_eq!(kept.flags, ["", "missing:a"]);
    assert_eq!(kept.remedies, ["", "impute-usual"]);
    assert_eq!(kept.scores, Some(Scores::Numbers(vec![Some(0.5), Some(0.5)])));
    // Whoever asks through a guard, as a stress test does, is told which rows are degraded.
    let address = Endpoint::new(agent(), &guard.url, &[]).unwrap();
    let two = Batch::new(vec![
        column("a", types::batch::Values::Numbers(vec![None, Some(1.0)])),
        column("b", types::batch::Values::Texts(vec![Some("x".into()); 2])),
    ]);
    let Outcome::Accepted(accepted) = Mlflow::new(address, Reading::default()).outcome(&two.unwrap()) else {
        panic!("not accepted")
    };
    assert_eq!(accepted.degraded, [true, false]);
}

fn column(name: &str, values: types::batch::Values) -> types::batch::BatchColumn {
    types::batch::BatchColumn { name: name.into(), values }
}

#[test]
fn rows_that_are_answered_in_the_models_place_are_not_asked_about() {
    let (port, asked) = halves();
    let inputs = Remedy { instead: Some(Instead::Abstain), name: "abstain", ..Remedy::default() };
    let guard = start(settings(port), Always { inputs, model: None }, Kept::default(), Vec::new());
    let response = guard.ask(ONE_OUT);
    assert_eq!(response.body(), r#"{"predictions":[0.5,null]}"#);
    assert_eq!(header(&response, DEGRADED_HEADER), Some("1"));
    let sent: Value = serde_json::from_str(&asked.lock().unwrap()[0]).unwrap();
    assert_eq!(sent["dataframe_split"]["data"], json!([[1.5, "x"]]));
    assert_eq!(guard.kept()[0].scores, Some(Scores::Numbers(vec![Some(0.5), None])));
    // Where no row is left, nobody is asked.
    let response = guard.ask(r#"{"dataframe_records":[{"b":"x"}]}"#);
    assert_eq!(response.body(), r#"{"predictions":[null]}"#);
    assert_eq!(header(&response, DEGRADED_HEADER), Some("true"));
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[test]
fn ids_come_from_a_column_or_a_header() {
    let port = serve(|stream, _| reply(stream, "200 OK", "", r#"{"predictions":[0.5]}"#));
    let guard = plain(port);
    let body = |id: &str| format!(r#"{{"dataframe_records":[{{"a":1,"b":"x"{id}}}]}}"#);
    guard.ask(&body(r#","id":"f7""#));
    guard.ask_with(&body(""), &[("x-forewarn-ids", "f8")]);
    guard.ask_with(&body(""), &[("x-forewarn-ids", "f8, f9")]);
    let ids: Vec<Option<Vec<Value>>> = guard.kept().into_iter().map(|kept| kept.ids).collect();
    assert_eq!(ids, [Some(vec![json!("f7")]), Some(vec![json!("f8")]), None]);
}

#[test]
fn after_failures_the_model_is_left_alone_and_tried_again() {
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = calls.clone();
    let port = serve(move |stream, _| {
        let status = if seen.fetch_add(1, Ordering::SeqCst) < 2 { "500 Oops" } else { "200 OK" };
        reply(stream, status, "", r#"{"predictions":[0.5,0.5]}"#);
    });
    let guard = plain(port);
    for _ in 0..2 {
        assert_eq!(guard.ask(TWO).status().as_u16(), 500, "its own answer is better than none");
    }
    let refused = guard.ask(TWO);
    assert_eq!(refused.status().as_u16(), 503);
    assert!(refused.body().contains("left alone for a while"), "{}", refused.body());
    assert_eq!(header(&refused, "retry-after"), Some("1"));
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    assert!(guard.get("/metrics").body().contains("forewarn_guard_breaker_state 2\n"));
    thread::sleep(Duration::from_millis(350));
    assert_eq!(guard.ask(TWO).status().as_u16(), 200);
    assert!(guard.get("/metrics").body().contains("forewarn_guard_breaker_state 0\n"));
    assert_eq!(guard.kept().len(), 1);
}

#[track_caller]
fn fails(answer: impl FnMut(&mut TcpStream, &str) + Send + 'static, status: u16, part: &str) {
    let guard = plain(serve(answer));
    let start = Instant::now();
    let response = guard.ask(TWO);
    assert!(start.elapsed() < Duration::from_millis(1_500), "{part}: {:?}", start.elapsed());
    assert_eq!(response.status().as_u16(), status, "{}", response.body());
    assert!(response.body().contains(part), "{}", response.body());
    assert_eq!(guard.kept(), []);
}

#[test]
fn whatever_the_server_does_has_an_answer_in_time() {
    use std::io::Write as _;
    fails(|_, _| thread::sleep(Duration::from_secs(3)), 504, "did not answer within 700ms");
    fails(|stream, _| stream.shutdown(std::net::Shutdown::Both).unwrap(), 503, "hung up");
    fails(|stream, _| stream.write_all(b"220 mail ESMTP\r\n\r\n").unwrap(), 503, "HTTP");
    fails(|stream, _| reply(stream, "200 OK", "", "<html>"), 502, "the model's answer is none");
    fails(|stream, _| reply(stream, "200 OK", "", r#"{"predictions":[1]}"#), 502, "2 rows were asked about");
    fails(|stream, _| reply(stream, "200 OK", "", &"x".repeat(100_001)), 502, "too long");
    fails(
        |stream, _| stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{").unwrap(),
        502,
        "ends in the middle",
    );
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let response = plain(free).ask(TWO);
    assert_eq!(response.status().as_u16(), 503);
    assert!(response.body().contains("no connection to"), "{}", response.body());
}

#[test]
fn while_the_model_is_down_another_one_answers() {
    let down = serve(|stream, _| reply(stream, "503 Busy", "", ""));
    let (other, _) = halves();
    let model = Remedy { instead: Some(Instead::Model(0)), name: "fallback-model", ..Remedy::default() };
    let always = Always { inputs: Remedy::default(), model: Some(model) };
    let target: Box<dyn Target> = Box::new(Mlflow::new(endpoint(other), Reading::default()));
    let guard = start(settings(down), always, Kept::default(), vec![vec![target]]);
    for _ in 0..4 {
        let response = guard.ask(TWO);
        assert_eq!(
            (response.status().as_u16(), response.body().as_str()),
            (200, r#"{"predictions":[0.5,0.5]}"#)
        );
        assert_eq!(header(&response, "x-forewarn-strategies"), Some("fallback-model; rows=2"));
    }
    assert!(guard.get("/metrics").body().contains(r#"degraded_rows_total{strategy="fallback-model"} 8"#));
}

#[test]
fn the_last_answer_about_the_same_thing_is_repeated() {
    let calls = AtomicUsize::new(0);
    let port = serve(move |stream, _| {
        let status = if calls.fetch_add(1, Ordering::SeqCst) == 0 { "200 OK" } else { "500 Oops" };
        reply(stream, status, "", r#"{"predictions":[[0.25,0.75],[0.5,0.5]]}"#);
    });
    let model = Remedy { instead: Some(Instead::Cached), name: "cached-answer", ..Remedy::default() };
    let (key, age) = (vec!["b".to_owned()], Duration::from_mins(1));
    let settings = Settings { cache: Some(CacheSettings { key, rows: 10, age }), ..settings(port) };
    let always = Always { inputs: Remedy::default(), model: Some(model) };
    let guard = start(settings, always, Kept::default(), Vec::new());
    assert_eq!(guard.ask(TWO).status().as_u16(), 200);
    let again = guard.ask(r#"{"dataframe_records":[{"a":9,"b":"x"}]}"#);
    assert_eq!(again.body(), r#"{"predictions":[[0.25,0.75]]}"#);
    assert_eq!(header(&again, "x-forewarn-strategies"), Some("cached-answer; rows=1"));
    // Of this one nothing is known: the server's own failure it is.
    assert_eq!(guard.ask(r#"{"dataframe_records":[{"a":9,"b":"z"}]}"#).status().as_u16(), 500);
}

#[test]
fn what_cannot_be_logged_is_not_answered_unless_that_is_wanted() {
    let (port, _) = halves();
    let full = || Kept { is_full: true, ..Kept::default() };
    let guard = start(settings(port), Always::default(), full(), Vec::new());
    let refused = guard.ask(TWO);
    assert_eq!(refused.status().as_u16(), 503);
    assert!(refused.body().contains("no space left"), "{}", refused.body());
    let settings = Settings { refuses_unlogged: false, ..settings(port) };
    let guard = start(settings, Always::default(), full(), Vec::new());
    assert_eq!(guard.ask(TWO).body(), r#"{"predictions":[0.5,0.5]}"#);
    assert!(guard.get("/metrics").body().contains("forewarn_guard_lost_rows_total 2\n"));
}

#[test]
fn what_cannot_be_read_passes_or_is_refused() {
    let port = serve(|stream, request| reply(stream, "200 OK", "", body_of(request)));
    let guard = plain(port);
    let csv = guard.ask_with("a,b\n1,x\n", &[("content-type", "text/csv")]);
    assert_eq!((csv.status().as_u16(), csv.body().as_str()), (200, "a,b\n1,x\n"));
    assert!(header(&csv, "x-forewarn-unread").is_some_and(|why| why.contains("text/csv")), "{csv:?}");
    assert_eq!(guard.kept(), []);
    let guard = start(
        Settings { refuses_unread: true, ..settings(port) },
        Always::default(),
        Kept::default(),
        Vec::new(),
    );
    let refused = guard.ask(r#"{"rows": []}"#);
    assert_eq!(refused.status().as_u16(), 400);
    assert!(refused.body().contains("dataframe_split"), "{}", refused.body());
    assert_eq!(guard.ask(&"x".repeat(100_001)).status().as_u16(), 413);
}

#[test]
fn requests_under_way_are_answered_when_it_stops() {
    let port = serve(|stream, _| {
        thread::sleep(Duration::from_millis(400));
        reply(stream, "200 OK", "", r#"{"predictions":[0.5,0.5]}"#);
    });
    let mut guard = plain(port);
    let url = guard.url.clone();
    let asking = thread::spawn(move || {
        let sent = agent().post(format!("{url}/invocations")).header("content-type", "application/json");
        sent.send(TWO).unwrap().status().as_u16()
    });
    thread::sleep(Duration::from_millis(150));
    drop(guard.stop.take());
    assert_eq!(asking.join().unwrap(), 200);
    guard.thread.take().unwrap().join().unwrap();
    assert_eq!(guard.kept().len(), 1);
    assert!(TcpStream::connect(guard.url.trim_start_matches("http://")).is_err());
}

#[test]
fn the_open_inference_protocol_is_guarded_too() {
    let output = json!({"name": "predict", "datatype": "FP64", "shape": [1, 1], "data": [0.5]});
    let answer = json!({"model_name": "m", "id": "7", "outputs": [output]}).to_string();
    let port = serve(move |stream, _| reply(stream, "200 OK", "", &answer));
    let upstream = Url::parse(&format!("http://127.0.0.1:{port}")).unwrap();
    let (base, model) = (String::new(), "m".to_owned());
    let questions = Questions::OpenInference { base, model, output: None };
    let inputs = Remedy { instead: Some(Instead::Constant(0.25)), name: "constant", ..Remedy::default() };
    let settings = Settings { upstream, questions, ..settings(port) };
    let guard = start(settings, Always { inputs, model: None }, Kept::default(), Vec::new());
    let shape = json!([2, 1]);
    let tensor = |name: &str, datatype: &str, data: Value| {
        let (name, datatype, shape) = (Value::from(name), Value::from(datatype), shape.clone());
        json!({"name": name, "datatype": datatype, "shape": shape, "data": data})
    };
    let inputs = [tensor("a", "FP64", json!([1.5, null])), tensor("b", "BYTES", json!(["x", "y"]))];
    let body = json!({"id": "7", "inputs": inputs});
    let request = agent().post(format!("{}/v2/models/m/infer", guard.url));
    let response = whole(request.header("content-type", "application/json").send(body.to_string()).unwrap());
    let answered: Value = serde_json::from_str(response.body()).unwrap();
    assert_eq!(answered["outputs"][0]["data"], json!([0.5, 0.25]));
    assert_eq!((&answered["id"], &answered["outputs"][0]["shape"]), (&json!("7"), &json!([2, 1])));
    assert_eq!(header(&response, DEGRADED_HEADER), Some("1"));
}
