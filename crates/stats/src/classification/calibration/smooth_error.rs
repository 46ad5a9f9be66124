//! Smooth calibration error: how far scores are off on average, without bins.
//!
//! # What it measures
//!
//! The gaps between scores and outcomes, smoothed along the score axis and averaged without their sign.
//! The width of the smoothing is found by the rule itself: it is as wide as the error that it shows.
//! In [0, 1], 0 is perfect. A small change of the scores changes it little, unlike the error over bins.
//!
//! # When it misleads
//!
//! * Chance alone keeps it above zero. The result carries the value that calibrated scores would show
//!   (`expected_if_calibrated`), and how often they show as much (`p_value`).
//! * Gaps of opposite sign closer together than the width cancel.
//! * A model that always answers the share of positives is perfectly calibrated and useless.
//!
//! # Formula
//!
//! `smECE_σ = ∫₀¹ |Σᵢ (sᵢ − yᵢ) K_σ(t, sᵢ) / n| dt`, `K_σ` the normal kernel of standard deviation `σ`
//! reflected at 0 and 1. It falls as `σ` grows; the answer is the `σ` with `smECE_σ = σ`, or the value at
//! [`WIDTH_LEAST`] where that is smaller.
//!
//! Computed on a grid of at least 257 points with a step of at most `σ/16`: gaps are shared between the
//! two nearest points, the kernel is narrower by what that adds, and the integral is by the trapezoidal
//! rule. The value is within about 0.1 % of the integral. The authors' package `relplot` has
//! at least 200 points, sums with full weight at both ends, stops its search at 1/1024, and counts scores
//! of exactly 0 and 1 half; it differs by up to about 1 % of the value plus 0.001.
//!
//! Interval of the true smooth error: as noise of the outcomes moves the smoothed gaps, it moves
//! `smECE_σ` by at most `∫ |noise|`, whose upper quantile (simulated with random multiples of the gaps
//! themselves) is subtracted below; above, the normal quantile of a sum with `±` signs is added, whose
//! variance is at most the Brier score divided by `n`. As `smECE_σ` falls with `σ`, a bound at the
//! width found is a bound of the fixed point. The p-value compares `smECE_σ` of outcomes that are drawn
//! as if scores were calibrated. Beyond [`GROUPS_MOST`] distinct scores, draws are of that many groups.
//! Error bound of scores rounded in steps of `h`: `h/2 · (1 + √(2/π) · mean |s − y| / σ)`.
//!
//! # Example
//!
//! ```
//! use stats::classification::calibration::smooth_error::smooth_calibration_error;
//! use stats::{interval::Level, labelled_scores::LabelledScores};
//! # struct Rng(u64);
//! # impl rand_core::RngCore for Rng {
//! #     fn next_u32(&mut self) -> u32 { self.next_u64() as u32 }
//! #     fn next_u64(&mut self) -> u64 {
//! #         self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
//! #         self.0 ^ (self.0 >> 29)
//! #     }
//! #     fn fill_bytes(&mut self, bytes: &mut [u8]) { bytes.fill(0) }
//! # }
//! # let mut rng = Rng(1);
//! // Says 20 % and 80 %, happens in 40 % and 60 %; smoothed as widely, the two cancel a little.
//! let scores = LabelledScores::from_counts(vec![(0.2, 400, 600), (0.8, 600, 400)], None)?;
//! let error = smooth_calibration_error(&scores, Level::P95, 100, &mut rng)?;
//! assert!((0.17..0.2).contains(&error.estimate.value) && error.p_value < 0.05);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * J. Błasiok, P. Nakkiran, "Smooth ECE: principled reliability diagrams via kernel smoothing", ICLR
//!   2024, arXiv 2309.12236: definition 2 and section 3.

use rand_core::RngCore;
use serde::{Deserialize, Serialize};

