//! A message in the spool in memory, with what becomes of its recipients.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use store::{
    DeliveryKey, Destination, Details, Entry, HeldLease, Lease, Leased, NewDelivery, NewReport, Operation,
    Outcome, Recipient, RecipientDetails, RecipientState, Recorded, Reportable, Submission, Telling,
};
use types::{EnvelopeRecipient, Handover, NodeId, ReportEvent, ReversePath};

pub(crate) struct Item {
    pub(crate) submission: Arc<Submission>,
    pub(crate) content: Bytes,
    pub(crate) seats: Vec<Seat>,
    pub(crate) deliveries: BTreeMap<Destination, Delivery>,
    pub(crate) held: bool,
    returned: bool,
    /// When all was delivered, or failed and told.
    pub(crate) settled_at: Option<Timestamp>,
}

/// Where a recipient stands.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    pub(crate) destination: Destination,
    pub(crate) state: RecipientState,
    pub(crate) attempts: u32,
    pub(crate) due: Timestamp,
    pub(crate) reply: String,
    pub(crate) host: Option<String>,
    /// How it was handed over, if it was.
    pub(crate) handover: Option<Handover>,
    pub(crate) told: bool,
    delay_told: bool,
    said_by_host: bool,
    tried_at: Option<Timestamp>,
    /// What its sender is to be told, and by when.
    pub(crate) news: Option<(ReportEvent, Timestamp)>,
}

#[derive(Default)]
pub(crate) struct Delivery {
    pub(crate) owner: Option<NodeId>,
    pub(crate) token: i64,
}

impl Seat {
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, RecipientState::Queued | RecipientState::Deferred)
    }

    /// Whether nothing is left to be done for it.
    fn is_done(&self) -> bool {
        let is_over =
            self.state == RecipientState::Delivered || (self.state == RecipientState::Failed && self.told);
        is_over && self.news.is_none()
    }

    fn waits(&mut self, due: Timestamp) {
        self.state = if self.attempts == 0 { RecipientState::Queued } else { RecipientState::Deferred };
        self.due = due;
    }

    fn set(&mut self, outcome: Outcome, news: Option<(ReportEvent, Timestamp)>, now: Timestamp) {
        let was_told = self.told;
        self.record(outcome, now);
        let news = news.filter(|(event, _)| *event != ReportEvent::Late || !self.delay_told);
        let earlier = |(known, by): &(ReportEvent, Timestamp)| {
            news.is_some_and(|(event, later)| event == *known && *by < later)
        };
        self.news = self.news.filter(earlier).or(news);
        self.told = if news.is_some() { was_told } else { self.told };
    }

    fn record(&mut self, outcome: Outcome, now: Timestamp) {
        self.said_by_host = outcome.is_said_by_host();
        self.state = outcome.state();
        let was_tried = !matches!(outcome, Outcome::Held { reply: None, .. } | Outcome::Returned { .. });
        self.attempts += u32::from(was_tried);
        self.tried_at = if was_tried { Some(now) } else { self.tried_at };
        match outcome {
            Outcome::Delivered { reply, host, handover, .. } => {
                (self.reply, self.host, self.handover) = (reply, host, Some(handover));
            }
            Outcome::Failed { reply, host, told, .. } => {
                (self.reply, self.host) = (reply, host);
                self.told |= told;
            }
            Outcome::Returned { reply, told } => {
                self.reply = reply;
                self.told |= told;
            }
            Outcome::Held { reply, host } => (self.reply, self.host) = (reply.unwrap_or_default(), host),
            Outcome::Deferred { reply, host, next_attempt_at, .. } => {
                (self.reply, self.host, self.due) = (reply, host, next_attempt_at);
            }
        }
    }

    fn details(&self, known: &EnvelopeRecipient, held: bool) -> RecipientDetails {
        RecipientDetails {
            address: known.path.to_string().trim_matches(['<', '>']).to_owned(),
            state: if held && self.is_open() { RecipientState::Held } else { self.state },
            attempts: self.attempts,
            next_attempt_at: (self.is_open() && !held).then_some(self.due),
            last_reply: Some(self.reply.clone()).filter(|reply| !reply.is_empty()),
            last_host: self.host.clone(),
            notify: known.notify.map(|notify| notify.to_string()),
            orcpt: known.orcpt.as_ref().map(ToString::to_string),
        }
    }
}

