//! The tail: what happens on rare and unusual cases, which an average over everyday ones does not show.

mod unusual;

use rand_core::RngCore;
use stats::confidently_wrong::{ConfidentlyWrong, confidently_wrong, confidently_wrong_answers};
use stats::expected_shortfall::expected_shortfall;
use stats::interval::{Interval, Level};
use stats::proportion::wilson_interval;
use stats::slice_search::{EncodedColumn, Slice, confirm};
use stats::worst_cases::worst_cases;
use types::answer::{SampledColumn, SampledValues};
use types::cases::Outputs;
use types::definition::{Tail, Task};
use types::detail::{CaseRow, PoolRow, TailDetail};
use types::finding::Unmeasured;
use types::format::{counted, number, percent, times, value};
use types::loss::RowLoss;
use types::performance::{Limit, without_failed_to};
use types::window::day_text;
use types::{CheckId, Detail, Finding, Measure, Verdict};

use crate::performance::interval_words;
use crate::rows::{Rows, mean_of};
use crate::{alarm, blank, unknown};

const RARE_LIFT: &str = "rare_lift";
const RARE_CLASS: &str = "rare_class_wrong_share";
/// Why there is no interval, where it is for that.
const ALIKE: &str = "the losses of these rows are all alike";
const RARE_INPUTS: &str = "rare inputs";
/// The fewest rows of a pool that something is said about.
const POOL_ROWS_LEAST: u64 = 20;
/// The same where the loss is right or wrong: the interval of a share is good enough for few.
const SHARE_ROWS_LEAST: u64 = 5;

pub(crate) fn judge(rows: &Rows<'_>, rng: &mut impl RngCore) -> Finding {
    let scope = rows.scope;
    if let Some(reason) = rows.too_few() {
        let summary = format!("How the model does on rare cases is not known: {reason}.");
        return unknown(scope, CheckId::Tail, summary);
    }
    let mut finding = blank(scope, CheckId::Tail, Verdict::Unknown);
    let mut tail = TailDetail::default();
    let mut pools: Vec<Pool> = Vec::new();
    let unusual = unusual::unusual(rows, &mut tail, rng);
    let not_looked_at = unusual.as_ref().err().cloned();
    pools.extend(unusual.unwrap_or_default());
    if let Some(reason) = &not_looked_at {
        finding.unmeasured.push(Unmeasured { name: RARE_LIFT.into(), reason: reason.clone() });
    }
    pools.extend(rare_classes(rows));
    tail.overall = mean_of(rows.loss(), rows.losses.iter().copied(), Level::P95);
    tail.pools = judged_pools(rows, &pools);
    let lift_limit = Limit::AtMost(scope.definition.evaluate.tail.max_lift);
    headline(&scope.definition.evaluate.tail, &mut finding, &tail.pools);
    if let Some(measure) = shortfall(rows) {
        finding.measures.push(measure);
    }
    let mut words = String::new();
    match confident(rows) {
        Some(Ok(of)) => {
            let (measure, said) = confident_measure(rows, &of);
            finding.measures.extend(measure);
            words = said;
        }
        Some(Err(reason)) => {
            finding.unmeasured.push(Unmeasured { name: "confident_wrong_share".into(), reason });
        }
        None => {}
    }
    tail.worst = worst(rows);
    graded(rows).0.title().clone_into(&mut tail.case_loss);
    let measured = tail.pools.iter().filter(|pool| pool.mean_loss.is_some());
    // Where every kind was looked for and no row is of any, there is nothing to fail on.
    let none = if tail.pools.iter().all(|pool| pool.rows == 0) { Verdict::Pass } else { Verdict::Unknown };
    finding.verdict = Verdict::worst(measured.map(|pool| pool.verdict)).unwrap_or(none);
    finding.summary = format!("{}{words}{}", summary(rows, &tail.pools, lift_limit), rows.sampled_words());
    if let Some(reason) = not_looked_at {
        // What rare inputs do is not known, whatever rare classes do.
        finding.verdict = finding.verdict.max(Verdict::Unknown);
        let unknown = format!(" How the model does on rare inputs is not known: {reason}.");
        finding.summary.push_str(&unknown);
        finding.summary = finding.summary.trim_start().into();
    }
    finding.detail = Some(Detail::Tail(Box::new(tail)));
    finding
}

