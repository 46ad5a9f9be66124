//! A child process of this one, talked to in lines: nothing here waits longer than it is told to.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A longer line is not an answer.
const LINE_BYTES: u64 = 64 << 20;

/// As many of the last lines of standard error as fit into a message.
const LAST_LINES: usize = 5;

/// How long a process that has closed its output may take to end before it is ended.
const TO_END: Duration = Duration::from_secs(2);

/// A running program. It ends with this value.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// Lines for a thread that writes them: a program that does not read must not hold up whoever asks it.
    to_write: Option<Sender<Vec<u8>>>,
    lines: Receiver<Vec<u8>>,
    last_lines: Arc<Mutex<VecDeque<String>>>,
}

/// Why there is no line.
#[derive(Debug)]
pub(crate) enum NoLine {
    TimedOut,
    /// It has closed its output or ended.
    Ended,
}

impl Process {
    pub(crate) fn start(command: &[String], folder: Option<&Path>) -> Result<Self, String> {
        let [program, arguments @ ..] = command else { return Err("the command is empty".into()) };
        let mut starting = Command::new(program);
        starting.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(folder) = folder {
            starting.current_dir(folder);
        }
        in_group_of_its_own(&mut starting);
        let mut child = starting.spawn().map_err(|error| format!("cannot start `{program}`: {error}"))?;
        let piped = "all three streams are piped";
        let (stdin, stdout) = (child.stdin.take().expect(piped), child.stdout.take().expect(piped));
        let stderr = child.stderr.take().expect(piped);
        let last_lines = Arc::default();
        let for_thread = Arc::clone(&last_lines);
        thread::spawn(move || keep_last_lines(stderr, &for_thread));
        Ok(Self { child, to_write: Some(writer(stdin)), lines: reader(stdout), last_lines })
    }

    /// Sends a line and waits for one.
    pub(crate) fn ask(&mut self, mut line: Vec<u8>, within: Duration) -> Result<Vec<u8>, NoLine> {
        line.push(b'\n');
        let to_write = self.to_write.as_ref().expect("it is there until the value is dropped");
        // Where the writer is gone the program has closed its input; its output says how it ended.
        let _ = to_write.send(line);
        self.lines.recv_timeout(within).map_err(|error| match error {
            RecvTimeoutError::Timeout => NoLine::TimedOut,
            RecvTimeoutError::Disconnected => NoLine::Ended,
        })
    }

    /// A line that it wrote without being asked.
    pub(crate) fn unasked(&mut self) -> Option<Vec<u8>> {
        self.lines.try_recv().ok()
    }

    /// How it ended and what it said last, once it has closed its output.
    pub(crate) fn end(&mut self) -> String {
        let status = match wait(&mut self.child, TO_END) {
            Some(status) => status.to_string(),
            None => "it closed its output and went on".into(),
        };
        let said = self.said_last();
        if said.is_empty() { status } else { format!("{status}: {said}") }
    }

    /// The last lines of its standard error.
    pub(crate) fn said_last(&self) -> String {
        // The thread that reads them may be a moment behind the end of the process.
        thread::sleep(Duration::from_millis(20));
        let lines = self.last_lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(String::as_str).collect::<Vec<_>>().join(" | ")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.to_write = None;
        kill_group(&self.child);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What it starts can then be told from all else, and ended with it.
#[cfg(unix)]
fn in_group_of_its_own(starting: &mut Command) {
    std::os::unix::process::CommandExt::process_group(starting, 0);
}

#[cfg(not(unix))]
fn in_group_of_its_own(_: &mut Command) {}

/// Ends a process and what it has started: a shell in front of a model may leave the model behind.
#[cfg(unix)]
fn kill_group(child: &Child) {
    // A signal to a group takes what Rust calls unsafe, or a shell. Where nobody is left there is nothing to end.
    let end = format!("kill -s KILL -- -{}", child.id());
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &end]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let _ = shell.status();
}

#[cfg(not(unix))]
fn kill_group(_: &Child) {}

/// Waits for the end of a process, at most so long.
pub(crate) fn wait(child: &mut Child, within: Duration) -> Option<ExitStatus> {
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if start.elapsed() < within => thread::sleep(Duration::from_millis(5)),
            _ => return None,
        }
    }
}

fn writer(mut to: ChildStdin) -> Sender<Vec<u8>> {
    let (sender, lines) = mpsc::channel::<Vec<u8>>();
    thread::spawn(move || {
        while let Ok(line) = lines.recv() {
            if to.write_all(&line).and_then(|()| to.flush()).is_err() {
                return;
            }
        }
    });
    sender
}

fn reader(from: ChildStdout) -> Receiver<Vec<u8>> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        let mut from = BufReader::new(from);
        loop {
            let mut line = Vec::new();
            let read = (&mut from).take(LINE_BYTES).read_until(b'\n', &mut line);
            if !matches!(read, Ok(1..)) || sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

fn keep_last_lines(from: ChildStderr, last_lines: &Mutex<VecDeque<String>>) {
    let mut from = BufReader::new(from);
    loop {
        let mut line = Vec::new();
        if !matches!((&mut from).take(LINE_BYTES).read_until(b'\n', &mut line), Ok(1..)) {
            return;
        }
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        if !line.is_empty() {
            let mut kept = last_lines.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() == LAST_LINES {
                kept.pop_front();
            }
            kept.push_back(line);
        }
    }
}
