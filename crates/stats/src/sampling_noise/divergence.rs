//! The smooth distances: sums over bins of a function that is quadratic near no drift.

use std::collections::BTreeMap;

use crate::interval::{IntervalMethod, Level};
use crate::special::ln_gamma;

use super::Estimate;
use super::cells::Cells;

/// Up to this many rows a cell's expected contribution is summed over all ways of dealing them.
const SUMMED_ROWS_MAX: f64 = 4096.0;

/// Up to this many rows expected on the lesser side, the same for a cell that is believed to drift.
const SUMMED_EXPECTED_MAX: f64 = 32.0;

/// `Σ f(p, q)` over the bins, `p` the current and `q` the reference's share.
pub(super) trait Divergence {
    /// What a cell with these counts contributes to the plain value.
    fn contribution(&self, reference: f64, current: f64, cells: &Cells) -> f64;
    /// The shares that the plain value is computed from on average, where the true ones are these.
    fn seen(&self, q: f64, p: f64) -> (f64, f64) {
        (q, p)
    }
    fn f(&self, q: f64, p: f64) -> f64;
    /// `∂f/∂q` and `∂f/∂p`.
    fn slopes(&self, q: f64, p: f64) -> (f64, f64);
    /// `q ∂²f/∂q²` and `p ∂²f/∂p²`.
    fn curvatures(&self, q: f64, p: f64) -> (f64, f64);
    /// The largest value.
    fn most(&self) -> f64;
}

#[derive(Debug)]
pub(super) struct JensenShannon;

impl Divergence for JensenShannon {
    fn contribution(&self, reference: f64, current: f64, cells: &Cells) -> f64 {
        self.f(reference / cells.n, current / cells.m)
    }

    fn f(&self, q: f64, p: f64) -> f64 {
        let bits = |share: f64| if share == 0.0 { 0.0 } else { share * (2.0 * share / (p + q)).log2() };
        0.5 * (bits(p) + bits(q))
    }

    fn slopes(&self, q: f64, p: f64) -> (f64, f64) {
        (0.5 * (2.0 * q / (p + q)).log2(), 0.5 * (2.0 * p / (p + q)).log2())
    }

    fn curvatures(&self, q: f64, p: f64) -> (f64, f64) {
        let whole = 2.0 * std::f64::consts::LN_2 * (p + q);
        (p / whole, q / whole)
    }

    fn most(&self) -> f64 {
        1.0
    }
}

#[derive(Debug)]
pub(super) struct Hellinger;

impl Divergence for Hellinger {
    fn contribution(&self, reference: f64, current: f64, cells: &Cells) -> f64 {
        self.f(reference / cells.n, current / cells.m)
    }

    fn f(&self, q: f64, p: f64) -> f64 {
        0.5 * (p.sqrt() - q.sqrt()).powi(2)
    }

    fn slopes(&self, q: f64, p: f64) -> (f64, f64) {
        (0.5 - 0.5 * (p / q).sqrt(), 0.5 - 0.5 * (q / p).sqrt())
    }

    fn curvatures(&self, q: f64, p: f64) -> (f64, f64) {
        (0.25 * (p / q).sqrt(), 0.25 * (q / p).sqrt())
    }

    fn most(&self) -> f64 {
        1.0
    }
}

/// With half a row added to each bin of both sides.
#[derive(Debug)]
pub(super) struct Psi {
    /// Rows of the reference and of the current side, with those added.
    n: f64,
    m: f64,
    /// The share of a side's rows in all with those added.
    kept_reference: f64,
    kept_current: f64,
}

impl Psi {
    pub(super) fn new(cells: &Cells) -> Psi {
        let (n, m) = (cells.n + 0.5 * cells.bins, cells.m + 0.5 * cells.bins);
        Psi { n, m, kept_reference: cells.n / n, kept_current: cells.m / m }
    }
}

impl Divergence for Psi {
    fn contribution(&self, reference: f64, current: f64, _cells: &Cells) -> f64 {
        self.f((reference + 0.5) / self.n, (current + 0.5) / self.m)
    }

    fn seen(&self, q: f64, p: f64) -> (f64, f64) {
        (q * self.kept_reference + 0.5 / self.n, p * self.kept_current + 0.5 / self.m)
    }

    fn f(&self, q: f64, p: f64) -> f64 {
        (p - q) * (p / q).ln()
    }

    fn slopes(&self, q: f64, p: f64) -> (f64, f64) {
        let ratio = (p / q).ln();
        (1.0 - ratio - p / q, 1.0 + ratio - q / p)
    }

    fn curvatures(&self, q: f64, p: f64) -> (f64, f64) {
        (1.0 + p / q, 1.0 + q / p)
    }

    fn most(&self) -> f64 {
        f64::MAX
    }
}

