//! Channels that messages go to, and whether they arrive there.

use app::access::By;
use app::delivery::{self, Delivered};
use app::{alerting, site};
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use types::access::Action;
use view::site::settings::ChannelRow;

use super::systems::{Instant, PartAsked};
use crate::Shared;
use crate::asked::{Asked, Nothing, Segments};
use crate::auth::ApiCaller;
use crate::items::Part;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::visitor::blocking;

/// A channel, without its address and its secret.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Channel")]
pub(super) struct ChannelOut {
    name: String,
    /// Such as `Slack` or `e-mail`.
    kind: String,
    /// To whom mail goes; empty for other kinds.
    target: String,
    /// When the newest message arrived, where it did.
    delivered_at: Option<Instant>,
    /// Why the newest message did not.
    failure: Option<String>,
}

/// A message that was taken over by the other side.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Delivered")]
pub(super) struct DeliveredOut {
    /// What took it.
    by: String,
    /// What it answered.
    said: String,
}

pub(super) type Channels = Part<ChannelOut>;
pub(super) type Tested = Reply<DeliveredOut>;

impl From<ChannelRow> for ChannelOut {
    fn from(of: ChannelRow) -> Self {
        let ChannelRow { name, kind, target, delivered_at, failure } = of;
        Self { name, kind, target, delivered_at: delivered_at.map(Instant), failure }
    }
}

/// The channels of the organisation, for admins.
#[utoipa::path(get, path = "/channels", operation_id = "list_channels", tag = "channels", params(PartAsked),
    responses((status = 200, description = "Channels, in the order of organisation.toml.", body = Channels)))]
pub(super) async fn list(
    State(shared): State<Shared>,
    caller: ApiCaller,
    asked: PartAsked,
) -> Result<Channels, Problem> {
    caller.must(Action::Administer, None)?;
    let page = blocking(move || Ok(site::settings::channels(&shared.service, &shared.organisation)?)).await?;
    let channels = page.channels.into_iter().map(ChannelOut::from).collect();
    Ok(Part::of(&asked.uri, channels, asked.limit, asked.cursor))
}

/// Sends a test message through a channel and waits for what the other side says.
#[utoipa::path(post, path = "/channels/{name}/test", operation_id = "test_channel", tag = "channels",
    params(("name" = String, Path, description = "The channel's name.")),
    responses((status = 200, description = "It was taken over.", body = Tested),
        (status = 502, description = "The other side did not take it over.")))]
pub(super) async fn test(
    State(shared): State<Shared>,
    caller: ApiCaller,
    Segments(name): Segments<String>,
    _: Asked<Nothing>,
) -> Result<Tested, Problem> {
    caller.must(Action::Administer, None)?;
    let Delivered { by, said } = blocking(move || send_test(&shared, caller.by(), &name)).await?;
    Ok(Reply(DeliveredOut { by, said }))
}

/// Sends a test message for somebody.
pub(crate) fn send_test(shared: &Shared, by: By<'_>, channel: &str) -> Result<Delivered, Problem> {
    let (file, now) = (&shared.organisation, Timestamp::now());
    let receiver = delivery::resolve(channel, &file.organisation)
        .map_err(|error| Problem::not_found(error.to_string()))?;
    let message = alerting::test_message(by.caller.name(), now);
    let delivered = delivery::deliver(&file.organisation, file.folder(), &receiver, &message, now)
        .map_err(|error| Problem::new(StatusCode::BAD_GATEWAY, error.to_string()))?;
    shared.service.store().note(by.audit("channel.tested", channel, ""))?;
    Ok(delivered)
}
