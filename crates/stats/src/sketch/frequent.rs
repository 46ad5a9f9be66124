//! How often each value occurs: exact up to a cap of different values, bounded beyond it.

use std::collections::HashMap;
use std::sync::OnceLock;

use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

use super::distinct::DistinctSketch;

/// Counts of the values of a categorical column.
///
/// Up to `most_values` different values the counts are exact. Beyond, it behaves as Misra & Gries
/// (1982): a common amount is taken off every counter and those that reach zero are dropped, so a
/// kept count is too low by at most [`FrequentValues::count_error`] and a value that occurs more
/// often than that is never lost. Merging is that of Agarwal et al. (2012), "Mergeable summaries".
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FrequentValues {
    most_values: usize,
    n: u64,
    count_error: u64,
    #[serde(with = "sorted_counts")]
    counts: HashMap<Box<str>, u64, FixedState>,
    /// Counts different values once there are too many to keep.
    distinct: Option<DistinctSketch>,
    /// What [`Self::most_frequent`] says, from when it was asked to the next change.
    #[serde(skip)]
    ranked: OnceLock<Vec<Counted>>,
}

/// A value and how often it occurs.
type Counted = (Box<str>, u64);

impl PartialEq for FrequentValues {
    fn eq(&self, other: &Self) -> bool {
        let of = |values: &Self| (values.most_values, values.n, values.count_error);
        of(self) == of(other) && self.counts == other.counts && self.distinct == other.distinct
    }
}

impl FrequentValues {
    /// Keeps at most `most_values` values (at least one).
    pub fn new(most_values: usize) -> Self {
        Self {
            most_values: most_values.max(1),
            n: 0,
            count_error: 0,
            counts: HashMap::default(),
            distinct: None,
            ranked: OnceLock::new(),
        }
    }

    /// Adds `count` occurrences of `value`.
    pub fn add(&mut self, value: &str, count: u64) {
        if count == 0 {
            return;
        }
        self.ranked.take();
        self.n += count;
        self.add_counted(value, count);
        self.forget_beyond_cap();
    }

    fn add_counted(&mut self, value: &str, count: u64) {
        if let Some(distinct) = &mut self.distinct {
            distinct.add(value);
        }
        match self.counts.get_mut(value) {
            Some(counter) => *counter += count,
            None => drop(self.counts.insert(value.into(), count)),
        }
    }

    pub fn merge(&mut self, other: &Self) {
        let counts = other.counts.iter().map(|(value, count)| (&**value, *count));
        self.merge_counts((other.most_values, other.n, other.count_error), other.distinct.as_ref(), counts);
    }

    /// Merges what was stored, whose texts need not be copied where they are known.
    pub fn merge_stored(&mut self, other: &StoredFrequentValues<'_>) {
        let counts = other.counts.iter().copied();
        self.merge_counts((other.most_values, other.n, other.count_error), other.distinct.as_ref(), counts);
    }

    fn merge_counts<'a>(
        &mut self,
        (most_values, n, count_error): (usize, u64, u64),
        distinct: Option<&DistinctSketch>,
        counts: impl Iterator<Item = (&'a str, u64)>,
    ) {
        self.ranked.take();
        self.most_values = self.most_values.min(most_values);
        self.n += n;
        self.count_error += count_error;
        if let Some(theirs) = distinct {
            self.distinct_so_far().merge(theirs);
        }
        counts.for_each(|(value, count)| self.add_counted(value, count));
        self.forget_beyond_cap();
    }

    /// Occurrences added, of kept and of forgotten values.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// By how much a count can be too low; 0 while every value is kept.
    pub fn count_error(&self) -> u64 {
        self.count_error
    }

    /// The count of `value`, too low by at most [`Self::count_error`].
    pub fn count(&self, value: &str) -> u64 {
        self.counts.get(value).copied().unwrap_or(0)
    }

    /// Values with their counts, most frequent first, ties by value.
    pub fn most_frequent(&self) -> Vec<(&str, u64)> {
        let ranked = self.ranked.get_or_init(|| {
            let mut values: Vec<(&str, u64)> = self.values().collect();
            values.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
            values.into_iter().map(|(value, count)| (value.into(), count)).collect()
        });
        ranked.iter().map(|(value, count)| (&**value, *count)).collect()
    }

    /// Values with their counts, in no order.
    pub fn values(&self) -> impl Iterator<Item = (&str, u64)> {
        self.counts.iter().map(|(value, count)| (&**value, *count))
    }

    /// How many different values there were: exact while all are kept, else a HyperLogLog estimate
    /// with a relative standard error of about 1.6 %.
    pub fn distinct(&self) -> f64 {
        self.distinct.as_ref().map_or(self.counts.len() as f64, DistinctSketch::estimate)
    }

    /// Bytes on the heap, roughly, for memory accounting.
    pub fn heap_bytes(&self) -> usize {
        self.counts.capacity() * 48
    }

