//! Whether monitoring would notice a fault: its checks are run on rows of the reference with and without it.

use std::sync::Arc;

use monitor::multivariate::UsualTogether;
use monitor::{History, Usual};
use rand_core::RngCore;
use stats::random::{SplitMix64, below};
use stats::sketch::{CategoricalProfile, Fidelity, NumericProfile, Profile};
use types::answer::{DayLosses, RowSample, SampledColumn, SampledValues};
use types::batch::{Batch, Values};
use types::cases::Cases;
use types::definition::{Cadence, Definition};
use types::log_state::LogState;
use types::question::Measured;
use types::{Answer, Answers, ColumnKind, Finding, Question, Verdict, Window};

use super::Drawn;
use super::answers::{Answered, Session, day_losses};
use crate::check::CheckError;
use crate::watch::Watch;

/// Different texts up to which all are counted.
const MOST_VALUES: usize = 65_536;

/// The checks of monitoring as they are without a fault, on rows of the reference: where the window itself has
/// drifted, a check that is loud already would hide the fault.
pub(super) struct Noticing<'a> {
    watch: &'a Watch<'a>,
    window: Window,
    answers: Arc<Answers>,
    usual: Usual,
    usual_together: UsualTogether,
    log: &'a LogState,
    before: Vec<Finding>,
    before_together: Option<Finding>,
    quiet: Quiet<'a>,
    /// What is said of further windows without a fault, as far as they were looked at.
    quiet_windows: Vec<Vec<Finding>>,
    quiet_history: History,
}

/// The rows of the reference without a fault.
#[derive(Clone, Debug)]
pub(super) struct Quiet<'a> {
    batch: &'a Batch,
    /// What the model says of them.
    outputs: Vec<(String, Vec<Option<f64>>)>,
    /// What happened to them, and on which days.
    cases: &'a Cases,
}

impl<'a> Quiet<'a> {
    /// Asks the model about rows of the reference.
    pub(super) fn of(usual: &'a Drawn, session: &mut Session<'_>) -> Self {
        let answered = session.ask(&usual.inputs);
        Self { batch: &usual.inputs, outputs: session.outputs(&answered), cases: &usual.cases }
    }
}

/// Windows after which nobody waits any longer for an alarm.
const WINDOWS_MOST: u32 = 8;

/// Rows as they are, and what the model says of them: the name of each output, and its values.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) batch: &'a Batch,
    pub(super) outputs: &'a [(String, Vec<Option<f64>>)],
}

impl<'a> Noticing<'a> {
    /// `answers` are those of the watch.
    pub(super) fn of(
        watch: &'a Watch<'a>,
        window: Window,
        answers: Arc<Answers>,
        log: &'a LogState,
        quiet: Quiet<'a>,
    ) -> Result<Self, CheckError> {
        let usual = watch.usual(&answers)?;
        let usual_together = watch.usual_together(&answers);
        let mut noticing = Self {
            watch,
            window,
            answers,
            usual,
            usual_together,
            log,
            before: Vec::new(),
            before_together: None,
            quiet,
            quiet_windows: Vec::new(),
            quiet_history: History::default(),
        };
        let clean = Seen { batch: noticing.quiet.batch, outputs: &noticing.quiet.outputs };
        (noticing.before, noticing.before_together) =
            (noticing.findings(clean, &History::default()), noticing.together(clean));
        Ok(noticing)
    }

    /// Which checks of columns raise their voice that were silent before.
    pub(super) fn by_columns(&self, faulted: Seen<'_>) -> Vec<String> {
        let findings = self.findings(faulted, &History::default());
        let louder = findings.iter().filter(|finding| is_louder(finding, &self.before));
        louder.map(|finding| format!("{}: {}", finding.check, finding.subject.label())).collect()
    }

