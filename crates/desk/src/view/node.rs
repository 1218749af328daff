//! A server that uses the store.

use jiff::Timestamp;
use serde::Serialize;

/// A server that uses the store, from its start to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Another one after each start.
    pub id: String,
    /// What people and logs call it.
    pub name: String,
    /// The version of the program.
    pub version: String,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it counts as dead unless it says before that it lives. Absent where no clock decides that: on SQLite a server lives as long as it
    /// has the store locked.
    pub expires_at: Option<Timestamp>,
    /// The number of its newest master key, if it has told it.
    pub newest_key: Option<u32>,
}

impl Node {
    pub(crate) fn of(node: &store::Node) -> Self {
        Self {
            id: node.id.to_string(),
            name: node.name.clone(),
            version: node.version.clone(),
            started_at: node.started_at,
            expires_at: None,
            newest_key: node.newest_key.map(|key| key.number),
        }
    }
}

#[cfg(test)]
mod tests {
    use store::MasterKeyId;
    use types::NodeId;

    use super::*;

    #[test]
    fn the_json_of_a_node_has_the_promised_keys() {
        let node = store::Node {
            id: NodeId::from_bytes([1; 16]),
            name: "mail.example.org".to_owned(),
            version: "1.2.3".to_owned(),
            started_at: "2026-11-21T12:00:00Z".parse().unwrap(),
            newest_key: Some(MasterKeyId { number: 2, digest: [7; 8] }),
        };
        let expected = serde_json::json!({
            "id": node.id.to_string(), "name": "mail.example.org", "version": "1.2.3",
            "started_at": "2026-11-21T12:00:00Z", "expires_at": null, "newest_key": 2,
        });
        assert_eq!(serde_json::to_value(Node::of(&node)).unwrap(), expected);
    }
}
