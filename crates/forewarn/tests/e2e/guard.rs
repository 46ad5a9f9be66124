//! A guard before MLflow's own scoring server, and one that is killed in the middle of its work.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::fixture::Folder;
use crate::parts;
use crate::serve::{Server, agent};
use crate::serving_parts::{self, Server as ModelServer};

fn definition(port: u16) -> String {
    format!(
        r#"[system]
id = "shop"

[model]
version = "7"
endpoint = "http://127.0.0.1:{port}/invocations"

[log]
path = "log"
id = "order"
time = "at"
score = "score"
features = ["region", "visits", "spent"]

[reference]
window = "2020-01-01/2100-01-01"

[guard]
"#
    )
}

fn guard(folder: &Folder, arguments: &[&str]) -> Server {
    Server::of(&mut folder.command(&[&["guard", "--listen", "127.0.0.1:0"], arguments].concat()))
}

/// An answer: its status, the headers that matter, and its body.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    id: String,
    degraded: String,
    strategies: String,
    body: String,
}

fn ask(url: &str, rows: &Value) -> Option<Answer> {
    let body = json!({"dataframe_records": rows}).to_string();
    let request = agent().post(format!("{url}/invocations")).header("content-type", "application/json");
    let mut answer = request.send(body).ok()?;
    let header = |name: &str| {
        let value = answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        value.unwrap_or_default()
    };
    let (id, degraded) = (header("x-forewarn-id"), header("x-forewarn-degraded"));
    let strategies = header("x-forewarn-strategies");
    let (status, body) = (answer.status().as_u16(), answer.body_mut().read_to_string().ok()?);
    Some(Answer { status, id, degraded, strategies, body })
}

fn orders(rows: usize) -> Value {
    let regions = ["north", "south", "west"];
    let row = |row: usize| {
        let (order, spent) = (format!("o{row}"), 10.5 + row as f64);
        json!({"order": order, "region": regions[row % 3], "visits": row, "spent": spent})
    };
    (0..rows).map(row).collect()
}

/// The rows of the log, with times left out.
fn logged(python: &Path, folder: &Folder) -> Vec<Value> {
    let script = "import json, sys, pyarrow.dataset as d\n\
                  rows = d.dataset(sys.argv[1], format='parquet').to_table().drop_columns(['at']).to_pylist()\n\
                  print(json.dumps(rows))";
    let printed = parts::output(Command::new(python).args(["-c", script]).arg(folder.path("log"))).unwrap();
    serde_json::from_str(&printed).unwrap()
}

