//! The policy: for each outage, what is done. Proposed from rehearsed costs, kept as a file, enforced elsewhere.
//!
//! ```
//! use stress::degrade::policy::Policy;
//! let policy: Policy = toml::from_str(r#"
//!     [[rule]]
//!     outage = { source = "weather" }
//!     then = { strategy = "impute-nearest", neighbours = 15 }
//!     why = "costs 0.21 a row instead of 0.34"
//! "#).unwrap();
//! assert_eq!(policy.rule.len(), 1);
//! ```

use serde::{Deserialize, Serialize};
use types::definition::Breaker;
use types::format::value;

use super::{Strategy, StrategyCost, Weighed};
use crate::plan::Subject;

/// What is done in each outage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    #[serde(default)]
    pub rule: Vec<Rule>,
}

/// What is done in one outage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub outage: Subject,
    pub then: Strategy,
    /// The reason, for people.
    #[serde(default)]
    pub why: String,
}

impl Policy {
    /// The cheapest strategy of each rehearsed outage; doing nothing where none surely saves anything against it.
    pub fn proposed(rehearsed: &[(Subject, Weighed)]) -> Self {
        let rule = |(outage, weighed): &(Subject, Weighed)| {
            let (then, why) = choice(weighed)?;
            Some(Rule { outage: outage.clone(), then, why })
        };
        Self { rule: rehearsed.iter().filter_map(rule).collect() }
    }

    /// The file, to be read by people and by whoever enforces it.
    pub fn text(&self) -> String {
        self.rule.iter().map(table).collect::<Vec<_>>().join("\n")
    }
}

fn choice(weighed: &Weighed) -> Option<(Strategy, String)> {
    let best = weighed.strategies.first()?;
    let cost = |of: &StrategyCost| {
        let (mean, bounds) = (of.mean.value, of.mean.interval);
        format!("{} a row ({} to {})", value(mean), value(bounds.lower), value(bounds.upper))
    };
    let Some(nothing) = weighed.strategies.iter().find(|of| of.strategy == Strategy::Nothing) else {
        return Some((best.strategy.clone(), format!("costs {}", cost(best))));
    };
    if best.strategy == Strategy::Nothing {
        return Some((Strategy::Nothing, format!("costs {}, the least of all", cost(nothing))));
    }
    // Of those that surely save, the cheapest: the very cheapest may be it by chance.
    let saving = weighed.strategies.iter().find(|of| of.surely_saves());
    let kept = || format!("costs {}, and nothing that was tried surely costs less", cost(nothing));
    let chosen =
        saving.map(|of| (of.strategy.clone(), format!("costs {} instead of {}", cost(of), cost(nothing))));
    Some(chosen.unwrap_or_else(|| (Strategy::Nothing, kept())))
}

/// A rule as a table of TOML.
fn table(rule: &Rule) -> String {
    let outage = match &rule.outage {
        Subject::Feature(name) => format!("{{ feature = {} }}", quoted(name)),
        Subject::Source(name) => format!("{{ source = {} }}", quoted(name)),
        Subject::Together(run) => format!("{{ together = {run} }}"),
        Subject::Pair(first, second) => format!("{{ pair = [{}, {}] }}", quoted(first), quoted(second)),
        Subject::Rows => quoted("rows"),
        Subject::Model => quoted("model"),
    };
    let why = quoted(&rule.why);
    format!("[[rule]]\noutage = {outage}\nthen = {}\nwhy = {why}\n", inline(&rule.then))
}

/// A strategy as an inline table of TOML.
fn inline(strategy: &Strategy) -> String {
    let (name, parameters) = match strategy {
        Strategy::Nothing => ("nothing", String::new()),
        Strategy::ImputeUsual => ("impute-usual", String::new()),
        Strategy::ImputeNearest { neighbours } => ("impute-nearest", format!(", neighbours = {neighbours}")),
        Strategy::ReducedModel { model } => ("reduced-model", format!(", model = {}", quoted(model))),
        Strategy::FallbackModel { model } => ("fallback-model", format!(", model = {}", quoted(model))),
        Strategy::CachedAnswer => ("cached-answer", String::new()),
        // With its point: a whole number is of another type in TOML.
        Strategy::Constant { answer } => ("constant", format!(", answer = {answer:?}")),
        Strategy::Abstain => ("abstain", String::new()),
        Strategy::CircuitBreaker { breaker: Breaker { failures, rows_open }, meanwhile } => {
            let breaker = format!("{{ failures = {failures}, rows_open = {rows_open} }}");
            ("circuit-breaker", format!(", breaker = {breaker}, meanwhile = {}", inline(meanwhile)))
        }
    };
    format!("{{ strategy = {}{parameters} }}", quoted(name))
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let escaped = |character: char| match character {
        '"' | '\\' => format!("\\{character}"),
        control if control.is_control() => format!("\\u{:04X}", u32::from(control)),
        other => other.to_string(),
    };
    format!("\"{}\"", text.chars().map(escaped).collect::<String>())
}
