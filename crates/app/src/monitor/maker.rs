//! Makes the findings of a window from what the log answers, and keeps at hand what several windows need.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use monitor::multivariate::{MultivariateScope, UsualTogether};
use monitor::performance::PerformanceScope;
use monitor::{History, Usual, UsualBuilder};
use types::definition::{Against, Cadence};
use types::log_state::LogState;
use types::{Answers, Finding, Question, Window};

use super::series::{Unit, Work};
use crate::check::{CheckError, Stage, seeded};
use crate::kept_usual::KeptUsual;
use crate::opened::Opened;

/// Makes the findings of one window after the other.
pub(super) struct Maker<'a> {
    pub(super) opened: &'a Opened<'a>,
    pub(super) shared: &'a Arc<Answers>,
    pub(super) as_of: Timestamp,
    /// By cadence and by what is compared against; several where that moves along.
    pub(super) usual: HashMap<(Cadence, Vec<Window>), Arc<Usual>>,
    /// Likewise: how much windows of the reference differ from all of it in all columns together.
    pub(super) usual_together: HashMap<(Cadence, Vec<Window>), UsualTogether>,
    pub(super) windows: VecDeque<(Window, Arc<Answers>)>,
}

impl Maker<'_> {
    /// Judges a window in its scope.
    pub(super) fn scoped(
        &mut self,
        unit: &Unit,
        log: &LogState,
        history: &History,
        judge: impl Fn(monitor::Scope<'_>, &Answers) -> Vec<Finding>,
    ) -> Result<Vec<Finding>, CheckError> {
        let (definition, schema) = (&self.opened.definition, &self.opened.schema);
        let against = monitor::against(definition, unit.every, unit.window);
        let usual = self.usual(unit.every, &against)?;
        let scope = monitor::Scope {
            definition,
            schema,
            window: unit.window,
            every: unit.every,
            against: &against,
            log,
            history,
            usual: &usual,
        };
        let mut answers = Answers::with_shared(self.of_window(unit.window)?);
        answers.extend(self.own_answers(&monitor::plan(scope), &answers)?);
        Ok(judge(scope, &answers))
    }

    /// Judges all columns of a window together.
    pub(super) fn multivariate(&mut self, unit: &Unit) -> Result<Option<Finding>, CheckError> {
        let definition = &self.opened.definition;
        let against = monitor::against(definition, unit.every, unit.window);
        let scope = multivariate_scope(self.opened, unit.window, &against);
        let usual = monitor::usual_windows(definition, unit.every, &against);
        let mut answers = Answers::with_shared(Arc::clone(self.shared));
        answers.extend(self.own_answers(&monitor::multivariate::plan(scope), &answers)?);
        let key = (unit.every, against.clone());
        let usual = if let Some(known) = self.usual_together.get(&key) {
            *known
        } else {
            let kept = KeptUsual::of(self.opened, unit.every, &against)?;
            let together = if let Some(known) = kept.together()? {
                known
            } else {
                let plan = monitor::multivariate::plan_usual(scope, &usual);
                answers.extend(self.own_answers(&plan, &answers)?);
                let made = usual_together_of(scope, &usual, &answers);
                kept.keep_together(made)?;
                made
            };
            self.usual_together.insert(key, together);
            together
        };
        let mut rng = seeded(unit.window);
        Ok(monitor::multivariate::judge(scope, usual, &answers, &mut rng))
    }

    /// Judges the performance of a window, and explains a loss that is worth it.
    pub(super) fn performance(&self, unit: &Unit, history: &History) -> Result<Option<Finding>, CheckError> {
        let scope = performance_scope(self.opened, unit.window, self.as_of, history);
        let mut answers = Answers::with_shared(Arc::clone(self.shared));
        answers.extend(self.own_answers(&monitor::performance::plan(scope), &answers)?);
        let mut rng = seeded(unit.window);
        let Some(mut finding) = monitor::performance::judge(scope, &answers, &mut rng) else {
            return Ok(None);
        };
        let questions = monitor::performance::plan_explanation(scope, &finding, &answers);
        answers.extend(self.own_answers(&questions, &answers)?);
        monitor::performance::explain(scope, &mut finding, &answers, &mut rng);
        Ok(Some(finding))
    }

    pub(super) fn usual(&mut self, every: Cadence, against: &[Window]) -> Result<Arc<Usual>, CheckError> {
        let key = (every, against.to_vec());
        if let Some(known) = self.usual.get(&key) {
            return Ok(Arc::clone(known));
        }
        let definition = &self.opened.definition;
        let mut outcome = UsualBuilder::of_outcome(definition, against, self.shared);
        for window in monitor::usual_windows(definition, every, against) {
            outcome.add(definition, window, self.shared);
        }
        let kept = KeptUsual::of(self.opened, every, against)?;
        let of_log = if let Some(known) = kept.columns()? {
            known
        } else {
            let made = self.usual_of_log(every, against)?;
            kept.keep_columns(&made)?;
            made
        };
        let mut usual = of_log.with(outcome.finish());
        for window in monitor::chunk_windows(definition, every, against) {
            usual.add_chunk(definition, &self.opened.schema, window, &*self.of_window(window)?);
        }
        let usual = Arc::new(usual);
        self.usual.insert(key, Arc::clone(&usual));
        Ok(usual)
    }

    pub(super) fn usual_of_log(&mut self, every: Cadence, against: &[Window]) -> Result<Usual, CheckError> {
        let (definition, schema) = (&self.opened.definition, &self.opened.schema);
        let mut whole = Answers::with_shared(Arc::clone(self.shared));
        let questions: Vec<Question> = against
            .iter()
            .flat_map(|&window| monitor::profile_questions(definition, schema, window))
            .collect();
        whole.extend(self.own_answers(&questions, &whole)?);
        let mut usual = UsualBuilder::of_log(definition, schema, against, &whole);
        for window in monitor::usual_windows(definition, every, against) {
            usual.add(definition, window, &*self.of_window(window)?);
        }
        Ok(usual.finish())
    }

    /// The profiles of a window, and what is shared.
    pub(super) fn of_window(&mut self, window: Window) -> Result<Arc<Answers>, CheckError> {
        if let Some((_, known)) = self.windows.iter().find(|(known, _)| *known == window) {
            return Ok(Arc::clone(known));
        }
        let (definition, schema) = (&self.opened.definition, &self.opened.schema);
        let mut answers = Answers::with_shared(Arc::clone(self.shared));
        answers.extend(self.own_answers(&monitor::profile_questions(definition, schema, window), &answers)?);
        let answers = Arc::new(answers);
        self.windows.push_back((window, Arc::clone(&answers)));
        if self.windows.len() > self.opened.windows_at_hand() {
            self.windows.pop_front();
        }
        Ok(answers)
    }

    /// The answers that are not known yet.
    pub(super) fn own_answers(&self, questions: &[Question], known: &Answers) -> Result<Answers, CheckError> {
        let own: Vec<Question> = questions.iter().filter(|question| !known.has(question)).cloned().collect();
        if own.is_empty() {
            return Ok(Answers::default());
        }
        self.opened.log.answer(&own, self.as_of).map_err(|error| self.opened.explain(error))
    }
}

