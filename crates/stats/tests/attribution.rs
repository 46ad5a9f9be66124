//! Attributions of a change in loss, on data whose truth is known by construction.
//!
//! The loss is `1 + x₀/2 + 0.3 x₂ + 0.4 x₀ x₂ + noise` of six independent normals, all of mean 0 in the
//! reference. Where x₀ moves by `a`, x₂ by `b` and every loss by `c`, the mean loss rises by
//! `a/2 + 0.3 b + 0.4 a b + c`, and Shapley's parts are `a/2 + 0.2 a b` and `0.3 b + 0.2 a b` for the
//! columns, `c` for the outcome. The shared rows of two normals of equal width have the middle of
//! both means, by symmetry.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod uniform;

use stats::attribution::shapley::{Attribution, Coalitions, attribute};
use stats::attribution::shared_space::{SharedSpaceDecomposition, decompose};
use stats::attribution::{AttributionError, AttributionOptions, Contribution, Lost};
use stats::counts::Side;
use stats::learn::{Column, Features, LearnError, Options};
use uniform::Uniform;

type Table = (Features, Vec<f64>);

fn normal(rng: &mut Uniform) -> f64 {
    let uniforms: [f64; 12] = rng.many();
    uniforms.iter().sum::<f64>() - 6.0
}

fn side(rng: &mut Uniform, rows: usize, [a, b, c]: [f64; 3]) -> Table {
    let mut columns = vec![Vec::new(); 6];
    let mut losses = Vec::new();
    for _ in 0..rows {
        let x: [f64; 6] = std::array::from_fn(|column| normal(rng) + [a, 0.0, b, 0.0, 0.0, 0.0][column]);
        losses.push(1.0 + 0.5 * x[0] + 0.3 * x[2] + 0.4 * x[0] * x[2] + c + 0.5 * normal(rng));
        columns.iter_mut().zip(x).for_each(|(column, x)| column.push(x));
    }
    (Features::new(columns.into_iter().map(Column::Numeric).collect()).unwrap(), losses)
}

fn lost((features, losses): &Table) -> Lost<'_> {
    Lost { features, losses }
}

fn groups() -> Vec<Vec<usize>> {
    vec![vec![0, 1], vec![2, 3], vec![4, 5]]
}

fn attributed(reference: &Table, current: &Table, options: &AttributionOptions) -> Attribution {
    attribute(lost(reference), lost(current), &groups(), options, &mut Uniform(1)).unwrap()
}

fn decomposed(reference: &Table, current: &Table) -> SharedSpaceDecomposition {
    decompose(lost(reference), lost(current), &AttributionOptions::default(), &mut Uniform(1)).unwrap()
}

#[track_caller]
fn near(found: Contribution, truth: f64, what: &str) {
    let errors = (found.value - truth).abs() / found.standard_error;
    assert!(errors < 3.5, "{what}: {found:?} is {errors} standard errors from {truth}");
}

#[test]
fn each_part_is_found_where_it_was_put() {
    let mut rng = Uniform(77);
    for shift in [[0.0, 0.0, 0.0], [0.5, 0.0, 0.0], [0.0, 0.0, 0.3], [0.5, -0.5, 0.3]] {
        let (reference, current) = (side(&mut rng, 2000, [0.0; 3]), side(&mut rng, 1500, shift));
        let found = attributed(&reference, &current, &AttributionOptions::default());
        let [a, b, c] = shift;
        let what = format!("{shift:?}");
        near(found.groups[0], 0.5 * a + 0.2 * a * b, &what);
        near(found.groups[1], 0.3 * b + 0.2 * a * b, &what);
        near(found.groups[2], 0.0, &what);
        near(found.outcome, c, &what);
        near(found.change, 0.5 * a + 0.3 * b + 0.4 * a * b + c, &what);
        let errors = found.groups.iter().chain([&found.outcome]).map(|part| part.standard_error);
        assert!(errors.fold(0.0, f64::max) < 0.04, "{found:?}");
        assert_eq!((found.n_reference, found.n_current), (2000, 1500));
        // What is far beyond its error is named, and nothing else.
        let named = |part: &Contribution| part.value.abs() > 4.0 * part.standard_error;
        let expected = [a != 0.0, b != 0.0, false];
        assert_eq!(found.groups.iter().map(named).collect::<Vec<_>>(), expected, "{found:?}");
        assert_eq!(named(&found.outcome), c != 0.0, "{found:?}");
    }
}