/// Rows that are rare in one way.
struct Pool {
    what: String,
    members: Vec<bool>,
    /// Whether the share of wrong predictions is held to a limit of its own, not to the average.
    is_class: bool,
}

impl Pool {
    fn new(what: &str, members: Vec<bool>) -> Self {
        Self { what: what.to_owned(), members, is_class: false }
    }
}

/// The losses of the rows that something holds of.
fn members<T>(of: &[T], is_member: impl Fn(&T) -> bool, losses: &[f64]) -> Vec<f64> {
    of.iter().zip(losses).filter(|(of, _)| is_member(of)).map(|(_, &loss)| loss).collect()
}

fn enough(losses: &[f64]) -> Option<Vec<f64>> {
    (losses.len() as u64 >= POOL_ROWS_LEAST).then(|| losses.to_vec())
}

/// Rows whose outcome is a class that few rows have, all such classes together.
fn rare_classes(rows: &Rows<'_>) -> Option<Pool> {
    let most = rows.scope.definition.evaluate.tail.rare_share;
    let classes: Vec<u32> = match &rows.cases.outputs {
        Outputs::Binary { outcomes, .. } => outcomes.iter().map(|&outcome| u32::from(outcome)).collect(),
        Outputs::Multiclass { outcomes, .. } => outcomes.clone(),
        Outputs::Regression { .. } => return None,
    };
    let mut counts = std::collections::BTreeMap::new();
    for class in &classes {
        *counts.entry(*class).or_insert(0_u64) += 1;
    }
    let is_rare = |class: &u32| counts.get(class).is_some_and(|&n| n as f64 <= most * classes.len() as f64);
    let members: Vec<bool> = classes.iter().map(is_rare).collect();
    members.contains(&true).then(|| Pool { what: "rare classes".into(), members, is_class: true })
}

/// How many rows of a pool it takes to say what they lose.
fn rows_least(rows: &Rows<'_>) -> u64 {
    if rows.loss() == RowLoss::Wrong { SHARE_ROWS_LEAST } else { POOL_ROWS_LEAST }
}

fn judged_pools(rows: &Rows<'_>, pools: &[Pool]) -> Vec<PoolRow> {
    let settings = &rows.scope.definition.evaluate.tail;
    let large = |pool: &&Pool| {
        let least = if pool.is_class { SHARE_ROWS_LEAST } else { rows_least(rows) };
        pool.members.iter().filter(|member| **member).count() as u64 >= least
    };
    let level = Level::P95.for_each_of(pools.iter().filter(large).count());
    let wrong = rows.wrong();
    pools
        .iter()
        .map(|pool| {
            let n = pool.members.iter().filter(|member| **member).count() as u64;
            let too_few = PoolRow {
                what: pool.what.clone(),
                is_class: pool.is_class,
                rows: n,
                mean_loss: None,
                lift: None,
                verdict: Verdict::Unknown,
            };
            if !large(&pool) {
                return too_few;
            }
            if let Some(wrong) = wrong.as_deref().filter(|_| pool.is_class) {
                let wrong = members(&pool.members, |member| *member, wrong);
                let measure = mean_of(RowLoss::Wrong, wrong, level);
                let limit = Limit::AtMost(settings.rare_class_wrong_at_most);
                let verdict = measure.as_ref().map_or(Verdict::Unknown, |measure| limit.verdict(measure));
                return PoolRow { mean_loss: measure, verdict, ..too_few };
            }
            let losses = members(&pool.members, |member| *member, &rows.losses);
            let lift = lift(rows, pool, level);
            let verdict = match &lift {
                Some(lift) if lift.interval.is_some() => alarm(Limit::AtMost(settings.max_lift), lift, 1.0),
                _ if losses.iter().all(|loss| *loss == 0.0) => Verdict::Pass,
                Some(_) => Verdict::Warn,
                // All rows are of this kind, so there is nothing to hold them against.
                None => return too_few,
            };
            PoolRow { mean_loss: mean_of(rows.loss(), losses, level), lift, verdict, ..too_few }
        })
        .collect()
}

