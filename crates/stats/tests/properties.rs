//! What must hold for any input: symmetry, bounds, order of rows, merging; and the regression that
//! the bins exist for.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use stats::bins::QuantileBins;
use stats::chi_square::{Pooling, chi_square};
use stats::classification::average_precision::average_precision;
use stats::classification::brier::brier_score;
use stats::classification::calibration::reliability;
use stats::classification::log_loss::log_loss;
use stats::classification::roc_auc::roc_auc;
use stats::classification::{Estimate, Undefined};
use stats::ecdf::Ecdf;
use stats::false_discovery::{benjamini_hochberg, holm};
use stats::interval::Level;
use stats::jensen_shannon::{jensen_shannon_distance, jensen_shannon_expected_no_drift};
use stats::kolmogorov_smirnov::kolmogorov_smirnov;
use stats::labelled_scores::LabelledScores;
use stats::proportion::{Proportion, two_proportion_z_test, wilson_interval};
use stats::psi::{Smoothing, psi, psi_expected_no_drift};
use stats::special::normal_quantile;
use stats::wasserstein::wasserstein;

fn ecdf(values: &[f64]) -> Ecdf {
    Ecdf::from_values(&mut values.to_vec()).unwrap()
}

/// Normal quantiles on an even grid: a sample without randomness.
fn normal_column(rows: u32, mean: f64) -> Vec<f64> {
    let share = |i: u32| (f64::from(i) + 0.5) / f64::from(rows);
    (0..rows).map(|i| mean + normal_quantile(share(i))).collect()
}

/// With bins between the joint minimum and maximum, one outlier stretches them until both windows
/// fall into the same one, and a shift of three standard deviations reads as none.
#[test]
fn one_outlier_does_not_hide_a_shift_of_three_standard_deviations() {
    let reference = ecdf(&normal_column(2000, 0.0));
    let mut shifted = normal_column(2000, 3.0);
    let without = ecdf(&shifted);
    shifted[1000] = 1e4;
    let with = ecdf(&shifted);
    let bins = QuantileBins::from_reference(&reference, 10).unwrap();
    let counts = |side: &Ecdf| bins.counts(side);
    for current in [&without, &with] {
        let drift = psi(&counts(&reference), &counts(current), Smoothing::default()).unwrap();
        let distance = jensen_shannon_distance(&counts(&reference), &counts(current)).unwrap();
        assert!(drift > 3.0, "{drift}");
        assert!(distance > 0.6, "{distance}");
        assert!(drift > 50.0 * psi_expected_no_drift(&counts(&reference), &counts(current)));
    }
    // The shifted row was in the last bin already, and a far outlier is no further than that.
    assert_eq!(counts(&with), counts(&without));
}

/// A small generator (Knuth's MMIX constants) for simulations.
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

#[test]
fn the_expected_values_without_drift_are_those_of_simulated_windows() {
    let mut uniform = Uniform(99);
    for (edges, n, m) in [
        (vec![0.5], 400, 300),
        (vec![0.1, 0.3, 0.6], 1000, 200),
        ((1..20).map(|i| f64::from(i) / 20.0).collect(), 2000, 1500),
    ] {
        let (mut psi_mean, mut psi_told, mut js_mean, mut js_told) = (0.0, 0.0, 0.0, 0.0);
        for _ in 0..1000 {
            let reference = uniform.counts(n, &edges);
            let current = uniform.counts(m, &edges);
            psi_mean += psi(&reference, &current, Smoothing::default()).unwrap() / 1000.0;
            psi_told += psi_expected_no_drift(&reference, &current) / 1000.0;
            js_mean += jensen_shannon_distance(&reference, &current).unwrap() / 1000.0;
            js_told += jensen_shannon_expected_no_drift(&reference, &current) / 1000.0;
        }
        assert!((psi_mean / psi_told - 1.0).abs() < 0.15, "{psi_mean} {psi_told}");
        assert!((js_mean / js_told - 1.0).abs() < 0.1, "{js_mean} {js_told}");
    }
}

