//! Whether monitoring would notice a fault: its checks are run on the same rows with and without it.

use std::sync::Arc;

use monitor::{History, Usual};
use stats::sketch::{CategoricalProfile, Fidelity, NumericProfile, Profile};
use types::batch::{Batch, Values};
use types::faults::Noticed;
use types::log_state::LogState;
use types::question::Measured;
use types::{Answer, Answers, ColumnKind, Finding, Question, Verdict, Window};

use crate::check::CheckError;
use crate::watch::Watch;

/// Different texts up to which all are counted.
const MOST_VALUES: usize = 65_536;

/// The checks of columns, as they are without a fault.
pub(super) struct Noticing<'a> {
    watch: &'a Watch<'a>,
    window: Window,
    answers: Arc<Answers>,
    usual: Usual,
    log: &'a LogState,
    before: Vec<Finding>,
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
        let mut noticing = Self { watch, window, answers, usual, log, before: Vec::new() };
        noticing.before = noticing.findings(clean);
        Ok(noticing)
    }

    /// Which checks raise their voice that were silent before.
    pub(super) fn noticed(&self, faulted: Seen<'_>) -> Noticed {
        let by = self.findings(faulted).into_iter().filter(|finding| {
            let is_same =
                |before: &&Finding| before.check == finding.check && before.subject == finding.subject;
            let before = self.before.iter().filter(is_same).map(|before| loudness(before.verdict)).max();
            loudness(finding.verdict) > before.unwrap_or(0)
        });
        Noticed { by: by.map(|finding| format!("{}: {}", finding.check, finding.subject.label())).collect() }
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
