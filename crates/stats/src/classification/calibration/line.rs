//! Calibration line: are scores too high, too low, too extreme or too timid?
//!
//! # What it measures
//!
//! The logistic regression of outcomes on the scores' logits. A slope of 1 with an intercept of 0 is
//! ideal. A slope below 1: scores are too extreme, high ones too high and low ones too low
//! (over-confidence, overfitting). Above 1: too timid. The *shift* is the intercept with the slope held
//! at 1, calibration in the large on the logit scale: below 0, scores promise too much.
//!
//! # When it misleads
//!
//! * It is a line: a curve that bends both ways can have slope 1 and intercept 0.
//! * The intercept belongs to a score of one half. With a slope far from 1, read the shift instead.
//! * A score of exactly 0 or 1 has no logit. Where scores are exact, such rows are left out and counted,
//!   with the number of them that were wrong: no line corrects a certainty that failed. Where scores
//!   were rounded in steps of `h`, 0 and 1 stand for scores near them, and are taken as `h/4` and
//!   `1 − h/4`.
//! * Very small scores have much leverage. A few of them that turn out positive flatten the slope.
//!
//! # Formula
//!
//! `logit P(y = 1) = a + b · logit s`, by maximum likelihood (Newton's method with halved steps).
//! Intervals: Wald's, `± z` times the root of the inverse information's diagonal. Joint test of `a = 0`
//! and `b = 1`: twice the log-likelihood's difference, chi-square with two degrees of freedom. Shift:
//! `Σ σ(logit s + a) = positives`. Error bounds of rounded scores are to first order in the step.
//!
//! # Example
//!
//! ```
//! use stats::classification::calibration::line::{calibration_line, logit_shift};
//! use stats::{interval::Level, labelled_scores::LabelledScores};
//! // Says 10 % and 90 %, happens in 20 % and 80 %: too extreme, on neither side.
//! let scores = LabelledScores::from_counts(vec![(0.1, 20, 80), (0.9, 80, 20)], None)?;
//! let line = calibration_line(&scores, Level::P95)?;
//! assert!((line.slope.value - 4_f64.ln() / 9_f64.ln()).abs() < 1e-9);
//! assert!(line.slope.interval.upper < 1.0 && line.joint.p_value < 0.01);
//! assert!(logit_shift(&scores, Level::P95)?.shift.interval.contains(0.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * D. R. Cox, "Two further applications of a model for binary regression", Biometrika 45, 1958.
//! * E. W. Steyerberg et al., "Assessing the performance of prediction models", Epidemiology 21, 2010.
//! * B. Van Calster et al., "Calibration: the Achilles heel of predictive analytics", BMC Medicine 17,
//!   2019.

use serde::{Deserialize, Serialize};

use crate::classification::{Estimate, Undefined};
use crate::interval::{Interval, IntervalMethod, Level};
use crate::labelled_scores::LabelledScores;
use crate::special::chi_square_sf;

/// Newton's steps at most; a dozen are usual.
const STEPS_MOST: usize = 200;
/// A step this small beside the parameters is the last one.
const STEP_LEAST: f64 = 1e-10;

/// The line of outcomes on scores, both as logits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationLine {
    /// 0 is ideal.
    pub intercept: Estimate,
    /// 1 is ideal; below, scores are too extreme.
    pub slope: Estimate,
    /// Whether intercept 0 and slope 1 together can be true.
    pub joint: LikelihoodRatio,
    /// Rows that no line can be fitted to.
    pub certain: CertainRows,
}

/// The intercept with the slope held at 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogitShift {
    /// What has to be added to the scores' logits; below 0, scores promise too much.
    pub shift: Estimate,
    /// Rows that nothing can be added to.
    pub certain: CertainRows,
}

/// Rows whose exact score is 0 or 1, which has no logit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertainRows {
    /// All of them.
    pub n: u64,
    /// Those where the opposite happened.
    pub wrong: u64,
}

