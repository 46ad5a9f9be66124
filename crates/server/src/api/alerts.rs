//! Alerts as they stand, with everything that is known of one, and what people do about them.

use app::attending::{self, NOTE_LENGTH_MAX};
use app::site;
use app::site::alerts::AlertKey;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use types::access::Action;
use types::alert::Silence;
use types::message::Severity;
use view::site::alert::{AlertEvent, AlertPage};
use view::site::alerts::{AlertRow, AlertState};

use super::silences::{Hours, Reason, SilenceMade};
use super::systems::{FindingOut, Instant, known};
use crate::Shared;
use crate::asked::{Asked, Body, Nothing, Segments};
use crate::auth::ApiCaller;
use crate::items::{Cursor, Limit, Part};
use crate::problem::Problem;
use crate::reply::Reply;
use crate::visitor::{blocking, sees};

/// A rule of a system about a subject.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Alert")]
pub(super) struct AlertOut {
    id: String,
    system: String,
    /// The name of the rule in the definition.
    rule: String,
    /// What it is about: `dewp`, `origin = JFK`, or `system`.
    subject: String,
    #[schemars(schema_with = "states")]
    state: &'static str,
    severity: Severity,
    /// One line.
    title: String,
    /// What happened, as a sentence.
    summary: String,
    /// When its state began.
    since: Instant,
    acknowledged_by: Option<String>,
    silenced_until: Option<Instant>,
}

/// An alert with everything that is known of it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AlertInFull")]
pub(super) struct AlertInFullOut {
    #[serde(flatten)]
    alert: AlertOut,
    what_happened: String,
    how_sure: String,
    who_is_affected: String,
    what_to_do: String,
    /// The findings that it rests on.
    evidence: Vec<FindingOut>,
    /// Newest first.
    history: Vec<EventOut>,
}

/// Something that happened to an alert.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AlertEvent")]
pub(super) struct EventOut {
    at: Instant,
    what: String,
    /// The person; null where it was the program.
    who: Option<String>,
    note: Option<String>,
    /// A delivery that failed.
    failed: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AlertsQuery {
    #[schemars(with = "Option<StateShape>")]
    state: Option<String>,
    /// The id of a system.
    system: Option<String>,
    severity: Option<Severity>,
    /// How many items to give at most.
    #[serde(default)]
    limit: Limit,
    /// Where to go on: the `next` of the part before.
    #[serde(default)]
    cursor: Cursor,
}

/// Takes an alert on.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Acknowledgement")]
pub(super) struct AcknowledgementBody {
    /// What others should know.
    #[serde(default)]
    #[schemars(length(max = NOTE_LENGTH_MAX))]
    note: String,
}

/// Keeps an alert quiet.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AlertSilence")]
pub(super) struct AlertSilenceBody {
    hours: Hours,
    reason: Reason,
}

/// The states as a query names them.
struct StateShape;

pub(super) type Alerts = Part<AlertOut>;
pub(super) type Alert = Reply<AlertInFullOut>;
pub(super) type AlertsAsked = Asked<AlertsQuery>;
pub(super) type NewAcknowledgement = Body<AcknowledgementBody>;
pub(super) type NewAlertSilence = Body<AlertSilenceBody>;

impl JsonSchema for StateShape {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AlertState".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        states(generator)
    }
}

fn states(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    super::words(AlertState::ALL.map(AlertState::word))
}

impl From<AlertRow> for AlertOut {
    fn from(of: AlertRow) -> Self {
        Self {
            id: of.id,
            system: of.system.id,
            rule: of.rule,
            subject: of.subject,
            state: of.state.word(),
            severity: of.severity,
            title: of.title,
            summary: of.sentence,
            since: Instant(of.since),
            acknowledged_by: of.acknowledged_by,
            silenced_until: of.silenced_until.map(Instant),
        }
    }
}

impl From<AlertEvent> for EventOut {
    fn from(of: AlertEvent) -> Self {
        Self { at: Instant(of.at), what: of.what, who: of.who, note: of.note, failed: of.failed }
    }
}

impl From<AlertPage> for AlertInFullOut {
    fn from(of: AlertPage) -> Self {
        Self {
            alert: of.alert.into(),
            what_happened: of.message.what_happened,
            how_sure: of.message.how_sure,
            who_is_affected: of.message.who_is_affected,
            what_to_do: of.message.what_to_do,
            evidence: of.evidence.into_iter().map(FindingOut::from).collect(),
            history: of.history.into_iter().map(EventOut::from).collect(),
        }
    }
}

/// Alerts of all systems that the caller may see.
///
/// The gravest first, of these the newest. Of those that are over, the newest hundred of each system.
#[utoipa::path(get, path = "/alerts", operation_id = "list_alerts", tag = "alerts", params(AlertsAsked),
    responses((status = 200, description = "Alerts.", body = Alerts),
        (status = 404, description = "There is no such system, or it is beyond those that the caller may see.")))]
