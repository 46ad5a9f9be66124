//! Expected shortfall, rarity, clusters in time and trends of residuals beside the values of Empyrical,
//! NumPy, scikit-learn, SciPy and statsmodels, and simulations of what their intervals and tests promise.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod tail_reference;
mod uniform;

use serde_json::Value;
use stats::classification::roc_auc::roc_auc;
use stats::expected_shortfall::{ShortfallError, expected_shortfall};
use stats::interval::Level;
use stats::labelled_scores::LabelledScores;
use stats::learn::{Column, Features, MISSING};
use stats::rarity::{ForestOptions, IsolationForest, RarityError};
use stats::residual_trend::{ResidualError, residual_trend, residuals_by_segment};
use stats::time_clustering::{ClusteringError, ClusteringOptions, time_clustering};
use tail_reference::{cases, numbers};
use uniform::Uniform;

#[track_caller]
fn close(found: f64, expected: f64, name: &Value) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{name}: {found}, not {expected}");
}

/// A standard normal number, as the sum of twelve uniform ones less six.
fn normal(uniform: &mut Uniform) -> f64 {
    uniform.many::<12>().iter().sum::<f64>() - 6.0
}

#[test]
fn expected_shortfalls_are_those_of_empyrical_and_of_the_dual() {
    for case in cases("expected_shortfall") {
        let losses = numbers(&case["losses"]);
        let found = expected_shortfall(&losses, case["alpha"].as_f64().unwrap(), Level::P95).unwrap();
        close(found.value, case["value"].as_f64().unwrap(), &case["name"]);
        assert!(found.interval.contains(found.value));
    }
}

/// In what share of windows of `rows` losses the interval holds the true shortfall of their worst tenth.
fn shortfall_held(rows: usize, truth: f64, loss: impl Fn(&mut Uniform) -> f64) -> f64 {
    let windows: u32 = if cfg!(debug_assertions) { 200 } else { 2000 };
    let mut rng = Uniform(8);
    let held = (0..windows).filter(|_| {
        let losses: Vec<f64> = (0..rows).map(|_| loss(&mut rng)).collect();
        expected_shortfall(&losses, 0.1, Level::P95).unwrap().interval.contains(truth)
    });
    held.count() as f64 / f64::from(windows)
}

#[test]
fn shortfall_intervals_hold_the_truth_as_often_as_documented() {
    // E(U | U > 0.9), and for an exponential loss the threshold plus its mean.
    let uniform = shortfall_held(500, 0.95, Uniform::next);
    let exponential = shortfall_held(500, 1.0 + 10.0_f64.ln(), |rng| -(1.0 - rng.next()).ln());
    // exp(1/2) Φ(1 − 1.2816) / 0.1.
    let log_normal = shortfall_held(500, 6.415_2, |rng| normal(rng).exp());
    assert!((0.92..=0.98).contains(&uniform), "{uniform}");
    assert!((0.90..=0.97).contains(&exponential), "{exponential}");
    assert!((0.83..=0.94).contains(&log_normal), "{log_normal}");
}

