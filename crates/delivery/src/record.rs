//! Writing down what an attempt came to, before anything else is done about its message.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use esmtp::dialogue::{Enhanced, Reply};
use jiff::{SignedDuration, Timestamp};
use message::{Original, Rewriter};
use store::{
    Body, Destination, Leased, NewReport, Outcome, Recorded, Spool, SpoolError, Submission, Telling,
};
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use types::{BodyType, QueueId};

use crate::bounce::{GATHERED, News, UNFINISHED};
use crate::counters::Counters;
use crate::fate::{self, Fate};
use crate::parcel::{Attempt, Parcel};
use crate::schedule::Schedule;
use crate::unclear::Unclear;

/// Waits between tries to record an outcome: the first, and the longest.
const RECORD_AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// How the time of a parcel on its lane ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// An attempt was made.
    Tried(Attempt),
    /// None was made, as it is known what it would come to.
    Known(Attempt),
    /// None was made: its way is no more.
    Untried,
    /// Its route is `hold`.
    Held,
    /// None was made: an operator has ended the attempts.
    Returned,
    /// The message could not be read.
    Unreadable(SpoolError),
}

/// Where endings are written down.
#[derive(Debug)]
pub(crate) struct Recorder<S> {
    spool: Arc<S>,
    /// Our name, for reports.
    hostname: String,
    unclear: Unclear,
    counters: Counters,
    now: fn() -> Timestamp,
    /// Told when a message is due again at once.
    wake: Arc<Notify>,
    /// The grace is over.
    aborting: CancellationToken,
}

impl<S: Spool> Recorder<S> {
    pub(crate) fn new(
        spool: Arc<S>,
        hostname: &str,
        now: fn() -> Timestamp,
        wake: Arc<Notify>,
        aborting: CancellationToken,
    ) -> Recorder<S> {
        let hostname = hostname.to_owned();
        let (unclear, counters) = (Unclear::default(), Counters::default());
        Recorder { spool, hostname, unclear, counters, now, wake, aborting }
    }

    /// What was counted of what was written down.
    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Writes the ending down, with the next attempt as `schedule` has it, and gives up the lease.
    pub(crate) async fn close(&self, parcel: &Parcel, ending: Ending, schedule: &Schedule) {
        match ending {
            Ending::Tried(attempt) => {
                self.counters.tried(attempt.answered);
                self.settle(parcel, attempt, schedule).await;
            }
            Ending::Known(attempt) => self.settle(parcel, attempt, schedule).await,
            Ending::Untried => drop(self.record(parcel, Vec::new(), None).await),
            Ending::Held => drop(self.record(parcel, held(parcel), None).await),
            Ending::Returned => self.return_to_sender(parcel, schedule).await,
            Ending::Unreadable(error) => self.quarantine(parcel, &error, schedule).await,
        }
    }

    async fn settle(&self, parcel: &Parcel, attempt: Attempt, schedule: &Schedule) {
        let now = (self.now)();
        let tls = attempt.tls;
        let fates = fate::fates(parcel, attempt, schedule, &self.unclear, now);
        self.settle_fates(parcel, (fates, tls), schedule, now).await;
    }

    /// The recipients have failed, with what was said of each at its last attempt.
    async fn return_to_sender(&self, parcel: &Parcel, schedule: &Schedule) {
        let shown = self.spool.show(parcel.leased.submission.id).await.unwrap_or_default();
        let last =
            |number: u32| shown.as_ref()?.recipients.get(usize::try_from(number).ok()?)?.last_reply.clone();
        let fates =
            parcel.leased.recipients.iter().map(|recipient| {
                fate::returned(recipient.number, last(recipient.number), parcel.may_be_told())
            });
        self.settle_fates(parcel, (fates.collect(), None), schedule, (self.now)()).await;
    }

