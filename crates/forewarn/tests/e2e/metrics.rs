//! Metrics as the real Prometheus (Debian package `prometheus`) reads them, and traces as a collector gets them.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::fixture::{Folder, Table, definition_with};
use crate::parts::{self, Running, output, python, skip};
use crate::serve::Server;

const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/prometheus/rules.yml");
const DASHBOARD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/prometheus/grafana.json");
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");

/// A Prometheus that reads a server every second, with the rules of the documents; its address.
fn prometheus(folder: &Folder, server: &Server) -> Option<(Running, String)> {
    let target = server.url.strip_prefix("http://").unwrap();
    folder.write(
        "prometheus.yml",
        format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [\"{RULES}\"]\n\
             scrape_configs:\n  - {{ job_name: forewarn, static_configs: [{{ targets: [\"{target}\"] }}] }}\n"
        ),
    );
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = Command::new("prometheus");
    command.arg(format!("--config.file={}", folder.path("prometheus.yml").display()));
    command.arg(format!("--storage.tsdb.path={}", folder.path("prometheus").display()));
    command.arg(format!("--web.listen-address={free}"));
    match command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
        Ok(child) => Some((Running(child), format!("http://{free}"))),
        Err(error) => {
            skip(&format!("Prometheus does not start ({error}); install the Debian package `prometheus`"));
            None
        }
    }
}

