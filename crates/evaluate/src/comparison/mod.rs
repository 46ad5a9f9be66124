//! Two versions of a model on the same rows: is this one better, and is it worse for somebody?
//!
//! An average that improves can hide a slice that got worse, so declared segments and slices found by search are
//! held to the same limit, all of them together (Holm). Slices are searched on one half of the rows and judged on
//! the other.

use stats::false_discovery::holm;
use stats::interval::Level;
use stats::paired::mcnemar::mcnemar;
use stats::paired::mean_loss::paired_mean_loss;
use stats::paired::roc_auc::paired_roc_auc;
use stats::slice_search::rows_of;
use types::cases::Outputs;
use types::definition::{Comparison, Task};
use types::detail::{ComparisonDetail, PairRow, PairedSlice};
use types::finding::segment_label;
use types::format::{count, counted, percent};
use types::loss::RowLoss;
use types::performance::Limit;
use types::{CheckId, Detail, Finding, Measure, Verdict};

use crate::performance::interval_words;
use crate::rows::{Rows, quantile_levels};
use crate::slices::Halves;
use crate::{blank, unknown};

const NAME: &str = "loss_difference";
/// The fewest rows of a slice that something is said about.
const SLICE_ROWS_LEAST: usize = 30;
/// How often any slice may be called worse that is not.
const FAMILY_ERROR: f64 = 0.05;
/// Slices that are searched, and those that are kept with the finding.
const SEARCHED: usize = 10;
const CONDITIONS: usize = 2;
const KEPT: usize = 100;

pub(crate) fn judge(rows: &Rows<'_>) -> Finding {
    let scope = rows.scope;
    let Some(settings) = &scope.definition.evaluate.comparison else {
        return unknown(scope, CheckId::Comparison, "No other version is named.".into());
    };
    let pairs = match Pairs::of(rows, settings) {
        Ok(pairs) => pairs,
        Err(reason) => {
            let summary =
                format!("Whether this version is better than {} is not known: {reason}.", settings.version);
            return unknown(scope, CheckId::Comparison, summary);
        }
    };
    let Some(overall) = pairs.difference(&pairs.kept, Level::P95) else {
        let summary = format!("This version could not be compared with {}.", settings.version);
        return unknown(scope, CheckId::Comparison, summary);
    };
    let allowed = settings.max_rise * pairs.mean_other(&pairs.kept);
    let limit = Limit::AtMost(allowed);
    let of_all = limit.verdict(&overall);
    let slices = pairs.slices(settings.max_rise);
    let of_slices = Verdict::worst(slices.iter().map(|slice| slice.verdict)).unwrap_or(Verdict::Pass);
    let mut finding = blank(scope, CheckId::Comparison, of_all.max(of_slices));
    finding.summary = summary(rows, settings, &pairs, &overall, of_all, &slices);
    finding.thresholds.push(limit.threshold(NAME, "evaluate.comparison.max_rise"));
    finding.measures.push(overall);
    let (wins, ties, losses) = pairs.wins();
    finding.detail = Some(Detail::Comparison(Box::new(ComparisonDetail {
        other: settings.version.clone(),
        metrics: pairs.metrics(),
        wins,
        ties,
        losses,
        slices,
    })));
    finding
}

/// What both versions said and lost, of the rows that both have an output for.
struct Pairs<'a> {
    rows: &'a Rows<'a>,
    other: Outputs,
    /// Positions in the rows of the window.
    kept: Vec<usize>,
    this_losses: Vec<f64>,
    other_losses: Vec<f64>,
    other_threshold: f64,
}

