//! How many files may be open, and how many connections that leaves room for.

use config::Config;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use submission::Limits;

/// What is open besides the connections of clients: the store, the bodies of large messages, connections to next hosts.
const OTHERS: u64 = 256;

/// Connections of browsers, which `console` bounds.
const BROWSERS: u64 = 1_000;

/// What the system allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Descriptors {
    Enough,
    /// So many, of which some are not for clients that hand in mail.
    Only {
        allowed: u64,
        others: u64,
    },
}

impl Descriptors {
    /// Asks the system for as many as the connections take that this configuration allows, of mail and of browsers. The usual soft limit of 1024 was made for programs that
    /// use select(2).
    pub(crate) fn for_server(config: &Config) -> Descriptors {
        let serves_pages = config.web.as_ref().is_some_and(|web| !web.listen.is_empty());
        let others = OTHERS + if serves_pages { BROWSERS } else { 0 };
        let wanted = u64::from(config.limits.connections) + others;
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let Some(allowed) = current.filter(|current| *current < wanted) else { return Descriptors::Enough };
        let most = maximum.map_or(wanted, |maximum| maximum.min(wanted));
        match setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum }) {
            Ok(()) if most >= wanted => Descriptors::Enough,
            Ok(()) => Descriptors::Only { allowed: most, others },
            Err(_) => Descriptors::Only { allowed, others },
        }
    }

    /// No more connections than leave something for the messages that they bring: a client that is turned away comes
    /// back, but one that got in and finds no file for its message has waited in vain.
    pub(crate) fn fit(self, mut limits: Limits) -> Limits {
        match self {
            Descriptors::Enough => limits,
            Descriptors::Only { allowed, others } => {
                let room = allowed - others.min(allowed / 2);
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
        let only = |allowed, others| connections(Descriptors::Only { allowed, others });
        assert_eq!(only(1024, OTHERS), 768);
        assert_eq!(only(4096, OTHERS + BROWSERS), 2840);
        assert_eq!(only(200, OTHERS), 100);
    }
}
