//! In whose names a message is written, and the fields that say so, written so that every reader reads the same.

use types::Mailbox;

use crate::author_field;
use crate::header::{Field, Header};
use crate::mailbox_list::{ListError, Mailboxes, Member, read_mailboxes, read_name};
use crate::plain_form::is_plain;
use crate::signature::Coverage;

/// Why a message can't be told to be in somebody's name. It must be refused then: whatever we read in it, somebody
/// else may read another name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorsError {
    /// There is no header at all.
    #[error("there is no header")]
    NoHeader,
    /// RFC 5322 section 3.6 asks for exactly one From.
    #[error("the message has no From field")]
    NoFrom,
    /// None can be added, as a signature covers that there is none (RFC 6376 section 5.4.2).
    #[error("the message has no From field, and its signature forbids to add one")]
    NoFromSigned,
    /// RFC 5322 section 3.6 allows one From, and one Sender.
    #[error("the message has more than one {0} field")]
    Several(&'static str),
    /// The field can't be read, or could be read in two ways.
    #[error("the {0} field {1}")]
    Unclear(&'static str, ListError),
    /// The field has to be written anew, and a signature covers it.
    #[error("the {0} field is signed, and may be read in another way than it is meant")]
    Signed(&'static str),
}

/// The fields that name an author, or where an answer to one goes: RFC 5322 sections 3.6.2 and 3.6.6.
const FIELDS: [&str; 6] = ["From", "Sender", "Reply-To", "Resent-From", "Resent-Sender", "Resent-Reply-To"];

/// The author fields of a header section.
#[derive(Debug, Clone)]
pub struct Authors<'a> {
    fields: Vec<AuthorField<'a>>,
}

#[derive(Debug, Clone)]
struct AuthorField<'a> {
    name: &'static str,
    /// Its place in the section.
    place: usize,
    field: Field<'a>,
    /// `None` if there is no address in it.
    list: Option<Mailboxes>,
}

/// What is to be done with a field of the header section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// It names nobody, and goes.
    Remove,
    /// This is written in its place, behind its name and colon.
    Rewrite(String),
}

impl<'a> Authors<'a> {
    /// Reads the author fields. Read with patience, what was badly written but can only mean one thing is read as that.
    ///
    /// # Errors
    /// [`AuthorsError`], for a field that does not have exactly one reading. A Reply-To may be anything.
    pub fn read(header: &Header<'a>, patient: bool) -> Result<Self, AuthorsError> {
        let mut fields = Vec::with_capacity(2);
        for (place, field) in header.fields().enumerate() {
            let Some(name) = FIELDS.into_iter().find(|name| field.is(name)) else { continue };
            fields.extend(AuthorField::read(name, place, field, patient)?);
        }
        let authors = Self { fields };
        authors.is_one("From")?;
        authors.is_one("Sender")?;
        Ok(authors)
    }

    fn is_one(&self, name: &'static str) -> Result<(), AuthorsError> {
        let several = self.named(name).nth(1).is_some();
        if several { Err(AuthorsError::Several(name)) } else { Ok(()) }
    }

    fn named(&self, name: &'static str) -> impl Iterator<Item = &AuthorField<'a>> {
        self.fields.iter().filter(move |field| field.name == name)
    }

    /// Whether a From field says who wrote the message.
    #[must_use]
    pub fn has_from(&self) -> bool {
        self.named("From").any(|field| field.list.is_some())
    }

    /// Why nobody is known to have written the message, of which [`has_from`](Self::has_from) is not true.
    pub(crate) fn missing_from(&self) -> AuthorsError {
        match self.named("From").next().map(|field| read_name(field.field.value()).is_empty()) {
            Some(true) => AuthorsError::Unclear("From", ListError::Empty),
            Some(false) => AuthorsError::Unclear("From", ListError::NameAlone),
            None => AuthorsError::NoFrom,
        }
    }

    /// The value of the From field that is to be added, for an author of whom the message has a name at most.
    pub(crate) fn added_from(&self, author: &Mailbox, own: &dyn Fn(&Mailbox) -> bool) -> String {
        let name = self.named("From").map(|field| read_name(field.field.value())).next().unwrap_or_default();
        author_field::write(&[Member { mailbox: author.clone(), name, named: None }], "From:".len(), own)
    }

    /// Every address in whose name the message speaks, and the field that says so. Reply-To speaks in nobody's name.
    pub fn speakers(&self) -> impl Iterator<Item = (&'static str, &Mailbox)> {
        let speaking = self.fields.iter().filter(|field| !field.name.ends_with("Reply-To"));
        speaking.flat_map(|field| {
            let members = field.list.iter().flat_map(|list| &list.members);
            members
                .flat_map(|member| std::iter::once(&member.mailbox).chain(&member.named))
                .map(|mailbox| (field.name, mailbox))
        })
    }

    /// The addresses that stand in names. Those that are the author's own may stay there.
    pub fn in_names(&self) -> impl Iterator<Item = Mailbox> {
        let members = self.fields.iter().flat_map(|field| &field.list).flat_map(|list| &list.members);
        members.flat_map(|member| author_field::addresses_in(&member.name))
    }

    /// What has to be done so that every reader reads these authors, with the place of each field.
    ///
    /// # Errors
    /// [`AuthorsError::Signed`] if a signature forbids it.
    pub(crate) fn changes(
        &self,
        coverage: &Coverage,
        own: &dyn Fn(&Mailbox) -> bool,
    ) -> Result<Vec<(usize, Change)>, AuthorsError> {
        let mut changes = Vec::new();
        for field in &self.fields {
            let Some(change) = field.change(own) else { continue };
            if coverage.has_field(field.name) {
                return Err(AuthorsError::Signed(field.name));
            }
            changes.push((field.place, change));
        }
        Ok(changes)
    }
}

impl<'a> AuthorField<'a> {
    /// Reads a field; nothing if it may stay as it is, whatever it says.
    fn read(
        name: &'static str,
        place: usize,
        field: Field<'a>,
        patient: bool,
    ) -> Result<Option<Self>, AuthorsError> {
        let read = |list| Ok(Some(Self { name, place, field, list }));
        match read_mailboxes(field.value()) {
            Ok(list) if name.ends_with("Sender") && list.members.len() > 1 => {
                Err(AuthorsError::Unclear(name, ListError::Several))
            }
            Ok(list) if list.strict || patient => read(Some(list)),
            Err(ListError::Empty) if patient => read(None),
            Err(ListError::NameAlone) if patient && name == "From" => read(None),
            Ok(_) | Err(_) if name.ends_with("Reply-To") => Ok(None),
            Ok(_) => Err(AuthorsError::Unclear(name, ListError::Obsolete)),
            Err(error) => Err(AuthorsError::Unclear(name, error)),
        }
    }

