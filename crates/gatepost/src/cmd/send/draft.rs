//! The message as it is written: a file of its own, or a subject and a text. With a table of recipients it has gaps.
//!
//! What each message has to say of itself is added where it is missing. Bcc is taken out: who is in it is the envelope's business.

use std::borrow::Cow;
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use message::{Header, holds_addresses};
use types::Mailbox;

use super::address::in_header;
use super::letter::Letter;
use super::recipients::{Recipients, Row};
use super::regions::Regions;
use super::source::Source;
use super::template::{Gap, Place, Template};

/// A message that can be made for each recipient.
#[derive(Debug)]
pub(crate) struct Draft {
    fields: Vec<Field>,
    body: Body,
    /// What whoever sends it may not expect of it, though nothing is wrong.
    pub(crate) remarks: Vec<String>,
}

#[derive(Debug)]
struct Field {
    name: String,
    value: Template,
}

#[derive(Debug)]
enum Body {
    Fixed(Vec<u8>),
    Template(Template),
}

/// What one message is made with.
#[derive(Debug)]
pub(crate) struct About<'a> {
    pub(crate) from: &'a Mailbox,
    pub(crate) to: Vec<&'a Mailbox>,
    /// The line of the table that is filled in, and the names of its columns.
    pub(crate) row: Option<(&'a Recipients, &'a Row)>,
    pub(crate) at: Timestamp,
    /// The local part of a Message-ID: no other message has it.
    pub(crate) id: String,
}

/// Fields in which nothing is filled in: they say how the message is read, or are made anew for each.
const FIXED: [&str; 6] =
    ["Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Received"];

/// Fields whose addresses the other recipients are not to see.
const HIDDEN: [&str; 2] = ["Bcc", "Resent-Bcc"];

fn is_one_of(names: &[&str], name: &str) -> bool {
    names.iter().any(|one| one.eq_ignore_ascii_case(name))
}

impl Draft {
    /// A message in a file, with its header. Its gaps are for `columns`; without them it has none.
    ///
    /// # Errors
    /// Every fault, with its place.
    pub(crate) fn of_message(source: &Source, columns: Option<&[String]>) -> Result<Draft, Vec<String>> {
        let text = source.with_crlf().map_err(|fault| vec![fault])?;
        let (section, body) = cut(&text);
        let whole = |fault: String| vec![format!("{}: {fault}", source.name)];
        let header = Header::parse(section)
            .map_err(|error| whole(format!("{error}; a message begins with its header")))?;
        if header.fields().next().is_none() {
            return Err(whole(
                "there is no header; begin with one, or give a text by --subject and --text".to_owned(),
            ));
        }
        let (mut fields, mut faults, mut line) = (Vec::new(), Vec::new(), 1);
        for field in header.fields() {
            let place = Place { file: &source.name, line, indent: field.name().len() + 1 };
            match Field::read(field.name(), field.value(), place, columns) {
                Ok(field) => fields.push(field),
                Err(found) => faults.extend(found),
            }
            line += field.raw().matches('\n').count();
        }
        let place = Place { file: &source.name, line: line + 1, indent: 0 };
        let body = Body::read(&header, body, place, columns);
        let mut draft = match body {
            Ok(body) if faults.is_empty() => Draft { fields, body, remarks: Vec::new() },
            Ok(_) => return Err(faults),
            Err(more) => return Err([faults, more].concat()),
        };
        draft.remark(source, columns.is_some());
        Ok(draft)
    }

    /// A subject and a text.
    ///
    /// # Errors
    /// Every fault, with its place.
    pub(crate) fn of_text(
        subject: &str,
        source: &Source,
        columns: Option<&[String]>,
    ) -> Result<Draft, Vec<String>> {
        let subject_place = Place { file: "--subject", line: 1, indent: 0 };
        source.text().map_err(|fault| vec![fault])?;
        let text = source.with_crlf().map_err(|fault| vec![fault])?;
        let mut fields = vec![Field::read("Subject", &format!(" {subject}"), subject_place, columns)?];
        for (name, value) in [("MIME-Version", " 1.0"), ("Content-Type", " text/plain; charset=utf-8")] {
            fields.push(Field { name: name.to_owned(), value: Template::fixed(value) });
        }
        let header = Header::parse(b"").map_err(|error| vec![error.to_string()])?;
        let place = Place { file: &source.name, line: 1, indent: 0 };
        let body = Body::read(&header, &text, place, columns)?;
        let mut draft = Draft { fields, body, remarks: Vec::new() };
        draft.remark(source, columns.is_some());
        Ok(draft)
    }

