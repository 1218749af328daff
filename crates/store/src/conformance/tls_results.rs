//! What [`TlsResults`] promises.
#![expect(missing_docs, reason = "the names say it")]

use crate::{
    Spool, TLS_RESULTS_IN_DETAIL, TlsFailure, TlsFailureKind, TlsPolicy, TlsPolicyKind, TlsResult, TlsResults,
};

fn result(domain: &str, failure: Option<TlsFailureKind>) -> TlsResult {
    let policy = TlsPolicy { kind: TlsPolicyKind::Sts, text: "version: STSv1\nmode: testing".to_owned() };
    let failure = failure.map(|kind| TlsFailure {
        kind,
        host: "mx.example.org".to_owned(),
        ip: "192.0.2.1".to_owned(),
        sent_from: String::new(),
        reason: "in words".to_owned(),
    });
    TlsResult { domain: domain.to_owned(), policy, failure }
}

pub async fn sessions_that_came_to_the_same_are_counted_together<S: Spool, L: TlsResults>(
    _: &S,
    ledger: &L,
    _: &S,
    beside: &L,
) {
    let (good, bad) = (result("example.org", None), result("example.org", Some(TlsFailureKind::Expired)));
    ledger.add_tls_results(&[(7, good.clone(), 2), (7, bad.clone(), 1), (8, good.clone(), 5)]).await.unwrap();
    beside.add_tls_results(&[(7, good.clone(), 3), (7, result("example.net", None), 1)]).await.unwrap();
    assert_eq!(ledger.tls_results(7, "example.org").await.unwrap(), [(good.clone(), 5), (bad, 1)]);
    assert_eq!(ledger.tls_results(8, "example.org").await.unwrap(), [(good, 5)]);
    assert_eq!(ledger.tls_results(6, "example.org").await.unwrap(), []);
}

pub async fn however_much_comes_to_something_else_a_day_is_small_and_its_totals_are_right<
    S: Spool,
    L: TlsResults,
>(
    _: &S,
    ledger: &L,
    _: &S,
    beside: &L,
) {
    let in_detail = usize::try_from(TLS_RESULTS_IN_DETAIL).unwrap();
    let kinds = TlsPolicyKind::ALL.len() * (TlsFailureKind::ALL.len() + 1);
    let (bad, good) =
        (result("example.org", Some(TlsFailureKind::NotSupported)), result("example.org", None));
    let told_apart = |number: usize| {
        let mut one = if number.is_multiple_of(3) { good.clone() } else { bad.clone() };
        one.policy.text = format!("version: STSv1\nmax_age: {}", number % 7);
        if let Some(failure) = &mut one.failure {
            failure.reason = format!("454 {number}");
        }
        (7, one, 2)
    };
    let many: Vec<_> = (0..3 * in_detail).map(told_apart).collect();
    ledger.add_tls_results(&many).await.unwrap();
    beside.add_tls_results(&many).await.unwrap();
    beside.add_tls_results(&[(7, result("example.net", None), 1), (8, bad.clone(), 1)]).await.unwrap();
    let found = ledger.tls_results(7, "example.org").await.unwrap();
    assert!((in_detail..=in_detail + kinds).contains(&found.len()), "{}", found.len());
    let sum = |failed: bool| -> u64 {
        let of_it = found.iter().filter(|(result, _)| result.failure.is_some() == failed);
        of_it.map(|(_, sessions)| sessions).sum()
    };
    let third = u64::from(TLS_RESULTS_IN_DETAIL) * 4;
    assert_eq!((sum(true), sum(false)), (2 * third, third));
    let detailed = found.iter().filter(|(result, _)| *result != result.without_details()).count();
    assert_eq!(detailed, in_detail);
    assert!(
        found.iter().any(|(found, sessions)| *found == many[1].1 && *sessions == 4),
        "what is known stays so"
    );
    assert_eq!(ledger.tls_results(8, "example.org").await.unwrap(), [(bad, 1)]);
}

pub async fn each_report_is_made_once_whoever_makes_it<S: Spool, L: TlsResults>(
    _: &S,
    ledger: &L,
    _: &S,
    beside: &L,
) {
    for (day, domain) in [(7, "example.org"), (7, "example.net"), (8, "example.org")] {
        ledger.add_tls_results(&[(day, result(domain, None), 1)]).await.unwrap();
    }
    let all = [(7, "example.net".to_owned()), (7, "example.org".to_owned())];
    assert_eq!(ledger.unreported_tls_domains(8).await.unwrap(), all);
    assert!(ledger.claim_tls_report(7, "example.org").await.unwrap());
    assert!(!beside.claim_tls_report(7, "example.org").await.unwrap());
    assert_eq!(beside.unreported_tls_domains(8).await.unwrap(), all[..1]);
    ledger.prune_tls_results(8).await.unwrap();
    assert_eq!(ledger.unreported_tls_domains(9).await.unwrap(), [(8, "example.org".to_owned())]);
}
