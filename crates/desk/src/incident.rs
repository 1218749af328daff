//! "Was that you?": the owner of an account says whether an unfamiliar sign-in was theirs, and what is done if it was not.

use auth::SessionToken;
use auth::challenge_key::Password;
use jiff::SignedDuration;
use store::{
    Account, Accounts as _, Act, Action, Audit as _, AuditEvent, AuditFilter, Incident, LedgerFilter,
    Operation, Page, QueueFilter, QueuedBy, Remedy, Revocation, SignIn, SignInState, SignIns as _,
};
use types::{Mailbox, QueueId, Secret, SignInId};

use crate::accounts::unix_ms;
use crate::{Chosen, Desk, Missing, SignedIn, Strength, Trouble, view};

/// Sign-ins that are asked about at a time.
const ASKED: u32 = 20;

/// Messages and changes that are told of a sign-in.
const TOLD: u32 = 50;

/// Entries of the trail that are read for them: most are logins.
const READ: u32 = 500;

/// Incidents that are listed.
const INCIDENTS: u32 = 50;

/// From when an answer is given until it is done: no request takes longer.
const ANSWER: SignedDuration = SignedDuration::from_secs(30);

/// What the owner of an account says about a sign-in to it.
#[derive(Debug, Clone)]
pub enum Answer {
    /// It was me.
    Me,
    /// It was not: this is to be done.
    NotMe(NotMe),
}

/// What is to be done about a sign-in that was not the owner's.
#[derive(Debug, Clone, Default)]
pub struct NotMe {
    /// Whether what was used is made worthless.
    pub revoke: bool,
    /// The password that takes the place of the account password, if that is what was used.
    pub new_password: Option<Secret>,
    /// Whether all other sessions on the pages end. With another password they do in any case.
    pub end_sessions: bool,
    /// Whether what was handed in with it since, and is still in the queue, is held.
    pub hold: bool,
    /// Whether administrators are told.
    pub list: bool,
}

/// What came of an answer.
#[derive(Debug, Default)]
pub struct Answered {
    /// Whether the answer is new: it was not given before.
    pub is_new: bool,
    /// How many messages are held, if any were to be.
    pub held: Option<u64>,
    /// Why they are not held, and the answer is to be given again. All else is done.
    pub not_held: Option<Trouble>,
    /// What opens the session of whoever has chosen another password. Where that is so and there is nothing, they have to sign in again.
    pub token: Option<SessionToken>,
    /// Whether another password was chosen.
    pub has_new_password: bool,
}

