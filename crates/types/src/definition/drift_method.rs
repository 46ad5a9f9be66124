//! What decides how much a column changed: a distance of Forewarn's, or another tool's method.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use stats::peers::Peer;

use super::parse::WAY_OUT;
use crate::column::ColumnKind;
use crate::nearest::nearest;

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
const TESTS: [(&str, &str); 5] = [
    ("chi_square", "cramers_v"),
    ("chi2", "cramers_v"),
    ("chisquare", "cramers_v"),
    ("chi_squared", "cramers_v"),
    ("g_test", "cramers_v"),
];

/// What methods are called elsewhere, where spelling alone does not lead to their name here.
const ALSO_CALLED: [(&str, &str); 9] = [
    ("ks", "kolmogorov_smirnov"),
    ("js", "jensen_shannon"),
    ("jsd", "jensen_shannon"),
    ("emd", "wasserstein"),
    ("earth_mover", "wasserstein"),
    ("tv", "total_variation"),
    ("tvd", "total_variation"),
    ("kl", "jensen_shannon"),
    ("kl_divergence", "jensen_shannon"),
];

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
        Peer::parse(&name)
            .map(Self::Peer)
            .map_err(|_| format!("unknown method `{name}`{WAY_OUT}{}", way_out(&name)))
    }
}

/// The nearest method to a name that is none, and which there are.
fn way_out(name: &str) -> String {
    let lower = name.to_lowercase();
    let is_of_peer = |peer: &String| {
        let tool = peer.split(['-', ':']).next().unwrap_or(peer);
        lower.starts_with(tool)
    };
    let own: Vec<String> = DriftMethod::names().filter(|name| !name.contains(':')).collect();
    let of_peer: Vec<String> = Peer::all().map(Peer::name).filter(is_of_peer).collect();
    let (valid, others) = if of_peer.is_empty() {
        let others =
            ", and those of other tools, such as `evidently-0.7:psi` and `nannyml-0.13:jensen_shannon`";
        (own, others)
    } else {
        (of_peer, "")
    };
    let also = ALSO_CALLED.iter().find(|(known, _)| *known == lower).map(|(_, name)| *name);
    // A tool without a method is near all of its methods alike.
    let is_one = also.is_some() || !others.is_empty() || lower.contains(':');
    let near = also.or_else(|| nearest(&lower, valid.iter().map(String::as_str))).filter(|_| is_one);
    let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    format!("{near}methods are {}{others}", valid.join(", "))
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
    fn a_name_that_is_none_gets_the_nearest_one_and_all_that_there_are() {
        let help = |name: &str| {
            let error = DriftMethod::try_from(name.to_owned()).unwrap_err();
            error.split_once(WAY_OUT).map_or(error.clone(), |(_, help)| help.to_owned())
        };
        for (name, near) in [
            ("kolmogorov", "kolmogorov_smirnov"),
            ("KS", "kolmogorov_smirnov"),
            ("wassertein", "wasserstein"),
            ("Jensen-Shannon", "jensen_shannon"),
            ("evidently-0.6:psi", "evidently-0.7:psi"),
            ("nannyml:hellinger", "nannyml-0.13:hellinger"),
        ] {
            assert!(
                help(name).starts_with(&format!("did you mean `{near}`? methods are ")),
                "{}",
                help(name)
            );
        }
        assert!(help("mmd").starts_with("methods are auto, psi, jensen_shannon"), "{}", help("mmd"));
        assert!(help("nannyml").starts_with("methods are nannyml-0.13:"), "{}", help("nannyml"));
        assert!(help("chi2").contains("write \"cramers_v\""), "{}", help("chi2"));
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