    fn change(&self, own: &dyn Fn(&Mailbox) -> bool) -> Option<Change> {
        let Some(list) = &self.list else { return Some(Change::Remove) };
        let (column, value) = (self.field.name().len() + 1, self.field.value());
        if is_plain(value) {
            return None;
        }
        // It may have come as it would be written, with an own address for a name, or with dots at odd places in an address.
        let anew = author_field::write(&list.members, column, own);
        (anew != value).then_some(Change::Rewrite(anew))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(section: &str, patient: bool) -> Result<Vec<String>, AuthorsError> {
        let header = Header::parse(section.as_bytes()).unwrap();
        Ok(Authors::read(&header, patient)?
            .speakers()
            .map(|(field, mailbox)| format!("{field} {mailbox}"))
            .collect())
    }

    #[test]
    fn everybody_in_whose_name_the_message_speaks_is_named() {
        let section = "From: a@x, B <b@x>\r\nTo: t@x\r\nSender: s@x\r\nReply-To: r@x\r\n\r\n";
        assert_eq!(of(section, false).unwrap(), ["From a@x", "From b@x", "Sender s@x"]);
        let resent = "Resent-Sender: q@x\r\nResent-From: p@x, o@x\r\nfrom: a@x\r\nResent-From: n@x\r\n\r\n";
        assert_eq!(
            of(resent, false).unwrap(),
            ["Resent-Sender q@x", "Resent-From p@x", "Resent-From o@x", "From a@x", "Resent-From n@x"]
        );
        assert_eq!(of("From: a@x.y <b@x>\r\n", true).unwrap(), ["From b@x", "From a@x.y"]);
    }

    #[test]
    fn there_is_one_from_and_at_most_one_sender() {
        use AuthorsError::{Several, Unclear};
        for (section, error) in [
            ("From: a@x\r\nFrom: a@x\r\n", Several("From")),
            ("From: a@x\r\nTo: b@x\r\nFROM: c@x\r\n", Several("From")),
            ("From: a@x\r\nFrom:\r\n", Several("From")),
            ("From: a@x\r\nSender: a@x\r\nsender: a@x\r\n", Several("Sender")),
            ("From: a@x\r\nSender: a@x, b@x\r\n", Unclear("Sender", ListError::Several)),
            ("From: a@x\r\nSender: b\r\n", Unclear("Sender", ListError::NameAlone)),
            ("From: a@x\r\nResent-From: g: b@x;\r\n", Unclear("Resent-From", ListError::Group)),
        ] {
            assert_eq!(of(section, true), Err(error), "{section:?}");
        }
    }

    #[test]
    fn without_patience_obsolete_and_empty_fields_are_refused() {
        for (section, error) in [
            ("From:\r\n", AuthorsError::Unclear("From", ListError::Empty)),
            ("From: a@x\r\nSender:\r\n", AuthorsError::Unclear("Sender", ListError::Empty)),
            ("From: < a@x>\r\n", AuthorsError::Unclear("From", ListError::Obsolete)),
        ] {
            assert_eq!(of(section, false), Err(error), "{section:?}");
            assert!(of(section, true).is_ok(), "{section:?}");
        }
    }

    #[test]
    fn a_reply_to_may_be_anything() {
        for reply_to in ["g: a@x;", "a", "\"", "a@x, b@y", ""] {
            assert!(of(&format!("From: a@x\r\nReply-To: {reply_to}\r\n"), false).is_ok(), "{reply_to}");
        }
    }

    #[test]
    fn addresses_in_names_are_told() {
        let header = Header::parse(b"From: \"a@b (c@d)\" <me@x>\r\nReply-To: e@f <g@h>\r\n").unwrap();
        let authors = Authors::read(&header, true).unwrap();
        assert_eq!(
            authors.in_names().map(|mailbox| mailbox.to_string()).collect::<Vec<_>>(),
            ["a@b", "c@d", "e@f"]
        );
    }
}
