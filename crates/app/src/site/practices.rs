//! Where a system stands in each of the five practices.

use jiff::Timestamp;
use types::format::counted;
use types::{CheckId, Record, Verdict};
use view::site::{Practice, PracticeState};

use super::known::{Known, worst};

/// All five, in their order.
pub(super) fn states(known: &Known, now: Timestamp) -> [PracticeState; 5] {
    Practice::ALL.map(|practice| state(known, practice, now))
}

/// The checks of a practice.
pub(super) fn checks(practice: Practice) -> impl Iterator<Item = CheckId> {
    CheckId::ALL.into_iter().filter(move |check| check.practice() == practice.word())
}

/// The newest findings of every check of a practice.
pub(super) fn newest(known: &Known, practice: Practice) -> Vec<&Record> {
    checks(practice).flat_map(|check| known.newest(check)).collect()
}

fn state(known: &Known, practice: Practice, now: Timestamp) -> PracticeState {
    let newest = newest(known, practice);
    let fresh: Vec<&Record> = newest.iter().copied().filter(|record| known.counts(record, now)).collect();
    let expired = newest.len() - fresh.len();
    // Where all has expired, what it once said is shown as that. Where some has, it counts as not known.
    let all_expired = fresh.is_empty() && expired > 0;
    let told = if all_expired { &newest } else { &fresh };
    let unknown = (expired > 0 && !all_expired).then_some(Verdict::Unknown);
    let mut says = says(told);
    if unknown.is_some() {
        says.push_str(&format!("; {} expired", counted(expired as u64, "finding", "findings")));
    }
    PracticeState {
        practice,
        verdict: worst(told.iter().copied()).max(unknown),
        stale: all_expired,
        says,
        next: next(practice, newest.is_empty(), expired > 0),
    }
}

fn says(records: &[&Record]) -> String {
    let of =
        |verdict: Verdict| records.iter().filter(|record| record.finding.verdict == verdict).count() as u64;
    let all = counted(records.len() as u64, "finding", "findings");
    match (of(Verdict::Fail), of(Verdict::Unknown), of(Verdict::Warn)) {
        _ if records.is_empty() => String::new(),
        (0, 0, 0) => format!("{all}, all within limits"),
        (0, 0, warn) => format!("{warn} of {all} worth a look"),
        (0, unknown, _) => format!("{unknown} of {all} could not be told"),
        (fail, ..) => format!("{fail} of {all} {}", if fail == 1 { "fails" } else { "fail" }),
    }
}

fn next(practice: Practice, nothing: bool, stale: bool) -> Option<String> {
    let what = match (practice, nothing, stale) {
        (Practice::Monitor, true, _) => "Run its job, or `forewarn monitor` in its folder.",
        (Practice::Evaluate, true, _) => {
            "Name the outcomes in `[log]`, then run its job, or `forewarn evaluate` in its folder."
        }
        (Practice::Stress, true, _) => {
            "Say in `[model]` where the model can be asked, then run its job, or `forewarn stress` in its folder."
        }
        (Practice::Monitor | Practice::Evaluate | Practice::Stress, false, true) => {
            "Some evidence has expired or was made under another definition: run its job."
        }
        (Practice::Monitor | Practice::Evaluate | Practice::Stress, false, false) => return None,
        (Practice::Trace, ..) => "This version keeps no lineage.",
        (Practice::Govern, ..) => "This version keeps gates, and no register of risks yet.",
    };
    Some(what.to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use store::Chain;
    use types::evidence::{Evidence, NewFinding, extend_chain};
    use types::{Digest, Finding, Subject};

    use super::*;
    use crate::service::Current;

    const DEFINITION: &str = "[log]\npath = \"log.csv\"\ntime = \"at\"\nscore = \"p\"\n\
                              [reference]\nwindow = \"2013-01-01/2013-05-01\"\n";

    fn at(day: i8) -> Timestamp {
        format!("2013-06-{day:02}T00:00:00Z").parse().unwrap()
    }

    /// Monitoring whose two checks pass, and are fresh until these days.
    fn monitored(drift_until: i8, quality_until: i8) -> Known {
        let finding = |check, until| NewFinding {
            finding: Finding::blank(
                check,
                Subject::Log,
                Verdict::Pass,
                "2013-06-03/2013-06-10".parse().unwrap(),
            ),
            fresh_until: at(until),
            inputs: None,
        };
        let evidence = Evidence {
            at: at(10),
            system: "system".into(),
            model: "unversioned".into(),
            definition: Digest::ZERO,
            program: "test".into(),
            datasets: vec![],
            findings: vec![finding(CheckId::Drift, drift_until), finding(CheckId::Quality, quality_until)],
        };
        let mut chain = Chain::unread("system");
        (chain.records, _, chain.end) = extend_chain(chain.end, evidence).unwrap();
        let current = Current {
            definition: types::definition::parse(DEFINITION).unwrap(),
            text: DEFINITION.into(),
            hash: Digest::ZERO,
            mistake: None,
        };
        Known::new(Arc::new(current), Arc::new(chain))
    }

    #[test]
    fn what_has_expired_is_not_known_and_no_pass() {
        let check = |known: &Known, verdict, stale, part: &str| {
            let state = state(known, Practice::Monitor, at(15));
            assert_eq!((state.verdict, state.stale), (Some(verdict), stale), "{state:?}");
            assert!(state.says.contains(part), "{state:?}");
        };
        check(&monitored(20, 20), Verdict::Pass, false, "2 findings, all within limits");
        check(&monitored(20, 12), Verdict::Unknown, false, "1 finding expired");
        check(&monitored(12, 12), Verdict::Pass, true, "2 findings");
    }
}
