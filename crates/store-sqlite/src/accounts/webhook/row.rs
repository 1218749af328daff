//! A webhook, and a delivery, as their rows.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use store::{Corrupt, Webhook, WebhookDelivery};
use types::{WebhookDeliveryId, WebhookId};

use crate::accounts::app_password::row::{spaced, unspaced};
use crate::row::{Columns, Query, octets, time};

pub(super) fn insert(webhook: &Webhook) -> Query {
    sqlx::query("INSERT INTO webhooks (id, url, events, sealed, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(webhook.id.as_bytes().to_vec())
        .bind(webhook.url.clone())
        .bind(spaced(&webhook.events))
        .bind(webhook.sealed.clone())
        .bind(webhook.created_at.as_millisecond())
}

pub(super) fn insert_delivery(delivery: &WebhookDelivery) -> Query {
    let insert = "INSERT INTO webhook_deliveries (id, webhook, event, body, made_at, attempts, next_at, leased_until) \
                  VALUES ($1, $2, $3, $4, $5, $6, $7, 0)";
    sqlx::query(insert)
        .bind(delivery.id.as_bytes().to_vec())
        .bind(delivery.webhook.as_bytes().to_vec())
        .bind(delivery.event.name())
        .bind(delivery.body.clone())
        .bind(delivery.made_at.as_millisecond())
        .bind(delivery.attempts)
        .bind(delivery.next_at.map(Timestamp::as_millisecond))
}

pub(super) fn webhook(row: &SqliteRow) -> Result<Webhook, Corrupt> {
    let unknown = Columns::of(row, "webhooks", "?");
    let id = unknown.read("id", |id: &[u8]| octets(id).map(WebhookId::from_bytes))?;
    let columns = Columns::of(row, "webhooks", id);
    Ok(Webhook {
        id,
        url: columns.take("url")?,
        events: columns.read("events", unspaced)?,
        sealed: columns.take("sealed")?,
        created_at: columns.read("created_at", time)?,
        failing_since: columns.maybe("failing_since", time)?,
        disabled_at: columns.maybe("disabled_at", time)?,
    })
}

pub(super) fn delivery(row: &SqliteRow) -> Result<WebhookDelivery, Corrupt> {
    let unknown = Columns::of(row, "webhook_deliveries", "?");
    let id = unknown.read("delivery", |id: &[u8]| octets(id).map(WebhookDeliveryId::from_bytes))?;
    let columns = Columns::of(row, "webhook_deliveries", id);
    Ok(WebhookDelivery {
        id,
        webhook: columns.read("webhook", |id: &[u8]| octets(id).map(WebhookId::from_bytes))?,
        event: columns.read("event", |name: &str| name.parse().ok())?,
        body: columns.take("body")?,
        made_at: columns.read("made_at", time)?,
        attempts: columns.take("attempts")?,
        next_at: columns.maybe("next_at", time)?,
        delivered_at: columns.maybe("delivered_at", time)?,
        status: columns.maybe("status", |status: i64| u16::try_from(status).ok())?,
        said: columns.take("said")?,
    })
}

/// A delivery with its webhook.
pub(super) fn leased(row: &SqliteRow) -> Result<(WebhookDelivery, Webhook), Corrupt> {
    Ok((delivery(row)?, webhook(row)?))
}
