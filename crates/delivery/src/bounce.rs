//! Reports to the sender of a message: of whom one tells, and what it is as a message of its own. Pure: what became of recipients goes
//! in, a report comes out, or none.
//!
//! It goes to the reverse-path, from `<>`, and nobody is told anything about a message from `<>` (RFC 5321 section 4.5.5): a report that
//! fails makes no other. One report tells of all recipients of whom there is news at about the same time ([`GATHERED`]).

use std::borrow::Cow;
use std::net::IpAddr;

use bytes::Bytes;
use esmtp::dialogue::Enhanced;
use jiff::{SignedDuration, Timestamp};
use message::{Original, Report, ReportedRecipient, Status};
use store::{Leased, NewReport, Outcome, Recipient, Reportable, Submission};
use types::{
    BodyType, ByMode, EnvelopeRecipient, ForwardPath, Handover, Host, Mailbox, Notify, QueueId, ReportEvent,
    Ret, ReversePath, TlsRequired,
};

use crate::fate::{self, Fate};
use crate::parcel::Parcel;
use crate::schedule::Schedule;

/// How long the news of one recipient waits at most for that of others who are tried meanwhile: longer than it takes to ask sixty hosts that
/// do not answer, and not so long that anybody waits for it.
pub(crate) const GATHERED: SignedDuration = SignedDuration::from_mins(2);
/// The same while others of its delivery are still to be tried: what becomes of them comes with it, unless this process dies.
pub(crate) const UNFINISHED: SignedDuration = SignedDuration::from_hours(1);

/// What the sender of a message is to be told.
#[derive(Debug)]
pub(crate) struct News<'a> {
    about: &'a Submission,
    to: &'a Mailbox,
    told: Vec<Told<'a>>,
}

/// What is to be told of one recipient.
#[derive(Debug)]
struct Told<'a> {
    number: u32,
    to: &'a EnvelopeRecipient,
    event: ReportEvent,
    retry_until: Option<Timestamp>,
    reply: Option<&'a str>,
    host: Option<&'a str>,
    said_by_host: bool,
    tried_at: Option<Timestamp>,
    /// Whether it is in the queue that this is to be told.
    is_news: bool,
    /// Whether it is late since the time is over that its sender has set (RFC 2852 section 4.1.3).
    is_past_its_time: bool,
}

impl<'a> News<'a> {
    /// What of the fates of an attempt is to be told; `None` if nothing is. That a recipient is late is told once, and not beside other news.
    pub(crate) fn find(
        parcel: &'a Parcel,
        fates: &'a [Fate],
        schedule: &Schedule,
        now: Timestamp,
    ) -> Option<Self> {
        Self::of_ends(parcel, fates, now).or_else(|| {
            let about = &*parcel.leased.submission;
            let until = Some(schedule.gives_up_at(about.first_due_at()));
            Self::of_fates(parcel, fates, |recipient, fate| {
                let may_be_late = !recipient.delay_told && matches!(fate.outcome, Outcome::Deferred { .. });
                let is_late = may_be_late && is_late(about, &recipient.to, schedule, now);
                let late = Told::of_fate(recipient, fate, ReportEvent::Late, now);
                let is_past_its_time = is_past_its_time(about, now);
                is_late.then_some(Told { retry_until: until, is_past_its_time, ..late })
            })
        })
    }

    /// What is to be told of those for whom all is over.
    pub(crate) fn of_ends(parcel: &'a Parcel, fates: &'a [Fate], now: Timestamp) -> Option<Self> {
        Self::of_fates(parcel, fates, |recipient, fate| {
            let event = ending(&parcel.leased.submission, recipient, fate)?;
            Some(Told::of_fate(recipient, fate, event, now))
        })
    }

