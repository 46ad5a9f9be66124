//! Drift of embeddings: how far their mean moved, and whether chance alone would move it so far.
//!
//! # What it measures
//!
//! The distance between the mean vectors of two sides, Euclidean (in the embedding's unit) and
//! cosine (0 for the same direction, 1 for right angles, 2 for opposite ones), beside what sampling
//! alone would give. In thousands of dimensions, means of the same distribution lie visibly apart;
//! a distance without that value cannot be read.
//!
//! # When it misleads
//!
//! * Means can stay where they are while everything around them changes: embeddings that split into
//!   two groups, or spread out. The [domain classifier](crate::domain_classifier) on the dimensions
//!   ([`Embeddings::features`]) finds that too, at a higher cost.
//! * A new version of the embedding model moves everything, and says nothing about the inputs.
//! * The direction of a mean that chance could have made is no direction; the cosine distance is
//!   left out then.
//! * Rows that belong together (parts of one document) make chance look smaller than it is.
//!
//! # Formula
//!
//! `T = ‖m − m′‖²` with the sides' means. Without drift its mean is `tr(S)`, `S = Σ/n + Σ′/n′` from
//! the covariances (divided by n − 1), and its variance about `2 tr(S²)`: T is a weighted sum of
//! squares of normals, and is held against the multiple of a chi-square that has the same mean and
//! variance. `tr(S²)` is estimated without any covariance matrix: for rows `a, b, c, d` of one side,
//! `((a − b)ᵀ(c − d))²/4` has mean `tr(Σ²)`, and likewise with one pair of each side for `tr(ΣΣ′)`;
//! averaged over pairs drawn without replacement. The expected Euclidean distance is given as
//! `√tr(S)`, which it does not exceed. The expected cosine distance is, to second order,
//! `(tr(S) − uᵀSu) / (2 ‖m‖²)` with `u = m/‖m‖` of the reference.
//!
//! # Example
//!
//! ```
//! use stats::embedding::{Embeddings, centroid_drift};
//! # struct Seeded(u64);
//! # impl rand_core::RngCore for Seeded {
//! #     fn next_u32(&mut self) -> u32 { self.next_u64() as u32 }
//! #     fn next_u64(&mut self) -> u64 { self.0 = self.0.wrapping_mul(6364136223846793005) + 1; self.0 }
//! #     fn fill_bytes(&mut self, bytes: &mut [u8]) { bytes.fill(0); }
//! # }
//! # let mut rng = Seeded(1);
//! let reference = Embeddings::new(vec![1.0, 0.0, 3.0, 0.0, 1.0, 1.0, 3.0, 1.0], 2)?;
//! let current = Embeddings::new(vec![0.5, 2.0, 0.5, 4.0, 0.5, 2.0, 0.5, 4.0], 2)?;
//! let drift = centroid_drift(&reference, &current, &mut rng)?;
//! assert_eq!(drift.euclidean, (1.5_f64.powi(2) + 2.5_f64.powi(2)).sqrt());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * Z. Bai, H. Saranadasa, "Effect of high dimension: by an example of a two sample problem", Stat.
//!   Sinica 6, 1996; S. X. Chen, Y.-L. Qin, "A two-sample test for high-dimensional data with
//!   applications to gene-set testing", Ann. Stat. 38, 2010: tests by `T`, and `tr(Σ²)`.
//! * F. E. Satterthwaite, "An approximate distribution of estimates of variance components",
//!   Biometrics 2, 1946: the matched chi-square.

use rand_core::RngCore;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::counts::Side;
use crate::interval::{Interval, IntervalMethod, Level};
use crate::learn::{Column, Features};
use crate::random::shuffle;
use crate::sketch::vectors::Centroid;
use crate::special::chi_square_sf;

/// Rows of each side, at least: two pairs of rows.
const ROWS_MIN: usize = 4;
/// A mean vector has a direction if its square is this many times what chance gives it.
const DIRECTION: f64 = 4.0;

/// Vectors of the same length, one per row.
#[derive(Clone, Debug, PartialEq)]
pub struct Embeddings {
    /// Row by row.
    values: Vec<f64>,
    dimensions: usize,
}

