//! A change in mean loss on the rows that both sides have, and on those that one side has more of.
//!
//! # What it measures
//!
//! The DIstribution Shift DEcomposition. The *shared* distribution has the rows that are common on
//! both sides. The change in mean loss is what it takes from the reference to the shared rows (rows
//! that have become rare), what changes there because outcomes relate to the columns differently,
//! and what it takes from the shared to the current rows (rows that have become frequent, or are
//! new). In units of the loss; the three add up to the observed change. It exists where weights for
//! the whole of a side would not: rows that one side lacks have no say in the middle term.
//!
//! # When it misleads
//!
//! * The middle term is about shared rows only. Outcomes of new rows may follow other rules; that is
//!   part of the third term.
//! * What is missing from the columns appears as changed outcomes.
//! * The terms are no causes without further assumptions, and say nothing of which column moved;
//!   [`shapley`](super::shapley) does.
//! * Standard errors leave out how uncertain the learnt weights and expected losses are.
//!
//! # Formula
//!
//! With `p` and `q` the densities of the columns, reference and current, the shared density is
//! proportional to `pq/(p + q)`, and `π = q/(p + q)` is what a domain classifier learns. With the
//! mean losses `m` (reference) and `g` (current) given the columns:
//!
//! `E_shared m = Σ h m / Σ h + Σ over reference of π (loss − m) / Σ π`
//!
//! `E_shared g = Σ h g / Σ h + Σ over current of (1 − π)(loss − g) / Σ (1 − π)`
//!
//! with `h = π (1 − π)` over both sides, which count the same. Terms: `E_shared m −` mean reference
//! loss; `E_shared g − E_shared m`; mean current loss `− E_shared g`. `π` with Platt's scaling, `m`
//! and `g` are learnt by cross-fitting. The middle term is the average effect on the overlap
//! population with the side as treatment, augmented by both expected losses.
//!
//! # Example
//!
//! ```
//! use stats::attribution::shared_space::decompose;
//! use stats::attribution::{AttributionOptions, Lost};
//! use stats::learn::{Column, Features};
//! # struct Seeded(u64);
//! # impl rand_core::RngCore for Seeded {
//! #     fn next_u32(&mut self) -> u32 { self.next_u64() as u32 }
//! #     fn next_u64(&mut self) -> u64 { self.0 = self.0.wrapping_mul(6364136223846793005) + 1; self.0 }
//! #     fn fill_bytes(&mut self, bytes: &mut [u8]) { bytes.fill(0); }
//! # }
//! # let mut rng = Seeded(1);
//! // The same rows, and each loses more than it did.
//! let features = Features::new(vec![Column::Numeric((0..400_u32).map(|row| f64::from(row % 20)).collect())])?;
//! let (before, after) = (vec![1.0; 400], vec![1.5; 400]);
//! let reference = Lost { features: &features, losses: &before };
//! let current = Lost { features: &features, losses: &after };
//! let found = decompose(reference, current, &AttributionOptions::default(), &mut rng)?;
//! assert!((found.outcome.value - 0.5).abs() < 1e-6 && found.shared_to_current.value.abs() < 1e-6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * T. T. Cai, H. Namkoong, S. Yadlowsky, "Diagnosing model performance under distribution shift",
//!   2023 (arXiv 2303.02011), equations 1 to 3.
//! * F. Li, K. L. Morgan, A. M. Zaslavsky, "Balancing covariates via propensity score weighting", J.
//!   Am. Stat. Assoc. 113, 2018: the overlap population.
//! * H. Mao, L. Li, T. Greene, "Propensity score weighting analysis and treatment effect discovery",
//!   Stat. Methods Med. Res. 28, 2019: the augmented estimator.

use rand_core::RngCore;
use serde::{Deserialize, Serialize};

use super::cross_fit::CrossFit;
use super::influence::{Estimated, Rows};
use super::{AttributionError, AttributionOptions, Contribution, Lost, Support, checked_losses};
use crate::counts::Side;

/// Sides with less in common have no shared rows to speak of.
const SHARED_SHARE_MIN: f64 = 0.1;

/// A change in mean loss by way of the rows that both sides have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SharedSpaceDecomposition {
    /// Mean current loss less mean reference loss.
    pub change: Contribution,
    /// From reference to shared rows, outcomes as in the reference.
    pub reference_to_shared: Contribution,
    /// On shared rows, from outcomes as in the reference to outcomes as in the current rows.
    pub outcome: Contribution,
    /// From shared to current rows, outcomes as in the current rows.
    pub shared_to_current: Contribution,
    /// How much the sides have in common: 1 where the columns are distributed alike, 0 where no row
    /// could be of the other side.
    pub shared_share: f64,
    /// How far the reweighting can be relied on.
    pub support: Support,
    /// Rows of the reference.
    pub n_reference: u64,
    /// Rows of the current side.
    pub n_current: u64,
}

/// Decomposes the change in mean loss from `reference` to `current`.
///
/// # Errors
/// Tables, losses or options that do not fit; fewer than 100 rows of a side; sides that share
/// hardly any rows.
pub fn decompose(
    reference: Lost<'_>,
    current: Lost<'_>,
    options: &AttributionOptions,
    rng: &mut impl RngCore,
) -> Result<SharedSpaceDecomposition, AttributionError> {
    let losses = checked_losses(reference, current, options)?;
    let rows = Rows { reference: reference.features.rows(), all: losses.len() };
    let columns: Vec<usize> = (0..reference.features.columns().len()).collect();
    let fit = CrossFit::new(reference.features, current.features, options, rng)?;
    let share = fit.share_current(&columns)?;
    let shared_share = rows.mean(Side::Reference, |row| share[row]).value
        + rows.mean(Side::Current, |row| 1.0 - share[row]).value;
    let mut support = Support::of_plain_rows(rows);
    support.include(rows, Side::Reference, |row| share[row], false, options)?;
    support.include(rows, Side::Current, |row| 1.0 - share[row], false, options)?;
    // Weights that are all equally small say nothing, however many rows they are worth.
    if shared_share < SHARED_SHARE_MIN {
        return Err(AttributionError::TooLittleOverlap { side: Side::Reference, mean_weight: shared_share });
    }
    let before = fit.expected(Side::Reference, &losses, &columns)?;
    let after = fit.expected(Side::Current, &losses, &columns)?;
    let overlap = |row: usize| share[row] * (1.0 - share[row]);
    let of_reference = rows.mean(Side::Reference, |row| losses[row]);
    let of_current = rows.mean(Side::Current, |row| losses[row]);
    let shared_before = rows.mean_of_both(overlap, |row| before[row])
        + rows.weighted_mean(Side::Reference, |row| share[row], |row| losses[row] - before[row]);
    let shared_after = rows.mean_of_both(overlap, |row| after[row])
        + rows.weighted_mean(Side::Current, |row| 1.0 - share[row], |row| losses[row] - after[row]);
    let part = |to: &Estimated, from: &Estimated| {
        (to.clone() - from.clone()).contribution(rows.reference, 0.0, options.level)
    };
    Ok(SharedSpaceDecomposition {
        change: part(&of_current, &of_reference),
        reference_to_shared: part(&shared_before, &of_reference),
        outcome: part(&shared_after, &shared_before),
        shared_to_current: part(&of_current, &shared_after),
        shared_share: shared_share.clamp(0.0, 1.0),
        support,
        n_reference: rows.reference as u64,
        n_current: (rows.all - rows.reference) as u64,
    })
}
