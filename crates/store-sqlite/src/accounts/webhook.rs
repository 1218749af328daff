//! Webhooks and their deliveries as rows.

mod row;

use jiff::Timestamp;
use sqlx::{Row as _, Sqlite, Transaction};
use store::{
    Act, Action, AuditEvent, Error, Page, Webhook, WebhookAttempt, WebhookDelivery, WebhookFate, Webhooks,
};
use types::{WebhookDeliveryId, WebhookId};

use super::SqliteAccounts;
use super::audit;
use crate::failure::unavailable;
use row::{delivery, insert, insert_delivery, leased, webhook};

impl Webhooks for SqliteAccounts {
    async fn add_webhook(&self, webhook: &Webhook, at_most: u32, act: &Act) -> Result<(), Error> {
        let mut transaction = self.begin().await?;
        let count = sqlx::query_scalar("SELECT count(*) FROM webhooks").fetch_one(&mut *transaction);
        let count: u32 = count.await.map_err(unavailable)?;
        if count >= at_most {
            return Err(Error::TooMany);
        }
        if count == 0 {
            // Nobody has looked for a while.
            let seen = "UPDATE webhook_place SET seen = (SELECT coalesce(max(id), 0) FROM audit)";
            sqlx::query(seen).execute(&mut *transaction).await.map_err(unavailable)?;
        }
        insert(webhook).execute(&mut *transaction).await.map_err(unavailable)?;
        let event = AuditEvent::success(Action::WebhookAdd, act).about(webhook.id);
        audit::enter(&mut transaction, &event).await?;
        transaction.commit().await.map_err(unavailable)
    }

    async fn webhooks(&self) -> Result<Vec<Webhook>, Error> {
        let all = sqlx::query("SELECT * FROM webhooks ORDER BY id").fetch_all(self.database.readers()?);
        all.await.map_err(unavailable)?.iter().map(|row| Ok(webhook(row)?)).collect()
    }

    async fn remove_webhook(&self, id: WebhookId, act: &Act) -> Result<bool, Error> {
        let mut transaction = self.begin().await?;
        let delete = sqlx::query("DELETE FROM webhooks WHERE id = $1").bind(id.as_bytes().to_vec());
        if delete.execute(&mut *transaction).await.map_err(unavailable)?.rows_affected() == 0 {
            return Ok(false);
        }
        let event = AuditEvent::success(Action::WebhookRemove, act).about(id);
        audit::enter(&mut transaction, &event).await?;
        transaction.commit().await.map_err(unavailable)?;
        Ok(true)
    }

    async fn webhook_news(&self, at_most: u32) -> Result<(i64, Vec<(i64, AuditEvent)>), Error> {
        let seen = "SELECT CASE WHEN seen > (SELECT coalesce(max(id), 0) FROM audit) THEN 0 ELSE seen END \
                    FROM webhook_place WHERE EXISTS (SELECT 1 FROM webhooks)";
        let seen = sqlx::query_scalar(seen).fetch_optional(self.database.readers()?).await;
        let Some(seen): Option<i64> = seen.map_err(unavailable)? else { return Ok((0, Vec::new())) };
        Ok((seen, self.entered_behind(seen, at_most).await?))
    }

    async fn keep_webhook_deliveries(
        &self,
        (from, to): (i64, i64),
        deliveries: &[WebhookDelivery],
        at_most: u32,
    ) -> Result<u64, Error> {
        let mut transaction = self.begin().await?;
        // Where all of the trail was forgotten, its numbers begin anew.
        let seen = "UPDATE webhook_place SET seen = $1 \
                    WHERE CASE WHEN seen > (SELECT coalesce(max(id), 0) FROM audit) THEN 0 ELSE seen END = $2";
        let seen = sqlx::query(seen).bind(to).bind(from);
        if seen.execute(&mut *transaction).await.map_err(unavailable)?.rows_affected() == 0 {
            return Ok(0);
        }
        let waiting = sqlx::query_scalar(WAITING).fetch_one(&mut *transaction);
        let waiting: u32 = waiting.await.map_err(unavailable)?;
        let new = u32::try_from(deliveries.len()).unwrap_or(u32::MAX);
        let kept = if waiting.saturating_add(new) > at_most { &[] } else { deliveries };
        for delivery in kept {
            insert_delivery(delivery).execute(&mut *transaction).await.map_err(unavailable)?;
        }
        transaction.commit().await.map_err(unavailable)?;
        Ok(u64::try_from(kept.len()).unwrap_or(u64::MAX))
    }

