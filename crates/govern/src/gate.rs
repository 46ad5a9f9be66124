//! Gates: every needed check must have fresh evidence that neither fails nor is unknown.
//!
//! What is not known does not open a gate: missing evidence, expired evidence, evidence that was made
//! under another definition and the verdict `unknown` shut it just as a failure does. What counts is
//! the latest window that a check was made for, and of that the latest run, so that a column that left
//! the definition does not linger and a look at the past decides nothing.

use jiff::Timestamp;
use types::definition::{Definition, Gate};
use types::gate::{GateDecision, NeedState, NeedStatus};
use types::{CheckId, Digest, Finding, Record, Verdict, Window};

/// Reasons that a need names; the rest are counted.
const MOST_REASONS: usize = 5;

/// Decides every gate of a definition from the evidence about its system and model version.
///
/// With a `window`, what is decided is whether the gate was open for that one.
pub fn decide(
    definition: &Definition,
    definition_hash: Digest,
    records: &[Record],
    now: Timestamp,
    window: Option<Window>,
) -> Vec<GateDecision> {
    let is_ours = |record: &&Record| {
        record.system == definition.system.id
            && record.model == definition.model.version
            && window.is_none_or(|window| record.finding.window == window)
    };
    let ours: Vec<&Record> = records.iter().filter(is_ours).collect();
    definition
        .gate
        .iter()
        .map(|(name, gate)| {
            let needs: Vec<NeedStatus> = checks(definition, gate)
                .into_iter()
                .map(|check| need_status(check, definition_hash, &ours, now))
                .collect();
            GateDecision {
                gate: name.clone(),
                open: needs.iter().all(|need| need.state.keeps_gate_open()),
                needs,
            }
        })
        .collect()
}

/// The checks that a gate needs, patterns expanded, each once.
fn checks(definition: &Definition, gate: &Gate) -> Vec<CheckId> {
    let mut checks: Vec<CheckId> = Vec::new();
    for need in &gate.needs {
        for check in CheckId::ALL {
            let named = need == check.name();
            let by_practice = need.strip_suffix(".*") == Some(check.practice()) && definition.makes(check);
            if (named || by_practice) && !checks.contains(&check) {
                checks.push(check);
            }
        }
    }
    checks
}

fn need_status(check: CheckId, definition: Digest, records: &[&Record], now: Timestamp) -> NeedStatus {
    let status = |state, reasons| NeedStatus { check: check.name().into(), state, reasons };
    let of_check = || records.iter().filter(|record| record.finding.check == check);
    // Of two windows that end together the shorter one says what is now.
    let recency = |record: &&&Record| {
        let window = record.finding.window;
        (window.to(), window.from(), record.run)
    };
    let Some((to, from, run)) = of_check().map(|record| recency(&record)).max() else {
        return status(NeedState::Missing, vec!["the check was never made".into()]);
    };
    let latest: Vec<&&Record> = of_check().filter(|record| recency(record) == (to, from, run)).collect();
    if let Some(stale) = latest.iter().find(|record| !record.is_fresh(now)) {
        return status(NeedState::Stale, vec![format!("the evidence expired on {}", stale.fresh_until)]);
    }
    if latest.iter().any(|record| record.definition != definition) {
        let reason = "the definition changed since; make the check again".into();
        return status(NeedState::Stale, vec![reason]);
    }
    let worst = Verdict::worst(latest.iter().map(|record| record.finding.verdict));
    let state = match worst {
        Some(Verdict::Pass) => return status(NeedState::Met, Vec::new()),
        Some(Verdict::Warn) => NeedState::Warned,
        Some(Verdict::Fail) => NeedState::Failed,
        Some(Verdict::Unknown) | None => NeedState::Unknown,
    };
    status(state, reasons(latest.iter().map(|record| &record.finding), worst.unwrap_or(Verdict::Unknown)))
}

