//! CORP: the reliability curve and the parts of the Brier score without bins.
//!
//! # What it measures
//!
//! What scores should have been: the best non-decreasing function of them (isotonic regression). The
//! curve is drawn over the scores and lies on the diagonal where they are calibrated; the band says
//! where it would lie by chance alone. The Brier score becomes *miscalibration* (what recalibration
//! would save, 0 is perfect) less *discrimination* (what the order of scores is worth) plus
//! *uncertainty* (the score of always answering the share of positives).
//!
//! # When it misleads
//!
//! * The band holds at each score by itself. Over a whole diagram some point is outside more often than
//!   the level says; the p-value of the miscalibration is for the whole.
//! * Isotonic regression follows chance: miscalibration is above zero for calibrated scores too
//!   (`expected_if_calibrated`).
//! * Where outcomes truly fall as scores rise, the curve is flat and the whole fall counts as
//!   miscalibration.
//!
//! # Formula
//!
//! With `v` the isotonic fit, `S` the mean squared error: `miscalibration = S(score) − S(v)`,
//! `discrimination = S(share of positives) − S(v)`, `uncertainty = S(share of positives)`; so
//! `Brier = miscalibration − discrimination + uncertainty` exactly, no part below 0.
//!
//! Band: outcomes are drawn as if scores were calibrated, the curve is fitted to each draw, and the
//! band holds the middle of the fits at every point. Beyond [`GROUPS_MOST`] distinct scores, draws are
//! of that many groups of neighbouring scores of equal mass, each at its mean. Rounded scores are taken
//! as they are: the curve is right to half a step along the axis.
//!
//! Intervals of the parts, for the scores as they are: the isotonic fit overfits, so that both parts found are
//! too large. Outcomes are drawn from the fit, whose own parts are known, and the fit is made anew: what the
//! parts found then miss, the parts found from the rows are taken to miss, too. The interval is the value less
//! the upper and the lower quantile of that (the basic bootstrap of a parametric fit), cut at 0 and at 1 or
//! 0.25, and widened to hold the value itself. Simulated at 95 % with another implementation (docs/benchmarks.md), it
//! covered both parts in 92 % of windows and more, with 400 and with 4,000 rows, but for one: the miscalibration of
//! scores that claim much and hardly tell apart, in 88 % of windows of 4,000 rows.
//!
//! # Example
//!
//! ```
//! use stats::classification::calibration::corp::corp_parts;
//! use stats::{interval::Level, labelled_scores::LabelledScores};
//! let scores = LabelledScores::from_counts(vec![(0.1, 20, 80), (0.8, 80, 20)], None)?;
//! let parts = corp_parts(&scores, Level::P95)?;
//! assert!((parts.miscalibration - 0.005).abs() < 1e-12);   // 0.1 should have been 0.2
//! assert!((parts.discrimination - 0.09).abs() < 1e-12 && parts.uncertainty == 0.25);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * T. Dimitriadis, T. Gneiting, A. I. Jordan, "Stable reliability diagrams for probabilistic
//!   classifiers", PNAS 118, 2021.
//! * J. Bröcker, L. A. Smith, "Increasing the reliability of reliability diagrams", Weather and
//!   Forecasting 22, 2007: consistency resampling.
//! * A. C. Davison, D. V. Hinkley, "Bootstrap methods and their application", Cambridge, 1997: section 5.2,
//!   basic intervals, and section 2.2, parametric simulation.

use rand_core::RngCore;
use serde::{Deserialize, Serialize};

use super::bins::{Binning, close, groups};
use super::expected_error::upper_quantile;
use crate::binomial::Binomial;
use crate::classification::brier::brier_score;
use crate::classification::{Estimate, Undefined};
use crate::estimated::isotonic::Isotonic;
use crate::interval::{Interval, IntervalMethod, Level};
use crate::labelled_scores::{LabelledScores, ScorePoint};

/// The most distinct scores that outcomes are drawn for.
pub const GROUPS_MOST: usize = 2048;
/// The most draws; more are not made.
pub const REPLICATES_MOST: usize = 2000;
/// The most points of a curve.
pub const POINTS_MOST: usize = 1000;

/// The parts of the Brier score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CorpParts {
    /// The whole.
    pub brier: Estimate,
    /// What recalibration would save; 0 is perfect.
    pub miscalibration: f64,
    /// What the order of scores is worth.
    pub discrimination: f64,
    /// The outcomes' own.
    pub uncertainty: f64,
}

