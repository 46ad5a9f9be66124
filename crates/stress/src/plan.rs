//! Which experiments to make: every fault on each feature alone, each upstream source lost, features lost together,
//! columns in each other's place, and what the definition asks for by name.
//!
//! Features that fail together are tried by a covering array of strength 2: in some run any two of them are both
//! missing, both there, and either one alone. It takes some ten runs for a hundred features, where all pairs are
//! thousands. For two values the smallest such array is known: the columns are subsets of `⌈n/2⌉` of all runs but the
//! first, so that `n` runs serve `C(n − 1, ⌈n/2⌉)` features.
//!
//! References: G. Katona, "Two applications (for search theory and truth functions) of Sperner type theorems",
//! Periodica Mathematica Hungarica 3, 1973; D. J. Kleitman, J. Spencer, "Families of k-independent sets", Discrete
//! Mathematics 6, 1973.

mod alike;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use types::batch::ValueKind;
use types::definition::{self, Hypothesis, Source};

use crate::fault::Fault;
use crate::fault::duplicated_rows::DuplicatedRows;
use crate::fault::frozen::Frozen;
use crate::fault::missing::{Mechanism, Missing};
use crate::fault::out_of_order::OutOfOrder;
use crate::fault::swapped_columns::SwappedColumns;
use crate::fault::wrong_join::WrongJoin;

pub use self::alike::{going_along, mistaken_pairs};

/// An input of the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feature {
    pub name: String,
    pub kind: ValueKind,
}

/// What is tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Faults by id; empty for all of the catalogue.
    pub faults: Vec<String>,
    /// Shares of the rows that are hit.
    pub rates: Vec<f64>,
    /// Each feature alone.
    pub each: bool,
    /// Each upstream source: lost, frozen, joined wrongly.
    pub sources: bool,
    /// Features missing together.
    pub pairs: bool,
    /// Which rows miss a value, at rates below 1.
    pub mechanisms: Vec<definition::Mechanism>,
    /// Columns that missing values may depend on; of each feature, the first that is another one.
    pub by: Vec<String>,
    /// Columns that may be mistaken for each other.
    pub swaps: Vec<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            faults: Vec::new(),
            rates: vec![1.0],
            each: true,
            sources: true,
            pairs: true,
            mechanisms: vec![definition::Mechanism::Random],
            by: Vec::new(),
            swaps: Vec::new(),
        }
    }
}

/// One fault to be tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    pub subject: Subject,
    pub fault: Fault,
    /// What it tests, where the definition names it.
    #[serde(default)]
    pub hypothesis: Option<Box<Hypothesis>>,
}

impl Experiment {
    fn of(subject: Subject, fault: impl Into<Fault>) -> Self {
        Self { subject, fault: fault.into(), hypothesis: None }
    }

    /// What it is apart from the share of rows: two with the same are one fault at two rates.
    fn apart_from_rate(&self) -> (Subject, Option<Value>) {
        let mut fault = serde_json::to_value(&self.fault).ok();
        if let Some(Value::Object(parameters)) = &mut fault {
            for of_rate in ["rate", "since"] {
                parameters.remove(of_rate);
            }
        }
        (self.subject.clone(), fault)
    }
}

/// What an experiment is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    Feature(String),
    Source(String),
    /// Several features at once; a run of the covering array, from 1.
    Together(usize),
    /// Two columns in each other's place.
    Pair(String, String),
    Rows,
    /// The model itself.
    Model,
}

/// How late a row may be that arrives out of order.
const ROWS_BEHIND_MAX: usize = 50;

