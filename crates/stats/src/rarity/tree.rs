//! One tree of the isolation forest.

use rand_core::RngCore;

use crate::learn::{Column, Features, MISSING};
use crate::random::{below, shuffle_front};

/// Euler's constant, to which sums of reciprocals less logarithms tend.
const EULER: f64 = 0.577_215_664_901_532_9;

/// Nodes, the root first.
#[derive(Clone, Debug)]
pub(super) struct IsolationTree {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug)]
enum Node {
    /// The end, with the depth at which its rows would be apart.
    Leaf { depth: f64 },
    /// Rows by a cut of a column. `sides`: the nodes of the first and the second side; `alone`: the depth of
    /// a row that belongs to neither.
    Cut { column: usize, cut: Cut, sides: [usize; 2], alone: f64 },
}

#[derive(Clone, Debug)]
enum Cut {
    /// Missing values to the first side.
    Missing,
    /// Numbers up to this one to the first side.
    UpTo(f64),
    /// Codes of both sides, each ascending.
    Codes([Vec<u32>; 2]),
}

/// The mean depth at which one of `rows` random ones is apart from the others (Liu et al., equation 1).
pub(super) fn mean_depth(rows: usize) -> f64 {
    let n = rows as f64;
    match rows {
        0 | 1 => 0.0,
        2 => 1.0,
        _ => 2.0 * ((n - 1.0).ln() + EULER) - 2.0 * (n - 1.0) / n,
    }
}

impl IsolationTree {
    /// Grows a tree from `rows`, at least one.
    pub(super) fn grow(table: &Features, rows: &mut [u32], rng: &mut impl RngCore) -> IsolationTree {
        let depth_max = rows.len().max(2).next_power_of_two().ilog2();
        let mut nodes = vec![Node::Leaf { depth: 0.0 }];
        // (node, its rows, its depth); a queue instead of recursion.
        let mut open = vec![(0, 0..rows.len(), 0)];
        let mut columns: Vec<usize> = (0..table.columns().len()).collect();
        while let Some((node, range, depth)) = open.pop() {
            let here = &mut rows[range.clone()];
            let cut = if depth < depth_max { random_cut(table, here, &mut columns, rng) } else { None };
            let Some((column, cut)) = cut else {
                nodes[node] = Node::Leaf { depth: f64::from(depth) + mean_depth(here.len()) };
                continue;
            };
            let of_first = partition(here, |row| cut.side(&table.columns()[column], row as usize) == Some(0));
            let sides = [nodes.len(), nodes.len() + 1];
            nodes.extend([Node::Leaf { depth: 0.0 }, Node::Leaf { depth: 0.0 }]);
            let middle = range.start + of_first;
            open.push((sides[0], range.start..middle, depth + 1));
            open.push((sides[1], middle..range.end, depth + 1));
            nodes[node] = Node::Cut { column, cut, sides, alone: f64::from(depth + 1) };
        }
        IsolationTree { nodes }
    }

    /// The depth at which a row of `table` ends.
    pub(super) fn depth(&self, table: &Features, row: usize) -> f64 {
        let mut node = 0;
        loop {
            match &self.nodes[node] {
                Node::Leaf { depth } => return *depth,
                Node::Cut { column, cut, sides, alone } => match cut.side(&table.columns()[*column], row) {
                    Some(side) => node = sides[side],
                    None => return *alone,
                },
            }
        }
    }
}

impl Cut {
    /// The side of a row, of a column of the kind that was cut; None where the node had nothing like it.
    fn side(&self, column: &Column, row: usize) -> Option<usize> {
        match (self, column) {
            (Cut::Missing, _) => Some(usize::from(!is_missing(column, row))),
            (Cut::UpTo(bound), Column::Numeric(values)) => {
                let value = values[row];
                (!value.is_nan()).then(|| usize::from(value > *bound))
            }
            (Cut::Codes(sides), Column::Categorical { codes, .. }) => {
                sides.iter().position(|side| side.binary_search(&codes[row]).is_ok())
            }
            _ => unreachable!("the columns' kinds are compared before rows are scored"),
        }
    }
}