/// Why vectors are no embeddings, or have no distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EmbeddingError {
    /// Vectors without entries.
    #[error("use vectors of length 0")]
    NoDimensions,
    /// The last vector is cut off.
    #[error("cut {values} values into vectors of length {dimensions}")]
    Ragged {
        /// All values.
        values: usize,
        /// The length of a vector.
        dimensions: usize,
    },
    /// A vector with a hole.
    #[error("use the vector of row {row}: entry {dimension} is not a finite number")]
    NotFinite {
        /// Position of the row.
        row: usize,
        /// Position in its vector.
        dimension: usize,
    },
    /// Vectors of different lengths.
    #[error("compare vectors of length {reference} with vectors of length {current}")]
    DimensionsDiffer {
        /// Of the reference.
        reference: usize,
        /// Of the current side.
        current: usize,
    },
    /// Not enough for pairs of rows.
    #[error(
        "tell how far chance moves the mean: too few rows on the {side} side, {n} where at least {needed} are needed"
    )]
    TooFewRows {
        /// Which one.
        side: Side,
        /// Its rows.
        n: usize,
        /// Rows needed.
        needed: usize,
    },
    /// A distance is larger than the largest floating-point number.
    #[error("measure a distance beyond the range of 64-bit floating point")]
    TooFar,
}

impl Embeddings {
    /// Vectors of length `dimensions`, one after the other: shape `[rows × dimensions]`.
    pub fn new(values: Vec<f64>, dimensions: usize) -> Result<Embeddings, EmbeddingError> {
        if dimensions == 0 {
            return Err(EmbeddingError::NoDimensions);
        }
        if !values.len().is_multiple_of(dimensions) {
            return Err(EmbeddingError::Ragged { values: values.len(), dimensions });
        }
        match values.iter().position(|value| !value.is_finite()) {
            Some(at) => Err(EmbeddingError::NotFinite { row: at / dimensions, dimension: at % dimensions }),
            None => Ok(Embeddings { values, dimensions }),
        }
    }

    /// The number of vectors.
    pub fn rows(&self) -> usize {
        self.values.len() / self.dimensions
    }

    /// The length of a vector.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The entries, vector by vector.
    pub fn entries(&self) -> &[f64] {
        &self.values
    }

    /// The dimensions as columns, for the [domain classifier](crate::domain_classifier).
    pub fn features(&self) -> Features {
        let column = |dimension: usize| {
            Column::Numeric(self.values.iter().skip(dimension).step_by(self.dimensions).copied().collect())
        };
        Features::new((0..self.dimensions).map(column).collect()).expect("vectors have the same length")
    }

    /// The mean of the vectors and their spread.
    pub fn centroid(&self) -> Centroid {
        let mut centroid = Centroid::default();
        self.vectors().for_each(|vector| centroid.add(vector));
        centroid
    }

    fn vectors(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.values.chunks_exact(self.dimensions)
    }

    fn vector(&self, row: usize) -> &[f64] {
        &self.values[row * self.dimensions..(row + 1) * self.dimensions]
    }
}

/// How far the mean vector moved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CentroidDrift {
    /// Euclidean distance between the means.
    pub euclidean: f64,
    /// Of the Euclidean distance without sampling noise.
    pub interval: Interval,
    /// What sampling alone gives it, at most.
    pub euclidean_expected_no_drift: f64,
    /// The distance in units of the reference's spread, the root mean square distance of its rows
    /// from their mean; 0 where neither side moves nor spreads, None where the reference does not.
    pub in_spreads: Option<f64>,
    /// Cosine distance between the means; None where a mean has no direction.
    pub cosine: Option<f64>,
    /// What sampling alone gives it, about; None as for the distance.
    pub cosine_expected_no_drift: Option<f64>,
    /// How often a Euclidean distance this large comes about without drift; approximate.
    pub p_value: f64,
    /// Rows of the reference.
    pub n_reference: u64,
    /// Rows of the current side.
    pub n_current: u64,
}

/// How far the mean of `current` lies from that of `reference`. `rng` chooses the pairs of rows by
/// which the p-value is found; nothing else is random.
///
/// # Errors
/// Vectors of different lengths, fewer than four of a side, distances too large for a number.
pub fn centroid_drift(
    reference: &Embeddings,
    current: &Embeddings,
    rng: &mut impl RngCore,
) -> Result<CentroidDrift, EmbeddingError> {
    let (before, after) = (reference.centroid(), current.centroid());
    let of = |centroid, sample| Sampled { centroid, sample };
    sampled_centroid_drift(of(&before, reference), of(&after, current), rng)
}

