//! How one system stands, worked out from its evidence: the line of the overview, what needs somebody, and what
//! can be searched for.

use std::sync::Arc;

use jiff::Timestamp;
use store::StoreError;
use types::definition::Definition;
use types::message::Severity;
use types::{CheckId, Detail, Verdict};
use view::site::overview::{Headline, Need, SystemSummary, WindowVerdict};
use view::site::{Practice, link, series};

use super::known::{Known, worst};
use super::practices;
use crate::service::{Served, Service};

/// Windows of the line of marks.
const WINDOWS_SHOWN: usize = 26;

/// What evidence says of a system at a time.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) summary: SystemSummary,
    pub(super) needs: Vec<Need>,
    /// What fails in a practice, as one need for each.
    pub(super) failing: Vec<(Practice, Need)>,
    /// Checks that have been made.
    pub(super) checks: Vec<CheckId>,
    /// Columns that are watched for drift.
    pub(super) columns: Vec<String>,
}

/// How a system stands, worked out again only where something has changed.
pub(super) fn of(
    service: &Service,
    served: &Served,
    records: u64,
    now: Timestamp,
) -> Result<Arc<Standing>, StoreError> {
    service.derived(served, records, now, |current, chain| {
        let known = Known::new(current, chain);
        (standing(&known, now), known.next_expiry(now))
    })
}

fn standing(known: &Known, now: Timestamp) -> Standing {
    let summary = summary(known, now);
    let made = |check: &CheckId| known.of_check(*check).next().is_some();
    let drift = known.newest(CheckId::Drift);
    let columns = drift.iter().filter_map(|record| link::column_of(&record.finding.subject));
    Standing {
        needs: needs(known, &summary, now),
        failing: failing(known, &summary, now),
        checks: CheckId::ALL.into_iter().filter(made).collect(),
        columns: columns.map(str::to_owned).collect(),
        summary,
    }
}

/// A system in one line.
fn summary(known: &Known, now: Timestamp) -> SystemSummary {
    let Definition { system, model, .. } = &known.current.definition;
    let gates = known.gates(now);
    SystemSummary {
        id: system.id.clone(),
        name: system.display_name().to_owned(),
        purpose: system.purpose.clone(),
        owner: system.owner.clone(),
        tier: system.tier,
        model: model.version.clone(),
        practices: practices::states(known, now),
        windows: window_verdicts(known),
        headline: headline(known),
        checked_at: known.ours().map(|record| record.at).max(),
        fresh_until: CheckId::ALL
            .into_iter()
            .flat_map(|check| known.newest(check))
            .map(|record| record.fresh_until)
            .min(),
        alerts_firing: 0,
        gates: gates.len() as u64,
        gates_shut: gates.iter().filter(|gate| !gate.open).count() as u64,
    }
}

fn window_verdicts(known: &Known) -> Vec<WindowVerdict> {
    let windows = known.windows();
    let drift = known.over_time(CheckId::Drift);
    windows[windows.len().saturating_sub(WINDOWS_SHOWN)..]
        .iter()
        .map(|&window| {
            let of: Vec<_> = drift.iter().copied().filter(|record| record.finding.window == window).collect();
            WindowVerdict {
                window,
                verdict: worst(of.iter().copied()),
                failing: of.iter().filter(|record| record.finding.verdict == Verdict::Fail).count() as u64,
                findings: of.len() as u64,
            }
        })
        .collect()
}

fn headline(known: &Known) -> Option<Headline> {
    let records = known.over_time(CheckId::PerformanceOverTime);
    let (measure, estimated) = records.iter().rev().find_map(|record| {
        let measure = series::headline(&record.finding)?;
        let is_realised =
            matches!(&record.finding.detail, Some(Detail::Performance(of)) if of.realised.is_some());
        Some((measure.clone(), !is_realised))
    })?;
    let history = records.iter().map(|record| {
        series::headline(&record.finding).filter(|of| of.name == measure.name).map(|of| of.value)
    });
    Some(Headline { estimated, history: history.collect(), measure })
}

/// What somebody should look at today: a shut gate, evidence that expired, a definition that is not in force.
fn needs(known: &Known, summary: &SystemSummary, now: Timestamp) -> Vec<Need> {
    let mut needs = Vec::new();
    let since = summary.checked_at.unwrap_or(now);
    let need = |severity, title: String, sentence: String, action: &str, href: String| Need {
        severity,
        title,
        sentence,
        system: summary.id.clone(),
        since,
        action: action.to_owned(),
        href,
    };
    if let Some(mistake) = &known.current.mistake {
        let sentence = format!("The definition before stays in force: {mistake}");
        needs.push(need(
            Severity::High,
            "The definition has a mistake".into(),
            sentence,
            "Look",
            link::system(&summary.id),
        ));
    }
    for gate in known.gates(now).iter().filter(|gate| !gate.open) {
        let holds: Vec<&str> = gate
            .needs
            .iter()
            .filter(|need| !need.state.keeps_gate_open())
            .map(|need| need.check.as_str())
            .collect();
        let sentence = format!("It is held up by {}.", holds.join(", "));
        let title = format!("Gate `{}` is shut", gate.gate);
        needs.push(need(Severity::Medium, title, sentence, "Look", link::system(&summary.id)));
    }
    if summary.checked_at.is_none() {
        needs.push(need(
            Severity::Low,
            "Nothing was checked yet".into(),
            "Its first run is due, or can be started now.".into(),
            "Run now",
            link::JOBS.to_owned(),
        ));
    } else if CheckId::ALL
        .into_iter()
        .flat_map(|check| known.newest(check))
        .any(|record| !known.counts(record, now))
    {
        needs.push(need(
            Severity::Medium,
            "Evidence has expired".into(),
            "Some of what is shown was true once, or under another definition; its job has not run since."
                .into(),
            "Run now",
            link::JOBS.to_owned(),
        ));
    }
    needs
}

/// What fails now, practice by practice.
fn failing(known: &Known, summary: &SystemSummary, now: Timestamp) -> Vec<(Practice, Need)> {
    let fails = summary.practices.iter().filter(|state| state.verdict == Some(Verdict::Fail) && !state.stale);
    let need = |practice: Practice| {
        let newest = practices::newest(known, practice);
        let failing: Vec<_> =
            newest.iter().filter(|record| record.finding.verdict == Verdict::Fail).collect();
        let first = failing.first()?;
        let title = match failing.len() {
            1 => format!("{} fails: {}", first.finding.check, first.finding.subject.label()),
            more => format!("{more} findings of {} fail", practice.word()),
        };
        Some(Need {
            severity: Severity::High,
            title,
            sentence: first.finding.summary.clone(),
            system: summary.id.clone(),
            since: summary.checked_at.unwrap_or(now),
            action: "Look".into(),
            href: link::tab(&summary.id, practice),
        })
    };
    fails.filter_map(|state| Some((state.practice, need(state.practice)?))).collect()
}
