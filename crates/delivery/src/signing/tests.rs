//! Which keys sign, and what they cost.

use std::sync::atomic::AtomicU64;

use jiff::Timestamp;
use message::dkim::NewKey;
use types::{DkimAlgorithm, DkimKeyId, DkimKeyName, Domain};

use super::*;

/// Keys in memory, and how often they were asked for. A sealed key is the private key itself; one that is empty does not open.
#[derive(Debug, Default)]
struct Keyed {
    keys: Mutex<Vec<DkimKey>>,
    revision: AtomicU64,
    asked: AtomicU64,
    is_failing: AtomicBool,
    /// The keys that were noted as not opening, and why.
    noted: Mutex<Vec<String>>,
}

impl Keyed {
    /// Adds a key that signs.
    fn add(&self, domain: &str, selector: &str) {
        let new = NewKey::generate(DkimAlgorithm::Ed25519).unwrap();
        let name = DkimKeyName::new(&Domain::parse(domain).unwrap(), selector.parse().unwrap()).unwrap();
        let key = DkimKey {
            id: DkimKeyId::from_bytes([0; 16]),
            name,
            algorithm: DkimAlgorithm::Ed25519,
            created_at: Timestamp::UNIX_EPOCH,
            activated_at: Some(Timestamp::UNIX_EPOCH),
            retired_at: None,
            public_key: new.public_key,
            sealed: new.private_key.declassify().to_vec(),
        };
        self.change(|keys| keys.push(key));
    }

    fn change(&self, change: impl FnOnce(&mut Vec<DkimKey>)) {
        change(&mut self.keys.lock().unwrap());
        self.revision.fetch_add(1, Ordering::Relaxed);
    }

    fn answer<T>(&self, answer: impl FnOnce(&[DkimKey]) -> T) -> Result<T, SourceError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match self.is_failing.load(Ordering::Relaxed) {
            true => Err("no answer".into()),
            false => Ok(answer(&self.keys.lock().unwrap())),
        }
    }
}

impl KeySource for Arc<Keyed> {
    fn revision(&self) -> Answer<'_, Option<Revision>> {
        Box::pin(async { Some(Revision(self.revision.load(Ordering::Relaxed))) })
    }

    fn any_active(&self) -> Answer<'_, Result<bool, SourceError>> {
        Box::pin(async { self.answer(|keys| !keys.is_empty()) })
    }

    fn active<'a>(&'a self, domains: &'a [&'a str]) -> Answer<'a, Result<Vec<DkimKey>, SourceError>> {
        let of_these = |key: &&DkimKey| domains.contains(&key.name.domain());
        Box::pin(async move { self.answer(|keys| keys.iter().filter(of_these).cloned().collect()) })
    }

    fn open(&self, key: &DkimKey) -> Result<Secret, SourceError> {
        if key.sealed.is_empty() { Err("damaged".into()) } else { Ok(Secret::new(key.sealed.clone())) }
    }

    fn note_unopened(&self, key: &DkimKeyName, error: &SourceError) {
        self.noted.lock().unwrap().push(format!("{key}: {error}"));
    }
}

fn house() -> (Arc<Keyed>, Signing) {
    let source = Arc::new(Keyed::default());
    (source.clone(), Signing::new(Box::new(source), true))
}

/// The names of the keys that sign mail of this author, or why it waits.
async fn signs(signing: &Signing, from: &str) -> String {
    keys_for(signing, &format!("From: {from}\r\n")).await
}

async fn keys_for(signing: &Signing, section: &str) -> String {
    match signing.keys_for(section.as_bytes(), QueueId::from_bytes([0; 16])).await {
        Ok(keys) => keys.iter().map(|key| key.name().to_string()).collect::<Vec<_>>().join(" "),
        Err(unsigned) => unsigned.to_reply().to_string(),
    }
}

#[tokio::test]
async fn the_domain_of_the_author_signs_or_the_nearest_above_it() {
    let (source, signing) = house();
    assert!(!signing.has_keys().await.unwrap());
    for (domain, selector) in [("example.org", "a"), ("example.org", "b"), ("sub.example.org", "c")] {
        source.add(domain, selector);
    }
    assert!(signing.has_keys().await.unwrap());
    let table = [
        ("u@Example.ORG", "a._domainkey.example.org b._domainkey.example.org"),
        ("u@mail.example.org", "a._domainkey.example.org b._domainkey.example.org"),
        ("u@sub.example.org", "c._domainkey.sub.example.org"),
        ("u@x.y.sub.example.org", "c._domainkey.sub.example.org"),
        ("u@notexample.org", ""),
        ("u@org", ""),
        ("u@example.net, v@sub.example.org", "c._domainkey.sub.example.org"),
        ("Team: u@example.net, v@sub.example.org;", "c._domainkey.sub.example.org"),
        (
            "u@example.net, v@mail.example.org, w@sub.example.org",
            "a._domainkey.example.org b._domainkey.example.org",
        ),
        ("nobody", ""),
        ("u@[192.0.2.1]", ""),
    ];
    for (from, expected) in table {
        assert_eq!(signs(&signing, from).await, expected, "{from}");
    }
}