impl<'a> Pairs<'a> {
    fn of(rows: &'a Rows<'a>, settings: &Comparison) -> Result<Self, String> {
        if let Some(reason) = rows.too_few() {
            return Err(reason);
        }
        let first = quantile_levels(rows.scope).len();
        let columns: Vec<&[f64]> = (0..settings.columns().len()).map(|at| rows.also(first + at)).collect();
        let is_usable = |row: usize| match rows.scope.definition.model.task {
            Task::Binary | Task::Multiclass => {
                columns.iter().all(|column| (0.0..=1.0).contains(&column[row]))
            }
            Task::Regression => columns.iter().all(|column| column[row].is_finite()),
        };
        let kept: Vec<usize> = (0..rows.losses.len()).filter(|&row| is_usable(row)).collect();
        let needed = rows.scope.definition.evaluate.min_rows;
        if (kept.len() as u64) < needed {
            return Err(format!(
                "{} an output of both versions, {needed} are needed (evaluate.min_rows)",
                counted(kept.len() as u64, "row has", "rows have")
            ));
        }
        let other = outputs(rows, &columns);
        let other_threshold = settings.threshold.unwrap_or(rows.scope.definition.log.threshold);
        let other_losses = other.losses(rows.loss(), other_threshold);
        Ok(Self { rows, kept, this_losses: rows.losses.clone(), other_losses, other_threshold, other })
    }

    fn mean_other(&self, members: &[usize]) -> f64 {
        members.iter().map(|&row| self.other_losses[row]).sum::<f64>() / members.len().max(1) as f64
    }

    fn mean_this(&self, members: &[usize]) -> f64 {
        members.iter().map(|&row| self.this_losses[row]).sum::<f64>() / members.len().max(1) as f64
    }

    /// Mean loss of this version less that of the other.
    fn difference(&self, members: &[usize], level: Level) -> Option<Measure> {
        let this = of_rows(&self.this_losses, members);
        let other = of_rows(&self.other_losses, members);
        paired(NAME, &this, &other, level, self.rows.loss().mean_title())
    }

    /// Rows on which this version loses less, the same, more.
    fn wins(&self) -> (u64, u64, u64) {
        self.kept.iter().fold((0, 0, 0), |(wins, ties, losses), &row| {
            match self.this_losses[row].total_cmp(&self.other_losses[row]) {
                std::cmp::Ordering::Less => (wins + 1, ties, losses),
                std::cmp::Ordering::Equal => (wins, ties + 1, losses),
                std::cmp::Ordering::Greater => (wins, ties, losses + 1),
            }
        })
    }

    /// Metrics of both versions.
    fn metrics(&self) -> Vec<PairRow> {
        let threshold = self.rows.scope.definition.log.threshold;
        let mut metrics = Vec::new();
        if let (Outputs::Binary { scores, outcomes }, Outputs::Binary { scores: other, .. }) =
            (&self.rows.cases.outputs, &self.other)
        {
            let (this, other) = (of_rows(scores, &self.kept), of_rows(other, &self.kept));
            let outcomes: Vec<bool> = self.kept.iter().map(|&row| outcomes[row]).collect();
            if let Ok(of) = paired_roc_auc(&other, &this, &outcomes, Level::P95) {
                metrics.push(PairRow {
                    name: "roc_auc".into(),
                    this: of.area_second,
                    other: of.area_first,
                    difference: Measure {
                        interval: Some(of.difference.interval),
                        expected_by_chance: Some(0.0),
                        p_value: Some(of.p_value),
                        ..Measure::new(
                            "roc_auc",
                            of.difference.value,
                            of.difference.n,
                            "paired DeLong interval",
                        )
                    },
                });
            }
        }
        for &loss in RowLoss::of_task(self.rows.scope.definition.model.task) {
            let of = |outputs: &Outputs, threshold| of_rows(&outputs.losses(loss, threshold), &self.kept);
            let this = of(&self.rows.cases.outputs, threshold);
            let other = of(&self.other, self.other_threshold);
            let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len().max(1) as f64;
            if let Some(difference) = paired(loss.mean_name(), &this, &other, Level::P95, loss.mean_title()) {
                metrics.push(PairRow {
                    name: loss.mean_name().into(),
                    this: mean(&this),
                    other: mean(&other),
                    difference,
                });
            }
        }
        metrics
    }

