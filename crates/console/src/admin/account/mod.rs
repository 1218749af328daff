//! The pages of one account: all that is known of it, and each change.

pub(crate) mod show;
pub(crate) mod change;
pub(crate) mod access;
pub(crate) mod remove;
pub(crate) mod second_factor;
pub(crate) mod app_passwords;
pub(crate) mod identities;
pub(crate) mod limits;
mod departure;

use store::Account;
use types::Mailbox;
use url::form_urlencoded;

use crate::console::Console;
use crate::frame::Frame;
use crate::problem::Problem;
use crate::session::current::Current;
use crate::visit::Visit;

/// The list of accounts, which the pages of one are below.
pub(super) const ACCOUNTS: &str = "/admin/accounts";

/// The account that a path names.
pub(super) async fn named(console: &Console, address: &str) -> Result<Account, Problem> {
    let address = Mailbox::parse(address).map_err(|_| Problem::NotFound)?;
    Ok(console.desk().find(&address).await?)
}

/// The path of the page of this account.
pub(super) fn path_of(address: &str) -> String {
    format!("{ACCOUNTS}/{}", segment(address))
}

/// The path of what is done to an account.
fn below(account: &Account, verb: &str) -> String {
    format!("{}/{verb}", path_of(&account.address.to_string()))
}

/// An address as a part of a path.
fn segment(address: &str) -> String {
    let encoded: String = form_urlencoded::byte_serialize(address.as_bytes()).collect();
    encoded.replace('+', "%20")
}

fn frame(console: &Console, visit: &Visit, current: &Current) -> Frame {
    Frame::of_administration(console, visit, current, ACCOUNTS)
}

/// Where a question about an account leads back to.
fn back(account: &Account) -> (String, String) {
    let address = account.address.to_string();
    (path_of(&address), address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_part_of_a_path_whatever_is_in_it() {
        assert_eq!(path_of("alice@example.org"), "/admin/accounts/alice%40example.org");
        assert_eq!(segment("\"a/b ?+\"@example.org"), "%22a%2Fb%20%3F%2B%22%40example.org");
    }
}