pub(super) fn performance_scope<'a>(
    opened: &'a Opened<'_>,
    window: Window,
    as_of: Timestamp,
    history: &'a History,
) -> PerformanceScope<'a> {
    PerformanceScope { definition: &opened.definition, schema: &opened.schema, window, as_of, history }
}

pub(super) fn multivariate_scope<'a>(
    opened: &'a Opened<'_>,
    window: Window,
    against: &'a [Window],
) -> MultivariateScope<'a> {
    MultivariateScope { definition: &opened.definition, schema: &opened.schema, window, against }
}

/// What several windows need: everything about the reference, and all that takes the outcomes to answer.
pub(super) fn shared_answers(
    opened: &Opened<'_>,
    work: &Work,
    as_of: Timestamp,
    progress: &mut dyn FnMut(Stage),
) -> Result<Arc<Answers>, CheckError> {
    let definition = &opened.definition;
    let mut questions: Vec<Question> = Vec::new();
    if !work.drift.is_empty() && definition.monitor.drift.against == Against::Reference {
        let reference = definition.reference.window;
        questions.extend(monitor::profile_questions(definition, &opened.schema, reference));
        questions.extend(monitor::vector_questions(definition, &opened.schema, [&reference]));
    }
    for unit in &work.outcomes {
        questions.extend(monitor::outcome_questions(definition, unit.every, unit.window));
    }
    let no_history = History::default();
    for unit in &work.performance {
        let scope = performance_scope(opened, unit.window, as_of, &no_history);
        questions.extend(monitor::performance::plan(scope));
    }
    let mut seen = HashSet::new();
    questions.retain(|question| seen.insert(question.clone()));
    progress(Stage::Measuring { questions: questions.len(), window: definition.reference.window });
    if questions.is_empty() {
        return Ok(Arc::default());
    }
    Ok(Arc::new(opened.log.answer(&questions, as_of).map_err(|error| opened.explain(error))?))
}

/// The same whichever window asks for it first.
pub(super) fn usual_together_of(
    scope: MultivariateScope<'_>,
    usual: &[Window],
    answers: &Answers,
) -> UsualTogether {
    let mut rng = seeded(scope.against.last().copied().unwrap_or(scope.window));
    monitor::multivariate::usual(scope, usual, answers, &mut rng)
}
