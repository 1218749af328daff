//! Documents of MongoDB in JSON, in whichever form they were exported: one a line, a list, or lists by the names of
//! their collections.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, Cursor, Read};

use jiff::Timestamp;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::import::lines::Lines;

/// The collections that there may be lists of.
const COLLECTIONS: [&str; 3] = ["users", "asps", "addresses"];

/// What is looked at in a document. The rest is not held: users may keep pictures there.
const FIELDS: [&str; 18] = [
    "_id",
    "activated",
    "address",
    "addrview",
    "created",
    "description",
    "disabled",
    "disabledScopes",
    "enabled2fa",
    "expires",
    "name",
    "password",
    "scopes",
    "seed",
    "selector",
    "suspended",
    "user",
    "username",
];

/// The longest first line that tells whether each line is a document.
const FIRST_LINE: u64 = 16 * 1024 * 1024;

/// The fields of a document.
#[derive(Debug, Default)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Text, unless it is empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.0.get(name) == Some(&Value::Bool(true))
    }

    /// Said to be false, and not left out.
    pub(super) fn is_false(&self, name: &str) -> bool {
        self.0.get(name) == Some(&Value::Bool(false))
    }

    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        let values = self.0.get(name).and_then(Value::as_array);
        values.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// An ObjectId: `{"$oid": "…"}`, or the text alone.
    pub(super) fn id(&self, name: &str) -> Option<String> {
        let value = self.0.get(name)?;
        value.get("$oid").unwrap_or(value).as_str().map(str::to_owned)
    }

    /// A date: `{"$date": "…"}`, `{"$date": {"$numberLong": "…"}}`, milliseconds, or the text alone.
    pub(super) fn time(&self, name: &str) -> Option<Timestamp> {
        let value = self.0.get(name)?;
        let value = value.get("$date").unwrap_or(value);
        let long = value.get("$numberLong").and_then(Value::as_str).and_then(|digits| digits.parse().ok());
        match long.or_else(|| value.as_i64()) {
            Some(milliseconds) => Timestamp::from_millisecond(milliseconds).ok(),
            None => value.as_str()?.parse().ok(),
        }
    }
}

/// Gives each document to `sink` with the number of its line, or what is wrong there.
///
/// # Errors
/// When the file can't be read.
pub(super) fn read(
    mut reader: impl BufRead,
    sink: &mut impl FnMut(u64, Result<Fields, String>),
) -> io::Result<()> {
    let mut first = Vec::new();
    reader.by_ref().take(FIRST_LINE).read_until(b'\n', &mut first)?;
    let line_by_line = first.trim_ascii().is_empty() || serde_json::from_slice::<IgnoredAny>(&first).is_ok();
    let reader = Cursor::new(first).chain(reader);
    if line_by_line { read_lines(reader, sink) } else { read_whole(reader, sink) }
}

fn read_lines(reader: impl BufRead, sink: &mut impl FnMut(u64, Result<Fields, String>)) -> io::Result<()> {
    for line in Lines::new(reader) {
        let (number, text) = line?;
        match text {
            Ok(text) if text.trim().is_empty() => {}
            Ok(text) => {
                let at = Cell::new(number);
                let mut json = serde_json::Deserializer::from_str(&text);
                let read = Documents { line: &at, sink }.deserialize(&mut json).and_then(|()| json.end());
                if let Err(error) = read {
                    sink(number, Err(format!("it is no JSON document: {}", what(&error))));
                }
            }
            Err(flaw) => sink(number, Err(flaw)),
        }
    }
    Ok(())
}

fn read_whole(reader: impl Read, sink: &mut impl FnMut(u64, Result<Fields, String>)) -> io::Result<()> {
    let line = Cell::new(1);
    let mut json = serde_json::Deserializer::from_reader(Counted { reader, line: &line });
    let read = Documents { line: &line, sink }.deserialize(&mut json).and_then(|()| json.end());
    match read {
        Err(error) if error.is_io() => Err(error.into()),
        Err(error) => {
            let flaw = format!("it is not JSON: {}; fix it, nothing behind it was read", what(&error));
            sink(u64::try_from(error.line()).unwrap_or_default(), Err(flaw));
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// What is wrong, without the line, which is told anyway.
fn what(error: &serde_json::Error) -> String {
    let told = error.to_string();
    told.split_once(" at line ").map_or(told.clone(), |(what, _)| what.to_owned())
}

/// Counts lines. The parser reads one octet at a time, so that the count is where it stands.
struct Counted<'a, R> {
    reader: R,
    line: &'a Cell<u64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(octets)?;
        let ends = octets.iter().take(read).filter(|octet| **octet == b'\n').count();
        self.line.set(self.line.get() + u64::try_from(ends).unwrap_or_default());
        Ok(read)
    }
}

/// A document, or a list of documents, or lists of them by name.
struct Documents<'a, F> {
    line: &'a Cell<u64>,
    sink: &'a mut F,
}

