//! The search: all pairs of conditions first, then a depth-first walk below each condition.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::best::{Best, Ranked};
use super::encoding::EncodedColumn;
use super::score::{Scale, Totals};
use super::tally::{Basic, Cells, Code, Counts, Sums, Table, Tally, basics};
use super::{Slice, SliceOptions, workers};

/// Pairs of conditions that are kept, 32 bytes each. Beyond, pairs are counted again where they are needed,
/// and slices of three conditions are pruned by two of their pairs instead of three.
const PAIRS_MAX: usize = 4_000_000;

/// The best slices, best first, of a table and losses that have been checked; the losses are not all 0.
pub(super) fn best_slices(columns: &[EncodedColumn], losses: &[f64], options: &SliceOptions) -> Vec<Slice> {
    search(columns, losses, options, PAIRS_MAX)
}

fn search(columns: &[EncodedColumn], losses: &[f64], options: &SliceOptions, pairs_max: usize) -> Vec<Slice> {
    if losses.iter().all(|&loss| loss == 0.0 || loss == 1.0) {
        search_by::<Counts>(columns, losses, options, pairs_max)
    } else {
        search_by::<Sums>(columns, losses, options, pairs_max)
    }
}

fn search_by<T: Tally>(
    columns: &[EncodedColumn],
    losses: &[f64],
    options: &SliceOptions,
    pairs_max: usize,
) -> Vec<Slice> {
    let scale = Scale::new(losses, options);
    let mut basics = basics::<T>(columns, losses, |totals| scale.is_slice(totals));
    let best = offer_basics(&basics, &scale, options.k);
    // Paths are positions among the slices of one condition, so these are offered again once they are fewer.
    basics.retain(|basic| best.admits(scale.bound(basic.totals)));
    let best = offer_basics(&basics, &scale, options.k);
    let codes_most = basics.chunk_by(|a, b| a.column == b.column).map(<[Basic]>::len).max().unwrap_or(0);
    let (ranked, basics) = if u8::try_from(codes_most).is_ok() {
        walk(Table::<u8, T>::new(columns, losses, basics), scale, best, options, pairs_max)
    } else {
        walk(Table::<u32, T>::new(columns, losses, basics), scale, best, options, pairs_max)
    };
    let condition = |&position: &u32| {
        let basic = &basics[position as usize];
        (basic.column, basic.code)
    };
    let slice = |Ranked { score, path, totals }: Ranked| Slice {
        conditions: path.iter().map(condition).collect(),
        score,
        rows: u64::from(totals.rows),
        loss_sum: totals.loss_sum,
        loss_max: totals.loss_max,
    };
    ranked.into_iter().map(slice).collect()
}

fn offer_basics(basics: &[Basic], scale: &Scale, k: usize) -> Best {
    let best = Best::new(k);
    for (position, Basic { totals, .. }) in (0..).zip(basics) {
        best.offer(scale.score(f64::from(totals.rows), totals.loss_sum), &[], position, *totals);
    }
    best
}

fn walk<C: Code, T: Tally>(
    table: Table<C, T>,
    scale: Scale,
    best: Best,
    options: &SliceOptions,
    pairs_max: usize,
) -> (Vec<Ranked>, Vec<Basic>) {
    let pairs = table.basics.iter().map(|_| OnceLock::new()).collect();
    let room = AtomicUsize::new(pairs_max);
    let walk = Walk { table, scale, best, level_max: options.level_max, pairs, room };
    if options.level_max > 1 {
        walk.run(options.threads);
    }
    (walk.best.into_sorted(), walk.table.basics)
}

/// What a slice with one more condition, the basic slice at this position, has.
#[derive(Clone, Copy, Debug)]
struct Extension {
    basic: u32,
    totals: Totals,
}

/// An extension, and the conditions that may make a good slice together with it.
struct Branch {
    of: Extension,
    candidates: Vec<u32>,
}

struct Walk<C, T: Tally> {
    table: Table<C, T>,
    scale: Scale,
    best: Best,
    level_max: usize,
    /// Of each basic slice, the extensions in later columns that were promising when they were counted.
    pairs: Vec<OnceLock<Vec<Extension>>>,
    /// How many more extensions may be kept.
    room: AtomicUsize,
}

/// What a thread uses again and again.
#[derive(Default)]
struct Scratch<T> {
    cells: Cells<T>,
    slots: Vec<u32>,
}

