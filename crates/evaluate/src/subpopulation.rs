//! The worst subpopulation: how badly any group of inputs of some size can be served, whatever describes it.
//!
//! No limit of its own is needed: where none is written, the same curve of the reference is the yardstick. The rise
//! is a share of the reference's loss; where that may be 0, of which nothing is a share, the difference is held to
//! the allowed share of the most that it may be.

use rand_core::RngCore;
use stats::interval::{IntervalMethod, Level};
use stats::learn::Features;
use stats::worst_subpopulation::{WorstOptions, WorstPoint, WorstSubpopulation, worst_subpopulation};
use types::detail::{CurvePoint, Driver, Subpopulation};
use types::finding::Unmeasured;
use types::format::{counted, percent};
use types::loss::RowLoss;
use types::performance::{Limit, rise};
use types::{CheckId, Detail, Finding, Measure, Verdict};

use crate::performance::interval_words;
use crate::rows::{LEARNER_ROWS, Rows, named};
use crate::{alarm, blank, unknown};

const NAME: &str = "worst_subpopulation_loss";
const RISE: &str = "worst_subpopulation_rise";
/// Shares of the rows at which the curve is computed, beside the one of the definition.
const SHARES: [f64; 10] = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0];
/// Columns that are kept with the finding, and those that the sentence names.
const DRIVERS_KEPT: usize = 8;
const DRIVERS_NAMED: usize = 3;

pub(crate) fn judge(rows: &Rows<'_>, rng: &mut impl RngCore) -> Finding {
    let scope = rows.scope;
    let current = match rows.too_few().or_else(|| rows.no_inputs()) {
        Some(reason) => Err(reason),
        None => rows
            .features_at(0..rows.losses.len().min(LEARNER_ROWS))
            .and_then(|features| of(rows, &features, &rows.losses[..features.rows()], rng)),
    };
    let current = match current {
        Ok(current) => current,
        Err(reason) => {
            let summary = format!("How badly some group of inputs is served is not known: {reason}.");
            return unknown(scope, CheckId::WorstSubpopulation, summary);
        }
    };
    let settings = &scope.definition.evaluate.worst_subpopulation;
    let Some(point) = at(&current, settings.share) else {
        let summary = format!(
            "How badly the worst {} of inputs are served is not known: that is too few of {}.",
            percent(settings.share),
            counted(current.n, "row", "rows")
        );
        return unknown(scope, CheckId::WorstSubpopulation, summary);
    };
    let measure = measure(rows, point, current.n);
    let mut finding = Finding {
        reference: Some(scope.reference),
        ..blank(scope, CheckId::WorstSubpopulation, Verdict::Unknown)
    };
    let reference = reference(rows, rng);
    let (verdict, words) = match settings.at_most {
        Some(most) => {
            let limit = Limit::AtMost(most);
            finding.thresholds.push(limit.threshold(NAME, "evaluate.worst_subpopulation.at_most"));
            let verdict = limit.verdict(&measure);
            (verdict, crate::performance::limit_words(verdict, limit))
        }
        None => against_reference(rows, &mut finding, &measure, reference.as_ref()),
    };
    finding.verdict = verdict;
    let drivers = drivers(rows, &current);
    finding.summary = summary(rows, &measure, &drivers, &words);
    finding.measures.insert(0, measure);
    finding.detail = Some(Detail::Subpopulation(Subpopulation {
        loss: rows.loss().mean_name().to_owned(),
        share: Some(settings.share),
        curve: curve(&current),
        reference: reference.as_ref().map(curve).unwrap_or_default(),
        drivers,
    }));
    finding
}

fn of(
    rows: &Rows<'_>,
    features: &Features,
    losses: &[f64],
    rng: &mut impl RngCore,
) -> Result<WorstSubpopulation, String> {
    let share = rows.scope.definition.evaluate.worst_subpopulation.share;
    let shares: Vec<f64> = SHARES.into_iter().chain([share]).collect();
    let options = WorstOptions { alpha_explained: share, ..WorstOptions::default() };
    worst_subpopulation(features, losses, &shares, &options, Level::P95, rng)
        .map_err(|error| types::performance::without_failed_to(&error))
}

/// The same of the reference, where it has enough rows.
fn reference(rows: &Rows<'_>, rng: &mut impl RngCore) -> Option<WorstSubpopulation> {
    let n = rows.reference_losses.len().min(LEARNER_ROWS);
    if (n as u64) < rows.scope.definition.evaluate.min_rows {
        return None;
    }
    let features = rows.reference_features_at(0..n).ok()?;
    of(rows, &features, &rows.reference_losses[..n], rng).ok()
}

fn at(of: &WorstSubpopulation, share: f64) -> Option<&WorstPoint> {
    of.points.iter().find(|point| (point.alpha - share).abs() < 1e-12)
}

fn measure(rows: &Rows<'_>, point: &WorstPoint, n: u64) -> Measure {
    // That no row lost anything bounds a share, and no error in the unit of the outcome.
    let is_bounded = matches!(rows.loss(), RowLoss::Wrong | RowLoss::Brier);
    let says_nothing = !is_bounded && point.interval.method == IntervalMethod::WilsonOfBoundedMean;
    let why = if says_nothing { "; no interval, because the losses of these rows are all alike" } else { "" };
    Measure {
        interval: Some(point.interval).filter(|_| !says_nothing),
        ..Measure::new(
            NAME,
            point.value,
            n,
            format!(
                "{} in the worst {} of rows that the inputs can tell apart, cross-fitted and debiased{why}",
                rows.loss().mean_title(),
                percent(point.alpha)
            ),
        )
    }
    .without_empty_interval()
}

