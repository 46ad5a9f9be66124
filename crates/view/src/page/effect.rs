//! How large a drift is: the headline distance of a finding, its limits, and whether its alarm stands.

use types::finding::{Detail, Distribution, Finding, Measure, Subject};
use types::format;

use crate::words::{measure_title, measure_value};

/// The distance that the verdict is about; what else was measured where that could not be.
pub(crate) fn distance(finding: &Finding) -> Option<&Measure> {
    finding.distance().or(finding.measures.first())
}

/// What stands in a table under [`distance_title`]: the distance, or what else was measured, by its name.
pub(crate) fn distance_text(finding: &Finding) -> Option<String> {
    if let Some(distance) = finding.distance() {
        return Some(format::number(distance.value));
    }
    let other = finding.measures.first()?;
    Some(format!("{} {}", measure_title(&other.name), measure_value(&other.name, other.value)))
}

/// What the distances of a table are called: by name where they are all of one kind.
pub(crate) fn distance_title<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> String {
    let mut names: Vec<&str> =
        findings.into_iter().filter_map(Finding::distance).map(|measure| measure.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    match names[..] {
        [only] => measure_title(only).into_owned(),
        _ => "Distance".into(),
    }
}

/// Why the verdict rests on that distance.
pub(crate) fn chosen_because(finding: &Finding) -> Option<String> {
    let method = distribution(finding)?.method.as_ref()?;
    let what = finding.distance().map_or(method.name.as_str().into(), |measure| measure_title(&measure.name));
    Some(format!("Decided by {what}: {}.", method.reason))
}

/// Where the limits stand on the scale of the distance: those on what exceeds chance begin there.
pub(crate) fn limits(finding: &Finding) -> Vec<f64> {
    let Some(distance) = distance(finding) else {
        return Vec::new();
    };
    let of_distance =
        finding.thresholds.iter().filter(|threshold| threshold.measure.starts_with(&distance.name));
    of_distance
        .filter_map(|threshold| {
            let above_chance = threshold.measure.contains("above chance");
            let from = if above_chance { distance.expected_by_chance.unwrap_or(0.0) } else { 0.0 };
            threshold.at_most.map(|limit| from + limit)
        })
        .collect()
}

/// The significance of the change after adjusting for everything that was looked at.
pub(crate) fn adjusted(finding: &Finding) -> Option<f64> {
    let of_distance = distance(finding).and_then(|distance| distance.p_adjusted);
    let of_any = || finding.measures.iter().find_map(|measure| measure.p_adjusted);
    finding.sequential.as_ref().map(|state| state.adjusted).or(of_distance).or_else(of_any)
}

/// The share of alarms that may be false.
pub(crate) fn budget(finding: &Finding) -> Option<f64> {
    let of = finding.thresholds.iter().find(|threshold| threshold.measure.contains("false alarms"));
    of.and_then(|threshold| threshold.at_most)
}

/// Whether the evidence gathered up to this window suffices for an alarm within the budget.
pub(crate) fn alarm_stands(finding: &Finding) -> bool {
    let within = |budget: f64| finding.sequential.as_ref().is_some_and(|state| state.adjusted <= budget);
    budget(finding).is_some_and(within)
}

pub(crate) fn distribution(finding: &Finding) -> Option<&Distribution> {
    match &finding.detail {
        Some(Detail::Distribution(of)) => Some(of),
        _ => None,
    }
}

/// Where a column comes from.
pub(crate) fn origin(subject: &Subject) -> Option<&str> {
    match subject {
        Subject::Feature { source, .. } => source.as_deref(),
        Subject::Score { .. } | Subject::PredictedClass => Some("model output"),
        Subject::Outcome => Some("outcomes"),
        Subject::Model | Subject::Log | Subject::Column { .. } | Subject::Segment { .. } => None,
    }
}
