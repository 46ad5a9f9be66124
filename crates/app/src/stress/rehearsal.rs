//! Every fault of the plan is done to rows, and the model is asked about them once more.

use ::stress::degrade::Weighed;
use ::stress::fault::Faulted;
use ::stress::judge::{self, Outcome, Rehearsed, Scope, Tried};
use ::stress::plan::{Experiment, Subject, at_another_rate};
use ::stress::response::{AskedTwice, Impact, impact};
use types::batch::Batch;
use types::definition::Definition;
use types::faults::{FaultStatus, ImpactCurve, Noticed};
use types::{CheckId, Finding, Verdict, Window};

use super::answers::{Answered, Session, agreement};
use super::degrading::{Known, Other, Ways};
use super::noticing::{Noticing, Seen};
use super::planned::{Inputs, seed, tolerance};
use super::rows::beside;
use crate::check::Stage;

/// A model that has answered unchanged rows, and what faults are done to.
pub(super) struct Rehearsal<'a> {
    pub(super) definition: &'a Definition,
    pub(super) window: Window,
    pub(super) rows: &'a Batch,
    /// Rows with the columns that only others take.
    pub(super) all: &'a Batch,
    /// Rows of the reference, which say what is usual.
    pub(super) usual: &'a Batch,
    /// Of the rows; empty where the log has none.
    pub(super) ids: &'a [String],
    pub(super) session: Session<'a>,
    pub(super) clean: Answered,
    pub(super) noticing: Option<Noticing<'a>>,
    /// The model that the one under test was made of.
    pub(super) against: Option<Other>,
    pub(super) ways: Ways<'a>,
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
        let mut parity = judge::parity(scope, asked, &differences, self.clean.error.as_deref());
        let holds = parity.verdict;
        // A model that is held against another one under faults is asked about them for parity too.
        let needs_faults =
            is_made(CheckId::Detection) || (self.against.is_some() && is_made(CheckId::Parity));
        let mut findings = Vec::new();
        let mut all = Vec::new();
        for check in [CheckId::Missing, CheckId::Faults] {
            // Nothing is certified of another model; and what is not asked for is tried for other checks alone.
            let is_tried = holds == Verdict::Pass && (is_made(check) || needs_faults);
            let tried = if is_tried { self.tried(check, progress) } else { Vec::new() };
            if is_made(check) {
                let model_outage =
                    (is_tried && check == CheckId::Missing).then(|| self.model_outage()).flatten();
                let curves = self.curves(check, &tried, progress);
                let rehearsed =
                    Rehearsed { tried: &tried, model_outage: model_outage.as_ref(), curves: &curves };
                findings.push(judge::faults(scope, check, asked, rehearsed, holds));
            }
            all.extend(tried);
        }
        if is_made(CheckId::Detection) {
            findings.push(judge::detection(scope, &all, holds));
        }
        if is_made(CheckId::Manipulation) {
            findings.extend(self.manipulated(scope, asked, holds, progress));
        }
        if is_made(CheckId::Parity) {
            if let Some(against) = &self.against {
                judge::under_faults(&mut parity, &against.at, &all);
            }
            findings.insert(0, parity);
        }
        findings
    }

    fn inputs(&self) -> Inputs<'_> {
        let (definition, rows, usual) = (self.definition, self.rows, self.usual);
        Inputs { definition, rows, answers: &self.clean.responses, usual }
    }

    /// Every experiment of a check, one after the other.
    fn tried(&mut self, check: CheckId, progress: &mut dyn FnMut(Stage)) -> Vec<Tried> {
        let planned = self.inputs().experiments(check);
        let at_rates = self.at_rates(check);
        let of = planned.len();
        let tried = planned.into_iter().enumerate().map(|(done, experiment)| {
            progress(Stage::Asking { done, of });
            let seed = seed(self.window, &experiment);
            let faulted = experiment.fault.apply(self.rows, self.usual, seed);
            let outcome = faulted.map(|faulted| {
                let outcome = self.outcome(&experiment, faulted);
                Outcome { noticed: self.noticed(&experiment, &outcome.impact, &at_rates), ..outcome }
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

    /// The experiments of a check at each rate of a curve, ascending.
    fn at_rates(&self, check: CheckId) -> Vec<(f64, Vec<Experiment>)> {
        let mut rates = self.definition.stress.curves.rates.clone();
        rates.sort_by(f64::total_cmp);
        rates.into_iter().map(|rate| (rate, self.inputs().at_rate(check, rate))).collect()
    }

    /// What the model does with rows that a fault was done to.
    fn outcome(&mut self, experiment: &Experiment, faulted: Faulted) -> Outcome {
        let answered = self.session.ask(&faulted.batch);
        let known = Known { clean: &self.clean, faulted: &answered };
        let of = (&experiment.subject, &faulted);
        let weighed = self.ways.weighed(&mut self.session, known, of, self.usual);
        let tolerance = self.definition.stress.parity.tolerance;
        let agreement = self.against.as_mut().map(|against| {
            let rows = beside(&faulted.batch, &self.all.take(&faulted.origin));
            agreement(&answered, &against.ask(&rows), &faulted.mask, tolerance)
        });
        let impact = self.impact(experiment, &faulted, &answered);
        let error = answered.error;
        Outcome { manifest: faulted.manifest, impact, error, weighed, noticed: None, agreement }
    }

    fn impact(&self, experiment: &Experiment, faulted: &Faulted, answered: &Answered) -> Impact {
        let asked = AskedTwice {
            clean: &self.clean.of_rows(&faulted.origin),
            faulted: &answered.responses,
            outcomes: &self.session.outcomes(&faulted.origin),
            mask: &faulted.mask,
            error: answered.error.as_deref(),
        };
        let impact = impact(asked, self.session.reading(), &tolerance(self.definition, experiment));
        impact.expect("one answer and one outcome for every row of the fault")
    }

    /// What could be done while the model itself does not answer.
    fn model_outage(&mut self) -> Option<Weighed> {
        let weighed = self.ways.of_model_outage(&self.session, &self.clean)?;
        self.weighed.push((Subject::Model, weighed.clone()));
        Some(weighed)
    }

    /// How the impact of what hurts most grows with the share of rows that it hits, one curve for each input.
    fn curves(
        &mut self,
        check: CheckId,
        tried: &[Tried],
        progress: &mut dyn FnMut(Stage),
    ) -> Vec<ImpactCurve> {
        let mut hurting: Vec<(&Experiment, &Outcome)> = tried
            .iter()
            .filter_map(|tried| Some((&tried.experiment, tried.outcome.as_ref().ok()?)))
            .filter(|(_, outcome)| outcome.impact.status != FaultStatus::Handled)
            .collect();
        hurting.sort_by(|a, b| hurt(b.1).total_cmp(&hurt(a.1)));
        let at_rates = self.at_rates(check);
        let most = self.definition.stress.curves.most as usize;
        let mut curves: Vec<ImpactCurve> = Vec::new();
        for (experiment, outcome) in hurting {
            if curves.len() == most {
                break;
            }
            if curves.iter().any(|curve| curve.of == judge::subject(&experiment.subject)) {
                continue;
            }
            progress(Stage::Asking { done: curves.len(), of: most });
            let mut impacts = vec![(touched_share(outcome), outcome.impact.clone())];
            for (rate, planned) in &at_rates {
                impacts.extend(self.at_rate(experiment, planned).map(|impact| (*rate, impact)));
            }
            if impacts.len() > 1 {
                let max_drop = tolerance(self.definition, experiment).max_drop;
                curves.push(judge::curve(experiment, max_drop, &impacts));
            }
        }
        curves
    }

    fn at_rate(&mut self, experiment: &Experiment, planned: &[Experiment]) -> Option<Impact> {
        let other = at_another_rate(experiment, planned)?;
        // One outage that grows: the rows of a lower rate are among those of a higher one.
        let faulted = other.fault.apply(self.rows, self.usual, seed(self.window, experiment)).ok()?;
        let answered = self.session.ask(&faulted.batch);
        Some(self.impact(experiment, &faulted, &answered))
    }

    /// Whether monitoring notices, where it begins in a quiet week: the same fault is done to rows of the reference.
    fn noticed(
        &mut self,
        experiment: &Experiment,
        impact: &Impact,
        at_rates: &[(f64, Vec<Experiment>)],
    ) -> Option<Noticed> {
        let noticing = self.noticing.as_mut()?;
        let seed = seed(self.window, experiment);
        let faulted = experiment.fault.apply(self.usual, self.usual, seed).ok()?;
        let answered = self.session.ask(&faulted.batch);
        let outputs = self.session.outputs(&answered);
        let seen = Seen { batch: &faulted.batch, outputs: &outputs };
        let mut noticed = Noticed { by: noticing.by_columns(seen), ..Noticed::default() };
        if !judge::is_harmful(impact, self.definition.stress.detection.harmful) {
            return Some(noticed);
        }
        if noticed.by.is_empty() {
            noticed.by.extend(noticing.by_all_together(seen));
        }
        if noticed.by.is_empty() {
            noticed.windows = noticing.windows(seen);
            noticed.windows_by_loss = noticing.windows_by_loss(&answered, &faulted.origin, self.definition);
            return Some(noticed);
        }
        for (rate, planned) in at_rates {
            let Some(other) = at_another_rate(experiment, planned) else { continue };
            let Ok(faulted) = other.fault.apply(self.usual, self.usual, seed) else { continue };
            let answered = self.session.ask(&faulted.batch);
            let outputs = self.session.outputs(&answered);
            if !noticing.by_columns(Seen { batch: &faulted.batch, outputs: &outputs }).is_empty() {
                noticed.least_rate = Some(*rate);
                break;
            }
        }
        Some(noticed)
    }
}

/// What is not answered hurts most, then by how much fewer answers are right.
fn hurt(outcome: &Outcome) -> f64 {
    judge::unanswered(&outcome.impact)
        + outcome.impact.accuracy.as_ref().map_or(0.0, |accuracy| -accuracy.difference.value)
}

fn touched_share(outcome: &Outcome) -> f64 {
    outcome.manifest.rows_touched as f64 / outcome.manifest.rows.max(1) as f64
}
