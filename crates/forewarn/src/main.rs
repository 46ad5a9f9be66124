//! The program: arguments in, text and an exit status out.
//!
//! This is the only crate that prints. It parses arguments ([`cli`]), calls the use cases of `app`
//! ([`commands`]) and renders what they return ([`terminal`] for people, `view` for files and other
//! programs). Exit status: 0 all gates open, 1 a gate is shut, evidence is broken or a message did not
//! arrive, 2 it could not be done.

mod cli;
mod commands;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    arguments.color.apply();
    let status = match arguments.command {
        cli::Command::Check(options) => commands::check::run(&options, app::Practices::All),
        cli::Command::Monitor(options) => commands::monitor::run(&options),
        cli::Command::Evaluate(options) => commands::check::run(&options, app::Practices::Evaluate),
        cli::Command::Stress(options) => commands::stress::run(&options),
        cli::Command::Trace(command) => commands::trace::run(&command),
        cli::Command::Serve(options) => commands::serve::run(&options),
        cli::Command::Guard(options) => commands::guard::run(&options),
        cli::Command::Init(options) => commands::init::run(&options),
        cli::Command::Alert(cli::AlertCommand::Test(options)) => commands::alert::test(&options),
        cli::Command::Verify(options) => commands::verify::run(&options),
        cli::Command::Evidence(command) => commands::evidence::run(&command),
        cli::Command::Schema { of } => commands::schema::run(of),
        cli::Command::Completions { shell } => commands::completions::run(shell),
    };
    status.into()
}
