//! `forewarn alert test`: what it needs, what it prints, and what it never shows.

use crate::fixture::{Folder, Run};
use crate::parts::{Server, python};

/// A folder with an `organisation.toml`; no proxy stands between the program and the test's servers.
pub(crate) fn organisation(text: &str) -> Folder {
    let folder = Folder::empty();
    folder.write("organisation.toml", text);
    folder
}

/// `forewarn alert test` with what is set in its environment.
pub(crate) fn alert_test(folder: &Folder, arguments: &[&str], environment: &[(&str, &str)]) -> Run {
    let mut command = folder.command(&["alert", "test"]);
    for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(variable);
    }
    Run::of(command.args(arguments).envs(environment.iter().copied()).output().unwrap())
}

#[test]
fn what_cannot_be_tested_is_refused_with_the_way_out() {
    let folder = Folder::empty();
    alert_test(&folder, &[], &[]).refuses(&["no organisation.toml", "--organisation FILE"]);
    let folder = organisation("name = \"Example\"\n");
    alert_test(&folder, &[], &[]).refuses(&["no channel to test", "[[channel]]"]);
    alert_test(&folder, &["--to", "email:ops@example.org"], &[]).refuses(&["no [mail]"]);
    let folder = organisation("[[chanel]]\nname = \"x\"\n");
    alert_test(&folder, &[], &[]).refuses(&[
        "unknown field `chanel`",
        "organisation.toml:1",
        "did you mean `channel`?",
    ]);
    let folder =
        organisation("[[channel]]\nname = \"slack:#risk\"\nkind = \"slack\"\nurl = \"env:SLACK_URL\"\n");
    alert_test(&folder, &["--to", "slack:#rsk"], &[])
        .refuses(&["`slack:#rsk`", "did you mean `slack:#risk`?"]);
    alert_test(&folder, &["--organisation", "none.toml"], &[]).refuses(&["failed to read `none.toml`"]);
    folder.write("forewarn.toml", "[log]\npaht = \"x\"\n");
    alert_test(&folder, &[], &[("SLACK_URL", "http://127.0.0.1:9/")])
        .refuses(&["forewarn.toml", "did you mean `path`?"]);
}

#[test]
fn a_secret_that_is_not_set_fails_its_channel_alone() {
    let Some(python) = python() else { return };
    let mut server = Server::start(&python, "http_server.py", &[]);
    let folder = organisation(
        "[[channel]]\nname = \"a\"\nkind = \"slack\"\nurl = \"env:FOREWARN_TEST_UNSET\"\n\
         [[channel]]\nname = \"b\"\nkind = \"slack\"\nurl = \"file:secrets/slack\"\n",
    );
    folder.write("secrets/slack", format!("http://127.0.0.1:{}/200\n", server.port));
    let run = alert_test(&folder, &[], &[]).exits(1);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", run.stdout);
    assert!(
        lines[0].starts_with("✗ a  environment variable `FOREWARN_TEST_UNSET` is not set"),
        "{}",
        lines[0]
    );
    assert!(lines[1].starts_with("✓ b  test taken by 127.0.0.1"), "{}", lines[1]);
    assert_eq!(server.next()["path"], "/200");
}

#[test]
fn the_organisation_above_a_definition_is_used_and_its_system_named() {
    let Some(python) = python() else { return };
    let mut server = Server::start(&python, "http_server.py", &[]);
    let folder = organisation("[[channel]]\nname = \"b\"\nkind = \"slack\"\nurl = \"env:SLACK_URL\"\n");
    folder.write("systems/small/forewarn.toml", crate::fixture::DEFINITION);
    let url = format!("http://127.0.0.1:{}/200", server.port);
    alert_test(&folder, &["systems/small"], &[("SLACK_URL", &url)]).exits(0);
    let body = server.next()["body"].as_str().unwrap().to_owned();
    assert!(body.contains("Test: Small system: alerts arrive here"), "{body}");
}
