//! Metrics of two versions on the same rows, each with its interval, and their differences.

use rand_core::RngCore;
use stats::bootstrap::{BootstrapMethod, BootstrapOptions, stratified_bootstrap};
use stats::classification::average_precision::average_precision;
use stats::classification::roc_auc::roc_auc;
use stats::interval::{Interval, IntervalMethod, Level};
use stats::labelled_scores::LabelledScores;
use stats::paired::mcnemar::mcnemar;
use stats::paired::mean_loss::paired_mean_loss;
use stats::paired::roc_auc::paired_roc_auc;
use stats::proportion::wilson_interval;
use types::Measure;
use types::cases::Outputs;
use types::detail::PairRow;
use types::loss::RowLoss;
use types::measure::{NO_INTERVAL, is_empty};

use super::{Pairs, of_rows};
use crate::rows::mean_of;

/// Draws behind the interval of a difference that has no formula.
const REPLICATES: u32 = 500;
/// Rows that are drawn from at most; they come in random order.
const DRAWN_FROM: usize = 100_000;

/// Metrics of both versions.
pub(super) fn metrics(pairs: &Pairs<'_>, rng: &mut impl RngCore) -> Vec<PairRow> {
    let mut metrics = ranking(pairs, rng);
    let (rows, kept) = (pairs.rows, &pairs.kept);
    for &loss in RowLoss::of_task(rows.scope.definition.model.task) {
        let of = |outputs: &Outputs, threshold| of_rows(&outputs.losses(loss, threshold), kept);
        let this = of(&rows.cases.outputs, rows.scope.definition.log.threshold);
        let other = of(&pairs.other, pairs.other_threshold);
        let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len().max(1) as f64;
        let interval = |losses: &[f64]| mean_of(loss, losses.iter().copied(), Level::P95)?.interval;
        if let Some(difference) = paired(loss.mean_name(), loss, &this, &other, Level::P95) {
            metrics.push(PairRow {
                name: loss.mean_name().into(),
                this: mean(&this),
                this_interval: interval(&this),
                other: mean(&other),
                other_interval: interval(&other),
                difference,
                reason: None,
            });
        }
    }
    metrics.into_iter().map(with_reasons).collect()
}

/// Without intervals of no width, and with the reason where one of the values has none.
fn with_reasons(of: PairRow) -> PairRow {
    let wide = |interval: Option<Interval>| interval.filter(|interval| !is_empty(*interval));
    let (this_interval, other_interval) = (wide(of.this_interval), wide(of.other_interval));
    let which = match (this_interval, other_interval) {
        (Some(_), Some(_)) => None,
        (None, Some(_)) => Some("the value of this version has"),
        (Some(_), None) => Some("the value of the other version has"),
        (None, None) => Some("both values have"),
    };
    let reason = which.map(|which| format!("{which} {NO_INTERVAL}what the rows give for it is all alike"));
    PairRow { this_interval, other_interval, reason, ..of }
}

/// How well each version ranks, where the task is binary.
fn ranking(pairs: &Pairs<'_>, rng: &mut impl RngCore) -> Vec<PairRow> {
    let (Outputs::Binary { scores, outcomes }, Outputs::Binary { scores: other, .. }) =
        (&pairs.rows.cases.outputs, &pairs.other)
    else {
        return Vec::new();
    };
    let (this, other) = (of_rows(scores, &pairs.kept), of_rows(other, &pairs.kept));
    let outcomes: Vec<bool> = pairs.kept.iter().map(|&row| outcomes[row]).collect();
    let labelled = |scores: &[f64]| {
        LabelledScores::from_pairs(scores.iter().copied().zip(outcomes.iter().copied())).unwrap_or_default()
    };
    let (of_this, of_other) = (labelled(&this), labelled(&other));
    let area = paired_roc_auc(&other, &this, &outcomes, Level::P95).ok().map(|of| PairRow {
        name: "roc_auc".into(),
        this: of.area_second,
        this_interval: roc_auc(&of_this, Level::P95).ok().map(|of| of.interval),
        other: of.area_first,
        other_interval: roc_auc(&of_other, Level::P95).ok().map(|of| of.interval),
        difference: Measure {
            interval: Some(of.difference.interval),
            expected_by_chance: Some(0.0),
            p_value: Some(of.p_value),
            ..Measure::new(
                "roc_auc",
                of.difference.value,
                of.difference.n,
                format!("paired; {} interval", of.difference.interval.method.name()),
            )
        },
        reason: None,
    });
    let mut precision = || {
        let this_value = average_precision(&of_this, Level::P95).ok()?;
        let other_value = average_precision(&of_other, Level::P95).ok()?;
        Some(PairRow {
            name: "average_precision".into(),
            this: this_value.value,
            this_interval: Some(this_value.interval),
            other: other_value.value,
            other_interval: Some(other_value.interval),
            difference: precision_difference(
                (&this, &other, &outcomes),
                this_value.value - other_value.value,
                rng,
            ),
            reason: None,
        })
    };
    area.into_iter().chain(precision()).collect()
}

