//! Values far outside of what the reference makes plausible, where the definition declares no range.
//!
//! An ordinary new maximum is no finding; see [`stats::tail_bound`] for what is. Values that the reference never
//! had and a changed share of missing ones are told by drift.

use stats::sketch::Profile;
use stats::tail_bound::plausible_range;
use types::finding::Threshold;
use types::format::{counted, value};
use types::{Answers, Finding, Subject, Verdict};

use super::{finding, share_measure};
use crate::{Scope, Watched};

pub(super) fn findings(scope: Scope<'_>, columns: &[Watched], answers: &Answers) -> Vec<Finding> {
    if !scope.definition.monitor.quality.inferred {
        return Vec::new();
    }
    let features = || columns.iter().filter(|watched| matches!(watched.subject, Subject::Feature { .. }));
    // As many rows may lie beyond either end of any column as false alarms are allowed.
    let expected = scope.definition.monitor.drift.false_alarms / (2 * features().count().max(1)) as f64;
    features().filter_map(|watched| far_outside(scope, watched, expected, answers)).collect()
}

fn far_outside(scope: Scope<'_>, watched: &Watched, expected: f64, answers: &Answers) -> Option<Finding> {
    let before = watched.profile(answers, scope.against)?;
    let now = watched.profile(answers, &[scope.window])?;
    let Profile::Numeric(current) = &*now.profile else { return None };
    let (smallest, largest) = (current.moments.min()?, current.moments.max()?);
    let name = watched.subject.label();
    let declared = scope.definition.expect.iter().find(|expected| expected.column == name);
    let (has_min, has_max) =
        declared.map_or((false, false), |declared| (declared.min.is_some(), declared.max.is_some()));
    let before = before.ecdfs.first()?;
    // Most windows lie within the reference's range, and need no look at its tails.
    let within =
        before.min().is_some_and(|min| smallest >= min) && before.max().is_some_and(|max| largest <= max);
    if within {
        return None;
    }
    let (low, high) = plausible_range(before, current.moments.count(), expected)?;
    let low = if has_min { f64::NEG_INFINITY } else { low };
    let high = if has_max { f64::INFINITY } else { high };
    if smallest >= low && largest <= high {
        return None;
    }
    let ecdf = now.ecdfs.first()?.finite();
    // In a sketch the extremes are exact, and the number of rows beyond a bound is not.
    let outside = (ecdf.count_lt(low) + ecdf.n() - ecdf.count_le(high)).max(1);
    let farthest = if largest > high { largest } else { smallest };
    let plausible = match (low.is_finite(), high.is_finite()) {
        (true, true) => format!("{} to {}", value(low), value(high)),
        (true, false) => format!("at least {}", value(low)),
        _ => format!("at most {}", value(high)),
    };
    let summary = format!(
        "{} of `{name}` {} far outside of what the reference makes plausible ({plausible}), as far as {}. A unit that changed or a placeholder is the usual cause; declare the range under [[expect]] if it is right.",
        counted(outside, "value", "values"),
        if outside == 1 { "lies" } else { "lie" },
        value(farthest),
    );
    let mut measure = share_measure("far_outside_share", outside, current.rows());
    measure.error_bound = ecdf.rank_error_share();
    let mut finding = finding(scope, watched.subject.clone(), Verdict::Warn, summary, vec![measure]);
    finding.thresholds.push(Threshold {
        measure: name,
        at_least: low.is_finite().then_some(low),
        at_most: high.is_finite().then_some(high),
        from: "inferred from the reference".into(),
    });
    Some(finding)
}