/// Without a limit of its own: how much worse than the reference.
fn against_reference(
    rows: &Rows<'_>,
    finding: &mut Finding,
    measure_now: &Measure,
    reference: Option<&WorstSubpopulation>,
) -> (Verdict, String) {
    let settings = &rows.scope.definition.evaluate.worst_subpopulation;
    let before = reference
        .and_then(|reference| at(reference, settings.share).map(|point| measure(rows, point, reference.n)));
    let risen = before.as_ref().and_then(|before| {
        rise(RISE, measure_now, before, "that of the window over that of the reference, less 1")
    });
    if measure_now.value == 0.0 {
        return (Verdict::Pass, "Nothing is lost anywhere.".into());
    }
    let Some(before) = before else {
        let reason = "the reference has too few rows with outcomes";
        finding.unmeasured.push(Unmeasured { name: RISE.into(), reason: reason.into() });
        let words = format!(
            "There is nothing to hold it against, because {reason}: set `at_most` under \
             [evaluate.worst_subpopulation]."
        );
        return (Verdict::Unknown, words);
    };
    let Some(risen) = risen else {
        finding.unmeasured.push(Unmeasured {
            name: RISE.into(),
            reason: "the reference may lose nothing, and nothing is a share of that; the difference decides"
                .into(),
        });
        return by_difference(rows, finding, measure_now, &before);
    };
    let limit = Limit::AtMost(settings.max_rise);
    let verdict = alarm(limit, &risen, 0.0);
    finding.thresholds.push(limit.threshold(RISE, "evaluate.worst_subpopulation.max_rise"));
    let (then, most) = (rows.loss_text(before.value), percent(settings.max_rise));
    let words = match verdict {
        Verdict::Fail => {
            format!("In the reference it was {then}; it surely rose by more than the {most} allowed.")
        }
        Verdict::Pass => {
            format!("In the reference it was {then}; no rise is shown ({most} more would be allowed).")
        }
        Verdict::Warn | Verdict::Unknown => format!(
            "In the reference it was {then}; it surely rose, and whether by more than the {most} allowed \
             cannot be told."
        ),
    };
    finding.measures.push(risen);
    finding.measures.push(Measure { name: format!("reference_{NAME}"), ..before });
    (verdict, words)
}

/// Where the reference may lose nothing: the loss itself, against the most that the reference may lose and what is
/// allowed on top.
fn by_difference(
    rows: &Rows<'_>,
    finding: &mut Finding,
    now: &Measure,
    before: &Measure,
) -> (Verdict, String) {
    let upper = before.interval.map_or(before.value, |interval| interval.upper);
    let limit = Limit::AtMost((1.0 + rows.scope.definition.evaluate.worst_subpopulation.max_rise) * upper);
    // Only what is surely above anything that the reference may lose is a rise.
    let verdict = alarm(limit, now, upper);
    finding.thresholds.push(limit.threshold(NAME, "evaluate.worst_subpopulation.max_rise"));
    let (then, most) = (rows.loss_text(before.value), rows.loss_text(upper));
    let words = format!("In the reference it was {then}, and may be up to {most};");
    let words = match verdict {
        Verdict::Fail => format!(
            "{words} it surely rose above {}, which is the most that is allowed.",
            rows.loss_text(limit.value())
        ),
        Verdict::Pass => format!("{words} no rise above that is shown."),
        Verdict::Warn | Verdict::Unknown => {
            format!("{words} it surely rose above that, and whether by more than is allowed cannot be told.")
        }
    };
    finding.measures.push(Measure { name: format!("reference_{NAME}"), ..before.clone() });
    (verdict, words)
}

fn curve(of: &WorstSubpopulation) -> Vec<CurvePoint> {
    of.points
        .iter()
        .map(|point| CurvePoint {
            at: point.alpha,
            value: point.value,
            lower: point.interval.lower,
            upper: point.interval.upper,
        })
        .collect()
}

/// The columns that the worst rows are told by, as shares of what all of them tell.
fn drivers(rows: &Rows<'_>, of: &WorstSubpopulation) -> Vec<Driver> {
    let told = of.columns.iter().map(|column| {
        // A drop within its own noise tells nothing.
        (column.column, if column.loss_drop > column.standard_error { column.loss_drop } else { 0.0 })
    });
    crate::rows::drivers(rows, told, DRIVERS_KEPT)
}

fn summary(rows: &Rows<'_>, measure: &Measure, drivers: &[Driver], words: &str) -> String {
    let share = percent(rows.scope.definition.evaluate.worst_subpopulation.share);
    // In the unit of the loss.
    let in_unit = Measure { name: rows.loss().mean_name().into(), ..measure.clone() };
    let mut summary = format!(
        "On the worst {share} of inputs the {} is {}{}; over all rows it is {}. {words}",
        rows.loss().mean_title(),
        rows.loss_text(measure.value),
        interval_words(&in_unit),
        rows.loss_text(rows.mean_loss()),
    );
    if !drivers.is_empty() {
        summary.push_str(&format!(
            " What tells these inputs from others most: {}.",
            named(drivers, DRIVERS_NAMED)
        ));
    }
    summary.push_str(&rows.learnt_words());
    summary
}
