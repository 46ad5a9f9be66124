//! Sums of gradients per bin: all that a split needs to know about the rows of a node.

use std::ops::{Add, AddAssign, Sub};

/// First and second derivatives of the loss, added up over rows, and how many rows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sums {
    pub(super) gradient: f64,
    pub(super) hessian: f64,
    /// A count; a float because it is added like the other two.
    pub(super) rows: f64,
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Sums) {
        self.gradient += other.gradient;
        self.hessian += other.hessian;
        self.rows += other.rows;
    }
}

impl Add for Sums {
    type Output = Sums;

    fn add(mut self, other: Sums) -> Sums {
        self += other;
        self
    }
}

impl Sub for Sums {
    type Output = Sums;

    fn sub(self, other: Sums) -> Sums {
        Sums {
            gradient: self.gradient - other.gradient,
            hessian: self.hessian - other.hessian,
            rows: self.rows - other.rows,
        }
    }
}

/// The gradient and hessian of one row.
pub(super) type Derivatives = [f64; 2];

/// Where each column's bins lie in one long histogram.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// One more than there are columns.
    offsets: Vec<usize>,
}

impl Layout {
    /// For columns with bins `0..=highest`.
    pub(super) fn new(highest: impl Iterator<Item = u8>) -> Layout {
        let mut offsets = vec![0];
        for bin in highest {
            offsets.push(offsets[offsets.len() - 1] + usize::from(bin) + 1);
        }
        Layout { offsets }
    }

    pub(super) fn bins(&self, column: usize) -> std::ops::Range<usize> {
        self.offsets[column]..self.offsets[column + 1]
    }

    fn total(&self) -> usize {
        self.offsets[self.offsets.len() - 1]
    }
}

/// The histogram of `rows` over all columns; `derivatives` are those of `rows`, in their order.
pub(super) fn histogram(
    layout: &Layout,
    columns: &[Vec<u8>],
    rows: &[u32],
    derivatives: &[Derivatives],
) -> Vec<Sums> {
    let mut whole = vec![Sums::default(); layout.total()];
    // Of a fixed size, so that a byte needs no check to be an index.
    let mut slots = [Sums::default(); 256];
    for (column, bins) in columns.iter().enumerate() {
        let range = layout.bins(column);
        let used = range.len();
        slots[..used].fill(Sums::default());
        for (&row, &[gradient, hessian]) in rows.iter().zip(derivatives) {
            slots[usize::from(bins[row as usize])] += Sums { gradient, hessian, rows: 1.0 };
        }
        whole[range].copy_from_slice(&slots[..used]);
    }
    whole
}

/// What is left of `parent` without one of its two children.
pub(super) fn sibling(mut parent: Vec<Sums>, child: &[Sums]) -> Vec<Sums> {
    for (slot, &child) in parent.iter_mut().zip(child) {
        let left = *slot - child;
        // Counts are exact; without rows, what is left of the derivatives is rounding.
        *slot = if left.rows == 0.0 { Sums::default() } else { left };
    }
    parent
}