    /// After how many windows a fault is noticed that is not within one, because alarms add up from window to window;
    /// `None` where it is not soon, or the window is none of those that are watched one after the other. Further
    /// windows are drawn from the rows with replacement, the same rows with and without the fault.
    pub(super) fn windows(&mut self, faulted: Seen<'_>) -> Option<u32> {
        if !self.watch.is_of_series() {
            return None;
        }
        let every = self.watch.every();
        let mut history = History::default();
        for window in 1..=WINDOWS_MOST {
            let findings = self.findings(drawn(faulted, window).seen(), &history);
            let quiet = self.quiet_window(window);
            // That the first one is silent was seen on all of the rows.
            if window > 1 && findings.iter().any(|finding| is_louder(finding, quiet)) {
                return Some(window);
            }
            for finding in &findings {
                history.add(every, finding);
            }
        }
        None
    }

    /// What is said of a further window without a fault, from 1.
    fn quiet_window(&mut self, window: u32) -> &[Finding] {
        let at = window as usize - 1;
        while self.quiet_windows.len() <= at {
            let next = self.quiet_windows.len() as u32 + 1;
            let clean = Seen { batch: self.quiet.batch, outputs: &self.quiet.outputs };
            let findings = self.findings(drawn(clean, next).seen(), &self.quiet_history);
            for finding in &findings {
                self.quiet_history.add(self.watch.every(), finding);
            }
            self.quiet_windows.push(findings);
        }
        &self.quiet_windows[at]
    }

    /// After how many windows the model's loss is an alarm once outcomes are known: the days of the reference, as they
    /// would be under the fault, one after the other and from the first one again.
    pub(super) fn windows_by_loss(
        &self,
        answered: &Answered,
        origin: &[usize],
        definition: &Definition,
    ) -> Option<u32> {
        let Quiet { cases, .. } = &self.quiet;
        let days = day_losses(answered, origin, &cases.outputs, &cases.days, definition);
        let of_window: Vec<Vec<DayLosses>> =
            days.chunks(days_of(definition.monitor.performance.every)).map(<[_]>::to_vec).collect();
        let windows: Vec<Vec<DayLosses>> =
            of_window.iter().cycle().take(WINDOWS_MOST as usize).cloned().collect();
        self.watch.windows_until_alarm(&self.answers, &windows)
    }

    /// Whether the look at all columns together does, which takes longer.
    pub(super) fn by_all_together(&self, faulted: Seen<'_>) -> Option<String> {
        let finding = self.together(faulted)?;
        let before = self.before_together.as_ref().map_or(0, |before| loudness(before.verdict));
        (loudness(finding.verdict) > before).then(|| finding.check.to_string())
    }

    fn together(&self, seen: Seen<'_>) -> Option<Finding> {
        let question = self.watch.rows_together()?;
        let Question::Sample { features, .. } = &question else { return None };
        let column = |(name, kind): &(String, ColumnKind)| {
            let values = seen.batch.column(name)?;
            Some(SampledColumn { name: name.clone(), values: sampled(*kind, values) })
        };
        // Columns that the model does not take are not at hand for these rows.
        let columns = features.iter().map(column).collect::<Option<Vec<_>>>()?;
        let rows = seen.batch.rows();
        let scores = seen.outputs.first().map_or_else(
            || vec![f64::NAN; rows],
            |(_, scores)| scores.iter().map(|score| score.unwrap_or(f64::NAN)).collect(),
        );
        let sample = RowSample { columns, scores, outcomes: vec![None; rows], outcome_numbers: Vec::new() };
        let mut answers = Answers::with_shared(Arc::clone(&self.answers));
        answers.insert(question.clone(), Answer::Sample(sample));
        self.watch.together_as_usual(self.usual_together, &answers)
    }

    fn findings(&self, seen: Seen<'_>, history: &History) -> Vec<Finding> {
        let mut answers = Answers::with_shared(Arc::clone(&self.answers));
        for column in seen.batch.columns() {
            self.profile(&mut answers, &column.name, |kind| profile(kind, &column.values));
        }
        for (name, values) in seen.outputs {
            let values = Values::Numbers(values.clone());
            self.profile(&mut answers, name, |kind| profile(kind, &values));
        }
        self.watch.of_columns_as_usual(&self.usual, history, &answers, self.log)
    }

