//! The fleet: one real system, and others whose lines differ in what a line can say.

use jiff::SignedDuration;
use types::Verdict::{self, Fail, Pass, Unknown, Warn};
use types::definition::Tier;
use types::message::Severity;
use view::site::overview::{Headline, Need, OverviewFilter, OverviewPage, SystemSummary, WindowVerdict};
use view::site::system::SystemPage;
use view::site::{Practice, PracticeState, link};

use super::{World, last};
use crate::sample::measure;

const NAMES: [(&str, &str, &str); 12] = [
    ("credit-default", "Credit default score", "retail-credit"),
    ("fraud-cards", "Card fraud alarm", "payments"),
    ("triage", "Support ticket triage", "support-tools"),
    ("demand", "Demand forecast", "supply"),
    ("churn", "Churn warning", "growth"),
    ("cv-screening", "Applicant screening", "people-analytics"),
    ("pricing", "Dynamic pricing", "revenue"),
    ("eta", "Delivery time estimate", "logistics"),
    ("spam", "Spam filter", "trust-and-safety"),
    ("search-rank", "Search ranking", "discovery"),
    ("translate", "Letter translation", "documents"),
    ("maintenance", "Pump maintenance", "plant-operations"),
];

fn states(monitor: Option<Verdict>, evaluate: Option<Verdict>, says: [&str; 2]) -> [PracticeState; 5] {
    Practice::ALL.map(|practice| {
        let (verdict, says) = match practice {
            Practice::Monitor => (monitor, says[0]),
            Practice::Evaluate => (evaluate, says[1]),
            _ => (None, ""),
        };
        PracticeState {
            practice,
            verdict,
            stale: false,
            says: if verdict.is_some() { says.into() } else { String::new() },
            next: None,
        }
    })
}

/// The system that has evidence.
pub(super) fn summary(world: &World) -> SystemSummary {
    let of = &world.monitor;
    let window = |slot: usize| {
        let verdicts: Vec<Verdict> =
            of.drift.iter().filter_map(|column| Some(column.findings.get(slot)?.as_ref()?.verdict)).collect();
        WindowVerdict {
            window: of.windows[slot],
            verdict: Verdict::worst(verdicts.iter().copied()),
            failing: verdicts.iter().filter(|verdict| **verdict == Fail).count() as u64,
            findings: verdicts.len() as u64,
        }
    };
    let windows: Vec<WindowVerdict> = (0..of.windows.len()).map(window).collect();
    let value = |finding: &types::Finding| match &finding.detail {
        Some(types::Detail::Performance(of)) => of.realised.clone().or(of.estimated.clone()),
        _ => None,
    };
    let evaluated = world.check.findings.iter().filter(|finding| finding.check.practice() == "evaluate");
    let failing = windows.last().map_or(0, |window| window.failing);
    SystemSummary {
        id: of.system.id.clone(),
        name: of.system.display_name().to_owned(),
        purpose: of.system.purpose.clone(),
        owner: of.system.owner.clone(),
        tier: of.system.tier,
        model: of.model.clone(),
        practices: states(
            windows.last().and_then(|window| window.verdict),
            Verdict::worst(evaluated.map(|finding| finding.verdict)),
            [&format!("{failing} of {} columns fail", of.drift.len()), "the worst group is below its limit"],
        ),
        windows,
        headline: of.performance.iter().rev().find_map(value).map(|measure| Headline {
            measure,
            estimated: true,
            history: of
                .performance
                .iter()
                .map(|finding| value(finding).map(|measure| measure.value))
                .collect(),
        }),
        checked_at: Some(of.at),
        fresh_until: Some(world.now() + SignedDuration::from_hours(150)),
        alerts_firing: 1,
        gates: world.check.gates.len() as u64,
        gates_shut: world.check.gates.iter().filter(|gate| !gate.open).count() as u64,
    }
}

