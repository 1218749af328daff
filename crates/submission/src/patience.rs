//! How long a client is waited for: a deadline for each request as a whole, not for each octet of it, and one for each message.
//!
//! Only the client's time counts: when a handler has judged or kept something, every deadline moves by as much. What it takes
//! to read what a client sends is the client's own.

use std::time::Duration;

use esmtp::Phase;
use tokio::time::Instant;

use crate::limits::Limits;

/// What the deadlines of a session depend on.
pub(crate) struct Patience {
    opened: Instant,
    /// The last reply, or the last octets of a message.
    last: Instant,
    /// When the last MAIL came.
    mail: Instant,
    body: Option<Body>,
}

/// A message under way.
struct Body {
    began: Instant,
    octets: u64,
}

impl Patience {
    pub(crate) fn new(now: Instant) -> Self {
        Self { opened: now, last: now, mail: now, body: None }
    }

    /// A reply was sent: a request was complete, and the next may take its time.
    pub(crate) fn replied(&mut self, now: Instant) {
        self.last = now;
    }

    /// MAIL came: with it begins the time of another message, however little there was to wait for since the one before.
    pub(crate) fn mail(&mut self, now: Instant) {
        self.mail = now;
        self.body = None;
    }

    /// A handler has taken so long, for which the client can do nothing.
    pub(crate) fn excuse(&mut self, spent: Duration) {
        let body = self.body.as_mut().map(|body| &mut body.began);
        for instant in [&mut self.opened, &mut self.last, &mut self.mail].into_iter().chain(body) {
            *instant += spent;
        }
    }

    /// Octets came. Those of a command do not prolong it; those of a message do, unless it is a chunk of somebody who may not
    /// send any.
    pub(crate) fn heard(&mut self, phase: Phase, may_send: bool, octets: usize, now: Instant) {
        if !phase.is_octets() || !may_send {
            self.body = None;
            return;
        }
        let body = self.body.get_or_insert(Body { began: now, octets: 0 });
        body.octets += u64::try_from(octets).unwrap_or(u64::MAX);
        self.last = now;
    }

    /// When the client has taken too long with what it is at. Whoever may send has more time for everything.
    pub(crate) fn deadline(&self, phase: Phase, may_send: bool, limits: &Limits) -> Instant {
        if !may_send {
            let timeout = limits.unauthenticated_timeout.min(limits.command_timeout);
            return (self.last + timeout).min(self.opened + limits.unauthenticated_session);
        }
        match phase {
            Phase::Text => self.body_deadline(self.mail, limits),
            // A chunk that is refused is read to its end.
            Phase::Refused => {
                self.body_deadline(self.body.as_ref().map_or(self.last, |body| body.began), limits)
            }
            Phase::Transaction => (self.last + limits.command_timeout).min(self.mail + limits.message_time),
            Phase::Command | Phase::Exchange => {
                (self.last + limits.command_timeout).min(self.opened + limits.session)
            }
        }
    }

    /// Every `data_rate` octets buy another second, as long as the time since `began` is not over.
    fn body_deadline(&self, began: Instant, limits: &Limits) -> Instant {
        let idle = (self.last + limits.data_timeout).min(began + limits.message_time);
        let Some(body) = &self.body else { return idle };
        let bought = Duration::from_secs(body.octets / u64::from(limits.data_rate.max(1)));
        idle.min(body.began + limits.data_grace + bought)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// The deadline, in seconds since the session began.
    fn due(patience: &Patience, phase: Phase, may_send: bool) -> u64 {
        (patience.deadline(phase, may_send, &Limits::default()) - patience.opened).as_secs()
    }

    #[test]
    fn a_command_is_not_prolonged_by_its_octets() {
        let start = Instant::now();
        let mut patience = Patience::new(start);
        patience.heard(Phase::Command, false, 1, start + seconds(50));
        assert_eq!(due(&patience, Phase::Command, false), 60);
        patience.replied(start + seconds(55));
        assert_eq!(due(&patience, Phase::Command, false), 115);
        assert_eq!(due(&patience, Phase::Command, true), 355);
    }

    #[test]
    fn nobody_stays_long_without_logging_in() {
        let start = Instant::now();
        let mut patience = Patience::new(start);
        patience.replied(start + seconds(100));
        patience.heard(Phase::Refused, false, 1_000_000, start + seconds(159));
        assert_eq!(due(&patience, Phase::Refused, false), 160, "a chunk that is only skipped");
        patience.replied(start + seconds(299));
        assert_eq!(due(&patience, Phase::Command, false), 300);
    }

    #[test]
    fn an_old_session_may_finish_its_message_but_not_begin_another() {
        let start = Instant::now();
        let mut patience = Patience::new(start);
        patience.mail(start + seconds(3590));
        patience.replied(start + seconds(3590));
        assert_eq!(due(&patience, Phase::Command, true), 3600);
        assert_eq!(due(&patience, Phase::Transaction, true), 3890);
    }

    #[test]
    fn a_message_buys_its_time_with_octets() {
        let start = Instant::now();
        let mut patience = Patience::new(start);
        assert_eq!(due(&patience, Phase::Text, true), 600, "the first octets may take as long as any");
        patience.heard(Phase::Text, true, 1, start);
        assert_eq!(due(&patience, Phase::Text, true), 180);
        patience.heard(Phase::Text, true, 49_999, start + seconds(60));
        assert_eq!(due(&patience, Phase::Text, true), 280);
        patience.heard(Phase::Text, true, 50_000_000, start + seconds(100));
        assert_eq!(due(&patience, Phase::Text, true), 700, "idle");
        patience.mail(start + seconds(101));
        patience.heard(Phase::Text, true, 1, start + seconds(200));
        assert_eq!(due(&patience, Phase::Text, true), 380, "the next message begins anew");
    }

    #[test]
    fn a_message_has_an_hour_however_fast_it_comes() {
        let start = Instant::now();
        let mut patience = Patience::new(start);
        patience.mail(start + seconds(100));
        patience.replied(start + seconds(3600));
        assert_eq!(due(&patience, Phase::Transaction, true), 3700);
        patience.heard(Phase::Text, true, 50_000_000, start + seconds(3650));
        assert_eq!(due(&patience, Phase::Text, true), 3700);
        patience.mail(start + seconds(3660));
        patience.heard(Phase::Text, true, 50_000_000, start + seconds(3661));
        assert_eq!(due(&patience, Phase::Text, true), 3661 + 600, "another message");
        assert_eq!(due(&patience, Phase::Refused, true), 3661 + 600, "a chunk that is refused");
        patience.heard(Phase::Text, true, 50_000_000, start + seconds(3661 + 3599));
        assert_eq!(due(&patience, Phase::Refused, true), 3661 + 3600);
    }

    #[test]
    fn what_the_server_does_is_not_the_clients_time() {
        let start = Instant::now();
        let mut patience = Patience::new(start);
        patience.excuse(seconds(400));
        assert_eq!(patience.deadline(Phase::Command, false, &Limits::default()), start + seconds(460));
        patience.replied(start + seconds(690));
        assert_eq!(patience.deadline(Phase::Command, false, &Limits::default()), start + seconds(700));
        patience.mail(start + seconds(410));
        patience.heard(Phase::Text, true, 1, start + seconds(420));
        patience.excuse(seconds(9000));
        assert_eq!(patience.deadline(Phase::Text, true, &Limits::default()), start + seconds(9420 + 180));
    }
}
