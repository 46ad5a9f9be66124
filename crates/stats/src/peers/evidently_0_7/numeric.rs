//! Evidently's methods for a column of numbers.

use crate::counts::Side;
use crate::ecdf::Ecdf;
use crate::energy_distance::energy_distance;
use crate::wasserstein::{standard_deviation, wasserstein};

use super::super::cramer_von_mises_exact::cramer_von_mises_p_value;
use super::super::{ColumnKind, PeerDrift, PeerError, check, histogram, kolmogorov, rank_tests};
use super::{Method, chi_square_one_sample, over_shares, z_test};

/// A numeric column of more distinct reference values than this is put into bins.
const VALUES_MAX: usize = 20;

/// What Evidently chooses for a column of numbers.
pub(super) fn default_method(reference: &Ecdf, current: &Ecdf) -> Method {
    let (reference, current) = (reference.finite(), current.finite());
    let values = reference.walk_with(&current).take(6).count();
    match (reference.n() > 1000, values) {
        (true, ..=5) => Method::JensenShannon,
        (true, _) => Method::Wasserstein,
        (false, ..=2) => Method::Z,
        (false, 3..=5) => Method::ChiSquare,
        (false, _) => Method::Ks,
    }
}

/// Drift of a column of numbers, missing values left out. Infinite ones are dropped.
///
/// # Errors
/// See [`PeerError`].
pub fn numeric(method: Method, reference: &Ecdf, current: &Ecdf) -> Result<PeerDrift, PeerError> {
    if matches!(method, Method::ChiSquare | Method::Z) {
        return Err(PeerError::NotForKind { method: method.name(), kind: ColumnKind::Numeric });
    }
    drift(method, reference, current)
}

/// [`numeric`] with the method that Evidently chooses, which can be `chisquare` or `z` for columns
/// of few values, though neither can be asked for.
///
/// # Errors
/// See [`PeerError`].
pub fn numeric_default(reference: &Ecdf, current: &Ecdf) -> Result<(Method, PeerDrift), PeerError> {
    let method = default_method(reference, current);
    Ok((method, drift(method, reference, current)?))
}

fn drift(method: Method, reference: &Ecdf, current: &Ecdf) -> Result<PeerDrift, PeerError> {
    let (reference, current) = (&reference.finite(), &current.finite());
    check(reference, Side::Reference)?;
    check(current, Side::Current)?;
    let score = match method {
        Method::Psi | Method::JensenShannon | Method::KlDiv => {
            let (q, p) = binned(method, reference, current)?;
            over_shares(method, &q, &p).expect("the three methods of this arm")
        }
        Method::Wasserstein => {
            let distance = wasserstein(reference, current).map_err(|_| too_far(method))?.distance;
            distance / standard_deviation(reference).max(0.001)
        }
        Method::Ed => energy_distance(reference, current).map_err(|_| too_far(method))?.distance,
        Method::Hellinger => hellinger(reference, current)?,
        Method::Ks => kolmogorov::ks_2samp_p_value(reference, current),
        Method::ChiSquare => chi_square_one_sample(&by_value(reference, current))?,
        Method::Z => z_test(&by_value(reference, current))?,
        Method::CramerVonMises if reference.n().min(current.n()) < 2 => {
            return Err(method.fails("a side has one row"));
        }
        Method::CramerVonMises => cramer_von_mises_p_value(reference, current)
            .ok_or_else(|| method.fails("it counts the orders of so few rows in integers that are too narrow"))?,
        Method::Anderson if reference.n().saturating_add(current.n()) > rank_tests::ANDERSON_ROWS_MAX => {
            return Err(PeerError::NotReproducible {
                method: method.name(),
                because: "there are more than 100 million rows, for which its variance takes too long",
            });
        }
        Method::Anderson => rank_tests::anderson_darling(reference, current)
            .filter(|_| by_value(reference, current).len() > 1)
            .ok_or_else(|| method.fails("all rows have one value, or there are fewer than four"))?,
        Method::TTest => rank_tests::t_test(reference, current)
            .ok_or_else(|| method.fails("both sides are constant and equal, or have one row each"))?,
        Method::MannWhitney => rank_tests::mann_whitney_less(reference, current).ok_or({
            PeerError::NotReproducible {
                method: Method::MannWhitney.name(),
                because: "one side has up to 8 rows and the other more than 200,000, which are too many orders to count",
            }
        })?,
        Method::Tvd | Method::GTest => {
            return Err(PeerError::NotForKind { method: method.name(), kind: ColumnKind::Numeric });
        }
    };
    Ok(method.judge(ColumnKind::Numeric, score))
}

fn too_far(method: Method) -> PeerError {
    method.fails("the distance is beyond the range of 64-bit floating point")
}

/// Shares per bin or value.
fn binned(method: Method, reference: &Ecdf, current: &Ecdf) -> Result<(Vec<f64>, Vec<f64>), PeerError> {
    let (n, m) = (reference.n() as f64, current.n() as f64);
    if reference.distinct() <= VALUES_MAX {
        return Ok(by_value(reference, current).into_iter().map(|(r, c)| (r / n, c / m)).unzip());
    }
    let (first, last) = range(reference, current);
    let edges = histogram::sturges(first, last, n + m)
        .ok_or_else(|| method.fails("the values are too close together, or too far apart, for bins"))?;
    Ok((histogram::shares(reference, &edges), histogram::shares(current, &edges)))
}

fn range(reference: &Ecdf, current: &Ecdf) -> (f64, f64) {
    let ends = [reference.min(), reference.max(), current.min(), current.max()];
    ends.into_iter().flatten().fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)))
}

/// Counts per distinct value, ascending.
fn by_value(reference: &Ecdf, current: &Ecdf) -> Vec<(f64, f64)> {
    let mut before = (0, 0);
    let upto = reference.walk_with(current);
    upto.map(|(_, i, j)| {
        let here = ((i - before.0) as f64, (j - before.1) as f64);
        before = (i, j);
        here
    })
    .collect()
}

/// Over densities, in the peer's order of operations: near 0 the distance is what rounding left.
fn hellinger(reference: &Ecdf, current: &Ecdf) -> Result<f64, PeerError> {
    let (first, last) = range(reference, current);
    let distinct = reference.walk_with(current).count() as f64;
    let edges = histogram::sturges(first, last, distinct).ok_or_else(|| {
        Method::Hellinger.fails("the values are too close together, or too far apart, for bins")
    })?;
    let densities = |ecdf: &Ecdf| {
        let n = ecdf.n() as f64;
        let counts = histogram::counts(ecdf, &edges).into_iter();
        let widths = edges.windows(2).map(|edge| edge[1] - edge[0]);
        counts.zip(widths).map(|(count, width)| count / width / n).collect::<Vec<f64>>()
    };
    let bins = edges.len() - 1;
    let width = (edges[bins] - edges[0]) / bins as f64;
    let (q, p) = (densities(reference), densities(current));
    let overlap = q.iter().zip(&p).fold(0.0, |sum, (q, p)| sum + (q * p).sqrt() * width);
    Ok((1.0 - overlap.clamp(0.0, 1.0)).sqrt())
}
