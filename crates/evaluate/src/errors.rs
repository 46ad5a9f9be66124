//! Are mistakes random or systematic: can they be told from the inputs, do they fall on some segments, do they
//! come together in time?
//!
//! That errors can be predicted is no fault in itself: near a threshold everybody errs. What counts is the part
//! of the residuals that inputs and prediction together still tell, because a better model, or a recalibrated
//! one, would not leave it. That part is 0 where scores are probabilities given the inputs.

use rand_core::RngCore;
use stats::classification::confusion::Confusion;
use stats::false_discovery::benjamini_hochberg;
use stats::group_rates::against_rest::{MistakeRate, SegmentTest, against_rest};
use stats::interval::Level;
use stats::labelled_scores::LabelledScores;
use stats::learn::Features;
use stats::predictable_errors::{
    ErrorColumn, PredictableOptions, predictable_losses, predictable_mistakes, predictable_residuals,
};
use stats::residual_trend::{residual_trend, residuals_by_segment};
use stats::time_clustering::{ClusteringOptions, TimeClustering, time_clustering};
use types::cases::Outputs;
use types::detail::{CurvePoint, Driver, ErrorStructure, RateRow, ResidualRow, Stretch};
use types::finding::{Unmeasured, segment_label};
use types::format::{counted, number, p_value, percent};
use types::performance::{Limit, without_failed_to};
use types::window::day_text;
use types::{CheckId, Detail, Finding, Measure, Verdict};

use crate::performance::interval_words;
use crate::rows::{LEARNER_ROWS, Rows, is_input, mean_of, named};
use crate::{blank, unknown};

const SYSTEMATIC: &str = "systematic_share";
/// A p-value from here on is no sign of anything.
const SIGNIFICANT: f64 = 0.01;
/// What a false alarm among all rates of all segments may cost.
const RATES_FALSE_DISCOVERY: f64 = 0.05;
/// The fewest rows of a class in a segment for its rate to stand out.
const RATE_ROWS_LEAST: u64 = 50;
const DRIVERS_KEPT: usize = 8;
const DRIVERS_NAMED: usize = 3;
/// Rates that are kept with the finding.
const RATES_KEPT: usize = 100;
/// Stretches of time, and levels of the prediction, that are shown.
const STRETCHES: usize = 20;
const LEVELS: usize = 10;
/// Enough for a p-value of half of [`SIGNIFICANT`].
const PERMUTATIONS: usize = 199;
const MILLISECONDS_OF_A_DAY: f64 = 86_400_000.0;

pub(crate) fn judge(rows: &Rows<'_>, rng: &mut impl RngCore) -> Finding {
    let scope = rows.scope;
    let learnt = match rows.too_few().or_else(|| rows.no_inputs()) {
        Some(reason) => Err(reason),
        None => systematic(rows, rng),
    };
    if rows.n() > 0 && rows.too_few().is_none() && without_errors(rows) {
        let summary = format!("There are no mistakes to explain in {}.", counted(rows.n(), "row", "rows"));
        return Finding { summary, ..blank(scope, CheckId::Errors, Verdict::Pass) };
    }
    let (measure, drivers) = match learnt {
        Ok(learnt) => learnt,
        Err(reason) => {
            let summary = format!("Whether mistakes are random or systematic is not known: {reason}.");
            return unknown(scope, CheckId::Errors, summary);
        }
    };
    let mut finding = blank(scope, CheckId::Errors, Verdict::Unknown);
    let limit = Limit::AtMost(scope.definition.evaluate.errors.systematic_at_most);
    finding.thresholds.push(limit.threshold(SYSTEMATIC, "evaluate.errors.systematic_at_most"));
    let mut verdict = systematic_verdict(limit, &measure);
    let mut words = systematic_words(&measure, verdict, &drivers, limit);
    finding.measures.push(measure);
    match predictable(rows, rng) {
        Ok(measure) => {
            words.push_str(&sizes_words(rows, &measure));
            finding.measures.push(measure);
        }
        Err(unmeasured) => finding.unmeasured.push(unmeasured),
    }
    let mut structure = ErrorStructure { drivers, ..ErrorStructure::default() };
    if let Some(rated) = rates(rows, &mut structure) {
        verdict = verdict.max(rated.0);
        words.push_str(&rated.1);
    }
    if let Some(residuals) = residuals(rows, &mut structure) {
        words.push_str(&residuals);
    }
    match in_time(rows, &mut structure, rng) {
        Ok((measures, said)) => {
            finding.measures.extend(measures);
            words.push_str(&said);
        }
        Err(reason) => {
            finding.unmeasured.push(Unmeasured { name: "loss_autocorrelation".into(), reason });
        }
    }
    words.push_str(&rows.learnt_words());
    finding.verdict = verdict;
    finding.summary = words;
    finding.detail = Some(Detail::Errors(Box::new(structure)));
    finding
}

