//! Webhooks on a store of SQLite: what they are told of, and until when.

use std::cell::Cell;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use store::Page;
use types::{Mailbox, WebhookEvent};

use super::{DueDelivery, RETRIES};
use crate::tests::{Office, frank, now};
use crate::{NewAccount, view};

const URL: &str = "https://hooks.example.org/mail?key=1";

thread_local! {
    /// Seconds since the office was opened.
    static PASSED: Cell<i64> = const { Cell::new(0) };
}

fn later() -> Timestamp {
    now() + SignedDuration::from_secs(PASSED.get())
}

fn at_second(second: i64) {
    PASSED.set(second);
}

async fn office() -> (Office, view::NewWebhook) {
    at_second(0);
    let mut office = Office::open().await;
    office.desk.now = later;
    let events = [WebhookEvent::AccountAdded, WebhookEvent::AccountRemoved];
    let webhook = office.desk.add_webhook(&frank(), URL, &events).await.unwrap();
    (office, webhook)
}

async fn add(office: &Office, address: &str) {
    let address = Mailbox::parse(address).unwrap();
    let new = NewAccount { address, name: None, admin: false, password: None };
    office.desk.add_account(&frank(), new).await.unwrap();
}

async fn due(office: &Office) -> Vec<DueDelivery> {
    office.desk.gather_webhook_deliveries().await.unwrap();
    office.desk.due_webhook_deliveries().await.unwrap()
}

async fn deliveries(office: &Office, webhook: &view::NewWebhook) -> Vec<view::WebhookDelivery> {
    office.desk.webhook_deliveries(&webhook.webhook.id, Page::first(100)).await.unwrap().items
}

#[tokio::test]
async fn a_webhook_is_told_of_what_it_wants_once_and_from_then_on() {
    let (office, webhook) = office().await;
    assert!(due(&office).await.is_empty(), "what was before is nothing to tell");
    add(&office, "bob@example.org").await;
    office
        .desk
        .change_password(
            &frank(),
            &office.account,
            &crate::Chosen {
                secret: types::Secret::new("correct horse battery"),
                strength: crate::Strength::Any,
            },
        )
        .await
        .unwrap();
    let [one] = due(&office).await.try_into().unwrap();
    assert!(due(&office).await.is_empty(), "it is leased");
    let body: Value = serde_json::from_str(&one.body).unwrap();
    assert_eq!(
        (&body["type"], &body["data"]["account"]),
        (&"account.added".into(), &"bob@example.org".into())
    );
    assert_eq!(body["data"]["actor"], "frank");
    assert_eq!(one.url, URL);
    let octets = auth::WebhookSecret::generate();
    assert_ne!(octets.sign(&one.id.to_string(), one.at, &one.body), one.signature);
    assert!(one.signature.starts_with("v1,") && webhook.secret.starts_with("whsec_"));
    assert!(!office.desk.record_webhook_answer(&one, Ok(204)).await.unwrap());
    let [told] = deliveries(&office, &webhook).await.try_into().unwrap();
    assert_eq!((told.state, told.attempts, told.status), ("delivered", 1, Some(204)));
    at_second(100_000);
    assert!(due(&office).await.is_empty());
}

#[tokio::test]
async fn what_is_not_taken_is_tried_again_later_and_later_and_given_up() {
    let (office, webhook) = office().await;
    add(&office, "bob@example.org").await;
    let mut second = 0;
    for (number, wait) in RETRIES.iter().enumerate() {
        let [one] = due(&office).await.try_into().unwrap();
        let answer = if number == 0 { Err("no route to host".to_owned()) } else { Ok(500) };
        office.desk.record_webhook_answer(&one, answer).await.unwrap();
        at_second(second + wait.as_secs() - 1);
        assert!(due(&office).await.is_empty(), "{number}");
        second += wait.as_secs();
        at_second(second);
    }
    let [last] = due(&office).await.try_into().unwrap();
    office.desk.record_webhook_answer(&last, Ok(500)).await.unwrap();
    at_second(second + 1_000_000);
    assert!(due(&office).await.is_empty());
    let [told] = deliveries(&office, &webhook).await.try_into().unwrap();
    assert_eq!((told.state, told.attempts), ("failed", 9));
    office.desk.repeat_webhook_delivery(&webhook.webhook.id, &told.id).await.unwrap();
    assert_eq!(due(&office).await.len(), 1, "it can be repeated");
}

#[tokio::test]
async fn a_webhook_that_wants_no_more_or_takes_nothing_for_three_days_is_switched_off() {
    let (office, webhook) = office().await;
    let is_off = async || office.desk.show_webhook(&webhook.webhook.id).await.unwrap().disabled_at.is_some();
    for address in ["bob@example.org", "carol@example.org"] {
        add(&office, address).await;
    }
    let [one, other] = due(&office).await.try_into().unwrap();
    assert!(office.desk.record_webhook_answer(&one, Ok(410)).await.unwrap());
    assert!(is_off().await);
    office.desk.record_webhook_answer(&other, Ok(500)).await.unwrap();
    add(&office, "dave@example.org").await;
    assert!(due(&office).await.is_empty(), "it is told of nothing more");
    office.desk.test_webhook(&frank(), &webhook.webhook.id).await.unwrap();
    let due_now = due(&office).await;
    let test = due_now.iter().find(|due| due.body.contains("webhook.test")).unwrap();
    office.desk.record_webhook_answer(test, Ok(200)).await.unwrap();
    assert!(!is_off().await, "a delivery that is taken switches it on");
    add(&office, "erin@example.org").await;
    let fail = async |second| {
        at_second(second);
        let due = due(&office).await;
        assert!(!due.is_empty(), "{second}");
        let mut off = false;
        for one in due {
            off |= office.desk.record_webhook_answer(&one, Ok(503)).await.unwrap();
        }
        off
    };
    assert!(!fail(10).await);
    add(&office, "frank@example.org").await;
    assert!(!fail(2 * 24 * 3600).await);
    add(&office, "grace@example.org").await;
    assert!(fail(3 * 24 * 3600 + 11).await);
}

#[tokio::test]
async fn a_webhook_is_https_at_a_name() {
    let (office, _) = office().await;
    for url in [
        "http://127.0.0.1/hook",
        "https://192.0.2.1/hook",
        "https://[2001:db8::1]/hook",
        "https://2130706433/hook",
        "ftp://hooks.example.org",
        "hooks.example.org",
        "https://user:secret@hooks.example.org",
    ] {
        let refused = office.desk.add_webhook(&frank(), url, &[WebhookEvent::AccountAdded]).await;
        assert_eq!(refused.unwrap_err().code(), "no-webhook-url", "{url}");
    }
}

#[tokio::test]
async fn a_webhook_is_removed_with_what_it_was_to_be_told() {
    let (office, webhook) = office().await;
    add(&office, "bob@example.org").await;
    office.desk.gather_webhook_deliveries().await.unwrap();
    let prefix = webhook.webhook.id.get(..20).unwrap();
    assert_eq!(office.desk.remove_webhook(&frank(), prefix).await.unwrap().url, URL);
    assert!(due(&office).await.is_empty());
    assert_eq!(office.desk.remove_webhook(&frank(), prefix).await.unwrap_err().code(), "no-webhook");
}