/// Two of the parts with intervals.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CorpIntervals {
    /// What recalibration would save.
    pub miscalibration: Estimate,
    /// What the order of scores is worth.
    pub discrimination: Estimate,
}

/// A reliability curve with the band of chance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CorpDiagram {
    /// Ascending in score; between two points the curve and the band are straight lines.
    pub curve: Vec<CorpPoint>,
    /// The parts of the Brier score.
    pub parts: CorpParts,
    /// The miscalibration that calibrated scores show on average.
    pub expected_if_calibrated: f64,
    /// How often calibrated scores show as much miscalibration or more.
    pub p_value: f64,
    /// How often calibrated scores lie inside the band, at each point.
    pub level: Level,
    /// Pieces on which the isotonic fit is constant.
    pub blocks: usize,
    /// How often outcomes were drawn.
    pub replicates: usize,
}

/// A score with what it should have been.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CorpPoint {
    /// The score.
    pub score: f64,
    /// The isotonic fit there.
    pub recalibrated: f64,
    /// The band's lower end.
    pub lower: f64,
    /// The band's upper end.
    pub upper: f64,
}

/// The parts of the Brier score of `scores`; `level` is for the interval of the whole.
///
/// # Errors
/// Fewer than two rows.
pub fn corp_parts(scores: &LabelledScores, level: Level) -> Result<CorpParts, Undefined> {
    let brier = brier_score(scores, level)?;
    let points: Vec<ScorePoint> = scores.points().collect();
    Ok(parts_of(brier, &points, &fit(&points)?))
}

/// The reliability curve of `scores` at no more than `points_most` of them, with a band of `level`.
///
/// `replicates`: how often outcomes are drawn, a few hundred for a drawing. At most
/// [`REPLICATES_MOST`] draws and [`POINTS_MOST`] points are made, at least two points where there are
/// two scores. The same `rng` state gives the same answer.
///
/// # Errors
/// Fewer than two rows, or zero replicates.
pub fn corp_diagram(
    scores: &LabelledScores,
    level: Level,
    replicates: usize,
    points_most: usize,
    rng: &mut impl RngCore,
) -> Result<CorpDiagram, Undefined> {
    if replicates == 0 {
        return Err(Undefined::ZeroReplicates);
    }
    let brier = brier_score(scores, level)?;
    let points: Vec<ScorePoint> = scores.points().collect();
    let isotonic = fit(&points)?;
    let parts = parts_of(brier, &points, &isotonic);
    let at = drawn_scores(&points, scores.n(), points_most.clamp(2, POINTS_MOST));
    let groups = grouped(scores, &points)?;
    let measured = miscalibration(&groups, &fit(&groups)?);
    let replicates = replicates.min(REPLICATES_MOST);
    let draws: Vec<Binomial> = groups.iter().map(|g| Binomial::new(g.n(), g.score)).collect();
    let mut fits: Vec<Vec<f64>> = vec![Vec::with_capacity(replicates); at.len()];
    let (mut sum, mut as_much) = (0.0, 0);
    let mut drawn = groups.clone();
    for _ in 0..replicates {
        for (group, draw) in drawn.iter_mut().zip(&draws) {
            let n = group.n();
            group.positives = draw.sample_quickly(rng);
            group.negatives = n - group.positives;
        }
        let isotonic = fit(&drawn)?;
        let by_chance = miscalibration(&drawn, &isotonic);
        sum += by_chance;
        as_much += usize::from(by_chance >= measured - 1e-12);
        fits.iter_mut().zip(&at).for_each(|(fits, &score)| fits.push(isotonic.predict(score)));
    }
    let curve = at.into_iter().zip(fits).map(|(score, mut fits)| {
        fits.sort_unstable_by(f64::total_cmp);
        let (lower, upper) = (upper_quantile(&fits, 1.0 - level.tail()), upper_quantile(&fits, level.tail()));
        CorpPoint { score, recalibrated: isotonic.predict(score), lower, upper }
    });
    Ok(CorpDiagram {
        curve: curve.collect(),
        parts,
        expected_if_calibrated: sum / replicates as f64,
        p_value: (as_much as f64 + 1.0) / (replicates as f64 + 1.0),
        level,
        blocks: isotonic.blocks().len(),
        replicates,
    })
}

