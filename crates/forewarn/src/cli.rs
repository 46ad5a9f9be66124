//! The command line: what can be asked for.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use app::Database;
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use types::Window;
use types::definition::Task;
use types::evidence::Checkpoint;
use url::Url;

/// AI risk management as a living practice.
///
/// Forewarn watches a machine-learning model in production from its prediction log: which inputs
/// and outputs drifted, how good the model is on average and where it is worst, whether its scores
/// mean what they say, and whether its gates are open.
#[derive(Debug, Parser)]
#[command(name = "forewarn", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// When to colour the output
    #[arg(long, value_enum, default_value_t = Color::Auto, global = true)]
    pub(crate) color: Color,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make every check, record the evidence and decide the gates
    Check(CheckOptions),
    /// Make up for every window that was missed: drift, data quality, performance over time
    Monitor(MonitorOptions),
    /// Only performance, worst segment and calibration
    Evaluate(CheckOptions),
    /// Break the model's inputs on purpose: how does it answer, and would anybody notice?
    Stress(StressOptions),
    /// Ask where a prediction came from, and what a dataset touched
    #[command(subcommand)]
    Trace(TraceCommand),
    /// Serve the systems of a folder: catch up, keep the schedule, show everything on a page
    Serve(ServeOptions),
    /// Stand before the model's server: enforce a policy of degradation, write the prediction log
    Guard(GuardOptions),
    /// Look at a log and write a first forewarn.toml
    Init(InitOptions),
    /// See whether alerts arrive
    #[command(subcommand)]
    Alert(AlertCommand),
    /// Prove that no evidence was changed, removed or reordered
    Verify(VerifyOptions),
    /// Take evidence out of the database as lines, or into it
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    /// Print the JSON Schema of forewarn.toml or organisation.toml, for editors
    Schema {
        /// Which file's
        #[arg(value_enum, default_value_t = SchemaOf::Definition)]
        of: SchemaOf,
    },
    /// Print completions for a shell
    Completions { shell: clap_complete::Shell },
}

#[derive(Debug, Args)]
pub(crate) struct CheckOptions {
    /// A folder with a forewarn.toml, or the file itself
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// The window to check, FROM/TO, such as 2013-06-03/2013-06-10 [default: the last whole week]
    #[arg(long, value_name = "FROM/TO")]
    pub(crate) window: Option<Window>,
    /// Check as if it were this instant: later outcomes are not used [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = types::window::parse_instant)]
    pub(crate) as_of: Option<Timestamp>,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Also write a self-contained HTML report
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) state: StateOptions,
}

