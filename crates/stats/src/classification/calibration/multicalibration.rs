//! Multicalibration: do scores mean what they say for every group?
//!
//! # What it measures
//!
//! For each group, and for each group within each stretch of scores (a *cell*), the mean score less the
//! share of positives: above zero, scores promise this group too much. Scores that are right on average
//! can be too high for one group and too low for another.
//!
//! # When it misleads
//!
//! * Many cells are looked at, and the largest gap of many is large by chance. The intervals hold for all
//!   judged cells together; a gap whose interval excludes 0 stands out among all of them.
//! * A cell that is not off for certain need not be right: with few rows its interval is wide. Cells below
//!   `rows_min` are listed but not judged.
//! * Groups may overlap (by region and by age); rows are then looked at more than once.
//!
//! # Formula
//!
//! Stretches are bins of equal mass over the rows of all groups, the same for each. With `m` judged cells,
//! intervals are of level `1 − (1 − level)/m` (Bonferroni). Of a cell: Clopper and Pearson's exact interval
//! of the share of positives, taken from the mean score; Wilson's is too short in the tails that so
//! many cells reach. Of a whole group: the bins' Wilson intervals as independent ones,
//! `gap ± √Σ w² (bound − share)²` (Zou & Donner), bins of fewer than ten rows joined with their neighbours;
//! so what a group's scores explain is not counted as noise. Scores rounded in steps of `h` move a gap by
//! at most `h/2`.
//!
//! Worst is the judged cell whose interval lies furthest from 0; where none excludes 0, the judged cell
//! with the largest gap.
//!
//! # Example
//!
//! ```
//! use stats::classification::calibration::multicalibration::multicalibration;
//! use stats::{interval::Level, labelled_scores::LabelledScores};
//! let too_high = LabelledScores::from_counts(vec![(0.2, 80, 920), (0.6, 450, 550)], None)?;
//! let right = LabelledScores::from_counts(vec![(0.2, 200, 800), (0.6, 600, 400)], None)?;
//! let audit = multicalibration(&[&right, &too_high], 2, Level::P95, 100)?;
//! let worst = &audit.cells[audit.worst.ok_or("no cell has 100 rows")?];
//! assert_eq!((worst.group, worst.bin), (1, None)); // all of it, for which there are most rows
//! assert!((worst.gap.value - 0.135).abs() < 1e-12 && worst.is_off());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * Ú. Hébert-Johnson, M. P. Kim, O. Reingold, G. N. Rothblum, "Multicalibration: calibration for the
//!   (computationally-identifiable) masses", ICML 2018.
//! * C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the
//!   binomial", Biometrika 26, 1934.
//! * G. Y. Zou, A. Donner, "Construction of confidence limits about effect measures", Statistics in
//!   Medicine 27, 2008, eq. 4.

use serde::{Deserialize, Serialize};

use super::bins::{ReliabilityBin, close, ends_of_equal_mass};
use crate::classification::{Estimate, Undefined};
use crate::interval::{Interval, IntervalMethod, Level};
use crate::labelled_scores::{LabelledScores, ScorePoint};
use crate::proportion::{Proportion, exact_bounds, wilson_bounds};

/// Bins of a whole group hold at least so many rows, that their intervals can be combined.
const ROWS_COMBINED: u64 = 10;

/// What was found in every group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MulticalibrationAudit {
    /// By group, the whole first and then its bins ascending; those without rows are left out.
    pub cells: Vec<Cell>,
    /// The position of the worst judged cell; `None` where no cell has enough rows.
    pub worst: Option<usize>,
    /// The lowest and the highest score of each bin, ascending.
    pub bins: Vec<(f64, f64)>,
    /// Cells that intervals hold for together.
    pub judged: usize,
    /// Fewer rows than these are not judged.
    pub rows_min: u64,
}

/// A group, or its rows in one stretch of scores.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// The position of the group.
    pub group: usize,
    /// The position of the bin; `None` for the whole group.
    pub bin: Option<usize>,
    /// What the scores promise: their mean.
    pub score_mean: f64,
    /// What happened: the share of positives.
    pub outcome_share: f64,
    /// The one less the other; the interval holds together with those of all judged cells, at the
    /// level that it carries.
    pub gap: Estimate,
    /// Whether there are enough rows.
    pub judged: bool,
}

impl Cell {
    /// Whether the cell is judged and its gap cannot be chance.
    pub fn is_off(&self) -> bool {
        self.judged && !self.gap.interval.contains(0.0)
    }

    /// How far the interval stays from 0.
    fn certain_gap(&self) -> f64 {
        self.gap.interval.lower.max(-self.gap.interval.upper).max(0.0)
    }
}