/// All experiments, in the order of a report: features, sources, features together, rows.
///
/// Features of a source that the model does not have are left out, and so are sources without any.
pub fn experiments(features: &[Feature], sources: &[Source], options: &Options) -> Vec<Experiment> {
    let mut planned = Vec::new();
    if options.each {
        for feature in features {
            let subject = Subject::Feature(feature.name.clone());
            for &rate in &options.rates {
                let missing = missing(std::slice::from_ref(&feature.name), rate, options);
                let others = Fault::usual(&feature.name, feature.kind, rate);
                planned.extend(
                    missing.into_iter().chain(others).map(|fault| Experiment::of(subject.clone(), fault)),
                );
            }
        }
    }
    if options.sources {
        planned.extend(sources.iter().flat_map(|source| of_source(source, features, options)));
    }
    if options.pairs {
        let names: Vec<&str> = features.iter().map(|feature| feature.name.as_str()).collect();
        for (run, lost) in missing_together(&names).into_iter().enumerate() {
            let fault = |&rate| Missing::of(lost.iter().copied(), rate);
            let experiment = |fault| Experiment::of(Subject::Together(run + 1), fault);
            planned.extend(options.rates.iter().map(fault).map(experiment));
        }
    }
    for (first, second) in &options.swaps {
        let (first, second) = (first.clone(), second.clone());
        let subject = Subject::Pair(first.clone(), second.clone());
        let fault = |&rate| SwappedColumns { first: first.clone(), second: second.clone(), rate };
        planned.extend(options.rates.iter().map(|rate| Experiment::of(subject.clone(), fault(rate))));
    }
    let of_rows = |fault: Fault| Experiment::of(Subject::Rows, fault);
    planned.extend(options.rates.iter().map(|&rate| of_rows(DuplicatedRows { rate }.into())));
    planned.push(of_rows(OutOfOrder { rows_behind_max: ROWS_BEHIND_MAX }.into()));
    let is_asked = |id: &str| options.faults.is_empty() || options.faults.iter().any(|asked| asked == id);
    planned.retain(|experiment| is_asked(experiment.fault.entry().id));
    // What does not depend on a rate was planned for each.
    let mut different: Vec<Experiment> = Vec::with_capacity(planned.len());
    for experiment in planned {
        if !different.contains(&experiment) {
            different.push(experiment);
        }
    }
    different
}

/// The experiments that a definition names, in its order; faults that have no meaning for a feature are left out.
pub fn named(features: &[Feature], sources: &[Source], hypotheses: &[Hypothesis]) -> Vec<Experiment> {
    let mut planned = Vec::new();
    for hypothesis in hypotheses {
        let options = Options {
            faults: hypothesis.faults.clone(),
            rates: vec![hypothesis.rate],
            pairs: false,
            ..Options::default()
        };
        let is_meant = |subject: &Subject| match subject {
            Subject::Feature(name) => hypothesis.features.contains(name),
            Subject::Source(name) => hypothesis.sources.contains(name),
            _ => false,
        };
        let all = experiments(features, sources, &options);
        let meant = all.into_iter().filter(|experiment| is_meant(&experiment.subject));
        planned.extend(meant.map(|of| Experiment { hypothesis: Some(Box::new(hypothesis.clone())), ..of }));
    }
    planned
}

/// The same experiment with another share of rows, among `planned` ones of that rate; none where it has no rate.
pub fn at_another_rate<'a>(experiment: &Experiment, planned: &'a [Experiment]) -> Option<&'a Experiment> {
    let wanted = experiment.apart_from_rate();
    let found = planned.iter().find(|other| other.apart_from_rate() == wanted)?;
    (found.fault != experiment.fault).then_some(found)
}

/// Columns missing in the same rows, by each mechanism. Where every row is hit there is no choice among them.
fn missing(columns: &[String], rate: f64, options: &Options) -> Vec<Fault> {
    let at_random = Missing::of(columns.iter().cloned(), rate);
    if rate >= 1.0 {
        return vec![at_random.into()];
    }
    let by = options.by.iter().find(|by| !columns.contains(by)).cloned();
    let mechanism = |of: &definition::Mechanism| match of {
        definition::Mechanism::Random => Some(Mechanism::AtRandom),
        definition::Mechanism::ByValue => Some(Mechanism::OwnValue),
        definition::Mechanism::ByColumn => by.clone().map(Mechanism::DependsOn),
    };
    let mechanisms = options.mechanisms.iter().filter_map(mechanism);
    mechanisms.map(|mechanism| Missing { mechanism, ..at_random.clone() }.into()).collect()
}

/// A source that is down, stands still, or is joined wrongly.
fn of_source(source: &Source, features: &[Feature], options: &Options) -> Vec<Experiment> {
    let is_known = |name: &&String| features.iter().any(|feature| feature.name == **name);
    let columns: Vec<String> = source.features.iter().filter(is_known).cloned().collect();
    if columns.is_empty() {
        return Vec::new();
    }
    let faults = options.rates.iter().flat_map(|&rate| {
        let mut faults = missing(&columns, rate, options);
        faults.push(Frozen::of(columns.clone(), rate).into());
        faults.push(WrongJoin { columns: columns.clone(), rate }.into());
        faults
    });
    faults.map(|fault| Experiment::of(Subject::Source(source.name.clone()), fault)).collect()
}