#[derive(Debug, Args)]
pub(crate) struct StateOptions {
    /// Where evidence is kept, sqlite:PATH or postgres://USER@HOST/NAME [default: .forewarn/state.db beside
    /// the definition, or what a server serves it from]
    #[arg(long, value_name = "URL", env = "FOREWARN_DATABASE", hide_env_values = true)]
    pub(crate) database: Option<Database>,
    /// Keep evidence on a Forewarn server instead, such as `https://forewarn.example.org`
    #[arg(long, value_name = "URL", env = "FOREWARN_SERVER", conflicts_with = "database")]
    pub(crate) server: Option<Url>,
    /// The server's token
    #[arg(long, value_name = "TOKEN", env = "FOREWARN_TOKEN", hide_env_values = true, requires = "server")]
    pub(crate) token: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct MonitorOptions {
    #[command(flatten)]
    pub(crate) check: CheckOptions,
    /// Make up for windows from this instant on [default: the end of the reference]
    #[arg(long, value_name = "INSTANT", value_parser = types::window::parse_instant, conflicts_with = "window")]
    pub(crate) since: Option<Timestamp>,
    /// What the report covers
    #[arg(long, value_enum, default_value_t = Period::Weekly, conflicts_with = "window")]
    pub(crate) report: Period,
}

#[derive(Debug, Args)]
pub(crate) struct StressOptions {
    #[command(flatten)]
    pub(crate) check: CheckOptions,
    /// Only these checks, with commas [default: all; load and endpoint where the definition has their section]
    #[arg(long, value_enum, value_delimiter = ',', value_name = "CHECK")]
    pub(crate) only: Vec<StressCheck>,
    /// Also write what to do while an input is down, as TOML
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StressCheck {
    /// Whether the model answers unchanged rows as the log has it
    Parity,
    /// Inputs and sources that are missing
    Missing,
    /// Stale feeds, wrong joins, units, categories and other faults
    Faults,
    /// Whether monitoring notices what hurts
    Detection,
    /// How many requests a second the model's server stands
    Load,
    /// What callers get when the model's server is slow, breaks off or talks nonsense
    Endpoint,
    /// How many decisions somebody can flip, who can change what `[stress.manipulation]` declares
    Manipulation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Period {
    /// Drift by the cadence of `monitor.drift`
    Weekly,
    /// By the cadence of `monitor.performance`
    Monthly,
    /// By the cadence of `monitor.reassess`
    Quarterly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table for the terminal
    Text,
    /// The whole report, versioned
    Json,
    /// JUnit XML, for CI
    Junit,
    /// For a pull request or a wiki
    Markdown,
}

#[derive(Debug, Args)]
pub(crate) struct ServeOptions {
    /// A folder with a forewarn.toml, or with folders that have one
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7615", env = "FOREWARN_LISTEN")]
    pub(crate) listen: SocketAddr,
    /// A certificate in PEM, to serve over TLS
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_certificate: Option<PathBuf>,
    /// The certificate's private key in PEM
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Let everybody who reaches this machine's loopback in as an admin: for trying it out
    #[arg(long)]
    pub(crate) insecure_no_auth: bool,
    /// A proxy before the server, whose X-Forwarded-For is believed; may be given several times
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) proxy: Vec<IpAddr>,
    /// Where people reach the server, for links in messages [default: where it listens]
    #[arg(long, value_name = "URL", env = "FOREWARN_URL")]
    pub(crate) url: Option<String>,
    /// The organisation's file [default: organisation.toml beside the definitions or in a folder above]
    #[arg(long, value_name = "FILE")]
    pub(crate) organisation: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) state: StateOptions,
}

#[derive(Debug, Args)]
pub(crate) struct GuardOptions {
    /// A folder with a forewarn.toml, or the file itself
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Where to listen [default: guard.listen of the definition, 127.0.0.1:8081]
    #[arg(long, value_name = "ADDRESS:PORT", env = "FOREWARN_GUARD_LISTEN")]
    pub(crate) listen: Option<SocketAddr>,
    /// What to do in which outage, as `forewarn stress --policy` writes it [default: guard.policy of the definition]
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct InitOptions {
    /// A Parquet or CSV file, a folder or a glob
    pub(crate) log: PathBuf,
    /// What the model predicts
    #[arg(long, value_enum, default_value_t = TaskName::Binary)]
    pub(crate) task: TaskName,
    /// Where to write; `-` prints it
    #[arg(long, short, default_value = "forewarn.toml")]
    pub(crate) output: PathBuf,
    /// Overwrite a file that is there
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceCommand {
    /// Print a system's evidence, one record a line, as its hashes cover it
    Export {
        /// A folder with a forewarn.toml, or the file itself
        #[arg(default_value = ".")]
        path: PathBuf,
        #[command(flatten)]
        state: StateOptions,
    },
    /// Take over exported evidence that goes on from what is there
    Import {
        /// A file of lines
        file: PathBuf,
        /// A folder with a forewarn.toml, or the file itself
        #[arg(default_value = ".")]
        path: PathBuf,
        #[command(flatten)]
        state: StateOptions,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TraceCommand {
    /// Take in files of OpenLineage events, one a line
    Import {
        /// Files of lines
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        place: TracePlace,
    },
    /// What the predictions of a time came of
    Prediction {
        /// When the prediction was made
        #[arg(long, value_name = "INSTANT", value_parser = types::window::parse_instant)]
        time: Timestamp,
        /// The version of the model that made it [default: the definition's]
        #[arg(long, value_name = "VERSION")]
        model: Option<String>,
        #[command(flatten)]
        options: TraceOptions,
        #[command(flatten)]
        form: TraceForm,
    },
    /// What a dataset, a version of one, or a model version came of
    Dataset {
        /// NAME or NAME@VERSION, with its namespace before it where that is needed
        name: String,
        #[command(flatten)]
        options: TraceOptions,
        #[command(flatten)]
        form: TraceForm,
    },
    /// What came of a dataset, a version of one, or a model version
    Impact {
        /// NAME or NAME@VERSION, with its namespace before it where that is needed
        name: String,
        #[command(flatten)]
        options: TraceOptions,
        #[command(flatten)]
        form: TraceForm,
    },
    /// What differs between what two of them came of
    Diff {
        first: String,
        second: String,
        #[command(flatten)]
        options: TraceOptions,
        /// What to print
        #[arg(long, value_enum, default_value_t = ListFormat::Text)]
        format: ListFormat,
    },
    /// What lacks lineage
    Gaps {
        #[command(flatten)]
        options: TraceOptions,
        /// What to print
        #[arg(long, value_enum, default_value_t = ListFormat::Text)]
        format: ListFormat,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TracePlace {
    /// A folder with a forewarn.toml, or the file itself
    #[arg(long, value_name = "PATH", default_value = ".")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) state: StateOptions,
}

#[derive(Debug, Args)]
pub(crate) struct TraceOptions {
    #[command(flatten)]
    pub(crate) place: TracePlace,
    /// As it was at this instant [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = types::window::parse_instant)]
    pub(crate) as_of: Option<Timestamp>,
    /// By what was known at this instant [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = types::window::parse_instant)]
    pub(crate) known_at: Option<Timestamp>,
    /// At most so many nodes, or gaps of one kind
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    pub(crate) most: usize,
}

#[derive(Debug, Args)]
pub(crate) struct TraceForm {
    /// What to print
    #[arg(long, value_enum, default_value_t = TraceFormat::Text)]
    pub(crate) format: TraceFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TraceFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// For Graphviz
    Dot,
    /// For pages in Markdown
    Mermaid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AlertCommand {
    /// Send a test message to the channels of organisation.toml
    Test(AlertTestOptions),
}

#[derive(Debug, Args)]
pub(crate) struct AlertTestOptions {
    /// A folder with a forewarn.toml, or the file itself
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// A channel's name, or email:ADDRESS; may be given several times [default: all channels]
    #[arg(long, value_name = "RECEIVER")]
    pub(crate) to: Vec<String>,
    /// The organisation's file [default: organisation.toml beside the definition or in a folder above]
    #[arg(long, value_name = "FILE")]
    pub(crate) organisation: Option<PathBuf>,
    /// Also say that it is over, as at the end of an alert
    #[arg(long)]
    pub(crate) resolve: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyOptions {
    /// A folder with a forewarn.toml, the file itself, or exported evidence (*.jsonl)
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// COUNT:HASH of an earlier run, kept elsewhere: proves that no tail was cut since
    #[arg(long, value_name = "COUNT:HASH")]
    pub(crate) checkpoint: Option<Checkpoint>,
    #[command(flatten)]
    pub(crate) state: StateOptions,
}

/// What has a grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// forewarn.toml
    Definition,
    /// organisation.toml
    Organisation,
    /// The HTTP API of `forewarn serve`, as an OpenAPI document
    Openapi,
}

/// The tasks of [`types::definition::Task`] as arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TaskName {
    /// One of two classes
    Binary,
    /// One of several classes
    Multiclass,
    /// A number
    Regression,
}

impl TaskName {
    pub(crate) fn task(self) -> Task {
        match self {
            Self::Binary => Task::Binary,
            Self::Multiclass => Task::Multiclass,
            Self::Regression => Task::Regression,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    pub(crate) fn apply(self) {
        match self {
            Self::Auto => {}
            Self::Always => anstream::ColorChoice::Always.write_global(),
            Self::Never => anstream::ColorChoice::Never.write_global(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }
}
