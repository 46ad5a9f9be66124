//! Evidently's methods for a column of categories.

use crate::special::chi_square_sf;

use super::super::{Category, ColumnKind, PeerDrift, PeerError, rows, table};
use super::{Method, chi_square_one_sample, over_shares, z_test};

/// What Evidently chooses for a column of categories.
pub(super) fn default_method(reference: &[Category<'_>], current: &[Category<'_>]) -> Method {
    let reference_rows = reference.iter().map(|(_, count)| count).fold(0_u64, |n, &c| n.saturating_add(c));
    let occupied = reference.iter().chain(current).filter(|(_, count)| *count > 0);
    let values: std::collections::BTreeSet<&str> = occupied.map(|(category, _)| *category).collect();
    match (reference_rows > 1000, values.len()) {
        (true, _) => Method::JensenShannon,
        (false, ..=2) => Method::Z,
        (false, _) => Method::ChiSquare,
    }
}

/// Drift of a column of categories, missing values left out.
///
/// # Errors
/// See [`PeerError`].
pub fn categorical(
    method: Method,
    reference: &[Category<'_>],
    current: &[Category<'_>],
) -> Result<PeerDrift, PeerError> {
    let table = table(reference, current)?;
    let (n, m) = rows(&table);
    let score = match method {
        Method::Psi | Method::JensenShannon | Method::KlDiv => {
            let (q, p): (Vec<f64>, Vec<f64>) = table.iter().map(|(r, c)| (r / n, c / m)).unzip();
            over_shares(method, &q, &p).expect("the three methods of this arm")
        }
        Method::Hellinger => {
            let overlap: f64 = table.iter().map(|(r, c)| ((r / n) * (c / m)).sqrt()).sum();
            (1.0 - overlap.clamp(0.0, 1.0)).sqrt()
        }
        Method::ChiSquare => chi_square_one_sample(&table)?,
        Method::Z => z_test(&table)?,
        Method::GTest => g_test(&table, n, m)?,
        Method::Tvd => {
            return Err(PeerError::NotReproducible {
                method: Method::Tvd.name(),
                because: "its permutations depend on the order of the rows, which counts do not have",
            });
        }
        Method::Wasserstein
        | Method::Ks
        | Method::Ed
        | Method::CramerVonMises
        | Method::Anderson
        | Method::TTest
        | Method::MannWhitney => {
            return Err(PeerError::NotForKind { method: method.name(), kind: ColumnKind::Categorical });
        }
    };
    Ok(method.judge(ColumnKind::Categorical, score))
}

/// [`categorical`] with the method that Evidently chooses.
///
/// # Errors
/// See [`PeerError`].
pub fn categorical_default(
    reference: &[Category<'_>],
    current: &[Category<'_>],
) -> Result<(Method, PeerDrift), PeerError> {
    let method = default_method(reference, current);
    Ok((method, categorical(method, reference, current)?))
}

/// With the reference's counts as the expected ones, which SciPy refuses unless the sums agree.
fn g_test(table: &[(f64, f64)], n: f64, m: f64) -> Result<f64, PeerError> {
    if (n - m).abs() > f64::EPSILON.sqrt() * n.min(m) {
        return Err(Method::GTest.fails("the sides have different numbers of rows"));
    }
    if table.len() == 1 {
        return Err(Method::GTest.fails("there is one category, which leaves no degree of freedom"));
    }
    let terms = table.iter().map(|&(r, c)| if c == 0.0 { 0.0 } else { c * (c / r).ln() });
    Ok(chi_square_sf(2.0 * terms.sum::<f64>(), (table.len() - 1) as f64))
}
