//! The columns that the simulation watches, and how their rows are drawn.
//!
//! Every column is a cut or a curve of a standard normal value per row. In half of the families
//! the columns share a part of it, as the columns of a real log do.

use stats::special::normal_quantile;

use crate::random::Random;

/// How a column's values look.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Normal,
    LogNormal,
    /// Normal, rounded to a tenth of a standard deviation: many ties.
    Rounded,
    /// This many values with shares as 1, 1/2, 1/3, …
    Categories(usize),
}

/// What changes, from some week on.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Shift {
    None,
    /// The mean, in standard deviations.
    Mean(f64),
    /// This share of all rows moves from the commonest value to the tenth commonest.
    Mass(f64),
}

/// The 100 columns of a family. Of each hundred rows of column `i`, `2 (i mod 4)` have no value.
pub(crate) fn kinds() -> Vec<Kind> {
    let groups = [
        (20, Kind::Normal),
        (10, Kind::LogNormal),
        (10, Kind::Rounded),
        (20, Kind::Categories(5)),
        (20, Kind::Categories(30)),
        (10, Kind::Categories(200)),
        (10, Kind::Categories(5000)),
    ];
    groups.into_iter().flat_map(|(count, kind)| std::iter::repeat_n(kind, count)).collect()
}

/// The rows of one column in one window: numbers, or positions of categories as numbers.
pub(crate) struct Source {
    kind: Kind,
    missing: f64,
    /// Where the normal value is cut into categories.
    cuts: Vec<f64>,
    commonest: f64,
}

impl Source {
    pub(crate) fn new(kind: Kind, number: usize) -> Source {
        let missing = 0.02 * (number % 4) as f64;
        let Kind::Categories(values) = kind else {
            return Source { kind, missing, cuts: vec![], commonest: 0.0 };
        };
        let weight = |i: usize| 1.0 / (i as f64 + 1.0);
        let total: f64 = (0..values).map(weight).sum();
        let mut before = 0.0;
        let cuts = (0..values - 1)
            .map(|i| {
                before += weight(i) / total;
                normal_quantile(before)
            })
            .collect();
        Source { kind, missing, cuts, commonest: 1.0 / total }
    }

    /// Draws one value for each element of `shared`, what the row's columns have in common; NaN
    /// where they have nothing. Values that are missing are NaN.
    pub(crate) fn draw(&self, shared: &[f64], shift: Shift, random: &mut Random, values: &mut Vec<f64>) {
        const COMMON: f64 = 0.8; // of the variance
        values.clear();
        values.extend(shared.iter().map(|&common| {
            let own = random.normal();
            let latent =
                if common.is_nan() { own } else { COMMON.sqrt() * common + (1.0 - COMMON).sqrt() * own };
            let value = self.value(latent, shift, random);
            if self.missing > 0.0 && random.uniform() < self.missing { f64::NAN } else { value }
        }));
    }

    fn value(&self, latent: f64, shift: Shift, random: &mut Random) -> f64 {
        let moved = if let Shift::Mean(by) = shift { latent + by } else { latent };
        match self.kind {
            Kind::Normal => moved,
            Kind::LogNormal => moved.exp(),
            Kind::Rounded => (moved * 10.0).round() / 10.0,
            Kind::Categories(_) => {
                let category = self.cuts.partition_point(|&cut| cut < latent);
                match shift {
                    Shift::Mass(share) if category == 0 && random.uniform() < share / self.commonest => 9.0,
                    _ => category as f64,
                }
            }
        }
    }
}

/// The number of rows per category, of rows with a value.
pub(crate) fn category_counts(values: &[f64], categories: usize) -> Vec<u64> {
    let mut counts = vec![0; categories];
    for &value in values {
        counts[value as usize] += 1;
    }
    counts
}