use super::bins::{Binning, groups};
use super::expected_error::upper_quantile;
use crate::binomial::Binomial;
use crate::classification::{Estimate, Undefined};
use crate::interval::{Interval, IntervalMethod, Level};
use crate::labelled_scores::{LabelledScores, ScorePoint};

/// The narrowest smoothing, also the authors'.
pub const WIDTH_LEAST: f64 = 0.001;
/// The most distinct scores that outcomes are drawn for.
pub const GROUPS_MOST: usize = 2048;
/// The most draws; more are not made.
pub const REPLICATES_MOST: usize = 1000;

/// Grid points per width of the smoothing, for the value.
const FINE: f64 = 16.0;
/// The same for simulated values.
const COARSE: f64 = 4.0;
/// The grid has at least so many steps.
const STEPS_LEAST: f64 = 256.0;
/// Where the kernel is cut, in its standard deviations.
const REACH: f64 = 6.0;
/// Where the search for the width starts.
const START: f64 = 0.03;
/// Draws behind the value that calibrated scores show.
const DRAWS_EXPECTED: usize = 32;

/// The smooth calibration error with what chance alone would give.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SmoothError {
    /// The value, its interval and the rows behind it.
    pub estimate: Estimate,
    /// The width of the smoothing; the value itself unless that is below [`WIDTH_LEAST`].
    pub width: f64,
    /// What perfectly calibrated scores would show: the fixed point of their mean smoothed gap.
    pub expected_if_calibrated: f64,
    /// How often perfectly calibrated scores would show as much or more.
    pub p_value: f64,
    /// How often outcomes were drawn.
    pub replicates: usize,
}

/// A signed mass at a score.
type Mass = (f64, f64);

/// Smooth calibration error of `scores`, in [0, 1].
///
/// `replicates`: how often outcomes are simulated, at most [`REPLICATES_MOST`]. The same `rng` state
/// gives the same answer.
///
/// # Errors
/// No rows, or zero replicates.
pub fn smooth_calibration_error(
    scores: &LabelledScores,
    level: Level,
    replicates: usize,
    rng: &mut impl RngCore,
) -> Result<SmoothError, Undefined> {
    if replicates == 0 {
        return Err(Undefined::ZeroReplicates);
    }
    if scores.is_empty() {
        return Err(Undefined::NoRows);
    }
    let n = scores.n() as f64;
    let points: Vec<ScorePoint> = scores.points().collect();
    let gaps: Vec<Mass> = points.iter().map(|p| (p.score, gap(p) / n)).collect();
    let (width, value) = fixed_point(|width| smoothed(&gaps, width, FINE));
    let groups = drawn_groups(scores, &points)?;
    let replicates = replicates.min(REPLICATES_MOST);

    let mut masses: Vec<Mass> = groups.iter().map(|group| (group.score, 0.0)).collect();
    let mut noise: Vec<f64> = (0..replicates)
        .map(|_| {
            for (mass, group) in masses.iter_mut().zip(&groups) {
                mass.1 = group.squares.sqrt() * nearly_normal(rng) / n;
            }
            smoothed(&masses, width, COARSE)
        })
        .collect();
    noise.sort_unstable_by(f64::total_cmp);

    // Compared on the same grid and the same groups.
    masses.iter_mut().zip(&groups).for_each(|(mass, group)| mass.1 = group.gap / n);
    let measured = smoothed(&masses, width, COARSE);
    let draws: Vec<Binomial> = groups.iter().map(|group| Binomial::new(group.n, group.score)).collect();
    let mut draw = |masses: &mut [Mass]| {
        for ((mass, group), draw) in masses.iter_mut().zip(&groups).zip(&draws) {
            mass.1 = (group.n as f64 * group.score - draw.sample_quickly(rng) as f64) / n;
        }
    };
    let mut as_much = 0;
    for _ in 0..replicates {
        draw(&mut masses);
        as_much += usize::from(smoothed(&masses, width, COARSE) >= measured - 1e-12);
    }
    let drawn: Vec<Vec<Mass>> = (0..DRAWS_EXPECTED)
        .map(|_| {
            draw(&mut masses);
            masses.clone()
        })
        .collect();
    let mean = |width| {
        drawn.iter().map(|masses| smoothed(masses, width, COARSE)).sum::<f64>() / DRAWS_EXPECTED as f64
    };

    let (absolute, squares) = points.iter().fold((0.0, 0.0), |(absolute, squares), p| {
        (absolute + p.positives as f64 * (1.0 - p.score) + p.negatives as f64 * p.score, squares + losses(p))
    });
    let interval = Interval {
        lower: (value - upper_quantile(&noise, level.tail())).max(0.0),
        upper: (value + level.z() * squares.sqrt() / n).min(1.0).max(value),
        level,
        method: IntervalMethod::SimulatedCurve,
    };
    let moved = 1.0 + (2.0 / std::f64::consts::PI).sqrt() * absolute / n / width;
    let error_bound = (scores.score_error() * moved).min(1.0);
    Ok(SmoothError {
        estimate: Estimate { value, interval, n: scores.n(), error_bound },
        width,
        expected_if_calibrated: fixed_point(mean).1,
        p_value: (as_much as f64 + 1.0) / (replicates as f64 + 1.0),
        replicates,
    })
}

