//! A deterministic, mergeable quantile sketch with a rank error that it keeps account of.
//!
//! What it measures: the empirical distribution of a column, from which quantiles, bins, KS and
//! Wasserstein distances are computed. In exact mode it keeps every value. In sketched mode it
//! follows Munro & Paterson (1980) and Manku, Rajagopalan & Lindsay (1998): of a full buffer every
//! `STRIDE`-th order statistic is kept and stands for its block at the next level. No random numbers
//! are drawn, so the same rows in the same order give the same sketch, and every collapse adds a
//! known amount to the largest possible rank error. [`QuantileSketch::compact`] turns a sketch into the
//! few weighted points in which a day is stored.
//!
//! When it misleads: the bound is on ranks, not on values; far out in a heavy tail a small rank
//! error can be a large difference in value.

use serde::{Deserialize, Serialize};

use super::radix::{sort_keys, take_order_statistics};
use crate::ecdf::Ecdf;

/// Whether a sketch may forget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Fidelity {
    /// Every value is kept.
    Exact,
    /// Full buffers are collapsed; the rank error stays near 0.05 % of the rows for each factor of
    /// `STRIDE` by which the rows exceed a buffer: 0.1 % at ten million rows.
    Sketched,
}

/// Values in a buffer before it collapses.
const BUFFER: usize = 1 << 15;
/// Values of which one stands for all after a collapse.
const STRIDE: usize = 1 << 5;

/// Up to this many rows a compacted sketch loses nothing.
pub const LOSSLESS_ROWS: u64 = 1 << 13;
/// Points that a compacted sketch of more rows keeps; a rank is then off by at most 0.025 % of the rows more.
const COMPACT_POINTS: usize = 1 << 11;
/// Points that [`QuantileSketch::thin_merged`] keeps; a rank is then off by at most 0.005 % of the rows more.
const THINNED_POINTS: usize = 1 << 14;
/// Points that a merge of compacted sketches may have before it is thinned, and after.
const MERGED_POINTS_MOST: usize = 1 << 18;
const MERGED_POINTS: usize = 1 << 16;

/// A mergeable summary of the distribution of finite numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuantileSketch {
    fidelity: Fidelity,
    n: u64,
    /// The largest number of rows by which any rank can be off.
    rank_error: u64,
    /// Level `l` holds order keys that stand for `STRIDE^l` rows each, in no order.
    levels: Vec<Vec<u64>>,
    /// What was compacted: order keys and the rows that each stands for.
    #[serde(with = "super::weighted_keys")]
    points: Vec<(u64, u64)>,
}

impl QuantileSketch {
    pub fn new(fidelity: Fidelity) -> Self {
        Self { fidelity, n: 0, rank_error: 0, levels: vec![Vec::new()], points: Vec::new() }
    }

    pub fn n(&self) -> u64 {
        self.n
    }

    /// The largest number of rows by which any rank can be off; 0 while exact.
    pub fn rank_error(&self) -> u64 {
        self.rank_error
    }

    /// Adds values, none of which may be NaN or infinite.
    pub fn extend(&mut self, values: &[f64]) {
        self.n += values.len() as u64;
        if self.fidelity == Fidelity::Exact {
            self.levels[0].extend(values.iter().map(|&value| order_key(value)));
            return;
        }
        let mut rest = values;
        while !rest.is_empty() {
            let room = BUFFER - self.levels[0].len();
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.levels[0].extend(now.iter().map(|&value| order_key(value)));
            rest = later;
            self.collapse_full_levels();
        }
    }