impl Item {
    pub(crate) fn new(submission: Submission, content: Bytes, deliveries: &[NewDelivery]) -> Item {
        let destination = |number: u32| {
            let delivery = deliveries.iter().find(|delivery| delivery.recipients.contains(&number));
            delivery.expect("each recipient is in one delivery").destination.clone()
        };
        let seat = |(number, _)| Seat {
            destination: destination(number),
            state: RecipientState::Queued,
            attempts: 0,
            due: submission.first_due_at(),
            reply: String::new(),
            host: None,
            handover: None,
            told: false,
            delay_told: false,
            said_by_host: false,
            tried_at: None,
            news: None,
        };
        Item {
            seats: (0..).zip(&submission.recipients).map(seat).collect(),
            deliveries: deliveries.iter().map(|new| (new.destination.clone(), Delivery::default())).collect(),
            held: submission.held,
            returned: false,
            settled_at: None,
            submission: submission.into(),
            content,
        }
    }

    /// Whether everybody has it. It stays here, for the tests to look at.
    pub(crate) fn is_gone(&self) -> bool {
        self.seats.iter().all(|seat| seat.state == RecipientState::Delivered && seat.news.is_none())
    }

    pub(crate) fn leases(&self) -> usize {
        self.deliveries.values().filter(|delivery| delivery.owner.is_some() && !self.is_gone()).count()
    }

    pub(crate) fn held_by(&self, owner: NodeId) -> Vec<HeldLease> {
        let held = self.deliveries.iter().filter(|(_, delivery)| delivery.owner == Some(owner));
        let lease = |(destination, delivery): (&Destination, &Delivery)| HeldLease {
            delivery: DeliveryKey { entry: self.submission.id, destination: destination.clone() },
            token: delivery.token,
        };
        held.filter(|_| !self.is_gone()).map(lease).collect()
    }

    /// The deliveries that nobody has leased, and when they are due.
    pub(crate) fn waiting(&self) -> Vec<(Destination, Timestamp)> {
        let free = self.deliveries.iter().filter(|(_, delivery)| delivery.owner.is_none() && !self.held);
        free.filter_map(|(destination, _)| Some((destination.clone(), self.due(destination)?))).collect()
    }

    fn due(&self, destination: &Destination) -> Option<Timestamp> {
        if destination.is_sender() {
            return self.seats.iter().filter_map(|seat| Some(seat.news?.1)).min();
        }
        let seats = self.seats.iter().filter(|seat| seat.destination == *destination && seat.is_open());
        seats.map(|seat| seat.due).min()
    }

    pub(crate) fn lease(
        &mut self,
        destination: &Destination,
        owner: NodeId,
        now: Timestamp,
    ) -> Option<Leased> {
        if self.held || self.due(destination)? > now {
            return None;
        }
        let delivery = self.deliveries.get_mut(destination)?;
        (delivery.owner, delivery.token) = (Some(owner), delivery.token + 1);
        let lease = Lease { owner, token: delivery.token };
        let due = |seat: &Seat| match destination.is_sender() {
            true => seat.news.is_some(),
            false => seat.destination == *destination && seat.is_open() && seat.due <= now,
        };
        let recipients = (0u32..).zip(self.seats.iter().zip(&self.submission.recipients));
        let recipients = recipients.filter(|(_, (seat, _))| due(seat)).map(|(number, (seat, known))| {
            let Seat { attempts, told, delay_told, .. } = *seat;
            Recipient { number, to: known.clone(), attempts, told, delay_told }
        });
        Some(Leased {
            submission: self.submission.clone(),
            destination: destination.clone(),
            recipients: recipients.collect(),
            size: u64::try_from(self.content.len()).unwrap(),
            lease,
            returned: self.returned,
            content: None,
        })
    }

    pub(crate) fn is_owned(&self, leased: &Leased) -> bool {
        let Some(delivery) = self.deliveries.get(&leased.destination) else { return false };
        !self.is_gone() && (delivery.owner, delivery.token) == (Some(leased.lease.owner), leased.lease.token)
    }

    pub(crate) fn reroute(&mut self, from: &Destination, to: Vec<(u32, Destination)>) {
        self.deliveries.get_mut(from).unwrap().owner = None;
        for (number, destination) in to {
            self.deliveries.entry(destination.clone()).or_default();
            self.seats[usize::try_from(number).unwrap()].destination = destination;
        }
        let seats = &self.seats;
        self.deliveries.retain(|destination, delivery| {
            delivery.owner.is_some()
                || destination.is_sender()
                || seats.iter().any(|seat| seat.destination == *destination)
        });
    }

