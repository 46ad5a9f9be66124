//! NannyML 0.13.1: what `UnivariateDriftCalculator` reports of a column in one chunk.
//!
//! # What it measures
//!
//! Each method is fitted on the whole reference (bins, shares) and then computed for the chunk. The
//! threshold is the mean plus three standard deviations (divided by the number of chunks) of the
//! values of the reference's own chunks, at most 1 for `kolmogorov_smirnov`; `chi2` has 0.05 on its
//! p-value instead. A value above the threshold is an alert.
//!
//! # When it misleads
//!
//! [`Method::warning`] says it for each method. A chunk that belongs to the reference is compared
//! with a reference that contains it, so the thresholds are too low; with a single chunk the
//! threshold is 0 and everything alerts.
//!
//! # Formula
//!
//! `jensen_shannon` (base 2) and `hellinger` of numbers: bins of equal width over the reference by
//! Doane's rule; rows outside of it are one more bin. `kolmogorov_smirnov` and `wasserstein` are
//! exact below 10,000 rows of the reference, and on 10,000 bins of equal width from there on.
//! Categories that the reference lacks are one more category for `jensen_shannon` and `hellinger`.
//! `chi2` is the two-sample test, with Yates' correction for two categories.
//!
//! # Example
//!
//! ```
//! use stats::peers::nannyml_0_13::{Method, categorical};
//! let weeks: [&[(&str, u64)]; 2] = [&[("a", 50), ("b", 50)], &[("a", 40), ("b", 60)]];
//! let drift = categorical(Method::LInfinity, &weeks, &[("a", 80), ("b", 20)])?;
//! assert!((drift.value - 0.35).abs() < 1e-12 && (drift.threshold - 0.05).abs() < 1e-12);
//! # Ok::<(), stats::peers::PeerError>(())
//! ```
//!
//! # References
//!
//! * NannyML 0.13.1: `nannyml/drift/univariate/methods.py` and `nannyml/thresholds.py`.

use crate::counts::Side;
use crate::ecdf::Ecdf;
use crate::special::chi_square_sf;
use crate::wasserstein::wasserstein;

use super::{
    Category, ColumnKind, PeerDrift, PeerError, check, histogram, jensen_shannon, kolmogorov, merged, table,
};

/// From so many rows of the reference on, `kolmogorov_smirnov` and `wasserstein` are on bins, and
/// on so many.
const BINNED_ROWS: u64 = 10_000;
const BINS: u32 = 10_000;

/// The methods, under NannyML's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Jensen–Shannon distance, base 2.
    JensenShannon,
    /// Kolmogorov–Smirnov statistic.
    KolmogorovSmirnov,
    /// Wasserstein distance in the column's unit.
    Wasserstein,
    /// Hellinger distance.
    Hellinger,
    /// Chi-square statistic.
    Chi2,
    /// L∞ distance.
    LInfinity,
}

impl Method {
    /// All of them.
    pub const ALL: [Method; 6] = [
        Self::JensenShannon,
        Self::KolmogorovSmirnov,
        Self::Wasserstein,
        Self::Hellinger,
        Self::Chi2,
        Self::LInfinity,
    ];

    /// NannyML's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::JensenShannon => "jensen_shannon",
            Self::KolmogorovSmirnov => "kolmogorov_smirnov",
            Self::Wasserstein => "wasserstein",
            Self::Hellinger => "hellinger",
            Self::Chi2 => "chi2",
            Self::LInfinity => "l_infinity",
        }
    }

    /// The method of that name.
    pub fn from_name(name: &str) -> Option<Method> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// What is wrong with the method as NannyML has it.
    pub fn warning(self, kind: ColumnKind) -> &'static str {
        match (self, kind) {
            (Self::Chi2, _) => {
                "one threshold on the p-value, however many chunks and columns are looked at; two categories have Yates' correction, which makes it miss drift"
            }
            (Self::JensenShannon | Self::Hellinger, ColumnKind::Numeric) => {
                "the threshold is the mean and three standard deviations of chunks that the reference contains, and alerts too often with few chunks; bins are of equal width, so that one outlier of the reference makes drift look small"
            }
            (Self::Wasserstein, _) => {
                "the threshold is the mean and three standard deviations of chunks that the reference contains, and alerts too often with few chunks; from 10,000 reference rows on, values outside of the reference's range count one row too many"
            }
            (Self::KolmogorovSmirnov, _) => {
                "the threshold is the mean and three standard deviations of chunks that the reference contains, and alerts too often with few chunks; from 10,000 reference rows on, bins are of equal width, so that one outlier of the reference makes drift look small"
            }
            (Self::JensenShannon | Self::Hellinger | Self::LInfinity, _) => {
                "the threshold is the mean and three standard deviations of chunks that the reference contains, and alerts too often with few chunks"
            }
        }
    }

    fn judge(self, kind: ColumnKind, value: f64, of_chunks: &[f64]) -> PeerDrift {
        let n = of_chunks.len() as f64;
        let mean = histogram::sum(of_chunks) / n;
        let squares: Vec<f64> = of_chunks.iter().map(|v| (v - mean).powi(2)).collect();
        let threshold = mean + 3.0 * (histogram::sum(&squares) / n).sqrt();
        let threshold = if self == Self::KolmogorovSmirnov { threshold.min(1.0) } else { threshold };
        let warning = Some(self.warning(kind));
        PeerDrift { value, p_value: None, threshold, drifted: value > threshold, warning }
    }
}

