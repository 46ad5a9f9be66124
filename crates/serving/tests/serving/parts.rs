//! Python with what the tests ask: ONNX Runtime, scikit-learn, MLflow's scoring server, MLServer.
//!
//! It is installed into a folder of the build when a test first needs it, as the end-to-end tests do. A part that is
//! not there skips the test, and says so; where `CI` is set that is a failure.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Says that a test cannot run here, and why.
pub(crate) fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "a part is missing: {why}");
    eprintln!("SKIPPED, this test did not run: {why}");
}

/// The interpreter with everything of `python/requirements.txt`.
pub(crate) fn python() -> Option<PathBuf> {
    installed().inspect_err(|why| skip(&format!("Python's packages cannot be installed: {why}"))).ok()
}

fn installed() -> Result<PathBuf, String> {
    let requirements = script("requirements.txt");
    let wanted = fs::read_to_string(&requirements).map_err(|error| error.to_string())?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    // Every test may be a process of its own, and only one of them installs.
    let lock = File::create(folder.join("serving-python.lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    let environment = folder.join("serving-python");
    let python = environment.join("bin/python");
    let done = environment.join("installed.txt");
    if fs::read_to_string(&done).is_ok_and(|there| there == wanted) {
        return Ok(python);
    }
    output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
    let pip = ["-m", "pip", "install", "--quiet", "--requirement"];
    output(Command::new(&python).args(pip).arg(&requirements))?;
    fs::write(&done, wanted).map_err(|error| error.to_string())?;
    Ok(python)
}

/// What a command prints.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// A file beside the tests of serving, which others use as well.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../serving/tests/serving/python").join(name)
}

/// A server that runs until the value is gone.
#[derive(Debug)]
pub(crate) struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    /// Starts it and waits until it takes connections.
    pub(crate) fn start(command: &mut Command, port: u16) -> Self {
        let mut server = Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap());
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_mins(10), "the server does not listen");
            assert!(server.0.try_wait().unwrap().is_none(), "the server has ended");
            thread::sleep(Duration::from_millis(50));
        }
        server
    }
}

/// A port that nobody has right now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