impl Desk {
    /// The sign-ins that somebody who is signed in is to be asked about, the latest in front: not that by which this session was opened, about
    /// which it can't say anything.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn unfamiliar_sign_ins(&self, who: &SignedIn) -> Result<Vec<view::Place>, Trouble> {
        let all = self.accounts.unanswered(who.account.id, ASKED).await?;
        let others: Vec<_> = all.into_iter().filter(|one| !is_of(who, one)).collect();
        if others.is_empty() {
            return Ok(Vec::new());
        }
        let labels = self.labels(&who.account).await?;
        Ok(others.iter().map(|one| view::Place::of(one, labels.get(&one.credential).cloned())).collect())
    }

    /// What was done with the credential of a sign-in since then.
    ///
    /// # Errors
    /// [`Missing::SignIn`].
    pub async fn show_sign_in(&self, who: &SignedIn, id: SignInId) -> Result<view::Disputed, Trouble> {
        let (account, sign_in) = (&who.account, self.named_sign_in(who, id).await?);
        let filter = LedgerFilter {
            account: Some(QueuedBy::of(account)),
            credential: Some(sign_in.credential.clone()),
            since: Some(sign_in.first_at),
            ..LedgerFilter::default()
        };
        let messages = self.sent_messages(&filter, Page::first(TOLD)).await?.items;
        let label = match &sign_in.state {
            SignInState::Stranger(Incident { label: Some(label), .. }) => Some(label.clone()),
            _ => self.labels(account).await?.remove(&sign_in.credential),
        };
        Ok(view::Disputed {
            place: view::Place::of(&sign_in, label),
            messages,
            waiting: self.waiting_of(&sign_in).await?.len(),
            changes: self.changes_from(account, &sign_in).await?,
            can_revoke: can_revoke(account, &sign_in),
            needs_new_password: needs_new_password(account, &sign_in),
            answer: view::DisputeAnswer::of(&sign_in),
        })
    }

    /// Takes the answer of somebody who is signed in. "Not me" is done in one step: what is about accounts in one transaction, and then
    /// messages are held. Where that fails the same answer does the rest, and an answer that was taken changes nothing else.
    ///
    /// That they know the password before where they choose another, the judge has seen.
    ///
    /// # Errors
    /// [`Missing::SignIn`]; [`Trouble::Unfit`], [`Trouble::Weak`] for the new password. Nothing was done then.
    pub async fn answer_sign_in(
        &self,
        act: &Act,
        (token, who): (&SessionToken, &SignedIn),
        id: SignInId,
        answer: &Answer,
    ) -> Result<Answered, Trouble> {
        let sign_in = self.named_sign_in(who, id).await?;
        let not_me = match answer {
            Answer::NotMe(not_me) => not_me,
            Answer::Me => {
                let is_new = self.accounts.own_sign_in(who.account.id, id, act).await?;
                return Ok(Answered { is_new, ..Answered::default() });
            }
        };
        let mut answered = Answered::default();
        let disowned = match &sign_in.state {
            SignInState::Stranger(_) => sign_in,
            _ => {
                let remedy = self.remedy(&who.account, &sign_in, not_me).await?;
                let done = self.accounts.disown_sign_in(who.account.id, id, &remedy, act).await?;
                answered.is_new = true;
                // From here on nothing may hide that it is done.
                if let Some(Revocation::Password(hash)) = &remedy.revocation {
                    answered.has_new_password = true;
                    answered.token = self.go_on(act, (token, who), hash, not_me).await;
                }
                done.ok_or_else(|| none_such(id))?
            }
        };
        self.hold_of(act, &disowned, &mut answered).await;
        Ok(answered)
    }

    /// The incidents that administrators have still to look at, the latest in front.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn incidents(&self) -> Result<Vec<view::Incident>, Trouble> {
        let mut all = Vec::new();
        for (sign_in, address) in self.accounts.incidents(INCIDENTS).await? {
            let waiting = self.waiting_of(&sign_in).await?.len();
            all.extend(view::Incident::of(&sign_in, &address, waiting));
        }
        Ok(all)
    }

    /// One of them.
    ///
    /// # Errors
    /// [`Missing::SignIn`].
    pub async fn show_incident(&self, id: SignInId) -> Result<view::Incident, Trouble> {
        let (sign_in, address) = self.disowned(id).await?;
        let waiting = self.waiting_of(&sign_in).await?.len();
        view::Incident::of(&sign_in, &address, waiting).ok_or_else(|| none_such(id))
    }

    /// Lets go of what is held of an incident, or removes it, or leaves it as it is; then there is nothing more to be looked at. How many messages
    /// that was done to; `None` if it can't be done to some, which are left, and it stays to be looked at.
    ///
    /// # Errors
    /// [`Missing::SignIn`].
    pub async fn close_incident(
        &self,
        act: &Act,
        id: SignInId,
        operation: Option<Operation>,
    ) -> Result<Option<u64>, Trouble> {
        let (sign_in, _) = self.disowned(id).await?;
        let mut done = 0;
        if let Some(operation) = operation {
            let waiting = self.waiting_of(&sign_in).await?;
            let operated = self.operate_on(act, operation, &waiting).await?;
            if let Some(trouble) = operated.broken_off {
                return Err(trouble);
            }
            if !operated.left.is_empty() {
                return Ok(None);
            }
            done = u64::try_from(operated.done.len()).unwrap_or(u64::MAX);
        }
        self.accounts.close_incident(id, act).await?;
        Ok(Some(done))
    }

    /// A sign-in that administrators have still to look at, and the address of its account.
    async fn disowned(&self, id: SignInId) -> Result<(SignIn, Mailbox), Trouble> {
        let all = self.accounts.incidents(INCIDENTS).await?;
        all.into_iter().find(|(one, _)| one.id == id).ok_or_else(|| none_such(id))
    }

    /// A sign-in to the account of somebody, but not that by which their session was opened.
    async fn named_sign_in(&self, who: &SignedIn, id: SignInId) -> Result<SignIn, Trouble> {
        let found = self.accounts.sign_in(who.account.id, id).await?;
        found.filter(|one| !is_of(who, one)).ok_or_else(|| none_such(id))
    }

    /// What is in the queue that was handed in with the credential of a sign-in, since the first of its kind and as long as that may have been
    /// by a stranger.
    async fn waiting_of(&self, sign_in: &SignIn) -> Result<Vec<QueueId>, Trouble> {
        let first = QueueId::new(unix_ms(sign_in.first_at), [0; 10]);
        let filter = QueueFilter {
            owner: Some(sign_in.account),
            credential: Some(sign_in.credential.clone()),
            ids: Some(first..=last_of(sign_in)),
            ..QueueFilter::default()
        };
        self.find_messages(&filter).await
    }

    /// What was changed of the account from the network of a sign-in, since the first of its kind.
    async fn changes_from(
        &self,
        account: &Account,
        sign_in: &SignIn,
    ) -> Result<Vec<view::AuditEntry>, Trouble> {
        let filter = AuditFilter {
            account: Some(account.address.normal()),
            network: Some(sign_in.network),
            since: Some(self.trail_begins(account).await?.max(sign_in.first_at)),
            ..AuditFilter::default()
        };
        let entries = self.accounts.entries(&filter, Page::first(READ)).await?.entries;
        let changes = entries.into_iter().filter(|entry| entry.event.action != Action::Login);
        let told = usize::try_from(TOLD).unwrap_or(usize::MAX);
        Ok(changes.take(told).map(view::AuditEntry::of).collect())
    }

    async fn remedy(&self, account: &Account, sign_in: &SignIn, not_me: &NotMe) -> Result<Remedy, Trouble> {
        let revocation = match not_me.revoke {
            false => None,
            true if needs_new_password(account, sign_in) => {
                let secret = not_me.new_password.clone().unwrap_or_else(|| Secret::new(""));
                let chosen = Chosen { secret, strength: Strength::Own };
                chosen.judge(&account.address, account.name.as_deref(), &self.settings.hostname)?;
                Some(Revocation::Password(self.hasher().await?.hash(chosen.secret).await?))
            }
            true => revocation_of(&sign_in.credential),
        };
        let NotMe { end_sessions, hold, list, .. } = *not_me;
        Ok(Remedy { revocation, end_sessions, hold, list })
    }

    /// Lets the session of whoever has chosen another password go on, and keeps what SCRAM needs of that. `None` if it can't be told that the
    /// account has the password.
    async fn go_on(
        &self,
        act: &Act,
        (token, who): (&SessionToken, &SignedIn),
        hash: &str,
        not_me: &NotMe,
    ) -> Option<SessionToken> {
        let now = self.accounts.by_id(who.account.id).await.ok().flatten()?;
        // Somebody else was faster, and has ended this session.
        let ours = Some(now).filter(|now| now.password_hash.as_deref() == Some(hash))?;
        if let Some(secret) = not_me.new_password.clone() {
            // What SCRAM lacks it gets at the next login with PLAIN.
            self.scram_of(act, &ours, &Password::Account(secret)).await;
        }
        self.keep_session(token, who).await.ok().flatten()
    }

    /// Holds what was handed in with a credential that was not its owner's, if that was wished for and is not done.
    async fn hold_of(&self, act: &Act, disowned: &SignIn, answered: &mut Answered) {
        let SignInState::Stranger(incident) = &disowned.state else { return };
        if !incident.hold || incident.held.is_some() {
            answered.held = incident.held;
            return;
        }
        let held = async {
            let waiting = self.waiting_of(disowned).await?;
            let operated = self.operate_on(act, Operation::Hold, &waiting).await?;
            if let Some(trouble) = operated.broken_off {
                return Err(trouble);
            }
            let held = u64::try_from(operated.done.len()).unwrap_or(u64::MAX);
            self.accounts.incident_held(disowned.id, held).await?;
            Ok(held)
        };
        match held.await {
            Ok(held) => answered.held = Some(held),
            Err(trouble) => answered.not_held = Some(trouble),
        }
    }
}

