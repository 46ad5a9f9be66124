//! The names that a condition may use: checks, what is known of each, and its measures.

use types::CheckId;
use types::definition::{CRITERIA, Metric, Task};
use types::loss::RowLoss;

/// What every check has beside its measures, and what kind of thing it is.
pub(super) const FIELDS: [(&str, Kind); 9] = [
    ("verdict", Kind::Verdict),
    ("failed", Kind::Texts),
    ("warned", Kind::Texts),
    ("unknown", Kind::Texts),
    ("passed", Kind::Texts),
    ("subjects", Kind::Texts),
    ("fresh", Kind::Bool),
    ("stale", Kind::Bool),
    ("window", Kind::Text),
];

/// All checks together.
pub(super) const ANY: &str = "any";

/// The functions that a condition may call, with what they return.
pub(super) const FUNCTIONS: [(&str, Kind); 6] = [
    ("size", Kind::Number),
    ("contains", Kind::Bool),
    ("startsWith", Kind::Bool),
    ("endsWith", Kind::Bool),
    ("double", Kind::Number),
    ("string", Kind::Text),
];

/// The kinds of things in a condition, as far as they are known before it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Number,
    Text,
    /// One of the four verdicts, as text.
    Verdict,
    Texts,
    /// `monitor` or `evaluate`.
    Practice(&'static str),
    Check(CheckId),
    /// Of all checks.
    All,
    /// Not known beforehand.
    Open,
}

impl Kind {
    /// As it is said in a message.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Bool => "true or false",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Verdict => "a verdict",
            Self::Texts => "a list of names",
            Self::Practice(_) => "a practice",
            Self::Check(_) | Self::All => "a check",
            Self::Open => "something",
        }
    }
}

/// `drift` of `monitor.drift`.
pub(super) fn last_name(check: CheckId) -> &'static str {
    check.name().rsplit_once('.').map_or(check.name(), |(_, last)| last)
}

/// The checks of this last name; `performance` is two.
pub(super) fn checks_named(name: &str) -> Vec<CheckId> {
    CheckId::ALL.into_iter().filter(|check| last_name(*check) == name).collect()
}

/// Every name that can stand at the start of a path.
pub(super) fn roots() -> Vec<&'static str> {
    let mut roots: Vec<&str> =
        CheckId::ALL.into_iter().map(last_name).filter(|name| checks_named(name).len() == 1).collect();
    roots.extend(["monitor", "evaluate", "stress", ANY]);
    roots
}

/// What kind of thing a name at the start of a path is.
pub(super) fn root(name: &str) -> Option<Kind> {
    match (name, checks_named(name).as_slice()) {
        ("monitor", _) => Some(Kind::Practice("monitor")),
        ("evaluate", _) => Some(Kind::Practice("evaluate")),
        ("stress", _) => Some(Kind::Practice("stress")),
        (ANY, _) => Some(Kind::All),
        (_, [only]) => Some(Kind::Check(*only)),
        _ => None,
    }
}

/// The measures that the findings of a check may have.
pub(super) fn measures(check: CheckId) -> Vec<String> {
    let metrics = || Task::ALL.into_iter().flat_map(Metric::of).map(|metric| metric.name());
    let losses = || Task::ALL.into_iter().flat_map(RowLoss::of_task).map(|loss| loss.mean_name());
    let mut names: Vec<String> = own_measures(check).iter().map(|name| (*name).to_owned()).collect();
    match check {
        CheckId::Drift => {
            let usual: Vec<String> = names.iter().map(|name| format!("{name}_usual")).collect();
            names.extend(usual);
        }
        CheckId::Performance => {
            names.extend(metrics().chain(losses()).map(str::to_owned));
            names.extend(metrics().map(|name| format!("reference_{name}")));
        }
        CheckId::PerformanceOverTime | CheckId::WorstSegment | CheckId::Calibration | CheckId::Errors => {
            names.extend(metrics().chain(losses()).map(str::to_owned));
        }
        CheckId::Slices | CheckId::WorstSubpopulation | CheckId::Tail => {
            names.extend(losses().map(str::to_owned));
        }
        CheckId::Fairness => {
            let kinds = |name| ["difference", "ratio"].map(|kind| format!("{name}_{kind}"));
            names.extend(CRITERIA.into_iter().chain(metrics()).flat_map(kinds));
        }
        CheckId::Comparison => {
            names.extend(metrics().chain(losses()).map(str::to_owned));
            names.extend(metrics().map(|name| format!("{name}_difference")));
        }
        CheckId::Missing | CheckId::Faults => names.extend(losses().map(|loss| format!("{loss}_rise"))),
        CheckId::Quality
        | CheckId::Multivariate
        | CheckId::Outcomes
        | CheckId::Parity
        | CheckId::Detection
        | CheckId::Load
        | CheckId::Endpoint
        | CheckId::Manipulation => {}
    }
    names.sort_unstable();
    names.dedup();
    names
}

