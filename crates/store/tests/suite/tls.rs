//! PostgreSQL over TLS: whom a certificate must come from, and whose it must be.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use store::{Database, Store};

use crate::postgres::Postgres;

/// Certificates that OpenSSL makes: two authorities, and a server named `localhost` that one of them vouches for.
struct Certificates(tempfile::TempDir);

impl Certificates {
    fn make() -> Self {
        let of = Self(tempfile::tempdir().unwrap());
        for authority in ["ours", "other"] {
            let (key, certificate) = (of.named(authority, "key"), of.named(authority, "crt"));
            openssl(
                &["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=authority"],
                &[("-keyout", &key), ("-out", &certificate)],
            );
        }
        let extensions = of.named("server", "ext");
        std::fs::write(&extensions, "subjectAltName = DNS:localhost\nbasicConstraints = CA:FALSE\n").unwrap();
        let (key, asked) = (of.named("server", "key"), of.named("server", "csr"));
        openssl(
            &["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"],
            &[("-keyout", &key), ("-out", &asked)],
        );
        openssl(
            &["x509", "-req", "-days", "2", "-CAcreateserial"],
            &[
                ("-in", &asked),
                ("-CA", &of.named("ours", "crt")),
                ("-CAkey", &of.named("ours", "key")),
                ("-extfile", &extensions),
                ("-out", &of.named("server", "crt")),
            ],
        );
        of
    }

    fn named(&self, of: &str, kind: &str) -> PathBuf {
        self.0.path().join(format!("{of}.{kind}"))
    }
}

fn openssl(arguments: &[&str], files: &[(&str, &Path)]) {
    let mut command = Command::new("openssl");
    command.args(arguments);
    for (option, file) in files {
        command.arg(option).arg(file);
    }
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?} failed");
}

#[test]
fn a_server_is_used_only_if_its_certificate_is_by_whom_and_for_what_is_trusted() {
    let certificates = Certificates::make();
    let (certificate, key) = (certificates.named("server", "crt"), certificates.named("server", "key"));
    let Some(server) = Postgres::start_encrypted(&certificate, &key) else { return };
    let open = |host: &str, mode: &str, authority: &str| {
        let root = certificates.named(authority, "crt");
        let url = server.url_by(host, &format!("sslmode={mode}&sslrootcert={}", root.display()));
        let opened = Store::open(&url.parse::<Database>().unwrap());
        opened.and_then(|store| store.ping()).map_err(|error| error.to_string())
    };
    let refuses = |host: &str, mode: &str, authority: &str, part: &str| {
        let error = open(host, mode, authority).unwrap_err();
        assert!(error.starts_with("failed to open the database `postgres://"), "{error}");
        assert!(error.contains(part), "{error}");
    };
    assert_eq!(open("localhost", "verify-full", "ours"), Ok(()));
    refuses("localhost", "verify-full", "other", "certificate");
    refuses("localhost", "verify-ca", "other", "certificate");
    // By another name than the certificate's.
    refuses("127.0.0.1", "verify-full", "ours", "certificate");
    assert_eq!(open("127.0.0.1", "verify-ca", "ours"), Ok(()));
    // The server takes nobody who does not encrypt, so all of this was encrypted.
    refuses("localhost", "disable", "ours", "no encryption");
}
