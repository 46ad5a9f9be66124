//! The best slices so far, shared by all threads.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering as Memory};
use std::sync::{Mutex, PoisonError};

use super::score::Totals;

/// A slice by the positions of its conditions among the slices of one, ascending.
#[derive(Clone, Debug)]
pub(super) struct Ranked {
    pub(super) score: f64,
    pub(super) path: Vec<u32>,
    pub(super) totals: Totals,
}

/// Best first: higher score, fewer conditions, earlier columns, lower codes. Never equal for two slices.
impl Ord for Ranked {
    fn cmp(&self, other: &Ranked) -> Ordering {
        let score = other.score.total_cmp(&self.score);
        score.then(self.path.len().cmp(&other.path.len())).then_with(|| self.path.cmp(&other.path))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Ranked) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Ranked) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked {}

/// The `k` best slices with a score above 0. What is in it at the end does not depend on the order in
/// which slices are offered, nor on how often.
#[derive(Debug)]
pub(super) struct Best {
    k: usize,
    /// The bits of the k-th score, 0 while there are fewer; scores above 0 are ordered as their bits are.
    bar: AtomicU64,
    held: Mutex<BTreeSet<Ranked>>,
}

impl Best {
    pub(super) fn new(k: usize) -> Best {
        Best { k, bar: AtomicU64::new(0), held: Mutex::default() }
    }

    /// Whether a slice of this score, or one that this is a bound of, may still be among the best. The bar
    /// only rises, so a late look at it costs time and nothing else.
    pub(super) fn admits(&self, score: f64) -> bool {
        score > 0.0 && score >= f64::from_bits(self.bar.load(Memory::Relaxed))
    }

    /// Takes the slice of `path` and a last condition, if it is good enough.
    pub(super) fn offer(&self, score: f64, path: &[u32], last: u32, totals: Totals) {
        if !self.admits(score) {
            return;
        }
        let ranked = Ranked { score, path: path.iter().copied().chain([last]).collect(), totals };
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(ranked);
        if held.len() > self.k {
            held.pop_last();
        }
        if held.len() == self.k
            && let Some(last) = held.last()
        {
            self.bar.store(last.score.to_bits(), Memory::Relaxed);
        }
    }

    pub(super) fn into_sorted(self) -> Vec<Ranked> {
        self.held.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_fewer_conditions_and_earlier_columns_in_whatever_order_they_come() {
        let totals = Totals { rows: 1, loss_sum: 1.0, loss_max: 1.0 };
        let offered: [(f64, &[u32], u32); 5] =
            [(0.5, &[1], 4), (0.5, &[], 7), (0.5, &[1], 3), (0.7, &[0, 2], 3), (0.0, &[], 1)];
        for rotation in 0..offered.len() {
            let best = Best::new(3);
            let mut order = offered;
            order.rotate_left(rotation);
            for (score, path, last) in order.into_iter().chain(order) {
                best.offer(score, path, last, totals);
            }
            let paths: Vec<Vec<u32>> = best.into_sorted().into_iter().map(|ranked| ranked.path).collect();
            assert_eq!(paths, [vec![0, 2, 3], vec![7], vec![1, 3]]);
        }
    }
}