    fn remark(&mut self, source: &Source, has_columns: bool) {
        if self.has(|name| is_one_of(&HIDDEN, name)) {
            let remark = "the Bcc field is left out, and gives nobody a copy: recipients are named by --to or in the CSV";
            self.remarks.push(format!("{}: {remark}", source.name));
        }
        if !has_columns && source.octets.windows(2).any(|pair| pair == b"{{") {
            let remark = "\"{{\" leaves as it stands: only with --recipients is something filled in";
            self.remarks.push(format!("{}: {remark}", source.name));
        }
    }

    /// Makes the message.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn letter(&self, about: &About<'_>) -> Result<Letter, String> {
        let body = self.body.filled(about)?;
        let mut section = String::new();
        for field in self.fields.iter().filter(|field| field.stays(about)) {
            // Writing to a string does not fail.
            let _ = write!(section, "{}:{}\r\n", field.name, field.filled(about)?);
        }
        for (name, value) in self.missing(about, &body)? {
            let _ = write!(section, "{name}: {value}\r\n");
        }
        Letter::new(section, &body)
    }

    /// What the message will be called, with its angle brackets.
    pub(crate) fn message_id(&self, about: &About<'_>) -> String {
        let kept = self.fields.iter().find(|field| field.is("Message-ID") && field.stays(about));
        let kept = kept.and_then(|field| field.filled(about).ok()).map(|value| value.trim().to_owned());
        kept.unwrap_or_else(|| new_message_id(about))
    }

    /// The fields that the message lacks: RFC 5322 section 3.6, and RFC 2045 for a text beyond ASCII.
    fn missing(&self, about: &About<'_>, body: &[u8]) -> Result<Vec<(&'static str, String)>, String> {
        let lacks = |name: &str| !self.fields.iter().any(|field| field.is(name) && field.stays(about));
        let to: Vec<String> = about.to.iter().map(|mailbox| in_header(mailbox)).collect();
        let date = jiff::fmt::rfc2822::to_string(&about.at.to_zoned(TimeZone::UTC))
            .map_err(|error| error.to_string())?;
        let mut missing = vec![
            ("Date", date),
            ("From", in_header(about.from)),
            ("To", to.join(",\r\n ")),
            ("Message-ID", new_message_id(about)),
        ];
        if about.row.is_none() && !lacks("Cc") {
            missing.retain(|(name, _)| *name != "To");
        }
        if !body.is_ascii() {
            if lacks("Content-Type") && std::str::from_utf8(body).is_err() {
                return Err("the body is not UTF-8, and no Content-Type says what it is; add one".to_owned());
            }
            missing.extend([
                ("MIME-Version", "1.0".to_owned()),
                ("Content-Type", "text/plain; charset=utf-8".to_owned()),
                ("Content-Transfer-Encoding", "8bit".to_owned()),
            ]);
        }
        missing.retain(|(name, _)| lacks(name));
        Ok(missing)
    }

    fn has(&self, is_it: impl Fn(&str) -> bool) -> bool {
        self.fields.iter().any(|field| is_it(&field.name))
    }
}

fn new_message_id(about: &About<'_>) -> String {
    format!("<{}@{}>", about.id, about.from.host().normal())
}

impl Field {
    fn read(
        name: &str,
        value: &str,
        place: Place<'_>,
        columns: Option<&[String]>,
    ) -> Result<Field, Vec<String>> {
        let value = match columns {
            Some(columns) => Template::read(value, place, columns)?,
            None => Template::fixed(value),
        };
        let gap = value.gaps().next().filter(|_| is_one_of(&FIXED, name));
        match gap {
            Some(_) => Err(vec![format!("{}: nothing can be filled in in {name}", place.of("", 0))]),
            None => Ok(Field { name: name.to_owned(), value }),
        }
    }

    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Whether it stays in the message. With a table each message is a new one, and to one recipient.
    fn stays(&self, about: &About<'_>) -> bool {
        let is_made_anew = || is_one_of(&["Date", "Message-ID"], &self.name);
        let is_for_others = || self.is("To") && self.value.gaps().next().is_none();
        !is_one_of(&HIDDEN, &self.name) && (about.row.is_none() || !(is_made_anew() || is_for_others()))
    }