#[test]
fn shortfalls_at_the_edges_are_decided() {
    let of = |losses: &[f64], alpha| expected_shortfall(losses, alpha, Level::P95);
    let ten: Vec<f64> = (0..10).map(f64::from).collect();
    assert_eq!(of(&ten, 0.5).unwrap().value, 7.0);
    assert_eq!(of(&ten, 1.0).unwrap().value, 4.5);
    assert!(matches!(of(&ten, 0.3), Err(ShortfallError::TooFewRows { n: 10, .. })));
    assert!(matches!(of(&[], 0.3), Err(ShortfallError::TooFewRows { n: 0, .. })));
    for alpha in [0.0, 1.5, f64::NAN] {
        assert!(matches!(of(&ten, alpha), Err(ShortfallError::Alpha { .. })), "{alpha}");
    }
    let mut losses = ten.clone();
    losses[3] = f64::NAN;
    assert!(matches!(of(&losses, 0.5), Err(ShortfallError::Loss { row: 3, .. })));
    // No mistakes: nothing bad was seen, and Wilson's bound says what could be.
    let none = of(&[0.0; 100], 0.1).unwrap();
    assert_eq!((none.value, none.largest_share), (0.0, None));
    assert!(none.interval.lower == 0.0 && none.interval.upper > 0.3);
    // One mistake in five is two wrong rows in the worst tenth, and in all of the worst tenth.
    let mistakes: Vec<f64> = (0..100).map(|row| f64::from(u8::from(row % 5 == 0))).collect();
    assert_eq!(of(&mistakes, 0.1).unwrap().value, 1.0);
    assert!((of(&mistakes, 0.5).unwrap().value - 0.4).abs() < 1e-12);
    let falling: Vec<f64> =
        (1..=20).map(|step| of(&mistakes, f64::from(step) / 20.0).unwrap().value).collect();
    assert!(falling.windows(2).all(|pair| pair[0] >= pair[1] - 1e-12), "{falling:?}");
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let below = |value: f64| values.iter().filter(|&&other| other < value).count() as f64;
    let upto = |value: f64| values.iter().filter(|&&other| other <= value).count() as f64;
    values.iter().map(|&value| f64::midpoint(below(value), upto(value))).collect()
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let means = [a, b].map(|values| values.iter().sum::<f64>() / n);
    let product = |a: &[f64], b: &[f64], of: [usize; 2]| -> f64 {
        a.iter().zip(b).map(|(x, y)| (x - means[of[0]]) * (y - means[of[1]])).sum()
    };
    product(a, b, [0, 1]) / (product(a, a, [0, 0]) * product(b, b, [1, 1])).sqrt()
}

fn table(rows: &[Vec<f64>]) -> Features {
    let column = |at: usize| Column::Numeric(rows.iter().map(|row| row[at]).collect());
    Features::new((0..rows[0].len()).map(column).collect()).unwrap()
}

#[test]
fn rarity_of_numbers_is_that_of_scikit_learn() {
    for case in cases("rarity") {
        let rows: Vec<Vec<f64>> = case["rows"].as_array().unwrap().iter().map(numbers).collect();
        let usual = case["usual"].as_u64().unwrap() as usize;
        let options = ForestOptions {
            trees: if cfg!(debug_assertions) { 300 } else { 1000 },
            ..ForestOptions::default()
        };
        let forest = IsolationForest::fit(&table(&rows[..usual]), &options, &mut Uniform(3)).unwrap();
        let scores = forest.scores(&table(&rows)).unwrap();
        let expected = numbers(&case["scores"]);
        let alike = correlation(&ranks(&scores), &ranks(&expected));
        assert!(alike > 0.97, "{}: rank correlation {alike}", case["name"]);
        let off = scores.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(off < 0.04, "{}: scores differ by {off}", case["name"]);
        let labelled = scores.iter().enumerate().map(|(row, &score)| (score, row >= usual));
        let area = roc_auc(&LabelledScores::from_pairs(labelled).unwrap(), Level::P95).unwrap().value;
        let expected = case["auc"].as_f64().unwrap();
        assert!((area - expected).abs() < 0.02, "{}: {area}, scikit-learn {expected}", case["name"]);
    }
}

#[test]
fn rare_categories_and_missing_values_are_rare_rows() {
    let mut rng = Uniform(6);
    let rows = 1000;
    let numbers: Vec<f64> = (0..rows).map(|row| if row == 7 { f64::NAN } else { rng.next() }).collect();
    // Row 5 has a category of its own; code 4 never occurs.
    let codes: Vec<u32> = (0..rows).map(|row| if row == 5 { 3 } else { row % 3 }).collect();
    let columns = vec![Column::Numeric(numbers), Column::Categorical { codes, cardinality: 5 }];
    let reference = Features::new(columns).unwrap();
    let options = ForestOptions { trees: 300, rows_per_tree: 512 };
    let forest = IsolationForest::fit(&reference, &options, &mut rng).unwrap();
    let of = |number: f64, code: u32| {
        let codes = Column::Categorical { codes: vec![code], cardinality: 5 };
        forest.scores(&Features::new(vec![Column::Numeric(vec![number]), codes]).unwrap()).unwrap()[0]
    };
    let usual = of(0.5, 1);
    for rare in [of(0.5, 3), of(0.5, 4), of(f64::NAN, 1), of(0.5, MISSING)] {
        assert!(rare > usual + 0.05, "{rare} {usual}");
    }
    assert!(forest.scores(&reference).unwrap().iter().all(|score| *score > 0.0 && *score <= 1.0));
}

