//! Performance over time: from outcomes once they have arrived, estimated from scores before that.
//!
//! A window counts as realised when as many of its outcomes have arrived as ever do; early ones are
//! a biased sample. Before that its performance is estimated from the scores alone (CBPE), and once more with
//! the reference weighted to look like the window's inputs, which corrects for a shift in these but not for one in what
//! follows from them. An estimate can warn; only outcomes can pass or fail.
//!
//! Once a window is settled, its days go into a bet that the model has become harmfully worse (`harm`), and a
//! loss that is worth it is divided among what can explain it (`attribution`; a second step, because it reads
//! more rows).

mod attribution;
mod estimate;
mod harm;
mod maturity;
mod multiclass;
mod regression;

use rand_core::RngCore;
use stats::ecdf::Ecdf;
use stats::interval::Level;
use types::answer::DayLosses;
use types::column::ColumnKind;
use types::definition::{Output, Segment};
use types::finding::{MaturityState, SegmentRow, Unmeasured, WindowPerformance, segment_label};
use types::format::{capitalised, counted, number, percent};
use types::outcomes::{OutcomeGroup, Outcomes};
use types::performance::{Limit, loss_against, loss_text};
use types::question::Measured;
use types::{
    Answers, CheckId, Definition, Detail, Finding, Measure, Question, Schema, Subject, Verdict, Window,
};

use crate::History;
use crate::multivariate::sample_question;
use types::loss::RowLoss;

/// The share of reports in which any segment's interval may miss its true value.
const FAMILY_ERROR: f64 = 0.05;

/// What a window's performance is judged from.
#[derive(Clone, Copy, Debug)]
pub struct PerformanceScope<'a> {
    pub definition: &'a Definition,
    pub schema: &'a Schema,
    pub window: Window,
    /// Outcomes that became known later were not seen.
    pub as_of: jiff::Timestamp,
    /// What the windows before it showed.
    pub history: &'a History,
}

/// What to measure; nothing where the definition names no outcome, since nothing can be calibrated then.
pub fn plan(scope: PerformanceScope<'_>) -> Vec<Question> {
    let definition = scope.definition;
    if definition.log.outcome.is_none() {
        return Vec::new();
    }
    let (window, reference) = (scope.window, definition.reference.window);
    let mut questions = vec![
        Question::Coverage { orphans: false, window },
        Question::Coverage { orphans: false, window: reference },
        Question::Delays { window: reference },
        Question::Delays { window },
        Question::ScoredOutcomes { by: None, window },
        Question::ScoredOutcomes { by: None, window: reference },
    ];
    match definition.log.output() {
        Output::Score(_) => {
            questions.push(scores(definition, window));
            questions.extend(sample(scope, reference, true));
            questions.extend(sample(scope, window, false));
        }
        Output::Probabilities { .. } => questions.extend(multiclass::plan(&definition.log, window)),
        Output::Number(_) => {
            questions.extend(regression::plan(scope, reference, true));
            questions.extend(regression::plan(scope, window, false));
        }
    }
    questions.extend(harm::plan(scope));
    let segments = definition.log.segments.iter();
    questions.extend(segments.map(|segment| Question::ScoredOutcomes { by: Some(segment.clone()), window }));
    questions
}

fn scores(definition: &Definition, window: Window) -> Question {
    let of = Measured::Column { name: definition.log.score.clone() };
    Question::Profile { of, kind: ColumnKind::Numeric, window }
}

/// Rows to tell what a window's inputs are like from those of the reference.
fn sample(scope: PerformanceScope<'_>, window: Window, outcomes: bool) -> Option<Question> {
    sample_question(scope.definition, scope.schema, window, outcomes)
}

/// After how many windows with these losses of days, one after the other, the model's loss would be an alarm; `None`
/// where none of them is enough, or where nothing is bet on. `answers` are those to [`plan`].
pub fn windows_until_alarm(
    scope: PerformanceScope<'_>,
    answers: &Answers,
    windows: &[Vec<DayLosses>],
) -> Option<u32> {
    harm::windows_until_alarm(scope, answers, windows)
}

