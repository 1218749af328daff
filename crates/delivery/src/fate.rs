//! What became of each recipient: as the queue keeps it, and as the log tells it.

use esmtp::dialogue::Verdict;
use jiff::Timestamp;
use store::{Outcome, Recipient, Submission};

use crate::parcel::{Attempt, Parcel};
use crate::schedule::Schedule;
use crate::unclear::Unclear;

/// The outcome for each recipient of a parcel, by its number. Whom the schedule gives up has failed.
pub(crate) fn outcomes(
    parcel: &Parcel,
    attempt: Attempt,
    schedule: &Schedule,
    unclear: &Unclear,
    now: Timestamp,
) -> Vec<(u32, Outcome)> {
    let Attempt { verdicts, host } = attempt;
    let submission = &parcel.leased.submission;
    let outcome = |(number, verdict): (u32, Verdict)| {
        let recipient = parcel.recipients.iter().find(|recipient| recipient.number == number)?;
        if unclear.is_too_often(submission.id, number, &verdict) {
            return Some((number, held(&verdict, host.clone())));
        }
        let next =
            || schedule.next_attempt(recipient.attempts + 1, submission.first_due_at(), now, rand::random());
        Some((number, outcome(verdict, host.clone(), next)))
    };
    verdicts.into_iter().filter_map(outcome).collect()
}

fn outcome(verdict: Verdict, host: Option<String>, next: impl FnOnce() -> Option<Timestamp>) -> Outcome {
    match verdict {
        Verdict::Delivered(reply, handover) => {
            Outcome::Delivered { reply: reply.to_string(), host, handover }
        }
        Verdict::Failed(reply) => Outcome::Failed { reply: reply.to_string(), host },
        Verdict::Deferred(reply) | Verdict::Unclear(reply) => match next() {
            Some(next_attempt_at) => Outcome::Deferred { reply: reply.to_string(), host, next_attempt_at },
            None => Outcome::Failed { reply: format!("tried for too long; last: {reply}"), host },
        },
    }
}

fn held(verdict: &Verdict, host: Option<String>) -> Outcome {
    let reply = format!("held, since the next host may have it; last: {}", verdict.reply());
    Outcome::Held { reply: Some(reply), host }
}

/// The canonical line for each recipient whose outcome is recorded.
pub(crate) fn tell(parcel: &Parcel, outcomes: &[(u32, Outcome)], now: Timestamp) {
    for (number, outcome) in outcomes {
        if let Some(recipient) = parcel.recipients.iter().find(|recipient| recipient.number == *number) {
            tell_one(&parcel.leased.submission, recipient, outcome, now);
        }
    }
}

fn tell_one(submission: &Submission, recipient: &Recipient, outcome: &Outcome, now: Timestamp) {
    let told = Told::from(outcome);
    // One statement for each level: the level is part of a tracing call site, and an operator filters by it.
    macro_rules! tell {
        ($level:ident) => {
            tracing::$level!(
                event = told.event,
                queue.id = %submission.id,
                message.id = submission.message_id,
                account.address = %submission.account_address,
                sender = %submission.reverse_path,
                recipient = %recipient.to.path,
                attempt = recipient.attempts + 1,
                age.seconds = now.duration_since(submission.accepted_at).as_secs(),
                host = told.host,
                reply = told.reply,
                next_attempt_at = told.next_attempt_at.map(tracing::field::display),
                "{} {} {}", submission.id, told.event, recipient.to.path
            )
        };
    }
    match outcome {
        Outcome::Failed { .. } | Outcome::Held { .. } => tell!(warn),
        Outcome::Delivered { .. } | Outcome::Deferred { .. } => tell!(info),
    }
}

/// An outcome in the words of the log.
struct Told<'a> {
    event: &'static str,
    reply: &'a str,
    host: Option<&'a str>,
    next_attempt_at: Option<Timestamp>,
}

impl<'a> From<&'a Outcome> for Told<'a> {
    fn from(outcome: &'a Outcome) -> Told<'a> {
        match outcome {
            Outcome::Delivered { reply, host, .. } => {
                Told { event: "delivered", reply, host: host.as_deref(), next_attempt_at: None }
            }
            Outcome::Deferred { reply, host, next_attempt_at } => Told {
                event: "deferred",
                reply,
                host: host.as_deref(),
                next_attempt_at: Some(*next_attempt_at),
            },
            Outcome::Failed { reply, host } => {
                Told { event: "failed", reply, host: host.as_deref(), next_attempt_at: None }
            }
            Outcome::Held { reply, host } => Told {
                event: "held",
                reply: reply.as_deref().unwrap_or_default(),
                host: host.as_deref(),
                next_attempt_at: None,
            },
        }
    }
}
