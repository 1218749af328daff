//! `gatepost message list`: what was sent, newest first.

use desk::{Desk, view};
use jiff::Timestamp;
use store::{LedgerFilter, Page};
use types::{Domain, QueueId};

use crate::argument::Moment;
use crate::clock;
use crate::cmd::queue::{sender, state};
use crate::default_domain::completed;
use crate::output::{self, Cell, Format, Listing};

/// How many messages people are shown who do not say how many: what can be scrolled through.
const FOR_PEOPLE: u32 = 100;

/// How many messages are read at a time.
const PAGE: u32 = 500;

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Only those of this account; it need not exist any more
    #[arg(long, value_name = "ADDRESS")]
    account: Option<String>,
    /// Only those handed in with this credential: the identifier of an app password, a fingerprint, or password
    #[arg(long, value_name = "CREDENTIAL")]
    credential: Option<String>,
    /// Only those to this address
    #[arg(long, value_name = "ADDRESS")]
    recipient: Option<String>,
    /// Only those with this Message-ID
    #[arg(long, value_name = "ID")]
    message_id: Option<String>,
    /// Only those since then: 24h, 7d, a day like 2027-01-31 or an RFC 3339 time
    #[arg(long, value_name = "BEGIN")]
    since: Option<Moment>,
    /// Only those from before then
    #[arg(long, value_name = "END")]
    until: Option<Moment>,
    /// So many at most; if not given, 100 as text and all as JSON
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u32>,
    /// Only those behind this one: the last identifier of the page before
    #[arg(long, value_name = "ID")]
    after: Option<QueueId>,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn run(desk: &Desk, args: List, default_domain: Option<&Domain>) -> anyhow::Result<()> {
    let (format, limit, mut after) = (args.format, args.limit(), args.after);
    let filter = args.filter(desk, default_domain, clock::now()).await?;
    let heading = ["ID", "ACCEPTED", "STATE", "ACCOUNT", "CREDENTIAL", "SENDER", "RECIPIENTS", "MESSAGE-ID"];
    let mut listing = Listing::new(format, heading);
    let mut left = limit.unwrap_or(u32::MAX);
    loop {
        let page = desk.sent_messages(&filter, Page { after, limit: left.min(PAGE) }).await?;
        left = left.saturating_sub(u32::try_from(page.items.len())?);
        after = page.last;
        if !listing.page(&page.items, row)? || left == 0 || after.is_none() {
            break;
        }
    }
    listing.end()?;
    if let (0, Some(after)) = (left, after) {
        format.remark(&format!("there may be more: --after {after}"));
    }
    Ok(())
}

impl List {
    fn limit(&self) -> Option<u32> {
        self.limit.or(self.format.is_for_people().then_some(FOR_PEOPLE))
    }

    async fn filter(
        self,
        desk: &Desk,
        default_domain: Option<&Domain>,
        now: Timestamp,
    ) -> anyhow::Result<LedgerFilter> {
        let account = match self.account {
            Some(name) => Some(desk.queued_by(completed(name, default_domain)).await?),
            None => None,
        };
        Ok(LedgerFilter {
            account,
            credential: self.credential,
            recipient: self.recipient,
            state: None,
            message_id: self.message_id.map(|id| format!("<{}>", id.trim_matches(['<', '>']))),
            since: self.since.map(|since| since.back_from(now)),
            until: self.until.map(|until| until.back_from(now)),
        })
    }
}

fn row(message: &view::SentMessage<u32>) -> [Cell; 8] {
    [
        message.id.clone().into(),
        output::time(message.accepted_at).into(),
        state(message.state),
        message.account.clone().into(),
        output::or_dash(message.credential.as_ref()).into(),
        sender(&message.sender).into(),
        message.recipients.to_string().into(),
        output::or_dash(message.message_id.as_ref()).into(),
    ]
}
