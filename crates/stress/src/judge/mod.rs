//! From what the model answered to findings: whether it is the model of the log, which faults it stands, and which of
//! them nobody would notice.

mod detection;
mod parity;
mod row;

use stats::proportion::Proportion;
use types::faults::{FaultStatus, ImpactCurve, NotTried, Noticed, TriedFault, TriedFaults};
use types::finding::{Threshold, Unmeasured};
use types::format::{counted, percent};
use types::nearest::listed;
use types::{CheckId, Definition, Detail, Finding, Measure, Subject, Verdict, Window};

use self::row::{clean, drop_of, priced_outage, row, silently_wrong};
use crate::degrade::Weighed;
use crate::fault::{Manifest, NotApplicable};
use crate::plan::Experiment;
use crate::response::Impact;

pub use self::detection::{detection, is_harmful};
pub use self::parity::{Agreement, parity, under_faults};
pub use self::row::{curve, subject, unanswered};

/// What a check is about.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    pub definition: &'a Definition,
    pub window: Window,
}

/// An experiment, and what came of it.
#[derive(Clone, Debug)]
pub struct Tried {
    pub experiment: Experiment,
    pub outcome: Result<Outcome, NotApplicable>,
}

/// What came of a fault that could be tried.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub manifest: Manifest,
    pub impact: Impact,
    /// What the model said where it did not answer.
    pub error: Option<String>,
    /// What could be done instead; `None` where that was not weighed.
    pub weighed: Option<Weighed>,
    /// Whether monitoring notices; `None` where that was not looked at.
    pub noticed: Option<Noticed>,
    /// Whether the model answers as the one that it was made of; `None` where the definition names none.
    pub agreement: Option<Agreement>,
}

/// What came of all experiments of a check.
#[derive(Clone, Copy, Debug)]
pub struct Rehearsed<'a> {
    pub tried: &'a [Tried],
    /// What could be done while the model itself does not answer.
    pub model_outage: Option<&'a Weighed>,
    pub curves: &'a [ImpactCurve],
}

/// The model that was asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Where, such as `model.onnx`.
    pub model: &'a str,
    /// Rows with an outcome that it was asked about.
    pub rows: u64,
}

/// Whether the model stands the faults of a check, missing inputs or all others.
pub fn faults(
    scope: Scope<'_>,
    check: CheckId,
    asked: Asked<'_>,
    rehearsed: Rehearsed<'_>,
    parity: Verdict,
) -> Finding {
    let stress = &scope.definition.stress;
    let (max_drop, from) = match check {
        CheckId::Missing => (stress.missing.max_accuracy_drop, "stress.missing.max_accuracy_drop"),
        _ => (stress.faults.max_accuracy_drop, "stress.faults.max_accuracy_drop"),
    };
    let mut rows: Vec<TriedFault> = Vec::new();
    let mut not_tried = Vec::new();
    for tried in rehearsed.tried {
        match &tried.outcome {
            Ok(outcome) => rows.push(row(&tried.experiment, outcome)),
            Err(why) => not_tried.push(NotTried {
                fault: tried.experiment.fault.entry().id.into(),
                of: subject(&tried.experiment.subject),
                reason: why.to_string(),
            }),
        }
    }
    rows.sort_by(|a, b| b.verdict.cmp(&a.verdict).then_with(|| drop_of(b).total_cmp(&drop_of(a))));
    let clean = rehearsed.tried.iter().find_map(|tried| clean(tried.outcome.as_ref().ok()?));
    let (verdict, summary) = verdict_on(&rows, max_drop, parity);
    let mut finding = blank(scope, check, verdict, summary);
    finding
        .measures
        .extend(rows.iter().filter_map(|row| row.impact.clone()).max_by(|a, b| a.value.total_cmp(&b.value)));
    let failed = rows.iter().filter(|row| row.status == FaultStatus::Failed).count() as u64;
    add_share(&mut finding, "failed_faults", failed, rows.len() as u64);
    let silent = rows.iter().filter_map(silently_wrong).max_by(|a, b| a.share.total_cmp(&b.share));
    if let Some(silent) = silent {
        let measure = Measure::new(
            "silently_wrong_share",
            silent.share,
            silent.rows,
            "of the rows that the worst fault changed; Wilson",
        );
        finding.measures.push(Measure { interval: Some(silent.interval), ..measure });
    }
    if rows.is_empty() {
        let reason = "no fault could be tried".to_owned();
        finding.unmeasured.push(Unmeasured { name: "accuracy_drop".into(), reason });
    }
    finding.thresholds.push(Threshold {
        measure: "accuracy_drop".into(),
        at_least: None,
        at_most: Some(max_drop),
        from: from.into(),
    });
    finding.detail = Some(Detail::Faults(Box::new(TriedFaults {
        model: asked.model.into(),
        rows: asked.rows,
        clean,
        faults: rows,
        not_tried,
        model_outage: rehearsed.model_outage.map(priced_outage).unwrap_or_default(),
        curves: rehearsed.curves.to_vec(),
    })));
    finding
}

