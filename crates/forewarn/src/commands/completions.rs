//! `forewarn completions`.

use clap::CommandFactory;
use clap_complete::Shell;

use super::Status;
use crate::cli::Arguments;
use crate::terminal::output;

pub(crate) fn run(shell: Shell) -> Status {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "forewarn", &mut script);
    output::print(&String::from_utf8_lossy(&script));
    Status::Fine
}