/// The parts of `scores` with intervals of what they would be without chance, from `replicates` draws (a few
/// hundred; at most [`REPLICATES_MOST`] are made).
///
/// # Errors
/// Fewer than two rows, or zero replicates.
pub fn corp_intervals(
    scores: &LabelledScores,
    level: Level,
    replicates: usize,
    rng: &mut impl RngCore,
) -> Result<CorpIntervals, Undefined> {
    if replicates == 0 {
        return Err(Undefined::ZeroReplicates);
    }
    let parts = corp_parts(scores, level)?;
    let points: Vec<ScorePoint> = scores.points().collect();
    let mut drawn = grouped(scores, &points)?;
    let shares = fit_of(&drawn, &fit(&drawn)?);
    let weighted = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        let rows = drawn.iter().zip(&shares);
        rows.map(|(group, &share)| group.n() as f64 / scores.n() as f64 * of(group.score, share)).sum()
    };
    let mean = weighted(&|_, share| share);
    let miscalibrated = weighted(&|score, share| (score - share).powi(2));
    let told_apart = weighted(&|_, share| (share - mean).powi(2));
    let draws: Vec<Binomial> =
        drawn.iter().zip(&shares).map(|(group, &share)| Binomial::new(group.n(), share)).collect();
    let (mut misses, mut others) = (Vec::new(), Vec::new());
    for _ in 0..replicates.min(REPLICATES_MOST) {
        for (group, draw) in drawn.iter_mut().zip(&draws) {
            let n = group.n();
            group.positives = draw.sample_quickly(rng);
            group.negatives = n - group.positives;
        }
        let again = parts_of(parts.brier, &drawn, &fit(&drawn)?);
        misses.push(again.miscalibration - miscalibrated);
        others.push(again.discrimination - told_apart);
    }
    let estimate = |value: f64, interval| Estimate { value, interval, n: scores.n(), error_bound: 0.0 };
    Ok(CorpIntervals {
        miscalibration: estimate(
            parts.miscalibration,
            without_misses(parts.miscalibration, misses, 1.0, level),
        ),
        discrimination: estimate(
            parts.discrimination,
            without_misses(parts.discrimination, others, 0.25, level),
        ),
    })
}

fn fit(points: &[ScorePoint]) -> Result<Isotonic, Undefined> {
    let weighted = points.iter().map(|p| (p.score, p.positives as f64 / p.n() as f64, p.n() as f64));
    Isotonic::fit(weighted).map_err(|_| Undefined::NoRows)
}

fn parts_of(brier: Estimate, points: &[ScorePoint], isotonic: &Isotonic) -> CorpParts {
    let n = points.iter().map(ScorePoint::n).sum::<u64>() as f64;
    let share = points.iter().map(|p| p.positives).sum::<u64>() as f64 / n;
    let won = isotonic.blocks().iter().map(|block| block.weight / n * (block.value - share).powi(2));
    CorpParts {
        brier,
        miscalibration: miscalibration(points, isotonic),
        discrimination: won.sum(),
        uncertainty: share * (1.0 - share),
    }
}

fn fit_of(groups: &[ScorePoint], isotonic: &Isotonic) -> Vec<f64> {
    groups.iter().map(|group| isotonic.predict(group.score).clamp(0.0, 1.0)).collect()
}

/// `value` less the quantiles of what the simulated ones miss, between 0 and `most`, and never without `value`.
fn without_misses(value: f64, mut misses: Vec<f64>, most: f64, level: Level) -> Interval {
    misses.sort_unstable_by(f64::total_cmp);
    let (least, largest) =
        (upper_quantile(&misses, 1.0 - level.tail()), upper_quantile(&misses, level.tail()));
    Interval {
        lower: (value - largest).max(0.0).min(value),
        upper: (value - least).min(most).max(value),
        level,
        method: IntervalMethod::SimulatedFromFit,
    }
}

/// `S(score) − S(v)`, row by row so that what both share does not cancel.
fn miscalibration(points: &[ScorePoint], isotonic: &Isotonic) -> f64 {
    let mut blocks = isotonic.blocks().iter().peekable();
    let (mut sum, mut rows) = (0.0, 0.0);
    for point in points {
        while blocks.next_if(|block| block.last < point.score).is_some() {}
        let Some(block) = blocks.peek() else { break };
        let n = point.n() as f64;
        let twice_share = 2.0 * point.positives as f64 / n;
        sum += n * (point.score - block.value) * (point.score + block.value - twice_share);
        rows += n;
    }
    (sum / rows).max(0.0)
}

