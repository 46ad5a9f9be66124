//! Average performance over the window, held against a limit or against the reference window.

use stats::interval::Level;
use types::definition::{Metric, Output};
use types::detail::Averages;
use types::finding::Unmeasured;
use types::format::{counted, number, percent};
use types::measure::value_text;
use types::outcomes::Outcomes;
use types::{Answers, CheckId, Definition, Detail, Finding, Measure, Verdict, Window};

use types::performance::{Limit, loss_against, loss_text};

use crate::{Scope, blank, decisions, unknown};

pub(crate) fn judge(scope: Scope<'_>, answers: &Answers) -> Finding {
    let evaluate = &scope.definition.evaluate;
    let Some((current, invalid)) = overall(answers, scope.window) else {
        return unknown(scope, CheckId::Performance, "Performance was not measured.".into());
    };
    if current.n() < evaluate.min_rows {
        return too_few(scope, CheckId::Performance, "How good the model is", current.n(), invalid);
    }
    let headline = evaluate.performance.metric;
    let log = &scope.definition.log;
    let all = Metric::of(scope.definition.model.task);
    let mut finding =
        Finding { reference: Some(scope.reference), ..blank(scope, CheckId::Performance, Verdict::Unknown) };
    let others = all.iter().copied().filter(|metric| *metric != headline);
    for metric in std::iter::once(headline).chain(others) {
        match current.measure(metric, log, Level::P95) {
            Ok(measure) => finding.measures.push(measure),
            Err(reason) => finding.unmeasured.push(Unmeasured { name: metric.name().into(), reason }),
        }
    }
    let Some(measured) = finding.measure(headline.name()).cloned() else {
        let reason =
            finding.unmeasured.first().map_or_else(String::new, |unmeasured| unmeasured.reason.clone());
        finding.summary =
            format!("The model's {} cannot be computed in this window: {reason}.", headline.title());
        return finding;
    };
    let before: Vec<Measure> = overall(answers, scope.reference)
        .filter(|(outcomes, _)| outcomes.n() >= evaluate.min_rows)
        .map(|(outcomes, _)| {
            all.iter().filter_map(|metric| outcomes.measure(*metric, log, Level::P95).ok()).collect()
        })
        .unwrap_or_default();
    let reference = before.iter().find(|measure| measure.name == headline.name());
    judge_headline(scope, &mut finding, headline, &measured, reference);
    finding.measures.extend(
        before.into_iter().map(|measure| Measure { name: format!("reference_{}", measure.name), ..measure }),
    );
    let averages = decisions::add(scope, current, &mut finding);
    if averages != Averages::default() {
        finding.detail = Some(Detail::Averages(Box::new(averages)));
    }
    if invalid > 0 {
        finding.summary.push_str(&format!(
            " {} without {} {} not counted.",
            counted(invalid, "row", "rows"),
            score_words(scope.definition),
            if invalid == 1 { "is" } else { "are" }
        ));
    }
    finding
}

fn judge_headline(
    scope: Scope<'_>,
    finding: &mut Finding,
    headline: Metric,
    measured: &Measure,
    reference: Option<&Measure>,
) {
    let performance = &scope.definition.evaluate.performance;
    let mut verdicts = Vec::new();
    let mut words = format!(
        "The model's {} is {}{} over {}.",
        headline.title(),
        number(measured.value),
        interval_words(measured),
        counted(measured.n, "row", "rows")
    );
    if let Some(limit) = Limit::written(headline, performance.at_least, performance.at_most) {
        let verdict = limit.verdict(measured);
        words.push_str(&format!(" {}", limit_words(verdict, limit)));
        verdicts.push(verdict);
        finding.thresholds.push(limit.threshold(headline.name(), "evaluate.performance"));
    }
    if let Some(reference) = reference {
        let loss = loss_against(headline, measured, reference);
        let limit = Limit::AtMost(performance.max_drop);
        let verdict = limit.verdict(&loss);
        words.push_str(&format!(" {}", loss_words(&loss, verdict, reference.value, performance.max_drop)));
        verdicts.push(verdict);
        finding.thresholds.push(limit.threshold(&loss.name, "evaluate.performance.max_drop"));
        finding.measures.push(loss);
    } else {
        finding.unmeasured.push(Unmeasured {
            name: "loss_against_reference".into(),
            reason: "the reference window has too few rows with outcomes".into(),
        });
    }
    finding.verdict = Verdict::worst(verdicts).unwrap_or(Verdict::Unknown);
    if finding.verdict == Verdict::Unknown {
        words.push_str(" There is nothing to hold it against: set a limit under [evaluate.performance].");
    }
    finding.summary = words;
}

