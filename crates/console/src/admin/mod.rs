//! The pages of administration. To whoever is no administrator there are none.

pub(crate) mod overview;
pub(crate) mod incidents;
pub(crate) mod accounts;
pub(crate) mod invitation;
pub(crate) mod new_account;
pub(crate) mod account;
pub(crate) mod queue;
mod queue_filter;
pub(crate) mod queue_question;
pub(crate) mod messages;
pub(crate) mod health;
pub(crate) mod locked_out;
pub(crate) mod limits;
pub(crate) mod audit;
pub(crate) mod domains;
pub(crate) mod dkim;
pub(crate) mod webhooks;
pub(crate) mod new_webhook;

/// Where the queue is listed, and below it what is done to its messages.
const QUEUE: &str = "/admin/queue";

/// Where what was sent is listed, and each message below it.
const MESSAGES: &str = "/admin/messages";
