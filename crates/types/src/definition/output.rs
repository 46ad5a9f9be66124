//! What a model puts into its log, which depends on its task.

use std::collections::BTreeMap;

use super::{Log, Task};

/// The columns of the log that the model wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output<'a> {
    /// The probability of the positive class.
    Score(&'a str),
    /// The probability of each class, in the order of their names.
    Probabilities {
        scores: &'a BTreeMap<String, String>,
        /// The class that the model called; without it, the likeliest one.
        predicted: Option<&'a str>,
    },
    /// The predicted number.
    Number(&'a str),
}

impl Output<'_> {
    pub fn task(self) -> Task {
        match self {
            Self::Score(_) => Task::Binary,
            Self::Probabilities { .. } => Task::Multiclass,
            Self::Number(_) => Task::Regression,
        }
    }
}

impl Log {
    /// What the model wrote; a definition that was parsed has no other columns than those of its task.
    pub fn output(&self) -> Output<'_> {
        let predicted = self.predicted.as_deref();
        match predicted {
            _ if !self.scores.is_empty() => Output::Probabilities { scores: &self.scores, predicted },
            Some(predicted) if self.score.is_empty() => Output::Number(predicted),
            _ => Output::Score(&self.score),
        }
    }

    /// The names of the classes of a multiclass task, in order; none for other tasks.
    pub fn classes(&self) -> Vec<&str> {
        self.scores.keys().map(String::as_str).collect()
    }

    /// Which of several outcomes of one prediction counts, in words that follow a semicolon or a colon.
    pub fn which_outcome_counts(&self) -> &'static str {
        let has_time = self.outcome.as_ref().is_some_and(|outcome| outcome.time.is_some());
        match self.output() {
            _ if !has_time => "without a time none of them counts",
            Output::Score(_) => {
                "the latest known one counts, of those known at the same instant the positive one"
            }
            Output::Probabilities { .. } => {
                "the latest known one counts, of those known at the same instant the class that is last by name"
            }
            Output::Number(_) => {
                "the latest known one counts, of those known at the same instant the larger number"
            }
        }
    }

    /// The columns of probabilities, or the one of predicted numbers.
    pub fn score_columns(&self) -> Vec<&str> {
        match self.output() {
            Output::Score(column) | Output::Number(column) => vec![column],
            Output::Probabilities { scores, .. } => scores.values().map(String::as_str).collect(),
        }
    }

    /// Every column that the model wrote, with its key in the definition.
    pub fn output_columns(&self) -> Vec<(String, &str)> {
        match self.output() {
            Output::Score(column) => vec![("log.score".into(), column)],
            Output::Number(column) => vec![("log.predicted".into(), column)],
            Output::Probabilities { scores, predicted } => {
                let scores =
                    scores.iter().map(|(class, column)| (format!("log.scores.{class}"), column.as_str()));
                let predicted = predicted.map(|column| ("log.predicted".to_owned(), column));
                scores.chain(predicted).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::definition::{Definition, parse};

    #[test]
    fn which_of_several_outcomes_counts_is_said() {
        let of = |output: &str, time: &str| {
            let text = format!(
                "[log]\npath = \"l\"\ntime = \"t\"\n{output}\noutcome = {{ column = \"y\"{time} }}\n[reference]\nwindow = \"2013-01-01/2013-02-01\"\n"
            );
            let definition: Definition = parse(&text).unwrap();
            definition.log.which_outcome_counts()
        };
        let known = ", time = \"known\"";
        assert!(of("score = \"p\"", known).ends_with("at the same instant the positive one"));
        assert!(of("score = \"p\"", "").contains("none of them counts"));
    }
}