/// The divergence `value` with its noise taken off.
pub(super) fn without_noise(d: &impl Divergence, cells: &Cells, value: f64, level: Level) -> Estimate {
    let all = cells.n + cells.m;
    let mut chance = Chance { divergence: d, cells, known: BTreeMap::new(), last: None };
    let (mut mean_no_drift, mut variance_no_drift, mut bias) = (0.0, 0.0, 0.0);
    // Sums of share × slope² and share × slope, for the variance of a sum over a multinomial.
    let mut slopes = [(0.0, 0.0); 2];
    for cell in &cells.cells {
        let rows = cell.rows();
        let dealt = chance.moments_no_drift(rows);
        // Dealt without replacement. A single bin keeps its rows.
        let without_replacement = 1.0 - rows / all;
        mean_no_drift += cell.bins * dealt.0 * without_replacement;
        variance_no_drift += cell.bins * dealt.1;
        for (q, p) in cells.believed_shares(cell) {
            let bins = cell.bins / 2.0;
            bias += bins * (chance.mean(q, p) - d.f(q, p)) * without_replacement;
            let (slope_q, slope_p) = d.slopes(q, p);
            for (sums, share, slope) in [(0, q, slope_q), (1, p, slope_p)] {
                slopes[sums].0 += bins * share * slope * slope;
                slopes[sums].1 += bins * share * slope;
            }
        }
    }
    variance_no_drift *= (cells.bins - 1.0) / cells.bins;
    let [(q2, q1), (p2, p1)] = slopes;
    let linear = (q2 - q1 * q1).max(0.0) / cells.n + (p2 - p1 * p1).max(0.0) / cells.m;
    let excess = value - bias;
    // Near no drift the divergence is a multiple of a non-central χ², whose variance grows by four
    // times that multiple; further away, by what the delta method says.
    let near = 4.0 * second_order(d, cells, 1.0, 1.0);
    let sure = excess * excess / (excess * excess + 4.0 * variance_no_drift);
    let growth = if excess > 0.0 { sure * linear / excess + (1.0 - sure) * near } else { near };
    let (lower, upper) = score_bounds(excess, variance_no_drift, growth, level.z());
    Estimate {
        mean_no_drift,
        variance_no_drift,
        excess,
        lower,
        upper,
        most: d.most(),
        level,
        method: IntervalMethod::ScoreOfDivergence,
    }
}

/// `½ (p f_pp / m + q f_qq / n)`, the bias of one bin; as the plain value sees the shares.
fn second_order(d: &impl Divergence, cells: &Cells, q: f64, p: f64) -> f64 {
    let (q, p) = d.seen(q, p);
    let (of_q, of_p) = d.curvatures(q, p);
    0.5 * (of_q / cells.n + of_p / cells.m)
}

/// The roots of `(x − D)² = z² (v + growth · D)`.
fn score_bounds(x: f64, v: f64, growth: f64, z: f64) -> (f64, f64) {
    let half = z * z * growth / 2.0;
    let middle = x + half;
    let root = (half * half + z * z * (v + growth * x)).max(0.0).sqrt();
    (middle - root, middle + root)
}

/// What chance makes of a cell.
struct Chance<'a, D> {
    divergence: &'a D,
    cells: &'a Cells,
    /// Without drift, by rows of the cell, of which there are few different ones.
    known: BTreeMap<u64, (f64, f64)>,
    /// The mean with shares of which each cell has its own, the last one.
    last: Option<((f64, f64), f64)>,
}

impl<D: Divergence> Chance<'_, D> {
    /// Mean and variance of the contribution of a cell with `rows` rows without drift.
    fn moments_no_drift(&mut self, rows: f64) -> (f64, f64) {
        if let Some(&known) = self.known.get(&(rows as u64)) {
            return known;
        }
        let found = if rows <= SUMMED_ROWS_MAX {
            self.summed(rows, self.cells.current_share())
        } else {
            let even = rows / (self.cells.n + self.cells.m);
            let curved = second_order(self.divergence, self.cells, even, even);
            let (q, p) = self.divergence.seen(even, even);
            (curved + self.divergence.f(q, p), 2.0 * curved * curved)
        };
        self.known.insert(rows as u64, found);
        found
    }

    /// Mean contribution of a cell with these shares.
    fn mean(&mut self, q: f64, p: f64) -> f64 {
        if let Some((shares, mean)) = self.last
            && shares == (q, p)
        {
            return mean;
        }
        let (reference, current) = (q * self.cells.n, p * self.cells.m);
        let rows = reference + current;
        let without_drift = rows * self.cells.current_share();
        let mean = if (current - without_drift).abs() < 1e-9 * without_drift {
            self.moments_no_drift(rows.round()).0
        } else if reference.min(current) < SUMMED_EXPECTED_MAX {
            self.summed(rows.round(), current / rows).0
        } else {
            let (seen_q, seen_p) = self.divergence.seen(q, p);
            self.divergence.f(seen_q, seen_p) + second_order(self.divergence, self.cells, q, p)
        };
        self.last = Some(((q, p), mean));
        mean
    }

    /// Sums over all ways of dealing `rows` rows, each to the current side with probability `part`.
    fn summed(&self, rows: f64, part: f64) -> (f64, f64) {
        let centre = rows * part;
        // Nine standard deviations and the nine next ones leave less than 1e-15 out.
        let reach = 9.0 * (centre * (1.0 - part)).sqrt() + 9.0;
        let (first, last) = ((centre - reach).floor().max(0.0), (centre + reach).ceil().min(rows));
        let ln_ways = ln_gamma(rows + 1.0) - ln_gamma(first + 1.0) - ln_gamma(rows - first + 1.0);
        let mut probability = (ln_ways + first * part.ln() + (rows - first) * (-part).ln_1p()).exp();
        let odds = part / (1.0 - part);
        let (mut mean, mut square) = (0.0, 0.0);
        let mut k = first;
        while k <= last {
            let contribution = self.divergence.contribution(rows - k, k, self.cells);
            mean += probability * contribution;
            square += probability * contribution * contribution;
            probability *= (rows - k) / (k + 1.0) * odds;
            k += 1.0;
        }
        (mean, (square - mean * mean).max(0.0))
    }
}
