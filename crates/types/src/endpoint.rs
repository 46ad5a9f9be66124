//! Faults of a server of models, and what callers got while they lasted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stats::interval::Interval;

use crate::described;
use crate::faults::{FaultStatus, NotTried};

/// What a proxy in front of a server does to answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "fault", rename_all = "kebab-case")]
pub enum EndpointFault {
    /// The answer comes late, always by as much.
    Latency { delay_ms: u64 },
    /// The answer comes late, by any time up to this.
    Jitter { delay_ms_most: u64 },
    /// The request is taken, and nothing comes.
    NoAnswer,
    /// The request is taken, and the connection is reset.
    Reset,
    /// The head of the answer comes at once, its body bit by bit over this time.
    SlowBody { over_ms: u64 },
    /// The connection is closed in the middle of the body.
    TruncatedBody,
    /// An error instead of an answer.
    Status { code: u16 },
    /// A whole answer with status 200 that ends in the middle of its JSON.
    MalformedJson,
    /// A page for people with status 200, as gateways send it.
    ErrorPage,
}

/// What a caller got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallerGot {
    /// The answer, as without the fault.
    Answer,
    /// An answer that is flagged as degraded.
    Degraded,
    /// An error in words of HTTP, in time.
    CleanError,
    /// What is no answer: a connection that breaks off, half a body, no JSON.
    Broken,
    /// Nothing within the time that a caller waits.
    Nothing,
    /// Another answer than without the fault, and nothing that says so.
    WrongAnswer,
}

impl CallerGot {
    /// In the order in which they are drawn.
    pub const ALL: [Self; 6] =
        [Self::Answer, Self::Degraded, Self::CleanError, Self::Broken, Self::Nothing, Self::WrongAnswer];

    pub fn title(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Degraded => "flagged as degraded",
            Self::CleanError => "clean error",
            Self::Broken => "broken answer",
            Self::Nothing => "nothing in time",
            Self::WrongAnswer => "another answer",
        }
    }
}

/// The faults that were tried, worst first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TriedEndpoint {
    /// The server that the faults were put in front of.
    pub model: String,
    /// Where callers ask; absent where only a plain client of this program stood behind the faults.
    pub through: Option<String>,
    /// How long a caller waits.
    pub patience_ms: u64,
    /// To which share of the requests a fault happened.
    pub rate: f64,
    pub faults: Vec<TriedEndpointFault>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_tried: Vec<NotTried>,
}

/// A fault, and what callers got.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TriedEndpointFault {
    #[serde(flatten)]
    pub fault: EndpointFault,
    pub title: String,
    /// What it was done to: requests that reached the proxy while it lasted.
    pub struck: u64,
    pub status: FaultStatus,
    /// One sentence: what callers got.
    pub sentence: String,
    pub got: Vec<CallersShare>,
    /// The longest that a caller waited.
    pub waited_ms_max: f64,
    /// What callers were told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How long it took until callers got answers as before; absent where they did not, or nobody looked.
    pub recovered_s: Option<f64>,
}

/// The share of requests for which callers got one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CallersShare {
    pub got: CallerGot,
    pub requests: u64,
    pub share: f64,
    #[schemars(with = "described::Interval")]
    pub interval: Interval,
}