impl<C: Code, T: Tally> Walk<C, T> {
    fn run(&self, threads: usize) {
        let columns = self.table.columns.len();
        let all: Vec<u32> = (0..self.table.losses.len() as u32).collect();
        workers::for_each(columns, threads, |column, own| self.count_pairs(column, &all, own));
        if self.level_max > 2 {
            workers::for_each(columns, threads, |column, own| self.walk_column(column, &all, own));
        }
    }

    /// Looks at all slices of a condition on `column` and one on a later column.
    fn count_pairs(&self, column: usize, all: &[u32], own: &mut Scratch<T>) {
        let basics: Vec<u32> = (self.table.first[column]..self.table.first[column + 1])
            .filter(|&basic| self.best.admits(self.scale.bound(self.basic(basic).totals)))
            .collect();
        let parts = self.partition(&self.table.columns[column], all, &basics, own);
        for (basic, rows) in basics.into_iter().zip(parts) {
            let found = self.extensions_of_one(basic, &rows, own);
            let fits = |room: usize| room.checked_sub(found.len());
            if self.level_max > 2
                && self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok()
            {
                self.pairs[basic as usize].get_or_init(|| found);
            }
        }
    }

    /// Looks at all slices of three and more conditions of which the first is on `column`.
    fn walk_column(&self, column: usize, all: &[u32], own: &mut Scratch<T>) {
        let branches_of = |basic: u32| self.pairs[basic as usize].get().map(|pairs| self.branches(pairs));
        let mut starts: Vec<(u32, Option<Vec<Branch>>)> = (self.table.first[column]
            ..self.table.first[column + 1])
            .filter(|&basic| self.best.admits(self.scale.bound(self.basic(basic).totals)))
            .map(|basic| (basic, branches_of(basic)))
            .collect();
        starts.retain(|(_, branches)| branches.as_ref().is_none_or(|branches| !branches.is_empty()));
        let basics: Vec<u32> = starts.iter().map(|(basic, _)| *basic).collect();
        let parts = self.partition(&self.table.columns[column], all, &basics, own);
        for ((basic, branches), rows) in starts.into_iter().zip(parts) {
            let branches =
                branches.unwrap_or_else(|| self.branches(&self.extensions_of_one(basic, &rows, own)));
            if branches.is_empty() {
                continue;
            }
            // Their codes side by side: they are read once for each branch.
            let columns = self.columns_at(&rows, &branches);
            let losses = gather(&self.table.losses, &rows);
            let within: Vec<u32> = (0..rows.len() as u32).collect();
            self.descend(&columns, &losses, &within, &mut vec![basic], &branches, own);
        }
    }

    /// All extensions of a basic slice with these rows in later columns.
    fn extensions_of_one(&self, basic: u32, rows: &[u32], own: &mut Scratch<T>) -> Vec<Extension> {
        let losses = gather(&self.table.losses, rows);
        let mut found = Vec::new();
        for column in self.column_of(basic) + 1..self.table.columns.len() {
            let (first, codes) = self.codes_of(column);
            own.cells.fill(&self.table.columns[column], rows, &losses, codes, |cells, occurring| {
                for code in occurring.filter(|&code| code > 0) {
                    self.look_at(&[basic], first + code - 1, cells[code as usize], true, &mut found);
                }
            });
        }
        found
    }

    /// The extensions of the slice of `path` by `candidates`, of which those that may lead further are
    /// returned where `keep`. Its rows are `rows` of `columns`, their losses in the same order.
    fn extensions(
        &self,
        columns: &[Vec<C>],
        (rows, losses): (&[u32], &[T::Loss]),
        (path, candidates): (&[u32], &[u32]),
        keep: bool,
        own: &mut Scratch<T>,
    ) -> Vec<Extension> {
        let mut found = Vec::new();
        for group in candidates.chunk_by(|a, b| self.column_of(*a) == self.column_of(*b)) {
            let column = self.column_of(group[0]);
            let (first, codes) = self.codes_of(column);
            own.cells.fill(&columns[column], rows, losses, codes, |cells, _| {
                for &basic in group {
                    self.look_at(path, basic, cells[(basic - first) as usize + 1], keep, &mut found);
                }
            });
        }
        found
    }

    fn look_at(&self, path: &[u32], basic: u32, cell: T, keep: bool, found: &mut Vec<Extension>) {
        let totals = cell.totals();
        if !self.scale.is_slice(totals) {
            return;
        }
        self.best.offer(self.scale.score(f64::from(totals.rows), totals.loss_sum), path, basic, totals);
        if keep && self.best.admits(self.scale.bound(totals)) {
            found.push(Extension { basic, totals });
        }
    }