    pub(crate) fn record(
        &mut self,
        leased: &Leased,
        outcomes: Vec<(u32, Outcome)>,
        telling: Option<&Telling>,
        now: Timestamp,
    ) -> Recorded {
        let (owned, mut recorded) = (self.is_owned(leased), Recorded::Kept);
        if leased.destination.is_sender() && !owned {
            return Recorded::TakenOver;
        }
        for (number, outcome) in outcomes {
            let seat = &mut self.seats[usize::try_from(number).unwrap()];
            if !owned && !matches!(outcome, Outcome::Delivered { .. }) {
                recorded = Recorded::TakenOver;
            } else if seat.state != RecipientState::Delivered {
                assert!(!owned || seat.is_open(), "{number} was settled before");
                seat.set(outcome, news_of(telling, number), now);
            }
        }
        if let Some((telling, report)) = telling.and_then(|telling| Some((telling, telling.report.as_ref()?)))
            && recorded == Recorded::Kept
        {
            match telling.news.iter().all(|(number, event)| self.is_news(*number, *event)) {
                true => self.is_told(telling, report),
                false => recorded = Recorded::KeptWithoutReport,
            }
        }
        if owned {
            self.deliveries.get_mut(&leased.destination).unwrap().owner = None;
        }
        if self.seats.iter().all(Seat::is_done) {
            self.held = false;
            self.settled_at.get_or_insert(now);
        }
        self.arrange(now);
        recorded
    }

    fn is_news(&self, number: u32, event: ReportEvent) -> bool {
        self.seats[usize::try_from(number).unwrap()].news.is_some_and(|(news, _)| news == event)
    }

    fn is_told(&mut self, telling: &Telling, report: &NewReport) {
        for (number, event) in &telling.news {
            let seat = self.seat(*number);
            seat.news = None;
            seat.told |= seat.state == RecipientState::Failed;
            seat.delay_told |= *event == ReportEvent::Late;
        }
        report.late.iter().for_each(|number| self.seat(*number).delay_told = true);
    }

    /// Ends the leases of a node. If it has recorded that all have the message, and not come to end the delivery, the sender is told now.
    pub(crate) fn is_left_by(&mut self, node: NodeId) {
        for delivery in self.deliveries.values_mut() {
            delivery.owner = delivery.owner.filter(|owner| *owner != node);
        }
        if !self.seats.iter().any(Seat::is_open) {
            self.arrange(Timestamp::MIN);
        }
    }

    /// Has the sender told of what is news, at once if nobody else is to be tried before.
    fn arrange(&mut self, now: Timestamp) {
        let next = self.seats.iter().filter(|seat| seat.is_open()).map(|seat| seat.due).min();
        for (_, by) in self.seats.iter_mut().filter_map(|seat| seat.news.as_mut()) {
            *by = if next.is_some_and(|next| next <= *by) { *by } else { now.min(*by) };
            self.deliveries.entry(Destination::sender()).or_default();
        }
    }

    /// What the sender can be told.
    pub(crate) fn reportable(&self) -> Vec<Reportable> {
        let reportable = |(number, seat): (u32, &Seat)| Reportable {
            number,
            destination: seat.destination.clone(),
            news: seat.news.map(|(event, _)| event),
            may_be_late: seat.state == RecipientState::Deferred && !seat.delay_told,
            reply: Some(seat.reply.clone()).filter(|reply| !reply.is_empty()),
            host: seat.host.clone(),
            said_by_host: seat.said_by_host,
            tried_at: seat.tried_at,
        };
        (0..).zip(&self.seats).map(reportable).collect()
    }

    /// Makes due what is told later than that.
    pub(crate) fn bring_news_forward(&mut self, latest: Timestamp, now: Timestamp) -> bool {
        let ahead =
            self.seats.iter_mut().filter_map(|seat| seat.news.as_mut()).filter(|(_, by)| *by > latest);
        ahead.map(|(_, by)| *by = now).count() > 0
    }

    fn seat(&mut self, number: u32) -> &mut Seat {
        &mut self.seats[usize::try_from(number).unwrap()]
    }

    /// Whether it is from `<>`, nobody waits for it, and it came before then.
    pub(crate) fn is_old_from_nobody(&self, before: Timestamp) -> bool {
        let is_over = |seat: &Seat| matches!(seat.state, RecipientState::Delivered | RecipientState::Failed);
        let from_nobody = self.submission.reverse_path == ReversePath::Null;
        from_nobody && !self.held && self.submission.accepted_at < before && self.seats.iter().all(is_over)
    }

    /// Whether others are still to be tried.
    pub(crate) fn record_delivered(
        &mut self,
        leased: &Leased,
        delivered: Vec<(u32, Outcome)>,
        telling: Option<&Telling>,
        now: Timestamp,
    ) -> bool {
        let goes_on = self.is_owned(leased) && !self.held;
        for (number, outcome) in delivered {
            let seat = self.seat(number);
            if seat.state != RecipientState::Delivered {
                seat.set(outcome, news_of(telling, number), now);
            }
        }
        goes_on
    }