#[test]
fn parts_add_up_to_the_observed_change() {
    let mut rng = Uniform(5);
    let (reference, current) = (side(&mut rng, 300, [0.0; 3]), side(&mut rng, 400, [0.4, 0.2, 0.1]));
    let mean = |(_, losses): &Table| losses.iter().sum::<f64>() / losses.len() as f64;
    let change = mean(&current) - mean(&reference);
    for exact_groups_max in [6, 0] {
        let options = AttributionOptions { exact_groups_max, orders: 3, ..AttributionOptions::default() };
        let found = attributed(&reference, &current, &options);
        let sum = found.groups.iter().chain([&found.outcome]).map(|part| part.value).sum::<f64>();
        assert!((sum - change).abs() < 1e-9 && (found.change.value - change).abs() < 1e-9);
        let sampled = Coalitions::Sampled { orders: 3 };
        assert_eq!(found.coalitions, if exact_groups_max == 0 { sampled } else { Coalitions::All });
    }
    let found = decomposed(&reference, &current);
    let parts = [found.reference_to_shared, found.outcome, found.shared_to_current];
    let sum = parts.iter().map(|part| part.value).sum::<f64>();
    assert!((sum - change).abs() < 1e-9 && (found.change.value - change).abs() < 1e-9);
}

#[test]
fn random_orders_agree_with_all_coalitions_within_their_error() {
    let mut rng = Uniform(6);
    let (reference, current) = (side(&mut rng, 400, [0.0; 3]), side(&mut rng, 400, [0.5, 0.5, 0.3]));
    let exact = attributed(&reference, &current, &AttributionOptions::default());
    let options = AttributionOptions { exact_groups_max: 0, ..AttributionOptions::default() };
    let sampled = attributed(&reference, &current, &options);
    for (exact, sampled) in exact.groups.iter().zip(&sampled.groups) {
        assert!((exact.value - sampled.value).abs() < sampled.standard_error, "{exact:?} {sampled:?}");
    }
}

#[test]
fn the_standard_errors_are_those_of_repeated_samples() {
    let mut rng = Uniform(8);
    let (mut covered, pairs) = ([0; 4], 40);
    for _ in 0..pairs {
        let (reference, current) = (side(&mut rng, 600, [0.0; 3]), side(&mut rng, 600, [0.4, 0.0, 0.2]));
        let found = attributed(&reference, &current, &AttributionOptions::default());
        let parts = found.groups.iter().chain([&found.outcome]).zip([0.2, 0.0, 0.0, 0.2]);
        for (covered, (part, truth)) in covered.iter_mut().zip(parts) {
            *covered += u32::from(part.interval.contains(truth));
        }
    }
    // At a coverage of 95 %, 33 of 40 or fewer come about once in 700 times.
    assert!(covered.iter().all(|&covered| covered >= 34), "{covered:?}");
}

#[test]
fn shared_rows_lie_between_both_sides() {
    let mut rng = Uniform(9);
    for [a, b, c] in [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.3], [1.0, 0.0, 0.3]] {
        let (reference, current) = (side(&mut rng, 2000, [0.0; 3]), side(&mut rng, 1500, [a, b, c]));
        let found = decomposed(&reference, &current);
        let what = format!("{a} {b} {c}");
        near(found.reference_to_shared, a / 4.0, &what);
        near(found.outcome, c, &what);
        near(found.shared_to_current, a / 4.0, &what);
        assert!(if a == 0.0 { found.shared_share > 0.95 } else { found.shared_share < 0.9 }, "{found:?}");
    }
}

#[test]
fn new_rows_have_no_say_in_what_changed_on_shared_ones() {
    // A third of the current rows is of a kind that the reference has none of, and loses much more.
    let mut rng = Uniform(10);
    let table = |rng: &mut Uniform, new: bool| {
        let codes: Vec<u32> = (0..900).map(|row| if new && row % 3 == 0 { 2 } else { row % 2 }).collect();
        let losses = codes.iter().map(|&code| f64::from(code * code) + rng.next()).collect();
        (Features::new(vec![Column::Categorical { codes, cardinality: 3 }]).unwrap(), losses)
    };
    let (reference, current) = (table(&mut rng, false), table(&mut rng, true));
    let found = decomposed(&reference, &current);
    near(found.outcome, 0.0, "no outcome changed");
    near(found.shared_to_current, found.change.value, "the new rows changed everything");
    let options = AttributionOptions::default();
    let refused = attribute(lost(&reference), lost(&current), &[vec![0]], &options, &mut rng).unwrap_err();
    let lacking = |side, mean_weight: f64| side == Side::Reference && (0.6..0.7).contains(&mean_weight);
    assert!(
        matches!(refused, AttributionError::TooLittleOverlap { side, mean_weight } if lacking(side, mean_weight)),
        "{refused:?}"
    );
}