/// `Σ (s − y)` of a point's rows.
fn gap(point: &ScorePoint) -> f64 {
    point.score * point.negatives as f64 - (1.0 - point.score) * point.positives as f64
}

/// `Σ (s − y)²` of a point's rows.
fn losses(point: &ScorePoint) -> f64 {
    point.positives as f64 * (1.0 - point.score).powi(2) + point.negatives as f64 * point.score.powi(2)
}

/// Neighbouring scores that are drawn together.
struct Group {
    score: f64,
    n: u64,
    gap: f64,
    squares: f64,
}

fn drawn_groups(scores: &LabelledScores, points: &[ScorePoint]) -> Result<Vec<Group>, Undefined> {
    let of = |points: &[ScorePoint]| {
        let n = points.iter().map(ScorePoint::n).sum::<u64>();
        let score = points.iter().map(|p| p.score * p.n() as f64).sum::<f64>() / n as f64;
        Group {
            score: score.clamp(0.0, 1.0),
            n,
            gap: points.iter().map(gap).sum(),
            squares: points.iter().map(losses).sum(),
        }
    };
    if points.len() <= GROUPS_MOST {
        return Ok(points.chunks(1).map(of).collect());
    }
    Ok(groups(scores, GROUPS_MOST, Binning::EqualMass)?.into_iter().map(|group| of(&points[group])).collect())
}

/// The sum of four uniform numbers, of mean 0 and variance 1.
fn nearly_normal(rng: &mut impl RngCore) -> f64 {
    let bits = rng.next_u64();
    let sum: u64 = (0..4).map(|part| (bits >> (16 * part)) & 0xFFFF).sum();
    (sum as f64 - 2.0 * 65_535.0) * (3.0_f64.sqrt() / 65_536.0)
}

/// The width at which a non-increasing function in [0, 1] equals it, with the function's value there.
fn fixed_point(of: impl Fn(f64) -> f64) -> (f64, f64) {
    // Outwards from a usual width, as the narrowest and the widest take the longest.
    let mut lower = (START, of(START) - START);
    let mut upper = lower;
    while upper.1 > 0.0 {
        let width = (4.0 * upper.0).min(1.0);
        (lower, upper) = (upper, (width, of(width) - width));
        if width >= 1.0 && upper.1 >= 0.0 {
            return (width, upper.1 + width);
        }
    }
    while lower.1 <= 0.0 {
        let width = (lower.0 / 4.0).max(WIDTH_LEAST);
        (upper, lower) = (lower, (width, of(width) - width));
        if width <= WIDTH_LEAST && lower.1 <= 0.0 {
            return (width, lower.1 + width);
        }
    }
    let ((mut lower, mut above), (mut upper, mut below)) = (lower, upper);
    // The Illinois variant of false position.
    let mut side = 0;
    for _ in 0..100 {
        let middle = ((lower * below - upper * above) / (below - above)).clamp(lower, upper);
        let here = of(middle) - middle;
        if here.abs() <= 1e-9 || upper - lower <= 1e-9 {
            return (middle, middle);
        }
        if here > 0.0 {
            (lower, above) = (middle, here);
            below = if side == 1 { below / 2.0 } else { below };
            side = 1;
        } else {
            (upper, below) = (middle, here);
            above = if side == -1 { above / 2.0 } else { above };
            side = -1;
        }
    }
    let middle = f64::midpoint(lower, upper);
    (middle, middle)
}