/// Whether no prediction was wrong, or off at all.
fn without_errors(rows: &Rows<'_>) -> bool {
    rows.wrong().as_deref().unwrap_or(&rows.losses).iter().all(|loss| *loss == 0.0)
}

/// Predictions and residuals (outcome less prediction); of several classes, those of the predicted one being
/// right.
fn predictions_and_residuals(rows: &Rows<'_>, n: usize) -> (Vec<f64>, Vec<f64>) {
    let less = |outcome: f64, predicted: f64| (predicted, outcome - predicted);
    let pairs: Vec<(f64, f64)> = match &rows.cases.outputs {
        Outputs::Binary { scores, outcomes } => scores
            .iter()
            .zip(outcomes)
            .map(|(&score, &outcome)| less(f64::from(u8::from(outcome)), score))
            .collect(),
        Outputs::Regression { predicted, outcomes } => {
            predicted.iter().zip(outcomes).map(|(&predicted, &outcome)| less(outcome, predicted)).collect()
        }
        Outputs::Multiclass { probabilities, predicted, outcomes } => predicted
            .iter()
            .zip(outcomes)
            .enumerate()
            .map(|(row, (&predicted, &outcome))| {
                let confidence = probabilities.get(predicted as usize).map_or(0.0, |of_class| of_class[row]);
                less(f64::from(u8::from(predicted == outcome)), confidence)
            })
            .collect(),
    };
    pairs.into_iter().take(n).unzip()
}

fn learner_features(rows: &Rows<'_>) -> Result<Features, String> {
    rows.features_at(0..rows.losses.len().min(LEARNER_ROWS))
}

/// The share of the residuals' variation that inputs and prediction tell, and which columns tell it.
fn systematic(rows: &Rows<'_>, rng: &mut impl RngCore) -> Result<(Measure, Vec<Driver>), String> {
    let features = learner_features(rows)?;
    let (predictions, residuals) = predictions_and_residuals(rows, features.rows());
    let options = PredictableOptions::default();
    let of = predictable_residuals(&features, &predictions, &residuals, &options, Level::P95, rng)
        .map_err(|error| without_failed_to(&error))?;
    let measure = Measure {
        interval: Some(of.interval),
        expected_by_chance: Some(0.0),
        p_value: Some(of.p_value),
        ..Measure::new(
            SYSTEMATIC,
            of.explained,
            of.n,
            with_nothing_found(
                "share of the squared residuals (outcome less prediction) that held-out models remove, by inputs and prediction",
                of.explained,
            ),
        )
    }
    .without_empty_interval();
    let drivers = if of.explained > 0.0 { drivers(rows, &of.columns) } else { Vec::new() };
    Ok((measure, drivers))
}

/// Says of a share that counts as 0 how its interval came about.
fn with_nothing_found(method: &str, explained: f64) -> String {
    if explained > 0.0 {
        return method.to_owned();
    }
    format!("{method}; nothing was found: the interval is from 0 to what so many rows leave open")
}

fn drivers(rows: &Rows<'_>, columns: &[ErrorColumn]) -> Vec<Driver> {
    // A drop within its own noise tells nothing.
    let told = columns
        .iter()
        .map(|column| (column.column, if column.drop > column.standard_error { column.drop } else { 0.0 }));
    crate::rows::drivers(rows, told, DRIVERS_KEPT)
}

/// Only what is significant can be more than a model that learns noise says of it.
fn is_systematic(measure: &Measure) -> bool {
    measure.value > 0.0 && measure.p_value.is_some_and(|p| p < SIGNIFICANT)
}

fn systematic_verdict(limit: Limit, measure: &Measure) -> Verdict {
    if is_systematic(measure) { limit.verdict(measure) } else { Verdict::Pass }
}

