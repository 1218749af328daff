//! The rules for a message on its way in: who may send what, in whose name, and how much.
//!
//! [`Acceptance`] is the [`MailHandler`](submission::MailHandler) of Gatepost. Modules stand in the order in which a message meets
//! them: who hands it in, a user or a machine without a login; in whose name that one may send, and how much; the message as it
//! arrives, its header section, its body; and [`accept`](crate::Acceptance), which asks all of these in turn.
//!
//! What it does not do: say who somebody is (that is `auth`), keep a message (`delivery`, `store`), or read the clock.

#![warn(missing_docs)]

mod rules;
mod no_login;
mod submitter;
mod sender;
mod quota;
mod unfinished;
mod arrival;
mod storage;
mod header;
mod duplicate;
mod body;
mod counters;
mod accept;

pub use accept::{Acceptance, Incoming};
pub use arrival::{MAX_HOLD, MIN_DELIVER_BY};
pub use counters::Counters;
pub use no_login::NoLogin;
pub use rules::Rules;
