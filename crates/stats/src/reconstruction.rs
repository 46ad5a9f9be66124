//! Drift of how columns hang together: the error of rebuilding rows from a few principal components.
//!
//! # What it measures
//!
//! Principal components of the reference keep most of what its columns have in common. Rows are
//! projected onto them and back; the distance between a row and its image, averaged, is the
//! reconstruction error. It changes when the correlations change, though every column keeps its
//! distribution. Dimensionless: columns are standardised by the reference.
//!
//! # When it misleads
//!
//! * It is linear. Two columns that become dependent in a curve do not move it.
//! * It rises and falls for many reasons; both directions are drift, and neither is better.
//! * A shift along the kept components is invisible.
//! * Categories become their shares in the reference: two equally frequent ones are the same, and
//!   an unseen one is one of share 0.
//! * A column that is constant in the reference has no scale; when it comes alive, it counts in its
//!   own unit and can drown all others.
//! * On the rows that the components were fitted to, the error is a little too small. The change
//!   between the sides is therefore measured on reference rows that were held out.
//!
//! # Formula
//!
//! Missing numbers become the reference's mean, missing categories its most frequent one (of equals
//! the lowest code), categories their share. `z = (x − mean) / standard deviation`, by the
//! reference and divided by n; constant columns keep their unit. `V`: eigenvectors of the
//! reference's covariance of `z` with the largest eigenvalues, as few as keep more than the wanted
//! share of the variance. Error of a row: `‖z − V Vᵀ z‖`. Standard error of the mean: standard
//! deviation over rows (divided by n − 1) through √n.
//!
//! The change: components are fitted to four fifths of the reference at a time. Reference rows are
//! measured by the components that did not see them, current rows by all five in turn, averaged;
//! the difference of means is held against Welch's standard error, two-sided and normal, in which
//! the variance of the reference's mean is multiplied by `1 + k/(k − 1)`, `k = 5`, Nadeau & Bengio's
//! correction for folds that share rows. Simulated without drift (2,000 pairs of tables each, 100 to
//! 2,000 rows, 5 to 20 columns), 2.0 to 3.9 % of the pairs are called at a level of 5 %, and without
//! the correction 9 to 11 %.
//!
//! # Example
//!
//! ```
//! use stats::{interval::Level, reconstruction::reconstruction_drift};
//! use stats::learn::{Column, Features};
//! // Two columns that move together, and then against each other.
//! let (up, down) = ((0..200).map(f64::from), (0..200).rev().map(f64::from));
//! let wave: Vec<f64> = (0..200).map(|row| f64::from(row % 7)).collect();
//! let table = |second: Vec<f64>| {
//!     let first = up.clone().zip(&wave).map(|(x, wave)| x + wave).collect();
//!     Features::new(vec![Column::Numeric(first), Column::Numeric(second)])
//! };
//! let drift = reconstruction_drift(&table(up.clone().collect())?, &table(down.collect())?, 0.65, Level::P95)?;
//! assert!(drift.reference.error < 0.1 && drift.current.error > 0.5 && drift.p_value < 1e-6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * NannyML 0.13, `DataReconstructionDriftCalculator`: the statistic, to which it is equal.
//! * I. T. Jolliffe, "Principal component analysis", 2nd ed., Springer 2002, sections 6.1 and 10.1.
//! * C. Nadeau, Y. Bengio, "Inference for the generalization error", Mach. Learn. 52, 2003, section 3.
//! * B. L. Welch, "The generalization of Student's problem", Biometrika 34, 1947.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::counts::Side;
use crate::interval::{Interval, IntervalMethod, Level};
use crate::learn::{Column, Features, FeaturesError, MISSING};
use crate::special::normal_sf;
use crate::symmetric_eigen::symmetric_eigen;

/// Parts of the reference that are held out in turn to measure the change.
const FOLDS: usize = 5;
/// What the variance of independent rows is multiplied by for held-out rows: what makes some rows
/// differ by chance is in the components by which the others are measured. One and the share of
/// held-out rows over that of fitted rows, per fold (Nadeau & Bengio 2003).
const SHARED_ROWS: f64 = 1.0 + FOLDS as f64 / (FOLDS - 1) as f64;

