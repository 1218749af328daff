//! What [`Webhooks`] promises, through two handles to one store.
#![expect(missing_docs, reason = "the names say it")]

use futures_util::future::join_all;
use types::{WebhookDeliveryId, WebhookEvent, WebhookId};

use super::sample::{account, at, frank};
use crate::{
    Accounts, Action, Audit, AuditFilter, Error, Page, Resealed, SealedPlace, SealedSecrets, Webhook,
    WebhookAttempt, WebhookDelivery, WebhookFate, Webhooks,
};

fn webhook(n: u8) -> Webhook {
    Webhook {
        id: WebhookId::from_bytes([n; 16]),
        url: format!("https://hooks.example.org/{n}"),
        events: vec![WebhookEvent::AccountAdded, WebhookEvent::PasswordChanged],
        sealed: vec![n; 3],
        created_at: at(i64::from(n)),
        failing_since: None,
        disabled_at: None,
    }
}

async fn add<S: Webhooks>(store: &S, n: u8) -> Webhook {
    let webhook = webhook(n);
    store.add_webhook(&webhook, 10, &frank(i64::from(n))).await.unwrap();
    webhook
}

fn delivery(n: u8, webhook: &Webhook) -> WebhookDelivery {
    let (id, body) = (WebhookDeliveryId::from_bytes([n; 16]), format!("{{\"number\":{n}}}"));
    WebhookDelivery::new(id, webhook.id, WebhookEvent::AccountAdded, body, at(i64::from(n)))
}

/// A webhook with deliveries of these numbers.
async fn with<S: Webhooks>(store: &S, numbers: &[u8]) -> Webhook {
    let webhook = add(store, 1).await;
    for n in numbers {
        assert!(store.keep_webhook_delivery(&delivery(*n, &webhook)).await.unwrap());
    }
    webhook
}

async fn lease<S: Webhooks>(store: &S, now: i64) -> Vec<u8> {
    let leased = store.lease_webhook_deliveries(at(now), at(now + 60), 100).await.unwrap();
    leased.iter().map(|(delivery, _)| delivery.id.as_bytes()[0]).collect()
}

async fn record<S: Webhooks>(store: &S, n: u8, fate: WebhookFate, now: i64) -> bool {
    let attempt = WebhookAttempt { status: Some(500), said: None, fate };
    let id = WebhookDeliveryId::from_bytes([n; 16]);
    store.record_webhook_attempt(id, &attempt, at(now), at(now - 100)).await.unwrap()
}

async fn deliveries<S: Webhooks>(store: &S, webhook: &Webhook) -> Vec<WebhookDelivery> {
    store.webhook_deliveries(webhook.id, Page::first(100)).await.unwrap()
}

pub async fn a_webhook_comes_back_as_it_was_added<S: Webhooks>(one: &S, other: &S) {
    let both = [add(one, 1).await, add(other, 2).await];
    assert_eq!(one.webhooks().await.unwrap(), both);
}

pub async fn there_are_at_most_so_many_webhooks<S: Webhooks>(one: &S, other: &S) {
    one.add_webhook(&webhook(1), 1, &frank(1)).await.unwrap();
    let second = other.add_webhook(&webhook(2), 1, &frank(2)).await;
    assert!(matches!(second, Err(Error::TooMany)), "{second:?}");
}

pub async fn a_webhook_is_removed_with_its_deliveries<S: Webhooks>(one: &S, other: &S) {
    let webhook = with(one, &[1, 2]).await;
    assert!(other.remove_webhook(webhook.id, &frank(3)).await.unwrap());
    assert!(!one.remove_webhook(webhook.id, &frank(3)).await.unwrap());
    assert_eq!(one.waiting_webhook_deliveries().await.unwrap(), 0);
    assert!(!one.keep_webhook_delivery(&delivery(3, &webhook)).await.unwrap(), "of nobody");
}

pub async fn what_becomes_of_webhooks_is_told<S: Audit + Webhooks>(one: &S, other: &S) {
    let webhook = add(one, 1).await;
    other.remove_webhook(webhook.id, &frank(2)).await.unwrap();
    let entries = one.entries(&AuditFilter::default(), Page::first(10)).await.unwrap().entries;
    let told: Vec<_> =
        entries.into_iter().map(|entry| (entry.event.action, entry.event.credential)).collect();
    let id = Some(webhook.id.to_string());
    assert_eq!(told, [(Action::WebhookRemove, id.clone()), (Action::WebhookAdd, id)]);
}

