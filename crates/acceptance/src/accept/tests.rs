//! Acceptance against a real store.

use std::net::SocketAddr;
use std::time::Duration;

use auth::{Backend, Cost, Credential, Hasher, Keyring, MasterKeys};
use delivery::{Carrier, Committer, Routes, Settings, Via};
use esmtp::Durable;
use jiff::SignedDuration;
use store::{
    Account, Accounts as _, Act, Action, AuditFilter, Body as _, CommonLimits, Identities as _, Identity,
    Leased, Node, Nodes as _, Operation, Page, QueueFilter,
};
use stores::{Mode, Store};
use types::{
    AccountId, BodyType, DeliverBy, EhloName, Hold, Mailbox, NodeId, Notify, OriginalRecipient, Priority,
    Ret, ReversePath, SenderCheck, SenderPattern, SessionId, TlsFacts, TlsRequired,
};

use super::*;
use crate::no_login::NoLogin;

/// What the tests take for the time.
fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

/// What Frank does at the command line.
fn frank() -> Act {
    Act::command("frank", now())
}

struct Bench {
    directory: tempfile::TempDir,
    store: Store,
    user: Arc<User>,
    acceptance: Acceptance,
}

async fn bench() -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store"), Mode::Server).await.unwrap();
    let masters = MasterKeys::generate(&directory.path().join("master.key")).unwrap();
    let keyring = Keyring::open(masters, store.accounts()).await.unwrap();
    let (blind_digests, newest_key) = (keyring.blind_digests(), keyring.newest_key());
    let account = ann();
    store.accounts().add(&account, &frank()).await.unwrap();
    let judge = judge(&store, keyring);
    let resolver = dns::Resolver::new(&dns::Upstream::default()).unwrap();
    let settings = Settings {
        hostname: "mail.example.org".into(),
        resolver,
        grace: Duration::from_secs(1),
        newest_key,
        signing: Arc::new(delivery::Signing::none()),
        sts: Arc::new(delivery::StsPolicies::none()),
        tls_tally: Arc::new(delivery::TlsTally::new(now)),
        now,
    };
    let routes = Routes::new(Via::Maildir(directory.path().join("mail")), Vec::new());
    let carrier = Carrier::new(Arc::new(store.spool().clone()), routes, settings).unwrap();
    let (accounts, committer) = (store.accounts().clone(), Committer::new(carrier.clone()));
    let acceptance = Acceptance::new(rules(), Arc::new(judge), accounts, blind_digests, committer, now);
    let user = User {
        account: account.id,
        address: account.address,
        credential: Credential::AccountPassword,
        version: account.version,
    };
    Bench { directory, store, user: Arc::new(user), acceptance }
}

fn ann() -> Account {
    Account::new(AccountId::new(1, [1; 10]), Mailbox::parse("ann@example.org").unwrap(), now())
}

fn judge(store: &Store, keyring: Keyring) -> Authenticator {
    let (accounts, hasher) = (store.accounts().clone(), Arc::new(Hasher::new(Cost::default()).unwrap()));
    let once = (1, SignedDuration::from_secs(60));
    let policy = auth::Policy::new(false, once, once, once);
    Authenticator::new(accounts, Arc::new(keyring), hasher, policy, vec![Backend::Accounts], now)
}

fn rules() -> Rules {
    Rules {
        hostname: "mail.example.org".to_owned(),
        sender_check: SenderCheck::Reject,
        add_missing_headers: true,
        hide_client_address: true,
        remove_bcc: true,
        repair: true,
        no_login: NoLogin::default(),
        limits: CommonLimits::default(),
        unfinished: 256 * 1024 * 1024,
        undo: Duration::ZERO,
        undo_max: Duration::from_secs(120),
        deduplicate: None,
    }
}

fn session() -> SessionFacts {
    let here = SocketAddr::from(([127, 0, 0, 1], 465));
    let ehlo = EhloName::parse("laptop.example").ok();
    let mut session = SessionFacts::new(SessionId::new([0; 8]), here, here);
    (session.ehlo, session.extended) = (ehlo, true);
    session
}

fn envelope() -> Envelope {
    envelope_from("<ann@example.org>")
}

