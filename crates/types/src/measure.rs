//! Names and units of measures as people read them, the same in the terminal and in every report, and which
//! intervals are none.

use std::borrow::Cow;

use stats::interval::Interval;

use crate::definition::{Metric, Task};
use crate::detail::ComparisonDetail;
use crate::finding::{Detail, Measure};
use crate::format;
use crate::loss::RowLoss;

/// The name of a measure in tables: `ROC AUC`, `PSI`, `missing share`.
pub fn title(name: &str) -> Cow<'static, str> {
    if let Some(metric) = metric(name) {
        return metric.title().into();
    }
    if let Some(of) = name.strip_suffix("_usual") {
        return format!("usual {} between windows", title(of)).into();
    }
    if let Some(of) = name.strip_prefix("psi_of_") {
        return format!("PSI of {}", of.replace("non_ascii", "non-ASCII").replace('_', " ")).into();
    }
    match name {
        "psi" => "PSI".into(),
        "ece" => "expected calibration error".into(),
        "jensen_shannon" => "Jensen–Shannon distance".into(),
        "wasserstein" => "Wasserstein distance".into(),
        "kolmogorov_smirnov" => "Kolmogorov–Smirnov distance".into(),
        "chi_square" => "chi-squared statistic".into(),
        "domain_classifier_auc" => "domain classifier AUC".into(),
        "pca_reconstruction_error" => "PCA reconstruction error".into(),
        "cramers_v" => "Cramér's V".into(),
        "hellinger" => "Hellinger distance".into(),
        "l_infinity" => "largest change of a share".into(),
        "g_test" => "G statistic".into(),
        "cramer_von_mises" => "Cramér–von Mises statistic".into(),
        "reference_domain_classifier_auc" => "usual AUC of the domain classifier".into(),
        "reference_reconstruction_change_share" => "usual change of the reconstruction error".into(),
        "mean_daily_loss" => "mean loss of a day".into(),
        "reference_mean_daily_loss" => "mean loss of a day in the reference".into(),
        // The share is told by its unit.
        "loss_share_against_reference" => "loss against reference".into(),
        "not_adding_up_share" => "share of rows whose probabilities do not add up to 1".into(),
        _ => evaluated_title(name).unwrap_or_else(|| name.replace('_', " ").into()),
    }
}

/// The same for what only evaluations measure.
fn evaluated_title(name: &str) -> Option<Cow<'static, str>> {
    if let Some(of) = name.strip_suffix("_difference").and_then(metric) {
        return Some(format!("difference of {}", of.title()).into());
    }
    let title = match name {
        "matthews" => "Matthews correlation",
        "cohens_kappa" => "Cohen's kappa",
        "micro_f1" => "micro F1",
        "weighted_f1" => "weighted F1",
        "micro_roc_auc" => "micro ROC AUC",
        "weighted_roc_auc" => "weighted ROC AUC",
        "expected_cost" => "expected cost of a prediction",
        "wrong_share" => "share of wrong predictions",
        "mean_brier_loss" => "mean Brier loss",
        "ece_equal_width" => "calibration error over bins of equal width",
        "ece_debiased" => "calibration error without its bias",
        "mce" => "largest calibration error of a bin",
        "smooth_ece" => "smooth calibration error",
        "classwise_ece" => "class-wise calibration error",
        "hosmer_lemeshow" => "Hosmer–Lemeshow statistic",
        "brier_reliability" => "Brier score: reliability",
        "brier_resolution" => "Brier score: resolution",
        "brier_uncertainty" => "Brier score: uncertainty",
        "worst_segment_gap" => "largest gap of a segment",
        "coverage_gap" => "largest gap of a quantile",
        "interval_coverage" => "outcomes inside the interval",
        "pit_chi_square" => "chi-squared statistic of the PIT",
        "slice_lift" => "lift of the worst slice",
        "slice_mean_loss" => "mean loss of the worst slice",
        "worst_subpopulation_loss" => "mean loss of the worst subpopulation",
        "worst_subpopulation_rise" => "rise of the worst subpopulation's loss",
        "systematic_share" => "systematic share of the errors",
        "error_auc" => "AUC of predicting errors",
        "loss_autocorrelation" => "autocorrelation of the loss",
        "time_dispersion" => "dispersion of the loss over time",
        "rare_lift" => "lift of rare cases",
        "confident_wrong_share" => "share of confident predictions that are wrong",
        "rare_class_wrong_share" => "share of rare classes predicted wrongly",
        "loss_difference" => "difference of the mean loss",
        "parity_share" => "answers as in the log",
        "parity_largest_difference" => "largest difference from the log",
        "failed_faults" => "share of faults that the model fails",
        "missed_faults" => "share of harmful faults that nobody notices",
        "silently_wrong_share" => "silently wrong under the worst fault",
        "stood_requests_per_second" => "requests a second that it stands",
        "p99_latency_ms" => "ms that 99 of 100 requests stay within",
        "failed_request_share" => "requests that fail",
        "equal_answer_share" => "answers as without load",
        "unhandled_fault_share" => "share of faults that callers do not cope with",
        "longest_wait_ms" => "ms that a caller waited at most",
        "flipped_share" => "share of decisions that can be flipped",
        "flipped_cost" => "median cost of a flip",
        "lever_share" => "share of cheapest changes with a part of it",
        "alone_share" => "share that it flips alone",
        _ => return None,
    };
    Some(title.into())
}

/// The metric of this name, where it is one.
pub fn metric(name: &str) -> Option<Metric> {
    Metric::named(name)
}

/// The value of a measure in its unit: shares as percentages, counts as counts.
pub fn value_text(name: &str, value: f64) -> String {
    if is_count(name, value) {
        format::count(value as u64)
    } else if name.ends_with("lift") {
        format::times(value)
    } else if is_share(name) {
        format::percent(value)
    } else if name.ends_with("_ms") || name.ends_with("_per_second") {
        format::value(value)
    } else {
        format::number(value)
    }
}

