//! What became of each recipient: as the queue keeps it, and as the log tells it.

use esmtp::dialogue::Verdict;
use jiff::Timestamp;
use store::{Deadline, Outcome, Recipient, Submission};
use types::{QueueId, ReportEvent};

use crate::parcel::{Attempt, Parcel};
use crate::schedule::Schedule;
use crate::unclear::Unclear;

/// What became of one recipient in an attempt.
#[derive(Debug)]
pub(crate) struct Fate {
    /// Its number.
    pub(crate) number: u32,
    /// As the queue keeps it.
    pub(crate) outcome: Outcome,
    /// Whether an attempt was made.
    pub(crate) was_tried: bool,
    /// The last reply in words, if there was one.
    pub(crate) text: Option<String>,
    /// Whether it has failed because its time was over.
    pub(crate) given_up: bool,
}

/// How the reply begins of a recipient who is given up.
const GIVEN_UP: &str = "tried for too long; last: ";
/// How the reply begins of a recipient to whom an operator has ended the attempts.
const RETURNED: &str = "returned by an administrator";

/// What was said at the last attempt, of a reply as the queue keeps it.
pub(crate) fn said(event: ReportEvent, reply: &str) -> Option<&str> {
    match event {
        ReportEvent::GivenUp => reply.strip_prefix(GIVEN_UP),
        ReportEvent::Returned => reply.strip_prefix(RETURNED)?.strip_prefix("; last: "),
        ReportEvent::Refused | ReportEvent::Late | ReportEvent::Delivered | ReportEvent::Relayed => {
            Some(reply)
        }
    }
}

/// What became of those of an attempt who have the message.
pub(crate) fn delivered(attempt: &Attempt) -> Vec<Fate> {
    let delivered = attempt.verdicts.iter().filter_map(|(number, verdict)| match verdict {
        Verdict::Delivered(reply, handover) => {
            let (text, host, handover) = (reply.to_string(), attempt.host.clone(), *handover);
            let said_by_host = !reply.is_ours();
            let outcome = Outcome::Delivered { reply: text.clone(), host, said_by_host, handover };
            let (number, text) = (*number, Some(text));
            Some(Fate { number, outcome, was_tried: true, text, given_up: false })
        }
        Verdict::Deferred(_) | Verdict::Unclear(_) | Verdict::Failed(_) => None,
    });
    delivered.collect()
}

/// What becomes of a recipient to whom an operator has ended the attempts, the last of which ended so.
pub(crate) fn returned(number: u32, last: Option<String>, may_be_told: bool) -> Fate {
    let reply = match &last {
        Some(last) => format!("{RETURNED}; last: {last}"),
        None => RETURNED.to_owned(),
    };
    let outcome = Outcome::Returned { reply, told: may_be_told };
    Fate { number, outcome, was_tried: false, text: last, given_up: false }
}

/// What became of each recipient of a parcel. Whom the schedule gives up has failed.
pub(crate) fn fates(
    parcel: &Parcel,
    attempt: Attempt,
    schedule: &Schedule,
    unclear: &Unclear,
    now: Timestamp,
) -> Vec<Fate> {
    let Attempt { verdicts, host, answered: _, is_unreached: _, tls: _ } = attempt;
    let submission = &parcel.leased.submission;
    let fate = |(number, verdict): (u32, Verdict)| {
        let recipient = parcel.recipient(number)?;
        let (text, said_by_host) = (verdict.reply().to_string(), !verdict.reply().is_ours());
        if unclear.is_too_often(submission.id, number, &verdict) {
            let outcome = held(&text, host.clone());
            return Some(Fate { number, outcome, was_tried: true, text: Some(text), given_up: false });
        }
        let next = || {
            let next =
                schedule.next_attempt(recipient.attempts + 1, submission.first_due_at(), now, rand::random());
            next.map(|next| until_deadline(next, submission.deliver_by, now))
        };
        let said = Said { text: &text, host: host.clone(), by_host: said_by_host };
        let (outcome, given_up) = outcome(verdict, said, parcel.may_be_told(), next);
        Some(Fate { number, outcome, was_tried: true, text: Some(text), given_up })
    };
    verdicts.into_iter().filter_map(fate).collect()
}

/// The next attempt, or the end of the time that its sender has given it, if that comes before: something is to be done then (RFC 2852).
fn until_deadline(next: Timestamp, deliver_by: Option<Deadline>, now: Timestamp) -> Timestamp {
    match deliver_by {
        Some(deadline) if now < deadline.at => next.min(deadline.at),
        Some(_) | None => next,
    }
}

/// The reply that an outcome rests on.
struct Said<'a> {
    text: &'a str,
    host: Option<String>,
    by_host: bool,
}

