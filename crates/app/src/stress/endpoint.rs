//! Faults of the server of a model, made by a proxy in front of it, and what callers get meanwhile.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use ::stress::endpoint::{self, Asked, CATALOGUE, Over};
use ::stress::judge::Scope;
use serving::chaos::FaultProxy;
use serving::{FailureKind, Outcome, Stop, Target};
use stats::random::{SplitMix64, uniform};
use types::batch::Batch;
use types::definition::{self, DefinitionError, EndpointFaults, Place};
use types::endpoint::{CallerGot, EndpointFault, TriedEndpoint};
use types::faults::NotTried;
use types::nearest::{listed, nearest};
use types::{Definition, Finding};
use url::Url;

use super::asking::{self, Described};
use super::live::{AFTER_STOP, Known, is_equal};
use crate::check::Stage;

/// What callers get when the server does not do as it should.
pub(super) fn finding(
    scope: Scope<'_>,
    rows: &Batch,
    (seed, stop): (u64, &Stop),
    progress: &mut dyn FnMut(Stage),
) -> Result<Finding, DefinitionError> {
    let definition = scope.definition;
    let Some(definition::Asked::Endpoint(address)) = definition.model.asked() else {
        return Ok(endpoint::not_applicable(scope, NO_SERVER));
    };
    let faults = definition.stress.endpoint.clone().unwrap_or_default();
    let timeout = Duration::from(definition.model.timeout);
    let patience = faults.patience_ms.map_or(timeout, |ms| Duration::from_millis(ms.into()));
    let mut model = asking::caller(definition, address, timeout)?;
    let known = Known::of(model.as_mut(), rows, 1, patience, stop);
    if known.requests.is_empty() {
        let said = known.error.map(|error| format!(" It says: {error}.")).unwrap_or_default();
        return Ok(endpoint::not_applicable(
            scope,
            &format!("{address} does not answer without a fault.{said}"),
        ));
    }
    let proxy = proxy(definition, address, &faults)?;
    let asked_at = faults.through.clone().unwrap_or_else(|| at_proxy(address, proxy.address()));
    let callers = asking::caller(definition, &asked_at, patience)
        .map_err(|error| DefinitionError { place: Place::Key("stress.endpoint.through".into()), ..error })?;
    let tolerance = definition.stress.parity.tolerance;
    let (known, proxy, faults, rng) = (&known, &proxy, &faults, SplitMix64::new(seed));
    let mut trial = Trial { faults, patience, known, proxy, callers, tolerance, rng, stop };
    if let Some(reason) = trial.why_not() {
        return Ok(endpoint::not_applicable(scope, &reason));
    }
    let planned = endpoint::planned(faults, patience);
    let mut tried = TriedEndpoint {
        model: address.to_owned(),
        through: faults.through.clone(),
        patience_ms: patience.as_millis() as u64,
        rate: faults.rate,
        faults: Vec::new(),
        not_tried: Vec::new(),
    };
    for (done, &fault) in planned.iter().enumerate() {
        if stop.is_set() {
            let (kind, of) = (endpoint::entry(fault).id.to_owned(), endpoint::title(fault));
            tried.not_tried.push(NotTried { fault: kind, of, reason: "somebody stopped it".into() });
            continue;
        }
        progress(Stage::Asking { done, of: planned.len() });
        tried.faults.push(endpoint::tried(&trial.of(fault), faults.refusal));
    }
    Ok(endpoint::judge(scope, tried, faults.refusal))
}

const NO_SERVER: &str =
    "these are faults of a server, and [model] names none. Name its address with model.endpoint.";

/// The catalogue is known here, and not where definitions are read.
pub(super) fn check_kinds(definition: &Definition) -> Result<(), DefinitionError> {
    let ids = || CATALOGUE.iter().map(|entry| entry.id);
    let kinds = definition.stress.endpoint.as_ref().and_then(|faults| faults.kinds.as_ref());
    for (at, kind) in kinds.into_iter().flatten().enumerate() {
        if !ids().any(|id| id == kind) {
            let help = match nearest(kind, ids()) {
                Some(choice) => format!("did you mean `{choice}`?"),
                None => format!("there are {}", listed(ids(), CATALOGUE.len())),
            };
            let message = format!("`{kind}` is no fault of an endpoint");
            let key = format!("stress.endpoint.kinds.{at}");
            return Err(DefinitionError::at_key(key, message).with_help(Some(help)));
        }
    }
    Ok(())
}

fn proxy(
    definition: &Definition,
    address: &str,
    faults: &EndpointFaults,
) -> Result<FaultProxy, DefinitionError> {
    let within = Duration::from(definition.model.timeout);
    let upstream = asking::server(Described::of_log(definition), address, within)?;
    let listen = faults.listens_on().unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    FaultProxy::start(listen, upstream).map_err(|error| {
        let message = format!("the proxy cannot listen on {listen}: {error}");
        DefinitionError::at_key("stress.endpoint.listen", message)
    })
}

