//! The worst subpopulation against integrals over known risks by SciPy, and what is decided at the edges.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod tail_reference;
mod uniform;

use stats::interval::{IntervalMethod, Level};
use stats::learn::{Column, Features, LearnError, MISSING, Options};
use stats::worst_subpopulation::{WorstError, WorstOptions, WorstSubpopulation, worst_subpopulation};
use tail_reference::{cases, numbers};
use uniform::Uniform;

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The same risks as in `make_tail.py`, and whether losses are mistakes.
fn risk(name: &str, x: f64, c: usize) -> (f64, bool) {
    match name {
        "steps and slope" => (1.0 + x + [0.0, 0.5, 2.0][c], false),
        "mistakes" => (logistic(-2.5 + 2.0 * x * x + [0.0, 0.0, 2.0][c]), true),
        "no structure" => (0.2, true),
        "bump" => (0.1 + 0.7 * (-((x - 0.3) / 0.15).powi(2)).exp(), true),
        other => panic!("no such risk: {other}"),
    }
}

/// Rows with a loss whose conditional mean is the risk; the last column is noise.
fn window(name: &str, rows: usize, rng: &mut Uniform) -> (Features, Vec<f64>) {
    let (mut numbers, mut codes, mut noise, mut losses) = (vec![], vec![], vec![], vec![]);
    for _ in 0..rows {
        let [x, u, v, z] = rng.many();
        let c = if u < 0.7 { 0 } else { 1 + usize::from(u >= 0.9) };
        let (risk, mistake) = risk(name, x, c);
        losses.push(if mistake { f64::from(u8::from(v < risk)) } else { risk * 2.0 * v });
        numbers.push(x);
        codes.push(c as u32);
        noise.push(z);
    }
    let categories = Column::Categorical { codes, cardinality: 3 };
    let columns = vec![Column::Numeric(numbers), categories, Column::Numeric(noise)];
    (Features::new(columns).unwrap(), losses)
}

fn worst(features: &Features, losses: &[f64], alphas: &[f64], rng: &mut Uniform) -> WorstSubpopulation {
    worst_subpopulation(features, losses, alphas, &WorstOptions::default(), Level::P95, rng).unwrap()
}

#[test]
fn bounds_hold_the_true_worst_mean_about_as_often_as_documented() {
    let windows: u32 = if cfg!(debug_assertions) { 4 } else { 25 };
    for case in cases("worst_subpopulation") {
        let name = case["name"].as_str().unwrap();
        let (alphas, truths) = (numbers(&case["alphas"]), numbers(&case["worst"]));
        let mut rng = Uniform(7);
        let (mut above_lower, mut within, mut of_mean) = (0, 0, 0);
        let all = windows * alphas.len() as u32;
        for _ in 0..windows {
            let (features, losses) = window(name, 2000, &mut rng);
            let found = worst(&features, &losses, &alphas, &mut rng);
            for (point, truth) in found.points.iter().zip(&truths) {
                above_lower += u32::from(point.interval.lower <= *truth);
                within += u32::from(point.interval.contains(*truth));
                of_mean += u32::from(point.alpha == 1.0 && point.interval.contains(*truth));
            }
        }
        let share = |count: u32, of: u32| f64::from(count) / f64::from(of);
        assert!(share(above_lower, all) >= 0.95, "{name}: {above_lower} of {all}");
        assert!(share(within, all) >= 0.85, "{name}: {within} of {all}");
        assert!(share(of_mean, windows) >= 0.75, "{name}: {of_mean} of {windows}");
    }
}

#[test]
fn with_many_rows_the_curve_is_that_of_the_known_risk() {
    let rows = if cfg!(debug_assertions) { 6_000 } else { 40_000 };
    for case in cases("worst_subpopulation") {
        let name = case["name"].as_str().unwrap();
        let (alphas, truths) = (numbers(&case["alphas"]), numbers(&case["worst"]));
        let (features, losses) = window(name, rows, &mut Uniform(12));
        let found = worst(&features, &losses, &alphas, &mut Uniform(1));
        for (point, truth) in found.points.iter().zip(&truths) {
            let off = (point.value - truth).abs();
            assert!(off < 0.05 * truth + 2.0 * point.standard_error, "{name}: {point:?}, not {truth}");
        }
        // A column without a say costs nothing when shuffled; that with the bump costs most.
        let drop = |column| found.columns.iter().find(|risk| risk.column == column).unwrap();
        let noise = drop(2);
        assert!(noise.loss_drop.abs() < 0.05 * truths[1] + 3.0 * noise.standard_error, "{name}: {noise:?}");
        match name {
            "bump" => assert_eq!(found.columns[0].column, 0),
            "steps and slope" | "mistakes" => assert_eq!(found.columns[0].column, 1),
            _ => {}
        }
    }
}

