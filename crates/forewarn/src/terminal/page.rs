//! A page of text: sections, findings and sentences, the same in every output.

use types::Verdict;
use types::gate::GateDecision;

use super::style::{BAD, BOLD, DIM, GOOD, mark, of, styled};
use super::wrap::{shortened, wrapped};

/// Columns that are used where the output is not a terminal.
const WIDTH: usize = 80;
/// Beyond this a line is hard to read.
const WIDTH_MAX: usize = 100;
/// The column in which a finding's subject ends and its numbers begin.
pub(crate) const SUBJECT: usize = 24;

/// Lines of text of at most a width.
pub(crate) struct Page {
    width: usize,
    pub(crate) text: String,
}

impl Page {
    /// As wide as the terminal, where there is one.
    pub(crate) fn for_terminal() -> Self {
        let width = terminal_size::terminal_size_of(std::io::stdout())
            .map_or(WIDTH, |(width, _)| usize::from(width.0).clamp(40, WIDTH_MAX));
        Self { width, text: String::new() }
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    pub(crate) fn section(&mut self, title: &str, note: &str) {
        self.line("");
        self.line(&format!("{} {}", styled(BOLD, title), styled(DIM, note)));
    }

    /// Sentences over the whole width.
    pub(crate) fn paragraph(&mut self, text: &str) {
        for line in wrapped(text, self.width) {
            self.line(&line);
        }
    }

    /// A sentence below a finding.
    pub(crate) fn sentence(&mut self, text: &str) {
        for line in wrapped(text, self.width.saturating_sub(9)) {
            self.line(&format!("         {line}"));
        }
    }

    /// `✗ fail  temp    PSI 2.310   weather`
    pub(crate) fn finding(&mut self, verdict: Verdict, subject: &str, numbers: &str) {
        let style = of(verdict);
        let subject = shortened(subject, SUBJECT);
        let padding = " ".repeat(SUBJECT - subject.chars().count());
        let word = if verdict == Verdict::Unknown { "unkn" } else { verdict.word() };
        let label = styled(style, &format!("{} {word}", mark(verdict)));
        self.line(&format!(" {label}  {}{padding} {numbers}", styled(BOLD, &subject)));
    }
}

/// Each gate with what holds it up.
pub(crate) fn gates(page: &mut Page, gates: &[GateDecision]) {
    page.line("");
    if gates.is_empty() {
        page.line("No gate is defined, so nothing depends on these checks yet: add [gate.deploy].");
    }
    for gate in gates {
        let (style, state) = if gate.open { (GOOD, "✓ open") } else { (BAD, "✗ SHUT") };
        page.line(&format!(
            "{} {}",
            styled(style.bold(), &format!("{state}  gate {}", gate.gate)),
            styled(DIM, &needs(gate))
        ));
        for need in gate.to_look_at().into_iter().filter(|need| !need.state.keeps_gate_open()) {
            let reasons = need.reasons.join(", ");
            let lines = wrapped(
                &format!("{} {}: {reasons}", need.check, need.state.word()),
                page.width.saturating_sub(9),
            );
            for line in lines {
                page.line(&format!("         {line}"));
            }
        }
        let not_made = gate.not_made_yet();
        if !not_made.is_empty() {
            let said = format!("not made yet (`forewarn check` does): {}", not_made.join(", "));
            for line in wrapped(&said, page.width.saturating_sub(9)) {
                page.line(&styled(DIM, &format!("         {line}")));
            }
        }
    }
}

fn needs(gate: &GateDecision) -> String {
    let met = gate.needs.iter().filter(|need| need.state.keeps_gate_open()).count();
    format!("{met} of {} needs met", gate.needs.len())
}
