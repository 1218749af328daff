//! What goes with an account that is disabled or removed: what it has in the queue, and perhaps the last administrator.

use desk::{Operated, Trouble};
use store::{Account, LastAdministrator, Operation};
use types::QueueId;

use crate::console::Console;
use crate::fields::Fields;
use crate::problem::Problem;
use crate::question::{HOLD, LAST, TickBox};
use crate::session::current::Current;
use crate::texts::Texts;
use crate::visit::Visit;

/// What a question says of what the account has in the queue, and the boxes of its form.
pub(super) async fn queued_and_boxes(
    console: &Console,
    visit: &Visit,
    account: &Account,
) -> Result<(String, Vec<TickBox>), Problem> {
    let queued = console.desk().messages_of(account).await?;
    let boxes = hold_box(&queued, visit).into_iter().chain(last_box(console, visit, account).await?);
    Ok((visit.texts.it_has_queued(queued.len()), boxes.collect()))
}

/// The box that has to be ticked before a change that leaves nobody to administer; `None` if another administrator is left.
pub(super) async fn last_box(
    console: &Console,
    visit: &Visit,
    account: &Account,
) -> Result<Option<TickBox>, Problem> {
    let is_last = console.desk().is_last_administrator(account).await?;
    Ok(is_last.then(|| (LAST, visit.texts.last_administrator().to_owned(), true)))
}

/// What becomes of the last administrator, as the box is ticked or not.
pub(super) fn last_administrator(fields: &Fields) -> LastAdministrator {
    if fields.text(LAST) == "yes" { LastAdministrator::MayGo } else { LastAdministrator::Stays }
}

/// Whether a change that takes this administrator away may be done: another is left, or the box is ticked. It is asked before the password is; the
/// store sees to it that it is still so.
pub(super) async fn may_go(console: &Console, account: &Account, fields: &Fields) -> Result<bool, Problem> {
    Ok(last_administrator(fields) == LastAdministrator::MayGo
        || !console.desk().is_last_administrator(account).await?)
}

/// The box that has these messages held; `None` if there are none.
pub(super) fn hold_box(queued: &[QueueId], visit: &Visit) -> Option<TickBox> {
    (!queued.is_empty()).then(|| (HOLD, visit.texts.hold_what_waits().to_owned(), false))
}

/// Says on the next page what was done to the account, and holds before what it has in the queue, if the form asks for that.
///
/// Nothing more comes by then, and the change is done: if holding fails, that is said behind it. A page of a problem would say that nothing was
/// changed.
pub(super) async fn hold_and_say(
    console: &Console,
    visit: &Visit,
    current: &Current,
    (account, fields): (&Account, &Fields),
    done: String,
) {
    let said = match fields.text(HOLD) {
        "yes" => format!("{done} {}", hold_all(console, visit, current, account).await),
        _ => done,
    };
    console.flashes.say(current.signed_in.session.id, said);
}

/// Holds what the account has in the queue; what is to be said of it.
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
}
