//! Rows and answers whose truth is known, for tests.

use rand_core::{RngCore, SeedableRng};
use types::answer::{RowSample, SampledColumn, SampledValues};

/// Steele, Lea & Flood's SplitMix64, the same numbers for the same seed.
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    /// In [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Standard normal (Box–Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.uniform(), self.uniform());
        (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }
}

impl RngCore for Seeded {
    fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }

    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.next_u64() as u8;
        }
    }
}

impl SeedableRng for Seeded {
    type Seed = [u8; 8];

    fn from_seed(seed: Self::Seed) -> Self {
        Self(u64::from_le_bytes(seed))
    }
}

/// A sample of numeric columns, without scores or outcomes.
pub(crate) fn sample(columns: Vec<(&str, Vec<f64>)>) -> RowSample {
    let rows = columns.first().map_or(0, |(_, values)| values.len());
    RowSample {
        columns: columns
            .into_iter()
            .map(|(name, values)| SampledColumn { name: name.into(), values: SampledValues::Numbers(values) })
            .collect(),
        scores: vec![f64::NAN; rows],
        outcomes: vec![None; rows],
        outcome_numbers: Vec::new(),
    }
}
