//! The summary of a column of embeddings: the mean vector and the spread around it, lengths, and a few
//! projections.
//!
//! A projection is the sum of a vector's entries, each with a sign that is drawn once and for all by the hash
//! of its position, over the root of their number. It is a number of the row alone, chosen without looking at
//! data, so what holds of tests of a numeric column holds of it; and distributions of vectors that differ, differ
//! in almost every projection (Cuesta-Albertos, Fraiman & Ransford 2007, "A sharp form of the Cramér–Wold
//! theorem", J. Theor. Probab. 20, for distributions that their moments determine). Where the mean moves by δ
//! times the spread, a projection moves by about δ times a standard normal number, in its standard deviations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::text::mixed;
use super::{Fidelity, QuantileSketch};
use crate::ecdf::Ecdf;

/// Projections that are kept.
pub const PROJECTIONS: usize = 8;
/// Lengths of vectors that are summarised, each by itself; rows of further ones are counted.
const MOST_LENGTHS: usize = 4;
/// Longer lists are no embeddings.
const MOST_ENTRIES: usize = 1 << 14;
/// Larger entries would overflow where they are squared.
const LARGEST_ENTRY: f64 = 1e100;

/// Count, mean and scatter of vectors.
///
/// Merging uses the formulas of Chan, Golub & LeVeque (1979), "Updating formulae and a pairwise algorithm
/// for computing sample variances", entry by entry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Centroid {
    n: u64,
    mean: Vec<f64>,
    /// The sum of the squared distances from the mean.
    scatter: f64,
}

impl Centroid {
    /// Adds a vector of finite entries, as long as those before it.
    pub fn add(&mut self, vector: &[f64]) {
        self.mean.resize(vector.len(), 0.0);
        self.n += 1;
        let n = self.n as f64;
        for (mean, entry) in self.mean.iter_mut().zip(vector) {
            let deviation = entry - *mean;
            *mean += deviation / n;
            self.scatter += deviation * (entry - *mean);
        }
    }

    pub fn merge(&mut self, other: &Self) {
        if other.n == 0 {
            return;
        }
        if self.n == 0 {
            self.clone_from(other);
            return;
        }
        let (mine, theirs) = (self.n as f64, other.n as f64);
        let whole = mine + theirs;
        let mut squared = 0.0;
        for (mean, other) in self.mean.iter_mut().zip(&other.mean) {
            let apart = other - *mean;
            squared += apart * apart;
            *mean += apart * theirs / whole;
        }
        self.scatter += other.scatter + squared * mine * theirs / whole;
        self.n += other.n;
    }

    /// Vectors added.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The mean vector; empty of nothing.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The trace of the covariance, divided by n − 1: the mean squared distance from the mean. 0 of one vector.
    pub fn trace(&self) -> f64 {
        if self.n < 2 { 0.0 } else { self.scatter / (self.n - 1) as f64 }
    }
}

/// Vectors of one length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct OfLength {
    centroid: Centroid,
    norms: QuantileSketch,
    projections: Vec<QuantileSketch>,
}

impl OfLength {
    fn new(fidelity: Fidelity) -> Self {
        Self {
            centroid: Centroid::default(),
            norms: QuantileSketch::new(fidelity),
            projections: vec![QuantileSketch::new(fidelity); PROJECTIONS],
        }
    }

    fn extend(&mut self, vectors: &[&[f64]]) {
        let signs = signs(vectors.first().map_or(0, |vector| vector.len()));
        let mut projected: Vec<Vec<f64>> = vec![Vec::new(); PROJECTIONS];
        let mut norms = Vec::with_capacity(vectors.len());
        for vector in vectors {
            self.centroid.add(vector);
            norms.push(vector.iter().map(|entry| entry * entry).sum::<f64>().sqrt());
            let root = (vector.len() as f64).sqrt();
            for (projected, signs) in projected.iter_mut().zip(&signs) {
                projected
                    .push(vector.iter().zip(signs).map(|(entry, sign)| entry * sign).sum::<f64>() / root);
            }
        }
        self.norms.extend(&norms);
        for (sketch, values) in self.projections.iter_mut().zip(&projected) {
            sketch.extend(values);
        }
    }

    fn sketches(&self) -> impl Iterator<Item = &QuantileSketch> {
        std::iter::once(&self.norms).chain(&self.projections)
    }

