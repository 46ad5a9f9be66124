//! One regression tree, grown leaf by leaf where the loss falls most.

use super::bins::ColumnBins;
use super::histogram::{Derivatives, Layout, Sums, histogram, sibling};
use super::split::{BinSet, Limits, Split, best_split, leaf_value};

/// A tree over binned columns.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    /// The root first; a node's children come after it.
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug)]
enum Node {
    Leaf { value: f64 },
    Inner { column: u32, left: u32, right: u32, left_bins: BinSet },
}

impl Tree {
    /// Adds the tree's value for each row to `raw`.
    pub(super) fn add_to(&self, columns: &[Vec<u8>], raw: &mut [f64]) {
        for (row, raw) in raw.iter_mut().enumerate() {
            *raw += self.value(columns, row);
        }
    }

    fn value(&self, columns: &[Vec<u8>], row: usize) -> f64 {
        let mut position = 0;
        loop {
            match &self.nodes[position as usize] {
                Node::Leaf { value } => return *value,
                Node::Inner { column, left, right, left_bins } => {
                    let goes_left = left_bins.contains(columns[*column as usize][row]);
                    position = if goes_left { *left } else { *right };
                }
            }
        }
    }

    /// Whether any split looks at `column`.
    pub(super) fn uses(&self, column: usize) -> bool {
        let uses = |node: &Node| matches!(node, Node::Inner { column: used, .. } if *used as usize == column);
        self.nodes.iter().any(uses)
    }
}

/// What trees are grown on.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    pub(super) layout: Layout,
    pub(super) bins: &'a [ColumnBins],
    /// Bins by column, then row.
    pub(super) columns: &'a [Vec<u8>],
    pub(super) limits: Limits,
    pub(super) leaves_max: usize,
    /// What leaf values are multiplied by.
    pub(super) learning_rate: f64,
}

/// A leaf that may still be split.
struct Open {
    node: usize,
    /// Its rows, as a range of the common order.
    from: usize,
    to: usize,
    split: Split,
    histogram: Vec<Sums>,
}

impl Ground<'_> {
    /// A tree grown on `rows`, which are put into the order of its leaves. `derivatives` has one
    /// entry per row of the table; `gain` receives what each column's splits gained.
    pub(super) fn grow(&self, rows: &mut [u32], derivatives: &[Derivatives], gain: &mut [f64]) -> Tree {
        let mut nodes = Vec::new();
        let mut open: Vec<Open> = Vec::new();
        let of_rows: Vec<Derivatives> = rows.iter().map(|&row| derivatives[row as usize]).collect();
        let mut sums = Sums::default();
        for &[gradient, hessian] in &of_rows {
            sums += Sums { gradient, hessian, rows: 1.0 };
        }
        self.add_leaf(&mut nodes, sums);
        self.consider(&mut open, 0, (0, rows.len()), sums, || {
            histogram(&self.layout, self.columns, rows, &of_rows)
        });
        let mut leaves = 1;
        while leaves < self.leaves_max {
            let best =
                open.iter().enumerate().reduce(|a, b| if b.1.split.gain > a.1.split.gain { b } else { a });
            let Some((position, _)) = best else { break };
            let parent = open.swap_remove(position);
            gain[parent.split.column] += parent.split.gain;
            self.part(parent, rows, derivatives, &mut nodes, &mut open, leaves + 1 == self.leaves_max);
            leaves += 1;
        }
        Tree { nodes }
    }

    /// Splits `parent`; its children are considered for splitting unless they are the `last`.
    fn part(
        &self,
        parent: Open,
        rows: &mut [u32],
        derivatives: &[Derivatives],
        nodes: &mut Vec<Node>,
        open: &mut Vec<Open>,
        last: bool,
    ) {
        let Open { node, from, to, split, histogram: whole } = parent;
        let bins = &self.columns[split.column];
        let (left_rows, right_rows): (Vec<u32>, Vec<u32>) =
            rows[from..to].iter().partition(|&&row| split.left_bins.contains(bins[row as usize]));
        let middle = from + left_rows.len();
        rows[from..middle].copy_from_slice(&left_rows);
        rows[middle..to].copy_from_slice(&right_rows);
        let (left, right) = (nodes.len(), nodes.len() + 1);
        nodes[node] = Node::Inner {
            column: split.column as u32,
            left: left as u32,
            right: right as u32,
            left_bins: split.left_bins,
        };
        self.add_leaf(nodes, split.left);
        self.add_leaf(nodes, split.right);
        if last {
            return;
        }
        let sides = [(left, (from, middle), split.left), (right, (middle, to), split.right)];
        let worth = |sums: Sums| sums.rows >= 2.0 * self.limits.rows_min;
        if !worth(split.left) && !worth(split.right) {
            return;
        }
        // Only the smaller child's rows are looked at; the other's sums are the difference.
        let left_is_smaller = left_rows.len() <= right_rows.len();
        let smaller_rows = if left_is_smaller { &left_rows } else { &right_rows };
        let of_rows: Vec<Derivatives> = smaller_rows.iter().map(|&row| derivatives[row as usize]).collect();
        let smaller = histogram(&self.layout, self.columns, smaller_rows, &of_rows);
        let larger = sibling(whole, &smaller);
        let histograms = if left_is_smaller { [smaller, larger] } else { [larger, smaller] };
        for ((node, range, sums), histogram) in sides.into_iter().zip(histograms) {
            self.consider(open, node, range, sums, || histogram);
        }
    }

    /// Keeps a leaf in mind if it can be split.
    fn consider(
        &self,
        open: &mut Vec<Open>,
        node: usize,
        (from, to): (usize, usize),
        sums: Sums,
        histogram: impl FnOnce() -> Vec<Sums>,
    ) {
        if sums.rows < 2.0 * self.limits.rows_min {
            return;
        }
        let histogram = histogram();
        if let Some(split) = best_split(&self.layout, self.bins, &histogram, sums, self.limits) {
            open.push(Open { node, from, to, split, histogram });
        }
    }

    fn add_leaf(&self, nodes: &mut Vec<Node>, sums: Sums) {
        nodes.push(Node::Leaf { value: self.learning_rate * leaf_value(sums, self.limits.l2) });
    }
}
