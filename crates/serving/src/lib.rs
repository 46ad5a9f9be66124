//! Talks to the model under test: rows go in as a [`Batch`], and what came of asking comes out as an [`Answer`].
//!
//! A model is a file in ONNX, a server that speaks one of the usual protocols or JSON of its own, or a program that
//! reads and writes lines. All of them are a [`Target`], and whatever happens to a call is an [`Outcome`]: nothing
//! here hangs or panics because of a model. What an outcome means for a system is judged elsewhere. docs/targets.md
//! describes the protocols.
//!
//! A server can also be asked as often as is meant to be, [`load`], and from behind a proxy that breaks its answers,
//! [`chaos`].

mod answer;
mod apart;
pub mod chaos;
pub mod guard;
pub mod http;
mod inference;
mod json;
pub mod load;
mod mlflow;
pub mod onnx;
mod process;
mod reading;
mod stop;
mod subprocess;
mod template;

use std::fmt::Debug;
use std::time::Instant;

use types::batch::Batch;

pub use answer::{Accepted, Answer, Failure, FailureKind, Outcome, Scores};
pub use apart::{ByRow, FailedRows, by_row};
pub use inference::OpenInference;
pub use mlflow::Mlflow;
pub use onnx::Onnx;
pub use reading::{Reading, Wanted};
pub use stop::Stop;
pub use subprocess::{Subprocess, SubprocessLimits};
pub use template::{Template, TemplateError};

/// A model that can be asked.
pub trait Target: Debug + Send {
    /// What comes of asking about these rows. Always returns, within the time that the target was given for a request.
    fn outcome(&mut self, batch: &Batch) -> Outcome;

    /// Whether somebody is there who could be asked, as far as that can be told without asking about rows.
    fn ready(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// In what these columns are not what the model takes, as far as that can be told without asking. Columns that
    /// the model does not know are left out of a call; all other misfits keep it from being made.
    fn misfits(&self, _batch: &Batch) -> Vec<onnx::Misfit> {
        Vec::new()
    }

    /// Whether it is started again after a crash, which takes time: it is asked less often which rows crash it.
    fn is_started_again(&self) -> bool {
        false
    }

    /// The outcome, and how long it took.
    fn ask(&mut self, batch: &Batch) -> Answer {
        let start = Instant::now();
        let outcome = self.outcome(batch);
        Answer { outcome, took: start.elapsed() }
    }
}
