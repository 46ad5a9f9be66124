//! Models in ONNX, run in this process by ONNX Runtime.
//!
//! `library` finds and loads the runtime, `inputs` makes tensors of columns, `outputs` reads scores. A run is
//! ended at its time-out between two operators of the model. What cannot be had in one process: a fault in the
//! library itself, such as a segmentation fault of an operator, ends the program; a model that may do that belongs
//! behind a server or into a [`crate::Subprocess`].

mod elf;
mod inputs;
mod library;
mod outputs;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use ort::session::{RunOptions, Session};
use types::batch::Batch;

use crate::answer::{Failure, FailureKind, Outcome, of_rows};
use crate::{Reading, Target};

use inputs::Inputs;
pub use inputs::{Misfit, MisfitKind};
pub use library::LibraryError;

/// How a model in ONNX is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// ONNX Runtime, where it is not to be looked for.
    pub library: Option<PathBuf>,
    /// The columns of a model that takes all of them in one tensor; without it, what the model's metadata has
    /// under `feature_names`.
    pub order: Vec<String>,
    /// What a missing text is to the model. Models of skl2onnx are given the empty text.
    pub missing_text: String,
    /// The output with the scores, where it is not plain which one has them.
    pub output: Option<String>,
    pub reading: Reading,
    pub within: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            library: None,
            order: Vec::new(),
            missing_text: String::new(),
            output: None,
            reading: Reading::default(),
            within: Duration::from_secs(30),
        }
    }
}

/// A model that cannot be asked at all.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum OnnxError {
    #[error(transparent)]
    Library(#[from] LibraryError),
    #[error("{} is no model that ONNX Runtime {version} can run: {why}", path.display())]
    Model { path: PathBuf, version: String, why: String },
    #[error("{}: {why}", path.display())]
    Unsupported { path: PathBuf, why: String },
}

/// A model in ONNX. One thread runs it, so that the same rows always have the same scores; who asks from several
/// threads opens it as often.
pub struct Onnx {
    session: Session,
    inputs: Inputs,
    output: String,
    settings: Settings,
}

impl fmt::Debug for Onnx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Onnx")
            .field("inputs", &self.inputs)
            .field("output", &self.output)
            .finish_non_exhaustive()
    }
}

impl Onnx {
    pub fn open(path: &Path, settings: Settings) -> Result<Self, OnnxError> {
        let runtime = library::loaded(settings.library.as_deref())?;
        let no_model =
            |why: String| OnnxError::Model { path: path.into(), version: runtime.version.clone(), why };
        let session = guarded(|| library::session(runtime, path)).map_err(no_model)?;
        let unsupported = |why: String| OnnxError::Unsupported { path: path.into(), why };
        let output = outputs::chosen(session.outputs(), settings.output.as_deref()).map_err(unsupported)?;
        let inputs = Inputs::of(&session, &settings).map_err(unsupported)?;
        Ok(Self { session, inputs, output, settings })
    }

    /// What the model takes: each column's name and type, or the columns of its one tensor.
    pub fn inputs(&self) -> Vec<(String, String)> {
        self.inputs.described()
    }

    fn call(&mut self, batch: &Batch) -> Result<Outcome, Failure> {
        let misfits = self.inputs.misfits(batch);
        let in_the_way: Vec<String> =
            misfits.iter().filter(|misfit| !misfit.kind.is_harmless()).map(ToString::to_string).collect();
        if !in_the_way.is_empty() {
            return Err(Failure::new(FailureKind::Misfit, in_the_way.join("; ")));
        }
        if batch.rows() == 0 {
            return Ok(of_rows(0, self.settings.reading.empty(0), Vec::new()));
        }
        let rejected = |why: String| Failure::new(FailureKind::Rejected, why);
        let inputs = guarded(|| self.inputs.tensors(batch)).map_err(rejected)?;
        let (session, output, settings) = (&mut self.session, &self.output, &self.settings);
        guarded(move || Ok(run(session, inputs, output, settings, batch.rows())))
            .unwrap_or_else(|why| Err(Failure::new(FailureKind::Crashed, why)))
    }
}

/// Runs the model, and ends the run when its time is over.
fn run(
    session: &mut Session,
    inputs: Vec<(String, ort::value::DynValue)>,
    output: &str,
    settings: &Settings,
    rows: usize,
) -> Result<Outcome, Failure> {
    let options = RunOptions::new().map_err(|error| Failure::new(FailureKind::Crashed, error.to_string()))?;
    let options = &options;
    let within = settings.within;
    let (done, is_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let watch = scope.spawn(move || {
            let is_over = is_done.recv_timeout(within) == Err(mpsc::RecvTimeoutError::Timeout);
            is_over && options.terminate().is_ok()
        });
        let answered = session.run_with_options(inputs, options);
        drop(done);
        let was_ended = watch.join().unwrap_or(false);
        let values = answered.map_err(|error| {
            if was_ended {
                let message = format!("no answer within {within:?}");
                return Failure::new(FailureKind::TimedOut, message);
            }
            // ONNX Runtime has one error for what an operator refuses and for what it breaks on.
            Failure::new(FailureKind::RejectedOrCrashed, error.to_string())
        })?;
        let malformed = |why: String| Failure::new(FailureKind::Malformed, why);
        let value = values.get(output).ok_or_else(|| malformed(format!("there is no output `{output}`")))?;
        let scores = outputs::scores(value, &settings.reading).map_err(malformed)?;
        let degraded = vec![false; scores.len()];
        Ok(of_rows(rows, scores, degraded))
    })
}

impl Target for Onnx {
    fn outcome(&mut self, batch: &Batch) -> Outcome {
        self.call(batch).unwrap_or_else(Outcome::Failed)
    }

    fn misfits(&self, batch: &Batch) -> Vec<Misfit> {
        self.inputs.misfits(batch)
    }
}

/// The result, with a panic of the binding as an error like any other.
fn guarded<T>(call: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
        Err(text.unwrap_or_else(|| "the binding of ONNX Runtime panicked".into()))
    })
}
