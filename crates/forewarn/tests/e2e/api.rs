//! The API as programs use it: held against its own description by schemathesis, and step by step.

use std::process::Command;

use serde_json::{Value, json};

use crate::fixture::{DEFINITION, Folder, Table, repository};
use crate::parts;
use crate::serve::{Server, agent, answer};

/// Somebody with a token that may everything.
struct Admin {
    token: String,
}

impl Admin {
    /// Sets up the first account by its link, and makes a token on the settings page.
    fn of(server: &Server) -> Self {
        let link = server.said.lines().find_map(|line| line.strip_prefix("Set up    ")).unwrap();
        let code = link.split("code=").nth(1).unwrap();
        let fields = [
            ("token", code),
            ("name", "Ada"),
            ("email", "ada@example.org"),
            ("password", "four small boats"),
        ];
        let url = |path: &str| format!("{}{path}", server.url);
        let set_up = agent().post(url("/setup")).send_form(fields).unwrap();
        let cookie = set_up.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let page = answer(agent().get(url("/settings/tokens")).header("Cookie", &cookie).call()).body;
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let fields = [("csrf", csrf), ("name", "everything"), ("days", "30"), ("scope", "admin")];
        let made =
            answer(agent().post(url("/settings/tokens")).header("Cookie", &cookie).send_form(fields)).body;
        let text = made.split("class=\"secret\">").nth(1).unwrap().split('<').next().unwrap();
        Self { token: text.to_owned() }
    }

