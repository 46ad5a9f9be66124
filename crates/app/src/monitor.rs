//! Monitoring over time: every window that was missed is made up for, and shown with those before it.
//!
//! What a window needs is compared with what evidence says that it was made from. Where that is the same,
//! nothing is done; so a second run reads no prediction. A window whose files changed is made again, and
//! so are the later ones of its series, whose alarms continue from it. Outcomes come late: a window's
//! performance is made again until its outcomes have arrived.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use engine::{Engine, EngineOptions};
use jiff::Timestamp;
use monitor::multivariate::MultivariateScope;
use monitor::performance::PerformanceScope;
use monitor::{History, Usual, UsualBuilder};
use types::definition::{Against, Cadence, Definition, DefinitionError};
use types::digest::Digester;
use types::evidence::{Evidence, NewFinding};
use types::finding::MaturityState;
use types::log_state::{FileChanges, LogState};
use types::monitor_report::MonitorReport;
use types::window::end_of_day;
use types::{Answers, CheckId, Detail, Digest, Finding, Question, Record, Subject, Verdict, Window};

use crate::PROGRAM;
use crate::check::{CheckError, Stage, new_finding, seeded};
use crate::evidence_log;
use crate::kept_usual::KeptUsual;
use crate::monitor_report;
use crate::opened::Opened;
use crate::window::WindowChoiceError;

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
    pub evidence: PathBuf,
    /// Windows that were made up for, of every cadence.
    pub made: usize,
    /// Findings that were recorded.
    pub recorded: usize,
}

/// One thing to make up for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Unit {
    every: Cadence,
    window: Window,
    inputs: Digest,
}

/// Makes up for every window that was missed, records it, and shows the whole series.
pub fn run(
    request: &MonitorRequest,
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
        monitor::profile_questions(&opened.definition, &opened.schema, opened.definition.reference.window);
    progress(Stage::Profiling { columns: columns.len() });
    let files = opened.log.profile_files(&columns).map_err(|error| opened.explain(error))?;
    let chain = evidence_log::read(&opened.located.folder)?;
    let series = Series::of(&opened, request.since, as_of)?;
    let work = series.missing(&opened, &chain.records, as_of)?;
    let findings = made(&opened, &series, &work, &chain.records, as_of, now, progress)?;

    let (made, recorded) = (work.windows(), findings.len());
    let chain = if findings.is_empty() {
        chain
    } else {
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
        evidence_log::append(&opened.located.folder, evidence)?
    };
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
        at: now,
        as_of,
        datasets,
        gates,
        files,
        checkpoint: chain.end,
    });
    Ok(MonitorOutcome { report, evidence: chain.path, made, recorded })
}

/// The windows of every cadence that a definition asks for.
#[derive(Clone, Debug)]
struct Series {
    windows: Vec<(Cadence, Vec<Window>)>,
    state: LogState,
}

impl Series {
    fn of(opened: &Opened<'_>, since: Option<Timestamp>, as_of: Timestamp) -> Result<Self, CheckError> {
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
        // A day counts as complete once it is over, though its last prediction came before midnight.
        let until = end_of_day(last).min(as_of);
        let since = since.unwrap_or(reference.to());
        let monitor = &definition.monitor;
        let mut windows: Vec<(Cadence, Vec<Window>)> = Vec::new();
        for every in [monitor.drift.every, monitor.performance.every, monitor.reassess.every] {
            if windows.iter().all(|(known, _)| *known != every) {
                let of_cadence = Window::of_cadence(every, since, until).into_iter();
                let after = of_cadence.filter(|window| window.overlap(&reference).is_none());
                windows.push((every, after.collect()));
            }
        }
        let changes = opened.log.file_changes()?.clone();
        Ok(Self { windows, state: LogState { undated_rows: range.undated_rows, changes } })
    }

    fn windows(&self, every: Cadence) -> Vec<Window> {
        let of_cadence = self.windows.iter().find(|(known, _)| *known == every);
        of_cadence.map(|(_, windows)| windows.clone()).unwrap_or_default()
    }

