//! What a change is to bring about, and whether an answer of the model is it.

use stats::multiclass::rows::likeliest;

/// What a model says of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A score, or a predicted number.
    Number(f64),
    /// A probability for each class.
    Classes(Vec<f64>),
}

impl Answer {
    fn is_usable(&self) -> bool {
        match self {
            Self::Number(number) => number.is_finite(),
            Self::Classes(probabilities) => {
                !probabilities.is_empty() && probabilities.iter().all(|p| p.is_finite())
            }
        }
    }

    /// Whether it says a decision, and nothing of how near another one is.
    pub(super) fn is_decision_only(&self) -> bool {
        let is_certain = |p: &f64| *p == 0.0 || *p == 1.0;
        match self {
            Self::Number(number) => is_certain(number),
            Self::Classes(probabilities) => probabilities.iter().all(is_certain),
        }
    }
}

/// What a change is to bring about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// The other decision: yes is a score of at least the threshold. Where one is wanted, only cases with the other.
    Flip { threshold: f64, towards: Option<bool> },
    /// A number that is higher, or lower, by so much.
    Move { by: f64 },
    /// Another class, or this one.
    Class { towards: Option<usize> },
}

impl Goal {
    /// Where a case with this answer must get to; `None` where it is there, or the answer is none.
    pub(super) fn target(self, answer: &Answer) -> Option<Target> {
        if !answer.is_usable() {
            return None;
        }
        match (self, answer) {
            (Self::Flip { threshold, towards }, Answer::Number(score)) => {
                let is_up = *score < threshold;
                let is_wanted = towards.is_none_or(|towards| towards == is_up);
                is_wanted.then_some(Target::Score { at: threshold, is_up, is_beyond: !is_up })
            }
            (Self::Move { by }, Answer::Number(number)) => {
                Some(Target::Score { at: number + by, is_up: by >= 0.0, is_beyond: false })
            }
            (Self::Class { towards }, Answer::Classes(probabilities)) => {
                match (towards, likeliest(probabilities)?) {
                    (None, class) => Some(Target::Leave { class }),
                    (Some(wanted), class) => (wanted != class).then_some(Target::Become { class: wanted }),
                }
            }
            _ => None,
        }
    }

    /// Whether a case with this answer is one to try.
    pub fn is_to_try(self, answer: &Answer) -> bool {
        self.target(answer).is_some()
    }
}

/// Where an answer must get to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Target {
    Score {
        at: f64,
        is_up: bool,
        /// Whether `at` itself is not far enough.
        is_beyond: bool,
    },
    Leave {
        class: usize,
    },
    Become {
        class: usize,
    },
}

impl Target {
    /// How far an answer has to go; at 0 or below there is nothing left, but for a target beyond its value.
    pub(super) fn gap(self, answer: &Answer) -> Option<f64> {
        if !answer.is_usable() {
            return None;
        }
        match (self, answer) {
            (Self::Score { at, is_up, .. }, Answer::Number(score)) => {
                Some(if is_up { at - score } else { score - at })
            }
            (Self::Leave { class }, Answer::Classes(of)) => Some(of.get(class)? - largest_but(of, class)),
            (Self::Become { class }, Answer::Classes(of)) => Some(largest_but(of, class) - of.get(class)?),
            _ => None,
        }
    }

    pub(super) fn is_reached(self, answer: &Answer) -> bool {
        let Some(gap) = self.gap(answer) else { return false };
        match (self, answer) {
            (Self::Score { is_beyond, .. }, _) => gap < 0.0 || (gap == 0.0 && !is_beyond),
            // Among equal probabilities the first one decides, as everywhere else.
            (Self::Leave { class }, Answer::Classes(of)) => likeliest(of) != Some(class),
            (Self::Become { class }, Answer::Classes(of)) => likeliest(of) == Some(class),
            (_, Answer::Number(_)) => false,
        }
    }
}

fn largest_but(probabilities: &[f64], class: usize) -> f64 {
    let others = probabilities.iter().enumerate().filter(|(at, _)| *at != class);
    others.map(|(_, p)| *p).fold(0.0, f64::max)
}
