//! What becomes of mail, as the embedder has it.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use esmtp::{Durable, Envelope, Rejection, SenderAllowed};
use types::{ForwardPath, QueueId, SessionFacts};

/// Decides who may send to whom, and keeps the messages. `U` is what an [`sasl::AuthHandler`] knows of a user;
/// `user` is `None` in a session that need not log in.
///
/// A message comes as [`open`](Self::open), any number of [`body`](Self::body), and at last
/// [`commit`](Self::commit), or else it is dropped: by the client, by a fault in it, by the end of the connection.
///
/// Nothing cuts a handler off, for nobody but itself knows at which of its steps that does no harm: a `commit`
/// given up half-way may be done all the same, and the client, told 451, would send the message again. So each step
/// has to end by itself, whatever it waits for. As long as it does not, its client is not read and keeps its place
/// among [`Limits::connections`](crate::Limits::connections).
pub trait MailHandler<U>: Send + Sync + 'static {
    /// A message that is being received. It promises nothing yet, and leaves nothing behind when it is dropped.
    type Message: Send;

    /// Whether [`sender`](Self::sender) looks at the name that a message is sent in. The log tells it when a listener opens. A handler
    /// that says `true` and has no `sender` of its own does not compile:
    ///
    /// ```compile_fail,E0080
    /// # use std::sync::Arc;
    /// # use submission::{
    /// #     Bytes, Durable, Envelope, MailHandler, Rejection, Secret, Server, SessionFacts, Settings, passwords, random_queue_id,
    /// # };
    /// struct Postbox;
    ///
    /// impl MailHandler<String> for Postbox {
    ///     type Message = ();
    ///     const CHECKS_SENDERS: bool = true;
    ///     // No `sender`.
    /// #   fn open(&self, _: Option<&Arc<String>>, _: &Envelope, _: &SessionFacts) {}
    /// #   async fn body(&self, (): &mut (), _: Bytes) {}
    /// #   async fn commit(&self, (): (), _: Envelope) -> Result<Durable, Rejection> {
    /// #       Ok(Durable::after_sync(random_queue_id()))
    /// #   }
    /// }
    /// # #[tokio::main]
    /// # async fn main() {
    /// #     let auth = passwords(|name| Some((Secret::new("secret"), name.to_owned())));
    /// #     let server = Server::builder(Settings::new("localhost"), auth, Postbox).bind().unwrap();
    /// #     server.serve_until(std::future::ready(())).await;
    /// # }
    /// ```
    const CHECKS_SENDERS: bool;

    /// Whether this user may send in the name of the envelope's reverse-path; recipients are not known yet. Without an implementation
    /// there is no sender check: whoever has logged in may send in any name.
    ///
    /// # Errors
    /// The reply to MAIL if not.
    fn sender(
        &self,
        user: Option<&Arc<U>>,
        envelope: &Envelope,
        session: &SessionFacts,
    ) -> impl Future<Output = Result<SenderAllowed, Rejection>> + Send {
        const {
            assert!(
                !Self::CHECKS_SENDERS,
                "CHECKS_SENDERS is true, but `sender` is not implemented: nothing would be checked"
            );
        }
        let _ = (envelope, session);
        let allowed = user.map(|_| SenderAllowed::unchecked()).ok_or(Rejection::LoginRequired);
        std::future::ready(allowed)
    }

    /// Whether this user may send to this recipient. Without an implementation to everybody. The envelope has those that were accepted before; one that is
    /// there already may be asked about again, and counts once.
    ///
    /// # Errors
    /// The reply to RCPT if not. The transaction goes on without this recipient.
    fn recipient(
        &self,
        user: Option<&Arc<U>>,
        envelope: &Envelope,
        path: &ForwardPath,
        session: &SessionFacts,
    ) -> impl Future<Output = Result<(), Rejection>> + Send {
        let _ = (user, envelope, path, session);
        std::future::ready(Ok(()))
    }

    /// The text of a message begins: DATA or the first BDAT was accepted.
    fn open(&self, user: Option<&Arc<U>>, envelope: &Envelope, session: &SessionFacts) -> Self::Message;

    /// More octets of the message: CRLF at the end of every line, no transparency dots. While this waits the client
    /// is not read. A failure is kept in the message and told by [`commit`](Self::commit).
    fn body(&self, message: &mut Self::Message, chunk: Bytes) -> impl Future<Output = ()> + Send;

    /// The message is complete. It must be on stable storage before this is `Ok`, and it is never given up half-way,
    /// not even when the server stops.
    ///
    /// # Errors
    /// The reply to the end of the message if it was not taken.
    fn commit(
        &self,
        message: Self::Message,
        envelope: Envelope,
    ) -> impl Future<Output = Result<Durable, Rejection>> + Send;
}

/// A name for a message, for handlers that have none of their own: 128 random bits.
#[must_use]
pub fn random_queue_id() -> QueueId {
    QueueId::from_bytes(rand::random())
}

/// One handler for several doors, or one that something else holds too.
impl<U: Send + Sync + 'static, M: MailHandler<U>> MailHandler<U> for Arc<M> {
    type Message = M::Message;

    const CHECKS_SENDERS: bool = M::CHECKS_SENDERS;

    async fn sender(
        &self,
        user: Option<&Arc<U>>,
        envelope: &Envelope,
        session: &SessionFacts,
    ) -> Result<SenderAllowed, Rejection> {
        M::sender(self, user, envelope, session).await
    }

    async fn recipient(
        &self,
        user: Option<&Arc<U>>,
        envelope: &Envelope,
        path: &ForwardPath,
        session: &SessionFacts,
    ) -> Result<(), Rejection> {
        M::recipient(self, user, envelope, path, session).await
    }

    fn open(&self, user: Option<&Arc<U>>, envelope: &Envelope, session: &SessionFacts) -> M::Message {
        M::open(self, user, envelope, session)
    }

    async fn body(&self, message: &mut M::Message, chunk: Bytes) {
        M::body(self, message, chunk).await;
    }

    async fn commit(&self, message: M::Message, envelope: Envelope) -> Result<Durable, Rejection> {
        M::commit(self, message, envelope).await
    }
}
