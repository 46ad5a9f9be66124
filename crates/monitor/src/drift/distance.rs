//! How much a column changed, by the distance that was chosen for it.

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
use types::definition::{Distance, Drift, DriftMethod};
use types::finding::MethodChoice;
use types::{Measure, format};

use super::numeric::FEW_VALUES;
use super::{categorical, numeric};
use crate::Summarised;

/// The values of a column in two windows that are of one kind.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sides<'a> {
    Numbers(&'a Ecdf, &'a Ecdf),
    Categories(&'a FrequentValues, &'a FrequentValues),
}

impl<'a> Sides<'a> {
    /// `None` where they are of different kinds, or are texts or embeddings.
    pub(super) fn of(reference: &'a Summarised<'_>, current: &'a Summarised<'_>) -> Option<Self> {
        match (&*reference.profile, &*current.profile) {
            (Profile::Numeric(_), Profile::Numeric(_)) => {
                Some(Self::Numbers(&reference.ecdfs[0], &current.ecdfs[0]))
            }
            (Profile::Categorical(before), Profile::Categorical(now)) => {
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
                let bins = numeric::bins(before)?;
                Some((bins.counts(before), bins.counts(now)))
            }
            Self::Categories(before, now) => Some(categorical::counts(before, now)),
        }
    }
}

/// The distance that decides for a column, its size, and why that one.
pub(super) fn chosen(drift: &Drift, sides: Sides<'_>) -> Option<(Distance, Size, MethodChoice)> {
    let choice = |distance: Distance, reason: String| {
        let size = size(distance, sides)?;
        Some((distance, size, MethodChoice { name: distance.name().into(), reason }))
    };
    let DriftMethod::Distance(distance) = drift.method else {
        return choice(Distance::Psi, automatic(sides));
    };
    if !distance.is_for(sides.kind()) {
        let reason = format!("`{}` is not for such a column; {}", distance.name(), automatic(sides));
        return choice(Distance::Psi, reason);
    }
    choice(distance, "monitor.drift.method says so".into()).or_else(|| {
        let reason =
            format!("`{}` has no value here, as where all of the reference is equal", distance.name());
        choice(Distance::Psi, reason)
    })
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
            "a category with {}: each is its own bin, what chance gives so many is taken off, and chi-square tests",
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
pub(super) fn size(distance: Distance, sides: Sides<'_>) -> Option<Size> {
    match (distance, sides) {
        (Distance::Psi, _) => binned(BinnedDistance::Psi, distance, sides),
        (Distance::JensenShannon, _) => binned(BinnedDistance::JensenShannon, distance, sides),
        (Distance::Hellinger, _) => binned(BinnedDistance::Hellinger, distance, sides),
        (Distance::TotalVariation, _) => binned(BinnedDistance::TotalVariation, distance, sides),
        (Distance::LInfinity, _) => {
            let (before, now) = sides.counts()?;
            let largest = l_infinity(&before, &now).ok()?.distance;
            let chance = l_infinity_expected_no_drift(&before, &now);
            Some(sized(distance, largest, chance, now.iter().sum(), "largest change of a share"))
        }
        (Distance::CramersV, _) => {
            let (before, now) = sides.counts()?;
            let test = chi_square(&before, &now, Pooling::default()).ok()?;
            Some(sized(distance, test.cramers_v_corrected, 0.0, test.n_current, "with Bergsma's correction"))
        }
        (_, Sides::Numbers(before, now)) => of_numbers(distance, before, now),
        (_, Sides::Categories(..)) => None,
    }
}

fn of_numbers(distance: Distance, before: &Ecdf, now: &Ecdf) -> Option<Size> {
    match distance {
        Distance::KolmogorovSmirnov => {
            let test = kolmogorov_smirnov(before, now).ok()?;
            let chance = gap_expected_no_drift(before.n(), now.n());
            Some(sized(distance, test.statistic, chance, now.n(), "largest gap"))
        }
        Distance::CramerVonMises => {
            let test = cramer_von_mises(before, now).ok()?;
            let chance = mean_squared_gap_expected_no_drift(before.n(), now.n());
            let method = "root of the mean squared gap between the distribution functions";
            Some(squared(distance, test.gap_root_mean_square, chance.sqrt(), now.n(), method))
        }
        Distance::Wasserstein => {
            let (before, now) = (before.finite(), now.finite());
            let found = normalised_wasserstein(&before, &now).ok()?;
            let scale = found.standard_deviation_reference;
            let chance = wasserstein_expected_no_drift(&before, now.n()) / scale;
            let method = "1-Wasserstein distance in standard deviations of the reference";
            Some(sized(distance, found.value, chance, now.n(), method))
        }
        Distance::EnergyDistance => {
            let (before, now) = (before.finite(), now.finite());
            let found = energy_distance(&before, &now).ok()?;
            let scale = normalised_wasserstein(&before, &now).ok()?.standard_deviation_reference.sqrt();
            let chance = energy_distance_expected_no_drift(&before, now.n()) / scale;
            let method = "energy distance by the root of the reference's standard deviation";
            Some(squared(distance, found.distance / scale, chance, now.n(), method))
        }
        _ => None,
    }
}

fn binned(over_bins: BinnedDistance, distance: Distance, sides: Sides<'_>) -> Option<Size> {
    let (before, now) = sides.counts()?;
    let found = distance_with_noise(over_bins, &before, &now, Level::P95).ok()?;
    let measure = Measure {
        interval: Some(found.interval),
        expected_by_chance: Some(found.expected_no_drift),
        ..Measure::new(distance.measure(), found.value, found.n_current, "over bins")
    };
    Some(Size { measure, excess: found.excess })
}

/// A distance to which chance adds.
fn sized(distance: Distance, value: f64, chance: f64, n: u64, method: &str) -> Size {
    let measure =
        Measure { expected_by_chance: Some(chance), ..Measure::new(distance.measure(), value, n, method) };
    Size { measure, excess: (value - chance).max(0.0) }
}

/// A distance to whose square chance adds.
fn squared(distance: Distance, value: f64, chance: f64, n: u64, method: &str) -> Size {
    let excess = (value * value - chance * chance).max(0.0).sqrt();
    Size { excess, ..sized(distance, value, chance, n, method) }
}
