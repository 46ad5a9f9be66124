//! What earlier windows showed, read from evidence.

use std::collections::HashMap;

use types::definition::Cadence;
use types::finding::Sequential;
use types::{CheckId, Record, Subject, Window};

/// Where the alarms of each column, and of the model's loss, stood before a window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    alarms: HashMap<Subject, (Window, Sequential)>,
}

impl History {
    /// The state after the last window of this cadence that ended before `window` began.
    ///
    /// `records` are those of one system, model version and definition, oldest first; of several about
    /// one window the last one counts.
    pub fn before<'a>(records: impl IntoIterator<Item = &'a Record>, every: Cadence, window: Window) -> Self {
        let mut history = Self::default();
        for record in records {
            let finding = &record.finding;
            let carried = matches!(finding.check, CheckId::Drift | CheckId::PerformanceOverTime);
            if carried && finding.window.to() <= window.from() {
                history.add(every, finding);
            }
        }
        history
    }

    /// Takes over what a window showed.
    pub fn add(&mut self, every: Cadence, finding: &types::Finding) {
        // Windows of a series do not overlap; one that somebody cut out by hand is no part of it.
        let of_series = finding.window.is_of(every);
        let sequential = finding.sequential.as_ref().filter(|known| of_series && known.every == every);
        let Some(sequential) = sequential else { return };
        let latest = self.alarms.get(&finding.subject);
        if latest.is_none_or(|(known, _)| known.to() <= finding.window.to()) {
            self.alarms.insert(finding.subject.clone(), (finding.window, sequential.clone()));
        }
    }

    pub(crate) fn of(&self, subject: &Subject) -> Option<&Sequential> {
        self.alarms.get(subject).map(|(_, sequential)| sequential)
    }
}
