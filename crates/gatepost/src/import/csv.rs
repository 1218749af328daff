//! A table: CSV as in RFC 4180, under a heading that names the columns.

use std::io::Read;
use std::sync::Arc;

use anyhow::bail;
use auth::ImportedPassword;
use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord, Trim};
use types::Secret;

use super::{Found, Newcomer, Place, Terms, quoted};
use crate::argument;

/// The columns that there may be, in any order; the first there must be.
const COLUMNS: [&str; 6] = ["address", "name", "password_hash", "password", "disabled", "admin"];

/// Where each column stands, if it does.
#[derive(Clone, Copy, Debug, Default)]
struct Columns([Option<usize>; COLUMNS.len()]);

/// The accounts of a file.
///
/// # Errors
/// When the heading can't be read, or names a column that there isn't.
pub(crate) fn read<R: Read>(
    file: Arc<str>,
    reader: R,
    terms: Terms,
) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Found>>> {
    let mut reader = ReaderBuilder::new().trim(Trim::Headers).from_reader(reader);
    let columns = match reader.headers() {
        Ok(heading) => columns(&file, heading)?,
        Err(error) => bail!("{file}:1: the heading can't be read: {}", flaw(error.kind())),
    };
    let mut rows = Rows { file, reader, columns, terms };
    Ok(std::iter::from_fn(move || rows.next()))
}

fn columns(file: &str, heading: &StringRecord) -> anyhow::Result<Columns> {
    let mut columns = Columns::default();
    for (at, name) in heading.iter().enumerate() {
        let known = COLUMNS.iter().zip(&mut columns.0).find(|(known, _)| known.eq_ignore_ascii_case(name));
        let Some((_, column)) = known else {
            bail!("{file}:1: the column {} is not known; there are {}", quoted(name), COLUMNS.join(", "));
        };
        if column.replace(at).is_some() {
            bail!("{file}:1: the column {} is there twice; leave one", quoted(name));
        }
    }
    if columns.0[0].is_none() {
        bail!("{file}:1: there is no column \"address\"; name the columns in the first line");
    }
    Ok(columns)
}

struct Rows<R> {
    file: Arc<str>,
    reader: Reader<R>,
    columns: Columns,
    terms: Terms,
}

impl<R: Read> Rows<R> {
    fn next(&mut self) -> Option<anyhow::Result<Found>> {
        let (mut row, line) = (StringRecord::new(), self.reader.position().line());
        let newcomer = match self.reader.read_record(&mut row) {
            Ok(false) => return None,
            Ok(true) => account(|column| self.columns.of(&row, column), &self.terms),
            Err(error) => match error.kind() {
                ErrorKind::Io(_) => {
                    return Some(
                        Err(anyhow::Error::new(error).context(format!("cannot read {}", self.file))),
                    );
                }
                kind => Err(flaw(kind)),
            },
        };
        let line = row.position().map_or(line, csv::Position::line);
        Some(Ok(Found { place: Place { file: Arc::clone(&self.file), line }, newcomer }))
    }
}

impl Columns {
    /// The field of this column, unless it is empty.
    fn of<'a>(&self, row: &'a StringRecord, column: &str) -> Option<&'a str> {
        let (_, at) = COLUMNS.iter().zip(self.0).find(|(known, _)| **known == column)?;
        row.get(at?).filter(|field| !field.is_empty())
    }
}

fn flaw(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::UnequalLengths { expected_len, len, .. } => format!(
            "it has not as many fields as the heading ({len}, not {expected_len}); put fields that \
             have a comma in them into quotes"
        ),
        ErrorKind::Io(error) => error.to_string(),
        ErrorKind::Utf8 { .. } => "the line is not in UTF-8; convert the file to UTF-8".to_owned(),
        _ => "it is not CSV as in RFC 4180; fix it".to_owned(),
    }
}

