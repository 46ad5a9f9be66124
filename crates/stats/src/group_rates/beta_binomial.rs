//! The likeliest beta-binomial distribution of counts: how much shares differ between groups.

use crate::proportion::Proportion;
use crate::special::ln_gamma;

/// Where the precision is looked for, as logarithm: from groups that are all or nothing to groups whose
/// difference no number of rows would show.
const LOG_PRECISIONS: (f64, f64) = (-7.0, 16.0);
/// Steps of a first look at the precision.
const STEPS: usize = 12;
/// Narrowings of a golden-section search: to less than a millionth of where it began, which is as far as
/// the likelihood's own digits carry.
const NARROWINGS: usize = 32;
/// Shares are looked for within ± this, as logits.
const LOGIT_MAX: f64 = 20.0;

/// True shares with mean `mean` and variance `mean (1 − mean) / (precision + 1)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BetaBinomial {
    pub(super) mean: f64,
    /// `None` where the counts differ no more than those of one common share.
    pub(super) precision: Option<f64>,
}

/// The likeliest mean and precision; `None` without groups.
pub(super) fn fit(groups: &[Proportion]) -> Option<BetaBinomial> {
    if groups.is_empty() {
        return None;
    }
    let hits: f64 = groups.iter().map(|group| group.successes() as f64).sum();
    let rows: f64 = groups.iter().map(|group| group.n() as f64).sum();
    let pooled = BetaBinomial { mean: (hits / rows).min(1.0), precision: None };
    // With one group, or where no row (or every row) is a hit, nothing can differ.
    if groups.len() < 2 || hits == 0.0 || hits == rows {
        return Some(pooled);
    }
    // A group alone is likeliest between its own share and one half.
    let logit = |group: &Proportion| {
        let (hits, misses) = (group.successes() as f64, (group.n() - group.successes()) as f64);
        (hits / misses).ln().clamp(-LOGIT_MAX, LOGIT_MAX)
    };
    let (least, most) = groups.iter().map(logit).fold((0.0_f64, 0.0_f64), |(a, b), x| (a.min(x), b.max(x)));
    let likeliest_at = |log_precision: f64| {
        let precision = log_precision.exp();
        let at = |logit: f64| log_likelihood(groups, share(logit), precision);
        golden(&at, least, most)
    };
    let profile = |log_precision: f64| likeliest_at(log_precision).1;
    let (low, high) = LOG_PRECISIONS;
    let step = (high - low) / STEPS as f64;
    let look = (0..=STEPS).map(|at| (at, profile(low + step * at as f64)));
    let (best, _) = look.fold((0, f64::NEG_INFINITY), |best, here| if here.1 > best.1 { here } else { best });
    if best == STEPS {
        return Some(pooled);
    }
    let near = low + step * best as f64;
    let (log_precision, likelihood) = golden(&profile, near - step, near + step);
    // Where a common share is as likely, the maximum is rounding on the way to it.
    if likelihood <= binomial_log_likelihood(groups, pooled.mean) + 1e-9 * likelihood.abs() {
        return Some(pooled);
    }
    let mean = share(likeliest_at(log_precision).0);
    Some(BetaBinomial { mean, precision: Some(log_precision.exp()) })
}

fn share(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

/// Up to a constant that depends on the counts alone.
fn log_likelihood(groups: &[Proportion], mean: f64, precision: f64) -> f64 {
    let (a, b) = (precision * mean, precision * (1.0 - mean));
    let start = ln_gamma(precision) - ln_gamma(a) - ln_gamma(b);
    let of_group = |group: &Proportion| {
        let (n, hits) = (group.n() as f64, group.successes() as f64);
        start + ln_gamma(a + hits) + ln_gamma(b + n - hits) - ln_gamma(precision + n)
    };
    groups.iter().map(of_group).sum()
}

fn binomial_log_likelihood(groups: &[Proportion], share: f64) -> f64 {
    let of_group = |group: &Proportion| {
        let (n, hits) = (group.n() as f64, group.successes() as f64);
        hits * share.ln() + (n - hits) * (-share).ln_1p()
    };
    groups.iter().map(of_group).sum()
}

/// The maximum of a function with one peak, and its value there.
fn golden(of: &impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> (f64, f64) {
    let ratio = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut left, mut right) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut at_left, mut at_right) = (of(left), of(right));
    for _ in 0..NARROWINGS {
        if at_left < at_right {
            (low, left, at_left) = (left, right, at_right);
            right = low + ratio * (high - low);
            at_right = of(right);
        } else {
            (high, right, at_right) = (right, left, at_left);
            left = high - ratio * (high - low);
            at_left = of(left);
        }
    }
    if at_left > at_right { (left, at_left) } else { (right, at_right) }
}
