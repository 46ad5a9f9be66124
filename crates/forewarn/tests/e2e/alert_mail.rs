//! Mail, against a real server: plain, encrypted with a certificate of our own authority, with a login.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::alert_test::{alert_test, organisation};
use crate::parts::{self, Server, python, script};

/// A certificate for localhost, and the authority that vouches for it.
fn certificates(python: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    parts::output(Command::new(python).arg(script("certificates.py")).arg(folder.path())).unwrap();
    folder
}

fn file(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

fn mail(smtp: &str, more: &str) -> String {
    format!("[mail]\nsmtp = \"{smtp}\"\nfrom = \"Forewarn <forewarn@example.org>\"\n{more}\n")
}

#[test]
fn a_mail_arrives_in_two_parts_and_in_one_conversation() {
    let Some(python) = python() else { return };
    let mut server = Server::start(&python, "smtp_server.py", &[]);
    let smtp = format!("smtp://127.0.0.1:{}", server.port);
    let folder = organisation(&mail(&smtp, "starttls = \"none\""));
    let definition = crate::fixture::definition_with("Small system", "Größe <b> \\n Bcc: evil@example.org");
    folder.write("forewarn.toml", definition);
    alert_test(&folder, &["--to", "email:ops@example.org", "--resolve"], &[]).exits(0);
    let (first, last) = (server.next(), server.next());
    assert_eq!(first["to"], serde_json::json!(["ops@example.org"]));
    assert_eq!(first["from"], "forewarn@example.org");
    let headers = &first["headers"];
    let title = "Größe <b> Bcc: evil@example.org: alerts arrive here";
    assert_eq!(headers["subject"], format!("Test: {title}"));
    assert_eq!(last["headers"]["subject"], format!("Resolved: {title}"));
    assert_eq!(headers["auto-submitted"], "auto-generated");
    assert_eq!(headers["list-id"], "<small.forewarn.example.org>");
    assert!(headers["bcc"].is_null());
    assert_eq!(headers["references"], last["headers"]["references"]);
    assert_eq!(headers["in-reply-to"], headers["references"]);
    assert_ne!(headers["message-id"], last["headers"]["message-id"]);
    assert!(first["text"].as_str().unwrap().contains("Nothing is wrong."));
    let html = first["html"].as_str().unwrap();
    assert!(html.contains("Größe &lt;b&gt;") && html.contains("prefers-color-scheme:dark"), "{html}");
}

#[test]
fn starttls_and_a_login_are_used_where_the_certificate_holds() {
    let Some(python) = python() else { return };
    let made = certificates(&python);
    let (certificate, key) = (file(&made, "certificate.pem"), file(&made, "key.pem"));
    let mut server = Server::start(&python, "smtp_server.py", &["--starttls", &certificate, &key, "--login"]);
    let smtp = format!("smtp://ops@localhost:{}", server.port);
    let list =
        "[[channel]]\nname = \"list\"\nkind = \"email\"\nto = [\"a@example.org\", \"b@example.org\"]\n";
    let folder = organisation(&(mail(&smtp, "password = \"file:password\"") + list));
    folder.write("password", "hunter2\n");
    let authority = file(&made, "authority.pem");
    let trusted: &[(&str, &str)] = &[("SSL_CERT_FILE", &authority)];
    alert_test(&folder, &[], trusted).exits(0);
    let got = server.next();
    assert_eq!(got["to"], serde_json::json!(["a@example.org", "b@example.org"]));
    assert_eq!((&got["encrypted"], &got["login"]), (&true.into(), &true.into()));
    // An authority that this machine does not know.
    let run = alert_test(&folder, &[], &[]).exits(1);
    assert!(
        run.stdout.contains("✗ list  no connection to localhost") && run.stdout.contains("ertificate"),
        "{}",
        run.stdout
    );
    folder.write("password", "wrong-password");
    let run = alert_test(&folder, &[], trusted).exits(1);
    assert!(run.stdout.contains("refused it") && run.stdout.contains("535"), "{}", run.stdout);
    assert!(!run.stdout.contains("wrong-password"));
}

#[test]
fn tls_from_the_start_is_used_for_smtps() {
    let Some(python) = python() else { return };
    let made = certificates(&python);
    let (certificate, key) = (file(&made, "certificate.pem"), file(&made, "key.pem"));
    let mut server = Server::start(&python, "smtp_server.py", &["--tls", &certificate, &key]);
    let folder = organisation(&mail(&format!("smtps://localhost:{}", server.port), ""));
    let authority = file(&made, "authority.pem");
    alert_test(&folder, &["--to", "email:ops@example.org"], &[("SSL_CERT_FILE", &authority)]).exits(0);
    assert_eq!(server.next()["encrypted"], true);
}

#[test]
fn a_server_that_cannot_encrypt_is_not_used_by_default() {
    let Some(python) = python() else { return };
    let server = Server::start(&python, "smtp_server.py", &[]);
    let folder = organisation(&mail(&format!("smtp://127.0.0.1:{}", server.port), ""));
    let run = alert_test(&folder, &["--to", "email:ops@example.org"], &[]).exits(1);
    assert!(run.stdout.to_lowercase().contains("starttls"), "{}", run.stdout);
}

#[test]
fn a_refusal_for_now_is_told_from_one_for_good() {
    let Some(python) = python() else { return };
    for (answer, part) in
        [("452 mailbox full", "not able to take it now"), ("550 no such user", "refused it")]
    {
        let server = Server::start(&python, "smtp_server.py", &["--answer", answer]);
        let folder = organisation(&mail(&format!("smtp://127.0.0.1:{}", server.port), "starttls = \"none\""));
        let run = alert_test(&folder, &["--to", "email:ops@example.org"], &[]).exits(1);
        assert!(run.stdout.contains(part) && run.stdout.contains(&answer[4..]), "{}", run.stdout);
    }
    let folder = organisation(&mail("smtp://127.0.0.1:9", "starttls = \"none\""));
    let run = alert_test(&folder, &["--to", "email:ops@example.org"], &[]).exits(1);
    assert!(run.stdout.contains("no connection to 127.0.0.1:9"), "{}", run.stdout);
}

#[test]
fn a_mail_server_that_says_nothing_is_left_after_ten_seconds() {
    // The system takes the connection; nobody ever speaks.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let smtp = format!("smtp://{}", silent.local_addr().unwrap());
    let folder = organisation(&mail(&smtp, "starttls = \"none\""));
    let run = alert_test(&folder, &["--to", "email:ops@example.org"], &[]).exits(1);
    assert!(run.stdout.contains("did not answer within 10 s"), "{}", run.stdout);
}
