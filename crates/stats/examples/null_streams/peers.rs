//! What Evidently 0.7.23 and NannyML 0.13.1 say about one column by default, for a reference of more
//! than 1,000 rows.
//!
//! Evidently, `DataDriftPreset`: a number has drifted at a Wasserstein distance of 0.1 standard
//! deviations of the reference or more, a category at a Jensen–Shannon distance in nats of 0.1 or
//! more. NannyML, `UnivariateDriftCalculator`: Jensen–Shannon distance in bits, over Doane's bins
//! of the reference and one for what lies outside; an alert outside of mean ± 3 standard deviations
//! of the reference's own chunks of the same size.

use stats::ecdf::Ecdf;
use stats::jensen_shannon::jensen_shannon_distance;
use stats::wasserstein::normalised_wasserstein;

use crate::columns::category_counts;

/// Both peers, fitted on a reference.
pub(crate) struct Peers {
    reference: Reference,
    /// NannyML's limits, below and above.
    limits: (f64, f64),
}

enum Reference {
    Number { ecdf: Ecdf, bins: EqualBins, counts: Vec<u64> },
    Category { counts: Vec<u64> },
}

/// Bins of equal width from the least to the largest value of the reference.
struct EqualBins {
    least: f64,
    largest: f64,
    bins: usize,
}

/// What the two say about a window.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) evidently: f64,
    pub(crate) nannyml: f64,
    pub(crate) evidently_alarms: bool,
    pub(crate) nannyml_alarms: bool,
}

impl Peers {
    /// `values`: the reference in order of time, cut into chunks of `chunk` rows.
    pub(crate) fn fit(values: &[f64], categories: Option<usize>, chunk: usize) -> Peers {
        let reference = if let Some(categories) = categories {
            Reference::Category { counts: category_counts(values, categories) }
        } else {
            let bins = EqualBins::doane(values);
            let counts = bins.counts(values);
            Reference::Number { ecdf: Ecdf::from_values(&mut values.to_vec()).unwrap(), bins, counts }
        };
        let mut peers = Peers { reference, limits: (0.0, 0.0) };
        let distances: Vec<f64> = values.chunks(chunk).map(|chunk| peers.nannyml(chunk)).collect();
        let n = distances.len() as f64;
        let mean = distances.iter().sum::<f64>() / n;
        let deviation = (distances.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / n).sqrt();
        peers.limits = ((mean - 3.0 * deviation).max(0.0), mean + 3.0 * deviation);
        peers
    }

    /// The distances of a window and whether they are an alarm.
    pub(crate) fn say(&self, window: &[f64]) -> Said {
        let evidently = match &self.reference {
            Reference::Number { ecdf, .. } => {
                let current = Ecdf::from_values(&mut window.to_vec()).unwrap();
                normalised_wasserstein(ecdf, &current).unwrap().value
            }
            Reference::Category { counts } => {
                let current = category_counts(window, counts.len());
                // The squared distance is proportional to the logarithm's unit.
                jensen_shannon_distance(counts, &current).unwrap() * std::f64::consts::LN_2.sqrt()
            }
        };
        let nannyml = self.nannyml(window);
        let nannyml_alarms = nannyml < self.limits.0 || nannyml > self.limits.1;
        Said { evidently, nannyml, evidently_alarms: evidently >= 0.1, nannyml_alarms }
    }

    fn nannyml(&self, window: &[f64]) -> f64 {
        match &self.reference {
            Reference::Number { bins, counts, .. } => {
                jensen_shannon_distance(counts, &bins.counts(window)).unwrap()
            }
            Reference::Category { counts } => {
                jensen_shannon_distance(counts, &category_counts(window, counts.len())).unwrap()
            }
        }
    }
}

impl EqualBins {
    /// NumPy's `doane`: Sturges' number of bins, widened for skewness.
    fn doane(values: &[f64]) -> EqualBins {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let deviation = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
        let skewness = values.iter().map(|x| ((x - mean) / deviation).powi(3)).sum::<f64>() / n;
        let of_chance = (6.0 * (n - 2.0) / ((n + 1.0) * (n + 3.0))).sqrt();
        let bins = (1.0 + n.log2() + (1.0 + skewness.abs() / of_chance).log2()).ceil();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        EqualBins { least, largest, bins: bins as usize }
    }

    /// Rows per bin, the last one for values outside.
    fn counts(&self, values: &[f64]) -> Vec<u64> {
        let mut counts = vec![0; self.bins + 1];
        let scale = self.bins as f64 / (self.largest - self.least);
        for &value in values {
            let inside = (self.least..=self.largest).contains(&value);
            let bin = (((value - self.least) * scale) as usize).min(self.bins - 1);
            counts[if inside { bin } else { self.bins }] += 1;
        }
        counts
    }
}

/// Holds the rules against the wheels' own results, printed by `bench/null_streams_peers.py` on the
/// same made-up columns.
pub(crate) fn check_against_the_wheels() {
    let mixed = |i: u32| f64::from(i * 7_919 % 10_007) / 10_007.0;
    let number = |i: u32| mixed(i) + mixed(i).powi(3);
    let category = |i: u32| (mixed(i).powi(2) * 12.0).floor();
    let close = |ours: f64, theirs: f64| assert!((ours - theirs).abs() < 1e-9, "{ours} is not {theirs}");
    for (column, categories, evidently, nannyml, upper) in [
        (&number as &dyn Fn(u32) -> f64, None, WHEELS[0], WHEELS[1], WHEELS[2]),
        (&category, Some(12), WHEELS[3], WHEELS[4], WHEELS[5]),
    ] {
        let reference: Vec<f64> = (0..5_300).map(column).collect();
        let window: Vec<f64> =
            (6_000..6_900).map(|i| if i % 3 == 0 { column(i / 2) } else { column(i) }).collect();
        let peers = Peers::fit(&reference, categories, 1_000);
        let said = peers.say(&window);
        close(said.evidently, evidently);
        close(said.nannyml, nannyml);
        close(peers.limits.1, upper);
    }
}

/// For the number and the category: Evidently's distance, NannyML's distance and upper limit.
const WHEELS: [f64; 6] = [
    0.004_766_310_298_670_442,
    0.014_930_151_626_203_075,
    0.025_774_965_788_293_01,
    0.009_621_749_227_124_686,
    0.011_556_898_608_422_928,
    0.012_873_552_464_048_827,
];
