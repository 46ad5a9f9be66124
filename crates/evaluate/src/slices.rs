//! Slices: conditions on the inputs under which the model is worse, found by search.
//!
//! A search over all features finds bad-looking slices by chance alone, so it sees one half of the rows; the
//! other half judges what it found, with Holm's correction over all of them. Both halves are random, because
//! rows come in the order of the hash of their ids.

use stats::interval::Level;
use stats::learn::Features;
use stats::slice_search::{
    CodeMeaning, Confirmed, EncodedColumn, Encoding, EncodingOptions, Slice, SliceOptions, confirm, distinct,
    find_slices, rows_of,
};
use types::detail::{FoundSlices, SliceRow};
use types::format::{count, counted, percent, times, value};
use types::{CheckId, Detail, Finding, Measure, Verdict};

use crate::performance::interval_words;
use crate::rows::{Rows, mean_of};
use crate::{blank, unknown};
use types::performance::Limit;

/// Bins that a column of numbers is cut into.
const BINS: usize = 8;
/// Slices share at most this part of their rows; of two that share more, the worse one is kept.
const OVERLAP_MOST: f64 = 0.5;
/// As many slices are searched for each that is kept.
const SEARCHED_PER_KEPT: usize = 5;
/// How often any slice may be confirmed that is no worse than the rest.
const FAMILY_ERROR: f64 = 0.05;
/// The fewest rows of a slice, however small a share that is.
const ROWS_LEAST: usize = 20;

pub(crate) fn judge(rows: &Rows<'_>) -> Finding {
    let scope = rows.scope;
    if let Some(reason) = rows.too_few().or_else(|| rows.no_inputs()) {
        let summary = format!("Whether some slice of the inputs is served worse is not known: {reason}.");
        return unknown(scope, CheckId::Slices, summary);
    }
    if rows.losses.len() / 2 < 2 * ROWS_LEAST {
        let summary = format!(
            "Whether some slice of the inputs is served worse is not known: half of {} is too few to search.",
            counted(rows.n(), "row", "rows")
        );
        return unknown(scope, CheckId::Slices, summary);
    }
    match found(rows) {
        Ok(found) => finding(rows, found),
        Err(reason) => {
            let summary = format!("Slices of the inputs could not be searched: {reason}.");
            unknown(scope, CheckId::Slices, summary)
        }
    }
}

/// The slices that the half of the rows which did not find them was asked about.
fn found(rows: &Rows<'_>) -> Result<FoundSlices, String> {
    let settings = &rows.scope.definition.evaluate.slices;
    let middle = rows.losses.len() / 2;
    let halves = Halves::of(rows, &rows.losses[..middle], settings.min_share)?;
    let kept = halves.search(settings.top as usize, settings.conditions as usize)?;
    let level = Level::P95.for_each_of(kept.len());
    let judged = confirm(&kept, &halves.judging, &rows.losses[middle..], level).map_err(|e| e.to_string())?;
    let judging = &rows.losses[middle..];
    let overall = judging.iter().sum::<f64>() / judging.len().max(1) as f64;
    let overall_interval =
        mean_of(rows.loss(), judging.iter().copied(), Level::P95).and_then(|mean| mean.interval);
    let mut slices: Vec<SliceRow> = kept
        .iter()
        .zip(&judged)
        .map(|(slice, confirmed)| {
            let conditions = halves.label_of(rows, slice);
            let members = rows_of(&slice.conditions, &halves.judging).unwrap_or_default();
            let losses = members.into_iter().map(|at| judging[at as usize]);
            row(rows, conditions, confirmed, losses.collect(), judging.len())
        })
        .collect();
    let rank = |row: &SliceRow| (std::cmp::Reverse(row.verdict), !row.confirmed);
    slices.sort_by(|a, b| {
        rank(a).cmp(&rank(b)).then(b.mean_loss.value.total_cmp(&a.mean_loss.value)).then(b.rows.cmp(&a.rows))
    });
    Ok(FoundSlices {
        loss: rows.loss().mean_name().to_owned(),
        overall,
        overall_interval,
        searched_rows: middle as u64,
        judged_rows: judging.len() as u64,
        slices,
    })
}

