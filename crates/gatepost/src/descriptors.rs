//! How many files may be open, and how many connections that leaves room for.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use submission::Limits;

/// What is open besides the connections of clients: the store, the bodies of large messages, connections to next hosts.
const OTHERS: u64 = 256;

/// What the system allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Descriptors {
    Enough,
    Only(u64),
}

impl Descriptors {
    /// Asks the system for as many as so many connections take. The usual soft limit of 1024 was made for programs that
    /// use select(2).
    pub(crate) fn for_connections(connections: u32) -> Descriptors {
        let wanted = u64::from(connections) + OTHERS;
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let Some(allowed) = current.filter(|current| *current < wanted) else { return Descriptors::Enough };
        let most = maximum.map_or(wanted, |maximum| maximum.min(wanted));
        match setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum }) {
            Ok(()) if most >= wanted => Descriptors::Enough,
            Ok(()) => Descriptors::Only(most),
            Err(_) => Descriptors::Only(allowed),
        }
    }

    /// No more connections than leave something for the messages that they bring: a client that is turned away comes
    /// back, but one that got in and finds no file for its message has waited in vain.
    pub(crate) fn fit(self, mut limits: Limits) -> Limits {
        match self {
            Descriptors::Enough => limits,
            Descriptors::Only(allowed) => {
                let room = allowed - OTHERS.min(allowed / 2);
                let room = usize::try_from(room).unwrap_or(usize::MAX);
                limits.connections = limits.connections.min(room);
                limits
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_descriptors_are_kept_from_connections() {
        let connections = |descriptors: Descriptors| descriptors.fit(Limits::default()).connections;
        assert_eq!(connections(Descriptors::Enough), Limits::default().connections);
        assert_eq!(connections(Descriptors::Only(1024)), 768);
        assert_eq!(connections(Descriptors::Only(200)), 100);
    }
}
