//! Tells webhooks of what happens: looks through the audit trail, and posts what is due.

use std::sync::Arc;
use std::time::Duration;

use config::Config;
use delivery::{Url, WebhookPost, WebhookPoster};
use desk::{Desk, DueDelivery, Trouble};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::open;
use crate::parts::Parts;

/// How often the trail and the deliveries are looked at. Each look is two small queries.
const EVERY: Duration = Duration::from_secs(1);

/// Tells webhooks.
pub(crate) struct Webhooks {
    desk: Arc<Desk>,
    poster: Arc<WebhookPoster>,
}

impl Webhooks {
    /// Who does so in a server that is made of these parts.
    pub(crate) fn of(config: &Config, parts: &Parts) -> Webhooks {
        let desk = open::desk(config, &parts.store).with_keyring(parts.keyring.clone());
        Webhooks { desk: Arc::new(desk), poster: parts.webhooks.clone() }
    }

    /// Goes on until it is told to stop.
    pub(crate) async fn run(self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
            if let Some(Err(trouble)) = stop.run_until_cancelled(self.tell()).await {
                let error: &dyn std::error::Error = &trouble;
                tracing::warn!(event = "store.failing", error, "webhooks could not be told what happened");
            }
        }
    }

    async fn tell(&self) -> Result<(), Trouble> {
        let lost = self.desk.gather_webhook_deliveries().await?;
        if lost > 0 {
            tracing::warn!(
                event = "webhook.lost",
                lost,
                "too many deliveries wait: webhooks are not told of what happens now"
            );
        }
        let mut posting = JoinSet::new();
        for due in self.desk.due_webhook_deliveries().await? {
            let (desk, poster) = (self.desk.clone(), self.poster.clone());
            posting.spawn(async move { post(&desk, &poster, due).await });
        }
        while let Some(posted) = posting.join_next().await {
            posted.unwrap_or(Ok(()))?;
        }
        Ok(())
    }
}

async fn post(desk: &Desk, poster: &WebhookPoster, due: DueDelivery) -> Result<(), Trouble> {
    let post = WebhookPost {
        id: due.id.to_string(),
        timestamp: due.at.as_second(),
        signature: due.signature.clone(),
        body: due.body.clone(),
    };
    let answer = match Url::parse(&due.url) {
        Ok(url) => poster.post(&url, post).await,
        Err(error) => Err(error.to_string()),
    };
    if desk.record_webhook_answer(&due, answer).await? {
        // Its path and query may be secret.
        let host = Url::parse(&due.url).ok().and_then(|url| url.host_str().map(str::to_owned));
        tracing::warn!(event = "webhook.off", host, "a webhook takes nothing any more, and is switched off");
    }
    Ok(())
}