/// Rows to search, and rows to judge what was found.
pub(crate) struct Halves<'a> {
    encoding: Encoding,
    searched: Vec<EncodedColumn>,
    pub(crate) judging: Vec<EncodedColumn>,
    losses: &'a [f64],
    rows_min: usize,
}

impl<'a> Halves<'a> {
    /// The first rows, with what they lost, are searched; the others judge.
    pub(crate) fn of(rows: &Rows<'_>, losses: &'a [f64], min_share: f64) -> Result<Self, String> {
        let middle = losses.len();
        let rows_min = ((middle as f64 * min_share).ceil() as usize).max(ROWS_LEAST);
        let first = rows.features_at(0..middle)?;
        let second = rows.features_at(middle..rows.losses.len())?;
        let encoding = Encoding::learn(&first, &EncodingOptions { bins_max: BINS, rows_min });
        let apply = |features: &Features| encoding.apply(features).map_err(|error| error.to_string());
        let (searched, judging) = (apply(&first)?, apply(&second)?);
        Ok(Self { encoding, searched, judging, losses, rows_min })
    }

    /// The worst slices that are not mostly the same rows, worst first.
    pub(crate) fn search(&self, top: usize, conditions: usize) -> Result<Vec<Slice>, String> {
        let options = SliceOptions {
            k: top * SEARCHED_PER_KEPT,
            rows_min: self.rows_min,
            level_max: conditions,
            threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            ..SliceOptions::new(self.losses.len())
        };
        let found = find_slices(&self.searched, self.losses, &options).map_err(|error| error.to_string())?;
        let kept =
            distinct(&found.slices, &self.searched, OVERLAP_MOST).map_err(|error| error.to_string())?;
        Ok(kept.into_iter().take(top).map(|at| found.slices[at].clone()).collect())
    }

    /// The conditions of a slice in words.
    pub(crate) fn label_of(&self, rows: &Rows<'_>, slice: &Slice) -> Vec<String> {
        slice.conditions.iter().map(|&(column, code)| self.label(rows, column, code)).collect()
    }

    /// A condition in words.
    fn label(&self, rows: &Rows<'_>, column: usize, code: u32) -> String {
        let name = rows.feature_names().get(column).map_or("", String::as_str);
        match self.encoding.meaning(column, code) {
            Some(CodeMeaning::Category(code)) => {
                format!("{name} = {}", rows.category(column, code).unwrap_or_default())
            }
            Some(CodeMeaning::Rare) => format!("{name} is rare"),
            Some(CodeMeaning::Missing) | None => format!("{name} is missing"),
            Some(CodeMeaning::Range { over, up_to }) => {
                // Edges lie in the middle between two values; of whole numbers the lower one says the same.
                let edge = |edge: f64| value(if rows.is_whole(column) { edge.floor() } else { edge });
                match (over, up_to) {
                    (Some(over), Some(up_to))
                        if rows.is_whole(column) && up_to.floor() - over.floor() == 1.0 =>
                    {
                        format!("{name} = {}", edge(up_to))
                    }
                    (Some(over), Some(up_to)) => format!("{name} over {} up to {}", edge(over), edge(up_to)),
                    (Some(over), None) => format!("{name} over {}", edge(over)),
                    (None, Some(up_to)) => format!("{name} up to {}", edge(up_to)),
                    (None, None) => format!("{name} is there"),
                }
            }
        }
    }
}

