//! The front door: an embeddable mail submission server (RFC 6409).
//!
//! It takes connections, speaks TLS and ESMTP with them, has logins judged by an [`sasl::AuthHandler`], and hands
//! the mail to a [`MailHandler`]. It knows nothing of accounts, databases, queues or delivery: these are behind the two
//! handlers. The protocol itself is in [`esmtp`]; here is what it takes to speak it over sockets.
//!
//! ```no_run
//! # use submission::{Limits, MailHandler, Server, TlsMode};
//! # use submission::tls::{Identity, MinVersion};
//! # async fn embed<A, M>(settings: esmtp::Settings, auth: A, mail: M) -> Result<(), Box<dyn std::error::Error>>
//! # where A: sasl::AuthHandler, M: MailHandler<A::User> {
//! let identity = Identity::load("fullchain.pem".as_ref(), "privkey.pem".as_ref())?;
//! let server = Server::builder(settings, auth, mail)
//!     .tls(identity.clone(), MinVersion::Tls12)
//!     .limits(Limits { connections: 500, ..Limits::default() })
//!     .listen("[::]:587".parse()?, TlsMode::StartTls)
//!     .listen("[::]:465".parse()?, TlsMode::Implicit)
//!     .bind()?;
//! let stop = tokio_util::sync::CancellationToken::new();
//! server.serve(stop).await;
//! # Ok(())
//! # }
//! ```
//! `examples/fixed_password.rs` is such a server in whole, with handlers of its own.
//!
//! Invariants: no credential is judged in clear unless the embedder insists; what came before TLS does not matter
//! after it; everything that a client can make last has a deadline, and everything it can make grow has a limit;
//! a connection that ends before its message does leaves nothing of it; what happens in one connection, a panic
//! even, does not reach another.

#![warn(missing_docs)]

mod server;
mod limits;
mod listener;
mod listen;
mod admission;
pub mod tls;
pub mod pem;
mod certificate;
mod wire;
mod records;
mod drive;
mod alarm;
mod patience;
mod answer;
mod handler;
mod ledger;
mod trace;

pub use handler::MailHandler;
pub use limits::Limits;
pub use listener::{Listener, TlsMode};
pub use server::{BindError, Builder, Handle, Server};
