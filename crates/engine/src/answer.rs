//! All questions of a check, merged into as few scans as possible.

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{Int32Type, Int64Type};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{ident, lit};
use jiff::Timestamp;
use stats::sketch::Fidelity;
use types::{Answers, Question, Window};

use crate::cells::Cells;
use crate::error::EngineError;
use crate::open::{LOG, Log};
use crate::sql::CELL;
use crate::{cases, daily_losses, outcomes, profiles, sample};

impl Log<'_> {
    /// Answers every question. Outcomes that became known after `as_of` are not seen.
    pub fn answer(&self, questions: &[Question], as_of: Timestamp) -> Result<Answers, EngineError> {
        let mut answers = Answers::default();
        let (own, of_reference): (Vec<Question>, Vec<Question>) = questions
            .iter()
            .cloned()
            .partition(|question| std::ptr::eq(self.dataset(question.window()), self));
        if let Some(reference) = self.reference().filter(|_| !of_reference.is_empty()) {
            answers.extend(reference.answer(&of_reference, as_of)?);
        }
        let questions = self.answer_from_days(&own, &mut answers)?;
        if questions.is_empty() {
            return Ok(answers);
        }
        let fidelity = self.fidelity(&questions)?;
        profiles::answer(self, fidelity, &questions, &mut answers)?;
        outcomes::answer(self, fidelity, &questions, as_of, &mut answers)?;
        daily_losses::answer(self, &questions, as_of, &mut answers)?;
        sample::answer(self, &questions, as_of, &mut answers)?;
        cases::answer(self, &questions, as_of, &mut answers)?;
        Ok(answers)
    }

    /// Exact where no window has more rows than may be kept. Only a log that is larger as a whole
    /// needs a look at its times to tell.
    fn fidelity(&self, questions: &[Question]) -> Result<Fidelity, EngineError> {
        let most = self.engine.options.exact_rows;
        if self.log.rows_about <= most {
            return Ok(Fidelity::Exact);
        }
        let windows: Vec<Window> = questions.iter().map(Question::window).collect();
        let cells = Cells::of(windows.iter().copied());
        let rows = self.rows_by_cell(&cells)?;
        let largest = windows.iter().map(|window| rows[cells.within(*window)].iter().sum::<u64>()).max();
        Ok(if largest.unwrap_or(0) <= most { Fidelity::Exact } else { Fidelity::Sketched })
    }

    pub(crate) fn rows_by_cell(&self, cells: &Cells) -> Result<Vec<u64>, EngineError> {
        let axis = self.time_axis();
        let table = self.engine.runtime.block_on(self.context.table(LOG))?;
        let counted = axis
            .in_cells(table, cells)?
            .aggregate(vec![ident(CELL)], vec![count(lit(1_i64))])
            .map_err(EngineError::from)
            .and_then(|counted| self.collect(counted))
            .map_err(|error| self.explain_time(error))?;
        let mut rows = vec![0; cells.len()];
        for batch in &counted {
            let (at, count) =
                (batch.column(0).as_primitive::<Int32Type>(), batch.column(1).as_primitive::<Int64Type>());
            for (cell, count) in at.iter().flatten().zip(count.values()) {
                if let Some(rows) = rows.get_mut(cell as usize) {
                    *rows = *count as u64;
                }
            }
        }
        Ok(rows)
    }
}
