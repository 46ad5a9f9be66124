//! The words of the check report, those of monitoring only where it speaks of it.

use types::CheckId;
use types::finding::Detail;
use types::report::CheckReport;

use crate::page::Section;
use crate::page::glossary::{
    self, CALIBRATION, CLASSIFIER, DRIFT, ESTIMATED, EXPECTED_BY_CHANCE, INTERVAL, P_ADJUSTED, PSI,
    RECONSTRUCTION, ROC_AUC, SEGMENT, SETTLED, Term, UNKNOWN, evaluation as of,
};

pub(super) fn section(report: &CheckReport) -> Section {
    let has = |check: CheckId| report.findings.iter().any(|finding| finding.check == check);
    let mut terms = vec![DRIFT, PSI, EXPECTED_BY_CHANCE, P_ADJUSTED];
    if has(CheckId::Multivariate) {
        terms.extend([CLASSIFIER, RECONSTRUCTION]);
    }
    terms.extend([ROC_AUC, CALIBRATION]);
    terms.extend(evaluated(report));
    if has(CheckId::PerformanceOverTime) {
        terms.extend([ESTIMATED, SETTLED]);
    }
    terms.extend([INTERVAL, SEGMENT, UNKNOWN]);
    glossary::section(&terms)
}

/// The words of what evaluations show, each where it is shown.
fn evaluated(report: &CheckReport) -> Vec<Term> {
    let has = |check: CheckId| report.findings.iter().any(|finding| finding.check == check);
    let shows = |part: fn(&Detail) -> bool| {
        report.findings.iter().filter_map(|finding| finding.detail.as_ref()).any(part)
    };
    let worst_cases = [CheckId::Slices, CheckId::WorstSubpopulation, CheckId::Tail];
    [
        (shows(|of| matches!(of, Detail::Reliability { more, .. } if !more.curve.is_empty())), of::ISOTONIC),
        (shows(|of| matches!(of, Detail::Averages(of) if !of.thresholds.is_empty())), of::THRESHOLD),
        (shows(|of| matches!(of, Detail::Segments { rows, .. } if rows.iter().any(|row| row.shrunken.is_some()))), of::SHRUNKEN),
        (worst_cases.into_iter().any(has), of::LOSS),
        (has(CheckId::Slices), of::SLICE),
        (has(CheckId::Slices) || has(CheckId::Tail), of::LIFT),
        (has(CheckId::WorstSubpopulation), of::SUBPOPULATION),
        (has(CheckId::Errors), of::SYSTEMATIC),
        (shows(|of| matches!(of, Detail::Errors(of) if !of.rates.is_empty())) || has(CheckId::Fairness), of::FALSE_POSITIVE),
        (has(CheckId::Tail), of::RARITY),
        (has(CheckId::Fairness), of::CRITERION),
        (has(CheckId::Fairness), of::FOUR_FIFTHS),
        (has(CheckId::Comparison), of::PAIRED),
    ]
    .into_iter()
    .filter(|(shown, _)| *shown)
    .map(|(_, term)| term)
    .collect()
}
