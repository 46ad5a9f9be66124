//! The five practices, and where a system stands in each.

use maud::{Markup, html};
use types::Verdict;

/// The five words that are also the crates, the commands and the tabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Practice {
    Monitor,
    Evaluate,
    Stress,
    Trace,
    Govern,
}

impl Practice {
    pub const ALL: [Self; 5] = [Self::Monitor, Self::Evaluate, Self::Stress, Self::Trace, Self::Govern];

    /// `monitor`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Monitor => "monitor",
            Self::Evaluate => "evaluate",
            Self::Stress => "stress",
            Self::Trace => "trace",
            Self::Govern => "govern",
        }
    }

    /// The practice of this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|practice| practice.word() == word)
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Monitor => "Monitor",
            Self::Evaluate => "Evaluate",
            Self::Stress => "Stress",
            Self::Trace => "Trace",
            Self::Govern => "Govern",
        }
    }

    /// The question that it answers.
    pub(super) fn question(self) -> &'static str {
        match self {
            Self::Monitor => "Is the world still the one that the model was made for?",
            Self::Evaluate => "Whom does the average hide, and how wrong can it get?",
            Self::Stress => "What happens when something breaks?",
            Self::Trace => "Where does a prediction come from?",
            Self::Govern => "Who decided, on what evidence, and what happens if nobody does?",
        }
    }
}

/// What the evidence of one practice comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PracticeState {
    pub practice: Practice,
    /// The worst of its fresh findings; `None` where there is no evidence.
    pub verdict: Option<Verdict>,
    /// There is evidence, but it has expired.
    pub stale: bool,
    /// In a few words: `3 of 27 columns fail`. Empty where there is no evidence.
    pub says: String,
    /// What to do next, as one sentence, where there is no evidence or it has expired.
    pub next: Option<String>,
}

impl PracticeState {
    /// `monitor: fail, 3 of 27 columns fail`, for hover and for those who listen.
    pub(super) fn label(&self) -> String {
        let state = match (self.verdict, self.stale) {
            (None, _) => "no evidence yet",
            (Some(_), true) => "evidence has expired",
            (Some(verdict), false) => verdict.word(),
        };
        let says = if self.says.is_empty() { String::new() } else { format!(", {}", self.says) };
        format!("{}: {state}{says}", self.practice.title())
    }

    /// The icon alone.
    pub(super) fn mark(&self) -> Markup {
        let (class, symbol) = match (self.verdict, self.stale) {
            (None, _) => ("none", "none"),
            (Some(_), true) => ("unknown", "stale"),
            (Some(verdict), false) => (verdict.word(), verdict.word()),
        };
        html! { svg class=(format!("icon {class}")) aria-hidden="true" { use href=(format!("#i-{symbol}")) {} } }
    }
}