/// The mean reconstruction error of some rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reconstruction {
    /// The mean error.
    pub error: f64,
    /// Of the mean.
    pub standard_error: f64,
    /// Normal interval of the mean.
    pub interval: Interval,
    /// Rows.
    pub n: u64,
}

/// Reconstruction errors of two sides by the reference's components.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReconstructionDrift {
    /// Of the rows that the components were fitted to.
    pub reference: Reconstruction,
    /// Of the current rows.
    pub current: Reconstruction,
    /// Mean error of current rows less that of held-out reference rows.
    pub change: f64,
    /// Of the change.
    pub change_interval: Interval,
    /// How often a change this large comes about without drift, two-sided.
    pub p_value: f64,
    /// How many components were kept.
    pub components: usize,
    /// The share of the reference's variance that they keep.
    pub variance_kept: f64,
    /// Columns without any value in the reference; they take no part.
    pub columns_left_out: Vec<usize>,
}

/// Why there is no reconstruction error.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum ReconstructionError {
    /// Tables with different columns.
    #[error(transparent)]
    Columns(#[from] FeaturesError),
    /// Not enough for a variance.
    #[error(
        "measure a reconstruction error: too few rows on the {side} side, {n} where at least {needed} are needed"
    )]
    TooFewRows {
        /// Which one.
        side: Side,
        /// Its rows.
        n: usize,
        /// Rows needed.
        needed: usize,
    },
    /// Infinite values have no distance.
    #[error(
        "measure a distance to the infinite value in row {row} of column {column}: call it missing or cut it off"
    )]
    Infinite {
        /// Position of the column.
        column: usize,
        /// Position of the row.
        row: usize,
    },
    /// A distance is larger than the largest floating-point number.
    #[error("measure a distance beyond the range of 64-bit floating point")]
    TooFar,
    /// Nothing varies, so nothing varies together.
    #[error("find components: every column of the reference is constant or empty")]
    NoVariance,
    /// A share that keeps nothing or more than all.
    #[error("keep a share of {share} of the variance: it must be above 0 and below 1")]
    VarianceShare {
        /// What was asked for.
        share: f64,
    },
    /// The eigenvalues of the covariance were not found.
    #[error("find components: the eigenvalues did not converge")]
    NotConverged,
}

/// The principal components of a reference, and how its columns become numbers.
#[derive(Clone, Debug)]
pub struct PrincipalComponents {
    columns: Vec<Standardised>,
    /// Of length 1 and at right angles; one entry per column that takes part.
    vectors: Vec<Vec<f64>>,
    variance_kept: f64,
}

impl PrincipalComponents {
    /// The components of `reference` that keep more than `variance_share` of its variance, above 0
    /// and below 1.
    ///
    /// # Errors
    /// Fewer than two rows, infinite values, no variance.
    pub fn fit(
        reference: &Features,
        variance_share: f64,
    ) -> Result<PrincipalComponents, ReconstructionError> {
        if !(variance_share > 0.0 && variance_share < 1.0) {
            return Err(ReconstructionError::VarianceShare { share: variance_share });
        }
        check_rows(reference, Side::Reference, 2)?;
        check_finite(reference)?;
        let columns: Result<Vec<Standardised>, _> =
            reference.columns().iter().map(Standardised::learn).collect();
        let columns = columns?;
        let standardised = apply(&columns, reference)?;
        let covariance = products(&standardised);
        let total: f64 = (0..covariance.len()).map(|i| covariance[i][i]).sum();
        if total == 0.0 {
            return Err(ReconstructionError::NoVariance);
        }
        let pairs = symmetric_eigen(covariance).ok_or(ReconstructionError::NotConverged)?;
        let (mut kept, mut vectors) = (0.0, Vec::new());
        for pair in pairs {
            kept += pair.value / total;
            vectors.push(pair.vector);
            if kept > variance_share {
                break;
            }
        }
        Ok(PrincipalComponents { columns, vectors, variance_kept: kept.min(1.0) })
    }