#[test]
fn rarity_at_the_edges_is_decided() {
    let table = |values: Vec<f64>| Features::new(vec![Column::Numeric(values)]).unwrap();
    let fit = |values: Vec<f64>, options| IsolationForest::fit(&table(values), &options, &mut Uniform(1));
    let default = ForestOptions::default();
    for values in [vec![2.0; 10], vec![f64::NAN; 10]] {
        let forest = fit(values.clone(), default).unwrap();
        assert!(forest.scores(&table(values)).unwrap().iter().all(|score| (score - 0.5).abs() < 1e-12));
    }
    let forest = fit(vec![f64::NEG_INFINITY, f64::INFINITY, 0.0, 1e300, -1e300], default).unwrap();
    let scores = forest.scores(&table(vec![f64::INFINITY, f64::NAN, 0.0])).unwrap();
    assert!(scores.iter().all(|score| score.is_finite()));
    assert!(forest.scores(&table(vec![])).unwrap().is_empty());
    assert_eq!(fit(vec![1.0], default).unwrap_err(), RarityError::TooFewRows { n: 1, needed: 2 });
    let none = fit(vec![1.0; 5], ForestOptions { trees: 0, ..default }).unwrap_err();
    assert_eq!(none, RarityError::Option { option: "trees", value: 0.0 });
    let codes = Features::new(vec![Column::Categorical { codes: vec![0], cardinality: 1 }]).unwrap();
    assert!(matches!(forest.scores(&codes), Err(RarityError::Columns(_))));
}

fn clustering_options(case: &Value) -> ClusteringOptions {
    let count = |name: &str| case[name].as_u64().unwrap() as usize;
    ClusteringOptions { blocks: count("blocks"), lags: count("lags"), ..ClusteringOptions::default() }
}

#[test]
fn clusters_in_time_are_measured_as_by_scipy_and_statsmodels() {
    for case in cases("time_clustering") {
        let losses = numbers(&case["losses"]);
        // Every other row from the end, to be put in order.
        let n = losses.len();
        let (even, odd): (Vec<usize>, Vec<usize>) = (0..n).rev().partition(|row| row % 2 == 0);
        let order = [even, odd].concat();
        let times: Vec<i64> = order.iter().map(|&row| row as i64 * 60 - 1000).collect();
        let mixed: Vec<f64> = order.iter().map(|&row| losses[row]).collect();
        let found =
            time_clustering(&times, &mixed, &clustering_options(&case), Level::P95, &mut Uniform(1)).unwrap();
        let expected = |name: &str| case[name].as_f64().unwrap();
        close(found.chi_square, expected("chi_square"), &case["name"]);
        close(found.autocorrelation, expected("autocorrelation"), &case["name"]);
        close(found.ljung_box, expected("ljung_box"), &case["name"]);
        close(found.ljung_box_p_value, expected("ljung_box_p_value"), &case["name"]);
        assert_eq!((found.worst.to - found.worst.from) / 60 + 1, found.worst.rows as i64);
    }
}

#[test]
fn independent_errors_are_seldom_called_clusters_and_bursts_are() {
    let windows: u32 = if cfg!(debug_assertions) { 100 } else { 500 };
    let options = ClusteringOptions { permutations: 99, ..ClusteringOptions::default() };
    let times: Vec<i64> = (0..400).collect();
    let mut rng = Uniform(4);
    let mut called = [0; 5];
    for _ in 0..windows {
        let losses: Vec<f64> = (0..400).map(|_| f64::from(u8::from(rng.next() < 0.1))).collect();
        let found = time_clustering(&times, &losses, &options, Level::P95, &mut rng).unwrap();
        let ps = [found.dispersion_p_value, found.ljung_box_p_value, found.worst.p_value, found.p_value];
        for (called, p) in called.iter_mut().zip(ps) {
            *called += u32::from(p <= 0.05);
        }
        // Forty rows of which half are wrong, in a window of which a tenth is.
        let burst = |row: usize| if (200..240).contains(&row) { 0.5 } else { 0.1 };
        let losses: Vec<f64> = (0..400).map(|row| f64::from(u8::from(rng.next() < burst(row)))).collect();
        let found = time_clustering(&times, &losses, &options, Level::P95, &mut rng).unwrap();
        called[4] += u32::from(found.p_value <= 0.05);
    }
    let shares = called.map(|count| f64::from(count) / f64::from(windows));
    // Three standard deviations of a share above the level.
    let most = 0.05 + 3.0 * (0.05 * 0.95 / f64::from(windows)).sqrt();
    assert!(shares[..4].iter().all(|&share| share <= most), "{shares:?}");
    assert!(shares[4] > 0.8, "{shares:?}");
}

