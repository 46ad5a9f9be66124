//! Which windows there are, and what evidence does not say of them yet.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use types::definition::{Cadence, DefinitionError};
use types::digest::Digester;
use types::log_state::LogState;
use types::window::{Dataset, end_of_day, start_of_day};
use types::{CheckId, Digest, Record, Subject, Window};

use crate::check::{CheckError, log_state};
use crate::opened::Opened;
use crate::window::WindowChoiceError;

/// One thing to make up for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) every: Cadence,
    pub(super) window: Window,
    pub(super) inputs: Digest,
}

/// The windows of every cadence that a definition asks for.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) windows: Vec<(Cadence, Vec<Window>)>,
    pub(super) state: LogState,
}

impl Series {
    pub(super) fn of(
        opened: &Opened<'_>,
        since: Option<Timestamp>,
        (as_of, now): (Timestamp, Timestamp),
    ) -> Result<Self, CheckError> {
        let definition = &opened.definition;
        let reference = definition.reference.window;
        let no_times = || engine::EngineError::NoTimes { column: definition.log.time.clone() };
        let range = opened.log.profiled_range().ok_or_else(|| opened.explain(no_times()))?;
        let (first, last) = (range.first, range.last);
        if opened.log.rows_in(reference) == 0 {
            let error = WindowChoiceError::ReferenceOutsideLog { reference, first, last };
            return Err(opened
                .located
                .mistake(DefinitionError::at_key("reference.window", error.to_string())));
        }
        let state = log_state(opened, range, (as_of, now))?;
        // A day counts as complete once it is over, though its last prediction came before midnight. Rows
        // that a wrong clock put into the future are no reason to wait for those between.
        let newest = state.newest_by(as_of).unwrap_or(last);
        let until = end_of_day(newest).min(as_of);
        // A reference of its own says nothing of when the log begins.
        let begin = match reference.dataset() {
            Dataset::Log => reference.to(),
            Dataset::Reference => start_of_day(first),
        };
        let from = since.unwrap_or(begin);
        let monitor = &definition.monitor;
        let mut windows: Vec<(Cadence, Vec<Window>)> = Vec::new();
        for every in [monitor.drift.every, monitor.performance.every, monitor.reassess.every] {
            if windows.iter().all(|(known, _)| *known != every) {
                let of_cadence = Window::of_cadence(every, from, until).into_iter();
                let after = of_cadence.filter(|window| window.overlap(&reference).is_none());
                windows.push((every, after.collect()));
            }
        }
        let is_empty = windows.iter().all(|(_, windows)| windows.is_empty());
        if let Some(since) = since.filter(|_| is_empty) {
            return Err(WindowChoiceError::NothingSince { since, last: newest }.into());
        }
        Ok(Self { windows, state })
    }

    pub(super) fn windows(&self, every: Cadence) -> Vec<Window> {
        let of_cadence = self.windows.iter().find(|(known, _)| *known == every);
        of_cadence.map(|(_, windows)| windows.clone()).unwrap_or_default()
    }

    /// What evidence does not say yet, or says of other files.
    pub(super) fn missing(
        &self,
        opened: &Opened<'_>,
        records: &[Record],
        as_of: Timestamp,
    ) -> Result<Work, CheckError> {
        let definition = &opened.definition;
        let monitor = &definition.monitor;
        let ours = opened.ours(records);
        let known = Known::of(&ours);
        let late = LateInputs::of(opened, self.state.changes.outcomes_rewritten, as_of)?;
        let mut work = Work::default();
        for (every, windows) in &self.windows {
            // What happened to the files, and how fresh the log is, is told with the newest window.
            let newest = windows.last().filter(|window| {
                let is_told = || {
                    monitor::quality::is_freshness_told(definition, &self.state, **window, &ours)
                        && monitor::quality::are_empty_files_told(&self.state, **window, &ours)
                };
                *every == monitor.drift.every && (self.state.changes.any() || !is_told())
            });
            let mut again = false;
            for &window in windows {
                let against = monitor::against(definition, *every, window);
                let inputs = opened.log.inputs(&[&against[..], &[window]].concat())?;
                let recorded = known.latest(CheckId::Drift, false, window).and_then(|record| record.inputs);
                again |= newest == Some(&window) || recorded != Some(inputs);
                if again {
                    work.drift.push(Unit { every: *every, window, inputs });
                }
                if definition.log.outcome.is_none() {
                    continue;
                }
                if late.is_missing(inputs, known.latest(CheckId::Drift, true, window)) {
                    work.outcomes.push(Unit { every: *every, window, inputs });
                }
                if *every == monitor.performance.every || *every == monitor.reassess.every {
                    let inputs = opened.log.inputs(&[definition.reference.window, window])?;
                    let recorded = known.latest(CheckId::PerformanceOverTime, false, window);
                    let kept = if late.is_missing(inputs, recorded) {
                        &mut work.performance
                    } else {
                        &mut work.performance_known
                    };
                    kept.push(Unit { every: *every, window, inputs });
                }
            }
        }
        Ok(work)
    }
}

