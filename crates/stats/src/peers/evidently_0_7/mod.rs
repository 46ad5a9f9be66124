//! Evidently 0.7.23: what `ValueDrift` reports of a column.
//!
//! # What it measures
//!
//! Each method as `evidently.legacy.calculations.stattests` has it, with its default threshold and
//! direction, and the choice that `ValueDrift` makes where no method is named:
//!
//! | rows of the reference | numeric, more than 5 values | numeric, up to 5 | categorical |
//! |---|---|---|---|
//! | up to 1000 | `ks` | `chisquare`; `z` up to 2 | `chisquare`; `z` up to 2 |
//! | more | `wasserstein` | `jensenshannon` | `jensenshannon` |
//!
//! `TVD` is refused: its p-value is that of 1000 permutations with a fixed seed, and which ones
//! those are depends on the order of the rows. `es` (Epps–Singleton), `fisher_exact`, `empirical_mmd`
//! and the text methods are not there.
//!
//! # When it misleads
//!
//! [`Method::warning`] says it for each method. For up to 20 rows `cramer_von_mises` is exact here
//! and off by up to about 1e-4 there. Infinite values are dropped, as Evidently does.
//!
//! # Formula
//!
//! `psi`, `kl_div` and `jensenshannon` take a numeric column of more than 20 values in the
//! reference over `⌈log₂(n + m) + 1⌉` bins of equal width from the least to the largest value of
//! both sides, and any other over its values. `psi` and `kl_div` then replace a share of 0 by
//! 0.0001, or by a millionth of the side's smallest share where that is at most 0.0001; `kl_div`
//! divides by the new sum, `psi` does not. `hellinger` has bins by the number of distinct values.
//! Distances count as drift at the threshold and above (`ed`: above), p-values below it (`ks` and
//! `cramer_von_mises`: at it too).
//!
//! # Example
//!
//! ```
//! use stats::{ecdf::Ecdf, peers::evidently_0_7::{Method, numeric}};
//! let reference = Ecdf::from_values(&mut [1.0, 3.0])?;
//! let current = Ecdf::from_values(&mut [3.0, 5.0])?;
//! let drift = numeric(Method::Wasserstein, &reference, &current)?;
//! assert_eq!((drift.value, drift.threshold, drift.drifted), (2.0, 0.1, true));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * Evidently 0.7.23: `evidently/legacy/calculations/stattests/`, and `registry.py` there for the
//!   default.

mod categorical;
mod numeric;

pub use categorical::{categorical, categorical_default};
pub use numeric::{numeric, numeric_default};

use crate::ecdf::Ecdf;

use super::{Category, ColumnKind, PeerDrift, PeerError, histogram, jensen_shannon};

/// The methods, under Evidently's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Population Stability Index.
    Psi,
    /// Jensen–Shannon distance, base e.
    JensenShannon,
    /// Kullback–Leibler divergence.
    KlDiv,
    /// Wasserstein distance in standard deviations of the reference.
    Wasserstein,
    /// Kolmogorov–Smirnov test.
    Ks,
    /// One-sample chi-square test.
    ChiSquare,
    /// Test of two proportions.
    Z,
    /// Hellinger distance.
    Hellinger,
    /// Permutation test of the total variation distance.
    Tvd,
    /// Energy distance.
    Ed,
    /// Cramér–von Mises test.
    CramerVonMises,
    /// One-sample G-test.
    GTest,
    /// Anderson–Darling test.
    Anderson,
    /// Student's t-test.
    TTest,
    /// Mann–Whitney test, one-sided.
    MannWhitney,
}

/// How a score is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drifts {
    AtLeast,
    Above,
    Below,
    AtMost,
}

impl Method {
    /// All of them.
    pub const ALL: [Method; 15] = [
        Self::Psi,
        Self::JensenShannon,
        Self::KlDiv,
        Self::Wasserstein,
        Self::Ks,
        Self::ChiSquare,
        Self::Z,
        Self::Hellinger,
        Self::Tvd,
        Self::Ed,
        Self::CramerVonMises,
        Self::GTest,
        Self::Anderson,
        Self::TTest,
        Self::MannWhitney,
    ];

