//! What [`StoredIdempotency`] promises, through two handles to one store.
#![expect(missing_docs, reason = "the names say it")]

use futures_util::future::join_all;
use types::ApiTokenId;

use super::api_tokens::add;
use super::sample::{at, frank, two_accounts};
use crate::{Accounts, ApiTokens, Error, KnownRequest, RequestName, StoredAnswer, StoredIdempotency};

const DIGEST: [u8; 32] = [7; 32];

fn name(token: u8) -> RequestName {
    RequestName { token: ApiTokenId::from_bytes([token; 16]), key: "a key".to_owned() }
}

fn answer() -> StoredAnswer {
    StoredAnswer { status: 201, body: b"{\"password\": null}".to_vec() }
}

/// Alice has the tokens 1 and 2.
async fn two_tokens<S: Accounts + ApiTokens>(store: &S) {
    let [alice, _] = two_accounts(store).await;
    for n in 1..=2 {
        add(store, n, &alice).await;
    }
}

/// What is known of the request of the token 1, at this second, if those of half a minute before are abandoned.
async fn begin<S: StoredIdempotency>(store: &S, second: i64) -> KnownRequest {
    store.begin_request(&name(1), &DIGEST, at(second), at(second - 30)).await.unwrap()
}

pub async fn of_many_that_come_at_once_one_is_new<S>(one: &S, other: &S)
where
    S: Accounts + ApiTokens + StoredIdempotency,
{
    two_tokens(one).await;
    let begun = join_all((0..12).map(async |n| begin(if n % 2 == 0 { one } else { other }, 0).await)).await;
    let new = begun.iter().filter(|known| **known == KnownRequest::New).count();
    let running = begun.iter().filter(|known| **known == KnownRequest::Running).count();
    assert_eq!((new, running), (1, 11));
}

pub async fn a_repeated_request_gets_the_first_answer<S>(one: &S, other: &S)
where
    S: Accounts + ApiTokens + StoredIdempotency,
{
    two_tokens(one).await;
    assert_eq!(begin(one, 0).await, KnownRequest::New);
    one.finish_request(&name(1), at(0), &answer()).await.unwrap();
    let late = StoredAnswer { status: 500, ..answer() };
    other.finish_request(&name(1), at(0), &late).await.unwrap();
    other.forget_request(&name(1), at(0)).await.unwrap();
    assert_eq!(begin(other, 1000).await, KnownRequest::Answered(answer()), "the first stays");
}

pub async fn another_request_of_the_same_name_is_told_so<S>(one: &S, other: &S)
where
    S: Accounts + ApiTokens + StoredIdempotency,
{
    two_tokens(one).await;
    begin(one, 0).await;
    let another = async || other.begin_request(&name(1), &[8; 32], at(1), at(0)).await.unwrap();
    assert_eq!(another().await, KnownRequest::Another);
    one.finish_request(&name(1), at(0), &answer()).await.unwrap();
    assert_eq!(another().await, KnownRequest::Another);
}

pub async fn a_request_that_came_to_nothing_may_be_made_anew<S>(one: &S, other: &S)
where
    S: Accounts + ApiTokens + StoredIdempotency,
{
    two_tokens(one).await;
    begin(one, 0).await;
    one.forget_request(&name(1), at(0)).await.unwrap();
    one.finish_request(&name(1), at(0), &answer()).await.unwrap();
    assert_eq!(begin(other, 1).await, KnownRequest::New);
}

pub async fn a_request_whose_server_is_gone_is_begun_anew<S>(one: &S, other: &S)
where
    S: Accounts + ApiTokens + StoredIdempotency,
{
    two_tokens(one).await;
    begin(one, 0).await;
    assert_eq!(begin(other, 30).await, KnownRequest::Running);
    assert_eq!(begin(other, 31).await, KnownRequest::New);
    assert_eq!(begin(one, 61).await, KnownRequest::Running);
    // Should the first be there after all, it has no say any more.
    one.forget_request(&name(1), at(0)).await.unwrap();
    one.finish_request(&name(1), at(0), &StoredAnswer { status: 500, ..answer() }).await.unwrap();
    assert_eq!(begin(one, 61).await, KnownRequest::Running);
    other.finish_request(&name(1), at(31), &answer()).await.unwrap();
    assert_eq!(begin(one, 62).await, KnownRequest::Answered(answer()));
}

pub async fn requests_of_another_token_are_others<S>(one: &S, other: &S)
where
    S: Accounts + ApiTokens + StoredIdempotency,
{
    two_tokens(one).await;
    begin(one, 0).await;
    assert_eq!(other.begin_request(&name(2), &[8; 32], at(0), at(0)).await.unwrap(), KnownRequest::New);
    let of_nobody = one.begin_request(&name(9), &DIGEST, at(0), at(0)).await;
    assert!(matches!(of_nobody, Err(Error::NotFound)), "{of_nobody:?}");
    let (token, _) = one.token_by_digest(&[1; 32]).await.unwrap().unwrap();
    one.revoke_token(token.account, token.id, &frank(1)).await.unwrap();
    assert_eq!(
        other.prune_requests(at(1), at(1)).await.unwrap(),
        1,
        "a revoked token takes its requests along"
    );
}

pub async fn old_requests_are_forgotten<S>(one: &S, other: &S)
where
    S: Accounts + ApiTokens + StoredIdempotency,
{
    two_tokens(one).await;
    begin(one, 5).await;
    one.finish_request(&name(1), at(5), &answer()).await.unwrap();
    assert_eq!(other.prune_requests(at(5), at(6)).await.unwrap(), 0);
    assert_eq!(other.prune_requests(at(6), at(6)).await.unwrap(), 1);
    assert_eq!(begin(one, 7).await, KnownRequest::New);
    // By a clock that was ahead: a day is taken for a difference of clocks, more is not.
    let day = 24 * 60 * 60;
    assert_eq!(other.prune_requests(at(7 - day), at(7 - day)).await.unwrap(), 0);
    assert_eq!(other.prune_requests(at(6 - day), at(6 - day)).await.unwrap(), 1);
}
