//! All that monitoring says of one window, for a check of that window alone.

use std::sync::Arc;

use jiff::Timestamp;
use monitor::multivariate::{MultivariateScope, UsualTogether};
use monitor::performance::PerformanceScope;
use monitor::{History, Usual, UsualBuilder};
use types::answer::DayLosses;
use types::definition::Cadence;
use types::log_state::LogState;
use types::{Answers, Finding, Question, Record, Window};

use crate::check::{CheckError, seeded};
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
    chunks: Vec<Window>,
}

impl<'a> Watch<'a> {
    pub(crate) fn of(opened: &'a Opened<'a>, window: Window, as_of: Timestamp) -> Self {
        let every = opened.definition.monitor.drift.every;
        let against = monitor::against(&opened.definition, every, window);
        let usual = monitor::usual_windows(&opened.definition, every, &against);
        let chunks = monitor::chunk_windows(&opened.definition, every, &against);
        Self { opened, window, every, as_of, against, usual, chunks }
    }

    pub(crate) fn questions(&self) -> Vec<Question> {
        let (definition, schema) = (&self.opened.definition, &self.opened.schema);
        let mut questions: Vec<Question> = self
            .against
            .iter()
            .flat_map(|&window| monitor::profile_questions(definition, schema, window))
            .collect();
        questions.extend(monitor::column_questions(definition, schema, self.window));
        let compared = self.against.iter().chain([&self.window]);
        questions.extend(monitor::vector_questions(definition, schema, compared));
        questions.extend(monitor::outcome_questions(definition, self.every, self.window));
        questions.extend(monitor::multivariate::plan(self.together()));
        questions.extend(monitor::multivariate::plan_usual(self.together(), &self.usual));
        questions.extend(monitor::performance::plan(self.performance(&History::default())));
        questions
    }

    /// `records` are those of this system, model version and definition, oldest first.
    pub(crate) fn findings(
        &self,
        answers: Answers,
        log: &LogState,
        records: &[&Record],
    ) -> Result<Vec<Finding>, CheckError> {
        let answers = Arc::new(answers);
        let mut findings = self.of_columns(&answers, log, records)?;
        let mut rng = seeded(self.window);
        let usual = monitor::multivariate::usual(self.together(), &self.usual, &answers, &mut rng);
        findings.extend(monitor::multivariate::judge(self.together(), usual, &answers, &mut rng));

        let every = self.opened.definition.monitor.performance.every;
        let history = History::before(records.iter().copied(), every, self.window);
        let scope = self.performance(&history);
        if let Some(mut finding) = monitor::performance::judge(scope, &answers, &mut rng) {
            let questions = monitor::performance::plan_explanation(scope, &finding, &answers);
            let mut more = Answers::with_shared(Arc::clone(&answers));
            if !questions.is_empty() {
                let asked = self.opened.log.answer(&questions, self.as_of);
                more.extend(asked.map_err(|error| self.opened.explain(error))?);
            }
            monitor::performance::explain(scope, &mut finding, &more, &mut rng);
            findings.push(finding);
        }
        Ok(findings)
    }

    /// Quality and drift of every column, and drift of the outcome.
    fn of_columns(
        &self,
        answers: &Arc<Answers>,
        log: &LogState,
        records: &[&Record],
    ) -> Result<Vec<Finding>, CheckError> {
        // A window that was cut out by hand is no part of the series.
        let history = if self.window.is_of(self.every) {
            History::before(records.iter().copied(), self.every, self.window)
        } else {
            History::default()
        };
        let usual = self.usual(answers)?;
        let mut findings = self.of_columns_as_usual(&usual, &history, answers, log);
        findings.extend(monitor::judge_outcome(self.scope(&usual, &history, log), answers));
        Ok(findings)
    }

