//! How well groups of people are served where several classes or numbers are predicted: the metric of the average
//! between groups, and for numbers whether predictions are too high for one and too low for another.

use stats::classification::Estimate;
use stats::fairness::{MetricByGroup, NotCompared, metric_by_group};
use stats::interval::{Interval, IntervalMethod, Level};
use types::definition::{Fairness, FairnessLimit, Metric, Segment};
use types::detail::{CriterionRow, FairnessDetail, GroupMetrics};
use types::finding::Unmeasured;
use types::format::{counted, number};
use types::outcomes::OutcomeGroup;
use types::performance::Limit;
use types::{Answers, CheckId, Detail, Finding, Measure, Question, Verdict};

use super::{GROUPS_MOST, limit_of, not_compared};
use crate::performance::interval_words;
use crate::{Scope, blank, unknown};

/// A metric between the groups of one column.
struct Compared<'a> {
    segment: &'a Segment,
    metric: Metric,
    groups: Vec<String>,
    found: Result<MetricByGroup, String>,
}

pub(super) fn judge(scope: Scope<'_>, answers: &Answers, settings: &Fairness) -> Finding {
    let metrics = scope.definition.fairness_metrics();
    let mut detail = FairnessDetail::default();
    let mut compared: Vec<Compared<'_>> = Vec::new();
    for segment in &settings.protected {
        let question = Question::ScoredOutcomes { by: Some(segment.clone()), window: scope.window };
        let groups = answers.outcome_groups(&question).unwrap_or_default();
        detail.metrics.extend(groups.iter().map(|group| group_metrics(scope, &metrics, segment, group)));
        compared.extend(metrics.iter().map(|&metric| of_metric(scope, segment, metric, &groups)));
    }
    detail.criteria = compared.iter().map(criterion_row).collect();
    let limits = settings.deciding(scope.definition.model.task);
    let mut held: Vec<(Verdict, Result<Measure, Unmeasured>, &Compared<'_>, &FairnessLimit)> = Vec::new();
    for limit in &limits {
        for (of, row) in compared.iter().zip(&mut detail.criteria) {
            if let Some(measured) = measured(of, limit) {
                let verdict =
                    measured.as_ref().map_or(Verdict::Unknown, |measure| limit_of(limit).verdict(measure));
                row.verdict = row.verdict.max(Some(verdict));
                held.push((verdict, measured, of, limit));
            }
        }
    }
    held.sort_by_key(|(verdict, ..)| std::cmp::Reverse(*verdict));
    let Some((verdict, worst, of, limit)) = held.first() else {
        let mut finding = unknown(scope, CheckId::Fairness, undecided(&compared));
        finding.detail = Some(Detail::Fairness(Box::new(detail)));
        return finding;
    };
    let mut finding = blank(scope, CheckId::Fairness, *verdict);
    finding.summary = match worst {
        Ok(measure) => summary(of, measure, limit_of(limit), *verdict),
        Err(of_metric) => {
            format!(
                "Whether groups of `{}` are served alike is not known: {}.",
                of.segment.name,
                of_metric.reason.strip_prefix(&format!("{}: ", of.segment.name)).unwrap_or(&of_metric.reason)
            )
        }
    };
    for (_, measured, _, limit) in &held {
        let threshold = limit_of(limit).threshold(&limit.criterion, "evaluate.fairness");
        if !finding.thresholds.contains(&threshold) {
            finding.thresholds.push(threshold);
        }
        match measured {
            Ok(measure) => finding.measures.push(measure.clone()),
            Err(unmeasured) => finding.unmeasured.push(unmeasured.clone()),
        }
    }
    finding.detail = Some(Detail::Fairness(Box::new(detail)));
    finding
}

fn group_metrics(
    scope: Scope<'_>,
    metrics: &[Metric],
    segment: &Segment,
    group: &OutcomeGroup<'_>,
) -> GroupMetrics {
    let needed = scope.definition.evaluate.min_rows;
    let measured =
        metrics.iter().map(|&metric| group.outcomes.measure(metric, &scope.definition.log, Level::P95));
    let (measures, failed): (Vec<_>, Vec<_>) = measured.partition(Result::is_ok);
    let too_few = || (group.outcomes.n() < needed).then(|| format!("too few rows: {needed} are needed"));
    GroupMetrics {
        column: segment.name.clone(),
        value: group.value.map(str::to_owned),
        rows: group.outcomes.n(),
        measures: measures.into_iter().flatten().collect(),
        reason: too_few().or_else(|| failed.into_iter().find_map(Result::err)),
    }
}

fn of_metric<'a>(
    scope: Scope<'_>,
    segment: &'a Segment,
    metric: Metric,
    groups: &[OutcomeGroup<'_>],
) -> Compared<'a> {
    let needed = scope.definition.evaluate.min_rows;
    let estimate = |at: usize, level: Level| {
        let group = groups.get(at).filter(|group| group.outcomes.n() >= needed)?;
        let Measure { value, interval, n, error_bound, .. } =
            group.outcomes.measure(metric, &scope.definition.log, level).ok()?;
        // Errors that are all alike have no interval, and their group is there all the same.
        let alike = Interval { lower: value, upper: value, level, method: IntervalMethod::NormalOfMean };
        Some(Estimate { value, interval: interval.unwrap_or(alike), n, error_bound })
    };
    let found = if groups.len() > GROUPS_MOST {
        Err(format!(
            "there are {}, and at most {GROUPS_MOST} can be compared; put them together with SQL",
            counted(groups.len() as u64, "group", "groups")
        ))
    } else {
        metric_by_group(groups.len(), estimate, Level::P95).map_err(|why| {
            // Where rows are enough, it is the metric that groups do not have.
            let large = groups.iter().filter(|group| group.outcomes.n() >= needed);
            let mut failed = large
                .filter_map(|group| group.outcomes.measure(metric, &scope.definition.log, Level::P95).err());
            failed.next().unwrap_or_else(|| not_compared(why))
        })
    };
    let label = |group: &OutcomeGroup<'_>| group.value.unwrap_or("missing").to_owned();
    Compared { segment, metric, groups: groups.iter().map(label).collect(), found }
}

