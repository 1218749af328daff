//! Browser sessions: opened when somebody signs in, found by their token at each request, renewed when their owner shows the password again,
//! and ended.
//!
//! A session is over when it was not used for a while, when its time is up, when its owner or an administrator has ended it, and when its
//! account has another version: with every change of the password, the second factor, the address, and of whether it may log in.

use std::net::IpAddr;

use auth::{Credential, SessionToken, User};
use jiff::{SignedDuration, Timestamp};
use rand::RngExt as _;
use store::{Account, Act, WebSession, WebSessions as _};
use types::WebSessionId;

use crate::accounts::unix_ms;
use crate::{Desk, Missing, Trouble, view};

/// Sessions of an account at most: the browsers of a person, each opened anew a few times.
const OF_ACCOUNT: u32 = 20;

/// How exact it is told when a session was last used: so often it is written down.
const SEEN_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Characters of what a browser calls itself that are kept.
const AGENT: usize = 300;

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Their account, as it is now.
    pub account: Account,
    /// Their session.
    pub session: WebSession,
}

impl SignedIn {
    /// What they do now, from there.
    #[must_use]
    pub fn act(&self, ip: IpAddr, at: Timestamp) -> Act {
        Act::web(&self.account.address, ip, self.session.id.to_string(), at)
    }
}

impl Desk {
    /// How many browser sessions there are, of all accounts.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn count_sessions(&self) -> Result<u64, Trouble> {
        Ok(self.accounts.count_sessions().await?)
    }

    /// Opens a session for somebody who has just signed in, from there, with this browser. What opens it is given out this once.
    ///
    /// # Errors
    /// [`Trouble::SignInOvertaken`] when the account was changed since; then it is to be signed in to anew.
    pub async fn open_session(
        &self,
        user: &User,
        ip: IpAddr,
        agent: &str,
    ) -> Result<(SessionToken, WebSession), Trouble> {
        let (token, now) = (SessionToken::generate(), (self.now)());
        let session = WebSession {
            id: WebSessionId::new(unix_ms(now), rand::rng().random()),
            account: user.account,
            version: user.version,
            made_at: now,
            seen_at: now,
            confirmed_at: now,
            ends_at: self.end_of(user, now),
            ip,
            agent: agent.chars().take(AGENT).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect(),
        };
        let digest = self.keyring().await?.session_tokens().digest(&token);
        match self.accounts.open_session(&session, &digest, OF_ACCOUNT).await {
            Err(store::Error::Changed | store::Error::NotFound) => {
                Err(Trouble::SignInOvertaken(user.address.clone()))
            }
            opened => Ok(opened.map(|()| (token, session))?),
        }
    }

    /// When a session of this user ends at the latest: with what was shown, if that ends earlier.
    fn end_of(&self, user: &User, now: Timestamp) -> Timestamp {
        let end = now.saturating_add(self.settings.session_max).unwrap_or(Timestamp::MAX);
        match &user.credential {
            Credential::Http { until: Some(until) } | Credential::Token { until, .. } => end.min(*until),
            Credential::AccountPassword
            | Credential::AppPassword(_)
            | Credential::Certificate(_)
            | Credential::Http { until: None }
            | Credential::ProxyLogin => end,
        }
    }

    /// Who is signed in with this token; `None` if nobody is, or not any more. That the session is used is noted, at most once a minute.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn signed_in(&self, token: &SessionToken) -> Result<Option<SignedIn>, Trouble> {
        let digest = self.keyring().await?.session_tokens().digest(token);
        let Some((session, account)) = self.accounts.session_by_digest(&digest).await? else {
            return Ok(None);
        };
        let now = (self.now)();
        if session.version != account.version || account.disabled || self.is_over(&session, now) {
            return Ok(None);
        }
        if now.duration_since(session.seen_at) >= SEEN_EVERY {
            self.accounts.session_seen(session.id, now);
        }
        Ok(Some(SignedIn { account, session }))
    }

    /// The key of the forms of a session, which nobody else has, and which stays as long as the session.
    ///
    /// # Errors
    /// When the keys of the store can't be had.
    pub async fn session_form_key(&self, session: WebSessionId) -> Result<[u8; 32], Trouble> {
        Ok(self.keyring().await?.session_forms().of(session))
    }

    /// Whether its time is up. One that was last used far ahead of now is of a clock that was ahead.
    fn is_over(&self, session: &WebSession, now: Timestamp) -> bool {
        session.ends_at <= now || now.duration_since(session.seen_at).abs() >= self.settings.session_idle
    }

    /// Gives a session another token in the place of this one, now that its owner has shown the password: whoever may have got hold of the old one is
    /// out. `signed_in` has the account as it is now; `None` if it was changed since, or another request was faster.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn renew_session(
        &self,
        token: &SessionToken,
        signed_in: &SignedIn,
    ) -> Result<Option<SessionToken>, Trouble> {
        let (new, key) = (SessionToken::generate(), self.keyring().await?.session_tokens());
        let (old, version) = (key.digest(token), signed_in.account.version);
        let renewed = self.accounts.renew_session(&old, &key.digest(&new), version, (self.now)()).await?;
        Ok(renewed.then_some(new))
    }

    /// Gives the session in which the account was changed, in one way alone, another token: all its other sessions end, and this one goes on.
    /// `None` if somebody else has changed it, too.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn keep_session(
        &self,
        token: &SessionToken,
        signed_in: &SignedIn,
    ) -> Result<Option<SessionToken>, Trouble> {
        let mut changed = signed_in.clone();
        changed.account.version = changed.account.version.saturating_add(1);
        self.renew_session(token, &changed).await
    }

    /// The sessions of an account that are not over, newest first. `current` is the session of whoever asks, if they have one.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn sessions(
        &self,
        account: &Account,
        current: Option<WebSessionId>,
    ) -> Result<Vec<view::Session>, Trouble> {
        let (sessions, now) = (self.accounts.sessions(account.id).await?, (self.now)());
        let open = sessions.iter().filter(|session| !self.is_over(session, now));
        Ok(open.map(|session| view::Session::of(session, current)).collect())
    }

    /// Ends a session of an account, named by its identifier or the beginning of that.
    ///
    /// # Errors
    /// [`Missing::Session`], [`Trouble::SeveralSessions`].
    pub async fn end_session(&self, act: &Act, account: &Account, which: &str) -> Result<(), Trouble> {
        let none_such = || Missing::Session { account: account.address.clone(), which: which.to_owned() };
        let range = WebSessionId::beginning_with(which).map_err(|_| none_such())?;
        let sessions = self.accounts.sessions(account.id).await?;
        let ids: Vec<_> = sessions.iter().map(|session| session.id).filter(|id| range.contains(id)).collect();
        match ids.as_slice() {
            [] => Err(none_such().into()),
            [id] => match self.accounts.end_session(account.id, *id, act).await? {
                true => Ok(()),
                false => Err(none_such().into()),
            },
            _ => Err(Trouble::SeveralSessions { which: which.to_owned(), ids }),
        }
    }

    /// Ends the session of whoever signs out.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn sign_out(&self, act: &Act, signed_in: &SignedIn) -> Result<(), Trouble> {
        self.accounts.end_session(signed_in.account.id, signed_in.session.id, act).await?;
        Ok(())
    }

    /// Ends all sessions of an account but that one, if one is to be left; how many.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn end_sessions(
        &self,
        act: &Act,
        account: &Account,
        but: Option<WebSessionId>,
    ) -> Result<u64, Trouble> {
        Ok(self.accounts.end_sessions(account.id, but, act).await?)
    }
}

#[cfg(test)]
mod tests;