    /// What evidence does not say yet, or says of other files.
    fn missing(&self, opened: &Opened<'_>, records: &[Record], as_of: Timestamp) -> Result<Work, CheckError> {
        let definition = &opened.definition;
        let monitor = &definition.monitor;
        let ours = opened.ours(records);
        let known = Known::of(&ours);
        let late = LateInputs::of(opened, self.state.changes.outcomes_rewritten, as_of)?;
        let mut work = Work::default();
        for (every, windows) in &self.windows {
            // What happened to the files is told with the newest window.
            let newest = windows.last().filter(|_| *every == monitor.drift.every && self.state.changes.any());
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
                    if late.is_missing(inputs, known.latest(CheckId::PerformanceOverTime, false, window)) {
                        work.performance.push(Unit { every: *every, window, inputs });
                    }
                }
            }
        }
        Ok(work)
    }
}

/// What is to be made.
#[derive(Clone, Debug, Default)]
struct Work {
    drift: Vec<Unit>,
    /// Drift of the outcome alone.
    outcomes: Vec<Unit>,
    performance: Vec<Unit>,
}

impl Work {
    fn all(&self) -> impl Iterator<Item = &Unit> {
        self.drift.iter().chain(&self.outcomes).chain(&self.performance)
    }

    fn windows(&self) -> usize {
        self.all().map(|unit| unit.window).collect::<HashSet<_>>().len()
    }
}

/// The latest record about each window, that of the outcome's drift apart.
struct Known<'r> {
    latest: HashMap<(CheckId, bool, Window), &'r Record>,
}

impl<'r> Known<'r> {
    /// `records` are oldest first.
    fn of(records: &[&'r Record]) -> Self {
        let key = |record: &Record| {
            let finding = &record.finding;
            (finding.check, finding.subject == Subject::Outcome, finding.window)
        };
        // What a single check found says nothing of the files that it was made from.
        let known = records.iter().filter(|record| record.inputs.is_some());
        Self { latest: known.map(|&record| (key(record), record)).collect() }
    }

    fn latest(&self, check: CheckId, of_outcome: bool, window: Window) -> Option<&'r Record> {
        self.latest.get(&(check, of_outcome, window)).copied()
    }
}

/// The inputs of findings that rest on outcomes, which come late.
#[derive(Clone, Copy, Debug)]
struct LateInputs {
    /// The outcome files and the day: while a window's outcomes are still arriving, either may change it.
    arriving: Digest,
    /// An outcome file is not what it was, so that even settled windows may have changed.
    rewritten: bool,
}

impl LateInputs {
    fn of(opened: &Opened<'_>, rewritten: bool, as_of: Timestamp) -> Result<Self, CheckError> {
        let mut arriving = Digester::default();
        for (_, digest) in opened.log.outcome_files()? {
            arriving.update(&digest.bytes());
        }
        arriving.update(end_of_day(as_of).to_string().as_bytes());
        Ok(Self { arriving: arriving.finish(), rewritten })
    }

    /// What is recorded with a finding. New outcomes do not change one that is settled.
    fn with(&self, log: Digest, settled: bool) -> Digest {
        let mut inputs = Digester::default();
        inputs.update(&log.bytes());
        if !settled {
            inputs.update(&self.arriving.bytes());
        }
        inputs.finish()
    }

    fn is_missing(&self, log: Digest, known: Option<&Record>) -> bool {
        let inputs = known.and_then(|record| record.inputs);
        let settled = !self.rewritten && inputs == Some(self.with(log, true));
        !settled && inputs != Some(self.with(log, false))
    }
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
    let earlier_files = LogState { changes: FileChanges::default(), ..series.state.clone() };
    let ours = opened.ours(records);
    let mut maker = Maker {
        opened,
        shared: &shared,
        as_of,
        usual: HashMap::new(),
        usual_auc: HashMap::new(),
        windows: VecDeque::new(),
    };
    let mut findings = Vec::new();