/// A likelihood-ratio test with two degrees of freedom.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LikelihoodRatio {
    /// Twice the difference of the log-likelihoods.
    pub statistic: f64,
    /// How likely a statistic at least this large is by chance, for many rows.
    pub p_value: f64,
}

/// Rows of one logit.
#[derive(Clone, Copy)]
struct Point {
    x: f64,
    positives: f64,
    negatives: f64,
    /// How far rounding of the score can have moved `x`, to first order.
    off: f64,
}

impl Point {
    fn n(&self) -> f64 {
        self.positives + self.negatives
    }
}

/// Cox's intercept and slope of `scores`.
///
/// # Errors
/// No rows, outcomes of one class, only scores of 0 and 1, one single score besides them, or a
/// threshold that parts positives from negatives.
pub fn calibration_line(scores: &LabelledScores, level: Level) -> Result<CalibrationLine, Undefined> {
    let (points, certain) = logits(scores)?;
    check_spread(&points)?;
    let rows: f64 = points.iter().map(Point::n).sum();
    let centre = points.iter().map(|p| p.x * p.n()).sum::<f64>() / rows;
    let spread = (points.iter().map(|p| (p.x - centre).powi(2) * p.n()).sum::<f64>() / rows).sqrt();
    let standardised: Vec<Point> =
        points.iter().map(|p| Point { x: (p.x - centre) / spread, off: p.off / spread, ..*p }).collect();
    let positives: f64 = points.iter().map(|p| p.positives).sum();
    // From a flat line, where every row has weight; from the scores, extreme ones would have none.
    let fit = maximise(&standardised, [(positives / (rows - positives)).ln(), 0.0])?;
    let ideal = [centre, spread];
    let statistic = (2.0 * (fit.log_likelihood - log_likelihood(&standardised, ideal))).max(0.0);
    // Intercept and slope of the logits, from those of the standardised logits.
    let of_slope = [0.0, 1.0 / spread];
    let of_intercept = [1.0, -centre / spread];
    let n = scores.n() - certain.n;
    Ok(CalibrationLine {
        intercept: fit.estimate(&standardised, of_intercept, n, level),
        slope: fit.estimate(&standardised, of_slope, n, level),
        joint: LikelihoodRatio { statistic, p_value: chi_square_sf(statistic, 2.0) },
        certain,
    })
}

/// What has to be added to the logits of `scores` so that they promise as many positives as there are.
///
/// # Errors
/// No rows, outcomes of one class, or only scores of 0 and 1.
pub fn logit_shift(scores: &LabelledScores, level: Level) -> Result<LogitShift, Undefined> {
    let (points, certain) = logits(scores)?;
    let positives: f64 = points.iter().map(|p| p.positives).sum();
    let rows: f64 = points.iter().map(Point::n).sum();
    let target = (positives / (rows - positives)).ln();
    // With all logits at the largest, or all at the smallest, this would be the shift.
    let (mut lower, mut upper) =
        points.iter().fold((f64::MAX, f64::MIN), |(l, u), p| (l.min(target - p.x), u.max(target - p.x)));
    let mut shift = 0.0_f64.clamp(lower, upper);
    for _ in 0..STEPS_MOST {
        let (mut excess, mut information) = (-positives, 0.0);
        for point in &points {
            let (p, q) = sigmoids(point.x + shift);
            excess += point.n() * p;
            information += point.n() * p * q;
        }
        (lower, upper) = if excess > 0.0 { (lower, shift) } else { (shift, upper) };
        let newton = shift - excess / information;
        let next = if newton > lower && newton < upper { newton } else { f64::midpoint(lower, upper) };
        let step = (next - shift).abs();
        shift = next;
        if step <= STEP_LEAST * (1.0 + shift.abs()) {
            break;
        }
    }
    let weight = |point: &Point| {
        let (p, q) = sigmoids(point.x + shift);
        point.n() * p * q
    };
    let information: f64 = points.iter().map(weight).sum();
    if information <= 0.0 {
        return Err(Undefined::NotConverged);
    }
    let error_bound = points.iter().map(|p| weight(p) * p.off).sum::<f64>() / information;
    let n = scores.n() - certain.n;
    Ok(LogitShift { shift: wald(shift, 1.0 / information, error_bound, n, level), certain })
}

