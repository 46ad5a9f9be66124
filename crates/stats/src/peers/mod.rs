//! Drift as other tools compute it, for teams that move from one and want the same numbers first.
//!
//! # What it measures
//!
//! The drift of one column as Evidently 0.7.23 or NannyML 0.13.1 would report it on the same data,
//! equal to their results to 1e-9 (with one exception, in [`evidently_0_7`]): value, threshold, and whether it counts as drift. `warning`
//! names what is wrong with a method, where something is. The statistics of this crate proper are
//! in its other modules.
//!
//! # When it misleads
//!
//! * As the peers do. Read the warnings.
//! * Columns are taken as 64-bit floating point. NumPy's automatic bins of an *integer* column are
//!   never narrower than 1, which differs from about a million rows on.
//! * Rows are counted and their order is not known, so what depends on it cannot be had:
//!   Evidently's `TVD` is refused.
//!
//! # Formula
//!
//! In each method's peer module: [`evidently_0_7`], [`nannyml_0_13`].
//!
//! # Example
//!
//! ```
//! use stats::peers::Peer;
//! let peer = Peer::parse("evidently-0.7:psi")?;
//! let drift = peer.categorical(&[&[("a", 50), ("b", 50)]], &[("a", 80), ("b", 20)])?;
//! assert!(drift.drifted && (drift.value - 0.4159).abs() < 1e-4);
//! let wrong = Peer::parse("evidently-0.7:ps").unwrap_err().to_string();
//! assert!(wrong.contains("psi, jensenshannon, kl_div"));
//! # Ok::<(), stats::peers::PeerError>(())
//! ```
//!
//! # References
//!
//! * Evidently 0.7.23, <https://github.com/evidentlyai/evidently>.
//! * NannyML 0.13.1, <https://github.com/NannyML/nannyml>.
//! * SciPy 1.17.1 and NumPy 2.4.6, which both are computed with.

mod cramer_von_mises_exact;
pub mod evidently_0_7;
mod histogram;
mod kolmogorov;
pub mod nannyml_0_13;
mod rank_tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::counts::Side;
use crate::ecdf::{Ecdf, EcdfError};

/// A category with its rows.
pub type Category<'a> = (&'a str, u64);

/// What the peer would report of one column.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PeerDrift {
    /// The drift score. Evidently's is the p-value where the method is a test.
    pub value: f64,
    /// Where the method is a test.
    pub p_value: Option<f64>,
    /// What decides: a p-value below it, or a value above it.
    pub threshold: f64,
    /// Whether the peer calls it drift.
    pub drifted: bool,
    /// What is wrong with the method as the peer has it.
    pub warning: Option<&'static str>,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Numbers.
    Numeric,
    /// Categories.
    Categorical,
}

impl std::fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ColumnKind::Numeric => "numeric",
            ColumnKind::Categorical => "categorical",
        })
    }
}

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum PeerError {
    /// No such peer or method.
    #[error("use the method `{name}`: write `<peer>:<method>` with one of {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The peer has the method for the other kind of column.
    #[error("use `{method}` for a {kind} column: the peer does not have it for such a column")]
    NotForKind {
        /// The peer's name of the method.
        method: &'static str,
        /// The column's kind.
        kind: ColumnKind,
    },
    /// One side is empty.
    #[error("compare distributions: the {side} side has no rows")]
    NoRows {
        /// Which one.
        side: Side,
    },
    /// The peers see all values, so equal results need them too.
    #[error("equal the peer's result: the distribution of the {side} side is approximate")]
    Approximate {
        /// Which one.
        side: Side,
    },
    /// The peer itself fails on such data, or gives NaN.
    #[error("equal the peer's result: with such data `{method}` has none, because {because}")]
    PeerFails {
        /// The peer's name of the method.
        method: &'static str,
        /// Why.
        because: &'static str,
    },
    /// The result depends on more than the counts, or would need too much time.
    #[error("equal the result of `{method}`: {because}")]
    NotReproducible {
        /// The peer's name of the method.
        method: &'static str,
        /// Why.
        because: &'static str,
    },
    /// More rows than a 64-bit count holds.
    #[error(transparent)]
    Ecdf(#[from] EcdfError),
}

/// One method of one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// Evidently 0.7.23; None for its default, which depends on the column.
    Evidently07(Option<evidently_0_7::Method>),
    /// NannyML 0.13.1.
    NannyMl013(nannyml_0_13::Method),
}