/// The subjects of the findings with the worst verdict.
fn reasons<'a>(findings: impl Iterator<Item = &'a Finding>, worst: Verdict) -> Vec<String> {
    let mut labels: Vec<String> =
        findings.filter(|finding| finding.verdict == worst).map(|finding| finding.subject.label()).collect();
    let more = labels.len().saturating_sub(MOST_REASONS);
    labels.truncate(MOST_REASONS);
    if more > 0 {
        labels.push(format!("{more} more"));
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::evidence::{Checkpoint, Evidence, NewFinding, extend_chain};
    use types::{Subject, definition};

    const DEFINITION: &str = r#"
[log]
path = "log.csv"
time = "t"
score = "p"
[reference]
window = "2013-01-01/2013-05-01"
[gate.deploy]
needs = ["evaluate.performance", "monitor.drift"]
"#;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn finding(check: CheckId, subject: &str, verdict: Verdict) -> Finding {
        let window = "2013-06-03/2013-06-10".parse().unwrap();
        Finding::blank(check, Subject::Feature { name: subject.into(), source: None }, verdict, window)
    }

    /// A chain of runs, each with its findings, fresh for a week from the start of June 10.
    fn chain(runs: &[&[(CheckId, &str, Verdict)]]) -> Vec<Record> {
        let mut end = Checkpoint::EMPTY;
        let mut records = Vec::new();
        for run in runs {
            let evidence = Evidence {
                at: at("2013-06-10T00:00:00Z"),
                system: "system".into(),
                model: "unversioned".into(),
                definition: Digest::ZERO,
                program: "test".into(),
                datasets: vec![],
                findings: run
                    .iter()
                    .map(|(check, subject, verdict)| NewFinding {
                        finding: finding(*check, subject, *verdict),
                        fresh_until: at("2013-06-17T00:00:00Z"),
                        inputs: None,
                    })
                    .collect(),
            };
            let (more, _, next) = extend_chain(end, evidence).unwrap();
            records.extend(more);
            end = next;
        }
        records
    }

    fn check(runs: &[&[(CheckId, &str, Verdict)]], now: &str, open: bool, states: [NeedState; 2]) {
        let definition = definition::parse(DEFINITION).unwrap();
        let decisions = decide(&definition, Digest::ZERO, &chain(runs), at(now), None);
        assert_eq!(decisions[0].open, open);
        assert_eq!(decisions[0].needs.iter().map(|need| need.state).collect::<Vec<_>>(), states);
    }

    const SOON: &str = "2013-06-11T00:00:00Z";

    #[test]
    fn a_gate_opens_only_on_fresh_evidence_that_passes() {
        use CheckId::{Drift, Performance};
        use NeedState::{Failed, Met, Missing, Stale, Unknown, Warned};
        use Verdict::{Fail, Pass, Warn};
        check(&[&[(Performance, "m", Pass), (Drift, "a", Pass)]], SOON, true, [Met, Met]);
        check(&[&[(Performance, "m", Pass), (Drift, "a", Warn)]], SOON, true, [Met, Warned]);
        check(&[&[(Performance, "m", Pass), (Drift, "a", Fail)]], SOON, false, [Met, Failed]);
        check(&[&[(Performance, "m", Verdict::Unknown), (Drift, "a", Pass)]], SOON, false, [Unknown, Met]);
        check(&[&[(Performance, "m", Pass)]], SOON, false, [Met, Missing]);
        check(
            &[&[(Performance, "m", Pass), (Drift, "a", Pass)]],
            "2013-06-17T00:00:00Z",
            false,
            [Stale, Stale],
        );
    }

    #[test]
    fn evidence_from_before_a_change_of_the_definition_is_stale() {
        let definition = definition::parse(DEFINITION).unwrap();
        let records =
            chain(&[&[(CheckId::Performance, "m", Verdict::Pass), (CheckId::Drift, "a", Verdict::Pass)]]);
        let decisions = decide(&definition, Digest::of(b"another"), &records, at(SOON), None);
        assert!(!decisions[0].open);
        assert!(decisions[0].needs.iter().all(|need| need.state == NeedState::Stale));
    }

    #[test]
    fn only_the_latest_run_of_a_check_counts() {
        use CheckId::{Drift, Performance};
        use Verdict::{Fail, Pass};
        let (old, new): (&[_], &[_]) =
            (&[(Performance, "m", Pass), (Drift, "gone", Fail)], &[(Drift, "kept", Pass)]);
        check(&[old, new], SOON, true, [NeedState::Met, NeedState::Met]);
    }
}
