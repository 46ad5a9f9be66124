//! Rules: the alerts of a definition made ready to be asked, or those that hold where it has none.

use jiff::Timestamp;
use types::alert::{AlertWords, Grade, Policy};
use types::definition::{Alert, Budget, Definition, DefinitionError, Repeat};
use types::message::Severity;
use types::{CheckId, Finding, Subject, Verdict, Window};

use super::budget::Spending;
use super::condition::Condition;
use super::timeline::{Timeline, View};
use super::{LOG, SYSTEM, budget, names, words};

/// A rule that can be asked at a step.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) policy: Policy,
    pub(super) severity: Severity,
    pub(super) for_windows: u32,
    pub(super) inhibited_by: Vec<String>,
    what_to_do: Option<String>,
    test: Test,
}

#[derive(Debug)]
enum Test {
    Condition(Condition),
    Budget(Budget),
}

/// A rule that holds for a subject.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) subject: String,
    pub(super) cause: String,
    pub(super) grade: Grade,
    pub(super) window: Option<Window>,
    /// The windows that it was judged in; another set of them is one window more.
    pub(super) windows: Vec<Window>,
    pub(super) checks: Vec<CheckId>,
    pub(super) words: AlertWords,
}

/// For what a rule holds at a step, and where that cannot be told.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) held: Vec<Held>,
    /// Whether the question about the system as a whole has no answer.
    whole_unknown: bool,
    /// Checks that know nothing of a subject.
    unknown: Vec<(String, CheckId)>,
}

impl Asked {
    /// Whether an alert that no longer holds is not over either, since what it rests on is not known now.
    pub(super) fn cannot_tell(&self, subject: &str, checks: &[CheckId]) -> bool {
        if subject == SYSTEM {
            return self.whole_unknown;
        }
        self.unknown.iter().any(|(of, check)| of == subject && checks.contains(check))
    }
}

/// The rules of a definition.
///
/// # Errors
/// The first condition that cannot be asked, at its key.
pub(super) fn rules(definition: &Definition) -> Result<Vec<Rule>, DefinitionError> {
    if definition.alert.is_empty() {
        return Ok(built_in());
    }
    definition.alert.iter().enumerate().map(|(at, alert)| rule(at, alert)).collect()
}

fn rule(at: usize, alert: &Alert) -> Result<Rule, DefinitionError> {
    let test = match (&alert.when, &alert.budget) {
        (Some(when), _) => Test::Condition(Condition::read(when).map_err(|error| {
            DefinitionError::at_key(format!("alert.{at}.when"), error.message).with_help(error.help)
        })?),
        (None, Some(budget)) => {
            check_measure(at, budget)?;
            Test::Budget(budget.clone())
        }
        (None, None) => {
            return Err(DefinitionError::at_key(format!("alert.{at}"), "the alert has no condition"));
        }
    };
    Ok(Rule {
        name: alert.display_name(),
        policy: Policy { to: alert.to.clone(), repeat: alert.repeat, escalate: alert.escalate.clone() },
        severity: alert.severity,
        for_windows: alert.for_windows.max(1),
        inhibited_by: alert.inhibited_by.clone(),
        what_to_do: alert.what_to_do.clone(),
        test,
    })
}

fn check_measure(at: usize, budget: &Budget) -> Result<(), DefinitionError> {
    let Some(measure) = &budget.measure else { return Ok(()) };
    let known = names::measures(budget.check);
    if known.contains(measure) {
        return Ok(());
    }
    let help = match types::nearest::nearest(measure, known.iter().map(String::as_str)) {
        Some(choice) => format!("did you mean `{choice}`?"),
        None => format!("valid here: {}", types::nearest::listed(known.iter().map(String::as_str), 40)),
    };
    let message = format!("`{}` has no measure `{measure}`", budget.check);
    Err(DefinitionError::at_key(format!("alert.{at}.budget.measure"), message).with_help(Some(help)))
}

/// What is worth telling where nobody has said what is: to nobody in particular, so it is shown on the page.
fn built_in() -> Vec<Rule> {
    let rules = [
        ("a check fails", "any.verdict == \"fail\"", Severity::High),
        ("evidence is stale", "any.stale", Severity::Medium),
    ];
    rules
        .into_iter()
        .filter_map(|(name, when, severity)| {
            Some(Rule {
                name: name.into(),
                policy: Policy { to: Vec::new(), repeat: Repeat::default(), escalate: Vec::new() },
                severity,
                for_windows: 1,
                inhibited_by: Vec::new(),
                what_to_do: None,
                test: Test::Condition(Condition::read(when).ok()?),
            })
        })
        .collect()
}

