//! The real Alertmanager (Debian package `prometheus-alertmanager`), read back by its own tool.

use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::alert_test::{alert_test, organisation};
use crate::fixture::Folder;
use crate::parts::{self, Running, skip};

/// An Alertmanager that keeps its state in the folder; its address.
fn alertmanager(folder: &Folder) -> Option<(Running, String)> {
    folder.write("alertmanager.yml", "route: { receiver: none }\nreceivers: [{ name: none }]\n");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let program = ["prometheus-alertmanager", "alertmanager"].into_iter().find_map(|name| {
        let mut command = Command::new(name);
        command.arg(format!("--config.file={}", folder.path("alertmanager.yml").display()));
        command.arg(format!("--storage.path={}", folder.path("state").display()));
        command.args([&format!("--web.listen-address={free}"), "--cluster.listen-address="]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
    });
    let Some(program) = program else {
        skip("there is no Alertmanager; install the Debian package `prometheus-alertmanager`");
        return None;
    };
    let running = Running(program);
    let is_up = || {
        (0..200).any(|_| {
            TcpStream::connect(free).is_ok() || {
                std::thread::sleep(Duration::from_millis(50));
                false
            }
        })
    };
    assert!(is_up(), "Alertmanager does not listen at {free}");
    Some((running, format!("http://{free}")))
}

/// What Alertmanager's own tool says is active.
fn active(url: &str) -> Vec<Value> {
    let mut command = Command::new("amtool");
    command.args([&format!("--alertmanager.url={url}"), "--output=json", "alert", "query", "job=forewarn"]);
    serde_json::from_str(&parts::output(&mut command).unwrap()).unwrap()
}

#[test]
fn alertmanager_shows_an_alert_until_it_is_resolved() {
    let folder =
        organisation("[[channel]]\nname = \"am\"\nkind = \"alertmanager\"\nurl = \"env:ALERTMANAGER\"\n");
    let Some((_running, url)) = alertmanager(&folder) else { return };
    folder.write("forewarn.toml", crate::fixture::DEFINITION);
    let environment: &[(&str, &str)] = &[("ALERTMANAGER", &url)];
    alert_test(&folder, &[], environment).exits(0);
    let alerts = active(&url);
    assert_eq!(alerts.len(), 1, "{alerts:#?}");
    let (labels, annotations) = (&alerts[0]["labels"], &alerts[0]["annotations"]);
    assert_eq!(labels["alertname"], "forewarn-alert-test");
    assert_eq!((&labels["system"], &labels["severity"]), (&"small".into(), &"info".into()));
    assert_eq!(annotations["who_is_affected"], "Nobody.");
    assert_eq!(alerts[0]["status"]["state"], "active");
    let ends: jiff::Timestamp = alerts[0]["endsAt"].as_str().unwrap().parse().unwrap();
    let starts: jiff::Timestamp = alerts[0]["startsAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(ends.duration_since(starts).as_secs(), 300);
    alert_test(&folder, &["--resolve"], environment).exits(0);
    assert_eq!(active(&url), Vec::<Value>::new());
}

#[test]
fn what_alertmanager_refuses_is_told() {
    let folder =
        organisation("[[channel]]\nname = \"am\"\nkind = \"alertmanager\"\nurl = \"env:ALERTMANAGER\"\n");
    let Some((_running, url)) = alertmanager(&folder) else { return };
    let run = alert_test(&folder, &[], &[("ALERTMANAGER", &format!("{url}/elsewhere"))]).exits(1);
    assert!(run.stdout.contains("refused it: 404"), "{}", run.stdout);
}
