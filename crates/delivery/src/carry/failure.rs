//! An attempt that its host did not answer, and for which other mail it counts.
//!
//! The backlog of a dead host is not tried message after message, each of which would wait for the same silence: of all that was due when
//! an attempt ended which could not even reach the host, it is known what theirs would have come to at that time. It is theirs, too, and
//! each waits from then on as its own schedule says. What becomes due later has an attempt of its own.

use std::sync::Arc;
use std::time::Duration;

use esmtp::dialogue::Reply;
use jiff::Timestamp;
use tokio::time::Instant;
use types::TlsRequired;

use crate::parcel::{Attempt, Parcel};

/// For so long it counts for what was due when it ended; then the host may well be back, however long it takes to write down all of that.
const COUNTS: Duration = Duration::from_secs(10 * 60);

/// An attempt that its host did not answer.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    /// When it ended,
    pub(super) ended: Instant,
    /// and that by the clock.
    ended_at: Timestamp,
    /// `None` if it counts for nothing but itself.
    unreached: Option<Arc<Unreached>>,
}

/// What an attempt came to that could not reach its host.
#[derive(Debug)]
struct Unreached {
    host: Option<String>,
    reply: Reply,
    /// A host may be out of reach for what demands more of TLS, and for nothing else.
    wish: TlsRequired,
}

impl Failure {
    /// Of an attempt that has just ended, `now` by the clock. What broke off with the message in hand may be about that message.
    pub(super) fn of(parcel: &Parcel, attempt: &Attempt, now: Timestamp) -> Failure {
        // Of several groups of recipients the last says how the attempt ended.
        let reply = attempt.verdicts.last().filter(|_| attempt.is_unreached);
        let unreached = reply.map(|(_, verdict)| {
            let (host, reply) = (attempt.host.clone(), verdict.reply().clone());
            Arc::new(Unreached { host, reply, wish: parcel.tls_required() })
        });
        Failure { ended: Instant::now(), ended_at: now, unreached }
    }

    /// Of an attempt that has just broken off.
    #[cfg(test)]
    pub(super) fn just_now() -> Failure {
        Failure { ended: Instant::now(), ended_at: Timestamp::UNIX_EPOCH, unreached: None }
    }

    /// When it ended, and what it came to if the host could not even be reached.
    pub(super) fn told(&self) -> (Timestamp, Option<String>) {
        (self.ended_at, self.unreached.as_ref().map(|unreached| unreached.reply.lines().join(" ")))
    }

    /// This one, that counts for nothing but itself.
    pub(super) fn alone(self) -> Failure {
        Failure { unreached: None, ..self }
    }

    /// Until when deliveries were due that it counts for, if there may be any.
    pub(super) fn counts_until(&self) -> Option<Timestamp> {
        (self.unreached.is_some() && self.ended.elapsed() < COUNTS).then_some(self.ended_at)
    }

    /// What an attempt at this parcel came to, if this one counts for it.
    pub(super) fn attempt(&self, parcel: &Parcel) -> Option<Attempt> {
        self.counts_until()?;
        let unreached = self.unreached.as_ref().filter(|unreached| {
            parcel.waits_since <= self.ended && parcel.tls_required() == unreached.wish
        })?;
        Some(Attempt::unreached(parcel, unreached.host.clone(), &unreached.reply))
    }
}
