//! What a group writes and needs no answer for: the entries that come in, and those that everybody has.
//!
//! To prepare a statement takes SQLite longer than to run it. So a group is written in pieces of few sizes: the same few statements are prepared
//! once, and run again and again with other parameters. Each piece is a trip to the thread of the connection and back.

use std::collections::HashSet;

use jiff::Timestamp;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};
use types::{BodyType, NodeId, OriginalRecipient, QueueId, Ret};

use super::recent::RecentRows;
use super::submit::Submit;
use crate::pieces::pieces;
use crate::row::octets;

/// SQLite takes 32,766 parameters in a statement.
const ROWS_A_STATEMENT: usize = 4096;

/// How many entries a statement deletes at most.
const DELETED: usize = 64;

/// Statements of a transaction.
pub(super) struct Script {
    trips: Vec<Trip>,
    last: Trip,
}

/// Statements that are run together.
struct Trip {
    sql: QueryBuilder<Sqlite>,
    has_piece: bool,
    /// Whether the same statements will be run again.
    recurs: bool,
}

impl Script {
    /// Begins the transaction, inserts what comes in, and deletes the entries that everybody has. If some of what comes in is leased from the
    /// start, the script says which nodes there are: the lease of one that is not among them is none.
    pub(super) fn begin(submits: &[&Submit], complete: &[QueueId]) -> Self {
        let mut script = Self { trips: Vec::new(), last: Trip::new("BEGIN IMMEDIATE;") };
        if submits.iter().any(|submit| submit.owner().is_some()) {
            script.last.sql.push("SELECT id FROM nodes;");
        }
        pieces(submits).for_each(|piece| script.next().insert(piece));
        complete.chunks(DELETED).for_each(|piece| script.next().delete(piece));
        script
    }

    /// Inserts one within a transaction that has begun.
    pub(super) fn within(submit: &Submit) -> Self {
        let mut script = Self { trips: Vec::new(), last: Trip::new("") };
        script.next().insert(&[submit]);
        script
    }

    /// Changes what is known of the messages that were accepted lately.
    pub(super) fn change_recent(&mut self, rows: &RecentRows) {
        let sql = &mut self.last.sql;
        if let Some((number, messages)) = &rows.new {
            sql.push("INSERT INTO recent_groups (number, messages) VALUES (").push_bind(*number);
            sql.push(", ").push_bind(messages.clone()).push(");");
        }
        if let Some(outdated) = rows.outdated {
            sql.push("DELETE FROM recent_groups WHERE number <= ").push_bind(outdated).push(";");
        }
    }

    /// Runs the script; the nodes that there are, if it says so.
    pub(super) async fn run(self, connection: &mut SqliteConnection) -> Result<HashSet<NodeId>, sqlx::Error> {
        let mut nodes = HashSet::new();
        for Trip { mut sql, recurs, .. } in self.trips.into_iter().chain([self.last]) {
            let rows = sql.build().persistent(recurs).fetch_all(&mut *connection).await?;
            let known = rows.iter().filter_map(|row| octets(row.try_get("id").ok()?));
            nodes.extend(known.map(NodeId::from_bytes));
        }
        Ok(nodes)
    }

    /// Runs the script and commits; the nodes that there are, if it says so.
    pub(super) async fn commit(
        mut self,
        connection: &mut SqliteConnection,
    ) -> Result<HashSet<NodeId>, sqlx::Error> {
        self.last.sql.push("COMMIT");
        self.run(connection).await
    }

    /// The trip for the next piece.
    fn next(&mut self) -> &mut Trip {
        if self.last.has_piece {
            self.trips.push(std::mem::replace(&mut self.last, Trip::new("")));
        }
        self.last.has_piece = true;
        &mut self.last
    }
}

impl Trip {
    fn new(begins: &'static str) -> Self {
        Self { sql: QueryBuilder::new(begins), has_piece: false, recurs: true }
    }

    fn delete(&mut self, ids: &[QueueId]) {
        self.delete_from("DELETE FROM recipients WHERE entry IN (", ids);
        self.delete_from("DELETE FROM deliveries WHERE entry IN (", ids);
        self.delete_from("DELETE FROM entries WHERE id IN (", ids);
    }

    fn delete_from(&mut self, statement: &'static str, ids: &[QueueId]) {
        // The last once more, until it is one of few sizes.
        let ids = ids.iter().chain(ids.last().into_iter().cycle()).take(ids.len().next_power_of_two());
        let mut listed = self.sql.push(statement).separated(", ");
        for id in ids {
            listed.push_bind(id.as_bytes().to_vec());
        }
        self.sql.push(");");
    }

    fn insert(&mut self, submits: &[&Submit]) {
        self.recurs = are_alike(submits);
        self.insert_entries(submits);
        self.insert_contents(submits);
        self.insert_deliveries(submits);
        self.insert_recipients(submits);
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

    fn insert_deliveries(&mut self, submits: &[&Submit]) {
        let rows: Vec<_> = submits.iter().flat_map(|submit| submit.deliveries()).collect();
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
        let rows: Vec<_> = submits.iter().flat_map(|submit| submit.recipients()).collect();
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

/// Whether others will come that are written by the same statements: of one delivery to one recipient each, as most are, and all in rows or all in files.
fn are_alike(submits: &[&Submit]) -> bool {
    let in_rows = submits.iter().filter(|submit| submit.content.is_some()).count();
    (in_rows == 0 || in_rows == submits.len())
        && submits.iter().all(|submit| submit.deliveries().count() == 1 && submit.recipients().count() == 1)
}
