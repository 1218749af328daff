//! What comes in, as multi-row INSERTs: a group is one script, run in one go.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use store::{Lease, Submission};
use types::{BodyType, EnvelopeRecipient, OriginalRecipient, Ret};

use super::seal;
use super::writer::Job;

/// SQLite takes 32,766 parameters in a statement.
const RECIPIENTS_A_STATEMENT: usize = 4096;

/// An entry to be inserted.
#[derive(Debug)]
pub(super) struct Submit {
    submission: Arc<Submission>,
    size: u64,
    content_crc: u32,
    envelope_crc: u32,
    content: Option<Bytes>,
    lease: Option<Lease>,
}

impl Submit {
    pub(super) fn new(
        submission: Arc<Submission>,
        size: u64,
        content_crc: u32,
        content: Option<Bytes>,
        lease: Option<Lease>,
    ) -> Self {
        let envelope_crc = seal::of(&submission, size, content_crc);
        Self { submission, size, content_crc, envelope_crc, content, lease }
    }

    fn due_at(&self) -> Option<i64> {
        let due = self.lease.as_ref().map_or(self.submission.first_due_at(), |lease| lease.until);
        (!self.submission.held).then_some(due.as_millisecond())
    }
}

/// The statements of a group that need no answer.
pub(super) struct Script {
    pub(super) sql: QueryBuilder<Sqlite>,
}

impl Script {
    /// Begins the transaction with what the group brings in.
    pub(super) fn begin(group: &mut [Job]) -> Self {
        let mut script = Self { sql: QueryBuilder::new("BEGIN IMMEDIATE;") };
        let mut submits = Vec::new();
        for job in group {
            if let Job::Submit(submit, reply) = job {
                reply.set(());
                submits.push(&*submit);
            }
        }
        if !submits.is_empty() {
            script.insert_entries(&submits);
            script.insert_contents(&submits);
            script.insert_recipients(&submits);
        }
        script
    }

    pub(super) async fn run(mut self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        self.sql.build().persistent(false).execute(connection).await.map(drop)
    }

    pub(super) async fn commit(mut self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        self.sql.push("COMMIT");
        self.run(connection).await
    }

    fn insert_entries(&mut self, submits: &[&Submit]) {
        self.sql.push(
            "INSERT INTO entries (id, account, account_address, reverse_path, eight_bit, smtputf8, must_be_rewritten, \
             accepted_at, size, recipients, held, due_at, lease_owner, content_crc, envelope_crc, in_file, message_id, \
             credential, session, ip, tls_version, tls_cipher, not_before, ret, envid) ",
        );
        self.sql.push_values(submits, |mut row, submit| {
            let submission = &submit.submission;
            row.push_bind(submission.id.as_bytes().to_vec())
                .push_bind(submission.account.as_bytes().to_vec())
                .push_bind(submission.account_address.clone())
                .push_bind(submission.reverse_path.to_string())
                .push_bind(submission.body == BodyType::EightBit)
                .push_bind(submission.smtputf8)
                .push_bind(submission.must_be_rewritten)
                .push_bind(submission.accepted_at.as_millisecond())
                .push_bind(i64::try_from(submit.size).unwrap_or(i64::MAX))
                .push_bind(i64::try_from(submission.recipients.len()).unwrap_or(i64::MAX))
                .push_bind(submission.held)
                .push_bind(submit.due_at())
                .push_bind(submit.lease.as_ref().map(|lease| Arc::clone(&lease.owner)))
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
                .push_bind(submission.envid.clone());
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

    fn insert_recipients(&mut self, submits: &[&Submit]) {
        let rows: Vec<_> = submits.iter().flat_map(|submit| recipients(&submit.submission)).collect();
        for rows in rows.chunks(RECIPIENTS_A_STATEMENT) {
            self.sql.push(
                "INSERT INTO recipients (entry, number, forward_path, next_attempt_at, notify, orcpt) ",
            );
            self.sql.push_values(rows, |mut row, (submission, number, recipient)| {
                row.push_bind(submission.id.as_bytes().to_vec())
                    .push_bind(*number)
                    .push_bind(recipient.path.to_string())
                    .push_bind(submission.first_due_at().as_millisecond())
                    .push_bind(recipient.notify.map(|notify| notify.to_string()))
                    .push_bind(recipient.orcpt.as_ref().map(OriginalRecipient::to_string));
            });
            self.sql.push(";");
        }
    }
}

fn recipients(submission: &Submission) -> impl Iterator<Item = (&Submission, u32, &EnvelopeRecipient)> {
    (0..).zip(&submission.recipients).map(move |(number, recipient)| (submission, number, recipient))
}