/// The logits of `scores`, ascending, and what has none; outcomes of both classes.
fn logits(scores: &LabelledScores) -> Result<(Vec<Point>, CertainRows), Undefined> {
    if scores.is_empty() {
        return Err(Undefined::NoRows);
    }
    let off = scores.score_error();
    let mut certain = CertainRows::default();
    let mut points = Vec::with_capacity(scores.distinct());
    for point in scores.points() {
        let score = point.score.clamp(off / 2.0, 1.0 - off / 2.0);
        if score <= 0.0 || score >= 1.0 {
            certain.n += point.n();
            certain.wrong += if score <= 0.0 { point.positives } else { point.negatives };
            continue;
        }
        points.push(Point {
            x: score.ln() - (-score).ln_1p(),
            positives: point.positives as f64,
            negatives: point.negatives as f64,
            off: off / (score * (1.0 - score)),
        });
    }
    if points.is_empty() {
        return Err(Undefined::OnlyCertainScores);
    }
    if points.iter().all(|p| p.positives == 0.0) {
        return Err(Undefined::NoPositives);
    }
    if points.iter().all(|p| p.negatives == 0.0) {
        return Err(Undefined::NoNegatives);
    }
    Ok((points, certain))
}

/// Whether a line exists: two logits, and no threshold that parts the classes.
fn check_spread(points: &[Point]) -> Result<(), Undefined> {
    let ends = |of: fn(&Point) -> f64| {
        let mut with = points.iter().filter(|p| of(p) > 0.0).map(|p| p.x);
        let first = with.next();
        (first, with.next_back().or(first))
    };
    let (positives, negatives) = (ends(|p| p.positives), ends(|p| p.negatives));
    if points.len() < 2 {
        return Err(Undefined::ConstantScore);
    }
    if negatives.1 <= positives.0 || positives.1 <= negatives.0 {
        return Err(Undefined::Separated);
    }
    Ok(())
}

/// The maximum of the likelihood in intercept and slope.
struct Fit {
    parameters: [f64; 2],
    /// The inverse of the information: `[a a, a b, b b]`.
    covariance: [f64; 3],
    log_likelihood: f64,
}

impl Fit {
    /// The estimate of `weights · parameters`.
    fn estimate(&self, points: &[Point], weights: [f64; 2], n: u64, level: Level) -> Estimate {
        let [aa, ab, bb] = self.covariance;
        let along = [aa * weights[0] + ab * weights[1], ab * weights[0] + bb * weights[1]];
        let variance = weights[0] * along[0] + weights[1] * along[1];
        let value = weights[0] * self.parameters[0] + weights[1] * self.parameters[1];
        let slope = self.parameters[1];
        // What moving one row's logit does to the estimate.
        let of_point = |point: &Point| {
            let (p, q) = sigmoids(self.parameters[0] + slope * point.x);
            let through_fit = p * q * slope * (along[0] + along[1] * point.x);
            let moved = |residual: f64| (along[1] * residual - through_fit).abs();
            (point.positives * moved(q) + point.negatives * moved(-p)) * point.off
        };
        let rounded = points.iter().filter(|point| point.off > 0.0);
        wald(value, variance, rounded.map(of_point).sum(), n, level)
    }
}

