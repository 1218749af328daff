//! Webhooks: whom the server tells of what happens, and what became of each telling.

use std::future::Future;

use jiff::Timestamp;
use types::{WebhookDeliveryId, WebhookEvent, WebhookId};

use crate::{Act, AuditEvent, Error, Page, SealedPlace};

/// Somebody who is told of what happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// What it is removed by.
    pub id: WebhookId,
    /// Where events are posted to.
    pub url: String,
    /// Which events.
    pub events: Vec<WebhookEvent>,
    /// The secret that deliveries are signed with, sealed.
    pub sealed: Vec<u8>,
    /// When it was added, which is sealed along.
    pub created_at: Timestamp,
    /// Since when no delivery was taken, if the last one was not.
    pub failing_since: Option<Timestamp>,
    /// When it was switched off, because none was.
    pub disabled_at: Option<Timestamp>,
}

impl Webhook {
    /// Where its secret lies.
    #[must_use]
    pub fn place(&self) -> SealedPlace {
        SealedPlace::Webhook { webhook: self.id, made_at: self.created_at }
    }
}

/// An event that a webhook is told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookDelivery {
    /// What the receiver knows it by, however often it is tried.
    pub id: WebhookDeliveryId,
    /// Who is told.
    pub webhook: WebhookId,
    /// Of what.
    pub event: WebhookEvent,
    /// The body that is posted: JSON.
    pub body: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next; `None`: not any more.
    pub next_at: Option<Timestamp>,
    /// When it was taken.
    pub delivered_at: Option<Timestamp>,
    /// The status of the last answer.
    pub status: Option<u16>,
    /// What went wrong before there was one.
    pub said: Option<String>,
}

impl WebhookDelivery {
    /// A delivery that is due at once.
    #[must_use]
    pub fn new(
        id: WebhookDeliveryId,
        webhook: WebhookId,
        event: WebhookEvent,
        body: String,
        at: Timestamp,
    ) -> Self {
        Self {
            id,
            webhook,
            event,
            body,
            made_at: at,
            attempts: 0,
            next_at: Some(at),
            delivered_at: None,
            status: None,
            said: None,
        }
    }
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookAttempt {
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// What went wrong before there was one.
    pub said: Option<String>,
    /// What becomes of the delivery.
    pub fate: WebhookFate,
}

/// What becomes of a delivery behind an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookFate {
    /// It was taken.
    Delivered,
    /// It is tried again then.
    Again(Timestamp),
    /// It was not taken, and is not tried again.
    GivenUp,
    /// The receiver wants no more of any.
    Gone,
}

/// The webhooks and their deliveries. They do not move the revision.
pub trait Webhooks: Send + Sync + 'static {
    /// Adds a webhook, which is told of what happens from now on; [`Error::TooMany`] if there are `at_most` already. Audited.
    fn add_webhook(
        &self,
        webhook: &Webhook,
        at_most: u32,
        act: &Act,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// All webhooks, oldest first.
    fn webhooks(&self) -> impl Future<Output = Result<Vec<Webhook>, Error>> + Send;

    /// Removes a webhook with its deliveries; `false` if there is none such. Audited.
    fn remove_webhook(&self, id: WebhookId, act: &Act) -> impl Future<Output = Result<bool, Error>> + Send;

    /// What the audit trail has behind the place up to which it was looked through, oldest first, each with its place; nothing, if there are no
    /// webhooks. The first value is the place that it was looked through up to.
    fn webhook_news(
        &self,
        at_most: u32,
    ) -> impl Future<Output = Result<(i64, Vec<(i64, AuditEvent)>), Error>> + Send;

    /// Keeps deliveries that are made of the trail between these two places, all or none, unless somebody else was faster, or more than
    /// `at_most` would wait; how many are kept. In each case the trail has been looked through up to the second place.
    fn keep_webhook_deliveries(
        &self,
        from_to: (i64, i64),
        deliveries: &[WebhookDelivery],
        at_most: u32,
    ) -> impl Future<Output = Result<u64, Error>> + Send;

    /// Keeps a delivery that is made of nothing in the trail; `false` if its webhook is not there.
    fn keep_webhook_delivery(
        &self,
        delivery: &WebhookDelivery,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Deliveries that are due, with their webhooks, so many at most; nobody else gets them until then.
    fn lease_webhook_deliveries(
        &self,
        now: Timestamp,
        until: Timestamp,
        at_most: u32,
    ) -> impl Future<Output = Result<Vec<(WebhookDelivery, Webhook)>, Error>> + Send;

    /// Writes down what came of an attempt. A webhook whose delivery was taken is on, and one that takes none since before `patience`, or wants no
    /// more, is switched off: what waits for it is given up, and what it does not take while it is off is not tried again. Whether it was switched off by this.
    fn record_webhook_attempt(
        &self,
        id: WebhookDeliveryId,
        attempt: &WebhookAttempt,
        now: Timestamp,
        patience: Timestamp,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// A page of the deliveries of a webhook, newest first.
    fn webhook_deliveries(
        &self,
        webhook: WebhookId,
        page: Page<WebhookDeliveryId>,
    ) -> impl Future<Output = Result<Vec<WebhookDelivery>, Error>> + Send;

    /// Has a delivery tried again at once, as if it were new; `false` if the webhook has none such.
    fn repeat_webhook_delivery(
        &self,
        webhook: WebhookId,
        id: WebhookDeliveryId,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// How many deliveries wait.
    fn waiting_webhook_deliveries(&self) -> impl Future<Output = Result<u64, Error>> + Send;

    /// Forgets deliveries that were made before then; how many.
    fn prune_webhook_deliveries(&self, before: Timestamp) -> impl Future<Output = Result<u64, Error>> + Send;
}