#[test]
fn clusters_at_the_edges_are_decided() {
    let of = |losses: &[f64], options: &ClusteringOptions| {
        let times: Vec<i64> = (0..losses.len() as i64).collect();
        time_clustering(&times, losses, options, Level::P95, &mut Uniform(1))
    };
    let default = ClusteringOptions::default();
    assert_eq!(of(&[1.0; 9], &default), Err(ClusteringError::TooFewRows { n: 9, needed: 10 }));
    for loss in [0.0, 1.0, 0.1, -3.3] {
        assert_eq!(of(&[loss; 100], &default), Err(ClusteringError::NothingVaries), "{loss}");
    }
    let ten: Vec<f64> = (0..10).map(|row| f64::from(row / 5)).collect();
    let found = of(&ten, &default).unwrap();
    assert_eq!((found.blocks, found.worst.rows, found.worst.from, found.worst.to), (2, 5, 5, 9));
    assert_eq!(found.worst.mean, 1.0);
    let huge: Vec<f64> = ten.iter().map(|loss| loss * 1e71).collect();
    assert!((of(&huge, &default).unwrap().chi_square - found.chi_square).abs() < 1e-9);
    let mut losses = ten.clone();
    losses[4] = f64::NAN;
    assert!(matches!(of(&losses, &default), Err(ClusteringError::Loss { row: 4, .. })));
    let option = ClusteringOptions { blocks: 1, ..default.clone() };
    assert_eq!(of(&ten, &option), Err(ClusteringError::Option { option: "blocks", value: 1 }));
    let uneven = time_clustering(&[1], &ten, &default, Level::P95, &mut Uniform(1));
    assert_eq!(uneven, Err(ClusteringError::LengthsDiffer { times: 1, losses: 10 }));
    // All at one instant: in the order given.
    assert!(time_clustering(&[5; 10], &ten, &default, Level::P95, &mut Uniform(1)).is_ok());
}

#[test]
fn trends_of_residuals_are_those_of_statsmodels() {
    for case in cases("residual_trend") {
        let found =
            residual_trend(&numbers(&case["predictions"]), &numbers(&case["residuals"]), 10, Level::P95)
                .unwrap();
        let trend = found.trend.unwrap();
        let expected = |name: &str| case[name].as_f64().unwrap();
        close(trend.slope, expected("slope"), &case["name"]);
        close(trend.standard_error, expected("standard_error"), &case["name"]);
        close(trend.p_value, expected("p_value"), &case["name"]);
        let bounds = numbers(&case["bounds"]);
        close(trend.interval.lower, bounds[0], &case["name"]);
        close(trend.interval.upper, bounds[1], &case["name"]);
        assert_eq!(found.bins.iter().map(|bin| bin.n).sum::<u64>(), found.n);
        assert!(found.bins.windows(2).all(|pair| pair[0].prediction_max < pair[1].prediction_min));
    }
}

#[test]
fn means_of_segments_are_those_of_scipy_with_bonferronis_correction() {
    for case in cases("residuals_by_segment") {
        let segments: Vec<u32> = numbers(&case["segments"]).iter().map(|&code| code as u32).collect();
        let found = residuals_by_segment(&segments, &numbers(&case["residuals"]), Level::P95).unwrap();
        let means = numbers(&case["means"]);
        for ((segment, mean), bounds) in found.iter().zip(&means).zip(case["bounds"].as_array().unwrap()) {
            let (bounds, interval) = (numbers(bounds), segment.interval.unwrap());
            close(segment.mean, *mean, &case["segments"]);
            close(interval.lower, bounds[0], &case["segments"]);
            close(interval.upper, bounds[1], &case["segments"]);
        }
        assert_eq!(found.len(), means.len());
    }
}

