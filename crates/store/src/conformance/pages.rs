//! That lists of the accounts come in pages, each of their members once and in order, however many are read at a time.
#![expect(missing_docs, reason = "the names say it")]

use types::{AccountId, Fingerprint};

use super::sample::{account, app_password, at, frank, plain};
use crate::{
    Accounts, AppPassword, AppPasswords, Audit, AuditFilter, Certificate, Certificates, Identities, Identity,
    Page,
};

const ALICE: AccountId = AccountId::from_bytes([1; 16]);

/// All that pages of two give, and what one large page gives.
async fn both<T, P>(mut read: impl AsyncFnMut(Page<P>) -> (Vec<T>, Option<P>)) -> [Vec<T>; 2] {
    let (mut seen, mut page) = (Vec::new(), Page::first(2));
    loop {
        let (items, last) = read(page).await;
        assert!(items.len() <= 2);
        seen.extend(items);
        page = Page { after: last, limit: 2 };
        if page.after.is_none() {
            return [seen, read(Page::first(100)).await.0];
        }
    }
}

pub async fn credentials_and_identities_come_in_pages<S>(store: &S)
where
    S: Accounts + AppPasswords + Certificates + Identities,
{
    let alice = account(1, "alice@example.org");
    store.add(&alice, &frank(0)).await.unwrap();
    for n in [3, 1, 5, 2, 4] {
        // Of two that were made at the same time the one with the lesser id comes first.
        let created_at = at(i64::from(n / 2));
        let password = AppPassword { created_at, ..app_password(n, &alice) };
        store.create(&plain(&password, [n; 32]), 9, &frank(1)).await.unwrap();
        let certificate = Certificate {
            fingerprint: Fingerprint::from_octets([n; 32]),
            account: ALICE,
            label: String::new(),
            created_at,
            expires_at: None,
            last_used: None,
        };
        store.add_certificate(&certificate, &frank(1)).await.unwrap();
        let sender = format!("{n}@example.net").parse().unwrap();
        store.add_identity(ALICE, &Identity { sender, created_at }, &frank(1)).await.unwrap();
    }
    let [paged, all] = both(async |page| {
        let some = store.of_account(ALICE, page).await.unwrap();
        let last = some.last().map(AppPassword::place);
        (some, last)
    })
    .await;
    assert_eq!(paged, all);
    assert_eq!(all.iter().map(|one| one.id.as_bytes()[0]).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    let [paged, all] = both(async |page| {
        let some = store.certificates(ALICE, page).await.unwrap();
        let last = some.last().map(Certificate::place);
        (some, last)
    })
    .await;
    assert_eq!(paged, all);
    assert_eq!(all.iter().map(|one| one.fingerprint.as_octets()[0]).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    let [paged, all] = both(async |page| {
        let some = store.identities(ALICE, page).await.unwrap();
        let last = some.last().map(|identity| identity.sender.normal());
        (some, last)
    })
    .await;
    assert_eq!((paged.len(), &paged), (5, &all));
}

pub async fn the_trail_comes_in_pages<S: Accounts + Audit>(store: &S) {
    for n in 1..=5_u8 {
        // Two at a time.
        let act = frank(i64::from(n / 2));
        store.add(&account(n, &format!("{n}@example.org")), &act).await.unwrap();
    }
    let [paged, all] = both(async |page| {
        let read = store.entries(&AuditFilter::default(), page).await.unwrap();
        (read.entries, read.last)
    })
    .await;
    assert_eq!(paged, all);
    let newest_first: Vec<_> = all.iter().map(|entry| entry.event.account.as_deref().unwrap()).collect();
    let expected = ["5@example.org", "4@example.org", "3@example.org", "2@example.org", "1@example.org"];
    assert_eq!(newest_first, expected);
}