/// The mean loss of a pool as a multiple of that of all rows; there is none where nothing is lost, or where all rows
/// are in it.
fn lift(rows: &Rows<'_>, pool: &Pool, level: Level) -> Option<Measure> {
    if rows.losses.iter().all(|loss| *loss == 0.0) {
        return None;
    }
    let codes = pool.members.iter().map(|&member| u32::from(member)).collect();
    let columns = [EncodedColumn { codes, cardinality: 2 }];
    let n = pool.members.iter().filter(|member| **member).count() as u64;
    if n < POOL_ROWS_LEAST {
        return lift_of_few(rows, pool, n, level);
    }
    let slice = Slice { conditions: vec![(0, 1)], score: 0.0, rows: n, loss_sum: 0.0, loss_max: 0.0 };
    let confirmed = confirm(&[slice], &columns, &rows.losses, level).ok()?;
    let comparison = confirmed.first()?.comparison?;
    let lift = Measure {
        interval: comparison.lift_interval,
        expected_by_chance: Some(1.0),
        p_value: Some(confirmed.first()?.p_value),
        ..Measure::new(
            RARE_LIFT,
            comparison.lift,
            n,
            format!("mean loss of {} over that of all rows", pool.what),
        )
    };
    Some(lift.without_empty_interval_because(ALIKE))
}

/// The same of few rows that are right or wrong: of all rows the share is known well beside what these can tell.
fn lift_of_few(rows: &Rows<'_>, pool: &Pool, n: u64, level: Level) -> Option<Measure> {
    let all = rows.losses.iter().sum::<f64>() / rows.losses.len() as f64;
    let wrong =
        members(&pool.members, |member| *member, &rows.losses).iter().filter(|loss| **loss > 0.0).count()
            as u64;
    let share = wilson_interval(wrong, n, level).ok()?;
    let interval = Interval { lower: share.lower / all, upper: share.upper / all, ..share };
    (n < rows.losses.len() as u64).then(|| Measure {
        interval: Some(interval),
        expected_by_chance: Some(1.0),
        ..Measure::new(
            RARE_LIFT,
            wrong as f64 / n as f64 / all,
            n,
            format!("mean loss of {} over that of all rows", pool.what),
        )
    })
}

/// The kind of rare case that headline and sentence are about: of those with the worst verdict the one that loses the
/// most.
fn worst_pool<'a>(pools: impl Iterator<Item = &'a PoolRow>) -> Option<&'a PoolRow> {
    let lift = |pool: &PoolRow| pool.lift.as_ref().map_or(0.0, |lift| lift.value);
    pools
        .filter(|pool| pool.mean_loss.is_some())
        .max_by(|a, b| a.verdict.cmp(&b.verdict).then(lift(a).total_cmp(&lift(b))))
}

/// The measures that the verdict rests on: the worst lift, and the rare classes; first the one that the sentence is
/// about.
fn headline(settings: &Tail, finding: &mut Finding, pools: &[PoolRow]) {
    let worst_lift = worst_pool(pools.iter().filter(|pool| pool.lift.is_some()));
    if let Some(lift) = worst_lift.and_then(|pool| pool.lift.clone()) {
        let limit = Limit::AtMost(settings.max_lift);
        finding.thresholds.push(limit.threshold(RARE_LIFT, "evaluate.tail.max_lift"));
        finding.measures.push(lift);
    }
    let class = pools.iter().find(|pool| pool.is_class && pool.mean_loss.is_some());
    if let Some(measure) = class.and_then(|pool| pool.mean_loss.clone()) {
        let limit = Limit::AtMost(settings.rare_class_wrong_at_most);
        finding.thresholds.push(limit.threshold(RARE_CLASS, "evaluate.tail.rare_class_wrong_at_most"));
        finding.measures.push(Measure { name: RARE_CLASS.into(), ..measure });
    }
    if worst_pool(pools.iter()).is_some_and(|worst| worst.is_class) {
        finding.measures.reverse();
    }
}

/// The mean of the worst losses, of a loss that is more than right or wrong.
fn graded(rows: &Rows<'_>) -> (RowLoss, Vec<f64>) {
    match rows.loss() {
        RowLoss::Wrong => {
            let threshold = rows.scope.definition.log.threshold;
            (RowLoss::Brier, rows.cases.outputs.losses(RowLoss::Brier, threshold))
        }
        loss => (loss, rows.losses.clone()),
    }
}

