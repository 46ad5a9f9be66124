//! The stored form of sorted order keys with their weights: the steps between keys, then the weights.
//!
//! Neighbouring keys share their high bits and most weights are equal, so both columns shrink well
//! when they are compressed. A stored sketch with keys out of order or columns of different lengths is
//! refused.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(super) fn serialize<S: Serializer>(points: &[(u64, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut sorted = points.to_vec();
    sorted.sort_unstable();
    let mut before = 0;
    let steps: Vec<u64> = sorted.iter().map(|&(key, _)| key - std::mem::replace(&mut before, key)).collect();
    let weights: Vec<u64> = sorted.iter().map(|&(_, weight)| weight).collect();
    (steps, weights).serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(u64, u64)>, D::Error> {
    let (steps, weights) = <(Vec<u64>, Vec<u64>)>::deserialize(deserializer)?;
    if steps.len() != weights.len() {
        return Err(D::Error::custom("keys and weights differ in length"));
    }
    let mut key = 0_u64;
    steps
        .into_iter()
        .zip(weights)
        .map(|(step, weight)| {
            key = key.checked_add(step).ok_or_else(|| D::Error::custom("keys run past 64 bits"))?;
            Ok((key, weight))
        })
        .collect()
}
