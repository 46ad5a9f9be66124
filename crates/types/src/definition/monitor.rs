//! The part of a definition that says what is watched, how often and against what.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Distance, DriftMethod, Metric, Quality};

/// Continuous watching: drift, data quality, performance over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Monitor {
    pub drift: Drift,
    pub quality: Quality,
    pub multivariate: Multivariate,
    pub performance: WatchedPerformance,
    pub reassess: Reassess,
}

/// Whether the inputs and outputs of a window differ from the reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Drift {
    /// How long a window is and how often the check is due; its evidence stays fresh for that long and
    /// half as long again.
    pub every: Cadence,
    /// What a window is compared against.
    pub against: Against,
    /// How many windows before it, where it is compared against those.
    pub windows: u32,
    /// The probability that any column ever raises an alarm though nothing changed, over all columns and
    /// all weeks that are looked at; with `bound = "share"` the share of such alarms among all of them.
    pub false_alarms: f64,
    /// What `false_alarms` bounds.
    pub bound: AlarmBound,
    /// What decides how much a column changed: `auto`, a distance such as `wasserstein`, or another tool's
    /// method such as `evidently-0.7:psi`, with that tool's own thresholds.
    pub method: DriftMethod,
    /// From this distance (above what chance gives and what is usual) a change is worth a look. By default
    /// 0.1 for the population stability index, and what corresponds to it for another distance.
    pub warn: Option<f64>,
    /// From this distance (above what chance gives and what is usual) a change is an alarm. By default 0.25
    /// for the population stability index, and what corresponds to it for another distance.
    pub fail: Option<f64>,
    /// A change of the missing share, or a share of unseen values, from which a change is an alarm.
    pub share_fail: f64,
    /// With fewer rows in a window the verdict is unknown.
    pub min_rows: u64,
}

impl Default for Drift {
    fn default() -> Self {
        Self {
            every: Cadence::Week,
            against: Against::Reference,
            windows: 8,
            false_alarms: 0.01,
            bound: AlarmBound::Any,
            method: DriftMethod::Auto,
            warn: None,
            fail: None,
            share_fail: 0.1,
            min_rows: 100,
        }
    }
}

/// Which false alarms a budget is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AlarmBound {
    /// Any at all, ever.
    #[default]
    Any,
    /// Their expected share among all alarms, at any time; more alarms come through where hundreds of columns move.
    Share,
}

impl Drift {
    /// From where on a change by a distance is worth a look, and an alarm. The definition's limits are for
    /// the distance that it names.
    pub fn limits(&self, distance: Distance) -> (f64, f64) {
        let (warn, fail) = distance.limits();
        if distance == self.method.distance() {
            (self.warn.unwrap_or(warn), self.fail.unwrap_or(fail))
        } else {
            (warn, fail)
        }
    }
}

/// What a window is compared against. A plain comparison across seasons is the commonest false alarm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// The fixed window of `[reference]`.
    #[default]
    Reference,
    /// The windows just before it, as many as `windows` says.
    Trailing,
    /// The same hours of the week in as many weeks before it as `windows` says.
    SameHours,
    /// The same weeks of last year, one week wider on either side.
    LastYear,
}

/// Whether all columns together differ from the reference, where no single one does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Multivariate {
    /// Whether to look; it reads a sample of rows.
    pub enabled: bool,
    /// Rows that are sampled of each window.
    pub rows: u32,
    /// From this AUC of the domain classifier (its whole interval) a change is worth a look.
    pub auc_warn: f64,
    /// From this AUC of the domain classifier (its whole interval) a change is an alarm.
    pub auc_fail: f64,
    /// From this change of the PCA reconstruction error (its whole interval), as a share of the error in
    /// the reference, a change is worth a look.
    pub reconstruction_warn: f64,
    /// From this change of the PCA reconstruction error (its whole interval), as a share of the error in
    /// the reference, a change is an alarm.
    pub reconstruction_fail: f64,
}

impl Default for Multivariate {
    fn default() -> Self {
        Self {
            enabled: true,
            rows: 2000,
            auc_warn: 0.65,
            auc_fail: 0.8,
            reconstruction_warn: 0.15,
            reconstruction_fail: 0.5,
        }
    }
}

/// How good the model is from window to window, from outcomes and, before they arrive, estimated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WatchedPerformance {
    /// How long a window is and how often the check is due.
    pub every: Cadence,
    /// The metric that is watched. By default `roc_auc` for a binary task, `macro_roc_auc` for a multiclass
    /// and `mae` for a regression task.
    pub metric: Metric,
    /// With fewer rows with outcomes, overall or in a segment, it is unknown.
    pub min_rows: u64,
    /// A window counts as realised when this share of its outcomes has arrived.
    pub least_coverage: f64,
    /// The largest acceptable loss against the reference window; for errors that have a unit (`mae`,
    /// `rmse`) as a share of the reference's.
    pub max_drop: f64,
    /// By how much a day's mean loss may exceed what it may plausibly be in the reference before the model
    /// counts as harmfully worse, as a share of the largest loss: of 1 (Brier, or the share of wrong
    /// predictions), of 2 (Brier of several classes), of `largest_error`.
    pub tolerance: f64,
    /// The error of a predicted number that is as bad as any larger one, in the unit of the outcome. Whether the
    /// model has become harmfully worse is asked of a regression task only where it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub largest_error: Option<f64>,
    /// The probability that the model is ever called harmfully worse though it is not, over all windows
    /// that are looked at.
    pub false_alarms: f64,
    /// Rows that are sampled of each side to say what explains a loss; 0 switches it off.
    pub attribution_rows: u32,
}

impl Default for WatchedPerformance {
    fn default() -> Self {
        Self {
            every: Cadence::Month,
            metric: Metric::RocAuc,
            min_rows: 200,
            least_coverage: 0.9,
            max_drop: 0.05,
            tolerance: 0.01,
            largest_error: None,
            false_alarms: 0.01,
            attribution_rows: 4000,
        }
    }
}

/// When the model and its risks are looked at as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reassess {
    pub every: Cadence,
}

impl Default for Reassess {
    fn default() -> Self {
        Self { every: Cadence::Quarter }
    }
}

/// How often a check is due, and how long its windows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Cadence {
    /// From midnight to midnight (UTC).
    Day,
    /// From Monday to Monday.
    Week,
    /// A calendar month.
    Month,
    /// Three calendar months, from January, April, July or October.
    Quarter,
}

impl Cadence {
    /// The cadence in hours, months as 31 days and quarters as 92.
    pub fn hours(self) -> i64 {
        24 * match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 31,
            Self::Quarter => 92,
        }
    }

    /// `week`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
        }
    }
}
