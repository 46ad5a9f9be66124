//! Findings about the data: what is wrong in full, what columns keep in one line.

use types::format::count;
use types::{Finding, Subject, Verdict};

use super::page::Page;
use super::report::headline;

/// `findings` are worst first.
pub(super) fn findings(page: &mut Page, findings: &[&Finding]) {
    let is_told = |finding: &&&Finding| finding.verdict != Verdict::Pass || finding.subject == Subject::Log;
    for finding in findings.iter().filter(is_told) {
        let numbers = if finding.verdict == Verdict::Pass {
            String::new()
        } else {
            finding.measures.first().map(|measure| headline(finding, measure)).unwrap_or_default()
        };
        page.finding(finding.verdict, &finding.subject.label(), &numbers);
        page.sentence(&finding.summary);
        for missing in &finding.unmeasured {
            page.sentence(&format!(
                "Not known: {} ({}).",
                types::measure::title(&missing.name),
                missing.reason
            ));
        }
    }
    let kept: Vec<String> =
        findings.iter().filter(|finding| !is_told(finding)).map(|finding| finding.subject.label()).collect();
    if !kept.is_empty() {
        page.finding(Verdict::Pass, &format!("{} as expected", count(kept.len() as u64)), "");
        page.sentence(&kept.join(", "));
    }
}