    /// Segments, and slices that a search on one half of the rows found and the other half judges.
    fn slices(&self, max_rise: f64) -> Vec<PairedSlice> {
        let mut members: Vec<(String, Vec<usize>)> = Vec::new();
        let kept: std::collections::HashSet<usize> = self.kept.iter().copied().collect();
        for segment in &self.rows.scope.definition.log.segments {
            for (value, rows) in self.rows.groups(segment) {
                let rows = rows.into_iter().filter(|row| kept.contains(row)).collect();
                members.push((segment_label(&segment.name, value.as_deref()), rows));
            }
        }
        members.extend(self.searched(&kept).unwrap_or_default());
        members.retain(|(_, rows)| rows.len() >= SLICE_ROWS_LEAST);
        let p_values: Vec<f64> = members.iter().map(|(_, rows)| self.p_above(rows, max_rise)).collect();
        let adjusted = holm(&p_values);
        let level = Level::P95.for_each_of(members.len());
        let mut slices: Vec<PairedSlice> = members
            .into_iter()
            .zip(p_values.into_iter().zip(adjusted))
            .filter_map(|((label, rows), (p_value, p_adjusted))| {
                let difference = self.difference(&rows, level)?;
                let (this, other) = (self.mean_this(&rows), self.mean_other(&rows));
                let is_above = difference.value > max_rise * other;
                let verdict = if p_adjusted <= FAMILY_ERROR {
                    Verdict::Fail
                } else if is_above && p_value <= FAMILY_ERROR {
                    Verdict::Warn
                } else {
                    Verdict::Pass
                };
                let difference =
                    Measure { p_value: Some(p_value), p_adjusted: Some(p_adjusted), ..difference };
                Some(PairedSlice { label, rows: rows.len() as u64, this, other, difference, verdict })
            })
            .collect();
        slices.sort_by(|a, b| {
            b.verdict.cmp(&a.verdict).then(b.difference.value.total_cmp(&a.difference.value))
        });
        slices.truncate(KEPT);
        slices
    }

    /// One-sided: this version loses at most `max_rise` more than the other, as a share of that.
    fn p_above(&self, members: &[usize], max_rise: f64) -> f64 {
        let this = of_rows(&self.this_losses, members);
        let allowed: Vec<f64> =
            of_rows(&self.other_losses, members).iter().map(|loss| loss * (1.0 + max_rise)).collect();
        paired_mean_loss(&allowed, &this, Level::P95).map_or(1.0, |of| {
            // Half of the two-sided probability lies on either side.
            if of.difference.value > 0.0 { of.p_value / 2.0 } else { 1.0 - of.p_value / 2.0 }
        })
    }

    /// Slices where this version loses more, found on one half and returned with the rows of the other.
    fn searched(&self, kept: &std::collections::HashSet<usize>) -> Result<Vec<(String, Vec<usize>)>, String> {
        if self.rows.no_inputs().is_some() {
            return Ok(Vec::new());
        }
        let middle = self.this_losses.len() / 2;
        let worse: Vec<f64> = (0..middle)
            .map(|row| {
                if kept.contains(&row) {
                    (self.this_losses[row] - self.other_losses[row]).max(0.0)
                } else {
                    0.0
                }
            })
            .collect();
        let min_share = self.rows.scope.definition.evaluate.slices.min_share;
        let halves = Halves::of(self.rows, &worse, min_share)?;
        let found = halves.search(SEARCHED, CONDITIONS)?;
        found
            .iter()
            .map(|slice| {
                let members =
                    rows_of(&slice.conditions, &halves.judging).map_err(|error| error.to_string())?;
                let rows = members.into_iter().map(|row| middle + row as usize);
                let rows = rows.filter(|row| kept.contains(row)).collect();
                Ok((halves.label_of(self.rows, slice).join(" and "), rows))
            })
            .collect()
    }
}

fn of_rows(losses: &[f64], members: &[usize]) -> Vec<f64> {
    members.iter().map(|&row| losses[row]).collect()
}

