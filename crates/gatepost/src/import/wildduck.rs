//! WildDuck's collections `users`, `asps` and `addresses`, as `mongoexport` writes them.
//!
//! | WildDuck | here |
//! | --- | --- |
//! | `users.address` (or else `username`) | the address, which is also the name to log in with |
//! | `users.password` | the account password |
//! | `users.disabled`, `suspended`, not `activated`, `smtp` among `disabledScopes` | disabled |
//! | `users.enabled2fa` with `totp`, and `seed` | the second factor, on from the start |
//! | `asps` with the scope `smtp` or `*` | app passwords: `description`, `password`, `selector`, `created`, `expires` |
//! | `addresses` of a user | identities |
//!
//! The collections may come in any order, in one file or in several, so that accounts are held until the end.

mod documents;
mod seed;

use std::collections::HashMap;
use std::io::BufRead;
use std::sync::Arc;

use auth::ImportedPassword;
use types::{Secret, SenderPattern};

use super::{Finds, ForeignAppPassword, Found, Newcomer, Place, Terms, quoted};
use crate::argument;
use documents::Fields;

/// What other kinds of second factor there are, WildDuck takes no account password on SMTP from those who have one.
const OTHER_FACTOR: &str = "its account password, since it has a second factor that is not known here: it has its app \
                            passwords, and `gatepost user password` gives it a new one";

/// What has been read of an export.
#[derive(Default)]
pub(crate) struct Export {
    found: Vec<Found>,
    /// Which of `found` the user with this `_id` is.
    users: HashMap<String, usize>,
    parts: Vec<(Place, String, Result<Part, String>)>,
}

/// What belongs to a user.
enum Part {
    AppPassword(ForeignAppPassword),
    Identity(SenderPattern),
    /// Of no use here.
    Nothing,
}

impl Export {
    /// Reads one more file.
    ///
    /// # Errors
    /// When it can't be read to its end.
    pub(crate) fn add(
        &mut self,
        file: &Arc<str>,
        reader: impl BufRead,
        terms: &Terms,
        totp_secret: Option<&Secret>,
    ) -> anyhow::Result<()> {
        let mut sink = |line, fields: Result<Fields, String>| {
            let place = Place { file: Arc::clone(file), line };
            match fields {
                Ok(fields) => self.document(place, &fields, terms, totp_secret),
                Err(flaw) => self.found.push(Found { place, newcomer: Err(flaw) }),
            }
        };
        documents::read(reader, &mut sink)
            .map_err(|error| anyhow::Error::new(error).context(format!("cannot read {file}")))
    }

    /// Tells by its fields of which collection a document is.
    fn document(&mut self, place: Place, fields: &Fields, terms: &Terms, totp_secret: Option<&Secret>) {
        match fields.id("user") {
            Some(user) if fields.has("scopes") => self.parts.push((place, user, app_password(fields))),
            Some(user) => self.parts.push((place, user, identity(fields))),
            // An address that is forwarded belongs to nobody here.
            None if fields.has("addrview") => {}
            None => {
                if let Some(id) = fields.id("_id") {
                    self.users.insert(id, self.found.len());
                }
                let newcomer = user(fields, terms, totp_secret);
                let newcomer = newcomer.map_err(|flaw| format!("{}: {flaw}", name_of(fields)));
                self.found.push(Found { place, newcomer });
            }
        }
    }

    /// The accounts, each with what belongs to it.
    pub(crate) fn finds(mut self) -> Finds {
        for (place, user, part) in std::mem::take(&mut self.parts) {
            let owner = self.users.get(&user).and_then(|at| self.found.get_mut(*at));
            match owner.map(|found| &mut found.newcomer) {
                Some(Ok(owner)) => owner.add(part),
                // Its owner has been told of.
                Some(Err(_)) => {}
                None => {
                    let flaw = format!(
                        "it belongs to the user {user}, who is not in the export; export users as well"
                    );
                    self.found.push(Found { place, newcomer: Err(flaw) });
                }
            }
        }
        Box::new(self.found.into_iter().map(Ok))
    }
}