fn maximise(points: &[Point], start: [f64; 2]) -> Result<Fit, Undefined> {
    let mut parameters = start;
    let mut log_likelihood_here = log_likelihood(points, parameters);
    for _ in 0..STEPS_MOST {
        let (gradient, covariance) = curvature(points, parameters)?;
        let [aa, ab, bb] = covariance;
        let step = [aa * gradient[0] + ab * gradient[1], ab * gradient[0] + bb * gradient[1]];
        let size = parameters[0].abs() + parameters[1].abs();
        let mut share = 1.0;
        loop {
            let next = [parameters[0] + share * step[0], parameters[1] + share * step[1]];
            let reached = log_likelihood(points, next);
            let small = share * (step[0].abs() + step[1].abs()) <= STEP_LEAST * (1.0 + size);
            if small {
                let (_, covariance) = curvature(points, parameters)?;
                return Ok(Fit { parameters, covariance, log_likelihood: log_likelihood_here });
            }
            if reached >= log_likelihood_here {
                (parameters, log_likelihood_here) = (next, reached);
                break;
            }
            share /= 2.0;
        }
    }
    Err(Undefined::NotConverged)
}

/// The gradient of the log-likelihood and the inverse of its information.
fn curvature(points: &[Point], [a, b]: [f64; 2]) -> Result<([f64; 2], [f64; 3]), Undefined> {
    let (mut gradient, mut information) = ([0.0; 2], [0.0; 3]);
    for point in points {
        let (p, q) = sigmoids(a + b * point.x);
        let residual = point.positives * q - point.negatives * p;
        gradient[0] += residual;
        gradient[1] += residual * point.x;
        let weight = point.n() * p * q;
        information[0] += weight;
        information[1] += weight * point.x;
        information[2] += weight * point.x * point.x;
    }
    let [aa, ab, bb] = information;
    let determinant = aa * bb - ab * ab;
    if determinant > 0.0 && determinant.is_finite() {
        Ok((gradient, [bb / determinant, -ab / determinant, aa / determinant]))
    } else {
        Err(Undefined::NotConverged)
    }
}

fn log_likelihood(points: &[Point], [a, b]: [f64; 2]) -> f64 {
    let of = |p: &Point| {
        // ln(1 + eˣ) = x + ln(1 + e⁻ˣ), so that one logarithm does for both classes.
        let x = a + b * p.x;
        let against = if x > 0.0 { p.negatives } else { -p.positives };
        -(p.n() * (-x.abs()).exp().ln_1p() + against * x)
    };
    points.iter().map(of).sum()
}

/// `1 / (1 + e⁻ˣ)` and 1 less it, both without cancellation.
fn sigmoids(x: f64) -> (f64, f64) {
    let e = (-x.abs()).exp();
    let (larger, smaller) = (1.0 / (1.0 + e), e / (1.0 + e));
    if x >= 0.0 { (larger, smaller) } else { (smaller, larger) }
}

