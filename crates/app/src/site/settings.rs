//! Channels and the audit log.

use store::{Delivery, DeliveryState};
use types::organisation::ChannelKind;
use view::site::settings::{AuditPage, AuditRow, ChannelRow, ChannelsPage};

use super::SiteError;
use crate::access::{AccessError, By, audit_log};
use crate::organisation::OrganisationFile;
use crate::service::Service;

/// Entries of one page of the audit log.
const ENTRIES_SHOWN: u32 = 100;

/// The channels of the organisation, and whether messages arrive there. Addresses and secrets are not shown.
///
/// # Errors
/// The database does not answer.
pub fn channels(service: &Service, organisation: &OrganisationFile) -> Result<ChannelsPage, SiteError> {
    let last = service.store().last_deliveries()?;
    let row = |channel: &types::organisation::Channel| {
        let of: Option<&Delivery> = last.iter().find(|delivery| delivery.contact == channel.name);
        let delivered = of.filter(|delivery| delivery.state == DeliveryState::Delivered);
        let dead = of.filter(|delivery| delivery.state == DeliveryState::Dead);
        ChannelRow {
            name: channel.name.clone(),
            kind: kind(channel.kind).into(),
            target: channel.to.join(", "),
            delivered_at: delivered.map(|delivery| delivery.made),
            failure: dead.map(|delivery| delivery.said.clone()),
        }
    };
    Ok(ChannelsPage { channels: organisation.organisation.channel.iter().map(row).collect() })
}

fn kind(of: ChannelKind) -> &'static str {
    match of {
        ChannelKind::Slack => "Slack",
        ChannelKind::Teams => "Microsoft Teams",
        ChannelKind::PagerDuty => "PagerDuty",
        ChannelKind::Webhook => "webhook",
        ChannelKind::Alertmanager => "Alertmanager",
        ChannelKind::Email => "e-mail",
    }
}

/// What was changed by whom, newest first, before an entry where one is given.
///
/// # Errors
/// The caller may not read it, or the database does not answer.
pub fn audit(service: &Service, by: By<'_>, before: Option<u64>) -> Result<AuditPage, AccessError> {
    let page = audit_log(service.store(), by, before, ENTRIES_SHOWN)?;
    let row = |record: types::audit::AuditRecord| AuditRow {
        at: record.at,
        who: record.actor,
        what: record.action,
        subject: record.object,
        href: None,
        note: record.detail,
        address: record.address.unwrap_or_default(),
    };
    Ok(AuditPage {
        entries: page.records.into_iter().map(row).collect(),
        older: page.next.map(|next| next.to_string()),
    })
}
