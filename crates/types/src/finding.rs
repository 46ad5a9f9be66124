//! What a check found: a verdict, the numbers behind it, and the sentence that says it in words.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stats::interval::Interval;
use stats::sequential::change_mixture::ChangeMixture;
use stats::sequential::mean_betting::HarmfulShift;
use stats::sequential::spending::Spending;

use crate::answer::Coverage;
use crate::check_id::CheckId;
use crate::definition::Cadence;
use crate::described;
use crate::detail::{
    AverageAndWorst, Averages, CalibrationDetail, ComparisonDetail, ErrorStructure, FairnessDetail,
    FoundSlices, Subpopulation, TailDetail,
};
use crate::digest::Digest;
use crate::endpoint::TriedEndpoint;
use crate::faults::TriedFaults;
use crate::load::LoadRamp;
use crate::manipulation::Manipulated;
use crate::verdict::Verdict;
use crate::window::Window;

/// What a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Subject {
    /// The model as a whole.
    Model,
    /// The log as a whole: its rows and ids.
    Log,
    Feature {
        name: String,
        /// The upstream source that the feature comes from, where the definition says so.
        source: Option<String>,
    },
    Score {
        name: String,
    },
    /// A column of the log that is neither a feature nor the score.
    Column {
        name: String,
    },
    PredictedClass,
    /// What really happened, as far as it is known.
    Outcome,
    /// One value of a segment.
    Segment {
        column: String,
        value: Option<String>,
    },
}

impl Subject {
    /// A short label for tables: `temp`, `predicted class`, `origin = JFK`.
    pub fn label(&self) -> String {
        match self {
            Self::Model => "model".into(),
            Self::Log => "log".into(),
            Self::Feature { name, .. } | Self::Column { name } | Self::Score { name } => name.clone(),
            Self::PredictedClass => "predicted class".into(),
            Self::Outcome => "outcome".into(),
            Self::Segment { column, value } => segment_label(column, value.as_deref()),
        }
    }
}

/// `origin = JFK`, or `origin is missing`.
pub fn segment_label(column: &str, value: Option<&str>) -> String {
    match value {
        Some(value) => format!("{column} = {value}"),
        None => format!("{column} is missing"),
    }
}

/// One number with all that is needed to read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measure {
    /// The statistic's name: `psi`, `roc_auc`.
    pub name: String,
    pub value: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<described::Interval>")]
    pub interval: Option<Interval>,
    /// Rows behind the value.
    pub n: u64,
    /// How it was computed, in words.
    pub method: String,
    /// The largest amount by which the value can differ from the exact one; 0 where it is exact.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub error_bound: f64,
    /// What the statistic would be on average if nothing had changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_by_chance: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// The p-value after adjusting for all columns of the report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_adjusted: Option<f64>,
}

impl Measure {
    /// An exact value without interval or test; further fields are set by struct update.
    pub fn new(name: impl Into<String>, value: f64, n: u64, method: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value,
            interval: None,
            n,
            method: method.into(),
            error_bound: 0.0,
            expected_by_chance: None,
            p_value: None,
            p_adjusted: None,
        }
    }
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// A statistic that could not be computed, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unmeasured {
    pub name: String,
    pub reason: String,
}

/// What a measure was held against.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Threshold {
    pub measure: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    /// Where it comes from: the key of the definition, or the default.
    pub from: String,
}

/// The outcome of one check about one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    pub check: CheckId,
    pub subject: Subject,
    pub verdict: Verdict,
    pub window: Window,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Window>,
    /// What it means and what to do, in one or two plain sentences.
    pub summary: String,
    /// The first one is the headline.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<Measure>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmeasured: Vec<Unmeasured>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<Threshold>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Detail>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Where the alarms of a stream stand that is looked at again and again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequential: Option<Sequential>,
}

impl Finding {
    /// How far a column of a drift finding moved, by the distance that its verdict rests on. There is none
    /// where nothing could be compared.
    pub fn distance(&self) -> Option<&Measure> {
        match &self.detail {
            Some(Detail::Distribution(of)) if of.method.is_some() => self.measures.first(),
            _ => self.measure("psi"),
        }
    }

    /// A finding that says nothing yet; the rest is set by struct update.
    pub fn blank(check: CheckId, subject: Subject, verdict: Verdict, window: Window) -> Self {
        Self {
            check,
            subject,
            verdict,
            window,
            reference: None,
            summary: String::new(),
            measures: Vec::new(),
            unmeasured: Vec::new(),
            thresholds: Vec::new(),
            detail: None,
            owner: None,
            sequential: None,
        }
    }

