//! Dovecot's passwd-file: `user:{SCHEME}hash:uid:gid:gecos:home:shell:extra fields`, one account a line.
//!
//! `/etc/shadow` reads the same, as far as it matters here. See Dovecot's documentation of "passwd-file".

use std::io::BufRead;
use std::sync::Arc;

use super::{Found, Newcomer, Place, Terms};
use crate::argument;
use crate::import::lines::Lines;

/// The accounts of a file.
pub(crate) fn read(
    file: Arc<str>,
    reader: impl BufRead,
    terms: Terms,
) -> impl Iterator<Item = anyhow::Result<Found>> {
    Lines::new(reader).filter_map(move |line| match line {
        Ok((_, Ok(text))) if is_empty(&text) => None,
        Ok((line, text)) => {
            let newcomer = text.and_then(|text| account(&text, &terms));
            Some(Ok(Found { place: Place { file: Arc::clone(&file), line }, newcomer }))
        }
        Err(error) => Some(Err(anyhow::Error::new(error).context(format!("cannot read {file}")))),
    })
}

fn is_empty(line: &str) -> bool {
    line.trim().is_empty() || line.starts_with('#')
}

fn account(line: &str, terms: &Terms) -> Result<Newcomer, String> {
    let mut fields = line.splitn(8, ':');
    let user = fields.next().unwrap_or_default().trim();
    let password = fields.next().ok_or("there is no `:`; write user:{SCHEME}hash, as Dovecot does")?;
    let (gecos, extra) = (fields.nth(2).unwrap_or_default(), fields.nth(2).unwrap_or_default());
    let has = |name: &str| extra.split_whitespace().any(|field| field.split('=').next() == Some(name));
    let mut newcomer = Newcomer::new(terms.address(user)?);
    if has_password(password) && !has("nopassword") {
        newcomer.password = Some(terms.password(password)?);
    }
    newcomer.name = gecos.split(',').next().and_then(|name| argument::text(name).ok());
    newcomer.disabled = has("nologin");
    if has("allow_nets") {
        newcomer.lacks.push("allow_nets: make an app password with --network instead".to_owned());
    }
    Ok(newcomer)
}

/// A field that no password has, as the passwd files of Unix write it: empty, `*`, `!`, or a hash behind `!`.
fn has_password(field: &str) -> bool {
    !field.is_empty() && !field.starts_with(['*', '!'])
}

#[cfg(test)]
mod tests {
    use auth::ImportedPassword;

    use super::*;

    const HASH: &str = "{SSHA}vH9ZzOQJ2A1cNOLXHJVHCxIbfMf5r1P+";

    fn terms() -> Terms {
        Terms { domain: Some(types::Domain::parse("example.org").unwrap()), scheme: "CRYPT".to_owned() }
    }

    fn hash(newcomer: &Newcomer) -> Option<&str> {
        match newcomer.password.as_ref()? {
            ImportedPassword::Hash(hash) => Some(hash),
            ImportedPassword::Clear(_) => None,
        }
    }

    #[test]
    fn a_line_is_an_account_with_what_it_has() {
        for line in [
            format!("alice@example.org:{HASH}"),
            format!("alice:{HASH}:1000:1000::/home/alice::userdb_mail=maildir:~/Maildir"),
            format!("alice:{HASH}:1000:1000:Alice Liddell,,,:/home/alice:/bin/sh:"),
        ] {
            let alice = account(&line, &terms()).unwrap();
            assert_eq!(alice.address.to_string(), "alice@example.org", "{line}");
            assert_eq!((hash(&alice), alice.disabled), (Some(HASH), false), "{line}");
        }
        let named = account("alice:*:1:1:Alice Liddell,,,:::", &terms()).unwrap();
        assert_eq!(named.name.as_deref(), Some("Alice Liddell"));
    }

    #[test]
    fn what_is_no_password_is_none() {
        for line in [
            "alice:",
            "alice:*",
            "alice:!",
            "alice:!$6$x$y:::::",
            "alice:x::::::nopassword=y",
            "alice:::::::nopassword",
        ] {
            assert!(account(line, &terms()).unwrap().password.is_none(), "{line}");
        }
    }

    #[test]
    fn extra_fields_are_heeded() {
        let account = |extra: &str| account(&format!("alice:{HASH}::::::{extra}"), &terms()).unwrap();
        assert!(account("nologin").disabled && account("userdb_quota=1G nologin=y reason=gone").disabled);
        assert!(!account("userdb_nologin=y").disabled);
        assert_eq!(account("allow_nets=192.0.2.0/24").lacks.len(), 1);
    }

    #[test]
    fn a_password_without_scheme_takes_the_default() {
        let crypt = "$5$F6dJVWYevOBhIkz8$q9IjFzyv2Rs2803QSDOVjxzf3jl8flJPQ0YBk7t02XC";
        assert_eq!(hash(&account(&format!("alice:{crypt}"), &terms()).unwrap()), Some(crypt));
        let plain = Terms { scheme: "PLAIN".to_owned(), ..terms() };
        let alice = account("alice:secret", &plain).unwrap();
        assert!(
            matches!(alice.password, Some(ImportedPassword::Clear(secret)) if secret.declassify() == b"secret")
        );
    }

    #[test]
    fn a_line_that_is_none_says_why_and_never_shows_the_hash() {
        let no_domain = Terms { domain: None, ..terms() };
        for (line, terms, why) in [
            ("alice", &terms(), "there is no `:`"),
            ("alice:{SSHA}x", &no_domain, "--domain"),
            ("a lice:{SSHA}x", &terms(), "is not an address"),
            ("alice:hunter2", &terms(), "malformed"),
            ("alice:{SHA512-CRYPT}$6$hunter2", &terms(), "malformed"),
            ("alice:{OTP}hunter2", &terms(), "not known here"),
        ] {
            let told = account(line, terms).unwrap_err();
            assert!(told.contains(why) && !told.contains("hunter2"), "{line}: {told}");
        }
    }

    #[test]
    fn comments_and_blank_lines_count_as_lines() {
        let text = format!("# who\n\nalice:{HASH}\n  \nbob\n");
        let found: Vec<_> = read("users".into(), text.as_bytes(), terms()).map(Result::unwrap).collect();
        let told: Vec<_> =
            found.iter().map(|found| (found.place.to_string(), found.newcomer.is_ok())).collect();
        assert_eq!(told, [("users:3".to_owned(), true), ("users:5".to_owned(), false)]);
    }
}
