//! What [`StsPolicies`] promises.
#![expect(missing_docs, reason = "the names say it")]

use super::sample::at;
use crate::{Page, StsPolicies, StsPolicy};

fn policy(domain: &str, fetched: i64, expires: i64) -> StsPolicy {
    StsPolicy {
        domain: domain.to_owned(),
        id: format!("id{fetched}"),
        text: "version: STSv1\nmode: enforce\nmx: *.example.net\nmax_age: 604800\n".to_owned(),
        fetched_at: at(fetched),
        expires_at: at(expires),
        used_at: at(fetched),
    }
}

pub async fn the_policy_that_was_fetched_last_stands<S: StsPolicies>(store: &S) {
    assert_eq!(store.sts_policy("example.org").await.unwrap(), None);
    let (old, new) = (policy("example.org", 10, 100), policy("example.org", 20, 200));
    store.keep_sts_policy(&old).await.unwrap();
    assert_eq!(store.sts_policy("example.org").await.unwrap(), Some(old.clone()));
    store.keep_sts_policy(&new).await.unwrap();
    store.keep_sts_policy(&old).await.unwrap();
    assert_eq!(store.sts_policy("example.org").await.unwrap(), Some(new));
    assert_eq!(store.sts_policy("example.net").await.unwrap(), None);
}

pub async fn a_policy_stays_until_its_time_is_over_or_it_is_withdrawn<S: StsPolicies>(store: &S) {
    for (domain, expires) in [("a.example", 50), ("b.example", 51), ("c.example", 99)] {
        store.keep_sts_policy(&policy(domain, 10, expires)).await.unwrap();
    }
    assert_eq!(store.prune_sts_policies(at(50)).await.unwrap(), 1);
    assert_eq!(store.sts_policy("a.example").await.unwrap(), None);
    store.drop_sts_policy("c.example").await.unwrap();
    assert_eq!(store.sts_policy("c.example").await.unwrap(), None);
    assert!(store.sts_policy("b.example").await.unwrap().is_some());
}

pub async fn what_is_used_is_refreshed_after_a_day_or_half_its_time_in_pages<S: StsPolicies>(store: &S) {
    const DAY: i64 = 86_400;
    for (domain, fetched, lasts) in [
        ("a.example", 10, 30 * DAY),
        ("b.example", 500, 30 * DAY),
        ("c.example", DAY - 60, 100),
        ("d.example", DAY - 60, 200),
        ("e.example", 10, 30 * DAY),
    ] {
        store.keep_sts_policy(&policy(domain, fetched, fetched + lasts)).await.unwrap();
    }
    for (domain, used) in [("a.example", 400), ("a.example", 200)] {
        store.sts_policy_used(domain, at(used)).await.unwrap();
    }
    let mut names = Vec::new();
    let mut page = Page::first(1);
    loop {
        let found = store.sts_policies_to_refresh(at(DAY + 11), at(300), page).await.unwrap();
        let Some(last) = found.last() else { break };
        page = Page { after: Some(last.domain.clone()), limit: 1 };
        names.extend(found.into_iter().map(|policy| policy.domain));
    }
    assert_eq!(names, ["a.example", "c.example"]);
}
