//! A mail handler that gathers each message in memory, and hands it over whole.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use esmtp::{Durable, Envelope, Rejection};
use types::SessionFacts;

use crate::handler::{MailHandler, random_queue_id};

/// The [`MailHandler`] of [`collect`].
pub struct Collect<U, F> {
    take: F,
    user: PhantomData<fn(U)>,
}

/// A mail handler that gives each message to `take` once it is whole: who sends it, from and to whom, and its octets.
///
/// `Ok` says that the message is kept for good, on stable storage: the client forgets it then. It is `()`, or a [`Durable`] with a name of
/// your own for the message. The message may have as many octets as `Settings::message_size` says, each of which is in memory
/// until then. There is no sender check: whoever has logged in may send in any name; whoever has not sends nothing.
///
/// ```
/// use submission::{Rejection, collect};
/// # use std::sync::Arc;
/// # struct User { name: String }
/// let mail = collect(|user: Arc<User>, envelope, octets| async move {
///     println!("{} sends {} octets to {:?}", user.name, octets.len(), envelope.recipients);
///     Ok(())
/// });
/// ```
pub fn collect<U, F, T, R>(take: F) -> Collect<U, F>
where
    U: Send + Sync + 'static,
    F: Fn(Arc<U>, Envelope, Vec<u8>) -> T + Send + Sync + 'static,
    T: Future<Output = Result<R, Rejection>> + Send,
    R: Receipt,
{
    Collect { take, user: PhantomData }
}

/// That a message is kept for good: `()`, by which it gets a random name, or a [`Durable`].
pub trait Receipt {
    /// The same, with a name.
    fn durable(self) -> Durable;
}

impl Receipt for () {
    fn durable(self) -> Durable {
        Durable::after_sync(random_queue_id())
    }
}

impl Receipt for Durable {
    fn durable(self) -> Durable {
        self
    }
}

impl<U, F, T, R> MailHandler<U> for Collect<U, F>
where
    U: Send + Sync + 'static,
    F: Fn(Arc<U>, Envelope, Vec<u8>) -> T + Send + Sync + 'static,
    T: Future<Output = Result<R, Rejection>> + Send,
    R: Receipt,
{
    /// `None` for somebody who has not logged in, and sends nothing.
    type Message = Option<(Arc<U>, Vec<u8>)>;

    const CHECKS_SENDERS: bool = false;

    fn open(&self, user: Option<&Arc<U>>, _: &Envelope, _: &SessionFacts) -> Self::Message {
        user.map(|user| (Arc::clone(user), Vec::new()))
    }

    async fn body(&self, message: &mut Self::Message, chunk: Bytes) {
        if let Some((_, octets)) = message {
            octets.extend_from_slice(&chunk);
        }
    }

    async fn commit(&self, message: Self::Message, envelope: Envelope) -> Result<Durable, Rejection> {
        let (user, octets) = message.ok_or(Rejection::LoginRequired)?;
        (self.take)(user, envelope, octets).await.map(Receipt::durable)
    }
}

impl<U, F> fmt::Debug for Collect<U, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collect").finish_non_exhaustive()
    }
}
