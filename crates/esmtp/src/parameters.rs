//! The parameters of MAIL and RCPT (RFC 5321 section 4.1.1.11).

use types::{BodyType, DeliverBy, EnvelopeRecipient, ForwardPath, Hold, Notify, Priority, Ret};

use crate::{orcpt, xtext};

/// The most octets of the value of ENVID (RFC 3461 section 4.4).
const MAX_ENVID: usize = 100;

/// The parameters that MAIL may have.
const KEYWORDS: [&str; 11] = [
    "SIZE",
    "BODY",
    "SMTPUTF8",
    "AUTH",
    "RET",
    "ENVID",
    "HOLDFOR",
    "HOLDUNTIL",
    "BY",
    "MT-PRIORITY",
    "REQUIRETLS",
];

/// What MAIL was given behind the reverse-path.
#[derive(Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailParameters {
    /// `SIZE=` in octets (RFC 1870).
    pub size: Option<u64>,
    /// `BODY=` (RFC 6152, RFC 3030 section 3).
    pub body: Option<BodyType>,
    /// `SMTPUTF8` (RFC 6531).
    pub smtputf8: bool,
    /// `AUTH=` was there (RFC 4954 section 5). Its value is checked and then ignored: no client is trusted to speak
    /// for another.
    pub auth: bool,
    /// `RET=` (RFC 3461 section 4.3).
    pub ret: Option<Ret>,
    /// `ENVID=`, decoded (RFC 3461 section 4.4).
    pub envid: Option<Box<str>>,
    /// `HOLDFOR=` or `HOLDUNTIL=` (RFC 4865 section 3).
    pub hold: Option<Hold>,
    /// `BY=` (RFC 2852 section 4).
    pub deliver_by: Option<DeliverBy>,
    /// `MT-PRIORITY=` (RFC 6710 section 3).
    pub priority: Option<Priority>,
    /// `REQUIRETLS` (RFC 8689 section 2).
    pub require_tls: bool,
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

    /// Whether there are parameters of DSN among them.
    pub(crate) fn ask_for_dsn(&self) -> bool {
        self.ret.is_some() || self.envid.is_some()
    }

    fn take(&mut self, parameter: &str) -> Result<(), ParameterError> {
        let (keyword, value) = keyword_and_value(parameter);
        let is_first = match (keyword.as_str(), value) {
            ("SIZE", Some(value)) => self.size.replace(size(value)?).is_none(),
            ("BODY", Some(value)) => self.body.replace(body(value)?).is_none(),
            ("SMTPUTF8", None) => !std::mem::replace(&mut self.smtputf8, true),
            ("AUTH", Some(value)) if is_auth_value(value) => !std::mem::replace(&mut self.auth, true),
            ("RET", Some(value)) => self.ret.replace(read(Ret::from_name, value)?).is_none(),
            ("ENVID", Some(value)) => self.envid.replace(envid(value)?).is_none(),
            ("HOLDFOR", Some(value)) => self.hold.replace(read(Hold::for_seconds, value)?).is_none(),
            ("HOLDUNTIL", Some(value)) => self.hold.replace(read(Hold::until, value)?).is_none(),
            ("BY", Some(value)) => self.deliver_by.replace(read(DeliverBy::from_value, value)?).is_none(),
            ("MT-PRIORITY", Some(value)) => {
                self.priority.replace(read(Priority::from_value, value)?).is_none()
            }
            ("REQUIRETLS", None) => !std::mem::replace(&mut self.require_tls, true),
            (known, _) if KEYWORDS.contains(&known) => false,
            _ => return Err(ParameterError::Unknown),
        };
        if is_first { Ok(()) } else { Err(ParameterError::Malformed) }
    }
}

/// The recipient, with what follows its path in RCPT: nothing, or parameters each with blanks before it.
pub(crate) fn recipient(path: ForwardPath, text: &str) -> Result<EnvelopeRecipient, ParameterError> {
    let mut recipient = EnvelopeRecipient::new(path);
    for parameter in words(text)? {
        take_of_recipient(&mut recipient, parameter)?;
    }
    Ok(recipient)
}

fn take_of_recipient(recipient: &mut EnvelopeRecipient, parameter: &str) -> Result<(), ParameterError> {
    let (keyword, value) = keyword_and_value(parameter);
    let is_first = match (keyword.as_str(), value) {
        ("NOTIFY", Some(value)) => recipient.notify.replace(read(Notify::from_text, value)?).is_none(),
        ("ORCPT", Some(value)) => recipient.orcpt.replace(read(orcpt::read, value)?).is_none(),
        ("NOTIFY" | "ORCPT", None) => false,
        _ => return Err(ParameterError::Unknown),
    };
    if is_first { Ok(()) } else { Err(ParameterError::Malformed) }
}

/// The keyword in capitals, and the value if there is one.
fn keyword_and_value(parameter: &str) -> (String, Option<&str>) {
    match parameter.split_once('=') {
        Some((keyword, value)) => (keyword.to_ascii_uppercase(), Some(value)),
        None => (parameter.to_ascii_uppercase(), None),
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
        "BINARYMIME" => Ok(BodyType::Binary),
        _ => Err(ParameterError::Malformed),
    }
}

/// A value as what it means.
fn read<T>(read: fn(&str) -> Option<T>, value: &str) -> Result<T, ParameterError> {
    read(value).ok_or(ParameterError::Malformed)
}

