//! All systems on one page, and what needs somebody today.

use jiff::Timestamp;
use types::definition::Definition;
use types::message::Severity;
use types::{CheckId, Detail, Verdict};
use view::site::overview::{Headline, Need, OverviewFilter, OverviewPage, SystemSummary, WindowVerdict};
use view::site::{link, series};

use super::known::{Known, worst};
use super::{SiteError, practices};
use crate::service::{Service, Verified};

/// Windows of the line of marks.
const WINDOWS_SHOWN: usize = 26;
/// Things that need somebody, on one page.
const NEEDS_SHOWN: usize = 12;

/// The overview as a reader sees it who may see the systems that `may_see` lets through.
///
/// # Errors
/// The database does not answer.
pub fn page(
    service: &Service,
    may_see: &dyn Fn(&str) -> bool,
    filter: OverviewFilter,
    now: Timestamp,
) -> Result<OverviewPage, SiteError> {
    let mut systems = Vec::new();
    let mut needs = Vec::new();
    for served in service.systems().filter(|served| may_see(served.id())) {
        let known = Known { current: served.current(), chain: service.chain(served.id())? };
        let summary = summary(&known, now);
        needs.extend(needs_of(&known, &summary, now));
        let broken = service.last_verified(served.id()).filter(|verified| verified.broken.is_some());
        needs.extend(broken.map(|verified| broken_evidence(&summary, &verified)));
        systems.push(summary);
    }
    needs.sort_by_key(|need: &Need| (std::cmp::Reverse(need.severity), std::cmp::Reverse(need.since)));
    needs.truncate(NEEDS_SHOWN);
    let mut owners: Vec<String> = systems.iter().filter_map(|system| system.owner.clone()).collect();
    owners.sort();
    owners.dedup();
    let systems_count = systems.len() as u64;
    let text = filter.text.to_lowercase();
    systems.retain(|system| {
        let is_named = system.name.to_lowercase().contains(&text) || system.id.to_lowercase().contains(&text);
        let is_owned = filter.owner.is_empty() || system.owner.as_deref() == Some(&filter.owner);
        is_named && is_owned && filter.verdict.is_none_or(|verdict| system.verdict() == Some(verdict))
    });
    Ok(OverviewPage { needs, systems, systems_count, filter, owners })
}

/// A system in one line.
pub(super) fn summary(known: &Known, now: Timestamp) -> SystemSummary {
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

/// Evidence that was changed or cut is graver than anything that it says.
fn broken_evidence(summary: &SystemSummary, verified: &Verified) -> Need {
    Need {
        severity: Severity::Critical,
        title: "The evidence does not hold".into(),
        sentence: verified.broken.clone().unwrap_or_default(),
        system: summary.id.clone(),
        since: verified.at,
        action: "Look".into(),
        href: link::evidence_of(&summary.id, None, None),
    }
}

/// What somebody should look at today: a shut gate, a check that fails, evidence that expired, a definition
/// that is not in force.
fn needs_of(known: &Known, summary: &SystemSummary, now: Timestamp) -> Vec<Need> {
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
    for state in summary.practices.iter().filter(|state| state.verdict == Some(Verdict::Fail) && !state.stale)
    {
        let newest = practices::newest(known, state.practice);
        let failing: Vec<_> =
            newest.iter().filter(|record| record.finding.verdict == Verdict::Fail).collect();
        let Some(first) = failing.first() else { continue };
        let title = match failing.len() {
            1 => format!("{} fails: {}", first.finding.check, first.finding.subject.label()),
            more => format!("{more} findings of {} fail", state.practice.word()),
        };
        let sentence = first.finding.summary.clone();
        needs.push(need(Severity::High, title, sentence, "Look", link::tab(&summary.id, state.practice)));
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
