//! An address in lines that are pasted somewhere: what stands in it is never run, and never ends what it stands in.

use std::fmt::Write as _;

/// As a word of a shell (POSIX, XCU section 2.2.2). What no shell reads anything into stays as it is.
pub(crate) fn for_shell(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '.' | '_' | '+' | '-');
    match text.chars().all(is_plain) {
        true => text.to_owned(),
        // In single quotes all stands for itself but their end.
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// As a value of mutt, which runs what stands in backticks, and puts in what a `$` names, in double quotes too.
pub(crate) fn for_mutt(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '`' | '$') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// As the name of a user in a URL: all but what is never reserved stands as octets (RFC 3986 section 2).
pub(crate) fn in_url(text: &str) -> String {
    let mut encoded = String::new();
    for octet in text.bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(octet))
            }
            _ => {
                let _ = write!(encoded, "%{octet:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_quoted_by_the_rules_of_where_it_is_pasted() {
        for (text, shell, mutt, url) in [
            ("ann@example.org", "ann@example.org", r#""ann@example.org""#, "ann%40example.org"),
            ("a'b", r"'a'\''b'", r#""a'b""#, "a%27b"),
            ("$(x)`y`", "'$(x)`y`'", r#""\$(x)\`y\`""#, "%24%28x%29%60y%60"),
            (r#""\""#, r#"'"\"'"#, r#""\"\\\"""#, "%22%5C%22"),
            ("~\u{e9}", "'~\u{e9}'", "\"~\u{e9}\"", "~%C3%A9"),
        ] {
            assert_eq!(
                (for_shell(text).as_str(), for_mutt(text).as_str(), in_url(text).as_str()),
                (shell, mutt, url)
            );
        }
    }
}
