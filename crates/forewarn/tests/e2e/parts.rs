//! Real parts that tests need besides the program: servers in Python, programs of Debian packages.
//!
//! What Python needs (`python/requirements.txt`, and `python/alone.txt` without what that would bring) is
//! installed into a folder of the build when a test first asks for it. A part that is not there skips the
//! test, and says so; where `CI` is set that is a failure, because a test that never runs proves nothing.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

/// Says that a test cannot run here, and why.
pub(crate) fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "a part is missing: {why}");
    eprintln!("SKIPPED, this test did not run: {why}");
}

/// The interpreter with everything of `python/requirements.txt` and `python/alone.txt`.
pub(crate) fn python() -> Option<PathBuf> {
    match installed() {
        Ok(python) => Some(python),
        Err(why) => {
            skip(&format!("Python's packages cannot be installed: {why}"));
            None
        }
    }
}

fn installed() -> Result<PathBuf, String> {
    let (requirements, alone) = (script("requirements.txt"), script("alone.txt"));
    let text = |path: &Path| fs::read_to_string(path).map_err(|error| error.to_string());
    let wanted = text(&requirements)? + &text(&alone)?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    // Every test is a process of its own, and only one of them installs.
    let lock = File::create(folder.join("python.lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    let environment = folder.join("python");
    let python = environment.join("bin/python");
    let done = environment.join("installed.txt");
    if fs::read_to_string(&done).is_ok_and(|there| there == wanted) {
        return Ok(python);
    }
    output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
    let install = |how: &[&str], file: &Path| {
        let mut pip = Command::new(&python);
        output(pip.args(["-m", "pip", "install", "--quiet"]).args(how).arg("--requirement").arg(file))
    };
    install(&[], &requirements)?;
    install(&["--no-deps"], &alone)?;
    fs::write(&done, wanted).map_err(|error| error.to_string())?;
    Ok(python)
}

/// What a command prints.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// A file beside the tests.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/python").join(name)
}

/// Runs a script with a text as its standard input.
pub(crate) fn run(python: &Path, name: &str, input: &str) -> Result<String, String> {
    let mut command = Command::new(python);
    command.arg(script(name)).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// A program that runs until the value is gone.
#[derive(Debug)]
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server in Python: its first line is its port, each further one what it was asked.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) port: u16,
    lines: BufReader<ChildStdout>,
    running: Running,
}

impl Server {
    pub(crate) fn start(python: &Path, name: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(python);
        let mut child = command.arg(script(name)).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut port = String::new();
        lines.read_line(&mut port).unwrap();
        let port = port.trim().parse().unwrap_or_else(|_| panic!("{name} did not start: {port:?}"));
        Self { port, lines, running: Running(child) }
    }

    /// Has it answer nobody, as a machine that hangs does.
    pub(crate) fn pause(&self) {
        self.signal("STOP");
    }

    /// Lets it go on where it was.
    pub(crate) fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.running.0.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// The next thing that it was asked; waits for it.
    pub(crate) fn next(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Ends it: everything that it was asked and that nobody has heard of yet.
    pub(crate) fn stop(self) -> Vec<Value> {
        drop(self.running);
        self.lines.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
    }
}

/// A clock that a test sets, for a program that is started with it (libfaketime).
#[derive(Debug)]
pub(crate) struct Clock {
    folder: tempfile::TempDir,
    library: PathBuf,
}

impl Clock {
    /// One that is right so far.
    pub(crate) fn new() -> Option<Self> {
        let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let library = folders.map(|of| of.path().join("faketime/libfaketimeMT.so.1")).find(|of| of.exists());
        let Some(library) = library else {
            skip("there is no clock to set; install the Debian package `faketime`");
            return None;
        };
        let clock = Self { folder: tempfile::tempdir().unwrap(), library };
        clock.set(0);
        Some(clock)
    }

    /// Makes it so many seconds fast; slow, where they are fewer than none.
    pub(crate) fn set(&self, ahead_seconds: i64) {
        let new = self.folder.path().join("new");
        fs::write(&new, format!("{ahead_seconds:+}\n")).unwrap();
        // A program that reads meanwhile finds the one before or this one, whole.
        fs::rename(new, self.setting()).unwrap();
    }

    fn setting(&self) -> PathBuf {
        self.folder.path().join("setting")
    }

    /// The command under this clock; how long things take is measured as ever.
    pub(crate) fn under<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("LD_PRELOAD", &self.library).env("FAKETIME_TIMESTAMP_FILE", self.setting());
        command
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("NO_FAKE_STAT", "1")
    }
}
