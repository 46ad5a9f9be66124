//! The plain sentence of a drift finding: what changed, and what to do about it.

use stats::peers::PeerDrift;
use types::definition::Output;
use types::format;
use types::{Subject, Verdict};

use super::{Assessment, Changes, peer};

pub(super) fn summary(
    output: Output<'_>,
    subject: &Subject,
    assessment: &Assessment,
    changes: &Changes,
) -> String {
    let name = match subject {
        Subject::PredictedClass => "The predicted class".to_owned(),
        Subject::Outcome => "What really happened".to_owned(),
        Subject::Score { name } if matches!(output, Output::Number(_)) => format!("The prediction `{name}`"),
        Subject::Score { name } => format!("The score `{name}`"),
        other => format!("`{}`", other.label()),
    };
    let mut sentences = vec![what_changed(&name, assessment, changes)];
    if changes.missing > Verdict::Pass {
        sentences.push(missing_words(assessment));
    }
    if changes.unseen > Verdict::Pass {
        sentences.push(assessment.unseen.clone());
    }
    sentences.extend_from_slice(&assessment.notes);
    if let Some(advice) = advice(output, subject, changes) {
        sentences.push(advice);
    }
    sentences.join(" ")
}

fn what_changed(name: &str, assessment: &Assessment, changes: &Changes) -> String {
    let change = &assessment.change;
    if let Some(said) = &assessment.peer {
        return peer_words(name, assessment, said);
    }
    match changes.distribution {
        Verdict::Fail => format!("{name} changed a lot ({change})."),
        Verdict::Warn => format!("{name} changed somewhat ({change})."),
        _ if assessment.distribution.reference_n == 0 || assessment.distribution.current_n == 0 => {
            format!("{name} has {change}.")
        }
        _ if changes.verdict() == Verdict::Pass => {
            format!("{name} is distributed as in the reference, or near enough.")
        }
        _ => format!("The values of {name} are distributed as in the reference."),
    }
}

/// What another tool says, and what is wrong with its method.
fn peer_words(name: &str, assessment: &Assessment, said: &Result<PeerDrift, String>) -> String {
    let tool = assessment.distribution.method.as_ref().map(|method| method.name.as_str()).unwrap_or_default();
    match said {
        Err(reason) => format!("Whether {name} drifted is not known to `{tool}`: {reason}."),
        Ok(said) => {
            let says = if said.drifted { "drifted" } else { "did not drift" };
            let beware = said.warning.map(|warning| format!(" Beware: {warning}.")).unwrap_or_default();
            let change = if said.drifted { format!("; {}", assessment.change) } else { String::new() };
            format!("{name} {says}, says `{tool}` ({}{change}).{beware}", peer::in_words(said))
        }
    }
}

fn missing_words(assessment: &Assessment) -> String {
    let (before, now) = (assessment.distribution.reference_missing, assessment.distribution.current_missing);
    if now >= 1.0 {
        return "Every value is missing: the feed looks dead.".into();
    }
    format!("It is missing in {} of rows, before in {}.", format::percent(now), format::percent(before))
}

fn advice(output: Output<'_>, subject: &Subject, changes: &Changes) -> Option<String> {
    let verdict = changes.verdict();
    if verdict <= Verdict::Pass {
        return None;
    }
    let urgent = verdict == Verdict::Fail;
    let is_number = matches!(output, Output::Number(_));
    Some(match subject {
        Subject::Feature { source: Some(source), .. } if changes.missing == Verdict::Fail => {
            format!("Check the `{source}` feed now.")
        }
        Subject::Feature { source: Some(source), .. } if urgent => format!(
            "Find out whether the world changed or the `{source}` feed did, and whether performance holds."
        ),
        Subject::Feature { .. } if urgent => {
            "Find out whether the world changed or its feed did, and whether performance holds.".into()
        }
        Subject::Score { .. } if urgent && is_number => {
            "Predictions are not what they were in the reference; look at the drifted inputs and at the mean error."
                .into()
        }
        Subject::Outcome if urgent && is_number => {
            "What the model predicts comes out differently than in the reference; expect its predictions to be off."
                .into()
        }
        Subject::Score { .. } | Subject::PredictedClass if urgent => {
            "Decisions are being made differently than in the reference; look at the drifted inputs and at calibration."
                .into()
        }
        Subject::Outcome if urgent => {
            "The thing that the model predicts has become more or less common; expect its scores to be off."
                .into()
        }
        _ => "Keep an eye on it.".into(),
    })
}
