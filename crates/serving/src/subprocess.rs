//! A program that reads a line with rows and writes a line with their scores, so that a model runs in the language
//! that it was made in. docs/targets.md has the protocol and a program of fifteen lines.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use types::batch::Batch;

use crate::answer::{Failure, FailureKind, Outcome, of_rows};
use crate::json::{NonFinite, parse, write_names, write_rows};
use crate::process::{NoLine, Process};
use crate::reading::DEGRADED;
use crate::{Reading, Target};

/// Such a program. It is started when it is first asked, and started again after it has ended or was ended.
#[derive(Debug)]
pub struct Subprocess {
    command: Vec<String>,
    folder: Option<PathBuf>,
    limits: SubprocessLimits,
    reading: Reading,
    running: Option<Process>,
    /// The program that runs has answered before.
    is_warm: bool,
}

/// What a program may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubprocessLimits {
    /// For the first answer after a start, beside what a call may take: loading libraries and the model.
    pub start: Duration,
    pub call: Duration,
}

impl Default for SubprocessLimits {
    fn default() -> Self {
        Self { start: Duration::from_mins(1), call: Duration::from_secs(30) }
    }
}

impl Subprocess {
    /// The command is run without a shell, in `folder`.
    pub fn new(
        command: Vec<String>,
        folder: Option<PathBuf>,
        limits: SubprocessLimits,
        reading: Reading,
    ) -> Self {
        Self { command, folder, limits, reading, running: None, is_warm: false }
    }

    fn call(&mut self, batch: &Batch) -> Result<Outcome, Failure> {
        let mut line = b"{\"columns\":".to_vec();
        write_names(batch, &mut line);
        line.extend_from_slice(b",\"rows\":");
        let written = write_rows(batch, NonFinite::Bare, &mut line);
        written.map_err(|why| Failure::new(FailureKind::Rejected, why))?;
        line.push(b'}');
        // Whoever fails is not asked again: it is not known what it would answer to.
        let mut process = self.started()?;
        let within = if self.is_warm { self.limits.call } else { self.limits.start + self.limits.call };
        if let Some(line) = process.unasked() {
            let line = String::from_utf8_lossy(&line).into_owned();
            let message =
                format!("a line that nobody asked for (standard output is for answers alone): {line}");
            return Err(Failure::new(FailureKind::Malformed, message));
        }
        let answer = process.ask(line, within).map_err(|error| match error {
            NoLine::TimedOut => Failure::new(FailureKind::TimedOut, of_silence(&process, within)),
            NoLine::Ended => Failure::new(FailureKind::Crashed, process.end()),
        })?;
        let outcome = self.read(&answer, batch.rows());
        let is_in_step = match &outcome {
            Ok(_) => true,
            Err(failure) => failure.kind == FailureKind::Rejected,
        };
        if is_in_step {
            self.running = Some(process);
            self.is_warm = true;
        }
        outcome
    }

    fn started(&mut self) -> Result<Process, Failure> {
        if let Some(process) = self.running.take() {
            return Ok(process);
        }
        self.is_warm = false;
        Process::start(&self.command, self.folder.as_deref())
            .map_err(|why| Failure::new(FailureKind::Unreachable, why))
    }

    fn read(&self, line: &[u8], rows_asked: usize) -> Result<Outcome, Failure> {
        let malformed = |why: String| {
            let start: String = String::from_utf8_lossy(line).chars().take(60).collect();
            Failure::new(FailureKind::Malformed, format!("{why}: {start}"))
        };
        let document = parse(line).map_err(|why| malformed(format!("the answer is not JSON ({why})")))?;
        if let Some(error) = document.get("error") {
            let message = error.as_str().map_or_else(|| error.to_string(), str::to_owned);
            return Err(Failure::new(FailureKind::Rejected, message));
        }
        let rows = document.get("scores").and_then(Value::as_array);
        let rows =
            rows.ok_or_else(|| malformed("the answer has neither a list of `scores` nor an `error`".into()))?;
        let scores = self.reading.of_json(rows).map_err(malformed)?;
        let mut degraded = vec![false; scores.len()];
        let flags = document.get(DEGRADED).and_then(Value::as_array);
        for (flag, degraded) in flags.into_iter().flatten().zip(&mut degraded) {
            *degraded = flag.as_bool().unwrap_or(false);
        }
        Ok(of_rows(rows_asked, scores, degraded))
    }
}

fn of_silence(process: &Process, within: Duration) -> String {
    let said = process.said_last();
    let said = if said.is_empty() { String::new() } else { format!(", after: {said}") };
    format!("no answer within {within:?}{said}")
}

impl Target for Subprocess {
    fn outcome(&mut self, batch: &Batch) -> Outcome {
        self.call(batch).unwrap_or_else(Outcome::Failed)
    }

    fn is_started_again(&self) -> bool {
        true
    }

    fn ready(&mut self) -> Result<(), Failure> {
        self.running = Some(self.started()?);
        Ok(())
    }
}