/// Faults that a sentence names before it counts.
const NAMED: usize = 4;
const NOTHING_TRIED: &str = "No fault could be tried on these inputs.";

/// Why nothing is said of faults where parity does not pass.
pub(crate) fn not_certified(parity: Verdict) -> &'static str {
    if parity == Verdict::Unknown {
        "Nothing was tried: no row of the window has an outcome, so it is not known how right the model is."
    } else {
        "The model that can be asked is not the one of the log (stress.parity), so that what it does under faults is not certified."
    }
}

fn verdict_on(rows: &[TriedFault], max_drop: f64, parity: Verdict) -> (Verdict, String) {
    let of = |status: FaultStatus| rows.iter().filter(move |row| row.status == status);
    let named = |status| {
        let mut names: Vec<&str> = Vec::new();
        for row in of(status) {
            if !names.contains(&row.of.as_str()) {
                names.push(&row.of);
            }
        }
        listed(names, NAMED)
    };
    let all = counted(rows.len() as u64, "fault", "faults");
    if parity != Verdict::Pass {
        return (Verdict::Unknown, not_certified(parity).into());
    }
    let Some(worst) = rows.first() else {
        return (Verdict::Unknown, NOTHING_TRIED.into());
    };
    let (verdict, words) = match (of(FaultStatus::Failed).count(), of(FaultStatus::Unknown).count()) {
        (0, 0) => {
            let most = percent(max_drop);
            (
                Verdict::Pass,
                format!(
                    "The model stands all of {all}: its accuracy surely drops by no more than the {most} tolerated."
                ),
            )
        }
        (0, unknown) => (
            Verdict::Warn,
            format!(
                "Of {all}, the model surely fails none; of {unknown} it cannot be told ({}).",
                named(FaultStatus::Unknown)
            ),
        ),
        (failed, _) => (
            Verdict::Fail,
            format!(
                "The model fails {failed} of {all} ({}). The worst is {}, {}: {} Decide what should happen instead when it occurs.",
                named(FaultStatus::Failed),
                worst.of,
                worst.title,
                worst.sentence
            ),
        ),
    };
    (verdict, words + &refuted(rows))
}

/// Which hypotheses of the definition do not hold, and who does what about it; nothing where all do.
fn refuted(rows: &[TriedFault]) -> String {
    let mut told: Vec<&str> = Vec::new();
    let mut words = String::new();
    for row in rows.iter().filter(|row| row.status == FaultStatus::Failed) {
        let Some(experiment) = row.experiment.as_ref().filter(|of| !told.contains(&of.name.as_str())) else {
            continue;
        };
        told.push(&experiment.name);
        words +=
            &format!(" The hypothesis of `{}` does not hold ({}).", experiment.name, experiment.hypothesis);
        if let Some(rollback) = &experiment.rollback {
            let who = experiment.who.as_deref().map(|who| format!("{who}: ")).unwrap_or_default();
            words += &format!(" {who}{}.", rollback.trim_end_matches('.'));
        }
    }
    words
}

fn blank(scope: Scope<'_>, check: CheckId, verdict: Verdict, summary: String) -> Finding {
    Finding { summary, ..Finding::blank(check, Subject::Model, verdict, scope.window) }
}

/// A share of faults; of none there is no share.
fn add_share(finding: &mut Finding, name: &str, of: u64, all: u64) {
    if let Ok(share) = Proportion::new(of, all) {
        finding.measures.push(Measure::new(name, share.share(), all, "exact"));
    } else {
        let reason = "there is no such fault to count".to_owned();
        finding.unmeasured.push(Unmeasured { name: name.into(), reason });
    }
}

#[cfg(test)]
mod tests;