    /// How many components were kept.
    pub fn components(&self) -> usize {
        self.vectors.len()
    }

    /// The share of the reference's variance that they keep.
    pub fn variance_kept(&self) -> f64 {
        self.variance_kept
    }

    /// Columns without any value in the reference, which take no part.
    pub fn columns_left_out(&self) -> Vec<usize> {
        let columns = self.columns.iter().enumerate();
        columns.filter(|(_, c)| matches!(c, Standardised::LeftOut)).map(|(position, _)| position).collect()
    }

    /// The reconstruction error of each row.
    ///
    /// # Errors
    /// A table with other columns than the reference, infinite values.
    pub fn errors(&self, features: &Features) -> Result<Vec<f64>, ReconstructionError> {
        self.check_columns(features)?;
        check_finite(features)?;
        let mut rest = apply(&self.columns, features)?;
        // Components are at right angles, so that they can be taken away one by one.
        for vector in &self.vectors {
            let mut part = vec![0.0; features.rows()];
            for (column, &weight) in rest.iter().zip(vector) {
                part.iter_mut().zip(column).for_each(|(part, z)| *part += weight * z);
            }
            for (column, &weight) in rest.iter_mut().zip(vector) {
                column.iter_mut().zip(&part).for_each(|(z, part)| *z -= weight * part);
            }
        }
        let mut squares = vec![0.0; features.rows()];
        for column in &rest {
            squares.iter_mut().zip(column).for_each(|(square, z)| *square += z * z);
        }
        let errors: Vec<f64> = squares.into_iter().map(f64::sqrt).collect();
        if errors.iter().all(|error| error.is_finite()) {
            Ok(errors)
        } else {
            Err(ReconstructionError::TooFar)
        }
    }

    fn check_columns(&self, features: &Features) -> Result<(), FeaturesError> {
        let (first, second) = (self.columns.len(), features.columns().len());
        if first != second {
            return Err(FeaturesError::ColumnCountsDiffer { first, second });
        }
        for (column, (learnt, asked)) in self.columns.iter().zip(features.columns()).enumerate() {
            let (wanted, kind) = (learnt.kind(), asked.kind());
            if let Some(first) = wanted.filter(|&wanted| wanted != kind) {
                return Err(FeaturesError::KindsDiffer { column, first, second: kind });
            }
        }
        Ok(())
    }
}

/// The mean reconstruction error of `features` by `components`, with its standard error.
///
/// # Errors
/// Fewer than two rows, other columns than the reference, infinite values.
pub fn reconstruction(
    components: &PrincipalComponents,
    features: &Features,
    level: Level,
) -> Result<Reconstruction, ReconstructionError> {
    check_rows(features, Side::Current, 2)?;
    let (error, variance) = mean_and_variance(&components.errors(features)?);
    let standard_error = (variance / features.rows() as f64).sqrt();
    if !standard_error.is_finite() {
        return Err(ReconstructionError::TooFar);
    }
    let half = level.z() * standard_error;
    let (lower, upper) = ((error - half).max(0.0), error + half);
    let interval = Interval { lower, upper, level, method: IntervalMethod::NormalOfMean };
    Ok(Reconstruction { error, standard_error, interval, n: features.rows() as u64 })
}