/// Audits `groups`, each by itself and over at most `bins` stretches of scores.
///
/// # Errors
/// No rows in any group, or zero bins.
pub fn multicalibration(
    groups: &[&LabelledScores],
    bins: usize,
    level: Level,
    rows_min: u64,
) -> Result<MulticalibrationAudit, Undefined> {
    if bins == 0 {
        return Err(Undefined::ZeroBins);
    }
    let edges = common_bins(groups, bins)?;
    let parted: Vec<Vec<(usize, ReliabilityBin)>> =
        groups.iter().map(|group| by_bin(group, &edges, level)).collect();
    let rows_min = rows_min.max(1);
    let enough = |rows: u64| rows >= rows_min;
    let judged = groups.iter().filter(|group| enough(group.n())).count()
        + parted.iter().flatten().filter(|(_, bin)| enough(bin.n)).count();
    let each = level.for_each_of(judged);
    let mut cells = Vec::new();
    for (at, (group, bins)) in groups.iter().zip(&parted).enumerate() {
        if group.is_empty() {
            continue;
        }
        cells.push(whole(at, group, bins, each, enough(group.n())));
        cells.extend(bins.iter().map(|(bin, found)| {
            let gap = gap_of(found, each, group.score_error());
            Cell {
                group: at,
                bin: Some(*bin),
                score_mean: found.score_mean,
                outcome_share: found.outcome_share,
                gap,
                judged: enough(found.n),
            }
        }));
    }
    let worse = |a: &Cell, b: &Cell| {
        let by_size = || a.gap.value.abs().total_cmp(&b.gap.value.abs());
        a.certain_gap().total_cmp(&b.certain_gap()).then_with(by_size)
    };
    let mut worst: Option<usize> = None;
    for (at, cell) in cells.iter().enumerate().filter(|(_, cell)| cell.judged) {
        if worst.is_none_or(|worst| worse(cell, &cells[worst]).is_gt()) {
            worst = Some(at);
        }
    }
    Ok(MulticalibrationAudit { cells, worst, bins: edges, judged, rows_min })
}

/// Bins of equal mass over all groups: the lowest and the highest score of each.
fn common_bins(groups: &[&LabelledScores], bins: usize) -> Result<Vec<(f64, f64)>, Undefined> {
    let mut scores: Vec<(f64, u64)> =
        groups.iter().flat_map(|group| group.points().map(|p| (p.score, p.n()))).collect();
    scores.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    scores.dedup_by(|next, kept| {
        let tied = next.0 == kept.0;
        kept.1 = if tied { kept.1.saturating_add(next.1) } else { kept.1 };
        tied
    });
    if scores.is_empty() {
        return Err(Undefined::NoRows);
    }
    let n = scores.iter().map(|&(_, rows)| u128::from(rows)).sum();
    let ends = ends_of_equal_mass(scores.iter().map(|&(_, rows)| rows), n, bins);
    let starts = std::iter::once(0).chain(ends.iter().copied());
    Ok(starts.zip(&ends).map(|(start, &end)| (scores[start].0, scores[end - 1].0)).collect())
}

/// The rows of a group by common bin, where there are some.
fn by_bin(group: &LabelledScores, edges: &[(f64, f64)], level: Level) -> Vec<(usize, ReliabilityBin)> {
    let points: Vec<ScorePoint> = group.points().collect();
    let mut rest = &points[..];
    let mut parted = Vec::new();
    for (at, &(_, score_max)) in edges.iter().enumerate() {
        let (here, above) = rest.split_at(rest.partition_point(|point| point.score <= score_max));
        if !here.is_empty() {
            parted.push((at, close(here.iter().copied(), level)));
        }
        rest = above;
    }
    parted
}

fn whole(
    at: usize,
    group: &LabelledScores,
    bins: &[(usize, ReliabilityBin)],
    each: Level,
    judged: bool,
) -> Cell {
    let mut joined: Vec<ReliabilityBin> = Vec::new();
    for (_, bin) in bins {
        match joined.last_mut() {
            Some(last) if last.n < ROWS_COMBINED || bin.n < ROWS_COMBINED => *last = join(last, bin),
            _ => joined.push(*bin),
        }
    }
    let n = group.n() as f64;
    let score_mean = bins.iter().map(|(_, bin)| bin.score_mean * bin.n as f64).sum::<f64>() / n;
    let gap = match joined[..] {
        [ref only] => gap_of(only, each, group.score_error()),
        _ => combined(&joined, each, group.score_error()),
    };
    Cell { group: at, bin: None, score_mean, outcome_share: group.positives_total() as f64 / n, gap, judged }
}

fn join(a: &ReliabilityBin, b: &ReliabilityBin) -> ReliabilityBin {
    let points = [a, b].map(|bin| ScorePoint {
        score: bin.score_mean,
        positives: bin.positives,
        negatives: bin.n - bin.positives,
    });
    close(points.into_iter(), a.interval.level)
}

/// The gap of one bin, its exact interval.
fn gap_of(bin: &ReliabilityBin, level: Level, error_bound: f64) -> Estimate {
    let bounds = Proportion::new(bin.positives, bin.n).map(|share| exact_bounds(share, level));
    let (least, most) = bounds.unwrap_or((0.0, 1.0));
    let interval = Interval {
        lower: bin.score_mean - most,
        upper: bin.score_mean - least,
        level,
        method: IntervalMethod::ClopperPearson,
    };
    Estimate { value: bin.gap(), interval, n: bin.n, error_bound }
}