/// The points, or as many groups of neighbours as outcomes may be drawn for.
fn grouped(scores: &LabelledScores, points: &[ScorePoint]) -> Result<Vec<ScorePoint>, Undefined> {
    if points.len() <= GROUPS_MOST {
        return Ok(points.to_vec());
    }
    let groups = groups(scores, GROUPS_MOST, Binning::EqualMass)?;
    Ok(groups.into_iter().map(|group| mean_point(&points[group])).collect())
}

fn mean_point(points: &[ScorePoint]) -> ScorePoint {
    let bin = close(points.iter().copied(), Level::P95);
    ScorePoint { score: bin.score_mean, positives: bin.positives, negatives: bin.n - bin.positives }
}

/// Some of the scores: all where there are few; else half of them an equal number of rows apart, half
/// an equal distance apart, so that neither crowded nor empty stretches are left out.
fn drawn_scores(points: &[ScorePoint], n: u64, most: usize) -> Vec<f64> {
    if points.len() <= most {
        return points.iter().map(|p| p.score).collect();
    }
    let half = most / 2;
    let (first, last) = (points[0].score, points[points.len() - 1].score);
    let step = |k: usize| k as f64 / (half.max(2) - 1) as f64;
    let mut chosen: Vec<usize> = (0..half)
        .map(|k| points.partition_point(|p| p.score < first + step(k) * (last - first)))
        .map(|at| at.min(points.len() - 1))
        .collect();
    let (mut rows, mut k) = (0.0, 0);
    for (at, point) in points.iter().enumerate() {
        rows += point.n() as f64;
        if k < most - half && rows >= k as f64 / (most - half) as f64 * n as f64 {
            chosen.push(at);
            k += 1;
        }
    }
    chosen.extend([points.len() - 1]);
    chosen.sort_unstable();
    chosen.dedup();
    // One too many where no two coincide.
    if chosen.len() > most {
        chosen.remove(chosen.len() / 2);
    }
    chosen.into_iter().map(|at| points[at].score).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binomial::tests::SplitMix;
    use proptest::prelude::*;

    fn scores(rows: &[(f64, bool)]) -> LabelledScores {
        LabelledScores::from_pairs(rows.iter().copied()).unwrap()
    }

    proptest! {
        #[test]
        fn the_parts_add_up_and_none_is_negative(
            rows in prop::collection::vec((0.0..=1.0_f64, any::<bool>()), 2..80)
        ) {
            let parts = corp_parts(&LabelledScores::from_pairs(rows).unwrap(), Level::P95).unwrap();
            let sum = parts.miscalibration - parts.discrimination + parts.uncertainty;
            prop_assert!((sum - parts.brier.value).abs() < 1e-13, "{:?}", parts);
            prop_assert!(parts.miscalibration >= 0.0 && parts.discrimination >= 0.0);
            prop_assert!(parts.discrimination <= parts.uncertainty + 1e-13);
        }
    }

    #[test]
    fn what_cannot_be_drawn_says_why() {
        let mut rng = SplitMix(1);
        let mut of = |rows: &[(f64, bool)], replicates| {
            corp_diagram(&scores(rows), Level::P95, replicates, 50, &mut rng).map(|d| d.curve.len())
        };
        assert_eq!(of(&[], 10), Err(Undefined::NoRows));
        assert_eq!(of(&[(0.2, true)], 10), Err(Undefined::TooFewRows { n: 1, needed: 2 }));
        assert_eq!(of(&[(0.2, true), (0.2, false)], 0), Err(Undefined::ZeroReplicates));
        assert_eq!(of(&[(0.2, true), (0.2, false)], 10), Ok(1));
        assert_eq!(of(&[(0.0, false), (1.0, true)], 10), Ok(2));
    }

    #[test]
    fn certain_scores_leave_chance_no_room() {
        let right = scores(&[(0.0, false), (1.0, true), (1.0, true)]);
        let diagram = corp_diagram(&right, Level::P95, 50, 9, &mut SplitMix(3)).unwrap();
        assert_eq!((diagram.parts.miscalibration, diagram.p_value), (0.0, 1.0));
        assert!(diagram.curve.iter().all(|p| p.lower == p.score && p.upper == p.score));
    }

    #[test]
    fn one_class_is_a_flat_curve() {
        let rows: Vec<_> = (0..10).map(|i| (f64::from(i) / 10.0, true)).collect();
        let diagram = corp_diagram(&scores(&rows), Level::P95, 100, 9, &mut SplitMix(3)).unwrap();
        assert!(diagram.curve.iter().all(|p| p.recalibrated == 1.0));
        assert_eq!((diagram.blocks, diagram.parts.uncertainty), (1, 0.0));
        assert!(diagram.p_value < 0.05);
    }

    #[test]
    fn no_more_points_are_drawn_than_asked_for_and_the_ends_always() {
        let rows: Vec<_> = (0..5000_u32).map(|i| ((f64::from(i) / 5000.0).powi(3), i % 3 == 0)).collect();
        let scores = scores(&rows);
        for most in [0, 2, 3, 10, 33, 100, 5000] {
            let found = corp_diagram(&scores, Level::P95, 3, most, &mut SplitMix(3)).unwrap();
            let drawn: Vec<f64> = found.curve.iter().map(|p| p.score).collect();
            assert!(drawn.len() <= most.clamp(2, POINTS_MOST), "{most}: {}", drawn.len());
            assert!(drawn.len() * 3 >= 2 * most.min(POINTS_MOST), "{most}: {}", drawn.len());
            assert_eq!((drawn.first(), drawn.last()), (Some(&0.0), Some(&(4999_f64 / 5000.0).powi(3))));
            assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }

    #[test]
    fn the_band_holds_calibrated_curves_as_often_as_it_says() {
        const WINDOWS: u32 = 100;
        let level = Level::new(0.9).unwrap();
        let mut rng = SplitMix(5);
        let (mut inside, mut points, mut refused, mut excess) = (0, 0, 0, 0.0);
        for _ in 0..WINDOWS {
            let drawn = (1..50).map(|i| {
                let score = f64::from(i) / 50.0;
                let positives = Binomial::new(6, score).sample(&mut rng);
                (score, positives, 6 - positives)
            });
            let scores = LabelledScores::from_counts(drawn.collect(), None).unwrap();
            let found = corp_diagram(&scores, level, 100, 30, &mut rng).unwrap();
            points += found.curve.len();
            inside +=
                found.curve.iter().filter(|p| p.lower <= p.recalibrated && p.recalibrated <= p.upper).count();
            refused += u32::from(found.p_value <= 0.05);
            excess += found.parts.miscalibration / found.expected_if_calibrated / f64::from(WINDOWS);
        }
        let share = inside as f64 / points as f64;
        assert!((0.86..0.94).contains(&share), "{share}");
        assert!(refused <= 12 && (0.9..1.1).contains(&excess), "{refused} {excess}");
    }

    type Truth = fn(f64) -> f64;

    /// The parts of the truth are those of 40 scores with `truth(score)`, `rows` rows each.
    #[test]
    fn intervals_cover_the_true_parts() {
        const WINDOWS: u32 = 200;
        let truths: [(&str, Truth); 4] = [
            ("calibrated", |score| score),
            ("overconfident", |score| 0.3 + 0.4 * score),
            ("too high", |score| 0.7 * score),
            ("a step", |score| if score < 0.5 { 0.3 } else { 0.6 }),
        ];
        for (name, truth) in truths {
            for rows in [10, 100] {
                let mut rng = SplitMix(21);
                let scores: Vec<f64> = (1..=40).map(|i| f64::from(i) / 41.0).collect();
                let mean =
                    |of: &dyn Fn(f64) -> f64| scores.iter().map(|&score| of(score)).sum::<f64>() / 40.0;
                let share = mean(&truth);
                let miscalibrated = mean(&|score| (score - truth(score)).powi(2));
                let told_apart = mean(&|score| (truth(score) - share).powi(2));
                let mut covered = [0; 2];
                for _ in 0..WINDOWS {
                    let points = scores.iter().map(|&score| {
                        let positives = Binomial::new(rows, truth(score)).sample(&mut rng);
                        (score, positives, rows - positives)
                    });
                    let scores = LabelledScores::from_counts(points.collect(), None).unwrap();
                    let found = corp_intervals(&scores, Level::P95, 200, &mut rng).unwrap();
                    covered[0] += u32::from(found.miscalibration.interval.contains(miscalibrated));
                    covered[1] += u32::from(found.discrimination.interval.contains(told_apart));
                }
                // A fit of 400 rows is rough, and so is what is drawn from it.
                let least = if rows == 10 { 174 } else { 182 };
                assert!(covered.iter().all(|&c| c >= least), "{name} {rows}: {covered:?} of {WINDOWS}");
            }
        }
    }
}
