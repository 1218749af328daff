//! A mail handler that gathers each message in memory, and hands it over whole.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use esmtp::{Durable, Envelope, Rejection, SenderAllowed};
use types::{ReversePath, SessionFacts};

use crate::handler::{MailHandler, random_queue_id};

/// The [`MailHandler`] of [`collect`]. `S` says who may send in whose name.
pub struct Collect<U, F, S = AnySender> {
    take: F,
    senders: S,
    user: PhantomData<fn(U)>,
}

/// Whoever has logged in may send in any name.
#[derive(Debug, Clone, Copy)]
pub struct AnySender;

/// A user may send in the names that the function in it allows.
#[derive(Clone, Copy)]
pub struct CheckedSender<C>(C);

/// A mail handler that gives each message to `take` once it is whole: who sends it, from and to whom, and its octets.
///
/// `Ok` says that the message is kept for good, on stable storage: the client forgets it then. It is `()`, or a [`Durable`] with a name of
/// your own for the message. The message may have as many octets as `Settings::message_size` says, each of which is in memory
/// until then. Whoever has logged in may send in any name, unless [`Collect::check_senders`] says otherwise; whoever has not
/// sends nothing.
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
    Collect { take, senders: AnySender, user: PhantomData }
}

impl<U, F> Collect<U, F> {
    /// This handler, where a user may use only those reverse-paths for which `may_send` is true. To others the reply to MAIL is `553 5.7.1`. The
    /// author fields of the message are not looked at.
    ///
    /// ```
    /// use submission::{ReversePath, collect};
    /// # use std::sync::Arc;
    /// let mail = collect(|user: Arc<String>, envelope, octets| async { Ok(()) })
    ///     .check_senders(|user, path| path.mailbox().is_some_and(|mailbox| mailbox.normal() == *user));
    /// ```
    pub fn check_senders<C>(self, may_send: C) -> Collect<U, F, CheckedSender<C>>
    where
        C: Fn(&U, &ReversePath) -> bool + Send + Sync + 'static,
    {
        Collect { take: self.take, senders: CheckedSender(may_send), user: self.user }
    }
}

/// Who may send in whose name.
pub trait SenderRule<U>: Send + Sync + 'static {
    /// Whether it looks at the name at all.
    const CHECKS: bool;

    /// Whether this user may use this reverse-path.
    ///
    /// # Errors
    /// The reply to MAIL if not.
    fn judge(&self, user: &U, path: &ReversePath) -> Result<SenderAllowed, Rejection>;
}

impl<U> SenderRule<U> for AnySender {
    const CHECKS: bool = false;

    fn judge(&self, _: &U, _: &ReversePath) -> Result<SenderAllowed, Rejection> {
        Ok(SenderAllowed::unchecked())
    }
}

impl<U, C> SenderRule<U> for CheckedSender<C>
where
    C: Fn(&U, &ReversePath) -> bool + Send + Sync + 'static,
{
    const CHECKS: bool = true;

    fn judge(&self, user: &U, path: &ReversePath) -> Result<SenderAllowed, Rejection> {
        match (self.0)(user, path) {
            true => Ok(SenderAllowed::after_check()),
            false => Err(Rejection::SenderNotOwned(path.clone())),
        }
    }
}

/// That a message is kept for good: `()`, by which it gets a random name, or a [`Durable`].
pub trait Receipt {
    /// The receipt as what the 250 says, with a name.
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

impl<U, F, S, T, R> MailHandler<U> for Collect<U, F, S>
where
    U: Send + Sync + 'static,
    S: SenderRule<U>,
    F: Fn(Arc<U>, Envelope, Vec<u8>) -> T + Send + Sync + 'static,
    T: Future<Output = Result<R, Rejection>> + Send,
    R: Receipt,
{
    /// `None` for somebody who has not logged in, and sends nothing.
    type Message = Option<(Arc<U>, Vec<u8>)>;

    const CHECKS_SENDERS: bool = S::CHECKS;

    async fn sender(
        &self,
        user: Option<&Arc<U>>,
        envelope: &Envelope,
        _: &SessionFacts,
    ) -> Result<SenderAllowed, Rejection> {
        self.senders.judge(user.ok_or(Rejection::LoginRequired)?, &envelope.reverse_path)
    }

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

impl<U, F, S> fmt::Debug for Collect<U, F, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collect").finish_non_exhaustive()
    }
}

impl<C> fmt::Debug for CheckedSender<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedSender").finish_non_exhaustive()
    }
}
