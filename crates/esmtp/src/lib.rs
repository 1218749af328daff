//! The ESMTP protocol, both sides, without I/O.
//!
//! [`Session`] is the server's side of one connection as a pure value: octets go in, replies, questions and message
//! text come out. It owns whoever has logged in and the message under way. It never opens a socket, reads a clock, or decides
//! whether a password is right; whoever drives it does, and answers its [`Question`]s. The client's side is [`dialogue`].
//!
//! Invariants: only `CRLF.CRLF` or `BDAT … LAST` ends a message; while a question is open no input is taken; nothing
//! that came before TLS survives [`Handshake::into_tls`]; [`Reply::queued`] is the only 250 after a message, and it
//! wants a [`Durable`].

#![warn(missing_docs)]
// A new command, or a new state, must make the compiler visit every place that deals with them.
#![warn(clippy::wildcard_enum_match_arm)]

pub mod limits;
mod line;
mod xtext;
mod orcpt;
mod introduction;
mod parameters;
mod command;
mod settings;
mod channel;
mod capability;
mod envelope;
mod body;
mod proof;
mod rejection;
mod reply;
mod session;
pub mod dialogue;

pub use channel::Channel;
pub use command::{Anytime, Command, Ordered, SyntaxError};
pub use envelope::Envelope;
pub use introduction::{Introduction, Xclient};
pub use parameters::MailParameters;
pub use proof::{Durable, MessageName, SenderAllowed};
pub use rejection::Rejection;
pub use reply::Reply;
pub use session::{
    Advance, Ending, Handshake, Keep, KnownClient, Login, Phase, Question, Session, Ticket, ticket,
};
pub use settings::Settings;
pub use types::BareLineEnds;