/// The mean and spread of all rows of a side, and some of its rows, drawn at random.
#[derive(Clone, Copy, Debug)]
pub struct Sampled<'a> {
    pub centroid: &'a Centroid,
    /// The p-value, the interval and what chance gives the cosine rest on these.
    pub sample: &'a Embeddings,
}

/// As [`centroid_drift`], with means and spreads of more rows than are at hand.
///
/// # Errors
/// Vectors of different lengths, fewer than four of a side in the sample, distances too large for a number.
pub fn sampled_centroid_drift(
    reference: Sampled<'_>,
    current: Sampled<'_>,
    rng: &mut impl RngCore,
) -> Result<CentroidDrift, EmbeddingError> {
    check(reference, current)?;
    let (before, after) = (Compared::of(reference), Compared::of(current));
    let squared = squared_distance(before.mean(), after.mean());
    let chance = before.noise() + after.noise();
    let squares = trace_of_square(&before, &after, rng);
    let euclidean = squared.sqrt();
    let (cosine, cosine_expected_no_drift) = match cosines(&before, &after) {
        Some((cosine, expected)) => (Some(cosine), Some(expected)),
        None => (None, None),
    };
    let spread = before.centroid.trace();
    let in_spreads =
        if spread == 0.0 { (squared == 0.0).then_some(0.0) } else { Some(euclidean / spread.sqrt()) };
    let drift = CentroidDrift {
        euclidean,
        interval: interval(&before, &after, squared - chance, squares),
        euclidean_expected_no_drift: chance.sqrt(),
        in_spreads,
        cosine,
        cosine_expected_no_drift,
        p_value: p_value(squared, chance, squares),
        n_reference: reference.centroid.n(),
        n_current: current.centroid.n(),
    };
    let numbers = [squared, chance, squares, in_spreads.unwrap_or(0.0)];
    if numbers.iter().all(|number| number.is_finite()) { Ok(drift) } else { Err(EmbeddingError::TooFar) }
}

fn check(reference: Sampled<'_>, current: Sampled<'_>) -> Result<(), EmbeddingError> {
    let lengths = |side: Sampled<'_>| [side.centroid.mean().len(), side.sample.dimensions];
    let (before, after) = (lengths(reference), lengths(current));
    if let Some(other) = [before[1], after[0], after[1]].into_iter().find(|length| *length != before[0]) {
        return Err(EmbeddingError::DimensionsDiffer { reference: before[0], current: other });
    }
    for (side, name) in [(reference, Side::Reference), (current, Side::Current)] {
        let n = side.sample.rows().min(side.centroid.n() as usize);
        if n < ROWS_MIN {
            return Err(EmbeddingError::TooFewRows { side: name, n, needed: ROWS_MIN });
        }
    }
    Ok(())
}

/// One side, with the mean of the sample beside that of all rows.
struct Compared<'a> {
    centroid: &'a Centroid,
    sample: &'a Embeddings,
    sample_mean: Vec<f64>,
}

impl<'a> Compared<'a> {
    fn of(side: Sampled<'a>) -> Self {
        let sample_mean = side.sample.centroid().mean().to_vec();
        Self { centroid: side.centroid, sample: side.sample, sample_mean }
    }

    fn mean(&self) -> &[f64] {
        self.centroid.mean()
    }

    fn n(&self) -> f64 {
        self.centroid.n() as f64
    }

    /// The expected squared distance of the mean from the true one.
    fn noise(&self) -> f64 {
        self.centroid.trace() / self.n()
    }

    /// The variance of the rows along `direction`, of length 1.
    fn variance_along(&self, direction: &[f64]) -> f64 {
        let middle = dot(&self.sample_mean, direction);
        let squares = self.sample.vectors().map(|vector| (dot(vector, direction) - middle).powi(2));
        squares.sum::<f64>() / (self.sample.rows() as f64 - 1.0)
    }

    fn has_direction(&self) -> bool {
        dot(self.mean(), self.mean()) > DIRECTION * self.noise()
    }
}

