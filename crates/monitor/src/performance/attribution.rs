//! What explains a loss: other inputs, by their source, or outcomes that follow from inputs differently.
//!
//! The change of the mean loss of sampled rows is shared out between the sources of the definition and the
//! outcome given all inputs (Shapley values, [`stats::attribution::shapley`]). That takes inputs of which
//! either side has some of every kind. Where they have not, the change is divided into what happened on
//! rows that both have and what came with rows that one of them lacks
//! ([`stats::attribution::shared_space`]); and where they have too little in common for that, the
//! reason is said.

use std::ops::Range;

use rand_core::RngCore;
use stats::attribution::shapley::attribute;
use stats::attribution::shared_space::decompose;
use stats::attribution::{AttributionError, AttributionOptions, Contribution, Lost};
use stats::learn::{Features, Loss, Options};
use types::cases::Cases;
use types::definition::{Definition, compared_columns};
use types::finding::{Attribution, AttributionTerm};
use types::format::{count, number};
use types::samples::Samples;
use types::{Answers, Question, Window};

use super::PerformanceScope;
use types::loss::RowLoss;

/// Groups of columns at most. Each more doubles the work, and seven parts are as many as anybody reads.
const GROUPS_MOST: usize = 6;
const OUTCOME: &str = "outcome given inputs";
/// Columns that no group of their own is made for.
const OTHERS: &str = "other columns";
/// Parts that the sentence names at most, and the share of the whole from which it does.
const NAMED: usize = 3;
const NAMED_SHARE: f64 = 0.05;

/// A division, and why a finer one was not made.
pub(super) struct Divided {
    pub(super) attribution: Attribution,
    pub(super) not_by_source: Option<String>,
}

/// What to measure; nothing where it is switched off.
pub(super) fn plan(scope: PerformanceScope<'_>) -> Vec<Question> {
    let windows = [scope.definition.reference.window, scope.window];
    windows.into_iter().filter_map(|window| sample(scope, window)).collect()
}

fn sample(scope: PerformanceScope<'_>, window: Window) -> Option<Question> {
    let rows = scope.definition.monitor.performance.attribution_rows;
    let features = compared_columns(scope.definition, scope.schema);
    let has_features = !features.is_empty();
    let cases = Question::Cases { features, segments: Vec::new(), also: Vec::new(), rows, window };
    (rows > 0 && has_features).then_some(cases)
}

/// Divides the change of the mean loss; `Err` says why that is not possible.
pub(super) fn of(
    scope: PerformanceScope<'_>,
    answers: &Answers,
    rng: &mut impl RngCore,
) -> Result<Divided, String> {
    let sampled = |window: Window| {
        sample(scope, window)
            .and_then(|question| answers.cases(&question))
            .ok_or_else(|| "rows were not sampled".to_owned())
    };
    let (before, now) = (sampled(scope.definition.reference.window)?, sampled(scope.window)?);
    let loss = RowLoss::of(scope.definition.monitor.performance.metric);
    let threshold = scope.definition.log.threshold;
    let samples = Samples::of(&before.features, &now.features);
    let side = |cases: &Cases, rows: Range<usize>| -> Result<(Features, Vec<f64>), String> {
        let rows: Vec<usize> = rows.collect();
        let features = samples.features(&rows).map_err(|error| error.to_string())?;
        Ok((features, cases.outputs.losses(loss, threshold)))
    };
    let (reference, current) = (side(before, samples.before())?, side(now, samples.now())?);
    let sides = [&reference, &current].map(|(features, losses)| Lost { features, losses });
    let groups = groups(scope.definition, samples.names());
    divided(loss, sides, &groups, rng)
}

/// Groups of columns by their source; the positions of the columns of each.
pub(super) fn groups(definition: &Definition, columns: &[String]) -> Vec<(String, Vec<usize>)> {
    let source_of = |column: &String| {
        definition.source.iter().position(|source| source.features.iter().any(|feature| feature == column))
    };
    let mut groups: Vec<(String, Vec<usize>)> =
        definition.source.iter().map(|source| (source.name.clone(), Vec::new())).collect();
    let mut alone = Vec::new();
    for (position, column) in columns.iter().enumerate() {
        match source_of(column) {
            Some(source) => groups[source].1.push(position),
            None => alone.push(position),
        }
    }
    groups.retain(|(_, columns)| !columns.is_empty());
    if groups.len() + alone.len() <= GROUPS_MOST {
        groups.extend(alone.into_iter().map(|position| (columns[position].clone(), vec![position])));
    } else {
        let first_of_others = if alone.is_empty() { GROUPS_MOST } else { GROUPS_MOST - 1 };
        if groups.len() > first_of_others {
            alone.extend(groups.split_off(GROUPS_MOST - 1).into_iter().flat_map(|(_, columns)| columns));
        }
        if !alone.is_empty() {
            groups.push((OTHERS.to_owned(), alone));
        }
    }
    groups
}

