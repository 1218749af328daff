//! The parameters of MAIL and RCPT (RFC 5321 section 4.1.1.11).

use types::BodyType;

use crate::xtext;

/// What MAIL was given behind the reverse-path.
#[derive(Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailParameters {
    /// `SIZE=` in octets (RFC 1870).
    pub size: Option<u64>,
    /// `BODY=` (RFC 6152).
    pub body: Option<BodyType>,
    /// `SMTPUTF8` (RFC 6531).
    pub smtputf8: bool,
    /// `AUTH=` was there (RFC 4954 section 5). Its value is checked and then ignored: no client is trusted to speak
    /// for another.
    pub auth: bool,
}

/// Why a parameter is refused.
#[derive(Debug, PartialEq, Eq, Clone, Copy, thiserror::Error)]
pub(crate) enum ParameterError {
    #[error("unknown parameter")]
    Unknown,
    #[error("malformed parameter")]
    Malformed,
}

impl MailParameters {
    /// Parses what follows the path: nothing, or parameters each with blanks before it.
    pub(crate) fn parse(text: &str) -> Result<Self, ParameterError> {
        let mut parameters = Self::default();
        for parameter in words(text)? {
            parameters.take(parameter)?;
        }
        Ok(parameters)
    }

    fn take(&mut self, parameter: &str) -> Result<(), ParameterError> {
        let (keyword, value) = match parameter.split_once('=') {
            Some((keyword, value)) => (keyword, Some(value)),
            None => (parameter, None),
        };
        let first = match (keyword.to_ascii_uppercase().as_str(), value) {
            ("SIZE", Some(value)) => self.size.replace(size(value)?).is_none(),
            ("BODY", Some(value)) => self.body.replace(body(value)?).is_none(),
            ("SMTPUTF8", None) => !std::mem::replace(&mut self.smtputf8, true),
            ("AUTH", Some(value)) if is_auth_value(value) => !std::mem::replace(&mut self.auth, true),
            ("SIZE" | "BODY" | "SMTPUTF8" | "AUTH", _) => false,
            _ => return Err(ParameterError::Unknown),
        };
        if first { Ok(()) } else { Err(ParameterError::Malformed) }
    }
}

/// RCPT takes none, since none is offered.
pub(crate) fn no_parameters(text: &str) -> Result<(), ParameterError> {
    match words(text)?.next() {
        None => Ok(()),
        Some(_) => Err(ParameterError::Unknown),
    }
}

fn words(text: &str) -> Result<impl Iterator<Item = &str>, ParameterError> {
    const BLANKS: [char; 2] = [' ', '\t'];
    if !text.is_empty() && !text.starts_with(BLANKS) {
        return Err(ParameterError::Malformed);
    }
    Ok(text.split(BLANKS).filter(|word| !word.is_empty()))
}

/// RFC 1870 section 6: up to 20 digits.
fn size(value: &str) -> Result<u64, ParameterError> {
    if value.is_empty() || value.len() > 20 || !value.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err(ParameterError::Malformed);
    }
    value.parse().map_err(|_| ParameterError::Malformed)
}

fn body(value: &str) -> Result<BodyType, ParameterError> {
    match value.to_ascii_uppercase().as_str() {
        "7BIT" => Ok(BodyType::SevenBit),
        "8BITMIME" => Ok(BodyType::EightBit),
        _ => Err(ParameterError::Malformed),
    }
}

/// RFC 4954 section 5: xtext. `<>` says that nobody is known.
fn is_auth_value(value: &str) -> bool {
    value == "<>" || (!value.is_empty() && value.len() <= 500 && xtext::decode(value.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_in_any_order_and_case() {
        let parameters =
            MailParameters::parse(" body=8bitmime SMTPUTF8 size=1000 AUTH=e+3Dmc2@example.com").unwrap();
        let expected =
            MailParameters { size: Some(1000), body: Some(BodyType::EightBit), smtputf8: true, auth: true };
        assert_eq!(parameters, expected);
        assert_eq!(MailParameters::parse(""), Ok(MailParameters::default()));
        assert!(MailParameters::parse(" AUTH=<>").is_ok());
        assert_eq!(MailParameters::parse(" SIZE=00000000000000000005").map(|known| known.size), Ok(Some(5)));
        assert_eq!(MailParameters::parse("\tSIZE=5  \t").map(|known| known.size), Ok(Some(5)));
    }

    #[test]
    fn each_bad_parameter_says_whether_it_is_unknown_or_malformed() {
        use ParameterError::{Malformed, Unknown};
        for (text, error) in [
            (" SIZE", Malformed),
            (" SIZE=", Malformed),
            (" SIZE=-1", Malformed),
            (" SIZE=+1", Malformed),
            (" SIZE=000000000000000000005", Malformed),
            (" SIZE=99999999999999999999", Malformed),
            (" SIZE=1 SIZE=1", Malformed),
            (" BODY=BINARYMIME", Malformed),
            (" SMTPUTF8=yes", Malformed),
            (" SMTPUTF8 SMTPUTF8", Malformed),
            (" AUTH=a+0d", Malformed),
            (" AUTH=<> AUTH=<>", Malformed),
            ("SIZE=1", Malformed),
            (" RET=FULL", Unknown),
            (" =", Unknown),
        ] {
            assert_eq!(MailParameters::parse(text), Err(error), "{text}");
        }
        assert_eq!(no_parameters(" NOTIFY=NEVER"), Err(Unknown));
        assert_eq!(no_parameters("x"), Err(Malformed));
    }
}
