//! Webhooks: added, tried, removed, and what came of their deliveries.

use auth::WebhookSecret;
use rand::RngExt as _;
use store::{Act, Page, Webhook, Webhooks as _};
use types::{Endpoint, WebhookDeliveryId, WebhookEvent, WebhookId};

use crate::accounts::unix_ms;
use crate::webhook_deliveries::delivery;
use crate::{Desk, Listed, Missing, Trouble, view};

/// Webhooks at most.
const WEBHOOKS: u32 = 20;

impl Desk {
    /// Adds a webhook, which is told of these events from now on. Its secret is given out this once.
    ///
    /// # Errors
    /// [`Trouble::NoWebhookUrl`], [`Trouble::TooManyWebhooks`].
    pub async fn add_webhook(
        &self,
        act: &Act,
        url: &str,
        events: &[WebhookEvent],
    ) -> Result<view::NewWebhook, Trouble> {
        let url = webhook_url(url)?;
        let (keyring, secret) = (self.keyring().await?, WebhookSecret::generate());
        let mut events: Vec<_> =
            events.iter().copied().filter(|event| *event != WebhookEvent::Test).collect();
        events.sort_unstable();
        events.dedup();
        let mut webhook = Webhook {
            id: WebhookId::new(unix_ms(act.at), rand::rng().random()),
            url: url.as_str().to_owned(),
            events,
            sealed: Vec::new(),
            created_at: act.at,
            failing_since: None,
            disabled_at: None,
        };
        webhook.sealed = keyring.sealer(&self.accounts).await?.seal(webhook.place(), secret.octets());
        match self.accounts.add_webhook(&webhook, WEBHOOKS, act).await {
            Err(store::Error::TooMany) => Err(Trouble::TooManyWebhooks { limit: WEBHOOKS }),
            added => {
                added?;
                // It is added: what keeps its secret from being sealed anew is told by `check`.
                let _ = keyring.settle(&self.accounts, webhook.place(), &webhook.sealed).await;
                Ok(view::NewWebhook { webhook: view::Webhook::of(&webhook), secret: secret.declassify() })
            }
        }
    }

    /// All webhooks, oldest first.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn webhooks(&self) -> Result<Vec<view::Webhook>, Trouble> {
        Ok(self.accounts.webhooks().await?.iter().map(view::Webhook::of).collect())
    }

    /// The webhook with this identifier, or with the only one that begins so.
    ///
    /// # Errors
    /// [`Missing::Webhook`].
    pub async fn show_webhook(&self, which: &str) -> Result<view::Webhook, Trouble> {
        Ok(view::Webhook::of(&self.webhook(which).await?))
    }

    async fn webhook(&self, which: &str) -> Result<Webhook, Trouble> {
        let none_such = || Missing::Webhook(which.to_owned());
        let range = WebhookId::beginning_with(which).map_err(|_| none_such())?;
        let all = self.accounts.webhooks().await?;
        let mut found = all.into_iter().filter(|webhook| range.contains(&webhook.id));
        match (found.next(), found.next()) {
            (Some(only), None) => Ok(only),
            _ => Err(none_such().into()),
        }
    }

    /// Removes a webhook, and what it was not told of yet; says which it was.
    ///
    /// # Errors
    /// [`Missing::Webhook`].
    pub async fn remove_webhook(&self, act: &Act, which: &str) -> Result<view::Webhook, Trouble> {
        let webhook = self.webhook(which).await?;
        match self.accounts.remove_webhook(webhook.id, act).await? {
            true => Ok(view::Webhook::of(&webhook)),
            false => Err(Missing::Webhook(which.to_owned()).into()),
        }
    }

    /// Has a webhook told of nothing, to try whether it works; a running server does so at once. If it is taken, a webhook that was switched off is
    /// on again.
    ///
    /// # Errors
    /// [`Missing::Webhook`].
    pub async fn test_webhook(&self, act: &Act, which: &str) -> Result<view::WebhookDelivery, Trouble> {
        let webhook = self.webhook(which).await?;
        let data = view::Webhook::of(&webhook);
        let delivery = delivery(&webhook, WebhookEvent::Test, act.at, act.at, data)?;
        match self.accounts.keep_webhook_delivery(&delivery).await? {
            true => Ok(view::WebhookDelivery::of(&delivery)),
            false => Err(Missing::Webhook(which.to_owned()).into()),
        }
    }

    /// A page of the deliveries of a webhook, newest first.
    ///
    /// # Errors
    /// [`Missing::Webhook`].
    pub async fn webhook_deliveries(
        &self,
        which: &str,
        page: Page<WebhookDeliveryId>,
    ) -> Result<Listed<view::WebhookDelivery, WebhookDeliveryId>, Trouble> {
        let webhook = self.webhook(which).await?;
        let deliveries = self.accounts.webhook_deliveries(webhook.id, page).await?;
        let items = deliveries.iter().map(view::WebhookDelivery::of).collect();
        Ok(Listed { items, last: deliveries.last().map(|delivery| delivery.id) })
    }

    /// Has a delivery tried again at once, whatever came of it.
    ///
    /// # Errors
    /// [`Missing::Webhook`], also for a delivery that is not one of this webhook.
    pub async fn repeat_webhook_delivery(&self, which: &str, delivery: &str) -> Result<(), Trouble> {
        let none_such = || Missing::Webhook(which.to_owned());
        let (webhook, id) = (self.webhook(which).await?, delivery.parse().map_err(|_| none_such())?);
        match self.accounts.repeat_webhook_delivery(webhook.id, id, (self.now)()).await? {
            true => Ok(()),
            false => Err(none_such().into()),
        }
    }
}

/// A URL that events may be posted to: https, to a host that has a name, so that its certificate can be checked and its addresses seen.
fn webhook_url(written: &str) -> Result<Endpoint, Trouble> {
    let url = Endpoint::parse(written).map_err(|wrong| Trouble::NoWebhookUrl(wrong.to_string()))?;
    let is_address = url.host().starts_with('[') || url.host().parse::<std::net::Ipv4Addr>().is_ok();
    match url.is_https() && !is_address {
        true => Ok(url),
        false => Err(Trouble::NoWebhookUrl("is not https:// and a name".to_owned())),
    }
}
