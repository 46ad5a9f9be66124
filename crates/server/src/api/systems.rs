//! Systems, their newest findings and their gates.

use app::site;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use types::access::Action;
use types::definition::Tier;
use types::gate::GateDecision;
use types::{Finding, Verdict};
use view::site::overview::{OverviewFilter, SystemSummary};
use view::site::{Practice, Seen};

use crate::Shared;
use crate::auth::ApiCaller;
use crate::problem::Problem;
use crate::reply;
use crate::visitor::{blocking, sees};

/// A system in a list.
#[derive(Debug, Serialize)]
struct SystemOut {
    id: String,
    name: String,
    purpose: Option<String>,
    owner: Option<String>,
    tier: Option<Tier>,
    model: String,
    /// The worst of what is fresh; none where nothing is known.
    verdict: Option<Verdict>,
    practices: Vec<PracticeOut>,
    checked_at: Option<Timestamp>,
    fresh_until: Option<Timestamp>,
    gates: u64,
    gates_shut: u64,
}

/// What the evidence of one practice comes to.
#[derive(Debug, Serialize)]
struct PracticeOut {
    practice: &'static str,
    verdict: Option<Verdict>,
    stale: bool,
}

/// A finding with its place in evidence.
#[derive(Debug, Serialize)]
struct FindingOut {
    seq: u64,
    at: Timestamp,
    fresh_until: Timestamp,
    #[serde(flatten)]
    finding: Finding,
}

impl From<SystemSummary> for SystemOut {
    fn from(of: SystemSummary) -> Self {
        let verdict = of.verdict();
        let practice = |state: view::site::PracticeState| PracticeOut {
            practice: state.practice.word(),
            verdict: state.verdict,
            stale: state.stale,
        };
        Self {
            verdict,
            practices: of.practices.into_iter().map(practice).collect(),
            id: of.id,
            name: of.name,
            purpose: of.purpose,
            owner: of.owner,
            tier: of.tier,
            model: of.model,
            checked_at: of.checked_at,
            fresh_until: of.fresh_until,
            gates: of.gates,
            gates_shut: of.gates_shut,
        }
    }
}

impl From<Seen> for FindingOut {
    fn from(seen: Seen) -> Self {
        Self { seq: seen.seq, at: seen.at, fresh_until: seen.fresh_until, finding: seen.finding }
    }
}

pub(super) async fn list(
    State(shared): State<Shared>,
    caller: ApiCaller,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    caller.must(Action::Read, None)?;
    let page = blocking(move || {
        let may_see = |id: &str| sees(&caller.caller, id);
        let filter = OverviewFilter::default();
        Ok(site::overview::page(&shared.service, &may_see, filter, Timestamp::now())?)
    })
    .await?;
    let systems: Vec<SystemOut> = page.systems.into_iter().map(SystemOut::from).collect();
    reply::json(&asked, &systems)
}

pub(super) async fn one(
    State(shared): State<Shared>,
    caller: ApiCaller,
    Path(id): Path<String>,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    caller.must(Action::Read, Some(&id))?;
    let page =
        blocking(move || Ok(site::system::page(&shared.service, &id, Practice::Govern, Timestamp::now())?))
            .await?;
    reply::json(&asked, &SystemOut::from(page.system))
}

/// The newest findings of every check.
pub(super) async fn findings(
    State(shared): State<Shared>,
    caller: ApiCaller,
    Path(id): Path<String>,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    caller.must(Action::Read, Some(&id))?;
    let findings = blocking(move || {
        let of = |tab| site::system::newest(&shared.service, &id, tab);
        Ok([of(Practice::Monitor)?, of(Practice::Evaluate)?].concat())
    })
    .await?;
    let findings: Vec<FindingOut> = findings.into_iter().map(FindingOut::from).collect();
    reply::json(&asked, &findings)
}

pub(super) async fn gates(
    State(shared): State<Shared>,
    caller: ApiCaller,
    Path(id): Path<String>,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    caller.must(Action::Read, Some(&id))?;
    let gates: Vec<GateDecision> =
        blocking(move || Ok(site::system::gates(&shared.service, &id, Timestamp::now())?)).await?;
    reply::json(&asked, &gates)
}
