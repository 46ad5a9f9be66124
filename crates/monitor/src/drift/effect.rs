//! How much a column changed, by the distance that was chosen for it.

use stats::bins::QuantileBins;
use stats::chi_square::{Pooling, chi_square};
use stats::cramer_von_mises::{cramer_von_mises, mean_squared_gap_expected_no_drift};
use stats::ecdf::Ecdf;
use stats::energy_distance::{energy_distance, energy_distance_expected_no_drift};
use stats::interval::Level;
use stats::kolmogorov_smirnov::{gap_expected_no_drift, kolmogorov_smirnov};
use stats::l_infinity::{l_infinity, l_infinity_expected_no_drift};
use stats::sampling_noise::{BinnedDistance, distance_with_noise};
use stats::sketch::{FrequentValues, Profile};
use stats::wasserstein::{normalised_wasserstein, wasserstein_expected_no_drift};
use types::column::ColumnKind;
use types::definition::{Drift, DriftMethod, Effect};
use types::finding::MethodChoice;
use types::{Measure, format};

use super::numeric::FEW_VALUES;
use super::{BINS, categorical};
use crate::Summarised;

/// The values of a column in two windows that are of one kind.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sides<'a> {
    Numbers(&'a Ecdf, &'a Ecdf),
    Categories(&'a FrequentValues, &'a FrequentValues),
}

impl<'a> Sides<'a> {
    pub(super) fn of(reference: &'a Summarised<'_>, current: &'a Summarised<'_>) -> Option<Self> {
        match (&*reference.profile, &reference.ecdf, &current.ecdf, &*current.profile) {
            (_, Some(before), Some(now), _) => Some(Self::Numbers(before, now)),
            (Profile::Categorical(before), _, _, Profile::Categorical(now)) => {
                Some(Self::Categories(&before.values, &now.values))
            }
            _ => None,
        }
    }

    fn kind(self) -> ColumnKind {
        match self {
            Self::Numbers(..) => ColumnKind::Numeric,
            Self::Categories(..) => ColumnKind::Categorical,
        }
    }

    /// Counts over the bins that all binned distances are computed over.
    pub(super) fn counts(self) -> Option<(Vec<u64>, Vec<u64>)> {
        match self {
            Self::Numbers(before, now) => {
                let bins = QuantileBins::from_reference(before, BINS).ok()?;
                Some((bins.counts(before), bins.counts(now)))
            }
            Self::Categories(before, now) => Some(categorical::pooled_counts(before, now)),
        }
    }
}

/// The distance that decides for a column, and why.
pub(super) fn chosen(drift: &Drift, sides: Sides<'_>) -> (Effect, MethodChoice) {
    let why = |reason: String, effect: Effect| (effect, MethodChoice { name: effect.name().into(), reason });
    match drift.method {
        DriftMethod::Effect(effect) if effect.is_for(sides.kind()) => {
            why("monitor.drift.method says so".into(), effect)
        }
        DriftMethod::Effect(effect) => {
            why(format!("`{}` is not for such a column; {}", effect.name(), automatic(sides)), Effect::Psi)
        }
        DriftMethod::Auto | DriftMethod::Peer(_) => why(automatic(sides), Effect::Psi),
    }
}

/// Why the population stability index, over which bins and with which test.
fn automatic(sides: Sides<'_>) -> String {
    match sides {
        Sides::Numbers(before, now) => {
            let different = before.distinct().max(now.distinct());
            if different <= FEW_VALUES {
                format!(
                    "a number with {}: each is its own bin, and chi-square tests, because ties make other tests blunt",
                    format::counted(different as u64, "value", "values")
                )
            } else {
                format!(
                    "a number with {} different values: bins at quantiles of the reference, which outliers cannot stretch, and Kolmogorov–Smirnov tests",
                    format::count(different as u64)
                )
            }
        }
        Sides::Categories(before, _) => format!(
            "a category with {}: those that are expected less than five times are pooled, and chi-square tests",
            format::counted(before.distinct() as u64, "value", "values")
        ),
    }
}

/// A distance as it is, and what is left of it above chance, not below 0.
#[derive(Clone, Debug)]
pub(super) struct Size {
    pub(super) measure: Measure,
    pub(super) excess: f64,
}

