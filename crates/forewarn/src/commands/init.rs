//! `forewarn init`.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use jiff::Timestamp;

use super::Status;
use crate::cli::InitOptions;
use crate::terminal::{diagnostic, output};

pub(crate) fn run(options: &InitOptions) -> Status {
    // Printed text is taken to be meant for the folder that one stands in.
    let folder = options.output.parent().unwrap_or(Path::new(""));
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let proposal = match app::init::propose(&options.log, folder, options.task.task(), Timestamp::now()) {
        Ok(proposal) => proposal,
        Err(error) => {
            output::error(&diagnostic::error(&error.to_string()));
            return Status::Impossible;
        }
    };
    if options.output == Path::new("-") {
        output::print(&proposal.text);
        return Status::Fine;
    }
    let file = &options.output;
    let mut open = OpenOptions::new();
    open.write(true).truncate(true);
    let opened = if options.force { open.create(true).open(file) } else { open.create_new(true).open(file) };
    let written = opened.and_then(|mut opened| opened.write_all(proposal.text.as_bytes()));
    if let Err(error) = written {
        let message = if error.kind() == std::io::ErrorKind::AlreadyExists {
            format!("`{}` is there already; --force overwrites it, --output - prints instead", file.display())
        } else {
            format!("failed to write `{}`: {error}", file.display())
        };
        output::error(&diagnostic::error(&message));
        return Status::Impossible;
    }
    let mut text =
        format!("Wrote {}. Look it over, then run: forewarn check {}\n", file.display(), file.display());
    if !proposal.unguessed.is_empty() {
        text.push_str(&format!("Fill in first: {}\n", proposal.unguessed.join(", ")));
    }
    for note in &proposal.notes {
        text.push_str(note);
        text.push('\n');
    }
    output::print(&text);
    Status::Fine
}
