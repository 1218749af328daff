//! The recipients of a mailing: a table, CSV as in RFC 4180, under a heading that names the columns.

use std::collections::HashMap;

use csv::{ErrorKind, ReaderBuilder, StringRecord, Trim};
use types::EnvelopeRecipient;

use super::address;
use super::lines::Lines;
use super::source::Source;

/// What the column with the addresses may be called.
const ADDRESS: [&str; 2] = ["address", "email"];

/// A table that was read to its end without a fault.
#[derive(Debug)]
pub(crate) struct Recipients {
    /// The file, as it is told to people.
    pub(crate) file: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

/// A recipient, and what is known of it.
#[derive(Debug)]
pub(crate) struct Row {
    /// The line in which it begins, from 1.
    pub(crate) line: u64,
    pub(crate) recipient: EnvelopeRecipient,
    /// What stands in each column.
    pub(crate) fields: Vec<String>,
}

impl Recipients {
    /// Reads a table.
    ///
    /// # Errors
    /// Every fault of it, each with its line.
    pub(crate) fn read(source: &Source) -> Result<Recipients, Vec<String>> {
        let mut reader = ReaderBuilder::new().trim(Trim::Headers).from_reader(source.octets.as_slice());
        let mut recipients = Recipients { file: source.name.clone(), columns: Vec::new(), rows: Vec::new() };
        let heading = reader.headers().map_err(|error| vec![recipients.at(1, &fault(error.kind()))])?;
        let address = recipients.take_heading(heading).map_err(|fault| vec![recipients.at(1, &fault)])?;
        let (mut faults, mut row, mut lines) = (Vec::new(), StringRecord::new(), Lines::of(&source.octets));
        loop {
            let read = reader.read_record(&mut row);
            let begun = match &read {
                Ok(_) => row.position(),
                Err(error) => error.position(),
            };
            let line =
                lines.number(begun.and_then(|begun| usize::try_from(begun.byte()).ok()).unwrap_or_default());
            match read {
                Ok(false) => break,
                Ok(true) => match take_row(&row, line, address) {
                    Ok(row) => recipients.rows.push(row),
                    Err(fault) => faults.push(recipients.at(line, &fault)),
                },
                Err(error) => faults.push(recipients.at(line, &fault(error.kind()))),
            }
        }
        faults.extend(recipients.open_quote(source));
        faults.extend(recipients.twice());
        if recipients.rows.is_empty() && faults.is_empty() {
            faults
                .push(recipients.at(2, "there are no recipients under the heading; write one on each line"));
        }
        if faults.is_empty() { Ok(recipients) } else { Err(faults) }
    }

    /// What is wrong at a line.
    pub(crate) fn at(&self, line: u64, fault: &str) -> String {
        format!("{}:{line}: {fault}", self.file)
    }

    /// Takes the names of the columns; which one has the addresses.
    fn take_heading(&mut self, heading: &StringRecord) -> Result<usize, String> {
        for name in heading {
            if name.is_empty() {
                return Err("a column has no name; name each in the first line".to_owned());
            }
            if self.columns.iter().any(|other| other.eq_ignore_ascii_case(name)) {
                return Err(format!("the column {name:?} is there twice; leave one"));
            }
            self.columns.push(name.to_owned());
        }
        let is_address = |name: &String| ADDRESS.iter().any(|known| name.eq_ignore_ascii_case(known));
        let mut found = self.columns.iter().enumerate().filter(|(_, name)| is_address(name));
        match (found.next(), found.next()) {
            (Some((column, _)), None) => Ok(column),
            (Some(_), Some(_)) => Err("there are two columns of addresses; rename one".to_owned()),
            (None, _) => Err("there is no column \"address\"; name the columns in the first line".to_owned()),
        }
    }

    /// A quote that is not closed takes the lines behind it for a field, and their recipients with them.
    fn open_quote(&self, source: &Source) -> Option<String> {
        let quotes = source.octets.iter().filter(|octet| **octet == b'"').count();
        let line = self.rows.last().map_or(1, |row| row.line);
        let fault =
            "a quote is not closed here or in a line before; quotes in a field are written twice, in quotes";
        (quotes % 2 == 1).then(|| self.at(line, fault))
    }

