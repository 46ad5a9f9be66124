//! How many different values a column has, when there are too many to keep.

use datasketches::hll::{HllSketch, HllType, HllUnion};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// 2^12 registers: a relative standard error of 1.04 / √4096 ≈ 1.6 %.
const LG_REGISTERS: u8 = 12;

/// A mergeable count of different values (HyperLogLog, Flajolet et al. 2007).
///
/// The algorithm and its stored form are those of the Apache DataSketches library.
#[derive(Clone, Debug)]
pub(crate) struct DistinctSketch(HllSketch);

impl Default for DistinctSketch {
    fn default() -> Self {
        Self(HllSketch::new(LG_REGISTERS, HllType::Hll8).expect("12 is a valid register exponent"))
    }
}

impl DistinctSketch {
    pub(crate) fn add(&mut self, value: &str) {
        self.0.update(value);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        let mut union = HllUnion::new(LG_REGISTERS).expect("12 is a valid register exponent");
        union.update(&self.0);
        union.update(&other.0);
        self.0 = union.to_sketch(HllType::Hll8);
    }

    pub(crate) fn estimate(&self) -> f64 {
        self.0.estimate()
    }
}

impl PartialEq for DistinctSketch {
    fn eq(&self, other: &Self) -> bool {
        self.0.serialize() == other.0.serialize()
    }
}

impl Serialize for DistinctSketch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DistinctSketch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Vec::<u8>::deserialize(deserializer)?;
        HllSketch::deserialize(&bytes).map(Self).map_err(serde::de::Error::custom)
    }
}