pub async fn the_trail_is_looked_through_once_from_when_there_is_a_webhook<S>(one: &S, other: &S)
where
    S: Accounts + Webhooks,
{
    one.add(&account(1, "alice@example.org"), &frank(0)).await.unwrap();
    assert_eq!(one.webhook_news(10).await.unwrap().1, [], "nobody is told");
    let webhook = add(one, 1).await;
    one.add(&account(2, "bob@example.org"), &frank(1)).await.unwrap();
    let (from, news) = other.webhook_news(10).await.unwrap();
    let told: Vec<_> = news.iter().map(|(_, event)| (event.action, event.account.as_deref())).collect();
    assert_eq!(told, [(Action::WebhookAdd, None), (Action::UserAdd, Some("bob@example.org"))]);
    assert_eq!(one.webhook_news(1).await.unwrap().1.len(), 1, "so many at most");
    let to = news[1].0;
    let kept = join_all((1..=8).map(async |n| {
        let store = if n % 2 == 0 { one } else { other };
        store.keep_webhook_deliveries((from, to), &[delivery(n, &webhook)], 100).await.unwrap()
    }));
    assert_eq!(kept.await.into_iter().sum::<u64>(), 1, "of many at once one is faster");
    assert_eq!(one.webhook_news(10).await.unwrap(), (to, Vec::new()));
}

pub async fn a_trail_that_was_forgotten_is_looked_through_from_its_new_begin<S>(one: &S, other: &S)
where
    S: Accounts + Audit + Webhooks,
{
    for n in 1..=3 {
        one.add(&account(n, &format!("user{n}@example.org")), &frank(0)).await.unwrap();
    }
    let webhook = add(one, 1).await;
    let (from, news) = one.webhook_news(10).await.unwrap();
    let [(to, _)] = news[..] else { panic!("{news:?}") };
    one.keep_webhook_deliveries((from, to), &[], 100).await.unwrap();
    other.prune(at(1000), at(1000)).await.unwrap();
    one.add(&account(4, "bob@example.org"), &frank(2000)).await.unwrap();
    let (from, news) = other.webhook_news(10).await.unwrap();
    let [(to, event)] = &news[..] else { panic!("{news:?}") };
    assert_eq!(event.account.as_deref(), Some("bob@example.org"));
    assert_eq!(other.keep_webhook_deliveries((from, *to), &[delivery(1, &webhook)], 100).await.unwrap(), 1);
    assert_eq!(one.webhook_news(10).await.unwrap().1, []);
}

pub async fn a_due_delivery_is_leased_by_one_and_comes_back_after_a_while<S: Webhooks>(one: &S, other: &S) {
    let webhook = with(one, &[3, 2, 9]).await;
    assert_eq!(lease(one, 5).await, [2, 3], "the longest waiting first");
    assert!(lease(other, 5).await.is_empty());
    assert_eq!(lease(other, 9).await, [9]);
    assert_eq!(lease(other, 65).await, [2, 3]);
    let (found, of) = one.lease_webhook_deliveries(at(200), at(260), 1).await.unwrap().remove(0);
    assert_eq!((found, of), (delivery(2, &webhook), webhook));
}

pub async fn what_came_of_an_attempt_is_written_down<S: Webhooks>(one: &S, other: &S) {
    let webhook = with(one, &[1, 2]).await;
    lease(one, 5).await;
    let failed =
        WebhookAttempt { status: None, said: Some("no route".to_owned()), fate: WebhookFate::Again(at(50)) };
    let id = WebhookDeliveryId::from_bytes([1; 16]);
    other.record_webhook_attempt(id, &failed, at(6), at(-100)).await.unwrap();
    let [second, first] = deliveries(one, &webhook).await.try_into().unwrap();
    assert_eq!((first.attempts, first.next_at, first.said.as_deref()), (1, Some(at(50)), Some("no route")));
    assert_eq!(second.attempts, 0);
    assert_eq!(one.webhooks().await.unwrap()[0].failing_since, Some(at(6)));
    assert_eq!(lease(one, 50).await, [1]);
    let taken = WebhookAttempt { status: Some(204), said: None, fate: WebhookFate::Delivered };
    one.record_webhook_attempt(id, &taken, at(51), at(-100)).await.unwrap();
    let first = deliveries(one, &webhook).await.pop().unwrap();
    assert_eq!((first.attempts, first.next_at, first.delivered_at), (2, None, Some(at(51))));
    assert_eq!((first.status, first.said), (Some(204), None));
    assert_eq!(one.webhooks().await.unwrap()[0].failing_since, None);
    assert!(!record(one, 9, WebhookFate::Delivered, 60).await, "one that is not there any more");
}

