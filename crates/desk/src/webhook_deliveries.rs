//! What webhooks are told of, from the audit trail to what came of each attempt.
//!
//! What happens is taken from the audit trail, where every change stands in the transaction that made it: so nothing is told that did not
//! happen, and nothing that did is forgotten in a crash. Each delivery is tried until it is taken, for two days; it may be taken twice.

use auth::WebhookSecret;
use jiff::{SignedDuration, Timestamp};
use rand::RngExt as _;
use serde::Serialize;
use store::{
    Action, AuditEvent, AuditResult, Webhook, WebhookAttempt, WebhookDelivery, WebhookFate, Webhooks as _,
};
use types::{WebhookDeliveryId, WebhookEvent};

use crate::accounts::unix_ms;
use crate::{Desk, Trouble, view};

/// Deliveries that may wait; beyond that, what happens is told to nobody until there is room.
const WAITING: u32 = 10_000;

/// Entries of the trail that are looked through at a time.
const AT_A_TIME: u32 = 500;

/// Deliveries that are tried at once.
const AT_ONCE: u32 = 20;

/// How long an attempt may take, with room to write down what came of it.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// How long after each attempt the next is made.
const RETRIES: [SignedDuration; 8] = [
    SignedDuration::from_secs(5),
    SignedDuration::from_secs(30),
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(10),
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(4),
    SignedDuration::from_hours(12),
    SignedDuration::from_hours(24),
];

/// How long a webhook may take nothing before it is switched off.
const PATIENCE: SignedDuration = SignedDuration::from_hours(3 * 24);

/// How long deliveries are known.
pub const DELIVERIES_KNOWN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A delivery that is due, as it is to be posted.
#[derive(Debug)]
pub struct DueDelivery {
    /// What it is known by.
    pub id: WebhookDeliveryId,
    /// Where it is posted to.
    pub url: String,
    /// When this attempt is made, which is signed along.
    pub at: Timestamp,
    /// What proves who posts it.
    pub signature: String,
    /// What is posted.
    pub body: String,
    attempts: u32,
}

/// What is posted.
#[derive(Serialize)]
struct Body<T> {
    r#type: &'static str,
    timestamp: Timestamp,
    data: T,
}

impl Desk {
    /// How many deliveries wait.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn waiting_webhook_deliveries(&self) -> Result<u64, Trouble> {
        Ok(self.accounts.waiting_webhook_deliveries().await?)
    }

    /// Looks through what the audit trail has that nobody has looked at, and makes deliveries of it; how many there was no room for.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn gather_webhook_deliveries(&self) -> Result<u64, Trouble> {
        let (from, news) = self.accounts.webhook_news(AT_A_TIME).await?;
        let Some((to, _)) = news.last() else { return Ok(0) };
        let (webhooks, now) = (self.accounts.webhooks().await?, (self.now)());
        let mut deliveries = Vec::new();
        for (_, event) in &news {
            let Some(what) = told_as(event) else { continue };
            let data = view::AuditEntry::of(event.clone().into());
            let wanted =
                webhooks.iter().filter(|one| one.disabled_at.is_none() && one.events.contains(&what));
            for webhook in wanted {
                deliveries.push(delivery(webhook, what, event.at, now, data.clone())?);
            }
        }
        let kept = self.accounts.keep_webhook_deliveries((from, *to), &deliveries, WAITING).await?;
        match kept {
            0 if self.waiting_webhook_deliveries().await? >= u64::from(WAITING) => {
                Ok(u64::try_from(deliveries.len()).unwrap_or(u64::MAX))
            }
            _ => Ok(0),
        }
    }

    /// Deliveries that are due, which nobody else gets for a while.
    ///
    /// # Errors
    /// When the store or the keys can't tell.
    pub async fn due_webhook_deliveries(&self) -> Result<Vec<DueDelivery>, Trouble> {
        let now = (self.now)();
        let until = now.saturating_add(LEASE).unwrap_or(Timestamp::MAX);
        let leased = self.accounts.lease_webhook_deliveries(now, until, AT_ONCE).await?;
        let mut due = Vec::new();
        for (delivery, webhook) in leased {
            match self.keyring().await?.open_sealed(webhook.place(), &webhook.sealed) {
                Ok(secret) => due.push(signed(delivery, &webhook, &WebhookSecret::of(secret), now)),
                Err(error) => {
                    let said = Some(format!("its secret does not open: {error}"));
                    let attempt = WebhookAttempt { status: None, said, fate: WebhookFate::GivenUp };
                    self.record(delivery.id, &attempt).await?;
                }
            }
        }
        Ok(due)
    }

    /// Writes down what a webhook has answered, or what went wrong before it did; whether it is switched off by this.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn record_webhook_answer(
        &self,
        due: &DueDelivery,
        answer: Result<u16, String>,
    ) -> Result<bool, Trouble> {
        let fate = fate(answer.as_ref().ok().copied(), due.attempts, (self.now)());
        let attempt = WebhookAttempt { status: answer.as_ref().ok().copied(), said: answer.err(), fate };
        self.record(due.id, &attempt).await
    }

    async fn record(&self, id: WebhookDeliveryId, attempt: &WebhookAttempt) -> Result<bool, Trouble> {
        let now = (self.now)();
        let patience = now.saturating_sub(PATIENCE).unwrap_or(Timestamp::MIN);
        Ok(self.accounts.record_webhook_attempt(id, attempt, now, patience).await?)
    }
}

