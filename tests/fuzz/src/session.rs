//! A whole session: everything it does is possible (`model.rs`), and where the input is cut changes nothing.

use crate::model;
use crate::play::{Circumstances, Play, WAIT};

/// The first two octets are the circumstances; the rest is what the client sends, with a [`WAIT`] wherever it waits for
/// replies.
pub(crate) fn holds(data: &[u8]) {
    let [flags, seed, dialogue @ ..] = data else { return };
    let circumstances = Circumstances::new(*flags, *seed);
    let events = Play::whole(circumstances, dialogue, usize::MAX);
    for step in [1 + dialogue.len() / 1000, 2 + usize::from(*seed % 60)] {
        assert_eq!(Play::whole(circumstances, dialogue, step), events, "in pieces of {step}");
    }
    let input: Vec<u8> = dialogue.iter().copied().filter(|octet| *octet != WAIT).collect();
    model::explains(circumstances, &input, &events);
}
