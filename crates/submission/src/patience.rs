//! How long a client is waited for: a deadline for each request as a whole, not for each octet of it.

use std::time::Duration;

use esmtp::Phase;
use tokio::time::Instant;

use crate::limits::Limits;

/// What the deadlines of a session depend on.
pub(crate) struct Patience {
    opened: Instant,
    /// The last reply, or the last octets of a message.
    last: Instant,
    /// The client has logged in, or need not.
    known: bool,
    body: Option<Body>,
}

/// A message under way.
struct Body {
    began: Instant,
    octets: u64,
}

impl Patience {
    pub(crate) fn new(now: Instant) -> Self {
        Self { opened: now, last: now, known: false, body: None }
    }

    /// The client has logged in, or need not: from now on it has more time for everything.
    pub(crate) fn trust(&mut self) {
        self.known = true;
    }

    /// The client is another, who has yet to log in. Its time began with the connection.
    pub(crate) fn distrust(&mut self) {
        self.known = false;
    }

    /// A reply was sent: a request was complete, and the next may take its time.
    pub(crate) fn replied(&mut self, now: Instant) {
        self.last = now;
    }

    /// Octets came. Those of a command do not prolong it; those of a message do.
    pub(crate) fn heard(&mut self, phase: Phase, octets: usize, now: Instant) {
        if phase != Phase::Body {
            self.body = None;
            return;
        }
        let body = self.body.get_or_insert(Body { began: now, octets: 0 });
        body.octets += u64::try_from(octets).unwrap_or(u64::MAX);
        self.last = now;
    }

    /// When the client has taken too long with what it is at.
    pub(crate) fn deadline(&self, phase: Phase, in_transaction: bool, limits: &Limits) -> Instant {
        if self.known {
            match phase {
                Phase::Body => self.body_deadline(limits),
                Phase::Command { .. } | Phase::Exchange if in_transaction => {
                    self.last + limits.command_timeout
                }
                Phase::Command { .. } | Phase::Exchange => {
                    (self.last + limits.command_timeout).min(self.opened + limits.session)
                }
            }
        } else {
            let timeout = limits.unauthenticated_timeout.min(limits.command_timeout);
            (self.last + timeout).min(self.opened + limits.unauthenticated_session)
        }
    }

    /// Every `data_rate` octets buy another second.
    fn body_deadline(&self, limits: &Limits) -> Instant {
        let idle = self.last + limits.data_timeout;
        let Some(body) = &self.body else { return idle };
        let bought = Duration::from_secs(body.octets / u64::from(limits.data_rate.max(1)));
        idle.min(body.began + limits.data_grace + bought)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMAND: Phase = Phase::Command { authenticated: true };

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// The deadline, in seconds since the session began.
    fn due(patience: &Patience, phase: Phase, in_transaction: bool) -> u64 {
        (patience.deadline(phase, in_transaction, &Limits::default()) - patience.opened).as_secs()
    }

    fn known(start: Instant) -> Patience {
        Patience { known: true, ..Patience::new(start) }
    }

    #[test]
    fn a_command_is_not_prolonged_by_its_octets() {
        let start = Instant::now();
        let mut patience = Patience::new(start);
        patience.heard(COMMAND, 1, start + seconds(50));
        assert_eq!(due(&patience, COMMAND, false), 60);
        patience.replied(start + seconds(55));
        assert_eq!(due(&patience, COMMAND, false), 115);
        patience.trust();
        assert_eq!(due(&patience, COMMAND, false), 355);
    }

    #[test]
    fn nobody_stays_long_without_logging_in() {
        let start = Instant::now();
        let mut patience = Patience::new(start);
        patience.replied(start + seconds(299));
        assert_eq!(due(&patience, COMMAND, false), 300);
        patience.heard(Phase::Body, 1_000_000, start + seconds(299));
        assert_eq!(due(&patience, Phase::Body, false), 300, "a chunk that is only skipped");
    }

    #[test]
    fn an_old_session_may_finish_its_message_but_not_begin_another() {
        let start = Instant::now();
        let mut patience = known(start);
        patience.replied(start + seconds(3590));
        assert_eq!(due(&patience, COMMAND, false), 3600);
        assert_eq!(due(&patience, COMMAND, true), 3890);
    }

    #[test]
    fn a_message_buys_its_time_with_octets() {
        let start = Instant::now();
        let mut patience = known(start);
        assert_eq!(due(&patience, Phase::Body, true), 600, "the first octets may take as long as any");
        patience.heard(Phase::Body, 1, start);
        assert_eq!(due(&patience, Phase::Body, true), 180);
        patience.heard(Phase::Body, 49_999, start + seconds(60));
        assert_eq!(due(&patience, Phase::Body, true), 280);
        patience.heard(Phase::Body, 50_000_000, start + seconds(100));
        assert_eq!(due(&patience, Phase::Body, true), 700, "idle");
        patience.heard(COMMAND, 10, start + seconds(101));
        patience.heard(Phase::Body, 1, start + seconds(200));
        assert_eq!(due(&patience, Phase::Body, true), 380, "the next message begins anew");
    }
}
