//! How long an attempt may take.

use std::time::Duration;

use esmtp::dialogue::Stage;

/// How long an attempt may take up to the end of the text, whatever each step may, besides the time for each recipient.
const ATTEMPT: Duration = Duration::from_secs(60 * 60);

/// How long a message to so many recipients may take up to the end of its text.
///
/// A host may take its five minutes for each RCPT (RFC 5321 section 4.5.3.2.3): to cut it short would be to do so at every retry.
pub(super) fn up_to_the_end(recipients: usize) -> Duration {
    let recipients = u32::try_from(recipients).unwrap_or(u32::MAX);
    ATTEMPT.saturating_add(Stage::Recipient.patience().saturating_mul(recipients))
}