/// `∫ |Σ mass K_σ(t, score)| dt`, on a grid whose step is `width / fineness` or less.
fn smoothed(masses: &[Mass], width: f64, fineness: f64) -> f64 {
    let steps = (fineness / width).max(STEPS_LEAST).ceil();
    let last = steps as usize;
    let mut grid = vec![0.0; last + 1];
    for &(score, mass) in masses {
        let place = score * steps;
        let below = (place as usize).min(last - 1);
        let share = place - below as f64;
        grid[below] += mass * (1.0 - share);
        grid[below + 1] += mass * share;
    }
    // A mass at an end is its own mirror image.
    grid[0] *= 2.0;
    grid[last] *= 2.0;
    let kernel = kernel(width, steps);
    let reach = kernel.len() - 1;
    let mirrored = |at: i64| {
        let at = at.rem_euclid(2 * last as i64) as usize;
        if at > last { 2 * last - at } else { at }
    };
    let extended: Vec<f64> = (-(reach as i64)..=(last + reach) as i64).map(|at| grid[mirrored(at)]).collect();
    let at = |centre: usize| {
        let window = &extended[centre..=centre + 2 * reach];
        let pairs = (1..=reach).map(|off| kernel[off] * (window[reach - off] + window[reach + off]));
        (kernel[0] * window[reach] + pairs.sum::<f64>()).abs()
    };
    let inner: f64 = (1..last).map(at).sum();
    inner + f64::midpoint(at(0), at(last))
}

