//! How long a refusal takes: longer than the check of any hash in the store, so that nobody can tell by a stopwatch which accounts
//! were imported, or which names exist.
//!
//! Which hash is the slowest is read from the store. How long its check takes on this machine is measured, once for each
//! kind of hash, and again when a slower one of that kind turns up.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use store::{Accounts as _, AppPasswords as _};
use stores::Accounts;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::outcome::LoginFault;
use crate::password_hash::effort::Effort;
use crate::password_hash::hasher::{HashError, Hasher};
use crate::password_hash::stored::StoredHash;

/// The shortest refusal. It is longer than the check of most imported hashes (bcrypt of cost 12: 280 ms), so that an account that
/// was imported a moment ago, and not measured yet, does not show either.
const LEAST: Duration = Duration::from_millis(400);

/// How often the store is searched for the slowest hash.
const INTERVAL: Duration = Duration::from_secs(60);

/// Rows of the store that are read at a time.
const BATCH: u32 = 1000;

/// Argon2 runs of one check at most: a password that is not in its normal form is tried in both forms.
const FORMS: u32 = 2;

/// The time that a refusal takes.
pub(crate) struct RefusalTime {
    milliseconds: AtomicU64,
    /// How long the check of a hash of each effort took.
    measured: Mutex<HashMap<Effort, Duration>>,
}

impl Default for RefusalTime {
    fn default() -> Self {
        Self::of(LEAST)
    }
}

impl RefusalTime {
    /// A refusal time of this length, until it is measured.
    pub(crate) fn of(time: Duration) -> Self {
        Self { milliseconds: AtomicU64::new(milliseconds(time)), measured: Mutex::default() }
    }

    /// The refusal time as it is now.
    pub(crate) fn now(&self) -> Duration {
        Duration::from_millis(self.milliseconds.load(Ordering::Relaxed))
    }

    /// Waits until what began then may be refused: for the refusal time, or the next multiple of it.
    pub(crate) async fn wait_since(&self, begun: Instant) {
        tokio::time::sleep_until(begun + rounded_up(begun.elapsed(), self.now())).await;
    }

