//! Scores with the outcomes that came later: what every classification metric is computed from.
//!
//! Rows with the same score are kept as two counts, so a day's, a week's and a quarter's scores
//! merge, and a million rows with rounded scores stay small. Rows without an outcome are counted
//! elsewhere and never get here.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Scores with their binary outcomes: distinct scores ascending with counts of positives and
/// negatives.
///
/// `resolution` is `None` when the scores are exact, and the step of the grid when they were
/// rounded to the nearest point of one; the metrics then carry an error bound.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "LabelledScoresStored", into = "LabelledScoresStored")]
pub struct LabelledScores {
    scores: Vec<f64>,
    positives: Vec<u64>,
    negatives: Vec<u64>,
    resolution: Option<f64>,
}

/// One distinct score and its rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScorePoint {
    /// The score, in [0, 1].
    pub score: f64,
    /// Rows with this score whose outcome was positive.
    pub positives: u64,
    /// Rows with this score whose outcome was negative.
    pub negatives: u64,
}

impl ScorePoint {
    /// All rows with this score.
    pub fn n(&self) -> u64 {
        self.positives + self.negatives
    }
}

/// Why scores cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum ScoreError {
    /// A score is not a number, or not a probability.
    #[error("use score {score}: a score must lie in [0, 1]")]
    OutsideUnitInterval {
        /// The score.
        score: f64,
    },
    /// More rows than a 64-bit count holds.
    #[error("count the rows: the counts add up to more than 2^64")]
    TooManyRows,
    /// Stored columns that do not belong together.
    #[error("read stored scores: scores, positives and negatives differ in length")]
    LengthsDiffer,
    /// A grid step that is not one.
    #[error("round scores to steps of {resolution}: a step must be above 0 and at most 1")]
    Resolution {
        /// What was asked for.
        resolution: f64,
    },
    /// Two sides rounded to different grids.
    #[error("merge scores of different resolution: round both with `rounded_to` first")]
    ResolutionsDiffer,
}

impl LabelledScores {
    /// Exact scores from `(score, outcome)` rows, in any order.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (f64, bool)>) -> Result<LabelledScores, ScoreError> {
        let points = pairs
            .into_iter()
            .map(|(score, outcome)| (score, u64::from(outcome), u64::from(!outcome)))
            .collect();
        Self::from_counts(points, None)
    }

    /// Scores from `(score, positives, negatives)`, in any order and with ties.
    pub fn from_counts(
        mut points: Vec<(f64, u64, u64)>,
        resolution: Option<f64>,
    ) -> Result<LabelledScores, ScoreError> {
        if let Some(resolution) = resolution {
            check_resolution(resolution)?;
        }
        if let Some(&(score, ..)) = points.iter().find(|(s, ..)| !(0.0..=1.0).contains(s)) {
            return Err(ScoreError::OutsideUnitInterval { score });
        }
        points.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let points = points.into_iter().map(|(score, positives, negatives)| ScorePoint {
            score,
            positives,
            negatives,
        });
        Self::from_sorted(points, resolution)
    }

    /// Ties must be neighbours.
    fn from_sorted(
        points: impl Iterator<Item = ScorePoint>,
        resolution: Option<f64>,
    ) -> Result<LabelledScores, ScoreError> {
        let mut merged = LabelledScores { resolution, ..LabelledScores::default() };
        let mut n = 0_u64;
        for point in points {
            let here = point.positives.checked_add(point.negatives).ok_or(ScoreError::TooManyRows)?;
            n = n.checked_add(here).ok_or(ScoreError::TooManyRows)?;
            if here == 0 {
                continue;
            }
            if merged.scores.last() != Some(&point.score) {
                merged.scores.push(point.score + 0.0); // turns -0.0 into 0.0
                merged.positives.push(0);
                merged.negatives.push(0);
            }
            let last = merged.scores.len() - 1;
            merged.positives[last] += point.positives;
            merged.negatives[last] += point.negatives;
        }
        Ok(merged)
    }

    /// Adds the rows of `other`. Either side may be empty; else both must be exact, or rounded to
    /// the same grid.
    pub fn merge(&mut self, other: &LabelledScores) -> Result<(), ScoreError> {
        if other.is_empty() {
            return Ok(());
        }
        if self.is_empty() {
            self.clone_from(other);
            return Ok(());
        }
        if self.resolution != other.resolution {
            return Err(ScoreError::ResolutionsDiffer);
        }
        let merged = Self::from_sorted(ascending(self, other), self.resolution)?;
        *self = merged;
        Ok(())
    }

    /// The same rows with scores rounded to the nearest multiple of `step`, at most 1.
    ///
    /// Rounding what is already rounded to another grid adds the two steps up.
    pub fn rounded_to(&self, step: f64) -> Result<LabelledScores, ScoreError> {
        check_resolution(step)?;
        if self.resolution == Some(step) {
            return Ok(self.clone());
        }
        let rounded = self
            .points()
            .map(|point| ScorePoint { score: ((point.score / step).round() * step).min(1.0), ..point });
        let resolution = (self.resolution.unwrap_or(0.0) + step).min(1.0);
        Self::from_sorted(rounded, Some(resolution))
    }

    /// The distinct scores ascending, with their rows.
    pub fn points(&self) -> impl DoubleEndedIterator<Item = ScorePoint> + ExactSizeIterator {
        (0..self.scores.len()).map(|i| ScorePoint {
            score: self.scores[i],
            positives: self.positives[i],
            negatives: self.negatives[i],
        })
    }

    /// The number of rows.
    pub fn n(&self) -> u64 {
        self.positives_total() + self.negatives_total()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    /// Rows whose outcome was positive.
    pub fn positives_total(&self) -> u64 {
        self.positives.iter().sum()
    }

    /// Rows whose outcome was negative.
    pub fn negatives_total(&self) -> u64 {
        self.negatives.iter().sum()
    }

    /// The number of distinct scores.
    pub fn distinct(&self) -> usize {
        self.scores.len()
    }

    /// The grid's step where scores were rounded, `None` where they are exact.
    pub fn resolution(&self) -> Option<f64> {
        self.resolution
    }

    /// The furthest that a score can be from the one it was rounded from; 0 when exact.
    pub fn score_error(&self) -> f64 {
        self.resolution.unwrap_or(0.0) / 2.0
    }
}

