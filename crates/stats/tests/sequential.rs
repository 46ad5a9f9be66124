//! The sequential tests against values from SciPy and mpmath (`testdata/reference/sequential.json`,
//! made by `make_sequential.py`), their validity counted out or simulated, and what must hold for
//! any input.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use serde_json::Value;
use stats::chi_square::{Pooling, chi_square};
use stats::false_discovery::holm;
use stats::sequential::change_mixture::ChangeMixture;
use stats::sequential::conformal::window_p_value;
use stats::sequential::e_bh::{e_bh, e_bh_adjusted};
use stats::sequential::mean_betting::{HarmfulShift, reference_mean_bound};
use stats::sequential::mixture_martingale::PowerMartingale;
use stats::sequential::running_maximum::{adjusted_log_e_value, anytime_p_value};
use stats::sequential::spending::Spending;

fn cases(name: &str) -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/reference/sequential.json");
    let mut content: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    content["cases"][name].take().as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn counts(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).collect()
}

#[track_caller]
fn close(actual: f64, expected: f64, relative: f64, what: &str) {
    let allowed = relative * expected.abs() + 1e-13;
    assert!((actual - expected).abs() <= allowed, "{what}: {actual} is not {expected}");
}

#[test]
fn window_p_values_equal_the_tails_of_their_splits() {
    for case in cases("windows") {
        let found = window_p_value(&counts(&case["before"]), &counts(&case["window"])).unwrap();
        let what = format!("{case}");
        assert_eq!(found.degrees_of_freedom, case["degrees_of_freedom"].as_u64().unwrap(), "{what}");
        close(found.statistic, case["statistic"].as_f64().unwrap(), 1e-9, &what);
        close(found.p_value / case["p_value"].as_f64().unwrap(), 1.0, 1e-8, &what);
    }
}

#[test]
fn power_mixtures_equal_mpmaths_integral() {
    for case in cases("power_mixture") {
        let (windows, log_surprise) = (case[0].as_u64().unwrap(), case[1].as_f64().unwrap());
        let capital = PowerMartingale { windows, log_surprise, log_e_max: 0.0 };
        // Differences of terms as large as the surprise, or t ln t, lose digits.
        let scale = 1.0 + log_surprise.max(windows as f64 * (1.0 + windows as f64).ln());
        let error = (capital.log_e_value() - case[2].as_f64().unwrap()).abs();
        assert!(error <= 1e-14 * scale, "{case}: off by {error}");
    }
}

#[test]
fn capitals_of_streams_equal_their_definitions() {
    for case in cases("streams") {
        let (mut power, mut change, mut spending) =
            (PowerMartingale::new(), ChangeMixture::new(), Spending::new());
        for p_value in numbers(&case["p_values"]) {
            power.update(p_value).unwrap();
            change.update(p_value).unwrap();
            spending.update(p_value).unwrap();
        }
        let expected = |key: &str| case[key].as_f64().unwrap();
        close(power.log_e_value(), expected("power"), 1e-11, "power");
        close(change.log_e_value(), expected("change"), 1e-11, "change");
        close(change.log_e_max, expected("change_max"), 1e-11, "largest change");
        close(spending.log_e_value(), expected("spending"), 1e-11, "spending");
    }
}

#[test]
fn adjusted_maxima_equal_the_closed_form() {
    for case in cases("adjuster") {
        close(adjusted_log_e_value(case[0].as_f64().unwrap()), case[1].as_f64().unwrap(), 1e-12, "adjuster");
    }
}

#[test]
fn e_bh_equals_its_literal_definition() {
    for case in cases("e_bh") {
        let log_e_values: Vec<f64> = numbers(&case["e_values"]).iter().map(|e| e.ln()).collect();
        let adjusted = e_bh_adjusted(&log_e_values);
        for (found, expected) in adjusted.iter().zip(numbers(&case["adjusted"])) {
            close(*found, expected, 1e-12, "adjusted");
        }
    }
}

