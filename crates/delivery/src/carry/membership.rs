//! This process as a node: it joins the list, says that it lives and which master key is its newest, and gives back leases that it has
//! forgotten.

use std::time::Duration;

use jiff::Timestamp;
use store::{HeldLease, MasterKeyId, Node, Spool, SpoolError, Standing};
use tokio::sync::watch;
use tokio::time::Instant;
use types::NodeId;

use super::in_hand::InHand;

/// How often the store is asked whether we are on the list.
const BEAT: Duration = Duration::from_secs(5);
/// How often the leases that the store has are compared with what is in hand. What is not in hand twice is given back: once may be a
/// delivery that is being leased or recorded just then.
const COMPARE: Duration = Duration::from_secs(10);

/// The node that this process is.
#[derive(Debug)]
pub(super) struct Membership {
    node: Node,
    newest_key: watch::Receiver<MasterKeyId>,
    beaten: Option<Instant>,
    compared: Option<Instant>,
    /// Leases that were not in hand when they were compared last.
    suspected: Vec<HeldLease>,
}

impl Membership {
    /// A node of its own, which is not on the list yet.
    pub(super) fn new(
        id: NodeId,
        name: &str,
        started_at: Timestamp,
        newest_key: watch::Receiver<MasterKeyId>,
    ) -> Membership {
        let (name, version) = (name.to_owned(), env!("CARGO_PKG_VERSION").to_owned());
        let node = Node { id, name, version, started_at, newest_key: None };
        Membership { node, newest_key, beaten: None, compared: None, suspected: Vec::new() }
    }

    /// Does what is to be done now and then. After this the node is on the list.
    pub(super) async fn keep<S: Spool>(&mut self, spool: &S, in_hand: &InHand) -> Result<(), SpoolError> {
        match self.beaten {
            None => self.join(spool).await?,
            Some(beaten) if beaten.elapsed() >= BEAT => self.beat(spool).await?,
            Some(_) => {}
        }
        self.beaten.get_or_insert_with(Instant::now);
        if self.compared.is_none_or(|compared| compared.elapsed() >= COMPARE) {
            self.compare(spool, in_hand).await?;
            self.compared = Some(Instant::now());
        }
        Ok(())
    }

    async fn join<S: Spool>(&mut self, spool: &S) -> Result<(), SpoolError> {
        self.node.newest_key = Some(*self.newest_key.borrow());
        spool.join(&self.node).await
    }

    async fn beat<S: Spool>(&mut self, spool: &S) -> Result<(), SpoolError> {
        let newest_key = *self.newest_key.borrow();
        if spool.beat(self.node.id, newest_key).await? == Standing::Buried {
            tracing::warn!(
                event = "node.buried",
                node = %self.node.id,
                "another process has taken this server for dead, and its leases with it; it leases anew"
            );
            self.join(spool).await?;
        }
        self.beaten = Some(Instant::now());
        Ok(())
    }

    async fn compare<S: Spool>(&mut self, spool: &S, in_hand: &InHand) -> Result<(), SpoolError> {
        let forgotten = in_hand.forgotten(spool.held_by(self.node.id).await?);
        let (twice, once) = forgotten.into_iter().partition(|lease| self.suspected.contains(lease));
        let twice: Vec<HeldLease> = twice;
        self.suspected = once;
        if !twice.is_empty() {
            tracing::warn!(
                event = "spool.given-back",
                deliveries = twice.len(),
                "deliveries that were leased and not carried are given back to the queue"
            );
            spool.give_back(self.node.id, twice).await?;
        }
        Ok(())
    }
}
