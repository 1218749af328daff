//! What keeps an operation from doing what it says.

use std::fmt;

use delivery::Routes;
use store::{Details, Operation, RecipientState};
use types::{ForwardPath, ReversePath};

use crate::Trouble;
use crate::trouble::by_their_route;

/// What stands in the way of an operation on one message.
#[derive(Debug)]
pub(super) enum Hindrance {
    /// It would do nothing, and the message is left.
    Whole(Trouble),
    /// It does nothing for some recipients.
    Partial(HeldInPart),
}

/// Recipients of a message that was released who are held all the same, by their route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldInPart(pub Vec<String>);

impl fmt::Display for HeldInPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not for all: {}", by_their_route(&self.0))
    }
}

impl Hindrance {
    /// What hinders `operation` on a message, if anything does.
    pub(super) fn find(operation: Operation, message: &Details, routes: &Routes) -> Option<Hindrance> {
        let id = message.entry.id;
        match operation {
            Operation::Hold | Operation::Remove | Operation::Undo | Operation::Stop => None,
            Operation::Retry => message.entry.held.then(|| Hindrance::Whole(Trouble::Held(id))),
            Operation::Release => of_damage(message).or_else(|| of_release(message, routes)),
            Operation::Bounce => {
                let has_sender = !message.entry.sender.is_empty();
                let of_sender = (!has_sender).then(|| Hindrance::Whole(Trouble::NobodyToTell(id)));
                of_sender.or_else(|| of_damage(message))
            }
        }
    }
}

/// A message whose envelope is damaged would be held again at once.
fn of_damage(Details { entry, damaged, .. }: &Details) -> Option<Hindrance> {
    let damage = damaged.clone()?;
    Some(Hindrance::Whole(Trouble::DamagedMessage { id: entry.id, damage }))
}

/// Recipients whom their route holds would be held again.
fn of_release(Details { entry, recipients, .. }: &Details, routes: &Routes) -> Option<Hindrance> {
    let waiting = recipients.iter().filter(|recipient| is_waiting(recipient.state));
    let addresses = waiting.map(|recipient| recipient.address.clone());
    let (stay, go): (Vec<String>, Vec<String>) =
        addresses.partition(|address| holds(routes, &entry.sender, address));
    match (stay.is_empty(), go.is_empty()) {
        (true, _) => None,
        (false, true) => Some(Hindrance::Whole(Trouble::HeldByRoute { id: entry.id, recipients: stay })),
        (false, false) => Some(Hindrance::Partial(HeldInPart(stay))),
    }
}

fn is_waiting(state: RecipientState) -> bool {
    matches!(state, RecipientState::Queued | RecipientState::Deferred | RecipientState::Held)
}

/// Whether mail of this sender for this recipient, whose addresses are without angle brackets, takes a route that holds it.
fn holds(routes: &Routes, sender: &str, recipient: &str) -> bool {
    let [from, to] = [sender, recipient].map(|address| format!("<{address}>"));
    match (ReversePath::take(&from), ForwardPath::take(&to)) {
        (Ok((from, _)), Ok((to, _))) => routes.holds(&from, &to),
        (Err(_), _) | (_, Err(_)) => false,
    }
}