    /// Whether nobody has it or may get it still.
    pub(crate) fn has_failed(&self) -> bool {
        let has_failed = |seat: &Seat| {
            seat.state == RecipientState::Failed || (self.returned && seat.state != RecipientState::Delivered)
        };
        self.seats.iter().all(has_failed)
    }

    /// Whether it is in no list.
    pub(crate) fn is_settled(&self) -> bool {
        self.settled_at.is_some()
    }

    pub(crate) fn quarantine(&mut self, reason: &str) {
        self.held = true;
        self.deliveries.values_mut().for_each(|delivery| delivery.owner = None);
        self.seats.iter_mut().for_each(|seat| reason.clone_into(&mut seat.reply));
    }

    /// Whether it can be taken back.
    pub(crate) fn can_be_undone(&self, now: Timestamp) -> bool {
        let is_early = self.submission.not_before.is_some_and(|not_before| not_before > now);
        let is_untouched =
            self.seats.iter().all(|seat| seat.state == RecipientState::Queued && seat.attempts == 0);
        is_early && is_untouched && !self.held && self.leases() == 0
    }

    pub(crate) fn operate(&mut self, operation: Operation, now: Timestamp) {
        match operation {
            Operation::Hold => self.held = true,
            Operation::Release => {
                self.held = false;
                let due = self.submission.not_before.map_or(now, |not_before| not_before.max(now));
                let waiting = |seat: &&mut Seat| seat.is_open() || seat.state == RecipientState::Held;
                self.seats.iter_mut().filter(waiting).for_each(|seat| seat.waits(due));
            }
            Operation::Retry => {
                let left = |seat: &&mut Seat| seat.is_open() || seat.state == RecipientState::Failed;
                for seat in self.seats.iter_mut().filter(left) {
                    seat.news = seat.news.filter(|_| seat.state != RecipientState::Failed);
                    seat.waits(now);
                }
            }
            Operation::Bounce => {
                (self.returned, self.held) = (true, false);
                self.deliveries.values_mut().for_each(|delivery| delivery.owner = None);
                let left = |seat: &&mut Seat| {
                    seat.state != RecipientState::Delivered
                        && !(seat.state == RecipientState::Failed && seat.told)
                };
                for seat in self.seats.iter_mut().filter(left) {
                    seat.news = None;
                    seat.waits(now);
                }
            }
            Operation::Remove | Operation::Undo | Operation::Stop => {}
        }
    }

    /// As a command would show it.
    pub(crate) fn details(&self) -> Details {
        let seats = self.seats.iter().zip(&self.submission.recipients);
        let recipients: Vec<_> = seats.map(|(seat, known)| seat.details(known, self.held)).collect();
        let is = |state| self.seats.iter().any(|seat| seat.state == state);
        let order = [
            RecipientState::Failed,
            RecipientState::Held,
            RecipientState::Deferred,
            RecipientState::Queued,
            RecipientState::Delivered,
        ];
        let worst = order.into_iter().find(|state| recipients.iter().any(|one| one.state == *state));
        let entry = Entry {
            id: self.submission.id,
            account: self.submission.account_address.clone(),
            sender: self.submission.reverse_path.to_string().trim_matches(['<', '>']).to_owned(),
            size: u64::try_from(self.content.len()).unwrap(),
            accepted_at: self.submission.accepted_at,
            next_attempt_at: recipients.iter().filter_map(|one| one.next_attempt_at).min(),
            held: self.held || (is(RecipientState::Held) && !self.seats.iter().any(Seat::is_open)),
            recipients: u32::try_from(self.seats.len()).unwrap(),
            state: worst.unwrap(),
            last_reply: None,
            message_id: self.submission.message_id.clone(),
            credential: self.submission.credential.clone(),
            envid: self.submission.envid.as_deref().map(str::to_owned),
            ret: self.submission.ret.map(|ret| ret.name().to_owned()),
            not_before: self.submission.not_before,
            deliver_by: self.submission.deliver_by.map(|deadline| deadline.at),
            by_mode: self.submission.deliver_by.map(|deadline| deadline.mode_name()),
            priority: self.submission.priority.number(),
            tls_required: self.submission.tls_required.name().map(str::to_owned),
        };
        Details { entry, recipients, damaged: None }
    }
}

fn news_of(telling: Option<&Telling>, number: u32) -> Option<(ReportEvent, Timestamp)> {
    let Telling { news, by, .. } = telling?;
    news.iter().find(|(about, _)| *about == number).map(|(_, event)| (*event, *by))
}
