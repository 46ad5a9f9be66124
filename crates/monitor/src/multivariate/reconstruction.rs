//! Do the columns hang together as they did? The error of rebuilding rows from the reference's principal
//! components.
//!
//! Numbers are standardised by the reference, categories become their share in it, and what is missing
//! becomes its mean or its most frequent value. Columns that are constant in the reference hang together with
//! nothing and are left out ([`crate::drift`] sees it when they come alive).

use stats::interval::Level;
use stats::learn::{Column, Features};
use stats::reconstruction::{ReconstructionDrift, ReconstructionError, reconstruction_drift};
use types::answer::RowSample;
use types::definition::Multivariate;
use types::finding::Threshold;
use types::format::{number, percent};
use types::samples::Samples;
use types::{Measure, Verdict};

use super::USUAL_WINDOWS;

pub(super) const NAME: &str = "pca_reconstruction_error";
/// Components are kept until they hold this share of the reference's variance, as NannyML does.
const VARIANCE_KEPT: f64 = 0.65;
/// Below this the components describe every row and nothing is left that could change.
const ERROR_LEAST: f64 = 1e-6;

/// The reconstruction errors of a window and of the reference.
#[derive(Clone, Debug)]
pub(super) struct Rebuilt {
    drift: ReconstructionDrift,
    /// The mean error of reference rows that the components have not seen.
    reference: f64,
    constant: usize,
}

/// Rebuilds the rows of both sides.
pub(super) fn rebuilt(reference: &RowSample, current: &RowSample) -> Result<Rebuilt, String> {
    let samples = Samples::of(&reference.columns, &current.columns);
    let rows = |range: std::ops::Range<usize>| samples.features(&range.collect::<Vec<usize>>());
    let before = rows(0..reference.rows()).map_err(|error| error.to_string())?;
    let now = rows(reference.rows()..samples.all().end).map_err(|error| error.to_string())?;
    let varying: Vec<usize> =
        (0..before.columns().len()).filter(|&column| varies(&before.columns()[column])).collect();
    let constant = before.columns().len() - varying.len();
    let kept = |features: &Features| features.with_columns(&varying);
    let (Some(before), Some(now)) = (kept(&before), kept(&now)) else {
        return Err("every column is constant in the reference".into());
    };
    let drift = reconstruction_drift(&before, &now, VARIANCE_KEPT, Level::P95).map_err(|error| match error {
        ReconstructionError::Infinite { column, .. } => format!(
            "column `{}` holds infinite values, which have no distance to anything; write them as missing",
            samples.names()[varying[column]]
        ),
        other => other.to_string(),
    })?;
    let reference = drift.current.error - drift.change;
    if reference < ERROR_LEAST {
        return Err(format!(
            "{} principal components describe every row of the reference, so no error is left that could change",
            drift.components
        ));
    }
    Ok(Rebuilt { drift, reference, constant })
}

fn varies(column: &Column) -> bool {
    match column {
        Column::Numeric(values) => {
            let mut present = values.iter().filter(|value| !value.is_nan());
            present.next().is_some_and(|first| present.any(|value| value != first))
        }
        Column::Categorical { codes, .. } => {
            codes.first().is_some_and(|first| codes.iter().any(|code| code != first))
        }
    }
}

impl Rebuilt {
    /// The change as a share of the reference's error; it may be negative.
    pub(super) fn change(&self) -> f64 {
        self.drift.change / self.reference
    }

    /// By as much the error has surely changed, up or down, as a share of the reference's.
    fn change_least(&self) -> f64 {
        let interval = &self.drift.change_interval;
        interval.lower.max(-interval.upper).max(0.0) / self.reference
    }

    /// `usual`: the largest change, up or down, that a window of the reference shows.
    pub(super) fn verdict(&self, settings: &Multivariate, usual: Option<f64>) -> Verdict {
        let least = self.change_least();
        let news = usual.map_or(f64::INFINITY, |usual| least - usual);
        if least >= settings.reconstruction_fail && news >= settings.reconstruction_warn {
            Verdict::Fail
        } else if least >= settings.reconstruction_warn && news > 0.0 {
            Verdict::Warn
        } else {
            Verdict::Pass
        }
    }

    pub(super) fn measures(&self, usual: Option<f64>) -> Vec<Measure> {
        let found = &self.drift;
        let left_out = match self.constant + found.columns_left_out.len() {
            0 => String::new(),
            count => format!("; {count} constant or empty in the reference left out"),
        };
        let error = Measure {
            interval: Some(found.current.interval),
            expected_by_chance: Some(self.reference),
            p_value: Some(found.p_value),
            ..Measure::new(
                NAME,
                found.current.error,
                found.current.n,
                format!(
                    "mean distance of a row to its image under the {} principal components that keep {} of the variance of {} rows of the reference; numbers standardised by it, categories as their share in it, missing as its mean or most frequent value{left_out}",
                    found.components,
                    percent(found.variance_kept),
                    found.reference.n
                ),
            )
        };
        let usual = usual.map(|usual| {
            Measure::new(
                "reference_reconstruction_change_share",
                usual,
                found.reference.n,
                format!(
                    "largest change of the PCA reconstruction error, up or down and as a share of the reference's, in up to {USUAL_WINDOWS} of its windows"
                ),
            )
        });
        std::iter::once(error).chain(usual).collect()
    }

    pub(super) fn thresholds(&self, settings: &Multivariate) -> [Threshold; 2] {
        [
            (settings.reconstruction_fail, "reconstruction_fail"),
            (settings.reconstruction_warn, "reconstruction_warn"),
        ]
        .map(|(share, key)| Threshold {
            measure: NAME.into(),
            at_least: Some(self.reference * (1.0 - share).max(0.0)),
            at_most: Some(self.reference * (1.0 + share)),
            from: format!("monitor.multivariate.{key}"),
        })
    }

    /// A sentence; `verdict` is that on the reconstruction error.
    pub(super) fn words(&self, verdict: Verdict, usual: Option<f64>) -> String {
        let share = self.change();
        let side = if share < 0.0 { "below" } else { "above" };
        let error = number(self.drift.current.error);
        let compared = format!("is {error}, {} {side} the reference's", percent(share.abs()));
        let how = match verdict {
            Verdict::Pass if usual.is_none_or(|usual| share.abs() <= usual) => "as usual",
            Verdict::Pass => "much as they did",
            _ => "differently",
        };
        let usual = usual.map_or_else(String::new, |usual| {
            format!("; windows of the reference differ from it by up to {}", percent(usual))
        });
        format!("Columns hang together {how}: their PCA reconstruction error {compared}{usual}.")
    }
}
