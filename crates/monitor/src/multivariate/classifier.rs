//! Can rows of the window be told from rows of the reference, and by which columns?

use rand_core::RngCore;
use stats::domain_classifier::{DomainOptions, DomainShift, domain_classifier};
use stats::interval::Level;
use stats::learn::{Loss, Options};
use types::answer::RowSample;
use types::definition::Multivariate;
use types::finding::{FeatureWeight, Threshold};
use types::format::{number, percent};
use types::nearest::listed;
use types::samples::Samples;
use types::{Measure, Verdict};

use super::USUAL_WINDOWS;

pub(super) const NAME: &str = "domain_classifier_auc";
/// Features that are kept with the finding.
const FEATURES_KEPT: usize = 10;
/// Features that the sentence names.
const FEATURES_NAMED: usize = 3;
/// By as much a window must surely be easier to tell apart than one of the reference, for an alarm.
const NEWS_LEAST: f64 = 0.05;
/// A drop of the AUC below this is noise.
const DROP_LEAST: f64 = 0.005;

/// How well the sides can be told apart.
#[derive(Clone, Debug)]
pub(super) struct ToldApart {
    shift: DomainShift,
    names: Vec<String>,
}

pub(super) fn told_apart(
    reference: &RowSample,
    current: &RowSample,
    rng: &mut impl RngCore,
) -> Result<ToldApart, String> {
    let samples = Samples::of(&reference.columns, &current.columns);
    let rows = |range: std::ops::Range<usize>| samples.features(&range.collect::<Vec<usize>>());
    let before = rows(0..reference.rows()).map_err(|error| error.to_string())?;
    let now = rows(reference.rows()..samples.all().end).map_err(|error| error.to_string())?;
    let shift = domain_classifier(&before, &now, &classifier_options(), Level::P95, rng)
        .map_err(|error| error.to_string())?;
    Ok(ToldApart { shift, names: samples.names().to_vec() })
}

/// How rows are told apart.
pub(crate) fn classifier_options() -> DomainOptions {
    let learner = Options { trees: 25, leaves_max: 8, ..Options::new(Loss::Logistic) };
    DomainOptions { folds: 3, learner }
}

/// What an AUC is held against.
pub(crate) fn auc_thresholds(settings: &Multivariate) -> [Threshold; 2] {
    [(settings.auc_fail, "auc_fail"), (settings.auc_warn, "auc_warn")].map(|(at_most, key)| Threshold {
        measure: NAME.into(),
        at_least: None,
        at_most: Some(at_most),
        from: format!("monitor.multivariate.{key}"),
    })
}

impl ToldApart {
    pub(super) fn area(&self) -> f64 {
        self.shift.area
    }

    /// `usual`: the largest AUC of a window of the reference. One that can be told apart no better than
    /// that shows nothing new.
    pub(super) fn verdict(&self, settings: &Multivariate, usual: Option<f64>) -> Verdict {
        let lower = self.shift.interval.lower;
        let news = usual.map_or(f64::INFINITY, |usual| lower - usual);
        if lower >= settings.auc_fail && news >= NEWS_LEAST {
            Verdict::Fail
        } else if lower >= settings.auc_warn && news > 0.0 {
            Verdict::Warn
        } else {
            Verdict::Pass
        }
    }

    /// The columns that give the window away.
    pub(super) fn features(&self) -> Vec<FeatureWeight> {
        self.shift
            .columns
            .iter()
            .filter(|column| column.area_drop > DROP_LEAST)
            .take(FEATURES_KEPT)
            .map(|column| FeatureWeight {
                name: self.names[column.column].clone(),
                auc_drop: column.area_drop,
            })
            .collect()
    }

    pub(super) fn measures(&self, usual: Option<f64>) -> Vec<Measure> {
        let shift = &self.shift;
        let auc = Measure {
            interval: Some(shift.interval),
            expected_by_chance: Some(0.5),
            p_value: Some(shift.p_value),
            ..Measure::new(
                NAME,
                shift.area,
                shift.n_current,
                format!(
                    "cross-validated AUC of boosted trees that tell the window from {} rows of the reference",
                    shift.n_reference
                ),
            )
        };
        let usual = usual.map(|usual| {
            let method =
                format!("largest AUC of up to {USUAL_WINDOWS} windows of the reference against all of it");
            Measure::new("reference_domain_classifier_auc", usual, shift.n_reference, method)
        });
        std::iter::once(auc).chain(usual).collect()
    }

    pub(super) fn words(&self, usual: Option<f64>, features: &[FeatureWeight]) -> String {
        let interval = &self.shift.interval;
        let told = format!(
            "A classifier tells rows of this window from those of the reference with an AUC of {} ({} interval {} to {}; 0.5 is chance)",
            number(self.shift.area),
            percent(interval.level.get()),
            number(interval.lower),
            number(interval.upper)
        );
        let usual = usual.map_or_else(String::new, |usual| {
            format!(", a window of the reference with up to {}", number(usual))
        });
        if features.is_empty() {
            return format!("{told}{usual}.");
        }
        let names = listed(features.iter().map(|feature| feature.name.as_str()), FEATURES_NAMED);
        format!("{told}{usual}, by {names}.")
    }
}
