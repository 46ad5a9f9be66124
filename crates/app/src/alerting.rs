//! Alerts of served systems: how they stand is evaluated, kept together with what is to be told, and delivered.
//!
//! What is to be told is written into the database in the transaction that keeps the state that it follows
//! from: a server that dies in between loses no message and makes none twice. Delivering takes messages for
//! one server at a time, tries again as [`retry::next_attempt`] says, and ends with a message delivered or its
//! contact known to be dead, which is an alert of its own.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use monitor::alert::{self, Input, Notification, Operational};
use store::{Delivery, DeliveryState, KeptAlerts, StoreError};
use types::alert::{AlertWords, Policy};
use types::definition::{Contact, DefinitionError};
use types::message::{Message, Occasion, Severity};
use types::organisation::Organisation;
use types::{Definition, Digest};

use crate::delivery::{self, retry};
use crate::organisation::OrganisationFile;
use crate::service::{Served, Service};

/// How often an evaluation is tried again where another server was faster.
const TRIES: usize = 5;
/// For so long a message belongs to the server that took it; one that died is followed by another.
const TAKEN_FOR: SignedDuration = SignedDuration::from_mins(3);
/// Messages that are taken at once.
const TAKEN_AT_ONCE: usize = 16;

/// Why alerts could not be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum AlertingError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    Condition(#[from] DefinitionError),
    #[error("other servers keep changing the alerts of `{system}`")]
    Contended { system: String },
}

/// What an evaluation came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evaluated {
    /// How alerts stand is not what it was.
    pub changed: bool,
    /// Messages that were written down to be delivered.
    pub to_deliver: usize,
}

/// Evaluates the alerts of a system and writes down what is to be told.
///
/// # Errors
/// The database does not answer, or a condition cannot be asked.
pub fn evaluate(
    service: &Service,
    served: &Served,
    operational: &[Operational],
    address: Option<&str>,
    now: Timestamp,
) -> Result<Evaluated, AlertingError> {
    let (store, id) = (service.store(), served.id());
    let current = served.current();
    for _ in 0..TRIES {
        let KeptAlerts { version, state: before } = store.alerts(id)?;
        let chain = service.chain(id)?;
        let (silences, acknowledgements) = (store.silences(now)?, store.acknowledgements(id)?);
        let input = Input {
            definition: &current.definition,
            records: &chain.records,
            silences: &silences,
            acknowledgements: &acknowledgements,
            operational,
            now,
            address,
        };
        let outcome = alert::evaluate(&input, &before)?;
        let deliveries: Vec<Delivery> =
            outcome.notifications.iter().flat_map(|notification| deliveries(id, notification, now)).collect();
        if outcome.state == before && deliveries.is_empty() && outcome.ended.is_empty() {
            return Ok(Evaluated::default());
        }
        if store.keep_alerts(id, version, &outcome.state, &outcome.ended, &deliveries)? {
            return Ok(Evaluated { changed: true, to_deliver: deliveries.len() });
        }
    }
    Err(AlertingError::Contended { system: id.to_owned() })
}

/// A message for each of its contacts.
fn deliveries(system: &str, notification: &Notification, now: Timestamp) -> Vec<Delivery> {
    let message = &notification.message;
    let of = |contact: &Contact| {
        let contact = contact.to_string();
        let key = format!("{system}\n{}\n{:?}\n{}\n{contact}", message.group, message.occasion, message.at);
        Delivery {
            id: Digest::of(key.as_bytes()).to_string(),
            system: system.to_owned(),
            contact,
            message: message.clone(),
            made: now,
            state: DeliveryState::Waiting,
            attempts: 0,
            next: now,
            said: String::new(),
        }
    };
    notification.to.iter().map(of).collect()
}

/// A message that somebody sends to see whether it arrives.
pub fn test_message(by: &str, now: Timestamp) -> Message {
    Message {
        occasion: Occasion::Test,
        severity: Severity::Info,
        at: now,
        system: "forewarn".into(),
        system_name: "Forewarn".into(),
        group: "alert-test".into(),
        title: "Forewarn: alerts arrive here".into(),
        what_happened: format!("{by} sent this to see whether alerts arrive here. Nothing is wrong."),
        how_sure: "Certain: it is a test.".into(),
        who_is_affected: "Nobody.".into(),
        what_to_do: "Nothing.".into(),
        link: None,
        alerts: Vec::new(),
    }
}

/// Tries every message that is due once; returns how many were.
///
/// # Errors
/// The database does not answer. What was being delivered then is tried again, so that a message may arrive
/// twice, under the same id, but never not at all.
pub fn deliver(
    service: &Service,
    organisation: &OrganisationFile,
    now: &dyn Fn() -> Timestamp,
) -> Result<usize, StoreError> {
    let store = service.store();
    let begun = now();
    let taken = store.take_deliveries(begun, begun + TAKEN_FOR, TAKEN_AT_ONCE)?;
    for delivery in &taken {
        let outcome = attempt(delivery, &organisation.organisation, organisation.folder(), now());
        let at = now();
        let (state, next, said) = match outcome {
            Ok(said) => (DeliveryState::Delivered, at, said),
            Err((said, retry)) => {
                log::warn!("a message to {} was not delivered: {said}", delivery.contact);
                let id = Digest::of(delivery.id.as_bytes());
                match retry::next_attempt(id, delivery.attempts, at, retry) {
                    Some(next) => (DeliveryState::Waiting, next, said),
                    None => (DeliveryState::Dead, at, said),
                }
            }
        };
        store.note_delivery(&Delivery { state, next, said, ..delivery.clone() }, at)?;
    }
    Ok(taken.len())
}

fn attempt(
    delivery: &Delivery,
    organisation: &Organisation,
    folder: &Path,
    now: Timestamp,
) -> Result<String, (String, delivery::Retry)> {
    let receiver = delivery::resolve(&delivery.contact, organisation)
        .map_err(|error| (error.to_string(), delivery::Retry::Never))?;
    let delivered = delivery::deliver(organisation, folder, &receiver, &delivery.message, now);
    delivered
        .map(|delivered| format!("{}: {}", delivered.by, delivered.said))
        .map_err(|error| (error.to_string(), error.retry()))
}

/// Contacts of a system that messages no longer reach, each as an alert to everybody else whom its rules name.
/// `last` has for every contact the newest message that ended.
pub fn dead_channels(last: &[Delivery], definition: &Definition) -> Vec<Operational> {
    let mut contacts: Vec<Contact> = Vec::new();
    for rule in &definition.alert {
        let named = rule.to.iter().chain(rule.escalate.iter().flat_map(|escalation| &escalation.to));
        for contact in named {
            if !contacts.contains(contact) {
                contacts.push(contact.clone());
            }
        }
    }
    let dead = |contact: &Contact| {
        let name = contact.to_string();
        let delivery = last.iter().find(|delivery| delivery.contact == name)?;
        (delivery.state == DeliveryState::Dead).then(|| {
            let others = contacts.iter().filter(|other| *other != contact).cloned().collect();
            Operational {
                rule: "dead channel".into(),
                subject: contact.to_string(),
                severity: Severity::High,
                policy: Policy { to: others, ..Policy::default() },
                words: AlertWords {
                    summary: format!("Messages to {contact} do not arrive: {}", delivery.said),
                    how_sure: format!("Certain: {} attempts failed.", delivery.attempts),
                    who_is_affected: "Everybody who relies on being told there.".into(),
                    what_to_do: "Mend the channel in organisation.toml, and try it with `forewarn alert test`."
                        .into(),
                    ..AlertWords::default()
                },
            }
        })
    };
    contacts.iter().filter_map(dead).collect()
}