    fn sketches_mut(&mut self) -> impl Iterator<Item = &mut QuantileSketch> {
        std::iter::once(&mut self.norms).chain(&mut self.projections)
    }

    fn merge(&mut self, other: &Self) {
        self.centroid.merge(&other.centroid);
        for (mine, theirs) in self.sketches_mut().zip(other.sketches()) {
            mine.merge(theirs);
        }
    }
}

/// For each projection, 1 or −1 for each position.
fn signs(length: usize) -> Vec<Vec<f64>> {
    let of = |projection: usize| {
        let sign =
            |position: usize| 1.0 - 2.0 * ((mixed(position as u64 + 1) >> (8 * projection)) & 1) as f64;
        (0..length).map(sign).collect()
    };
    (0..PROJECTIONS).map(of).collect()
}

/// The summary of a column of embeddings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmbeddingProfile {
    fidelity: Fidelity,
    pub nulls: u64,
    /// Rows with a vector that is empty, or has an entry that is null, NaN, infinite or beyond any sense.
    pub broken: u64,
    /// Rows with vectors of further lengths.
    others: u64,
    by_length: BTreeMap<u32, OfLength>,
}

impl EmbeddingProfile {
    pub fn new(fidelity: Fidelity) -> Self {
        Self { fidelity, nulls: 0, broken: 0, others: 0, by_length: BTreeMap::new() }
    }

    /// Adds vectors, none of which has a null entry; those that are none are counted as broken.
    pub fn extend(&mut self, vectors: &[&[f64]]) {
        let mut by_length: BTreeMap<u32, Vec<&[f64]>> = BTreeMap::new();
        for &vector in vectors {
            let usable = (1..=MOST_ENTRIES).contains(&vector.len())
                && vector.iter().all(|entry| entry.abs() <= LARGEST_ENTRY);
            if usable {
                by_length.entry(vector.len() as u32).or_default().push(vector);
            } else {
                self.broken += 1;
            }
        }
        for (length, vectors) in by_length {
            match self.of_length(length) {
                Some(of) => of.extend(&vectors),
                None => self.others += vectors.len() as u64,
            }
        }
    }

    /// The summary of vectors of a length, where there is room for one.
    fn of_length(&mut self, length: u32) -> Option<&mut OfLength> {
        if self.by_length.len() >= MOST_LENGTHS && !self.by_length.contains_key(&length) {
            return None;
        }
        let fidelity = self.fidelity;
        Some(self.by_length.entry(length).or_insert_with(|| OfLength::new(fidelity)))
    }

    pub fn merge(&mut self, other: &Self) {
        self.nulls += other.nulls;
        self.broken += other.broken;
        self.others += other.others;
        for (length, theirs) in &other.by_length {
            match self.of_length(*length) {
                Some(mine) => mine.merge(theirs),
                None => self.others += theirs.centroid.n(),
            }
        }
    }

    /// The length that most vectors have, of several the smallest; `None` where there is no vector.
    pub fn dimensions(&self) -> Option<u32> {
        let most = self.by_length.iter().max_by_key(|(length, of)| (of.centroid.n(), u32::MAX - **length));
        most.map(|(length, _)| *length)
    }

    /// The same rows, of which only those with vectors of this length are present.
    #[must_use]
    pub fn of_dimensions(&self, dimensions: u32) -> Self {
        let mut kept = self.clone();
        kept.by_length.retain(|length, _| *length == dimensions);
        kept.others = self.rows() - self.nulls - self.broken - kept.present();
        kept
    }

    /// The vectors of the length that most have.
    fn main(&self) -> Option<&OfLength> {
        self.by_length.get(&self.dimensions()?)
    }

    /// The mean of the vectors of the length that most have, and their spread.
    pub fn centroid(&self) -> Option<&Centroid> {
        self.main().map(|of| &of.centroid)
    }

    /// Rows with a vector of the length that most have.
    pub fn present(&self) -> u64 {
        self.centroid().map_or(0, Centroid::n)
    }

    /// Rows with a vector of another length.
    pub fn of_other_length(&self) -> u64 {
        self.rows() - self.nulls - self.broken - self.present()
    }

    pub fn rows(&self) -> u64 {
        let present: u64 = self.by_length.values().map(|of| of.centroid.n()).sum();
        self.nulls + self.broken + self.others + present
    }