    /// Of slices that differ in their last condition, those that may make a good slice with the last
    /// condition of another, later one.
    fn branches(&self, extensions: &[Extension]) -> Vec<Branch> {
        let mut branches = Vec::new();
        for (position, &of) in extensions.iter().enumerate() {
            let next_column = self.table.first[self.column_of(of.basic) + 1];
            let rest = &extensions[position + 1..];
            let later = &rest[rest.partition_point(|other| other.basic < next_column)..];
            let promising = |totals: Totals| self.best.admits(self.scale.bound(totals.min(of.totals)));
            let candidates: Vec<u32> = match self.pairs[of.basic as usize].get() {
                Some(pairs) => {
                    let both = in_both(later, pairs).filter(|(_, totals)| promising(*totals));
                    both.map(|(basic, _)| basic).collect()
                }
                None => {
                    later.iter().filter(|other| promising(other.totals)).map(|other| other.basic).collect()
                }
            };
            if !candidates.is_empty() {
                branches.push(Branch { of, candidates });
            }
        }
        branches
    }

    /// Looks at the extensions of each branch of the slice of `path`, and at what is below them.
    fn descend(
        &self,
        columns: &[Vec<C>],
        losses: &[T::Loss],
        rows: &[u32],
        path: &mut Vec<u32>,
        branches: &[Branch],
        own: &mut Scratch<T>,
    ) {
        for group in branches.chunk_by(|a, b| self.column_of(a.of.basic) == self.column_of(b.of.basic)) {
            let column = &columns[self.column_of(group[0].of.basic)];
            let basics: Vec<u32> = group.iter().map(|branch| branch.of.basic).collect();
            let parts = self.partition(column, rows, &basics, own);
            for (Branch { of, candidates }, rows) in group.iter().zip(parts) {
                path.push(of.basic);
                let deeper = path.len() + 1 < self.level_max;
                let own_losses = gather(losses, &rows);
                let found = self.extensions(columns, (&rows, &own_losses), (path, candidates), deeper, own);
                let below = self.branches(&found);
                self.descend(columns, losses, &rows, path, &below, own);
                path.pop();
            }
        }
    }

    /// The rows of each of some basic slices of one column, among `rows` and in their order.
    fn partition(&self, column: &[C], rows: &[u32], basics: &[u32], own: &mut Scratch<T>) -> Vec<Vec<u32>> {
        let Some(&some) = basics.first() else {
            return Vec::new();
        };
        let (first, codes) = self.codes_of(self.column_of(some));
        if own.slots.len() <= codes {
            own.slots.resize(codes + 1, 0);
        }
        for (slot, &basic) in (1..).zip(basics) {
            own.slots[(basic - first) as usize + 1] = slot;
        }
        let mut parts = vec![Vec::new(); basics.len()];
        for &row in rows {
            if let Some(slot) = own.slots[column[row as usize].at()].checked_sub(1) {
                parts[slot as usize].push(row);
            }
        }
        for &basic in basics {
            own.slots[(basic - first) as usize + 1] = 0;
        }
        parts
    }

    /// The codes at `rows` of every column that occurs in `branches`; the others stay empty.
    fn columns_at(&self, rows: &[u32], branches: &[Branch]) -> Vec<Vec<C>> {
        let mut columns = vec![Vec::new(); self.table.columns.len()];
        for branch in branches {
            for &basic in std::iter::once(&branch.of.basic).chain(&branch.candidates) {
                let column = self.column_of(basic);
                if columns[column].is_empty() {
                    columns[column] = gather(&self.table.columns[column], rows);
                }
            }
        }
        columns
    }

    fn basic(&self, position: u32) -> &Basic {
        &self.table.basics[position as usize]
    }

    /// The column of a basic slice, counted among those that have any.
    fn column_of(&self, basic: u32) -> usize {
        self.table.column_of[basic as usize] as usize
    }

    /// The first basic slice of a column, and how many it has.
    fn codes_of(&self, column: usize) -> (u32, usize) {
        let first = self.table.first[column];
        (first, (self.table.first[column + 1] - first) as usize)
    }
}

fn gather<T: Copy>(of: &[T], rows: &[u32]) -> Vec<T> {
    rows.iter().map(|&row| of[row as usize]).collect()
}

/// The conditions that occur in both lists, each in ascending order, with what neither exceeds.
fn in_both<'a>(a: &'a [Extension], b: &'a [Extension]) -> impl Iterator<Item = (u32, Totals)> + 'a {
    let mut rest = b.iter().peekable();
    a.iter().filter_map(move |&Extension { basic, totals }| {
        while rest.next_if(|other| other.basic < basic).is_some() {}
        let other = rest.next_if(|other| other.basic == basic)?;
        Some((basic, totals.min(other.totals)))
    })
}

