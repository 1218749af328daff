//! Which master keys the nodes have that use the store, as each has told.

use anyhow::bail;
use auth::MasterKeys;
use store::{MasterKeyId, Node, Nodes as _};
use stores::Spool;

/// The nodes that use the store.
///
/// # Errors
/// When a server is starting, and nobody can tell which keys it has; or the store can't tell.
pub(super) async fn of(spool: &Spool) -> anyhow::Result<Vec<Node>> {
    // In this order: a server that joins the list between the two is on it.
    if spool.is_starting().await? {
        bail!(
            "a server has the store that has not told its newest master key: it is starting, or cannot write to the queue; run this again \
             once `gatepost nodes list` shows it"
        );
    }
    Ok(spool.nodes().await?)
}

/// A key may be activated only when every node has it: a node without it could neither open nor seal from then on.
///
/// # Errors
/// When the newest key of a node is another.
pub(super) fn have_all(nodes: &[Node], key: MasterKeyId) -> anyhow::Result<()> {
    let lacks: Vec<String> = nodes.iter().filter_map(|node| lack(node, key)).collect();
    if lacks.is_empty() {
        return Ok(());
    }
    bail!(
        "master key {} is not activated, since {}: see that the newest key is the same in the key file here and in each node's, \
         reload the nodes (`systemctl reload gatepost`; `gatepost nodes list` shows when they have it), then run this again",
        key.number,
        lacks.join(", and ")
    )
}

fn lack(Node { name, newest_key, .. }: &Node, key: MasterKeyId) -> Option<String> {
    match *newest_key {
        Some(newest) if newest == key => None,
        Some(newest) if newest.number == key.number => {
            Some(format!("the node {name} has another key of this number"))
        }
        Some(newest) => Some(format!("the newest key of the node {name} is {}", newest.number)),
        None => Some(format!("the node {name} has not told its newest key")),
    }
}

/// A key is added only behind all that there are: two nodes with different keys of one number could not use one store.
///
/// # Errors
/// When a node has a newer key than this one.
pub(super) fn have_none_newer(nodes: &[Node], newest: MasterKeyId) -> anyhow::Result<()> {
    for Node { name, newest_key, .. } in nodes {
        if let Some(theirs) = newest_key
            && theirs.number > newest.number
        {
            bail!(
                "the node {name} has a master key {} already: copy its line from there to the key file here, and make no other",
                theirs.number
            );
        }
    }
    Ok(())
}

/// One machine can add and activate a key at once, since its server finds the key in the file by itself.
///
/// # Errors
/// When several nodes use the store.
pub(super) fn are_one_machine(nodes: &[Node]) -> anyhow::Result<()> {
    match nodes {
        [] | [_] => Ok(()),
        several => bail!(
            "{} nodes use the store, each with a key file of its own: `gatepost key add`, copy the new line to the others, reload \
             them, then `gatepost key activate`",
            several.len()
        ),
    }
}

/// A server that reads the key file by itself must find its own keys in it: two keys of one number would each open what the other does not.
///
/// # Errors
/// When the newest key of a node is not among these.
pub(super) fn have_no_key_but(nodes: &[Node], masters: &MasterKeys) -> anyhow::Result<()> {
    for Node { name, newest_key, .. } in nodes {
        if let Some(theirs) = newest_key.filter(|theirs| !masters.have(*theirs)) {
            bail!(
                "the newest key of the node {name} is {number}, and {file} has not that key: put its line back there from your copy of the file or, \
                 if it is not to be used, reload the server (`systemctl reload gatepost`); then run this again",
                number = theirs.number,
                file = masters.file().display()
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use types::NodeId;

    use super::*;

    fn key(number: u32, digest: u8) -> MasterKeyId {
        MasterKeyId { number, digest: [digest; 8] }
    }

    fn nodes(keys: &[Option<MasterKeyId>]) -> Vec<Node> {
        let node = |(n, newest_key): (u8, &Option<MasterKeyId>)| Node {
            id: NodeId::from_bytes([n; 16]),
            name: format!("n{n}"),
            version: String::new(),
            started_at: Timestamp::UNIX_EPOCH,
            newest_key: *newest_key,
        };
        (1..).zip(keys).map(node).collect()
    }

    #[test]
    fn a_key_is_activated_when_every_node_has_it() {
        let all = [Some(key(2, 2)), Some(key(2, 2))];
        assert!(have_all(&nodes(&all), key(2, 2)).is_ok() && have_all(&[], key(2, 2)).is_ok());
        for (second, lack) in [
            (Some(key(1, 1)), "the newest key of the node n2 is 1"),
            (Some(key(3, 3)), "the newest key of the node n2 is 3"),
            (Some(key(2, 9)), "the node n2 has another key of this number"),
            (None, "the node n2 has not told its newest key"),
        ] {
            let refused = have_all(&nodes(&[all[0], second]), key(2, 2)).unwrap_err().to_string();
            assert!(
                refused.starts_with(&format!("master key 2 is not activated, since {lack}: ")),
                "{refused}"
            );
        }
    }

    #[test]
    fn no_key_is_made_where_a_node_has_a_newer_one() {
        assert!(have_none_newer(&nodes(&[Some(key(1, 1)), None]), key(1, 1)).is_ok());
        let refused = have_none_newer(&nodes(&[Some(key(2, 2))]), key(1, 1)).unwrap_err().to_string();
        assert!(refused.starts_with("the node n1 has a master key 2 already: copy its line"), "{refused}");
    }

    #[test]
    fn a_server_with_a_key_that_is_not_in_the_file_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("master.key");
        let masters = MasterKeys::generate(&file).unwrap();
        let known = masters.newest_id();
        assert!(have_no_key_but(&nodes(&[Some(known), None]), &masters).is_ok());
        for other in [MasterKeyId { digest: [9; 8], ..known }, key(2, 2)] {
            let refused = have_no_key_but(&nodes(&[Some(other)]), &masters).unwrap_err().to_string();
            assert!(
                refused.starts_with(&format!("the newest key of the node n1 is {}, and ", other.number)),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_key_is_rotated_on_one_machine() {
        assert!(are_one_machine(&[]).is_ok() && are_one_machine(&nodes(&[None])).is_ok());
        let refused = are_one_machine(&nodes(&[None, None])).unwrap_err().to_string();
        assert!(refused.starts_with("2 nodes use the store"), "{refused}");
    }
}