    /// Nobody is sent the same mailing twice.
    fn twice(&self) -> Vec<String> {
        let mut seen = HashMap::new();
        let mut faults = Vec::new();
        for row in &self.rows {
            let Some(mailbox) = row.recipient.path.mailbox() else { continue };
            if let Some(first) = seen.insert(mailbox.normal(), row.line) {
                faults
                    .push(self.at(row.line, &format!("{mailbox} stands in line {first} already; leave one")));
            }
        }
        faults
    }
}

fn take_row(row: &StringRecord, line: u64, address: usize) -> Result<Row, String> {
    let given = row.get(address).unwrap_or_default().trim();
    if given.is_empty() {
        return Err("there is no address; give one, or take the line out".to_owned());
    }
    let recipient = address::recipient(given).map_err(|fault| format!("{given:?} can't be used: {fault}"))?;
    Ok(Row { line, recipient, fields: row.iter().map(str::to_owned).collect() })
}

fn fault(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::UnequalLengths { expected_len, len, .. } => format!(
            "it has not as many fields as the heading ({len}, not {expected_len}); put fields that have a comma in \
             them into quotes"
        ),
        ErrorKind::Utf8 { .. } => "the line is not in UTF-8; convert the file to UTF-8".to_owned(),
        _ => "it is not CSV as in RFC 4180; fix it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &[u8]) -> Result<Recipients, Vec<String>> {
        Recipients::read(&Source { name: "a.csv".to_owned(), octets: text.to_vec() })
    }

    #[test]
    fn rows_have_their_fields_and_lines() {
        let table = read(b"Email, name ,text\r\nbob@example.org,\"Liddell, \"\"A\"\"\",\"two\nlines\"\r\n\r\ncarol@example.org,,x\n").unwrap();
        assert_eq!(table.columns, ["Email", "name", "text"]);
        assert_eq!(table.rows[0].fields, ["bob@example.org", "Liddell, \"A\"", "two\nlines"]);
        assert_eq!(table.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 5]);
    }

    #[test]
    fn every_fault_is_told_with_its_line() {
        let faults = read(b"address,name\nbob,x\ncarol@example.org\n,x\nd@example.org,\xff\nd@e.example\r\nRCPT,x\ne@e.example,\nE@E.example,\n");
        let faults = faults.unwrap_err();
        for (line, told) in [
            (2, "\"bob\" can't be used"),
            (3, "not as many fields"),
            (4, "there is no address"),
            (5, "not in UTF-8"),
            (6, "not as many fields"),
            (7, "\"RCPT\" can't be used"),
            (9, "stands in line 8 already"),
        ] {
            assert!(
                faults
                    .iter()
                    .any(|fault| fault.starts_with(&format!("a.csv:{line}: ")) && fault.contains(told)),
                "{line} {told}: {faults:#?}"
            );
        }
    }

    #[test]
    fn a_table_needs_a_heading_with_one_column_of_addresses_and_a_row() {
        for (text, told) in [
            (&b"name\nbob\n"[..], "a.csv:1: there is no column \"address\""),
            (b"bob@example.org\n", "a.csv:1: there is no column"),
            (b"address,email\na@b.example,a@b.example\n", "a.csv:1: there are two columns"),
            (b"address,name,NAME\n", "a.csv:1: the column \"NAME\" is there twice"),
            (b"address,\n", "a.csv:1: a column has no name"),
            (b"address\n", "a.csv:2: there are no recipients"),
            (b"address,a\na@b.example,\"x\nb@b.example,y\n", "a.csv:2: a quote is not closed"),
            (b"address\na@b.example\nA@B.example\n", "a.csv:3: A@B.example stands in line 2 already"),
        ] {
            let faults = read(text).unwrap_err();
            assert!(faults[0].starts_with(told), "{faults:#?}");
        }
    }

    proptest! {
        /// Whatever the fields are, they come back as they were, with any line end.
        #[test]
        fn what_a_writer_of_csv_writes_is_read(
            fields in proptest::collection::vec(any::<String>(), 1..8),
            crlf in any::<bool>(),
        ) {
            let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
            let mut writer = csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
            writer.write_record(["address", "field"]).unwrap();
            for (number, field) in fields.iter().enumerate() {
                writer.write_record([&format!("u{number}@example.org"), field]).unwrap();
            }
            let table = read(&writer.into_inner().unwrap()).unwrap();
            prop_assert_eq!(table.rows.iter().map(|row| &row.fields[1]).collect::<Vec<_>>(), fields.iter().collect::<Vec<_>>());
        }

        /// Whatever it is, there is an answer, and what is accepted has one address in each row.
        #[test]
        fn octets_are_a_table_or_have_faults(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(table) = read(&octets) {
                prop_assert!(!table.rows.is_empty());
                prop_assert!(table.rows.iter().all(|row| row.fields.len() == table.columns.len()));
            }
        }
    }
}
