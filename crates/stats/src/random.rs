//! A small generator for places that are given a seed, and drawing without replacement.

use rand_core::{RngCore, impls};

/// Steele, Lea & Flood's SplitMix64 ("Fast splittable pseudorandom number generators", OOPSLA 2014):
/// 64 bits of state, every output once per period. For shuffles, not for secrets.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// Numbers that follow from `seed`.
    pub fn new(seed: u64) -> SplitMix64 {
        SplitMix64(seed)
    }
}

impl RngCore for SplitMix64 {
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
        impls::fill_bytes_via_next(self, bytes);
    }
}

/// A number below `bound` from 64 random bits; uneven by less than `bound` in 2^64.
pub fn below(bound: u64, bits: u64) -> u64 {
    ((u128::from(bits) * u128::from(bound)) >> 64) as u64
}

/// A number of [0, 1), from the first 53 of 64 random bits.
pub fn uniform(rng: &mut impl RngCore) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Moves `count` random items to the front, each choice as likely as any other, in random order.
pub fn shuffle_front<T>(items: &mut [T], count: usize, rng: &mut impl RngCore) {
    for position in 0..count.min(items.len()) {
        let left = (items.len() - position) as u64;
        items.swap(position, position + below(left, rng.next_u64()) as usize);
    }
}

/// Puts `items` into random order.
pub fn shuffle<T>(items: &mut [T], rng: &mut impl RngCore) {
    shuffle_front(items, items.len(), rng);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_gives_the_published_numbers() {
        // The first outputs for seed 1234567, as listed with the reference implementation.
        let mut rng = SplitMix64::new(1_234_567);
        let expected = [6_457_827_717_110_365_317_u64, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([rng.next_u64(), rng.next_u64(), rng.next_u64()], expected);
    }

    #[test]
    fn every_order_is_about_equally_likely() {
        let mut rng = SplitMix64::new(1);
        let mut seen = std::collections::BTreeMap::new();
        for _ in 0..6000 {
            let mut items = [0, 1, 2];
            shuffle(&mut items, &mut rng);
            *seen.entry(items).or_insert(0) += 1;
        }
        // Five standard deviations of a count with mean 1000 are 144.
        assert!(seen.len() == 6 && seen.values().all(|&count: &i32| (count - 1000).abs() < 144), "{seen:?}");
    }
}