#[tokio::test]
async fn keys_are_asked_for_once_until_the_store_changes() {
    let (source, signing) = house();
    source.add("example.org", "a");
    for _ in 0..3 {
        assert!(signing.has_keys().await.unwrap());
        signs(&signing, "u@example.org").await;
        signs(&signing, "u@example.net").await;
    }
    assert_eq!(source.asked.load(Ordering::Relaxed), 3);
    source.change(|keys| keys.clear());
    assert_eq!(signs(&signing, "u@example.org").await, "");
    assert!(!signing.has_keys().await.unwrap());
}

#[tokio::test]
async fn many_authors_are_asked_for_at_once() {
    let (source, signing) = house();
    source.add("example.org", "a");
    let from: Vec<String> = (0..9).map(|n| format!("u@{n}.example.net")).collect();
    let from = from.join(", ") + ", u@mail.example.org";
    for _ in 0..2 {
        assert_eq!(signs(&signing, &from).await, "a._domainkey.example.org");
        assert_eq!(source.asked.load(Ordering::Relaxed), 1);
    }
    // The domain of the one that signs is beyond the ten that count.
    assert_eq!(signs(&signing, &format!("u@one.more.example, {from}")).await, "");
}

#[tokio::test]
async fn a_section_that_can_t_be_read_waits() {
    let (source, signing) = house();
    source.add("example.org", "a");
    assert_eq!(
        keys_for(&signing, "From: u@example.org\r\nno field\r\n").await,
        "451 4.3.0 the message waits to be signed: its header section can't be read: a header line is not a field"
    );
    let many = "X: y\r\n".repeat(message::MAX_FIELDS);
    assert_eq!(
        keys_for(&signing, &format!("{many}From: u@example.org\r\n")).await,
        "a._domainkey.example.org"
    );
}

#[tokio::test]
async fn a_key_that_does_not_open_is_waited_for_and_none_is_passed_over() {
    let (source, signing) = house();
    source.add("example.org", "a");
    source.add("example.org", "b");
    source.change(|keys| keys[1].sealed.clear());
    let waits =
        "451 4.3.0 the message waits to be signed: the DKIM key b._domainkey.example.org can't be opened";
    assert_eq!(signs(&signing, "u@example.org").await, waits);
    source.change(|keys| keys[1].sealed = b"no key".to_vec());
    assert_eq!(signs(&signing, "u@example.org").await, waits);
    // It is tried again though the store has not changed: the key file may have.
    let before = source.asked.load(Ordering::Relaxed);
    assert_eq!(signs(&signing, "u@example.org").await, waits);
    assert_eq!(source.asked.load(Ordering::Relaxed), before + 1);
    source.is_failing.store(true, Ordering::Relaxed);
    assert_eq!(
        signs(&signing, "u@example.net").await,
        "451 4.3.0 the message waits to be signed: the DKIM keys can't be read"
    );
}

#[tokio::test(start_paused = true)]
async fn of_a_key_that_does_not_open_the_audit_trail_is_told_once_a_minute() {
    let (source, signing) = house();
    source.add("example.org", "a");
    source.add("example.net", "b");
    source.change(|keys| keys.iter_mut().for_each(|key| key.sealed.clear()));
    let tell = async |from: &str| {
        let (section, id) = (format!("From: {from}\r\n"), QueueId::from_bytes([0; 16]));
        let unsigned = signing.keys_for(section.as_bytes(), id).await.unwrap_err();
        signing.tell(&unsigned, id);
    };
    for _ in 0..3 {
        tell("u@example.org").await;
        tell("u@example.net").await;
    }
    let both = ["a._domainkey.example.org: damaged", "b._domainkey.example.net: damaged"];
    assert_eq!(*source.noted.lock().unwrap(), both);
    tokio::time::advance(std::time::Duration::from_secs(60)).await;
    tell("u@example.org").await;
    assert_eq!(source.noted.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn what_is_switched_off_signs_nothing() {
    let (source, signing) = house();
    source.add("example.org", "a");
    signing.switch(false);
    assert!(!signing.has_keys().await.unwrap());
    assert_eq!(signs(&signing, "u@example.org").await, "");
    signing.switch(true);
    assert_eq!(signs(&signing, "u@example.org").await, "a._domainkey.example.org");
    assert!(!Signing::none().has_keys().await.unwrap());
}

#[tokio::test]
async fn made_up_domains_do_not_fill_the_memory() {
    let (source, signing) = house();
    source.add("example.org", "a");
    for n in 0..=REMEMBERED {
        signs(&signing, &format!("u@{n}.example.net")).await;
    }
    assert!(signing.known().of_authors.len() <= REMEMBERED);
}