/// Drift of a column of numbers, missing values left out.
///
/// `reference`: its chunks, from which the threshold comes; empty ones are left out.
///
/// # Errors
/// See [`PeerError`].
pub fn numeric(method: Method, reference: &[Ecdf], current: &Ecdf) -> Result<PeerDrift, PeerError> {
    let whole = merged(reference)?;
    check(&whole, Side::Reference)?;
    check(current, Side::Current)?;
    if whole.infinite_rows() > 0 || current.infinite_rows() > 0 {
        let because = "there are infinite values";
        return Err(PeerError::PeerFails { method: method.name(), because });
    }
    let bins = || {
        let because = "the values are too close together, or too far apart, for bins";
        histogram::doane(&whole).ok_or(PeerError::PeerFails { method: method.name(), because })
    };
    let fitted = match method {
        Method::JensenShannon | Method::Hellinger => {
            let edges = bins()?;
            Fitted::Shares(histogram::shares(&whole, &edges), edges)
        }
        _ if whole.n() < BINNED_ROWS => Fitted::Values(whole),
        Method::KolmogorovSmirnov => {
            Fitted::of_bins(&whole, |low, high| Some(histogram::linspace(low, high, BINS)))
        }
        _ => Fitted::of_bins(&whole, |low, high| histogram::equal_width(low, high, BINS)),
    };
    let value = |chunk: &Ecdf| {
        let because = "the distance is beyond the range of 64-bit floating point, or bins are too narrow";
        fitted.value(method, chunk)?.ok_or(PeerError::PeerFails { method: method.name(), because })
    };
    let chunks = reference.iter().filter(|chunk| !chunk.is_empty());
    let of_chunks = chunks.map(value).collect::<Result<Vec<f64>, PeerError>>()?;
    Ok(method.judge(ColumnKind::Numeric, value(current)?, &of_chunks))
}

/// What a method keeps of the reference.
enum Fitted {
    /// Shares per bin, and the bins' edges.
    Shares(Vec<f64>, Vec<f64>),
    Values(Ecdf),
    /// Cumulative shares per bin, and the bins' edges; none where there could not be so many.
    Cumulative(Option<(Vec<f64>, Vec<f64>)>),
}

impl Fitted {
    fn of_bins(whole: &Ecdf, edges: impl Fn(f64, f64) -> Option<Vec<f64>>) -> Fitted {
        let ends = whole.min().zip(whole.max());
        let edges = ends.and_then(|(low, high)| edges(low, high));
        Fitted::Cumulative(edges.map(|edges| (cumulative(&histogram::shares(whole, &edges)), edges)))
    }

    /// None where the value is not a number.
    fn value(&self, method: Method, chunk: &Ecdf) -> Result<Option<f64>, PeerError> {
        let found = match (self, method) {
            (Fitted::Shares(reference, edges), Method::JensenShannon | Method::Hellinger) => {
                Some(over_shares(method, reference.clone(), histogram::shares(chunk, edges)))
            }
            (Fitted::Values(reference), Method::KolmogorovSmirnov) => {
                Some(kolmogorov::statistic(reference, chunk))
            }
            (Fitted::Values(reference), Method::Wasserstein) => {
                wasserstein(reference, chunk).ok().map(|found| found.distance)
            }
            (Fitted::Cumulative(fitted), Method::KolmogorovSmirnov) => {
                fitted.as_ref().map(|(reference, edges)| gap_on_bins(reference, edges, chunk))
            }
            (Fitted::Cumulative(fitted), Method::Wasserstein) => {
                fitted.as_ref().map(|(reference, edges)| wasserstein_on_bins(reference, edges, chunk))
            }
            _ => return Err(PeerError::NotForKind { method: method.name(), kind: ColumnKind::Numeric }),
        };
        Ok(found.filter(|value| value.is_finite()))
    }
}

fn cumulative(shares: &[f64]) -> Vec<f64> {
    let sums = shares.iter().scan(0.0, |sum, share| {
        *sum += share;
        Some(*sum)
    });
    sums.collect()
}

fn gap_on_bins(reference: &[f64], edges: &[f64], chunk: &Ecdf) -> f64 {
    let below = chunk.count_lt(edges[0]) as f64 / chunk.n() as f64;
    let current = cumulative(&histogram::shares(chunk, edges));
    reference.iter().zip(&current).fold(0.0, |max, (q, p)| f64::max(max, (q - (below + p)).abs()))
}