fn measure(of: &Compared<'_>, kind: &str, estimate: &Estimate, groups: u64) -> Measure {
    Measure {
        interval: Some(estimate.interval),
        error_bound: estimate.error_bound,
        ..Measure::new(
            format!("{}_{kind}", of.metric.name()),
            estimate.value,
            estimate.n,
            format!(
                "by `{}`, between the most different of {groups} groups; interval for all pairs of them together",
                of.segment.name
            ),
        )
    }
    .without_empty_interval_because("the values of each group are all alike")
}

fn criterion_row(of: &Compared<'_>) -> CriterionRow {
    let found = of.found.as_ref().ok();
    let label = |at: usize| of.groups.get(at).cloned();
    CriterionRow {
        column: of.segment.name.clone(),
        criterion: of.metric.name().to_owned(),
        difference: found.map(|found| measure(of, "difference", &found.difference, found.groups)),
        ratio: found.and_then(|found| Some(measure(of, "ratio", found.ratio.as_ref().ok()?, found.groups))),
        lowest: found.and_then(|found| label(found.smallest)),
        highest: found.and_then(|found| label(found.largest)),
        reason: match &of.found {
            Err(reason) => Some(reason.clone()),
            Ok(found) => found.ratio.as_ref().err().map(|why| no_ratio(of.metric, *why)),
        },
        verdict: None,
    }
}

/// What a limit holds of a metric; `None` where it is about another one.
fn measured(of: &Compared<'_>, limit: &FairnessLimit) -> Option<Result<Measure, Unmeasured>> {
    let kind = limit.criterion.strip_prefix(of.metric.name())?.strip_prefix('_')?;
    let unmeasured = |reason: String| Unmeasured {
        name: limit.criterion.clone(),
        reason: format!("{}: {reason}", of.segment.name),
    };
    Some(match &of.found {
        Err(reason) => Err(unmeasured(reason.clone())),
        Ok(found) if kind == "difference" => Ok(measure(of, kind, &found.difference, found.groups)),
        Ok(found) => match &found.ratio {
            Ok(ratio) => Ok(measure(of, kind, ratio, found.groups)),
            Err(why) => Err(unmeasured(no_ratio(of.metric, *why))),
        },
    })
}

/// Why groups have no ratio of a metric.
fn no_ratio(metric: Metric, why: NotCompared) -> String {
    match why {
        NotCompared::AllZero => format!("the {} is 0 for all groups, so there is no ratio", metric.title()),
        NotCompared::SignedQuantity => {
            format!("the {} can have either sign, so there is no ratio", metric.title())
        }
        other @ NotCompared::FewerThanTwoGroups { .. } => not_compared(other),
    }
}

fn between(of: &Compared<'_>, found: &MetricByGroup) -> (String, String) {
    let label = |at: usize| of.groups.get(at).cloned().unwrap_or_default();
    (label(found.smallest), label(found.largest))
}

fn summary(of: &Compared<'_>, measure: &Measure, limit: Limit, verdict: Verdict) -> String {
    let (lowest, highest) = of.found.as_ref().map_or_else(|_| Default::default(), |found| between(of, found));
    let mut words = if lowest == highest {
        format!("By `{}`, all groups are alike: the {} is the same.", of.segment.name, of.metric.title())
    } else {
        differing(of, measure, (&lowest, &highest))
    };
    words.push_str(&super::held_words(verdict, &limit.words()));
    words.push_str(" Groups whose outcomes vary more have larger errors under any model.");
    words
}

fn differing(of: &Compared<'_>, measure: &Measure, (lowest, highest): (&str, &str)) -> String {
    let kind = if measure.name.ends_with("_ratio") { "ratio" } else { "difference" };
    format!(
        "By `{}`, the {} is lowest for {lowest} and highest for {highest}: the {kind} is {}{}.",
        of.segment.name,
        of.metric.title(),
        number(measure.value),
        interval_words(measure)
    )
}

