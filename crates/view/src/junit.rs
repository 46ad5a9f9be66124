//! A run as JUnit XML, so that a build server lists findings beside tests.
//!
//! One test suite per check, one test case per finding, and one per fault that was tried. A finding that could not be measured is a
//! failure of type `unknown`: build servers paint skipped tests green, and unknown never counts as
//! a pass. A warning passes and says its sentence on `system-out`.

use std::fmt::Write as _;

use types::CheckId;
use types::faults::{FaultStatus, TriedFault};
use types::finding::{Detail, Finding};
use types::report::CheckReport;
use types::{Verdict, format, window};

use crate::{evaluation_text, words};

/// The report as JUnit XML.
pub fn junit(report: &CheckReport) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        text,
        "<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\">",
        attribute(&format!("forewarn: {}", report.system.display_name())),
        report.findings.len() + faults(report.findings.iter()).count(),
        failures(report.findings.iter()),
    );
    for check in CheckId::ALL {
        let findings: Vec<&Finding> =
            report.findings.iter().filter(|finding| finding.check == check).collect();
        if !findings.is_empty() {
            text.push_str(&suite(report, check, &findings));
        }
    }
    text.push_str("</testsuites>\n");
    text
}

fn failures<'a>(findings: impl Iterator<Item = &'a Finding> + Clone) -> usize {
    let of_faults = faults(findings.clone()).filter(|fault| fault.status == FaultStatus::Failed).count();
    findings.filter(|finding| !finding.verdict.keeps_gate_open()).count() + of_faults
}

/// The faults that were tried for some findings.
fn faults<'a>(findings: impl Iterator<Item = &'a Finding>) -> impl Iterator<Item = &'a TriedFault> {
    findings
        .filter_map(|finding| match &finding.detail {
            Some(Detail::Faults(of)) => Some(&of.faults),
            _ => None,
        })
        .flatten()
}

fn suite(report: &CheckReport, check: CheckId, findings: &[&Finding]) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "  <testsuite name=\"{check}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\" timestamp=\"{}\">",
        findings.len() + faults(findings.iter().copied()).count(),
        failures(findings.iter().copied()),
        attribute(&report.at.to_string()),
    );
    text.push_str("    <properties>\n");
    for (name, value) in [
        ("model", report.model.clone()),
        ("window", report.window.to_string()),
        ("reference", report.reference.to_string()),
        ("as_of", window::instant_text(report.as_of)),
    ] {
        let _ = writeln!(text, "      <property name=\"{name}\" value=\"{}\"/>", attribute(&value));
    }
    text.push_str("    </properties>\n");
    for finding in findings {
        text.push_str(&case(finding));
        for fault in faults(std::iter::once(*finding)) {
            text.push_str(&of_fault(check, fault));
        }
    }
    text.push_str("  </testsuite>\n");
    text
}

fn case(finding: &Finding) -> String {
    let opening = format!(
        "    <testcase classname=\"{}\" name=\"{}\"",
        finding.check,
        attribute(&finding.subject.label())
    );
    let (summary, numbers) = (&finding.summary, numbers(finding));
    let body = match finding.verdict {
        Verdict::Pass => return format!("{opening}/>\n"),
        Verdict::Warn => {
            format!("<system-out>{}</system-out>", content(&format!("warn: {summary}\n{numbers}")))
        }
        Verdict::Fail | Verdict::Unknown => format!(
            "<failure type=\"{}\" message=\"{}\">{}</failure>",
            finding.verdict,
            attribute(summary),
            content(&numbers)
        ),
    };
    format!("{opening}>\n      {body}\n    </testcase>\n")
}

/// A fault that was tried; one of which too little is known passes and says so, because the finding is no pass then.
fn of_fault(check: CheckId, fault: &TriedFault) -> String {
    let name = attribute(&format!("{}: {}", fault.of, fault.title));
    let opening = format!("    <testcase classname=\"{check}\" name=\"{name}\"");
    let error = fault.error.as_deref().map(|error| format!("\n{error}")).unwrap_or_default();
    let body = match fault.status {
        FaultStatus::Handled => return format!("{opening}/>\n"),
        FaultStatus::Unknown => {
            format!("<system-out>{}</system-out>", content(&format!("unknown: {}", fault.sentence)))
        }
        FaultStatus::Failed => format!(
            "<failure type=\"{}\" message=\"{}\">{}</failure>",
            Verdict::Fail,
            attribute(&fault.sentence),
            content(error.trim_start())
        ),
    };
    format!("{opening}>\n      {body}\n    </testcase>\n")
}

/// One line per measure, limit and reason.
fn numbers(finding: &Finding) -> String {
    let mut text = String::new();
    for measure in &finding.measures {
        let unit = words::unit_of(finding.detail.as_ref(), &measure.name);
        let interval =
            words::interval_in(unit, measure).map(|interval| format!(" ({interval})")).unwrap_or_default();
        let value = words::measure_value(unit, measure.value);
        let _ = writeln!(text, "{} {value}{interval}, n = {}", measure.name, measure.n);
    }
    match &finding.detail {
        Some(Detail::Performance(of)) => {
            for line in words::realised_and_estimated(of) {
                let _ = writeln!(text, "{line}");
            }
        }
        Some(Detail::Multivariate { features }) => {
            for feature in features {
                let _ = writeln!(
                    text,
                    "without {}: auc lower by {}",
                    feature.name,
                    format::number(feature.auc_drop)
                );
            }
        }
        _ => {}
    }
    if let Some(of) = evaluation_text::rows(finding) {
        let _ = writeln!(text, "{}: {}", of.title, of.head.join(" | "));
        for (verdict, cells) in &of.rows {
            let verdict = verdict.map(|verdict| format!("{verdict}: ")).unwrap_or_default();
            let _ = writeln!(text, "  {verdict}{}", cells.join(" | "));
        }
        if of.more > 0 {
            let _ = writeln!(text, "  and {} more", of.more);
        }
    }
    if let Some(owner) = &finding.owner {
        let _ = writeln!(text, "owner: {owner}");
    }
    for threshold in &finding.thresholds {
        let unit = words::unit_of(finding.detail.as_ref(), &threshold.measure);
        let bound = words::bound_in(unit, threshold);
        let _ = writeln!(text, "limit: {} {bound} ({})", threshold.measure, threshold.from);
    }
    for missing in &finding.unmeasured {
        let _ = writeln!(text, "{} not measured: {}", missing.name, missing.reason);
    }
    text
}

fn content(text: &str) -> String {
    escaped(text, false)
}

fn attribute(text: &str) -> String {
    escaped(text, true)
}

/// XML 1.0 cannot hold most control characters, not even escaped; U+FFFD stands in for them.
fn escaped(text: &str, in_attribute: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' | '\r' if in_attribute => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            '\n' | '\t' => out.push(c),
            '\r' => out.push_str("&#13;"),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {
                out.push('\u{fffd}');
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        for (given, expected) in [
            ("a<b>&\"", "a&lt;b&gt;&amp;&quot;"),
            ("\u{0}\u{1b}", "\u{fffd}\u{fffd}"),
            ("]]>", "]]&gt;"),
            ("\n", "&#10;"),
        ] {
            assert_eq!(attribute(given), expected);
        }
        assert_eq!(content("a\nb"), "a\nb");
    }
}