    /// Puts a profile in the place of that of the window, where monitoring asks for one.
    fn profile(&self, answers: &mut Answers, name: &str, of: impl Fn(ColumnKind) -> Option<Profile>) {
        for kind in [ColumnKind::Numeric, ColumnKind::Categorical] {
            let of_column = Measured::Column { name: name.to_owned() };
            let question = Question::Profile { of: of_column, kind, window: self.window };
            if self.answers.has(&question)
                && let Some(profile) = of(kind)
            {
                answers.insert(question, Answer::Profile(profile));
            }
        }
    }
}

/// Rows of a further window.
struct Further {
    batch: Batch,
    outputs: Vec<(String, Vec<Option<f64>>)>,
}

impl Further {
    fn seen(&self) -> Seen<'_> {
        Seen { batch: &self.batch, outputs: &self.outputs }
    }
}

/// As many rows as there are, each drawn from all of them; of every fault the same ones.
fn drawn(from: Seen<'_>, window: u32) -> Further {
    let rows = from.batch.rows();
    let mut rng = SplitMix64::new(u64::from(window));
    let chosen: Vec<usize> = (0..rows).map(|_| below(rows as u64, rng.next_u64()) as usize).collect();
    let outputs = from.outputs.iter().map(|(name, values)| {
        // A model that answers no row has no output to draw from.
        let values = chosen.iter().map(|&row| values.get(row).copied().flatten()).collect();
        (name.clone(), values)
    });
    Further { batch: from.batch.take(&chosen), outputs: outputs.collect() }
}

/// Whether a check speaks up that was silent before, or louder.
fn is_louder(finding: &Finding, before: &[Finding]) -> bool {
    let is_same = |before: &&Finding| before.check == finding.check && before.subject == finding.subject;
    let before = before.iter().filter(is_same).map(|before| loudness(before.verdict)).max();
    loudness(finding.verdict) > before.unwrap_or(0)
}

/// Days of a window.
fn days_of(every: Cadence) -> usize {
    match every {
        Cadence::Day => 1,
        Cadence::Week => 7,
        Cadence::Month => 30,
        Cadence::Quarter => 91,
    }
}

fn sampled(kind: ColumnKind, values: &Values) -> SampledValues {
    let rows = 0..values.len();
    match kind {
        ColumnKind::Numeric => {
            SampledValues::Numbers(rows.map(|row| values.number(row).unwrap_or(f64::NAN)).collect())
        }
        _ => SampledValues::Categories(rows.map(|row| values.text(row)).collect()),
    }
}

/// A check that does not know says nothing.
fn loudness(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Pass | Verdict::Unknown => 0,
        Verdict::Warn => 1,
        Verdict::Fail => 2,
    }
}

/// What a scan of these values would have found; a text among numbers has no number.
fn profile(kind: ColumnKind, values: &Values) -> Option<Profile> {
    let rows = 0..values.len();
    match kind {
        ColumnKind::Numeric => {
            let mut profile = NumericProfile::new(Fidelity::Sketched);
            let present: Vec<f64> = rows.filter_map(|row| values.number(row)).collect();
            profile.nulls = (values.len() - present.len()) as u64;
            profile.extend(&present);
            Some(Profile::Numeric(profile))
        }
        ColumnKind::Categorical => {
            let mut profile = CategoricalProfile::new(MOST_VALUES);
            for row in rows {
                match values.text(row) {
                    Some(text) => profile.values.add(&text, 1),
                    None => profile.nulls += 1,
                }
            }
            Some(Profile::Categorical(profile))
        }
        ColumnKind::Time | ColumnKind::Text | ColumnKind::Embedding | ColumnKind::Other => None,
    }
}