fn loss_words(loss: &Measure, verdict: Verdict, reference: f64, max_drop: f64) -> String {
    let size = loss_text(loss, loss.value.abs());
    let max_drop = loss_text(loss, max_drop);
    let change = match loss.value {
        0.0 => format!("as in the reference ({})", number(reference)),
        worse if worse > 0.0 => format!("{size} worse than in the reference ({})", number(reference)),
        _ => format!("{size} better than in the reference ({})", number(reference)),
    };
    if verdict == Verdict::Pass && loss.value <= 0.0 {
        return format!("That is {change}.");
    }
    match verdict {
        Verdict::Pass => format!("That is {change}, which is within the {max_drop} allowed."),
        Verdict::Fail => format!(
            "That is {change}, surely more than the {max_drop} allowed: find out which inputs moved, and consider retraining."
        ),
        Verdict::Warn | Verdict::Unknown if loss.value <= 0.0 => format!(
            "That is {change}; whether it lost more than the {max_drop} allowed cannot be told from so few rows."
        ),
        Verdict::Warn | Verdict::Unknown => format!(
            "That is {change}; whether it exceeds the {max_drop} allowed cannot be told from so few rows."
        ),
    }
}

pub(crate) fn limit_words(verdict: Verdict, limit: Limit) -> String {
    match verdict {
        Verdict::Pass => format!("It should be {} and surely is.", limit.words()),
        Verdict::Fail => format!("It should be {} and surely is not.", limit.words()),
        Verdict::Warn | Verdict::Unknown => {
            format!("It should be {}; from these rows it cannot be told whether it is.", limit.words())
        }
    }
}

/// ` (95 % interval 0.69 to 0.71)`, in the unit of the measure.
pub(crate) fn interval_words(measure: &Measure) -> String {
    // One of no width says nothing, and is taken off the measure.
    let interval = measure.interval.filter(|interval| interval.width() > 0.0);
    interval.map_or_else(String::new, |interval| {
        let level = percent(interval.level.get());
        let [lower, upper] = [interval.lower, interval.upper].map(|bound| value_text(&measure.name, bound));
        format!(" ({level} interval {lower} to {upper})")
    })
}

/// Predictions and outcomes of all rows of a window, and how many rows had no valid prediction.
pub(crate) fn overall(answers: &Answers, window: Window) -> Option<(Outcomes<'_>, u64)> {
    answers.all_outcomes(window).map(|group| (group.outcomes, group.invalid))
}

/// What a row needs for its outcome to be of use.
fn score_words(definition: &Definition) -> &'static str {
    match definition.log.output() {
        Output::Score(_) => "a score in [0, 1]",
        Output::Probabilities { .. } => "probabilities in [0, 1] and a predicted class",
        Output::Number(_) => "a finite prediction",
    }
}

/// The finding where rows are too few; it names the invalid scores where they are the reason.
pub(crate) fn too_few(scope: Scope<'_>, check: CheckId, what: &str, n: u64, invalid: u64) -> Finding {
    let needed = scope.definition.evaluate.min_rows;
    let (score, invalid_score) = match scope.definition.log.output() {
        Output::Score(_) => ("a score", "a score that is missing or outside [0, 1]"),
        Output::Probabilities { .. } => {
            ("probabilities", "a probability that is missing or outside [0, 1], or no predicted class")
        }
        Output::Number(_) => ("a prediction", "a prediction that is missing or not finite"),
    };
    let mut summary = format!(
        "{what} in this window is not known: {} {score} and an outcome, {needed} are needed (evaluate.min_rows).",
        counted(n, "row has", "rows have")
    );
    if invalid > 0 {
        summary.push_str(&format!(" {} {invalid_score}.", counted(invalid, "row has", "rows have")));
    }
    Finding {
        unmeasured: vec![Unmeasured {
            name: scope.definition.evaluate.performance.metric.name().into(),
            reason: format!("{n} rows with {} and outcome, {needed} needed", score.trim_start_matches("a ")),
        }],
        ..unknown(scope, check, summary)
    }
}
