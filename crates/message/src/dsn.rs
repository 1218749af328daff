//! Reports to senders about what became of their messages: delivery status notifications (RFC 3464) as multipart/report (RFC 6522),
//! with the types of RFC 6533 where addresses or headers are in UTF-8.
//!
//! Most of what stands in a report was said by others: the next host, whoever wrote the message, whoever named its envelope. `quote`
//! makes it harmless before it is written, and bounds it. When a report is due, and to whom, is decided elsewhere.

mod report;
mod quote;
mod words;
mod status;
mod original;
mod compose;

pub use compose::Composed;
pub use report::{Original, Report, ReportedRecipient, Status};

#[cfg(test)]
mod tests;