/// Numbers with ties, signed zeros, infinities and far outliers.
fn column() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![
        5 => (-5_i8..5).prop_map(f64::from),
        4 => -3.0..3.0_f64,
        1 => prop_oneof![Just(-0.0), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(1e300)],
    ];
    prop::collection::vec(value, 1..60)
}

fn finite_column() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(prop_oneof![(-5_i8..5).prop_map(f64::from), -3.0..3.0_f64], 1..60)
}

fn pair_of_counts() -> impl Strategy<Value = (Vec<u64>, Vec<u64>)> {
    let counts = prop::collection::vec((0_u64..40, 0_u64..40), 1..12);
    counts
        .prop_map(|pairs| pairs.into_iter().unzip())
        .prop_filter("a side without rows", |(r, c): &(Vec<u64>, Vec<u64>)| {
            r.iter().sum::<u64>() > 0 && c.iter().sum::<u64>() > 0
        })
}

fn rows() -> impl Strategy<Value = Vec<(f64, bool)>> {
    let score = prop_oneof![0.0..=1.0_f64, (0_u8..=4).prop_map(|i| f64::from(i) / 4.0)];
    prop::collection::vec((score, any::<bool>()), 0..80)
}

fn scores(rows: &[(f64, bool)]) -> LabelledScores {
    LabelledScores::from_pairs(rows.iter().copied()).unwrap()
}

fn sound(estimate: &Estimate, least: f64, most: f64) -> bool {
    let Estimate { value, interval, .. } = estimate;
    interval.contains(*value) && least <= interval.lower && interval.upper <= most
}

