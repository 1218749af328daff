//! The servers that use the store.

use store::Nodes as _;

use crate::view::Node;
use crate::{Desk, Trouble};

impl Desk {
    /// The servers that use the store, the one that was started first at the beginning.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn nodes(&self) -> Result<Vec<Node>, Trouble> {
        Ok(self.spool.nodes().await?.iter().map(Node::of).collect())
    }
}