/// Of the distance without sampling noise: its square is estimated by `excess`, with a variance of about
/// `2 tr(S²) + 4 δᵀSδ`, δ being the difference of the means.
fn interval(before: &Compared<'_>, after: &Compared<'_>, excess: f64, squares: f64) -> Interval {
    let apart: Vec<f64> = before.mean().iter().zip(after.mean()).map(|(a, b)| b - a).collect();
    let distance = dot(&apart, &apart).sqrt();
    let direction: Vec<f64> = apart.iter().map(|x| if distance > 0.0 { x / distance } else { 0.0 }).collect();
    let along = |side: &Compared<'_>| side.variance_along(&direction) / side.n();
    let variance = 2.0 * squares + 4.0 * distance * distance * (along(before) + along(after));
    let level = Level::P95;
    let width = level.z() * variance.sqrt();
    let (lower, upper) = ((excess - width).max(0.0).sqrt(), (excess + width).max(0.0).sqrt());
    Interval { lower, upper, level, method: IntervalMethod::NormalOfSquare }
}

/// The cosine distance and what chance gives it; None where a mean has no direction.
fn cosines(before: &Compared<'_>, after: &Compared<'_>) -> Option<(f64, f64)> {
    if !before.has_direction() || !after.has_direction() {
        return None;
    }
    let unit = |mean: &[f64]| {
        let length = dot(mean, mean).sqrt();
        mean.iter().map(|x| x / length).collect::<Vec<f64>>()
    };
    let (u, v) = (unit(before.mean()), unit(after.mean()));
    // Half the squared distance of unit vectors: 1 − u·v would cancel for close ones.
    let cosine = (squared_distance(&u, &v) / 2.0).clamp(0.0, 2.0);
    let around = |side: &Compared<'_>| (side.centroid.trace() - side.variance_along(&u)).max(0.0) / side.n();
    let length = dot(before.mean(), before.mean());
    let expected = (around(before) + around(after)) / (2.0 * length);
    (cosine.is_finite() && expected.is_finite()).then_some((cosine, expected))
}

/// `tr(S²)`, estimated from disjoint pairs of rows.
fn trace_of_square(before: &Compared<'_>, after: &Compared<'_>, rng: &mut impl RngCore) -> f64 {
    let of_reference = differences(before.sample, rng);
    let of_current = differences(after.sample, rng);
    let (n, m) = (before.n(), after.n());
    // Within a side, each pair with the next; between sides, pair by pair.
    let within = |pairs: &[Vec<f64>]| mean_square(pairs.chunks_exact(2).map(|two| dot(&two[0], &two[1])));
    let between = mean_square(of_reference.iter().zip(&of_current).map(|(a, b)| dot(a, b)));
    let (first, second) = (within(&of_reference), within(&of_current));
    (first / n / n + second / m / m + 2.0 * between / n / m) / 4.0
}

/// Differences between the rows of disjoint random pairs.
fn differences(embeddings: &Embeddings, rng: &mut impl RngCore) -> Vec<Vec<f64>> {
    let mut rows: Vec<u32> = (0..embeddings.rows() as u32).collect();
    shuffle(&mut rows, rng);
    let difference = |pair: &[u32]| {
        let (a, b) = (embeddings.vector(pair[0] as usize), embeddings.vector(pair[1] as usize));
        a.iter().zip(b).map(|(a, b)| a - b).collect()
    };
    rows.chunks_exact(2).map(difference).collect()
}

fn mean_square(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.map(|value| value * value / n).sum()
}

/// The tail beyond `squared` of a multiple of chi-square with the given mean and half the variance.
fn p_value(squared: f64, mean: f64, half_variance: f64) -> f64 {
    if mean == 0.0 {
        // Neither side varies: any distance at all is drift.
        return if squared == 0.0 { 1.0 } else { 0.0 };
    }
    // A trace of a square is at most the square of the trace: at least one degree of freedom.
    let degrees_of_freedom = (mean * mean / half_variance).max(1.0);
    // Beyond this, the chi-square has no width left that its tail could resolve.
    let degrees_of_freedom = degrees_of_freedom.min(1e6);
    chi_square_sf(squared / mean * degrees_of_freedom, degrees_of_freedom)
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}
