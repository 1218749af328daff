//! The guard before whatever can be guessed: how many wrong attempts an account and a network have, and how many attempts of a network
//! are judged at a time.

pub(crate) mod gate;
pub(crate) mod guesses;
pub(crate) mod network_slots;