/// The last identifier that a message of a sign-in can have. What comes with a credential that is not gone for good after its owner's answer is
/// the owner's: the next account password is called as the one before. Of one that is gone nothing comes but what was under way.
fn last_of(sign_in: &SignIn) -> QueueId {
    match &sign_in.state {
        SignInState::Stranger(Incident { at, label: None, .. }) => {
            let done = at.saturating_add(ANSWER).unwrap_or(*at);
            QueueId::new(unix_ms(done), [u8::MAX; 10])
        }
        _ => QueueId::from_bytes([u8::MAX; 16]),
    }
}

/// Whether this session was opened by that sign-in, as far as can be told: from its network, on the pages.
fn is_of(who: &SignedIn, sign_in: &SignIn) -> bool {
    (sign_in.scope == "master" || sign_in.credential == AuditEvent::PASSWORD)
        && sign_in.network.contains(&who.session.ip.to_canonical())
}

/// Whether what was used is the account password, and the account has one that its owner can change here.
fn needs_new_password(account: &Account, sign_in: &SignIn) -> bool {
    sign_in.credential == AuditEvent::PASSWORD && account.password_hash.is_some()
}

fn can_revoke(account: &Account, sign_in: &SignIn) -> bool {
    needs_new_password(account, sign_in) || revocation_of(&sign_in.credential).is_some()
}

/// How a credential other than the account password is made worthless, if it is ours.
fn revocation_of(credential: &str) -> Option<Revocation> {
    let app_password = credential.parse().ok().map(Revocation::AppPassword);
    app_password.or_else(|| credential.parse().ok().map(Revocation::Certificate))
}

fn none_such(id: SignInId) -> Trouble {
    Missing::SignIn(id.to_string()).into()
}

#[cfg(test)]
mod tests;
