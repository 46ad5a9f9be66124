//! `[stress.endpoint]`: what callers get when the server of the model is slow, breaks off or talks nonsense.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{Age, DefinitionError};
use super::Refusal;

/// What callers get when the server of the model is slow, breaks off or talks nonsense. It is tried only where this
/// section is there, or where it is asked for by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EndpointFaults {
    /// Where callers ask: a gateway or a guard whose upstream is `listen`. Without it, nothing stands between the faults
    /// and a plain client, and the test is a drill.
    pub through: Option<String>,
    /// Where the proxy that makes the faults listens, such as `127.0.0.1:9099`; without it, any free port.
    pub listen: Option<String>,
    /// Which kinds to try, such as `["no-answer", "reset"]`; by default all of the catalogue.
    pub kinds: Option<Vec<String>>,
    /// To which share of the requests it happens.
    pub rate: f64,
    /// Requests that are asked under each fault.
    pub requests: u32,
    /// Milliseconds that a caller waits for an answer; by default `model.timeout`.
    pub patience_ms: Option<u32>,
    /// What it means where callers get an error in time.
    pub refusal: Refusal,
    /// When a fault ends, however far it is.
    pub time_at_most: Age,
    /// Within which time callers have to get answers as before, once a fault is over.
    pub recovers_within: Age,
    /// Who answers for this check; by default the owner of the system.
    pub owner: Option<String>,
}

impl Default for EndpointFaults {
    fn default() -> Self {
        Self {
            through: None,
            listen: None,
            kinds: None,
            rate: 1.0,
            requests: 20,
            patience_ms: None,
            refusal: Refusal::Handled,
            time_at_most: Age::of_seconds(60),
            recovers_within: Age::of_seconds(60),
            owner: None,
        }
    }
}

impl EndpointFaults {
    /// Where the proxy listens; `None` for any free port.
    pub fn listens_on(&self) -> Option<SocketAddr> {
        self.listen.as_ref().and_then(|address| address.parse().ok())
    }
}

/// # Errors
/// The first [`DefinitionError`], at its key.
pub(super) fn check_values(faults: &EndpointFaults, allowed_hosts: &[String]) -> Result<(), DefinitionError> {
    let refused = |key: &str, message: String, help: &str| {
        let error = DefinitionError::at_key(format!("stress.endpoint.{key}"), message);
        Err(error.with_help((!help.is_empty()).then(|| help.to_owned())))
    };
    if let Some(address) = &faults.listen {
        let Some(at) = faults.listens_on() else {
            let message = format!("`{address}` is no address to listen on");
            return refused("listen", message, "write an address and a port, as in 127.0.0.1:9099");
        };
        let is_allowed = allowed_hosts.iter().any(|host| *host == at.ip().to_string() || host == address);
        if !at.ip().is_loopback() && !is_allowed {
            let message = format!("on `{address}` other machines could ask the model through the proxy");
            let help = format!("listen on 127.0.0.1, or add `{}` to model.allowed_hosts", at.ip());
            return refused("listen", message, &help);
        }
    }
    if faults.through.is_some() && faults.listen.is_none() {
        let message = "nothing says where the proxy is that `through` has for its upstream".to_owned();
        return refused("through", message, "add listen = \"127.0.0.1:9099\"");
    }
    if !(faults.rate > 0.0 && faults.rate <= 1.0) {
        return refused("rate", format!("{} is not a share between 0 and 1", faults.rate), "");
    }
    if !(1..=REQUESTS_MOST).contains(&faults.requests) {
        let message = format!("{} is not a number from 1 to {REQUESTS_MOST}", faults.requests);
        return refused("requests", message, "");
    }
    if faults.patience_ms.is_some_and(|patience| patience < PATIENCE_LEAST_MS) {
        let message = format!("nobody answers surely within less than {PATIENCE_LEAST_MS} ms");
        return refused("patience_ms", message, "");
    }
    Ok(())
}

const REQUESTS_MOST: u32 = 10_000;
const PATIENCE_LEAST_MS: u32 = 20;
