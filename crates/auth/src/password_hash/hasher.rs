//! The pool in which Argon2 and whatever else is slow by intent runs: as many at once as there are cores, a bounded queue
//! behind them, and nothing beyond, so that a flood of log-ins costs memory and patience that were set aside for it.

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use argon2::Block;
use rand::RngExt as _;
use rustix::time::ClockId;
use sasl::{ScramKeys, ScramParameters};
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use types::Secret;

use crate::password_hash::new_password::PASSWORD_OCTETS;
use crate::password_hash::normal_form::{Form, TypedPassword};
use crate::password_hash::phc::{self, Cost, Phc};
use crate::password_hash::stored::StoredHash;
use crate::password_hash::stored_error::StoredError;

/// Log-ins that may wait for a core; the next one is told to come back.
const QUEUE: usize = 64;

/// How long one may wait for a core before it is told the same.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why there is no answer. None of these says anything of the password.
#[derive(Debug, Error)]
pub enum HashError {
    #[error("too many passwords are being checked at once")]
    Overloaded,
    #[error(transparent)]
    Stored(#[from] StoredError),
    #[error("the password check was interrupted")]
    Broken,
}

/// What a check has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checked {
    /// Another password.
    No,
    /// The password.
    Yes,
    /// The password, but its hash is another server's, or weaker than ours, or not of its normal form: make it anew.
    YesButOutdated,
}

/// Makes and checks password hashes. Share one in the process: it is the limit.
pub struct Hasher {
    pool: Arc<Pool>,
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
    patience: Duration,
}

/// What runs share.
struct Pool {
    own: ArcSwap<Own>,
    arenas: Mutex<Vec<Vec<Block>>>,
    runs: AtomicU64,
}

/// The hashes that are made here.
struct Own {
    cost: Cost,
    /// One at this cost that no password is known for.
    unknowable: Phc,
}

impl Own {
    fn at(cost: Cost) -> Result<Self, StoredError> {
        let mut random = rand::rng();
        let unknowable =
            Phc::unknowable(cost, random.random(), random.random()).ok_or(StoredError::TooCostly)?;
        Ok(Self { cost, unknowable })
    }
}

impl Hasher {
    /// A pool with one place for each core that this process may use.
    ///
    /// # Errors
    /// When Argon2 does not know such a cost.
    pub fn new(cost: Cost) -> Result<Self, HashError> {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self::with_places(cost, cores, QUEUE, PATIENCE)
    }

    fn with_places(cost: Cost, cores: usize, queue: usize, patience: Duration) -> Result<Self, HashError> {
        let own = ArcSwap::from_pointee(Own::at(cost)?);
        Ok(Self {
            pool: Arc::new(Pool { own, arenas: Mutex::default(), runs: AtomicU64::new(0) }),
            admitted: Arc::new(Semaphore::new(cores + queue)),
            running: Arc::new(Semaphore::new(cores)),
            patience,
        })
    }

    /// The same, for a process that has nothing better to do than to wait for its turn, however long others have the cores.
    #[must_use]
    pub fn patient(self) -> Self {
        Self { patience: Duration::MAX, ..self }
    }

    /// Hashes are made at this cost from now on, and those that are weaker are outdated.
    ///
    /// # Errors
    /// When Argon2 does not know such a cost.
    pub fn replace(&self, cost: Cost) -> Result<(), HashError> {
        self.pool.own.store(Arc::new(Own::at(cost)?));
        Ok(())
    }

    /// The PHC string for a new password in its normal form, with a fresh salt.
    ///
    /// # Errors
    /// When the pool is overloaded.
    pub async fn hash(&self, password: Secret) -> Result<String, HashError> {
        self.run(move |pool| {
            let salt = rand::rng().random();
            let typed = TypedPassword::new(&password);
            pool.with_arena(|arena| phc::hash(pool.cost(), typed.normal(), salt, arena))
        })
        .await
    }

    /// Whether `password` has the hash `stored`. Without a hash it has not, and to say so costs the same: whatever it
    /// lacks, a no is one run of Argon2.
    ///
    /// # Errors
    /// When the pool is overloaded, or `stored` can't be used.
    pub(crate) async fn verify(&self, password: Secret, stored: Option<&str>) -> Result<Checked, HashError> {
        let stored = stored.map(StoredHash::parse).transpose()?;
        self.run(move |pool| match &stored {
            None => pool.never(&TypedPassword::new(&password)).map(|_| Checked::No),
            Some(stored) => pool.check(&TypedPassword::new(&password), stored),
        })
        .await
    }

