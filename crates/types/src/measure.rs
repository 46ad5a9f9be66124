//! Names and units of measures as people read them, the same in the terminal and in every report.

use std::borrow::Cow;

use crate::definition::Metric;
use crate::format;

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
        "reference_reconstruction_change_share" => "usual change of the reconstruction error".into(),
        "mean_daily_loss" => "mean loss of a day".into(),
        "reference_mean_daily_loss" => "mean loss of a day in the reference".into(),
        // The share is told by its unit.
        "loss_share_against_reference" => "loss against reference".into(),
        "not_adding_up_share" => "share of rows whose probabilities do not add up to 1".into(),
        _ => name.replace('_', " ").into(),
    }
}

/// The metric of this name, where it is one.
pub fn metric(name: &str) -> Option<Metric> {
    Metric::named(name)
}

/// The value of a measure in its unit: shares as percentages, counts as counts.
pub fn value_text(name: &str, value: f64) -> String {
    if is_count(name, value) {
        format::count(value as u64)
    } else if is_share(name) {
        format::percent(value)
    } else {
        format::number(value)
    }
}

fn is_share(name: &str) -> bool {
    name.contains("share") || name.ends_with("rate") || name.ends_with("coverage")
}

fn is_count(name: &str, value: f64) -> bool {
    let counts =
        ["rows", "ids", "count", "outcomes", "values", "dimensions"].iter().any(|word| name.ends_with(word));
    counts && value >= 0.0 && value.fract() == 0.0 && value < 1e15
}

#[cfg(test)]
mod tests {
    use super::*;

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
        ] {
            assert_eq!(value_text(name, value), expected);
        }
        assert_eq!(title("roc_auc"), "ROC AUC");
        assert_eq!(title("repeated_id_share"), "repeated id share");
    }
}
