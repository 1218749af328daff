//! The nodes that deliver from one queue: who is there, which master key each of them has, and who is taken off the list because it is dead.

use std::future::Future;

use jiff::Timestamp;
use types::NodeId;

use crate::{MasterKeyId, SpoolError};

/// A server that delivers, from its start to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Another one after each start.
    pub id: NodeId,
    /// What people and logs call it.
    pub name: String,
    /// The version of the program.
    pub version: String,
    /// When it was started.
    pub started_at: Timestamp,
    /// The newest of its master keys, if it has told it.
    pub newest_key: Option<MasterKeyId>,
}

/// Whether a node may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is on the list, and its leases are its own.
    Stands,
    /// It is not on the list, and every lease that it had may be another's by now.
    Buried,
}

/// The list of nodes. A lease of a delivery is good as long as its owner is on this list, whatever any clock says; so a node may only be
/// taken off when it is known to be dead.
pub trait Nodes {
    /// Puts a node on the list, where it may be already.
    fn join(&self, node: &Node) -> impl Future<Output = Result<(), SpoolError>> + Send;

    /// Says that the node lives and which master key is its newest, and hears whether it is still on the list.
    fn beat(
        &self,
        id: NodeId,
        newest_key: MasterKeyId,
    ) -> impl Future<Output = Result<Standing, SpoolError>> + Send;

    /// Takes a node off the list that stops by itself, and ends its leases, in one transaction.
    fn leave(&self, id: NodeId) -> impl Future<Output = Result<(), SpoolError>> + Send;

    /// Takes a dead node off the list and ends its leases, in one transaction: there is no moment in which one is done and the other is
    /// not. Whether it was on the list.
    fn bury(&self, id: NodeId) -> impl Future<Output = Result<bool, SpoolError>> + Send;

    /// The nodes on the list that may be alive, the one that was started first at the beginning.
    fn nodes(&self) -> impl Future<Output = Result<Vec<Node>, SpoolError>> + Send;

    /// Whether a server has the store that is not on the list yet, as far as the store can tell: it is starting.
    fn is_starting(&self) -> impl Future<Output = Result<bool, SpoolError>> + Send;
}
