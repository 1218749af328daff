//! How much one account may have in messages that have not ended (`limits.unfinished`).
//!
//! Text that never ends lies in the spool all the same, and takes the room of everybody else's mail.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use esmtp::Rejection;
use ipnet::IpNet;
use store::network_of;
use types::AccountId;

use crate::submitter::Submitter;

/// What all accounts have in messages that have not ended.
#[derive(Debug)]
pub(crate) struct Unfinished {
    most: AtomicU64,
    /// Those alone who have a message under way.
    owners: Mutex<HashMap<Owner, Owned>>,
}

/// Messages of one owner, and their octets together.
#[derive(Debug, Default)]
struct Owned {
    messages: u32,
    octets: Arc<AtomicU64>,
}

/// Whose a message is: an account's, or that of the network of a machine without a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Owner {
    Account(AccountId),
    Network(IpNet),
}

impl From<&Submitter> for Owner {
    fn from(submitter: &Submitter) -> Self {
        match submitter {
            Submitter::User(user) => Self::Account(user.account),
            Submitter::Machine(machine) => Self::of(machine.address()),
        }
    }
}

impl Owner {
    fn of(address: IpAddr) -> Self {
        Self::Network(network_of(address))
    }
}

/// What one message has of that; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    all: Arc<Unfinished>,
    owner: Owner,
    /// Octets of the owner's messages.
    owned: Arc<AtomicU64>,
    /// Octets of this one.
    octets: u64,
}

impl Unfinished {
    /// So many octets of one account and no more.
    pub(crate) fn new(most: u64) -> Arc<Self> {
        Arc::new(Self { most: AtomicU64::new(most), owners: Mutex::default() })
    }

    /// From now on it is so many.
    pub(crate) fn replace(&self, most: u64) {
        self.most.store(most, Ordering::Relaxed);
    }

    /// A message begins.
    pub(crate) fn begin(self: &Arc<Self>, submitter: &Submitter) -> Share {
        self.begin_of(submitter.into())
    }

    fn begin_of(self: &Arc<Self>, owner: Owner) -> Share {
        let mut owners = self.owners();
        let owned = owners.entry(owner).or_default();
        owned.messages += 1;
        Share { all: Arc::clone(self), owner, owned: Arc::clone(&owned.octets), octets: 0 }
    }

    fn end(&self, owner: Owner) {
        if let Entry::Occupied(mut owned) = self.owners().entry(owner) {
            owned.get_mut().messages -= 1;
            if owned.get().messages == 0 {
                owned.remove();
            }
        }
    }

    fn owners(&self) -> MutexGuard<'_, HashMap<Owner, Owned>> {
        // Nothing in here panics half-way.
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// The message has so many octets more.
    ///
    /// # Errors
    /// [`Rejection::TooMuchUnfinished`]; then they are not counted.
    pub(crate) fn add(&mut self, octets: u64) -> Result<(), Rejection> {
        let owned = self.owned.fetch_add(octets, Ordering::Relaxed).saturating_add(octets);
        self.octets = self.octets.saturating_add(octets);
        if owned > self.all.most.load(Ordering::Relaxed) {
            self.take_back(octets);
            return Err(Rejection::TooMuchUnfinished);
        }
        Ok(())
    }

    /// The message will not be kept.
    pub(crate) fn give_back(&mut self) {
        self.take_back(self.octets);
    }

    fn take_back(&mut self, octets: u64) {
        self.owned.fetch_sub(octets, Ordering::Relaxed);
        self.octets = self.octets.saturating_sub(octets);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give_back();
        self.all.end(self.owner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(id: u8) -> Owner {
        Owner::Account(AccountId::from_bytes([id; 16]))
    }

    #[test]
    fn messages_of_an_account_share_and_others_have_their_own() {
        let all = Unfinished::new(100);
        let (mut one, mut two, mut other) =
            (all.begin_of(account(1)), all.begin_of(account(1)), all.begin_of(account(2)));
        assert_eq!(one.add(60), Ok(()));
        assert_eq!(two.add(41), Err(Rejection::TooMuchUnfinished));
        assert_eq!((two.add(40), other.add(100)), (Ok(()), Ok(())));
        one.give_back();
        assert_eq!(two.add(60), Ok(()));
        drop(two);
        assert_eq!(one.add(100), Ok(()), "whatever ends gives back what it had");
        all.replace(200);
        assert_eq!(other.add(100), Ok(()));
        drop((one, other));
        assert!(all.owners().is_empty());
    }

    #[test]
    fn a_machine_without_a_login_is_its_network() {
        let owner = |address: &str| Owner::of(address.parse().unwrap());
        assert_eq!(owner("2001:db8::1"), owner("2001:db8::2"));
        assert_ne!(owner("192.0.2.1"), owner("192.0.2.2"));
    }
}