impl Rule {
    pub(super) fn checks(&self) -> Vec<CheckId> {
        match &self.test {
            Test::Condition(condition) => condition.checks.clone(),
            Test::Budget(budget) => vec![budget.check],
        }
    }

    /// For what it holds at a step. A condition is asked of each subject by itself; where it holds for none, of
    /// all together, and is then about the system.
    pub(super) fn ask(
        &self,
        definition: &Definition,
        timeline: &Timeline<'_>,
        step: Timestamp,
        now: Option<Timestamp>,
    ) -> Asked {
        let view = timeline.at(&self.checks(), step, now);
        match &self.test {
            Test::Condition(condition) => self.ask_condition(definition, condition, &view),
            Test::Budget(budget) => self.ask_budget(definition, budget, timeline, step),
        }
    }

    fn ask_condition(&self, definition: &Definition, condition: &Condition, view: &View<'_>) -> Asked {
        let mut asked = Asked::default();
        for subject in view.subjects() {
            let mut findings: Vec<&Finding> = view.findings(Some(subject)).collect();
            if condition.holds(&view.context(Some(subject))) == Some(true) {
                asked.held.push(self.held(definition, subject.label(), cause(subject), &mut findings));
            } else {
                let unknown = findings.iter().filter(|finding| finding.verdict == Verdict::Unknown);
                asked.unknown.extend(unknown.map(|finding| (subject.label(), finding.check)));
            }
        }
        if !asked.held.is_empty() {
            return asked;
        }
        match condition.holds(&view.context(None)) {
            Some(true) => {
                let stale = view.stale();
                let mut findings: Vec<&Finding> = view.findings(None).collect();
                let mut held = self.held(definition, SYSTEM.into(), SYSTEM.into(), &mut findings);
                if condition.asks_stale && !stale.is_empty() {
                    held.words = words::of_stale(definition, &stale, self.what_to_do.as_deref());
                    held.checks = stale.iter().map(|record| record.finding.check).collect();
                    held.grade.findings = stale.len() as u32;
                    held.grade.verdict = Verdict::Unknown;
                    held.window = None;
                }
                asked.held.push(held);
            }
            Some(false) => {}
            None => asked.whole_unknown = true,
        }
        asked
    }

    fn ask_budget(
        &self,
        definition: &Definition,
        budget: &Budget,
        timeline: &Timeline<'_>,
        step: Timestamp,
    ) -> Asked {
        let mut asked = Asked::default();
        match budget::spending(budget, self.severity, timeline, step) {
            Spending::NotKnown => asked.whole_unknown = true,
            Spending::Fine => {}
            Spending::TooFast(burning) => {
                let what_to_do = self.what_to_do.as_deref().unwrap_or(
                    "Stop what makes it worse before the budget is gone, or agree on another objective.",
                );
                asked.held.push(Held {
                    subject: SYSTEM.into(),
                    cause: SYSTEM.into(),
                    grade: Grade { severity: burning.severity, verdict: Verdict::Fail, findings: 1 },
                    window: Some(burning.window),
                    windows: vec![burning.window],
                    checks: vec![budget.check],
                    words: words::of_summary(definition, burning.summary, burning.how_sure, what_to_do),
                });
            }
        }
        asked
    }

    fn held(
        &self,
        definition: &Definition,
        subject: String,
        cause: String,
        findings: &mut Vec<&Finding>,
    ) -> Held {
        findings.sort_by(|a, b| (b.verdict, a.check).cmp(&(a.verdict, b.check)));
        let worst = findings.first().map_or(Verdict::Unknown, |finding| finding.verdict);
        let mut windows: Vec<Window> = findings.iter().map(|finding| finding.window).collect();
        windows.sort_unstable();
        windows.dedup();
        findings.retain(|finding| finding.verdict == worst);
        let mut checks: Vec<CheckId> = findings.iter().map(|finding| finding.check).collect();
        checks.dedup();
        Held {
            subject,
            cause,
            grade: Grade { severity: self.severity, verdict: worst, findings: findings.len() as u32 },
            window: findings
                .iter()
                .map(|finding| finding.window)
                .max_by_key(|window| (window.to(), window.from())),
            windows,
            checks,
            words: words::of_findings(definition, findings, self.what_to_do.as_deref()),
        }
    }
}

/// What a subject has in common with others that go wrong for the same reason.
fn cause(subject: &Subject) -> String {
    match subject {
        Subject::Feature { source: Some(source), .. } => format!("source {source}"),
        Subject::Feature { name, .. } | Subject::Column { name } | Subject::Score { name } => {
            format!("column {name}")
        }
        Subject::Segment { column, .. } => format!("segment {column}"),
        Subject::PredictedClass | Subject::Outcome | Subject::Model => "model".into(),
        Subject::Log => LOG.into(),
    }
}
