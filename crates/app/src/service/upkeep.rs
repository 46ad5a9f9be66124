//! What a server does by itself: it keeps the schedule, evaluates alerts, and delivers messages.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use monitor::alert::Operational;
use store::Job;
use types::alert::{AlertWords, Policy};
use types::definition::{Contact, Definition};
use types::message::Severity;

use super::Service;
use crate::alerting;
use crate::check::{CheckError, Stage};
use crate::organisation::OrganisationFile;
use crate::schedule::{
    Clock, End, Event, Failure, JobKind, Missed, Patience, Reason, Scheduler, Signal, SystemSchedule, Worked,
    Workers,
};

/// How often alerts are evaluated and messages tried where nothing happens in between.
const TURN_EVERY: Duration = Duration::from_secs(15);
/// How often all evidence is verified and its end signed.
const VERIFY_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// How often rows that clients sent become files, and how often it is seen whether so many wait that they
/// should at once.
const COMPACT_EVERY: Duration = Duration::from_secs(10);
const COMPACT_LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a job may take to end once the server stops.
const GRACE: Duration = Duration::from_secs(20);

/// Is told which topics changed: `jobs`, `alerts`, `evidence`, `system:ID`.
pub type Changed = Arc<dyn Fn(&[&str]) + Send + Sync>;
/// Is told of a job that this server worked on.
pub type HasWorked = Arc<dyn Fn(&Worked) + Send + Sync>;

/// What upkeep needs to know beside the service.
#[derive(Clone)]
pub struct UpkeepOptions {
    /// The name of this server among others on the same database.
    pub worker: String,
    /// Where the server is reached, for links in messages.
    pub address: Option<String>,
    pub organisation: OrganisationFile,
    pub clock: Clock,
    pub changed: Changed,
    pub worked: HasWorked,
}

impl std::fmt::Debug for UpkeepOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpkeepOptions").field("worker", &self.worker).finish_non_exhaustive()
    }
}

/// A server's own work, under way.
#[derive(Debug)]
pub struct Upkeep {
    scheduler: Arc<Scheduler>,
    workers: Workers,
    turns: Arc<Turns>,
    threads: Vec<JoinHandle<()>>,
}

/// Wakes the thread that evaluates alerts and delivers messages.
#[derive(Debug, Default)]
struct Turns {
    stopping: AtomicBool,
    wanted: Mutex<bool>,
    condvar: Condvar,
}

impl Turns {
    fn want(&self) {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.condvar.notify_all();
    }

    fn wait(&self) {
        let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.condvar.wait_timeout_while(wanted, TURN_EVERY, |wanted| !*wanted);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
    }
}

impl Upkeep {
    /// Begins: everything that was missed is made up for at once.
    ///
    /// # Errors
    /// The system refuses to start a thread.
    pub fn start(service: &Arc<Service>, options: UpkeepOptions) -> Result<Self, std::io::Error> {
        let UpkeepOptions { worker, clock, changed, worked: tell, .. } = options.clone();
        let scheduler = Arc::new(Scheduler::new(service.store().clone(), worker, clock, Patience::default()));
        scheduler.serve(schedules(service));
        let turns = Arc::new(Turns::default());
        let runner = {
            let (service, options) = (service.clone(), options.clone());
            Arc::new(move |job: &Job, signal: &Signal| run(&service, &options, job, signal))
        };
        let observer = {
            let (turns, changed) = (turns.clone(), changed.clone());
            Arc::new(move |event: Event<'_>| {
                log_event(&event);
                if let Event::Worked(worked) = event {
                    tell(worked);
                    changed(&["jobs", "evidence", &format!("system:{}", worked.job.system)]);
                    turns.want();
                }
            })
        };
        let workers = scheduler.run(1, &(runner as _), &(observer as _))?;
        let compacting = {
            let (service, turns, clock) = (service.clone(), turns.clone(), options.clock.clone());
            thread::Builder::new()
                .name("compaction".into())
                .spawn(move || compact(&service, &turns, &clock))?
        };
        let alerting = {
            let (service, turns, scheduler) = (service.clone(), turns.clone(), scheduler.clone());
            thread::Builder::new().name("alerts".into()).spawn(move || {
                let mut told = HashMap::new();
                while !turns.stopping.load(Ordering::SeqCst) {
                    turn(&service, &scheduler, &options);
                    tell_of_evidence(&service, &options, &mut told);
                    turns.wait();
                }
            })?
        };
        Ok(Self { scheduler, workers, turns, threads: vec![compacting, alerting] })
    }

    /// The schedule that it keeps.
    pub fn scheduler(&self) -> &Arc<Scheduler> {
        &self.scheduler
    }

    /// Has alerts evaluated at once: somebody acknowledged or silenced one.
    pub fn look(&self) -> impl Fn() + Send + Sync + Clone + use<> {
        let turns = self.turns.clone();
        move || turns.want()
    }

    /// Begins nothing more, and waits for what is under way; a job that takes too long is handed back.
    pub fn stop(self) {
        self.turns.stopping.store(true, Ordering::SeqCst);
        self.turns.want();
        self.workers.stop(GRACE);
        for thread in self.threads {
            let name = thread.thread().name().unwrap_or_default().to_owned();
            if thread.join().is_err() {
                log::error!("the thread of {name} ended by itself");
            }
        }
    }
}

