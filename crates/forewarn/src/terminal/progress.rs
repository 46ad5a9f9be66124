//! One line on standard error that says what is going on, where a person is watching.

use std::io::{IsTerminal, Write};

use app::Stage;

#[derive(Debug, Default)]
pub(crate) struct ProgressLine {
    shown: bool,
}

impl ProgressLine {
    pub(crate) fn show(&mut self, stage: &Stage) {
        let mut err = std::io::stderr().lock();
        if err.is_terminal() {
            let _ = write!(err, "\r\x1b[2K{} …", words(stage)).and_then(|()| err.flush());
            self.shown = true;
        }
    }

    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            let mut err = std::io::stderr().lock();
            let _ = write!(err, "\r\x1b[2K").and_then(|()| err.flush());
        }
    }
}

fn words(stage: &Stage) -> String {
    match stage {
        Stage::Opening => "Opening the log".into(),
        Stage::Digesting { files } => format!("Digesting {files} files"),
        Stage::Measuring { questions, window } => format!("Measuring {window}: {questions} questions"),
        Stage::Profiling { columns } => format!("Profiling new files: {columns} columns"),
        Stage::Judging { window } => format!("Judging {window}"),
        Stage::Asking { done, of } => format!("Asking the model: {done} of {of} faults"),
        Stage::Loading { step, of } => format!("Loading the server: step {step} of {of}"),
        Stage::Searching { asked, at_most } => {
            format!("Searching the cheapest changes: {asked} of at most {at_most} questions to the model")
        }
        Stage::Recording { findings } => format!("Recording {findings} findings"),
    }
}