/// The gap of `bins` together, with Wilson's bounds of each combined as independent ones.
fn combined(bins: &[ReliabilityBin], level: Level, error_bound: f64) -> Estimate {
    let rows: u64 = bins.iter().map(|bin| bin.n).sum();
    let (mut value, mut below, mut above) = (0.0, 0.0_f64, 0.0_f64);
    for bin in bins {
        let weight = bin.n as f64 / rows as f64;
        let (lower, upper) = wilson_bounds(bin.outcome_share, bin.n as f64, level);
        value += weight * bin.gap();
        below = below.hypot(weight * (upper - bin.outcome_share));
        above = above.hypot(weight * (bin.outcome_share - lower));
    }
    let interval = Interval {
        lower: (value - below).max(-1.0),
        upper: (value + above).min(1.0),
        level,
        method: IntervalMethod::WilsonCombined,
    };
    Estimate { value, interval, n: rows, error_bound }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binomial::Binomial;
    use crate::binomial::tests::SplitMix;

    fn counts(points: &[(f64, u64, u64)]) -> LabelledScores {
        LabelledScores::from_counts(points.to_vec(), None).unwrap()
    }

    #[test]
    fn what_cannot_be_audited_says_why() {
        let none = LabelledScores::default();
        assert_eq!(multicalibration(&[], 5, Level::P95, 10), Err(Undefined::NoRows));
        assert_eq!(multicalibration(&[&none], 5, Level::P95, 10), Err(Undefined::NoRows));
        assert_eq!(multicalibration(&[&none], 0, Level::P95, 10), Err(Undefined::ZeroBins));
    }

    #[test]
    fn small_cells_are_listed_and_not_judged() {
        let (small, large) = (counts(&[(0.1, 3, 0)]), counts(&[(0.1, 10, 90)]));
        let audit =
            multicalibration(&[&small, &LabelledScores::default(), &large], 4, Level::P95, 50).unwrap();
        let judged: Vec<_> = audit.cells.iter().map(|cell| (cell.group, cell.bin, cell.judged)).collect();
        let listed = [(0, None, false), (0, Some(0), false), (2, None, true), (2, Some(0), true)];
        assert_eq!(judged, listed);
        assert_eq!((audit.judged, audit.worst), (2, Some(2)));
        assert!(!audit.cells[0].is_off() && !audit.cells[2].is_off());
        let none = multicalibration(&[&small], 4, Level::P95, 50).unwrap();
        assert_eq!((none.worst, none.judged), (None, 0));
        // Asking for zero rows asks for one.
        assert_eq!(multicalibration(&[&small], 4, Level::P95, 0).unwrap().judged, 2);
    }

    #[test]
    fn opposite_gaps_of_two_groups_are_found_though_together_they_cancel() {
        let high = counts(&[(0.3, 100, 900), (0.7, 500, 500)]);
        let low = counts(&[(0.3, 500, 500), (0.7, 900, 100)]);
        let audit = multicalibration(&[&high, &low], 2, Level::P95, 30).unwrap();
        assert!(audit.cells.iter().all(Cell::is_off));
        let signs: Vec<f64> = audit.cells.iter().map(|cell| cell.gap.value.signum()).collect();
        assert_eq!(signs, [1.0, 1.0, 1.0, -1.0, -1.0, -1.0]);
    }

    #[test]
    fn certain_scores_and_one_class_have_bounds_within_range() {
        let wrong = counts(&[(0.0, 5, 0), (1.0, 7, 0)]);
        let audit = multicalibration(&[&wrong], 3, Level::P95, 1).unwrap();
        for cell in &audit.cells {
            assert!(cell.gap.interval.contains(cell.gap.value), "{cell:?}");
            assert!((-1.0..=1.0).contains(&cell.gap.interval.lower));
        }
    }

    #[test]
    fn all_intervals_hold_together_and_calibrated_groups_are_seldom_called_off() {
        const WINDOWS: u32 = 400;
        for shift in [0.0, 0.05] {
            let mut rng = SplitMix(12);
            let mut held = 0;
            for _ in 0..WINDOWS {
                let groups: Vec<LabelledScores> = (0..6_u64)
                    .map(|_| {
                        let points = (0..30).map(|i| {
                            let score = 0.05 + 0.9 * f64::from(i) / 30.0;
                            let positives = Binomial::new(5, score + shift).sample(&mut rng);
                            (score, positives, 5 - positives)
                        });
                        LabelledScores::from_counts(points.collect(), None).unwrap()
                    })
                    .collect();
                let groups: Vec<&LabelledScores> = groups.iter().collect();
                let audit = multicalibration(&groups, 5, Level::P95, 20).unwrap();
                held += u32::from(audit.cells.iter().all(|cell| cell.gap.interval.contains(-shift)));
            }
            assert!(held >= 376, "{shift}: {held} of {WINDOWS}");
        }
    }
}
