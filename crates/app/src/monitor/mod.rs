//! Monitoring over time: every window that was missed is made up for, and shown with those before it.
//!
//! What a window needs is compared with what evidence says that it was made from. Where that is the same,
//! nothing is done; so a second run reads no prediction. A window whose files changed is made again, and
//! so are the later ones of its series, whose alarms continue from it. Outcomes come late: a window's
//! performance is made again until its outcomes have arrived.

mod maker;
mod series;

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::PathBuf;

use engine::{Engine, EngineOptions};
use jiff::Timestamp;
use monitor::History;
use types::definition::{Cadence, Definition};
use types::evidence::{Evidence, NewFinding};
use types::finding::MaturityState;
use types::log_state::{FileChanges, LogState};
use types::monitor_report::MonitorReport;
use types::{CheckId, Detail, Finding, Record, Verdict};

use self::maker::{Maker, shared_answers};
use self::series::{Known, LateInputs, Series, Unit, Work};
use crate::PROGRAM;
use crate::check::{CheckError, Stage, new_finding, seeded};
use crate::monitor_report;
use crate::opened::Opened;
use crate::state::State;

/// What to monitor.
#[derive(Clone, Debug)]
pub struct MonitorRequest {
    /// A folder with a definition, or the definition itself.
    pub path: PathBuf,
    /// Windows that begin earlier are not made up for; by default all after the reference.
    pub since: Option<Timestamp>,
    /// Outcomes that became known later are not used; by default now.
    pub as_of: Option<Timestamp>,
    /// The report to make.
    pub period: Period,
}

/// What a report covers: windows of the cadence that drift, performance or the reassessment has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    Weekly,
    Monthly,
    Quarterly,
}

impl Period {
    /// The cadence of the windows under a definition.
    fn cadence(self, definition: &Definition) -> Cadence {
        match self {
            Self::Weekly => definition.monitor.drift.every,
            Self::Monthly => definition.monitor.performance.every,
            Self::Quarterly => definition.monitor.reassess.every,
        }
    }
}

/// What monitoring came to.
#[derive(Clone, Debug)]
pub struct MonitorOutcome {
    pub report: MonitorReport,
    /// Where its evidence is kept.
    pub evidence: String,
    /// Windows that were made up for, of every cadence.
    pub made: usize,
    /// Findings that were recorded.
    pub recorded: usize,
}

/// Makes up for every window that was missed, records it, and shows the whole series.
pub fn run(
    request: &MonitorRequest,
    state: &State,
    now: Timestamp,
    progress: &mut dyn FnMut(Stage),
) -> Result<MonitorOutcome, CheckError> {
    progress(Stage::Opening);
    let engine = Engine::new(EngineOptions::default())?;
    let opened = Opened::at(&engine, &request.path)?;
    let as_of = request.as_of.unwrap_or(now);
    progress(Stage::Digesting { files: opened.log.file_count() });
    let datasets = opened.log.dataset_versions()?;
    let columns =
        monitor::column_questions(&opened.definition, &opened.schema, opened.definition.reference.window);
    progress(Stage::Profiling { columns: columns.len() });
    let files = opened.log.profile_files(&columns).map_err(|error| opened.explain(error))?;
    let mut chain = state.chain(&opened.definition.system.id)?;
    let series = Series::of(&opened, request.since, (as_of, now))?;
    let work = series.missing(&opened, &chain.records, as_of)?;
    let findings = made(&opened, &series, &work, &chain.records, as_of, now, progress)?;

    let (made, recorded) = (work.windows(), findings.len());
    if !findings.is_empty() {
        progress(Stage::Recording { findings: recorded });
        let evidence = Evidence {
            at: now,
            system: opened.definition.system.id.clone(),
            model: opened.definition.model.version.clone(),
            definition: opened.hash(),
            program: PROGRAM.into(),
            datasets: datasets.clone(),
            findings,
        };
        state.append(&mut chain, evidence)?;
    }
    opened.log.remember_files()?;
    if let Err(error) = opened.store.prune() {
        return Err(CheckError::Unreadable { path: opened.located.folder.clone(), source: error });
    }
    let gates = govern::gate::decide(&opened.definition, opened.hash(), &chain.records, now, None);
    let cadence = request.period.cadence(&opened.definition);
    let report = monitor_report::of(&monitor_report::Source {
        definition: &opened.definition,
        hash: opened.hash(),
        records: opened.ours(&chain.records),
        windows: series.windows(cadence),
        cadence,
        since: request.since,
        at: now,
        as_of,
        datasets,
        gates,
        files,
        checkpoint: chain.end,
    });
    Ok(MonitorOutcome { report, evidence: state.shown(), made, recorded })
}

