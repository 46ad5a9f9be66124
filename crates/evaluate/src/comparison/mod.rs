//! Two versions of a model on the same rows: is this one better, and is it worse for somebody?
//!
//! An average that improves can hide a slice that got worse, so declared segments and slices found by search are
//! held to the same limit, all of them together (Holm). Slices are searched on one half of the rows and judged on
//! the other. A slice that is a declared segment, too, is judged as that, on all rows. [`metrics`] has the metrics
//! of both versions.

mod metrics;

use std::collections::HashSet;

use rand_core::RngCore;
use stats::false_discovery::holm;
use stats::interval::Interval;
use stats::interval::Level;
use stats::paired::WinsTiesLosses;
use stats::paired::mean_loss::paired_mean_loss;
use stats::slice_search::rows_of;
use types::cases::Outputs;
use types::definition::{Comparison, Task};
use types::detail::{ComparisonDetail, PairedSlice};
use types::finding::segment_label;
use types::format::{count, counted, percent};
use types::performance::Limit;
use types::{CheckId, Detail, Finding, Measure, Verdict};

use self::metrics::{metrics, paired};
use crate::performance::interval_words;
use crate::rows::{Rows, mean_of, quantile_levels};
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

pub(crate) fn judge(rows: &Rows<'_>, rng: &mut impl RngCore) -> Finding {
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
    let found = pairs.wins(&pairs.kept);
    // Nothing is lost on any row, however little that says of others.
    let of_all = if alike(found) { Verdict::Pass } else { limit.verdict(&overall) };
    let slices = pairs.slices(settings.max_rise);
    let of_slices = Verdict::worst(slices.iter().map(|slice| slice.verdict)).unwrap_or(Verdict::Pass);
    let mut finding = blank(scope, CheckId::Comparison, of_all.max(of_slices));
    finding.summary = summary(rows, settings, &pairs, &overall, of_all, &slices);
    finding.thresholds.push(limit.threshold(NAME, "evaluate.comparison.max_rise"));
    finding.measures.push(overall);
    finding.detail = Some(Detail::Comparison(Box::new(ComparisonDetail {
        other: settings.version.clone(),
        loss: rows.loss().mean_name().to_owned(),
        metrics: metrics(&pairs, rng),
        wins: found.wins,
        ties: found.ties,
        losses: found.losses,
        slices,
    })));
    finding
}

/// Whether both versions lost the same on every row.
fn alike(rows: WinsTiesLosses) -> bool {
    rows.wins == 0 && rows.losses == 0
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
        paired(NAME, self.rows.loss(), &this, &other, level)
    }

    /// The interval of the mean of some rows' losses.
    fn interval(&self, losses: &[f64], members: &[usize], level: Level) -> Option<Interval> {
        mean_of(self.rows.loss(), members.iter().map(|&row| losses[row]), level)?.interval
    }

    /// Rows on which this version loses less, the same, more.
    fn wins(&self, members: &[usize]) -> WinsTiesLosses {
        let mut found = WinsTiesLosses::default();
        for &row in members {
            match self.this_losses[row].total_cmp(&self.other_losses[row]) {
                std::cmp::Ordering::Less => found.wins += 1,
                std::cmp::Ordering::Equal => found.ties += 1,
                std::cmp::Ordering::Greater => found.losses += 1,
            }
        }
        found
    }

    /// Segments, and slices that a search on one half of the rows found and the other half judges.
    fn slices(&self, max_rise: f64) -> Vec<PairedSlice> {
        let kept: HashSet<usize> = self.kept.iter().copied().collect();
        let mut members = self.declared(&kept);
        let found = self.searched(&kept).unwrap_or_default();
        // All rows of a segment say more than half of them.
        let found: Vec<Members> = found
            .into_iter()
            .filter(|of| members.iter().all(|declared| declared.label != of.label))
            .collect();
        members.extend(found);
        members.retain(|of| of.rows.len() >= SLICE_ROWS_LEAST);
        let p_values: Vec<f64> = members.iter().map(|of| self.p_above(&of.rows, max_rise)).collect();
        let adjusted = holm(&p_values);
        let level = Level::P95.for_each_of(members.len());
        let mut slices: Vec<PairedSlice> = members
            .into_iter()
            .zip(p_values.into_iter().zip(adjusted))
            .filter_map(|(of, p_values)| self.slice(of, max_rise, p_values, level))
            .collect();
        slices.sort_by(|a, b| {
            b.verdict.cmp(&a.verdict).then(b.difference.value.total_cmp(&a.difference.value))
        });
        slices.truncate(KEPT);
        slices
    }

    fn slice(
        &self,
        Members { label, found, rows }: Members,
        max_rise: f64,
        (p_value, p_adjusted): (f64, f64),
        level: Level,
    ) -> Option<PairedSlice> {
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
        let by_row = self.wins(&rows);
        Some(PairedSlice {
            label,
            found,
            rows: rows.len() as u64,
            this,
            this_interval: self.interval(&self.this_losses, &rows, level),
            other,
            other_interval: self.interval(&self.other_losses, &rows, level),
            wins: by_row.wins,
            ties: by_row.ties,
            losses: by_row.losses,
            difference: Measure { p_value: Some(p_value), p_adjusted: Some(p_adjusted), ..difference },
            verdict,
        })
    }

    /// The values of the declared segments.
    fn declared(&self, kept: &HashSet<usize>) -> Vec<Members> {
        let segments = &self.rows.scope.definition.log.segments;
        let of_segment = |segment: &types::definition::Segment| {
            let name = segment.name.clone();
            self.rows.groups(segment).into_iter().map(move |(value, rows)| Members {
                label: segment_label(&name, value.as_deref()),
                found: false,
                rows: rows.into_iter().filter(|row| kept.contains(row)).collect(),
            })
        };
        segments.iter().flat_map(of_segment).collect()
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
    fn searched(&self, kept: &HashSet<usize>) -> Result<Vec<Members>, String> {
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
                Ok(Members { label: halves.label_of(self.rows, slice).join(" and "), found: true, rows })
            })
            .collect()
    }
}

/// Rows that are compared by themselves.
struct Members {
    label: String,
    /// Whether a search found them.
    found: bool,
    rows: Vec<usize>,
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
    let found = pairs.wins(&pairs.kept);
    words.push_str(&match of_all {
        Verdict::Pass if alike(found) => " Both versions lose the same on every row.".to_owned(),
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
