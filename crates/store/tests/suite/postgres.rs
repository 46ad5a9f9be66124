//! A PostgreSQL server of a test's own, on loopback, gone with the test.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A running server; dropped, it stops.
#[derive(Debug)]
pub(crate) struct Postgres {
    folder: tempfile::TempDir,
    programs: PathBuf,
    port: u16,
    /// Settings besides those that every server has.
    settings: String,
}

impl Postgres {
    /// Starts a server, or says loudly that it cannot and returns none; in CI that is a failure.
    pub(crate) fn start() -> Option<Self> {
        let server = Self::made()?;
        server.begin();
        Some(server)
    }

    /// As [`Postgres::start`], with a certificate and its key; who does not encrypt is refused.
    pub(crate) fn start_encrypted(certificate: &Path, key: &Path) -> Option<Self> {
        let mut server = Self::made()?;
        for (name, from) in [("cert", certificate), ("key", key)] {
            let to = server.folder.path().join(name);
            std::fs::copy(from, &to).unwrap();
            std::fs::set_permissions(&to, PermissionsExt::from_mode(0o600)).unwrap();
            if is_root() {
                assert!(Command::new("chown").arg("postgres").arg(&to).status().unwrap().success());
            }
            server.settings.push_str(&format!(" -c ssl_{name}_file={}", to.display()));
        }
        server.settings.push_str(" -c ssl=on");
        std::fs::write(server.folder.path().join("data/pg_hba.conf"), "hostssl all all all trust\n").unwrap();
        server.begin();
        Some(server)
    }

    /// A server that has not begun yet.
    fn made() -> Option<Self> {
        let Some(programs) = programs() else {
            let message = "SKIPPED: PostgreSQL's programs (initdb, pg_ctl) are not installed; \
                           `apt-get install postgresql` brings them";
            assert!(std::env::var_os("CI").is_none(), "{message}");
            println!("{message}");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        if is_root() {
            // PostgreSQL does not run as root.
            assert!(Command::new("chown").arg("postgres").arg(folder.path()).status().unwrap().success());
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { folder, programs, port, settings: String::new() };
        server.run("initdb", &["--auth=trust", "--username=forewarn", "--no-sync", "--encoding=UTF8"]);
        Some(server)
    }

    /// Starts the server, also after [`Postgres::stop`].
    pub(crate) fn begin(&self) {
        let options = format!(
            "-p {} -k {} -c listen_addresses=127.0.0.1 -c fsync=off{}",
            self.port,
            self.folder.path().display(),
            self.settings
        );
        let log = self.folder.path().join("log");
        self.run("pg_ctl", &["start", "--wait", "--options", &options, "--log", &log.display().to_string()]);
    }

    /// Stops the server as a crash would: connections break.
    pub(crate) fn stop(&self) {
        self.run("pg_ctl", &["stop", "--mode=immediate"]);
    }

    pub(crate) fn url(&self) -> String {
        self.url_by("127.0.0.1", "sslmode=disable")
    }

    /// The address by a name of this machine.
    pub(crate) fn url_by(&self, host: &str, query: &str) -> String {
        format!("postgres://forewarn@{host}:{}/postgres?{query}", self.port)
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.programs.join(program);
        let data = self.folder.path().join("data");
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.arg("--pgdata").arg(data).args(arguments).current_dir("/");
        // A server that inherits the test's output would keep it open.
        let status =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(status.success(), "{command:?} failed");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|of| std::os::unix::fs::MetadataExt::uid(&of) == 0)
}

/// The folder of the newest version that is installed.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut folders: Vec<PathBuf> = versions.flatten().map(|version| version.path().join("bin")).collect();
    folders.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    folders.sort();
    folders.into_iter().rev().find(|folder| is_program(&folder.join("initdb")))
}

fn is_program(path: &Path) -> bool {
    path.is_file()
}