/// Which features are missing in each run of a covering array of strength 2, without the run in which none is.
fn missing_together<'a>(names: &[&'a str]) -> Vec<Vec<&'a str>> {
    let runs = covering_array(names.len());
    let of_run = |run: Vec<bool>| {
        names.iter().zip(run).filter(|(_, is_lost)| *is_lost).map(|(name, _)| *name).collect()
    };
    // Fewer than two features have no pair.
    if names.len() < 2 { Vec::new() } else { runs.into_iter().skip(1).map(of_run).collect() }
}

/// A covering array of strength 2 for `factors` factors of two values: for every two factors each of the four
/// combinations is in some row. The first row is all `false`; no array has fewer rows.
pub fn covering_array(factors: usize) -> Vec<Vec<bool>> {
    if factors == 0 {
        return Vec::new();
    }
    if factors == 1 {
        return vec![vec![false], vec![true]];
    }
    let mut rows = 4;
    while binomial(rows - 1, rows.div_ceil(2)) < factors {
        rows += 1;
    }
    let mut subset: Vec<usize> = (1..=rows.div_ceil(2)).collect();
    let mut subsets = Vec::with_capacity(factors);
    for _ in 0..factors {
        subsets.push(subset.clone());
        next_subset(&mut subset, rows - 1);
    }
    (0..rows).map(|row| subsets.iter().map(|subset| subset.contains(&row)).collect()).collect()
}

/// The next subset of `1..=of` of the same size in lexicographic order.
fn next_subset(subset: &mut [usize], of: usize) {
    let size = subset.len();
    let Some(at) = (0..size).rev().find(|&at| subset[at] <= of - size + at) else {
        return;
    };
    subset[at] += 1;
    for later in at + 1..size {
        subset[later] = subset[later - 1] + 1;
    }
}