fn systematic_words(measure: &Measure, verdict: Verdict, drivers: &[Driver], limit: Limit) -> String {
    if !is_systematic(measure) {
        return if limit.verdict(measure) == Verdict::Pass {
            "Mistakes look random: what the inputs tell, the predictions already say.".to_owned()
        } else {
            format!(
                "That mistakes are systematic is not shown: inputs may tell {}{} of what the predictions miss.",
                percent(measure.value),
                interval_words(measure)
            )
        };
    }
    let by_inputs = drivers.iter().any(is_input);
    let mut words = format!(
        "Mistakes are in part systematic: {} {}{} of what the predictions miss.",
        if by_inputs { "inputs tell" } else { "recalibration would remove" },
        percent(measure.value),
        interval_words(measure)
    );
    if !drivers.is_empty() {
        words.push_str(&format!(" Most of it comes from {}.", named(drivers, DRIVERS_NAMED)));
    }
    if verdict == Verdict::Fail {
        words.push_str(if by_inputs {
            " That is surely more than is allowed: retrain with these inputs, or recalibrate."
        } else {
            " That is surely more than is allowed: recalibrate."
        });
    }
    words
}

/// How well mistakes, or the sizes of errors, can be told beforehand.
fn predictable(rows: &Rows<'_>, rng: &mut impl RngCore) -> Result<Measure, Unmeasured> {
    let options = PredictableOptions::default();
    let name = if rows.wrong().is_some() { "error_auc" } else { "error_explained_share" };
    let unmeasured = |reason: String| Unmeasured { name: name.into(), reason };
    let features = learner_features(rows).map_err(unmeasured)?;
    let n = features.rows();
    let measure = |value: f64, n: u64, interval, p_value, by_chance: f64, method: &str| {
        Measure {
            interval: Some(interval),
            expected_by_chance: Some(by_chance),
            p_value: Some(p_value),
            ..Measure::new(name, value, n, method)
        }
        .without_empty_interval()
    };
    if let Some(wrong) = rows.wrong() {
        let wrong: Vec<bool> = wrong[..n].iter().map(|&wrong| wrong > 0.0).collect();
        let of = predictable_mistakes(&features, &wrong, &options, Level::P95, rng)
            .map_err(|error| unmeasured(without_failed_to(&error)))?;
        let method = "ROC AUC of telling wrong predictions from right ones by the inputs, on held-out rows";
        return Ok(measure(of.area, of.n, of.interval, of.p_value, 0.5, method));
    }
    let of = predictable_losses(&features, &rows.losses[..n], &options, Level::P95, rng)
        .map_err(|error| unmeasured(without_failed_to(&error)))?;
    let method = with_nothing_found(
        "share of the variation of the loss that inputs tell, on held-out rows",
        of.explained,
    );
    Ok(measure(of.explained, of.n, of.interval, of.p_value, 0.0, &method))
}

/// Of numbers: that errors are larger for some inputs, though none is systematically too high or too low there.
fn sizes_words(rows: &Rows<'_>, measure: &Measure) -> String {
    if rows.wrong().is_some() || !is_systematic(measure) {
        return String::new();
    }
    format!(
        " How large an error is can be told from the inputs: {}{} of its variation.",
        percent(measure.value),
        interval_words(measure)
    )
}

/// False positive and false negative rates by segment.
fn rates(rows: &Rows<'_>, structure: &mut ErrorStructure) -> Option<(Verdict, String)> {
    let (scores, outcomes) = rows.binary()?;
    let settings = &rows.scope.definition.evaluate.errors;
    let needed = rows.scope.definition.evaluate.min_rows.min(RATE_ROWS_LEAST);
    let mut tests: Vec<((String, Option<String>), SegmentTest)> = Vec::new();
    for segment in &rows.scope.definition.log.segments {
        let groups = rows.groups(segment);
        let confusions: Vec<Confusion> = groups
            .iter()
            .filter_map(|(_, members)| {
                let pairs = members.iter().map(|&row| (scores[row], outcomes[row]));
                let scores = LabelledScores::from_pairs(pairs).ok()?;
                Confusion::at(&scores, rows.scope.definition.log.threshold).ok()
            })
            .collect();
        if let Ok(found) = against_rest(&confusions, Level::P95) {
            tests.extend(
                found
                    .tests
                    .into_iter()
                    .map(|test| ((segment.name.clone(), groups[test.segment].0.clone()), test)),
            );
        }
    }
    if tests.is_empty() {
        return None;
    }
    // All rates of all segments are one family.
    let adjusted = benjamini_hochberg(&tests.iter().map(|(_, test)| test.p_value).collect::<Vec<_>>());
    let mut rated: Vec<RateRow> = tests
        .into_iter()
        .zip(adjusted)
        .map(|(((column, value), test), p_adjusted)| {
            let name = match test.rate {
                MistakeRate::FalsePositive => "false_positive_rate",
                MistakeRate::FalseNegative => "false_negative_rate",
            };
            let flagged = p_adjusted <= RATES_FALSE_DISCOVERY
                && test.difference.abs() >= settings.rate_gap
                && test.n >= needed;
            let rate = Measure {
                interval: Some(test.interval),
                p_value: Some(test.p_value),
                p_adjusted: Some(p_adjusted),
                ..Measure::new(name, test.share, test.n, "Wilson interval; tested against all other rows")
            };
            RateRow {
                column,
                value,
                rate,
                others: test.share_of_rest,
                others_interval: Some(test.interval_of_rest),
                others_n: Some(test.n_rest),
                flagged,
            }
        })
        .collect();
    let distance = |row: &RateRow| (row.rate.value - row.others).abs();
    rated.sort_by(|a, b| b.flagged.cmp(&a.flagged).then(distance(b).total_cmp(&distance(a))));
    rated.truncate(RATES_KEPT);
    let flagged: Vec<&RateRow> = rated.iter().filter(|row| row.flagged).collect();
    let words = flagged.first().map_or_else(String::new, |row| {
        let kind = if row.rate.name == "false_positive_rate" { "false positive" } else { "false negative" };
        let more = match flagged.len() {
            1 => String::new(),
            n => format!(" {n} rates of segments stand out."),
        };
        format!(
            " Where {}, the {kind} rate is {}{}; elsewhere it is {}.{more}",
            segment_label(&row.column, row.value.as_deref()),
            percent(row.rate.value),
            interval_words(&row.rate),
            percent(row.others)
        )
    });
    let verdict = if flagged.is_empty() { Verdict::Pass } else { Verdict::Warn };
    structure.rates = rated;
    Some((verdict, words))
}

