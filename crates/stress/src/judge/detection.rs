//! Whether anybody would notice.

use types::faults::Noticed;
use types::format::{counted, percent};
use types::nearest::listed;
use types::{CheckId, Finding, Verdict};

use super::row::{loss_rise, subject, title, unanswered};
use super::{NAMED, NOTHING_TRIED, Outcome, Scope, Tried, add_share, blank, not_certified};
use crate::plan::Experiment;
use crate::response::Impact;

/// Whether monitoring notices the faults that hurt.
pub fn detection(scope: Scope<'_>, tried: &[Tried], parity: Verdict) -> Finding {
    let harmful_from = scope.definition.stress.detection.harmful;
    let outcomes = tried.iter().filter_map(|tried| Some((&tried.experiment, tried.outcome.as_ref().ok()?)));
    let harmful: Vec<(&Experiment, &Outcome)> =
        outcomes.filter(|(_, outcome)| is_harmful(&outcome.impact, harmful_from)).collect();
    let named = |is: &dyn Fn(Option<&Noticed>) -> bool| -> Vec<String> {
        let of = harmful.iter().filter(|(_, outcome)| is(outcome.noticed.as_ref()));
        of.map(|(experiment, _)| format!("{}: {}", subject(&experiment.subject), title(&experiment.fault)))
            .collect()
    };
    let missed = named(&|noticed| noticed.is_some_and(|noticed| noticed.by.is_empty()));
    let unseen = named(&|noticed| noticed.is_none());
    let later = later(&harmful);
    let (verdict, summary) = if parity != Verdict::Pass {
        (Verdict::Unknown, not_certified(parity).to_owned())
    } else if tried.iter().all(|tried| tried.outcome.is_err()) {
        (Verdict::Unknown, NOTHING_TRIED.to_owned())
    } else {
        let (verdict, words) = detection_words(harmful.len(), &missed, &unseen, &percent(harmful_from));
        (verdict, words + &later)
    };
    let mut finding = blank(scope, CheckId::Detection, verdict, summary);
    let looked_at = harmful.len() - unseen.len();
    add_share(&mut finding, "missed_faults", missed.len() as u64, looked_at as u64);
    finding
}

/// After how many windows those are noticed that are not within one.
fn later(harmful: &[(&Experiment, &Outcome)]) -> String {
    let missed = || {
        let noticed = harmful.iter().filter_map(|(_, outcome)| outcome.noticed.as_ref());
        noticed.filter(|noticed| noticed.by.is_empty())
    };
    let told = |windows: &dyn Fn(&Noticed) -> Option<u32>, by: &str| {
        let after: Vec<u32> = missed().filter_map(windows).collect();
        let (Some(least), Some(most)) = (after.iter().min(), after.iter().max()) else {
            return String::new();
        };
        let span = if least == most { least.to_string() } else { format!("{least} to {most}") };
        format!(" {by} {} of them after {span} windows.", after.len())
    };
    told(&|noticed| noticed.windows, "Alarms of columns that add up notice")
        + &told(&|noticed| noticed.windows_by_loss, "Once outcomes are known, the loss is an alarm for")
}

fn detection_words(harmful: usize, missed: &[String], unseen: &[String], limit: &str) -> (Verdict, String) {
    let listed = |faults: &[String]| listed(faults.iter().map(String::as_str), NAMED);
    let hurting = counted(harmful as u64, "fault that hurts", "faults that hurt");
    let (verdict, mut words) = match (harmful, missed.len()) {
        (0, _) => {
            let words = format!("No fault that was tried raises the loss by {limit} or stops the model.");
            (Verdict::Pass, words)
        }
        (_, 0) if unseen.is_empty() => {
            let all = if harmful == 1 { "the" } else { "all" };
            let words =
                format!("Monitoring notices {all} {hurting} (a loss that rises by {limit}, or no answer).");
            (Verdict::Pass, words)
        }
        (_, 0) => (Verdict::Unknown, String::new()),
        (_, count) => {
            let words = format!(
                "{count} of {hurting} would go unnoticed within one window: {}. Watch these inputs more closely.",
                listed(missed)
            );
            (Verdict::Fail, words)
        }
    };
    if !unseen.is_empty() {
        let words_of_unseen = format!(
            "Of {} of {hurting} it is not known whether anybody would notice, because {} cannot be tried on the reference: {}.",
            unseen.len(),
            if unseen.len() == 1 { "it" } else { "they" },
            listed(unseen)
        );
        words = if words.is_empty() { words_of_unseen } else { format!("{words} {words_of_unseen}") };
    }
    (verdict, words)
}

/// A fault hurts where the model no longer answers, or its loss rises by so much.
pub fn is_harmful(impact: &Impact, from: f64) -> bool {
    unanswered(impact) > 0.5 || loss_rise(impact).is_some_and(|rise| rise >= from)
}