fn is_missing(column: &Column, row: usize) -> bool {
    match column {
        Column::Numeric(values) => values[row].is_nan(),
        Column::Categorical { codes, .. } => codes[row] == MISSING,
    }
}

/// A cut that leaves rows on both sides, on a column drawn from those that allow one; `columns` is all
/// of them in any order.
fn random_cut(
    table: &Features,
    rows: &[u32],
    columns: &mut [usize],
    rng: &mut impl RngCore,
) -> Option<(usize, Cut)> {
    if rows.len() < 2 {
        return None;
    }
    for tried in 0..columns.len() {
        shuffle_front(&mut columns[tried..], 1, rng);
        let column = columns[tried];
        if let Some(cut) = cut_of(&table.columns()[column], rows, rng) {
            return Some((column, cut));
        }
    }
    None
}

fn cut_of(column: &Column, rows: &[u32], rng: &mut impl RngCore) -> Option<Cut> {
    let missing = rows.iter().filter(|&&row| is_missing(column, row as usize)).count();
    if missing == rows.len() {
        return None;
    }
    if missing > 0 {
        return Some(Cut::Missing);
    }
    match column {
        Column::Numeric(values) => {
            let here = rows.iter().map(|&row| values[row as usize]);
            let least = here.clone().fold(f64::INFINITY, f64::min);
            let most = here.fold(f64::NEG_INFINITY, f64::max);
            (least < most).then(|| Cut::UpTo(place_between(least, most, rng)))
        }
        Column::Categorical { codes, .. } => {
            let mut here: Vec<u32> = rows.iter().map(|&row| codes[row as usize]).collect();
            here.sort_unstable();
            here.dedup();
            (here.len() > 1).then(|| Cut::Codes(two_parts(&here, rng)))
        }
    }
}

/// A random number in `[least, most)`. Infinite ends count as the largest finite numbers.
fn place_between(least: f64, most: f64, rng: &mut impl RngCore) -> f64 {
    let share = (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    let (low, high) = (least.max(f64::MIN), most.min(f64::MAX));
    let place = low * (1.0 - share) + high * share;
    if least <= place && place < most { place } else { least }
}

/// The sorted `codes` in two parts, each choice that leaves none empty as likely as any other.
fn two_parts(codes: &[u32], rng: &mut impl RngCore) -> [Vec<u32>; 2] {
    loop {
        let (first, second): (Vec<u32>, Vec<u32>) = codes.iter().partition(|_| below(2, rng.next_u64()) == 0);
        if !first.is_empty() && !second.is_empty() {
            return [first, second];
        }
    }
}

/// Puts the rows of the first side to the front; how many there are.
fn partition(rows: &mut [u32], is_first: impl Fn(u32) -> bool) -> usize {
    let mut first = 0;
    for at in 0..rows.len() {
        if is_first(rows[at]) {
            rows.swap(first, at);
            first += 1;
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    #[test]
    fn rows_that_are_told_apart_end_alone_and_all_rows_at_the_mean_depth_at_least() {
        let column = Column::Numeric((0..64).map(f64::from).collect());
        let table = Features::new(vec![column]).unwrap();
        let mut rng = SplitMix64::new(5);
        let depths: Vec<f64> = (0..200)
            .map(|_| {
                let mut rows: Vec<u32> = (0..64).collect();
                let tree = IsolationTree::grow(&table, &mut rows, &mut rng);
                (0..64).map(|row| tree.depth(&table, row)).sum::<f64>() / 64.0
            })
            .collect();
        let mean = depths.iter().sum::<f64>() / 200.0;
        assert!((mean - mean_depth(64)).abs() < 0.4, "{mean}");
    }

    #[test]
    fn infinite_numbers_and_neighbours_can_be_cut() {
        let mut rng = SplitMix64::new(5);
        let next = f64::from_bits(1.0_f64.to_bits() + 1);
        for (least, most) in
            [(f64::NEG_INFINITY, f64::INFINITY), (1.0, next), (f64::MIN, f64::MAX), (0.0, f64::INFINITY)]
        {
            for _ in 0..50 {
                let place = place_between(least, most, &mut rng);
                assert!(least <= place && place < most, "{least} {most} {place}");
            }
        }
    }
}