/// What the answers mean; `None` where the definition names no outcome.
pub fn judge(scope: PerformanceScope<'_>, answers: &Answers, rng: &mut impl RngCore) -> Option<Finding> {
    let definition = scope.definition;
    definition.log.outcome.as_ref()?;
    let watched = &definition.monitor.performance;
    let blank = Finding {
        reference: Some(definition.reference.window),
        ..Finding::blank(CheckId::PerformanceOverTime, Subject::Model, Verdict::Unknown, scope.window)
    };
    let unknown = |summary: String| Some(Finding { summary, ..blank.clone() });
    let Some(maturity) = maturity::of(scope, answers) else {
        return unknown("How the model did is not known: the window has no predictions.".into());
    };
    let metric = watched.metric;
    let overall = |window| answers.all_outcomes(window).map(|group| group.outcomes);
    let measured = |outcomes: Outcomes<'_>| {
        if outcomes.n() < watched.min_rows {
            return Err(format!(
                "{} with a usable prediction and an outcome, {} are needed (monitor.performance.min_rows)",
                counted(outcomes.n(), "row", "rows"),
                watched.min_rows
            ));
        }
        outcomes.measure(metric, &definition.log, Level::P95)
    };
    let mut unmeasured = Vec::new();
    let mut kept = |name: &str, measured: Result<Measure, String>| match measured {
        Ok(measure) => Some(measure),
        Err(reason) => {
            unmeasured.push(Unmeasured { name: name.into(), reason });
            None
        }
    };
    let not_measured = || Err("it was not measured".to_owned());
    let reference_outcomes = overall(definition.reference.window);
    let reference = kept("reference", reference_outcomes.map_or_else(not_measured, measured));
    let realised = if maturity.state == MaturityState::TooEarly {
        Err(format!("only {} of the outcomes have arrived", percent(maturity.coverage)))
    } else {
        overall(scope.window).map_or_else(not_measured, measured)
    };
    let realised = kept("realised", realised);
    let estimates = match definition.log.output() {
        Output::Score(_) => {
            let reference = reference_outcomes.and_then(Outcomes::binary);
            let current: Option<&Ecdf> = answers.ecdf(&scores(definition, scope.window));
            estimate::of(scope, answers, reference, current, rng)
        }
        Output::Probabilities { .. } => multiclass::estimates(scope, answers, reference_outcomes, rng),
        Output::Number(_) => regression::estimates(scope, answers, rng),
    };
    let estimated = kept("estimated", estimates.plain);
    let estimated_for_shift = kept("estimated_for_shift", estimates.for_shift);
    let settled = maturity.state == MaturityState::Settled;
    let detail = WindowPerformance {
        metric: metric.name().into(),
        maturity,
        realised,
        estimated,
        estimated_for_shift,
        reference,
        segments: if settled { segments(scope, answers) } else { Vec::new() },
        attribution: None,
    };
    let mut finding = Finding { unmeasured, ..blank };
    conclude(scope, &detail, &mut finding);
    add_contradictions(scope, answers, &mut finding);
    finding.detail = Some(Detail::Performance(Box::new(detail)));
    if settled {
        add_harm(scope, answers, &mut finding);
    }
    Some(finding)
}

/// Goes on with the bet on the model's loss, and lets it have its say.
fn add_harm(scope: PerformanceScope<'_>, answers: &Answers, finding: &mut Finding) {
    let watched = &scope.definition.monitor.performance;
    match harm::of(scope, answers) {
        None => {}
        Some(Err(reason)) => finding.unmeasured.push(Unmeasured { name: "harm".into(), reason }),
        Some(Ok(harm)) => {
            if harm.is_harmful() {
                finding.verdict = Verdict::Fail;
            }
            if let Some(words) = harm.words(watched) {
                finding.summary = format!("{} {words}", finding.summary);
            }
            finding.measures.extend(harm.measures());
            finding.thresholds.extend(harm.thresholds(watched));
            finding.sequential = Some(harm.sequential);
        }
    }
}

/// What more to measure to explain a window's loss; nothing where there is none that is worth it.
pub fn plan_explanation(scope: PerformanceScope<'_>, finding: &Finding, answers: &Answers) -> Vec<Question> {
    if is_worth_explaining(scope, finding, answers) { attribution::plan(scope) } else { Vec::new() }
}