const EVIDENTLY: &str = "evidently-0.7";
const NANNYML: &str = "nannyml-0.13";

impl Peer {
    /// Reads `evidently-0.7:psi`, `evidently-0.7:default`, `nannyml-0.13:hellinger` and the like.
    ///
    /// # Errors
    /// An unknown peer or method; the message lists those that there are.
    pub fn parse(name: &str) -> Result<Peer, PeerError> {
        let found = match name.split_once(':') {
            Some((EVIDENTLY, "default")) => Some(Peer::Evidently07(None)),
            Some((EVIDENTLY, method)) => {
                evidently_0_7::Method::from_name(method).map(|method| Peer::Evidently07(Some(method)))
            }
            Some((NANNYML, method)) => nannyml_0_13::Method::from_name(method).map(Peer::NannyMl013),
            _ => None,
        };
        found.ok_or_else(|| PeerError::Unknown {
            name: name.to_owned(),
            known: format!(
                "`{EVIDENTLY}`: default, {}; or `{NANNYML}`: {}",
                evidently_0_7::Method::ALL.map(evidently_0_7::Method::name).join(", "),
                nannyml_0_13::Method::ALL.map(nannyml_0_13::Method::name).join(", "),
            ),
        })
    }

    /// Every method of every peer.
    pub fn all() -> impl Iterator<Item = Peer> {
        std::iter::once(Peer::Evidently07(None))
            .chain(evidently_0_7::Method::ALL.map(|method| Peer::Evidently07(Some(method))))
            .chain(nannyml_0_13::Method::ALL.map(Peer::NannyMl013))
    }

    /// The name that [`Peer::parse`] reads.
    pub fn name(self) -> String {
        match self {
            Peer::Evidently07(method) => {
                format!("{EVIDENTLY}:{}", method.map_or("default", evidently_0_7::Method::name))
            }
            Peer::NannyMl013(method) => format!("{NANNYML}:{}", method.name()),
        }
    }

    /// Drift of a column of numbers, missing values left out.
    ///
    /// `reference_chunks`: the reference in the chunks that NannyML takes its thresholds from, such
    /// as one per week; for Evidently the split makes no difference.
    ///
    /// # Errors
    /// See [`PeerError`].
    pub fn numeric(self, reference_chunks: &[Ecdf], current: &Ecdf) -> Result<PeerDrift, PeerError> {
        match self {
            Peer::NannyMl013(method) => nannyml_0_13::numeric(method, reference_chunks, current),
            Peer::Evidently07(Some(method)) => {
                evidently_0_7::numeric(method, &merged(reference_chunks)?, current)
            }
            Peer::Evidently07(None) => {
                let (_, drift) = evidently_0_7::numeric_default(&merged(reference_chunks)?, current)?;
                Ok(drift)
            }
        }
    }