#[test]
fn bets_on_a_mean_equal_the_product_row_by_row() {
    for case in cases("mean_betting") {
        let points = |value: &Value| numbers(value).into_iter().map(|loss| (loss, 1)).collect::<Vec<_>>();
        let (tolerance, alpha) = (case["tolerance"].as_f64().unwrap(), case["alpha"].as_f64().unwrap());
        let mut shift =
            HarmfulShift::against_reference(&points(&case["reference"]), tolerance, alpha).unwrap();
        close(shift.mean_bound, case["mean_bound"].as_f64().unwrap(), 1e-12, "bound");
        for (week, expected) in case["weeks"].as_array().unwrap().iter().zip(numbers(&case["log_e_values"])) {
            shift.update(&points(week)).unwrap();
            close(shift.log_e_value(), expected, 1e-9, "capital");
        }
    }
}

fn ways(n: u64, k: u64) -> f64 {
    (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product()
}

/// All ways to take `drawn` rows from the cells of a bag, with their probabilities.
fn every_draw(bag: &[u64], drawn: u64) -> Vec<(Vec<u64>, f64)> {
    let Some((&first, rest)) = bag.split_first() else {
        return if drawn == 0 { vec![(vec![], 1.0)] } else { vec![] };
    };
    (0..=first.min(drawn))
        .flat_map(|taken| {
            let draws = every_draw(rest, drawn - taken);
            draws.into_iter().map(move |(mut window, weight)| {
                window.insert(0, taken);
                (window, weight * ways(first, taken))
            })
        })
        .collect()
}

/// Checks `P(p ≤ u) ≤ u` for all `u` that occur, from all p-values with their probabilities.
#[track_caller]
fn never_too_often_small(mut found: Vec<(f64, f64)>) {
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut probability = 0.0;
    for (i, (p_value, weight)) in found.iter().enumerate() {
        probability += weight;
        if found.get(i + 1).is_none_or(|next| next.0 > *p_value) {
            assert!(probability <= p_value * (1.0 + 1e-9), "{probability} at {p_value}");
        }
    }
    assert!((probability - 1.0).abs() < 1e-9, "{probability}");
}

/// The claim on which all else rests, checked by counting every window that a bag can give.
#[test]
fn window_p_values_are_never_more_often_small_than_they_say() {
    for (bag, drawn) in [
        (vec![25, 23, 21, 31], 22_u64),
        (vec![40, 12, 9, 6, 3], 30),
        (vec![60, 15], 20),
        (vec![11, 11, 11, 11, 11], 25),
    ] {
        let all: u64 = bag.iter().sum();
        let p_value = |window: &[u64]| {
            let before: Vec<u64> = bag.iter().zip(window).map(|(all, window)| all - window).collect();
            window_p_value(&before, window).unwrap().p_value
        };
        let draws = every_draw(&bag, drawn).into_iter();
        never_too_often_small(draws.map(|(w, weight)| (p_value(&w), weight / ways(all, drawn))).collect());
    }
}

/// The same for bins that are cut at the reference's own quantiles, over all ways in which the
/// window's rows can fall between the reference's.
#[test]
fn cutting_at_the_references_quantiles_keeps_window_p_values_valid() {
    for (before, rows) in [(vec![20_u64, 20, 20, 20], 24_u64), (vec![30, 10, 25], 40), (vec![15, 60], 30)] {
        let all = before.iter().sum::<u64>() + rows;
        let last = before.len() - 1;
        // A bin ends with a row of the reference, the last one does not.
        let places = |bin: usize, window: u64| before[bin] + window - u64::from(bin < last);
        let windows = every_draw(&vec![rows; before.len()], rows).into_iter().map(|(window, _)| window);
        let weigh = |window: &[u64]| -> f64 {
            window.iter().enumerate().map(|(bin, &w)| ways(places(bin, w), w)).product()
        };
        let found = windows.map(|window| {
            (window_p_value(&before, &window).unwrap().p_value, weigh(&window) / ways(all, rows))
        });
        never_too_often_small(found.collect());
    }
}

/// With rows enough, the splits add up to Pearson's statistic.
#[test]
fn the_splits_of_many_rows_are_nearly_pearsons_statistic() {
    for case in cases("windows") {
        let (before, window) = (counts(&case["before"]), counts(&case["window"]));
        let pearson = chi_square(&before, &window, Pooling::None).unwrap();
        if pearson.expected_min > 40.0 && pearson.degrees_of_freedom > 0 {
            let found = window_p_value(&before, &window).unwrap();
            let scale = pearson.statistic.max(pearson.degrees_of_freedom as f64);
            assert!((found.statistic - pearson.statistic).abs() < 0.15 * scale, "{found:?} {pearson:?}");
        }
    }
}

/// Knuth's MMIX constants, for simulations.
struct Uniform(u64);

impl Uniform {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn counts(&mut self, rows: u32, edges: &[f64]) -> Vec<u64> {
        let mut counts = vec![0; edges.len() + 1];
        for _ in 0..rows {
            let x = self.next();
            counts[edges.partition_point(|&edge| edge < x)] += 1;
        }
        counts
    }
}

/// Ville's inequality from rows to capital, with a small reference that all windows share, small
/// windows and rare cells: the hardest case for anything asymptotic.
#[test]
fn few_unchanged_streams_ever_reach_twenty() {
    let mut uniform = Uniform(7);
    let edges = [0.3, 0.55, 0.75, 0.87, 0.94, 0.97, 0.985, 0.995];
    let (mut power_alarms, mut change_alarms) = (0, 0);
    for _ in 0..2000 {
        let mut before = uniform.counts(150, &edges);
        let (mut power, mut change) = (PowerMartingale::new(), ChangeMixture::new());
        for _ in 0..40 {
            let window = uniform.counts(60, &edges);
            let p_value = window_p_value(&before, &window).unwrap().p_value;
            power.update(p_value).unwrap();
            change.update(p_value).unwrap();
            before.iter_mut().zip(&window).for_each(|(before, window)| *before += window);
        }
        power_alarms += u32::from(power.anytime_p_value() <= 0.05);
        change_alarms += u32::from(change.anytime_p_value() <= 0.05);
    }
    // 100 expected at most, ten standard deviation; three of them for the luck of the seed.
    assert!(power_alarms <= 130 && change_alarms <= 130, "{power_alarms} {change_alarms}");
}

/// Exactly uniform p-values, where the inequality is nearly sharp.
#[test]
fn uniform_p_values_reach_twenty_about_as_often_as_ville_allows() {
    let mut uniform = Uniform(11);
    let mut alarms = [0_u32; 3];
    for _ in 0..4000 {
        let (mut power, mut change, mut spending) =
            (PowerMartingale::new(), ChangeMixture::new(), Spending::new());
        for _ in 0..100 {
            let p_value = uniform.next();
            power.update(p_value).unwrap();
            change.update(p_value).unwrap();
            spending.update(p_value).unwrap();
        }
        let p_values = [power.anytime_p_value(), change.anytime_p_value(), spending.anytime_p_value()];
        alarms.iter_mut().zip(p_values).for_each(|(alarms, p)| *alarms += u32::from(p <= 0.05));
    }
    assert!(alarms.iter().all(|&alarms| alarms <= 245), "{alarms:?}");
}

#[test]
fn unchanged_losses_seldom_reach_twenty() {
    let mut uniform = Uniform(13);
    let mut alarms = 0;
    for _ in 0..1000 {
        let mut shift = HarmfulShift::above(0.1).unwrap();
        for _ in 0..50 {
            let wrong = (0..40).filter(|_| uniform.next() < 0.1).count() as u64;
            shift.update(&[(1.0, wrong), (0.0, 40 - wrong)]).unwrap();
        }
        alarms += u32::from(shift.anytime_p_value() <= 0.05);
    }
    assert!(alarms <= 71, "{alarms}");
}

/// A late change: the mixture over its beginning is why it shows at once.
#[test]
fn a_late_change_shows_sooner_in_the_change_mixture() {
    let (mut power, mut change) = (PowerMartingale::new(), ChangeMixture::new());
    for window in 0..110 {
        let p_value = if window < 104 { 0.5 } else { 1e-4 };
        power.update(p_value).unwrap();
        change.update(p_value).unwrap();
    }
    assert!(change.anytime_p_value() < 1e-6 && power.anytime_p_value() > 0.1);
}

fn p_values() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(prop_oneof![0.0..=1.0_f64, Just(1.0), Just(0.0), Just(1e-20)], 1..40)
}

