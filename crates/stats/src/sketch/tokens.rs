//! Which words a column of texts holds, by hash: exact up to a cap, a fair sample of the words beyond it.

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

/// In how many rows each token occurs, tokens known by a hash of 64 bits.
///
/// Up to `most_tokens` different tokens all are kept. Beyond, only those are whose hash begins with
/// [`TokenCounts::level`] zero bits: one token in `2^level`, chosen by nothing but its hash. What is kept of a
/// token is exact either way, unlike in a sketch of frequent values, which forgets the rare tokens that tell
/// whether a vocabulary is new. This is the adaptive sampling of Wegman, analysed by Flajolet (1990), "On
/// adaptive sampling", Computing 43; merged profiles keep the larger level of the two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenCounts {
    most_tokens: usize,
    level: u32,
    n: u64,
    #[serde(with = "sorted_counts")]
    counts: HashMap<u64, u64, FixedState>,
}

impl TokenCounts {
    /// Keeps at most `most_tokens` tokens (at least one).
    pub fn new(most_tokens: usize) -> Self {
        Self { most_tokens: most_tokens.max(1), level: 0, n: 0, counts: HashMap::default() }
    }

    /// Adds one row that has the token of this hash.
    pub fn add(&mut self, hash: u64) {
        self.n += 1;
        if hash.leading_zeros() >= self.level {
            *self.counts.entry(hash).or_insert(0) += 1;
            self.thin();
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.most_tokens = self.most_tokens.min(other.most_tokens);
        self.n += other.n;
        if other.level > self.level {
            self.level = other.level;
            self.forget();
        }
        for (hash, count) in other.at_level(self.level) {
            *self.counts.entry(hash).or_insert(0) += count;
        }
        self.thin();
    }

    /// Pairs of a row and a token in it, of kept and of forgotten tokens.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// One token in `2^level` is kept; 0 while all are.
    pub fn level(&self) -> u32 {
        self.level
    }

    /// Rows that have the token of this hash; 0 too where it was forgotten.
    pub fn count(&self, hash: u64) -> u64 {
        self.counts.get(&hash).copied().unwrap_or(0)
    }

    /// The tokens that are kept at a level of at least [`Self::level`].
    pub fn at_level(&self, level: u32) -> impl Iterator<Item = (u64, u64)> {
        self.counts
            .iter()
            .filter(move |(hash, _)| hash.leading_zeros() >= level)
            .map(|(hash, count)| (*hash, *count))
    }

    /// Bytes on the heap, roughly, for memory accounting.
    pub fn heap_bytes(&self) -> usize {
        self.counts.capacity() * 17
    }

    fn thin(&mut self) {
        while self.counts.len() > self.most_tokens && self.level < u64::BITS {
            self.level += 1;
            self.forget();
        }
    }

    fn forget(&mut self) {
        let level = self.level;
        self.counts.retain(|hash, _| hash.leading_zeros() >= level);
    }
}

/// Tokens of a window that a reference does not have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnseenTokens {
    /// The share of the window's tokens, each counted once in each of its rows, that no row of the
    /// reference has; in [0, 1].
    pub share: f64,
    /// What chance alone gives: see [`unseen_tokens`].
    pub by_chance: f64,
    /// Different tokens that are new, estimated where not all were kept.
    pub different: f64,
    /// One token in `2^level` was looked at.
    pub level: u32,
}

/// A side of a comparison: its rows with a text, and what its tokens were counted in.
#[derive(Clone, Copy, Debug)]
pub struct TokenRows<'a> {
    pub rows: u64,
    pub parts: [&'a TokenCounts; 2],
}

impl TokenRows<'_> {
    fn n(&self) -> u64 {
        self.parts.iter().map(|part| part.n).sum()
    }

    fn level(&self) -> u32 {
        self.parts.iter().map(|part| part.level).max().unwrap_or(0)
    }

    /// Rows with the token of this hash.
    pub fn count(&self, hash: u64) -> u64 {
        self.parts.iter().map(|part| part.count(hash)).sum()
    }

    /// Whether all that is to be known of this token is known.
    pub fn knows(&self, hash: u64) -> bool {
        hash.leading_zeros() >= self.level()
    }

    fn tokens(&self, level: u32) -> BTreeSet<u64> {
        self.parts.iter().flat_map(|part| part.at_level(level)).map(|(hash, _)| hash).collect()
    }
}

