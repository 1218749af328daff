//! What lists of the queue promise.
#![expect(missing_docs, reason = "the names say it")]

use types::{AccountId, Domain, ReversePath};

use super::sample::{
    all, at, commit, commit_apart, deferred, delivered, failed, id, lease, mailbox, operate, submission,
};
use crate::{Entry, Operation, Outcome, Page, QueueFilter, QueuedBy, RecipientFilter, RecipientState, Spool};

/// The first octets of the ids of all entries that the filter lets through.
async fn found<S: Spool>(spool: &S, filter: QueueFilter) -> Vec<u8> {
    let listed = spool.list(&filter, Page::first(100)).await.unwrap();
    let ids = spool.ids(&filter, Page::first(100)).await.unwrap();
    assert_eq!(listed.iter().map(|entry| entry.id).collect::<Vec<_>>(), ids);
    ids.iter().map(|id| id.as_bytes()[0]).collect()
}

async fn found_by_recipient<S: Spool>(spool: &S, recipient: RecipientFilter) -> Vec<u8> {
    found(spool, QueueFilter { recipient, ..QueueFilter::default() }).await
}

pub async fn a_list_comes_in_pages<S: Spool>(spool: &S) {
    for n in [4, 2, 1, 3] {
        commit(spool, submission(n, &["bob@example.net"])).await;
    }
    let page = async |after, limit| {
        let listed = spool.list(&QueueFilter::default(), Page { after, limit }).await.unwrap();
        listed.iter().map(|entry| entry.id.as_bytes()[0]).collect::<Vec<_>>()
    };
    assert_eq!(page(None, 3).await, [1, 2, 3]);
    assert_eq!(page(Some(id(3)), 3).await, [4]);
    operate(spool, Operation::Remove, 2, 10).await;
    assert_eq!(page(Some(id(2)), 1).await, [3], "where it was is still a place");
    assert!(page(Some(id(4)), 1).await.is_empty());
}

pub async fn an_entry_tells_its_worst_recipient<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["a@example.net", "b@example.net", "c@example.net", "d@example.net"])).await;
    let told = async || {
        let Entry { state, last_reply, .. } = all(spool).await.remove(0);
        (state, last_reply)
    };
    assert_eq!(told().await, (RecipientState::Queued, None));
    let leased = lease(spool, 10).await;
    let outcomes = vec![(0, delivered()), (1, deferred(at(20)))];
    spool.record(&leased[0], outcomes, None, at(11)).await.unwrap();
    assert_eq!(told().await, (RecipientState::Deferred, Some("451 4.3.0 Later".to_owned())));
    operate(spool, Operation::Hold, 1, 12).await;
    assert_eq!(told().await, (RecipientState::Held, Some("451 4.3.0 Later".to_owned())));
    operate(spool, Operation::Release, 1, 13).await;
    let leased = lease(spool, 13).await;
    let held = Outcome::Held { reply: Some("451 what?".to_owned()), host: None };
    spool.record(&leased[0], vec![(2, held)], None, at(14)).await.unwrap();
    assert_eq!(told().await, (RecipientState::Held, Some("451 what?".to_owned())));
    let leased = lease(spool, 14).await;
    spool.record(&leased[0], vec![(3, failed())], None, at(15)).await.unwrap();
    assert_eq!(told().await, (RecipientState::Failed, Some("550 5.1.1 Unknown".to_owned())));
    let shown = spool.show(id(1)).await.unwrap().unwrap().entry;
    assert_eq!(shown.state, RecipientState::Failed);
    assert_eq!(shown.message_id.as_deref(), Some("<1@example.org>"));
    assert_eq!(shown.credential.as_deref(), Some("password"));
}

pub async fn an_entry_of_several_deliveries_is_found_once<S: Spool>(spool: &S) {
    commit_apart(spool, 1, &["a", "b", "c"]).await;
    commit_apart(spool, 2, &["a", "b"]).await;
    operate(spool, Operation::Hold, 1, 10).await;
    assert_eq!(found(spool, QueueFilter::default()).await, [1, 2]);
    let credential = Some("password".to_owned());
    assert_eq!(found(spool, QueueFilter { credential, ..QueueFilter::default() }).await, [1, 2]);
    let in_state = |state| RecipientFilter { state: Some(state), ..RecipientFilter::default() };
    assert_eq!(found_by_recipient(spool, in_state(RecipientState::Held)).await, [1]);
    assert_eq!(found_by_recipient(spool, in_state(RecipientState::Queued)).await, [2]);
    // Of those who are delivered to apart, any will do.
    for domain in ["a.example", "c.example"] {
        let domain = Some(Domain::parse(domain).unwrap());
        let recipient = RecipientFilter { domain, ..in_state(RecipientState::Held) };
        assert_eq!(found_by_recipient(spool, recipient).await, [1]);
    }
}