    fn of_fates(
        parcel: &'a Parcel,
        fates: &'a [Fate],
        told: impl Fn(&'a Recipient, &'a Fate) -> Option<Told<'a>>,
    ) -> Option<Self> {
        let about = &*parcel.leased.submission;
        let to = about.reverse_path.mailbox()?;
        let told = fates.iter().filter_map(|fate| told(parcel.recipient(fate.number)?, fate));
        let told: Vec<_> = told.collect();
        (!told.is_empty()).then_some(Self { about, to, told })
    }

    /// What is to be told of a message whose news were gathered. If somebody of them is late, so are all who wait as long, whenever they are
    /// tried next.
    pub(crate) fn gathered(
        leased: &'a Leased,
        reportable: &'a [Reportable],
        schedule: impl Fn(&Reportable) -> Schedule,
        now: Timestamp,
    ) -> Option<Self> {
        let about = &*leased.submission;
        let to = about.reverse_path.mailbox()?;
        let any_late = reportable.iter().any(|one| one.news == Some(ReportEvent::Late));
        let told = |one: &'a Reportable| {
            let recipient = about.recipients.get(usize::try_from(one.number).ok()?)?;
            let is_late = || any_late && one.may_be_late && is_late(about, recipient, &schedule(one), now);
            let event = one.news.or_else(|| is_late().then_some(ReportEvent::Late))?;
            let late = event == ReportEvent::Late;
            let retry_until = late.then(|| schedule(one).gives_up_at(about.first_due_at()));
            let is_past_its_time = late && is_past_its_time(about, now);
            Some(Told { retry_until, is_past_its_time, ..Told::of_row(recipient, one, event) })
        };
        let told: Vec<_> = reportable.iter().filter_map(told).collect();
        (!told.is_empty()).then_some(Self { about, to, told })
    }

    /// What the queue knows, or is to know, as news.
    pub(crate) fn events(&self) -> Vec<(u32, ReportEvent)> {
        self.told.iter().filter(|told| told.is_news).map(|told| (told.number, told.event)).collect()
    }

    /// Whether the whole message comes back, as far as it is not too long: if its sender wants that, and somebody does not get it (RFC 3461
    /// section 4.3).
    pub(crate) fn wants_whole(&self) -> bool {
        // RFC 8689 section 5.
        let may_be_read = self.about.tls_required != TlsRequired::Yes;
        may_be_read
            && self.about.ret == Some(Ret::Full)
            && self.told.iter().any(|told| told.event.is_failure())
    }

    /// The report under this id, with what comes back of the message.
    pub(crate) fn report(
        &self,
        hostname: &str,
        id: QueueId,
        original: Original<'_>,
        now: Timestamp,
    ) -> NewReport {
        let about = self.about;
        let hosts: Vec<_> = self.told.iter().map(|told| told.host.map(name_of)).collect();
        let told = self.told.iter().zip(&hosts);
        let recipients: Vec<_> = told.map(|(told, host)| told.reported(host.as_deref())).collect();
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
            // RFC 8689 section 5: it tells of a message that nobody else may read.
            tls_required: about.tls_required,
            ..Submission::new(id, about.account, &*about.account_address, ReversePath::Null, now)
        };
        let late = self.told.iter().filter(|told| told.event == ReportEvent::Late);
        let late = late.map(|told| told.number).collect();
        NewReport { submission, content: Bytes::from(composed.content), late }
    }
}

impl<'a> Told<'a> {
    fn of_fate(recipient: &'a Recipient, fate: &'a Fate, event: ReportEvent, now: Timestamp) -> Self {
        Self {
            number: recipient.number,
            to: &recipient.to,
            event,
            retry_until: None,
            reply: fate.text.as_deref(),
            host: fate.outcome.host(),
            said_by_host: fate.outcome.is_said_by_host(),
            tried_at: fate.was_tried.then_some(now),
            is_news: true,
            is_past_its_time: false,
        }
    }