    async fn keep_webhook_delivery(&self, delivery: &WebhookDelivery) -> Result<bool, Error> {
        let mut transaction = self.begin().await?;
        let found = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM webhooks WHERE id = $1)");
        let found = found.bind(delivery.webhook.as_bytes().to_vec()).fetch_one(&mut *transaction);
        let found: bool = found.await.map_err(unavailable)?;
        if found {
            insert_delivery(delivery).execute(&mut *transaction).await.map_err(unavailable)?;
            transaction.commit().await.map_err(unavailable)?;
        }
        Ok(found)
    }

    async fn lease_webhook_deliveries(
        &self,
        now: Timestamp,
        until: Timestamp,
        at_most: u32,
    ) -> Result<Vec<(WebhookDelivery, Webhook)>, Error> {
        let any =
            "SELECT EXISTS (SELECT 1 FROM webhook_deliveries WHERE next_at <= $1 AND leased_until <= $1)";
        let any = sqlx::query_scalar(any).bind(now.as_millisecond()).fetch_one(self.database.readers()?);
        let any: bool = any.await.map_err(unavailable)?;
        if !any {
            return Ok(Vec::new());
        }
        let mut transaction = self.begin().await?;
        let due = "SELECT d.id AS delivery, d.webhook, d.event, d.body, d.made_at, d.attempts, d.next_at, d.delivered_at, d.status, d.said, \
                   w.id, w.url, w.events, w.sealed, w.created_at, w.failing_since, w.disabled_at \
                   FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook \
                   WHERE d.next_at <= $1 AND d.leased_until <= $1 ORDER BY d.next_at LIMIT $2";
        let due = sqlx::query(due).bind(now.as_millisecond()).bind(at_most);
        let due = due.fetch_all(&mut *transaction).await.map_err(unavailable)?;
        let due = due.iter().map(leased).collect::<Result<Vec<_>, _>>()?;
        for (delivery, _) in &due {
            let lease = sqlx::query("UPDATE webhook_deliveries SET leased_until = $1 WHERE id = $2");
            let lease = lease.bind(until.as_millisecond()).bind(delivery.id.as_bytes().to_vec());
            lease.execute(&mut *transaction).await.map_err(unavailable)?;
        }
        transaction.commit().await.map_err(unavailable)?;
        Ok(due)
    }

    async fn record_webhook_attempt(
        &self,
        id: WebhookDeliveryId,
        attempt: &WebhookAttempt,
        now: Timestamp,
        patience: Timestamp,
    ) -> Result<bool, Error> {
        let mut transaction = self.begin().await?;
        let Some(webhook) = write(&mut transaction, id, attempt, now).await? else { return Ok(false) };
        let is_off = match attempt.fate {
            WebhookFate::Delivered => {
                let on = "UPDATE webhooks SET failing_since = NULL, disabled_at = NULL WHERE id = $1";
                sqlx::query(on).bind(webhook).execute(&mut *transaction).await.map_err(unavailable)?;
                false
            }
            WebhookFate::Again(_) | WebhookFate::GivenUp => {
                failed(&mut transaction, &webhook, now).await?;
                switch_off(&mut transaction, &webhook, now, patience).await?
            }
            WebhookFate::Gone => {
                failed(&mut transaction, &webhook, now).await?;
                switch_off(&mut transaction, &webhook, now, Timestamp::MAX).await?
            }
        };
        transaction.commit().await.map_err(unavailable)?;
        Ok(is_off)
    }

    async fn webhook_deliveries(
        &self,
        webhook: WebhookId,
        page: Page<WebhookDeliveryId>,
    ) -> Result<Vec<WebhookDelivery>, Error> {
        let some = "SELECT id AS delivery, webhook, event, body, made_at, attempts, next_at, delivered_at, status, said \
                    FROM webhook_deliveries WHERE webhook = $1 AND ($2 IS NULL OR id < $2) ORDER BY id DESC LIMIT $3";
        let after = page.after.map(|id| id.as_bytes().to_vec());
        let some = sqlx::query(some).bind(webhook.as_bytes().to_vec()).bind(after).bind(page.limit);
        let rows = some.fetch_all(self.database.readers()?).await.map_err(unavailable)?;
        rows.iter().map(|row| Ok(delivery(row)?)).collect()
    }

    async fn repeat_webhook_delivery(
        &self,
        webhook: WebhookId,
        id: WebhookDeliveryId,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let update =
            "UPDATE webhook_deliveries SET next_at = $1, attempts = 0 WHERE webhook = $2 AND id = $3";
        let update = sqlx::query(update).bind(now.as_millisecond()).bind(webhook.as_bytes().to_vec());
        let update = update.bind(id.as_bytes().to_vec()).execute(self.database.writer()?);
        Ok(update.await.map_err(unavailable)?.rows_affected() > 0)
    }

    async fn waiting_webhook_deliveries(&self) -> Result<u64, Error> {
        let waiting = sqlx::query_scalar(WAITING).fetch_one(self.database.readers()?);
        let waiting: u32 = waiting.await.map_err(unavailable)?;
        Ok(waiting.into())
    }

    async fn prune_webhook_deliveries(&self, before: Timestamp) -> Result<u64, Error> {
        let piece = "DELETE FROM webhook_deliveries WHERE id IN \
                     (SELECT id FROM webhook_deliveries WHERE made_at < $1 LIMIT $2)";
        self.database.forget(piece, before).await
    }
}