    /// Measures the refusal time once a minute, for as long as it runs.
    pub(crate) async fn keep_measured(&self, store: &Accounts, hasher: &Hasher) {
        loop {
            if let Err(fault) = self.measure(store, hasher).await {
                let error: &dyn std::error::Error = &fault;
                tracing::warn!(
                    event = "auth.hashes-not-timed",
                    error,
                    "how slow the hashes in the store are could not be measured; that is tried again in a minute"
                );
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Makes refusals longer than the slowest check of a hash in the store.
    ///
    /// # Errors
    /// When the store does not answer, or too much is being hashed.
    pub(crate) async fn measure(&self, store: &Accounts, hasher: &Hasher) -> Result<(), LoginFault> {
        let (of_accounts, (of_app_passwords, at_once)) =
            (account_hashes(store, hasher).await?, imported_hashes(store).await?);
        let mut measured = self.measured.lock().await;
        let own = Effort { kind: "own", work: hasher.cost().work() };
        let own = FORMS * time(&mut measured, hasher, own, None).await?;
        let mut slowest = own;
        for (effort, hash) in of_accounts.0.into_values() {
            let time = time(&mut measured, hasher, effort, Some(hash)).await?;
            // Behind what others made runs one of ours.
            slowest = slowest.max(if effort.is_argon2() { FORMS * time } else { time + own });
        }
        let mut brought = Duration::ZERO;
        for (effort, hash) in of_app_passwords.0.into_values() {
            brought = brought.max(time(&mut measured, hasher, effort, Some(hash)).await?);
        }
        self.set(slowest + at_once * brought);
        Ok(())
    }

    /// Sets the refusal time to one and a half times what the slowest check takes of a core, since there is other work.
    fn set(&self, slowest: Duration) {
        self.milliseconds.store(milliseconds(LEAST.max(slowest * 3 / 2)), Ordering::Relaxed);
    }
}

/// The next multiple of `step` behind what has passed.
pub(super) fn rounded_up(passed: Duration, step: Duration) -> Duration {
    let whole = passed.as_nanos().checked_div(step.as_nanos());
    step.saturating_mul(whole.and_then(|whole| u32::try_from(whole + 1).ok()).unwrap_or(1))
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// How long the check of this hash takes, or, for `None`, of one of ours.
async fn time(
    measured: &mut HashMap<Effort, Duration>,
    hasher: &Hasher,
    effort: Effort,
    hash: Option<StoredHash>,
) -> Result<Duration, HashError> {
    if let Some(time) = measured.get(&effort) {
        return Ok(*time);
    }
    let time = hasher.time(hash).await?;
    measured.insert(effort, time);
    Ok(time)
}

/// The hash of each kind that is most work.
#[derive(Default)]
struct Slowest(HashMap<&'static str, (Effort, StoredHash)>);

impl Slowest {
    /// Keeps the hash if it is the slowest of its kind. One that can't be read can't be checked either, and is passed over.
    fn see(&mut self, hash: &str) {
        let Ok(stored) = StoredHash::parse(hash) else { return };
        let effort = stored.effort();
        if self.0.get(effort.kind).is_none_or(|(before, _)| before.work < effort.work) {
            self.0.insert(effort.kind, (effort, stored));
        }
    }
}

/// The slowest hashes of accounts, apart from those at the cost at which hashes are made now.
async fn account_hashes(store: &Accounts, hasher: &Hasher) -> Result<Slowest, store::Error> {
    let (own, mut slowest, mut after) = (hasher.cost().prefix(), Slowest::default(), None);
    loop {
        let some = store.hashes_unlike(&own, after, BATCH).await?;
        some.iter().for_each(|(_, hash)| slowest.see(hash));
        let Some((last, _)) = some.last() else { return Ok(slowest) };
        after = Some(*last);
    }
}

/// The slowest hashes of imported app passwords, and how many of them may be tried on one password.
async fn imported_hashes(store: &Accounts) -> Result<(Slowest, u32), store::Error> {
    let (mut slowest, mut at_once, mut after) = (Slowest::default(), 0, None);
    loop {
        let some = store.imported_hashes(after, BATCH).await?;
        for (_, hash, alike) in &some {
            slowest.see(hash);
            at_once = at_once.max(*alike);
        }
        let Some((last, ..)) = some.last() else { return Ok((slowest, at_once)) };
        after = Some(*last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_takes_half_as_long_again_as_the_slowest_check_and_never_less_than_the_least() {
        for (slowest, time) in [(0, 400), (266, 400), (400, 600), (2000, 3000)] {
            let refusal = RefusalTime::default();
            refusal.set(Duration::from_millis(slowest));
            assert_eq!(refusal.now(), Duration::from_millis(time), "{slowest}");
        }
    }

    #[test]
    fn of_each_kind_the_slowest_is_kept() {
        let mut slowest = Slowest::default();
        let bcrypt = |cost| format!("$2y${cost}$B.igq0cNtA0WqKV0wLIbcepDMzU8EFhjCNDVF0od5o0U28WGvvZii");
        let argon2 = |cost| format!("$argon2id$v=19${cost}$c2FsdHNhbHRzYWx0$1ezdBEQQoyBwDictSogJ9A");
        let hashes =
            [bcrypt("05"), bcrypt("12"), bcrypt("10"), argon2("m=8,t=1,p=1"), argon2("m=64,t=3,p=1")];
        hashes.iter().for_each(|hash| slowest.see(hash));
        slowest.see("no hash");
        let mut found: Vec<_> = slowest.0.values().map(|(effort, _)| (effort.kind, effort.work)).collect();
        found.sort_unstable();
        assert_eq!(found, [("argon2", 192), ("bcrypt", 4096)]);
    }
}