    let mut histories = Histories::of(&ours);
    for unit in &work.drift {
        progress(Stage::Judging { window: unit.window });
        let is_newest = unit.every == definition.monitor.drift.every && Some(unit.window) == newest;
        let state = if is_newest { &series.state } else { &earlier_files };
        let mut made = maker.scoped(unit, state, histories.before(unit), monitor::judge)?;
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
    for unit in &work.performance {
        progress(Stage::Judging { window: unit.window });
        if let Some(finding) = maker.performance(unit)? {
            let inputs = late.with(unit.inputs, is_settled(&finding));
            findings.push(new_finding(definition, finding, now, Some(inputs)));
        }
    }
    Ok(findings)
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

/// Windows whose profiles are kept at hand, because the windows after them are compared with them; fewer
/// where they have many columns.
const WINDOWS_AT_HAND: usize = 16;
/// Profiles of columns that are kept at hand.
const COLUMNS_AT_HAND: usize = 1024;

/// Makes the findings of one window after the other.
struct Maker<'a> {
    opened: &'a Opened<'a>,
    shared: &'a Arc<Answers>,
    as_of: Timestamp,
    /// By cadence and by what is compared against; several where that moves along.
    usual: HashMap<(Cadence, Vec<Window>), Arc<Usual>>,
    /// Likewise: how well windows of the reference can be told apart.
    usual_auc: HashMap<(Cadence, Vec<Window>), Option<f64>>,
    windows: VecDeque<(Window, Arc<Answers>)>,
}

impl Maker<'_> {
    /// Judges a window in its scope.
    fn scoped(
        &mut self,
        unit: &Unit,
        log: &LogState,
        history: &History,
        judge: impl Fn(monitor::Scope<'_>, &Answers) -> Vec<Finding>,
    ) -> Result<Vec<Finding>, CheckError> {
        let (definition, schema) = (&self.opened.definition, &self.opened.schema);
        let against = monitor::against(definition, unit.every, unit.window);
        let usual = self.usual(unit.every, &against)?;
        let scope = monitor::Scope {
            definition,
            schema,
            window: unit.window,
            every: unit.every,
            against: &against,
            log,
            history,
            usual: &usual,
        };
        let mut answers = Answers::with_shared(self.of_window(unit.window)?);
        answers.extend(self.own_answers(&monitor::plan(scope), &answers)?);
        Ok(judge(scope, &answers))
    }

    /// Judges all columns of a window together.
    fn multivariate(&mut self, unit: &Unit) -> Result<Option<Finding>, CheckError> {
        let definition = &self.opened.definition;
        let against = monitor::against(definition, unit.every, unit.window);
        let scope = multivariate_scope(self.opened, unit.window, &against);
        let usual = monitor::usual_windows(definition, unit.every, &against);
        let mut answers = Answers::with_shared(Arc::clone(self.shared));
        answers.extend(self.own_answers(&monitor::multivariate::plan(scope), &answers)?);
        let key = (unit.every, against.clone());
        let usual_auc = if let Some(known) = self.usual_auc.get(&key) {
            *known
        } else {
            let kept = KeptUsual::of(self.opened, unit.every, &against)?;
            let auc = if let Some(known) = kept.auc()? {
                known
            } else {
                let plan = monitor::multivariate::plan_usual(scope, &usual);
                answers.extend(self.own_answers(&plan, &answers)?);
                let made = self.usual_auc_of(scope, &usual, &answers);
                kept.keep_auc(made)?;
                made
            };
            self.usual_auc.insert(key, auc);
            auc
        };
        let mut rng = seeded(&self.opened.located.text, unit.window);
        Ok(monitor::multivariate::judge(scope, usual_auc, &answers, &mut rng))
    }

    /// The same whichever window asks for it first.
    fn usual_auc_of(&self, scope: MultivariateScope<'_>, usual: &[Window], answers: &Answers) -> Option<f64> {
        let seed = scope.against.last().copied().unwrap_or(scope.window);
        let mut rng = seeded(&self.opened.located.text, seed);
        monitor::multivariate::usual_auc(scope, usual, answers, &mut rng)
    }

    /// Judges the performance of a window.
    fn performance(&self, unit: &Unit) -> Result<Option<Finding>, CheckError> {
        let scope = performance_scope(self.opened, unit.window, self.as_of);
        let mut answers = Answers::with_shared(Arc::clone(self.shared));
        answers.extend(self.own_answers(&monitor::performance::plan(scope), &answers)?);
        let mut rng = seeded(&self.opened.located.text, unit.window);
        Ok(monitor::performance::judge(scope, &answers, &mut rng))
    }

    fn usual(&mut self, every: Cadence, against: &[Window]) -> Result<Arc<Usual>, CheckError> {
        let key = (every, against.to_vec());
        if let Some(known) = self.usual.get(&key) {
            return Ok(Arc::clone(known));
        }
        let definition = &self.opened.definition;
        let mut outcome = UsualBuilder::of_outcome(definition, against, self.shared);
        for window in monitor::usual_windows(definition, every, against) {
            outcome.add(definition, window, self.shared);
        }
        let kept = KeptUsual::of(self.opened, every, against)?;
        let of_log = if let Some(known) = kept.columns()? {
            known
        } else {
            let made = self.usual_of_log(every, against)?;
            kept.keep_columns(&made)?;
            made
        };
        let usual = Arc::new(of_log.with(outcome.finish()));
        self.usual.insert(key, Arc::clone(&usual));
        Ok(usual)
    }

    fn usual_of_log(&mut self, every: Cadence, against: &[Window]) -> Result<Usual, CheckError> {
        let (definition, schema) = (&self.opened.definition, &self.opened.schema);
        let mut whole = Answers::with_shared(Arc::clone(self.shared));
        let questions: Vec<Question> = against
            .iter()
            .flat_map(|&window| monitor::profile_questions(definition, schema, window))
            .collect();
        whole.extend(self.own_answers(&questions, &whole)?);
        let mut usual = UsualBuilder::of_log(definition, schema, against, &whole);
        for window in monitor::usual_windows(definition, every, against) {
            usual.add(definition, window, &*self.of_window(window)?);
        }
        Ok(usual.finish())
    }

    /// The profiles of a window, and what is shared.
    fn of_window(&mut self, window: Window) -> Result<Arc<Answers>, CheckError> {
        if let Some((_, known)) = self.windows.iter().find(|(known, _)| *known == window) {
            return Ok(Arc::clone(known));
        }
        let (definition, schema) = (&self.opened.definition, &self.opened.schema);
        let mut answers = Answers::with_shared(Arc::clone(self.shared));
        answers.extend(self.own_answers(&monitor::profile_questions(definition, schema, window), &answers)?);
        let answers = Arc::new(answers);
        self.windows.push_back((window, Arc::clone(&answers)));
        let most = (COLUMNS_AT_HAND / schema.columns.len().max(1)).clamp(1, WINDOWS_AT_HAND);
        if self.windows.len() > most {
            self.windows.pop_front();
        }
        Ok(answers)
    }

    /// The answers that are not known yet.
    fn own_answers(&self, questions: &[Question], known: &Answers) -> Result<Answers, CheckError> {
        let own: Vec<Question> = questions.iter().filter(|question| !known.has(question)).cloned().collect();
        if own.is_empty() {
            return Ok(Answers::default());
        }
        self.opened.log.answer(&own, self.as_of).map_err(|error| self.opened.explain(error))
    }
}

fn performance_scope<'a>(opened: &'a Opened<'_>, window: Window, as_of: Timestamp) -> PerformanceScope<'a> {
    PerformanceScope { definition: &opened.definition, schema: &opened.schema, window, as_of }
}

fn multivariate_scope<'a>(
    opened: &'a Opened<'_>,
    window: Window,
    against: &'a [Window],
) -> MultivariateScope<'a> {
    MultivariateScope { definition: &opened.definition, schema: &opened.schema, window, against }
}

/// What several windows need: everything about the reference, and all that takes the outcomes to answer.
fn shared_answers(
    opened: &Opened<'_>,
    work: &Work,
    as_of: Timestamp,
    progress: &mut dyn FnMut(Stage),
) -> Result<Arc<Answers>, CheckError> {
    let definition = &opened.definition;
    let mut questions: Vec<Question> = Vec::new();
    if !work.drift.is_empty() && definition.monitor.drift.against == Against::Reference {
        questions.extend(monitor::profile_questions(definition, &opened.schema, definition.reference.window));
    }
    for unit in &work.outcomes {
        questions.extend(monitor::outcome_questions(definition, unit.every, unit.window));
    }
    for unit in &work.performance {
        questions.extend(monitor::performance::plan(performance_scope(opened, unit.window, as_of)));
    }
    let mut seen = HashSet::new();
    questions.retain(|question| seen.insert(question.clone()));
    progress(Stage::Measuring { questions: questions.len(), window: definition.reference.window });
    if questions.is_empty() {
        return Ok(Arc::default());
    }
    Ok(Arc::new(opened.log.answer(&questions, as_of).map_err(|error| opened.explain(error))?))
}
