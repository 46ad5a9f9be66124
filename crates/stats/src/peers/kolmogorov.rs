//! The p-value of SciPy's `ks_2samp`, which both peers use.
//!
//! Up to 10,000 rows on each side it is exact. Beyond, it is the one-sample distribution of
//! Kolmogorov's statistic at the rounded effective number of rows, for which SciPy switches between
//! the methods that R. Simard and P. L'Ecuyer, "Computing the two-sided Kolmogorov–Smirnov
//! distribution", J. Stat. Softw. 39(11), 2011, compare. The methods used here agree with those to
//! the digits that matter, so some are left out.

use std::f64::consts::PI;

use crate::ecdf::Ecdf;
use crate::kolmogorov_smirnov::{largest_gap, p_value_exact};
use crate::special::ln_gamma;

/// SciPy is exact up to so many rows.
const EXACT_ROWS_MAX: u64 = 10_000;

/// Up to so many rows the one-sided tail is summed. Beyond, the limits equal it to 1e-11.
const SUMMED_ROWS_MAX: f64 = 2e6;

/// The largest gap between the distribution functions.
pub(super) fn statistic(reference: &Ecdf, current: &Ecdf) -> f64 {
    let (gap, _) = largest_gap(reference, current);
    gap as f64 / (u128::from(reference.n()) * u128::from(current.n())) as f64
}

/// P-value of the two-sided test.
pub(super) fn ks_2samp_p_value(reference: &Ecdf, current: &Ecdf) -> f64 {
    let (n, m) = (reference.n(), current.n());
    let (gap, _) = largest_gap(reference, current);
    if n.max(m) > EXACT_ROWS_MAX {
        let (n, m) = (n as f64, m as f64);
        let rows = (n * (m / (n + m))).round_ties_even();
        return kolmogorov_sf(rows, statistic(reference, current)).clamp(0.0, 1.0);
    }
    let p_value = if n == m {
        outside_the_square(n, (gap / u128::from(n)) as u64)
    } else {
        p_value_exact(gap as u64, n, m)
    };
    p_value.clamp(0.0, 1.0)
}

/// The probability that a walk of `n` steps up and `n` down, in any order, gets `gap` away from
/// where it began: `2 Σ (−1)^(k+1) C(2n, n − k·gap) / C(2n, n)`, as nested products (Gnedenko and
/// Korolyuk, 1951).
fn outside_the_square(n: u64, gap: u64) -> f64 {
    if gap == 0 {
        return 1.0;
    }
    let mut nested = 0.0;
    for k in (0..=n / gap).rev() {
        // C(2n, n − (k+1) gap) / C(2n, n − k gap), 0 beyond the last.
        let step: f64 =
            (0..gap).map(|j| (n as f64 - (k * gap + j) as f64) / (n + k * gap + j + 1) as f64).product();
        nested = step * (1.0 - nested);
    }
    2.0 * nested
}

/// `P(Dₙ > x)` of the one-sample statistic.
fn kolmogorov_sf(n: f64, x: f64) -> f64 {
    let steps = n * x;
    if x >= 1.0 {
        return 0.0;
    }
    if steps <= 0.5 {
        return 1.0;
    }
    if steps <= 1.0 {
        // Ruben and Gambino: n! (2x − 1/n)ⁿ.
        return 1.0 - (ln_gamma(n + 1.0) - n * n.ln() + n * (2.0 * steps - 1.0).ln()).exp();
    }
    if steps >= n - 1.0 {
        return 2.0 * (1.0 - x).powf(n);
    }
    let scaled = steps * x;
    // Above that, gaps on both sides at once hardly happen (from 0.5 on, never).
    let one_sided_from = if n <= 140.0 { 4.0 } else { 2.2 };
    if x >= 0.5 || scaled > one_sided_from {
        return match scaled {
            370.0.. => 0.0,
            _ if n <= SUMMED_ROWS_MAX => 2.0 * smirnov_sf(n, x),
            ..9.0 => 1.0 - pelz_good_cdf(n, x),
            _ => 2.0 * (-2.0 * scaled).exp(), // below 4e-8, and equal to 1e-3 of that
        };
    }
    if n <= 140.0 || n <= 1e5 && n * x.powf(1.5) <= 1.4 {
        return 1.0 - durbin_cdf(n, x);
    }
    1.0 - pelz_good_cdf(n, x)
}

/// One-sided: `x Σ C(n, j) (x + j/n)^(j−1) (1 − x − j/n)^(n−j)` (Smirnov; Birnbaum and Tingey 1951).
fn smirnov_sf(n: f64, x: f64) -> f64 {
    let last = (n * (1.0 - x)).floor() as u64;
    let ln_all = ln_gamma(n + 1.0);
    let terms = (0..=last).map(|j| {
        let j = j as f64;
        let left = 1.0 - x - j / n;
        // 0⁰ is 1, and what rounding left of 0 counts as 0.
        let ln_left = if n == j { 0.0 } else { (n - j) * left.max(0.0).ln() };
        (ln_all - ln_gamma(j + 1.0) - ln_gamma(n - j + 1.0) + (j - 1.0) * (x + j / n).ln() + ln_left).exp()
    });
    x * terms.sum::<f64>()
}

