//! What happens, posted to webhooks by HTTPS.

use std::time::Duration;

use dns::{Families, Resolver};
use ipnet::IpNet;
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use rustls::pki_types::CertificateDer;
use tokio::time::timeout;
use types::Tally;

use crate::resolve::{Https, MxRules, in_words};

/// What comes of an attempt, as the metrics have it: it was taken, it was answered otherwise, or there was no answer.
const TAKEN: &str = "delivered";
const REFUSED: &str = "refused";
const UNREACHED: &str = "unreachable";

/// How long an attempt takes at most, from looking up the name to the status.
const DEADLINE: Duration = Duration::from_secs(10);

/// Posts to webhooks. Whoever takes them proves the name; redirects are not followed.
#[derive(Debug)]
pub struct WebhookPoster {
    https: Https,
    /// Attempts since the server began, by what came of them.
    attempts: Tally<&'static str>,
}

/// What is posted at one attempt.
#[derive(Debug)]
pub struct WebhookPost {
    /// `webhook-id`: the same at each attempt.
    pub id: String,
    /// `webhook-timestamp`, in seconds since 1970.
    pub timestamp: i64,
    /// `webhook-signature`.
    pub signature: String,
    /// JSON.
    pub body: String,
}

impl WebhookPoster {
    /// Connects to addresses of the internet, and to those of these networks. Trusts these authorities besides the system's.
    #[must_use]
    pub fn new(
        resolver: &Resolver,
        families: Families,
        allow_networks: Vec<IpNet>,
        trust: Vec<CertificateDer<'static>>,
    ) -> WebhookPoster {
        let rules = MxRules { families, dane: false, allow_networks, mta_sts: false, trust };
        let attempts = Tally::of([TAKEN, REFUSED, UNREACHED]);
        WebhookPoster { https: rules.https(resolver), attempts }
    }

    /// The status of the answer. What else it says is not read.
    ///
    /// # Errors
    /// What went wrong before there was an answer, in words.
    pub async fn post(&self, to: &Url, post: WebhookPost) -> Result<u16, String> {
        let answer = self.answer(to, post).await;
        self.attempts.count(match &answer {
            Ok(200..=299) => TAKEN,
            Ok(_) => REFUSED,
            Err(_) => UNREACHED,
        });
        answer
    }

    /// Attempts since the server began, by what came of them.
    #[must_use]
    pub fn attempts(&self) -> &Tally<&'static str> {
        &self.attempts
    }

    async fn answer(&self, to: &Url, post: WebhookPost) -> Result<u16, String> {
        let request = self.https.client().map_err(in_words)?.post(to.clone());
        let request = request
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", post.id)
            .header("webhook-timestamp", post.timestamp)
            .header("webhook-signature", post.signature)
            .body(post.body);
        match timeout(DEADLINE, request.send()).await {
            Ok(Ok(response)) => Ok(response.status().as_u16()),
            Ok(Err(error)) => Err(in_words(error)),
            Err(_) => Err("there was no answer within ten seconds".to_owned()),
        }
    }
}