fn envelope_from(reverse_path: &str) -> Envelope {
    let mut envelope = Envelope::new(ReversePath::take(reverse_path).unwrap().0);
    envelope.recipients.push(ForwardPath::take("<bob@example.net>").unwrap().0.into());
    envelope
}

fn foreign_author(field: &'static str, address: &str) -> Rejection {
    Rejection::FromNotOwned { field, address: Mailbox::parse(address).unwrap() }
}

impl Bench {
    async fn submit(&self, chunks: &[&[u8]]) -> Result<Durable, Rejection> {
        self.submit_in(envelope(), chunks).await
    }

    async fn submit_in(&self, envelope: Envelope, chunks: &[&[u8]]) -> Result<Durable, Rejection> {
        let mut message = self.acceptance.open(Some(&self.user), &envelope, &session());
        for chunk in chunks {
            self.acceptance.body(&mut message, Bytes::copy_from_slice(chunk)).await;
        }
        self.acceptance.commit(message, envelope).await
    }

    async fn sender(&self, declared_size: Option<u64>) -> Result<SenderAllowed, Rejection> {
        let mut envelope = envelope();
        envelope.declared_size = declared_size;
        self.acceptance.sender(Some(&self.user), &envelope, &session()).await
    }

    /// What is said to MAIL of a message that is to be held for so many seconds and delivered by then.
    async fn held(&self, seconds: i64, by: &str) -> Result<SenderAllowed, Rejection> {
        let until = now() + SignedDuration::from_secs(seconds);
        let mut envelope = envelope();
        (envelope.hold, envelope.deliver_by) = (Hold::until(&until.to_string()), DeliverBy::from_value(by));
        assert!(envelope.hold.is_some());
        self.acceptance.sender(Some(&self.user), &envelope, &session()).await
    }

    /// All that is in the queue, leased to a node.
    async fn leased(&self) -> Vec<Leased> {
        let (spool, id) = (self.store.spool(), NodeId::from_bytes([1; 16]));
        let node =
            Node { id, name: "test".to_owned(), version: String::new(), started_at: now(), newest_key: None };
        spool.join(&node).await.unwrap();
        let waiting = spool.waiting(Page::first(100)).await.unwrap();
        let room = waiting.into_iter().map(|waiting| (waiting.destination, 10)).collect();
        spool.lease_due(id, now(), room).await.unwrap()
    }

    /// Whether the one message in the queue is re-encoded when it leaves.
    async fn must_be_rewritten(&self) -> bool {
        self.leased().await[0].submission.must_be_rewritten
    }

    /// The one message in the queue, as it will be delivered.
    async fn stored(&self) -> String {
        let (spool, leased) = (self.store.spool(), self.leased().await);
        let [leased] = leased.as_slice() else { panic!("{} messages", leased.len()) };
        let (mut body, mut text) = (spool.body(leased).await.unwrap(), Vec::new());
        while let Some(chunk) = body.next_chunk().await.unwrap() {
            text.extend_from_slice(&chunk);
        }
        String::from_utf8(text).unwrap()
    }

    /// How many messages were sent in a name that only `*` allows.
    async fn sent_as_any(&self) -> u64 {
        self.store.accounts().flush().await.unwrap();
        let filter = AuditFilter { action: Some(Action::SendAsAny), ..AuditFilter::default() };
        self.store
            .accounts()
            .entries(&filter, Page::first(1000))
            .await
            .unwrap()
            .entries
            .iter()
            .map(|entry| entry.count)
            .sum()
    }

    async fn is_empty(&self) -> bool {
        self.store.spool().ids(&QueueFilter::default(), Page::first(1)).await.unwrap().is_empty()
    }
}

const MESSAGE: &[u8] = b"From: ann@example.org\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\n\
    Message-ID: <1@example.org>\r\nBcc: eve@example.net\r\n\r\nHello.\r\n";

const TRAVELS_ON: &str = "From: ann@example.org\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\n\
    Message-ID: <1@example.org>\r\n\r\nHello.\r\n";

