//! Sending limits on a real store.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

use auth::{Credential, Keyring, MasterKeys};
use jiff::SignedDuration;
use store::{Account, Act, LimitChange, LimitChanges, OwnLimit, Sending as _, Share};
use stores::{Mode, Store};
use tempfile::TempDir;
use types::{Mailbox, ReversePath};

use super::*;

const UNLIMITED: CommonLimits = CommonLimits {
    messages_per_hour: None,
    messages_per_day: None,
    recipients_per_hour: None,
    recipients_per_day: None,
    new_recipients_per_day: None,
};

thread_local! {
    static HOURS: Cell<i64> = const { Cell::new(0) };
}

/// What this thread's tests take for the time.
fn clock() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap() + SignedDuration::from_hours(HOURS.get())
}

fn hours_pass(hours: i64) {
    HOURS.set(HOURS.get() + hours);
}

struct Bench {
    directory: TempDir,
    store: Store,
    keyring: Keyring,
    user: User,
}

impl Bench {
    async fn new() -> Bench {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("store"), Mode::Command).await.unwrap();
        let masters = MasterKeys::generate(&directory.path().join("master.key")).unwrap();
        let keyring = Keyring::open(masters, store.accounts()).await.unwrap();
        let (account, address) = (AccountId::new(1, [1; 10]), Mailbox::parse("ann@example.org").unwrap());
        let user =
            User { account, address: address.clone(), credential: Credential::AccountPassword, version: 1 };
        store.accounts().add(&Account::new(account, address, clock()), &Act::server(clock())).await.unwrap();
        Bench { directory, store, keyring, user }
    }

    /// As a server has it that has just started.
    async fn quota(&self, configured: CommonLimits) -> Quota {
        self.store.accounts().flush().await.unwrap();
        Quota::new(self.store.accounts().clone(), self.keyring.blind_digests(), configured, clock)
    }
}

fn path(mailbox: &str) -> ForwardPath {
    ForwardPath::take(&format!("<{mailbox}>")).unwrap().0
}

fn envelope(to: &[&str]) -> Envelope {
    let mut envelope = Envelope::new(ReversePath::Null);
    envelope.recipients = to.iter().map(|to| path(to).into()).collect();
    envelope
}

impl Quota {
    /// One whole message; which limit is in its way, if one is.
    async fn send(&self, user: &User, to: &[&str]) -> Result<(), &'static str> {
        self.may_begin(user).await.map_err(limit)?;
        for (number, recipient) in to.iter().enumerate() {
            self.may_add(user, &envelope(&to[..number]), &path(recipient)).await.map_err(limit)?;
        }
        self.take(user, &envelope(to)).await.map(Counted::keep).map_err(limit)
    }
}