    /// What is usual of every column in the windows that this one is compared with.
    pub(crate) fn usual(&self, answers: &Arc<Answers>) -> Result<Usual, CheckError> {
        let (definition, schema) = (&self.opened.definition, &self.opened.schema);
        let mut usual = UsualBuilder::of_log(definition, schema, &self.against, answers);
        let mut usual_outcome = UsualBuilder::of_outcome(definition, &self.against, answers);
        // A few windows at a time: the profiles of a thousand columns in each of them are large.
        let at_once = self.opened.windows_at_hand();
        for windows in self.usual.chunks(at_once) {
            let profiles = self.profiles(windows, answers)?;
            for &window in windows {
                usual.add(definition, window, &profiles);
                usual_outcome.add(definition, window, answers);
            }
        }
        let mut usual = usual.finish().with(usual_outcome.finish());
        for windows in self.chunks.chunks(at_once) {
            let profiles = self.profiles(windows, answers)?;
            for &window in windows {
                usual.add_chunk(definition, schema, window, &profiles);
            }
        }
        Ok(usual)
    }

    /// Quality and drift of every column, against what is usual.
    pub(crate) fn of_columns_as_usual(
        &self,
        usual: &Usual,
        history: &History,
        answers: &Answers,
        log: &LogState,
    ) -> Vec<Finding> {
        monitor::judge(self.scope(usual, history, log), answers, &mut seeded(self.window))
    }

    fn scope<'s>(&'s self, usual: &'s Usual, history: &'s History, log: &'s LogState) -> monitor::Scope<'s> {
        monitor::Scope {
            definition: &self.opened.definition,
            schema: &self.opened.schema,
            window: self.window,
            every: self.every,
            against: &self.against,
            log,
            history,
            usual,
        }
    }

    /// The profiles of windows beside what is known.
    fn profiles(&self, windows: &[Window], known: &Arc<Answers>) -> Result<Answers, CheckError> {
        let (definition, schema) = (&self.opened.definition, &self.opened.schema);
        let questions =
            windows.iter().flat_map(|&window| monitor::profile_questions(definition, schema, window));
        let questions: Vec<Question> = questions.filter(|question| !known.has(question)).collect();
        let mut profiles = Answers::with_shared(Arc::clone(known));
        if !questions.is_empty() {
            let asked = self.opened.log.answer(&questions, self.as_of);
            profiles.extend(asked.map_err(|error| self.opened.explain(error))?);
        }
        Ok(profiles)
    }

    /// What is usual of all columns together.
    pub(crate) fn usual_together(&self, answers: &Answers) -> UsualTogether {
        monitor::multivariate::usual(self.together(), &self.usual, answers, &mut seeded(self.window))
    }

    /// All columns together, against what is usual.
    pub(crate) fn together_as_usual(&self, usual: UsualTogether, answers: &Answers) -> Option<Finding> {
        monitor::multivariate::judge(self.together(), usual, answers, &mut seeded(self.window))
    }

    /// The question for the rows of the window that are looked at together.
    pub(crate) fn rows_together(&self) -> Option<Question> {
        let mut planned = monitor::multivariate::plan(self.together()).into_iter();
        planned.find(|question| question.window() == self.window)
    }

    /// Whether the window is one of those that alarms add up over.
    pub(crate) fn is_of_series(&self) -> bool {
        self.window.is_of(self.every)
    }

    pub(crate) fn every(&self) -> Cadence {
        self.every
    }

    /// After how many windows with these losses of days the model's loss would be an alarm.
    pub(crate) fn windows_until_alarm(&self, answers: &Answers, windows: &[Vec<DayLosses>]) -> Option<u32> {
        monitor::performance::windows_until_alarm(self.performance(&History::default()), answers, windows)
    }

    fn together(&self) -> MultivariateScope<'_> {
        MultivariateScope {
            definition: &self.opened.definition,
            schema: &self.opened.schema,
            window: self.window,
            against: &self.against,
        }
    }

    fn performance<'s>(&'s self, history: &'s History) -> PerformanceScope<'s> {
        PerformanceScope {
            definition: &self.opened.definition,
            schema: &self.opened.schema,
            window: self.window,
            as_of: self.as_of,
            history,
        }
    }
}
