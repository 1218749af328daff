//! xtext, in which `+` begins two upper-case hexadecimal digits (RFC 3461 section 4).

/// The octets that `text` stands for, if it is xtext.
pub(crate) fn decode(mut text: &[u8]) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    while let Some((first, rest)) = text.split_first() {
        text = match (first, rest) {
            (b'+', [high, low, rest @ ..]) => {
                octets.push(digit(*high)? << 4 | digit(*low)?);
                rest
            }
            (b'!'..=b'~', _) if !matches!(first, b'+' | b'=') => {
                octets.push(*first);
                rest
            }
            _ => return None,
        };
    }
    Some(octets)
}

/// `text` as xtext.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'!'..=b'~' if !matches!(octet, b'+' | b'=') => encoded.push(char::from(octet)),
            _ => encoded.push_str(&format!("+{octet:02X}")),
        }
    }
    encoded
}

fn digit(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{decode, encode};

    #[test]
    fn each_octet_has_one_meaning_or_none() {
        assert_eq!(decode(b"a+2Bb+3D+20@x").unwrap(), b"a+b= @x");
        assert_eq!(decode(b"+FF+00").unwrap(), [255, 0]);
        for text in ["a b", "a=b", "+", "+2", "+2b", "+G0", "a+", "\u{7f}", "\u{e9}", "a\tb"] {
            assert_eq!(decode(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn no_more_is_encoded_than_has_to_be() {
        assert_eq!(encode("a+b= @x\u{fc}"), "a+2Bb+3D+20@x+C3+BC");
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(text in "\\PC{0,30}") {
            prop_assert_eq!(decode(encode(&text).as_bytes()), Some(text.into_bytes()));
        }
    }
}