/// The area between the cumulative shares inside the reference's range, and that of the rows
/// outside of it, each with one row added at the range's end, as NannyML has it.
fn wasserstein_on_bins(reference: &[f64], edges: &[f64], chunk: &Ecdf) -> f64 {
    let (low, high) = (edges[0], edges[edges.len() - 1]);
    let n = chunk.n() as f64;
    let outside = |points: Vec<(f64, u64)>| {
        let rows: u64 = points.iter().map(|&(_, count)| count).sum();
        (points, rows as f64 + 1.0)
    };
    let (below, rows_below) = outside(chunk.points().filter(|&(v, _)| v < low).collect());
    let (above, rows_above) = outside(chunk.points().filter(|&(v, _)| v > high).collect());
    let (mut area, mut share_below) = (0.0, 0.0);
    if !below.is_empty() {
        share_below = rows_below / n;
        let mut upto = 0_u64;
        let next = below.iter().skip(1).map(|&(v, _)| v).chain([low]);
        area += share_below
            * below.iter().zip(next).fold(0.0, |sum, (&(value, count), next)| {
                upto += count;
                sum + upto as f64 / rows_below * (next - value)
            });
    }
    if !above.is_empty() {
        let mut upto = 1_u64; // the row at the range's end
        let before = std::iter::once(high).chain(above.iter().map(|&(v, _)| v));
        area += rows_above / n
            * above.iter().zip(before).fold(0.0, |sum, (&(value, count), before)| {
                let beyond = 1.0 - upto as f64 / rows_above;
                upto += count;
                sum + beyond * (value - before)
            });
    }
    let width = edges[1] - edges[0];
    let current = cumulative(&histogram::shares(chunk, edges));
    let inside = reference.iter().zip(&current).map(|(q, p)| (q - (p + share_below)).abs() * width);
    histogram::sum(&inside.collect::<Vec<f64>>()) + area
}

/// Drift of a column of categories, missing values left out.
///
/// `reference`: its chunks, from which the threshold comes; empty ones are left out.
///
/// # Errors
/// See [`PeerError`].
pub fn categorical(
    method: Method,
    reference: &[&[Category<'_>]],
    current: &[Category<'_>],
) -> Result<PeerDrift, PeerError> {
    let whole = reference.concat();
    if method == Method::Chi2 {
        return Ok(chi2(&table(&whole, current)?));
    }
    let value = |chunk: &[Category<'_>]| {
        let table = table(&whole, chunk)?;
        let (n, m) = super::rows(&table);
        let shares = || table.iter().map(|(r, c)| (r / n, c / m));
        match method {
            Method::JensenShannon | Method::Hellinger => {
                // What the reference lacks is the rest to 1, below.
                let (q, p) = shares().filter(|(q, _)| *q > 0.0).unzip();
                Ok(over_shares(method, q, p))
            }
            Method::LInfinity => Ok(shares().fold(0.0, |max, (q, p)| f64::max(max, (q - p).abs()))),
            Method::Chi2 | Method::KolmogorovSmirnov | Method::Wasserstein => {
                Err(PeerError::NotForKind { method: method.name(), kind: ColumnKind::Categorical })
            }
        }
    };
    let found = value(current)?;
    let occupied = reference.iter().filter(|chunk| chunk.iter().any(|(_, count)| *count > 0));
    let of_chunks = occupied.map(|chunk| value(chunk)).collect::<Result<Vec<f64>, PeerError>>()?;
    Ok(method.judge(ColumnKind::Categorical, found, &of_chunks))
}

/// `jensen_shannon` or `hellinger`; the part of the chunk that is in none of the bins is one more.
fn over_shares(method: Method, mut reference: Vec<f64>, mut current: Vec<f64>) -> f64 {
    // Rounding alone can leave such a part, and NannyML keeps it.
    let rest = 1.0 - histogram::sum(&current);
    if rest > 0.0 {
        current.push(rest);
        reference.push(0.0);
    }
    if method == Method::JensenShannon {
        return jensen_shannon(&reference, &current, 2.0);
    }
    let pairs = reference.iter().zip(&current);
    let squares: Vec<f64> = pairs.map(|(q, p)| (q.sqrt() - p.sqrt()).powi(2)).collect();
    histogram::sum(&squares).sqrt() / std::f64::consts::SQRT_2
}

/// The two-sample test, each count moved by up to one half towards the expected one where there are
/// two categories.
fn chi2(table: &[(f64, f64)]) -> PeerDrift {
    let (n, m) = super::rows(table);
    let free = table.len() - 1;
    let mut statistic = 0.0;
    for &(r, c) in table {
        for (observed, side) in [(r, n), (c, m)] {
            let expected = (r + c) * side / (n + m);
            let off = (observed - expected).abs();
            let off = if free == 1 { off - off.min(0.5) } else { off };
            statistic += off * off / expected;
        }
    }
    let (value, p_value) = match free {
        0 => (0.0, 1.0),
        _ => (statistic, chi_square_sf(statistic, free as f64)),
    };
    PeerDrift {
        value,
        p_value: Some(p_value),
        threshold: 0.05,
        drifted: p_value < 0.05,
        warning: Some(Method::Chi2.warning(ColumnKind::Categorical)),
    }
}
