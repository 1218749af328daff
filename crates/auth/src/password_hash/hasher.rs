//! The pool in which Argon2 and whatever else is slow by intent runs: as many at once as there are cores, a bounded queue
//! behind them, and nothing beyond, so that a flood of log-ins costs memory and patience that were set aside for it.

use std::num::NonZero;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use argon2::Block;
use rand::RngExt as _;
use rustix::time::ClockId;
use sasl::{ScramKeys, ScramParameters};
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use types::{Buckets, Counter, Secret};

use crate::password_hash::new_password::PASSWORD_OCTETS;
use crate::password_hash::normal_form::{Form, TypedPassword};
use crate::password_hash::phc::{self, Cost, Phc};
use crate::password_hash::stored::StoredHash;
use crate::password_hash::stored_error::StoredError;

/// Logins that may wait for a core; the next one is deferred (454).
const QUEUE: usize = 64;

/// How long a login may wait for a core before it is deferred.
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
    /// How many pieces of work may wait or run.
    places: usize,
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
    patience: Duration,
}

/// What runs share.
struct Pool {
    own: ArcSwap<Own>,
    arenas: Mutex<Vec<Vec<Block>>>,
    runs: Counter,
    times: Buckets,
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
            pool: Arc::new(Pool {
                own,
                arenas: Mutex::default(),
                runs: Counter::default(),
                times: Buckets::of_time(),
            }),
            places: cores + queue,
            admitted: Arc::new(Semaphore::new(cores + queue)),
            running: Arc::new(Semaphore::new(cores)),
            patience,
        })
    }

    /// A hasher for a process that has nothing better to do than to wait for its turn, however long others have the cores.
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
    #[must_use]
    pub fn argon2_runs(&self) -> u64 {
        self.pool.runs.total()
    }

    /// How long each piece of work had a core.
    #[must_use]
    pub fn times(&self) -> &Buckets {
        &self.pool.times
    }

    /// How many pieces of work wait for a core or have one.
    #[must_use]
    pub fn in_hand(&self) -> usize {
        self.places.saturating_sub(self.admitted.available_permits())
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
            let begun = Instant::now();
            let answer = work(&pool);
            pool.times.add_time(begun.elapsed());
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
        self.runs.count();
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
mod tests;