    /// Whether `password` has this hash of another server. Unlike that of [`Hasher::verify`], a no costs no run of
    /// Argon2: it is for what is tried besides.
    ///
    /// # Errors
    /// When the pool is overloaded, or `stored` can't be used.
    pub(crate) async fn was_made_elsewhere(&self, password: Secret, stored: &str) -> Result<bool, HashError> {
        match StoredHash::parse(stored)? {
            StoredHash::Argon2(_) => Ok(self.verify(password, Some(stored)).await? != Checked::No),
            StoredHash::Foreign(foreign) => self.run(move |_| foreign.matches(password.declassify())).await,
        }
    }

    /// The SCRAM keys of each of these; `None` if SASLprep does not allow one of them.
    ///
    /// # Errors
    /// When the pool is overloaded.
    pub(crate) async fn scram_keys(
        &self,
        passwords: Vec<Secret>,
        parameters: ScramParameters,
    ) -> Result<Option<Vec<ScramKeys>>, HashError> {
        self.run(move |_| {
            let derive = |password| ScramKeys::derive(password, &parameters);
            Some(passwords.iter().map(derive).collect())
        })
        .await
    }

    /// What hashes that are made here cost.
    pub(crate) fn cost(&self) -> Cost {
        self.pool.cost()
    }

    /// How long a core needs for the check of a wrong password, of any length, against this hash; for `None`, against one of
    /// our own.
    ///
    /// # Errors
    /// When the pool is overloaded.
    pub(crate) async fn time(&self, stored: Option<StoredHash>) -> Result<Duration, HashError> {
        self.run(move |pool| {
            let longest = Secret::new([b'x'; PASSWORD_OCTETS]);
            let begun = thread_time();
            match &stored {
                None => pool.never(&TypedPassword::new(&longest)).map(drop)?,
                Some(StoredHash::Argon2(phc)) => {
                    pool.form_of(phc, &TypedPassword::new(&longest)).map(drop)?
                }
                Some(StoredHash::Foreign(foreign)) => foreign.matches(longest.declassify()).map(drop)?,
            }
            Some(thread_time().saturating_sub(begun))
        })
        .await
    }

    /// Whether a core is free, so that what is not urgent takes nobody's turn.
    pub(crate) fn is_idle(&self) -> bool {
        self.running.available_permits() > 0
    }

    /// How often Argon2 ran since the start.
    #[cfg(test)]
    pub(crate) fn argon2_runs(&self) -> u64 {
        self.pool.runs.load(Ordering::Relaxed)
    }

    /// A pool in which everything is busy for ever.
    #[cfg(test)]
    pub(crate) fn without_places() -> Self {
        Self::with_places(CHEAP, 0, 1, PATIENCE).unwrap()
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Pool) -> Option<T> + Send + 'static,
    ) -> Result<T, HashError> {
        let place = self.place().await?;
        let pool = Arc::clone(&self.pool);
        // The place goes with the work: a client that hangs up does not make room while its hash still runs.
        let done = tokio::task::spawn_blocking(move || {
            let answer = work(&pool);
            drop(place);
            answer
        });
        done.await.ok().flatten().ok_or(HashError::Broken)
    }

    async fn place(&self) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit), HashError> {
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| HashError::Overloaded)?;
        let running = tokio::time::timeout(self.patience, Arc::clone(&self.running).acquire_owned()).await;
        let running = running.ok().and_then(Result::ok).ok_or(HashError::Overloaded)?;
        Ok((admitted, running))
    }
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hasher").field("cost", &self.pool.cost()).finish_non_exhaustive()
    }
}

impl Pool {
    fn cost(&self) -> Cost {
        self.own.load().cost
    }