#[tokio::test]
async fn a_message_is_kept_with_a_received_line_and_without_bcc() {
    let bench = bench().await;
    let id = bench.submit(&[MESSAGE]).await.unwrap().name().to_string();
    let stored = bench.stored().await;
    let (received, rest) = stored.split_at(stored.find("From:").unwrap());
    assert!(received.starts_with("Received: "), "{received}");
    assert!(received.contains("by mail.example.org") && received.contains(&id), "{received}");
    assert!(!received.contains("laptop.example") && !received.contains("127.0.0.1"), "{received}");
    assert_eq!(rest, TRAVELS_ON);
}

/// RFC 4865 sections 4.2 and 5.2.2.
#[tokio::test]
async fn nothing_is_held_until_after_it_has_to_be_delivered() {
    let bench = bench().await;
    for (seconds, by) in [(600, ""), (600, "600;R"), (600, "601;N"), (0, "-5;N"), (-600, "-5;N")] {
        assert!(bench.held(seconds, by).await.is_ok(), "{seconds} {by}");
    }
    for (seconds, by) in [(601, "600;R"), (601, "600;N"), (1, "-5;N")] {
        assert_eq!(bench.held(seconds, by).await.unwrap_err(), Rejection::HoldPastDelivery, "{seconds} {by}");
    }
    let month = 30 * 24 * 60 * 60;
    assert!(bench.held(month, "").await.is_ok());
    assert_eq!(bench.held(month + 1, "600;R").await.unwrap_err(), Rejection::HoldTooLong);
}

#[tokio::test]
async fn where_chunks_are_cut_makes_no_difference() {
    let bench = bench().await;
    let act = frank();
    for cut in 1..MESSAGE.len() {
        let (before, after) = MESSAGE.split_at(cut);
        let id = bench.submit(&[before, after]).await.unwrap().name().to_string().parse().unwrap();
        assert!(bench.stored().await.ends_with(TRAVELS_ON), "cut at {cut}");
        bench.store.spool().operate(Operation::Remove, vec![id], &act).await.unwrap();
    }
}

#[tokio::test]
async fn a_message_may_be_all_header() {
    let bench = bench().await;
    bench.submit(&[b"From: ann@example.org\r\nSubject: no body\r\n"]).await.unwrap();
    let stored = bench.stored().await;
    assert!(stored.contains("Subject: no body\r\n") && stored.ends_with("\r\n\r\n"), "{stored}");
}

#[tokio::test]
async fn what_is_refused_leaves_nothing() {
    let bench = bench().await;
    let hops = "Received: from a by b; Sat, 21 Nov 2026 12:00:00 +0000\r\n".repeat(101);
    let signed = "DKIM-Signature: h=from; bh=x; b=y\r\nFrom: ann@example.org\r\n\r\n".as_bytes();
    let long = [b"x".repeat(999), b"\r\n".to_vec()].concat();
    let table: [(Vec<u8>, Rejection); 9] = [
        (b"From: eve@example.org\r\n\r\nx\r\n".to_vec(), foreign_author("From", "eve@example.org")),
        (
            b"From: ann@example.org\r\nFrom: eve@example.org\r\n\r\n".to_vec(),
            Rejection::AuthorsUnclear("the message has more than one From field".into()),
        ),
        (
            b"From: ann@example.org\r\nSubject: \0\r\n\r\n".to_vec(),
            Rejection::BadHeader("the header has a NUL".into()),
        ),
        (
            "From: ann@example.org\r\nTo: \u{fc}@example.net\r\n\r\n".as_bytes().to_vec(),
            Rejection::NonAsciiHeader("To".into()),
        ),
        (
            "From: ann@example.org\r\nDKIM-Signature: h=subject\r\nSubject: \u{fc}\r\n\r\n"
                .as_bytes()
                .to_vec(),
            Rejection::NonAsciiHeader("signed Subject".into()),
        ),
        (
            b"From: ann@example.org\r\nTo: \xfc@example.net\r\n\r\n".to_vec(),
            Rejection::Unrepairable("an address in the To field has octets that are not UTF-8".into()),
        ),
        (format!("{hops}From: ann@example.org\r\n\r\n").into_bytes(), Rejection::TooManyHops),
        ([b"X: y\r\n".repeat(60_000), b"\r\n".to_vec()].concat(), Rejection::HeaderTooBig),
        ([signed, &long].concat(), Rejection::LongLine("a DKIM-Signature covers the body")),
    ];
    for (message, expected) in table {
        let refused = bench.submit(&[&message, b"more body\r\n"]).await;
        assert_eq!(refused.map(|durable| durable.name().clone()).unwrap_err(), expected);
    }
    assert!(bench.is_empty().await);
}

