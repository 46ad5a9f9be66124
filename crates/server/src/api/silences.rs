//! Silences: promises not to tell anybody for a while, each with an end and a reason.

use app::attending::{self, NOTE_LENGTH_MAX};
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use types::access::Action;
use types::alert::{Matcher, Silence};

use super::alerts::changed;
use super::systems::{PartAsked, known};
use crate::Shared;
use crate::asked::{Asked, Body, Nothing, Segments, whole};
use crate::auth::ApiCaller;
use crate::items::Part;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::visitor::{blocking, sees};

/// A silence lasts at most a year.
const HOURS_MAX: u32 = 8784;

/// For how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hours(u32);

/// Why; others read it.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Reason(String);

/// Keeps alerts of a system quiet.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewSilence")]
pub(super) struct SilenceBody {
    /// The id of the system.
    system: String,
    /// The name of a rule; `*` stands for any text.
    #[serde(default = "any")]
    rule: String,
    /// What alerts are about; `*` stands for any text.
    #[serde(default = "any")]
    subject: String,
    hours: Hours,
    reason: Reason,
}

pub(super) type Silences = Part<Silence>;
pub(super) type SilenceMade = Reply<Silence>;
pub(super) type NewSilence = Body<SilenceBody>;

fn any() -> String {
    "*".into()
}

impl Hours {
    pub(super) fn get(self) -> u32 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Hours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match whole(deserializer)? {
            hours @ 1..=HOURS_MAX => Ok(Self(hours)),
            _ => Err(D::Error::custom(format!("a silence lasts from 1 to {HOURS_MAX} hours"))),
        }
    }
}

impl JsonSchema for Hours {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Hours".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": HOURS_MAX, "description": "For how long." })
    }
}

impl Reason {
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Reason {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_good = !text.trim().is_empty() && text.chars().count() <= NOTE_LENGTH_MAX;
        if is_good {
            Ok(Self(text.trim().to_owned()))
        } else {
            Err(format!(
                "a silence needs a reason in at most {NOTE_LENGTH_MAX} characters, so that others know why"
            ))
        }
    }
}

impl JsonSchema for Reason {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Reason".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "\\S",
            "maxLength": NOTE_LENGTH_MAX,
            "description": "Why; others read it."
        })
    }
}

/// Silences that have not ended.
///
/// Those first that end first.
#[utoipa::path(get, path = "/silences", operation_id = "list_silences", tag = "alerts", params(PartAsked),
    responses((status = 200, description = "Silences.", body = Silences)))]
pub(super) async fn list(
    State(shared): State<Shared>,
    caller: ApiCaller,
    asked: PartAsked,
) -> Result<Silences, Problem> {
    caller.must(Action::Read, None)?;
    let silences = blocking(move || {
        let may_see = |id: &str| sees(&caller.caller, id);
        Ok(attending::silences(&shared.service, &may_see, Timestamp::now())?)
    })
    .await?;
    Ok(Part::of(&asked.uri, silences, asked.limit, asked.cursor))
}

/// Keeps alerts of a system quiet for some hours.
///
/// A silence of the same alerts is replaced.
#[utoipa::path(post, path = "/silences", operation_id = "create_silence", tag = "alerts", request_body = NewSilence,
    responses((status = 201, description = "The silence.", body = SilenceMade),
        (status = 404, description = "There is no such system, or it is beyond those that the caller may see.")))]
pub(super) async fn create(
    State(shared): State<Shared>,
    caller: ApiCaller,
    _: Asked<Nothing>,
    Body(body): NewSilence,
) -> Result<(StatusCode, SilenceMade), Problem> {
    let SilenceBody { system, rule, subject, hours, reason } = body;
    caller.must(Action::Silence, Some(&system))?;
    blocking(move || {
        known(&shared, &system)?;
        let matcher = Matcher { system, rule, subject };
        let made = attending::silence(&shared.service, caller.by(), matcher, hours.get(), reason.text())?;
        changed(&shared);
        Ok((StatusCode::CREATED, Reply(made)))
    })
    .await
}

/// Ends a silence.
#[utoipa::path(delete, path = "/silences/{id}", operation_id = "end_silence", tag = "alerts",
    params(("id" = String, Path, description = "The silence's id.")),
    responses((status = 204, description = "It has ended.")))]
pub(super) async fn end(
    State(shared): State<Shared>,
    caller: ApiCaller,
    Segments(id): Segments<String>,
    _: Asked<Nothing>,
) -> Result<StatusCode, Problem> {
    blocking(move || {
        let missing = || Problem::not_found(format!("There is no silence `{id}`."));
        let may_see = |system: &str| sees(&caller.caller, system);
        let silences = attending::silences(&shared.service, &may_see, Timestamp::now())?;
        let silence = silences.into_iter().find(|silence| silence.id == id).ok_or_else(missing)?;
        caller.must(Action::Silence, Some(&silence.matcher.system))?;
        if !attending::end_silence(&shared.service, caller.by(), &id)? {
            return Err(missing());
        }
        changed(&shared);
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