/// Rows are drawn within each outcome, so that every draw has both, and both versions are given the same ones.
fn precision_difference(
    (this, other, outcomes): (&[f64], &[f64], &[bool]),
    value: f64,
    rng: &mut impl RngCore,
) -> Measure {
    let n = outcomes.len().min(DRAWN_FROM);
    let strata: Vec<u32> = outcomes[..n].iter().map(|&outcome| u32::from(outcome)).collect();
    let (by_this, by_other) = (Ranking::of(&this[..n]), Ranking::of(&other[..n]));
    let statistic = |drawn: &[u32]| {
        let mut times = vec![0_u32; n];
        for &row in drawn {
            times[row as usize] += 1;
        }
        let of = |ranking: &Ranking| ranking.average_precision(&times, outcomes);
        Some(of(&by_this)? - of(&by_other)?)
    };
    let options =
        BootstrapOptions { replicates: REPLICATES, method: BootstrapMethod::Percentile, level: Level::P95 };
    let interval = stratified_bootstrap(&strata, statistic, options, rng).ok().map(|of| of.estimate.interval);
    let some = if n < outcomes.len() { format!(" from the first {n} rows") } else { String::new() };
    Measure {
        interval: interval.map(|of| Interval {
            lower: of.lower.min(value),
            upper: of.upper.max(value),
            ..of
        }),
        expected_by_chance: Some(0.0),
        ..Measure::new(
            "average_precision",
            value,
            outcomes.len() as u64,
            format!("percentiles of {REPLICATES} bootstrap samples, drawn{some} within each outcome"),
        )
    }
    .without_empty_interval_because("both versions do alike in every draw")
}

/// Rows from the highest score to the lowest.
struct Ranking {
    order: Vec<u32>,
    /// Where the rows of each distinct score end.
    ends: Vec<usize>,
}

impl Ranking {
    fn of(scores: &[f64]) -> Self {
        let mut order: Vec<u32> = (0..scores.len() as u32).collect();
        order.sort_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]));
        let mut end = 0;
        let ends = order
            .chunk_by(|&a, &b| scores[a as usize] == scores[b as usize])
            .map(|tied| {
                end += tied.len();
                end
            })
            .collect();
        Self { order, ends }
    }

    /// The sum over distinct scores of the precision there times the recall gained, of rows that count several
    /// times; `None` without positives.
    fn average_precision(&self, times: &[u32], outcomes: &[bool]) -> Option<f64> {
        let (mut found, mut seen, mut sum, mut from) = (0_u64, 0_u64, 0.0, 0);
        for &end in &self.ends {
            let before = found;
            for &row in &self.order[from..end] {
                let count = u64::from(times[row as usize]);
                seen += count;
                found += if outcomes[row as usize] { count } else { 0 };
            }
            if found > before {
                sum += (found - before) as f64 * found as f64 / seen as f64;
            }
            from = end;
        }
        (found > 0).then(|| sum / found as f64)
    }
}

/// The mean of `this` less that of `other`.
pub(super) fn paired(
    name: &str,
    loss: RowLoss,
    this: &[f64],
    other: &[f64],
    level: Level,
) -> Option<Measure> {
    let measure = |value: f64, n: u64, interval, p_value| {
        Measure {
            interval,
            expected_by_chance: Some(0.0),
            p_value: Some(p_value),
            ..Measure::new(
                name,
                value,
                n,
                format!("{} of this version less that of the other, on the same rows", loss.mean_title()),
            )
        }
        .without_empty_interval()
    };
    if this == other {
        let n = this.len() as u64;
        let interval = of_no_difference(loss, n, level);
        let alike = measure(0.0, n, interval, 1.0);
        let why =
            if interval.is_none() { format!("; {NO_INTERVAL}all rows are alike") } else { String::new() };
        return Some(Measure { method: format!("{}{why}", alike.method), ..alike });
    }
    // Of shares an interval that is wide enough where the versions differ on few rows, too.
    let (difference, p_value) = if loss == RowLoss::Wrong {
        let wrong = |losses: &[f64]| losses.iter().map(|loss| *loss == 1.0).collect::<Vec<bool>>();
        let of = mcnemar(&wrong(other), &wrong(this), level).ok()?;
        (of.difference, of.p_mid)
    } else {
        let of = paired_mean_loss(other, this, level).ok()?;
        (of.difference, of.p_value)
    };
    Some(measure(difference.value, difference.n, Some(difference.interval), p_value))
}

