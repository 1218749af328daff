//! The attributes of a message: `attr-val = ALPHA "=" 1*value-char`, with commas between (RFC 5802 section 5.1).

use crate::exchange_error::ExchangeError;

/// Those that RFC 5802 has a meaning for. Each has its place; `m` has none, as nobody knows what it demands.
const KNOWN: &str = "anmrcsipve";

/// What is left to read of the attributes.
#[derive(Debug)]
pub(super) struct Attributes<'a> {
    rest: Option<&'a str>,
}

impl<'a> Attributes<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { rest: Some(text) }
    }

    /// The value of the next attribute, which has to be this one: their order is fixed.
    pub(super) fn next(&mut self, name: char) -> Result<&'a str, ExchangeError> {
        match self.any()? {
            Some((next, value)) if next == name => Ok(value),
            Some(_) | None => Err(ExchangeError::Malformed),
        }
    }

    /// What remains are extensions. Those we have not heard of may be ignored; an attribute that is out of its place, or there
    /// twice, is none.
    pub(super) fn end(mut self) -> Result<(), ExchangeError> {
        while let Some((name, _)) = self.any()? {
            if KNOWN.contains(name) {
                return Err(ExchangeError::Malformed);
            }
        }
        Ok(())
    }

    fn any(&mut self) -> Result<Option<(char, &'a str)>, ExchangeError> {
        let Some(rest) = self.rest else { return Ok(None) };
        let (attribute, rest) = match rest.split_once(',') {
            Some((attribute, rest)) => (attribute, Some(rest)),
            None => (rest, None),
        };
        self.rest = rest;
        read(attribute).ok_or(ExchangeError::Malformed).map(Some)
    }
}

fn read(attribute: &str) -> Option<(char, &str)> {
    let (name, value) = attribute.split_once('=')?;
    let mut letters = name.chars();
    let letter = letters.next().filter(char::is_ascii_alphabetic)?;
    let sound = letters.next().is_none() && !value.is_empty() && !value.contains('\0');
    sound.then_some((letter, value))
}

/// `printable = %x21-2B / %x2D-7E`, of which a nonce is made.
pub(super) fn is_nonce(text: &str) -> bool {
    text.bytes().all(|octet| octet.is_ascii_graphic() && octet != b',')
}
