//! Fairness: do groups of people get positive predictions, and the right ones, equally often?
//!
//! The criteria cannot all hold at once where groups differ in how often the outcome is positive, unless the
//! model is perfect, so a definition says which of them decide; all are reported. Where several classes or numbers
//! are predicted nobody gets a positive prediction: [`by_metric`] compares how well groups are served.

mod by_metric;

use stats::classification::Estimate;
use stats::classification::confusion::Confusion;
use stats::fairness::{Criterion, Disparity, Fairness, GroupRate, GroupRows, NotCompared, fairness};
use stats::interval::Level;
use types::answer::ScoredGroup;
use types::definition::{FairnessLimit, Segment, Task};
use types::detail::{CriterionRow, FairnessDetail, GroupRow, RateWithInterval};
use types::finding::Unmeasured;
use types::format::{counted, number, percent};
use types::measure::is_empty;
use types::performance::{Limit, without_failed_to};
use types::{Answers, CheckId, Detail, Finding, Measure, Question, Verdict};

use crate::performance::interval_words;
use crate::{Scope, blank, unknown};

pub(crate) fn plan(scope: Scope<'_>) -> impl Iterator<Item = Question> {
    let protected = scope.definition.evaluate.fairness.iter().flat_map(|fairness| &fairness.protected);
    let window = scope.window;
    protected.map(move |segment| Question::ScoredOutcomes { by: Some(segment.clone()), window })
}

/// Groups of one column that are compared; every two of them are.
const GROUPS_MOST: usize = 100;

/// What no choice of limits can change; every output has it.
const IMPOSSIBLE: &str = " The criteria of fairness cannot all hold at once where the outcome is more frequent in one \
                          group than in another: which of them matters is for people to decide.";

/// A limit on a criterion of one protected column, held.
struct Held<'a> {
    column: &'a str,
    criterion: Criterion,
    limit: &'a FairnessLimit,
    measured: Result<Measure, String>,
    groups: Option<(String, String)>,
    /// The rate that shows it.
    rate: Option<GroupRate>,
    verdict: Verdict,
}

pub(crate) fn judge(scope: Scope<'_>, answers: &Answers) -> Finding {
    let Some(settings) = &scope.definition.evaluate.fairness else {
        return unknown(scope, CheckId::Fairness, "No column is declared protected.".into());
    };
    if scope.definition.model.task != Task::Binary {
        return by_metric::judge(scope, answers, settings);
    }
    let deciding = settings.deciding(Task::Binary);
    let mut detail = FairnessDetail::default();
    let mut held: Vec<Held<'_>> = Vec::new();
    for segment in &settings.protected {
        let question = Question::ScoredOutcomes { by: Some(segment.clone()), window: scope.window };
        let groups = answers.scored_outcomes(&question).unwrap_or_default();
        let found = compared(scope, groups);
        if let Ok((_, found)) = &found {
            detail.groups.extend(group_rows(segment, groups, found));
        }
        for criterion in Criterion::ALL {
            detail.criteria.push(criterion_row(segment, groups, criterion, &found));
        }
        for limit in &deciding {
            held.extend(hold(segment, groups, limit, &found));
        }
    }
    for of in &held {
        let name = name_of(of.criterion);
        let row = detail.criteria.iter_mut().find(|row| row.column == of.column && row.criterion == name);
        if let Some(row) = row {
            row.verdict = row.verdict.max(Some(of.verdict));
        }
    }
    held.sort_by_key(|held| std::cmp::Reverse(held.verdict));
    let verdict = Verdict::worst(held.iter().map(|held| held.verdict)).unwrap_or(Verdict::Unknown);
    let mut finding = blank(scope, CheckId::Fairness, verdict);
    for of in &held {
        let from = "evaluate.fairness";
        let threshold = limit_of(of.limit).threshold(&of.limit.criterion, from);
        if !finding.thresholds.contains(&threshold) {
            finding.thresholds.push(threshold);
        }
        match &of.measured {
            Ok(measure) => finding.measures.push(measure.clone()),
            Err(reason) => finding.unmeasured.push(Unmeasured {
                name: of.limit.criterion.clone(),
                reason: format!("{}: {reason}", of.column),
            }),
        }
    }
    finding.summary = summary(&held, settings.positive_is_good);
    if held.iter().any(|held| held.measured.is_ok()) {
        finding.summary.push_str(IMPOSSIBLE);
    }
    finding.detail = Some(Detail::Fairness(Box::new(detail)));
    finding
}

