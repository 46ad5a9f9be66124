//! What monitoring shows over time: the findings of many windows, arranged for a report.
//!
//! Nothing is computed here that is not in evidence already. The report is a view of the records: the
//! same columns window after window, performance as it was estimated and as it turned out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::definition::{Cadence, System, Task};
use crate::digest::Digest;
use crate::evidence::DatasetVersion;
use crate::finding::{Finding, Subject};
use crate::format::counted;
use crate::gate::GateDecision;
use crate::window::Window;

/// The version of the JSON shape; it grows when a field changes its meaning or goes away.
pub const FORMAT: u32 = 1;

/// Monitoring over time, for one cadence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MonitorReport {
    pub format: u32,
    /// Name and version of the program.
    pub program: String,
    /// When the report was made.
    pub at: Timestamp,
    /// Outcomes that became known later than this were not used.
    pub as_of: Timestamp,
    pub system: System,
    pub model: String,
    pub task: Task,
    /// How long a window is.
    pub cadence: Cadence,
    /// What drift is measured against, in words: `2013-01-01/2013-05-01`, `the 8 weeks before each`.
    pub against: String,
    /// Where the model was trained or approved; performance is held against it.
    pub reference: Window,
    pub definition: Digest,
    pub datasets: Vec<DatasetVersion>,
    pub gates: Vec<GateDecision>,
    /// What changed since the window before the last one, one plain sentence each.
    pub changes: Vec<String>,
    /// The windows of `drift` and `multivariate`, ascending; a window without rows is left in.
    pub windows: Vec<Window>,
    /// One row a column, worst in the last window first.
    pub drift: Vec<ColumnHistory>,
    /// All columns together, by window; `None` where it was not measured.
    pub multivariate: Vec<Option<Finding>>,
    /// `monitor.performance`, one for each of its windows, ascending.
    pub performance: Vec<Finding>,
    /// Data quality in the last window, worst first.
    pub quality: Vec<Finding>,
    /// When that was looked at, and in which versions of the datasets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality_look: Option<Look>,
    /// How many of the log's files were read for this run, of how many.
    pub files_read: u64,
    pub files: u64,
    /// The end of the evidence chain, `COUNT:HASH`.
    pub checkpoint: String,
}

/// A run that made findings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Look {
    pub at: Timestamp,
    pub datasets: Vec<DatasetVersion>,
}

impl Look {
    /// `predictions 1f0c2a44e1b7 (12 files) and outcomes 9d03c1aa07e5 (1 file)`.
    pub fn versions(&self) -> String {
        let versions: Vec<String> = self
            .datasets
            .iter()
            .map(|version| {
                let digest: String = version.digest.to_string().chars().take(DIGEST_SHOWN).collect();
                format!("{} {digest} ({})", version.name, counted(version.files, "file", "files"))
            })
            .collect();
        versions.join(" and ")
    }
}

/// Characters of a digest that tell it from others.
const DIGEST_SHOWN: usize = 12;

/// A column's drift findings, one for each window of the report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnHistory {
    pub subject: Subject,
    pub findings: Vec<Option<Finding>>,
}

impl MonitorReport {
    /// Whether every gate is open.
    pub fn gates_open(&self) -> bool {
        self.gates.iter().all(|gate| gate.open)
    }
}