fn row(
    rows: &Rows<'_>,
    conditions: Vec<String>,
    confirmed: &Confirmed,
    losses: Vec<f64>,
    judged: usize,
) -> SliceRow {
    let loss = rows.loss();
    let n = confirmed.rows;
    let comparison = confirmed.comparison;
    let mean = comparison.map_or(f64::NAN, |of| of.mean_inside);
    let lift = Measure {
        interval: comparison.and_then(|of| of.lift_interval),
        expected_by_chance: Some(1.0),
        p_value: Some(confirmed.p_value),
        p_adjusted: Some(confirmed.p_adjusted),
        ..Measure::new(
            "slice_lift",
            comparison.map_or(1.0, |of| of.lift),
            n,
            format!("mean loss of the slice over that of all {} rows that judged", count(judged as u64)),
        )
    };
    let is_confirmed = comparison.is_some() && confirmed.is_confirmed(FAMILY_ERROR);
    let limit = Limit::AtMost(rows.scope.definition.evaluate.slices.max_lift);
    let verdict = match is_confirmed {
        true if lift.interval.is_some() => limit.verdict(&lift),
        // Without an interval nothing is sure, and what is confirmed is worth a look.
        true => Verdict::Warn,
        false => Verdict::Pass,
    };
    SliceRow {
        conditions,
        rows: n,
        share: n as f64 / judged.max(1) as f64,
        mean_loss: mean_of(loss, losses, Level::P95)
            .unwrap_or_else(|| Measure::new(loss.mean_name(), mean, n, "mean of the rows that judged")),
        lift,
        confirmed: is_confirmed,
        verdict,
    }
}

fn finding(rows: &Rows<'_>, found: FoundSlices) -> Finding {
    let scope = rows.scope;
    let limit = Limit::AtMost(scope.definition.evaluate.slices.max_lift);
    let verdict = Verdict::worst(found.slices.iter().map(|slice| slice.verdict)).unwrap_or(Verdict::Pass);
    let mut finding = blank(scope, CheckId::Slices, verdict);
    finding.summary = summary(rows, &found, limit, verdict);
    if let Some(worst) = found.slices.first() {
        finding.measures.push(worst.lift.clone());
        finding.measures.push(Measure { name: "slice_mean_loss".into(), ..worst.mean_loss.clone() });
        finding.thresholds.push(limit.threshold("slice_lift", "evaluate.slices.max_lift"));
    }
    finding.detail = Some(Detail::Slices(found));
    finding
}

fn summary(rows: &Rows<'_>, found: &FoundSlices, limit: Limit, verdict: Verdict) -> String {
    let halves = format!(
        "{} rows were searched and {} others judged what was found.",
        count(found.searched_rows),
        count(found.judged_rows)
    );
    let confirmed = found.slices.iter().filter(|slice| slice.confirmed).count();
    let Some(worst) = found.slices.first().filter(|slice| slice.confirmed) else {
        let tried = found.slices.len();
        let words = match tried {
            0 => "No slice of the inputs was found that is worse than the rest".to_owned(),
            1 => {
                "One slice of the inputs looked worse than the rest, and other rows did not confirm it".into()
            }
            _ => format!(
                "{tried} slices of the inputs looked worse than the rest, and other rows confirmed none of them"
            ),
        };
        return format!("{words}. {halves}{}", rows.sampled_words());
    };
    let mut words = format!(
        "Where {}, the {} is {} over {} rows ({} of those that judge), {} the average of {}.",
        worst.conditions.join(" and "),
        rows.loss().mean_title(),
        rows.loss_text(worst.mean_loss.value),
        count(worst.rows),
        percent(worst.share),
        times(worst.lift.value),
        rows.loss_text(found.overall),
    );
    words.push_str(&match verdict {
        Verdict::Fail => format!(
            " That is surely more than the {} allowed{}: give these cases to somebody, or do not decide them by the model.",
            times(limit.value()),
            interval_words(&worst.lift)
        ),
        Verdict::Warn => format!(
            " Whether it is more than the {} allowed cannot be told from these rows{}.",
            times(limit.value()),
            interval_words(&worst.lift)
        ),
        Verdict::Pass | Verdict::Unknown => {
            format!(" That is within the {} allowed{}.", times(limit.value()), interval_words(&worst.lift))
        }
    });
    if confirmed > 1 {
        words.push_str(&format!(" {confirmed} slices are confirmed to be worse than the rest."));
    }
    format!("{words} {halves}{}", rows.sampled_words())
}
