//! Load on the server of a model, step by step, and whether it is as before afterwards.

use std::path::Path;
use std::time::{Duration, Instant};

use ::stress::judge::Scope;
use ::stress::load::{self, Came, Limits, Ramp, Sample, Step};
use serving::load::{Callers, Early, FAILURES_IN_A_ROW, Ran, Sent};
use serving::{FailureKind, Outcome, Stop, Target};
use stats::random::SplitMix64;
use types::Finding;
use types::batch::Batch;
use types::definition::{Asked, DefinitionError, Load};
use types::load::LoadRamp;

use super::asking::{self, Described};
use super::live::{AFTER_STOP, Known, is_equal};
use crate::check::Stage;

/// What is put under load.
pub(super) struct Loaded<'a> {
    pub(super) scope: Scope<'a>,
    pub(super) folder: &'a Path,
    pub(super) inputs: &'a [String],
    pub(super) rows: &'a Batch,
    pub(super) seed: u64,
    pub(super) stop: &'a Stop,
}

/// How many requests a second the server stands.
pub(super) fn finding(of: &Loaded<'_>, progress: &mut dyn FnMut(Stage)) -> Result<Finding, DefinitionError> {
    let definition = of.scope.definition;
    let Some(Asked::Endpoint(address)) = definition.model.asked() else {
        return Ok(load::not_applicable(of.scope, NO_SERVER));
    };
    if of.rows.rows() == 0 {
        return Ok(load::not_applicable(of.scope, NO_ROWS));
    }
    let load = definition.stress.load.clone().unwrap_or_default();
    let open = || asking::target(Described::of_log(definition), definition, of.folder, of.inputs);
    let (mut target, _) = open()?;
    let make = || open().expect("it was made before, of the same").0;
    let tolerance = definition.stress.parity.tolerance;
    let known = Known::of(target.as_mut(), of.rows, load.rows as usize, load.step.into(), of.stop);
    let timeout_ms = Duration::from(definition.model.timeout).as_secs_f64() * 1e3;
    let limits =
        Limits { p99_ms: load.p99_ms_at_most.map_or(timeout_ms, f64::from), errors: load.errors_at_most };
    let mut ramp = LoadRamp {
        model: address.to_owned(),
        rows_per_request: load.rows,
        arrivals: load.arrivals,
        steps: Vec::new(),
        stood_rate: None,
        failed_rate: None,
        ended: None,
        before: known.unloaded,
        after: None,
        recovered_s: None,
    };
    let is_well = known.unloaded.is_some_and(|before| before.answered == before.requests);
    let mut is_cut_short = of.stop.is_set();
    if is_well && !is_cut_short {
        let climb = Climb { load: &load, limits, known: &known, make: &make, tolerance, of };
        is_cut_short = climb.to_the_knee(&mut ramp, progress);
        // Who wants it to end wants to know all the same whether everything is as before, but not to wait for it.
        let is_stopped = of.stop.is_set();
        let within = if is_stopped { AFTER_STOP } else { load.recovers_within.into() };
        let stop = if is_stopped { Stop::default() } else { of.stop.clone() };
        let (recovered, after) = known.recovered(target.as_mut(), tolerance, within, &stop);
        ramp.recovered_s = recovered.map(|time| time.as_secs_f64());
        // In so short a time, not to be back says nothing.
        ramp.after = after.filter(|_| recovered.is_some() || !of.stop.is_set());
    } else if let Some(error) = &known.error {
        ramp.ended = Some(format!("without load the server says: {error}"));
    }
    Ok(load::judge(of.scope, Ramp { load: &load, limits, ramp, is_cut_short }))
}

const NO_SERVER: &str =
    "load is put on a server, and [model] names none. Name its address with model.endpoint.";
const NO_ROWS: &str = "no row of the window has an outcome, so there is nothing to ask about.";

struct Climb<'a> {
    load: &'a Load,
    limits: Limits,
    known: &'a Known,
    make: &'a dyn Fn() -> Box<dyn Target>,
    tolerance: f64,
    of: &'a Loaded<'a>,
}

impl Climb<'_> {
    /// Goes up the ramp as far as the server stands it; whether somebody or the clock ended it.
    fn to_the_knee(&self, ramp: &mut LoadRamp, progress: &mut dyn FnMut(Stage)) -> bool {
        let until = Instant::now() + Duration::from(self.load.time_at_most);
        let requests = self.known.requests.iter().map(|known| known.batch.clone()).collect();
        let mut callers = Callers::new(self.make, requests, self.load.in_flight as usize);
        let steps = load::steps(self.load, &mut SplitMix64::new(self.of.seed));
        let of = steps.len();
        let mut early = None;
        for (at, step) in steps.iter().enumerate() {
            progress(Stage::Loading { step: at + 1, of });
            let ran = callers.keep(&step.starts, until, self.of.stop);
            early = ran.early;
            ramp.steps.push(self.measured(step, &ran));
            if early.is_some() || !load::goes_on(&ramp.steps) {
                break;
            }
        }
        let stood = ramp.steps.iter().take_while(|step| step.stood);
        ramp.stood_rate = stood.last().map(|step| step.rate);
        ramp.failed_rate = ramp.steps.iter().find(|step| !step.stood).map(|step| step.rate);
        ramp.ended = early.map(|early| match early {
            Early::Stopped => "somebody stopped it".into(),
            Early::TimeUp => {
                format!("its time was up (stress.load.time_at_most, {})", self.load.time_at_most)
            }
            Early::FailuresInARow => format!("{FAILURES_IN_A_ROW} requests in a row failed"),
        });
        matches!(early, Some(Early::Stopped | Early::TimeUp))
    }

    fn measured(&self, step: &Step, ran: &Ran) -> types::load::LoadStep {
        let dropped = ran.dropped.iter().map(|&intended| Sample { intended, came: Came::Dropped });
        let mut samples: Vec<Sample> = ran.sent.iter().map(|sent| self.sample(sent)).chain(dropped).collect();
        samples.sort_by_key(|sample| sample.intended);
        let took = if ran.early.is_some() { ran.took } else { step.length };
        load::measured(step, &samples, took, self.limits)
    }

    fn sample(&self, sent: &Sent) -> Sample {
        let &Sent { intended, late, latency, .. } = sent;
        let known = &self.known.requests[sent.request];
        let came = match &sent.outcome {
            Outcome::Accepted(accepted) | Outcome::NonFinite(accepted) => {
                let degraded = accepted.degraded.iter().any(|is| *is);
                let equal = is_equal(&sent.outcome, &known.scores, self.tolerance).filter(|_| !degraded);
                Came::Answered { latency, late, equal, degraded }
            }
            Outcome::Failed(failure) => Came::Failed {
                latency,
                late,
                class: failure.kind.to_string(),
                said: failure.message.clone(),
                timed_out: failure.kind == FailureKind::TimedOut,
            },
        };
        Sample { intended, came }
    }
}