pub(super) async fn list(
    State(shared): State<Shared>,
    caller: ApiCaller,
    asked: AlertsAsked,
) -> Result<Alerts, Problem> {
    caller.must(Action::Read, asked.system.as_deref())?;
    let state = asked.state.as_deref().map(|word| {
        AlertState::named(word).ok_or_else(|| Problem::bad(format!("`{word}` is no state of an alert.")))
    });
    let state = state.transpose()?;
    let system = asked.system.clone();
    let alerts = blocking(move || {
        if let Some(system) = &system {
            known(&shared, system)?;
        }
        let may_see = |id: &str| sees(&caller.caller, id);
        Ok(site::alerts::list(&shared.service, &may_see, system.as_deref())?)
    })
    .await?;
    let is_wanted = |alert: &AlertRow| {
        state.is_none_or(|state| alert.state == state)
            && asked.severity.is_none_or(|severity| alert.severity == severity)
    };
    let alerts = alerts.into_iter().filter(is_wanted).map(AlertOut::from).collect();
    Ok(Part::of(&asked.uri, alerts, asked.limit, asked.cursor))
}

/// One alert with everything that is known of it.
#[utoipa::path(get, path = "/alerts/{id}", operation_id = "get_alert", tag = "alerts",
    params(("id" = String, Path, description = "The alert's id.")),
    responses((status = 200, description = "The alert.", body = Alert)))]
pub(super) async fn one(
    State(shared): State<Shared>,
    caller: ApiCaller,
    Segments(id): Segments<String>,
    _: Asked<Nothing>,
) -> Result<Alert, Problem> {
    blocking(move || {
        let key = key(&shared, &caller, &id, Action::Read)?;
        Ok(Reply(site::alerts::alert(&shared.service, &key, Timestamp::now())?.into()))
    })
    .await
}

/// Takes an alert on.
///
/// No more reminders and no escalation until it is over or gets worse.
#[utoipa::path(post, path = "/alerts/{id}/acknowledgement", operation_id = "acknowledge_alert", tag = "alerts",
    params(("id" = String, Path, description = "The alert's id.")), request_body = NewAcknowledgement,
    responses((status = 204, description = "It is noted.")))]
pub(super) async fn acknowledge(
    State(shared): State<Shared>,
    caller: ApiCaller,
    Segments(id): Segments<String>,
    _: Asked<Nothing>,
    Body(body): NewAcknowledgement,
) -> Result<StatusCode, Problem> {
    if body.note.chars().count() > NOTE_LENGTH_MAX {
        let detail = format!("note: at most {NOTE_LENGTH_MAX} characters.");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
    }
    blocking(move || {
        let key = key(&shared, &caller, &id, Action::Acknowledge)?;
        attending::acknowledge(&shared.service, caller.by(), &key, body.note.trim())?;
        changed(&shared);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Keeps an alert quiet for some hours.
///
/// A silence of the same alert is replaced.
#[utoipa::path(post, path = "/alerts/{id}/silence", operation_id = "silence_alert", tag = "alerts",
    params(("id" = String, Path, description = "The alert's id.")), request_body = NewAlertSilence,
    responses((status = 201, description = "The silence.", body = SilenceMade)))]
pub(super) async fn silence(
    State(shared): State<Shared>,
    caller: ApiCaller,
    Segments(id): Segments<String>,
    _: Asked<Nothing>,
    Body(body): NewAlertSilence,
) -> Result<(StatusCode, SilenceMade), Problem> {
    blocking(move || {
        let key = key(&shared, &caller, &id, Action::Silence)?;
        let matcher = attending::matcher_of(&key);
        let made: Silence =
            attending::silence(&shared.service, caller.by(), matcher, body.hours.get(), body.reason.text())?;
        changed(&shared);
        Ok((StatusCode::CREATED, Reply(made)))
    })
    .await
}

/// The alert of an id, if the caller may do that to it. One of a system that they may not see is not there.
fn key(shared: &Shared, caller: &ApiCaller, id: &str, action: Action) -> Result<AlertKey, Problem> {
    let system = id.rsplit_once('.').map_or(id, |(system, _)| system);
    let is_beyond = !caller.caller.permission.reach.includes(system);
    if is_beyond {
        return Err(Problem::not_found(format!("There is no alert `{id}`.")));
    }
    caller.must(action, Some(system))?;
    Ok(AlertKey::of_id(&shared.service, id)?)
}

/// Has alerts evaluated again, and pages that are open read again.
pub(super) fn changed(shared: &Shared) {
    (shared.look)();
    shared.events.changed(&["alerts"]);
}
