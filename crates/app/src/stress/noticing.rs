//! Whether monitoring would notice a fault: its checks are run on rows of the reference with and without it.

use std::sync::Arc;

use monitor::multivariate::UsualTogether;
use monitor::{History, Usual};
use stats::sketch::{CategoricalProfile, Fidelity, NumericProfile, Profile};
use types::answer::{RowSample, SampledColumn, SampledValues};
use types::batch::{Batch, Values};
use types::log_state::LogState;
use types::question::Measured;
use types::{Answer, Answers, ColumnKind, Finding, Question, Verdict, Window};

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
}

/// Rows as they are, and what the model says of them: the name of each output, and its values.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) batch: &'a Batch,
    pub(super) outputs: &'a [(String, Vec<Option<f64>>)],
}

impl<'a> Noticing<'a> {
    /// `answers` are those of the watch; `clean` are the rows without a fault.
    pub(super) fn of(
        watch: &'a Watch<'a>,
        window: Window,
        answers: Arc<Answers>,
        log: &'a LogState,
        clean: Seen<'_>,
    ) -> Result<Self, CheckError> {
        let usual = watch.usual(&answers)?;
        let usual_together = watch.usual_together(&answers);
        let (before, before_together) = (Vec::new(), None);
        let noticing = Self { watch, window, answers, usual, usual_together, log, before, before_together };
        let (before, before_together) = (noticing.findings(clean), noticing.together(clean));
        Ok(Self { before, before_together, ..noticing })
    }

    /// Which checks of columns raise their voice that were silent before.
    pub(super) fn by_columns(&self, faulted: Seen<'_>) -> Vec<String> {
        let louder = self.findings(faulted).into_iter().filter(|finding| {
            let is_same =
                |before: &&Finding| before.check == finding.check && before.subject == finding.subject;
            let before = self.before.iter().filter(is_same).map(|before| loudness(before.verdict)).max();
            loudness(finding.verdict) > before.unwrap_or(0)
        });
        louder.map(|finding| format!("{}: {}", finding.check, finding.subject.label())).collect()
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

    fn findings(&self, seen: Seen<'_>) -> Vec<Finding> {
        let mut answers = Answers::with_shared(Arc::clone(&self.answers));
        for column in seen.batch.columns() {
            self.profile(&mut answers, &column.name, |kind| profile(kind, &column.values));
        }
        for (name, values) in seen.outputs {
            let values = Values::Numbers(values.clone());
            self.profile(&mut answers, name, |kind| profile(kind, &values));
        }
        self.watch.of_columns_as_usual(&self.usual, &History::default(), &answers, self.log)
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
