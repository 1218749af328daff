//! What is answered: a verdict, as JSON. Fields that nobody knows are passed over, those that are known must be right.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::error::Category;
use types::{Mailbox, Secret};

/// The answer, understood.
pub(super) struct HandlerAnswer {
    pub(super) word: Word,
    /// Of the account, if it is not the user name.
    pub(super) address: Option<Mailbox>,
    /// Of the user: what the client has to prove to know.
    pub(super) password: Option<Secret>,
    pub(super) until: Option<Timestamp>,
}

/// The verdict, in a word.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Word {
    Accept,
    Refuse,
    Unknown,
}

#[derive(Deserialize)]
struct Written {
    verdict: Word,
    address: Option<String>,
    password: Option<String>,
    until: Option<String>,
}

impl HandlerAnswer {
    /// Reads the body of an answer; or says what is wrong with it, in words that have nothing of it.
    pub(super) fn read(body: &[u8]) -> Result<Self, &'static str> {
        let Written { verdict, address, password, until } =
            serde_json::from_slice(body).map_err(|error| match error.classify() {
                Category::Data => {
                    "is JSON, but not {\"verdict\": \"accept\", \"refuse\" or \"unknown\"} with strings \
                     for \"address\", \"password\" and \"until\""
                }
                Category::Syntax | Category::Eof | Category::Io => "is not JSON",
            })?;
        // Wiped, whatever else is wrong.
        let password = password.map(Secret::new);
        // What a program has of somebody without a password, and what anybody could prove to know.
        if password.as_ref().is_some_and(|password| password.declassify().is_empty()) {
            return Err("has an empty \"password\"");
        }
        let address = address.map(|text| Mailbox::parse(&text)).transpose();
        let until = until.map(|text| text.parse()).transpose();
        Ok(Self {
            word: verdict,
            address: address.map_err(|_| "has an \"address\" that is none")?,
            password,
            until: until.map_err(|_| "has an \"until\" that is no time such as \"2027-01-31T12:00:00Z\"")?,
        })
    }
}