/// What the other version said; rows without an output of it are filled with what loses most, and never looked at.
fn outputs(rows: &Rows<'_>, columns: &[&[f64]]) -> Outputs {
    match &rows.cases.outputs {
        Outputs::Binary { outcomes, .. } => {
            Outputs::Binary { scores: columns[0].to_vec(), outcomes: outcomes.clone() }
        }
        Outputs::Regression { outcomes, .. } => {
            Outputs::Regression { predicted: columns[0].to_vec(), outcomes: outcomes.clone() }
        }
        Outputs::Multiclass { outcomes, .. } => {
            let likeliest = |row: usize| {
                let of_row: Vec<f64> = columns.iter().map(|column| column[row]).collect();
                stats::multiclass::rows::likeliest(&of_row).unwrap_or_default() as u32
            };
            Outputs::Multiclass {
                probabilities: columns.iter().map(|column| column.to_vec()).collect(),
                predicted: (0..outcomes.len()).map(likeliest).collect(),
                outcomes: outcomes.clone(),
            }
        }
    }
}

fn paired(name: &str, this: &[f64], other: &[f64], level: Level, of_what: &str) -> Option<Measure> {
    let is_share = this.iter().chain(other).all(|loss| [0.0, 1.0].contains(loss));
    // Of shares an interval that is wide enough where the versions differ on few rows, too.
    let (difference, p_value) = if is_share && this != other {
        let wrong = |losses: &[f64]| losses.iter().map(|loss| *loss == 1.0).collect::<Vec<bool>>();
        let of = mcnemar(&wrong(other), &wrong(this), level).ok()?;
        (of.difference, of.p_mid)
    } else {
        let of = paired_mean_loss(other, this, level).ok()?;
        (of.difference, of.p_value)
    };
    Some(Measure {
        interval: Some(difference.interval),
        expected_by_chance: Some(0.0),
        p_value: Some(p_value),
        ..Measure::new(
            name,
            difference.value,
            difference.n,
            format!("{of_what} of this version less that of the other, on the same rows"),
        )
    })
}

fn summary(
    rows: &Rows<'_>,
    settings: &Comparison,
    pairs: &Pairs<'_>,
    overall: &Measure,
    of_all: Verdict,
    slices: &[PairedSlice],
) -> String {
    let (this, other) = (pairs.mean_this(&pairs.kept), pairs.mean_other(&pairs.kept));
    let in_unit = Measure { name: rows.loss().mean_name().into(), ..overall.clone() };
    let mut words = format!(
        "On the same {} rows the {} is {}, and {} of version {}; the difference is {}{}.",
        count(overall.n),
        rows.loss().mean_title(),
        rows.loss_text(this),
        rows.loss_text(other),
        settings.version,
        rows.loss_text(overall.value),
        interval_words(&in_unit),
    );
    let allowed = if settings.max_rise > 0.0 {
        format!("more than {} worse", percent(settings.max_rise))
    } else {
        "worse".to_owned()
    };
    words.push_str(&match of_all {
        Verdict::Fail => format!(" This version is surely {allowed}."),
        Verdict::Pass => format!(" This version is surely not {allowed}."),
        Verdict::Warn | Verdict::Unknown => format!(" Whether this version is {allowed} cannot be told."),
    });
    let failing: Vec<&PairedSlice> = slices.iter().filter(|slice| slice.verdict == Verdict::Fail).collect();
    match failing.first() {
        Some(worst) => {
            words.push_str(&format!(
                " It is surely {allowed} where {}: {} against {} over {} rows.",
                worst.label,
                rows.loss_text(worst.this),
                rows.loss_text(worst.other),
                count(worst.rows)
            ));
            if failing.len() > 1 {
                words.push_str(&format!(" So it is on {} segments and slices in all.", failing.len()));
            }
        }
        None if !slices.is_empty() => {
            words.push_str(&format!(
                " On none of {} is it surely {allowed}.",
                counted(slices.len() as u64, "segment or slice", "segments and slices")
            ));
        }
        None => {}
    }
    format!("{words}{}", rows.sampled_words())
}
