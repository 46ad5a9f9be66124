//! A run as a comment on a pull request: gates, counts, and what does not pass, worst first.
//!
//! Names and sentences come from data, so whatever Markdown would read as markup is escaped and
//! nobody is mentioned. Passing findings are folded away; very long lists are cut, and say so.

use std::fmt::Write as _;

use types::finding::{Detail, Finding};
use types::gate::GateDecision;
use types::report::CheckReport;
use types::{Verdict, format};

use crate::evaluation_text;
use crate::words::{self, WORST_FIRST};

/// Rows of one table; code hosts refuse comments beyond some 65,000 characters.
const ROWS_MAX: usize = 60;
/// Short tables of evaluations are added up to here.
const CHARACTERS_MAX: usize = 20_000;
/// Characters of one sentence.
const SENTENCE_MAX: usize = 400;

/// The report as GitHub-flavoured Markdown.
pub fn markdown(report: &CheckReport) -> String {
    let mut text = format!("## Forewarn: {}\n\n", escaped(report.system.display_name()));
    for gate in &report.gates {
        push(&mut text, &gate_lines(gate));
    }
    push(&mut text, &about(report));
    if report.findings.is_empty() {
        push(&mut text, "No findings. Check that the log has rows in the window.\n");
        return text;
    }
    push(&mut text, &counts(report));
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
    let passing_from = findings.partition_point(|finding| finding.verdict > Verdict::Pass);
    let (others, passing) = findings.split_at(passing_from);
    if !others.is_empty() {
        push(&mut text, &table(others));
    }
    for finding in &findings {
        if text.len() < CHARACTERS_MAX
            && let Some(of) = evaluation_text::rows(finding)
        {
            push(&mut text, &short_table(&of, finding.owner.as_deref()));
        }
    }
    if !passing.is_empty() {
        let summary = format::counted(passing.len() as u64, "passing finding", "passing findings");
        push(
            &mut text,
            &format!("<details><summary>{summary}</summary>\n\n{}\n</details>\n", table(passing)),
        );
    }
    text
}

pub(crate) fn push(text: &mut String, block: &str) {
    text.push_str(block);
    text.push('\n');
}

pub(crate) fn gate_lines(gate: &GateDecision) -> String {
    let (sign, state) = if gate.open { ("✅", "open") } else { ("⛔", "shut") };
    let mut lines = format!("{sign} **Gate {} is {state}**\n", code(&gate.gate));
    for need in gate.to_look_at() {
        let reasons: Vec<String> = need.reasons.iter().take(6).map(|reason| prose(reason)).collect();
        let more = need.reasons.len().saturating_sub(6);
        let reasons = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) };
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        let _ = writeln!(lines, "- {} {}{reasons}{more}", code(&need.check), need.state.word());
    }
    let not_made: Vec<String> = gate.not_made_yet().into_iter().map(code).collect();
    if !not_made.is_empty() {
        let _ = writeln!(lines, "- not made yet: {}", not_made.join(", "));
    }
    lines
}

fn about(report: &CheckReport) -> String {
    format!(
        "Model {} · {} against {} · outcomes known by {}\n",
        code(&report.model),
        words::window_text(report.window),
        words::window_text(report.reference),
        words::minute(&report.as_of.to_string()),
    )
}

fn counts(report: &CheckReport) -> String {
    let said: Vec<String> = WORST_FIRST
        .into_iter()
        .filter(|of| report.count(*of) > 0)
        .map(|of| format!("{} {} {}", sign(of), report.count(of), of.word()))
        .collect();
    format!("{}\n", said.join(" · "))
}

pub(crate) fn sign(of: Verdict) -> &'static str {
    match of {
        Verdict::Pass => "✅",
        Verdict::Warn => "⚠️",
        Verdict::Unknown => "❔",
        Verdict::Fail => "❌",
    }
}

fn table(findings: &[&Finding]) -> String {
    let mut text =
        String::from("| Verdict | Check | About | Value | What it means |\n|---|---|---|---|---|\n");
    for finding in findings.iter().take(ROWS_MAX) {
        let _ = writeln!(
            text,
            "| {} {} | {} | {} | {} | {} |",
            sign(finding.verdict),
            finding.verdict.word(),
            words::check_title(finding.check),
            code(&finding.subject.label()),
            headline(finding),
            prose(&shortened(&finding.summary)),
        );
    }
    let more = findings.len().saturating_sub(ROWS_MAX);
    if more > 0 {
        let _ = writeln!(text, "\n… and {more} more; the HTML report has them all.");
    }
    text
}