fn wald(value: f64, variance: f64, error_bound: f64, n: u64, level: Level) -> Estimate {
    let half = level.z() * variance.max(0.0).sqrt();
    let interval = Interval {
        lower: (value - half).max(f64::MIN),
        upper: (value + half).min(f64::MAX),
        level,
        method: IntervalMethod::Wald,
    };
    Estimate { value, interval, n, error_bound }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binomial::Binomial;
    use crate::binomial::tests::SplitMix;

    fn counts(points: &[(f64, u64, u64)]) -> LabelledScores {
        LabelledScores::from_counts(points.to_vec(), None).unwrap()
    }

    #[track_caller]
    fn check(points: &[(f64, u64, u64)], line: Option<Undefined>, shift: Option<Undefined>) {
        let scores = counts(points);
        assert_eq!(calibration_line(&scores, Level::P95).err(), line, "line of {points:?}");
        assert_eq!(logit_shift(&scores, Level::P95).err(), shift, "shift of {points:?}");
    }

    #[test]
    fn what_has_no_line_says_why() {
        use Undefined::{ConstantScore, NoNegatives, NoPositives, NoRows, OnlyCertainScores, Separated};
        check(&[], Some(NoRows), Some(NoRows));
        check(&[(0.2, 0, 3), (0.4, 0, 3)], Some(NoPositives), Some(NoPositives));
        check(&[(0.2, 3, 0), (0.4, 3, 0)], Some(NoNegatives), Some(NoNegatives));
        check(&[(0.0, 3, 1), (1.0, 3, 0)], Some(OnlyCertainScores), Some(OnlyCertainScores));
        check(&[(0.2, 3, 4), (1.0, 3, 0)], Some(ConstantScore), None);
        check(&[(0.2, 0, 3), (0.4, 3, 0)], Some(Separated), None);
        check(&[(0.2, 3, 0), (0.4, 0, 3)], Some(Separated), None);
        check(&[(0.2, 0, 3), (0.4, 2, 2), (0.6, 1, 0)], Some(Separated), None);
        check(&[(0.2, 1, 3), (0.4, 3, 0)], Some(Separated), None);
        check(&[(0.2, 1, 3), (0.4, 3, 1)], None, None);
        check(&[(5e-324, 1, 3), (0.4, 3, 1), (1.0 - f64::EPSILON / 2.0, 1, 2)], None, None);
    }

    #[test]
    fn certain_rows_are_left_out_and_counted() {
        let with = counts(&[(0.0, 2, 5), (0.2, 1, 3), (0.4, 3, 1), (1.0, 4, 3)]);
        let line = calibration_line(&with, Level::P95).unwrap();
        assert_eq!(line.certain, CertainRows { n: 14, wrong: 5 });
        let without = calibration_line(&counts(&[(0.2, 1, 3), (0.4, 3, 1)]), Level::P95).unwrap();
        assert_eq!((line.slope, line.intercept), (without.slope, without.intercept));
        // On a grid, 0 and 1 are scores near them.
        let rounded = with.rounded_to(0.1).unwrap();
        let line = calibration_line(&rounded, Level::P95).unwrap();
        assert_eq!((line.certain.n, line.slope.n), (0, 22));
        assert!(line.slope.error_bound > 0.0);
    }

    #[test]
    fn the_error_bound_covers_what_fine_rounding_does() {
        let rows = (0..3000_u32).map(|i| (0.05 + 0.9 * f64::from(i) / 3000.0, i * 7919 % 3000 < i));
        let exact = LabelledScores::from_pairs(rows).unwrap();
        let line = calibration_line(&exact, Level::P95).unwrap();
        let shift = logit_shift(&exact, Level::P95).unwrap().shift;
        assert!(line.slope.is_exact() && shift.is_exact());
        for step in [0.001, 0.01, 0.03] {
            let rounded = exact.rounded_to(step).unwrap();
            let found = calibration_line(&rounded, Level::P95).unwrap();
            for (found, exact) in [
                (found.slope, line.slope),
                (found.intercept, line.intercept),
                (logit_shift(&rounded, Level::P95).unwrap().shift, shift),
            ] {
                assert!(
                    (found.value - exact.value).abs() <= found.error_bound,
                    "{step}: {found:?} {exact:?}"
                );
            }
        }
    }

    #[test]
    fn intervals_hold_and_calibrated_scores_are_seldom_refused() {
        const WINDOWS: u32 = 1000;
        let mut rng = SplitMix(11);
        let (mut slope, mut shift, mut refused) = (0, 0, 0);
        for _ in 0..WINDOWS {
            let points = (1..40).map(|i| {
                let score = f64::from(i) / 40.0;
                let positives = Binomial::new(10, score).sample(&mut rng);
                (score, positives, 10 - positives)
            });
            let scores = LabelledScores::from_counts(points.collect(), None).unwrap();
            let line = calibration_line(&scores, Level::P95).unwrap();
            slope += u32::from(line.slope.interval.contains(1.0));
            shift += u32::from(logit_shift(&scores, Level::P95).unwrap().shift.interval.contains(0.0));
            refused += u32::from(line.joint.p_value <= 0.05);
        }
        assert!((930..=970).contains(&slope) && (930..=970).contains(&shift), "{slope} {shift}");
        assert!((30..=70).contains(&refused), "{refused}");
    }
}