/// What the difference can be where no row shows one: so large a share of rows may differ, by as much as a loss can.
fn of_no_difference(loss: RowLoss, n: u64, level: Level) -> Option<Interval> {
    let largest = match loss {
        RowLoss::Wrong => 1.0,
        // The squared distance of two distributions over classes; of a binary score it is half of that.
        RowLoss::Brier => 2.0,
        RowLoss::LogLoss | RowLoss::Absolute | RowLoss::Squared => return None,
    };
    let differ = wilson_interval(0, n, level).ok()?.upper * largest;
    Some(Interval { lower: -differ, upper: differ, level, method: IntervalMethod::WilsonOfNoDifference })
}

#[cfg(test)]
mod tests {
    use super::*;
    use stats::random::SplitMix64;

    #[test]
    fn versions_that_never_differ_may_differ_on_other_rows() {
        let alike = [0.0, 1.0, 0.0, 0.0].repeat(50);
        let of = |loss| paired("x", loss, &alike, &alike, Level::P95).unwrap();
        let wrong = of(RowLoss::Wrong).interval.unwrap();
        // Wilson's upper bound of 0 of 200: z² / (n + z²).
        assert!((wrong.upper - 3.841_458_8 / 203.841_458_8).abs() < 1e-6 && wrong.lower == -wrong.upper);
        // An error in the unit of the outcome has no largest value.
        assert!(of(RowLoss::Absolute).interval.is_none());
        assert!(of(RowLoss::Absolute).method.contains("no interval"));
    }

    /// `sklearn.metrics.average_precision_score([0, 1, 1, 0], [.1, .4, .4, .4])` of scikit-learn 1.6 is 2/3; with
    /// `sample_weight=[1, 2, 1, 3]` it is 1/2.
    #[test]
    fn average_precision_counts_ties_together_and_rows_as_often_as_drawn() {
        let ranking = Ranking::of(&[0.1, 0.4, 0.4, 0.4]);
        let outcomes = [false, true, true, false];
        assert!((ranking.average_precision(&[1; 4], &outcomes).unwrap() - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(ranking.average_precision(&[1, 2, 1, 3], &outcomes), Some(0.5));
        assert_eq!(ranking.average_precision(&[1, 0, 0, 1], &outcomes), None);
    }

    #[test]
    fn a_value_without_an_interval_says_why() {
        let interval = |lower, upper| {
            Some(Interval { lower, upper, level: Level::P95, method: IntervalMethod::NormalOfMean })
        };
        let of = |this_interval, other_interval| {
            with_reasons(PairRow {
                name: "mean_absolute_error".into(),
                this: 0.0,
                this_interval,
                other: 1.0,
                other_interval,
                difference: Measure::new("mean_absolute_error", -1.0, 30, "paired"),
                reason: None,
            })
        };
        let (wide, none) = (interval(0.5, 1.5), interval(0.0, 0.0));
        let one = of(none, wide);
        assert_eq!((one.this_interval, one.other_interval), (None, wide));
        let why = "the value of this version has no interval, because what the rows give for it is all alike";
        assert_eq!(one.reason.as_deref(), Some(why));
        assert!(of(none, none).reason.unwrap().starts_with("both values have no interval"));
        assert_eq!(of(wide, wide).reason, None);
    }

    #[test]
    fn a_version_that_ranks_better_is_surely_so() {
        let outcomes: Vec<bool> = (0..400).map(|row| row % 4 == 0).collect();
        let noise = |row: usize| (row * 7919 % 400) as f64 / 400.0;
        let this: Vec<f64> = (0..400).map(|row| noise(row) + if outcomes[row] { 0.8 } else { 0.0 }).collect();
        let other: Vec<f64> =
            (0..400).map(|row| noise(row) + if outcomes[row] { 0.2 } else { 0.0 }).collect();
        let found = precision_difference((&this, &other, &outcomes), 0.3, &mut SplitMix64::new(1));
        assert!(found.interval.unwrap().lower > 0.0, "{found:?}");
        let alike = precision_difference((&this, &this, &outcomes), 0.0, &mut SplitMix64::new(1));
        assert_eq!(alike.interval, None);
    }
}