/// The address of the model with the proxy in the place of its server.
fn at_proxy(address: &str, proxy: SocketAddr) -> String {
    let path = Url::parse(address).map(|url| url.path().to_owned()).unwrap_or_default();
    format!("http://{proxy}{path}")
}

/// Callers behind a proxy that makes faults.
struct Trial<'a> {
    faults: &'a EndpointFaults,
    patience: Duration,
    known: &'a Known,
    proxy: &'a FaultProxy,
    callers: Box<dyn Target>,
    tolerance: f64,
    /// Says which requests a fault happens to; the same for every fault.
    rng: SplitMix64,
    stop: &'a Stop,
}

/// Answers in a row, as without a fault, from which on callers are taken to be as before.
const WELL_IN_A_ROW: usize = 3;
/// Between two looks at whether they are.
const PAUSE: Duration = Duration::from_millis(250);

impl Trial<'_> {
    /// Why faults cannot be tried on these callers: without one they do not get what the model answers, or they get it by
    /// another way.
    fn why_not(&mut self) -> Option<String> {
        let (recovered, said) = self.recovered(self.faults.recovers_within.into(), false);
        let through = self.faults.through.as_deref().unwrap_or("the proxy");
        if recovered.is_none() {
            let said = said.map(|said| format!(" It says: {said}.")).unwrap_or_default();
            return Some(format!("without a fault, {through} does not answer as the model does.{said}"));
        }
        (self.proxy.seen() == 0).then(|| {
            let proxy = self.proxy.address();
            format!("{through} does not ask the proxy at {proxy}. Make http://{proxy} its upstream.")
        })
    }

    /// Puts a fault in front of the server, asks, and takes it away again, whatever happens.
    fn of(&mut self, fault: EndpointFault) -> Over {
        let until = Instant::now() + Duration::from(self.faults.time_at_most);
        let mut rng = self.rng.clone();
        let draws = Box::new(move || uniform(&mut rng));
        let injection = self.proxy.inject(fault, self.faults.rate, draws);
        let mut asked = Vec::new();
        for at in 0..self.faults.requests as usize {
            if self.stop.is_set() || Instant::now() >= until {
                break;
            }
            asked.push(self.ask(at));
        }
        let struck = injection.struck();
        drop(injection);
        // Who wants it to end wants to know all the same whether everything is as before, but not to wait for it.
        let is_cut_short = self.stop.is_set();
        let within = if is_cut_short { AFTER_STOP } else { self.faults.recovers_within.into() };
        let (recovered, _) = self.recovered(within, is_cut_short);
        let is_cut_short = is_cut_short || self.stop.is_set();
        Over { fault, struck, asked, recovered, is_cut_short }
    }

    fn ask(&mut self, at: usize) -> Asked {
        let known = &self.known.requests[at % self.known.requests.len()];
        let answer = self.callers.ask(&known.batch);
        let (got, said) = match &answer.outcome {
            Outcome::Accepted(accepted) | Outcome::NonFinite(accepted) => {
                let is_equal = is_equal(&answer.outcome, &known.scores, self.tolerance) == Some(true);
                let got = match (accepted.degraded.iter().any(|is| *is), is_equal) {
                    (true, _) => CallerGot::Degraded,
                    (false, true) => CallerGot::Answer,
                    (false, false) => CallerGot::WrongAnswer,
                };
                (got, None)
            }
            Outcome::Failed(failure) => {
                (of_failure(failure.kind, answer.took, self.patience), Some(failure.to_string()))
            }
        };
        Asked { got, waited: answer.took, said }
    }

    /// Asks until answers come as without a fault, and how long that took; else what was said last.
    fn recovered(&mut self, within: Duration, is_stopped: bool) -> (Option<Duration>, Option<String>) {
        let (start, mut in_a_row, mut at, mut said) = (Instant::now(), 0, 0, None);
        while is_stopped || !self.stop.is_set() {
            let asked = self.ask(at);
            at += 1;
            in_a_row = if asked.got == CallerGot::Answer { in_a_row + 1 } else { 0 };
            if in_a_row == WELL_IN_A_ROW {
                return (Some(start.elapsed()), None);
            }
            said = asked.said.or(said);
            if start.elapsed() >= within {
                break;
            }
            if in_a_row == 0 {
                std::thread::sleep(PAUSE);
            }
        }
        (None, said)
    }
}

/// An error in words of HTTP that comes in time is clean; whoever gets what is no answer has to find out by themselves.
fn of_failure(kind: FailureKind, waited: Duration, patience: Duration) -> CallerGot {
    match kind {
        FailureKind::TimedOut if waited >= patience.mul_f64(0.98) => CallerGot::Nothing,
        FailureKind::TimedOut
        | FailureKind::Rejected
        | FailureKind::Crashed
        | FailureKind::RejectedOrCrashed
        | FailureKind::Overloaded => CallerGot::CleanError,
        FailureKind::HungUp
        | FailureKind::Malformed
        | FailureKind::TooFewRows
        | FailureKind::Redirected
        | FailureKind::Unreachable
        | FailureKind::Misfit => CallerGot::Broken,
    }
}