const WAITING: &str = "SELECT count(*) FROM webhook_deliveries WHERE next_at IS NOT NULL";

/// Writes down an attempt at a delivery; whose delivery it is, if it is still there.
async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    id: WebhookDeliveryId,
    attempt: &WebhookAttempt,
    now: Timestamp,
) -> Result<Option<Vec<u8>>, Error> {
    let (next_at, delivered_at) = match attempt.fate {
        WebhookFate::Delivered => (None, Some(now)),
        WebhookFate::Again(at) => (Some(at), None),
        WebhookFate::GivenUp | WebhookFate::Gone => (None, None),
    };
    let update = "UPDATE webhook_deliveries SET attempts = attempts + 1, leased_until = 0, \
                  next_at = CASE WHEN EXISTS (SELECT 1 FROM webhooks w WHERE w.id = webhook_deliveries.webhook AND w.disabled_at IS NOT NULL) THEN NULL ELSE $1 END, \
                  delivered_at = coalesce($2, delivered_at), status = $3, said = $4 WHERE id = $5 RETURNING webhook";
    let update = sqlx::query(update).bind(next_at.map(Timestamp::as_millisecond));
    let update = update.bind(delivered_at.map(Timestamp::as_millisecond)).bind(attempt.status.map(i64::from));
    let update = update.bind(attempt.said.clone()).bind(id.as_bytes().to_vec());
    let row = update.fetch_optional(&mut **transaction).await.map_err(unavailable)?;
    row.map(|row| row.try_get("webhook").map_err(unavailable)).transpose()
}

/// Notes that a webhook has not taken a delivery.
async fn failed(
    transaction: &mut Transaction<'_, Sqlite>,
    webhook: &[u8],
    now: Timestamp,
) -> Result<(), Error> {
    let update = "UPDATE webhooks SET failing_since = coalesce(failing_since, $1) WHERE id = $2";
    let update = sqlx::query(update).bind(now.as_millisecond()).bind(webhook.to_vec());
    update.execute(&mut **transaction).await.map(drop).map_err(unavailable)
}

/// Switches off a webhook that has taken nothing since before `patience`, and gives up what waits for it; whether it was on.
async fn switch_off(
    transaction: &mut Transaction<'_, Sqlite>,
    webhook: &[u8],
    now: Timestamp,
    patience: Timestamp,
) -> Result<bool, Error> {
    let update =
        "UPDATE webhooks SET disabled_at = $1 WHERE id = $2 AND disabled_at IS NULL AND failing_since < $3";
    let update = sqlx::query(update).bind(now.as_millisecond()).bind(webhook.to_vec());
    let update = update.bind(patience.as_millisecond()).execute(&mut **transaction);
    if update.await.map_err(unavailable)?.rows_affected() == 0 {
        return Ok(false);
    }
    let given_up = "UPDATE webhook_deliveries SET next_at = NULL WHERE webhook = $1 AND next_at IS NOT NULL";
    let given_up = sqlx::query(given_up).bind(webhook.to_vec()).execute(&mut **transaction);
    given_up.await.map_err(unavailable)?;
    Ok(true)
}
