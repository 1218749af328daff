//! Lists in pages: how many items, behind which place, and where the next page begins.

use std::cmp::Reverse;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use desk::Listed;
use ipnet::IpNet;
use jiff::Timestamp;
use serde::Serialize;
use store::{Page, ThrottleKey, ThrottleKind};
use types::{CredentialId, Fingerprint, QueueId, WebSessionId};

use super::answer::{json, octets};
use super::failure::Failure;
use crate::list::Query;

/// Items of a page: if nothing is said, and at most.
const USUAL: u32 = 50;
pub(crate) const MOST: u32 = 200;

/// A page of a list.
#[derive(Debug, Serialize)]
pub(crate) struct List<T> {
    items: Vec<T>,
    /// Where the next page begins; `null` behind the last.
    next: Option<String>,
}

/// A place in a list, behind which a page begins. It names an item and not a number, so that it stays good when others come and go.
pub(crate) trait Place: Sized {
    /// The place in words, which are nobody else's to understand.
    fn words(&self) -> String;

    /// The place that these words are.
    fn read(words: &str) -> Option<Self>;
}

/// Which page is asked for.
#[derive(Debug)]
pub(crate) struct Paging {
    limit: u32,
    after: Option<String>,
}

impl Paging {
    /// The page, for the store.
    ///
    /// # Errors
    /// When the cursor is none of this list.
    pub(crate) fn page<P: Place>(&self) -> Result<Page<P>, Failure> {
        let after = self.after.as_deref().map(|cursor| place(cursor).ok_or_else(|| no_cursor(cursor)));
        Ok(Page { after: after.transpose()?, limit: self.limit })
    }

    /// The answer of what was found of a list that leaves nothing out.
    pub(crate) fn of<T, P: Place>(&self, listed: Listed<T, P>) -> List<T> {
        let is_full = listed.items.len() >= usize::try_from(self.limit).unwrap_or(usize::MAX);
        let last = listed.last.filter(|_| is_full);
        List { items: listed.items, next: last.map(|place| cursor(&place)) }
    }

    /// The answer of what was found of a list that leaves out some of what it looks at: a page may have fewer items than another behind it.
    pub(crate) fn of_sparse<T, P: Place>(&self, listed: Listed<T, P>) -> List<T> {
        List { items: listed.items, next: listed.last.map(|place| cursor(&place)) }
    }

    /// A page of a list that is there as a whole, those with the greatest place first.
    ///
    /// # Errors
    /// When the cursor is none of this list.
    pub(crate) fn of_all<T, P: Place + Ord + Copy>(
        &self,
        mut all: Vec<T>,
        place: impl Fn(&T) -> Option<P>,
    ) -> Result<List<T>, Failure> {
        let Page { after, limit } = self.page::<P>()?;
        all.sort_by_key(|item| Reverse(place(item)));
        let rest = all.into_iter().filter(|item| after.is_none() || place(item) < after);
        let items: Vec<_> = rest.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect();
        let last = items.last().and_then(place);
        Ok(self.of(Listed { items, last }))
    }
}

impl<S: Sync> FromRequestParts<S> for Paging {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let query = Query::from_request_parts(parts, state).await.map_err(Failure::from)?;
        let limit = match query.get("limit").map(str::parse) {
            None => USUAL,
            Some(Ok(limit)) if (1..=MOST).contains(&limit) => limit,
            Some(_) => return Err(Failure::parameter("limit", format!("write a number from 1 to {MOST}"))),
        };
        Ok(Self { limit, after: query.get("after").map(str::to_owned) })
    }
}

impl<T: Serialize> IntoResponse for List<T> {
    fn into_response(self) -> Response {
        match octets(&self) {
            Ok(octets) => json(StatusCode::OK, octets),
            Err(failure) => failure.into_response(),
        }
    }
}

fn cursor(place: &impl Place) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(place.words())
}

fn place<P: Place>(cursor: &str) -> Option<P> {
    P::read(&String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?)
}

fn no_cursor(cursor: &str) -> Failure {
    let shown: String = cursor.chars().take(80).collect();
    Failure::parameter(
        "after",
        format!("{shown:?} is no place in this list; write the `next` of a page of it"),
    )
}

/// Places that are one identifier.
macro_rules! by_identifier {
    ($($id:ty),*) => {
        $(impl Place for $id {
            fn words(&self) -> String {
                self.to_string()
            }

            fn read(words: &str) -> Option<Self> {
                words.parse().ok()
            }
        })*
    };
}

by_identifier!(QueueId, WebSessionId, String);

/// Places that are a time, and what comes in what order at the same time.
macro_rules! by_time {
    ($($tie:ty),*) => {
        $(impl Place for (Timestamp, $tie) {
            fn words(&self) -> String {
                format!("{} {}", self.0.as_millisecond(), self.1)
            }

            fn read(words: &str) -> Option<Self> {
                let (at, tie) = words.split_once(' ')?;
                Some((Timestamp::from_millisecond(at.parse().ok()?).ok()?, tie.parse().ok()?))
            }
        })*
    };
}

by_time!(i64, CredentialId, Fingerprint);

impl Place for (Timestamp, ThrottleKey) {
    fn words(&self) -> String {
        let (at, ThrottleKey { kind, account, network }) = self;
        let network = network.map(|network| network.to_string()).unwrap_or_default();
        let account = account.as_deref().unwrap_or_default();
        format!("{} {} {network} {account}", at.as_millisecond(), kind.name())
    }

    fn read(words: &str) -> Option<Self> {
        let [at, kind, network, account] = words.splitn(4, ' ').collect::<Vec<_>>().try_into().ok()?;
        let network: Option<IpNet> = (!network.is_empty()).then(|| network.parse()).transpose().ok()?;
        let key = ThrottleKey {
            kind: ThrottleKind::from_name(kind)?,
            account: (!account.is_empty()).then(|| account.to_owned()),
            network,
        };
        Some((Timestamp::from_millisecond(at.parse().ok()?).ok()?, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comes_back<P: Place + PartialEq + std::fmt::Debug>(original: P) {
        assert_eq!(place(&cursor(&original)), Some(original));
    }

    #[test]
    fn a_cursor_leads_back_to_its_place() {
        let at = Timestamp::from_millisecond(1_800_000_000_123).unwrap();
        comes_back(QueueId::from_bytes([7; 16]));
        comes_back("ünï@example.org".to_owned());
        comes_back((at, -42i64));
        comes_back((at, CredentialId::from_bytes([9; 16])));
        comes_back((at, Fingerprint::from_octets([3; 32])));
        for (account, network) in [
            (None, None),
            (Some("a b@example.org".to_owned()), None),
            (Some("a@example.org".to_owned()), Some("2001:db8::/64".parse().unwrap())),
        ] {
            comes_back((at, ThrottleKey { kind: ThrottleKind::Network, account, network }));
        }
        for nonsense in ["", "x", "!!", "AAAA"] {
            assert_eq!(place::<(Timestamp, i64)>(nonsense), None, "{nonsense}");
        }
    }
}
