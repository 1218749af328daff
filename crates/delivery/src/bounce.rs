//! Reports to the sender of a message: of whom one tells, and what it is as a message of its own. Pure: what became of recipients goes
//! in, a report comes out, or none.
//!
//! It goes to the reverse-path, from `<>`, and nobody is told anything about a message from `<>` (RFC 5321 section 4.5.5): a report that
//! fails makes no other. Of one outcome there is one report, however many recipients it is about.

use std::borrow::Cow;
use std::net::IpAddr;

use bytes::Bytes;
use esmtp::dialogue::{Enhanced, Reply};
use jiff::Timestamp;
use message::{Event, Original, Report, ReportedRecipient, Status};
use store::{Leased, NewReport, Outcome, Recipient, Submission};
use types::{
    BodyType, ByMode, EnvelopeRecipient, ForwardPath, Handover, Host, Mailbox, Notify, QueueId, Ret,
    ReversePath,
};

use crate::fate::Fate;
use crate::parcel::Parcel;
use crate::schedule::Schedule;

/// What the sender of a message is to be told.
#[derive(Debug)]
pub(crate) struct News<'a> {
    leased: &'a Leased,
    to: &'a Mailbox,
    told: Vec<(&'a Recipient, &'a Fate, Event)>,
}

impl<'a> News<'a> {
    /// What of these fates is to be told; `None` if nothing is. That a recipient is late is told once, and not beside other news.
    pub(crate) fn find(
        parcel: &'a Parcel,
        fates: &'a [Fate],
        schedule: &Schedule,
        now: Timestamp,
    ) -> Option<Self> {
        let leased = &parcel.leased;
        let to = leased.submission.reverse_path.mailbox()?;
        let known = |fate: &'a Fate| Some((parcel.recipient(fate.number)?, fate));
        let told = |(recipient, fate): (&'a Recipient, &'a Fate)| {
            Some((recipient, fate, ending(leased, recipient, fate)?))
        };
        let mut told: Vec<_> = fates.iter().filter_map(known).filter_map(told).collect();
        let due_since = leased.submission.first_due_at();
        // RFC 2852 section 4.1.1: whoever has named a time is told of it, unless of nothing.
        let is_over = leased.submission.deliver_by.is_some_and(|by| by.is_over(ByMode::Notify, now));
        if told.is_empty() && (is_over || schedule.is_late(due_since, now)) {
            let until = schedule.gives_up_at(due_since);
            let is_late = |(recipient, fate): (&'a Recipient, &'a Fate)| {
                let to = &recipient.to;
                let wants = if is_over { to.notify != Some(Notify::NEVER) } else { to.wants_delay() };
                let is_news = !recipient.delay_told && wants;
                let is_late = is_news && matches!(fate.outcome, Outcome::Deferred { .. });
                is_late.then_some((recipient, fate, Event::Late(until)))
            };
            told.extend(fates.iter().filter_map(known).filter_map(is_late));
        }
        (!told.is_empty()).then_some(Self { leased, to, told })
    }

    /// Whom it is about.
    pub(crate) fn numbers(&self) -> Vec<u32> {
        self.told.iter().map(|(recipient, _, _)| recipient.number).collect()
    }

    /// Whether the whole message comes back, as far as it is not too long: if its sender wants that, and somebody does not get it (RFC 3461
    /// section 4.3).
    pub(crate) fn wants_whole(&self) -> bool {
        self.leased.submission.ret == Some(Ret::Full)
            && self.told.iter().any(|(_, _, event)| event.is_failure())
    }