fn shortfall(rows: &Rows<'_>) -> Option<Measure> {
    let share = rows.scope.definition.evaluate.tail.rare_share;
    let (loss, losses) = graded(rows);
    let of = expected_shortfall(&losses, share, Level::P95).ok()?;
    let measure = Measure {
        interval: Some(of.interval),
        ..Measure::new(
            "expected_shortfall",
            of.value,
            of.n,
            format!("mean {} of the worst {} of rows (CVaR)", loss.title(), percent(share)),
        )
    };
    Some(measure.without_empty_interval_because("the largest losses are all alike"))
}

/// Confident predictions that were wrong; `None` where predictions have no confidence.
fn confident(rows: &Rows<'_>) -> Option<Result<ConfidentlyWrong, String>> {
    let confidence = rows.scope.definition.evaluate.tail.confident;
    let of = match &rows.cases.outputs {
        Outputs::Binary { scores, outcomes } => confidently_wrong(scores, outcomes, confidence, Level::P95),
        Outputs::Multiclass { probabilities, predicted, outcomes } => {
            let confidences: Vec<f64> = predicted
                .iter()
                .enumerate()
                .map(|(row, &class)| probabilities.get(class as usize).map_or(0.0, |of_class| of_class[row]))
                .collect();
            let wrong: Vec<bool> = predicted.iter().zip(outcomes).map(|(a, b)| a != b).collect();
            confidently_wrong_answers(&confidences, &wrong, confidence, Level::P95)
        }
        Outputs::Regression { .. } => return None,
    };
    Some(of.map_err(|error| without_failed_to(&error)))
}

fn confident_measure(rows: &Rows<'_>, of: &ConfidentlyWrong) -> (Option<Measure>, String) {
    let Some((share, interval)) = of.wrong_share.zip(of.wrong_interval) else {
        return (None, String::new());
    };
    let confidence = percent(rows.scope.definition.evaluate.tail.confident);
    let measure = Measure {
        interval: Some(interval),
        expected_by_chance: of.expected_if_calibrated,
        ..Measure::new(
            "confident_wrong_share",
            share,
            of.confident,
            format!(
                "wrong predictions among those of a confidence of at least {confidence}; by chance: if the scores meant what they say"
            ),
        )
    };
    let too_many = of.expected_if_calibrated.filter(|expected| interval.lower > *expected);
    let words = too_many.map_or_else(String::new, |expected| {
        format!(
            " Of the {} made with at least {confidence} confidence, {} were wrong; by their own word it should be {}.",
            counted(of.confident, "prediction", "predictions"),
            percent(share),
            percent(expected)
        )
    });
    (Some(measure), words)
}

fn worst(rows: &Rows<'_>) -> Vec<CaseRow> {
    let k = rows.scope.definition.evaluate.tail.worst_cases as usize;
    let (_, losses) = graded(rows);
    let at = worst_cases(&losses, k).unwrap_or_default();
    at.into_iter()
        .map(|row| {
            let (predicted, outcome) = said(rows, row);
            CaseRow {
                id: rows.cases.ids.get(row).cloned().unwrap_or_default(),
                at: day_text(rows.cases.days[row]),
                predicted,
                outcome,
                loss: losses[row],
                inputs: rows
                    .columns()
                    .iter()
                    .map(|column| (column.name.clone(), input(column, row)))
                    .collect(),
            }
        })
        .collect()
}

/// What was predicted of a row and what happened, in words.
fn said(rows: &Rows<'_>, row: usize) -> (String, String) {
    let classes = rows.scope.definition.log.classes();
    let class = |class: u32| classes.get(class as usize).map_or_else(String::new, |name| (*name).to_owned());
    match &rows.cases.outputs {
        Outputs::Binary { scores, outcomes } => {
            (number(scores[row]), if outcomes[row] { "1".into() } else { "0".into() })
        }
        Outputs::Regression { predicted, outcomes } => (value(predicted[row]), value(outcomes[row])),
        Outputs::Multiclass { probabilities, predicted, outcomes } => {
            let confidence = probabilities.get(predicted[row] as usize).map_or(0.0, |of_class| of_class[row]);
            (format!("{} ({})", class(predicted[row]), percent(confidence)), class(outcomes[row]))
        }
    }
}

fn input(column: &SampledColumn, row: usize) -> String {
    match &column.values {
        SampledValues::Numbers(numbers) if numbers[row].is_nan() => "–".into(),
        SampledValues::Numbers(numbers) => value(numbers[row]),
        SampledValues::Categories(texts) => texts[row].clone().unwrap_or_else(|| "–".into()),
        SampledValues::Vectors(_) => "…".into(),
    }
}

