//! The report of monitoring over time, put together from evidence. Nothing is computed here.

use engine::FilesRead;
use jiff::Timestamp;
use types::definition::{Cadence, Definition};
use types::evidence::{Checkpoint, DatasetVersion};
use types::gate::GateDecision;
use types::monitor_report::{ColumnHistory, FORMAT, Look, MonitorReport};
use types::{CheckId, Digest, Finding, Record, Subject, Verdict, Window};

use crate::PROGRAM;

/// What a report is made from.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    pub(crate) definition: &'a Definition,
    pub(crate) hash: Digest,
    /// Those of this system, model version and definition, oldest first.
    pub(crate) records: Vec<&'a Record>,
    pub(crate) windows: Vec<Window>,
    pub(crate) cadence: Cadence,
    /// From when on somebody asked for windows.
    pub(crate) since: Option<Timestamp>,
    pub(crate) at: Timestamp,
    pub(crate) as_of: Timestamp,
    pub(crate) datasets: Vec<DatasetVersion>,
    pub(crate) gates: Vec<GateDecision>,
    pub(crate) files: FilesRead,
    pub(crate) checkpoint: Checkpoint,
}

pub(crate) fn of(source: &Source<'_>) -> MonitorReport {
    let definition = source.definition;
    let drift = drift(source);
    let last_two = source.windows.iter().rev().take(2).rev().copied().collect::<Vec<Window>>();
    let performance = performance(source);
    let quality =
        source.windows.last().map(|&window| latest(source, CheckId::Quality, window)).unwrap_or_default();
    let mut changes = monitor::changes::in_words(&drift, &last_two, &quality, &performance);
    if source.windows.is_empty() {
        changes.insert(0, monitor::changes::no_window_in_words(definition, source.cadence, source.since));
    }
    MonitorReport {
        format: FORMAT,
        program: PROGRAM.into(),
        at: source.at,
        as_of: source.as_of,
        system: definition.system.clone(),
        model: definition.model.version.clone(),
        task: definition.model.task,
        cadence: source.cadence,
        against: monitor::against_in_words(definition),
        reference: definition.reference.window,
        definition: source.hash,
        datasets: source.datasets.clone(),
        gates: source.gates.clone(),
        changes,
        multivariate: source
            .windows
            .iter()
            .map(|&window| latest(source, CheckId::Multivariate, window).into_iter().next_back())
            .collect(),
        drift,
        performance,
        quality,
        quality_look: source.windows.last().and_then(|&window| {
            let record = latest_records(source, CheckId::Quality, window).into_iter().next()?;
            Some(Look { at: record.at, datasets: record.datasets.clone() })
        }),
        windows: source.windows.clone(),
        files_read: source.files.read,
        files: source.files.files,
        checkpoint: source.checkpoint.to_string(),
    }
}

/// The findings of the latest run that made a check for a window.
fn latest(source: &Source<'_>, check: CheckId, window: Window) -> Vec<Finding> {
    latest_records(source, check, window).into_iter().map(|record| record.finding.clone()).collect()
}

fn latest_records<'a>(source: &Source<'a>, check: CheckId, window: Window) -> Vec<&'a Record> {
    let of_window = || {
        source
            .records
            .iter()
            .copied()
            .filter(|record| record.finding.check == check && record.finding.window == window)
    };
    let Some(run) = of_window().map(|record| record.run).max() else { return Vec::new() };
    of_window().filter(|record| record.run == run).collect()
}

/// A row for every column, worst in the last window first.
fn drift(source: &Source<'_>) -> Vec<ColumnHistory> {
    let mut columns: Vec<ColumnHistory> = Vec::new();
    for record in source.records.iter().filter(|record| record.finding.check == CheckId::Drift) {
        let finding = &record.finding;
        let Some(at) = source.windows.iter().position(|window| *window == finding.window) else { continue };
        // A window that was made for another cadence too is the same window, with other alarms.
        if finding.sequential.as_ref().is_some_and(|alarms| alarms.every != source.cadence) {
            continue;
        }
        let known = columns.iter().position(|column| same_column(&column.subject, &finding.subject));
        let column = known.unwrap_or_else(|| {
            let findings = vec![None; source.windows.len()];
            columns.push(ColumnHistory { subject: finding.subject.clone(), findings });
            columns.len() - 1
        });
        columns[column].findings[at] = Some(finding.clone());
    }
    let worst = |column: &ColumnHistory| {
        let last = column.findings.last().and_then(Option::as_ref);
        let verdict = last.map_or(Verdict::Pass, |finding| finding.verdict);
        let alarms =
            column.findings.iter().flatten().filter(|finding| finding.verdict == Verdict::Fail).count();
        (verdict, alarms)
    };
    columns.sort_by_key(|column| std::cmp::Reverse(worst(column)));
    columns
}

fn same_column(a: &Subject, b: &Subject) -> bool {
    match (a, b) {
        (Subject::Feature { name: a, .. }, Subject::Feature { name: b, .. }) => a == b,
        _ => a == b,
    }
}

/// `monitor.performance` by window: those of the report's cadence, or of its own where it is longer.
fn performance(source: &Source<'_>) -> Vec<Finding> {
    let own = source.definition.monitor.performance.every;
    let every = if source.cadence.hours() > own.hours() { source.cadence } else { own };
    let mut windows: Vec<Window> = source
        .records
        .iter()
        .filter(|record| record.finding.check == CheckId::PerformanceOverTime)
        .map(|record| record.finding.window)
        .filter(|window| window.is_of(every))
        .collect();
    windows.sort_unstable();
    windows.dedup();
    windows
        .into_iter()
        .filter_map(|window| latest(source, CheckId::PerformanceOverTime, window).pop())
        .collect()
}
