//! What is to be sent, and to whom: one message to all, or one to each recipient of a table.

use jiff::Timestamp;
use rand::RngExt as _;
use types::{EnvelopeRecipient, Mailbox, ReversePath};

use super::draft::{About, Draft};
use super::letter::Letter;
use super::recipients::Recipients;
use crate::clock;

/// All that is to be sent.
#[derive(Debug)]
pub(crate) struct Mailing {
    pub(crate) from: ReversePath,
    pub(crate) to: To,
    pub(crate) draft: Draft,
}

/// Who gets it.
#[derive(Debug)]
pub(crate) enum To {
    /// One message, in whose header all stand.
    Together(Vec<EnvelopeRecipient>),
    /// A message for each.
    Each(Recipients),
}

/// A message that is made, and whose it is.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) letter: Letter,
    /// With its angle brackets.
    pub(crate) message_id: String,
}

impl To {
    /// The columns that can be filled in, if there are any.
    pub(crate) fn columns(&self) -> Option<&[String]> {
        match self {
            To::Together(_) => None,
            To::Each(table) => Some(&table.columns),
        }
    }

    /// How many messages there are.
    pub(crate) fn messages(&self) -> usize {
        match self {
            To::Together(_) => 1,
            To::Each(table) => table.rows.len(),
        }
    }

    /// The recipients of one message.
    pub(crate) fn of(&self, message: usize) -> Vec<&EnvelopeRecipient> {
        match self {
            To::Together(recipients) => recipients.iter().collect(),
            To::Each(table) => table.rows.get(message).map(|row| &row.recipient).into_iter().collect(),
        }
    }

    /// The line of the table that a message is for.
    pub(crate) fn line(&self, message: usize) -> Option<u64> {
        match self {
            To::Together(_) => None,
            To::Each(table) => table.rows.get(message).map(|row| row.line),
        }
    }
}

impl Mailing {
    /// Makes each message once. Every fault is told, with the line that it comes from.
    pub(crate) fn faults(&self) -> Vec<String> {
        let now = clock::now();
        let faults = (0..self.to.messages()).filter_map(|message| {
            let fault = self.make(message, now).err()?;
            Some(match &self.to {
                To::Together(_) => fault,
                To::Each(table) => table.at(self.to.line(message).unwrap_or_default(), &fault),
            })
        });
        faults.collect()
    }

    /// Makes a message.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn make(&self, message: usize, at: Timestamp) -> Result<Made, String> {
        let Some(from) = self.from.mailbox() else { return Err("there is no sender".to_owned()) };
        let to: Vec<&Mailbox> =
            self.to.of(message).iter().filter_map(|recipient| recipient.path.mailbox()).collect();
        let row = match &self.to {
            To::Together(_) => None,
            To::Each(table) => table.rows.get(message).map(|row| (table, row)),
        };
        let id = format!("{:x}.{:x}", clock::unix_ms(at), rand::rng().random::<u128>());
        let about = About { from, to, row, at, id };
        Ok(Made { letter: self.draft.letter(&about)?, message_id: self.draft.message_id(&about) })
    }
}
