//! Columns that could be taken for each other, and columns that go along with the model's answers.

use std::collections::BTreeSet;

use types::batch::{Batch, Values};
use types::definition::Source;

use super::Feature;

/// Pairs that are tried; any two of a hundred columns would be thousands.
const PAIRS_MOST: usize = 10;
/// Values outside of the middle nine tenths say little about what is usual.
const TAIL: f64 = 0.05;

/// Pairs of features of one type that somebody could pass in the wrong order without an error: their values of the
/// reference overlap. Those that one source brings come first, then those that overlap most.
///
/// The overlap of numbers is that of the ranges of their middle nine tenths, as a share of both together; that of
/// texts is the share of the values of both that are the same.
pub fn mistaken_pairs(features: &[Feature], sources: &[Source], reference: &Batch) -> Vec<(String, String)> {
    let mut pairs: Vec<(bool, f64, &str, &str)> = Vec::new();
    for (at, second) in features.iter().enumerate() {
        for first in &features[..at] {
            let both = reference.column(&first.name).zip(reference.column(&second.name));
            let shared = both.map_or(0.0, |(a, b)| overlap(a, b));
            if shared > 0.0 {
                let of_one = |source: &Source| {
                    source.features.contains(&first.name) && source.features.contains(&second.name)
                };
                pairs.push((sources.iter().any(of_one), shared, &first.name, &second.name));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| b.1.total_cmp(&a.1)));
    pairs.into_iter().take(PAIRS_MOST).map(|(_, _, a, b)| (a.to_owned(), b.to_owned())).collect()
}

/// How much of what both columns hold either could hold, from 0 to 1.
fn overlap(a: &Values, b: &Values) -> f64 {
    if a.kind() != b.kind() {
        return 0.0;
    }
    match (a, b) {
        (Values::Texts(a), Values::Texts(b)) => {
            let [a, b]: [BTreeSet<&String>; 2] = [a, b].map(|of| of.iter().flatten().collect());
            let all = a.union(&b).count();
            if all == 0 { 0.0 } else { a.intersection(&b).count() as f64 / all as f64 }
        }
        (Values::Booleans(_), Values::Booleans(_)) => 1.0,
        (a, b) => match (middle(a), middle(b)) {
            (Some((low_a, high_a)), Some((low_b, high_b))) => {
                let (shared, all) =
                    (high_a.min(high_b) - low_a.max(low_b), high_a.max(high_b) - low_a.min(low_b));
                if all > 0.0 { (shared / all).max(0.0) } else { 1.0 }
            }
            _ => 0.0,
        },
    }
}

/// Where the middle nine tenths of the numbers lie.
fn middle(values: &Values) -> Option<(f64, f64)> {
    let mut numbers: Vec<f64> =
        (0..values.len()).filter_map(|row| values.number(row)).filter(|number| number.is_finite()).collect();
    numbers.sort_by(f64::total_cmp);
    let last = numbers.len().checked_sub(1)?;
    let tail = (last as f64 * TAIL).round() as usize;
    Some((numbers[tail], numbers[last - tail]))
}

/// The numeric features by how much they go along with the answers, most first: Spearman's rank correlation in
/// absolute value, over the rows that have both. Features without one are left out.
///
/// Reference: C. Spearman, "The proof and measurement of association between two things", American Journal of
/// Psychology 15, 1904.
pub fn going_along(rows: &Batch, answers: &[Option<f64>]) -> Vec<String> {
    let mut known: Vec<(f64, &str)> = rows
        .columns()
        .iter()
        .filter(|column| column.values.kind().is_numeric())
        .filter_map(|column| Some((rank_correlation(&column.values, answers)?.abs(), column.name.as_str())))
        .collect();
    known.sort_by(|a, b| b.0.total_cmp(&a.0));
    known.into_iter().map(|(_, name)| name.to_owned()).collect()
}

/// Spearman's rank correlation; `None` where one side does not vary.
fn rank_correlation(values: &Values, answers: &[Option<f64>]) -> Option<f64> {
    let both: Vec<(f64, f64)> = answers
        .iter()
        .enumerate()
        .filter_map(|(row, answer)| Some((values.number(row)?, (*answer)?)))
        .filter(|(value, answer)| value.is_finite() && answer.is_finite())
        .collect();
    let [x, y] = [ranks(both.iter().map(|row| row.0)), ranks(both.iter().map(|row| row.1))];
    let mean = f64::midpoint(both.len() as f64, 1.0);
    let [mut both, mut of_x, mut of_y] = [0.0; 3];
    for (x, y) in x.iter().zip(&y) {
        both += (x - mean) * (y - mean);
        of_x += (x - mean).powi(2);
        of_y += (y - mean).powi(2);
    }
    (of_x > 0.0 && of_y > 0.0).then(|| both / (of_x * of_y).sqrt())
}

/// The rank of each number from 1 on; equal ones have the mean of theirs.
fn ranks(numbers: impl Iterator<Item = f64>) -> Vec<f64> {
    let numbers: Vec<f64> = numbers.collect();
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
    let mut ranks = vec![0.0; numbers.len()];
    let mut from = 0;
    while from < order.len() {
        let value = numbers[order[from]];
        let equal = order[from..].iter().take_while(|&&row| numbers[row] == value).count().max(1);
        for &row in &order[from..from + equal] {
            ranks[row] = from as f64 + f64::midpoint(equal as f64, 1.0);
        }
        from += equal;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use types::batch::{BatchColumn, ValueKind};

    use super::*;

    fn batch(columns: Vec<(&str, Values)>) -> Batch {
        let of = |(name, values): (&str, Values)| BatchColumn { name: name.into(), values };
        Batch::new(columns.into_iter().map(of).collect()).unwrap()
    }

    fn numbers(values: impl IntoIterator<Item = f64>) -> Values {
        Values::Numbers(values.into_iter().map(Some).collect())
    }

    fn texts(values: [&str; 4]) -> Values {
        Values::Texts(values.into_iter().map(|text| Some(text.to_owned())).collect())
    }

    #[test]
    fn pairs_that_overlap_are_tried_and_those_of_one_source_first() {
        let reference = batch(vec![
            ("low", numbers([0.0, 1.0, 2.0, 3.0])),
            ("lower", numbers([0.5, 1.0, 2.0, 3.0])),
            ("high", numbers([2.0, 3.0, 4.0, 5.0])),
            ("far", numbers([90.0, 91.0, 92.0, 93.0])),
            ("from", texts(["JFK", "EWR", "JFK", "LGA"])),
            ("to", texts(["ATL", "JFK", "ATL", "ATL"])),
            ("carrier", texts(["UA", "AA", "UA", "UA"])),
        ]);
        let feature =
            |column: &BatchColumn| Feature { name: column.name.clone(), kind: column.values.kind() };
        let features: Vec<Feature> = reference.columns().iter().map(feature).collect();
        let source = Source { name: "s".into(), features: vec!["high".into(), "lower".into()] };
        let found = mistaken_pairs(&features, &[source], &reference);
        let found: Vec<(&str, &str)> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(found, [("lower", "high"), ("low", "lower"), ("from", "to"), ("low", "high")]);
        let many: Vec<Feature> =
            (0..20).map(|at| Feature { name: format!("x{at}"), kind: ValueKind::Number }).collect();
        let columns = many.iter().map(|of| (of.name.as_str(), numbers([0.0, 1.0]))).collect();
        assert_eq!(mistaken_pairs(&many, &[], &batch(columns)).len(), PAIRS_MOST);
    }

    #[test]
    fn rank_correlations_are_those_of_scipy() {
        let values: serde_json::Value =
            serde_json::from_str(include_str!("../../../../testdata/reference/rank_correlations.json"))
                .unwrap();
        for case in values["cases"].as_array().unwrap() {
            let of = |name: &str| -> Vec<f64> {
                case[name].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
            };
            let answers: Vec<Option<f64>> = of("y").into_iter().map(Some).collect();
            let found = rank_correlation(&numbers(of("x")), &answers).unwrap();
            assert!((found - case["rho"].as_f64().unwrap()).abs() < 1e-12, "{found}");
        }
        let constant = rank_correlation(&numbers([1.0, 1.0]), &[Some(1.0), Some(2.0)]);
        assert_eq!(constant, None);
        let rows = batch(vec![
            ("noise", numbers([3.0, 1.0, 4.0, 2.0])),
            ("down", numbers([4.0, 3.0, 2.0, 1.0])),
            ("same", numbers([1.0; 4])),
            ("text", texts(["a", "b", "c", "d"])),
        ]);
        let answers = [0.1, 0.2, 0.3, 0.9].map(Some);
        assert_eq!(going_along(&rows, &answers), ["down", "noise"]);
    }
}
