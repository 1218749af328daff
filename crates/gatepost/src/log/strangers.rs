//! Lines about those who have not logged in: of one kind and one network the first few of each second are told, and the rest
//! with their number. So nobody fills a disk by connecting.

use std::collections::HashMap;
use std::fmt::Debug;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use store::network_of;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Lines of a kind and a network in a second that are told one by one: as many refused logins as the jail of
/// config/fail2ban waits for.
const TOLD: u64 = 10;

/// The most kinds and networks that are counted in a second.
const KINDS: usize = 8192;

/// How many lines there were in this second.
#[derive(Clone, Debug, Default)]
pub(super) struct Strangers {
    seen: Arc<Mutex<HashMap<Kind, u64>>>,
}

/// Lines that differ only in what matters little when there are many of them.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Kind {
    network: IpNet,
    event: String,
    reason: Option<String>,
    tls_failure: Option<String>,
}

impl Strangers {
    /// Whether a line of this kind is to be told.
    fn count(&self, kind: Kind) -> bool {
        let mut seen = self.lock();
        if seen.len() >= KINDS && !seen.contains_key(&kind) {
            return true;
        }
        let number = seen.entry(kind).or_default();
        *number += 1;
        *number <= TOLD
    }

    /// Tells how many lines were not told, and begins anew.
    pub(super) fn tell(&self) {
        let seen = std::mem::take(&mut *self.lock());
        for (Kind { network, event, reason, tls_failure }, number) in seen {
            let lines = number.saturating_sub(TOLD);
            if lines > 0 {
                tracing::info!(event = "log.merged", lines, of = event, network = %network, reason, tls.failure = tls_failure, "{lines} more lines like those before");
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Kind, u64>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Subscriber> Layer<S> for Strangers {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        Kind::of(event).is_none_or(|kind| self.count(kind))
    }
}

impl Kind {
    /// The kind of a line about a stranger.
    fn of(event: &Event<'_>) -> Option<Kind> {
        let fields = event.metadata().fields();
        // Where the connection came from, as these events call it.
        let from = ["ip", "peer", "proxy"].into_iter().find_map(|name| fields.field(name))?;
        let mut is_known = IsKnown(false);
        event.record(&mut is_known);
        if is_known.0 {
            return None;
        }
        let mut facts = Facts { from, network: None, event: String::new(), reason: None, tls_failure: None };
        event.record(&mut facts);
        let Facts { network, event, reason, tls_failure, .. } = facts;
        Some(Kind { network: network?, event, reason, tls_failure })
    }
}

/// Whether somebody had logged in, or has handed in mail as one who need not.
struct IsKnown(bool);

impl Visit for IsKnown {
    fn record_str(&mut self, field: &Field, _: &str) {
        self.0 |= field.name() == "user";
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0 |= field.name() == "messages" && value > 0;
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

/// What makes the kind of a line.
struct Facts {
    from: Field,
    network: Option<IpNet>,
    event: String,
    reason: Option<String>,
    tls_failure: Option<String>,
}

impl Visit for Facts {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "event" => value.clone_into(&mut self.event),
            "reason" => self.reason = Some(value.to_owned()),
            "tls.failure" => self.tls_failure = Some(value.to_owned()),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if *field == self.from {
            let text = format!("{value:?}");
            let address = text.parse().or_else(|_| text.parse().map(|end: SocketAddr| end.ip()));
            self.network = address.ok().map(|address: IpAddr| network_of(address));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tracing_subscriber::fmt;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::log::form::Form;
    use crate::log::queue::{Intake, Queue};

    /// The lines that come of `events` and of a second that ends behind them.
    fn lines(events: impl FnOnce()) -> Vec<String> {
        let (queue, strangers) = (Arc::new(Queue::new(Form::Text)), Strangers::default());
        let layer = fmt::layer().without_time().with_ansi(false).with_target(false);
        let layer = layer.with_writer(Intake(Arc::clone(&queue)));
        let all = tracing_subscriber::registry().with(layer).with(strangers.clone());
        tracing::subscriber::with_default(all, || {
            events();
            strangers.tell();
        });
        let mut lines = Vec::new();
        queue.take(&mut lines, Duration::ZERO);
        String::from_utf8(lines).unwrap().lines().map(str::to_owned).collect()
    }

    fn session(peer: &str, user: Option<&str>, reason: &str) {
        let peer: SocketAddr = peer.parse().unwrap();
        tracing::info!(event = "session", peer = %peer, user, messages = 0_u32, reason, "session ended");
    }

    #[test]
    fn a_flood_from_one_network_is_told_with_its_number() {
        let lines = lines(|| {
            for port in 0..500 {
                session(&format!("192.0.2.7:{port}"), None, "disconnected");
            }
            session("192.0.2.8:1", None, "disconnected");
            session("192.0.2.7:1", None, "handshake-failed");
        });
        assert_eq!(lines.len(), 13, "{lines:#?}");
        assert!(lines[10].contains("192.0.2.8") && lines[11].contains("handshake-failed"));
        let sum = "log.merged\" lines=490 of=\"session\" network=192.0.2.7/32 reason=\"disconnected\"";
        assert!(lines[12].contains(sum), "{}", lines[12]);
    }

    #[test]
    fn of_ipv6_a_network_is_a_64() {
        let lines = lines(|| {
            for host in 0..50 {
                session(&format!("[2001:db8::{host:x}]:25"), None, "closed");
            }
        });
        assert!(lines.len() == 11 && lines[10].contains("lines=40"), "{lines:#?}");
    }

    #[test]
    fn who_has_logged_in_or_handed_in_mail_is_no_stranger() {
        let lines = lines(|| {
            for port in 0..50 {
                session(&format!("192.0.2.7:{port}"), Some("alice@example.org"), "closed");
                let peer: SocketAddr = "192.0.2.8:1".parse().unwrap();
                tracing::info!(event = "session", peer = %peer, messages = 1_u32, port, "session ended");
            }
        });
        assert_eq!(lines.len(), 100);
    }

    #[test]
    fn as_many_refused_logins_are_told_as_a_ban_needs() {
        let lines = lines(|| {
            for number in 0..50 {
                let ip: IpAddr = "192.0.2.7".parse().unwrap();
                tracing::info!(event = "auth.refused", %ip, reason = "bad-password", username = number, "login refused");
            }
        });
        assert_eq!(lines.iter().filter(|line| line.contains("auth.refused\" ip")).count(), 10);
        assert!(lines[10].contains("lines=40 of=\"auth.refused\""));
    }
}
