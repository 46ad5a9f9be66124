//! Columns that have surely changed since the reference, whatever the verdict of a window says.
//!
//! A verdict needs a change that is sure *and* large enough to matter, in this window. That a column has changed is
//! an alarm of one of its streams (its values, the share that is missing …), which stays once it is sure.

use crate::finding::Finding;
use crate::format::counted;

/// The budget of false alarms that a drift finding's alarms are held against.
const BUDGET: &str = "monitor.drift.false_alarms";

/// The streams of a column of which it is sure that they changed; `None` where it is of none.
fn streams(finding: &Finding) -> Option<impl Iterator<Item = &str>> {
    let budget = finding.thresholds.iter().find(|threshold| threshold.from == BUDGET)?.at_most?;
    let sequential = finding.sequential.as_ref().filter(|sequential| sequential.adjusted <= budget)?;
    let sure = sequential.streams.iter().filter(move |stream| stream.adjusted <= budget);
    Some(sure.map(|stream| stream.name.as_str()))
}

/// How many columns have surely changed, and in what: `22 columns have surely changed since the reference (19 in
/// their values, 5 in the share that is missing)`; `None` where there are none.
pub fn in_words<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Option<String> {
    // What each kind of stream is about, in the order in which it is said.
    let mut kinds = [("their values", 0_u64), ("values that are new", 0), ("the share that is missing", 0)];
    let mut columns = 0;
    for finding in findings {
        let Some(streams) = streams(finding) else { continue };
        columns += 1;
        let mut changed = [false; 3];
        for stream in streams {
            changed[match stream {
                "missing" => 2,
                "unseen" | "new_tokens" => 1,
                _ => 0,
            }] = true;
        }
        for ((_, count), changed) in kinds.iter_mut().zip(changed) {
            *count += u64::from(changed);
        }
    }
    let parts: Vec<String> = kinds
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| format!("{count} in {what}"))
        .collect();
    let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    let subject = counted(columns, "column has", "columns have");
    (columns > 0).then(|| format!("{subject} surely changed since the reference{parts}"))
}

#[cfg(test)]
mod tests {
    use stats::sequential::spending::Spending;

    use super::*;
    use crate::definition::Cadence;
    use crate::finding::{Sequential, Stream, StreamState, Threshold};
    use crate::{CheckId, Digest, Subject, Verdict};

    fn finding(streams: &[(&str, f64)]) -> Finding {
        let stream = |(name, adjusted): &(&str, f64)| Stream {
            name: (*name).into(),
            bins: Digest::ZERO,
            pool: Vec::new(),
            p_value: 0.5,
            dispersion: 1.0,
            state: StreamState::Spending(Spending::default()),
            log_e_value: 0.0,
            adjusted: *adjusted,
        };
        Finding {
            thresholds: vec![Threshold {
                measure: "probability of any false alarms, ever".into(),
                at_least: None,
                at_most: Some(0.01),
                from: BUDGET.into(),
            }],
            sequential: Some(Sequential {
                every: Cadence::Week,
                windows: 1,
                log_e_value: 0.0,
                adjusted: streams.iter().map(|(_, adjusted)| *adjusted).fold(1.0, f64::min),
                streams: streams.iter().map(stream).collect(),
            }),
            ..Finding::blank(
                CheckId::Drift,
                Subject::Model,
                Verdict::Pass,
                "2024-01-01/2024-01-08".parse().unwrap(),
            )
        }
    }

    #[test]
    fn columns_are_counted_once_and_their_streams_each() {
        let both = finding(&[("distribution", 0.001), ("missing", 0.01)]);
        let missing = finding(&[("distribution", 0.5), ("missing", 0.0)]);
        let none = finding(&[("distribution", 0.02)]);
        assert_eq!(in_words([&none]), None);
        assert_eq!(
            in_words([&both, &missing, &none]).as_deref(),
            Some(
                "2 columns have surely changed since the reference (1 in their values, 2 in the share that is missing)"
            )
        );
    }
}
