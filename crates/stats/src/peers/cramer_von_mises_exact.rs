//! The exact p-value of the Cramér–von Mises test for a few rows, as Evidently means it.
//!
//! It keeps its counts in the smallest type that holds their sum, a float of 16 or 32 bits, and so
//! differs from the exact value by up to about 1e-4. Here they are whole numbers.

use std::collections::BTreeMap;

use crate::cramer_von_mises::{p_value, statistic};
use crate::ecdf::Ecdf;

/// Evidently is exact up to so many rows on each side.
const EXACT_ROWS_MAX: u64 = 20;

/// P-value as Evidently computes it, for at least two rows on each side. None where it fails: for so
/// few rows that it chooses an integer type for its table, which the additions then do not fit.
pub(super) fn cramer_von_mises_p_value(reference: &Ecdf, current: &Ecdf) -> Option<f64> {
    let (n, m) = (reference.n(), current.n());
    let statistic = statistic(reference, current);
    if n.max(m) > EXACT_ROWS_MAX {
        // The series for the limit ends at terms below 1e-7, and with it the digits.
        return Some(p_value(statistic, n as f64, m as f64, 1e-7));
    }
    exact(statistic, n, m)
}

/// The share of orders with a statistic at least as large (Y. Xiao, A. Gordon, A. Yakovlev, "A C++
/// program for the Cramér–von Mises two-sample test", J. Stat. Softw. 17(8), 2006): counts the
/// walks from (0, 0) to (n, m) by the sum of `L²(i/n − j/m)²` over their points, `L` the least
/// common multiple, which are whole numbers.
fn exact(statistic: f64, n: u64, m: u64) -> Option<f64> {
    let multiple = n / gcd(n, m) * m;
    let (a, b) = (multiple / n, multiple / m);
    let mut column: Vec<BTreeMap<u64, u64>> = vec![BTreeMap::new(); m as usize + 1];
    for i in 0..=n {
        for j in 0..=m {
            let mut sums = if i == 0 { BTreeMap::new() } else { std::mem::take(&mut column[j as usize]) };
            if j > 0 {
                for (&sum, &walks) in &column[j as usize - 1] {
                    *sums.entry(sum).or_insert(0) += walks;
                }
            }
            if i == 0 && j == 0 {
                sums.insert(0, 1);
            }
            let step = (a * i).abs_diff(b * j).pow(2);
            column[j as usize] = sums.into_iter().map(|(sum, walks)| (sum + step, walks)).collect();
        }
    }
    // T = nm/(n + m)² · Σ (i/n − j/m)² over the points, without ties. With ties the whole number
    // below is taken, as Evidently does.
    let (rows, product) = ((n + m) as f64, (n * m) as f64);
    let square = (multiple * multiple) as f64;
    let found = square * rows * rows / product * statistic;
    let least = (found * (1.0 + 1e-12) + 1e-9).floor();
    let walks = &column[m as usize];
    let all: u64 = walks.values().sum();
    if multiple * multiple * (n + m) >= all {
        return None;
    }
    let reached: u64 = walks.iter().filter(|(sum, _)| **sum as f64 >= least).map(|(_, walks)| walks).sum();
    Some(reached as f64 / all as f64)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