#[test]
fn a_guard_before_mlflow_logs_every_answer_and_degrades_as_the_policy_says() {
    let (Some(python), Some(models)) = (parts::python(), serving_parts::python()) else { return };
    let folder = Folder::empty();
    serving_parts::output(Command::new(&models).arg(serving_parts::script("train.py")).arg(folder.path("")))
        .unwrap();
    let port = serving_parts::free_port();
    let mut command = Command::new(&models);
    command.arg(serving_parts::script("mlflow_server.py")).arg(folder.path("")).arg(port.to_string());
    let model = ModelServer::start(&mut command, port);
    folder.write("forewarn.toml", definition(port));

    // While there is no log, everything passes as it is and is logged.
    let first = guard(&folder, &[]);
    assert!(first.said.contains("The reference has no rows yet"), "{}", first.said);
    let rows = orders(60);
    let direct = ask(&format!("http://127.0.0.1:{port}"), &rows).unwrap();
    let guarded = ask(&first.url, &rows).unwrap();
    assert_eq!((guarded.status, &guarded.body), (200, &direct.body));
    assert_eq!((guarded.id.as_str(), guarded.degraded.as_str()), ("o0", ""));
    // What MLflow refuses is not a prediction.
    assert_eq!(ask(&first.url, &json!([{"order": "x", "region": 1}])).unwrap().status, 400);
    first.stop();
    let log = logged(&python, &folder);
    assert_eq!(log.len(), 60);
    let scores: Value = serde_json::from_str(&direct.body).unwrap();
    let tenth = log.iter().find(|row| row["order"] == "o10").unwrap();
    assert_eq!(tenth["score"], scores["predictions"][10][1]);
    assert_eq!((&tenth["visits"], &tenth["model_version"]), (&json!(10), &json!("7")));

    // What was logged is the reference now.
    folder.write(
        "policy.toml",
        "[[rule]]\noutage = { feature = \"visits\" }\nthen = { strategy = \"impute-usual\" }\n\
         [[rule]]\noutage = { feature = \"region\" }\nthen = { strategy = \"abstain\" }\n\
         [[rule]]\noutage = \"model\"\nthen = { strategy = \"constant\", answer = 0.25 }\n",
    );
    let second = guard(&folder, &["--policy", "policy.toml"]);
    let rows = json!([
        {"order": "a", "region": "south", "visits": 3, "spent": 1.5},
        {"order": "b", "region": "south", "visits": null, "spent": 1.5},
        {"order": "c", "visits": 3, "spent": 1.5},
        {"order": "d", "region": "moon", "visits": 3, "spent": 9999.5},
    ]);
    let answer = ask(&second.url, &rows).unwrap();
    assert_eq!((answer.status, answer.degraded.as_str()), (200, "1,2"), "{answer:?}");
    assert_eq!(answer.strategies, "impute-usual; rows=1, abstain; rows=1");
    let scores: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(scores["predictions"][2], json!([null, null]));
    // The median of 0 to 59 visits.
    let filled = json!([{"order": "b", "region": "south", "visits": 29, "spent": 1.5}]);
    let filled: Vec<f64> = [29, 30]
        .into_iter()
        .map(|visits| {
            let mut row = filled.clone();
            row[0]["visits"] = visits.into();
            let answer = ask(&format!("http://127.0.0.1:{port}"), &row).unwrap();
            serde_json::from_str::<Value>(&answer.body).unwrap()["predictions"][0][1].as_f64().unwrap()
        })
        .collect();
    let score = scores["predictions"][1][1].as_f64().unwrap();
    assert!(filled.iter().any(|of| (of - score).abs() < 1e-12), "{score} is none of {filled:?}");
    drop(model);
    let down =
        ask(&second.url, &json!([{"order": "e", "region": "south", "visits": 3, "spent": 1.5}])).unwrap();
    assert_eq!((down.status, down.strategies.as_str()), (200, "constant; rows=1"), "{down:?}");
    assert_eq!(down.body, r#"{"predictions":[[0.75,0.25]]}"#);
    let metrics = second.get("/metrics").body;
    assert!(metrics.contains(r#"forewarn_guard_degraded_rows_total{strategy="abstain"} 1"#), "{metrics}");
    second.stop();
    let log = logged(&python, &folder);
    let of = |order: &str| log.iter().find(|row| row["order"] == order).unwrap();
    assert_eq!((&of("b")["visits"], &of("b")["flags"]), (&Value::Null, &json!("missing:visits")));
    assert_eq!((&of("c")["score"], &of("c")["degraded"]), (&Value::Null, &json!("abstain")));
    assert_eq!(of("d")["flags"], "unseen:region;out-of-range:spent");
    assert_eq!((&of("e")["score"], &of("e")["degraded"]), (&json!(0.25), &json!("constant")));
    // The columns of the guard are no features of a check.
    assert_eq!(folder.run(&["guard", "--policy", "none.toml"]).status, 2);
}

/// A server that says 0.5 of one row.
fn half() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            thread::spawn(move || {
                let mut part = [0; 8_192];
                while stream.read(&mut part).is_ok_and(|read| read > 0) {
                    let body = r#"{"predictions":[0.5]}"#;
                    let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                }
            });
        }
    });
    port
}

#[test]
fn a_guard_that_is_killed_loses_no_prediction_that_it_answered() {
    let Some(python) = parts::python() else { return };
    let folder = Folder::empty();
    folder.write("forewarn.toml", definition(half()));
    let answered = Arc::new(Mutex::new(Vec::new()));
    for round in 0..5 {
        let mut server = guard(&folder, &[]);
        let is_over = Arc::new(AtomicBool::new(false));
        let askers: Vec<_> = (0..4)
            .map(|_| {
                let (url, answered, is_over) = (server.url.clone(), answered.clone(), is_over.clone());
                thread::spawn(move || {
                    let row = json!([{"region": "north", "visits": 1, "spent": 1.5}]);
                    while !is_over.load(Ordering::SeqCst) {
                        // What breaks off was not answered.
                        if let Some(answer) = ask(&url, &row).filter(|answer| answer.status == 200) {
                            answered.lock().unwrap().push(answer.id);
                        }
                    }
                })
            })
            .collect();
        thread::sleep(Duration::from_millis(300 + 170 * round));
        server.kill();
        is_over.store(true, Ordering::SeqCst);
        for asker in askers {
            asker.join().unwrap();
        }
    }
    guard(&folder, &[]).stop();
    let log = logged(&python, &folder);
    let ids: BTreeSet<&str> = log.iter().map(|row| row["order"].as_str().unwrap()).collect();
    let answered = answered.lock().unwrap();
    assert!(answered.len() > 50, "only {} were answered", answered.len());
    let lost: Vec<&String> = answered.iter().filter(|id| !ids.contains(id.as_str())).collect();
    assert!(lost.is_empty(), "{} of {} are lost", lost.len(), answered.len());
    assert_eq!(ids.len(), log.len(), "none is there twice");
}
