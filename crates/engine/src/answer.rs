//! All questions of a check, merged into as few scans as possible.

use jiff::Timestamp;
use types::{Answers, Question};

use crate::error::EngineError;
use crate::open::Log;
use crate::{outcomes, profiles};

impl Log<'_> {
    /// Answers every question. Outcomes that became known after `as_of` are not seen.
    pub fn answer(&self, questions: &[Question], as_of: Timestamp) -> Result<Answers, EngineError> {
        let mut answers = Answers::default();
        profiles::answer(self, questions, &mut answers)?;
        outcomes::answer(self, questions, as_of, &mut answers)?;
        Ok(answers)
    }
}
