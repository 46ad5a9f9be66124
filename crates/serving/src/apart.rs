//! Which rows of a batch a model does not answer: servers have one error for a whole batch, so a batch that fails is
//! asked again in halves.

use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

use types::batch::Batch;

use crate::{Accepted, Failure, FailureKind, Outcome, Scores, Target};

/// The answer to every row that got one, and the failures of all others.
#[derive(Clone, Debug, PartialEq)]
pub struct ByRow {
    /// `None` for every row without an answer, and for one whose answer is no finite number: that one is in no
    /// failure. Absent where no row got an answer.
    pub accepted: Option<Accepted>,
    pub failures: Vec<FailedRows>,
    /// How many calls were made.
    pub calls: usize,
}

/// Rows that share a failure.
#[derive(Clone, Debug, PartialEq)]
pub struct FailedRows {
    pub failure: Failure,
    /// In ascending order.
    pub rows: Vec<usize>,
    /// Each of them was asked about alone, so it is certain that it is the row. Otherwise the calls had run out, or
    /// the failure is not one that could depend on rows, and some of them may be answered.
    pub alone: bool,
}

/// Crashes after which a target that has to be started again is not asked any further about the same rows.
const CRASHES_MOST: usize = 12;

/// Asks about the rows, and again in halves where the failure may be that of some rows, with `calls_at_most` calls
/// (at least one). Widest first, so that few calls narrow all failures evenly.
pub fn by_row(target: &mut dyn Target, batch: &Batch, calls_at_most: usize) -> ByRow {
    let mut found = ByRow { accepted: None, failures: Vec::new(), calls: 0 };
    let mut crashes = 0;
    let mut open: VecDeque<(Range<usize>, Option<Rc<Failure>>)> = VecDeque::from([(0..batch.rows(), None)]);
    while let Some((range, whole)) = open.pop_front() {
        let is_enough =
            found.calls >= calls_at_most || (crashes >= CRASHES_MOST && target.is_started_again());
        if let (Some(whole), true) = (whole, is_enough) {
            found.fail(&whole, range, false);
            continue;
        }
        found.calls += 1;
        let outcome = if range.len() == batch.rows() {
            target.outcome(batch)
        } else {
            target.outcome(&batch.take(&range.clone().collect::<Vec<_>>()))
        };
        crashes += usize::from(matches!(&outcome, Outcome::Failed(of) if of.kind == FailureKind::Crashed));
        match outcome {
            Outcome::Accepted(part) | Outcome::NonFinite(part) => {
                found.accept(batch.rows(), range.start, part);
            }
            Outcome::Failed(failure) if range.len() > 1 && failure.kind.is_of_rows() => {
                let middle = range.start + range.len() / 2;
                let failure = Rc::new(failure);
                open.push_back((range.start..middle, Some(Rc::clone(&failure))));
                open.push_back((middle..range.end, Some(failure)));
            }
            Outcome::Failed(failure) => {
                let alone = range.len() == 1;
                found.fail(&failure, range, alone);
            }
        }
    }
    for failed in &mut found.failures {
        failed.rows.sort_unstable();
    }
    found
}

impl ByRow {
    fn fail(&mut self, failure: &Failure, rows: Range<usize>, alone: bool) {
        match self.failures.iter_mut().find(|known| known.alone == alone && known.failure == *failure) {
            Some(known) => known.rows.extend(rows),
            None => self.failures.push(FailedRows { failure: failure.clone(), rows: rows.collect(), alone }),
        }
    }

    fn accept(&mut self, rows: usize, start: usize, part: Accepted) {
        let whole = self.accepted.get_or_insert_with(|| Accepted {
            scores: match part.scores {
                Scores::Numbers(_) => Scores::Numbers(vec![None; rows]),
                Scores::Probabilities(_) => Scores::Probabilities(vec![None; rows]),
            },
            degraded: vec![false; rows],
        });
        let range = start..start + part.degraded.len();
        whole.degraded[range.clone()].copy_from_slice(&part.degraded);
        match (&mut whole.scores, part.scores) {
            (Scores::Numbers(whole), Scores::Numbers(part)) => whole[range].copy_from_slice(&part),
            (Scores::Probabilities(whole), Scores::Probabilities(part)) => {
                whole[range].clone_from_slice(&part);
            }
            _ => unreachable!("a target reads all its answers in one way"),
        }
    }
}

#[cfg(test)]
mod tests {
    use types::batch::{BatchColumn, Values};

    use super::*;

    /// Answers with the number itself, and rejects every batch with a negative one.
    #[derive(Debug)]
    struct Positive;

    impl Target for Positive {
        fn outcome(&mut self, batch: &Batch) -> Outcome {
            let Some(Values::Numbers(numbers)) = batch.column("x") else { panic!("x is there") };
            if numbers.iter().flatten().any(|&x| x < 0.0) {
                return Failure::new(FailureKind::Rejected, "negative").into();
            }
            crate::answer::of_rows(
                numbers.len(),
                Scores::Numbers(numbers.clone()),
                vec![false; numbers.len()],
            )
        }
    }

    fn batch(negative: &[usize]) -> Batch {
        let sign = |row: usize| if negative.contains(&row) { -1.0 } else { 1.0 };
        let numbers = (0..100).map(|row| Some(sign(row) * (row as f64 + 1.0))).collect();
        Batch::new(vec![BatchColumn { name: "x".into(), values: Values::Numbers(numbers) }]).unwrap()
    }

    #[test]
    fn the_rows_that_are_rejected_are_found_by_halving() {
        let found = by_row(&mut Positive, &batch(&[3, 97]), 1000);
        let expected = FailedRows {
            failure: Failure::new(FailureKind::Rejected, "negative"),
            rows: vec![3, 97],
            alone: true,
        };
        assert_eq!(found.failures, [expected]);
        // Two rows of a hundred: two paths of at most seven halvings, two calls each.
        assert!(found.calls <= 29, "{}", found.calls);
        let scores = found.accepted.unwrap().scores;
        let missing: Vec<usize> = (0..100).filter(|&row| scores.is_missing(row)).collect();
        assert_eq!(missing, [3, 97]);
    }

    #[test]
    fn where_calls_run_out_the_rest_is_said_to_be_uncertain() {
        let found = by_row(&mut Positive, &batch(&[0]), 3);
        assert_eq!((found.calls, found.failures.len()), (3, 1));
        assert!(!found.failures[0].alone);
        assert_eq!(found.failures[0].rows, (0..50).collect::<Vec<_>>());
        assert_eq!(by_row(&mut Positive, &batch(&[]), 0).calls, 1);
    }

    /// A program that ends whatever it is asked.
    #[derive(Debug)]
    struct Ending;

    impl Target for Ending {
        fn outcome(&mut self, _: &Batch) -> Outcome {
            Failure::new(FailureKind::Crashed, "exit status: 1").into()
        }

        fn is_started_again(&self) -> bool {
            true
        }
    }

    #[test]
    fn a_program_that_always_ends_is_not_started_for_every_half() {
        let found = by_row(&mut Ending, &batch(&[]), 1000);
        assert_eq!((found.calls, found.accepted), (CRASHES_MOST, None));
        assert_eq!(found.failures.iter().map(|failed| failed.rows.len()).sum::<usize>(), 100);
    }

    #[test]
    fn when_every_row_is_rejected_the_calls_are_still_bounded() {
        let every: Vec<usize> = (0..100).collect();
        let found = by_row(&mut Positive, &batch(&every), 1000);
        assert_eq!((found.calls, found.accepted), (199, None));
        assert_eq!(found.failures[0].rows, every);
    }
}