/// What an evaluation found where, folded away.
fn short_table(of: &evaluation_text::Rows, owner: Option<&str>) -> String {
    let mut text = format!("<details><summary>{}</summary>\n\n", escaped(&shortened(&of.title)));
    if let Some(owner) = owner {
        let _ = writeln!(text, "Owner: {}\n", escaped(&shortened(owner)));
    }
    let has_verdicts = of.rows.iter().any(|(verdict, _)| verdict.is_some());
    let lead = if has_verdicts { "| Verdict " } else { "" };
    let _ = writeln!(text, "{lead}| {} |", of.head.join(" | "));
    let _ = writeln!(text, "{}|{}", if has_verdicts { "|---" } else { "" }, "---|".repeat(of.head.len()));
    for (verdict, cells) in &of.rows {
        if has_verdicts {
            let said = verdict.map(|verdict| format!("{} {}", sign(verdict), verdict.word()));
            let _ = write!(text, "| {} ", said.unwrap_or_default());
        }
        let cells: Vec<String> = cells.iter().map(|cell| escaped(&shortened(cell))).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    if of.more > 0 {
        let _ = writeln!(text, "\n… and {} more; the HTML report has them all.", of.more);
    }
    text.push_str("\n</details>\n");
    text
}

/// `PSI 0.412`, `ROC AUC 0.702 (0.690 – 0.714)`; of a window whose outcomes are arriving also how far.
pub(crate) fn headline(finding: &Finding) -> String {
    if let Some(Detail::Performance(of)) = &finding.detail {
        return escaped(&words::realised_and_estimated(of).join(", "));
    }
    finding.measures.first().map_or_else(String::new, |measure| {
        let unit = words::unit_of(finding.detail.as_ref(), &measure.name);
        escaped(&words::measure_text_in(unit, measure))
    })
}

pub(crate) fn shortened(sentence: &str) -> String {
    if sentence.chars().count() <= SENTENCE_MAX {
        return sentence.to_owned();
    }
    let end = sentence.char_indices().nth(SENTENCE_MAX - 1).map_or(sentence.len(), |(at, _)| at);
    let kept = &sentence[..end];
    // At the end of a sentence, else of a word, where that leaves more than half.
    let whole = kept.rfind(". ").map(|at| at + 1).or_else(|| kept.rfind(' '));
    let whole = whole.filter(|&at| at > end / 2).or_else(|| kept.rfind(' ').filter(|&at| at > end / 2));
    match whole {
        Some(at) => format!("{} …", &kept[..at]),
        None => format!("{kept}…"),
    }
}

/// A sentence of a finding, names between backticks kept as code.
pub(crate) fn prose(text: &str) -> String {
    words::names_marked(text)
        .map(|(is_name, part)| if is_name { code(part) } else { escaped(part) })
        .collect()
}

/// A name as code, in a fence that it cannot leave.
pub(crate) fn code(name: &str) -> String {
    let name: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let name = shortened(name.trim()).replace('|', "\\|");
    let longest = name.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if name.is_empty() || name.starts_with('`') || name.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{name}{pad}{fence}")
}

/// Prose in which nothing is markup and nobody is mentioned.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '@' | '#' => out.extend([c, '\u{200b}']),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_code_fence() {
        for (name, expected) in
            [("temp", "`temp`"), ("a|b", "`a\\|b`"), ("a`b", "``a`b``"), ("`", "`` ` ``"), ("a\nb", "`a b`")]
        {
            assert_eq!(code(name), expected);
        }
    }

    #[test]
    fn what_is_too_long_is_cut_between_sentences_or_words() {
        let long = "One sentence of some words. ".repeat(30);
        assert!(shortened(&long).ends_with("words. …"), "{}", shortened(&long));
        let words = "word ".repeat(200);
        assert!(shortened(&words).ends_with("word …") && shortened(&words).chars().count() <= SENTENCE_MAX);
        assert_eq!(shortened(&"é".repeat(900)).chars().count(), SENTENCE_MAX);
        assert_eq!(shortened("short"), "short");
    }

    #[test]
    fn prose_holds_no_markup_and_mentions_nobody() {
        assert_eq!(escaped("<b>*x*</b> | @team"), "&lt;b&gt;\\*x\\*&lt;/b&gt; \\| @\u{200b}team");
    }
}
