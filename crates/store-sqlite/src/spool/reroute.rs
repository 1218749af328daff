//! Giving recipients other destinations, when routes have changed or were not known.

use sqlx::SqliteConnection;
use store::{DeliveryKey, Destination, Lease, Leased, Recorded};

use super::change::{SET_DUE, on};
use super::outcome::is_owned;

/// Recipients of a leased delivery, by number, and where they go instead.
#[derive(Debug)]
pub(super) struct Reroute {
    delivery: DeliveryKey,
    lease: Lease,
    destinations: Vec<(u32, Destination)>,
}

const MOVE: &str = "UPDATE recipients SET destination = $3 WHERE entry = $1 AND number = $2";
const MAKE: &str = "INSERT INTO deliveries (entry, destination, lease_token, priority) \
     SELECT id, $2, 0, priority FROM entries WHERE id = $1 \
     ON CONFLICT (entry, destination) DO NOTHING";
const END_LEASE: &str = "UPDATE deliveries SET lease_owner = NULL WHERE entry = $1 AND destination = $2";
const REMOVE_EMPTY: &str = "DELETE FROM deliveries WHERE entry = $1 AND lease_owner IS NULL AND destination <> 'sender' AND NOT EXISTS \
     (SELECT 1 FROM recipients WHERE recipients.entry = $1 AND recipients.destination = deliveries.destination)";

impl Reroute {
    pub(super) fn new(leased: &Leased, destinations: Vec<(u32, Destination)>) -> Self {
        Self { delivery: leased.key(), lease: leased.lease, destinations }
    }
}

/// Moves the recipients, if the lease is still the caller's. A delivery that is being made meanwhile takes up who comes to it when it
/// is recorded.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    reroute: &Reroute,
) -> Result<Recorded, sqlx::Error> {
    let Reroute { delivery, lease, destinations } = reroute;
    if !is_owned(connection, delivery, *lease).await? {
        return Ok(Recorded::TakenOver);
    }
    let id = delivery.entry;
    for (number, destination) in destinations {
        on(id, MOVE).bind(*number).bind(destination.to_shared()).execute(&mut *connection).await?;
        on(id, MAKE).bind(destination.to_shared()).execute(&mut *connection).await?;
    }
    on(id, END_LEASE).bind(delivery.destination.to_shared()).execute(&mut *connection).await?;
    on(id, REMOVE_EMPTY).execute(&mut *connection).await?;
    on(id, SET_DUE).execute(connection).await?;
    Ok(Recorded::Kept)
}
