//! The few directions in which vectors vary most: what a learner can work with where there are thousands.
//!
//! # What it measures
//!
//! The subspace of the leading principal components, and the coordinates of each vector in it. Other than
//! [`crate::reconstruction`], it never forms a covariance matrix, so its cost grows with the number of entries
//! and not with its square.
//!
//! # When it misleads
//!
//! A change in a direction of little variance is not in it. Directions whose variances are nearly equal are
//! any basis of what they span.
//!
//! # Formula
//!
//! With the centred vectors as rows of X, `Q ← orth(Xᵀ X Q)` from a random Q of a few columns more than asked
//! for, six times; then the eigenvectors of `(XQ)ᵀ XQ` turn Q to the principal axes.
//!
//! # Example
//!
//! ```
//! use stats::embedding::Embeddings;
//! use stats::principal_directions::principal_coordinates;
//! # struct Seeded(u64);
//! # impl rand_core::RngCore for Seeded {
//! #     fn next_u32(&mut self) -> u32 { self.next_u64() as u32 }
//! #     fn next_u64(&mut self) -> u64 { self.0 = self.0.wrapping_mul(6364136223846793005) + 1; self.0 }
//! #     fn fill_bytes(&mut self, bytes: &mut [u8]) { bytes.fill(0); }
//! # }
//! let vectors = Embeddings::new(vec![1.0, 1.0, 3.0, 1.0, 5.0, 1.0], 2)?;
//! let along = principal_coordinates(&vectors, 1, &mut Seeded(1));
//! assert!((along.entries()[0].abs() - 2.0).abs() < 1e-9, "two from the middle");
//! # Ok::<(), stats::embedding::EmbeddingError>(())
//! ```
//!
//! # References
//!
//! * N. Halko, P. G. Martinsson, J. A. Tropp, "Finding structure with randomness: probabilistic algorithms
//!   for constructing approximate matrix decompositions", SIAM Rev. 53, 2011, algorithm 4.4.

use rand_core::RngCore;

use crate::embedding::{Embeddings, dot};
use crate::symmetric_eigen::symmetric_eigen;

/// Directions beyond those asked for, which make the others converge.
const FURTHER: usize = 8;
/// Of the subspace iteration.
const ITERATIONS: usize = 6;
/// A vector shorter than this share of what it was lies in what the others span.
const DEPENDENT: f64 = 1e-10;

/// The coordinates of each vector along the `count` directions of largest variance, from their mean. Fewer
/// where the vectors do not vary in as many directions; the vectors as they are where they are no longer.
pub fn principal_coordinates(vectors: &Embeddings, count: usize, rng: &mut impl RngCore) -> Embeddings {
    if vectors.dimensions() <= count || count == 0 || vectors.rows() == 0 {
        return vectors.clone();
    }
    let centred = centred(vectors);
    let mut basis: Vec<Vec<f64>> = (0..count + FURTHER)
        .map(|_| {
            (0..vectors.dimensions()).map(|_| f64::from(rng.next_u32()) / f64::from(u32::MAX) - 0.5).collect()
        })
        .collect();
    for _ in 0..ITERATIONS {
        orthonormalise(&mut basis);
        basis = basis.iter().map(|direction| scattered(&centred, direction)).collect();
    }
    orthonormalise(&mut basis);
    let coordinates: Vec<Vec<f64>> = centred.iter().map(|vector| along(&basis, vector)).collect();
    let scatter = (0..basis.len())
        .map(|a| (0..basis.len()).map(|b| coordinates.iter().map(|at| at[a] * at[b]).sum()).collect())
        .collect();
    let axes: Vec<Vec<f64>> = symmetric_eigen(scatter)
        .map(|pairs| pairs.into_iter().take(count).map(|pair| pair.vector).collect())
        .unwrap_or_default();
    // Vectors that are all alike have no direction; one coordinate that is 0 says so.
    let length = axes.len().max(1);
    let entries: Vec<f64> = coordinates
        .iter()
        .flat_map(|at| if axes.is_empty() { vec![0.0] } else { along(&axes, at) })
        .collect();
    Embeddings::new(entries, length).unwrap_or_else(|_| vectors.clone())
}

fn centred(vectors: &Embeddings) -> Vec<Vec<f64>> {
    let centroid = vectors.centroid();
    let from_mean = |vector: &[f64]| vector.iter().zip(centroid.mean()).map(|(x, mean)| x - mean).collect();
    vectors.entries().chunks_exact(vectors.dimensions()).map(from_mean).collect()
}

/// `Xᵀ X direction`.
fn scattered(centred: &[Vec<f64>], direction: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; direction.len()];
    for vector in centred {
        let weight = dot(vector, direction);
        sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += weight * x);
    }
    sum
}

fn along(basis: &[Vec<f64>], vector: &[f64]) -> Vec<f64> {
    basis.iter().map(|direction| dot(direction, vector)).collect()
}

/// Gram–Schmidt, twice, so that rounding does not tilt the directions; those that depend on others are gone.
fn orthonormalise(basis: &mut Vec<Vec<f64>>) {
    let mut kept: Vec<Vec<f64>> = Vec::with_capacity(basis.len());
    for mut direction in basis.drain(..) {
        let before = dot(&direction, &direction).sqrt();
        for _ in 0..2 {
            for other in &kept {
                let share = dot(&direction, other);
                direction.iter_mut().zip(other).for_each(|(x, other)| *x -= share * other);
            }
        }
        let length = dot(&direction, &direction).sqrt();
        if length > DEPENDENT * before && length.is_finite() {
            for x in &mut direction {
                *x /= length;
            }
            kept.push(direction);
        }
    }
    *basis = kept;
}
