//! The API: what users and administrators do on pages, for programs that have a token.
//!
//! A request goes the way of all ([`crate::site`]), but for cookies and what protects forms: [`admission`] finds whose token it is, whether it is
//! for this route, and whether there were not too many; [`idempotency`] has a request that is repeated done once; then its handler calls one use
//! case of the desk, and answers with its view, which is also what `--json` prints. Whatever went wrong becomes a [`Failure`](failure::Failure), which the site writes
//! down as problem details.
//!
//! # How an operation is made
//!
//! Its route stands in the table with its scope, and with an [`Operation`](operation::Operation): what the document says of it. A handler takes the
//! [`Caller`](caller::Caller), the [`Subject`](caller::Subject) (the account that it is about: the caller's own, or the one in the path), what the path has
//! [`Named`](caller::Named), the [`Body`](body::Body), which [`Paging`](paging::Paging); it answers `Shown`, `Made`, `Done` or a `List`. An example of each shape stands
//! in `examples.json`. `gatepost web describe > docs/openapi.json` writes the document anew.

pub(crate) mod codes;
pub(crate) mod failure;
pub(crate) mod operation;
pub(crate) mod rates;
mod answer;
mod caller;
mod body;
mod text;
mod idempotency;
pub(crate) mod admission;

mod paging;
mod condition;
mod filter;
mod queue_filter;

pub(crate) mod account;
pub(crate) mod app_passwords;
pub(crate) mod messages;
pub(crate) mod accounts;
pub(crate) mod identities;
pub(crate) mod limits;
pub(crate) mod queue;
pub(crate) mod queue_actions;
pub(crate) mod throttles;
pub(crate) mod audit;

pub(crate) mod problems;
pub(crate) mod openapi;
pub(crate) mod document;
