//! Accounts of other servers: whatever stands in such a file, each find is an account or one line that says what is wrong, the
//! same however the file is read, and no line shows a hash.

use std::io::{BufRead, BufReader};
use std::sync::Arc;

use types::Domain;

use crate::import::{Finds, Found, Terms, csv, dovecot, wildduck};
use crate::printable::is_printable;

/// The first octet chooses the form, the rest is the file.
pub(crate) fn holds(data: &[u8]) {
    let [form, file @ ..] = data else { return };
    let terms = Terms {
        domain: Some(Domain::parse("example.org").expect("a domain")).filter(|_| form & 4 == 0),
        scheme: "SHA512-CRYPT".to_owned(),
    };
    let whole = found(*form, file, &terms);
    let in_pieces = found(*form, BufReader::with_capacity(1 + usize::from(form / 8), file), &terms);
    assert_eq!(shown(&in_pieces), shown(&whole));
    whole.iter().flatten().for_each(is_sound);
    if form % 3 == 0 {
        whole.iter().flatten().for_each(|found| shows_no_hash(found, file));
    }
}

/// What is found; nothing if the file as a whole is wrong.
fn found(form: u8, reader: impl BufRead, terms: &Terms) -> Option<Vec<Found>> {
    let (name, terms) = (Arc::<str>::from("users"), terms.clone());
    match form % 3 {
        0 => dovecot::read(name, reader, terms).collect::<anyhow::Result<_>>().ok(),
        1 => csv::read(name, reader, terms).ok()?.collect::<anyhow::Result<_>>().ok(),
        _ => {
            let mut export = wildduck::Export::default();
            export.add(&name, reader, &terms, None).ok()?;
            let finds: Finds = export.finds();
            finds.collect::<anyhow::Result<_>>().ok()
        }
    }
}

fn shown(found: &Option<Vec<Found>>) -> String {
    format!("{found:?}")
}

fn is_sound(found: &Found) {
    let place = found.place.to_string();
    assert!(place.starts_with("users:"), "{place}");
    match &found.newcomer {
        Ok(newcomer) => {
            let texts = newcomer.name.iter().chain(&newcomer.lacks);
            let labels = newcomer.app_passwords.iter().map(|password| &password.label);
            for text in texts.chain(labels) {
                assert!(text.chars().all(is_printable), "{text:?}");
            }
        }
        Err(flaw) => {
            assert!(!flaw.is_empty() && flaw.chars().all(is_printable), "{flaw:?}");
        }
    }
}

/// What is wrong with a line of Dovecot's has the name in it, and nothing of the second field.
fn shows_no_hash(found: &Found, file: &[u8]) {
    let Err(flaw) = &found.newcomer else { return };
    let at = usize::try_from(found.place.line).expect("a line of the file") - 1;
    let line = file.split(|octet| *octet == b'\n').nth(at).expect("it stands there");
    let mut fields = line.split(|octet| *octet == b':');
    let (name, hash) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
    // What is told has words of its own, which a field with blanks may have too.
    let is_hash = hash.len() > 16 && hash.iter().all(u8::is_ascii_graphic);
    let has = |text: &[u8]| is_hash && text.windows(hash.len()).any(|part| part == hash);
    assert!(has(name) || !has(flaw.as_bytes()), "{flaw}");
}