pub async fn no_more_wait_than_may<S: Webhooks>(one: &S, other: &S) {
    let webhook = with(one, &[1, 2]).await;
    let (from, news) = one.webhook_news(10).await.unwrap();
    let to = news[0].0;
    let more = [delivery(3, &webhook), delivery(4, &webhook)];
    assert_eq!(other.keep_webhook_deliveries((from, to), &more, 3).await.unwrap(), 0);
    assert_eq!(one.waiting_webhook_deliveries().await.unwrap(), 2);
    assert_eq!(one.webhook_news(10).await.unwrap(), (to, Vec::new()), "it is not told later");
}

pub async fn a_webhook_is_switched_off_and_on<S: Webhooks>(one: &S, other: &S) {
    let webhook = with(one, &[1, 2, 3]).await;
    let off_at = async || one.webhooks().await.unwrap()[0].disabled_at;
    assert!(!record(one, 1, WebhookFate::Again(at(20)), 10).await);
    assert!(!record(one, 1, WebhookFate::Again(at(20)), 110).await, "not for that long");
    assert!(record(other, 1, WebhookFate::GivenUp, 111).await);
    assert_eq!(off_at().await, Some(at(111)));
    assert_eq!(one.waiting_webhook_deliveries().await.unwrap(), 0, "what waited is given up");
    assert!(!record(other, 2, WebhookFate::GivenUp, 112).await, "it is off already");
    assert!(
        one.repeat_webhook_delivery(webhook.id, WebhookDeliveryId::from_bytes([3; 16]), at(120))
            .await
            .unwrap()
    );
    assert_eq!(lease(one, 120).await, [3]);
    assert!(!record(other, 3, WebhookFate::Delivered, 121).await);
    assert_eq!(off_at().await, None);
    assert!(record(one, 3, WebhookFate::Gone, 122).await, "who wants no more is told no more");
    assert_eq!(off_at().await, Some(at(122)));
}

pub async fn deliveries_come_in_pages_and_are_forgotten<S: Webhooks>(one: &S, other: &S) {
    let webhook = with(one, &[1, 2, 3]).await;
    let second = add(one, 2).await;
    let first = one.webhook_deliveries(webhook.id, Page::first(2)).await.unwrap();
    let after = Page { after: first.last().map(|delivery| delivery.id), limit: 2 };
    let rest = other.webhook_deliveries(webhook.id, after).await.unwrap();
    assert_eq!((first.len(), rest), (2, vec![delivery(1, &webhook)]));
    assert!(deliveries(one, &second).await.is_empty());
    let id = WebhookDeliveryId::from_bytes([1; 16]);
    assert!(!one.repeat_webhook_delivery(second.id, id, at(5)).await.unwrap(), "of another");
    assert_eq!(other.prune_webhook_deliveries(at(3)).await.unwrap(), 2);
    assert_eq!(deliveries(one, &webhook).await, [delivery(3, &webhook)]);
}

pub async fn secrets_of_webhooks_come_last_and_are_resealed<S: SealedSecrets + Webhooks>(one: &S, other: &S) {
    one.keep_root_key(b"root").await.unwrap();
    let [first, second] = [add(one, 1).await, add(one, 2).await];
    let all =
        [(SealedPlace::RootKey, b"root".to_vec()), (first.place(), vec![1; 3]), (second.place(), vec![2; 3])];
    assert_eq!(other.sealed(None, 10).await.unwrap(), all);
    assert_eq!(other.sealed(None, 2).await.unwrap(), all[..2]);
    assert_eq!(other.sealed(Some(first.place()), 10).await.unwrap(), all[2..]);
    assert_eq!(other.sealed(Some(second.place()), 10).await.unwrap(), []);
    let anew = |old: &[u8]| Resealed { place: first.place(), old: old.to_vec(), new: b"anew".to_vec() };
    assert_eq!(one.reseal(&[anew(b"other")]).await.unwrap(), 0);
    assert_eq!(one.reseal(&[anew(&[1; 3])]).await.unwrap(), 1);
    assert_eq!(other.webhooks().await.unwrap()[0].sealed, b"anew");
}
