//! What decides how much a column changed: a distance of Forewarn's, or another tool's method.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use stats::peers::Peer;

use crate::column::ColumnKind;

/// What decides how much a column changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DriftMethod {
    /// Chosen by the column's type and by how many different values it has.
    #[default]
    Auto,
    /// One distance, for the columns that it is for.
    Distance(Distance),
    /// What another tool would say, with its own thresholds.
    Peer(Peer),
}

/// A distance that says how much a column changed, whatever the number of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Distance {
    Psi,
    JensenShannon,
    Hellinger,
    TotalVariation,
    LInfinity,
    KolmogorovSmirnov,
    CramerVonMises,
    Wasserstein,
    EnergyDistance,
    CramersV,
}

impl Distance {
    pub const ALL: [Self; 10] = [
        Self::Psi,
        Self::JensenShannon,
        Self::Hellinger,
        Self::TotalVariation,
        Self::LInfinity,
        Self::KolmogorovSmirnov,
        Self::CramerVonMises,
        Self::Wasserstein,
        Self::EnergyDistance,
        Self::CramersV,
    ];

    /// The name in definitions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Psi => "psi",
            Self::JensenShannon => "jensen_shannon",
            Self::Hellinger => "hellinger",
            Self::TotalVariation => "total_variation",
            Self::LInfinity => "l_infinity",
            Self::KolmogorovSmirnov => "kolmogorov_smirnov",
            Self::CramerVonMises => "cramer_von_mises",
            Self::Wasserstein => "wasserstein",
            Self::EnergyDistance => "energy_distance",
            Self::CramersV => "cramers_v",
        }
    }

    /// The measure that is held against the limits: statistics that grow with the number of rows, or that
    /// depend on the column's unit, are scaled first.
    pub fn measure(self) -> &'static str {
        match self {
            Self::CramerVonMises => "root_mean_squared_gap",
            Self::EnergyDistance => "scaled_energy_distance",
            other => other.name(),
        }
    }

    /// Whether it can be computed for columns of a kind.
    pub fn is_for(self, kind: ColumnKind) -> bool {
        match self {
            Self::KolmogorovSmirnov | Self::CramerVonMises | Self::Wasserstein | Self::EnergyDistance => {
                kind == ColumnKind::Numeric
            }
            Self::CramersV => kind == ColumnKind::Categorical,
            _ => true,
        }
    }

    /// From where on a change is worth a look, and an alarm. For PSI the customary 0.1 and 0.25; for the
    /// others what they are for a normal column that shifts by as much as gives PSI those values, which
    /// is 0.32 and 0.5 standard deviations; for Cramér's V what Cohen (1988) calls small, and the half of
    /// medium and large.
    pub fn limits(self) -> (f64, f64) {
        match self {
            Self::Psi => (0.1, 0.25),
            Self::JensenShannon => (0.13, 0.21),
            Self::Hellinger => (0.11, 0.18),
            Self::TotalVariation | Self::KolmogorovSmirnov => (0.12, 0.2),
            Self::LInfinity => (0.07, 0.12),
            Self::CramerVonMises => (0.1, 0.15),
            Self::Wasserstein => (0.32, 0.5),
            Self::EnergyDistance => (0.24, 0.37),
            Self::CramersV => (0.1, 0.2),
        }
    }
}

impl DriftMethod {
    /// The distance that decides unless a column is of another kind, or another tool decides.
    pub fn distance(self) -> Distance {
        match self {
            Self::Distance(distance) => distance,
            Self::Auto | Self::Peer(_) => Distance::Psi,
        }
    }

    pub fn peer(self) -> Option<Peer> {
        match self {
            Self::Peer(peer) => Some(peer),
            Self::Auto | Self::Distance(_) => None,
        }
    }

    /// Every name that is read.
    fn names() -> impl Iterator<Item = String> {
        std::iter::once("auto".to_owned())
            .chain(Distance::ALL.map(|distance| distance.name().to_owned()))
            .chain(Peer::all().map(Peer::name))
    }
}

/// Tests, which say how sure a change is and not how large.
const TESTS: [(&str, &str); 2] = [("chi_square", "cramers_v"), ("g_test", "cramers_v")];

impl TryFrom<String> for DriftMethod {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        if name == "auto" {
            return Ok(Self::Auto);
        }
        if let Some(distance) = Distance::ALL.into_iter().find(|distance| distance.name() == name) {
            return Ok(Self::Distance(distance));
        }
        if let Some((_, size)) = TESTS.iter().find(|(test, _)| *test == name) {
            return Err(format!(
                "`{name}` is a test: it says how sure a change is and not how large; write \"{size}\", or \"auto\", which tests anyway"
            ));
        }
        Peer::parse(&name).map(Self::Peer).map_err(|_| {
            let names: Vec<String> = Self::names().map(|name| format!("`{name}`")).collect();
            format!("unknown method `{name}`, expected one of {}", names.join(", "))
        })
    }
}

impl From<DriftMethod> for String {
    fn from(method: DriftMethod) -> Self {
        match method {
            DriftMethod::Auto => "auto".into(),
            DriftMethod::Distance(distance) => distance.name().into(),
            DriftMethod::Peer(peer) => peer.name(),
        }
    }
}

impl JsonSchema for DriftMethod {
    fn schema_name() -> Cow<'static, str> {
        "DriftMethod".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Self::names().collect::<Vec<String>>() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for name in DriftMethod::names() {
            assert_eq!(DriftMethod::try_from(name.clone()).map(String::from), Ok(name));
        }
    }

    #[test]
    fn limits_are_those_of_one_shift_of_a_normal_column() {
        // Distances between N(0, 1) and N(δ, 1) where PSI is δ² = 0.1 and 0.25.
        let cdf = |x: f64| 1.0 - stats::special::normal_sf(x);
        for (at, delta) in [0.1_f64.sqrt(), 0.5].into_iter().enumerate() {
            let limit = |distance: Distance| [distance.limits().0, distance.limits().1][at];
            let near = |distance: Distance, value: f64| {
                assert!((limit(distance) - value).abs() < 0.015, "{distance:?}: {value}");
            };
            near(Distance::KolmogorovSmirnov, 2.0 * cdf(delta / 2.0) - 1.0);
            near(Distance::TotalVariation, 2.0 * cdf(delta / 2.0) - 1.0);
            near(Distance::Hellinger, (1.0 - (-delta * delta / 8.0).exp()).sqrt());
            near(Distance::Wasserstein, delta);
            let step = 1e-3;
            let grid = (-8000..8000).map(|at| f64::from(at) * step);
            let density = |x: f64| (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt();
            let gap = |x: f64| cdf(x) - cdf(x - delta);
            near(
                Distance::EnergyDistance,
                grid.clone().map(|x| 2.0 * gap(x).powi(2) * step).sum::<f64>().sqrt(),
            );
            near(
                Distance::CramerVonMises,
                grid.clone().map(|x| gap(x).powi(2) * density(x) * step).sum::<f64>().sqrt(),
            );
            let divergence =
                |p: f64, q: f64| if p > 0.0 { p * (p / f64::midpoint(p, q)).log2() } else { 0.0 };
            let js = grid.map(|x| {
                let (p, q) = (density(x), density(x - delta));
                f64::midpoint(divergence(p, q), divergence(q, p)) * step
            });
            near(Distance::JensenShannon, js.sum::<f64>().sqrt());
        }
    }
}
