//! All that monitoring says of one window, for a check of that window alone.

use jiff::Timestamp;
use monitor::multivariate::MultivariateScope;
use monitor::performance::PerformanceScope;
use monitor::{History, UsualBuilder};
use types::definition::Cadence;
use types::log_state::LogState;
use types::{Answers, Finding, Question, Record, Window};

use crate::check::seeded;
use crate::opened::Opened;

/// One window that is watched.
#[derive(Debug)]
pub(crate) struct Watch<'a> {
    opened: &'a Opened<'a>,
    window: Window,
    every: Cadence,
    as_of: Timestamp,
    against: Vec<Window>,
    usual: Vec<Window>,
}

impl<'a> Watch<'a> {
    pub(crate) fn of(opened: &'a Opened<'a>, window: Window, as_of: Timestamp) -> Self {
        let every = opened.definition.monitor.drift.every;
        let against = monitor::against(&opened.definition, every, window);
        let usual = monitor::usual_windows(&opened.definition, every, &against);
        Self { opened, window, every, as_of, against, usual }
    }

    pub(crate) fn questions(&self) -> Vec<Question> {
        let (definition, schema) = (&self.opened.definition, &self.opened.schema);
        let compared = self.against.iter().chain(&self.usual);
        let mut questions: Vec<Question> =
            compared.flat_map(|&window| monitor::profile_questions(definition, schema, window)).collect();
        questions.extend(monitor::column_questions(definition, schema, self.window));
        questions.extend(monitor::outcome_questions(definition, self.every, self.window));
        questions.extend(monitor::multivariate::plan(self.together()));
        questions.extend(monitor::multivariate::plan_usual(self.together(), &self.usual));
        questions.extend(monitor::performance::plan(self.performance()));
        questions
    }

    /// `records` are those of this system, model version and definition, oldest first.
    pub(crate) fn findings(&self, answers: &Answers, log: &LogState, records: &[&Record]) -> Vec<Finding> {
        let (definition, schema) = (&self.opened.definition, &self.opened.schema);
        // A window that was cut out by hand is no part of the series.
        let history = if self.window.is_of(self.every) {
            History::before(records.iter().copied(), self.every, self.window)
        } else {
            History::default()
        };
        let mut usual = UsualBuilder::of_log(definition, schema, &self.against, answers);
        let mut usual_outcome = UsualBuilder::of_outcome(definition, &self.against, answers);
        for &window in &self.usual {
            usual.add(definition, window, answers);
            usual_outcome.add(definition, window, answers);
        }
        let usual = usual.finish().with(usual_outcome.finish());
        let scope = monitor::Scope {
            definition,
            schema,
            window: self.window,
            every: self.every,
            against: &self.against,
            log,
            history: &history,
            usual: &usual,
        };
        let mut findings = monitor::judge(scope, answers);
        findings.extend(monitor::judge_outcome(scope, answers));
        let mut rng = seeded(&self.opened.located.text, self.window);
        let together = self.together();
        let usual = monitor::multivariate::usual_auc(together, &self.usual, answers, &mut rng);
        findings.extend(monitor::multivariate::judge(together, usual, answers, &mut rng));
        findings.extend(monitor::performance::judge(self.performance(), answers, &mut rng));
        findings
    }

    fn together(&self) -> MultivariateScope<'_> {
        MultivariateScope {
            definition: &self.opened.definition,
            schema: &self.opened.schema,
            window: self.window,
            against: &self.against,
        }
    }

    fn performance(&self) -> PerformanceScope<'_> {
        PerformanceScope {
            definition: &self.opened.definition,
            schema: &self.opened.schema,
            window: self.window,
            as_of: self.as_of,
        }
    }
}
