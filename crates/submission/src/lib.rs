//! The front door: an embeddable mail submission server (RFC 6409).
//!
//! It takes connections, speaks TLS and ESMTP with them, has logins judged by an [`sasl::AuthHandler`], and hands
//! the mail to a [`MailHandler`]. It knows nothing of accounts, databases, queues or delivery: these are behind the two
//! handlers. The protocol itself is in [`esmtp`]; here is what it takes to speak it over sockets.
//!
//! ```no_run
//! use submission::tls::Identity;
//! use submission::{ListenTls, Server, Settings, TlsVersion};
//! # use submission::{AuthHandler, MailHandler};
//!
//! # async fn embed<A, M>(auth: A, mail: M) -> Result<(), Box<dyn std::error::Error>>
//! # where A: AuthHandler, M: MailHandler<A::User> {
//! let identity = Identity::load("fullchain.pem".as_ref(), "privkey.pem".as_ref())?;
//! let server = Server::builder(Settings::new("mail.example.org"), auth, mail)
//!     .tls(identity, TlsVersion::V1_2)
//!     .listen("[::]:587".parse()?, ListenTls::StartTls)
//!     .listen("[::]:465".parse()?, ListenTls::Implicit)
//!     .bind()?;
//! server.serve_until(tokio::signal::ctrl_c()).await;
//! # Ok(())
//! # }
//! ```
//!
//! # Who may log in
//!
//! An [`AuthHandler`] is given a [`Claim`], one for each mechanism in [`Settings::mechanisms`], and the [`SessionFacts`]:
//!
//! | mechanism | claim | what it holds | how to judge it |
//! | --- | --- | --- | --- |
//! | PLAIN, LOGIN | [`Claim::Password`] | the password | [`Claim::judge_by_password`], or a hash of yours |
//! | CRAM-MD5 | [`Claim::CramMd5`] | challenge and response | [`Claim::judge_by_password`] |
//! | SCRAM-SHA-256, SCRAM-SHA-256-PLUS | [`Claim::Scram`] | a proof of the password | [`Claim::judge_by_password`], or [`ScramClaim::proves`] with keys that you keep |
//! | XOAUTH2, OAUTHBEARER | [`Claim::Token`] | an access token | ask who issued it |
//! | EXTERNAL | [`Claim::External`] | nothing | [`SessionFacts::client_certificate`] |
//!
//! It answers with a [`Verdict`]: a user of your own type, a refusal ([`Refusal`]) that may have its own reply
//! ([`RefusalReply`]) and, for tokens, its own challenge ([`OAuthChallenge`]), or that nothing could be judged for now.
//!
//! # What becomes of mail
//!
//! A [`MailHandler`] is asked about the sender and each recipient, takes the message as it comes in, and keeps it. It is given
//! the user of the login each time.
//!
//! # Whole servers
//!
//! `examples/fixed_password.rs`, `examples/sqlite_accounts.rs` and `examples/maildrop.rs`; `docs/embedding.md` walks
//! through one from an empty directory on. What a client may take of the server, in numbers and in time, is in [`Limits`].
//!
//! Invariants: no credential is judged in clear unless the embedder insists; what came before TLS does not matter
//! after it; everything that a client can make last has a deadline, and everything it can make grow has a limit;
//! a connection that ends before its message does leaves nothing of it; what happens in one connection, a panic
//! even, does not reach another.

#![warn(missing_docs)]

mod server;
mod house;
mod terms;
mod doors;
mod limits;
mod listener;
mod bind;
mod listen;
mod admission;
mod own_connections;
pub mod tls;
mod proxy;
mod wire;
mod client;
mod connection;
mod identify;
mod drive;
mod alarm;
mod patience;
mod answer;
mod handler;
mod collect;
mod session_end;
mod counters;
mod session_line;
mod trace;

pub use bind::{BindError, bind};
pub use collect::{AnySender, CheckedSender, Collect, Receipt, SenderRule, collect};
pub use counters::Counters;
pub use doors::ListenerChange;
pub use handler::{MailHandler, random_queue_id};
pub use limits::Limits;
pub use listener::Listener;
pub use own_connections::OwnConnection;
pub use server::{Builder, Handle, Server};
pub use session_end::SessionEnd;

// What the handlers are made of, so that an embedder needs no other crate of ours.
pub use bytes::Bytes;
pub use esmtp::{Durable, Envelope, MessageName, Rejection, SenderAllowed, Settings};
pub use ipnet::IpNet;
pub use sasl::{
    AuthHandler, Authenticated, BadRefusalReply, Claim, CramMd5Claim, ExternalClaim, Mechanism,
    OAuthChallenge, PasswordClaim, Passwords, Refusal, RefusalReply, ScramClaim, ScramFlaw, ScramKeys,
    ScramParameters, ServerSignature, TokenClaim, Verdict, passwords,
};
pub use tokio_util::sync::CancellationToken;
pub use types::{
    AddressError, BadFingerprint, BareLineEnds, BodyType, Buckets, ClientCertificate, Counter, Domain,
    EhloName, EnvelopeRecipient, Fingerprint, ForwardPath, Histogram, Host, ListenTls, Mailbox, Notify,
    OriginalRecipient, QueueId, Ret, ReversePath, Secret, SessionFacts, SessionId, Tally, TlsFacts,
    TlsVersion,
};

/// The programs of the package's README are compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