pub async fn several_entries_are_shown_at_once<S: Spool>(spool: &S) {
    for n in [3, 1, 2] {
        commit(spool, submission(n, &["bob@example.net", "carol@example.net"])).await;
    }
    operate(spool, Operation::Hold, 3, 10).await;
    let shown = spool.details(&[id(3), id(9), id(1)]).await.unwrap();
    assert_eq!(shown.iter().map(|shown| shown.entry.id).collect::<Vec<_>>(), [id(1), id(3)]);
    for shown in &shown {
        assert_eq!(spool.show(shown.entry.id).await.unwrap().as_ref(), Some(shown));
        let addresses: Vec<_> = shown.recipients.iter().map(|one| one.address.as_str()).collect();
        assert_eq!(addresses, ["bob@example.net", "carol@example.net"]);
    }
    let states = shown.iter().map(|shown| shown.recipients[1].state).collect::<Vec<_>>();
    assert_eq!(states, [RecipientState::Queued, RecipientState::Held]);
    assert!(spool.details(&[]).await.unwrap().is_empty());
}

pub async fn entries_are_found_by_what_they_came_with<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net"])).await;
    let mut other = submission(2, &["bob@example.net"]);
    other.account = AccountId::from_bytes([2; 16]);
    other.account_address = "Bob@example.org".to_owned();
    (other.reverse_path, other.credential) = (ReversePath::Null, Some("01ARZ".to_owned()));
    commit(spool, other).await;
    let by = |account, address: &str| {
        let account = Some(QueuedBy { account, address: address.to_owned() });
        QueueFilter { account, ..QueueFilter::default() }
    };
    assert_eq!(found(spool, by(None, "bob@example.org")).await, [2]);
    assert_eq!(found(spool, by(Some(AccountId::from_bytes([1; 16])), "bob@example.org")).await, [1, 2]);
    assert!(found(spool, by(Some(AccountId::from_bytes([3; 16])), "carol@example.org")).await.is_empty());
    let from = |sender| QueueFilter { sender: Some(sender), ..QueueFilter::default() };
    assert_eq!(found(spool, from(ReversePath::Null)).await, [2]);
    assert_eq!(found(spool, from(ReversePath::Mailbox(mailbox("Alice@example.org")))).await, [1]);
    let with =
        |credential: &str| QueueFilter { credential: Some(credential.to_owned()), ..QueueFilter::default() };
    assert_eq!(found(spool, with("01arz")).await, [2]);
    let before = |seconds| QueueFilter { accepted_before: Some(at(seconds)), ..QueueFilter::default() };
    assert_eq!(found(spool, before(2)).await, [1]);
    let range = |ids| QueueFilter { ids: Some(ids), ..QueueFilter::default() };
    assert_eq!(found(spool, range(id(2)..=id(9))).await, [2]);
    let both = QueueFilter { sender: Some(ReversePath::Null), ..before(2) };
    assert!(found(spool, both).await.is_empty());
}

pub async fn entries_are_found_by_one_of_their_recipients<S: Spool>(spool: &S) {
    commit(spool, submission(1, &["bob@example.net", "carol@Example.ORG"])).await;
    commit(spool, submission(2, &["bob@sub.example.net", "erwin@bücher.example"])).await;
    for leased in lease(spool, 10).await {
        let outcomes = vec![(0, deferred(at(5000))), (1, failed())];
        spool.record(&leased, outcomes, None, at(11)).await.unwrap();
    }
    let to = |domain| RecipientFilter {
        domain: Some(Domain::parse(domain).unwrap()),
        ..RecipientFilter::default()
    };
    assert_eq!(found_by_recipient(spool, to("example.net")).await, [1]);
    assert_eq!(found_by_recipient(spool, to("EXAMPLE.org")).await, [1]);
    assert_eq!(found_by_recipient(spool, to("bücher.example")).await, [2]);
    assert!(found_by_recipient(spool, to("le.net")).await.is_empty());
    let replied = |words: &str| RecipientFilter {
        reply_contains: Some(words.to_owned()),
        ..RecipientFilter::default()
    };
    assert_eq!(found_by_recipient(spool, replied("unKNOWN")).await, [1, 2]);
    assert!(found_by_recipient(spool, replied("%")).await.is_empty());
    // All of it of one and the same recipient.
    assert!(found_by_recipient(spool, RecipientFilter { ..to("example.net") }).await == [1]);
    let unknown_there = RecipientFilter { reply_contains: Some("unknown".to_owned()), ..to("example.net") };
    assert!(found_by_recipient(spool, unknown_there).await.is_empty());
}

pub async fn entries_are_found_by_a_state_as_it_is_shown<S: Spool>(spool: &S) {
    for n in 1..=3 {
        commit(spool, submission(n, &["bob@example.net"])).await;
    }
    let leased = lease(spool, 10).await;
    spool.record(&leased[0], vec![(0, deferred(at(5000)))], None, at(11)).await.unwrap();
    spool.record(&leased[1], vec![(0, failed())], None, at(11)).await.unwrap();
    let are = async |state| {
        found_by_recipient(spool, RecipientFilter { state: Some(state), ..RecipientFilter::default() }).await
    };
    assert_eq!(are(RecipientState::Deferred).await, [1]);
    assert_eq!(are(RecipientState::Failed).await, [2]);
    assert_eq!(are(RecipientState::Queued).await, [3]);
    assert!(are(RecipientState::Held).await.is_empty());
    operate(spool, Operation::Hold, 1, 12).await;
    assert_eq!(are(RecipientState::Held).await, [1]);
    assert!(are(RecipientState::Deferred).await.is_empty());
}