/// Where predicted numbers are too high or too low.
fn residuals(rows: &Rows<'_>, structure: &mut ErrorStructure) -> Option<String> {
    let Outputs::Regression { .. } = &rows.cases.outputs else { return None };
    let (predictions, residuals) = predictions_and_residuals(rows, usize::MAX);
    let trend = residual_trend(&predictions, &residuals, LEVELS, Level::P95).ok();
    if let Some(trend) = &trend {
        let point = |bin: &stats::residual_trend::ResidualBin| CurvePoint {
            at: f64::midpoint(bin.prediction_min, bin.prediction_max),
            value: bin.mean,
            lower: bin.interval.lower,
            upper: bin.interval.upper,
        };
        structure.levels = trend.bins.iter().map(point).collect();
    }
    for segment in &rows.scope.definition.log.segments {
        let groups = rows.groups(segment);
        let mut codes = vec![0_u32; residuals.len()];
        for (at, (_, members)) in groups.iter().enumerate() {
            for &row in members {
                codes[row] = at as u32;
            }
        }
        let of_segments = residuals_by_segment(&codes, &residuals, Level::P95).unwrap_or_default();
        structure.residuals.extend(of_segments.into_iter().filter_map(|of| {
            let interval = of.interval?;
            let (value, _) = groups.get(of.segment as usize)?;
            Some(ResidualRow {
                column: segment.name.clone(),
                value: value.clone(),
                flagged: !interval.contains(0.0) && of.n >= rows.scope.definition.evaluate.min_rows,
                residual: Measure {
                    interval: Some(interval),
                    expected_by_chance: Some(0.0),
                    ..Measure::new("mean_residual", of.mean, of.n, "mean of outcome less prediction")
                },
            })
        }));
    }
    structure.residuals.sort_by(|a, b| {
        b.flagged.cmp(&a.flagged).then(b.residual.value.abs().total_cmp(&a.residual.value.abs()))
    });
    structure.residuals.truncate(RATES_KEPT);
    // A slope that moves no prediction by a millionth of itself is rounding.
    let is_real = |slope: f64| slope.abs() > 1e-6;
    let slope = trend.and_then(|of| of.trend);
    let slope = slope.filter(|trend| trend.p_value < SIGNIFICANT && is_real(trend.slope));
    let lean = slope.map_or_else(String::new, |of| {
        let lean = if of.slope > 0.0 { "not extreme enough" } else { "too extreme" };
        format!(" Predictions are {lean}: residuals change with the level of the prediction.")
    });
    Some(format!("{}{lean}", residual_words(&structure.residuals)))
}

