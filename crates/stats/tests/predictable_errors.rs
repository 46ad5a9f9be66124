//! Predictable errors: how often chance is called a structure, how often a structure is found, and what
//! is decided at the edges.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod uniform;

use stats::interval::{IntervalMethod, Level};
use stats::learn::{Column, Features, Options};
use stats::predictable_errors::{
    PredictableError, PredictableOptions, predictable_losses, predictable_mistakes, predictable_residuals,
};
use uniform::Uniform;

/// Few small trees, so that many windows can be simulated.
fn quick() -> PredictableOptions {
    let default = PredictableOptions::default();
    let learner = Options { trees: 15, leaves_max: 4, ..default.learner };
    PredictableOptions { learner, permutations: 199, ..default }
}

/// Uniform columns, and as rows.
fn table(rows: usize, rng: &mut Uniform) -> (Features, Vec<[f64; 3]>) {
    let drawn: Vec<[f64; 3]> = (0..rows).map(|_| rng.many()).collect();
    let column = |at: usize| Column::Numeric(drawn.iter().map(|row| row[at]).collect());
    (Features::new((0..3).map(column).collect()).unwrap(), drawn)
}

/// Fewer than the 3,000 behind the shares that the documentation names.
fn windows() -> u32 {
    if cfg!(debug_assertions) { 30 } else { 200 }
}

/// What a share of windows may be above the level of 5 %: three standard deviations.
fn most() -> f64 {
    0.05 + 3.0 * (0.05 * 0.95 / f64::from(windows())).sqrt()
}

/// The share of windows that are called at 5 %.
fn called(mut p_value: impl FnMut(&mut Uniform) -> f64) -> f64 {
    let mut rng = Uniform(77);
    f64::from((0..windows()).map(|_| u32::from(p_value(&mut rng) <= 0.05)).sum::<u32>())
        / f64::from(windows())
}

#[test]
fn mistakes_anywhere_are_seldom_called_predictable_and_those_with_a_place_are() {
    let p_value = |strength: f64| {
        move |rng: &mut Uniform| {
            let (features, rows) = table(300, rng);
            let wrong: Vec<bool> =
                rows.iter().map(|row| rng.next() < if row[0] > 0.8 { 0.2 + strength } else { 0.2 }).collect();
            predictable_mistakes(&features, &wrong, &quick(), Level::P95, rng)
                .map_or(1.0, |found| found.p_value)
        }
    };
    let (none, planted) = (called(p_value(0.0)), called(p_value(0.4)));
    assert!(none <= most() && planted > 0.7, "{none} {planted}");
}

#[test]
fn losses_of_any_size_are_seldom_called_predictable_and_those_with_a_place_are() {
    let p_value = |strength: f64| {
        move |rng: &mut Uniform| {
            let (features, rows) = table(300, rng);
            // Heavy-tailed.
            let losses: Vec<f64> =
                rows.iter().map(|row| (1.0 + strength * row[1]) / (1.0 - rng.next()).powf(0.3)).collect();
            predictable_losses(&features, &losses, &quick(), Level::P95, rng).unwrap().p_value
        }
    };
    let (none, planted) = (called(p_value(0.0)), called(p_value(2.0)));
    assert!(none <= most() && planted > 0.8, "{none} {planted}");
}

#[test]
fn calibrated_scores_are_seldom_called_systematically_wrong_and_those_that_miss_a_feature_are() {
    for (rows, base) in [(300, 0.2), (1000, 0.02)] {
        let p_value = |missed: f64| {
            move |rng: &mut Uniform| {
                let (features, drawn) = table(rows, rng);
                let scores: Vec<f64> = drawn.iter().map(|row| base + 0.5 * base * row[0]).collect();
                let residuals: Vec<f64> = drawn
                    .iter()
                    .zip(&scores)
                    .map(|(row, score)| {
                        let truth = score + missed * (row[2] - 0.5);
                        f64::from(u8::from(rng.next() < truth)) - score
                    })
                    .collect();
                let options = quick();
                predictable_residuals(&features, &scores, &residuals, &options, Level::P95, rng)
                    .unwrap()
                    .p_value
            }
        };
        let none = called(p_value(0.0));
        assert!(none <= most(), "{rows}: {none}");
        if rows == 300 {
            let planted = called(p_value(0.4));
            assert!(planted > 0.6, "{planted}");
        }
    }
}

#[test]
fn residuals_of_numbers_are_seldom_called_systematic_though_their_spread_depends_on_features() {
    let none = called(|rng| {
        let (features, rows) = table(300, rng);
        let residuals: Vec<f64> =
            rows.iter().map(|row| (rng.many::<12>().iter().sum::<f64>() - 6.0) * (0.1 + row[0])).collect();
        let predictions: Vec<f64> = rows.iter().map(|row| row[1]).collect();
        predictable_residuals(&features, &predictions, &residuals, &quick(), Level::P95, rng).unwrap().p_value
    });
    assert!(none <= most(), "{none}");
}

