//! Alerts: from evidence to what people are told.
//!
//! [`evaluate`] takes the definition's rules, the evidence of its system, how alerts stood before, silences and
//! acknowledgements, and the time; it returns how they stand now, what is to be told to whom, and what has ended.
//! It reads nothing, sends nothing and keeps nothing: the caller does. [`check`] says beforehand whether the
//! conditions of a definition can be asked. What the parts do: `condition` reads CEL, `timeline` puts evidence
//! in order, `rule` asks, `standing` moves the states, `telling` decides who hears of it, `words` says it.

mod budget;
mod condition;
mod names;
mod rule;
mod standing;
mod telling;
#[cfg(test)]
mod tests;
mod timeline;
mod words;

use jiff::Timestamp;
use types::alert::{
    Acknowledgement, AlertRecord, AlertState, AlertStatus, AlertWords, Episode, Grade, Policy, Silence,
    Telling,
};
use types::definition::{Contact, Definition, DefinitionError};
use types::message::{Message, Severity};
use types::{Record, Verdict};

/// The subject of what is about a system as a whole.
pub const SYSTEM: &str = "system";

/// What goes wrong with the log as a whole goes wrong with all of its columns.
const LOG: &str = "log";

/// What an evaluation goes by.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    pub definition: &'a Definition,
    /// Evidence; that of other systems and model versions is left aside.
    pub records: &'a [Record],
    pub silences: &'a [Silence],
    pub acknowledgements: &'a [Acknowledgement],
    /// What holds now of the running of the program itself.
    pub operational: &'a [Operational],
    pub now: Timestamp,
    /// Where the server is reached, such as `https://forewarn.example.org`.
    pub address: Option<&'a str>,
}

/// Something about the running of the program: a schedule that was missed, a channel that is dead.
///
/// The caller says what holds now; what it no longer says is over. Names of rules are the caller's own and never
/// collide with those of a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operational {
    /// `missed schedule`.
    pub rule: String,
    /// `monitor`, `email`.
    pub subject: String,
    pub severity: Severity,
    pub policy: Policy,
    pub words: AlertWords,
}

impl Operational {
    fn grade(&self) -> Grade {
        Grade { severity: self.severity, verdict: Verdict::Fail, findings: 1 }
    }

    fn record(&self, now: Timestamp) -> AlertRecord {
        AlertRecord {
            rule: self.rule.clone(),
            subject: self.subject.clone(),
            operational: true,
            status: AlertStatus::Pending,
            grade: self.grade(),
            windows: 0,
            since: now,
            firing_since: None,
            window: None,
            checks: Vec::new(),
            cause: format!("{} {}", self.rule, self.subject),
            told: Telling::default(),
            policy: self.policy.clone(),
            inhibited_by: Vec::new(),
            quiet: None,
            words: self.words.clone(),
        }
    }
}

/// A message and whom it goes to; to nobody where a rule names nobody, and then it is for the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    pub to: Vec<Contact>,
    pub message: Message,
}

/// What an evaluation came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub state: AlertState,
    pub notifications: Vec<Notification>,
    /// What has ended since the last evaluation, to be added to the history.
    pub ended: Vec<Episode>,
}

/// Says whether the conditions of a definition can be asked.
///
/// # Errors
/// The first that cannot, at its key, with the nearest valid name.
pub fn check(definition: &Definition) -> Result<(), DefinitionError> {
    rule::rules(definition).map(drop)
}

/// How alerts stand at an instant, and what is to be told.
///
/// The same input gives the same outcome, and evaluating the outcome again at the same instant tells nothing.
///
/// # Errors
/// A condition that cannot be asked; see [`check`].
pub fn evaluate(input: &Input<'_>, before: &AlertState) -> Result<Outcome, DefinitionError> {
    let rules = rule::rules(input.definition)?;
    let timeline = timeline::Timeline::new(input.definition, input.records);
    let mut state = before.clone();
    let mut ended = Vec::new();
    for rule in &rules {
        standing::advance(input.definition, &timeline, rule, &mut state, input.now, &mut ended);
    }
    // A rule that left the definition holds no more.
    let is_gone =
        |alert: &AlertRecord| !alert.operational && rules.iter().all(|rule| rule.name != alert.rule);
    standing::end(&mut state, is_gone, input.now, &mut ended);
    state.evaluated_to.retain(|name, _| rules.iter().any(|rule| rule.name == *name));
    standing::operate(&mut state, input.operational, input.now, &mut ended);
    let notifications = telling::tell(input, before, &mut state);
    Ok(Outcome { state, notifications, ended })
}
