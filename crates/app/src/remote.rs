//! Evidence that a server keeps, read and added to over its API.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use store::Chain;
use types::evidence::{ChainError, ChainReader, Evidence};
use ureq::Agent;
use ureq::http::StatusCode;
use url::Url;

use crate::outgoing::agent;

/// How long a server may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_mins(2);
/// The longest answer that is read.
const ANSWER_BYTES_MAX: u64 = 256 << 20;
/// As many as a server gives at once.
const LINES_AT_ONCE: u32 = 500;

#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    #[error("failed to reach the server {url}: {source}")]
    Unreachable { url: String, source: Box<ureq::Error> },
    #[error("the server {url} refused: {reason}")]
    Refused { url: String, reason: String },
    #[error("the server {url} answered something else than a Forewarn server does: {reason}")]
    Unexpected { url: String, reason: String },
    #[error("the evidence of `{chain}` on the server {url} is broken: {source}")]
    Broken { url: String, chain: String, source: ChainError },
}

/// A server, as the command line speaks to it.
#[derive(Debug)]
pub struct Remote {
    url: Url,
    token: Option<String>,
    agent: Agent,
}

/// A part of a list of lines.
#[derive(Deserialize)]
struct Lines {
    items: Vec<Box<RawValue>>,
    next: Option<String>,
}

/// What a server says of a request that it refuses (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    title: String,
    #[serde(default)]
    detail: String,
}

impl Remote {
    /// A server at an address, with the token that it gave out.
    pub fn new(url: Url, token: Option<String>) -> Self {
        Self { url, token, agent: agent(ANSWER_WITHIN) }
    }

    /// Where it is, as it may be shown.
    pub fn shown(&self) -> String {
        self.url.to_string()
    }

    /// Reads and verifies what was added to a chain since it was read.
    ///
    /// # Errors
    /// The server does not answer, refuses, or has a chain that is broken.
    pub fn read_on(&self, chain: &mut Chain) -> Result<(), RemoteError> {
        let mut reader = ChainReader::after(chain.end);
        for line in self.lines(&chain.id, chain.end.records)? {
            let broken = |source| RemoteError::Broken { url: self.shown(), chain: chain.id.clone(), source };
            chain.records.push(reader.read(&line).map_err(broken)?);
        }
        chain.end = reader.end();
        Ok(())
    }

    /// The lines of a chain from a record on, as they were recorded.
    ///
    /// # Errors
    /// The server does not answer or refuses.
    pub fn lines(&self, id: &str, from: u64) -> Result<Vec<String>, RemoteError> {
        let mut all = Vec::new();
        // The cursor of evidence is the number of a record.
        let mut next = Some(from.to_string());
        while let Some(cursor) = next {
            let path = format!(
                "api/v1/systems/{}/evidence?limit={LINES_AT_ONCE}&cursor={}",
                encoded(id),
                encoded(&cursor)
            );
            let page: Lines = self.ask(&path, None)?;
            all.extend(page.items.iter().map(|line| line.get().to_owned()));
            next = page.next;
        }
        Ok(all)
    }

    /// Hands in a run's evidence, and reads what the chain became.
    ///
    /// # Errors
    /// The server does not answer or refuses. Whether a request that broke off was taken is seen from the
    /// chain when it is read again.
    pub fn append(&self, chain: &mut Chain, evidence: &Evidence) -> Result<(), RemoteError> {
        let path = format!("api/v1/systems/{}/evidence", encoded(&chain.id));
        let _: serde_json::Value = self.ask(&path, Some(evidence))?;
        self.read_on(chain)
    }

    /// Asks for what is at a path, or hands something in there.
    fn ask<T: DeserializeOwned>(&self, path: &str, body: Option<&Evidence>) -> Result<T, RemoteError> {
        let unexpected = |reason: String| RemoteError::Unexpected { url: self.shown(), reason };
        let url = self.url.join(path).map_err(|error| unexpected(error.to_string()))?;
        let authorization = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let answer = match body {
            None => {
                let mut request = self.agent.get(url.as_str());
                if let Some(authorization) = &authorization {
                    request = request.header("Authorization", authorization);
                }
                request.call()
            }
            Some(body) => {
                let mut request = self.agent.post(url.as_str()).header("Content-Type", "application/json");
                if let Some(authorization) = &authorization {
                    request = request.header("Authorization", authorization);
                }
                let text = serde_json::to_string(body).map_err(|error| unexpected(error.to_string()))?;
                request.send(text)
            }
        };
        let unreachable =
            |source: ureq::Error| RemoteError::Unreachable { url: self.shown(), source: Box::new(source) };
        let mut answer = answer.map_err(unreachable)?;
        let status = answer.status();
        let text =
            answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string().map_err(unreachable)?;
        if status == StatusCode::OK {
            return serde_json::from_str(&text).map_err(|error| unexpected(error.to_string()));
        }
        Err(match serde_json::from_str::<Problem>(&text) {
            Ok(Problem { title, detail }) => {
                RemoteError::Refused { url: self.shown(), reason: format!("{title}. {detail}") }
            }
            Err(_) => unexpected(format!("status {status}")),
        })
    }
}

fn encoded(id: &str) -> String {
    url::form_urlencoded::byte_serialize(id.as_bytes()).collect::<String>().replace('+', "%20")
}
