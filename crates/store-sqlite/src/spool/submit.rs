//! What comes in, as multi-row INSERTs: a group is one script, run in one go.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};
use store::{Destination, DuplicateKey, NewDelivery, NewReport, Submission};
use types::{BodyType, EnvelopeRecipient, NodeId, OriginalRecipient, Ret};

use super::recent::Recent;
use super::seal;
use crate::row::octets;

/// SQLite takes 32,766 parameters in a statement.
const ROWS_A_STATEMENT: usize = 4096;

/// An entry to be inserted.
#[derive(Debug)]
pub(super) struct Submit {
    submission: Arc<Submission>,
    size: u64,
    content_crc: u32,
    envelope_crc: u32,
    content: Option<Bytes>,
    deliveries: Arc<[NewDelivery]>,
    /// Of its row among the recent messages, which only those have that can be handed in again.
    number: i64,
}

impl Submit {
    pub(super) fn new(
        submission: Arc<Submission>,
        size: u64,
        content_crc: u32,
        content: Option<Bytes>,
        deliveries: Arc<[NewDelivery]>,
    ) -> Self {
        let envelope_crc = seal::of(&submission, size, content_crc);
        Self { submission, size, content_crc, envelope_crc, content, deliveries, number: 0 }
    }

    /// A message of the server's own, in a row whatever its size; it goes where the routes lead once it is leased.
    pub(super) fn report(report: NewReport) -> Self {
        let NewReport { submission, content, .. } = report;
        let deliveries = [NewDelivery::of_all(&submission, Destination::unknown(), None)];
        let (size, crc) = (content.len() as u64, crc32fast::hash(&content));
        Self::new(Arc::new(submission), size, crc, Some(content), deliveries.into())
    }

    fn due_at(&self) -> Option<i64> {
        (!self.submission.held).then(|| self.submission.first_due_at().as_millisecond())
    }

    /// What it is known by if it is handed in again.
    pub(super) fn duplicate_key(&self) -> Option<&DuplicateKey> {
        self.submission.duplicate_key.as_ref()
    }

    /// Gives it a number among the recent messages.
    pub(super) fn set_number(&mut self, number: i64) {
        self.number = number;
    }

    /// Has it noted, once it is committed, that it may be handed in again.
    pub(super) fn note_in(&self, recent: &mut Recent) {
        if let Some(key) = self.duplicate_key() {
            recent.note(self.number, key, self.submission.id);
        }
    }

    /// The node that its deliveries are leased to from the start.
    pub(super) fn owner(&self) -> Option<NodeId> {
        self.deliveries.iter().find_map(|delivery| delivery.owner)
    }
}

/// The statements of a group that need no answer.
pub(super) struct Script {
    pub(super) sql: QueryBuilder<Sqlite>,
}

impl Script {
    /// Begins the transaction with what comes in. If some of it is leased from the start, the script says which nodes there
    /// are: the lease of one that is not among them is none.
    pub(super) fn begin(submits: &[&Submit]) -> Self {
        let mut script = Self { sql: QueryBuilder::new("BEGIN IMMEDIATE;") };
        if submits.iter().any(|submit| submit.owner().is_some()) {
            script.sql.push("SELECT id FROM nodes;");
        }
        if !submits.is_empty() {
            script.insert(submits);
        }
        script
    }

    /// Inserts within a transaction that has begun.
    pub(super) fn within(submits: &[&Submit]) -> Self {
        let mut script = Self { sql: QueryBuilder::new("") };
        script.insert(submits);
        script
    }

    fn insert(&mut self, submits: &[&Submit]) {
        self.insert_entries(submits);
        self.insert_contents(submits);
        self.insert_deliveries(submits);
        self.insert_recipients(submits);
        self.insert_recent(submits);
    }

    /// Forgets the recent messages up to this number.
    pub(super) fn forget_recent(&mut self, up_to: i64) {
        self.sql.push("DELETE FROM recent_messages WHERE number <= ").push_bind(up_to).push(";");
    }

    /// Runs the script; the nodes that there are, if it says so.
    pub(super) async fn run(
        mut self,
        connection: &mut SqliteConnection,
    ) -> Result<HashSet<NodeId>, sqlx::Error> {
        let rows = self.sql.build().persistent(false).fetch_all(connection).await?;
        let known = rows.iter().filter_map(|row| octets(row.try_get("id").ok()?).map(NodeId::from_bytes));
        Ok(known.collect())
    }

    /// Runs the script and commits; the nodes that there are, if it says so.
    pub(super) async fn commit(
        mut self,
        connection: &mut SqliteConnection,
    ) -> Result<HashSet<NodeId>, sqlx::Error> {
        self.sql.push("COMMIT");
        self.run(connection).await
    }

