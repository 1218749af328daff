//! The small language inside a line of a dialogue: escapes, `{b64:…}`, `{repeat:…:N}`, and `*` in what is expected.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Expands the templates of `text`; a brace that is meant is written twice.
pub fn expand(text: &str) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        octets.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('{') {
            octets.push(b'{');
            rest = after;
            continue;
        }
        let end = rest.find('}').ok_or_else(|| format!("a template without its `}}` in {text:?}"))?;
        octets.extend(template(&rest[..end])?);
        rest = &rest[end + 1..];
    }
    octets.extend_from_slice(rest.as_bytes());
    Ok(octets)
}

/// As [`expand`], with escapes outside of the templates too.
pub fn expand_raw(text: &str) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        octets.extend(unescape(&rest[..at])?);
        let end = rest.find('}').ok_or_else(|| format!("a template without its `}}` in {text:?}"))?;
        octets.extend(template(&rest[at + 1..end])?);
        rest = &rest[end + 1..];
    }
    octets.extend(unescape(rest)?);
    Ok(octets)
}

fn template(inside: &str) -> Result<Vec<u8>, String> {
    if let Some(text) = inside.strip_prefix("b64:") {
        return Ok(STANDARD.encode(unescape(text)?).into_bytes());
    }
    if let Some((text, times)) = inside.strip_prefix("repeat:").and_then(|rest| rest.rsplit_once(':')) {
        let times: usize = times.parse().map_err(|_| format!("`{times}` is no number of times"))?;
        return Ok(unescape(text)?.repeat(times));
    }
    Err(format!("no such template: {{{inside}}}"))
}

/// `\r \n \t \0 \\ \xHH`; everything else stands for itself.
pub fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        if octet != b'\\' {
            octets.push(octet);
            continue;
        }
        octets.push(match rest.next() {
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'0') => 0,
            Some(b'\\') => b'\\',
            Some(b'x') => hex(&mut rest).ok_or_else(|| format!("`\\x` wants two hex digits in {text:?}"))?,
            other => return Err(format!("no such escape: \\{:?} in {text:?}", other.map(char::from))),
        });
    }
    Ok(octets)
}

fn hex(digits: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let high = char::from(digits.next()?).to_digit(16)?;
    let low = char::from(digits.next()?).to_digit(16)?;
    u8::try_from(high * 16 + low).ok()
}

/// Whether `text` is what `pattern` says, where `*` stands for anything, also nothing.
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        assert!(matches("250 *", "250 2.0.0 queued"));
        assert!(matches("250 * queued *", "250 2.0.0 queued as x"));
        assert!(matches("*", ""));
        assert!(!matches("250 *", "2502"));
        assert!(!matches("250 ab*b", "250 ab"));
    }

    #[test]
    fn templates_and_escapes_become_octets() {
        assert_eq!(expand("AUTH PLAIN {b64:\\0a\\0b}").unwrap(), b"AUTH PLAIN AGEAYg==");
        assert_eq!(expand("{repeat:ab:3}{{").unwrap(), b"ababab{");
        assert_eq!(expand("\"a\\b\"").unwrap(), b"\"a\\b\"");
        assert_eq!(expand_raw("a\\r\\n\\xff{repeat:\\n:2}").unwrap(), b"a\r\n\xff\n\n");
        assert!(expand("{nonsense}").is_err());
    }
}