    /// What is kept for ever: the finding without the inputs of single cases.
    #[must_use]
    pub fn for_evidence(mut self) -> Self {
        if let Some(Detail::Tail(tail)) = &mut self.detail {
            tail.worst.iter_mut().for_each(|case| case.inputs.clear());
        }
        if let Some(Detail::Manipulation(of)) = &mut self.detail {
            of.examples.clear();
        }
        self
    }

    pub fn measure(&self, name: &str) -> Option<&Measure> {
        self.measures.iter().find(|measure| measure.name == name)
    }
}

/// What a chart of the finding needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Detail {
    /// Shares of the reference and of the current window over the same bins.
    Distribution(Distribution),
    /// A metric for each value of each segment, worst first.
    Segments {
        metric: String,
        overall: Option<Measure>,
        rows: Vec<SegmentRow>,
        /// Of every other metric, all rows and the worst value of any segment.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        others: Vec<AverageAndWorst>,
    },
    /// Mean score against observed share, over equal-mass bins.
    Reliability {
        bins: Vec<ReliabilityRow>,
        #[serde(default, flatten)]
        more: Box<CalibrationDetail>,
    },
    /// Classes, decision thresholds and costs beside the metrics.
    Averages(Box<Averages>),
    Slices(FoundSlices),
    Subpopulation(Subpopulation),
    Errors(Box<ErrorStructure>),
    Tail(Box<TailDetail>),
    Fairness(Box<FairnessDetail>),
    Comparison(Box<ComparisonDetail>),
    Coverage(Coverage),
    /// All columns together: which ones give a shift away.
    Multivariate {
        features: Vec<FeatureWeight>,
    },
    /// Performance of a window: from outcomes as far as they are known, and estimated without them.
    Performance(Box<WindowPerformance>),
    /// What was done to inputs on purpose, and how the model answered.
    Faults(Box<TriedFaults>),
    /// How a server answered under rising load.
    Load(Box<LoadRamp>),
    /// What callers got while the server did not answer as it should.
    Endpoint(Box<TriedEndpoint>),
    /// What somebody can change who wants another decision.
    Manipulation(Box<Manipulated>),
}

/// What decided how much a column changed, and why that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MethodChoice {
    /// The name that a definition gives it, such as `psi` or `evidently-0.7:psi`.
    pub name: String,
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Distribution {
    /// What the bins are of, where they are not of the column's own values: `characters`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    pub bins: Vec<DistributionBin>,
    /// What the verdict rests on; there is none where nothing could be compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<MethodChoice>,
    /// Rows with a value; the shares of the bins are of these.
    pub reference_n: u64,
    pub current_n: u64,
    /// Shares of all rows that have no value.
    pub reference_missing: f64,
    pub current_missing: f64,
    /// Of numbers: the values at [`QUANTILES`], for pictures of how a column moves over time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reference_quantiles: Vec<f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub current_quantiles: Vec<f64>,
}

/// The shares of rows at or below the quantiles that a [`Distribution`] keeps.
pub const QUANTILES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DistributionBin {
    /// `≤ 32.0`, `32.0 – 41.0`, `JFK`.
    pub label: String,
    pub reference: f64,
    pub current: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SegmentRow {
    pub column: String,
    pub value: Option<String>,
    /// On this value alone, where it is held against a limit; `unknown` where it could not be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    pub rows: u64,
    /// Rows whose outcome is the positive class, where the task is binary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positives: Option<u64>,
    /// `None` where there were too few rows or only one class; `reason` then says so.
    pub measure: Option<Measure>,
    /// The measure drawn towards that of all groups, the more the fewer rows it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shrunken: Option<Measure>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReliabilityRow {
    pub score_min: f64,
    pub score_max: f64,
    pub score_mean: f64,
    pub outcome_share: f64,
    #[schemars(with = "described::Interval")]
    pub interval: Interval,
    pub n: u64,
}

/// The state of the alarms of a column, or of the model's loss, after a window: what the next window continues from.
///
/// Looking every week for ever does not raise more false alarms than looking once, because the
/// verdict follows e-values that are carried on from window to window (docs/alarms.md).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sequential {
    /// The cadence of the windows; those of another cadence are another series.
    pub every: Cadence,
    /// Windows that were looked at so far, this one included.
    pub windows: u64,
    /// The largest of the streams' e-values, as its natural logarithm.
    pub log_e_value: f64,
    /// The smallest budget of false alarms, over all columns, under which this is an alarm.
    pub adjusted: f64,
    /// For each test of the column; of the model's loss there is one.
    pub streams: Vec<Stream>,
}

