//! What SCRAM and OAUTHBEARER messages begin with (RFC 5801 section 4).
//!
//! ```text
//! gs2-header = ("p=" cb-name / "n" / "y") "," ["a=" saslname] ","
//! saslname   = 1*(value-safe-char / "=2C" / "=3D")
//! ```

use crate::exchange_error::ExchangeError;
use crate::name::read_username;

/// The header of a message.
#[derive(Debug)]
pub(crate) struct Gs2Header<'a> {
    pub(crate) flag: BindingFlag<'a>,
    pub(crate) authzid: Option<String>,
}

/// What the client says of channel binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BindingFlag<'a> {
    /// `n`: it can't do it.
    Incapable,
    /// `y`: it could, but believes that the server can't.
    NotOffered,
    /// `p=`: it does, by this type of binding.
    Bound(&'a str),
}

impl<'a> Gs2Header<'a> {
    /// The header, and the message behind it.
    pub(crate) fn split(message: &'a str) -> Result<(Self, &'a str), ExchangeError> {
        let (flag, rest) = message.split_once(',').ok_or(ExchangeError::Malformed)?;
        let (authzid, rest) = rest.split_once(',').ok_or(ExchangeError::Malformed)?;
        let header = Self { flag: BindingFlag::read(flag)?, authzid: read_authzid(authzid)? };
        Ok((header, rest))
    }
}

impl<'a> BindingFlag<'a> {
    fn read(text: &'a str) -> Result<Self, ExchangeError> {
        match text {
            "n" => Ok(Self::Incapable),
            "y" => Ok(Self::NotOffered),
            _ => {
                let name = text.strip_prefix("p=").filter(|name| is_binding_name(name));
                name.map(Self::Bound).ok_or(ExchangeError::Malformed)
            }
        }
    }
}

/// `cb-name = 1*(ALPHA / DIGIT / "." / "-")`
fn is_binding_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b".-".contains(&octet))
}

fn read_authzid(text: &str) -> Result<Option<String>, ExchangeError> {
    if text.is_empty() {
        return Ok(None);
    }
    read_saslname(text.strip_prefix("a=").ok_or(ExchangeError::Malformed)?).map(Some)
}

/// A name, in which a comma is `=2C`, an equals sign `=3D`, and no other `=` may be (RFC 5802 section 5.1).
pub(crate) fn read_saslname(text: &str) -> Result<String, ExchangeError> {
    let mut pieces = text.split('=');
    let mut name = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (sign, rest) = match (piece.strip_prefix("2C"), piece.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (None, Some(rest)) => ('=', rest),
            (None, None) => return Err(ExchangeError::Malformed),
        };
        name.push(sign);
        name.push_str(rest);
    }
    read_username(name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_flag_and_perhaps_a_name() {
        for (text, flag, authzid, rest) in [
            ("n,,n=a", BindingFlag::Incapable, None, "n=a"),
            ("y,,", BindingFlag::NotOffered, None, ""),
            ("p=tls-exporter,a=b,c,d", BindingFlag::Bound("tls-exporter"), Some("b"), "c,d"),
            ("n,a=b=2Cc=3D,", BindingFlag::Incapable, Some("b,c="), ""),
        ] {
            let (header, behind) = Gs2Header::split(text).unwrap();
            assert_eq!((header.flag, header.authzid.as_deref(), behind), (flag, authzid, rest));
        }
        for text in [
            "",
            "n",
            "n,",
            ",,",
            "N,,",
            "F,n,,",
            "nn,,",
            "p,,",
            "p=,,",
            "p=a b,,",
            "p=a=b,,",
            "P=a,,",
            "n,b,",
            "n,a=,",
            "n,A=b,",
            "n,a=\u{1},",
            "x,,",
        ] {
            assert!(Gs2Header::split(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn sas_10_a_name_has_two_escapes_and_no_others() {
        assert_eq!(read_saslname("a=2Cb=3Dc=3D2C").as_deref(), Ok("a,b=c=2C"));
        assert_eq!(read_saslname("=2C").as_deref(), Ok(","));
        for text in ["", "=", "a=", "a=2", "a=2c", "a=3d", "a=2D", "a=3C", "a==2C", "a=20", "=3", "=2=C"] {
            assert_eq!(read_saslname(text), Err(ExchangeError::Malformed), "{text:?}");
        }
    }
}
