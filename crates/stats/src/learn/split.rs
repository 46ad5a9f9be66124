//! The best way to part a node's rows by one column.

use super::bins::ColumnBins;
use super::features::ColumnKind;
use super::histogram::{Layout, Sums};

/// Added to a category's hessian before categories are put in order, so that rare ones do not come
/// first by chance.
const CATEGORY_SMOOTHING: f64 = 10.0;
/// Categories with fewer rows in a node go together: alone, they could only be learnt by heart.
const CATEGORY_ROWS: f64 = 10.0;
/// A child must have at least this much curvature for its value to be stable.
const HESSIAN_MIN: f64 = 1e-3;
/// Gains below this, per row, are rounding.
const GAIN_MIN: f64 = 1e-12;

/// What a child must have, and what large leaf values cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) rows_min: f64,
    pub(super) l2: f64,
}

/// A set of bins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BinSet([u64; 4]);

impl BinSet {
    pub(super) fn insert(&mut self, bin: u8) {
        self.0[usize::from(bin >> 6)] |= 1 << (bin & 63);
    }

    pub(super) fn contains(&self, bin: u8) -> bool {
        self.0[usize::from(bin >> 6)] >> (bin & 63) & 1 == 1
    }
}

/// A node's rows parted in two.
#[derive(Clone, Copy, Debug)]
pub(super) struct Split {
    pub(super) column: usize,
    /// By how much the loss falls, in the second-order approximation.
    pub(super) gain: f64,
    /// Bins that go left. Those without rows here go where most rows went.
    pub(super) left_bins: BinSet,
    pub(super) left: Sums,
    pub(super) right: Sums,
}

/// The best split of a node; None where none helps. The first column wins among equals.
pub(super) fn best_split(
    layout: &Layout,
    columns: &[ColumnBins],
    histogram: &[Sums],
    node: Sums,
    limits: Limits,
) -> Option<Split> {
    let node_score = node.gradient * node.gradient / (node.hessian + limits.l2);
    let mut best: Option<Split> = None;
    for (column, bins) in columns.iter().enumerate() {
        let slots = &histogram[layout.bins(column)];
        let search = Search { column, slots, node, node_score, limits };
        let found = match bins.kind() {
            ColumnKind::Numeric => search.by_threshold(),
            ColumnKind::Categorical => search.by_category(),
        };
        if let Some(found) = found
            && best.is_none_or(|best| found.gain > best.gain)
        {
            best = Some(found);
        }
    }
    best
}

/// The value that makes a leaf's loss least.
pub(super) fn leaf_value(sums: Sums, l2: f64) -> f64 {
    -sums.gradient / (sums.hessian + l2)
}

struct Search<'a> {
    column: usize,
    slots: &'a [Sums],
    node: Sums,
    /// `G² / (H + λ)` of the node.
    node_score: f64,
    limits: Limits,
}

impl Search<'_> {
    /// Values up to some bin go left; missing ones with either side.
    fn by_threshold(&self) -> Option<Split> {
        let (&missing, values) = self.slots.split_last()?;
        let without = self.best_cut(values.iter().copied(), Sums::default());
        let with = (missing.rows > 0.0).then(|| self.best_cut(values.iter().copied(), missing)).flatten();
        let missing_left = with.is_some_and(|with| without.is_none_or(|without| with.gain > without.gain));
        let cut = if missing_left { with } else { without }?;
        let mut left_bins = BinSet::default();
        (0..=cut.last).for_each(|bin| left_bins.insert(bin as u8));
        if missing_left || (missing.rows == 0.0 && self.most_go_left(&cut)) {
            left_bins.insert(values.len() as u8);
        }
        Some(self.split(&cut, left_bins))
    }

    /// Categories in the order of their mean gradient, cut at some place; among all partitions into
    /// two sets, the best is one of these (Fisher 1958).
    fn by_category(&self) -> Option<Split> {
        let mut groups: Vec<(f64, Sums, BinSet)> = Vec::new();
        let (mut rare, mut rare_bins) = (Sums::default(), BinSet::default());
        for (bin, &slot) in (0_u8..=u8::MAX).zip(self.slots) {
            if slot.rows >= CATEGORY_ROWS {
                let mut bins = BinSet::default();
                bins.insert(bin);
                groups.push((mean_gradient(slot), slot, bins));
            } else if slot.rows > 0.0 {
                rare += slot;
                rare_bins.insert(bin);
            }
        }
        if rare.rows > 0.0 {
            groups.push((mean_gradient(rare), rare, rare_bins));
        }
        groups.sort_by(|a, b| a.0.total_cmp(&b.0));
        let cut = self.best_cut(groups.iter().map(|&(_, sums, _)| sums), Sums::default())?;
        let mut left_bins = BinSet::default();
        let most_left = self.most_go_left(&cut);
        for (bin, slot) in (0_u8..=u8::MAX).zip(self.slots) {
            let among_left = groups[..=cut.last].iter().any(|(.., bins)| bins.contains(bin));
            if among_left || (slot.rows == 0.0 && most_left) {
                left_bins.insert(bin);
            }
        }
        Some(self.split(&cut, left_bins))
    }

    /// The best place to cut a sequence of groups, when `left` has gone left already; None where a
    /// child would be too small or nothing is gained.
    fn best_cut(&self, groups: impl Iterator<Item = Sums>, mut left: Sums) -> Option<Cut> {
        let Limits { rows_min, l2 } = self.limits;
        let (mut least, mut best) = (GAIN_MIN * self.node.rows, None);
        for (position, group) in groups.enumerate() {
            left += group;
            if group.rows == 0.0 || left.rows < rows_min || left.hessian < HESSIAN_MIN {
                continue;
            }
            let right = self.node - left;
            if right.rows < rows_min || right.hessian < HESSIAN_MIN {
                break;
            }
            // Both children's scores over one denominator: this is the innermost loop.
            let (l, r) = (left.hessian + l2, right.hessian + l2);
            let children =
                (left.gradient * left.gradient * r + right.gradient * right.gradient * l) / (l * r);
            let gain = (children - self.node_score) / 2.0;
            if gain > least {
                least = gain;
                best = Some(Cut { last: position, gain, left });
            }
        }
        best
    }

    fn most_go_left(&self, cut: &Cut) -> bool {
        cut.left.rows > self.node.rows - cut.left.rows
    }

    fn split(&self, cut: &Cut, left_bins: BinSet) -> Split {
        let &Cut { gain, left, .. } = cut;
        Split { column: self.column, gain, left_bins, left, right: self.node - left }
    }
}

/// A sequence of groups parted after the group at `last`.
#[derive(Clone, Copy)]
struct Cut {
    last: usize,
    gain: f64,
    left: Sums,
}

fn mean_gradient(sums: Sums) -> f64 {
    sums.gradient / (sums.hessian + CATEGORY_SMOOTHING)
}
