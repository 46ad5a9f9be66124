//! What evidence says of one system, and how it is chosen from.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use store::Chain;
use types::definition::Cadence;
use types::gate::GateDecision;
use types::{CheckId, Record, Subject, Verdict, Window};
use view::site::Seen;

use crate::service::Current;

/// A system's definition and its evidence.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) current: Arc<Current>,
    pub(super) chain: Arc<Chain>,
    /// Where in the chain the records of each check are.
    of_check: HashMap<CheckId, Vec<usize>>,
}

impl Known {
    pub(super) fn new(current: Arc<Current>, chain: Arc<Chain>) -> Self {
        let mut of_check: HashMap<CheckId, Vec<usize>> = HashMap::new();
        for (at, record) in chain.records.iter().enumerate() {
            if record.model == current.definition.model.version {
                of_check.entry(record.finding.check).or_default().push(at);
            }
        }
        Self { current, chain, of_check }
    }

    /// The records about the model version that is watched, oldest first.
    pub(super) fn ours(&self) -> impl DoubleEndedIterator<Item = &Record> {
        let model = &self.current.definition.model.version;
        self.chain.records.iter().filter(move |record| record.model == *model)
    }

    /// Those of a check, of the cadence that it is shown by.
    pub(super) fn of_check(&self, check: CheckId) -> impl DoubleEndedIterator<Item = &Record> {
        let monitor = &self.current.definition.monitor;
        let every = match check {
            CheckId::Drift | CheckId::Quality | CheckId::Multivariate => Some(monitor.drift.every),
            CheckId::PerformanceOverTime => Some(monitor.performance.every),
            _ => None,
        };
        let places = self.of_check.get(&check).map_or(&[][..], Vec::as_slice);
        let records = places.iter().map(|&at| &self.chain.records[at]);
        records.filter(move |record| every.is_none_or(|every| is_of(record, every)))
    }

    /// For every window and subject of a check the latest record, by window and then by subject.
    pub(super) fn over_time(&self, check: CheckId) -> Vec<&Record> {
        let mut latest_run: HashMap<Window, u64> = HashMap::new();
        for record in self.of_check(check) {
            latest_run.insert(record.finding.window, record.run);
        }
        let mut records: Vec<&Record> = self
            .of_check(check)
            .filter(|record| latest_run.get(&record.finding.window) == Some(&record.run))
            .collect();
        records.sort_by(|a, b| {
            let key = |record: &Record| (record.finding.window.to(), record.finding.window.from());
            key(a).cmp(&key(b)).then_with(|| a.seq.cmp(&b.seq))
        });
        records
    }

    /// What the latest run found for the latest window of a check.
    pub(super) fn newest(&self, check: CheckId) -> Vec<&Record> {
        let key = |record: &Record| (record.finding.window.to(), record.finding.window.from());
        let Some(latest) = self.of_check(check).map(key).max() else { return Vec::new() };
        let run = self.of_check(check).filter(|record| key(record) == latest).map(|record| record.run).max();
        self.of_check(check).filter(|record| key(record) == latest && Some(record.run) == run).collect()
    }

    /// The windows of monitoring, ascending.
    pub(super) fn windows(&self) -> Vec<Window> {
        let mut windows: Vec<Window> =
            self.of_check(CheckId::Drift).map(|record| record.finding.window).collect();
        windows.sort_unstable();
        windows.dedup();
        windows
    }

    /// Whether a record still counts: it has not expired, and was made under the definition in force.
    pub(super) fn counts(&self, record: &Record, now: Timestamp) -> bool {
        record.is_fresh(now) && record.definition == self.current.hash
    }

    /// When the next of its evidence expires: until then, what it says stays the same.
    pub(super) fn next_expiry(&self, now: Timestamp) -> Timestamp {
        let expiries = self.chain.records.iter().map(|record| record.fresh_until);
        expiries.filter(|until| *until > now).min().unwrap_or(Timestamp::MAX)
    }

    pub(super) fn gates(&self, now: Timestamp) -> Vec<GateDecision> {
        govern::gate::decide(&self.current.definition, self.current.hash, &self.chain.records, now, None)
    }
}

/// Whether a record is about a window of a cadence. A window that was made for several cadences carries the
/// alarms of one.
fn is_of(record: &Record, every: Cadence) -> bool {
    let alarms = record.finding.sequential.as_ref().map(|alarms| alarms.every);
    record.finding.window.is_of(every) && alarms.is_none_or(|of| of == every)
}

pub(super) fn seen(record: &Record) -> Seen {
    Seen { seq: record.seq, at: record.at, fresh_until: record.fresh_until, finding: record.finding.clone() }
}

pub(super) fn worst<'r>(records: impl IntoIterator<Item = &'r Record>) -> Option<Verdict> {
    Verdict::worst(records.into_iter().map(|record| record.finding.verdict))
}

/// The same column, whatever source it is said to come from.
pub(super) fn is_same(a: &Subject, b: &Subject) -> bool {
    match (a, b) {
        (Subject::Feature { name: a, .. }, Subject::Feature { name: b, .. }) => a == b,
        _ => a == b,
    }
}