    /// The distribution of the vectors' norms, and of each projection; of the length that most have.
    pub fn ecdfs(&self) -> Vec<Ecdf> {
        match self.main() {
            Some(of) => of.sketches().map(QuantileSketch::ecdf).collect(),
            None => vec![QuantileSketch::new(self.fidelity).ecdf(); 1 + PROJECTIONS],
        }
    }

    /// Bytes on the heap, roughly, for memory accounting.
    pub fn heap_bytes(&self) -> usize {
        let of = |of: &OfLength| {
            of.centroid.mean.capacity() * 8 + of.sketches().map(QuantileSketch::heap_bytes).sum::<usize>()
        };
        self.by_length.values().map(of).sum()
    }

    /// Makes the sketches as small as they get, once before they are stored.
    pub fn compact(&mut self) {
        self.by_length.values_mut().flat_map(OfLength::sketches_mut).for_each(QuantileSketch::compact);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn profile(vectors: &[Vec<f64>]) -> EmbeddingProfile {
        let mut profile = EmbeddingProfile::new(Fidelity::Exact);
        profile.extend(&vectors.iter().map(Vec::as_slice).collect::<Vec<_>>());
        profile
    }

    #[test]
    fn vectors_of_another_length_and_broken_ones_are_counted_apart() {
        let mut of = profile(&[
            vec![3.0, 4.0],
            vec![0.0, 0.0],
            vec![1.0],
            vec![],
            vec![1.0, f64::NAN],
            vec![f64::INFINITY, 1.0],
        ]);
        of.nulls += 1;
        assert_eq!((of.dimensions(), of.rows(), of.present()), (Some(2), 7, 2));
        assert_eq!((of.broken, of.of_other_length()), (3, 1));
        assert_eq!(of.centroid().unwrap().mean(), [1.5, 2.0]);
        assert_eq!(of.centroid().unwrap().trace(), 12.5);
        assert_eq!(of.ecdfs()[0].max(), Some(5.0), "norms come first");
        let other = of.of_dimensions(1);
        assert_eq!((other.rows(), other.present(), other.of_other_length()), (7, 1, 2));
    }

    #[test]
    fn more_lengths_than_are_summarised_are_still_counted() {
        let vectors: Vec<Vec<f64>> = (1..=9).map(|length| vec![1.0; length]).collect();
        let mut of = profile(&vectors);
        assert_eq!((of.rows(), of.present(), of.of_other_length()), (9, 1, 8));
        of.merge(&profile(&vectors[4..]));
        assert_eq!((of.rows(), of.by_length.len()), (14, MOST_LENGTHS));
    }

    #[test]
    fn no_vectors_have_no_dimensions() {
        let of = profile(&[]);
        assert_eq!((of.dimensions(), of.rows(), of.ecdfs().len()), (None, 0, 1 + PROJECTIONS));
    }

    #[test]
    fn signs_are_balanced_and_projections_unlike() {
        let signs = signs(1_000);
        for (at, one) in signs.iter().enumerate() {
            // Four standard deviations of a sum of 1,000 signs are 126.
            assert!(one.iter().sum::<f64>().abs() < 126.0);
            for other in &signs[..at] {
                assert!(one.iter().zip(other).map(|(a, b)| a * b).sum::<f64>().abs() < 126.0);
            }
        }
    }

    proptest! {
        #[test]
        fn merged_parts_have_the_mean_and_spread_of_the_whole(
            entries in prop::collection::vec(-1e3..1e3_f64, 6..90), cut in 0usize..30
        ) {
            let vectors: Vec<Vec<f64>> = entries.chunks_exact(3).map(<[f64]>::to_vec).collect();
            let cut = cut.min(vectors.len());
            let mut merged = profile(&vectors[..cut]);
            merged.merge(&profile(&vectors[cut..]));
            let (merged, whole) = (merged.centroid().unwrap().clone(), profile(&vectors));
            let whole = whole.centroid().unwrap();
            prop_assert!((merged.trace() - whole.trace()).abs() <= 1e-9 * whole.trace().max(1.0));
            for (a, b) in merged.mean().iter().zip(whole.mean()) {
                prop_assert!((a - b).abs() <= 1e-9);
            }
        }
    }
}
