//! What the server forgets by itself, in the background: whatever is kept for a while only.

use std::time::Duration;

use config::Config;
use jiff::{SignedDuration, Timestamp};
use store::{
    ApiTokens as _, AppPasswords as _, Audit as _, AuditFilter, Enrolments as _, Ledger as _, Page,
    Sending as _, SignIn, SignIns as _, Spool as _, StoredIdempotency as _, StsPolicies as _, Throttles as _,
    TlsResults as _, WebSessions as _, Webhooks as _,
};
use stores::{Accounts, Store};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::clock_steps::ClockSteps;

/// How long somebody stays a correspondent who is not written to: more than a year, for what is sent once a year.
const CORRESPONDENT: SignedDuration = SignedDuration::from_hours(400 * 24);

/// How long a revoked app password is known as such: a device may be switched on once a year.
const REVOKED: SignedDuration = SignedDuration::from_hours(400 * 24);

/// How long it is known what became of a link behind its end: by what and where from it was used.
const LINKS: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How long API tokens that have ended are shown as such.
const TOKENS: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How long it is known what became of a message that failed for somebody, once its sender was told; and from when it was accepted, if it has no
/// sender who could be.
const SETTLED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How long it is known how TLS went with mail hosts: longer than reports on it are sent.
const COUNTED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Often enough that little is forgotten at a time.
const EVERY: Duration = Duration::from_secs(60);

/// How long the operator wants what to be kept.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Kept {
    audit: config::Audit,
    ledger: config::Ledger,
    sessions: config::WebSessions,
}

impl Kept {
    pub(crate) fn of(config: &Config) -> Self {
        let sessions = config.web.as_ref().map(|web| web.sessions).unwrap_or_default();
        Self { audit: config.audit, ledger: config.ledger, sessions }
    }
}

/// Forgets what is too old, until it is told to stop.
pub(crate) async fn run(store: Store, kept: watch::Receiver<Kept>, stop: CancellationToken) {
    let present = || *kept.borrow();
    let (started, mut steps) = (Instant::now(), None);
    while stop.run_until_cancelled(tidy(&store, present(), &mut steps, started)).await.is_some() {
        stop.run_until_cancelled(tokio::time::sleep(EVERY)).await;
    }
}

async fn tidy(store: &Store, kept: Kept, steps: &mut Option<ClockSteps>, started: Instant) {
    let done = async {
        let steps = match steps {
            Some(steps) => steps,
            none => none.insert(clock_steps(store.accounts(), kept.audit, clock::now()).await?),
        };
        match steps.is_steady(clock::now(), started.elapsed()) {
            true => forget(store, kept).await,
            false => Ok(()),
        }
    };
    if let Err(error) = done.await {
        let error: &dyn std::error::Error = error.as_ref();
        tracing::warn!(event = "store.failing", error, "what is too old could not be forgotten");
    }
}

/// A clock by which all of the audit trail would be too old to be kept is doubtful from the start.
async fn clock_steps(
    accounts: &Accounts,
    audit: config::Audit,
    now: Timestamp,
) -> anyhow::Result<ClockSteps> {
    let newest = accounts.entries(&AuditFilter::default(), Page::first(1)).await?;
    let newest = newest.entries.first().map_or(now, |entry| entry.event.at);
    Ok(ClockSteps::since(newest, SignedDuration::try_from(audit.keep)?, now))
}

async fn forget(store: &Store, Kept { audit, ledger, sessions }: Kept) -> anyhow::Result<()> {
    let (now, accounts) = (clock::now(), store.accounts());
    accounts.prune(now.checked_sub(SignedDuration::try_from(audit.keep)?)?, now).await?;
    accounts.prune_sign_ins(now.checked_sub(SignIn::FAMILIAR)?, now).await?;
    accounts.prune_throttles(now, now.checked_sub(auth::FAMILIAR)?).await?;
    accounts.prune_revoked(now.checked_sub(REVOKED)?).await?;
    accounts.prune_correspondents(now.checked_sub(CORRESPONDENT)?, now).await?;
    accounts.prune_sts_policies(now).await?;
    accounts.prune_webhook_deliveries(now.checked_sub(desk::DELIVERIES_KNOWN)?).await?;
    accounts.prune_requests(now.checked_sub(desk::REQUESTS_KNOWN)?, now).await?;
    accounts.prune_sessions(now.checked_sub(SignedDuration::try_from(sessions.idle)?)?, now).await?;
    accounts.prune_enrolments(now.checked_sub(LINKS)?, now).await?;
    accounts.prune_tokens(now.checked_sub(TOKENS)?).await?;
    while store.spool().forget_settled(now.checked_sub(SETTLED)?).await? {}
    let unknown = now.checked_sub(SignedDuration::try_from(ledger.keep)?)?;
    while store.ledger().prune(unknown).await? {}
    store.ledger().prune_tls_results(delivery::day_of(now.checked_sub(COUNTED)?)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use store::{Act, Action, AuditEvent};
    use stores::{Mode, Store};

    use super::*;

    #[tokio::test]
    async fn what_is_older_than_it_is_kept_is_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), Mode::Server).await.unwrap();
        let (audit, now) = (store.accounts(), clock::now());
        let days_ago = |days: i64| now - SignedDuration::from_hours(days * 24);
        let events =
            [29, 31].map(|days| AuditEvent::success(Action::KeyRotate, &Act::server(days_ago(days))));
        for event in &events {
            audit.record(event).await.unwrap();
        }
        forget(&store, Kept::default()).await.unwrap();
        let kept = audit.entries(&AuditFilter::default(), Page::first(1000)).await.unwrap().entries;
        assert_eq!(kept.iter().map(|entry| entry.event.at).collect::<Vec<_>>(), [stored(events[0].at)]);
    }

    /// The store keeps milliseconds.
    fn stored(at: jiff::Timestamp) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(at.as_millisecond()).unwrap()
    }

    #[tokio::test]
    async fn it_goes_on_until_it_is_told_to_stop() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), Mode::Server).await.unwrap();
        let stop = CancellationToken::new();
        let running =
            tokio::spawn(run(store.clone(), watch::Sender::new(Kept::default()).subscribe(), stop.clone()));
        tokio::task::yield_now().await;
        assert!(!running.is_finished());
        stop.cancel();
        running.await.unwrap();
    }
}