    fn insert_entries(&mut self, submits: &[&Submit]) {
        self.sql.push(
            "INSERT INTO entries (id, account, account_address, reverse_path, eight_bit, binary_body, smtputf8, must_be_rewritten, \
             accepted_at, size, recipients, held, content_crc, envelope_crc, in_file, message_id, \
             credential, session, ip, tls_version, tls_cipher, not_before, ret, envid, \
             deliver_by, by_mode, priority, tls_required) ",
        );
        self.sql.push_values(submits, |mut row, submit| {
            let submission = &submit.submission;
            row.push_bind(submission.id.as_bytes().to_vec())
                .push_bind(submission.account.as_bytes().to_vec())
                .push_bind(submission.account_address.clone())
                .push_bind(submission.reverse_path.to_string())
                .push_bind(submission.body == BodyType::EightBit)
                .push_bind(submission.body == BodyType::Binary)
                .push_bind(submission.smtputf8)
                .push_bind(submission.must_be_rewritten)
                .push_bind(submission.accepted_at.as_millisecond())
                .push_bind(i64::try_from(submit.size).unwrap_or(i64::MAX))
                .push_bind(i64::try_from(submission.recipients.len()).unwrap_or(i64::MAX))
                .push_bind(submission.held)
                .push_bind(submit.content_crc)
                .push_bind(submit.envelope_crc)
                .push_bind(submit.content.is_none())
                .push_bind(submission.message_id.clone())
                .push_bind(submission.credential.clone())
                .push_bind(submission.session.map(|session| session.to_string()))
                .push_bind(submission.ip.map(|ip| ip.to_string()))
                .push_bind(submission.tls_version.clone())
                .push_bind(submission.tls_cipher.clone())
                .push_bind(submission.not_before.map(Timestamp::as_millisecond))
                .push_bind(submission.ret.map(Ret::name))
                .push_bind(submission.envid.clone())
                .push_bind(submission.deliver_by.map(|deadline| deadline.at.as_millisecond()))
                .push_bind(submission.deliver_by.map(|deadline| deadline.mode_name()))
                .push_bind(submission.priority.number())
                .push_bind(submission.tls_required.name());
        });
        self.sql.push(";");
    }

    fn insert_contents(&mut self, submits: &[&Submit]) {
        let mut contents =
            submits.iter().filter_map(|submit| Some((submit, submit.content.as_deref()?))).peekable();
        if contents.peek().is_none() {
            return;
        }
        self.sql.push("INSERT INTO contents (number, content) ");
        self.sql.push_values(contents, |mut row, (submit, content)| {
            row.push("(SELECT number FROM entries WHERE id = ")
                .push_bind_unseparated(submit.submission.id.as_bytes().to_vec())
                .push_unseparated(")")
                .push_bind(content.to_vec());
        });
        self.sql.push(";");
    }

    fn insert_recent(&mut self, submits: &[&Submit]) {
        let known = submits.iter().filter_map(|submit| Some((submit, submit.duplicate_key()?)));
        let mut known = known.peekable();
        if known.peek().is_none() {
            return;
        }
        self.sql.push("INSERT INTO recent_messages (number, digest, entry, received_at) ");
        self.sql.push_values(known, |mut row, (submit, key)| {
            row.push_bind(submit.number)
                .push_bind(key.digest.to_vec())
                .push_bind(submit.submission.id.as_bytes().to_vec())
                .push_bind(key.received_at.as_millisecond());
        });
        self.sql.push(";");
    }

    fn insert_deliveries(&mut self, submits: &[&Submit]) {
        let rows: Vec<_> = submits.iter().flat_map(|submit| deliveries(submit)).collect();
        for rows in rows.chunks(ROWS_A_STATEMENT) {
            self.sql.push(
                "INSERT INTO deliveries (entry, destination, due_at, lease_token, priority, lease_owner) ",
            );
            self.sql.push_values(rows, |mut row, (submit, delivery)| {
                row.push_bind(submit.submission.id.as_bytes().to_vec())
                    .push_bind(delivery.destination.to_shared())
                    .push_bind(submit.due_at())
                    .push_bind(i64::from(delivery.owner.is_some()))
                    .push_bind(submit.submission.priority.number())
                    .push("(SELECT id FROM nodes WHERE id = ")
                    .push_bind_unseparated(delivery.owner.map(|owner| owner.as_bytes().to_vec()))
                    .push_unseparated(")");
            });
            self.sql.push(";");
        }
    }

    fn insert_recipients(&mut self, submits: &[&Submit]) {
        let rows: Vec<_> = submits.iter().flat_map(|submit| recipients(submit)).collect();
        for rows in rows.chunks(ROWS_A_STATEMENT) {
            self.sql.push(
                "INSERT INTO recipients (entry, number, forward_path, destination, next_attempt_at, notify, orcpt) ",
            );
            self.sql.push_values(rows, |mut row, (submission, delivery, number, recipient)| {
                row.push_bind(submission.id.as_bytes().to_vec())
                    .push_bind(*number)
                    .push_bind(recipient.path.to_string())
                    .push_bind(delivery.destination.to_shared())
                    .push_bind(submission.first_due_at().as_millisecond())
                    .push_bind(recipient.notify.map(|notify| notify.to_string()))
                    .push_bind(recipient.orcpt.as_ref().map(OriginalRecipient::to_string));
            });
            self.sql.push(";");
        }
    }
}

fn deliveries(submit: &Submit) -> impl Iterator<Item = (&Submit, &NewDelivery)> {
    submit.deliveries.iter().map(move |delivery| (submit, delivery))
}

/// Each recipient with its delivery and its number.
fn recipients(submit: &Submit) -> impl Iterator<Item = (&Submission, &NewDelivery, u32, &EnvelopeRecipient)> {
    let known = |number: u32| submit.submission.recipients.get(usize::try_from(number).ok()?);
    submit.deliveries.iter().flat_map(move |delivery| {
        let numbers = delivery.recipients.iter();
        numbers.filter_map(move |number| Some((&*submit.submission, delivery, *number, known(*number)?)))
    })
}