    /// Evidently's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Psi => "psi",
            Self::JensenShannon => "jensenshannon",
            Self::KlDiv => "kl_div",
            Self::Wasserstein => "wasserstein",
            Self::Ks => "ks",
            Self::ChiSquare => "chisquare",
            Self::Z => "z",
            Self::Hellinger => "hellinger",
            Self::Tvd => "TVD",
            Self::Ed => "ed",
            Self::CramerVonMises => "cramer_von_mises",
            Self::GTest => "g_test",
            Self::Anderson => "anderson",
            Self::TTest => "t_test",
            Self::MannWhitney => "mannw",
        }
    }

    /// The method of that name.
    pub fn from_name(name: &str) -> Option<Method> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// The default threshold.
    pub fn threshold(self) -> f64 {
        match self {
            Self::Ks | Self::ChiSquare | Self::Z | Self::TTest | Self::MannWhitney => 0.05,
            _ => 0.1,
        }
    }

    /// Whether the score is a p-value.
    pub fn is_test(self) -> bool {
        matches!(self.drifts(), Drifts::Below | Drifts::AtMost)
    }

    fn drifts(self) -> Drifts {
        match self {
            Self::Psi | Self::JensenShannon | Self::KlDiv | Self::Wasserstein | Self::Hellinger => {
                Drifts::AtLeast
            }
            Self::Ed => Drifts::Above,
            Self::Ks | Self::CramerVonMises => Drifts::AtMost,
            Self::ChiSquare
            | Self::Z
            | Self::Tvd
            | Self::GTest
            | Self::Anderson
            | Self::TTest
            | Self::MannWhitney => Drifts::Below,
        }
    }

    /// What is wrong with the method as Evidently has it; None where nothing is known.
    pub fn warning(self, kind: ColumnKind) -> Option<&'static str> {
        let numeric = kind == ColumnKind::Numeric;
        Some(match self {
            Self::Psi if numeric => {
                "bins are of equal width over both sides together, so that one outlier hides drift; a share of 0 is replaced by a fixed one, which the value then depends on"
            }
            Self::Psi => "a share of 0 is replaced by a fixed one, which the value then depends on",
            Self::KlDiv if numeric => {
                "bins are of equal width over both sides together, so that one outlier hides drift; a share of 0 is replaced by a fixed one, and the value depends on which side is the reference"
            }
            Self::KlDiv => {
                "a share of 0 is replaced by a fixed one, and the value depends on which side is the reference"
            }
            Self::JensenShannon if numeric => {
                "bins are of equal width over both sides together, so that one outlier hides drift; logarithms are to base e, so that the largest value is 0.83; chance alone passes 0.1 with few rows"
            }
            Self::JensenShannon => {
                "logarithms are to base e, so that the largest value is 0.83; chance alone passes 0.1 with many categories"
            }
            Self::Hellinger if numeric => {
                "bins are of equal width over both sides together, so that one outlier hides drift; their number goes by the distinct values, not the rows"
            }
            Self::Hellinger => "chance alone passes 0.1 with many categories",
            Self::Wasserstein => {
                "an outlier of the reference widens its standard deviation and hides drift; a deviation below 0.001 counts as 0.001"
            }
            Self::Ed => "one threshold for all columns, though the value is in the root of the column's unit",
            Self::ChiSquare => {
                "the reference's shares are taken as exact, so that chance in the reference counts as drift; one row of a value that the reference lacks gives a p-value of 0"
            }
            Self::GTest => {
                "the reference's counts are taken as exact, so that chance in the reference counts as drift; there is no result unless both sides have as many rows"
            }
            Self::CramerVonMises => {
                "up to 20 rows, orders are counted in floating point of 16 or 32 bits, which can change the fourth digit; here they are counted exactly"
            }
            Self::Anderson => "p-values are cut to between 0.001 and 0.25",
            Self::TTest => "sees the mean alone, and takes the variances as equal",
            Self::MannWhitney => "one-sided: values that have become smaller are not seen",
            Self::Tvd => "the p-value depends on the order of the rows",
            Self::Ks | Self::Z => return None,
        })
    }

    fn judge(self, kind: ColumnKind, score: f64) -> PeerDrift {
        let threshold = self.threshold();
        let drifted = match self.drifts() {
            Drifts::AtLeast => score >= threshold,
            Drifts::Above => score > threshold,
            Drifts::Below => score < threshold,
            Drifts::AtMost => score <= threshold,
        };
        PeerDrift {
            value: score,
            p_value: self.is_test().then_some(score),
            threshold,
            drifted,
            warning: self.warning(kind),
        }
    }

    fn fails(self, because: &'static str) -> PeerError {
        PeerError::PeerFails { method: self.name(), because }
    }
}