/// Adds what explains a window's loss, or why nothing can be said; nothing where it is not worth it.
/// `answers` are also those to [`plan_explanation`].
pub fn explain(
    scope: PerformanceScope<'_>,
    finding: &mut Finding,
    answers: &Answers,
    rng: &mut impl RngCore,
) {
    let watched = &scope.definition.monitor.performance;
    if watched.attribution_rows == 0 || !is_worth_explaining(scope, finding, answers) {
        return;
    }
    let mut missing =
        |name: &str, reason: String| finding.unmeasured.push(Unmeasured { name: name.into(), reason });
    let divided = match attribution::of(scope, answers, rng) {
        Ok(divided) => divided,
        Err(reason) => return missing("attribution", reason),
    };
    if let Some(reason) = divided.not_by_source {
        missing("attribution_by_source", reason);
    }
    let words = attribution::words(&divided.attribution, RowLoss::of(watched.metric));
    finding.summary = format!("{} {words}", finding.summary);
    if let Some(Detail::Performance(detail)) = &mut finding.detail {
        detail.attribution = Some(divided.attribution);
    }
}

/// Whether a settled window lost more than the reference: surely, or so that its verdict is not a pass.
fn is_worth_explaining(scope: PerformanceScope<'_>, finding: &Finding, answers: &Answers) -> bool {
    let settled = matches!(&finding.detail,
        Some(Detail::Performance(of)) if of.maturity.state == MaturityState::Settled);
    let metric = RowLoss::of(scope.definition.monitor.performance.metric).metric();
    let log = &scope.definition.log;
    let measured =
        |window: Window| answers.all_outcomes(window)?.outcomes.measure(metric, log, Level::P95).ok();
    let (Some(before), Some(now), true) =
        (measured(scope.definition.reference.window), measured(scope.window), settled)
    else {
        return false;
    };
    let rise = loss_against(metric, &now, &before);
    let surely = rise.interval.is_some_and(|interval| interval.lower > 0.0);
    surely || (rise.value > 0.0 && matches!(finding.verdict, Verdict::Warn | Verdict::Fail))
}

/// The verdict, its measures and its sentence.
fn conclude(scope: PerformanceScope<'_>, of: &WindowPerformance, finding: &mut Finding) {
    let watched = &scope.definition.monitor.performance;
    let settled = of.maturity.state == MaturityState::Settled;
    let headline = if settled { of.realised.as_ref() } else { of.estimated.as_ref() };
    let Some(headline) = headline else {
        let mut reasons: Vec<&str> = Vec::new();
        for known in &finding.unmeasured {
            if !reasons.contains(&known.reason.as_str()) {
                reasons.push(&known.reason);
            }
        }
        finding.summary = format!("How the model did is not known: {}.", reasons.join("; "));
        return;
    };
    finding.measures.push(headline.clone());
    let title = capitalised(watched.metric.title());
    let interval = headline.interval.as_ref().map_or_else(String::new, |interval| {
        format!(
            " ({} interval {} to {})",
            percent(interval.level.get()),
            number(interval.lower),
            number(interval.upper)
        )
    });
    let value = number(headline.value);
    let mut words = if settled {
        format!("{title} was {value}{interval} over {}.", counted(headline.n, "row", "rows"))
    } else {
        format!(
            "{title} is estimated at {value}{interval} from {} alone; {} of the outcomes are known.",
            match scope.definition.log.output() {
                Output::Number(_) => "inputs",
                Output::Score(_) | Output::Probabilities { .. } => "scores",
            },
            percent(of.maturity.coverage)
        )
    };
    let limit = Limit::AtMost(watched.max_drop);
    if let Some(reference) = &of.reference {
        let loss = loss_against(watched.metric, headline, reference);
        let verdict = limit.verdict(&loss);
        let allowed = loss_text(&loss, watched.max_drop);
        words.push_str(&match verdict {
            Verdict::Fail => format!(
                " That is surely more than {allowed} worse than in the reference ({}).",
                number(reference.value)
            ),
            Verdict::Warn => format!(
                " Whether that is more than {allowed} worse than in the reference ({}) cannot be told.",
                number(reference.value)
            ),
            _ => format!(" In the reference it was {}.", number(reference.value)),
        });
        // What is only estimated is worth a look at most, and it never vouches for the model.
        finding.verdict = match (settled, verdict) {
            (true, verdict) => verdict,
            (false, Verdict::Fail | Verdict::Warn) => Verdict::Warn,
            (false, _) => Verdict::Unknown,
        };
        finding.thresholds.push(limit.threshold(&loss.name, "monitor.performance.max_drop"));
        finding.measures.push(loss);
    }
    if settled
        && let Some(worst) = of.segments.first()
        && let Some(measure) = &worst.measure
    {
        let label = segment_label(&worst.column, worst.value.as_deref());
        let side = if watched.metric.higher_is_better() { "lowest" } else { "highest" };
        words.push_str(&format!(" It was {side} where {label} ({}).", number(measure.value)));
    }
    finding.summary = words;
}