#[test]
fn the_curve_never_rises_and_ends_at_the_mean_loss() {
    let alphas = [1.0, 0.02, 0.3, 0.1, 0.3, 0.7, 0.05, 0.9];
    for seed in 0..8 {
        let mut rng = Uniform(seed);
        let (features, losses) = window(["mistakes", "no structure"][seed as usize % 2], 300, &mut rng);
        let found = worst(&features, &losses, &alphas, &mut rng);
        assert_eq!(found.too_small, [0.02], "6 rows");
        let shares: Vec<f64> = found.points.iter().map(|point| point.alpha).collect();
        assert_eq!(shares, [0.05, 0.1, 0.3, 0.7, 0.9, 1.0]);
        assert!(found.points.windows(2).all(|pair| pair[0].value >= pair[1].value));
        let last = found.points[5];
        let mean = losses.iter().sum::<f64>() / 300.0;
        let variance = losses.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>() / 299.0 / 300.0;
        assert_eq!(last.value, mean);
        assert!((last.standard_error / variance.sqrt() - 1.0).abs() < 0.02, "{last:?}");
        for point in found.points {
            assert!(point.interval.contains(point.value) && point.upper_one_sided >= point.value);
            assert!(point.upper_one_sided <= point.interval.upper);
        }
    }
}

#[test]
fn losses_that_are_all_alike_are_their_own_worst_mean() {
    let (features, _) = window("mistakes", 60, &mut Uniform(1));
    for (loss, method) in
        [(0.0, IntervalMethod::WilsonOfBoundedMean), (7.5, IntervalMethod::NormalOfInfluence)]
    {
        let found = worst(&features, &[loss; 60], &[0.2, 1.0], &mut Uniform(1));
        for point in found.points {
            assert_eq!((point.value, point.interval.method), (loss, method));
            assert!(point.interval.contains(loss) && point.upper_one_sided.is_finite());
        }
        assert!(found.columns.iter().all(|risk| risk.loss_drop == 0.0));
    }
    // No mistake in the worst twelve rows says little.
    let found = worst(&features, &[0.0; 60], &[0.2], &mut Uniform(1));
    assert!(found.points[0].interval.upper > 0.2);
}

#[test]
fn features_that_tell_nothing_give_the_mean_loss_everywhere() {
    let missing = Column::Categorical { codes: vec![MISSING; 200], cardinality: 3 };
    let features =
        Features::new(vec![Column::Numeric(vec![1.0; 200]), Column::Numeric(vec![f64::NAN; 200]), missing])
            .unwrap();
    let losses: Vec<f64> = (0..200).map(|row| f64::from(row % 7)).collect();
    let found = worst(&features, &losses, &[0.1, 0.5, 1.0], &mut Uniform(1));
    let mean = losses.iter().sum::<f64>() / 200.0;
    assert!(found.points.iter().all(|point| (point.value - mean).abs() < 1e-9), "{found:?}");
}

#[test]
fn the_generator_decides_the_folds_and_nothing_else_is_random() {
    let (features, losses) = window("mistakes", 400, &mut Uniform(3));
    let found = |seed| worst(&features, &losses, &[0.1], &mut Uniform(seed));
    assert_eq!(found(1), found(1));
    assert_ne!(found(1).points, found(2).points);
}

#[test]
fn what_cannot_be_looked_for_is_refused_with_the_reason() {
    let features = |rows: usize| Features::new(vec![Column::Numeric(vec![0.0; rows])]).unwrap();
    let default = WorstOptions::default();
    let refused = |losses: &[f64], alpha: f64, options: &WorstOptions| {
        let rng = &mut Uniform(1);
        worst_subpopulation(&features(losses.len()), losses, &[alpha], options, Level::P95, rng).unwrap_err()
    };
    let mut losses = [0.5; 50];
    assert_eq!(refused(&losses[..10], 0.5, &default), WorstError::TooFewRows { n: 10, needed: 50 });
    for alpha in [0.0, -1.0, 1.1, f64::NAN] {
        assert!(matches!(refused(&losses, alpha, &default), WorstError::Alpha { .. }), "{alpha}");
    }
    for folds in [0, 1] {
        let options = WorstOptions { folds, ..default };
        assert_eq!(refused(&losses, 0.5, &options), WorstError::TooFewFolds { folds });
    }
    let learner = Options { l2: -1.0, ..default.learner };
    let options = WorstOptions { learner, ..default };
    assert!(matches!(refused(&losses, 0.5, &options), WorstError::Learn(LearnError::Option { .. })));
    for value in [f64::NAN, f64::INFINITY, -1e72] {
        losses[7] = value;
        assert!(matches!(refused(&losses, 0.5, &default), WorstError::Loss { row: 7, .. }), "{value}");
    }
    let uneven = worst_subpopulation(&features(51), &losses, &[0.5], &default, Level::P95, &mut Uniform(1))
        .unwrap_err();
    assert_eq!(uneven, WorstError::LengthsDiffer { rows: 51, losses: 50 });
}

#[test]
fn huge_losses_keep_finite_bounds() {
    let (features, losses) = window("steps and slope", 200, &mut Uniform(9));
    let huge: Vec<f64> = losses.iter().map(|loss| loss * 1e71).collect();
    let point = worst(&features, &huge, &[0.1], &mut Uniform(1)).points[0];
    let plain = worst(&features, &losses, &[0.1], &mut Uniform(1)).points[0];
    assert!((point.value / plain.value / 1e71 - 1.0).abs() < 1e-6);
    assert!(point.interval.upper.is_finite() && point.interval.lower.is_finite());
}