fn own_measures(check: CheckId) -> &'static [&'static str] {
    match check {
        CheckId::Drift => &[
            "psi",
            "jensen_shannon",
            "wasserstein",
            "hellinger",
            "total_variation",
            "l_infinity",
            "kolmogorov_smirnov",
            "root_mean_squared_gap",
            "cramer_von_mises",
            "energy_distance",
            "scaled_energy_distance",
            "cramers_v",
            "chi_square",
            "g_test",
            "missing_share_change",
            "unseen_share",
            "unseen_token_share",
            "centroid_distance",
            "cosine_distance",
            "domain_classifier_auc",
            "dimensions",
            "psi_of_characters",
            "psi_of_words",
            "psi_of_letters",
            "psi_of_digits",
            "psi_of_symbols",
            "psi_of_whitespace",
            "psi_of_upper_case",
            "psi_of_non_ascii",
            "psi_of_tokens",
            "psi_of_norm",
            "psi_of_projections",
            "rows",
        ],
        CheckId::Quality => &[
            "rows",
            "usual_rows",
            "missing_share",
            "not_allowed_share",
            "outside_range_share",
            "far_outside_share",
            "not_finite_share",
            "repeated_share",
            "repeated_id_share",
            "different_values",
            "future_rows",
            "late_share",
            "local_time_share",
            "newest_row_age_hours",
            "undated_rows",
            "empty_days_count",
            "changed_files_count",
            "empty_files_count",
            "outside_unit_interval_share",
            "not_adding_up_share",
            "unusable_prediction_share",
            "unusable_vector_share",
        ],
        CheckId::Multivariate => &[
            "domain_classifier_auc",
            "pca_reconstruction_error",
            "reference_domain_classifier_auc",
            "reference_reconstruction_change_share",
        ],
        CheckId::PerformanceOverTime => &[
            "loss_against_reference",
            "loss_share_against_reference",
            "mean_daily_loss",
            "reference_mean_daily_loss",
            "contradictory_outcomes",
            "undecided_outcomes",
        ],
        _ => evaluated_measures(check),
    }
}

fn evaluated_measures(check: CheckId) -> &'static [&'static str] {
    match check {
        CheckId::Outcomes => &["outcome_coverage"],
        CheckId::Performance => &[
            "loss_against_reference",
            "loss_share_against_reference",
            "expected_cost",
            "balanced_accuracy",
            "matthews",
            "cohens_kappa",
            "micro_f1",
            "weighted_f1",
            "micro_roc_auc",
            "weighted_roc_auc",
        ],
        CheckId::WorstSegment => &["worst_segment_gap"],
        CheckId::Calibration => &[
            "ece",
            "ece_debiased",
            "ece_equal_width",
            "mce",
            "smooth_ece",
            "classwise_ece",
            "brier_reliability",
            "brier_resolution",
            "brier_uncertainty",
            "calibration_slope",
            "calibration_intercept",
            "miscalibration",
            "discrimination",
            "hosmer_lemeshow",
            "worst_segment_gap",
            "mean_score_less_outcome_share",
            "coverage_gap",
            "interval_coverage",
            "pinball_loss",
            "pit_chi_square",
        ],
        CheckId::Slices => &["slice_lift", "slice_mean_loss"],
        CheckId::WorstSubpopulation => {
            &["worst_subpopulation_loss", "reference_worst_subpopulation_loss", "worst_subpopulation_rise"]
        }
        CheckId::Errors => &[
            "systematic_share",
            "error_auc",
            "error_explained_share",
            "loss_autocorrelation",
            "time_dispersion",
            "mean_residual",
            "false_positive_rate",
            "false_negative_rate",
        ],
        CheckId::Tail => {
            &["rare_lift", "confident_wrong_share", "rare_class_wrong_share", "expected_shortfall"]
        }
        CheckId::Comparison => &["loss_difference"],
        CheckId::Parity => &["parity_share", "parity_largest_difference"],
        CheckId::Missing | CheckId::Faults => &["accuracy_drop", "failed_faults", "silently_wrong_share"],
        CheckId::Detection => &["missed_faults"],
        CheckId::Load => {
            &["stood_requests_per_second", "p99_latency_ms", "failed_request_share", "equal_answer_share"]
        }
        CheckId::Endpoint => &["unhandled_fault_share", "longest_wait_ms"],
        CheckId::Manipulation => &["flipped_share", "flipped_cost"],
        CheckId::Drift
        | CheckId::Quality
        | CheckId::Multivariate
        | CheckId::PerformanceOverTime
        | CheckId::Fairness => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_are_named_as_their_checks_name_them() {
        for (check, name) in [
            (CheckId::Drift, "psi"),
            (CheckId::Drift, "wasserstein_usual"),
            (CheckId::PerformanceOverTime, "loss_against_reference"),
            (CheckId::PerformanceOverTime, "roc_auc"),
            (CheckId::Fairness, "demographic_parity_difference"),
            (CheckId::Slices, "wrong_share"),
            (CheckId::Comparison, "roc_auc_difference"),
        ] {
            assert!(measures(check).iter().any(|known| known == name), "{check} {name}");
        }
        assert!(!measures(CheckId::Calibration).iter().any(|known| known == "psi"));
    }
}