#[tokio::test]
async fn what_was_meant_is_repaired() {
    for (message, expected) in [
        ("Battery low\r\n", "\r\n\r\nBattery low\r\n"),
        ("Subject: x\r\n\r\n", "Subject: x\r\nFrom: ann@example.org\r\n"),
        ("From a@b Sun\r\nFrom: ann@example.org\r\nno field\r\n", "\r\n\r\nno field\r\n"),
        (
            "From : Ann <ann@example.org>\r\nBcc : eve@example.net\r\n\r\n",
            "\nFrom: Ann <ann@example.org>\r\nDate",
        ),
        (
            "From: \"eve@example.net\" <ann@example.org>\r\n\r\n",
            "From: \"eve at example.net\" <ann@example.org>",
        ),
        ("From: ann@example.org <ann@example.org>\r\n\r\n", "From: \"ann@example.org\" <ann@example.org>"),
        ("From: ann@example.org\r\nSubject: \u{fc}\r\n\r\n", "Subject: =?utf-8?q?=C3=BC?=\r\n"),
    ] {
        let bench = bench().await;
        bench.submit(&[message.as_bytes()]).await.unwrap();
        let stored = bench.stored().await;
        assert!(stored.contains(expected), "{message}: {stored}");
    }
}

#[tokio::test]
async fn without_repair_it_is_refused() {
    let bench = bench().await;
    bench.acceptance.replace(Rules { repair: false, ..rules() });
    for (message, expected) in [
        ("Battery low\r\n", Rejection::BadHeader("there is no header".into())),
        ("From eve\r\n\r\n", Rejection::BadHeader("a header line is not a field".into())),
        ("Subject: x\r\n\r\n", Rejection::AuthorsUnclear("the message has no From field".into())),
        ("\r\nx\r\n", Rejection::BadHeader("there is no header".into())),
        ("From: ann@example.org\r\nSubject: \u{fc}\r\n\r\n", Rejection::NonAsciiHeader("Subject".into())),
        (
            "From: < ann@example.org >\r\n\r\n",
            Rejection::AuthorsUnclear("the From field is not a plain list of addresses".into()),
        ),
    ] {
        assert_eq!(bench.submit(&[message.as_bytes()]).await.unwrap_err(), expected, "{message}");
    }
}

#[tokio::test]
async fn what_a_message_needs_is_found_out() {
    for (message, body, smtputf8, must_be_rewritten) in [
        (
            "From: ann@example.org\r\nSubject: \u{fc}\r\n\r\nx\r\n".to_owned(),
            BodyType::SevenBit,
            false,
            false,
        ),
        ("From: ann@example.org\r\n\r\n\u{fc}\r\n".to_owned(), BodyType::EightBit, false, false),
        ("From: ann@example.org\r\nTo: \u{fc}@x\r\n\r\nx\r\n".to_owned(), BodyType::EightBit, true, false),
        (format!("From: ann@example.org\r\n\r\n{}\r\n", "x".repeat(999)), BodyType::SevenBit, false, true),
    ] {
        let bench = bench().await;
        let mut declared = envelope();
        (declared.smtputf8, declared.body) = (true, BodyType::EightBit);
        bench.submit_in(declared, &[message.as_bytes()]).await.unwrap();
        let leased = bench.leased().await;
        let needs = &leased[0].submission;
        assert_eq!(
            (needs.body, needs.smtputf8, needs.must_be_rewritten),
            (body, smtputf8, must_be_rewritten)
        );
    }
}

