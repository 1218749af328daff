//! What is noted of what an account has sent, until it is written.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sqlx::SqliteConnection;
use store::{Amounts, Correspondent, Share, Windows};
use types::AccountId;

use super::{correspondents, usage};

/// What is noted of an account.
#[derive(Debug, Default)]
pub(in crate::accounts) struct Noted {
    shares: BTreeMap<Windows, Settled>,
    recipients: BTreeSet<Correspondent>,
    /// When it last sent.
    at: Option<Timestamp>,
}

/// What has become of what was lent.
#[derive(Debug, Default)]
struct Settled {
    sent: Amounts,
    returned: Amounts,
}

impl Noted {
    pub(in crate::accounts) fn sent(&mut self, share: &Share, recipients: &[Correspondent], at: Timestamp) {
        let settled = self.shares.entry(share.windows).or_default();
        settled.sent = settled.sent.plus(&share.amounts);
        self.recipients.extend(recipients);
        self.at = self.at.max(Some(at));
    }

    pub(in crate::accounts) fn given_back(&mut self, share: &Share) {
        let settled = self.shares.entry(share.windows).or_default();
        settled.returned = settled.returned.plus(&share.amounts);
    }

    pub(in crate::accounts) fn has(&self, recipient: &Correspondent) -> bool {
        self.recipients.contains(recipient)
    }

    /// Writes it. The account may have been removed since; then there is nothing to write.
    pub(in crate::accounts) async fn write(
        &self,
        connection: &mut SqliteConnection,
        account: AccountId,
    ) -> Result<(), sqlx::Error> {
        for (windows, Settled { sent, returned }) in &self.shares {
            usage::settle(connection, account, windows, sent, returned).await?;
        }
        let Some(at) = self.at else { return Ok(()) };
        let recipients: Vec<_> = self.recipients.iter().copied().collect();
        correspondents::write(connection, account, &recipients, at).await
    }
}
