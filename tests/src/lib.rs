//! The harness of the tests that look at Gatepost from outside: the player of `dialogues/**/*.smtp`, the real binary in a directory of its
//! own, a plain client and a scripted next host.

// In the order in which a dialogue is read and played.
pub mod template;
pub mod dialogue;
pub mod play;
pub mod judge;
pub mod session;
pub mod stage;
pub mod runner;

// The real binary and those it talks to.
pub mod authority;
pub mod server;
pub mod client;
pub mod browser;
pub mod login;
pub mod introspection;
pub mod smarthost;
pub mod programs;
pub mod database;
pub mod maildir;

// What a power cut leaves.
pub mod power_cut;

/// The programs of that page are compiled.
#[cfg(doctest)]
#[doc = include_str!("../../docs/embedding.md")]
struct Embedding;