/// What is to be made.
#[derive(Clone, Debug, Default)]
pub(super) struct Work {
    pub(super) drift: Vec<Unit>,
    /// Drift of the outcome alone.
    pub(super) outcomes: Vec<Unit>,
    pub(super) performance: Vec<Unit>,
    /// Windows whose performance evidence says already; made again only where an earlier window comes out
    /// otherwise than it says.
    pub(super) performance_known: Vec<Unit>,
}

impl Work {
    pub(super) fn all(&self) -> impl Iterator<Item = &Unit> {
        self.drift.iter().chain(&self.outcomes).chain(&self.performance)
    }

    pub(super) fn windows(&self) -> usize {
        self.all().map(|unit| unit.window).collect::<HashSet<_>>().len()
    }
}

/// The latest record about each window, that of the outcome's drift apart.
pub(super) struct Known<'r> {
    pub(super) latest: HashMap<(CheckId, bool, Window), &'r Record>,
}

impl<'r> Known<'r> {
    /// `records` are oldest first.
    pub(super) fn of(records: &[&'r Record]) -> Self {
        let key = |record: &Record| {
            let finding = &record.finding;
            (finding.check, finding.subject == Subject::Outcome, finding.window)
        };
        // What a single check found says nothing of the files that it was made from.
        let known = records.iter().filter(|record| record.inputs.is_some());
        Self { latest: known.map(|&record| (key(record), record)).collect() }
    }

    pub(super) fn latest(&self, check: CheckId, of_outcome: bool, window: Window) -> Option<&'r Record> {
        self.latest.get(&(check, of_outcome, window)).copied()
    }
}

/// The inputs of findings that rest on outcomes, which come late.
#[derive(Clone, Copy, Debug)]
pub(super) struct LateInputs {
    /// The outcome files and the day: while a window's outcomes are still arriving, either may change it.
    pub(super) arriving: Digest,
    /// An outcome file is not what it was, so that even settled windows may have changed.
    pub(super) rewritten: bool,
}

impl LateInputs {
    pub(super) fn of(opened: &Opened<'_>, rewritten: bool, as_of: Timestamp) -> Result<Self, CheckError> {
        let mut arriving = Digester::default();
        for (_, digest) in opened.log.outcome_files()? {
            arriving.update(&digest.bytes());
        }
        arriving.update(end_of_day(as_of).to_string().as_bytes());
        Ok(Self { arriving: arriving.finish(), rewritten })
    }

    /// What is recorded with a finding. New outcomes do not change one that is settled.
    pub(super) fn with(&self, log: Digest, settled: bool) -> Digest {
        let mut inputs = Digester::default();
        inputs.update(&log.bytes());
        if !settled {
            inputs.update(&self.arriving.bytes());
        }
        inputs.finish()
    }

    pub(super) fn is_missing(&self, log: Digest, known: Option<&Record>) -> bool {
        let inputs = known.and_then(|record| record.inputs);
        let settled = !self.rewritten && inputs == Some(self.with(log, true));
        !settled && inputs != Some(self.with(log, false))
    }
}