/// Where predicted numbers are surely too high or too low, in words; `rows` has those that stand out first.
fn residual_words(rows: &[ResidualRow]) -> String {
    let standing_out = rows.iter().filter(|row| row.flagged).count();
    rows.first().filter(|row| row.flagged).map_or_else(String::new, |row| {
        let more = if standing_out > 1 {
            format!(" {standing_out} segments stand out.")
        } else {
            String::new()
        };
        format!(
            " By segment, predictions are too {} where {}: outcomes less predictions are {} on average{}.{more}",
            if row.residual.value > 0.0 { "low" } else { "high" },
            segment_label(&row.column, row.value.as_deref()),
            number(row.residual.value),
            interval_words(&row.residual)
        )
    })
}

/// Whether losses come together in time.
fn in_time(
    rows: &Rows<'_>,
    structure: &mut ErrorStructure,
    rng: &mut impl RngCore,
) -> Result<(Vec<Measure>, String), String> {
    let times: Vec<i64> =
        rows.cases.days.iter().map(|days| (days * MILLISECONDS_OF_A_DAY).round() as i64).collect();
    let options =
        ClusteringOptions { blocks: STRETCHES, permutations: PERMUTATIONS, ..ClusteringOptions::default() };
    let of = time_clustering(&times, &rows.losses, &options, Level::P95, rng)
        .map_err(|error| without_failed_to(&error))?;
    structure.over_time = over_time(rows);
    // Ljung and Box's test finds alternation too, which is no cluster; the scan finds clusters only.
    let is_clustered = of.worst.p_value < SIGNIFICANT;
    let text = |at: i64| day_text(at as f64 / MILLISECONDS_OF_A_DAY);
    structure.stretch = Some(Stretch {
        from: text(of.worst.from),
        to: text(of.worst.to),
        rows: of.worst.rows,
        mean_loss: of.worst.mean,
        p_value: of.worst.p_value,
    });
    let words = if is_clustered {
        format!(
            " Mistakes come together in time: from {} to {} the {} is {} (p {}).",
            text(of.worst.from),
            text(of.worst.to),
            rows.loss().mean_title(),
            rows.loss_text(of.worst.mean),
            p_value(of.worst.p_value)
        )
    } else {
        String::new()
    };
    Ok((time_measures(&of).to_vec(), words))
}

fn time_measures(of: &TimeClustering) -> [Measure; 2] {
    [
        Measure {
            interval: Some(of.interval),
            expected_by_chance: Some(0.0),
            p_value: Some(of.ljung_box_p_value),
            ..Measure::new(
                "loss_autocorrelation",
                of.autocorrelation,
                of.n,
                format!(
                    "correlation of a row's loss with that of the next in time; Ljung–Box test over {} lags",
                    of.lags
                ),
            )
        },
        Measure {
            interval: Some(of.dispersion_interval),
            expected_by_chance: Some(1.0),
            p_value: Some(of.dispersion_p_value),
            ..Measure::new(
                "time_dispersion",
                of.dispersion,
                of.n,
                format!("variance of the mean loss of {} stretches over that of independent rows", of.blocks),
            )
        },
    ]
}

/// The mean loss of stretches of equally many rows; `at` is days since 1970-01-01.
fn over_time(rows: &Rows<'_>) -> Vec<CurvePoint> {
    let mut order: Vec<usize> = (0..rows.losses.len()).collect();
    order.sort_by(|&a, &b| rows.cases.days[a].total_cmp(&rows.cases.days[b]).then(a.cmp(&b)));
    let size = order.len().div_ceil(STRETCHES).max(1);
    order
        .chunks(size)
        .filter_map(|stretch| {
            let mean = mean_of(rows.loss(), stretch.iter().map(|&row| rows.losses[row]), Level::P95)?;
            let (lower, upper) = mean.interval.map_or((mean.value, mean.value), |of| (of.lower, of.upper));
            let first = rows.cases.days[*stretch.first()?];
            let last = rows.cases.days[*stretch.last()?];
            Some(CurvePoint { at: f64::midpoint(first, last), value: mean.value, lower, upper })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictions_that_are_off_for_a_segment_are_told_with_their_direction() {
        let row = |value: &str, mean: f64, flagged: bool| ResidualRow {
            column: "grade".into(),
            value: Some(value.into()),
            residual: Measure::new("mean_residual", mean, 90, "mean"),
            flagged,
        };
        let low = residual_words(&[row("high", 0.36, true), row("low", -0.03, false)]);
        let said = " By segment, predictions are too low where grade = high: outcomes less predictions are 0.360 on average.";
        assert_eq!(low, said);
        let high = residual_words(&[row("high", -0.36, true), row("low", 0.3, true)]);
        assert!(high.contains("too high where") && high.ends_with(" 2 segments stand out."), "{high}");
        assert_eq!(residual_words(&[row("low", -0.03, false)]), "");
    }
}