/// RFC 8689 sections 3 and 4.1.
#[tokio::test]
async fn what_is_wanted_of_tls_is_found_out() {
    let field = |text: &str| format!("From: ann@example.org\r\n{text}\r\nx\r\n");
    for (text, require_tls, expected) in [
        ("", false, TlsRequired::Unsaid),
        ("TLS-Required: No\r\n", false, TlsRequired::No),
        ("tls-required:\r\n no\r\n", false, TlsRequired::No),
        ("TLS-Required: Yes\r\n", false, TlsRequired::Unsaid),
        ("TLS-Required: No\r\nTLS-Required: No\r\n", false, TlsRequired::Unsaid),
        ("", true, TlsRequired::Yes),
        ("TLS-Required: No\r\n", true, TlsRequired::Yes),
    ] {
        let bench = bench().await;
        let mut asking = envelope();
        asking.require_tls = require_tls;
        bench.submit_in(asking, &[field(text).as_bytes()]).await.unwrap();
        assert_eq!(bench.leased().await[0].submission.tls_required, expected, "{text:?}");
    }
}

/// The session was promised that long lines are taken, which is to say re-encoded.
#[tokio::test]
async fn a_long_line_is_re_encoded_though_repair_was_switched_off_since_the_session_began() {
    let bench = bench().await;
    bench.acceptance.replace(Rules { repair: false, ..rules() });
    let text = format!("From: ann@example.org\r\n\r\n{}\r\n", "x".repeat(999));
    bench.submit(&[text.as_bytes()]).await.unwrap();
    assert!(bench.must_be_rewritten().await);
}

#[tokio::test]
async fn a_message_has_the_rules_with_which_it_began() {
    let bench = bench().await;
    let mut message = bench.acceptance.open(Some(&bench.user), &envelope(), &session());
    bench.acceptance.replace(Rules { repair: false, ..rules() });
    let text = b"From: < ann@example.org >\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
        --b\r\nContent-Description: \xc3\xbc\r\n\r\nx\r\n--b--\r\n";
    bench.acceptance.body(&mut message, Bytes::from_static(text)).await;
    bench.acceptance.commit(message, envelope()).await.unwrap();
    assert!(bench.must_be_rewritten().await, "the header of a part is repaired, too");
}

#[tokio::test]
async fn who_may_be_anybody_may_write_in_any_name_and_that_is_audited() {
    let bench = bench().await;
    let sender: SenderPattern = "*".parse().unwrap();
    let identity = Identity { sender, created_at: now() };
    bench.store.accounts().add_identity(bench.user.account, &identity, &frank()).await.unwrap();
    for own in ["From: ann@example.org\r\n\r\n", "Subject: x\r\n\r\n"] {
        bench.submit(&[own.as_bytes()]).await.unwrap();
    }
    assert_eq!(bench.sent_as_any().await, 0);
    for foreign in [
        "From: \"a@b\" <bob@example.org>\r\nResent-From: ann@example.org\r\n\r\n",
        "From: all: bob@example.org;\r\n\r\n",
    ] {
        bench.submit(&[foreign.as_bytes()]).await.unwrap();
    }
    assert_eq!(bench.sent_as_any().await, 2);
    let two = b"From: a@b\r\nFrom: b@c\r\n\r\n";
    assert!(matches!(bench.submit(&[two]).await.unwrap_err(), Rejection::AuthorsUnclear(_)));
}

#[tokio::test]
async fn an_account_that_is_disabled_meanwhile_sends_nothing_more() {
    let bench = bench().await;
    assert!(bench.sender(None).await.is_ok());
    bench.store.accounts().set_disabled(bench.user.account, true, &frank()).await.unwrap();
    assert_eq!(bench.sender(None).await.unwrap_err(), Rejection::CredentialRevoked);
    let path = ForwardPath::take("<bob@example.net>").unwrap().0;
    let recipient = bench.acceptance.recipient(Some(&bench.user), &envelope(), &path, &session()).await;
    assert_eq!(recipient.unwrap_err(), Rejection::CredentialRevoked);
    assert_eq!(bench.submit(&[MESSAGE]).await.unwrap_err(), Rejection::CredentialRevoked);
    assert!(bench.is_empty().await);
}

#[tokio::test]
async fn nobody_sends_without_logging_in() {
    let bench = bench().await;
    let refused = bench.acceptance.sender(None, &envelope(), &session()).await;
    assert_eq!(refused.unwrap_err(), Rejection::LoginRequired);
    let message = bench.acceptance.open(None, &envelope(), &session());
    assert_eq!(bench.acceptance.commit(message, envelope()).await.unwrap_err(), Rejection::LoginRequired);
}