/// A system of the fleet; what it says varies with its place in it.
fn other(world: &World, place: usize) -> SystemSummary {
    let (id, name, owner) = NAMES[place % NAMES.len()];
    let round = place / NAMES.len();
    let of = |i: usize| [Pass, Pass, Pass, Warn, Pass, Pass, Pass, Pass, Fail, Pass, Unknown][i % 11];
    let worst = of(place * 3 + 2);
    let windows = last(&world.monitor.windows, 30).into_iter().enumerate().map(|(slot, window)| {
        let verdict = if slot == 29 { worst } else { of(slot * 7 + place * 5) };
        WindowVerdict { window, verdict: Some(verdict), failing: u64::from(verdict == Fail), findings: 12 }
    });
    let begun = place % 6 != 5;
    let stale = place % 7 == 3;
    let at = world.now() - SignedDuration::from_hours(if stale { 24 * 19 } else { 2 + place as i64 });
    let mut practices = states(
        begun.then_some(worst),
        (place.is_multiple_of(2) && begun).then(|| of(place)),
        ["1 of 12 columns fails", "within its limits"],
    );
    practices[0].stale = stale && begun;
    SystemSummary {
        id: if round == 0 { id.into() } else { format!("{id}-{round}") },
        name: if round == 0 { name.into() } else { format!("{name}, region {}", round + 1) },
        purpose: None,
        owner: (place % 9 != 8).then(|| owner.to_owned()),
        tier: [Some(Tier::High), Some(Tier::Limited), None, Some(Tier::Minimal)][place % 4],
        model: format!("2026.{}", place % 12 + 1),
        practices,
        windows: if begun { windows.collect() } else { Vec::new() },
        headline: (begun && place % 4 != 3).then(|| Headline {
            measure: measure("roc_auc", 0.71 + place as f64 * 0.001, 5400, "exact"),
            estimated: place.is_multiple_of(3),
            history: (0..30)
                .map(|i| Some(0.71 + f64::from((i * 7 + place as i32 * 3) % 11) * 0.004))
                .collect(),
        }),
        checked_at: begun.then_some(at),
        fresh_until: begun.then(|| at + SignedDuration::from_hours(24 * 8)),
        alerts_firing: u64::from(place == 1),
        gates: 1,
        gates_shut: u64::from(worst == Fail),
    }
}

/// So many systems, the real one among them.
pub(crate) fn overview(world: &World, count: usize) -> OverviewPage {
    let mut systems = vec![summary(world)];
    systems.extend((0..count.saturating_sub(1)).map(|place| other(world, place)));
    let mut owners: Vec<String> = systems.iter().filter_map(|system| system.owner.clone()).collect();
    owners.sort();
    owners.dedup();
    OverviewPage {
        needs: needs(world),
        systems_count: systems.len() as u64,
        systems,
        filter: OverviewFilter::default(),
        owners,
    }
}

/// Before anything is served.
pub(super) fn nothing() -> OverviewPage {
    OverviewPage {
        needs: Vec::new(),
        systems: Vec::new(),
        systems_count: 0,
        filter: OverviewFilter::default(),
        owners: Vec::new(),
    }
}

/// A system of which nothing is known yet.
pub(super) fn without_evidence(world: &World) -> SystemPage {
    let mut system = other(world, 5);
    system.practices[0].next = Some(
        "the first weekly look is due on Monday; run it now under jobs if you do not want to wait.".into(),
    );
    SystemPage {
        system,
        tab: Practice::Monitor,
        gates: Vec::new(),
        alerts: Vec::new(),
        newest: Vec::new(),
        monitor: None,
        found: None,
    }
}

fn needs(world: &World) -> Vec<Need> {
    let id = &world.monitor.system.id;
    let need =
        |severity, title: &str, sentence: &str, system: &str, hours: i64, action: &str, href: String| Need {
            severity,
            title: title.into(),
            sentence: sentence.into(),
            system: system.into(),
            since: world.now() - SignedDuration::from_hours(hours),
            action: action.into(),
            href,
        };
    vec![
        need(
            Severity::Critical,
            "Score of fraud-cards is missing in 41 % of rows",
            "Since Tuesday 06:00 four of ten payments were let through unscored. Look at the feed `scores-eu` first.",
            "fraud-cards",
            3,
            "Acknowledge",
            link::alert("a-17"),
        ),
        need(
            Severity::High,
            "Drift of `humid` for 11 weeks",
            "Values are missing in 11.8 % of rows; the weather feed has holes since October. Ask its provider, or retrain without it.",
            id,
            76,
            "Acknowledge",
            link::alert("a-18"),
        ),
        need(
            Severity::Medium,
            "Gate `deploy` is shut",
            "`evaluate.worst_segment` fails for origin = LGA, so version 2014.01 cannot go out.",
            id,
            30,
            "Look",
            link::tab(id, Practice::Evaluate),
        ),
        need(
            Severity::Medium,
            "Evidence of the demand forecast has expired",
            "Its weekly look failed twice: the folder of the log cannot be read.",
            "demand",
            24 * 11,
            "Run now",
            link::JOBS.into(),
        ),
    ]
}