    fn check(&self, typed: &TypedPassword<'_>, stored: &StoredHash) -> Option<Checked> {
        let strength = stored.against(self.cost());
        let outdated = match stored {
            StoredHash::Argon2(phc) => {
                let form = self.form_of(phc, typed)?;
                form.map(|form| strength.is_lt() || (form != Form::Normal && strength.is_eq()))
            }
            // Other servers took passwords as they came.
            StoredHash::Foreign(foreign) => {
                (foreign.matches(typed.as_it_came())? || self.never(typed)?).then_some(true)
            }
        };
        Some(match outdated {
            None => Checked::No,
            Some(false) => Checked::Yes,
            Some(true) => Checked::YesButOutdated,
        })
    }

    /// The form of the password that has this hash, if one has.
    fn form_of(&self, phc: &Phc, typed: &TypedPassword<'_>) -> Option<Option<Form>> {
        for (form, octets) in typed.forms() {
            if self.with_arena(|arena| phc.matches(octets, arena))? {
                return Some(Some(form));
            }
        }
        Some(None)
    }

    /// No, at the cost of a wrong password.
    fn never(&self, typed: &TypedPassword<'_>) -> Option<bool> {
        self.form_of(&self.own.load().unknowable, typed).map(|_| false)
    }

    /// Lends the work an arena, and counts the run.
    fn with_arena<T>(&self, work: impl FnOnce(&mut Vec<Block>) -> T) -> T {
        let mut arena = self.arenas().pop().unwrap_or_default();
        self.runs.fetch_add(1, Ordering::Relaxed);
        let answer = work(&mut arena);
        // A hash from elsewhere may have asked for more than ours need; that memory goes back.
        arena.truncate(usize::try_from(self.cost().memory_kib).unwrap_or(usize::MAX));
        arena.shrink_to_fit();
        self.arenas().push(arena);
        answer
    }