/// Reconstruction errors of both sides by the reference's components, which keep more than
/// `variance_share` of its variance (NannyML: 0.65), and the change between them.
///
/// # Errors
/// Fewer than ten reference rows or two current ones, different columns, infinite values, no
/// variance.
pub fn reconstruction_drift(
    reference: &Features,
    current: &Features,
    variance_share: f64,
    level: Level,
) -> Result<ReconstructionDrift, ReconstructionError> {
    reference.check_same_columns(current)?;
    check_rows(reference, Side::Reference, 2 * FOLDS)?;
    check_rows(current, Side::Current, 2)?;
    let components = PrincipalComponents::fit(reference, variance_share)?;
    let (held_out, of_current) = held_out_errors(reference, current, variance_share)?;
    let (before, variance_before) = mean_and_variance(&held_out);
    let (after, variance_after) = mean_and_variance(&of_current);
    let change = after - before;
    let variance =
        variance_before * SHARED_ROWS / held_out.len() as f64 + variance_after / of_current.len() as f64;
    let standard_error = variance.sqrt();
    if !(change.is_finite() && standard_error.is_finite()) {
        return Err(ReconstructionError::TooFar);
    }
    let half = level.z() * standard_error;
    Ok(ReconstructionDrift {
        reference: reconstruction(&components, reference, level)?,
        current: reconstruction(&components, current, level)?,
        change,
        change_interval: Interval {
            lower: change - half,
            upper: change + half,
            level,
            method: IntervalMethod::NormalOfMean,
        },
        p_value: two_sided(change, standard_error),
        components: components.components(),
        variance_kept: components.variance_kept(),
        columns_left_out: components.columns_left_out(),
    })
}

fn two_sided(change: f64, standard_error: f64) -> f64 {
    match (change == 0.0, standard_error == 0.0) {
        (true, _) => 1.0,
        (false, true) => 0.0,
        (false, false) => (2.0 * normal_sf((change / standard_error).abs())).min(1.0),
    }
}

/// Errors of reference rows by components that did not see them, and of current rows by the same
/// components, averaged.
fn held_out_errors(
    reference: &Features,
    current: &Features,
    variance_share: f64,
) -> Result<(Vec<f64>, Vec<f64>), ReconstructionError> {
    let mut held_out = Vec::with_capacity(reference.rows());
    let mut of_current = vec![0.0; current.rows()];
    for fold in 0..FOLDS {
        // Every fifth row, so that no stretch of time is left out.
        let rows = 0..reference.rows() as u32;
        let (outside, inside): (Vec<u32>, Vec<u32>) = rows.partition(|&row| row as usize % FOLDS != fold);
        let components = PrincipalComponents::fit(&reference.at(&outside), variance_share)?;
        held_out.append(&mut components.errors(&reference.at(&inside))?);
        for (sum, error) in of_current.iter_mut().zip(components.errors(current)?) {
            *sum += error / FOLDS as f64;
        }
    }
    Ok((held_out, of_current))
}

/// How one column becomes a standardised number.
#[derive(Clone, Debug)]
enum Standardised {
    Numeric {
        mean: f64,
        scale: f64,
    },
    /// Standardised shares by code; `missing` is the most frequent code.
    Categorical {
        shares: HashMap<u32, f64, FixedState>,
        missing: f64,
        unseen: f64,
    },
    LeftOut,
}

impl Standardised {
    fn kind(&self) -> Option<crate::learn::ColumnKind> {
        match self {
            Self::Numeric { .. } => Some(crate::learn::ColumnKind::Numeric),
            Self::Categorical { .. } => Some(crate::learn::ColumnKind::Categorical),
            Self::LeftOut => None,
        }
    }

    fn learn(column: &Column) -> Result<Standardised, ReconstructionError> {
        match column {
            Column::Numeric(values) => {
                let present = || values.iter().copied().filter(|value| !value.is_nan());
                let count = present().count();
                if count == 0 {
                    return Ok(Self::LeftOut);
                }
                // Divided first: the sum of large values can overflow, their mean cannot.
                let mean = present().map(|value| value / count as f64).sum();
                // Missing values sit at the mean and add nothing but their number.
                let (mean, scale) = scale(present(), mean, values.len())?;
                Ok(Self::Numeric { mean, scale })
            }
            Column::Categorical { codes, .. } => Self::learn_shares(codes),
        }
    }