/// The number of subsets, or the largest number there is.
fn binomial(of: usize, size: usize) -> usize {
    let step = |so_far: Option<usize>, at: usize| Some(so_far?.checked_mul(of - at)? / (at + 1));
    (0..size).fold(Some(1), step).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn feature(name: &str, kind: ValueKind) -> Feature {
        Feature { name: name.into(), kind }
    }

    #[test]
    fn arrays_are_as_small_as_they_can_be() {
        // The covering array numbers CAN(2, k, 2) as tabulated after Kleitman & Spencer and Katona.
        let known =
            [(2, 4), (3, 4), (4, 5), (5, 6), (10, 6), (11, 7), (15, 7), (16, 8), (35, 8), (36, 9), (56, 9)];
        for (factors, rows) in known {
            assert_eq!(covering_array(factors).len(), rows, "{factors}");
        }
        assert!(covering_array(0).is_empty());
        assert_eq!(covering_array(1), [[false], [true]]);
    }

    #[test]
    fn each_feature_each_source_and_features_together_are_planned() {
        let features = [feature("temp", ValueKind::Number), feature("carrier", ValueKind::Text)];
        let sources = [
            Source { name: "weather".into(), features: vec!["temp".into(), "not a feature".into()] },
            Source { name: "nothing".into(), features: vec!["not a feature".into()] },
        ];
        let only = |ids: &[&str]| Options {
            faults: ids.iter().map(|id| (*id).to_owned()).collect(),
            rates: vec![0.5, 1.0],
            mechanisms: vec![definition::Mechanism::Random, definition::Mechanism::ByValue],
            ..Options::default()
        };
        let planned = experiments(&features, &sources, &only(&["missing"]));
        let subjects: Vec<Subject> = planned.iter().map(|experiment| experiment.subject.clone()).collect();
        let twice = |subject: Subject| [subject.clone(), subject];
        let expected = [Subject::Together(1), Subject::Together(2), Subject::Together(3)];
        // Half of the rows, at random and where values are high, and all of them.
        let of_features = ["temp", "carrier"].map(|name| vec![Subject::Feature(name.into()); 3]).concat();
        assert_eq!(subjects[..6], of_features);
        assert_eq!(subjects[6..9], vec![Subject::Source("weather".into()); 3]);
        assert_eq!(subjects[9..], expected.into_iter().flat_map(twice).collect::<Vec<_>>());
        assert_eq!(planned[6].fault, Missing::of(["temp"], 0.5).into());
        // The lag of a feed is not a share of rows: planned once.
        assert_eq!(experiments(&features, &[], &only(&["late"])).len(), 2);
        assert_eq!(experiments(&features, &[], &only(&["out-of-order", "duplicated-rows"])).len(), 3);
        let nothing = Options { each: false, sources: false, pairs: false, ..Options::default() };
        let planned = experiments(&features, &sources, &nothing);
        assert!(planned.iter().all(|experiment| experiment.subject == Subject::Rows));
    }

    #[test]
    fn values_are_missing_by_each_mechanism_that_is_asked_for() {
        let features = [feature("temp", ValueKind::Number), feature("hour", ValueKind::Integer)];
        let options = Options {
            faults: vec!["missing".into()],
            rates: vec![0.2],
            pairs: false,
            mechanisms: vec![definition::Mechanism::ByColumn],
            by: vec!["hour".into(), "temp".into()],
            ..Options::default()
        };
        let mechanisms: Vec<String> = experiments(&features, &[], &options)
            .iter()
            .map(|planned| {
                serde_json::to_value(&planned.fault).unwrap()["mechanism"]["depends-on"].to_string()
            })
            .collect();
        assert_eq!(mechanisms, ["\"hour\"", "\"temp\""]);
        let alone = Options { by: vec!["temp".into()], ..options };
        assert_eq!(experiments(&features[..1], &[], &alone), []);
    }

    #[test]
    fn what_is_named_is_planned_and_found_again_at_another_rate() {
        let features = [feature("temp", ValueKind::Number), feature("carrier", ValueKind::Text)];
        let sources = [Source { name: "weather".into(), features: vec!["temp".into()] }];
        let hypothesis = Hypothesis {
            name: "weather-is-down".into(),
            hypothesis: "decisions hold".into(),
            faults: vec!["missing".into(), "frozen".into(), "truncated".into()],
            features: vec!["temp".into()],
            sources: vec!["weather".into()],
            rate: 1.0,
            max_accuracy_drop: None,
            rollback: None,
            who: None,
        };
        let planned = named(&features, &sources, &[hypothesis]);
        let told: Vec<(&Subject, &str)> =
            planned.iter().map(|of| (&of.subject, of.fault.entry().id)).collect();
        let (temp, weather) = (Subject::Feature("temp".into()), Subject::Source("weather".into()));
        assert_eq!(
            told,
            [(&temp, "missing"), (&temp, "frozen"), (&weather, "missing"), (&weather, "frozen")]
        );
        let half = Options { rates: vec![0.5], ..Options::default() };
        let half = experiments(&features, &sources, &half);
        for of in &planned {
            let found = at_another_rate(of, &half).unwrap();
            assert_eq!((&found.subject, found.fault.entry()), (&of.subject, of.fault.entry()));
            assert_ne!(found.fault, of.fault);
        }
        // A lag is not a share of rows.
        let late = half.iter().find(|of| of.fault.entry().id == "late").unwrap();
        assert_eq!(at_another_rate(late, &half), None);
    }

    #[test]
    fn columns_that_may_be_mistaken_are_swapped() {
        let swaps = vec![("a".to_owned(), "b".to_owned())];
        let options = Options { faults: vec!["swapped-columns".into()], swaps, ..Options::default() };
        let planned = experiments(&[feature("a", ValueKind::Number)], &[], &options);
        assert_eq!(planned.len(), 1);
        assert_eq!(planned[0].subject, Subject::Pair("a".into(), "b".into()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn every_pair_is_covered_and_rows_grow_with_the_logarithm(factors in 2_usize..300) {
            let array = covering_array(factors);
            for a in 0..factors {
                for b in 0..a {
                    let mut seen = [false; 4];
                    for row in &array {
                        seen[usize::from(row[a]) * 2 + usize::from(row[b])] = true;
                    }
                    prop_assert_eq!(seen, [true; 4], "{} {}", a, b);
                }
            }
            // Stirling's formula for the number of subsets.
            let bits = (factors as f64).log2();
            prop_assert!(array.len() as f64 <= bits + bits.log2() / 2.0 + 4.0);
            prop_assert!(!array[0].contains(&true));
        }
    }
}
