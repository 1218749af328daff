//! XOAUTH2 and OAUTHBEARER: an access token, and whose it is said to be.

use types::{Mechanism, Secret};

use crate::claim::TokenClaim;
use crate::exchange_error::ExchangeError;
use crate::gs2::{BindingFlag, Gs2Header};
use crate::name::{MAX_TOKEN, read_username};

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{MAX_USERNAME, base64};

    type Said = (Option<String>, Vec<u8>);

    fn said(claim: TokenClaim) -> Said {
        (claim.username, claim.token.declassify().to_vec())
    }

    fn xoauth2(message: impl AsRef<[u8]>) -> Result<Said, ExchangeError> {
        AwaitingXOAuth2.take(&Secret::new(message.as_ref())).map(said)
    }

    fn bearer(message: impl AsRef<[u8]>) -> Result<Said, ExchangeError> {
        AwaitingBearer.take(&Secret::new(message.as_ref())).map(said)
    }

    fn is(name: Option<&str>, token: &str) -> Result<Said, ExchangeError> {
        Ok((name.map(str::to_owned), token.as_bytes().to_vec()))
    }

    /// From Google's description of the mechanism.
    #[test]
    fn xoauth2_is_as_google_has_it() {
        let text = "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ==";
        let message = base64::decode(text).unwrap();
        let token = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg";
        assert_eq!(xoauth2(message.declassify()), is(Some("someuser@example.com"), token));
    }

    /// RFC 7628 section 4.1.
    #[test]
    fn oauthbearer_is_as_the_rfc_has_it() {
        let text = "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB";
        let message = base64::decode(text).unwrap();
        let token = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";
        assert_eq!(bearer(message.declassify()), is(Some("user@example.com"), token));
    }

    #[test]
    fn what_may_differ() {
        assert_eq!(xoauth2("user=a\x01auth=bEARER t\x01\x01"), is(Some("a"), "t"));
        assert_eq!(xoauth2("user=a=b,c\x01auth=Bearer  t\x01\x01"), is(Some("a=b,c"), "t"));
        assert_eq!(bearer("n,,\x01auth=Bearer t\x01\x01"), is(None, "t"));
        assert_eq!(
            bearer("n,a=a=3Db=2Cc,\x01auth=BEARER -._~+/9Zz==\x01\x01"),
            is(Some("a=b,c"), "-._~+/9Zz==")
        );
        assert_eq!(
            bearer("n,,\x01auth=Bearer t\x01host=[::1]\x01port=0\x01mthd=POST\x01qs=\x01x=\t\r\n ~\x01\x01"),
            is(None, "t")
        );
    }

    #[test]
    fn oau_08_everything_else_is_malformed() {
        for message in [
            "",
            "\x01",
            "\x01\x01",
            "n,,",
            "n,,\x01",
            "n,,\x01\x01",
            "n,,\x01\x01\x01",
            "n,,auth=Bearer t\x01\x01",
            "n,,\x01auth=Bearer t",
            "n,,\x01auth=Bearer t\x01",
            "n,,\x01auth=Bearer t\x01\x01\x01",
            "n,,\x01auth=Bearer t\x01\x01x",
            "n,,\x01\x01auth=Bearer t\x01\x01",
            "n,,\x01host=h\x01\x01",
            "n,,\x01auth=\x01\x01",
            "n,,\x01auth=Bearer\x01\x01",
            "n,,\x01auth=Bearer \x01\x01",
            "n,,\x01auth=Bearert\x01\x01",
            "n,,\x01auth= Bearer t\x01\x01",
            "n,,\x01auth=Basic dDp0\x01\x01",
            "n,,\x01auth=Bearer\tt\x01\x01",
            "n,,\x01auth=Bearer t \x01\x01",
            "n,,\x01auth=Bearer t t\x01\x01",
            "n,,\x01auth=Bearer =\x01\x01",
            "n,,\x01auth=Bearer t=t\x01\x01",
            "n,,\x01auth=Bearer t,t\x01\x01",
            "n,,\x01auth=Bearer t\"\x01\x01",
            "n,,\x01auth=Bearer é\x01\x01",
            "n,,\x01auth=Bearer t\0\x01\x01",
            "n,,\x01AUTH=Bearer t\x01\x01",
            "n,,\x01auth=Bearer t\x01auth=Bearer t\x01\x01",
            "n,,\x01auth=Bearer t\x01auth=Bearer u\x01\x01",
            "n,,\x01auth=Bearer t\x01host=a\x01host=b\x01\x01",
            "n,,\x01auth=Bearer t\x01port=1\x01port=1\x01\x01",
            "n,,\x01auth=Bearer t\x01host=\x01\x01",
            "n,,\x01auth=Bearer t\x01host=a b\x01\x01",
            "n,,\x01auth=Bearer t\x01port=\x01\x01",
            "n,,\x01auth=Bearer t\x01port=65536\x01\x01",
            "n,,\x01auth=Bearer t\x01port=-1\x01\x01",
            "n,,\x01auth=Bearer t\x01port=+1\x01\x01",
            "n,,\x01auth=Bearer t\x01x\x01\x01",
            "n,,\x01auth=Bearer t\x01=x\x01\x01",
            "n,,\x01auth=Bearer t\x01x1=x\x01\x01",
            "n,,\x01auth=Bearer t\x01a\x01b=x\x01\x01",
            "n,,\x01auth=Bearer t\x01x=\x02\x01\x01",
            "y,,\x01auth=Bearer t\x01\x01",
            "p=tls-exporter,,\x01auth=Bearer t\x01\x01",
            ",,\x01auth=Bearer t\x01\x01",
            "n,a=,\x01auth=Bearer t\x01\x01",
            "n,b=a,\x01auth=Bearer t\x01\x01",
            "n,a=a=b,\x01auth=Bearer t\x01\x01",
            "n,a=a\nb,\x01auth=Bearer t\x01\x01",
            "n,a,\x01auth=Bearer t\x01\x01",
            "n,\x01auth=Bearer t\x01\x01",
        ] {
            assert_eq!(bearer(message), Err(ExchangeError::Malformed), "{message:?}");
            let pairs = message.strip_prefix("n,,\x01").unwrap_or("");
            assert_eq!(xoauth2(format!("user=a\x01{pairs}")), Err(ExchangeError::Malformed), "{message:?}");
        }
        for message in [
            "user=\x01auth=Bearer t\x01\x01",
            "User=a\x01auth=Bearer t\x01\x01",
            "a\x01auth=Bearer t\x01\x01",
            "user=a\nb\x01auth=Bearer t\x01\x01",
            "auth=Bearer t\x01user=a\x01\x01",
            "user=aauth=Bearer t\x01\x01",
        ] {
            assert_eq!(xoauth2(message), Err(ExchangeError::Malformed), "{message:?}");
        }
        assert!(xoauth2(b"user=\xff\x01auth=Bearer t\x01\x01").is_err());
        assert!(bearer(b"n,a=\xff,\x01auth=Bearer t\x01\x01").is_err());
    }

    /// The longest message that we take fits into a line: RFC 4954 section 4 asks for 12288 octets, and we take 16384.
    #[test]
    fn sas_04_the_longest_token_fits_into_a_line_beside_the_longest_name() {
        let (name, token, host) = ("n".repeat(MAX_USERNAME), "t".repeat(MAX_TOKEN), "h".repeat(255));
        let longest = format!("n,a={name},\x01host={host}\x01port=65535\x01auth=Bearer {token}\x01\x01");
        assert_eq!(bearer(&longest), is(Some(&name), &token));
        let line = format!("AUTH OAUTHBEARER {}\r\n", base64::encode(&longest));
        assert!(line.len() <= 16_000, "{}", line.len());
        assert!(bearer(longest.replace("Bearer ", "Bearer t")).is_err());
        assert!(xoauth2(format!("user={name}\x01auth=Bearer {token}t\x01\x01")).is_err());
    }

    #[test]
    fn a_token_is_not_shown() {
        let claim = AwaitingXOAuth2.take(&Secret::new("user=a\x01auth=Bearer swordfish\x01\x01")).unwrap();
        assert!(!format!("{claim:?}").contains("swordfish"));
    }

    proptest! {
        #[test]
        fn any_octets_are_malformed_or_a_claim(message: Vec<u8>, text in "(n,,|user=a)?\x01?[a-z=\x01 ]{0,60}") {
            let _ = (xoauth2(&message), bearer(&message), xoauth2(&text), bearer(&text));
        }

        #[test]
        fn both_mechanisms_claim_what_was_meant(name in "[^\\pC\u{2028}\u{2029}]{1,60}", token in "[A-Za-z0-9._~+/-]{1,60}={0,2}") {
            let escaped = name.replace('=', "=3D").replace(',', "=2C");
            prop_assert_eq!(bearer(format!("n,a={escaped},\x01auth=Bearer {token}\x01\x01")), is(Some(&name), &token));
            prop_assert_eq!(xoauth2(format!("user={name}\x01auth=Bearer {token}\x01\x01")), is(Some(&name), &token));
        }
    }
}