/// What groups show where no limit is written.
fn undecided(compared: &[Compared<'_>]) -> String {
    let shown = compared.iter().find_map(|of| Some((of, of.found.as_ref().ok()?)));
    let words = shown.map_or_else(String::new, |(of, found)| {
        let (lowest, highest) = between(of, found);
        if lowest == highest {
            return format!(
                "By `{}`, all groups are alike: the {} is the same. ",
                of.segment.name,
                of.metric.title()
            );
        }
        format!(
            "By `{}`, the {} is lowest for {lowest} and highest for {highest}, {} apart. ",
            of.segment.name,
            of.metric.title(),
            number(found.difference.value)
        )
    });
    format!(
        "{words}Nothing decides whether that is fair: criteria of positive predictions are for a binary task, so write a \
         limit under [[evaluate.fairness.limits]], such as `criterion = \"{}_difference\"` with `at_most`.",
        compared.first().map_or("mae", |of| of.metric.name())
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use stats::regression::PredictionErrors;
    use types::outcomes::{TaskGroup, TaskOutcomes};
    use types::{Answer, Column, ColumnKind, Schema, definition};

    const DEFINITION: &str = r#"
[model]
task = "regression"
[log]
path = "log.parquet"
id = "id"
time = "t"
predicted = "p"
outcome = { path = "o.parquet", column = "y" }
[reference]
window = "2013-01-01/2013-05-01"
[evaluate]
min_rows = 50
[evaluate.fairness]
protected = ["sex"]
"#;

    /// Errors of about `by` for one group and twice of it for the other.
    fn judged(limits: &str) -> Finding {
        judged_of(limits, [1.0, 2.0])
    }

    fn judged_of(limits: &str, by: [f64; 2]) -> Finding {
        let definition = definition::parse(&format!("{DEFINITION}{limits}")).unwrap();
        let column = Column { name: "x".into(), kind: ColumnKind::Numeric, type_name: "Float64".into() };
        let schema = Schema { columns: vec![column] };
        let window = "2013-06-03/2013-06-10".parse().unwrap();
        let scope = Scope {
            definition: &definition,
            schema: &schema,
            window,
            reference: definition.reference.window,
        };
        let group = |value: &str, by: f64| {
            let rows = (0..400)
                .map(|row| (0.0, by * f64::from(1 + row % 3) * if row % 2 == 0 { 1.0 } else { -1.0 }));
            TaskGroup {
                value: Some(value.into()),
                outcomes: TaskOutcomes::Regression(PredictionErrors::of(rows)),
                invalid: 0,
            }
        };
        let mut answers = Answers::default();
        let settings = definition.evaluate.fairness.as_ref().unwrap();
        let column = Some(settings.protected[0].clone());
        answers.insert(
            Question::ScoredOutcomes { by: column, window },
            Answer::TaskOutcomes(vec![group("f", by[0]), group("m", by[1])]),
        );
        judge(scope, &answers, settings)
    }

    #[test]
    fn groups_that_are_served_worse_fail_their_limit_and_without_one_nothing_decides() {
        let none = judged("");
        assert_eq!(none.verdict, Verdict::Unknown);
        assert!(none.summary.contains("Nothing decides"), "{}", none.summary);
        let ratio = judged("limits = [{ criterion = \"mae_ratio\", at_least = 0.8 }]");
        assert_eq!(ratio.verdict, Verdict::Fail, "{}", ratio.summary);
        let measure = ratio.measure("mae_ratio").unwrap();
        assert!((measure.value - 0.5).abs() < 1e-12 && measure.interval.unwrap().contains(0.5));
        let lean = judged("limits = [{ criterion = \"mean_error_difference\", at_most = 1.0 }]");
        assert_eq!(lean.verdict, Verdict::Pass, "{}", lean.summary);
        let Some(Detail::Fairness(detail)) = &lean.detail else { panic!("{:?}", lean.detail) };
        assert_eq!((detail.metrics.len(), detail.criteria.len()), (2, 2));
    }

    #[test]
    fn groups_without_any_error_are_alike_and_have_no_ratio() {
        let lean = judged_of("limits = [{ criterion = \"mean_error_difference\", at_most = 1.0 }]", [0.0; 2]);
        assert_eq!(lean.verdict, Verdict::Pass, "{}", lean.summary);
        assert!(lean.summary.contains("all groups are alike"), "{}", lean.summary);
        let measure = lean.measure("mean_error_difference").unwrap();
        assert_eq!((measure.value, measure.interval), (0.0, None));
        let ratio = judged_of("limits = [{ criterion = \"mae_ratio\", at_least = 0.8 }]", [0.0; 2]);
        assert_eq!(ratio.verdict, Verdict::Unknown);
        assert!(ratio.summary.contains("0 for all groups, so there is no ratio"), "{}", ratio.summary);
        assert_eq!(ratio.summary.matches("sex").count(), 1, "{}", ratio.summary);
        // One group without an error is the better served one.
        let one = judged_of("limits = [{ criterion = \"mae_difference\", at_most = 0.5 }]", [0.0, 2.0]);
        assert_eq!(one.verdict, Verdict::Fail, "{}", one.summary);
    }
}
