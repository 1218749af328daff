//! Which messages, by what is known of them.

use desk::Desk;
use jiff::Timestamp;
use store::{QueueFilter, RecipientFilter, RecipientState};
use types::{Domain, ReversePath};

use crate::argument::{self, Moment};
use crate::default_domain::completed;

/// All of it must be true of a message; what is said of recipients, of one and the same of them.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(id = "filter", multiple = true)]
pub(crate) struct Filter {
    /// Every message
    #[arg(long, conflicts_with_all = ["account", "sender", "recipient_domain", "state", "older_than", "credential", "reply_contains"])]
    all: bool,
    /// Those of this account, which may be removed already, or of a machine: relay:192.0.2.7
    #[arg(long, value_name = "ADDRESS")]
    account: Option<String>,
    /// Those with this envelope sender; <> for none
    #[arg(long, value_name = "ADDRESS", value_parser = argument::sender)]
    sender: Option<ReversePath>,
    /// Those with a recipient in this domain
    #[arg(long, value_name = "DOMAIN", value_parser = argument::domain)]
    recipient_domain: Option<Domain>,
    /// Those with a recipient in this state
    #[arg(long, value_parser = argument::recipient_state())]
    state: Option<RecipientState>,
    /// Those accepted before then: 2h, 3d or a time
    #[arg(long, value_name = "TIME")]
    older_than: Option<Moment>,
    /// Those handed in with this credential: the id of an app password, password, or as the audit trail has it
    #[arg(long, value_name = "CREDENTIAL")]
    credential: Option<String>,
    /// Those with a recipient whose last reply has this text in it
    #[arg(long, value_name = "TEXT")]
    reply_contains: Option<String>,
}

impl Filter {
    /// What is meant at `now`, by the accounts that there are.
    ///
    /// # Errors
    /// When the store can't tell.
    pub(super) async fn meaning(
        self,
        desk: &Desk,
        default_domain: Option<&Domain>,
        now: Timestamp,
    ) -> anyhow::Result<QueueFilter> {
        let account = match self.account {
            Some(name) => Some(desk.queued_by(completed(name, default_domain)).await?),
            None => None,
        };
        Ok(QueueFilter {
            message_id: None,
            settled: false,
            ids: None,
            account,
            owner: None,
            sender: self.sender,
            credential: self.credential,
            accepted_before: self.older_than.map(|then| then.back_from(now)),
            recipient: RecipientFilter {
                domain: self.recipient_domain,
                state: self.state,
                reply_contains: self.reply_contains,
            },
        })
    }
}
