//! The words of the check report, those of monitoring only where it speaks of it.

use types::finding::CheckId;
use types::report::CheckReport;

use crate::page::Section;
use crate::page::glossary::{
    self, CALIBRATION, CLASSIFIER, DRIFT, ESTIMATED, EXPECTED_BY_CHANCE, INTERVAL, P_ADJUSTED, PSI,
    RECONSTRUCTION, ROC_AUC, SEGMENT, SETTLED, UNKNOWN,
};

pub(super) fn section(report: &CheckReport) -> Section {
    let has = |check: CheckId| report.findings.iter().any(|finding| finding.check == check);
    let mut terms = vec![DRIFT, PSI, EXPECTED_BY_CHANCE, P_ADJUSTED];
    if has(CheckId::Multivariate) {
        terms.extend([CLASSIFIER, RECONSTRUCTION]);
    }
    terms.extend([ROC_AUC, CALIBRATION]);
    if has(CheckId::PerformanceOverTime) {
        terms.extend([ESTIMATED, SETTLED]);
    }
    terms.extend([INTERVAL, SEGMENT, UNKNOWN]);
    glossary::section(&terms)
}
