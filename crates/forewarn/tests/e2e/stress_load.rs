//! Load on a server of a model, and faults of it: real servers and gateways in Python, whose capacity and manners are
//! known.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::fixture::{Folder, Report, Run, says, summary};
use crate::parts::Server;
use crate::stress::{definition, json_at, log};

/// A model that answers up to 200 requests a second, one after the other.
fn model() -> Server {
    Server::start(Path::new("python3"), "slow_model.py", &["5"])
}

fn address(server: &Server) -> String {
    format!("http://127.0.0.1:{}/predict", server.port)
}

fn folder(server: &Server, stress: &str) -> Folder {
    let model = format!("{}\ntimeout = \"2s\"", json_at(&address(server)));
    Folder::with_log(&definition(&model, &format!("rows = 200\n{stress}")), &log())
}

fn only(folder: &Folder, check: &str) -> Report {
    folder.run(&["stress", "--only", check, "--format", "json", "--html", "report.html"]).exits(0).report()
}

#[test]
fn the_knee_of_a_server_lies_where_its_time_for_a_request_puts_it() {
    let server = model();
    let load = "load = { rates = [20, 400], step = \"2s\", at_least = 50, p99_ms_at_most = 400 }";
    let folder = folder(&server, load);
    let report = only(&folder, "load");
    assert_eq!(report.checks(), ["stress.load"]);
    let found = report.finding("stress.load");
    says(
        found,
        "pass",
        &["stands 50 requests a second", "at 400 it does not any more", "surely stands them"],
    );
    let detail = &found["detail"];
    assert_eq!((&detail["stood_rate"], &detail["failed_rate"]), (&json!(50.0), &json!(400.0)));
    let steps = detail["steps"].as_array().unwrap();
    // The step of the needed rate is as long as 500 requests take.
    assert!(steps[1]["requests"].as_u64().unwrap() > 381, "{}", steps[1]);
    assert!(steps[1]["latency"]["p50_ms"].as_f64().unwrap() >= 5.0, "{}", steps[1]);
    // Beyond its capacity it answers at most as fast as it can.
    let achieved = steps[2]["achieved_rate"].as_f64().unwrap();
    assert!((60.0..220.0).contains(&achieved), "{}", steps[2]);
    for step in steps {
        assert_eq!(step["compared"], step["equal"]);
    }
    assert!(detail["recovered_s"].is_number(), "{detail}");
    let html = folder.read("report.html");
    assert!(html.contains("99 of 100 within") && html.contains("stood up to here (50)"));
}

#[test]
fn load_is_put_on_a_server_only_where_somebody_asks_for_it() {
    let program =
        Folder::with_log(&definition("command = [\"python3\", \"model.py\"]", "rows = 200"), &log());
    says(only(&program, "load").finding("stress.load"), "unknown", &["names none", "model.endpoint"]);
    says(only(&program, "endpoint").finding("stress.endpoint"), "unknown", &["names none"]);
    let server = model();
    let folder = folder(&server, "faults = { kinds = [] }");
    let report = folder.run(&["stress", "--only", "parity", "--format", "json"]).exits(0).report();
    assert_eq!(report.checks(), ["stress.parity"]);
    let report = folder.run(&["stress", "--format", "json"]).exits(0).report();
    assert!(report.findings("stress.load").is_empty() && report.findings("stress.endpoint").is_empty());
}

