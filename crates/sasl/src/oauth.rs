//! XOAUTH2 and OAUTHBEARER: an access token, and whose it is said to be.

use types::Secret;

use crate::claim::TokenClaim;
use crate::gs2::{BindingFlag, Gs2Header};
use crate::name::read_username;
use crate::{ExchangeError, MAX_TOKEN, Mechanism};

/// What stands between the parts of a message, as nothing within them can be it: `kvsep = %x01`.
const SEPARATOR: char = '\u{1}';

/// Google's XOAUTH2, which Microsoft has too: `"user=" name ^A "auth=Bearer " token ^A ^A`.
#[derive(Debug)]
pub(crate) struct AwaitingXOAuth2;

impl AwaitingXOAuth2 {
    pub(crate) fn take(self, message: &Secret) -> Result<TokenClaim, ExchangeError> {
        let text = message.declassify_str().ok_or(ExchangeError::Malformed)?;
        let (user, pairs) = text.split_once(SEPARATOR).ok_or(ExchangeError::Malformed)?;
        let name = user.strip_prefix("user=").ok_or(ExchangeError::Malformed)?;
        Ok(TokenClaim {
            mechanism: Mechanism::XOAuth2,
            username: Some(read_username(name.as_bytes())?),
            token: Pairs::read(pairs)?.token()?,
        })
    }
}

/// `gs2-header kvsep *kvpair kvsep` (RFC 7628 section 3.1). There is no channel binding to speak of.
#[derive(Debug)]
pub(crate) struct AwaitingBearer;

impl AwaitingBearer {
    pub(crate) fn take(self, message: &Secret) -> Result<TokenClaim, ExchangeError> {
        let text = message.declassify_str().ok_or(ExchangeError::Malformed)?;
        let (header, rest) = Gs2Header::split(text)?;
        let pairs = rest.strip_prefix(SEPARATOR).ok_or(ExchangeError::Malformed)?;
        if header.flag != BindingFlag::Incapable {
            return Err(ExchangeError::Malformed);
        }
        Ok(TokenClaim {
            mechanism: Mechanism::OAuthBearer,
            username: header.authzid,
            token: Pairs::read(pairs)?.token()?,
        })
    }
}

/// `kvpair = 1*ALPHA "=" *(VCHAR / SP / HTAB / CR / LF) kvsep`. Those with other keys are for other servers. HOST and port say
/// where the client thinks it is; we don't ask, as a token does.
#[derive(Debug, Default)]
struct Pairs<'a> {
    auth: Option<&'a str>,
    host: Option<&'a str>,
    port: Option<&'a str>,
}

impl<'a> Pairs<'a> {
    /// Reads all pairs. Each has a separator behind it, and one more ends the message.
    fn read(text: &'a str) -> Result<Self, ExchangeError> {
        let text = text.strip_suffix(SEPARATOR).ok_or(ExchangeError::Malformed)?;
        let mut pairs = Self::default();
        for pair in text.strip_suffix(SEPARATOR).ok_or(ExchangeError::Malformed)?.split(SEPARATOR) {
            pairs.add(pair).ok_or(ExchangeError::Malformed)?;
        }
        Ok(pairs)
    }

    fn add(&mut self, pair: &'a str) -> Option<()> {
        let (key, value) = pair.split_once('=')?;
        if !is_key(key) || !value.bytes().all(is_value) {
            return None;
        }
        let place = match key {
            "auth" => &mut self.auth,
            "host" => Some(&mut self.host).filter(|_| is_host(value))?,
            "port" => Some(&mut self.port).filter(|_| is_port(value))?,
            _ => return Some(()),
        };
        place.replace(value).is_none().then_some(())
    }

    /// `auth=Bearer token` (RFC 6750 section 2.1), the scheme in any case (RFC 7235 section 2.1).
    fn token(self) -> Result<Secret, ExchangeError> {
        let (scheme, token) =
            self.auth.and_then(|auth| auth.split_once(' ')).ok_or(ExchangeError::Malformed)?;
        let token = token.trim_start_matches(' ');
        let sound = scheme.eq_ignore_ascii_case("bearer") && token.len() <= MAX_TOKEN && is_token(token);
        if sound { Ok(Secret::new(token)) } else { Err(ExchangeError::Malformed) }
    }
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|octet| octet.is_ascii_alphabetic())
}

fn is_value(octet: u8) -> bool {
    octet.is_ascii_graphic() || b" \t\r\n".contains(&octet)
}

/// A name or an address, at most as long as a name may be.
fn is_host(host: &str) -> bool {
    (1..=255).contains(&host.len())
        && host.bytes().all(|octet| octet.is_ascii_alphanumeric() || b".-_:[]".contains(&octet))
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|octet| octet.is_ascii_digit()) && port.parse::<u16>().is_ok()
}

/// `b64token = 1*(ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/") *"="`
fn is_token(token: &str) -> bool {
    let body = token.trim_end_matches('=');
    !body.is_empty() && body.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-._~+/".contains(&octet))
}
