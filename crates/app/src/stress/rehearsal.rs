//! Every fault of the plan is done to rows, and the model is asked about them once more.

use ::stress::degrade::Weighed;
use ::stress::fault::Faulted;
use ::stress::judge::{self, Outcome, Scope, Tried};
use ::stress::plan::{self, Experiment, Subject};
use ::stress::response::{AskedTwice, Impact, impact};
use types::batch::Batch;
use types::definition::Definition;
use types::faults::Noticed;
use types::{CheckId, Finding, Verdict, Window};

use super::answers::{Answered, Session};
use super::degrading::{Known, weighed};
use super::noticing::{Noticing, Seen};
use super::planned::{features, options, seed, tolerance};
use crate::check::Stage;

/// A model that has answered unchanged rows, and what faults are done to.
pub(super) struct Rehearsal<'a> {
    pub(super) definition: &'a Definition,
    pub(super) window: Window,
    pub(super) rows: &'a Batch,
    /// Rows of the reference, which say what is usual.
    pub(super) usual: &'a Batch,
    /// Of the rows; empty where the log has none.
    pub(super) ids: &'a [String],
    pub(super) session: Session<'a>,
    pub(super) clean: Answered,
    pub(super) noticing: Option<Noticing<'a>>,
    /// What could be done in each outage of all rows, once per outage.
    pub(super) weighed: Vec<(Subject, Weighed)>,
}

impl Rehearsal<'_> {
    pub(super) fn findings(
        &mut self,
        asked: judge::Asked<'_>,
        is_made: &dyn Fn(CheckId) -> bool,
        progress: &mut dyn FnMut(Stage),
    ) -> Vec<Finding> {
        let scope = Scope { definition: self.definition, window: self.window };
        let differences = self.session.differences(&self.clean);
        let parity = judge::parity(scope, asked, &differences, self.clean.error.as_deref());
        let holds = parity.verdict;
        let mut findings: Vec<Finding> = is_made(CheckId::Parity).then_some(parity).into_iter().collect();
        let mut all = Vec::new();
        for check in [CheckId::Missing, CheckId::Faults] {
            // Nothing is certified of another model; and what is not asked for is tried for detection alone.
            let is_tried = holds == Verdict::Pass && (is_made(check) || is_made(CheckId::Detection));
            let tried = if is_tried { self.tried(check, progress) } else { Vec::new() };
            if is_made(check) {
                findings.push(judge::faults(scope, check, asked, &tried, holds));
            }
            all.extend(tried);
        }
        if is_made(CheckId::Detection) {
            findings.push(judge::detection(scope, &all, holds));
        }
        if is_made(CheckId::Manipulation) {
            findings.extend(self.manipulated(scope, asked, holds, progress));
        }
        findings
    }

    /// Every experiment of a check, one after the other.
    fn tried(&mut self, check: CheckId, progress: &mut dyn FnMut(Stage)) -> Vec<Tried> {
        let options = options(self.definition, check);
        let planned = plan::experiments(&features(self.rows), &self.definition.source, &options);
        let of = planned.len();
        let tried = planned.into_iter().enumerate().map(|(done, experiment)| {
            progress(Stage::Asking { done, of });
            let seed = seed(self.window, &experiment);
            let faulted = experiment.fault.apply(self.rows, self.usual, seed);
            let outcome = faulted.map(|faulted| {
                let outcome = self.outcome(faulted);
                Outcome { noticed: self.noticed(&experiment, seed, &outcome.impact), ..outcome }
            });
            if let Ok(Outcome { weighed: Some(weighed), .. }) = &outcome
                && self.weighed.iter().all(|(subject, _)| *subject != experiment.subject)
            {
                self.weighed.push((experiment.subject.clone(), weighed.clone()));
            }
            Tried { experiment, outcome }
        });
        tried.collect()
    }

    /// What the model does with rows that a fault was done to.
    fn outcome(&mut self, faulted: Faulted) -> Outcome {
        let answered = self.session.ask(&faulted.batch);
        let known = Known { clean: &self.clean, faulted: &answered };
        let weighed = weighed(&mut self.session, known, &faulted, self.usual, self.definition);
        let asked = AskedTwice {
            clean: &self.clean.of_rows(&faulted.origin),
            faulted: &answered.responses,
            outcomes: &self.session.outcomes(&faulted.origin),
            mask: &faulted.mask,
            error: answered.error.as_deref(),
        };
        let tolerance = tolerance(self.definition, &faulted);
        let impact = impact(asked, self.session.reading(), &tolerance);
        let impact = impact.expect("one answer and one outcome for every row of the fault");
        Outcome { manifest: faulted.manifest, impact, error: answered.error, weighed, noticed: None }
    }

    /// Whether monitoring notices, where it begins in a quiet week: the same fault is done to rows of the reference.
    fn noticed(&mut self, experiment: &Experiment, seed: u64, impact: &Impact) -> Option<Noticed> {
        let noticing = self.noticing.as_ref()?;
        let faulted = experiment.fault.apply(self.usual, self.usual, seed).ok()?;
        let answered = self.session.ask(&faulted.batch);
        let seen = Seen { batch: &faulted.batch, outputs: &self.session.outputs(&answered) };
        let mut by = noticing.by_columns(seen);
        if by.is_empty() && judge::is_harmful(impact, self.definition.stress.detection.harmful) {
            by.extend(noticing.by_all_together(seen));
        }
        Some(Noticed { by })
    }
}