proptest! {
    #[test]
    fn an_ecdf_does_not_depend_on_the_order_of_rows(values in column()) {
        let mut reversed: Vec<f64> = values.iter().rev().copied().collect();
        prop_assert_eq!(ecdf(&values), Ecdf::from_values(&mut reversed).unwrap());
        let weighted = values.iter().map(|&v| (v, 1)).collect();
        prop_assert_eq!(ecdf(&values), Ecdf::from_weighted(weighted, 0).unwrap());
    }

    #[test]
    fn quantiles_invert_the_counts(values in column(), p in 0.0..=1.0_f64) {
        let ecdf = ecdf(&values);
        let q = ecdf.quantile(p).unwrap();
        prop_assert!(ecdf.count_le(q) as f64 >= p * ecdf.n() as f64 - 1e-9);
        prop_assert!((ecdf.count_lt(q) as f64) < p * ecdf.n() as f64 + 1e-9 || ecdf.count_lt(q) == 0);
        prop_assert_eq!(ecdf.points().map(|(_, count)| count).sum::<u64>(), ecdf.n());
    }

    #[test]
    fn bin_counts_add_up_whatever_the_current_window_holds(
        reference in column(), current in column(), bins in 1_usize..20,
    ) {
        let (reference, current) = (ecdf(&reference), ecdf(&current));
        prop_assume!(!reference.finite().is_empty());
        let bins = QuantileBins::from_reference(&reference, bins).unwrap();
        for side in [&reference, &current] {
            let counts = bins.counts(side);
            prop_assert_eq!(counts.len(), bins.len());
            prop_assert_eq!(counts.iter().sum::<u64>(), side.n());
        }
        prop_assert!(bins.edges().is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn psi_is_symmetric_not_negative_and_blind_to_the_order_of_bins(
        (reference, current) in pair_of_counts(),
    ) {
        let smoothing = Smoothing::default();
        let value = psi(&reference, &current, smoothing).unwrap();
        prop_assert!(value >= 0.0 && value.is_finite());
        let swapped = psi(&current, &reference, smoothing).unwrap();
        prop_assert!((value - swapped).abs() <= 1e-12 * (1.0 + value));
        let reversed = |counts: &[u64]| counts.iter().rev().copied().collect::<Vec<_>>();
        let backwards = psi(&reversed(&reference), &reversed(&current), smoothing).unwrap();
        prop_assert!((value - backwards).abs() <= 1e-12 * (1.0 + value));
    }

    #[test]
    fn jensen_shannon_is_symmetric_and_lies_in_zero_to_one(
        (reference, current) in pair_of_counts(),
    ) {
        let value = jensen_shannon_distance(&reference, &current).unwrap();
        prop_assert!((0.0..=1.0).contains(&value));
        let swapped = jensen_shannon_distance(&current, &reference).unwrap();
        prop_assert!((value - swapped).abs() < 1e-7);
        let expected = jensen_shannon_expected_no_drift(&reference, &current);
        prop_assert!((0.0..=1.0).contains(&expected));
    }

    #[test]
    fn chi_square_is_symmetric_and_its_sizes_lie_in_zero_to_one(
        (reference, current) in pair_of_counts(),
    ) {
        for pooling in [Pooling::None, Pooling::default()] {
            let (a, b) = (
                chi_square(&reference, &current, pooling),
                chi_square(&current, &reference, pooling),
            );
            prop_assert_eq!(a.is_ok(), b.is_ok());
            let (Ok(a), Ok(b)) = (a, b) else { continue };
            prop_assert!((a.statistic - b.statistic).abs() < 1e-9 * (1.0 + a.statistic));
            prop_assert_eq!((a.pooled, a.degrees_of_freedom), (b.pooled, b.degrees_of_freedom));
            for size in [a.p_value, a.cramers_v, a.cramers_v_corrected] {
                prop_assert!((0.0..=1.0).contains(&size));
            }
        }
    }

    #[test]
    fn kolmogorov_smirnov_is_symmetric_and_bounded(a in column(), b in column()) {
        let (a, b) = (ecdf(&a), ecdf(&b));
        let (test, swapped) = (kolmogorov_smirnov(&a, &b).unwrap(), kolmogorov_smirnov(&b, &a).unwrap());
        prop_assert_eq!(test.statistic, swapped.statistic);
        prop_assert!((test.p_value - swapped.p_value).abs() < 1e-10);
        prop_assert!((0.0..=1.0).contains(&test.statistic) && (0.0..=1.0).contains(&test.p_value));
    }

    #[test]
    fn wasserstein_is_symmetric_and_a_shift_moves_it_by_the_shift(
        a in finite_column(), b in finite_column(), shift in -10.0..10.0_f64,
    ) {
        let shifted: Vec<f64> = a.iter().map(|v| v + shift).collect();
        let found = wasserstein(&ecdf(&a), &ecdf(&shifted)).unwrap().distance;
        prop_assert!((found - shift.abs()).abs() < 1e-9);
        let (a, b) = (ecdf(&a), ecdf(&b));
        let (there, back) = (wasserstein(&a, &b).unwrap(), wasserstein(&b, &a).unwrap());
        prop_assert!((there.distance - back.distance).abs() < 1e-12);
        prop_assert!(there.distance >= 0.0);
    }

    #[test]
    fn intervals_of_proportions_hold_their_value(
        (s, n) in (1_u64..5000).prop_flat_map(|n| (0..=n, Just(n))),
        (t, m) in (1_u64..5000).prop_flat_map(|n| (0..=n, Just(n))),
        level in 0.01..0.999_f64,
    ) {
        let level = Level::new(level).unwrap();
        let interval = wilson_interval(s, n, level).unwrap();
        prop_assert!(interval.contains(s as f64 / n as f64));
        prop_assert!(0.0 <= interval.lower && interval.upper <= 1.0);
        let (p, q) = (Proportion::new(s, n).unwrap(), Proportion::new(t, m).unwrap());
        let (test, swapped) = (two_proportion_z_test(p, q, level), two_proportion_z_test(q, p, level));
        prop_assert!(test.interval.contains(test.difference));
        prop_assert!((test.z + swapped.z).abs() < 1e-9 && (0.0..=1.0).contains(&test.p_value));
    }

    #[test]
    fn adjusted_p_values_keep_the_order_and_holm_is_the_stricter(
        p_values in prop::collection::vec(0.0..=1.0_f64, 0..40),
    ) {
        let (bh, holm) = (benjamini_hochberg(&p_values), holm(&p_values));
        for i in 0..p_values.len() {
            prop_assert!(p_values[i] <= bh[i] && bh[i] <= holm[i] + 1e-15 && holm[i] <= 1.0);
            for j in 0..p_values.len() {
                prop_assert!(p_values[i] > p_values[j] || bh[i] <= bh[j] && holm[i] <= holm[j]);
            }
        }
    }

    #[test]
    fn merging_parts_of_labelled_scores_equals_the_whole(rows in rows(), cut in 0_usize..80) {
        let (first, second) = rows.split_at(cut.min(rows.len()));
        let mut merged = scores(first);
        merged.merge(&scores(second)).unwrap();
        prop_assert_eq!(&merged, &scores(&rows));
        let mut other_way = scores(second);
        other_way.merge(&scores(first)).unwrap();
        prop_assert_eq!(merged, other_way);
    }

    #[test]
    fn merging_and_rounding_may_be_swapped(rows in rows(), cut in 0_usize..80) {
        let (first, second) = rows.split_at(cut.min(rows.len()));
        let mut merged = scores(first).rounded_to(0.1).unwrap();
        merged.merge(&scores(second).rounded_to(0.1).unwrap()).unwrap();
        let whole = scores(&rows).rounded_to(0.1).unwrap();
        prop_assert_eq!(merged.points().collect::<Vec<_>>(), whole.points().collect::<Vec<_>>());
    }

    #[test]
    fn every_metric_is_bounded_inside_its_interval_or_says_why_not(rows in rows()) {
        let scores = scores(&rows);
        let unit = [roc_auc, average_precision, brier_score];
        for metric in unit {
            match metric(&scores, Level::P95) {
                Ok(estimate) => prop_assert!(sound(&estimate, 0.0, 1.0), "{estimate:?}"),
                Err(Undefined::NoRows) => prop_assert!(rows.is_empty()),
                Err(_) => {}
            }
        }
        if let Ok(loss) = log_loss(&scores, Level::P95) {
            prop_assert!(sound(&loss.estimate, 0.0, 37.0));
        }
    }

    #[test]
    fn turning_scores_and_outcomes_round_keeps_the_area(rows in rows()) {
        // On a grid that 1 − s maps onto itself, so that no tie is made or lost.
        let grid = |s: f64| (s * 64.0).round() / 64.0;
        let there: Vec<_> = rows.iter().map(|&(s, y)| (grid(s), y)).collect();
        let back: Vec<_> = there.iter().map(|&(s, y)| (1.0 - s, !y)).collect();
        if let Ok(area) = roc_auc(&scores(&there), Level::P95) {
            let turned = roc_auc(&scores(&back), Level::P95).unwrap();
            prop_assert!((area.value - turned.value).abs() < 1e-12);
            prop_assert!((area.interval.lower - turned.interval.lower).abs() < 1e-9);
        }
    }

    #[test]
    fn reliability_bins_hold_every_row_once_and_never_part_ties(rows in rows(), bins in 1_usize..15) {
        let scores = scores(&rows);
        let Ok(found) = reliability(&scores, bins, Level::P95) else {
            prop_assert!(rows.is_empty());
            return Ok(());
        };
        prop_assert!(found.len() <= bins);
        prop_assert_eq!(found.iter().map(|bin| bin.n).sum::<u64>(), scores.n());
        prop_assert_eq!(found.iter().map(|bin| bin.positives).sum::<u64>(), scores.positives_total());
        prop_assert!(found.windows(2).all(|pair| pair[0].score_max < pair[1].score_min));
        for bin in &found {
            prop_assert!(bin.n > 0 && bin.interval.contains(bin.outcome_share));
        }
    }
}
