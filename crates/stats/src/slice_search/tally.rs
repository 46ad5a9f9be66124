//! Counting rows and losses by code: the table as the search reads it, and the cells that it fills.

use std::borrow::Cow;

use super::encoding::EncodedColumn;
use super::score::Totals;

/// A column's codes as the search numbers them: 0 for those of no slice, then 1, 2, …
pub(super) trait Code: Copy + Default + Send + Sync + TryFrom<u32> + Into<u32> {
    /// As a position.
    fn at(self) -> usize {
        self.into() as usize
    }
}

impl Code for u8 {}
impl Code for u32 {}

/// What is known of the rows with one code. Losses are always added in the order of the rows, so that
/// equal sets of rows have the same sum to the last bit, and parts never have more than the whole.
pub(super) trait Tally: Copy + Default + Send + Sync {
    type Loss: Copy + Send + Sync;

    fn loss(of: f64) -> Self::Loss;
    fn add(&mut self, loss: Self::Loss);
    fn totals(self) -> Totals;
}

/// For losses of 0 and 1: rows in the lower half, ones in the upper. There are fewer than 2^32 of either.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts(u64);

impl Tally for Counts {
    type Loss = u8;

    fn loss(of: f64) -> u8 {
        u8::from(of > 0.0)
    }

    fn add(&mut self, loss: u8) {
        self.0 = self.0.wrapping_add(1 + (u64::from(loss) << 32));
    }

    fn totals(self) -> Totals {
        let ones = (self.0 >> 32) as u32;
        Totals { rows: self.0 as u32, loss_sum: f64::from(ones), loss_max: f64::from(ones.min(1)) }
    }
}

/// For any losses.
#[derive(Clone, Copy, Default)]
pub(super) struct Sums {
    loss_sum: f64,
    loss_max: f64,
    rows: u32,
}

impl Tally for Sums {
    type Loss = f64;

    fn loss(of: f64) -> f64 {
        of
    }

    fn add(&mut self, loss: f64) {
        self.rows = self.rows.wrapping_add(1);
        self.loss_sum += loss;
        self.loss_max = self.loss_max.max(loss);
    }

    fn totals(self) -> Totals {
        Totals { rows: self.rows, loss_sum: self.loss_sum, loss_max: self.loss_max }
    }
}

/// A slice of one condition. Those of a column stand side by side, the columns in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Basic {
    pub(super) column: usize,
    pub(super) code: u32,
    pub(super) totals: Totals,
}

/// The columns that have slices at all, numbered anew, with the losses.
pub(super) struct Table<C, T: Tally> {
    pub(super) columns: Vec<Vec<C>>,
    pub(super) losses: Vec<T::Loss>,
    pub(super) basics: Vec<Basic>,
    /// Position in `basics` of each column's code 1, and the number of all.
    pub(super) first: Vec<u32>,
    /// Of each of `basics` its position in `columns`.
    pub(super) column_of: Vec<u32>,
}

/// The slices of one condition that `keep` says yes to.
pub(super) fn basics<T: Tally>(
    columns: &[EncodedColumn],
    losses: &[f64],
    keep: impl Fn(Totals) -> bool,
) -> Vec<Basic> {
    let mut basics = Vec::new();
    for (column, of) in columns.iter().enumerate() {
        let (codes, names) = dense(of);
        let mut cells = vec![T::default(); codes_count(&codes)];
        for (&code, &loss) in codes.iter().zip(losses) {
            cells[code as usize].add(T::loss(loss));
        }
        for (code, cell) in (0..).zip(cells) {
            let totals = cell.totals();
            if keep(totals) {
                let code = names.as_ref().map_or(code, |names| names[code as usize]);
                basics.push(Basic { column, code, totals });
            }
        }
    }
    basics
}

impl<C: Code, T: Tally> Table<C, T> {
    /// `basics` have at most as many codes in a column as `C` can tell apart beside 0.
    pub(super) fn new(columns: &[EncodedColumn], losses: &[f64], basics: Vec<Basic>) -> Table<C, T> {
        let groups = || basics.chunk_by(|a, b| a.column == b.column);
        let numbered = groups().map(|group| renumbered(&columns[group[0].column], group)).collect();
        let ends = groups().scan(0, |end, group| {
            *end += group.len() as u32;
            Some(*end)
        });
        let first = std::iter::once(0).chain(ends).collect();
        let column_of =
            (0..).zip(groups()).flat_map(|(column, group)| group.iter().map(move |_| column)).collect();
        let losses = losses.iter().map(|&loss| T::loss(loss)).collect();
        Table { columns: numbered, losses, first, column_of, basics }
    }
}

