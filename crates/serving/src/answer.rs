//! What comes of one call to a model.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One call and its outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub outcome: Outcome,
    pub took: Duration,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A number for every row.
    Accepted(Accepted),
    /// An answer for every row, and for some of them none that is a finite number.
    NonFinite(Accepted),
    Failed(Failure),
}

/// The rows of an answer, in the order of the rows that were asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepted {
    pub scores: Scores,
    /// Whether whoever answered says that a row was answered by something less than the model.
    pub degraded: Vec<bool>,
}

/// `None`: what came for the row is missing or not finite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Scores {
    /// The probability of the positive class, or the predicted number.
    Numbers(Vec<Option<f64>>),
    /// The probability of each class, in the order that the reading names.
    Probabilities(Vec<Option<Vec<f64>>>),
}

impl Scores {
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(rows) => rows.len(),
            Self::Probabilities(rows) => rows.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Self::Numbers(rows) => rows[row].is_none(),
            Self::Probabilities(rows) => rows[row].is_none(),
        }
    }

    /// Adds the rows of a part that was read in the same way.
    pub(crate) fn append(&mut self, part: Self) {
        match (self, part) {
            (Self::Numbers(rows), Self::Numbers(part)) => rows.extend(part),
            (Self::Probabilities(rows), Self::Probabilities(part)) => rows.extend(part),
            _ => unreachable!("one reading makes one kind of scores"),
        }
    }

    pub(crate) fn any_missing(&self) -> bool {
        (0..self.len()).any(|row| self.is_missing(row))
    }
}

/// No answer that could be used, and why.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Failure {
    pub kind: FailureKind,
    /// What the other side said where it said something; one line of limited length.
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The columns are not those that the model takes; it was not asked.
    Misfit,
    /// The model or its server refuses the rows, or a value in them cannot be said to it.
    Rejected,
    /// The model, its server or its process broke on the rows.
    Crashed,
    /// One of the two above: the protocol does not tell which.
    RejectedOrCrashed,
    /// The connection ended without an answer; that may be a crash.
    HungUp,
    /// An answer that is none: not of the protocol, cut off, too long, without numbers.
    Malformed,
    TooFewRows,
    TimedOut,
    /// The server says that it has too much to do.
    Overloaded,
    /// The server sends elsewhere; nobody went there.
    Redirected,
    /// Nobody was reached who could answer.
    Unreachable,
}

impl FailureKind {
    /// Whether some of the rows may be answered where all together are not.
    pub fn is_of_rows(self) -> bool {
        matches!(self, Self::Rejected | Self::Crashed | Self::RejectedOrCrashed | Self::HungUp)
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Misfit => "not asked",
            Self::Rejected => "rejected",
            Self::Crashed => "crashed",
            Self::RejectedOrCrashed => "rejected or crashed",
            Self::HungUp => "hung up",
            Self::Malformed => "malformed answer",
            Self::TooFewRows => "too few rows",
            Self::TimedOut => "timed out",
            Self::Overloaded => "overloaded",
            Self::Redirected => "redirected",
            Self::Unreachable => "unreachable",
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

impl std::error::Error for Failure {}

/// More of a message helps nobody, and a server may send megabytes of it.
const MESSAGE_CHARS: usize = 400;

impl Failure {
    pub fn new(kind: FailureKind, message: impl AsRef<str>) -> Self {
        let words: Vec<&str> = message.as_ref().split_whitespace().collect();
        let mut message = words.join(" ");
        if let Some((end, _)) = message.char_indices().nth(MESSAGE_CHARS) {
            message.truncate(end);
            message.push('…');
        }
        Self { kind, message }
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What was read from an answer, held against how many rows were asked about.
pub(crate) fn of_rows(rows_asked: usize, scores: Scores, degraded: Vec<bool>) -> Outcome {
    let rows = scores.len();
    if rows < rows_asked {
        let message = format!("{rows_asked} rows were asked about and {rows} answered");
        return Failure::new(FailureKind::TooFewRows, message).into();
    }
    if rows > rows_asked {
        let message = format!("{rows_asked} rows were asked about and {rows} answered: which are which?");
        return Failure::new(FailureKind::Malformed, message).into();
    }
    let is_finite = !scores.any_missing();
    let accepted = Accepted { scores, degraded };
    if is_finite { Outcome::Accepted(accepted) } else { Outcome::NonFinite(accepted) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_and_ends() {
        let failure = Failure::new(FailureKind::Crashed, format!("Traceback\n  {}", "é".repeat(1000)));
        assert!(failure.message.starts_with("Traceback é"));
        assert_eq!(failure.message.chars().count(), MESSAGE_CHARS + 1);
    }
}