fn divided(
    loss: RowLoss,
    [reference, current]: [Lost<'_>; 2],
    groups: &[(String, Vec<usize>)],
    rng: &mut impl RngCore,
) -> Result<Divided, String> {
    let learner =
        Options { trees: 30, learning_rate: 0.2, leaves_max: 8, bins_max: 32, ..Options::new(Loss::Squared) };
    let options =
        AttributionOptions { learner, exact_groups_max: GROUPS_MOST, ..AttributionOptions::default() };
    let columns: Vec<Vec<usize>> = groups.iter().map(|(_, columns)| columns.clone()).collect();
    let rows = format!(
        "Estimated from samples of {} rows of the reference and {} of the window; standard errors take rows as independent, and are too small where rows come in groups.",
        count(reference.losses.len() as u64),
        count(current.losses.len() as u64)
    );
    let mean = |side: Lost<'_>| side.losses.iter().sum::<f64>() / side.losses.len().max(1) as f64;
    if mean(current) <= mean(reference) {
        return Err(format!("the {} of the sampled rows did not rise", loss.mean_title()));
    }
    match attribute(reference, current, &columns, &options, rng) {
        Ok(found) => {
            let names = groups.iter().map(|(name, _)| name.clone()).chain([OUTCOME.to_owned()]);
            let parts = found.groups.iter().chain([&found.outcome]);
            let assumption = format!(
                "Everything that influences outcomes and has changed is among the inputs, and sources do not follow each other; what is missing from the inputs counts as `{OUTCOME}`. {rows}"
            );
            let attribution = attribution(loss, found.change, names.zip(parts), assumption);
            Ok(Divided { attribution, not_by_source: None })
        }
        Err(
            error
            @ (AttributionError::TooLittleOverlap { .. } | AttributionError::TooFewEffectiveRows { .. }),
        ) => {
            let found = decompose(reference, current, &options, rng).map_err(|error| reason(&error))?;
            let names = [
                format!("{OUTCOME}, on rows that both have"),
                "rows that became rarer".to_owned(),
                "rows that are new or became more frequent".to_owned(),
            ];
            let parts = [&found.outcome, &found.reference_to_shared, &found.shared_to_current];
            let assumption = format!(
                "Everything that influences outcomes and has changed is among the inputs; outcomes of new rows may follow other rules, which counts as new rows. {} of what the inputs are distributed like is common to both sides. {rows}",
                types::format::percent(found.shared_share)
            );
            let attribution = attribution(loss, found.change, names.into_iter().zip(parts), assumption);
            Ok(Divided { attribution, not_by_source: Some(reason(&error)) })
        }
        Err(error) => Err(reason(&error)),
    }
}

/// The part of the message that says why.
fn reason(error: &AttributionError) -> String {
    let message = error.to_string();
    message.split_once(": ").map_or(message.clone(), |(_, reason)| reason.to_owned())
}

fn attribution<'a>(
    loss: RowLoss,
    total: Contribution,
    parts: impl Iterator<Item = (String, &'a Contribution)>,
    assumption: String,
) -> Attribution {
    let mut terms: Vec<AttributionTerm> = parts
        .map(|(name, part)| AttributionTerm { name, change: part.value, standard_error: part.standard_error })
        .collect();
    terms.sort_by(|a, b| b.change.abs().total_cmp(&a.change.abs()));
    Attribution {
        of: format!("change of the {} against the reference", loss.mean_title()),
        total: total.value,
        terms,
        assumption,
    }
}

/// What explains the change, in a sentence: the largest parts that can be told from nothing.
pub(super) fn words(of: &Attribution, loss: RowLoss) -> String {
    let told = |term: &&AttributionTerm| {
        term.change.abs() > (2.0 * term.standard_error).max(NAMED_SHARE * of.total.abs())
    };
    let part = |term: &AttributionTerm| {
        let from = if term.name == OUTCOME { "changed outcomes given the inputs" } else { &term.name };
        (format!("{} ± {}", number(term.change), number(term.standard_error)), from.to_owned())
    };
    let named: Vec<(String, String)> = of.terms.iter().filter(told).take(NAMED).map(part).collect();
    let rise = format!("Of the rise of {} in {} (sampled rows", number(of.total), loss.mean_title());
    let Some(((size, from), others)) = named.split_first() else {
        return format!("{rise}), no part can be told from chance.");
    };
    let others: Vec<String> = others.iter().map(|(size, from)| format!(", {size} from {from}")).collect();
    format!("{rise}, ± standard error), {size} comes from {from}{}.", others.concat())
}
