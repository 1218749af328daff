//! What every mechanism asks of the names and passwords that it is given.

use crate::exchange_error::ExchangeError;

/// The most octets of a username: a local part, an at sign and a domain at their limits (RFC 5321 section 4.5.3.1).
pub const MAX_USERNAME: usize = 320;

/// The most octets of a password. A hash must not be made to work for more.
pub const MAX_PASSWORD: usize = 1024;

/// The most octets of an access token. In an OAUTHBEARER message it stands beside a name, a host and a port, which take
/// less than a thousand, and in base64 that is a line of at most 16,000: within what a server takes (RFC 4954 section 4
/// asks for 12,288).
pub const MAX_TOKEN: usize = 11_000;

/// A name that may be absent, as the authorization identity may.
pub(crate) fn read_name(octets: &[u8]) -> Result<Option<String>, ExchangeError> {
    if octets.is_empty() { Ok(None) } else { read_username(octets).map(Some) }
}

/// A name: UTF-8, not empty, without control characters, which have no place in a name and would in a log.
pub(crate) fn read_username(octets: &[u8]) -> Result<String, ExchangeError> {
    if octets.is_empty() || octets.len() > MAX_USERNAME {
        return Err(ExchangeError::Malformed);
    }
    let name = std::str::from_utf8(octets).map_err(|_| ExchangeError::Malformed)?;
    if name.chars().any(ends_line_or_controls) {
        return Err(ExchangeError::Malformed);
    }
    Ok(name.to_owned())
}

/// A password: any octets but NUL (RFC 4616 section 2), of a length that can be judged.
pub(crate) fn check_password(octets: &[u8]) -> Result<(), ExchangeError> {
    let sane = (1..=MAX_PASSWORD).contains(&octets.len()) && !octets.contains(&0);
    if sane { Ok(()) } else { Err(ExchangeError::Malformed) }
}

/// Controls of ASCII and Latin-1, and the two separators of Unicode that end a line.
fn ends_line_or_controls(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}
