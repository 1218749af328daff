//! A queue in which owners take turns.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Items of several owners: what comes out next is of the owner who has waited longest, and of that the oldest of the most urgent. So nobody's urgent
/// items come before another's turn.
#[derive(Debug)]
pub(super) struct Turns<K, T> {
    /// Each with its urgency, the most urgent first.
    items: HashMap<K, VecDeque<(i8, T)>>,
    /// Everybody who has items, each once.
    turns: VecDeque<K>,
    len: usize,
}

impl<K, T> Default for Turns<K, T> {
    fn default() -> Self {
        Turns { items: HashMap::new(), turns: VecDeque::new(), len: 0 }
    }
}

impl<K: Copy + Eq + Hash, T> Turns<K, T> {
    /// Items of all owners.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Items of one owner.
    pub(super) fn of(&self, owner: K) -> usize {
        self.items.get(&owner).map_or(0, VecDeque::len)
    }

    /// Adds an item behind those of its owner that are as urgent, and before those that are less so.
    pub(super) fn push(&mut self, owner: K, urgency: i8, item: T) {
        let items = self.items.entry(owner).or_default();
        if items.is_empty() {
            self.turns.push_back(owner);
        }
        let place = items.partition_point(|(other, _)| *other >= urgency);
        items.insert(place, (urgency, item));
        self.len += 1;
    }

    pub(super) fn next(&mut self) -> Option<T> {
        let owner = self.turns.pop_front()?;
        let items = self.items.get_mut(&owner)?;
        let (_, item) = items.pop_front()?;
        if items.is_empty() {
            self.items.remove(&owner);
        } else {
            self.turns.push_back(owner);
        }
        self.len -= 1;
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_take_turns_and_the_items_of_each_stay_in_order() {
        let mut turns = Turns::default();
        for item in ["a1", "a2", "a3", "b1", "c1", "c2"] {
            turns.push(item.as_bytes()[0], 0, item);
        }
        assert_eq!((turns.len(), turns.of(b'a'), turns.of(b'd')), (6, 3, 0));
        assert_eq!(turns.next(), Some("a1"));
        turns.push(b'd', 0, "d1");
        let rest: Vec<_> = std::iter::from_fn(|| turns.next()).collect();
        assert_eq!((rest, turns.len()), (vec!["b1", "c1", "a2", "d1", "c2", "a3"], 0));
        assert!(turns.items.is_empty());
    }

    #[test]
    fn of_one_owner_the_most_urgent_come_first() {
        let mut turns = Turns::default();
        for (owner, urgency, item) in [
            (b'a', 0, "a1"),
            (b'a', 4, "a2"),
            (b'a', -4, "a3"),
            (b'b', -9, "b1"),
            (b'a', 4, "a4"),
            (b'a', 0, "a5"),
        ] {
            turns.push(owner, urgency, item);
        }
        let order: Vec<_> = std::iter::from_fn(|| turns.next()).collect();
        assert_eq!(order, ["a2", "b1", "a4", "a1", "a5", "a3"]);
    }
}
