//! The rank tests and the t-test that Evidently takes from SciPy.

use crate::ecdf::Ecdf;
use crate::special::{normal_sf, student_t_two_sided};

/// SciPy prefers the exact distribution of U up to so many rows on the smaller side.
const EXACT_ROWS_MAX: u64 = 8;
/// The exact distribution needs counts of orders below 2¹²⁸.
const EXACT_OTHER_ROWS_MAX: u64 = 200_000;

/// The variance of the Anderson–Darling statistic takes a step per row.
pub(super) const ANDERSON_ROWS_MAX: u64 = 100_000_000;

/// P-value of `ttest_ind`: equal variances, two-sided. None where it is NaN.
pub(super) fn t_test(reference: &Ecdf, current: &Ecdf) -> Option<f64> {
    let (n, m) = (reference.n() as f64, current.n() as f64);
    let mean = |ecdf: &Ecdf, n: f64| ecdf.points().map(|(v, count)| v * count as f64).sum::<f64>() / n;
    let (x, y) = (mean(reference, n), mean(current, m));
    let squares = |ecdf: &Ecdf, mean: f64| {
        ecdf.points().map(|(v, count)| (v - mean).powi(2) * count as f64).sum::<f64>()
    };
    let free = n + m - 2.0;
    let variance = (squares(reference, x) + squares(current, y)) / free;
    let t = (x - y) / (variance * (1.0 / n + 1.0 / m)).sqrt();
    // 0/0 where both sides are constant and equal, or there is one row on each.
    (!t.is_nan()).then(|| student_t_two_sided(t, free))
}

/// P-value of `mannwhitneyu` with the alternative "less": that the reference's values are smaller.
/// None where too many orders would have to be counted.
pub(super) fn mann_whitney_less(reference: &Ecdf, current: &Ecdf) -> Option<f64> {
    let (n, m) = (reference.n() as f64, current.n() as f64);
    // Twice U of the current side: pairs in which it is larger, ties counted as halves.
    let (mut twice_u, mut ties) = (0.0, 0.0);
    let mut tied = false;
    let mut before = (0_u64, 0_u64);
    for (_, upto_reference, upto_current) in reference.walk_with(current) {
        let (a, b) = ((upto_reference - before.0) as f64, (upto_current - before.1) as f64);
        twice_u += b * (2.0 * before.0 as f64 + a);
        ties += (a + b).powi(3) - (a + b);
        tied |= a + b > 1.0;
        before = (upto_reference, upto_current);
    }
    let (fewer, more) = (reference.n().min(current.n()), reference.n().max(current.n()));
    if fewer <= EXACT_ROWS_MAX && !tied {
        return (more <= EXACT_OTHER_ROWS_MAX).then(|| u_at_least((twice_u / 2.0) as u64, fewer, more));
    }
    let rows = n + m;
    let deviation = (n * m / 12.0 * ((rows + 1.0) - ties / (rows * (rows - 1.0)))).sqrt();
    let z = (twice_u / 2.0 - n * m / 2.0 - 0.5) / deviation;
    // All rows equal: SciPy divides −0.5 by zero.
    Some(normal_sf(z))
}

/// `P(U ≥ u)` over all orders of `fewer` and `more` rows without ties.
fn u_at_least(u: u64, fewer: u64, more: u64) -> f64 {
    // Symmetric: P(U ≥ u) = P(U ≤ fewer · more − u), and the shorter of the two tails is summed.
    let most = fewer * more;
    let below = most - u;
    let tail = below.min(u.saturating_sub(1));
    // The orders with U = i are the coefficients of Π (1 − q^(more + d)) / (1 − q^d), d ≤ fewer.
    let length = tail as usize + 1;
    // Whole numbers below 2¹²⁸ in the end; what overflows on the way comes back.
    let mut orders = vec![0_u128; length];
    orders[0] = 1;
    for d in 1..=fewer as usize {
        for i in d..length {
            orders[i] = orders[i].wrapping_add(orders[i - d]);
        }
        let shift = more as usize + d;
        for i in (shift..length).rev() {
            orders[i] = orders[i].wrapping_sub(orders[i - shift]);
        }
    }
    let all: f64 = (1..=fewer).map(|d| (more + d) as f64 / d as f64).product();
    let share = orders.iter().map(|&count| count as f64).sum::<f64>() / all;
    match (u, below <= u.saturating_sub(1)) {
        (0, _) => 1.0,
        (_, true) => share,
        (_, false) => 1.0 - share,
    }
}

