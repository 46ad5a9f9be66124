//! The words of the check report.

use crate::page::Section;
use crate::page::glossary::{
    self, CALIBRATION, DRIFT, EXPECTED_BY_CHANCE, INTERVAL, P_ADJUSTED, PSI, ROC_AUC, SEGMENT, UNKNOWN,
};

pub(super) fn section() -> Section {
    glossary::section(&[
        DRIFT,
        PSI,
        EXPECTED_BY_CHANCE,
        P_ADJUSTED,
        ROC_AUC,
        CALIBRATION,
        INTERVAL,
        SEGMENT,
        UNKNOWN,
    ])
}