    fn get(&self, server: &Server, path: &str) -> Value {
        let request = agent().get(format!("{}/api/v1{path}", server.url));
        let answer = answer(request.header("Authorization", format!("Bearer {}", self.token)).call());
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    /// Waits until an answer is as wanted.
    fn until(&self, server: &Server, path: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..600 {
            let answer = self.get(server, path);
            if is_wanted(&answer) {
                return answer;
            }
            std::thread::sleep(std::time::Duration::from_millis(150));
        }
        panic!("{path} never became so: {:#}", self.get(server, path));
    }
}

fn count(list: &Value) -> usize {
    list["items"].as_array().unwrap().len()
}

const ALERT: &str =
    "\n[[alert]]\nname = \"drift\"\nwhen = 'drift.verdict == \"fail\"'\nseverity = \"high\"\nto = []\n";

/// A folder whose system has an alert: in the window every second amount is missing.
fn with_alert() -> Folder {
    Folder::with_log(&format!("{DEFINITION}{ALERT}"), &Table::small_log().with_in_window("amount", 2, ""))
}

#[test]
fn the_api_does_what_its_description_says() {
    let Some(python) = parts::python() else { return };
    let folder = with_alert();
    // A second system takes in rows.
    let taken = DEFINITION.replace("\"small\"", "\"taken\"").replace("log.csv", "log");
    folder.write("taken/forewarn.toml", taken);
    let server = Server::start(&folder, &[]);
    let admin = Admin::of(&server);
    let alerts = admin.until(&server, "/alerts?state=firing", |alerts| count(alerts) > 0);
    let alert = alerts["items"][0]["id"].as_str().unwrap();
    let config = std::fs::read_to_string(repository("crates/forewarn/tests/e2e/schemathesis.toml")).unwrap();
    folder.write("schemathesis.toml", config.replace("ALERT", alert).replace("SYSTEM", "small"));
    let mut command = Command::new(python.with_file_name("schemathesis"));
    command.arg("--config-file").arg(folder.path("schemathesis.toml"));
    command.args(["run", "--no-color", "--header", &format!("Authorization: Bearer {}", admin.token)]);
    command.arg(format!("{}/api/v1/openapi.json", server.url)).current_dir(folder.path(""));
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_description_in_the_repository_is_the_one_that_is_served() {
    let folder = Folder::small();
    let server = Server::open(&folder);
    let kept = std::fs::read_to_string(repository("docs/openapi.json")).unwrap();
    assert_eq!(server.get("/api/v1/openapi.json").body, kept, "`cargo xtask generate` writes it");
    assert_eq!(folder.run(&["schema", "openapi"]).exits(0).stdout, kept);
    let closed = Server::start(&folder, &[]);
    assert_eq!(closed.get("/api/v1/openapi.json").status, 200, "it is read without signing in");
    assert_eq!(closed.get("/api/v1/version").status, 401);
}

#[test]
fn a_program_sees_an_alert_takes_it_on_and_silences_it() {
    let folder = with_alert();
    let server = Server::open(&folder);
    let json = [("Content-Type", "application/json")];
    let firing =
        server.until("/api/v1/alerts?state=firing&severity=high", |answer| count(&answer.json()) > 0).json();
    let alert = &firing["items"][0];
    assert_eq!(
        (&alert["rule"], &alert["subject"], &alert["system"]),
        (&json!("drift"), &json!("amount"), &json!("small"))
    );
    let path = format!("/api/v1/alerts/{}", alert["id"].as_str().unwrap());
    assert_eq!(server.get("/api/v1/alerts?severity=low").json()["items"], json!([]));
    let noted = server.post(&format!("{path}/acknowledgement"), &json, br#"{"note":"on it"}"#);
    assert_eq!((noted.status, noted.body.as_str()), (204, ""));
    server.until(&path, |answer| answer.json()["acknowledged_by"] == "local");
    let full = server.get(&path).json();
    assert_eq!(full["evidence"][0]["subject"]["name"], "amount", "{full:#}");
    assert!(full["history"].as_array().unwrap().iter().any(|event| event["note"] == "on it"), "{full:#}");
    let refused = server.post(&format!("{path}/silence"), &json, br#"{"hours":0,"reason":"x"}"#);
    assert_eq!(refused.status, 422, "{}", refused.body);
    let made = server.post(&format!("{path}/silence"), &json, br#"{"hours":4,"reason":"the vendor knows"}"#);
    assert_eq!(made.status, 201, "{}", made.body);
    server.until("/api/v1/alerts?state=silenced", |answer| count(&answer.json()) == 1);
    let page = server.get(&format!("/alerts/{}", alert["id"].as_str().unwrap())).body;
    assert!(page.contains("the vendor knows"), "the page shows it too");
    let silences = server.get("/api/v1/silences").json();
    assert_eq!((count(&silences), &silences["items"][0]), (1, &made.json()));
    let ended = format!("/api/v1/silences/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(server.delete(&ended).status, 204);
    assert_eq!(server.delete(&ended).status, 404);
    server.until("/api/v1/alerts?state=firing", |answer| count(&answer.json()) > 0);
    let told = server.get("/api/v1/audit").json().to_string();
    for action in ["alert.acknowledged", "alert.silenced", "silence.ended"] {
        assert!(told.contains(action), "{action} is in the audit log");
    }
}

#[test]
fn lists_come_in_parts_and_what_is_known_is_not_sent_again() {
    let folder = Folder::small();
    let server = Server::open(&folder);
    server.caught_up();
    let url = |path: &str| format!("{}{path}", server.url);
    let (mut path, mut lines, mut parts) =
        ("/api/v1/systems/small/evidence?limit=7".to_owned(), String::new(), 0);
    loop {
        let mut part = agent().get(url(&path)).call().unwrap();
        let link = part.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        let body: Value = serde_json::from_str(&part.body_mut().read_to_string().unwrap()).unwrap();
        parts += 1;
        assert!(count(&body) <= 7);
        lines.extend(
            body["items"].as_array().unwrap().iter().map(|line| line["record"]["seq"].to_string() + "\n"),
        );
        let Some(link) = link else { break };
        path = link.strip_prefix('<').unwrap().split('>').next().unwrap().to_owned();
        assert!(path.ends_with(&format!("cursor={}", body["next"].as_str().unwrap())), "{path}");
    }
    let all = folder.evidence().lines().count();
    assert!(
        parts > 2 && lines == (0..all).map(|seq| format!("{seq}\n")).collect::<String>(),
        "{parts}: {lines}"
    );
    let first = agent().get(url("/api/v1/systems/small")).call().unwrap();
    let tag = first.headers()["etag"].to_str().unwrap().to_owned();
    let asked =
        |tag: &str| agent().get(url("/api/v1/systems/small")).header("If-None-Match", tag).call().unwrap();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".into()] {
        let mut again = asked(&known);
        assert_eq!(again.status().as_u16(), 304, "{known}");
        assert_eq!(again.headers()["etag"].to_str().unwrap(), tag);
        assert_eq!(again.body_mut().read_to_string().unwrap(), "");
    }
    assert_eq!(asked("\"other\"").status().as_u16(), 200);
}

#[test]
fn a_program_runs_jobs_verifies_evidence_and_reads_it_over_time() {
    let folder = Folder::small();
    let server = Server::open(&folder);
    server.caught_up();
    let json = [("Content-Type", "application/json")];
    let asked = server.post("/api/v1/jobs", &json, br#"{"system":"small","kind":"monitor"}"#);
    assert_eq!((asked.status, &asked.json()["cause"]), (202, &json!("asked")), "{}", asked.body);
    let path = format!("/api/v1/jobs/{}", asked.json()["id"]);
    let done = server.until(&path, |answer| answer.json()["state"] == "done").json();
    assert_eq!(done["message"], "Nothing was missed.");
    let newest = server.get("/api/v1/jobs?system=small&state=done&limit=1").json();
    assert_eq!((count(&newest), &newest["items"][0]["id"]), (1, &asked.json()["id"]));
    assert!(newest["next"].is_string(), "the two of the start are left: {newest:#}");
    assert_eq!(count(&server.get("/api/v1/jobs/upcoming").json()), 2);
    let verified = server.post("/api/v1/systems/small/evidence/verification", &[], b"").json();
    let lines = folder.evidence();
    assert_eq!((&verified["broken"], &verified["records"]), (&json!(null), &json!(lines.lines().count())));
    let checkpoint = verified["signed"]["checkpoint"].as_str().unwrap();
    folder.run(&["verify", "--checkpoint", checkpoint]).exits(0);
    assert_eq!(server.get("/api/v1/systems/small/evidence/export").body, lines);
    assert_eq!(server.get("/api/v1/systems/small/evidence/0").body, lines.lines().next().unwrap());
    assert_eq!(server.get("/api/v1/systems/small/evidence/99999").status, 404);
    let drift = server.get("/api/v1/systems/small/checks/monitor.drift?subject=feature:x").json();
    let windows: Vec<&str> =
        drift["items"].as_array().unwrap().iter().map(|found| found["window"].as_str().unwrap()).collect();
    assert_eq!(windows, ["2024-01-29/2024-02-05"], "{drift:#}");
    assert_eq!(server.get("/api/v1/systems/small/checks/monitor.magic").status, 404);
    let definitions = server.get("/api/v1/systems/small/definitions").json();
    assert_eq!((count(&definitions), &definitions["items"][0]["text"]), (1, &json!(DEFINITION)));
    assert_eq!(definitions["items"][0]["in_force"], true);
    let hits = server.get("/api/v1/search?q=amount").json();
    assert_eq!((&hits["items"][0]["kind"], &hits["items"][0]["name"]), (&json!("column"), &json!("amount")));
    assert_eq!(server.get("/api/v1/me").json()["role"], "admin");
    assert!(server.get("/api/v1/version").json()["program"].as_str().unwrap().starts_with("forewarn "));
}

#[test]
fn what_cannot_be_answered_is_a_problem_whatever_is_wrong_with_it() {
    let folder = Folder::small();
    let server = Server::open(&folder);
    let problem = |answer: &crate::serve::Answer, status: u16| {
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.json()["status"], status, "{answer:?}");
    };
    for (path, status) in [
        ("/api/v1/systems?limit=0", 400),
        ("/api/v1/systems?limit=501", 400),
        ("/api/v1/systems?limit=many", 400),
        ("/api/v1/systems?cursor=-1", 400),
        ("/api/v1/systems?colour=red", 400),
        ("/api/v1/systems/small?colour=red", 400),
        ("/api/v1/systems?q=a&q=b", 400),
        ("/api/v1/systems?verdict=good", 400),
        ("/api/v1/alerts?state=loud", 400),
        ("/api/v1/alerts?system=nobody", 404),
        ("/api/v1/systems/%FF", 400),
        ("/api/v1/systems/small/evidence/first", 400),
        ("/api/v1/jobs/99", 404),
        ("/api/v1/jobs/x", 400),
        ("/api/v1/systems/", 404),
    ] {
        problem(&server.get(path), status);
    }
    let long = format!("/api/v1/systems/{}", "a".repeat(20_000));
    problem(&server.get(&long), 404);
    let wrong = agent().delete(format!("{}/api/v1/systems", server.url)).call().unwrap();
    assert_eq!(wrong.headers()["allow"], "GET,HEAD");
    assert_eq!(wrong.headers()["content-type"], "application/problem+json");
    problem(&answer(Ok(wrong)), 405);
    let json = [("Content-Type", "application/json")];
    let large = vec![b' '; (1 << 20) + 1];
    problem(&server.post("/api/v1/jobs", &json, &large), 413);
    problem(&server.post("/api/v1/jobs", &json, b"{\"system\":\"\xff\"}"), 400);
    problem(&server.post("/api/v1/jobs", &json, br#"{"system":"small","kind":"dance"}"#), 422);
    problem(&server.post("/api/v1/jobs", &json, br#"{"system":"nobody","kind":"monitor"}"#), 404);
    problem(&server.post("/api/v1/jobs", &[("Content-Type", "text/plain")], b"{}"), 415);
    problem(&server.post("/api/v1/channels/nobody/test", &json, b""), 404);
}
