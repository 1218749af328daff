//! A webhook, one that was just added, and what became of its deliveries.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use zeroize::Zeroizing;

use super::secret;

/// A webhook, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Webhook {
    /// What it is removed by.
    pub id: String,
    /// Where events are posted to.
    pub url: String,
    /// Which events.
    pub events: Vec<&'static str>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Since when no delivery was taken, if the last one was not.
    pub failing_since: Option<Timestamp>,
    /// When it was switched off, because none was.
    pub disabled_at: Option<Timestamp>,
}

/// A webhook that was just added.
#[derive(Serialize)]
pub struct NewWebhook {
    /// What there is to show of it from now on.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// What its deliveries are signed with, shown this once.
    #[serde(serialize_with = "secret::shown")]
    pub secret: Zeroizing<String>,
}

/// An event that a webhook is told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WebhookDelivery {
    /// What the receiver knows it by.
    pub id: String,
    /// Of what it is told.
    pub event: &'static str,
    /// When that was made.
    pub created_at: Timestamp,
    /// `waiting`, `delivered` or `failed`.
    pub state: &'static str,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next.
    pub next_attempt_at: Option<Timestamp>,
    /// When it was taken.
    pub delivered_at: Option<Timestamp>,
    /// The status of the last answer.
    pub status: Option<u16>,
    /// What went wrong before there was one.
    pub error: Option<String>,
}

impl Webhook {
    pub(crate) fn of(webhook: &store::Webhook) -> Self {
        Self {
            id: webhook.id.to_string(),
            url: webhook.url.clone(),
            events: webhook.events.iter().map(|event| event.name()).collect(),
            created_at: webhook.created_at,
            failing_since: webhook.failing_since,
            disabled_at: webhook.disabled_at,
        }
    }
}

impl WebhookDelivery {
    pub(crate) fn of(delivery: &store::WebhookDelivery) -> Self {
        let state = match (delivery.next_at, delivery.delivered_at) {
            (Some(_), _) => "waiting",
            (None, Some(_)) => "delivered",
            (None, None) => "failed",
        };
        Self {
            id: delivery.id.to_string(),
            event: delivery.event.name(),
            created_at: delivery.made_at,
            state,
            attempts: delivery.attempts,
            next_attempt_at: delivery.next_at,
            delivered_at: delivery.delivered_at,
            status: delivery.status,
            error: delivery.said.clone(),
        }
    }
}

impl fmt::Debug for NewWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewWebhook").field("webhook", &self.webhook).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use types::{WebhookDeliveryId, WebhookEvent, WebhookId};

    use super::*;

    #[test]
    fn the_json_of_a_new_webhook_has_the_promised_keys() {
        let webhook = store::Webhook {
            id: WebhookId::from_bytes([0; 16]),
            url: "https://hooks.example.org/mail".to_owned(),
            events: vec![WebhookEvent::AccountAdded],
            sealed: vec![1],
            created_at: "2026-11-21T12:00:00Z".parse().unwrap(),
            failing_since: None,
            disabled_at: None,
        };
        let expected = serde_json::json!({
            "id": "00000000000000000000000000", "url": "https://hooks.example.org/mail", "events": ["account.added"],
            "created_at": "2026-11-21T12:00:00Z", "failing_since": null, "disabled_at": null, "secret": "whsec_…",
        });
        let secret = Zeroizing::new("whsec_…".to_owned());
        let new = NewWebhook { webhook: Webhook::of(&webhook), secret };
        assert_eq!(serde_json::to_value(&new).unwrap(), expected);
        assert!(!format!("{new:?}").contains("whsec"));
    }

    #[test]
    fn a_delivery_waits_was_taken_or_was_given_up() {
        let at: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let (id, webhook) = (WebhookDeliveryId::from_bytes([1; 16]), WebhookId::from_bytes([0; 16]));
        let waiting = store::WebhookDelivery::new(id, webhook, WebhookEvent::Test, "{}".to_owned(), at);
        let state = |delivery: &store::WebhookDelivery| WebhookDelivery::of(delivery).state;
        assert_eq!(state(&waiting), "waiting");
        let failed = store::WebhookDelivery { next_at: None, ..waiting };
        assert_eq!(state(&failed), "failed");
        assert_eq!(state(&store::WebhookDelivery { delivered_at: Some(at), ..failed }), "delivered");
    }
}