    /// The report under this id, with what comes back of the message.
    pub(crate) fn report(
        &self,
        hostname: &str,
        id: QueueId,
        original: Original<'_>,
        now: Timestamp,
    ) -> NewReport {
        let about = &self.leased.submission;
        let hosts: Vec<_> = self.told.iter().map(|(_, fate, _)| fate.outcome.host().map(name_of)).collect();
        let told = self.told.iter().zip(&hosts);
        let recipients: Vec<_> = told.map(|(told, host)| reported(told, host.as_deref(), now)).collect();
        let composed = Report {
            hostname,
            id,
            now,
            to: self.to,
            accepted_at: about.accepted_at,
            message_id: about.message_id.as_deref(),
            envid: about.envid.as_deref(),
            held_until: about.not_before,
            deliver_by: about.deliver_by.map(|deadline| deadline.at),
            recipients: &recipients,
            original,
        }
        .compose();
        let mut to = EnvelopeRecipient::new(ForwardPath::Mailbox(self.to.clone()));
        // RFC 3461 section 6.1.
        to.notify = Some(Notify::NEVER);
        let submission = Submission {
            recipients: vec![to],
            body: if composed.eight_bit { BodyType::EightBit } else { BodyType::SevenBit },
            smtputf8: composed.smtputf8,
            must_be_rewritten: composed.must_be_rewritten,
            message_id: Some(composed.message_id),
            // RFC 6710 section 4.5.
            priority: about.priority,
            ..Submission::new(id, about.account, &*about.account_address, ReversePath::Null, now)
        };
        let late = self.told.iter().filter(|(_, _, event)| matches!(event, Event::Late(_)));
        let late = late.map(|(recipient, _, _)| recipient.number).collect();
        NewReport { submission, content: Bytes::from(composed.content), late }
    }
}

/// What there is to tell of a recipient for whom all is over.
fn ending(leased: &Leased, Recipient { to, told, .. }: &Recipient, fate: &Fate) -> Option<Event> {
    let is_traced =
        leased.submission.deliver_by.is_some_and(|by| by.trace) && to.notify != Some(Notify::NEVER);
    match &fate.outcome {
        Outcome::Failed { .. } | Outcome::Returned { .. } if *told || !to.wants_failure() => None,
        Outcome::Returned { .. } => Some(Event::Returned),
        Outcome::Failed { .. } if fate.given_up => Some(Event::GivenUp),
        Outcome::Failed { .. } => Some(Event::Refused),
        Outcome::Delivered { handover, .. } if to.wants_success() => match handover {
            Handover::Final => Some(Event::Delivered),
            Handover::WithoutDsn => Some(Event::Relayed),
            Handover::WithDsn => None,
        },
        // RFC 2852 section 4.1.5.
        Outcome::Delivered { handover: Handover::WithDsn | Handover::WithoutDsn, .. } if is_traced => {
            Some(Event::Relayed)
        }
        Outcome::Delivered { .. } | Outcome::Deferred { .. } | Outcome::Held { .. } => None,
    }
}

fn reported<'a>(
    (recipient, fate, event): &(&'a Recipient, &'a Fate, Event),
    host: Option<&'a str>,
    now: Timestamp,
) -> ReportedRecipient<'a> {
    ReportedRecipient {
        path: &recipient.to.path,
        original: recipient.to.orcpt.as_ref(),
        event: *event,
        status: status(*event, fate.reply.as_ref()),
        host,
        reply: fate.text.as_deref(),
        said_by_host: fate.reply.as_ref().is_some_and(|reply| !reply.is_ours()),
        last_attempt_at: fate.reply.as_ref().map(|_| now),
    }
}

/// RFC 3463: the host's code, if its class fits the event; some hosts say 5.7.0 with a reply that is not final. Otherwise what the event comes
/// to: of whom it was given up, that its time is over (section 3.5, X.4.7).
fn status(event: Event, reply: Option<&Reply>) -> Status {
    let otherwise = match event {
        Event::GivenUp => Status(4, 4, 7),
        Event::Late(_) => Status(4, 0, 0),
        Event::Refused | Event::Returned => Status(5, 0, 0),
        Event::Delivered | Event::Relayed => Status(2, 0, 0),
    };
    match reply.and_then(Reply::enhanced) {
        Some(Enhanced(class, subject, detail)) if class == otherwise.0 => Status(class, subject, detail),
        Some(_) | None => otherwise,
    }
}

/// The name of a host, of which the queue has the port as well; an address is a literal (RFC 5321 section 4.1.3).
fn name_of(host: &str) -> Cow<'_, str> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    match name.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) => Host::Literal(address).to_string().into(),
        Err(_) => name.into(),
    }
}
