//! Who asks by a token, and about which account.

use std::collections::HashMap;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use desk::TokenOwner;
use jiff::Timestamp;
use store::{Account, Act};
use types::Mailbox;
use url::form_urlencoded;

use super::failure::Failure;
use crate::console::Console;

/// A program that has shown a token which is good for the route that it asks for.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The token, and the account whose it is, as it is now.
    pub(crate) owner: TokenOwner,
    /// Where from.
    pub(crate) ip: IpAddr,
    /// When.
    pub(crate) now: Timestamp,
}

impl Caller {
    /// What is done with the token in this request.
    pub(crate) fn act(&self) -> Act {
        self.owner.act(self.ip, self.now)
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        parts.extensions.get().cloned().ok_or_else(|| Failure::invalid_token(false))
    }
}

/// What stands in the path for the names of its pattern.
#[derive(Debug, Clone)]
pub(crate) struct Named(HashMap<String, String>);

impl Named {
    /// What stands for this name, read as what it is to be; what is none of these is not there.
    ///
    /// # Errors
    /// That there is nothing at this path.
    pub(crate) fn read<T: FromStr>(&self, name: &str) -> Result<T, Failure> {
        let text = self.0.get(name).and_then(|text| text.parse().ok());
        text.ok_or_else(Failure::not_found)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let named =
            RawPathParams::from_request_parts(parts, state).await.map_err(|_| Failure::not_found())?;
        Ok(Self(named.iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()))
    }
}

/// The account that a request is about: the one that the path names by its address, or else the caller's own.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// The account, as it is now.
    pub(crate) account: Account,
    /// The path of its resource.
    pub(crate) path: String,
}

impl FromRequestParts<Arc<Console>> for Subject {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, console: &Arc<Console>) -> Result<Self, Failure> {
        let (caller, named) = (
            Caller::from_request_parts(parts, console).await?,
            Named::from_request_parts(parts, console).await?,
        );
        if !named.0.contains_key("address") {
            return Ok(Self { account: caller.owner.account, path: "/api/v1/account".to_owned() });
        }
        let address: Mailbox = named.read("address")?;
        let account = console.desk().find(&address).await?;
        let path = path_of(&account.address);
        Ok(Self { account, path })
    }
}

/// The path of the account with this address, for administration.
pub(crate) fn path_of(address: &Mailbox) -> String {
    format!("/api/v1/admin/accounts/{}", in_path(&address.to_string()))
}

/// A text as a part of a path. A blank is no plus sign there, and the `@` of an address may stay what it is (RFC 3986 section 3.3).
pub(crate) fn in_path(text: &str) -> String {
    let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    encoded.replace('+', "%20").replace("%40", "@")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_an_account_has_its_address() {
        for (address, path) in [
            ("alice@example.org", "alice@example.org"),
            ("a+b@example.org", "a%2Bb@example.org"),
            ("\"a b/c\"@example.org", "%22a%20b%2Fc%22@example.org"),
        ] {
            let address = Mailbox::parse(address).unwrap();
            assert_eq!(path_of(&address), format!("/api/v1/admin/accounts/{path}"));
        }
    }
}