#[tokio::test]
async fn a_tag_of_ones_own_address_is_ones_own_unless_an_account_has_it() {
    let bench = bench().await;
    let tagged = envelope_from("<Ann+Lists@example.org>");
    let text = b"From: ann@example.org\r\nSender: ann+lists@example.org\r\n\r\n";
    assert!(bench.acceptance.sender(Some(&bench.user), &tagged, &session()).await.is_ok());
    assert!(bench.submit(&[text]).await.is_ok());
    let address = Mailbox::parse("ann+lists@example.org").unwrap();
    let other = Account { id: AccountId::new(2, [2; 10]), address, ..ann() };
    bench.store.accounts().add(&other, &frank()).await.unwrap();
    let refused = bench.acceptance.sender(Some(&bench.user), &tagged, &session()).await;
    assert_eq!(refused.unwrap_err(), Rejection::SenderNotOwned(tagged.reverse_path));
    assert_eq!(bench.submit(&[text]).await.unwrap_err(), foreign_author("Sender", "ann+lists@example.org"));
}

#[tokio::test]
async fn every_author_is_the_user() {
    let bench = bench().await;
    for own in
        ["From: ann@example.org\r\n\r\n", "From: Ann <Ann@Example.org>\r\nSender: ann@example.org\r\n\r\n"]
    {
        assert!(bench.submit(&[own.as_bytes()]).await.is_ok(), "{own}");
    }
    for foreign in [
        "From: ann@example.org, bob@example.org\r\n\r\n",
        "From: ann@example.org\r\nSender: bob@example.org\r\n\r\n",
        "From: ann@example.org\r\nResent-From: bob@example.org\r\n\r\n",
        "From: bob+ann@example.org\r\n\r\n",
        "From: bob@example.org <ann@example.org>\r\n\r\n",
    ] {
        let refused = bench.submit(&[foreign.as_bytes()]).await.unwrap_err();
        assert!(matches!(refused, Rejection::FromNotOwned { .. }), "{foreign} {refused}");
    }
    for unclear in
        ["From: <ann@example.org> <bob@example.org>\r\n\r\n", "From: all: ann@example.org;\r\n\r\n"]
    {
        let refused = bench.submit(&[unclear.as_bytes()]).await.unwrap_err();
        assert!(matches!(refused, Rejection::AuthorsUnclear(_)), "{unclear} {refused}");
    }
}

#[tokio::test]
async fn switched_off_the_sender_check_lets_anybody_through() {
    let bench = bench().await;
    bench.acceptance.replace(Rules { sender_check: SenderCheck::Off, ..rules() });
    let bob = envelope_from("<bob@example.org>");
    assert!(bench.acceptance.sender(Some(&bench.user), &bob, &session()).await.is_ok());
    assert!(bench.submit_in(bob, &[b"\r\n"]).await.is_ok());
}

#[tokio::test]
async fn what_cannot_fit_is_refused_before_it_is_sent() {
    let bench = bench().await;
    assert_eq!(bench.sender(Some(u64::MAX / 2)).await.unwrap_err(), Rejection::StorageFull);
}

#[tokio::test]
async fn a_failure_on_the_way_is_told_at_the_end() {
    let bench = bench().await;
    let spool = bench.directory.path().join("store/spool");
    std::fs::remove_dir_all(&spool).unwrap();
    std::fs::write(&spool, "in the way").unwrap();
    let line = [vec![b'x'; 998], b"\r\n".to_vec()].concat();
    let mut chunks = vec![MESSAGE];
    chunks.extend(std::iter::repeat_n(line.as_slice(), 1000));
    assert_eq!(bench.submit(&chunks).await.unwrap_err(), Rejection::StorageFailing);
    assert!(bench.is_empty().await);
}

