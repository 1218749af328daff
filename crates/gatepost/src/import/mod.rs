//! Accounts as other servers wrote them down: read, understood and checked, one at a time.
//!
//! A file for each form. Nothing here knows the store; what is found goes to `cmd/user/import.rs`, which takes it in.

pub(crate) mod csv;
pub(crate) mod dovecot;
pub(crate) mod wildduck;

mod lines;

use std::fmt;
use std::sync::Arc;

use auth::totp::Seed;
use auth::{ImportedPassword, StoredError};
use jiff::Timestamp;
use types::{Domain, Mailbox, SenderPattern};

/// Where something stands, for the one who has to mend it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) file: Arc<str>,
    pub(crate) line: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// What stands at a place: an account, or what is wrong there and what to do about it.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) place: Place,
    pub(crate) newcomer: Result<Newcomer, String>,
}

/// All that is found in one file after another. What is wrong with a file as a whole is the outer error.
pub(crate) type Finds = Box<dyn Iterator<Item = anyhow::Result<Found>>>;

/// An account of another server.
#[derive(Debug)]
pub(crate) struct Newcomer {
    pub(crate) address: Mailbox,
    pub(crate) name: Option<String>,
    pub(crate) admin: bool,
    pub(crate) disabled: bool,
    /// `None`: app passwords only.
    pub(crate) password: Option<ImportedPassword>,
    pub(crate) app_passwords: Vec<ForeignAppPassword>,
    pub(crate) seed: Option<Seed>,
    pub(crate) identities: Vec<SenderPattern>,
    pub(crate) created_at: Option<Timestamp>,
    /// What belongs to the account and can't be taken.
    pub(crate) lacks: Vec<String>,
}

impl Newcomer {
    /// Nothing but an address.
    pub(crate) fn new(address: Mailbox) -> Self {
        Self {
            address,
            name: None,
            admin: false,
            disabled: false,
            password: None,
            app_passwords: Vec::new(),
            seed: None,
            identities: Vec::new(),
            created_at: None,
            lacks: Vec::new(),
        }
    }
}

/// An app password of another server: its slow hash, and the part of the password by which it is found.
#[derive(Debug)]
pub(crate) struct ForeignAppPassword {
    pub(crate) label: String,
    pub(crate) hash: String,
    pub(crate) selector: String,
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) expires_at: Option<Timestamp>,
}

/// How what is left unsaid is to be read.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// The domain of names without one.
    pub(crate) domain: Option<Domain>,
    /// The scheme of passwords without one.
    pub(crate) scheme: String,
}

impl Terms {
    fn address(&self, user: &str) -> Result<Mailbox, String> {
        if user.is_empty() {
            return Err("there is no user name; give one".to_owned());
        }
        let completed = match (&self.domain, user.contains('@')) {
            (Some(domain), false) => format!("{user}@{domain}"),
            (None, false) => {
                return Err(format!(
                    "{} is no address; pass --domain to complete names without one",
                    quoted(user)
                ));
            }
            (_, true) => user.to_owned(),
        };
        let address = Mailbox::parse(&completed);
        address.map_err(|error| format!("{} is not an address: {error}; fix it", quoted(&completed)))
    }

    fn password(&self, text: &str) -> Result<ImportedPassword, String> {
        ImportedPassword::parse(text, &self.scheme).map_err(|error| advice(error, text, &self.scheme))
    }
}

/// How much of what stands in a file is shown, in characters: enough to find it by.
const SHOWN: usize = 60;

/// The beginning of what stands there, so that a terminal neither obeys it nor is flooded.
fn quoted(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}…", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

/// What a hash says that it is: `{SCHEME}…` or `$scheme$…`; without either, of the scheme of those that name none.
fn scheme_of<'t>(text: &'t str, scheme: &'t str) -> &'t str {
    let braced = text.strip_prefix('{').and_then(|rest| rest.split_once('}'));
    let dollars = text.strip_prefix('$').and_then(|rest| rest.split_once('$'));
    braced.or(dollars).map_or(scheme, |(name, _)| name)
}

/// What is wrong with a hash, and what to do about it. The hash itself is not shown: it is a secret of its owner's.
fn advice(error: StoredError, text: &str, scheme: &str) -> String {
    match error {
        StoredError::Malformed => format!(
            "{error}; write {{SCHEME}} before it if it is not of the scheme {scheme}, or give the account a \
             new password"
        ),
        StoredError::UnknownScheme => {
            format!("{error}, {}; give the account a new password", quoted(scheme_of(text, scheme)))
        }
        StoredError::TooCostly | StoredError::Clear => {
            format!("{error}; give the account a new password")
        }
    }
}