fn log_e_values() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(prop_oneof![-5.0..12.0_f64, Just(f64::NAN), Just(f64::NEG_INFINITY)], 0..30)
}

proptest! {
    #[test]
    fn a_smaller_p_value_never_earns_less(p_values in p_values(), at in 0_usize..40, factor in 0.0..1.0_f64) {
        let mut smaller = p_values.clone();
        let at = at % smaller.len();
        smaller[at] *= factor;
        let run = |p_values: &[f64]| {
            let (mut power, mut change, mut spending) = (PowerMartingale::new(), ChangeMixture::new(), Spending::new());
            for &p in p_values {
                power.update(p).unwrap();
                change.update(p).unwrap();
                spending.update(p).unwrap();
            }
            [power.log_e_value(), change.log_e_value(), spending.log_e_value(), power.log_e_max, change.log_e_max]
        };
        for (more, less) in run(&smaller).into_iter().zip(run(&p_values)) {
            prop_assert!(more >= less - 1e-9 * less.abs().max(1.0), "{} {}", more, less);
        }
    }

    #[test]
    fn an_adjusted_maximum_is_no_more_than_the_maximum_and_does_not_fall(log in 0.0..700.0_f64, more in 0.0..50.0_f64) {
        prop_assert!(adjusted_log_e_value(log) <= log);
        prop_assert!(adjusted_log_e_value(log + more) >= adjusted_log_e_value(log) - 1e-12);
        prop_assert!(anytime_p_value(log + more) <= anytime_p_value(log));
    }

    #[test]
    fn e_bh_calls_what_its_adjusted_values_say_and_more_for_a_larger_budget(
        log_e_values in log_e_values(), alpha in 0.001..0.5_f64, more in 1.0..2.0_f64
    ) {
        let called = e_bh(&log_e_values, alpha);
        let k = log_e_values.len() as f64;
        let count = called.iter().filter(|&&c| c).count() as f64;
        for ((&log_e, &called), more) in log_e_values.iter().zip(&called).zip(e_bh(&log_e_values, alpha * more)) {
            prop_assert!(!called || (log_e.exp() * alpha * count >= k * (1.0 - 1e-9) && more));
        }
    }

    /// e-BH on plain e-values calls at least what Holm calls on their reciprocals.
    #[test]
    fn e_bh_calls_no_less_than_holm(log_e_values in log_e_values()) {
        let p_values: Vec<f64> = log_e_values.iter().map(|&log| anytime_p_value(log)).collect();
        for (e_bh, holm) in e_bh_adjusted(&log_e_values).into_iter().zip(holm(&p_values)) {
            prop_assert!(e_bh <= holm * (1.0 + 1e-9), "{} {}", e_bh, holm);
        }
    }

    #[test]
    fn any_counts_give_a_p_value(cells in prop::collection::vec((0_u64..90, 0_u64..30), 1..40)) {
        let (before, window): (Vec<u64>, Vec<u64>) = cells.into_iter().unzip();
        if before.iter().sum::<u64>() > 0 && window.iter().sum::<u64>() > 0 {
            let found = window_p_value(&before, &window).unwrap();
            prop_assert!(found.p_value > 0.0 && found.p_value <= 1.0);
            prop_assert!(found.statistic >= 0.0 && found.statistic.is_finite());
        }
    }

    #[test]
    fn more_loss_earns_more(losses in prop::collection::vec(0.0..=1.0_f64, 1..30), by in 0.0..=1.0_f64, bound in 0.01..0.99_f64) {
        let run = |losses: Vec<(f64, u64)>| {
            let mut shift = HarmfulShift::above(bound).unwrap();
            shift.update(&losses).unwrap();
            shift.log_e_value()
        };
        let worse = losses.iter().map(|&loss| (loss + by * (1.0 - loss), 3)).collect();
        prop_assert!(run(worse) >= run(losses.into_iter().map(|loss| (loss, 3)).collect()) - 1e-9);
    }

    #[test]
    fn the_bound_of_a_mean_is_above_it_and_falls_with_the_budget(losses in prop::collection::vec((0.0..=1.0_f64, 1_u64..50), 2..30), alpha in 0.001..0.5_f64) {
        let bound = reference_mean_bound(&losses, alpha).unwrap();
        let rows: u64 = losses.iter().map(|l| l.1).sum();
        let mean = losses.iter().map(|&(loss, rows)| loss * rows as f64).sum::<f64>() / rows as f64;
        prop_assert!(bound >= mean - 1e-12 && bound <= 1.0);
        prop_assert!(reference_mean_bound(&losses, alpha * 1.5).unwrap() <= bound);
    }
}
