//! How a client is told that its claim was refused.

use crate::base64;

/// What a refused client is told. By default that is what everybody is told, so that nobody learns what was wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// Another reply than `535 5.7.8`.
    pub reply: Option<RefusalReply>,
    /// What XOAUTH2 and OAUTHBEARER are told before the reply.
    pub challenge: OAuthChallenge,
}

/// In the judge's own words: `Verdict::Refused(reply.into())`.
impl From<RefusalReply> for Refusal {
    fn from(reply: RefusalReply) -> Self {
        Self { reply: Some(reply), ..Self::default() }
    }
}

/// With what a client that came with a token is told of it.
impl From<OAuthChallenge> for Refusal {
    fn from(challenge: OAuthChallenge) -> Self {
        Self { challenge, ..Self::default() }
    }
}

/// A reply of the handler's own, to a claim or to mail that it refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalReply {
    code: u16,
    status: String,
    text: String,
}

/// Not a reply that refuses something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a refusal is a code from 400 to 599, but 421, an enhanced code of the same class such as 5.7.8, and one line of up to \
     400 printable ASCII characters"
)]
pub struct BadRefusalReply;

impl RefusalReply {
    /// A reply such as `535`, `5.7.8`, `Ask your administrator` (RFC 5321 section 4.2, RFC 3463).
    ///
    /// # Errors
    /// When it is no such reply: the code is not from 400 to 599 or is 421, the enhanced code is of another class, the
    /// text is not one line of 1 to 400 printable ASCII characters.
    pub fn new(code: u16, status: &str, text: &str) -> Result<Self, BadRefusalReply> {
        let class = code / 100;
        let printable = text.bytes().all(|octet| octet == b' ' || octet.is_ascii_graphic());
        let sound = matches!(class, 4 | 5)
            && code != 421
            && is_status(status, class)
            && printable
            && (1..=400).contains(&text.len());
        if !sound {
            return Err(BadRefusalReply);
        }
        Ok(Self { code, status: status.to_owned(), text: text.to_owned() })
    }

    /// The three digits.
    #[must_use]
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The enhanced code.
    #[must_use]
    pub fn status(&self) -> &str {
        &self.status
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// RFC 3463 section 2: `class "." subject "." detail`, of one to three digits each but the class.
fn is_status(status: &str, class: u16) -> bool {
    let number =
        |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|octet| octet.is_ascii_digit());
    let mut parts = status.split('.');
    let class_fits = parts.next().is_some_and(|first| first == class.to_string());
    class_fits
        && parts.next().is_some_and(number)
        && parts.next().is_some_and(number)
        && parts.next().is_none()
}

/// What a client with a token is told when the token is refused (RFC 7628 section 3.2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OAuthChallenge {
    /// A code for the client: `401`, as Google has it, by default; RFC 7628 has `invalid_token` and its like.
    pub status: String,
    /// The schemes of HTTP authentication (RFC 7235) that a token may be for: `bearer`.
    pub schemes: String,
    /// The scope that a token needs, if any.
    pub scope: Option<String>,
}

impl Default for OAuthChallenge {
    fn default() -> Self {
        Self { status: "401".to_owned(), schemes: "bearer".to_owned(), scope: None }
    }
}

impl OAuthChallenge {
    /// As JSON, as it is sent.
    #[must_use]
    pub fn in_base64(&self) -> String {
        let Self { status, schemes, scope } = self;
        let mut object = serde_json::json!({ "status": status, "schemes": schemes });
        if let (Some(scope), Some(object)) = (scope, object.as_object_mut()) {
            object.insert("scope".to_owned(), scope.as_str().into());
        }
        base64::encode(object.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_one_line_of_its_class() {
        let sound = RefusalReply::new(535, "5.7.8", "Ask the desk").unwrap();
        assert_eq!((sound.code(), sound.status(), sound.text()), (535, "5.7.8", "Ask the desk"));
        assert!(RefusalReply::new(454, "4.7.0", "Later").is_ok());
        for (code, status, text) in [
            (250, "2.0.0", "OK"),
            (421, "4.7.0", "Bye"),
            (600, "6.0.0", "x"),
            (535, "4.7.8", "x"),
            (535, "5.7", "x"),
            (535, "5.7.8.1", "x"),
            (535, "5.7.1234", "x"),
            (535, "5..8", "x"),
            (535, "", "x"),
            (535, "5.7.8", ""),
            (535, "5.7.8", "two\r\n250 lines"),
            (535, "5.7.8", "é"),
        ] {
            assert_eq!(
                RefusalReply::new(code, status, text),
                Err(BadRefusalReply),
                "{code} {status} {text:?}"
            );
        }
        assert!(RefusalReply::new(535, "5.7.8", &"x".repeat(401)).is_err());
    }

    #[test]
    fn a_refusal_says_what_it_was_made_of_and_else_what_all_do() {
        let reply = RefusalReply::new(535, "5.7.8", "Ask the desk").unwrap();
        let Refusal { reply: said, challenge } = reply.clone().into();
        assert_eq!((said, challenge), (Some(reply), OAuthChallenge::default()));
        let challenge = OAuthChallenge { status: "invalid_token".to_owned(), ..OAuthChallenge::default() };
        let Refusal { reply, challenge: told } = challenge.clone().into();
        assert_eq!((reply, told), (None, challenge));
    }

    fn json(challenge: &OAuthChallenge) -> serde_json::Value {
        serde_json::from_slice(base64::decode(&challenge.in_base64()).unwrap().declassify()).unwrap()
    }

    #[test]
    fn oau_08_the_challenge_is_what_google_sends() {
        let challenge = OAuthChallenge::default();
        assert_eq!(json(&challenge), serde_json::json!({ "status": "401", "schemes": "bearer" }));
        let scoped = OAuthChallenge { scope: Some("https://mail.example/".to_owned()), ..challenge };
        assert_eq!(json(&scoped)["scope"], "https://mail.example/");
    }

    #[test]
    fn oau_08_the_challenge_is_json_whatever_its_text() {
        for text in ["\"", "\\", "a\",\"status\":\"200", "\r\n250 OK", "\0\u{1}\u{7f}", "é\u{2028}🦀", ""]
        {
            let challenge = OAuthChallenge {
                status: text.to_owned(),
                schemes: text.to_owned(),
                scope: Some(text.to_owned()),
            };
            let expected = serde_json::json!({ "status": text, "schemes": text, "scope": text });
            assert_eq!(json(&challenge), expected);
        }
    }
}
