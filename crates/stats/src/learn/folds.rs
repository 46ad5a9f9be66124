//! Which rows a model learns from and which it is judged by.

use rand_core::RngCore;

use crate::random::shuffle;

/// Rows by fold, as equally many of each class as possible.
#[derive(Clone, Debug)]
pub(crate) struct Folds {
    /// The fold of each row.
    of_rows: Vec<u32>,
    folds: usize,
}

impl Folds {
    /// Folds of a table in which classes of the given sizes follow each other.
    pub(crate) fn stratified(sizes: &[usize], folds: usize, rng: &mut impl RngCore) -> Folds {
        let mut of_rows = Vec::new();
        for &size in sizes {
            let mut of_class: Vec<u32> = (0..size).map(|row| (row % folds) as u32).collect();
            shuffle(&mut of_class, rng);
            of_rows.append(&mut of_class);
        }
        Folds { of_rows, folds }
    }

    /// For each fold: the rows outside, to learn from, and those inside, held out. Ascending.
    pub(crate) fn each(&self) -> impl Iterator<Item = (Vec<u32>, Vec<u32>)> {
        (0..self.folds as u32).map(|fold| {
            let rows = 0..self.of_rows.len() as u32;
            rows.partition(|&row| self.of_rows[row as usize] != fold)
        })
    }

    /// For each fold but the first: the rows of the folds before it, to learn from, and its own. What
    /// is found on a fold then depends on nothing that comes later, so that tests of single folds can
    /// be combined as if they were independent.
    pub(crate) fn each_after_the_first(&self) -> impl Iterator<Item = (Vec<u32>, Vec<u32>)> {
        (1..self.folds as u32).map(|fold| {
            let of = |wanted: fn(u32, u32) -> bool| {
                let rows = 0..self.of_rows.len() as u32;
                rows.filter(|&row| wanted(self.of_rows[row as usize], fold)).collect()
            };
            (of(|of_row, fold| of_row < fold), of(|of_row, fold| of_row == fold))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    #[test]
    fn every_row_is_held_out_once_and_classes_are_spread_evenly() {
        let folds = Folds::stratified(&[10, 23], 4, &mut SplitMix64::new(3));
        let mut held_out_rows = Vec::new();
        for (learnt, mut held_out) in folds.each() {
            assert_eq!(learnt.len() + held_out.len(), 33);
            let of_first = held_out.iter().filter(|&&row| row < 10).count();
            assert!((2..=3).contains(&of_first) && (5..=6).contains(&(held_out.len() - of_first)));
            held_out_rows.append(&mut held_out);
        }
        held_out_rows.sort_unstable();
        assert!(held_out_rows.into_iter().eq(0..33));
    }

    #[test]
    fn what_comes_later_is_never_learnt_from() {
        let folds = Folds::stratified(&[20], 4, &mut SplitMix64::new(3));
        let whole: Vec<_> = folds.each().map(|(_, held_out)| held_out).collect();
        for (at, (learnt, held_out)) in folds.each_after_the_first().enumerate() {
            assert_eq!(held_out, whole[at + 1]);
            let mut before = whole[..=at].concat();
            before.sort_unstable();
            assert_eq!(learnt, before);
        }
    }
}
