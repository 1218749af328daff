//! The pages of one account: all that is known of it, and each change.

pub(crate) mod show;
pub(crate) mod change;
pub(crate) mod access;
pub(crate) mod remove;
pub(crate) mod second_factor;
pub(crate) mod app_passwords;
pub(crate) mod identities;
pub(crate) mod limits;

use desk::{Operated, Trouble};
use store::{Account, LastAdministrator, Operation};
use types::{Mailbox, QueueId};
use url::form_urlencoded;

use crate::console::Console;
use crate::fields::Fields;
use crate::frame::Frame;
use crate::problem::Problem;
use crate::question::LAST;
use crate::session::current::Current;
use crate::texts::Texts;
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

/// What the form of a change says that leaves nobody to administer, if this is one: the box that has to be ticked.
async fn last_box(
    console: &Console,
    visit: &Visit,
    account: &Account,
) -> Result<Option<(&'static str, String, bool)>, Problem> {
    let is_last = console.desk().is_last_administrator(account).await?;
    Ok(is_last.then(|| (LAST, visit.texts.last_administrator().to_owned(), true)))
}

/// What becomes of the last administrator, as the box is ticked or not.
fn last_administrator(fields: &Fields) -> LastAdministrator {
    if fields.text(LAST) == "yes" { LastAdministrator::MayGo } else { LastAdministrator::Stays }
}

/// Whether a change that takes this administrator away may be done: another is left, or the box is ticked. It is asked before the password is; the
/// store sees to it that it is still so.
async fn may_go(console: &Console, account: &Account, fields: &Fields) -> Result<bool, Problem> {
    Ok(last_administrator(fields) == LastAdministrator::MayGo
        || !console.desk().is_last_administrator(account).await?)
}

/// What was said of what is queued: the question whether to hold it.
fn hold_box(queued: &[QueueId], visit: &Visit) -> Option<(&'static str, String, bool)> {
    (!queued.is_empty()).then(|| (crate::question::HOLD, visit.texts.hold_what_waits().to_owned(), false))
}

/// Holds what the account has in the queue, after a change by which nothing more comes; what is to be said of it. The change is done by then: a page
/// that fails here would say that nothing was changed.
async fn hold_all(console: &Console, visit: &Visit, current: &Current, account: &Account) -> String {
    let (desk, act) = (console.desk(), current.act(visit));
    let operated = match desk.messages_of(account).await {
        Ok(queued) => desk.operate_on(&act, Operation::Hold, &queued).await,
        Err(trouble) => Err(trouble),
    };
    held(&operated, visit.texts)
}

/// How many messages are held, and whether that are all.
fn held(operated: &Result<Operated, Trouble>, t: Texts) -> String {
    match operated {
        Ok(operated) if operated.broken_off.is_none() => t.messages_held(operated.done.len()),
        Ok(operated) => format!("{} {}", t.messages_held(operated.done.len()), t.broken_off()),
        Err(_) => t.could_not_be_held().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_held_is_said_behind_what_was_done() {
        let (t, id) = (Texts::preferred("en"), QueueId::from_bytes([0; 16]));
        let whole = Operated { done: vec![id], ..Operated::default() };
        assert_eq!(held(&Ok(whole), t), "1 message is held.");
        let broken_off = Some(Trouble::Withheld(id));
        let part = Operated { done: vec![id], broken_off, ..Operated::default() };
        assert!(held(&Ok(part), t).starts_with("1 message is held. Then it broke off"));
        assert_eq!(held(&Err(Trouble::Withheld(id)), t), "What it has queued could not be held.");
    }

    #[test]
    fn an_address_is_one_part_of_a_path_whatever_is_in_it() {
        assert_eq!(path_of("alice@example.org"), "/admin/accounts/alice%40example.org");
        assert_eq!(segment("\"a/b ?+\"@example.org"), "%22a%2Fb%20%3F%2B%22%40example.org");
    }
}