    /// With what TLS has proved in the attempt.
    async fn settle_fates(
        &self,
        parcel: &Parcel,
        (fates, tls): (Vec<Fate>, Option<&'static str>),
        schedule: &Schedule,
        now: Timestamp,
    ) {
        let telling = match News::find(parcel, &fates, schedule, now) {
            Some(news) => Some(self.telling(parcel, &news, now).await),
            None => None,
        };
        let mut outcomes: Vec<_> = fates.into_iter().map(|fate| (fate.number, fate.outcome)).collect();
        let recorded = self.record(parcel, outcomes.clone(), telling.clone()).await;
        if recorded == Some(Recorded::TakenOver) {
            outcomes.retain(|(_, outcome)| matches!(outcome, Outcome::Delivered { .. }));
            tell_late(parcel);
        }
        let reported = telling.filter(|_| recorded == Some(Recorded::Kept)).and_then(reported);
        if let Some((report, _)) = &reported {
            self.reported(report, parcel);
        }
        let reported = reported.map(|(report, told)| (report.submission.id, told));
        self.counters.recorded(parcel, &outcomes, now);
        fate::tell(parcel, &outcomes, tls, &reported, now);
    }

    /// Makes a report of all that its sender was not told of a message, and ends the lease of that.
    pub(crate) async fn tell_sender(&self, parcel: &Parcel, schedule: impl Fn(&Destination) -> Schedule) {
        let (now, leased) = ((self.now)(), &parcel.leased);
        let reportable = self.spool.reportable(leased.submission.id).await.unwrap_or_else(|error| {
            complain(leased.submission.id, &error, "cannot read what became of a message");
            Vec::new()
        });
        let news = News::gathered(leased, &reportable, |one| schedule(&one.destination), now);
        let telling = match news {
            Some(news) => Some(self.with_report(parcel, &news, now).await),
            None => None,
        };
        if self.record(parcel, Vec::new(), telling.clone()).await == Some(Recorded::Kept)
            && let Some((report, _)) = telling.and_then(reported)
        {
            self.reported(&report, parcel);
        }
    }

    /// What is to be told of an attempt: at once if all recipients of the message were tried in it, or else together with what becomes of
    /// the others.
    async fn telling(&self, parcel: &Parcel, news: &News<'_>, now: Timestamp) -> Telling {
        match parcel.is_whole() {
            true => self.with_report(parcel, news, now).await,
            false => Telling { news: news.events(), by: later(now, GATHERED), report: None },
        }
    }

    async fn with_report(&self, parcel: &Parcel, news: &News<'_>, now: Timestamp) -> Telling {
        let made = u64::try_from(now.as_millisecond()).unwrap_or_default();
        let id = QueueId::new(made, rand::random());
        let octets = self.beginning(&parcel.leased).await;
        let comes_back = octets
            .as_deref()
            .filter(|octets| news.wants_whole() && octets.len() as u64 == parcel.leased.size);
        let whole = comes_back.and_then(|octets| as_text(&parcel.leased.submission, octets));
        let original = match (&whole, &octets) {
            (Some(whole), _) => Original::Whole(whole),
            (None, Some(beginning)) => Original::Header(beginning),
            (None, None) => Original::Nothing,
        };
        let report = news.report(&self.hostname, id, original, now);
        Telling { news: news.events(), by: now, report: Some(report) }
    }

    /// As much of a message as may come back; `None` if it can't be read: that its sender is told matters more.
    async fn beginning(&self, leased: &Leased) -> Option<Vec<u8>> {
        let mut octets = Vec::new();
        let read = async {
            let mut body = self.spool.body(leased).await?;
            while octets.len() <= Original::MAX_OCTETS
                && let Some(chunk) = body.next_chunk().await?
            {
                octets.extend_from_slice(&chunk);
            }
            Ok(())
        };
        let read: Result<(), SpoolError> = read.await;
        if let Err(error) = read {
            complain(leased.submission.id, &error, "cannot read a message that its sender gets a report of");
            return None;
        }
        octets.truncate(Original::MAX_OCTETS);
        Some(octets)
    }

    /// Tells of a report that is in the queue, and has it carried.
    fn reported(&self, report: &NewReport, about: &Parcel) {
        let submission = &about.leased.submission;
        tracing::info!(
            event = "reported",
            queue.id = %report.submission.id,
            about = %submission.id,
            account.address = %submission.account_address,
            recipient = %submission.reverse_path,
            size = report.content.len(),
            "{} tells {} about {}", report.submission.id, submission.reverse_path, submission.id
        );
        self.wake.notify_one();
    }

    /// Records until it is recorded: what the next host has taken must not be sent again because our disk is full. The end of
    /// the grace cuts the wait short, for one last try; `None` if that fails, too.
    async fn record(
        &self,
        parcel: &Parcel,
        outcomes: Vec<(u32, Outcome)>,
        telling: Option<Telling>,
    ) -> Option<Recorded> {
        let (mut pause, longest) = RECORD_AGAIN;
        loop {
            let is_last = self.aborting.is_cancelled();
            match self.spool.record(&parcel.leased, outcomes.clone(), telling.clone(), (self.now)()).await {
                Ok(recorded) => {
                    self.wake_for_the_rest(parcel, outcomes.len(), telling.is_some());
                    return Some(recorded);
                }
                Err(error) => complain(parcel.leased.submission.id, &error, "cannot record an outcome"),
            }
            if is_last {
                return None;
            }
            self.aborting.run_until_cancelled(sleep(pause)).await;
            pause = (pause * 2).min(longest);
        }
    }

    /// Records those who have the message, while others of the delivery are still to be tried; whether they are. If that fails it is
    /// recorded with the others.
    pub(crate) async fn note_delivered(&self, parcel: &Parcel, attempt: &Attempt) -> bool {
        let (now, fates) = ((self.now)(), fate::delivered(attempt));
        let telling = News::of_ends(parcel, &fates, now);
        let telling =
            telling.map(|news| Telling { news: news.events(), by: later(now, UNFINISHED), report: None });
        let delivered = fates.into_iter().map(|fate| (fate.number, fate.outcome)).collect();
        let noted = self.spool.record_delivered(&parcel.leased, delivered, telling, now).await;
        noted.unwrap_or_else(|error| {
            complain(
                parcel.leased.submission.id,
                &error,
                "cannot record an outcome before all of them are known",
            );
            true
        })
    }

    /// Those who were not tried are due at once, and so may be what the sender is to be told.
    fn wake_for_the_rest(&self, parcel: &Parcel, recorded: usize, any_news: bool) {
        if any_news || recorded < parcel.leased.recipients.len() {
            self.wake.notify_one();
        }
    }

    /// A message that is not as it was stored is never sent; an operator has to look at it.
    async fn quarantine(&self, parcel: &Parcel, error: &SpoolError, schedule: &Schedule) {
        complain(parcel.leased.submission.id, error, "cannot read a message");
        if let SpoolError::Corrupt(corrupt) = error
            && self.spool.quarantine(parcel.leased.submission.id, &corrupt.to_string()).await.is_ok()
        {
            return;
        }
        self.settle(parcel, Attempt::deferred(parcel, None, &unreadable()), schedule).await;
    }
}

/// The report of what is told, and whom it tells of by their numbers.
fn reported(telling: Telling) -> Option<(NewReport, Vec<u32>)> {
    Some((telling.report?, telling.news.into_iter().map(|(number, _)| number).collect()))
}

fn later(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// Each recipient of the parcel waits for an operator; others of its message go on.
fn held(parcel: &Parcel) -> Vec<(u32, Outcome)> {
    let hold = |number| (number, Outcome::Held { reply: None, host: None });
    parcel.recipients.iter().map(|recipient| hold(recipient.number)).collect()
}

/// The message as lines, in which a report can hold it; `None` if that can't be.
fn as_text<'a>(submission: &Submission, octets: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    match submission.body {
        BodyType::Binary => Rewriter::text_of(octets).ok().map(Cow::Owned),
        BodyType::SevenBit | BodyType::EightBit => Some(Cow::Borrowed(octets)),
    }
}

fn unreadable() -> Reply {
    Reply::ours(451, Enhanced(4, 3, 0), "the message cannot be read from our own storage")
}

/// Another may be at the same delivery, and what it comes to counts; or an operator has removed the message.
fn tell_late(parcel: &Parcel) {
    let (id, destination) = (parcel.leased.submission.id, &parcel.leased.destination);
    tracing::warn!(
        event = "delivery.taken-over",
        queue.id = %id,
        destination = %destination,
        "an attempt has ended after its lease had, or its message was removed; only what was delivered of it is recorded"
    );
}

/// Tells the operator what the spool could not do for a message.
pub(crate) fn complain(id: QueueId, error: &SpoolError, what: &str) {
    let error = error as &dyn Error;
    tracing::error!(event = "spool.failing", queue.id = %id, error, "{what}");
}