fn summary(rows: &Rows<'_>, pools: &[PoolRow], limit: Limit) -> String {
    let Some(worst) = worst_pool(pools.iter()) else {
        if pools.is_empty() {
            return String::new();
        }
        if pools.iter().all(|pool| pool.rows == 0) {
            return "No case is rare: no input, category, number or outcome is one that the reference hardly has."
                .to_owned();
        }
        let needed = counted(rows_least(rows), "row", "rows");
        return format!("How the model does on rare cases is not known: no kind of them has {needed}.");
    };
    let said = |pool: &PoolRow| match (&pool.mean_loss, &pool.lift) {
        (Some(wrong), _) if pool.is_class => format!(
            "Where the outcome is a rare class ({}), {} of predictions are wrong{}.",
            counted(pool.rows, "row", "rows"),
            percent(wrong.value),
            interval_words(wrong),
        ),
        (Some(mean), Some(lift)) => format!(
            "On {} ({}) the {} is {}, {} the average of {}{}.",
            pool.what,
            counted(pool.rows, "row", "rows"),
            rows.loss().mean_title(),
            rows.loss_text(mean.value),
            times(lift.value),
            rows.loss_text(rows.mean_loss()),
            interval_words(lift),
        ),
        (Some(_), None) => {
            format!("On {} ({}) nothing is lost.", pool.what, counted(pool.rows, "row", "rows"))
        }
        (None, _) => String::new(),
    };
    let mut words = said(worst);
    let most_wrong = rows.scope.definition.evaluate.tail.rare_class_wrong_at_most;
    let allowed = if worst.is_class { percent(most_wrong) } else { times(limit.value()) };
    let surely_within = worst.lift.as_ref().is_none_or(|lift| limit.verdict(lift) == Verdict::Pass);
    words.push_str(&match worst.verdict {
        Verdict::Fail => format!(
            " That is surely more than the {allowed} allowed: send rare cases to a person, or collect more of them."
        ),
        Verdict::Warn | Verdict::Unknown => {
            format!(" Whether that is more than the {allowed} allowed cannot be told from so few rows.")
        }
        Verdict::Pass if worst.lift.is_none() && !worst.is_class => String::new(),
        Verdict::Pass if surely_within => format!(" That is surely within the {allowed} allowed."),
        Verdict::Pass => " That this is more than the average is not shown.".to_owned(),
    });
    if rows.scope.definition.model.task != Task::Regression
        && let Some(other) =
            worst_pool(pools.iter().filter(|pool| pool.verdict == Verdict::Fail && pool.what != worst.what))
    {
        words.push_str(&format!(" {}", said(other)));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(what: &str, verdict: Verdict, lift: Option<f64>) -> PoolRow {
        PoolRow {
            what: what.into(),
            is_class: lift.is_none(),
            rows: 100,
            mean_loss: Some(Measure::new("wrong_share", 0.2, 100, "mean")),
            lift: lift.map(|lift| Measure::new(RARE_LIFT, lift, 100, format!("of {what}"))),
            verdict,
        }
    }

    /// The first pool of the worst verdict had the sentence, the one with the largest lift the headline.
    #[test]
    fn headline_and_sentence_are_about_the_same_kind_of_rare_case() {
        let window = "2013-06-03/2013-06-10".parse().unwrap();
        let check = |pools: &[PoolRow], worst: &str, first: (&str, &str)| {
            assert_eq!(worst_pool(pools.iter()).unwrap().what, worst);
            let mut finding = Finding::blank(CheckId::Tail, types::Subject::Model, Verdict::Warn, window);
            headline(&Tail::default(), &mut finding, pools);
            let headline = &finding.measures[0];
            assert_eq!((headline.name.as_str(), headline.method.as_str()), first);
        };
        let warned = [
            pool("rare inputs", Verdict::Warn, Some(1.4)),
            pool("new categories", Verdict::Warn, Some(2.2)),
            pool("out of range", Verdict::Pass, Some(3.0)),
        ];
        check(&warned, "new categories", (RARE_LIFT, "of new categories"));
        let class = pool("rare classes", Verdict::Fail, None);
        let with_class: Vec<PoolRow> = warned.iter().cloned().chain([class]).collect();
        check(&with_class, "rare classes", (RARE_CLASS, "mean"));
    }
}
