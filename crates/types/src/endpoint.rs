//! The URL of another server that ours may ask.

use std::fmt;

use url::{Host, Url};

/// An absolute URL that the operator wrote, or that was found where he pointed to.
///
/// It begins with `https:`, or with `http:` to this machine alone: what is asked there, and what is answered, decides
/// who logs in. It holds no user name and no password, since URLs end up in logs, and no fragment. It prints without
/// its query, which may hold anything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint(Url);

/// Why a URL is not one to ask; says what would be right. The URL is not repeated, as it may hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadEndpoint {
    /// Nothing that has a scheme and a host.
    #[error("is not the address of a page; write \"https://host/path\"")]
    Malformed,
    /// Another scheme.
    #[error("is not a page of the web; write \"https://host/path\"")]
    Scheme,
    /// `http:` to another machine.
    #[error("would show secrets to anyone on the way; write https://, or http:// to 127.0.0.1")]
    Insecure,
    /// A user name or a password.
    #[error("has a login in it; leave that out, files are the place for what is secret")]
    Login,
    /// `#` and what stands behind it.
    #[error("has a fragment, which is never sent; leave out # and what follows")]
    Fragment,
}

impl Endpoint {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`BadEndpoint`], which says what would be right.
    pub fn parse(text: &str) -> Result<Self, BadEndpoint> {
        let url = Url::parse(text).map_err(|_| BadEndpoint::Malformed)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadEndpoint::Login);
        }
        if url.fragment().is_some() {
            return Err(BadEndpoint::Fragment);
        }
        match (url.scheme(), url.host()) {
            ("https", Some(_)) => Ok(Self(url)),
            ("http", Some(host)) if is_this_machine(&host) => Ok(Self(url)),
            ("http", Some(_)) => Err(BadEndpoint::Insecure),
            (_, Some(_)) => Err(BadEndpoint::Scheme),
            (_, None) => Err(BadEndpoint::Malformed),
        }
    }

    /// The whole of it, with its query: for the request, not for the log.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Another place on the same server, without a query. It is made from the path of this one, without slashes at its end.
    #[must_use]
    pub fn with_path(&self, path: impl FnOnce(&str) -> String) -> Self {
        let mut url = self.0.clone();
        url.set_path(&path(self.0.path().trim_end_matches('/')));
        url.set_query(None);
        Self(url)
    }

    /// The host, as it is written in a URL: an IPv6 address in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// Whether it begins with `https:`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether there is nothing behind host and port.
    #[must_use]
    pub fn is_origin(&self) -> bool {
        self.0.path() == "/" && self.0.query().is_none()
    }

    /// Whether both lead to the same server: scheme, host and port (RFC 6454 section 5).
    #[must_use]
    pub fn has_origin_of(&self, other: &Self) -> bool {
        self.0.origin() == other.0.origin()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.0.as_str();
        f.write_str(whole.split_once('?').map_or(whole, |(before, _)| before))
    }
}

/// RFC 6761 section 6.3 for the name.
fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_a_host_and_nothing_behind_it() {
        for (url, host, is_https, is_origin) in [
            ("https://mail.example.org", "mail.example.org", true, true),
            ("https://mail.example.org:8443/", "mail.example.org", true, true),
            ("http://[::1]:2580", "[::1]", false, true),
            ("https://mail.example.org/mail", "mail.example.org", true, false),
            ("https://mail.example.org/?a", "mail.example.org", true, false),
        ] {
            let url = Endpoint::parse(url).unwrap();
            assert_eq!((url.host(), url.is_https(), url.is_origin()), (host, is_https, is_origin), "{url}");
        }
    }

    #[test]
    fn tls_is_wanted_beyond_this_machine() {
        for right in [
            "https://idp.example.org",
            "HTTPS://idp.example.org:8443/a/b?c=d",
            "https://192.0.2.1/",
            "http://127.0.0.1:8080/x",
            "http://127.255.0.9/",
            "http://[::1]:9/",
            "http://localhost/",
        ] {
            assert!(Endpoint::parse(right).is_ok(), "{right}");
        }
        for (wrong, why) in [
            ("", BadEndpoint::Malformed),
            ("idp.example.org/x", BadEndpoint::Malformed),
            ("/x", BadEndpoint::Malformed),
            ("file:///etc/passwd", BadEndpoint::Malformed),
            ("data:text/plain,x", BadEndpoint::Malformed),
            ("https://", BadEndpoint::Malformed),
            ("http://idp.example.org/", BadEndpoint::Insecure),
            ("http://localhost.example.org/", BadEndpoint::Insecure),
            ("http://192.0.2.1/", BadEndpoint::Insecure),
            ("http://0.0.0.0/", BadEndpoint::Insecure),
            ("http://[::ffff:192.0.2.1]/", BadEndpoint::Insecure),
            ("ftp://127.0.0.1/", BadEndpoint::Scheme),
            ("https://user@idp.example.org/", BadEndpoint::Login),
            ("https://:secret@idp.example.org/", BadEndpoint::Login),
            ("http://127.0.0.1@idp.example.org/", BadEndpoint::Login),
            ("https://idp.example.org/#x", BadEndpoint::Fragment),
        ] {
            assert_eq!(Endpoint::parse(wrong), Err(why), "{wrong}");
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let same = |a: &str, b: &str| Endpoint::parse(a).unwrap().has_origin_of(&Endpoint::parse(b).unwrap());
        assert!(same("https://idp.example.org/a", "https://IDP.example.org:443/b?c"));
        assert!(!same("https://idp.example.org/", "https://idp.example.org:444/"));
        assert!(!same("https://idp.example.org/", "https://idp.example.org.evil.test/"));
        assert!(!same("https://127.0.0.1/", "http://127.0.0.1/"));
    }

    #[test]
    fn another_place_is_on_the_same_server() {
        let below = |text| Endpoint::parse(text).unwrap().with_path(|path| format!("{path}/x")).to_string();
        assert_eq!(below("https://idp.example.org"), "https://idp.example.org/x");
        assert_eq!(below("https://idp.example.org/a/?b"), "https://idp.example.org/a/x");
        assert_eq!(below("https://idp.example.org/a?b"), "https://idp.example.org/a/x");
    }

    #[test]
    fn it_prints_without_its_query() {
        let endpoint = Endpoint::parse("https://idp.example.org:8443/keys?token=abc").unwrap();
        assert_eq!(endpoint.to_string(), "https://idp.example.org:8443/keys");
        assert!(endpoint.as_str().ends_with("?token=abc"));
    }
}