/// P-value of `anderson_ksamp` with mid-ranks, which is cut to [0.001, 0.25]. None where it is NaN.
pub(super) fn anderson_darling(reference: &Ecdf, current: &Ecdf) -> Option<f64> {
    let (n, m) = (reference.n() as f64, current.n() as f64);
    let rows = n + m;
    if rows < 4.0 {
        return None;
    }
    let mut sums = (0.0, 0.0);
    let mut before = (0_u64, 0_u64);
    for (_, upto_reference, upto_current) in reference.walk_with(current) {
        let (a, b) = ((upto_reference - before.0) as f64, (upto_current - before.1) as f64);
        let here = a + b;
        let below = (before.0 + before.1) as f64 + here / 2.0;
        let weight = here / rows / (below * (rows - below) - rows * here / 4.0);
        sums.0 += weight * (rows * (before.0 as f64 + a / 2.0) - below * n).powi(2);
        sums.1 += weight * (rows * (before.1 as f64 + b / 2.0) - below * m).powi(2);
        before = (upto_reference, upto_current);
    }
    let statistic = (sums.0 / n + sums.1 / m) * (rows - 1.0) / rows;
    let standardised = (statistic - 1.0) / anderson_darling_variance(n, m).sqrt();
    (!standardised.is_nan()).then(|| anderson_darling_p_value(standardised))
}

/// F. W. Scholz, M. A. Stephens, "K-sample Anderson–Darling tests", J. Am. Stat. Assoc. 82, 1987,
/// equation 4, for two samples.
fn anderson_darling_variance(n: f64, m: f64) -> f64 {
    let rows = n + m;
    let reciprocals = 1.0 / n + 1.0 / m;
    let (mut harmonic, mut g) = (0.0, 0.0);
    for i in 1..(rows as u64 - 1) {
        harmonic += 1.0 / (rows - i as f64);
        g += harmonic / (i as f64 + 1.0);
    }
    let h = harmonic + 1.0;
    let a = (4.0 * g - 6.0) + (10.0 - 6.0 * g) * reciprocals;
    let b =
        (2.0 * g - 4.0) * 4.0 + 16.0 * h + (2.0 * g - 14.0 * h - 4.0) * reciprocals - 8.0 * h + 4.0 * g - 6.0;
    let c = (6.0 * h + 2.0 * g - 2.0) * 4.0
        + (4.0 * h - 4.0 * g + 6.0) * 2.0
        + (2.0 * h - 6.0) * reciprocals
        + 4.0 * h;
    let d = (2.0 * h + 6.0) * 4.0 - 8.0 * h;
    (((a * rows + b) * rows + c) * rows + d) / ((rows - 1.0) * (rows - 2.0) * (rows - 3.0))
}

/// A parabola through the logarithms of seven levels (their Table 2, for two samples), by least
/// squares; cut at the outermost levels.
#[expect(clippy::approx_constant, reason = "2.718 is a critical value, not e")]
fn anderson_darling_p_value(standardised: f64) -> f64 {
    const CRITICAL: [f64; 7] = [0.325, 1.226, 1.961, 2.718, 3.752, 4.592, 6.546];
    const LEVELS: [f64; 7] = [0.25, 0.1, 0.05, 0.025, 0.01, 0.005, 0.001];
    if standardised < CRITICAL[0] {
        return LEVELS[0];
    }
    if standardised > CRITICAL[6] {
        return LEVELS[6];
    }
    // Orthogonal polynomials on the critical values: 1, x − centre, and its square less both.
    let centre = CRITICAL.iter().sum::<f64>() / 7.0;
    let dot =
        |f: &dyn Fn(f64) -> f64, g: &dyn Fn(f64) -> f64| CRITICAL.iter().map(|&x| f(x) * g(x)).sum::<f64>();
    let line = |x: f64| x - centre;
    let square = |x: f64| line(x).powi(2);
    let (tilt, level) = (dot(&square, &line) / dot(&line, &line), dot(&square, &|_| 1.0) / 7.0);
    let bend = |x: f64| square(x) - tilt * line(x) - level;
    let onto = |f: &dyn Fn(f64) -> f64| {
        CRITICAL.iter().zip(LEVELS).map(|(&x, p)| f(x) * p.ln()).sum::<f64>() / dot(f, f)
    };
    let fitted = onto(&|_| 1.0) + onto(&line) * line(standardised) + onto(&bend) * bend(standardised);
    fitted.exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_of_u_add_up_and_end_at_one() {
        for (fewer, more) in [(1, 1), (1, 5), (3, 4), (8, 40)] {
            assert_eq!(u_at_least(0, fewer, more), 1.0);
            let most = fewer * more;
            for u in 1..=most {
                // P(U ≥ u) + P(U ≥ most − u + 1) = 1, by symmetry.
                let both = u_at_least(u, fewer, more) + u_at_least(most - u + 1, fewer, more);
                assert!((both - 1.0).abs() < 1e-12, "{fewer} {more} {u}");
            }
        }
        // Of the C(4, 2) orders one has all pairs that way.
        assert!((u_at_least(4, 2, 2) - 1.0 / 6.0).abs() < 1e-15);
    }
}