/// The points of both sides by score, ties as neighbours.
fn ascending(a: &LabelledScores, b: &LabelledScores) -> impl Iterator<Item = ScorePoint> {
    let (mut a, mut b) = (a.points().peekable(), b.points().peekable());
    std::iter::from_fn(move || match (a.peek(), b.peek()) {
        (Some(left), Some(right)) if right.score < left.score => b.next(),
        (None, Some(_)) => b.next(),
        _ => a.next(),
    })
}

fn check_resolution(resolution: f64) -> Result<(), ScoreError> {
    if resolution > 0.0 && resolution <= 1.0 { Ok(()) } else { Err(ScoreError::Resolution { resolution }) }
}

#[derive(Serialize, Deserialize)]
struct LabelledScoresStored {
    scores: Vec<f64>,
    positives: Vec<u64>,
    negatives: Vec<u64>,
    resolution: Option<f64>,
}

impl From<LabelledScores> for LabelledScoresStored {
    fn from(scores: LabelledScores) -> LabelledScoresStored {
        LabelledScoresStored {
            scores: scores.scores,
            positives: scores.positives,
            negatives: scores.negatives,
            resolution: scores.resolution,
        }
    }
}

impl TryFrom<LabelledScoresStored> for LabelledScores {
    type Error = ScoreError;

    fn try_from(stored: LabelledScoresStored) -> Result<LabelledScores, ScoreError> {
        let length = stored.scores.len();
        if stored.positives.len() != length || stored.negatives.len() != length {
            return Err(ScoreError::LengthsDiffer);
        }
        let counts = stored.positives.into_iter().zip(stored.negatives);
        let points = stored.scores.into_iter().zip(counts);
        LabelledScores::from_counts(points.map(|(score, (p, n))| (score, p, n)).collect(), stored.resolution)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_outside_zero_to_one_are_refused_with_the_value() {
        for score in [-0.1, 1.1, f64::INFINITY] {
            let refused = LabelledScores::from_pairs([(0.5, true), (score, false)]);
            assert_eq!(refused, Err(ScoreError::OutsideUnitInterval { score }));
        }
        assert!(LabelledScores::from_pairs([(f64::NAN, true)]).is_err());
    }

    #[test]
    fn ties_are_counted_once_per_outcome() {
        let scores = LabelledScores::from_pairs([(0.5, true), (0.0, false), (0.5, false), (-0.0, false)]);
        let points: Vec<_> = scores.unwrap().points().map(|p| (p.score, p.positives, p.negatives)).collect();
        assert_eq!(points, [(0.0, 0, 2), (0.5, 1, 1)]);
    }

    #[test]
    fn different_grids_do_not_merge_unless_a_side_is_empty() {
        let exact = LabelledScores::from_pairs([(0.51, true)]).unwrap();
        let rounded = exact.rounded_to(0.1).unwrap();
        assert_eq!(rounded.points().next().unwrap().score, 0.5);
        assert_eq!(exact.clone().merge(&rounded), Err(ScoreError::ResolutionsDiffer));
        let mut empty = LabelledScores::default();
        empty.merge(&rounded).unwrap();
        assert_eq!(empty, rounded);
        empty.merge(&LabelledScores::default()).unwrap();
        assert_eq!(empty, rounded);
    }

    #[test]
    fn rounding_never_leaves_the_unit_interval_nor_moves_a_score_by_more_than_its_error() {
        for step in [0.4, 0.3, 0.01, 1.0] {
            let rows = (0..=1000).map(|i| (f64::from(i) / 1000.0, true));
            let exact = LabelledScores::from_pairs(rows).unwrap();
            let rounded = exact.rounded_to(step).unwrap();
            assert_eq!(rounded.n(), exact.n());
            for point in rounded.points() {
                assert!((0.0..=1.0).contains(&point.score));
            }
        }
        for resolution in [0.0, -1.0, 1.1, f64::NAN] {
            let refused = LabelledScores::default().rounded_to(resolution);
            assert!(refused.is_err(), "{resolution}");
        }
    }

    #[test]
    fn too_many_rows_are_an_error() {
        let counts = vec![(0.1, u64::MAX, 0), (0.2, 0, 1)];
        assert_eq!(LabelledScores::from_counts(counts, None), Err(ScoreError::TooManyRows));
        let mut many = LabelledScores::from_counts(vec![(0.1, u64::MAX, 0)], None).unwrap();
        let before = many.clone();
        assert_eq!(many.merge(&before), Err(ScoreError::TooManyRows));
        assert_eq!(many, before, "a failed merge changes nothing");
    }

    #[test]
    fn stored_scores_are_checked() {
        let scores = LabelledScores::from_pairs([(0.25, true), (0.75, false)]).unwrap();
        let text = serde_json::to_string(&scores).unwrap();
        assert_eq!(serde_json::from_str::<LabelledScores>(&text).unwrap(), scores);
        for (good, bad) in [("0.75", "7.5"), (",0.75", "")] {
            let text = text.replace(good, bad);
            assert!(serde_json::from_str::<LabelledScores>(&text).is_err(), "{text}");
        }
    }
}