    /// Adds another sketch's rows. The errors add up; a merge of exact sketches is exact.
    pub fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.rank_error += other.rank_error;
        if other.fidelity == Fidelity::Sketched {
            self.fidelity = Fidelity::Sketched;
        }
        if self.levels.len() < other.levels.len() {
            self.levels.resize(other.levels.len(), Vec::new());
        }
        for (mine, theirs) in self.levels.iter_mut().zip(&other.levels) {
            mine.extend_from_slice(theirs);
        }
        self.points.extend_from_slice(&other.points);
        if self.fidelity == Fidelity::Sketched {
            self.collapse_full_levels();
            if self.points.len() > MERGED_POINTS_MOST {
                coalesce(&mut self.points);
                if self.points.len() > MERGED_POINTS_MOST {
                    self.rank_error += thin(&mut self.points, MERGED_POINTS);
                }
            }
        }
    }

    /// Puts everything into few weighted points: without loss up to [`LOSSLESS_ROWS`] rows, or in exact
    /// mode; else at a rank error that is added to the others.
    pub fn compact(&mut self) {
        let mut weight = 1;
        for level in &mut self.levels {
            // Sorted plain keys are a run that the sort of the points has only to merge.
            sort_keys(level);
            self.points.extend(level.drain(..).map(|key| (key, weight)));
            weight *= STRIDE as u64;
        }
        self.levels = vec![Vec::new()];
        coalesce(&mut self.points);
        if self.fidelity == Fidelity::Sketched && self.n > LOSSLESS_ROWS && self.points.len() > COMPACT_POINTS
        {
            self.rank_error += thin(&mut self.points, COMPACT_POINTS);
        }
    }

    /// Leaves a merge of many compacted sketches with as many points as tell about as much; one that is
    /// exact stays exact.
    pub fn thin_merged(&mut self) {
        if self.rank_error > 0 && self.points.len() > THINNED_POINTS {
            coalesce(&mut self.points);
            if self.points.len() > THINNED_POINTS {
                self.rank_error += thin(&mut self.points, THINNED_POINTS);
            }
            // The merge took many times the room.
            self.points.shrink_to_fit();
        }
    }

    /// The distribution, with further weighted points such as counted infinities.
    pub fn ecdf_with(&self, further: impl IntoIterator<Item = (f64, u64)>) -> Ecdf {
        let mut points: Vec<(f64, u64)> = Vec::new();
        if let ([only], true) = (self.levels.as_slice(), self.points.is_empty()) {
            // Exact, or not yet collapsed: sort plain keys and count runs, the fast path for the
            // million-row columns.
            let mut keys = only.clone();
            sort_keys(&mut keys);
            points.extend(keys.chunk_by(|a, b| a == b).map(|run| (order_value(run[0]), run.len() as u64)));
        } else {
            let mut keys = self.points.clone();
            let mut weight = 1;
            for level in &self.levels {
                keys.extend(level.iter().map(|&key| (key, weight)));
                weight *= STRIDE as u64;
            }
            coalesce(&mut keys);
            points.extend(keys.into_iter().map(|(key, weight)| (order_value(key), weight)));
        }
        points.extend(further.into_iter().filter(|(_, weight)| *weight > 0));
        Ecdf::from_weighted(points, self.rank_error).expect("no NaN is ever added to a sketch")
    }

    pub fn ecdf(&self) -> Ecdf {
        self.ecdf_with([])
    }

    /// Bytes on the heap, for memory accounting.
    pub fn heap_bytes(&self) -> usize {
        let levels: usize = self.levels.iter().map(|level| level.capacity() * size_of::<u64>()).sum();
        levels + self.points.capacity() * size_of::<(u64, u64)>()
    }

    fn collapse_full_levels(&mut self) {
        let mut level = 0;
        let mut weight: u64 = 1;
        while level < self.levels.len() {
            while self.levels[level].len() >= BUFFER {
                let from = self.levels[level].len() - BUFFER;
                let mut block = if from == 0 {
                    std::mem::take(&mut self.levels[level])
                } else {
                    self.levels[level].split_off(from)
                };
                if level + 1 == self.levels.len() {
                    self.levels.push(Vec::new());
                }
                take_order_statistics(&mut block, STRIDE / 2, STRIDE, &mut self.levels[level + 1]);
                // A block's middle stands for all of it: when a rank falls inside the block, at
                // most half of the block is counted on the wrong side.
                self.rank_error += weight * (STRIDE as u64 / 2);
                block.clear();
                if self.levels[level].is_empty() {
                    self.levels[level] = block;
                }
            }
            weight *= STRIDE as u64;
            level += 1;
        }
    }
}

/// Sorts points and adds up those of one key.
fn coalesce(points: &mut Vec<(u64, u64)>) {
    // The stable sort makes use of what is sorted already: each day of a merge.
    points.sort_by_key(|point| point.0);
    points.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
}

