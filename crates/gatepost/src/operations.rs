//! Tells the log and the carrier what operators do to the queue: they use commands, which have no log of their own.

use std::sync::Arc;
use std::time::Duration;

use delivery::Carrier;
use store::{Operated, Operation, Spool as _, SpoolError};
use stores::Spool;
use tokio_util::sync::CancellationToken;

/// How long it takes at most until an operation is told.
const EVERY: Duration = Duration::from_secs(1);

/// How many operations are taken from the queue at a time.
const BATCH: u32 = 500;

/// Tells what was done, also before the server was started, until it is told to stop.
pub(crate) async fn run(carrier: Arc<Carrier<Spool>>, spool: Spool, stop: CancellationToken) {
    while stop.run_until_cancelled(tell_new(&carrier, &spool)).await.is_some() {
        stop.run_until_cancelled(tokio::time::sleep(EVERY)).await;
    }
}

async fn tell_new(carrier: &Carrier<Spool>, spool: &Spool) {
    if let Err(error) = take_and_tell(carrier, spool).await {
        let error: &dyn std::error::Error = &error;
        tracing::error!(event = "spool.failing", error, "cannot read what operators have done");
    }
}

async fn take_and_tell(carrier: &Carrier<Spool>, spool: &Spool) -> Result<(), SpoolError> {
    loop {
        let taken = spool.take_operations(BATCH).await?;
        carrier.call_off(
            &taken.iter().filter(|done| ends_attempts(done.operation)).map(|done| done.id).collect(),
        );
        taken.iter().for_each(tell);
        if taken.is_empty() {
            return Ok(());
        }
    }
}

/// What is on its way when it happens goes on, and what only waits does not.
fn ends_attempts(operation: Operation) -> bool {
    match operation {
        Operation::Hold | Operation::Bounce | Operation::Remove | Operation::Undo | Operation::Stop => true,
        Operation::Retry | Operation::Release => false,
    }
}

fn tell(done: &Operated) {
    // One statement for each event, so that a search for its name finds it.
    macro_rules! tell {
        ($level:ident, $event:literal, $words:literal) => {
            tracing::$level!(
                event = $event,
                queue.id = %done.id,
                message.id = done.message_id,
                account.address = %done.account,
                by = done.by,
                at = %done.at,
                "{} {} by {}", done.id, $words, done.by
            )
        };
    }
    match done.operation {
        Operation::Retry => tell!(info, "queue.retried", "is due again"),
        Operation::Hold => tell!(info, "queue.held", "was held"),
        Operation::Release => tell!(info, "queue.released", "was released"),
        Operation::Bounce => tell!(warn, "queue.bounced", "was returned to its sender undelivered"),
        Operation::Remove => tell!(warn, "queue.removed", "was removed undelivered"),
        Operation::Undo => tell!(info, "message.undone", "was taken back before it left"),
        Operation::Stop => tell!(info, "message.stopped", "was stopped for those who did not have it"),
    }
}
