//! How mail is treated on its way in, and how much of it is taken.

use acceptance::{NoLogin, Rules};
use config::Config;
use store::CommonLimits;

/// The rules for messages on their way in.
pub(crate) fn rules_of_mail(config: &Config) -> Rules {
    let submission = config.submission;
    Rules {
        hostname: config.hostname.clone(),
        sender_check: submission.sender_check,
        add_missing_headers: submission.add_missing_headers,
        hide_client_address: submission.hide_client_address,
        remove_bcc: submission.remove_bcc,
        repair: submission.repair,
        no_login: config.auth.relay.as_ref().map(no_login).unwrap_or_default(),
        limits: common_limits(config.sending),
        unfinished: config.limits.unfinished,
        undo: submission.undo,
        undo_max: submission.undo_max,
        deduplicate: submission.deduplicate,
    }
}

fn no_login(relay: &config::Relay) -> NoLogin {
    NoLogin {
        networks: relay.networks.clone(),
        senders: relay.senders.clone(),
        domains: relay.domains.clone(),
    }
}

/// The sending limits of accounts that have none of their own.
pub(crate) fn common_limits(sending: config::Sending) -> CommonLimits {
    CommonLimits {
        messages_per_hour: sending.messages_per_hour,
        messages_per_day: sending.messages_per_day,
        recipients_per_hour: sending.recipients_per_hour,
        recipients_per_day: sending.recipients_per_day,
        new_recipients_per_day: sending.new_recipients_per_day,
    }
}