    fn arenas(&self) -> std::sync::MutexGuard<'_, Vec<Vec<Block>>> {
        self.arenas.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What this thread has had of its core: however busy the machine is, the same for the same work.
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(test)]
pub(crate) const CHEAP: Cost = Cost { memory_kib: 8, passes: 1, lanes: 1 };

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::from(text.to_owned())
    }

    #[tokio::test]
    async fn every_check_is_one_run_and_no_hash_matches_nothing() {
        let hasher = Hasher::new(CHEAP).unwrap();
        let stored = hasher.hash(secret("right")).await.unwrap();
        assert_eq!(hasher.argon2_runs(), 1);
        let (yes, no) = (Checked::Yes, Checked::No);
        for (password, stored, found) in
            [("right", Some(&stored), yes), ("wrong", Some(&stored), no), ("right", None, no)]
        {
            let before = hasher.argon2_runs();
            let answer = hasher.verify(secret(password), stored.map(String::as_str)).await.unwrap();
            assert_eq!(answer, found);
            assert_eq!(hasher.argon2_runs(), before + 1);
        }
    }

    #[tokio::test]
    async fn two_hashes_of_one_password_differ() {
        let hasher = Hasher::new(CHEAP).unwrap();
        assert_ne!(hasher.hash(secret("one")).await.unwrap(), hasher.hash(secret("one")).await.unwrap());
    }

    #[tokio::test]
    async fn a_full_queue_is_told_at_once_and_recovers() {
        let hasher = Hasher::with_places(CHEAP, 1, 1, PATIENCE).unwrap();
        let (running, waiting) = (hasher.place().await.unwrap(), hasher.verify(secret("x"), None));
        let mut waiting = std::pin::pin!(waiting);
        assert!(futures_pending(waiting.as_mut()).await);
        assert!(matches!(hasher.verify(secret("x"), None).await, Err(HashError::Overloaded)));
        drop(running);
        assert_eq!(waiting.await.unwrap(), Checked::No);
        assert!(hasher.verify(secret("x"), None).await.is_ok());
    }

    #[tokio::test]
    async fn nobody_waits_without_end() {
        let hasher = Hasher::with_places(CHEAP, 1, 1, Duration::from_millis(10)).unwrap();
        let _running = hasher.place().await.unwrap();
        assert!(matches!(hasher.verify(secret("x"), None).await, Err(HashError::Overloaded)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_patient_one_waits_for_its_turn() {
        let hasher = Hasher::with_places(CHEAP, 1, 1, PATIENCE).unwrap().patient();
        let running = hasher.place().await.unwrap();
        let mut waiting = std::pin::pin!(hasher.hash(secret("x")));
        assert!(tokio::time::timeout(PATIENCE * 1000, waiting.as_mut()).await.is_err(), "it still waits");
        drop(running);
        assert!(waiting.await.is_ok());
    }

    #[tokio::test]
    async fn a_stored_hash_that_cannot_be_used_is_an_error_and_not_a_no() {
        let hasher = Hasher::new(CHEAP).unwrap();
        assert!(matches!(hasher.verify(secret("x"), Some("$6$x$y")).await, Err(HashError::Stored(_))));
    }

    #[tokio::test]
    async fn a_hash_of_another_server_is_outdated_and_its_no_is_one_run_as_well() {
        let hasher = Hasher::new(CHEAP).unwrap();
        let stored = Some("{SSHA}vH9ZzOQJ2A1cNOLXHJVHCxIbfMf5r1P+");
        assert_eq!(hasher.verify(secret("secret"), stored).await.unwrap(), Checked::YesButOutdated);
        let before = hasher.argon2_runs();
        assert_eq!(hasher.verify(secret("Secret"), stored).await.unwrap(), Checked::No);
        assert_eq!(hasher.argon2_runs(), before + 1);
    }

    #[tokio::test]
    async fn a_weaker_hash_is_outdated_and_a_stronger_one_stays() {
        let hasher = Hasher::new(CHEAP).unwrap();
        let dearer = Hasher::new(Cost { memory_kib: 16, ..CHEAP }).unwrap();
        let (ours, dear) =
            (hasher.hash(secret("secret")).await.unwrap(), dearer.hash(secret("secret")).await.unwrap());
        let theirs = "$argon2i$v=19$m=32768,t=4,p=1$cwnZe3fg04XM542oCQ1/3A\
                      $myXRW7K9Uyhoa8BwkvOfckKoOT17TC/XrXDgdzOSj6g";
        for (hasher, stored, found) in [
            (&hasher, &*ours, Checked::Yes),
            (&dearer, &ours, Checked::YesButOutdated),
            (&hasher, &dear, Checked::Yes),
            (&dearer, &dear, Checked::Yes),
            (&hasher, theirs, Checked::Yes),
        ] {
            assert_eq!(hasher.verify(secret("secret"), Some(stored)).await.unwrap(), found, "{stored}");
        }
    }

    #[tokio::test]
    async fn a_password_is_one_however_its_letters_are_composed() {
        let hasher = Hasher::new(CHEAP).unwrap();
        let (composed, decomposed) = ("p\u{e4}ssw\u{f6}rd", "pa\u{308}sswo\u{308}rd");
        for made_of in [composed, decomposed, "p\u{e4}ss\u{ff57}\u{f6}rd"] {
            let stored = hasher.hash(secret(made_of)).await.unwrap();
            for typed in [composed, decomposed] {
                assert_eq!(hasher.verify(secret(typed), Some(&stored)).await.unwrap(), Checked::Yes);
            }
            assert_eq!(hasher.verify(secret("password"), Some(&stored)).await.unwrap(), Checked::No);
        }
    }

    #[tokio::test]
    async fn a_hash_of_the_password_as_it_came_is_right_and_made_anew() {
        let hasher = Hasher::new(CHEAP).unwrap();
        let typed = "pa\u{308}ssword";
        let hash = |memory_kib| {
            phc::hash(Cost { memory_kib, ..CHEAP }, typed.as_bytes(), [3; 16], &mut Vec::new()).unwrap()
        };
        assert_eq!(hasher.verify(secret(typed), Some(&hash(8))).await.unwrap(), Checked::YesButOutdated);
        assert_eq!(hasher.verify(secret(typed), Some(&hash(16))).await.unwrap(), Checked::Yes, "stronger");
        // Whatever it is compared with, a no costs as much.
        for stored in [None, Some(hash(8))] {
            let before = hasher.argon2_runs();
            let other = secret("o\u{308}ther");
            assert_eq!(hasher.verify(other, stored.as_deref()).await.unwrap(), Checked::No);
            assert_eq!(hasher.argon2_runs(), before + 2);
        }
    }

    async fn futures_pending<F: Future>(mut future: std::pin::Pin<&mut F>) -> bool {
        std::future::poll_fn(|cx| std::task::Poll::Ready(future.as_mut().poll(cx).is_pending())).await
    }
}