type Compared = Result<(Vec<Confusion>, Fairness), String>;

fn compared(scope: Scope<'_>, groups: &[ScoredGroup]) -> Compared {
    if groups.len() > GROUPS_MOST {
        return Err(format!(
            "there are {}, and at most {GROUPS_MOST} can be compared; put them together with SQL",
            counted(groups.len() as u64, "group", "groups")
        ));
    }
    let confusions: Vec<Confusion> = groups
        .iter()
        .map(|group| Confusion::at(&group.scores, scope.definition.log.threshold))
        .collect::<Result<_, _>>()
        .map_err(|error| without_failed_to(&error))?;
    let rows: Vec<GroupRows<'_>> = confusions
        .iter()
        .zip(groups)
        .map(|(&confusion, group)| GroupRows { confusion, scores: Some(&group.scores) })
        .collect();
    let found = fairness(&rows, Level::P95, scope.definition.evaluate.min_rows)
        .map_err(|error| without_failed_to(&error))?;
    Ok((confusions, found))
}

fn name_of(criterion: Criterion) -> &'static str {
    match criterion {
        Criterion::DemographicParity => "demographic_parity",
        Criterion::EqualisedOdds => "equalised_odds",
        Criterion::EqualOpportunity => "equal_opportunity",
        Criterion::PredictiveParity => "predictive_parity",
        Criterion::CalibrationWithinGroups => "calibration_within_groups",
    }
}

fn group_rows(segment: &Segment, groups: &[ScoredGroup], found: &Fairness) -> Vec<GroupRow> {
    groups
        .iter()
        .enumerate()
        .map(|(at, group)| {
            let rate = |rate: GroupRate| {
                let of = found.rate(rate).get(at)?.estimate()?;
                let interval = Some(of.interval).filter(|interval| !is_empty(*interval));
                Some(RateWithInterval { value: of.value, interval, n: of.n })
            };
            GroupRow {
                column: segment.name.clone(),
                value: group.value.clone(),
                rows: group.scores.n(),
                positives: group.scores.positives_total(),
                selection_rate: rate(GroupRate::Selection),
                true_positive_rate: rate(GroupRate::TruePositive),
                false_positive_rate: rate(GroupRate::FalsePositive),
                precision: rate(GroupRate::Precision),
                calibration_gap: rate(GroupRate::ScoreGap),
                expected_over_observed: rate(GroupRate::ExpectedOverObserved),
            }
        })
        .collect()
}

/// What a verdict means, after the sentence with the number.
fn held_words(verdict: Verdict, limit: &str) -> String {
    match verdict {
        Verdict::Fail => format!(
            " It should be {limit} and surely is not: take it to those who answer for the decision before it is used on."
        ),
        Verdict::Pass => format!(" It should be {limit} and surely is."),
        Verdict::Warn | Verdict::Unknown => {
            format!(" It should be {limit}; from these rows it cannot be told whether it is.")
        }
    }
}

/// A limit on a ratio that is told in percent.
fn limit_in_percent(limit: Limit) -> String {
    match limit {
        Limit::AtLeast(least) => format!("at least {}", percent(least)),
        Limit::AtMost(most) => format!("at most {}", percent(most)),
    }
}

/// The interval of a ratio, in percent as the ratio is.
fn in_percent(measure: &Measure) -> String {
    interval_words(&Measure { name: "share".into(), ..measure.clone() })
}

fn label(groups: &[ScoredGroup], at: usize) -> String {
    let value = groups.get(at).and_then(|group| group.value.as_deref());
    value.unwrap_or("missing").to_owned()
}

fn measure(name: String, estimate: &Estimate, groups: u64) -> Measure {
    let measure = Measure {
        interval: Some(estimate.interval),
        error_bound: estimate.error_bound,
        ..Measure::new(
            name,
            estimate.value,
            estimate.n,
            format!("between the most different of {groups} groups; interval for all pairs of them together"),
        )
    };
    measure.without_empty_interval_because("the values of each group are all alike")
}