/// What an entry of the trail is told as.
fn told_as(event: &AuditEvent) -> Option<WebhookEvent> {
    if event.result != AuditResult::Success {
        return None;
    }
    match event.action {
        Action::UserAdd | Action::UserImport => Some(WebhookEvent::AccountAdded),
        Action::UserDisable => Some(WebhookEvent::AccountDisabled),
        Action::UserEnable => Some(WebhookEvent::AccountEnabled),
        Action::UserRemove => Some(WebhookEvent::AccountRemoved),
        Action::AppPasswordCreate => Some(WebhookEvent::AppPasswordCreated),
        Action::AppPasswordRevoke => Some(WebhookEvent::AppPasswordRevoked),
        Action::TokenCreate => Some(WebhookEvent::TokenCreated),
        Action::TokenRevoke => Some(WebhookEvent::TokenRevoked),
        Action::TotpConfirm => Some(WebhookEvent::SecondFactorOn),
        Action::TotpDisable => Some(WebhookEvent::SecondFactorOff),
        Action::PasswordSet => Some(WebhookEvent::PasswordChanged),
        _ => None,
    }
}

/// What a webhook is told of an event, to be posted from now on.
pub(crate) fn delivery(
    webhook: &Webhook,
    event: WebhookEvent,
    happened_at: Timestamp,
    now: Timestamp,
    data: impl Serialize,
) -> Result<WebhookDelivery, Trouble> {
    let body = Body { r#type: event.name(), timestamp: happened_at, data };
    let body = serde_json::to_string(&body).map_err(|error| Trouble::Unavailable(Box::new(error)))?;
    let id = WebhookDeliveryId::new(unix_ms(now), rand::rng().random());
    Ok(WebhookDelivery::new(id, webhook.id, event, body, now))
}

fn signed(
    delivery: WebhookDelivery,
    webhook: &Webhook,
    secret: &WebhookSecret,
    at: Timestamp,
) -> DueDelivery {
    DueDelivery {
        signature: secret.sign(&delivery.id.to_string(), at, &delivery.body),
        id: delivery.id,
        url: webhook.url.clone(),
        at,
        body: delivery.body,
        attempts: delivery.attempts,
    }
}

/// What becomes of a delivery that was tried so often before, and is answered with this status now, if at all.
fn fate(status: Option<u16>, before: u32, now: Timestamp) -> WebhookFate {
    match status {
        Some(200..=299) => WebhookFate::Delivered,
        Some(410) => WebhookFate::Gone,
        _ => {
            let wait = usize::try_from(before).ok().and_then(|before| RETRIES.get(before));
            let next = wait.and_then(|wait| now.saturating_add(*wait).ok());
            next.map_or(WebhookFate::GivenUp, WebhookFate::Again)
        }
    }
}

#[cfg(test)]
mod tests;
