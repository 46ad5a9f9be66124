//! Everything that one run says, as every output format renders it.
//!
//! The JSON of [`CheckReport`] is what `--format json` prints; its shape is versioned by
//! [`FORMAT`] and described in the manual.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::definition::{System, Task};
use crate::digest::Digest;
use crate::evidence::DatasetVersion;
use crate::finding::Finding;
use crate::gate::GateDecision;
use crate::verdict::Verdict;
use crate::window::Window;

/// The version of the JSON shape; it grows when a field changes its meaning or goes away.
pub const FORMAT: u32 = 1;

/// Everything that one run of checks says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckReport {
    pub format: u32,
    /// Name and version of the program.
    pub program: String,
    /// When the run was made.
    pub at: Timestamp,
    /// Outcomes that became known later than this were not used.
    pub as_of: Timestamp,
    pub system: System,
    pub model: String,
    pub task: Task,
    pub window: Window,
    pub reference: Window,
    /// Hash of the definition that the checks were made under.
    pub definition: Digest,
    pub datasets: Vec<DatasetVersion>,
    pub gates: Vec<GateDecision>,
    /// Worst first within each check.
    pub findings: Vec<Finding>,
    /// The end of the evidence chain after this run, `COUNT:HASH`.
    pub checkpoint: String,
}

impl CheckReport {
    /// Whether every gate is open.
    pub fn gates_open(&self) -> bool {
        self.gates.iter().all(|gate| gate.open)
    }

    /// How many findings have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.findings.iter().filter(|finding| finding.verdict == verdict).count()
    }
}
