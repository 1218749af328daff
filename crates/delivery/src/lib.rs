//! Carries accepted mail away.
//!
//! The way of a message: `commit` makes it durable and hands it to `carry`, which holds the right to deliver it and knows what this
//! process has in hand. `route` says where each recipient's copy goes, and each destination has a lane, on which a bounded number of
//! messages at a time is carried by a `transport`: SMTP to a fixed host, or to those that `resolve` finds for a domain, or a Maildir. `record` writes down what became of each
//! recipient before anything else is done, in the words of `fate`, with `schedule` for those to be tried again and `unclear` for
//! those whose host may have the message; and, in the same transaction, the report that `bounce` makes of it for the sender.
//!
//! Invariants: only `commit` says [`esmtp::Durable`]; what is not sure is deferred, never failed; a recipient that the next
//! host has taken is recorded before its message may be tried again, so that a second copy needs a crash in between.

#![warn(missing_docs)]

mod commit;
mod carry;
mod record;
mod fate;
mod bounce;
mod unclear;
mod signing;
mod transport;
mod resolve;
mod route;
mod way;
mod next_host;
mod schedule;
mod parcel;
mod tls_tally;
mod tls_report;
mod report_poster;
mod webhook_poster;
mod told_lately;
mod counters;

pub use carry::{Carrier, Settings, TroubledDestination, Ways};
pub use commit::{Committed, Committer};
pub use counters::Counters;
pub use next_host::{NextHost, NextHostError};
pub use report_poster::{PostError, ReportPoster};
pub use reqwest::Url;
pub use resolve::{MxRules, PolicyStore, StsPolicies};
pub use route::{Route, Routes};
pub use schedule::Schedule;
pub use signing::{Answer, KeySource, Signing, SourceError};
pub use tls_report::{REPORTER, ReportPlaces, TlsReport};
pub use tls_tally::{TlsTally, day_of, start_of};
pub use transport::smtp::{
    SmtpClient, Trouble, TryError, try_domain, try_host, try_own_listener, try_socket,
};
pub use way::{Via, Way};
pub use webhook_poster::{WebhookPost, WebhookPoster};