    /// Drift of a column of categories, missing values left out.
    ///
    /// `reference_chunks`: as in [`Peer::numeric`].
    ///
    /// # Errors
    /// See [`PeerError`].
    pub fn categorical(
        self,
        reference_chunks: &[&[Category<'_>]],
        current: &[Category<'_>],
    ) -> Result<PeerDrift, PeerError> {
        match self {
            Peer::NannyMl013(method) => nannyml_0_13::categorical(method, reference_chunks, current),
            Peer::Evidently07(Some(method)) => {
                evidently_0_7::categorical(method, &reference_chunks.concat(), current)
            }
            Peer::Evidently07(None) => {
                let (_, drift) = evidently_0_7::categorical_default(&reference_chunks.concat(), current)?;
                Ok(drift)
            }
        }
    }
}

/// The distribution of all chunks together.
fn merged(chunks: &[Ecdf]) -> Result<Ecdf, PeerError> {
    let points = chunks.iter().flat_map(Ecdf::points).collect();
    let rank_error = chunks.iter().map(Ecdf::rank_error).fold(0, u64::saturating_add);
    Ok(Ecdf::from_weighted(points, rank_error)?)
}

/// Refuses an empty or approximate side.
fn check(ecdf: &Ecdf, side: Side) -> Result<(), PeerError> {
    match (ecdf.is_empty(), ecdf.is_exact()) {
        (true, _) => Err(PeerError::NoRows { side }),
        (false, false) => Err(PeerError::Approximate { side }),
        (false, true) => Ok(()),
    }
}

/// Both sides' counts per category, the reference's first, in the order of the categories.
fn table(reference: &[Category<'_>], current: &[Category<'_>]) -> Result<Vec<(f64, f64)>, PeerError> {
    let mut table: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for &(category, count) in reference.iter().filter(|(_, count)| *count > 0) {
        table.entry(category).or_default().0 += count as f64;
    }
    for &(category, count) in current.iter().filter(|(_, count)| *count > 0) {
        table.entry(category).or_default().1 += count as f64;
    }
    let table: Vec<(f64, f64)> = table.into_values().collect();
    for (side, rows) in [(Side::Reference, rows(&table).0), (Side::Current, rows(&table).1)] {
        if rows == 0.0 {
            return Err(PeerError::NoRows { side });
        }
    }
    Ok(table)
}

/// The rows of both sides.
fn rows(table: &[(f64, f64)]) -> (f64, f64) {
    table.iter().fold((0.0, 0.0), |(n, m), (r, c)| (n + r, m + c))
}

/// SciPy's `jensenshannon`: both sides divided by their sums, the root of half the divergence.
fn jensen_shannon(reference: &[f64], current: &[f64], base: f64) -> f64 {
    let (n, m) = (histogram::sum(reference), histogram::sum(current));
    let pairs = || reference.iter().zip(current).map(|(r, c)| (r / n, c / m));
    let entropy = |x: f64, y: f64| if x == 0.0 { 0.0 } else { x * (x / y).ln() };
    let left: Vec<f64> = pairs().map(|(q, p)| entropy(q, f64::midpoint(p, q))).collect();
    let right: Vec<f64> = pairs().map(|(q, p)| entropy(p, f64::midpoint(p, q))).collect();
    let divergence = (histogram::sum(&left) + histogram::sum(&right)) / base.ln();
    (divergence / 2.0).max(0.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for peer in Peer::all() {
            assert_eq!(Peer::parse(&peer.name()), Ok(peer));
        }
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_valid_ones() {
        for name in ["", "psi", "evidently-0.7", "evidently-0.7:", "evidently-0.6:psi", "nannyml-0.13:psi"] {
            let message = Peer::parse(name).unwrap_err().to_string();
            assert!(message.contains("kl_div") && message.contains("l_infinity"), "{message}");
        }
    }

    #[test]
    fn extreme_values_and_counts_give_a_result_or_an_error() {
        let extremes = Ecdf::from_values(&mut [f64::MIN, -1.0, 0.0, 1e-300, 2.0, f64::MAX]).unwrap();
        let many = Ecdf::from_weighted((0..50).map(|v| (f64::from(v), u64::MAX / 200)).collect(), 0).unwrap();
        let infinite = Ecdf::from_values(&mut [f64::NEG_INFINITY, f64::INFINITY]).unwrap();
        let sides = [extremes, many, infinite];
        for peer in Peer::all() {
            for (reference, current) in sides.iter().flat_map(|r| sides.iter().map(move |c| (r, c))) {
                if let Ok(drift) = peer.numeric(std::slice::from_ref(reference), current) {
                    assert!(!drift.value.is_nan() && !drift.threshold.is_nan(), "{peer:?} {drift:?}");
                }
            }
            let _ = peer.categorical(&[&[("a", u64::MAX), ("b", u64::MAX)]], &[("a", u64::MAX)]);
        }
    }

    #[test]
    fn sides_that_the_peer_cannot_see_in_full_are_errors() {
        let peer = Peer::parse("evidently-0.7:ks").unwrap();
        let one = Ecdf::from_values(&mut [1.0]).unwrap();
        let approximate = Ecdf::from_weighted(vec![(1.0, 9)], 1).unwrap();
        let empty = Ecdf::from_values(&mut []).unwrap();
        for (reference, current, expected) in [
            (vec![], &one, PeerError::NoRows { side: Side::Reference }),
            (vec![one.clone()], &empty, PeerError::NoRows { side: Side::Current }),
            (vec![approximate], &one, PeerError::Approximate { side: Side::Reference }),
        ] {
            assert_eq!(peer.numeric(&reference, current), Err(expected));
        }
        let peer = Peer::parse("nannyml-0.13:chi2").unwrap();
        assert_eq!(
            peer.categorical(&[&[("a", 0)]], &[("a", 1)]),
            Err(PeerError::NoRows { side: Side::Reference })
        );
    }
}