/// RFC 3461 section 4.4: xtext, of printable ASCII and spaces alone, since it comes back in a header field.
fn envid(value: &str) -> Result<Box<str>, ParameterError> {
    let decoded = xtext::decode(value.as_bytes()).filter(|_| (1..=MAX_ENVID).contains(&value.len()));
    let text = decoded.and_then(|octets| String::from_utf8(octets).ok());
    let printable = text.filter(|text| text.bytes().all(|octet| matches!(octet, b' '..=b'~')));
    printable.map(String::into_boxed_str).ok_or(ParameterError::Malformed)
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
        let expected = MailParameters {
            size: Some(1000),
            body: Some(BodyType::EightBit),
            smtputf8: true,
            auth: true,
            ..MailParameters::default()
        };
        assert_eq!(parameters, expected);
        let parameters = MailParameters::parse(" envid=order+2066+2B7 Ret=hdrs").unwrap();
        assert_eq!((parameters.ret, parameters.envid.as_deref()), (Some(Ret::Headers), Some("order 66+7")));
        let parameters = MailParameters::parse(" HoldFor=60 by=600;rt mt-priority=-4").unwrap();
        assert_eq!(parameters.hold, Some(Hold::For(60)));
        assert_eq!(parameters.deliver_by.unwrap().to_string(), "600;RT");
        assert_eq!(parameters.priority.map(Priority::number), Some(-4));
        let parameters = MailParameters::parse(" HOLDUNTIL=2026-11-30T13:00:00Z").unwrap();
        assert_eq!(parameters.hold, Hold::until("2026-11-30T13:00:00Z"));
        assert!(MailParameters::parse(" RequireTLS").unwrap().require_tls);
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
            (" BODY=BINARY", Malformed),
            (" SMTPUTF8=yes", Malformed),
            (" SMTPUTF8 SMTPUTF8", Malformed),
            (" AUTH=a+0d", Malformed),
            (" AUTH=<> AUTH=<>", Malformed),
            ("SIZE=1", Malformed),
            (" RET", Malformed),
            (" RET=", Malformed),
            (" RET=HEADERS", Malformed),
            (" RET=FULL RET=FULL", Malformed),
            (" ENVID", Malformed),
            (" ENVID=", Malformed),
            (" ENVID=a+", Malformed),
            (" ENVID=a=b", Malformed),
            (" ENVID=a+0D+0AX:", Malformed),
            (" ENVID=+09", Malformed),
            (" ENVID=+C3+BC", Malformed),
            (" ENVID=\u{fc}", Malformed),
            (" ENVID=a ENVID=b", Malformed),
            (" HOLDFOR", Malformed),
            (" HOLDFOR=-1", Malformed),
            (" HOLDFOR=1000000000", Malformed),
            (" HOLDUNTIL=tomorrow", Malformed),
            (" HOLDFOR=1 HOLDUNTIL=2026-11-30T13:00:00Z", Malformed),
            (" BY=600", Malformed),
            (" BY=0;R", Malformed),
            (" BY=1;N BY=1;N", Malformed),
            (" MT-PRIORITY=10", Malformed),
            (" MT-PRIORITY", Malformed),
            (" MT-PRIORITY=0 MT-PRIORITY=0", Malformed),
            (" REQUIRETLS=yes", Malformed),
            (" REQUIRETLS=", Malformed),
            (" REQUIRETLS REQUIRETLS", Malformed),
            (" NOTIFY=NEVER", Unknown),
            (" =", Unknown),
        ] {
            assert_eq!(MailParameters::parse(text), Err(error), "{text}");
        }
    }

    fn of_bob(text: &str) -> Result<EnvelopeRecipient, ParameterError> {
        recipient(ForwardPath::take("<bob@example.net>").unwrap().0, text)
    }

    #[test]
    fn a_recipient_has_what_its_sender_asks() {
        let bob = of_bob(" orcpt=rfc822;Bob@example.org  notify=delay,FAILURE").unwrap();
        assert_eq!(bob.notify, Notify::from_text("FAILURE,DELAY"));
        assert_eq!(bob.orcpt.unwrap().to_string(), "rfc822;Bob@example.org");
        assert_eq!(of_bob("").map(|bob| (bob.notify, bob.orcpt)), Ok((None, None)));
    }

    #[test]
    fn each_bad_parameter_of_a_recipient_says_whether_it_is_unknown_or_malformed() {
        use ParameterError::{Malformed, Unknown};
        for (text, error) in [
            (" NOTIFY", Malformed),
            (" NOTIFY=", Malformed),
            (" NOTIFY=ALWAYS", Malformed),
            (" NOTIFY=NEVER,FAILURE", Malformed),
            (" NOTIFY=NEVER NOTIFY=NEVER", Malformed),
            (" ORCPT", Malformed),
            (" ORCPT=", Malformed),
            (" ORCPT=bob@example.net", Malformed),
            (" ORCPT=rfc822;a ORCPT=rfc822;a", Malformed),
            ("NOTIFY=NEVER", Malformed),
            (" RET=FULL", Unknown),
            (" SIZE=5", Unknown),
        ] {
            assert_eq!(of_bob(text), Err(error), "{text}");
        }
    }

    #[test]
    fn the_name_of_an_envelope_has_its_length() {
        let named = |name: &str| MailParameters::parse(&format!(" ENVID={name}")).is_ok();
        assert!(named(&"a".repeat(100)) && !named(&"a".repeat(101)));
        assert!(named(&"+20".repeat(33)) && !named(&"+20".repeat(34)));
    }
}