/// Makes all findings that are missing, window by window in the order of time.
fn made(
    opened: &Opened<'_>,
    series: &Series,
    work: &Work,
    records: &[Record],
    as_of: Timestamp,
    now: Timestamp,
    progress: &mut dyn FnMut(Stage),
) -> Result<Vec<NewFinding>, CheckError> {
    let definition = &opened.definition;
    let late = LateInputs::of(opened, series.state.changes.outcomes_rewritten, as_of)?;
    let shared = shared_answers(opened, work, as_of, progress)?;
    let newest = series.windows(definition.monitor.drift.every).last().copied();
    let earlier_files = LogState { changes: FileChanges::default(), newest: false, ..series.state.clone() };
    let ours = opened.ours(records);
    let mut maker = Maker {
        opened,
        shared: &shared,
        as_of,
        usual: HashMap::new(),
        usual_together: HashMap::new(),
        windows: VecDeque::new(),
    };
    let mut findings = Vec::new();

    let mut histories = Histories::of(&ours);
    for unit in &work.drift {
        progress(Stage::Judging { window: unit.window });
        let is_newest = unit.every == definition.monitor.drift.every && Some(unit.window) == newest;
        let state = if is_newest { &series.state } else { &earlier_files };
        let mut made = maker.scoped(unit, state, histories.before(unit), |scope, answers| {
            monitor::judge(scope, answers, &mut seeded(unit.window))
        })?;
        histories.add(unit, &made);
        made.extend(maker.multivariate(unit)?);
        findings
            .extend(made.into_iter().map(|finding| new_finding(definition, finding, now, Some(unit.inputs))));
    }
    let mut histories = Histories::of(&ours);
    for unit in &work.outcomes {
        let made = maker.scoped(unit, &earlier_files, histories.before(unit), |scope, answers| {
            monitor::judge_outcome(scope, answers).into_iter().collect()
        })?;
        histories.add(unit, &made);
        findings.extend(made.into_iter().map(|finding| {
            let inputs = late.with(unit.inputs, finding.verdict != Verdict::Unknown);
            new_finding(definition, finding, now, Some(inputs))
        }));
    }
    for (unit, finding) in performances(&mut maker, work, &ours, progress)? {
        let inputs = late.with(unit.inputs, is_settled(&finding));
        findings.push(new_finding(definition, finding, now, Some(inputs)));
    }
    Ok(findings)
}

/// The performance of all windows that are missing. The bet on harm goes on from window to window, so where
/// one comes out otherwise than evidence says, those after it are made again too.
fn performances(
    maker: &mut Maker<'_>,
    work: &Work,
    ours: &[&Record],
    progress: &mut dyn FnMut(Stage),
) -> Result<Vec<(Unit, Finding)>, CheckError> {
    let missing = work.performance.iter().map(|unit| (*unit, true));
    let known = work.performance_known.iter().map(|unit| (*unit, false));
    let mut units: Vec<(Unit, bool)> = missing.chain(known).collect();
    units.sort_by_key(|(unit, _)| (unit.every.hours(), unit.window));
    let recorded = Known::of(ours);
    let mut moved: HashSet<Cadence> = HashSet::new();
    let mut made: Vec<(Unit, Finding)> = Vec::new();
    for (unit, missing) in units {
        if !missing && !moved.contains(&unit.every) {
            continue;
        }
        progress(Stage::Judging { window: unit.window });
        let mut history = History::before(ours.iter().copied(), unit.every, unit.window);
        for (earlier, finding) in made.iter().filter(|(earlier, _)| earlier.window.to() <= unit.window.from())
        {
            history.add(earlier.every, finding);
        }
        let Some(finding) = maker.performance(&unit, &history)? else { continue };
        let before = recorded.latest(CheckId::PerformanceOverTime, false, unit.window);
        if before.and_then(|record| record.finding.sequential.as_ref()) != finding.sequential.as_ref() {
            moved.insert(unit.every);
        }
        made.push((unit, finding));
    }
    Ok(made)
}

/// Whether a finding about performance rests on outcomes that have all arrived.
fn is_settled(finding: &Finding) -> bool {
    matches!(&finding.detail, Some(Detail::Performance(of)) if of.maturity.state == MaturityState::Settled)
}

/// What each cadence's windows have shown so far: what evidence says, and what this run has found.
struct Histories<'a> {
    recorded: &'a [&'a Record],
    of_cadence: HashMap<Cadence, History>,
}

impl<'a> Histories<'a> {
    fn of(recorded: &'a [&'a Record]) -> Self {
        Self { recorded, of_cadence: HashMap::new() }
    }

    fn before(&mut self, unit: &Unit) -> &History {
        let recorded = self.recorded;
        self.of_cadence
            .entry(unit.every)
            .or_insert_with(|| History::before(recorded.iter().copied(), unit.every, unit.window))
    }

    fn add(&mut self, unit: &Unit, findings: &[Finding]) {
        if let Some(history) = self.of_cadence.get_mut(&unit.every) {
            for finding in findings {
                history.add(unit.every, finding);
            }
        }
    }
}