/// Makes files of rows that clients sent, until the server stops; then of all that are left.
fn compact(service: &Service, turns: &Turns, clock: &Clock) {
    service.reopen_tables();
    let mut last = Instant::now();
    while !turns.stopping.load(Ordering::SeqCst) {
        let everything = last.elapsed() >= COMPACT_EVERY;
        if everything {
            last = Instant::now();
        }
        service.compact(everything, clock());
        thread::sleep(COMPACT_LOOK_EVERY);
    }
    service.compact(true, clock());
}

fn schedules(service: &Service) -> Vec<SystemSchedule> {
    service.systems().map(|served| SystemSchedule::of(&served.current().definition)).collect()
}

/// Does a job of the schedule.
fn run(service: &Service, options: &UpkeepOptions, job: &Job, signal: &Signal) -> Result<String, Failure> {
    let failed = |reason: String| Failure::Failed(reason);
    let served = service.system(&job.system).ok_or_else(|| failed("It is not served here.".into()))?;
    let kind = JobKind::of_name(&job.kind)
        .ok_or_else(|| failed(format!("`{}` is a kind of job that this version does not know.", job.kind)))?;
    (options.changed)(&["jobs"]);
    let now = (options.clock)();
    service.settle_log(served, now);
    let mut progress = |_: Stage| signal.progress();
    let done = match kind {
        JobKind::Monitor => service.monitor(served, now, &mut progress),
        JobKind::Evaluate => service.evaluate(served, now, &mut progress),
        JobKind::Stress => service.stress(served, now, &mut progress),
    };
    if done.is_ok()
        && let Err(error) = service.verify(served.id(), (options.clock)())
    {
        log::error!("the evidence of `{}` was not verified: {error}", served.id());
    }
    done.map_err(|error| failed(in_words(&error)))
}

/// Why a run failed, in one line.
fn in_words(error: &CheckError) -> String {
    match error {
        CheckError::Definition { path, error, .. } => format!("`{}`: {error}", path.display()),
        error => error.to_string(),
    }
}