/// Keeps about `most` of sorted points, each the middle of an equal share of the rows; returns the
/// largest amount by which that can move a rank. A point that holds a share by itself stays as it is.
fn thin(points: &mut Vec<(u64, u64)>, most: usize) -> u64 {
    let total: u64 = points.iter().map(|point| point.1).sum();
    let share = total.div_ceil(most as u64).max(1);
    let mut kept: Vec<(u64, u64)> = Vec::with_capacity(most + 1);
    let mut error = 0;
    let mut run: Vec<(u64, u64)> = Vec::new();
    let mut run_rows = 0;
    let mut flush = |run: &mut Vec<(u64, u64)>, rows: u64| {
        let mut below = 0;
        let middle = run.iter().find(|point| {
            below += point.1;
            below * 2 >= rows
        });
        if let Some(&(key, weight)) = middle {
            kept.push((key, rows));
            // Ranks before the middle are short by what comes before it, ranks from it on long by the rest.
            error = error.max((below - weight).max(rows - below));
        }
        run.clear();
    };
    for &point in points.iter() {
        if point.1 >= share {
            flush(&mut run, run_rows);
            run_rows = 0;
            flush(&mut vec![point], point.1);
            continue;
        }
        run.push(point);
        run_rows += point.1;
        if run_rows >= share {
            flush(&mut run, run_rows);
            run_rows = 0;
        }
    }
    flush(&mut run, run_rows);
    *points = kept;
    error
}

/// Maps finite floats to integers in the same order; −0 and 0 get the same key.
fn order_key(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    bits ^ (((bits as i64 >> 63) as u64) | (1 << 63))
}