#[tokio::test]
async fn how_a_message_came_and_what_was_asked_is_kept_with_it() {
    let bench = bench().await;
    let tls = TlsFacts::new("TLSv1.3", "TLS_AES_128_GCM_SHA256");
    let mut session = session();
    (session.tls, session.peer) = (Some(tls), "[::ffff:192.0.2.1]:40000".parse().unwrap());
    let mut envelope = envelope();
    (envelope.ret, envelope.envid) = (Some(Ret::Headers), Some("order 66".into()));
    envelope.recipients[0].notify = Some(Notify::NEVER);
    let mut message = bench.acceptance.open(Some(&bench.user), &envelope, &session);
    bench.acceptance.body(&mut message, Bytes::from_static(b"Message-ID: <1@x>\r\n\r\n")).await;
    bench.acceptance.commit(message, envelope.clone()).await.unwrap();
    let leased = bench.leased().await;
    let kept = &leased[0].submission;
    assert_eq!(
        (&kept.recipients, kept.ret, &kept.envid),
        (&envelope.recipients, envelope.ret, &envelope.envid)
    );
    assert_eq!((kept.session, kept.ip), (Some(session.id), Some([192, 0, 2, 1].into())));
    assert_eq!(
        (kept.tls_version.as_deref(), kept.tls_cipher.as_deref()),
        (Some(tls.version), Some(tls.cipher))
    );
    assert_eq!((kept.message_id.as_deref(), kept.credential.as_deref()), (Some("<1@x>"), Some("password")));
    assert_eq!(kept.not_before, None);
}

/// A message with this Message-ID, and what differs.
fn copy(message_id: &str, date: &str, subject: &str, body: &str) -> Vec<u8> {
    format!(
        "Message-ID: <{message_id}@x>\r\nDate: Mon, {date} Nov 2026 12:00:00 +0000\r\nFrom: ann@example.org\r\nSubject: {subject}\r\n\
         Bcc: carol@example.net\r\n\r\n{body}\r\n"
    )
    .into_bytes()
}

impl Bench {
    async fn name_of(&self, envelope: Envelope, message: &[u8]) -> String {
        let (one, other) = message.split_at(message.len() / 2);
        self.submit_in(envelope, &[one, other]).await.unwrap().name().to_string()
    }
}

#[tokio::test]
async fn what_is_handed_in_again_gets_the_first_name_and_is_not_sent_twice() {
    let bench = bench().await;
    bench.acceptance.replace(Rules { deduplicate: Some(Duration::from_secs(600)), ..rules() });
    let first = bench.name_of(envelope(), &copy("1", "30", "s", "text")).await;
    assert_eq!(bench.name_of(envelope(), &copy("1", "30", "s", "text")).await, first);
    assert_eq!(bench.name_of(envelope(), &copy("1", "23", "s", "text")).await, first, "another Date");
    let mut others = envelope();
    others.recipients.push(ForwardPath::take("<carol@example.net>").unwrap().0.into());
    let asking = |ask: fn(&mut Envelope)| {
        let mut envelope = envelope();
        ask(&mut envelope);
        envelope
    };
    let bcc = String::from_utf8(copy("1", "30", "s", "text")).unwrap().replace("carol", "dave");
    let mut names = vec![first];
    for (what, envelope, message) in [
        ("Message-ID", envelope(), copy("2", "30", "s", "text")),
        ("Subject", envelope(), copy("1", "30", "t", "text")),
        ("text", envelope(), copy("1", "30", "s", "texts")),
        ("recipients", others, copy("1", "30", "s", "text")),
        ("Bcc", envelope(), bcc.into_bytes()),
        ("reverse-path", envelope_from("<ann+lists@example.org>"), copy("1", "30", "s", "text")),
        ("NOTIFY", asking(|it| it.recipients[0].notify = Some(Notify::NEVER)), copy("1", "30", "s", "text")),
        (
            "ORCPT",
            asking(|it| it.recipients[0].orcpt = OriginalRecipient::from_text("rfc822;bob@x")),
            copy("1", "30", "s", "text"),
        ),
        ("RET", asking(|it| it.ret = Some(Ret::Headers)), copy("1", "30", "s", "text")),
        ("HOLDFOR", asking(|it| it.hold = Some(Hold::For(60))), copy("1", "30", "s", "text")),
        ("BY", asking(|it| it.deliver_by = DeliverBy::from_value("600;N")), copy("1", "30", "s", "text")),
        ("MT-PRIORITY", asking(|it| it.priority = Priority::URGENT), copy("1", "30", "s", "text")),
        ("REQUIRETLS", asking(|it| it.require_tls = true), copy("1", "30", "s", "text")),
        ("ENVID", asking(|it| it.envid = Some("order 66".into())), copy("1", "30", "s", "text")),
        ("nothing, but there is no Message-ID", envelope(), b"Subject: s\r\n\r\ntext\r\n".to_vec()),
        ("again", envelope(), b"Subject: s\r\n\r\ntext\r\n".to_vec()),
    ] {
        let name = bench.name_of(envelope, &message).await;
        assert!(!names.contains(&name), "another message by its {what}");
        names.push(name);
    }
    let kept = bench.store.spool().list(&QueueFilter::default(), Page::first(100)).await.unwrap();
    assert_eq!(kept.len(), names.len());
}