/// Reads definitions that changed, evaluates all alerts, and tries what is to be delivered.
fn turn(service: &Service, scheduler: &Scheduler, options: &UpkeepOptions) {
    let now = (options.clock)();
    match service.refresh(now) {
        Ok(false) => {}
        Ok(true) => scheduler.serve(schedules(service)),
        Err(error) => log::error!("definitions were not read again: {error}"),
    }
    // What is not said to hold is over: without an answer nothing is evaluated, so that nothing ends by mistake.
    let (missed, last) =
        match scheduler.missed().and_then(|missed| Ok((missed, service.store().last_deliveries()?))) {
            Ok(known) => known,
            Err(error) => return log::error!("alerts wait for the database: {error}"),
        };
    let mut changed = false;
    for served in service.systems() {
        let looked_at = service.last_verified(served.id()).map(|verified| verified.at);
        if looked_at.is_none_or(|at| now.duration_since(at) > VERIFY_EVERY)
            && let Err(error) = service.verify(served.id(), now)
        {
            log::error!("the evidence of `{}` was not verified: {error}", served.id());
        }
        let definition = &served.current().definition;
        let mut operational: Vec<Operational> = missed
            .iter()
            .filter(|missed| missed.system == served.id())
            .map(|missed| missed_schedule(missed, definition))
            .collect();
        operational.extend(alerting::dead_channels(&last, definition));
        match alerting::evaluate(service, served, &operational, options.address.as_deref(), now) {
            Ok(evaluated) => changed |= evaluated.changed,
            Err(error) => log::error!("alerts of `{}` were not evaluated: {error}", served.id()),
        }
    }
    match alerting::deliver(service, &options.organisation, &*options.clock) {
        Ok(tried) => changed |= tried > 0,
        Err(error) => log::error!("messages were not delivered: {error}"),
    }
    if changed {
        (options.changed)(&["alerts"]);
    }
}

/// Tells pages of evidence that came past this server: from a command line beside it, or another server.
fn tell_of_evidence(service: &Service, options: &UpkeepOptions, told: &mut HashMap<String, u64>) {
    let lengths = match service.store().chain_lengths() {
        Ok(lengths) => lengths,
        Err(error) => return log::error!("pages are not told of new evidence: {error}"),
    };
    for id in service.systems().map(|served| served.id()) {
        let records = lengths.get(id).copied().unwrap_or_default();
        if told.insert(id.to_owned(), records).is_some_and(|before| before != records) {
            (options.changed)(&["evidence", &format!("system:{id}")]);
        }
    }
}

/// A run that did not come about, as an alert to everybody whom the definition's alerts name.
fn missed_schedule(missed: &Missed, definition: &Definition) -> Operational {
    let mut to: Vec<Contact> = definition.alert.iter().flat_map(|rule| rule.to.clone()).collect();
    to.sort();
    to.dedup();
    let why = match &missed.reason {
        Reason::Late(job) => match &job.message {
            Some(message) => format!("It is still not done: {message}"),
            None => "It is still not done.".to_owned(),
        },
        Reason::GivenUp(job) => {
            format!("It was given up: {}", job.message.as_deref().unwrap_or("it failed too often."))
        }
        Reason::Skipped(_) => "No server was running, and the definition says not to make up for it.".into(),
        Reason::Unplanned => "No server has planned it.".into(),
    };
    let (kind, due) = (missed.kind.name(), types::window::instant_text(missed.due));
    Operational {
        rule: "missed schedule".into(),
        subject: kind.to_owned(),
        severity: Severity::High,
        policy: Policy { to, ..Policy::default() },
        words: AlertWords {
            summary: format!("The run of `{kind}` that was due {due} has not come about. {why}"),
            how_sure: "Certain: the schedule says so.".into(),
            who_is_affected: "Everybody who relies on this system being watched.".into(),
            what_to_do: "Look at the jobs of the system, mend what stops them, and run the job again.".into(),
            ..AlertWords::default()
        },
    }
}

fn log_event(event: &Event<'_>) {
    match event {
        Event::Planned(planned) => {
            log::info!("planned {} of {}, due {}", planned.kind.name(), planned.system, planned.due);
        }
        Event::Worked(worked) => {
            let job = &worked.job;
            match &worked.end {
                End::Done(said) => log::info!("{} of {} is done: {said}", job.kind, job.system),
                End::Failed(why) => {
                    log::error!("{} of {} failed and is tried again: {why}", job.kind, job.system);
                }
                End::GivenUp(why) => log::error!("{} of {} is given up: {why}", job.kind, job.system),
                _ => log::info!("{} of {} was handed on", job.kind, job.system),
            }
        }
        Event::Failed(error) => log::error!("the schedule waits for the database: {error}"),
    }
}
