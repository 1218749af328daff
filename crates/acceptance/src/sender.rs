//! In whose name an account may send: the sender policy, for the envelope and for the header. Which mailboxes are an
//! account's own, [`auth::Names`] says.

use std::collections::HashSet;

use auth::{Names, Owner, SessionRights};
use esmtp::{Rejection, SenderAllowed};
use message::{Authors, AuthorsError, Header};
use store::Accounts as _;
use stores::Accounts;
use types::{Mailbox, ReversePath, SenderCheck};

/// The sender policy for one login.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy<'a> {
    /// Whether anything is checked at all.
    pub(crate) check: SenderCheck,
    /// In whose name the login may send, as its account stands now.
    pub(crate) rights: &'a SessionRights,
    /// Asked whether a tagged address is somebody else's.
    pub(crate) accounts: &'a Accounts,
}

impl Policy<'_> {
    /// Whether MAIL may name this sender (RFC 6409 section 6.1).
    ///
    /// The null reverse-path is nobody's name, and a disposition notification must have it (RFC 8098 section 3). What
    /// people see is the From field, and that is checked in any case.
    ///
    /// # Errors
    /// [`Rejection::SenderNotOwned`], or [`Rejection::Unavailable`] when the store can't tell.
    pub(crate) async fn may_send(&self, path: &ReversePath) -> Result<SenderAllowed, Rejection> {
        let own = match (self.check, path) {
            (SenderCheck::Off, _) => return Ok(SenderAllowed::unchecked()),
            (SenderCheck::Reject, ReversePath::Null) => true,
            (SenderCheck::Reject, ReversePath::Mailbox(mailbox)) => {
                self.owns(&Names::of(self.rights), mailbox).await?
            }
        };
        own.then(SenderAllowed::after_check).ok_or_else(|| Rejection::SenderNotOwned(path.clone()))
    }

    /// Whether every author that the header names is the user. A header that does not say clearly who its authors are
    /// is taken to name somebody else, unless the user may write in anybody's name.
    ///
    /// # Errors
    /// [`Rejection::FromNotOwned`], [`Rejection::AuthorsUnclear`], or [`Rejection::Unavailable`].
    pub(crate) async fn may_write<'h>(
        &self,
        header: &Header<'h>,
        writing: Writing<'_>,
    ) -> Result<Judged<'h>, Rejection> {
        if self.check == SenderCheck::Off {
            return Ok(Judged::unjudged(false));
        }
        let names = Names::of(self.rights);
        let authors = match Authors::read(header, writing.patient) {
            Ok(authors) => authors,
            Err(AuthorsError::Unclear(..)) if names.is_anybody() => return Ok(Judged::unjudged(true)),
            Err(error) => return Err(unclear(error)),
        };
        for (field, address) in writing.speakers(&authors) {
            if !self.owns(&names, address).await? {
                return Err(Rejection::FromNotOwned { field, address: address.clone() });
            }
        }
        let speakers = writing.speakers(&authors).map(|(_, mailbox)| mailbox);
        let as_any = speakers.chain(writing.reverse_path.mailbox()).any(|mailbox| names.needs_any(mailbox));
        if names.is_anybody() {
            return Ok(Judged::unjudged(as_any));
        }
        // Whether somebody else has a tagged address is not asked for those in names: there may be thousands.
        let own = authors.in_names().filter(|mailbox| names.owner(mailbox) == Owner::User).collect();
        Ok(Judged { authors: Some(authors), own, as_any })
    }

    async fn owns(&self, names: &Names<'_>, mailbox: &Mailbox) -> Result<bool, Rejection> {
        match names.owner(mailbox) {
            Owner::User => Ok(true),
            Owner::UserUnlessTaken => self.is_an_account(mailbox).await.map(|taken| !taken),
            Owner::SomebodyElse => Ok(false),
        }
    }

    async fn is_an_account(&self, mailbox: &Mailbox) -> Result<bool, Rejection> {
        self.accounts.by_address(mailbox).await.map(|found| found.is_some()).map_err(|error| {
            let error: &dyn std::error::Error = &error;
            tracing::error!(event = "store.failing", error, "cannot tell whose address a sender is");
            Rejection::Unavailable
        })
    }
}

/// What matters, beside its header, of a message that is written in somebody's name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writing<'a> {
    pub(crate) reverse_path: &'a ReversePath,
    /// Who will be its author if the header names none.
    pub(crate) added: Option<&'a Mailbox>,
    /// Whether author fields are read with patience.
    pub(crate) patient: bool,
}

impl<'a> Writing<'a> {
    /// Everybody in whose name the message will speak, and the field that says so.
    pub(crate) fn speakers<'s>(
        &self,
        authors: &'s Authors<'_>,
    ) -> impl Iterator<Item = (&'static str, &'s Mailbox)> + use<'s, 'a>
    where
        'a: 's,
    {
        let added = self.added.filter(|_| !authors.has_from()).map(|mailbox| ("From", mailbox));
        authors.speakers().chain(added)
    }
}

/// The author fields of a message that its submitter may write.
#[derive(Debug)]
pub(crate) struct Judged<'a> {
    /// `None` if anybody may stand there.
    pub(crate) authors: Option<Authors<'a>>,
    /// Addresses in names that are the submitter's own.
    pub(crate) own: HashSet<Mailbox>,
    /// Only the identity `*` allows it.
    pub(crate) as_any: bool,
}

impl Judged<'_> {
    fn unjudged(as_any: bool) -> Self {
        Judged { authors: None, own: HashSet::new(), as_any }
    }
}

/// The reply to a message whose authors are unclear.
pub(crate) fn unclear(error: AuthorsError) -> Rejection {
    match error {
        AuthorsError::NoHeader => Rejection::BadHeader(error.to_string()),
        AuthorsError::Signed(_) => Rejection::Unrepairable(error.to_string()),
        error => Rejection::AuthorsUnclear(error.to_string()),
    }
}