impl Sequential {
    pub fn stream(&self, name: &str) -> Option<&Stream> {
        self.streams.iter().find(|stream| stream.name == name)
    }
}

/// One test, repeated window after window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stream {
    /// `distribution` or `missing` of a column, `harm` of the model's loss.
    pub name: String,
    /// Which bins the rows are counted in, or what a loss is held against; another begins a new stream.
    pub bins: Digest,
    /// Rows of the reference and of all windows so far in each bin, where the reference is fixed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pool: Vec<u64>,
    /// This window's p-value against the rows before it; of `harm`, that of its days alone.
    pub p_value: f64,
    /// How much more windows of the reference differ than independent rows would; of `harm`, means of
    /// neighbouring days than those of independent ones. 1 where they do not.
    pub dispersion: f64,
    #[schemars(with = "described::StreamState")]
    pub state: StreamState,
    /// The natural logarithm of the largest e-value so far; it never falls.
    pub log_e_value: f64,
    /// The smallest budget of false alarms, over all streams and all times (Holm), under which it is one.
    pub adjusted: f64,
}

/// What an e-value is computed from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "process", rename_all = "snake_case")]
pub enum StreamState {
    /// Against a fixed reference: bets on a change in any window.
    Change(ChangeMixture),
    /// Against a reference that moves along: e-values of single windows, weighted down over time.
    Spending(Spending),
    /// Against a bound: bets that the mean loss of days is above it.
    Harm { windows: u64, shift: HarmfulShift },
}

impl StreamState {
    pub fn windows(&self) -> u64 {
        match self {
            Self::Change(state) => state.windows,
            Self::Spending(state) => state.windows,
            Self::Harm { windows, .. } => *windows,
        }
    }
}

/// How much a feature helps to tell the current window from the reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FeatureWeight {
    pub name: String,
    /// By how much the held-out AUC of the domain classifier falls when this column is shuffled.
    pub auc_drop: f64,
}

/// The performance of the model in one window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WindowPerformance {
    /// The metric that the verdict is about.
    pub metric: String,
    pub maturity: Maturity,
    /// From outcomes; there is none before enough of them have arrived.
    pub realised: Option<Measure>,
    /// From scores alone, by calibration on the reference.
    pub estimated: Option<Measure>,
    /// The same, calibrated for the inputs that this window has.
    pub estimated_for_shift: Option<Measure>,
    /// From the outcomes of the reference.
    pub reference: Option<Measure>,
    /// Worst first; from outcomes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<SegmentRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribution: Option<Attribution>,
}

/// Whether a window's outcomes have arrived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Maturity {
    pub state: MaturityState,
    /// The share of predictions with a usable outcome.
    pub coverage: f64,
    /// The share that should have arrived by now, judged by how long outcomes took in the reference.
    pub expected_coverage: f64,
    /// Days from prediction to outcome at [`QUANTILES`], in the reference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delay_days: Vec<f64>,
    /// The same in this window, once it is settled: of younger ones the long delays are still missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own_delay_days: Vec<f64>,
    /// The day on which so many of its outcomes had arrived that it counted as settled; before that, the day on
    /// which this is to be expected by how long outcomes took in the reference. Not known where outcomes have no time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<described::Instant>")]
    pub settled_by: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MaturityState {
    /// Nearly all outcomes that will come have come.
    Settled,
    /// Some have come; the early ones are a biased sample.
    Maturing,
    /// Too few have come to say anything.
    TooEarly,
}

/// A change of performance, divided among its causes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attribution {
    /// What is divided, such as the change of the mean Brier loss.
    pub of: String,
    pub total: f64,
    /// Largest first; they add up to the total.
    pub terms: Vec<AttributionTerm>,
    /// What has to hold for the division to mean something.
    pub assumption: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttributionTerm {
    /// The source of a group of features, or `outcome given inputs`.
    pub name: String,
    pub change: f64,
    pub standard_error: f64,
}
