//! Systems, their findings now and over time, their gates and their definitions.

use app::site;
use axum::extract::State;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use types::access::Action;
use types::definition::Tier;
use types::gate::GateDecision;
use types::{CheckId, Digest, Finding, Verdict, described};
use view::site::link::subject_key;
use view::site::overview::{OverviewFilter, SystemSummary};
use view::site::{Practice, Seen};

use crate::Shared;
use crate::asked::{Asked, Nothing, Segments};
use crate::auth::ApiCaller;
use crate::items::{Cursor, Limit, Part, PartQuery};
use crate::place::check_named;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::visitor::{blocking, sees};

/// A system and where it stands.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "System")]
pub(super) struct SystemOut {
    id: String,
    name: String,
    purpose: Option<String>,
    owner: Option<String>,
    /// The risk tier of the EU AI Act.
    tier: Option<Tier>,
    /// The version of the model that is watched.
    model: String,
    /// The worst of what is fresh; none where nothing is known.
    verdict: Option<Verdict>,
    practices: Vec<PracticeOut>,
    checked_at: Option<Instant>,
    fresh_until: Option<Instant>,
    gates: u64,
    gates_shut: u64,
}

/// An instant in UTC.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(super) struct Instant(#[schemars(with = "described::Instant")] pub(super) Timestamp);

/// What the evidence of one practice comes to.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PracticeState")]
pub(super) struct PracticeOut {
    #[schemars(schema_with = "practices")]
    practice: &'static str,
    verdict: Option<Verdict>,
    /// All of it has expired.
    stale: bool,
}

/// A finding with its place in evidence.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SeenFinding")]
pub(super) struct FindingOut {
    /// The number of its record in the chain of the system.
    seq: u64,
    at: Instant,
    /// From here on it counts as missing.
    fresh_until: Instant,
    #[serde(flatten)]
    finding: Finding,
}

/// A definition that was in force, or is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DefinitionVersion")]
pub(super) struct DefinitionOut {
    /// What evidence names as the definition that it was made under.
    hash: Digest,
    first_seen: Instant,
    in_force: bool,
    /// `forewarn.toml` as it was.
    text: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SystemsQuery {
    /// A part of the name or the id.
    #[serde(default)]
    q: String,
    verdict: Option<Verdict>,
    #[serde(default)]
    owner: String,
    /// How many items to give at most.
    #[serde(default)]
    limit: Limit,
    /// Where to go on: the `next` of the part before.
    #[serde(default)]
    cursor: Cursor,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FindingsQuery {
    check: Option<CheckId>,
    verdict: Option<Verdict>,
    /// How many items to give at most.
    #[serde(default)]
    limit: Limit,
    /// Where to go on: the `next` of the part before.
    #[serde(default)]
    cursor: Cursor,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OverTimeQuery {
    /// One subject: `feature:NAME`, `score:NAME`, `column:NAME`, `segment:COLUMN=VALUE`, `model`, `log`,
    /// `outcome` or `predicted-class`; all where none is named.
    subject: Option<String>,
    /// How many items to give at most.
    #[serde(default)]
    limit: Limit,
    /// Where to go on: the `next` of the part before.
    #[serde(default)]
    cursor: Cursor,
}

pub(super) type System = Reply<SystemOut>;
pub(super) type Systems = Part<SystemOut>;
pub(super) type SystemsAsked = Asked<SystemsQuery>;
pub(super) type Findings = Part<FindingOut>;
pub(super) type FindingsAsked = Asked<FindingsQuery>;
pub(super) type OverTimeAsked = Asked<OverTimeQuery>;
pub(super) type Gates = Part<GateDecision>;
pub(super) type Definitions = Part<DefinitionOut>;
pub(super) type PartAsked = Asked<PartQuery>;

fn practices(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    super::words(Practice::ALL.map(Practice::word))
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
            checked_at: of.checked_at.map(Instant),
            fresh_until: of.fresh_until.map(Instant),
            gates: of.gates,
            gates_shut: of.gates_shut,
        }
    }
}

impl From<Seen> for FindingOut {
    fn from(seen: Seen) -> Self {
        let Seen { seq, at, fresh_until, finding } = seen;
        Self { seq, at: Instant(at), fresh_until: Instant(fresh_until), finding }
    }
}

/// The systems that the caller may see.
///
/// By id.
#[utoipa::path(get, path = "/systems", operation_id = "list_systems", tag = "systems",
    params(SystemsAsked), responses((status = 200, description = "Systems.", body = Systems)))]
pub(super) async fn list(
    State(shared): State<Shared>,
    caller: ApiCaller,
    asked: SystemsAsked,
) -> Result<Systems, Problem> {
    caller.must(Action::Read, None)?;
    let SystemsQuery { q, verdict, owner, .. } = &*asked;
    let filter = OverviewFilter { text: q.clone(), verdict: *verdict, owner: owner.clone() };
    let page = blocking(move || {
        let may_see = |id: &str| sees(&caller.caller, id);
        Ok(site::overview::page(&shared.service, &may_see, filter, Timestamp::now())?)
    })
    .await?;
    let systems = page.systems.into_iter().map(SystemOut::from).collect();
    Ok(Part::of(&asked.uri, systems, asked.limit, asked.cursor))
}