#[cfg(test)]
mod tests {
    use rand_core::RngCore as _;

    use super::*;
    use crate::random::{SplitMix64, below};

    /// Random columns and losses in which the first two columns matter.
    fn random_table(
        rows: usize,
        cardinalities: &[u32],
        binary: bool,
        seed: u64,
    ) -> (Vec<EncodedColumn>, Vec<f64>) {
        let mut rng = SplitMix64::new(seed);
        let columns: Vec<EncodedColumn> = cardinalities
            .iter()
            .map(|&cardinality| EncodedColumn {
                codes: (0..rows).map(|_| below(u64::from(cardinality), rng.next_u64()) as u32).collect(),
                cardinality,
            })
            .collect();
        let loss = |row: usize, bits: u64| {
            let bad = columns[0].codes[row] == 1 && columns[1].codes[row] == 0;
            let uniform = (bits >> 11) as f64 / (1_u64 << 53) as f64;
            let share = if bad { 0.6 } else { 0.2 };
            if binary { f64::from(uniform < share) } else { share * uniform * uniform }
        };
        let losses = (0..rows).map(|row| loss(row, rng.next_u64())).collect();
        (columns, losses)
    }

    /// Every slice there is, scored one by one.
    fn by_hand(columns: &[EncodedColumn], losses: &[f64], options: &SliceOptions) -> Vec<Slice> {
        let scale = Scale::new(losses, options);
        let mut all = Vec::new();
        let mut open: Vec<Vec<(usize, u32)>> = vec![vec![]];
        while let Some(conditions) = open.pop() {
            let from = conditions.last().map_or(0, |(column, _)| column + 1);
            for column in from..columns.len() {
                for code in 0..columns[column].cardinality {
                    let mut conditions = conditions.clone();
                    conditions.push((column, code));
                    let of = crate::slice_search::rows_of(&conditions, columns).unwrap();
                    let losses: Vec<f64> = of.iter().map(|&row| losses[row as usize]).collect();
                    let loss_sum = losses.iter().fold(0.0, |sum, loss| sum + loss);
                    let score = scale.score(of.len() as f64, loss_sum);
                    if of.len() >= options.rows_min && loss_sum > 0.0 && score > 0.0 {
                        let loss_max = losses.iter().copied().fold(0.0, f64::max);
                        let rows = of.len() as u64;
                        all.push(Slice { conditions: conditions.clone(), score, rows, loss_sum, loss_max });
                    }
                    if conditions.len() < options.level_max {
                        open.push(conditions);
                    }
                }
            }
        }
        let key = |slice: &Slice| (slice.conditions.len(), slice.conditions.clone());
        all.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| key(a).cmp(&key(b))));
        all.truncate(options.k);
        all
    }

    #[test]
    fn the_best_of_all_slices_are_found_whatever_is_kept_and_however_many_threads_look() {
        let mut found = 0;
        for seed in 0..60 {
            let cardinalities: &[u32] = if seed % 2 == 0 { &[2, 3, 4, 2, 3] } else { &[3, 2, 9, 1, 40] };
            let (columns, losses) = random_table(300, cardinalities, seed % 3 == 0, seed);
            let alpha = [0.5, 0.8, 0.95, 1.0][seed as usize % 4];
            let k = [1, 5, 40][seed as usize % 3];
            let rows_min = [1, 4, 25][seed as usize / 3 % 3];
            for level_max in 1..=4 {
                let options = SliceOptions { k, alpha, rows_min, level_max, threads: 1 };
                let expected = by_hand(&columns, &losses, &options);
                found += expected.len();
                for (threads, pairs_max) in [(1, PAIRS_MAX), (3, PAIRS_MAX), (1, 0), (2, 40)] {
                    let options = SliceOptions { threads, ..options };
                    assert_eq!(
                        search(&columns, &losses, &options, pairs_max),
                        expected,
                        "{seed} {options:?}"
                    );
                }
            }
        }
        assert!(found > 1000);
    }

    #[test]
    fn more_codes_than_a_byte_holds_are_searched_too() {
        let (columns, losses) = random_table(700, &[3, 2, 300], false, 3);
        for rows_min in [1, 3] {
            let options = SliceOptions { k: 20, alpha: 0.999, rows_min, level_max: 3, threads: 2 };
            assert_eq!(search(&columns, &losses, &options, PAIRS_MAX), by_hand(&columns, &losses, &options));
        }
    }
}