/// Else an account could learn from the name in its 250 what another one has sent.
#[tokio::test]
async fn the_same_octets_from_another_account_are_another_message() {
    let mut bench = bench().await;
    let deduplicate = Some(Duration::from_secs(600));
    bench.acceptance.replace(Rules { deduplicate, sender_check: SenderCheck::Off, ..rules() });
    let first = bench.name_of(envelope(), &copy("1", "30", "s", "text")).await;
    let bob = Account::new(AccountId::new(1, [2; 10]), Mailbox::parse("bob@example.org").unwrap(), now());
    bench.store.accounts().add(&bob, &frank()).await.unwrap();
    let credential = Credential::AccountPassword;
    bench.user = Arc::new(User { account: bob.id, address: bob.address, credential, version: bob.version });
    assert_ne!(bench.name_of(envelope(), &copy("1", "30", "s", "text")).await, first);
}

#[tokio::test]
async fn a_message_id_that_names_nothing_is_none() {
    let bench = bench().await;
    bench.acceptance.replace(Rules { deduplicate: Some(Duration::from_secs(600)), ..rules() });
    for field in ["Message-ID:", "Message-ID: ", "Message-ID: <>"] {
        let message = format!("{field}\r\nSubject: s\r\n\r\ntext\r\n").into_bytes();
        let first = bench.name_of(envelope(), &message).await;
        assert_ne!(bench.name_of(envelope(), &message).await, first, "{field:?}");
    }
}

#[tokio::test]
async fn where_it_is_configured_never_to_be_known_it_is_sent_again() {
    let bench = bench().await;
    let message = copy("1", "30", "s", "text");
    assert_ne!(bench.name_of(envelope(), &message).await, bench.name_of(envelope(), &message).await);
}

#[tokio::test]
async fn what_is_handed_in_again_is_not_counted() {
    let bench = bench().await;
    let limits = CommonLimits { messages_per_hour: Some(2), ..CommonLimits::default() };
    bench.acceptance.replace(Rules { deduplicate: Some(Duration::from_secs(600)), limits, ..rules() });
    let message = copy("1", "30", "s", "text");
    for _ in 0..3 {
        bench.submit(&[&message]).await.unwrap();
    }
    bench.submit(&[&copy("2", "30", "s", "text")]).await.unwrap();
    let third = bench.submit(&[&copy("3", "30", "s", "text")]).await;
    assert!(matches!(third, Err(Rejection::SendingLimit { .. })), "{third:?}");
}

#[tokio::test]
async fn a_message_waits_as_long_as_it_can_be_taken_back() {
    let bench = bench().await;
    let undo = Duration::from_secs(30);
    bench.acceptance.replace(Rules { undo, ..rules() });
    bench.submit(&[MESSAGE]).await.unwrap();
    bench.submit_in(envelope_from("<>"), &[MESSAGE]).await.unwrap();
    let leased = bench.leased().await;
    assert_eq!(leased.len(), 1, "what is from <> never waits");
    assert!(leased[0].submission.reverse_path.mailbox().is_none());
    // Its own choice counts, up to what the operator allows.
    for (own, waits) in [(Duration::ZERO, 0), (Duration::from_secs(60), 60), (Duration::from_secs(600), 120)]
    {
        bench.store.accounts().set_undo(bench.user.account, Some(own), &frank()).await.unwrap();
        let id = bench.submit(&[MESSAGE]).await.unwrap().name().to_string().parse().unwrap();
        let shown = bench.store.spool().show(id).await.unwrap().unwrap();
        assert_eq!(shown.entry.next_attempt_at, Some(now() + SignedDuration::from_secs(waits)));
    }
}