/// Predictions whose outcomes contradict each other: what is said of them rests on one of these, or on none.
fn add_contradictions(scope: PerformanceScope<'_>, answers: &Answers, finding: &mut Finding) {
    let coverage = answers.coverage(&Question::Coverage { orphans: false, window: scope.window });
    let Some(coverage) = coverage.filter(|coverage| coverage.contradictory_outcomes > 0) else { return };
    finding.summary.push_str(&format!(
        " {} outcomes that contradict each other{}; {}. Find out which source is right.",
        counted(coverage.contradictory_outcomes, "prediction has", "predictions have"),
        coverage.undecided_in_words(),
        scope.definition.log.which_outcome_counts(),
    ));
    finding.verdict = finding.verdict.max(Verdict::Warn);
    finding.measures.push(Measure::new(
        "contradictory_outcomes",
        coverage.contradictory_outcomes as f64,
        coverage.predictions,
        format!("predictions with outcomes that differ; {}", scope.definition.log.which_outcome_counts()),
    ));
    finding.measures.push(Measure::new(
        "undecided_outcomes",
        coverage.undecided_outcomes as f64,
        coverage.predictions,
        "predictions whose latest outcomes differ and became known at the same instant",
    ));
}

/// The metric for every value of every segment, worst first, with intervals that hold for all together.
fn segments(scope: PerformanceScope<'_>, answers: &Answers) -> Vec<SegmentRow> {
    let definition = scope.definition;
    let watched = &definition.monitor.performance;
    let groups: Vec<(&Segment, OutcomeGroup<'_>)> = definition
        .log
        .segments
        .iter()
        .flat_map(|segment| {
            let question = Question::ScoredOutcomes { by: Some(segment.clone()), window: scope.window };
            let groups = answers.outcome_groups(&question).unwrap_or_default();
            groups.into_iter().map(move |group| (segment, group))
        })
        .collect();
    let large = groups.iter().filter(|(_, group)| group.outcomes.n() >= watched.min_rows).count();
    let level = Level::new(1.0 - FAMILY_ERROR / large.max(1) as f64).unwrap_or(Level::P95);
    let mut rows: Vec<SegmentRow> = groups
        .into_iter()
        .map(|(segment, group)| {
            let measured = if group.outcomes.n() < watched.min_rows {
                Err(format!("too few rows: {} are needed", watched.min_rows))
            } else {
                group.outcomes.measure(watched.metric, &definition.log, level)
            };
            SegmentRow {
                column: segment.name.clone(),
                value: group.value.map(str::to_owned),
                verdict: None,
                rows: group.outcomes.n(),
                positives: group.outcomes.positives(),
                reason: measured.as_ref().err().cloned(),
                measure: measured.ok(),
                shrunken: None,
            }
        })
        .collect();
    let sign = if watched.metric.higher_is_better() { 1.0 } else { -1.0 };
    let rank = |row: &SegmentRow| row.measure.as_ref().map_or(f64::INFINITY, |measure| sign * measure.value);
    rows.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
    rows
}

#[cfg(test)]
mod tests;