#[test]
fn bins_hold_together_and_trends_are_called_as_often_as_promised() {
    let windows: u32 = if cfg!(debug_assertions) { 200 } else { 1000 };
    let mut rng = Uniform(15);
    let (mut all_held, mut called) = (0, 0);
    for _ in 0..windows {
        // The spread grows with the prediction.
        let predictions: Vec<f64> = (0..200).map(|_| rng.next()).collect();
        let residuals: Vec<f64> = predictions.iter().map(|p| normal(&mut rng) * (0.2 + p)).collect();
        let found = residual_trend(&predictions, &residuals, 8, Level::P95).unwrap();
        all_held += u32::from(found.bins.iter().all(|bin| bin.interval.contains(0.0)));
        called += u32::from(found.trend.unwrap().p_value <= 0.05);
    }
    let share = |count: u32| f64::from(count) / f64::from(windows);
    assert!(share(all_held) > 0.91, "{all_held}");
    assert!((0.02..=0.085).contains(&share(called)), "{called}");
}

#[test]
fn residuals_at_the_edges_are_decided() {
    let of = |p: &[f64], r: &[f64]| residual_trend(p, r, 10, Level::P95);
    let ten: Vec<f64> = (0..10).map(f64::from).collect();
    // Two bins of five rows, and a line without residuals.
    let found = of(&ten, &ten).unwrap();
    assert_eq!(found.bins.len(), 2);
    let trend = found.trend.unwrap();
    assert!((trend.slope - 1.0).abs() < 1e-12 && trend.p_value < 1e-9);
    // All predictions alike: one bin, no trend.
    let alike = of(&[3.3; 10], &ten).unwrap();
    assert_eq!((alike.bins.len(), alike.trend, alike.bins[0].mean), (1, None, 4.5));
    // One row decides the line.
    let mut one = [0.0; 10];
    one[9] = 1.0;
    assert_eq!(of(&one, &ten).unwrap().trend, None);
    assert_eq!(of(&ten, &[0.0; 10]).unwrap().trend.unwrap().p_value, 1.0);
    assert_eq!(of(&ten[..4], &ten[..4]), Err(ResidualError::TooFewRows { n: 4, needed: 5 }));
    assert_eq!(residual_trend(&ten, &ten, 0, Level::P95), Err(ResidualError::ZeroBins));
    let mut wrong = ten.clone();
    wrong[2] = f64::NAN;
    assert!(matches!(of(&wrong, &ten), Err(ResidualError::Value { what: "prediction", row: 2, .. })));
    assert!(matches!(of(&ten, &wrong), Err(ResidualError::Value { what: "residual", row: 2, .. })));
    assert!(matches!(of(&ten, &[]), Err(ResidualError::LengthsDiffer { .. })));
    let segments = residuals_by_segment(&[4, 1, 1], &[1.0, 2.0, 4.0], Level::P95).unwrap();
    assert_eq!((segments[0].mean, segments[1].interval), (3.0, None));
    let none = residuals_by_segment(&[], &[], Level::P95);
    assert_eq!(none, Err(ResidualError::TooFewRows { n: 0, needed: 1 }));
    let huge: Vec<f64> = ten.iter().map(|value| value * 1e70).collect();
    let found = of(&huge, &huge).unwrap();
    assert!(found.trend.unwrap().interval.upper.is_finite() && found.bins[0].interval.upper.is_finite());
}

/// Each of 20 stretches has a level of its own, normal with a known spread beside that of the rows.
#[test]
fn the_interval_of_the_dispersion_covers_the_truth() {
    const WINDOWS: u32 = 300;
    let options = ClusteringOptions { permutations: 1, ..ClusteringOptions::default() };
    for spread in [0.0, 0.2, 0.5] {
        let mut uniform = Uniform(31);
        let mut covered = 0;
        for _ in 0..WINDOWS {
            let mut losses = Vec::with_capacity(1000);
            for _ in 0..20 {
                let level = spread * normal(&mut uniform);
                losses.extend((0..50).map(|_| 10.0 + level + normal(&mut uniform)));
            }
            let times: Vec<i64> = (0..1000).collect();
            let found = time_clustering(&times, &losses, &options, Level::P95, &mut uniform).unwrap();
            // The variance of a stretch's mean over that of 50 independent rows.
            let truth = (spread * spread + 1.0 / 50.0) / ((spread * spread + 1.0) / 50.0);
            covered += u32::from(found.dispersion_interval.contains(truth));
        }
        assert!((276..=300).contains(&covered), "{spread}: {covered} of {WINDOWS}");
    }
}