/// The outcome, and whether it is one for want of time. A failure is told by the report that is recorded with it, or its sender does not
/// want to know; but nobody can be told of what came from `<>`, and an operator finds it in the queue.
fn outcome(
    verdict: Verdict,
    said: Said<'_>,
    told: bool,
    next: impl FnOnce() -> Option<Timestamp>,
) -> (Outcome, bool) {
    let Said { text, host, by_host: said_by_host } = said;
    let reply = text.to_owned();
    match verdict {
        Verdict::Delivered(_, handover) => {
            (Outcome::Delivered { reply, host, said_by_host, handover }, false)
        }
        Verdict::Failed(_) => (Outcome::Failed { reply, host, said_by_host, told }, false),
        Verdict::Deferred(_) | Verdict::Unclear(_) => match next() {
            Some(next_attempt_at) => {
                (Outcome::Deferred { reply, host, said_by_host, next_attempt_at }, false)
            }
            None => {
                let reply = format!("{GIVEN_UP}{reply}");
                (Outcome::Failed { reply, host, said_by_host, told }, true)
            }
        },
    }
}

fn held(text: &str, host: Option<String>) -> Outcome {
    let reply = format!("held, since the next host may have it; last: {text}");
    Outcome::Held { reply: Some(reply), host }
}

/// The canonical line for each recipient whose outcome is recorded, with the report that its sender gets of it.
pub(crate) fn tell(
    parcel: &Parcel,
    outcomes: &[(u32, Outcome)],
    tls: Option<&'static str>,
    reported: &Reported,
    now: Timestamp,
) {
    for (number, outcome) in outcomes {
        if let Some(recipient) = parcel.recipient(*number) {
            let report = reported.as_ref().filter(|(_, numbers)| numbers.contains(number)).map(|(id, _)| *id);
            tell_one(&parcel.leased.submission, recipient, (outcome, tls), report, now);
        }
    }
}

/// A report, and whom it tells of by their numbers.
pub(crate) type Reported = Option<(QueueId, Vec<u32>)>;

fn tell_one(
    submission: &Submission,
    recipient: &Recipient,
    (outcome, tls): (&Outcome, Option<&'static str>),
    report: Option<QueueId>,
    now: Timestamp,
) {
    let (event, told) = (event(outcome), Told::from(outcome));
    // One statement for each level: the level is part of a tracing call site, and an operator filters by it.
    macro_rules! tell {
        ($level:ident) => {
            tracing::$level!(
                event = event,
                queue.id = %submission.id,
                message.id = submission.message_id,
                account.address = %submission.account_address,
                sender = %submission.reverse_path,
                recipient = %recipient.to.path,
                attempt = recipient.attempts + u32::from(!matches!(outcome, Outcome::Returned { .. })),
                age.seconds = now.duration_since(submission.accepted_at).as_secs(),
                host = told.host,
                tls,
                reply = told.reply,
                next_attempt_at = told.next_attempt_at.map(tracing::field::display),
                report = report.map(tracing::field::display),
                "{} {} {}", submission.id, event, recipient.to.path
            )
        };
    }
    match outcome {
        Outcome::Failed { .. } | Outcome::Returned { .. } | Outcome::Held { .. } => tell!(warn),
        Outcome::Delivered { .. } | Outcome::Deferred { .. } => tell!(info),
    }
}

/// An outcome in the words of the log.
struct Told<'a> {
    reply: &'a str,
    host: Option<&'a str>,
    next_attempt_at: Option<Timestamp>,
}

/// The event that the log has of an outcome.
pub(crate) fn event(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered { .. } => "delivered",
        Outcome::Deferred { .. } => "deferred",
        Outcome::Failed { .. } | Outcome::Returned { .. } => "failed",
        Outcome::Held { .. } => "held",
    }
}

impl<'a> From<&'a Outcome> for Told<'a> {
    fn from(outcome: &'a Outcome) -> Told<'a> {
        match outcome {
            Outcome::Delivered { reply, host, .. } => {
                Told { reply, host: host.as_deref(), next_attempt_at: None }
            }
            Outcome::Deferred { reply, host, next_attempt_at, .. } => {
                Told { reply, host: host.as_deref(), next_attempt_at: Some(*next_attempt_at) }
            }
            Outcome::Failed { reply, host, .. } => {
                Told { reply, host: host.as_deref(), next_attempt_at: None }
            }
            Outcome::Returned { reply, .. } => Told { reply, host: None, next_attempt_at: None },
            Outcome::Held { reply, host } => Told {
                reply: reply.as_deref().unwrap_or_default(),
                host: host.as_deref(),
                next_attempt_at: None,
            },
        }
    }
}