impl Newcomer {
    fn add(&mut self, part: Result<Part, String>) {
        match part {
            Ok(Part::AppPassword(password)) => self.app_passwords.push(password),
            Ok(Part::Identity(sender)) if sender.normal() == self.address.normal() => {}
            Ok(Part::Identity(sender)) => self.identities.push(sender),
            Ok(Part::Nothing) => {}
            Err(flaw) => self.lacks.push(flaw),
        }
    }
}

/// What people call a user of whom something has to be told.
fn name_of(fields: &Fields) -> &str {
    fields.text("address").or_else(|| fields.text("username")).unwrap_or("a document without a name")
}

fn user(fields: &Fields, terms: &Terms, totp_secret: Option<&Secret>) -> Result<Newcomer, String> {
    let address = fields.text("address").or_else(|| fields.text("username"));
    let address =
        address.ok_or("it has neither address nor username; this is no user, asp or address of WildDuck")?;
    let mut newcomer = Newcomer::new(terms.address(address)?);
    newcomer.name = fields.text("name").and_then(|name| argument::text(name).ok());
    newcomer.disabled = is_disabled(fields);
    newcomer.created_at = fields.time("created");
    newcomer.password = fields.text("password").map(|hash| terms.password(hash)).transpose()?;
    let factors = fields.list("enabled2fa");
    // Earlier versions wrote `true`.
    if factors.contains(&"totp") || fields.flag("enabled2fa") {
        let seed = fields.text("seed").ok_or("its second factor has no seed; switch it off in WildDuck")?;
        newcomer.seed = Some(seed::open(seed, totp_secret)?);
    } else if factors.iter().any(|factor| *factor != "u2f") && newcomer.password.take().is_some() {
        newcomer.lacks.push(OTHER_FACTOR.to_owned());
    }
    Ok(newcomer)
}

fn is_disabled(fields: &Fields) -> bool {
    fields.flag("disabled")
        || fields.flag("suspended")
        || fields.is_false("activated")
        || fields.list("disabledScopes").contains(&"smtp")
}

fn app_password(fields: &Fields) -> Result<Part, String> {
    if !fields.list("scopes").iter().any(|scope| matches!(*scope, "smtp" | "*")) {
        return Ok(Part::Nothing);
    }
    let label = fields.text("description").and_then(|label| argument::text(label).ok());
    let label = label.unwrap_or_else(|| "from WildDuck".to_owned());
    let anew = "; its owner has to make a new one";
    let selector =
        fields.text("selector").ok_or(format!("the app password {label:?}, which has no selector{anew}"))?;
    let hash = fields.text("password").unwrap_or_default();
    match ImportedPassword::parse(hash, "CRYPT") {
        Ok(ImportedPassword::Hash(hash)) => Ok(Part::AppPassword(ForeignAppPassword {
            label,
            hash,
            selector: selector.to_owned(),
            created_at: fields.time("created"),
            expires_at: fields.time("expires"),
        })),
        Ok(ImportedPassword::Clear(_)) => {
            Err(format!("the app password {label:?}, which is kept in clear{anew}"))
        }
        Err(error) => Err(format!("the app password {label:?}: {error}{anew}")),
    }
}

/// `*@domain` is every address there; WildDuck's other patterns have no like here.
fn identity(fields: &Fields) -> Result<Part, String> {
    let address = fields.text("address").unwrap_or_default();
    let sender = match address.strip_prefix("*@") {
        None if address.contains('*') => None,
        _ => address.parse::<SenderPattern>().ok(),
    };
    let flaw = || {
        format!(
            "the address {}, which is neither an address nor *@domain; see `gatepost identity add`",
            quoted(address)
        )
    };
    sender.map(Part::Identity).ok_or_else(flaw)
}

#[cfg(test)]
mod tests;
