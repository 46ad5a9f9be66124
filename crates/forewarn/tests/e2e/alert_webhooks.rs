//! Channels over HTTP, against a real server: what is posted, and every way in which it can go wrong.

use std::time::Instant;

use serde_json::{Value, json};

use crate::alert_test::{alert_test, organisation};
use crate::fixture::Run;
use crate::parts::{self, Server, python};

/// Tests one Slack channel at a path of the server, which says how the server behaves.
fn slack_at(path: &str) -> Option<(Run, Server)> {
    let server = Server::start(&python()?, "http_server.py", &[]);
    let folder =
        organisation("[[channel]]\nname = \"slack:#risk\"\nkind = \"slack\"\nurl = \"env:SLACK_URL\"\n");
    let url = format!("http://127.0.0.1:{}/{path}", server.port);
    Some((alert_test(&folder, &[], &[("SLACK_URL", &url)]), server))
}

fn body(request: &Value) -> Value {
    assert_eq!(request["headers"]["content-type"], "application/json");
    serde_json::from_str(request["body"].as_str().unwrap()).unwrap()
}

#[test]
fn slack_and_teams_get_what_they_show() {
    let Some(python) = python() else { return };
    let mut server = Server::start(&python, "http_server.py", &[]);
    let folder = organisation(&format!(
        "[[channel]]\nname = \"s\"\nkind = \"slack\"\nurl = \"http://127.0.0.1:{0}/200\"\n\
         [[channel]]\nname = \"t\"\nkind = \"teams\"\nurl = \"http://127.0.0.1:{0}/202\"\n",
        server.port
    ));
    alert_test(&folder, &[], &[]).exits(0);
    let slack = body(&server.next());
    assert!(slack["text"].as_str().unwrap().contains("Nothing is wrong."));
    assert_eq!(slack["blocks"][0]["type"], "header");
    let teams = body(&server.next());
    assert_eq!(teams["attachments"][0]["contentType"], "application/vnd.microsoft.card.adaptive");
    assert_eq!(teams["attachments"][0]["content"]["type"], "AdaptiveCard");
}

#[test]
fn pagerduty_is_triggered_and_resolved_under_one_key() {
    let Some(python) = python() else { return };
    let mut server = Server::start(&python, "http_server.py", &[]);
    let folder = organisation(&format!(
        "[[channel]]\nname = \"on call\"\nkind = \"pagerduty\"\nrouting_key = \"env:KEY\"\nurl = \"http://127.0.0.1:{}/202\"\n",
        server.port
    ));
    let run = alert_test(&folder, &["--resolve"], &[("KEY", "R0123456789")]).exits(0);
    assert!(!run.stdout.contains("R0123456789"));
    let (trigger, resolve) = (body(&server.next()), body(&server.next()));
    assert_eq!(trigger["routing_key"], "R0123456789");
    assert_eq!((&trigger["event_action"], &resolve["event_action"]), (&json!("trigger"), &json!("resolve")));
    assert_eq!(trigger["dedup_key"], resolve["dedup_key"]);
    assert_eq!(trigger["payload"]["severity"], "info");
}

#[test]
fn a_signed_webhook_verifies_with_the_library_of_standard_webhooks() {
    let Some(python) = python() else { return };
    let mut server = Server::start(&python, "http_server.py", &[]);
    let folder = organisation(&format!(
        "[[channel]]\nname = \"hook\"\nkind = \"webhook\"\nsecret = \"env:HOOK_SECRET\"\nurl = \"http://127.0.0.1:{}/200\"\n",
        server.port
    ));
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    alert_test(&folder, &[], &[("HOOK_SECRET", secret)]).exits(0);
    let request = server.next();
    assert_eq!(body(&request)["type"], "alert.test");
    let verify = |headers: &Value, body: &Value| {
        let given = json!({ "secret": secret, "headers": headers, "body": body });
        parts::run(&python, "verify_webhook.py", &given.to_string())
    };
    verify(&request["headers"], &request["body"]).unwrap();
    let changed = request["body"].as_str().unwrap().replace("info", "high").into();
    assert!(verify(&request["headers"], &changed).is_err());
    let mut replayed = request["headers"].clone();
    replayed["webhook-timestamp"] = "1614265330".into();
    assert!(verify(&replayed, &request["body"]).is_err());
}

#[test]
fn a_refusal_says_what_the_other_side_said_without_the_secret() {
    let Some((run, _server)) = slack_at("repeat/T0001/abcdefgh12345678") else { return };
    let run = run.exits(1);
    assert!(run.stdout.contains("refused it: 400 Bad Request bad request /repeat/"), "{}", run.stdout);
    assert!(!run.stdout.contains("abcdefgh12345678"), "{}", run.stdout);
}

#[test]
fn a_server_that_cannot_take_it_now_is_told_from_one_that_refuses() {
    for (path, part) in
        [("429", "not able to take it now: 429"), ("503", "now: 503"), ("404", "refused it: 404")]
    {
        let Some((run, _server)) = slack_at(path) else { return };
        let run = run.exits(1);
        assert!(run.stdout.contains(part), "{}", run.stdout);
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let Some((run, _server)) = slack_at("redirect/secret") else { return };
    let run = run.exits(1);
    assert!(run.stdout.contains("answered 307, to 127.0.0.1:9"), "{}", run.stdout);
    assert!(!run.stdout.contains("secret"), "{}", run.stdout);
}

#[test]
fn an_endless_answer_is_not_read_to_its_end() {
    let start = Instant::now();
    let Some((run, _server)) = slack_at("giant") else { return };
    let run = run.exits(0);
    assert!(run.stdout.chars().count() < 500, "{}", run.stdout);
    assert!(start.elapsed().as_secs() < 60);
}

#[test]
fn a_server_that_hangs_is_left_after_ten_seconds() {
    let start = Instant::now();
    let Some((run, _server)) = slack_at("hang") else { return };
    assert!(run.exits(1).stdout.contains("did not answer within 10 s"));
    assert!(start.elapsed().as_secs() < 40, "{:?}", start.elapsed());
}

#[test]
fn nobody_listening_is_said() {
    let folder =
        organisation("[[channel]]\nname = \"s\"\nkind = \"slack\"\nurl = \"http://127.0.0.1:9/x\"\n");
    let run = alert_test(&folder, &[], &[]).exits(1);
    assert!(run.stdout.contains("✗ s  no connection to 127.0.0.1:9: "), "{}", run.stdout);
}
