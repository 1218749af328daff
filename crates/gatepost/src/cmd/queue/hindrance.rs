//! What keeps an operation from doing what it says.

use config::Delivery;
use store::{Details, Operation, RecipientState};

use crate::wiring;

/// What stands in the way of an operation on one message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hindrance {
    /// It would do nothing, and is left.
    Of(String),
    /// It does nothing for some recipients.
    OfSome(String),
}

impl Hindrance {
    /// What hinders `operation` on a message, if anything does.
    pub(super) fn find(operation: Operation, message: &Details, delivery: &Delivery) -> Option<Hindrance> {
        match operation {
            Operation::Hold | Operation::Remove => None,
            Operation::Retry => of_retry(message),
            Operation::Release => of_release(message, delivery),
        }
    }
}

fn of_retry(Details { entry, .. }: &Details) -> Option<Hindrance> {
    let id = entry.id;
    entry.held.then(|| Hindrance::Of(format!("{id} is held; `gatepost queue release {id}` lets it go")))
}

/// Recipients whom their route holds would be held again.
fn of_release(Details { entry, recipients }: &Details, delivery: &Delivery) -> Option<Hindrance> {
    let (stay, go): (Vec<&str>, Vec<&str>) = recipients
        .iter()
        .filter(|recipient| is_waiting(recipient.state))
        .map(|recipient| recipient.address.as_str())
        .partition(|address| wiring::holds(delivery, address));
    match (stay.is_empty(), go.is_empty()) {
        (true, _) => None,
        (false, true) => Some(Hindrance::Of(format!("{} stays held: {}", entry.id, by_their_route(&stay)))),
        (false, false) => Some(Hindrance::OfSome(format!("not for all: {}", by_their_route(&stay)))),
    }
}

fn is_waiting(state: RecipientState) -> bool {
    matches!(state, RecipientState::Queued | RecipientState::Deferred | RecipientState::Held)
}

fn by_their_route(recipients: &[&str]) -> String {
    format!(
        "mail for {} is held by its route; give that another `via` in [delivery], restart the server, and release it then",
        recipients.join(", ")
    )
}