impl<F> Documents<'_, F> {
    fn again(&mut self) -> Documents<'_, F> {
        Documents { line: self.line, sink: &mut *self.sink }
    }
}

impl<'de, F: FnMut(u64, Result<Fields, String>)> DeserializeSeed<'de> for Documents<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnMut(u64, Result<Fields, String>)> Visitor<'de> for Documents<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document or a list of documents")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(self.again())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut document: A) -> Result<(), A::Error> {
        let (line, mut fields) = (self.line.get(), Map::new());
        while let Some(name) = document.next_key::<String>()? {
            if COLLECTIONS.contains(&name.as_str()) {
                document.next_value_seed(self.again())?;
            } else if FIELDS.contains(&name.as_str()) {
                fields.insert(name, document.next_value()?);
            } else {
                document.next_value::<IgnoredAny>()?;
            }
        }
        if !fields.is_empty() {
            (self.sink)(line, Ok(Fields(fields)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<(u64, Option<String>)> {
        let mut names = Vec::new();
        let mut sink = |line, fields: Result<Fields, String>| {
            names.push((line, fields.ok().and_then(|fields| fields.text("username").map(str::to_owned))));
        };
        read(text.as_bytes(), &mut sink).unwrap();
        names
    }

    #[test]
    fn every_form_gives_the_same_documents_with_their_lines() {
        let (a, b) = (Some("a".to_owned()), Some("b".to_owned()));
        for (text, lines) in [
            ("{\"username\":\"a\",\"junk\":{}}\n{\"username\":\"b\"}\n", [1, 2]),
            ("\n{\"username\":\"a\"}\r\n\n{\"username\":\"b\"}", [2, 4]),
            ("[{\"username\":\"a\"},{\"username\":\"b\"}]\n", [1, 1]),
            ("[\n{\"username\":\"a\"},\n{\n\"username\":\"b\"}\n]\n", [2, 3]),
            ("{\n\"users\": [\n{\"username\":\"a\"}],\n\"x\":1,\"asps\":[{\"username\":\"b\"}]}", [3, 4]),
            ("{\"users\":[{\"username\":\"a\"}]}\n{\"username\":\"b\"}\n", [1, 2]),
        ] {
            assert_eq!(names(text), [(lines[0], a.clone()), (lines[1], b.clone())], "{text}");
        }
    }

    #[test]
    fn a_bad_line_is_told_and_the_next_is_read() {
        let text =
            "{\"username\":\"a\"}\n{\"username\":\nnull\n{\"username\":\"b\"} x\n{\"username\":\"c\"}\n";
        let lines: Vec<_> = names(text).into_iter().map(|(line, name)| (line, name.is_some())).collect();
        assert_eq!(lines, [(1, true), (2, false), (3, false), (4, true), (4, false), (5, true)]);
    }

    #[test]
    fn a_list_that_breaks_off_is_told_after_what_was_good() {
        let text = "[\n{\"username\":\"a\"},\n{\"username\":";
        assert_eq!(names(text), [(2, Some("a".to_owned())), (3, None)]);
    }

    #[test]
    fn ids_and_dates_are_read_in_every_form() {
        let at = |value: &str| {
            let fields: Map<String, Value> =
                serde_json::from_str(&format!("{{\"created\":{value}}}")).unwrap();
            Fields(fields).time("created")
        };
        let then: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        for value in [
            "{\"$date\":\"2026-11-21T12:00:00.000Z\"}",
            "{\"$date\":{\"$numberLong\":\"1795262400000\"}}",
            "{\"$date\":1795262400000}",
            "1795262400000",
            "\"2026-11-21T12:00:00Z\"",
        ] {
            assert_eq!(at(value), Some(then), "{value}");
        }
        for value in ["false", "null", "\"soon\"", "{}"] {
            assert_eq!(at(value), None, "{value}");
        }
    }
}