/// An interval in the unit of a measure: `0.698 – 0.728`.
pub fn range_text(unit: &str, interval: Option<Interval>) -> Option<String> {
    let interval = interval?;
    Some(format!("{} – {}", value_text(unit, interval.lower), value_text(unit, interval.upper)))
}

fn is_share(name: &str) -> bool {
    name.contains("share")
        || name.ends_with("rate")
        || name.ends_with("coverage")
        || matches!(
            name,
            "worst_segment_gap"
                | "segment_gap"
                | "coverage_gap"
                | "calibration_gap"
                | "worst_subpopulation_rise"
                | "accuracy_drop"
                | "failed_faults"
                | "missed_faults"
        )
}

fn is_count(name: &str, value: f64) -> bool {
    let counts =
        ["rows", "ids", "count", "outcomes", "values", "dimensions"].iter().any(|word| name.ends_with(word));
    counts && value >= 0.0 && value.fract() == 0.0 && value < 1e15
}

/// What stands before the reason in the method of a measure that has no interval.
pub const NO_INTERVAL: &str = "no interval, because ";

/// What a measure's value is written in the unit of: a mean loss in that of the loss.
pub fn unit_of<'a>(detail: Option<&'a Detail>, measure: &'a str) -> &'a str {
    match (detail, measure.strip_prefix("reference_").unwrap_or(measure)) {
        (Some(Detail::Slices(of)), "slice_mean_loss") => &of.loss,
        (Some(Detail::Subpopulation(of)), "worst_subpopulation_loss") => &of.loss,
        (Some(Detail::Comparison(of)), "loss_difference") => of.compared_loss().unwrap_or(measure),
        _ => measure,
    }
}

impl ComparisonDetail {
    /// The measure that two versions were compared by.
    pub fn compared_loss(&self) -> Option<&str> {
        let is_mean = |name: &&str| {
            Task::ALL.into_iter().flat_map(RowLoss::of_task).any(|loss| loss.mean_name() == *name)
        };
        // A record of old names none; the default of its task comes first then.
        let named = Some(self.loss.as_str()).filter(|loss| !loss.is_empty());
        named.or_else(|| self.metrics.iter().map(|row| row.name.as_str()).find(is_mean))
    }
}

impl Measure {
    /// Why it has no interval, in words that follow "because", where it says so.
    pub fn why_no_interval(&self) -> Option<&str> {
        let (_, why) = self.method.split_once(NO_INTERVAL).filter(|_| self.interval.is_none())?;
        Some(why)
    }

    /// The same without an interval of no width: values that are all alike do not show how much others vary.
    #[must_use]
    pub fn without_empty_interval(self) -> Self {
        self.without_empty_interval_because("what these rows give for it is all alike")
    }

    /// The same where more is known of why, in words that follow "because".
    #[must_use]
    pub fn without_empty_interval_because(self, reason: &str) -> Self {
        if self.interval.is_none_or(|interval| !is_empty(interval)) {
            return self;
        }
        let method = format!("{}; {NO_INTERVAL}{reason}", self.method);
        Self { interval: None, method, ..self }
    }
}

/// Whether an interval has no width but that of rounding.
pub fn is_empty(interval: Interval) -> bool {
    let size = interval.lower.abs().max(interval.upper.abs());
    interval.width() <= (ROUNDING * size).max(ROUNDED_TO_NOTHING)
}

/// The part of a value that rounding may make of it.
const ROUNDING: f64 = 1e-9;
/// What is left of squares that are 0 but for rounding.
const ROUNDED_TO_NOTHING: f64 = 1e-24;

#[cfg(test)]
mod tests {
    use super::*;
    use stats::interval::{IntervalMethod, Level};

    #[test]
    fn values_are_written_in_their_unit() {
        for (name, value, expected) in [
            ("missing_share_change", -0.2, "−20 %"),
            ("different_values", 1200.0, "1,200"),
            ("roc_auc", 0.7131, "0.713"),
            ("outcome_coverage", 0.99, "99 %"),
            ("mae", 12.345, "12.345"),
            ("mape", 0.125, "0.125"),
            ("loss_share_against_reference", 0.05, "5.0 %"),
            ("wrong_share", 0.219, "21.9 %"),
            ("slice_lift", 2.314, "2.31 ×"),
            ("coverage_gap", 0.031, "3.1 %"),
            ("worst_subpopulation_loss", 0.412, "0.412"),
        ] {
            assert_eq!(value_text(name, value), expected);
        }
        assert_eq!(title("roc_auc"), "ROC AUC");
        assert_eq!(title("repeated_id_share"), "repeated id share");
    }

    #[test]
    fn an_interval_that_rounding_alone_gives_a_width_is_none() {
        let of = |lower: f64, upper: f64| {
            let interval = Interval { lower, upper, level: Level::P95, method: IntervalMethod::NormalOfMean };
            let measure = Measure { interval: Some(interval), ..Measure::new("x", lower, 10, "mean") };
            measure.without_empty_interval_because("all predictions are equal")
        };
        for (lower, upper) in [(1.0, 1.0), (0.0, 2.3e-28), (0.424_072_360_343_957_8, 0.424_072_360_343_958_5)]
        {
            let none = of(lower, upper);
            assert_eq!(none.interval, None);
            assert_eq!(none.method, "mean; no interval, because all predictions are equal");
            assert_eq!(none.why_no_interval(), Some("all predictions are equal"));
        }
        assert!(of(0.0, 1e-12).interval.is_some() && of(1.0, 1.000_001).interval.is_some());
    }
}