fn limit(rejection: Rejection) -> &'static str {
    match rejection {
        Rejection::SendingLimit { what, .. } => what,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_hour_has_so_many_messages_also_over_a_restart() {
    let bench = Bench::new().await;
    let configured = CommonLimits { messages_per_hour: Some(3), ..UNLIMITED };
    let quota = bench.quota(configured).await;
    for _ in 0..2 {
        quota.send(&bench.user, &["bob@example.net"]).await.unwrap();
    }
    drop(quota);
    let quota = bench.quota(configured).await;
    quota.send(&bench.user, &["bob@example.net"]).await.unwrap();
    assert_eq!(quota.send(&bench.user, &["bob@example.net"]).await, Err("messages an hour"));
    assert_eq!(
        quota.take(&bench.user, &envelope(&["bob@example.net"])).await.map(drop).map_err(limit),
        Err("messages an hour")
    );
    hours_pass(1);
    quota.send(&bench.user, &["bob@example.net"]).await.unwrap();
    assert!(bench.directory.path().exists());
}

#[tokio::test]
async fn what_is_not_kept_is_not_counted() {
    let bench = Bench::new().await;
    let quota = bench
        .quota(CommonLimits { messages_per_day: Some(1), new_recipients_per_day: Some(1), ..UNLIMITED })
        .await;
    for _ in 0..5 {
        let counted = quota.take(&bench.user, &envelope(&["bob@example.net"])).await.unwrap();
        assert_eq!(quota.may_begin(&bench.user).await.map_err(limit), Err("messages a day"), "under way");
        drop(counted);
    }
    quota.send(&bench.user, &["carl@example.net"]).await.unwrap();
    bench.store.accounts().flush().await.unwrap();
    let sent = bench.store.accounts().sent(bench.user.account).await.unwrap().unwrap();
    assert_eq!((sent.day.messages, sent.day.recipients, sent.day.new_recipients), (1, 1, 1));
}

#[tokio::test]
async fn recipients_count_with_those_in_the_envelope_and_each_once() {
    let bench = Bench::new().await;
    let quota = bench.quota(CommonLimits { recipients_per_hour: Some(3), ..UNLIMITED }).await;
    quota.send(&bench.user, &["a@example.net"]).await.unwrap();
    let two = envelope(&["a@example.net", "b@example.net"]);
    assert!(quota.may_add(&bench.user, &envelope(&["a@example.net"]), &path("b@example.net")).await.is_ok());
    assert_eq!(
        quota.may_add(&bench.user, &two, &path("c@example.net")).await.map_err(limit),
        Err("recipients an hour")
    );
    assert!(quota.may_add(&bench.user, &two, &path("b@example.net")).await.is_ok(), "it is there already");
    assert!(quota.may_begin(&bench.user).await.is_ok(), "there is room for a message");
    quota.send(&bench.user, &["a@example.net", "b@example.net"]).await.unwrap();
    assert_eq!(quota.send(&bench.user, &["a@example.net"]).await, Err("recipients an hour"));
}

#[tokio::test]
async fn a_recipient_is_new_once_however_it_is_written() {
    let bench = Bench::new().await;
    let configured = CommonLimits { new_recipients_per_day: Some(2), ..UNLIMITED };
    let quota = bench.quota(configured).await;
    quota.send(&bench.user, &["bob@example.net", "BOB@Example.NET"]).await.unwrap();
    quota.send(&bench.user, &["carl@example.net"]).await.unwrap();
    let refused = Err("new recipients a day");
    assert_eq!(quota.send(&bench.user, &["dora@example.net"]).await, refused);
    for quota in [quota, bench.quota(configured).await] {
        quota.send(&bench.user, &["Carl@EXAMPLE.net", "\"bob\"@example.net", "Postmaster"]).await.unwrap();
        assert_eq!(quota.send(&bench.user, &["bob@example.net", "dora@example.net"]).await, refused);
        let both = quota.take(&bench.user, &envelope(&["bob@example.net", "dora@example.net"])).await;
        assert_eq!(both.map(drop).map_err(limit), refused);
    }
    hours_pass(24);
    let quota = bench.quota(configured).await;
    assert_eq!(quota.send(&bench.user, &["d@example.net", "e@example.net", "f@example.net"]).await, refused);
    quota.send(&bench.user, &["d@example.net", "bob@example.net", "f@example.net"]).await.unwrap();
}

#[tokio::test]
async fn limits_of_ones_own_act_at_the_next_question() {
    let bench = Bench::new().await;
    let (store, id) = (bench.store.accounts(), bench.user.account);
    let quota = bench.quota(CommonLimits { messages_per_hour: Some(1), ..UNLIMITED }).await;
    quota.send(&bench.user, &["bob@example.net"]).await.unwrap();
    assert!(quota.may_begin(&bench.user).await.is_err());
    let change = async |limit| {
        let changes = LimitChanges { messages_per_hour: LimitChange::Set(limit), ..LimitChanges::default() };
        store.change_own_limits(id, &changes, &Act::server(clock())).await.unwrap();
    };
    change(Some(OwnLimit::AtMost(2))).await;
    quota.send(&bench.user, &["bob@example.net"]).await.unwrap();
    assert!(quota.may_begin(&bench.user).await.is_err());
    change(Some(OwnLimit::Unlimited)).await;
    quota.send(&bench.user, &["bob@example.net"]).await.unwrap();
    change(None).await;
    assert!(quota.may_begin(&bench.user).await.is_err());
    quota.replace(CommonLimits { messages_per_hour: Some(4), ..UNLIMITED });
    quota.send(&bench.user, &["bob@example.net"]).await.unwrap();
    assert!(quota.may_begin(&bench.user).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn however_many_send_at_once_a_window_is_filled_to_the_last_and_no_further() {
    let bench = Bench::new().await;
    let limits = CommonLimits { messages_per_hour: Some(100), recipients_per_day: Some(200), ..UNLIMITED };
    let (quota, kept) = (Arc::new(bench.quota(limits).await), Arc::new(AtomicU32::new(0)));
    let tasks: Vec<_> = (0..32_u32)
        .map(|task| {
            let (quota, kept, user) = (Arc::clone(&quota), Arc::clone(&kept), bench.user.clone());
            tokio::spawn(async move {
                for round in 0..40 {
                    let to = envelope(&["bob@example.net", &format!("r{round}@example.net")]);
                    let Ok(counted) = quota.take(&user, &to).await else { continue };
                    tokio::task::yield_now().await;
                    if (task + round) % 3 == 0 {
                        continue;
                    }
                    counted.keep();
                    kept.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(kept.load(Ordering::Relaxed), 100);
    bench.store.accounts().flush().await.unwrap();
    let sent = bench.store.accounts().sent(bench.user.account).await.unwrap().unwrap();
    assert_eq!((sent.hour.messages, sent.day.recipients), (100, 200));
}

#[tokio::test]
async fn what_is_borrowed_is_given_back_at_the_end() {
    let bench = Bench::new().await;
    let quota = bench.quota(CommonLimits { messages_per_hour: Some(100), ..UNLIMITED }).await;
    quota.send(&bench.user, &["bob@example.net"]).await.unwrap();
    let limits = Limits { common: **quota.common.load(), own: OwnLimits::default() };
    let rest = Amounts::of_message(0, 0).plus(&Amounts { messages_per_hour: 98, ..Amounts::default() });
    let lend = async || {
        let (store, nothing) = (bench.store.accounts(), Share::default());
        store.lend(bench.user.account, &nothing, &rest, &limits, clock()).await.unwrap().is_ok()
    };
    assert!(!lend().await, "some of it is borrowed");
    quota.give_back();
    bench.store.accounts().flush().await.unwrap();
    assert!(lend().await);
}

#[tokio::test]
async fn what_a_dead_server_has_borrowed_is_not_sent_again() {
    let bench = Bench::new().await;
    let configured = CommonLimits { messages_per_hour: Some(100), ..UNLIMITED };
    let dead = bench.quota(configured).await;
    dead.send(&bench.user, &["bob@example.net"]).await.unwrap();
    let quota = bench.quota(configured).await;
    let mut sent = 1;
    while quota.send(&bench.user, &["bob@example.net"]).await.is_ok() {
        sent += 1;
    }
    assert!((50..100).contains(&sent), "{sent}: never more than the limit, and no more than a block less");
}