#[test]
fn ctrl_c_ends_a_ramp_at_once_and_keeps_what_was_measured() {
    let server = model();
    let folder = folder(&server, "load = { rates = [30], step = \"200s\" }");
    let mut command = folder.command(&["stress", "--only", "load", "--format", "json"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(6));
    let told = Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap();
    assert!(told.success());
    let start = Instant::now();
    let run = Run::of(child.wait_with_output().unwrap());
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    let report = run.exits(0).report();
    let found = report.finding("stress.load");
    says(found, "unknown", &["It ended early: somebody stopped it."]);
    assert!(found["detail"]["steps"][0]["answered"].as_u64().unwrap() > 20, "{found}");
    assert!(folder.evidence().contains("somebody stopped it"));
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Few requests, so that those that nobody answers do not add up.
fn behind(manners: &str) -> ([Server; 2], Folder) {
    let (listen, model) = (free_port(), model());
    let gateway = Server::start(Path::new("python3"), "gateway.py", &[manners, &listen.to_string()]);
    let through = address(&gateway);
    let endpoint = format!(
        "endpoint = {{ through = \"{through}\", listen = \"127.0.0.1:{listen}\", requests = 3, patience_ms = 1500 }}"
    );
    let folder = folder(&model, &endpoint);
    ([gateway, model], folder)
}

/// What callers got under a fault.
fn got<'a>(found: &'a Value, fault: &str) -> Vec<&'a str> {
    let faults = found["detail"]["faults"].as_array().unwrap();
    let of = faults.iter().find(|of| of["fault"] == fault).unwrap();
    of["got"].as_array().unwrap().iter().map(|share| share["got"].as_str().unwrap()).collect()
}

#[test]
fn callers_behind_a_careful_gateway_get_an_answer_whatever_the_server_does() {
    let (_servers, folder) = behind("careful");
    let report = only(&folder, "endpoint");
    let found = report.finding("stress.endpoint");
    says(found, "pass", &["under all of 12 faults"]);
    for fault in ["no-answer", "reset", "slow-body", "truncated-body", "malformed-json", "error-page"] {
        assert_eq!(got(found, fault), ["degraded"], "{fault}");
    }
}

#[test]
fn callers_behind_a_naive_gateway_are_left_waiting_and_get_what_is_no_answer() {
    let (_servers, folder) = behind("naive");
    let report = only(&folder, "endpoint");
    let found = report.finding("stress.endpoint");
    says(found, "fail", &["do not cope with", "Connection reset"]);
    assert_eq!(got(found, "no-answer"), ["nothing"]);
    assert_eq!(got(found, "malformed-json"), ["broken"]);
    assert_eq!(got(found, "status"), ["clean_error"]);
    assert!(folder.read("report.html").contains("Failure modes: what callers get"));
}

#[test]
fn without_a_gateway_it_is_a_drill_and_who_goes_another_way_is_told() {
    let server = model();
    let few = "endpoint = { requests = 2, patience_ms = 500, kinds = [\"status\", \"no-answer\"] }";
    let report = only(&folder(&server, few), "endpoint");
    let found = report.finding("stress.endpoint");
    says(found, "unknown", &["A drill", "stress.endpoint.through"]);
    assert_eq!(found["detail"]["faults"].as_array().unwrap().len(), 5, "{}", summary(found));
    // The model itself is no gateway that asks the proxy.
    let past = format!(
        "endpoint = {{ through = \"{}\", listen = \"127.0.0.1:{}\" }}",
        address(&server),
        free_port()
    );
    let report = only(&folder(&server, &past), "endpoint");
    says(report.finding("stress.endpoint"), "unknown", &["does not ask the proxy", "its upstream"]);
}

#[test]
fn mistakes_in_what_is_done_to_a_server_are_told_with_the_way_out() {
    let server = model();
    let refused = |stress: &str, parts: &[&str]| {
        let run = folder(&server, stress).run(&["stress", "--only", "load,endpoint"]);
        run.refuses(&[&["forewarn.toml"], parts].concat());
    };
    refused("load = { rates = [] }", &["no rate is named"]);
    refused("load = { rates = [5, 2] }", &["do not ascend"]);
    refused("load = { rates = [0] }", &["0 is no rate"]);
    refused("load = { rates = [20000], step = \"1h\" }", &["72000000 requests", "make the steps shorter"]);
    refused("load = { arrivals = \"uniform\" }", &["uniform", "poisson"]);
    refused("endpoint = { kinds = [\"rest\"] }", &["`rest`", "did you mean `reset`?"]);
    refused("endpoint = { listen = \"0.0.0.0:0\" }", &["other machines", "allowed_hosts"]);
    refused("endpoint = { through = \"http://127.0.0.1:9/\" }", &["`through`", "add listen"]);
    let elsewhere = "endpoint = { through = \"http://models.example.org/\", listen = \"127.0.0.1:0\" }";
    refused(elsewhere, &["another machine", "allowed_hosts"]);
}
