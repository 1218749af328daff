//! Carries accepted mail away.
//!
//! The way of a message: `commit` makes it durable and hands it over; `lease` holds the right to deliver it, and `in_hand` knows
//! what this process carries; `route`
//! says where each recipient's copy goes, and `ways` can be changed while mail is carried; `lane` carries one destination's mail, a bounded number at a time, by
//! `relay` or `maildir`, to which `outgoing` gives the text in a form that the destination can take; `ledger` writes down
//! what became of each recipient before anything else is done, in the words of `fate`, with `schedule` for those to be
//! tried again and `unclear` for those whose host may have the message.
//!
//! Invariants: only `commit` says [`esmtp::Durable`]; what is not sure is deferred, never failed; a recipient that the next
//! host has taken is recorded before its message may be tried again, so that a second copy needs a crash in between.

#![warn(missing_docs)]

mod commit;
mod lease;
mod in_hand;
mod next_host;
mod route;
mod parcel;
mod ways;
mod lane;
mod outgoing;
mod relay;
mod maildir;
mod ledger;
mod fate;
mod unclear;
mod schedule;

pub use commit::Committer;
pub use lease::{Carrier, Settings};
pub use next_host::{NextHost, NextHostError};
pub use relay::{TryError, try_host};
pub use route::{Route, Routes, Via};
pub use schedule::Schedule;
pub use ways::Ways;