/// The codes of a column by their position in `group`, from 1; 0 for those that are not in it.
fn renumbered<C: Code>(of: &EncodedColumn, group: &[Basic]) -> Vec<C> {
    let numbers = (1..).map(|number: u32| C::try_from(number).unwrap_or_default());
    if of.cardinality as usize <= dense_limit(of.codes.len()) {
        let mut number_of = vec![C::default(); of.cardinality as usize];
        for (basic, number) in group.iter().zip(numbers) {
            number_of[basic.code as usize] = number;
        }
        return of.codes.iter().map(|&code| number_of[code as usize]).collect();
    }
    let numbers: Vec<C> = numbers.take(group.len()).collect();
    let number_of = |code| group.binary_search_by_key(&code, |basic| basic.code).map(|at| numbers[at]);
    of.codes.iter().map(|&code| number_of(code).unwrap_or_default()).collect()
}

/// Cardinalities up to here are worth a cell for every code, whether it occurs or not.
fn dense_limit(rows: usize) -> usize {
    2 * rows + 1024
}

/// Codes that are few enough for a cell each, and what each was before where that had to be changed.
fn dense(column: &EncodedColumn) -> (Cow<'_, [u32]>, Option<Vec<u32>>) {
    if column.cardinality as usize <= dense_limit(column.codes.len()) {
        return (Cow::Borrowed(&column.codes), None);
    }
    let mut names = column.codes.clone();
    names.sort_unstable();
    names.dedup();
    let position = |code: &u32| names.partition_point(|name| name < code) as u32;
    (Cow::Owned(column.codes.iter().map(position).collect()), Some(names))
}

fn codes_count(codes: &[u32]) -> usize {
    codes.iter().max().map_or(0, |&code| code as usize + 1)
}

/// Cells that are filled again and again.
#[derive(Debug, Default)]
pub(super) struct Cells<T> {
    cells: Vec<T>,
    occurring: Vec<u32>,
}

impl<T: Tally> Cells<T> {
    /// Adds up the losses of `rows` by their code, `losses` in their order, and lets `read` see the cell of
    /// each code from 0 to `codes`, and in ascending order the codes that may have rows.
    pub(super) fn fill<C: Code>(
        &mut self,
        column: &[C],
        rows: &[u32],
        losses: &[T::Loss],
        codes: usize,
        read: impl FnOnce(&[T], &mut dyn Iterator<Item = u32>),
    ) {
        if self.cells.len() <= codes {
            self.cells.resize(codes + 1, T::default());
        }
        let cells = &mut self.cells[..=codes];
        for (&row, &loss) in rows.iter().zip(losses) {
            cells[column[row as usize].at()].add(loss);
        }
        // Whichever is less: all cells, or those of the rows.
        if codes <= rows.len() {
            read(cells, &mut (0..=codes as u32));
            cells.fill(T::default());
            return;
        }
        self.occurring.clear();
        self.occurring.extend(rows.iter().map(|&row| column[row as usize].into()));
        self.occurring.sort_unstable();
        self.occurring.dedup();
        read(cells, &mut self.occurring.iter().copied());
        for &code in &self.occurring {
            cells[code as usize] = T::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_a_sparse_column_keep_their_names() {
        let column = EncodedColumn { codes: vec![4_000_000_000, 7, 7, 9], cardinality: u32::MAX };
        let found = basics::<Sums>(std::slice::from_ref(&column), &[1.0, 2.0, 3.0, 0.0], |totals| {
            totals.loss_sum > 0.0
        });
        let named: Vec<_> = found.iter().map(|basic| (basic.code, basic.totals.loss_sum)).collect();
        assert_eq!(named, [(7, 5.0), (4_000_000_000, 1.0)]);
        assert_eq!(renumbered::<u8>(&column, &found), [2, 1, 1, 0]);
    }

    #[test]
    fn cells_are_empty_again_after_each_use() {
        let mut cells = Cells::<Counts>::default();
        for codes in [2, 5000] {
            for _ in 0..2 {
                cells.fill(&[1_u32, 0, 2], &[0, 2], &[1, 0], codes, |cells, _| {
                    let totals: Vec<u32> = cells.iter().map(|cell| cell.totals().rows).collect();
                    assert_eq!(totals[..3], [0, 1, 1]);
                    assert_eq!(cells[1].totals().loss_sum, 1.0);
                });
            }
        }
    }
}