    fn filled(&self, about: &About<'_>) -> Result<String, String> {
        self.value.filled(|gap, before| {
            let value = value(about, gap);
            if value.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
                let (column, name) = (column(about, gap), &self.name);
                return Err(format!(
                    "{column:?} has a line end or another control character, and comes into the header field {name}; \
                     take it out"
                ));
            }
            // A value that is filled in there could be more than one address.
            Ok(if holds_addresses(&self.name) { among_addresses(value, before) } else { value.into() })
        })
    }
}

impl Body {
    fn read(
        header: &Header<'_>,
        body: &[u8],
        place: Place<'_>,
        columns: Option<&[String]>,
    ) -> Result<Body, Vec<String>> {
        let Some(columns) = columns else { return Ok(Body::Fixed(body.to_vec())) };
        let text = std::str::from_utf8(body).map_err(|error| {
            vec![format!(
                "{}: this is not UTF-8; convert the file to UTF-8",
                place.of("", error.valid_up_to())
            )]
        })?;
        let template = Template::read(text, place, columns)?;
        let regions = Regions::of(header, text);
        let obstacles = template.gaps().filter_map(|gap| {
            let obstacle = regions.obstacle(gap.at)?;
            Some(format!("{}: nothing can be filled in here: {obstacle}", place.of(text, gap.at)))
        });
        let obstacles: Vec<String> = obstacles.collect();
        if obstacles.is_empty() { Ok(Body::Template(template)) } else { Err(obstacles) }
    }

    fn filled(&self, about: &About<'_>) -> Result<Cow<'_, [u8]>, String> {
        match self {
            Body::Fixed(octets) => Ok(Cow::Borrowed(octets)),
            Body::Template(template) => {
                let filled = template.filled(|gap, _| match value(about, gap) {
                    value if value.contains('\0') => {
                        Err(format!("{:?} has a NUL; take it out", column(about, gap)))
                    }
                    value => Ok(with_crlf(value).into()),
                })?;
                Ok(Cow::Owned(filled.into_bytes()))
            }
        }
    }
}

fn value<'a>(about: &About<'a>, gap: Gap) -> &'a str {
    about.row.and_then(|(_, row)| row.fields.get(gap.column)).map_or("", String::as_str)
}

fn column<'a>(about: &About<'a>, gap: Gap) -> &'a str {
    about.row.and_then(|(table, _)| table.columns.get(gap.column)).map_or("", String::as_str)
}

/// A value that stays one address, or one name, whatever is in it. In quotes it needs no quotes of its own.
fn among_addresses<'a>(value: &'a str, before: &str) -> Cow<'a, str> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '\'');
    if Mailbox::parse(value).is_ok() || value.chars().all(is_word) {
        return value.into();
    }
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
    if is_in_quotes(before) { escaped.into() } else { format!("\"{escaped}\"").into() }
}

/// RFC 5322 section 3.2.4.
fn is_in_quotes(text: &str) -> bool {
    let (mut inside, mut escaped) = (false, false);
    for c in text.chars() {
        inside ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
    }
    inside
}

fn with_crlf(value: &str) -> String {
    value.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n")
}

/// The header section with the line end of its last field, and what stands behind the blank line.
fn cut(text: &[u8]) -> (&[u8], &[u8]) {
    if let Some(body) = text.strip_prefix(b"\r\n") {
        return (&[], body);
    }
    let end = text.windows(4).position(|octets| octets == b"\r\n\r\n");
    let Some((section, body)) = end.and_then(|end| text.split_at_checked(end + 2)) else {
        return (text, &[]);
    };
    (section, body.strip_prefix(b"\r\n").unwrap_or(body))
}

#[cfg(test)]
mod tests;