/// What Evidently chooses for a column of numbers.
pub fn default_method_numeric(reference: &Ecdf, current: &Ecdf) -> Method {
    numeric::default_method(reference, current)
}

/// What Evidently chooses for a column of categories.
pub fn default_method_categorical(reference: &[Category<'_>], current: &[Category<'_>]) -> Method {
    categorical::default_method(reference, current)
}

/// `psi`, `kl_div` or `jensenshannon` of the shares per bin; None for another method.
fn over_shares(method: Method, reference: &[f64], current: &[f64]) -> Option<f64> {
    Some(match method {
        Method::Psi => {
            let (reference, current) = (filled(reference), filled(current));
            let pairs = reference.iter().zip(&current);
            pairs.map(|(q, p)| (q - p) * (q / p).ln()).sum()
        }
        Method::KlDiv => {
            let (reference, current) = (filled(reference), filled(current));
            let (n, m) = (histogram::sum(&reference), histogram::sum(&current));
            let pairs = reference.iter().zip(&current).map(|(q, p)| (q / n, p / m));
            pairs.map(|(q, p)| q * (q / p).ln()).sum()
        }
        Method::JensenShannon => jensen_shannon(reference, current, std::f64::consts::E),
        _ => return None,
    })
}

/// The shares with zeros replaced; not divided by the new sum.
fn filled(shares: &[f64]) -> Vec<f64> {
    let smallest = shares.iter().copied().filter(|share| *share > 0.0).fold(f64::MAX, f64::min);
    let filling = if smallest <= 0.0001 { smallest / 1e6 } else { 0.0001 };
    shares.iter().map(|&share| if share == 0.0 { filling } else { share }).collect()
}

/// P-value of the z-test: whether the share of the first of two values is the same. `table` has
/// the counts per value, in the order of the values.
fn z_test(table: &[(f64, f64)]) -> Result<f64, PeerError> {
    let [first, ..] = table else { return Err(Method::Z.fails("there are no rows")) };
    if table.len() == 1 {
        return Ok(1.0);
    }
    let (n, m) = super::rows(table);
    let (p, q) = ((n - first.0) / n, (m - first.1) / m);
    let both = (p * n + q * m) / (n + m);
    let z = (p - q) / (both * (1.0 - both) * (1.0 / n + 1.0 / m)).sqrt();
    Ok(2.0 * (1.0 - crate::special::normal_cdf(z.abs())))
}

/// P-value of the chi-square test with the reference's counts, scaled, as the expected ones.
fn chi_square_one_sample(table: &[(f64, f64)]) -> Result<f64, PeerError> {
    if table.len() == 1 {
        return Err(Method::ChiSquare.fails("there is one category, which leaves no degree of freedom"));
    }
    let (n, m) = super::rows(table);
    let terms = table.iter().map(|&(r, c)| {
        let expected = r * (m / n);
        (c - expected).powi(2) / expected
    });
    Ok(crate::special::chi_square_sf(terms.sum(), (table.len() - 1) as f64))
}