#[test]
fn sides_without_common_rows_are_refused() {
    let mut rng = Uniform(11);
    let (reference, current) = (side(&mut rng, 300, [0.0; 3]), side(&mut rng, 300, [20.0, 0.0, 0.0]));
    let options = AttributionOptions::default();
    let refused = attribute(lost(&reference), lost(&current), &groups(), &options, &mut rng);
    assert!(matches!(refused, Err(AttributionError::TooLittleOverlap { .. })), "{refused:?}");
    let refused = decompose(lost(&reference), lost(&current), &options, &mut rng);
    assert!(matches!(refused, Err(AttributionError::TooLittleOverlap { .. })), "{refused:?}");
    let current = side(&mut rng, 300, [1.0, 0.0, 0.0]);
    let options = AttributionOptions { effective_rows_min: 250.0, ..options };
    let refused = attribute(lost(&reference), lost(&current), &groups(), &options, &mut rng);
    assert!(matches!(refused, Err(AttributionError::TooFewEffectiveRows { .. })), "{refused:?}");
}

#[test]
fn losses_and_groups_that_do_not_fit_are_refused_with_the_reason() {
    let mut rng = Uniform(12);
    let good = side(&mut rng, 120, [0.0; 3]);
    let refused = |current: Lost<'_>, groups: &[Vec<usize>], options: &AttributionOptions| {
        attribute(lost(&good), current, groups, options, &mut Uniform(1)).unwrap_err()
    };
    let default = AttributionOptions::default();
    let by_groups = |groups: &[Vec<usize>]| refused(lost(&good), groups, &default);
    assert_eq!(by_groups(&[]), AttributionError::GroupCount { groups: 0, most: 30 });
    assert_eq!(by_groups(&[vec![0, 1, 2, 3, 4, 5], vec![]]), AttributionError::EmptyGroup { group: 1 });
    let missing = AttributionError::NotInOneGroup { column: 5, groups: 0 };
    assert_eq!(by_groups(&[vec![0, 1, 2, 3, 4]]), missing);
    let twice = AttributionError::NotInOneGroup { column: 0, groups: 2 };
    assert_eq!(by_groups(&[vec![0, 1, 2, 3, 4, 5], vec![0]]), twice);
    let unknown = AttributionError::UnknownColumn { column: 6, columns: 6 };
    assert_eq!(by_groups(&[vec![0, 6]]), unknown);
    let short = Lost { features: &good.0, losses: &good.1[1..] };
    let lengths = AttributionError::LengthsDiffer { side: Side::Current, rows: 120, losses: 119 };
    assert_eq!(refused(short, &groups(), &default), lengths);
    let few = side(&mut rng, 99, [0.0; 3]);
    let rows = AttributionError::TooFewRows { side: Side::Current, n: 99, needed: 100 };
    assert_eq!(refused(lost(&few), &groups(), &default), rows);
    for bad in [f64::NAN, f64::INFINITY, 1e200] {
        let mut losses = good.1.clone();
        losses[3] = bad;
        let range = AttributionError::LossOutOfRange { side: Side::Current, row: 3 };
        assert_eq!(refused(Lost { features: &good.0, losses: &losses }, &groups(), &default), range);
    }
    for options in [
        AttributionOptions { folds: 1, ..default },
        AttributionOptions { overlap_min: 0.0, ..default },
        AttributionOptions { effective_rows_min: f64::NAN, ..default },
        AttributionOptions { orders: usize::MAX, ..default },
    ] {
        assert!(matches!(refused(lost(&good), &groups(), &options), AttributionError::Option { .. }));
    }
    let learner = Options { bins_max: 1, ..default.learner };
    let refused = refused(lost(&good), &groups(), &AttributionOptions { learner, ..default });
    assert!(matches!(refused, AttributionError::Learn(LearnError::Option { option: "bins_max", .. })));
}