    fn learn_shares(codes: &[u32]) -> Result<Standardised, ReconstructionError> {
        let mut counts: HashMap<u32, usize, FixedState> = HashMap::default();
        for &code in codes.iter().filter(|&&code| code != MISSING) {
            *counts.entry(code).or_default() += 1;
        }
        let most = counts.iter().max_by_key(|&(&code, &count)| (count, std::cmp::Reverse(code)));
        let Some(most) = most.map(|(&code, _)| code) else {
            return Ok(Self::LeftOut);
        };
        let rows = codes.len() as f64;
        let missing = codes.iter().filter(|&&code| code == MISSING).count();
        *counts.entry(most).or_default() += missing;
        let share = |code: &u32| counts[if *code == MISSING { &most } else { code }] as f64 / rows;
        let mean = codes.iter().map(|code| share(code) / rows).sum();
        let (mean, scale) = scale(codes.iter().map(share), mean, codes.len())?;
        let standardised = |share: f64| (share - mean) / scale;
        let missing = standardised(share(&most));
        let shares = counts.iter().map(|(&code, _)| (code, standardised(share(&code)))).collect();
        Ok(Self::Categorical { shares, missing, unseen: standardised(0.0) })
    }

    /// The column's standardised values; None where it takes no part.
    fn apply(&self, column: &Column) -> Option<Vec<f64>> {
        match (self, column) {
            (Self::Numeric { mean, scale }, Column::Numeric(values)) => {
                let standardised = |value: f64| if value.is_nan() { 0.0 } else { (value - mean) / scale };
                Some(values.iter().map(|&value| standardised(value)).collect())
            }
            (Self::Categorical { shares, missing, unseen }, Column::Categorical { codes, .. }) => {
                let standardised = |code: u32| {
                    if code == MISSING { *missing } else { shares.get(&code).copied().unwrap_or(*unseen) }
                };
                Some(codes.iter().map(|&code| standardised(code)).collect())
            }
            _ => None,
        }
    }
}

/// The mean and the standard deviation of `rows` values, of which those that are not given lie at the
/// mean; 1 for a column that is constant up to rounding (scikit-learn's rule).
fn scale(
    values: impl Iterator<Item = f64>,
    mean: f64,
    rows: usize,
) -> Result<(f64, f64), ReconstructionError> {
    let n = rows as f64;
    let variance: f64 = values.map(|value| (value - mean).powi(2) / n).sum();
    if !variance.is_finite() {
        return Err(ReconstructionError::TooFar);
    }
    let rounding = n * f64::EPSILON * variance + (n * f64::EPSILON * mean).powi(2);
    Ok((mean, if variance <= rounding { 1.0 } else { variance.sqrt() }))
}

fn apply(columns: &[Standardised], features: &Features) -> Result<Vec<Vec<f64>>, ReconstructionError> {
    let both = columns.iter().zip(features.columns());
    let standardised: Vec<Vec<f64>> = both.filter_map(|(how, column)| how.apply(column)).collect();
    if standardised.iter().flatten().all(|z| z.is_finite()) {
        Ok(standardised)
    } else {
        Err(ReconstructionError::TooFar)
    }
}

/// The products of all pairs of columns, summed over rows.
fn products(columns: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut products = vec![vec![0.0; columns.len()]; columns.len()];
    for (i, a) in columns.iter().enumerate() {
        for (j, b) in columns[..=i].iter().enumerate() {
            let product = a.iter().zip(b).map(|(a, b)| a * b).sum();
            products[i][j] = product;
            products[j][i] = product;
        }
    }
    products
}

/// The mean, and the variance divided by n − 1; of at least two values.
fn mean_and_variance(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean: f64 = values.iter().map(|value| value / n).sum();
    (mean, values.iter().map(|value| (value - mean).powi(2) / (n - 1.0)).sum())
}

fn check_rows(features: &Features, side: Side, needed: usize) -> Result<(), ReconstructionError> {
    let n = features.rows();
    if n < needed { Err(ReconstructionError::TooFewRows { side, n, needed }) } else { Ok(()) }
}

fn check_finite(features: &Features) -> Result<(), ReconstructionError> {
    for (column, values) in features.columns().iter().enumerate() {
        if let Column::Numeric(values) = values
            && let Some(row) = values.iter().position(|value| value.is_infinite())
        {
            return Err(ReconstructionError::Infinite { column, row });
        }
    }
    Ok(())
}