fn criterion_row(
    segment: &Segment,
    groups: &[ScoredGroup],
    criterion: Criterion,
    found: &Compared,
) -> CriterionRow {
    let name = name_of(criterion);
    let mut row = CriterionRow {
        column: segment.name.clone(),
        criterion: name.into(),
        difference: None,
        ratio: None,
        lowest: None,
        highest: None,
        reason: None,
        verdict: None,
    };
    let found = match found {
        Ok((_, found)) => found.of(criterion),
        Err(reason) => return CriterionRow { reason: Some(reason.clone()), ..row },
    };
    let of = |kind: &str, disparity: &Disparity| {
        measure(format!("{name}_{kind}"), &disparity.estimate, disparity.groups)
    };
    match &found.difference {
        Ok(disparity) => {
            row.difference = Some(of("difference", disparity));
            row.lowest = Some(label(groups, disparity.smallest));
            row.highest = Some(label(groups, disparity.largest));
        }
        Err(why) => row.reason = Some(not_compared(*why)),
    }
    if let (Ok(_), Err(why)) = (&found.difference, &found.ratio) {
        row.reason = Some(no_criterion(criterion, *why));
    }
    row.ratio = found.ratio.as_ref().ok().map(|disparity| of("ratio", disparity));
    row
}

/// Why groups were not compared, in words that follow "because …".
fn not_compared(why: NotCompared) -> String {
    match why {
        NotCompared::FewerThanTwoGroups { groups: 0 } => "no group has enough rows behind this rate".into(),
        NotCompared::FewerThanTwoGroups { .. } => "only one group has enough rows behind this rate".into(),
        other => without_failed_to(&other),
    }
}

/// Why groups have no ratio of what a criterion is about.
fn no_criterion(criterion: Criterion, why: NotCompared) -> String {
    if why != NotCompared::AllZero {
        return not_compared(why);
    }
    let none = match criterion {
        Criterion::DemographicParity => "no group gets a positive prediction",
        Criterion::EqualOpportunity => "no true positive is found in any group",
        Criterion::EqualisedOdds => "a rate is 0 in all groups",
        Criterion::PredictiveParity => "no positive prediction is right in any group",
        Criterion::CalibrationWithinGroups => "the scores of all groups are 0",
    };
    format!("{none}, so there is no ratio")
}

fn limit_of(limit: &FairnessLimit) -> Limit {
    match (limit.at_least, limit.at_most) {
        (Some(least), _) => Limit::AtLeast(least),
        (None, most) => Limit::AtMost(most.unwrap_or(0.0)),
    }
}

/// The criterion that a limit is about; a definition names no other.
fn criterion_of(limit: &FairnessLimit) -> Option<Criterion> {
    Criterion::ALL.into_iter().find(|criterion| limit.criterion.starts_with(name_of(*criterion)))
}

fn hold<'a>(
    segment: &'a Segment,
    groups: &[ScoredGroup],
    limit: &'a FairnessLimit,
    found: &Compared,
) -> Option<Held<'a>> {
    let criterion = criterion_of(limit)?;
    let disparity: Result<Disparity, String> = match found {
        Err(reason) => Err(reason.clone()),
        Ok((_, found)) => {
            let found = found.of(criterion);
            let of: Result<Disparity, NotCompared> =
                if limit.criterion.ends_with("_ratio") { found.ratio } else { found.difference };
            of.map_err(|why| no_criterion(criterion, why))
        }
    };
    let measured = disparity.clone().map(|of| {
        let of = measure(limit.criterion.clone(), &of.estimate, of.groups);
        Measure { method: format!("by `{}`, {}", segment.name, of.method), ..of }
    });
    Some(Held {
        column: &segment.name,
        criterion,
        limit,
        verdict: measured.as_ref().map_or(Verdict::Unknown, |measure| limit_of(limit).verdict(measure)),
        rate: disparity.as_ref().ok().map(|of| of.rate),
        groups: disparity.ok().map(|of| (label(groups, of.smallest), label(groups, of.largest))),
        measured,
    })
}