fn account<'a>(field: impl Fn(&str) -> Option<&'a str>, terms: &Terms) -> Result<Newcomer, String> {
    let address = field("address").ok_or("there is no address; give one")?;
    let mut newcomer = Newcomer::new(terms.address(address.trim())?);
    let name = field("name").map(argument::text).transpose();
    newcomer.name = name.map_err(|flaw| format!("the name can't be used: {flaw}; fix it"))?;
    newcomer.password = match (field("password_hash"), field("password")) {
        (Some(_), Some(_)) => return Err("it has a password and a hash; leave one".to_owned()),
        (Some(hash), None) => Some(terms.password(hash)?),
        (None, Some(password)) => Some(ImportedPassword::Clear(Secret::from(password.to_owned()))),
        (None, None) => None,
    };
    newcomer.disabled = switch("disabled", field("disabled"))?;
    newcomer.admin = switch("admin", field("admin"))?;
    Ok(newcomer)
}

fn switch(column: &str, field: Option<&str>) -> Result<bool, String> {
    match field.map(|field| field.trim().to_ascii_lowercase()).as_deref() {
        Some("true" | "yes" | "y" | "1") => Ok(true),
        None | Some("false" | "no" | "n" | "0" | "") => Ok(false),
        Some(other) => Err(format!("{column} is {}; write true or false", quoted(other))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> anyhow::Result<Vec<Found>> {
        let terms = Terms { domain: None, scheme: "CRYPT".to_owned() };
        read("users.csv".into(), text.as_bytes(), terms)?.collect()
    }

    #[test]
    fn columns_stand_in_any_order_and_fields_may_be_quoted() {
        let text = "\u{feff}Admin, password_hash ,name,address\r\n\
                    yes,{SSHA}vH9ZzOQJ2A1cNOLXHJVHCxIbfMf5r1P+,\"Liddell, Alice\",alice@example.org\r\n\
                    ,,\"Bob \"\"B\"\"\",bob@example.org\r\n";
        let found = found(text).unwrap();
        let alice = found[0].newcomer.as_ref().unwrap();
        assert_eq!(
            (alice.admin, alice.disabled, alice.name.as_deref()),
            (true, false, Some("Liddell, Alice"))
        );
        assert!(matches!(&alice.password, Some(ImportedPassword::Hash(hash)) if hash.starts_with("{SSHA}")));
        let bob = found[1].newcomer.as_ref().unwrap();
        assert_eq!((bob.admin, bob.name.as_deref()), (false, Some("Bob \"B\"")));
        assert!(bob.password.is_none());
    }

    #[test]
    fn a_password_in_clear_is_taken_as_it_is() {
        let found = found("address,password\nalice@example.org,\" {PLAIN}x \"\n").unwrap();
        let password = found[0].newcomer.as_ref().unwrap().password.as_ref().unwrap();
        assert!(matches!(password, ImportedPassword::Clear(secret) if secret.declassify() == b" {PLAIN}x "));
    }

    #[test]
    fn a_bad_row_is_told_by_its_line_and_the_next_is_read() {
        let text = "address,password,password_hash,disabled\n\
                    a@example.org,\"two\nlines\",,\n\
                    b@example.org\n\
                    c@example.org,x,$6$x,\n\
                    d@example.org,,,maybe\n\
                    ,x,,\n\
                    e@example.org,,,1\n";
        let found = found(text).unwrap();
        let told: Vec<_> = found
            .iter()
            .map(|found| (found.place.line, found.newcomer.as_ref().map_or_else(String::as_str, |_| "ok")))
            .collect();
        for ((line, told), (expected, words)) in told.into_iter().zip([
            (2, "ok"),
            (4, "as many fields as the heading (1, not 4)"),
            (5, "leave one"),
            (6, "disabled is \"maybe\""),
            (7, "no address"),
            (8, "ok"),
        ]) {
            assert_eq!(line, expected);
            assert!(told.contains(words), "{line}: {told}");
        }
    }

    #[test]
    fn a_heading_that_is_not_understood_ends_it() {
        for (text, why) in [
            ("address,quota\n", "\"quota\" is not known; there are address, name"),
            ("name\n", "no column \"address\""),
            ("address,ADDRESS\n", "twice"),
            ("", "no column \"address\""),
            ("alice@example.org,x\n", "\"alice@example.org\" is not known"),
        ] {
            let error = found(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text:?}: {error}");
        }
    }
}