    fn distinct_so_far(&mut self) -> &mut DistinctSketch {
        self.distinct.get_or_insert_with(|| {
            let mut distinct = DistinctSketch::default();
            self.counts.keys().for_each(|value| distinct.add(value));
            distinct
        })
    }

    fn forget_beyond_cap(&mut self) {
        if self.counts.len() <= self.most_values {
            return;
        }
        self.distinct_so_far();
        // Taking off the median count at once drops about half of the counters, so that the work
        // of forgetting is spread over many additions.
        let mut counts: Vec<u64> = self.counts.values().copied().collect();
        let keep = self.most_values / 2;
        let at = counts.len() - 1 - keep;
        let (_, cut, _) = counts.select_nth_unstable(at);
        let cut = *cut;
        self.counts.retain(|_, count| {
            *count = count.saturating_sub(cut);
            *count > 0
        });
        self.count_error += cut;
    }
}

/// Counts as they were stored, with the texts where they lie.
#[derive(Debug, Deserialize)]
pub struct StoredFrequentValues<'a> {
    most_values: usize,
    n: u64,
    count_error: u64,
    #[serde(borrow, deserialize_with = "sorted_counts::borrowed")]
    counts: Vec<(&'a str, u64)>,
    distinct: Option<DistinctSketch>,
}

/// Stored in the order of the values, so that equal counts have equal bytes.
mod sorted_counts {
    use std::fmt::{Formatter, Result as FmtResult};

    use serde::de::{MapAccess, Visitor};

    use super::{Deserialize, FixedState, HashMap};

    pub(super) fn serialize<S: serde::Serializer>(
        counts: &HashMap<Box<str>, u64, FixedState>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut sorted: Vec<(&Box<str>, &u64)> = counts.iter().collect();
        sorted.sort_unstable_by_key(|(value, _)| *value);
        serializer.collect_map(sorted)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<HashMap<Box<str>, u64, FixedState>, D::Error> {
        HashMap::deserialize(deserializer)
    }

    pub(super) fn borrowed<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(&'de str, u64)>, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Vec<(&'de str, u64)>;

            fn expecting(&self, f: &mut Formatter<'_>) -> FmtResult {
                f.write_str("counts by value")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                // A damaged length must not ask for all memory.
                let mut pairs = Vec::with_capacity(map.size_hint().unwrap_or(0).min(1 << 16));
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(pairs)
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counted<'a>(most: usize, values: impl IntoIterator<Item = &'a str>) -> FrequentValues {
        let mut frequent = FrequentValues::new(most);
        values.into_iter().for_each(|value| frequent.add(value, 1));
        frequent
    }

    #[test]
    fn counts_are_exact_below_the_cap() {
        let frequent = counted(8, ["b", "a", "b", "c", "b", "a"]);
        assert_eq!(frequent.most_frequent(), [("b", 3), ("a", 2), ("c", 1)]);
        assert_eq!((frequent.count_error(), frequent.distinct(), frequent.n()), (0, 3.0, 6));
    }

    #[test]
    fn beyond_the_cap_counts_stay_within_the_stated_error() {
        // Value i of 0..2000 occurs 1 + (i % 7) times, and one value 5000 times.
        let mut frequent = FrequentValues::new(100);
        for i in 0..2000u64 {
            frequent.add(&format!("rare {i}"), 1 + i % 7);
            frequent.add("common", if i < 1000 { 5 } else { 0 });
        }
        let kept = frequent.count("common");
        assert!(kept <= 5000 && kept + frequent.count_error() >= 5000);
        assert!(frequent.most_frequent().len() <= 100);
        // HyperLogLog with 2^12 registers: 1.6 % standard error; five of them here.
        assert!((frequent.distinct() - 2001.0).abs() < 2001.0 * 0.08, "{}", frequent.distinct());
    }

    proptest! {
        #[test]
        fn merging_parts_below_the_cap_gives_the_whole(
            values in prop::collection::vec("[a-e]{1,2}", 0..80), cut in 0usize..80
        ) {
            let cut = cut.min(values.len());
            let mut merged = counted(64, values[..cut].iter().map(String::as_str));
            merged.merge(&counted(64, values[cut..].iter().map(String::as_str)));
            prop_assert_eq!(merged, counted(64, values.iter().map(String::as_str)));
        }

        #[test]
        fn merging_parts_beyond_the_cap_keeps_the_error_bound(
            values in prop::collection::vec(0u32..40, 0..300), cut in 0usize..300
        ) {
            let texts: Vec<String> = values.iter().map(u32::to_string).collect();
            let cut = cut.min(values.len());
            let mut merged = counted(10, texts[..cut].iter().map(String::as_str));
            merged.merge(&counted(10, texts[cut..].iter().map(String::as_str)));
            let whole = counted(64, texts.iter().map(String::as_str));
            prop_assert_eq!(merged.n(), whole.n());
            for (value, count) in whole.most_frequent() {
                prop_assert!(merged.count(value) <= count);
                prop_assert!(merged.count(value) + merged.count_error() >= count);
            }
        }
    }
}
