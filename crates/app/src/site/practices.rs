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
    // Where all has expired, what it once said is shown as that.
    let told = if fresh.is_empty() { &newest } else { &fresh };
    let verdict = worst(told.iter().copied());
    let stale = !newest.is_empty() && fresh.len() < newest.len();
    PracticeState {
        practice,
        verdict,
        stale: stale && fresh.is_empty(),
        says: says(told),
        next: next(practice, newest.is_empty(), stale),
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
        (Practice::Monitor | Practice::Evaluate, false, true) => {
            "Some evidence has expired or was made under another definition: run its job."
        }
        (Practice::Monitor | Practice::Evaluate, false, false) => return None,
        (Practice::Stress, ..) => "This version does not test what happens when a source fails.",
        (Practice::Trace, ..) => "This version keeps no lineage.",
        (Practice::Govern, ..) => "This version keeps gates, and no register of risks yet.",
    };
    Some(what.to_owned())
}