/// What a query of Prometheus comes to, as labels and values; asked until there is something.
fn query(url: &str, expression: &str) -> Vec<(Value, f64)> {
    let begun = Instant::now();
    loop {
        let mut command = Command::new("promtool");
        command.args(["query", "instant", "--format=json", url, expression]);
        let answer = output(&mut command).ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let found = answer.as_ref().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if !found.is_empty() {
            let value = |of: &Value| of["value"][1].as_str().unwrap().parse::<f64>().unwrap();
            return found.iter().map(|of| (of["metric"].clone(), value(of))).collect();
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "{expression} stays empty");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn prometheus_reads_what_the_api_says() {
    let folder = Folder::small();
    let server = Server::open(&folder);
    server.caught_up();
    let beside = Folder::empty();
    let Some((_running, url)) = prometheus(&beside, &server) else { return };
    assert_eq!(query(&url, "up{job=\"forewarn\"} == 1")[0].1, 1.0);
    let records = folder.evidence().lines().count() as f64;
    assert_eq!(query(&url, "forewarn_evidence_records{system=\"small\"}")[0].1, records);
    assert_eq!(query(&url, "forewarn_evidence_intact == 1").len(), 1);
    let gates = server.get("/api/v1/systems/small/gates").json();
    let open = query(&url, "forewarn_gate_open");
    let gates = gates["items"].as_array().unwrap();
    assert_eq!(open.len(), gates.len());
    for gate in gates {
        let (_, told) = open.iter().find(|(labels, _)| labels["gate"] == gate["gate"]).unwrap();
        assert_eq!(*told == 1.0, gate["open"].as_bool().unwrap(), "{gate:#}");
    }
    let findings = server.get("/api/v1/systems/small/findings?limit=500").json();
    for verdict in ["pass", "warn", "unknown", "fail"] {
        let told = findings["items"].as_array().unwrap().iter().filter(|of| of["verdict"] == verdict).count();
        let sum = query(&url, &format!("sum(forewarn_findings{{verdict=\"{verdict}\"}})"))[0].1;
        assert_eq!(sum, told as f64, "{verdict}");
    }
    assert!(query(&url, "forewarn_check_fresh_until_timestamp_seconds > time()").len() > 3);
    let psi = folder.run(&["check", "--format", "json"]).stdout;
    let report: Value = serde_json::from_str(&psi).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let of_x = findings.iter().find(|of| of["check"] == "monitor.drift" && of["subject"]["name"] == "x");
    let (name, value) = (&of_x.unwrap()["measures"][0]["name"], &of_x.unwrap()["measures"][0]["value"]);
    let told = "forewarn_finding_value{check=\"monitor.drift\", subject=\"x\"}";
    let (labels, told) = &query(&url, told)[0];
    assert_eq!((&labels["measure"], *told), (name, value.as_f64().unwrap()));
    // Requests of Prometheus itself are counted.
    query(&url, "forewarn_http_requests_total{route=\"/metrics\", status=\"200\"} >= 2");
    query(&url, "forewarn_http_request_duration_seconds_count{route=\"/metrics\"} >= 2");
}

/// Names of metrics that a text holds.
fn names(text: &str) -> BTreeSet<String> {
    let is_part = |part: char| part.is_ascii_alphanumeric() || part == '_';
    let words = text.split(|part| !is_part(part));
    let words = words.filter(|word| word.starts_with("forewarn_") || word.starts_with("process_"));
    words.map(str::to_owned).collect()
}

#[test]
fn what_documents_rules_and_dashboard_name_is_there() {
    // One system that is checked, one that takes in rows, and one whose job cannot be done.
    let folder = Folder::empty();
    let system = |id: &str, log: &str| {
        let definition = definition_with("id = \"small\"", &format!("id = \"{id}\""));
        folder.write(&format!("{id}/forewarn.toml"), definition.replace("log.csv", log));
    };
    system("checked", "log.csv");
    folder.write("checked/log.csv", Table::small_log().csv());
    system("taking", "log");
    system("broken", "missing.csv");
    let server = Server::open(&folder);
    let row = b"{\"id\":\"a\",\"at\":\"2024-01-01T00:00:00Z\",\"score\":0.5}\n";
    let ndjson = [("Content-Type", "application/x-ndjson")];
    assert_eq!(server.post("/api/v1/systems/taking/predictions", &ndjson, row).status, 200);
    // A day goes by, in which the job is tried again and again.
    server.until("/metrics", |answer| answer.body.contains("forewarn_jobs{state=\"waiting\"} 4.0"));
    folder.sql("UPDATE job SET due_us = due_us - 86400000000 WHERE system = 'broken'");
    let last = [
        "forewarn_job_overdue_seconds{system=\"broken\"",
        "forewarn_alerts{system=\"broken\"",
        "forewarn_check_timestamp_seconds{system=\"checked\"",
        "forewarn_ingest_compaction_timestamp_seconds{system=\"taking\"",
    ];
    let answer = server.until("/metrics", |answer| last.iter().all(|part| answer.body.contains(part)));
    assert!(answer.body.ends_with("# EOF\n"));
    assert!(answer.body.contains(
        "forewarn_ingest_rows_total{system=\"taking\",table=\"predictions\",result=\"accepted\"} 1\n"
    ));
    // The type of a counter is told under its name without `_total`, that of a histogram without its parts.
    let told: BTreeSet<&str> = answer
        .body
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    let is_told = |name: &str| {
        let endings = ["", "_total", "_info", "_bucket", "_count", "_sum"];
        endings.iter().any(|ending| name.strip_suffix(ending).is_some_and(|stem| told.contains(stem)))
    };
    for path in [RULES, DASHBOARD, DOCUMENT] {
        let named = names(&std::fs::read_to_string(path).unwrap());
        assert!(named.len() > 5, "{path}: {named:?}");
        for name in named {
            assert!(is_told(&name), "{path} names {name}, which is not there: {told:#?}");
        }
    }
}

#[test]
fn the_rules_of_the_documents_fire_when_they_should() {
    let folder = Folder::empty();
    folder.write("rules.yml", std::fs::read_to_string(RULES).unwrap());
    folder.write("test.yml", include_str!("prometheus_rules_test.yml"));
    let mut command = Command::new("promtool");
    command.args(["test", "rules"]).arg(folder.path("test.yml"));
    if command.output().is_err() {
        return skip("there is no promtool; install the Debian package `prometheus`");
    }
    output(&mut command).unwrap();
    // Every query of the dashboard is one that Prometheus can read.
    let dashboard: Value = serde_json::from_str(&std::fs::read_to_string(DASHBOARD).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let rules = targets
        .enumerate()
        .map(|(at, target)| format!("      - {{ record: 'panel_{at}', expr: {} }}\n", target["expr"]));
    let rules: String = rules.collect();
    folder.write("dashboard.yml", format!("groups:\n  - name: dashboard\n    rules:\n{rules}"));
    output(Command::new("promtool").args(["check", "rules"]).arg(folder.path("dashboard.yml"))).unwrap();
}

#[test]
fn without_a_token_nobody_reads_metrics() {
    let folder = Folder::small();
    let server = Server::start(&folder, &[]);
    let answer = server.get("/metrics");
    assert_eq!((answer.status, &answer.json()["status"]), (401, &401.into()));
}

#[test]
fn requests_and_jobs_are_spans_of_a_collector() {
    let Some(python) = python() else { return };
    let mut collector = parts::Server::start(&python, "otlp_collector.py", &[]);
    let folder = Folder::small();
    let endpoint = format!("http://127.0.0.1:{}", collector.port);
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"),
    ];
    let server = Server::start_with(&folder, &["--insecure-no-auth"], &variables);
    server.caught_up();
    let (trace, parent) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    let parents = format!("00-{trace}-{parent}-01");
    assert_eq!(server.get_with("/api/v1/systems/small", &[("traceparent", &parents)]).status, 200);
    server.stop();
    let mut spans = Vec::new();
    let is_ours = |span: &Value| span["parent"] == parent;
    let is_job = |span: &Value| span["name"] == "job monitor";
    while !(spans.iter().any(is_ours) && spans.iter().any(is_job)) {
        spans.push(collector.next());
    }
    let request = spans.iter().find(|span| is_ours(span)).unwrap();
    assert_eq!((&request["trace"], &request["path"]), (&trace.into(), &"/v1/traces".into()));
    assert_eq!(request["type"], "application/x-protobuf");
    assert_eq!(request["name"], "GET /api/v1/systems/{id}");
    assert_eq!(request["attributes"]["http.response.status_code"], 200);
    let resource = &request["resource"];
    assert_eq!(
        (&resource["service.name"], &resource["deployment.environment.name"]),
        (&"forewarn".into(), &"test".into())
    );
    let job = spans.iter().find(|span| is_job(span)).unwrap();
    assert_eq!(
        (&job["attributes"]["forewarn.system"], &job["status"]),
        (&"small".into(), &1.into()),
        "{job:#}"
    );
    assert!(job["seconds"].as_f64().unwrap() > 0.0);
}