/// What one group does, or undergoes, less often than another.
fn words_of(rate: GroupRate, positive_is_good: bool) -> &'static str {
    match (rate, positive_is_good) {
        (GroupRate::Base, _) => "have the positive outcome",
        (GroupRate::Selection, true) => "are given a positive prediction",
        (GroupRate::Selection, false) => "are flagged",
        (GroupRate::TruePositive, true) => "are given the positive prediction that the outcome bears out",
        (GroupRate::TruePositive, false) => "are flagged where it is justified",
        (GroupRate::FalsePositive, true) => {
            "are given a positive prediction that the outcome does not bear out"
        }
        (GroupRate::FalsePositive, false) => "are flagged without cause",
        (GroupRate::Precision, _) => "turn out positive when predicted so",
        (GroupRate::ScoreGap | GroupRate::ExpectedOverObserved, _) => "get scores above what happens",
    }
}

fn summary(held: &[Held<'_>], positive_is_good: bool) -> String {
    let Some(worst) = held.first() else {
        return "Nothing decides about fairness.".into();
    };
    let limit = limit_of(worst.limit);
    let measure = match &worst.measured {
        Ok(measure) => measure,
        Err(reason) => {
            let unknown =
                format!("Whether groups of `{}` are treated alike is not known: {reason}.", worst.column);
            let known = held.iter().position(|held| held.measured.is_ok());
            return known.map_or(unknown.clone(), |at| {
                format!("{unknown} {}", summary(&held[at..], positive_is_good))
            });
        }
    };
    let (lowest, highest) = worst.groups.clone().unwrap_or_default();
    if lowest == highest {
        return format!("By `{}`, all groups are treated exactly alike.", worst.column);
    }
    let how = worst.rate.map_or("are served", |rate| words_of(rate, positive_is_good));
    let mut words = if worst.rate == Some(GroupRate::ExpectedOverObserved) {
        format!(
            "By `{}`, what scores promise over what happens is least for {lowest}: {} of that of {highest}{}.",
            worst.column,
            percent(measure.value),
            in_percent(measure)
        )
    } else if worst.limit.criterion.ends_with("_ratio") {
        format!(
            "By `{}`, {lowest} {how} {} as often as {highest}{}.",
            worst.column,
            percent(measure.value),
            in_percent(measure)
        )
    } else {
        format!(
            "By `{}`, {lowest} {how} less often than {highest}, by {}{}.",
            worst.column,
            number(measure.value),
            interval_words(measure)
        )
    };
    let is_ratio = worst.limit.criterion.ends_with("_ratio");
    let limit = if is_ratio { limit_in_percent(limit) } else { limit.words() };
    words.push_str(&held_words(worst.verdict, &limit));
    let failing = held.iter().filter(|held| held.verdict == Verdict::Fail).count();
    if failing > 1 {
        words.push_str(&format!(" {failing} limits are surely missed."));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use stats::labelled_scores::LabelledScores;

    /// Nothing was promised to a group, and it happened: there is a ratio, and it says nothing of other rows.
    #[test]
    fn a_rate_whose_rows_are_all_alike_has_a_value_and_no_interval() {
        let group = |value: &str, score: f64| ScoredGroup {
            value: Some(value.into()),
            scores: LabelledScores::from_pairs((0..60).map(|row| (score, row % 3 == 0))).unwrap(),
            invalid_scores: 0,
        };
        let groups = [group("f", 0.0), group("m", 0.5)];
        let confusion = |group: &ScoredGroup| Confusion::at(&group.scores, 0.5).unwrap();
        let rows: Vec<GroupRows<'_>> = groups
            .iter()
            .map(|group| GroupRows { confusion: confusion(group), scores: Some(&group.scores) })
            .collect();
        let found = fairness(&rows, Level::P95, 20).unwrap();
        let segment = Segment { name: "sex".into(), sql: None };
        let rows = group_rows(&segment, &groups, &found);
        let none = rows[0].expected_over_observed.unwrap();
        assert_eq!((none.value, none.interval, none.n), (0.0, None, 60));
        assert!((rows[1].expected_over_observed.unwrap().value - 1.5).abs() < 1e-12);
        assert!(rows.iter().all(|row| row.selection_rate.unwrap().interval.is_some()));
    }
}
