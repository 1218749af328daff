//! What Outlook asks (MS-OXDSCLI section 2.2.3): an address, and which kind of answer it understands.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

/// The only kind of answer there is here.
const SCHEMA: &str = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";

/// Elements within elements at most: two are meant.
const DEPTH: usize = 16;

/// Why there is nothing to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotAsked {
    /// It is no such request.
    Malformed,
    /// It wants another kind of answer.
    OtherSchema,
}

/// The address that is asked for.
///
/// # Errors
/// When the request is malformed, has a document type, or wants another kind of answer.
pub(crate) fn address(request: &[u8]) -> Result<String, NotAsked> {
    let text = std::str::from_utf8(request).map_err(|_| NotAsked::Malformed)?;
    let text = text.trim_start_matches('\u{feff}');
    let (mut reader, mut request) = (Reader::from_str(text), Request::default());
    loop {
        match reader.read_event().map_err(|_| NotAsked::Malformed)? {
            Event::Start(element) => request.open(element.local_name().into_inner())?,
            Event::End(_) => request.close(),
            Event::Text(part) => request.add(&part.xml10_content()),
            Event::CData(part) => request.add(&part.xml10_content()),
            Event::GeneralRef(named) => match named.resolve_char_ref().map_err(|_| NotAsked::Malformed)? {
                Some(character) => request.add(character.encode_utf8(&mut [0; 4])),
                // There are no other entities: nothing may declare one.
                None => request.add(resolve_predefined_entity(&named).ok_or(NotAsked::Malformed)?),
            },
            Event::DocType(_) => return Err(NotAsked::Malformed),
            Event::Eof => return request.end(),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

/// What was read of it.
#[derive(Default)]
struct Request {
    /// The elements that are open.
    open: Vec<String>,
    address: String,
    schema: String,
}

impl Request {
    fn open(&mut self, name: &str) -> Result<(), NotAsked> {
        if self.open.len() >= DEPTH {
            return Err(NotAsked::Malformed);
        }
        self.open.push(name.to_owned());
        Ok(())
    }

    fn close(&mut self) {
        self.open.pop();
    }

    fn add(&mut self, text: &str) {
        match self.open.last().map(String::as_str) {
            Some("EMailAddress") => self.address.push_str(text),
            Some("AcceptableResponseSchema") => self.schema.push_str(text),
            _ => {}
        }
    }

    fn end(self) -> Result<String, NotAsked> {
        let (address, schema) = (self.address.trim(), self.schema.trim());
        if address.is_empty() || schema.is_empty() || !self.open.is_empty() {
            return Err(NotAsked::Malformed);
        }
        if schema == SCHEMA { Ok(address.to_owned()) } else { Err(NotAsked::OtherSchema) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(address: &str, schema: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
             <Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006\">\n\
             <Request><EMailAddress>{address}</EMailAddress>\n\
             <AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request></Autodiscover>"
        )
    }

    #[test]
    fn the_address_is_read_as_it_is_meant() {
        for (written, meant) in [
            ("alice@example.org", "alice@example.org"),
            (" alice@example.org\r\n", "alice@example.org"),
            ("a&amp;b@example.org", "a&b@example.org"),
            ("&#x61;lice@example.org", "alice@example.org"),
            ("<![CDATA[alice@example.org]]>", "alice@example.org"),
            ("ali<!-- no -->ce@example.org", "alice@example.org"),
        ] {
            assert_eq!(address(asked(written, SCHEMA).as_bytes()).as_deref(), Ok(meant), "{written}");
        }
        let prefixed = asked("alice@example.org", SCHEMA).replace("EMailAddress", "x:EMailAddress");
        assert!(address(prefixed.as_bytes()).is_ok());
        assert!(address(format!("\u{feff}{}", asked("a@b.test", SCHEMA)).as_bytes()).is_ok());
    }

    #[test]
    fn what_is_no_such_request_is_refused() {
        let doctype = asked("&x;", SCHEMA).replacen(
            "<Autodiscover",
            "<!DOCTYPE a [<!ENTITY x \"y\">]><Autodiscover",
            1,
        );
        let deep = format!("{}{}", "<a>".repeat(2_000), "</a>".repeat(2_000));
        for wrong in [
            "",
            "no XML",
            "<Autodiscover>",
            "<a></b>",
            "<Autodiscover><Request></Request></Autodiscover>",
            &asked("", SCHEMA),
            &asked("alice@example.org", ""),
            &asked("&unknown;@example.org", SCHEMA),
            &asked("&#0;@example.org", SCHEMA),
            &doctype,
            &deep,
        ] {
            assert_eq!(address(wrong.as_bytes()), Err(NotAsked::Malformed), "{wrong}");
        }
        assert_eq!(address(b"\xff\xfe<a/>"), Err(NotAsked::Malformed));
        let mobile = SCHEMA.replace("outlook", "mobilesync");
        assert_eq!(address(asked("alice@example.org", &mobile).as_bytes()), Err(NotAsked::OtherSchema));
    }
}