/// The weights of the kernel by distance in steps, adding up to 1 over both sides.
fn kernel(width: f64, steps: f64) -> Vec<f64> {
    // Sharing between two points adds a sixth of a squared step to the variance, on average.
    let variance = ((width * steps).powi(2) - 1.0 / 6.0).max(0.25);
    let reach = (REACH * variance.sqrt()).ceil() as usize;
    let weights: Vec<f64> = (0..=reach).map(|off| (-(off as f64).powi(2) / (2.0 * variance)).exp()).collect();
    let sum = 2.0 * weights.iter().sum::<f64>() - weights[0];
    weights.into_iter().map(|weight| weight / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binomial::tests::SplitMix;

    fn scores(rows: &[(f64, bool)]) -> LabelledScores {
        LabelledScores::from_pairs(rows.iter().copied()).unwrap()
    }

    fn error(scores: &LabelledScores) -> SmoothError {
        smooth_calibration_error(scores, Level::P95, 200, &mut SplitMix(1)).unwrap()
    }

    #[test]
    fn what_cannot_be_smoothed_says_why() {
        let of = |s: &LabelledScores, replicates| {
            smooth_calibration_error(s, Level::P95, replicates, &mut SplitMix(1)).err()
        };
        assert_eq!(of(&scores(&[]), 100), Some(Undefined::NoRows));
        assert_eq!(of(&scores(&[(0.1, true)]), 0), Some(Undefined::ZeroReplicates));
    }

    #[test]
    fn certain_scores_have_no_error_when_right_and_all_of_it_when_wrong() {
        let right = error(&scores(&[(0.0, false), (1.0, true)]));
        assert_eq!((right.estimate.value, right.width, right.p_value), (0.0, WIDTH_LEAST, 1.0));
        // Two gaps of opposite sign cancel in part where the width is large.
        let all_wrong = error(&scores(&[(1.0, false), (1.0, false)]));
        assert!((all_wrong.estimate.value - 1.0).abs() < 1e-6, "{all_wrong:?}");
        assert!(all_wrong.estimate.interval.contains(1.0) && all_wrong.p_value < 0.01);
    }

    #[test]
    fn gaps_of_one_sign_are_their_mean_wherever_they_lie() {
        for at in [0.0, 0.003, 0.31, 0.7, 1.0] {
            let masses = [(at, 0.3), (at / 2.0, 0.1)];
            for width in [0.001, 0.01, 0.1, 1.0] {
                for fineness in [FINE, COARSE] {
                    assert!((smoothed(&masses, width, fineness) - 0.4).abs() < 1e-9, "{at} {width}");
                }
            }
        }
    }

    /// The same integral, row by row and finely.
    #[test]
    fn the_grid_is_within_a_thousandth_of_the_integral() {
        let rows: Vec<Mass> = (0..60_u32)
            .map(|i| {
                let score = (f64::from(i * 37 % 61) / 60.0).powi(2);
                (score, (score - f64::from(u8::from(i * i % 7 < 3))) / 60.0)
            })
            .collect();
        for width in [0.004, 0.02, 0.11, 0.5] {
            let density = |t: f64| {
                let normal = |x: f64| (-x * x / (2.0 * width * width)).exp();
                let reflected = |s: f64| {
                    (-6..=6)
                        .map(|k| 2.0 * f64::from(k))
                        .map(|k| normal(t - s + k) + normal(t + s + k))
                        .sum::<f64>()
                };
                rows.iter().map(|&(s, mass)| mass * reflected(s)).sum::<f64>()
                    / (width * (2.0 * std::f64::consts::PI).sqrt())
            };
            let cells = 4000;
            let truth: f64 =
                (0..cells).map(|cell| density((f64::from(cell) + 0.5) / f64::from(cells)).abs()).sum::<f64>()
                    / f64::from(cells);
            let fine = smoothed(&rows, width, FINE);
            assert!((fine / truth - 1.0).abs() < 1e-3, "{width}: {fine} {truth}");
            let coarse = smoothed(&rows, width, COARSE);
            assert!((coarse / truth - 1.0).abs() < 2e-2, "{width}: {coarse} {truth}");
        }
    }

    #[test]
    fn calibrated_scores_are_seldom_refused_and_intervals_hold() {
        const WINDOWS: u32 = 24;
        for (steepness, truth) in [(1.0, 0.0), (0.6, 0.1)] {
            let mut rng = SplitMix(3);
            let (mut held, mut refused, mut ratio) = (0, 0, 0.0);
            for _ in 0..WINDOWS {
                let rows = (0..200_u32).map(|i| {
                    let score = (f64::from(i) + 0.5) / 200.0;
                    let uniform = (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
                    (score, uniform < 0.5 + steepness * (score - 0.5))
                });
                let scores = LabelledScores::from_pairs(rows.collect::<Vec<_>>()).unwrap();
                let found = smooth_calibration_error(&scores, Level::P95, 30, &mut rng).unwrap();
                // Smoothing rounds the corner where the gap changes its sign.
                held += u32::from(found.estimate.interval.contains(truth * 0.97));
                refused += u32::from(found.p_value <= 0.05);
                ratio += found.estimate.value / found.expected_if_calibrated / f64::from(WINDOWS);
            }
            assert!(held >= 22, "{steepness}: {held}");
            if truth == 0.0 {
                assert!(refused <= 4 && (0.8..1.2).contains(&ratio), "{refused} {ratio}");
            } else {
                assert!(refused >= 15, "{refused}");
            }
        }
    }
}
