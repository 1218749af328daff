//! A message as it is handed to the server: repaired where that is no question, checked, and re-encoded for a server that can't take it as
//! it is.

use bytes::Bytes;
use message::{Authors, Header, Progress, Rewriter, Section, Survey, Surveyed, Target};
use types::BodyType;

/// A message that is ready.
#[derive(Debug)]
pub(crate) struct Letter {
    text: Vec<u8>,
    surveyed: Surveyed,
    /// Whether its header can only travel with SMTPUTF8 (RFC 6531).
    pub(crate) smtputf8: bool,
}

/// A message in the form that one kind of server takes.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) text: Bytes,
    pub(crate) body: BodyType,
}

impl Letter {
    /// Takes a header section, without the blank line behind it, and a body, both with CRLF at the ends of their lines.
    ///
    /// # Errors
    /// What would keep a server from taking it, or readers from agreeing on who wrote it.
    pub(crate) fn new(section: String, body: &[u8]) -> Result<Letter, String> {
        let (fields, smtputf8) = repaired(section)?;
        let text = [&fields, b"\r\n".as_slice(), body].concat();
        let mut survey = Survey::of_message();
        survey.feed(&text);
        let surveyed = survey.finish();
        let plan = surveyed.plan(Target::EightBit);
        plan.map_err(|why| {
            format!("a line of the message is longer than 998 octets, and {why}; break it up")
        })?;
        Ok(Letter { text, surveyed, smtputf8 })
    }

    /// The message for a server that takes 8-bit text (RFC 6152), or for one that does not.
    ///
    /// # Errors
    /// When it can't be re-encoded for such a server.
    pub(crate) fn form(&self, eight_bit: bool) -> Result<Form, String> {
        let target = if eight_bit { Target::EightBit } else { Target::SevenBit };
        let plan = self.surveyed.plan(target);
        let plan = plan.map_err(|why| format!("the server takes no 8-bit text, and {why}"))?;
        let mut text = Vec::with_capacity(self.text.len());
        match plan.changes_anything() {
            true => {
                let mut rewriter = Rewriter::new(plan);
                rewriter.feed(&self.text, &mut text);
                rewriter.finish(&mut text);
            }
            false => text.extend_from_slice(&self.text),
        }
        let body = if text.is_ascii() { BodyType::SevenBit } else { BodyType::EightBit };
        Ok(Form { text: text.into(), body })
    }
}

/// The fields with what is raw in them encoded (RFC 2047), and whether some can't be.
fn repaired(section: String) -> Result<(Vec<u8>, bool), String> {
    let mut reader = Section::new(false);
    let chunk = Bytes::from(section + "\r\n");
    let Ok(Progress::Complete { header, .. }) = reader.feed(chunk) else {
        return Err("the header is too big; make it smaller".to_owned());
    };
    let (fields, _) = header.repaired().map_err(|error| error.to_string())?;
    let header = Header::parse(&fields).map_err(|error| format!("{error}; fix it"))?;
    let authors = Authors::read(&header, false).map_err(|error| format!("{error}; fix it"))?;
    if !authors.has_from() {
        return Err("the From field has no address; write one there, or leave the field out".to_owned());
    }
    let smtputf8 = !header.is_ascii();
    Ok((fields, smtputf8))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(section: &str, body: &str) -> Result<Letter, String> {
        Letter::new(section.to_owned(), body.as_bytes())
    }

    fn text(letter: &Letter, eight_bit: bool) -> (String, BodyType) {
        let form = letter.form(eight_bit).unwrap();
        (String::from_utf8(form.text.to_vec()).unwrap(), form.body)
    }

    const FROM: &str = "From: a@example.org\r\n";
    const UTF8: &str =
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n";

    #[test]
    fn what_is_plain_leaves_as_it_is() {
        let plain = letter(FROM, "Hello.\r\n").unwrap();
        assert_eq!(text(&plain, false), (format!("{FROM}\r\nHello.\r\n"), BodyType::SevenBit));
        assert!(!plain.smtputf8);
    }

    #[test]
    fn a_subject_is_encoded_and_a_body_only_for_who_needs_it() {
        let letter = letter(&format!("{FROM}Subject: Grüße\r\n{UTF8}"), "Grüße\r\n").unwrap();
        let (eight, body) = text(&letter, true);
        assert!(eight.contains("Subject: =?utf-8?") && eight.ends_with("\r\nGrüße\r\n"), "{eight}");
        assert_eq!((body, letter.smtputf8), (BodyType::EightBit, false));
        let (seven, body) = text(&letter, false);
        assert!(seven.is_ascii() && seven.contains("Gr=C3=BC=C3=9Fe"), "{seven}");
        assert_eq!(body, BodyType::SevenBit);
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_not_sent() {
        for section in [
            "Subject: x\r\n",
            "From: a@example.org\r\nFrom: b@example.org\r\n",
            "From: nobody\r\n",
            "From: a@example.org b@example.org\r\n",
        ] {
            assert!(letter(section, "").is_err(), "{section:?}");
        }
    }

    #[test]
    fn an_address_in_utf8_needs_a_server_for_it() {
        assert!(letter("From: grün@example.org\r\n", "").unwrap().smtputf8);
    }
}