#[test]
fn what_is_explained_is_what_was_planted_and_the_column_is_named() {
    let mut rng = Uniform(5);
    let (features, rows) = table(4000, &mut rng);
    // Variance 1/12 of 9 · (1/12), with noise of variance 1/12 times 9: half.
    let losses: Vec<f64> = rows.iter().map(|row| 3.0 * row[1] + 3.0 * rng.next()).collect();
    let options = PredictableOptions::default();
    let found = predictable_losses(&features, &losses, &options, Level::P95, &mut rng).unwrap();
    assert!((found.explained - 0.5).abs() < 0.03, "{found:?}");
    assert!(found.interval.contains(found.explained) && found.p_value < 1e-6);
    assert_eq!(found.columns[0].column, 1);
    assert!(found.columns[0].drop > 0.5 && found.columns[1].drop.abs() < 0.02);

    // Wrong with probability x: positives have density 2x, negatives 2(1 − x), so that the area of x is 5/6.
    let wrong: Vec<bool> = rows.iter().map(|row| rng.next() < row[2]).collect();
    let found = predictable_mistakes(&features, &wrong, &options, Level::P95, &mut rng).unwrap();
    assert!((found.area - 5.0 / 6.0).abs() < 0.02, "{found:?}");
    assert!(found.interval.contains(5.0 / 6.0) && found.columns[0].column == 2);

    // A score of ½ where x is the probability: residuals of mean square ¼, of which 1/12 is explained.
    let residuals: Vec<f64> = wrong.iter().map(|&wrong| f64::from(u8::from(wrong)) - 0.5).collect();
    let found =
        predictable_residuals(&features, &vec![0.5; 4000], &residuals, &options, Level::P95, &mut rng)
            .unwrap();
    assert!((found.explained - 1.0 / 3.0).abs() < 0.03 && found.p_value < 1e-6, "{found:?}");
    assert_eq!((found.columns.len(), found.columns[0].column), (4, 2));
    assert!(found.interval.contains(1.0 / 3.0));
}

#[test]
fn features_that_tell_nothing_predict_nothing() {
    let columns = vec![Column::Numeric(vec![1.0; 200]), Column::Numeric(vec![f64::NAN; 200])];
    let features = Features::new(columns).unwrap();
    let wrong: Vec<bool> = (0..200).map(|row| row % 3 == 0).collect();
    let options = PredictableOptions::default();
    let found = predictable_mistakes(&features, &wrong, &options, Level::P95, &mut Uniform(1)).unwrap();
    assert_eq!((found.area, found.p_value, found.wrong), (0.5, 1.0, 67));
    assert_eq!(found.interval.method, IntervalMethod::WilsonOfPairs);
    let losses: Vec<f64> = (0..200).map(|row| f64::from(row % 7)).collect();
    let found = predictable_losses(&features, &losses, &options, Level::P95, &mut Uniform(1)).unwrap();
    assert_eq!((found.explained, found.p_value), (0.0, 1.0));
    assert!(found.columns.iter().all(|column| column.drop == 0.0));
}

#[test]
fn what_cannot_be_predicted_is_refused_with_the_reason() {
    let features = |rows: usize| Features::new(vec![Column::Numeric(vec![0.0; rows])]).unwrap();
    let options = PredictableOptions::default();
    let level = Level::P95;
    let mistakes = |wrong: &[bool], options: &PredictableOptions| {
        predictable_mistakes(&features(wrong.len()), wrong, options, level, &mut Uniform(1)).unwrap_err()
    };
    let too_few = |what, n| PredictableError::TooFewRows { what, n, needed: 50 };
    assert_eq!(mistakes(&[true; 10], &options), too_few("wrong answers", 10));
    assert_eq!(mistakes(&[false; 100], &options), too_few("wrong answers", 0));
    assert_eq!(mistakes(&[true; 100], &options), too_few("right answers", 0));
    let one = PredictableOptions { folds: 1, ..options };
    assert_eq!(mistakes(&[true; 100], &one), PredictableError::TooFewFolds { folds: 1 });
    let none = PredictableOptions { permutations: 0, ..options };
    assert_eq!(mistakes(&[true; 100], &none), PredictableError::ZeroPermutations);
    let losses = |losses: &[f64]| {
        predictable_losses(&features(losses.len()), losses, &options, level, &mut Uniform(1)).unwrap_err()
    };
    assert_eq!(losses(&[1.0; 10]), too_few("rows", 10));
    assert_eq!(losses(&[0.3; 100]), PredictableError::NothingVaries);
    let mut with_nan = vec![0.5; 100];
    with_nan[9] = f64::NAN;
    assert!(matches!(losses(&with_nan), PredictableError::Value { what: "loss", row: 9, .. }));
    let residuals = |predictions: &[f64], residuals: &[f64]| {
        let features = features(100);
        predictable_residuals(&features, predictions, residuals, &options, level, &mut Uniform(1))
            .unwrap_err()
    };
    assert_eq!(residuals(&[0.5; 100], &[0.0; 100]), PredictableError::NothingLeft);
    assert!(matches!(residuals(&with_nan, &[0.1; 100]), PredictableError::Value { what: "prediction", .. }));
    assert!(matches!(residuals(&[0.1; 9], &[0.1; 100]), PredictableError::LengthsDiffer { values: 9, .. }));
}