/// The size of a change; `None` where a side is empty or has no scale.
pub(super) fn size(effect: Effect, sides: Sides<'_>) -> Option<Size> {
    match (effect, sides) {
        (Effect::Psi, _) => binned(BinnedDistance::Psi, effect, sides),
        (Effect::JensenShannon, _) => binned(BinnedDistance::JensenShannon, effect, sides),
        (Effect::Hellinger, _) => binned(BinnedDistance::Hellinger, effect, sides),
        (Effect::TotalVariation, _) => binned(BinnedDistance::TotalVariation, effect, sides),
        (Effect::LInfinity, _) => {
            let (before, now) = sides.counts()?;
            let largest = l_infinity(&before, &now).ok()?.distance;
            let chance = l_infinity_expected_no_drift(&before, &now);
            Some(sized(effect, largest, chance, now.iter().sum(), "largest change of a share"))
        }
        (Effect::CramersV, _) => {
            let (before, now) = sides.counts()?;
            let test = chi_square(&before, &now, Pooling::default()).ok()?;
            Some(sized(effect, test.cramers_v_corrected, 0.0, test.n_current, "with Bergsma's correction"))
        }
        (_, Sides::Numbers(before, now)) => of_numbers(effect, before, now),
        (_, Sides::Categories(..)) => None,
    }
}

fn of_numbers(effect: Effect, before: &Ecdf, now: &Ecdf) -> Option<Size> {
    match effect {
        Effect::KolmogorovSmirnov => {
            let test = kolmogorov_smirnov(before, now).ok()?;
            let chance = gap_expected_no_drift(before.n(), now.n());
            Some(sized(effect, test.statistic, chance, now.n(), "largest gap"))
        }
        Effect::CramerVonMises => {
            let test = cramer_von_mises(before, now).ok()?;
            let chance = mean_squared_gap_expected_no_drift(before.n(), now.n());
            let method = "root of the mean squared gap between the distribution functions";
            Some(squared(effect, test.gap_root_mean_square, chance.sqrt(), now.n(), method))
        }
        Effect::Wasserstein => {
            let (before, now) = (before.finite(), now.finite());
            let distance = normalised_wasserstein(&before, &now).ok()?;
            let scale = distance.standard_deviation_reference;
            let chance = wasserstein_expected_no_drift(&before, now.n()) / scale;
            let method = "1-Wasserstein distance in standard deviations of the reference";
            Some(sized(effect, distance.value, chance, now.n(), method))
        }
        Effect::EnergyDistance => {
            let (before, now) = (before.finite(), now.finite());
            let distance = energy_distance(&before, &now).ok()?;
            let scale = normalised_wasserstein(&before, &now).ok()?.standard_deviation_reference.sqrt();
            let chance = energy_distance_expected_no_drift(&before, now.n()) / scale;
            let method = "energy distance by the root of the reference's standard deviation";
            Some(squared(effect, distance.distance / scale, chance, now.n(), method))
        }
        _ => None,
    }
}

fn binned(distance: BinnedDistance, effect: Effect, sides: Sides<'_>) -> Option<Size> {
    let (before, now) = sides.counts()?;
    let found = distance_with_noise(distance, &before, &now, Level::P95).ok()?;
    let measure = Measure {
        interval: Some(found.interval),
        expected_by_chance: Some(found.expected_no_drift),
        ..Measure::new(effect.measure(), found.value, found.n_current, "over bins")
    };
    Some(Size { measure, excess: found.excess })
}

/// A distance to which chance adds.
fn sized(effect: Effect, value: f64, chance: f64, n: u64, method: &str) -> Size {
    let measure =
        Measure { expected_by_chance: Some(chance), ..Measure::new(effect.measure(), value, n, method) };
    Size { measure, excess: (value - chance).max(0.0) }
}

/// A distance to whose square chance adds.
fn squared(effect: Effect, value: f64, chance: f64, n: u64, method: &str) -> Size {
    let excess = (value * value - chance * chance).max(0.0).sqrt();
    Size { excess, ..sized(effect, value, chance, n, method) }
}