/// One system.
#[utoipa::path(get, path = "/systems/{id}", operation_id = "get_system", tag = "systems",
    params(("id" = String, Path, description = "The system's id.")),
    responses((status = 200, description = "The system.", body = System)))]
pub(super) async fn one(
    State(shared): State<Shared>,
    caller: ApiCaller,
    Segments(id): Segments<String>,
    _: Asked<Nothing>,
) -> Result<System, Problem> {
    caller.must(Action::Read, Some(&id))?;
    let page =
        blocking(move || Ok(site::system::page(&shared.service, &id, Practice::Govern, Timestamp::now())?))
            .await?;
    Ok(Reply(SystemOut::from(page.system)))
}

/// The newest findings of every check.
#[utoipa::path(get, path = "/systems/{id}/findings", operation_id = "list_findings", tag = "systems",
    params(("id" = String, Path, description = "The system's id."), FindingsAsked),
    responses((status = 200, description = "Findings, by check.", body = Findings)))]
pub(super) async fn findings(
    State(shared): State<Shared>,
    caller: ApiCaller,
    Segments(id): Segments<String>,
    asked: FindingsAsked,
) -> Result<Findings, Problem> {
    caller.must(Action::Read, Some(&id))?;
    let findings = blocking(move || {
        let of = |tab| site::system::newest(&shared.service, &id, tab);
        Ok([of(Practice::Monitor)?, of(Practice::Evaluate)?].concat())
    })
    .await?;
    let is_wanted = |seen: &Seen| {
        asked.check.is_none_or(|check| seen.finding.check == check)
            && asked.verdict.is_none_or(|verdict| seen.finding.verdict == verdict)
    };
    let findings = findings.into_iter().filter(is_wanted).map(FindingOut::from).collect();
    Ok(Part::of(&asked.uri, findings, asked.limit, asked.cursor))
}

/// What a check found in every window.
///
/// By window, ascending.
#[utoipa::path(get, path = "/systems/{id}/checks/{check}", operation_id = "list_findings_over_time", tag = "systems",
    params(("id" = String, Path, description = "The system's id."),
        ("check" = String, Path, description = "The check's name, such as `monitor.drift`."), OverTimeAsked),
    responses((status = 200, description = "Findings, by window.", body = Findings)))]
pub(super) async fn over_time(
    State(shared): State<Shared>,
    caller: ApiCaller,
    Segments((id, check)): Segments<(String, String)>,
    asked: OverTimeAsked,
) -> Result<Findings, Problem> {
    caller.must(Action::Read, Some(&id))?;
    let check =
        check_named(&check).ok_or_else(|| Problem::not_found(format!("There is no check `{check}`.")))?;
    let findings = blocking(move || Ok(site::system::over_time(&shared.service, &id, check)?)).await?;
    let is_wanted =
        |seen: &Seen| asked.subject.as_ref().is_none_or(|key| subject_key(&seen.finding.subject) == *key);
    let findings = findings.into_iter().filter(is_wanted).map(FindingOut::from).collect();
    Ok(Part::of(&asked.uri, findings, asked.limit, asked.cursor))
}

/// The gates as they are now.
#[utoipa::path(get, path = "/systems/{id}/gates", operation_id = "list_gates", tag = "systems",
    params(("id" = String, Path, description = "The system's id."), PartAsked),
    responses((status = 200, description = "Gates, in the order of the definition.", body = Gates)))]
pub(super) async fn gates(
    State(shared): State<Shared>,
    caller: ApiCaller,
    Segments(id): Segments<String>,
    asked: PartAsked,
) -> Result<Gates, Problem> {
    caller.must(Action::Read, Some(&id))?;
    let gates = blocking(move || Ok(site::system::gates(&shared.service, &id, Timestamp::now())?)).await?;
    Ok(Part::of(&asked.uri, gates, asked.limit, asked.cursor))
}

/// The definitions that the system ever had here.
///
/// Oldest first.
#[utoipa::path(get, path = "/systems/{id}/definitions", operation_id = "list_definitions", tag = "systems",
    params(("id" = String, Path, description = "The system's id."), PartAsked),
    responses((status = 200, description = "Definitions, oldest first.", body = Definitions)))]
pub(super) async fn definitions(
    State(shared): State<Shared>,
    caller: ApiCaller,
    Segments(id): Segments<String>,
    asked: PartAsked,
) -> Result<Definitions, Problem> {
    caller.must(Action::Read, Some(&id))?;
    let definitions = blocking(move || {
        let in_force = known(&shared, &id)?.current().hash;
        let definition = |(first_seen, text): (Timestamp, String)| {
            let hash = Digest::of(text.as_bytes());
            DefinitionOut { hash, first_seen: Instant(first_seen), in_force: hash == in_force, text }
        };
        Ok(shared.service.store().definitions(&id)?.into_iter().map(definition).collect())
    })
    .await?;
    Ok(Part::of(&asked.uri, definitions, asked.limit, asked.cursor))
}

/// A system that is served.
pub(super) fn known<'s>(
    shared: &'s Shared,
    id: &str,
) -> Result<&'s std::sync::Arc<app::service::Served>, Problem> {
    shared.service.system(id).ok_or_else(|| Problem::not_found(format!("There is no system `{id}` here.")))
}