fn order_value(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key ^ (1 << 63) } else { !key })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn order_keys_keep_order_and_value() {
        let ascending = [-1e300, -2.0, -1e-300, 0.0, 1e-300, 1.0, 1e300];
        assert!(ascending.windows(2).all(|pair| order_key(pair[0]) < order_key(pair[1])));
        assert!(ascending.iter().all(|&value| order_value(order_key(value)) == value));
        assert_eq!(order_key(-0.0), order_key(0.0));
    }

    /// A fixed sequence that visits values in a scattered order.
    fn scattered(n: u64) -> Vec<f64> {
        (0..n).map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f64).collect()
    }

    fn largest_rank_difference(sketch: &QuantileSketch, values: &[f64]) -> u64 {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let ecdf = sketch.ecdf();
        (0..sorted.len())
            .step_by(997)
            .map(|at| {
                let exact = sorted.partition_point(|value| *value <= sorted[at]) as u64;
                exact.abs_diff(ecdf.count_le(sorted[at]))
            })
            .max()
            .unwrap_or(0)
    }

    #[test]
    fn a_sketch_of_two_million_rows_keeps_within_its_stated_rank_error() {
        let values = scattered(2_000_000);
        let mut sketch = QuantileSketch::new(Fidelity::Sketched);
        values.chunks(8192).for_each(|chunk| sketch.extend(chunk));
        assert_eq!(sketch.ecdf().n(), 2_000_000);
        assert!(sketch.rank_error() > 0 && sketch.rank_error() <= 2_000, "{}", sketch.rank_error());
        assert!(largest_rank_difference(&sketch, &values) <= sketch.rank_error());
    }

    #[test]
    fn sorted_input_is_no_harder_than_scattered_input() {
        let values: Vec<f64> = (0..1_000_000).map(f64::from).collect();
        let mut sketch = QuantileSketch::new(Fidelity::Sketched);
        sketch.extend(&values);
        assert!(largest_rank_difference(&sketch, &values) <= sketch.rank_error());
    }

    #[test]
    fn merged_sketches_keep_within_their_added_error() {
        let values = scattered(900_000);
        let mut merged = QuantileSketch::new(Fidelity::Sketched);
        for part in values.chunks(70_001) {
            let mut sketch = QuantileSketch::new(Fidelity::Sketched);
            sketch.extend(part);
            merged.merge(&sketch);
        }
        assert_eq!(merged.n(), 900_000);
        assert_eq!(merged.ecdf().n(), 900_000);
        assert!(largest_rank_difference(&merged, &values) <= merged.rank_error());
    }

    #[test]
    fn compacting_up_to_eight_thousand_rows_loses_nothing() {
        let values = scattered(8000);
        let mut sketch = QuantileSketch::new(Fidelity::Sketched);
        sketch.extend(&values);
        let before = sketch.ecdf();
        sketch.compact();
        assert_eq!(sketch.ecdf(), before);
        assert!(before.is_exact());
    }

    #[test]
    fn days_compacted_and_merged_keep_within_their_added_error() {
        let values = scattered(1_500_000);
        let mut merged = QuantileSketch::new(Fidelity::Sketched);
        for day in values.chunks(50_000) {
            let mut sketch = QuantileSketch::new(Fidelity::Sketched);
            day.chunks(8192).for_each(|batch| sketch.extend(batch));
            sketch.compact();
            assert!(sketch.points.len() <= COMPACT_POINTS + 1);
            merged.merge(&sketch);
        }
        assert_eq!(merged.ecdf().n(), 1_500_000);
        // 0.05 % for the collapses of each day and 0.05 % for compacting it.
        assert!(merged.rank_error() <= 1_500, "{}", merged.rank_error());
        assert!(largest_rank_difference(&merged, &values) <= merged.rank_error());
    }

    #[test]
    fn a_merge_of_very_many_points_is_thinned_within_its_error() {
        let values = scattered(600_000);
        let mut merged = QuantileSketch::new(Fidelity::Sketched);
        for day in values.chunks(8000) {
            let mut sketch = QuantileSketch::new(Fidelity::Sketched);
            sketch.extend(day);
            sketch.compact();
            merged.merge(&sketch);
        }
        assert!(merged.points.len() <= MERGED_POINTS_MOST);
        assert!(merged.rank_error() > 0 && merged.rank_error() < 60, "{}", merged.rank_error());
        assert!(largest_rank_difference(&merged, &values) <= merged.rank_error());
    }

    #[test]
    fn a_thinned_merge_keeps_within_its_added_error_and_an_exact_one_stays_exact() {
        let values = scattered(1_500_000);
        let merged = |rows_of_a_day: usize| {
            let mut merged = QuantileSketch::new(Fidelity::Sketched);
            for day in values.chunks(rows_of_a_day) {
                let mut sketch = QuantileSketch::new(Fidelity::Sketched);
                sketch.extend(day);
                sketch.compact();
                merged.merge(&sketch);
            }
            merged
        };
        let mut thinned = merged(50_000);
        let before = thinned.rank_error();
        thinned.thin_merged();
        assert!(thinned.points.len() <= THINNED_POINTS);
        let added = thinned.rank_error() - before;
        // Half of 1 / 16,384 of the rows, and half of a point of a day.
        assert!(added > 0 && added <= 46 + 25, "{added}");
        assert!(largest_rank_difference(&thinned, &values) <= thinned.rank_error());
        let mut exact = QuantileSketch::new(Fidelity::Sketched);
        for day in values[..200_000].chunks(8_000) {
            let mut sketch = QuantileSketch::new(Fidelity::Sketched);
            sketch.extend(day);
            sketch.compact();
            exact.merge(&sketch);
        }
        let whole = exact.ecdf();
        exact.thin_merged();
        assert!(whole.is_exact() && exact.ecdf() == whole);
    }

    #[test]
    fn a_spike_keeps_its_exact_weight_when_points_are_thinned() {
        let mut values = scattered(20_000);
        values.extend(std::iter::repeat_n(7.5, 20_000));
        let mut sketch = QuantileSketch::new(Fidelity::Sketched);
        sketch.extend(&values[..30_000]);
        sketch.extend(&values[30_000..]);
        sketch.compact();
        let ecdf = sketch.ecdf();
        let spike = ecdf.count_le(7.5) - ecdf.count_lt(7.5);
        assert!(spike.abs_diff(20_000) <= 2 * sketch.rank_error(), "{spike}");
    }

    proptest! {
        #[test]
        fn merging_exact_parts_gives_the_distribution_of_the_whole(
            values in prop::collection::vec(-1e6..1e6f64, 0..200), cut in 0usize..200
        ) {
            let cut = cut.min(values.len());
            let part = |values: &[f64]| {
                let mut sketch = QuantileSketch::new(Fidelity::Exact);
                sketch.extend(values);
                sketch
            };
            let mut merged = part(&values[..cut]);
            merged.merge(&part(&values[cut..]));
            prop_assert_eq!(merged.ecdf(), part(&values).ecdf());
            prop_assert_eq!(merged.rank_error(), 0);
        }
    }
}