/// The tokens of `window` that `reference` does not have; `None` where a side has no token.
///
/// By chance, a row of the same texts as the reference brings `f₁ / n` tokens that the n rows of the reference
/// do not have, `f₁` being the tokens that one row of it has (Good 1953, "The population frequencies of
/// species", eq. 9, for incidences in rows as in Chao & Colwell 2017, "Thirty years of progeny from Chao's
/// inequality", SORT 41). It holds for tokens that are repeated within a row, which are counted once there.
pub fn unseen_tokens(reference: TokenRows<'_>, window: TokenRows<'_>) -> Option<UnseenTokens> {
    if reference.n() == 0 || window.n() == 0 || reference.rows == 0 {
        return None;
    }
    let level = reference.level().max(window.level());
    let scale = 2_f64.powi(level as i32);
    let n = window.n() as f64;
    let (mut different, mut incidences) = (0_u64, 0_u64);
    for hash in window.tokens(level) {
        if reference.count(hash) == 0 {
            different += 1;
            incidences += window.count(hash);
        }
    }
    let once = reference.tokens(level).into_iter().filter(|hash| reference.count(*hash) == 1).count();
    let by_chance = once as f64 * scale / reference.rows as f64 * window.rows as f64 / n;
    Some(UnseenTokens {
        share: (incidences as f64 * scale / n).min(1.0),
        by_chance: by_chance.min(1.0),
        different: different as f64 * scale,
        level,
    })
}

/// Stored in the order of the hashes, so that equal counts have equal bytes.
mod sorted_counts {
    use super::{Deserialize, FixedState, HashMap};

    pub(super) fn serialize<S: serde::Serializer>(
        counts: &HashMap<u64, u64, FixedState>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut sorted: Vec<(u64, u64)> = counts.iter().map(|(hash, count)| (*hash, *count)).collect();
        sorted.sort_unstable();
        serializer.collect_seq(sorted)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<HashMap<u64, u64, FixedState>, D::Error> {
        Ok(Vec::<(u64, u64)>::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::text::token_hash;
    use proptest::prelude::*;

    fn counted(most: usize, tokens: impl IntoIterator<Item = u32>) -> TokenCounts {
        let mut counts = TokenCounts::new(most);
        tokens.into_iter().for_each(|token| counts.add(token_hash(&token.to_string())));
        counts
    }

    fn unseen(reference: &TokenCounts, window: &TokenCounts, rows: u64) -> UnseenTokens {
        let nothing = TokenCounts::new(1);
        let reference = TokenRows { rows, parts: [reference, &nothing] };
        unseen_tokens(reference, TokenRows { rows, parts: [window, &nothing] }).unwrap()
    }

    #[test]
    fn new_tokens_are_counted_in_rows_and_chance_by_those_seen_once() {
        // Ten rows of one token each: three of them the only row with theirs.
        let reference = counted(100, [1, 1, 1, 1, 1, 2, 2, 3, 4, 5]);
        let window = counted(100, [1, 1, 6, 6, 7, 3, 1, 1, 1, 1]);
        let found = unseen(&reference, &window, 10);
        assert_eq!((found.share, found.by_chance, found.different, found.level), (0.3, 0.3, 2.0, 0));
    }

    #[test]
    fn beyond_the_cap_a_fair_sample_of_the_tokens_is_left() {
        let reference = counted(1_000, (0..20_000).flat_map(|token| [token, token]));
        let window = counted(1_000, (16_000..36_000).flat_map(|token| [token, token]));
        assert!(reference.level() >= 5 && reference.n() == 40_000);
        let found = unseen(&reference, &window, 40_000);
        // 16,000 of 20,000 tokens are new; of about 600 that are looked at, four standard errors are 7 %.
        assert!((found.share - 0.8).abs() < 0.07, "{}", found.share);
        assert!((found.different - 16_000.0).abs() < 3_000.0, "{}", found.different);
    }

    #[test]
    fn sides_without_tokens_have_no_share() {
        let (nothing, some) = (TokenCounts::new(1), counted(10, [1]));
        let side = |counts| TokenRows { rows: 1, parts: [counts, &nothing] };
        assert_eq!(unseen_tokens(side(&nothing), side(&some)), None);
        assert_eq!(unseen_tokens(side(&some), side(&nothing)), None);
    }

    proptest! {
        #[test]
        fn merged_parts_are_the_whole_at_the_level_that_they_reach(
            tokens in prop::collection::vec(0u32..200, 0..400), cut in 0usize..400, most in 5usize..300
        ) {
            let cut = cut.min(tokens.len());
            let mut merged = counted(most, tokens[..cut].iter().copied());
            merged.merge(&counted(most, tokens[cut..].iter().copied()));
            let whole = counted(most, tokens.iter().copied());
            prop_assert_eq!(merged.n(), whole.n());
            prop_assert_eq!(merged, whole);
        }
    }
}
