//! Did the outcomes arrive, once each, after their predictions?

use stats::interval::Level;
use stats::proportion::wilson_interval;
use types::answer::Coverage;
use types::definition::{Log, Output};
use types::format::{counted, percent};
use types::performance::Limit;
use types::{Answers, CheckId, Detail, Finding, Measure, Question, Verdict};

use crate::performance::interval_words;
use crate::{Scope, blank, unknown};

const COVERAGE: &str = "outcome_coverage";

/// From this share of predictions on, any one kind of doubtful outcome is a failure.
const SHARE_FAIL: f64 = 0.01;

pub(crate) fn judge(scope: Scope<'_>, answers: &Answers) -> Finding {
    let Some(coverage) = answers.coverage(&Question::Coverage { orphans: true, window: scope.window }) else {
        return unknown(scope, CheckId::Outcomes, "Whether outcomes arrived was not measured.".into());
    };
    let share =
        |count: u64| if coverage.predictions == 0 { 0.0 } else { count as f64 / coverage.predictions as f64 };
    let doubtful =
        coverage.contradictory_outcomes.max(coverage.early_outcomes).max(coverage.unusable_outcomes);
    let blemished = doubtful + coverage.repeated_outcomes + coverage.orphan_outcomes;
    let measure = Measure {
        interval: wilson_interval(coverage.with_outcome, coverage.predictions, Level::P95).ok(),
        ..Measure::new(
            COVERAGE,
            share(coverage.with_outcome),
            coverage.predictions,
            "share of predictions with a usable outcome known in time; Wilson interval",
        )
    };
    let of_quality = if coverage.with_outcome == 0 {
        Verdict::Unknown
    } else if share(doubtful) >= SHARE_FAIL {
        Verdict::Fail
    } else if blemished > 0 {
        Verdict::Warn
    } else {
        Verdict::Pass
    };
    let mut summary = summary(coverage, &scope.definition.log, unusable_words(scope));
    let least = scope.definition.evaluate.outcomes.at_least.filter(|_| coverage.predictions > 0);
    let of_share = least.map(|least| Limit::AtLeast(least).verdict(&measure));
    if let Some((least, of_share)) = least.zip(of_share) {
        summary.push_str(&share_words(&measure, least, of_share));
    }
    // That too few have arrived can be sure where nothing else is; no outcomes are no pass, whatever was written.
    let verdict = of_quality.max(of_share.unwrap_or(Verdict::Pass));
    let limit = least.map(|least| Limit::AtLeast(least).threshold(COVERAGE, "evaluate.outcomes.at_least"));
    Finding {
        summary,
        thresholds: limit.into_iter().collect(),
        measures: if coverage.predictions > 0 { vec![measure] } else { vec![] },
        detail: Some(Detail::Coverage(*coverage)),
        ..blank(scope, CheckId::Outcomes, verdict)
    }
}

/// What the share of outcomes is, against the one that the definition wants.
fn share_words(measure: &Measure, least: f64, verdict: Verdict) -> String {
    let should = format!(
        " Of all predictions {}{} have their outcome; it should be at least {}",
        percent(measure.value),
        interval_words(measure),
        percent(least)
    );
    match verdict {
        Verdict::Pass => format!("{should}, and surely is."),
        Verdict::Fail => {
            format!(
                "{should}, and surely is not: those that are missing may be other cases than those at hand."
            )
        }
        Verdict::Warn | Verdict::Unknown => {
            format!("{should}; from these rows it cannot be told whether it is.")
        }
    }
}

/// What an outcome is that is none.
fn unusable_words(scope: Scope<'_>) -> &'static str {
    match scope.definition.log.output() {
        Output::Score(_) => "one that is neither 0 nor 1",
        Output::Probabilities { .. } => "one that is none of the classes of `log.scores`",
        Output::Number(_) => "one that is no number, or too large to be measured",
    }
}

fn summary(coverage: &Coverage, log: &Log, unusable: &str) -> String {
    if coverage.predictions == 0 {
        return "There are no predictions in this window.".into();
    }
    if coverage.with_outcome == 0 {
        if coverage.predictions == 1 {
            return "The one prediction has no outcome yet, so nothing can be said about how good the model is in \
                    this window."
                .into();
        }
        return format!(
            "None of the {} has an outcome yet, so nothing can be said about how good the model is in this window.",
            counted(coverage.predictions, "prediction", "predictions")
        );
    }
    let share = coverage.with_outcome as f64 / coverage.predictions as f64;
    let mut words = format!(
        "{} of {} {} an outcome ({}).",
        types::format::count(coverage.with_outcome),
        counted(coverage.predictions, "prediction", "predictions"),
        if coverage.with_outcome == 1 { "has" } else { "have" },
        percent(share)
    );
    let has_time = log.outcome.as_ref().is_some_and(|outcome| outcome.time.is_some());
    let contradictory_end = format!(
        "{}: {}. Find out which source is right.",
        coverage.undecided_in_words(),
        log.which_outcome_counts()
    );
    let (has_unusable, have_unusable) = (format!("has {unusable}"), format!("have {unusable}"));
    let notes = [
        (coverage.without_outcome, "has none", "have none", "."),
        (coverage.unusable_outcomes, has_unusable.as_str(), have_unusable.as_str(), "."),
        (
            coverage.repeated_outcomes,
            "has several",
            "have several",
            if has_time { "; the latest counts." } else { "." },
        ),
        (
            coverage.contradictory_outcomes,
            "has outcomes that contradict each other",
            "have outcomes that contradict each other",
            contradictory_end.as_str(),
        ),
        (
            coverage.early_outcomes,
            "has an outcome that is older than the prediction",
            "have an outcome that is older than the prediction",
            ": the model may have seen the answer.",
        ),
    ];
    for (count, one, many, end) in notes {
        if count > 0 {
            words.push_str(&format!(" {}{end}", counted(count, one, many)));
        }
    }
    if coverage.orphan_outcomes > 0 {
        words.push_str(&format!(
            " {} to no prediction in the log.",
            counted(coverage.orphan_outcomes, "outcome belongs", "outcomes belong")
        ));
    }
    words
}