    fn of_row(to: &'a EnvelopeRecipient, row: &'a Reportable, event: ReportEvent) -> Self {
        let was_tried = event != ReportEvent::Returned;
        Self {
            number: row.number,
            to,
            event,
            retry_until: None,
            reply: row.reply.as_deref().and_then(|reply| fate::said(event, reply)),
            host: row.host.as_deref().filter(|_| was_tried),
            said_by_host: row.said_by_host && was_tried,
            tried_at: row.tried_at.filter(|_| was_tried),
            is_news: row.news.is_some(),
            is_past_its_time: false,
        }
    }

    fn reported<'s>(&'s self, host: Option<&'s str>) -> ReportedRecipient<'s> {
        ReportedRecipient {
            path: &self.to.path,
            original: self.to.orcpt.as_ref(),
            event: self.event,
            retry_until: self.retry_until,
            status: if self.is_past_its_time { Status(4, 4, 7) } else { status(self.event, self.reply) },
            host,
            reply: self.reply,
            said_by_host: self.said_by_host,
            last_attempt_at: self.tried_at,
        }
    }
}

/// Whether somebody who still waits is late, and the sender wants to know.
fn is_late(about: &Submission, to: &EnvelopeRecipient, schedule: &Schedule, now: Timestamp) -> bool {
    let is_late = is_past_its_time(about, now) || schedule.is_late(about.first_due_at(), now);
    is_late && to.wants_delay()
}

/// Whether the time is over that its sender has set, who is to be told then (RFC 2852 section 4.1.3).
fn is_past_its_time(about: &Submission, now: Timestamp) -> bool {
    about.deliver_by.is_some_and(|by| by.is_over(ByMode::Notify, now))
}

/// What there is to tell of a recipient for whom all is over.
fn ending(about: &Submission, Recipient { to, told, .. }: &Recipient, fate: &Fate) -> Option<ReportEvent> {
    match &fate.outcome {
        Outcome::Failed { .. } | Outcome::Returned { .. } if *told || !to.wants_failure() => None,
        Outcome::Returned { .. } => Some(ReportEvent::Returned),
        Outcome::Failed { .. } if fate.given_up => Some(ReportEvent::GivenUp),
        Outcome::Failed { .. } => Some(ReportEvent::Refused),
        Outcome::Delivered { handover, .. } => success(about, to, *handover),
        Outcome::Deferred { .. } | Outcome::Held { .. } => None,
    }
}

/// What is told of a success. RFC 2852 section 4.1.5: whoever has asked for a trace is told of a relay that reports itself, too; section 4.1.4.2: of
/// one behind which nobody knows the time that was set, everybody is told but who wants to hear nothing.
fn success(about: &Submission, to: &EnvelopeRecipient, handover: Handover) -> Option<ReportEvent> {
    let hears = to.notify != Some(Notify::NEVER);
    let (is_wanted, is_traced) = (to.wants_success(), hears && about.deliver_by.is_some_and(|by| by.trace));
    match handover {
        Handover::WithoutDeliverBy => hears.then_some(ReportEvent::Relayed),
        Handover::Final => is_wanted.then_some(ReportEvent::Delivered),
        Handover::WithoutDsn => (is_wanted || is_traced).then_some(ReportEvent::Relayed),
        Handover::WithDsn => (is_traced && !is_wanted).then_some(ReportEvent::Relayed),
    }
}

/// RFC 3463: the code of the reply, if its class fits the event; some hosts say 5.7.0 with a reply that is not final. Otherwise what the event
/// comes to: of whom it was given up, that its time is over (section 3.5, X.4.7).
fn status(event: ReportEvent, reply: Option<&str>) -> Status {
    let otherwise = match event {
        ReportEvent::GivenUp => Status(4, 4, 7),
        ReportEvent::Late => Status(4, 0, 0),
        ReportEvent::Refused | ReportEvent::Returned => Status(5, 0, 0),
        ReportEvent::Delivered | ReportEvent::Relayed => Status(2, 0, 0),
    };
    let reply = reply.filter(|_| event != ReportEvent::Returned);
    let enhanced = reply.and_then(|reply| Enhanced::parse(reply.split(' ').nth(1)?));
    match enhanced {
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