/// Durbin's matrix (G. Marsaglia, W. W. Tsang, J. Wang, "Evaluating Kolmogorov's distribution", J.
/// Stat. Softw. 8(18), 2003): entry (k, k) of `n!/nⁿ Hⁿ`, with `x = (k − h)/n`.
fn durbin_cdf(n: f64, x: f64) -> f64 {
    let k = (n * x).ceil() as usize;
    let h = k as f64 - n * x;
    let size = 2 * k - 1;
    let factorial: Vec<f64> = (0..=size)
        .scan(1.0, |f, i| {
            *f *= (i as f64).max(1.0);
            Some(*f)
        })
        .collect();
    let mut matrix = vec![0.0; size * size];
    for row in 0..size {
        for column in 0..(row + 2).min(size) {
            matrix[row * size + column] = 1.0 / factorial[row + 1 - column];
        }
    }
    // Walks that would start or end above or below the band are taken off.
    for i in 0..size {
        let beyond = h.powi(i as i32 + 1) / factorial[i + 1];
        matrix[i * size] -= beyond;
        matrix[(size - 1) * size + size - 1 - i] -= beyond;
    }
    if h > 0.5 {
        matrix[(size - 1) * size] += (2.0 * h - 1.0).powi(size as i32) / factorial[size];
    }
    let (power, exponent) = matrix_power(matrix, size, n as u64);
    let centre = power[(k - 1) * size + k - 1];
    (ln_gamma(n + 1.0) - n * n.ln() + centre.ln() + exponent).exp()
}

/// `matrixᵖ` as a matrix and the logarithm of a factor, by squaring.
fn matrix_power(mut matrix: Vec<f64>, size: usize, mut p: u64) -> (Vec<f64>, f64) {
    let times = |a: &[f64], b: &[f64]| {
        let mut product = vec![0.0; size * size];
        for row in 0..size {
            for (inner, &factor) in a[row * size..(row + 1) * size].iter().enumerate() {
                for column in 0..size {
                    product[row * size + column] += factor * b[inner * size + column];
                }
            }
        }
        product
    };
    let rescale = |matrix: &mut [f64], exponent: &mut f64| {
        let largest = matrix.iter().fold(0.0_f64, |max, v| max.max(v.abs()));
        if largest > 1e100 {
            for entry in matrix.iter_mut() {
                *entry /= largest;
            }
            *exponent += largest.ln();
        }
    };
    let mut result: Vec<f64> = (0..size * size).map(|i| f64::from(i % (size + 1) == 0)).collect();
    let (mut exponent, mut exponent_of_matrix) = (0.0, 0.0);
    while p > 0 {
        if p % 2 == 1 {
            result = times(&result, &matrix);
            exponent += exponent_of_matrix;
            rescale(&mut result, &mut exponent);
        }
        matrix = times(&matrix, &matrix);
        exponent_of_matrix *= 2.0;
        rescale(&mut matrix, &mut exponent_of_matrix);
        p /= 2;
    }
    (result, exponent)
}

/// W. Pelz, I. J. Good, "Approximating the lower tail-areas of the Kolmogorov–Smirnov one-sample
/// statistic", J. R. Stat. Soc. B 38, 1976: the limit with three corrections in powers of `1/√n`.
fn pelz_good_cdf(n: f64, x: f64) -> f64 {
    let z = n.sqrt() * x;
    let (z2, z4, z6) = (z.powi(2), z.powi(4), z.powi(6));
    let (pi2, pi4, pi6) = (PI.powi(2), PI.powi(4), PI.powi(6));
    let mut k = [0.0; 4];
    let mut further = [0.0; 2];
    for i in (1..=(16.0 * z / PI).ceil() as u32).rev().map(f64::from) {
        let odd2 = (2.0 * i - 1.0).powi(2);
        let (odd4, odd6) = (odd2 * odd2, odd2 * odd2 * odd2);
        let weight = (-pi2 * odd2 / (8.0 * z2)).exp();
        k[0] += weight;
        k[1] += weight * (pi2 / 4.0 * odd2 - z2);
        k[2] += weight
            * (6.0 * z6
                + 2.0 * z4
                + pi2 / 4.0 * (2.0 * z4 - 5.0 * z2) * odd2
                + pi4 / 16.0 * (1.0 - 2.0 * z2) * odd4);
        k[3] += weight
            * (-30.0 * z6 - 90.0 * z4 * z4
                + pi2 / 4.0 * (135.0 * z4 - 96.0 * z6) * odd2
                + pi4 / 16.0 * (212.0 * z4 - 60.0 * z2) * odd4
                + pi6 / 64.0 * (5.0 - 30.0 * z2) * odd6);
        let (even2, weight) = (i * i, (-pi2 * i * i / (2.0 * z2)).exp());
        further[0] += weight * pi2 * even2;
        further[1] += weight * (3.0 * pi2 * even2 * z2 - pi4 * even2 * even2);
    }
    let root = (2.0 * PI).sqrt();
    root * (k[0] / z
        + k[1] / (6.0 * z4) / n.sqrt()
        + (k[2] / (72.0 * z.powi(7)) - further[0] / (36.0 * z.powi(3))) / n
        + (k[3] / (6480.0 * z.powi(10)) + further[1] / (216.0 * z6)) / n.powf(1.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `make_distances.py` says how they were made.
    #[test]
    fn the_one_sample_distribution_equals_scipys_in_every_branch() {
        let content: serde_json::Value =
            serde_json::from_str(include_str!("../../../../testdata/reference/tails.json")).unwrap();
        let rows = content["cases"]["kolmogorov_sf"].clone();
        for (n, x, expected) in serde_json::from_value::<Vec<(f64, f64, f64)>>(rows).unwrap() {
            let found = kolmogorov_sf(n, x);
            assert!((found - expected).abs() < 2e-10, "{n} {x}: {found} is not {expected}");
        }
    }

    #[test]
    fn the_square_and_the_walk_agree() {
        for (n, gap) in [(1, 1), (5, 2), (20, 7), (50, 50), (400, 31)] {
            let (square, walk) = (outside_the_square(n, gap), p_value_exact(gap * n, n, n));
            assert!((square - walk).abs() < 1e-12, "{n} {gap}: {square} {walk}");
        }
    }
}
