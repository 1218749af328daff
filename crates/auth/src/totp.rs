//! Time-based one-time passwords (RFC 6238): six digits, SHA-1 and steps of thirty seconds, which is what authenticator
//! apps read.
//!
//! Three steps count, the present one and its two neighbours, so that a clock may be half a minute off (RFC 6238
//! section 5.2). That a step is used once is not seen to here but where it is recorded, in the store.

use std::ops::RangeInclusive;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use rand::Rng as _;
use sha1::Sha1;
use subtle::{ConditionallySelectable as _, ConstantTimeEq as _};
use types::{Mailbox, Secret};
use zeroize::Zeroizing;

/// Digits in a code.
pub const DIGITS: usize = 6;

/// How long a step lasts, in seconds (RFC 6238 section 5.2).
const STEP: u64 = 30;

/// Octets of a seed made here: as many as SHA-1 gives (RFC 4226 section 4).
const OCTETS: usize = 20;

/// Seeds brought from elsewhere are as short as this; shorter ones could be guessed from codes that were seen.
const OCTETS_AT_LEAST: usize = 10;

/// RFC 4648 section 6.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What the server and the authenticator app share, and codes are made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed(Secret);

impl Seed {
    /// A new one, from a cryptographic generator.
    #[must_use]
    pub fn generate() -> Self {
        let mut octets = vec![0; OCTETS];
        rand::rng().fill_bytes(&mut octets);
        Self(Secret::new(octets))
    }

    /// The seed that these octets are, unless they are too few for one.
    #[must_use]
    pub fn from_octets(octets: Secret) -> Option<Self> {
        (octets.declassify().len() >= OCTETS_AT_LEAST).then_some(Self(octets))
    }

    /// The seed that is written so: base32 of either case, in groups or not, with or without padding.
    #[must_use]
    pub fn from_base32(text: &str) -> Option<Self> {
        let digits = text.trim_end_matches('=').chars().filter(|character| !character.is_whitespace());
        let mut octets = Zeroizing::new(Vec::with_capacity(text.len()));
        let (mut bits, mut held) = (0u16, 0u32);
        for digit in digits {
            bits = (bits << 5) | u16::from(base32_digit(digit)?);
            held += 5;
            if held >= 8 {
                held -= 8;
                octets.push((bits >> held).to_be_bytes()[1]);
            }
        }
        // What is left over of the last digit has no meaning, nor may it be a whole digit.
        (held < 5).then(|| Self::from_octets(Secret::new(octets.to_vec())))?
    }

    /// The octets, to be sealed.
    #[must_use]
    pub fn octets(&self) -> &Secret {
        &self.0
    }

    /// The seed as people type it into an app: base32 without padding.
    #[must_use]
    pub fn base32(&self) -> Zeroizing<String> {
        let octets = self.0.declassify();
        let mut text = Zeroizing::new(String::with_capacity(octets.len().div_ceil(5) * 8));
        for group in octets.chunks(5) {
            let bits = group.iter().fold(0u64, |bits, octet| (bits << 8) | u64::from(*octet));
            let digits = (group.len() * 8).div_ceil(5);
            let bits = bits << (digits * 5 - group.len() * 8);
            text.extend((0..digits).rev().map(|place| base32_letter(bits >> (place * 5))));
        }
        text
    }

    /// The seed as an app reads it from a QR code, for the account `address` at the server `issuer`.
    ///
    /// Algorithm, digits and period are left out: they are what every app takes when nothing is said, and a smaller QR
    /// code is read more easily.
    #[must_use]
    pub fn uri(&self, issuer: &str, address: &Mailbox) -> Zeroizing<String> {
        let (issuer, address) = (percent(issuer), percent(&address.to_string()));
        let secret = self.base32();
        Zeroizing::new(format!("otpauth://totp/{issuer}:{address}?secret={}&issuer={issuer}", *secret))
    }

    /// The time step whose code this is, if it is one that counts at this time. White space in the code is ignored,
    /// since apps show it in groups.
    ///
    /// How long it takes tells nothing: every step that counts is computed and compared.
    #[must_use]
    pub fn step_of(&self, code: &str, now: Timestamp) -> Option<u64> {
        let typed = read(code)?;
        let mut found = 0;
        for step in steps_that_count(now)? {
            found.conditional_assign(&step, self.code(step).ct_eq(&typed));
        }
        // Step 0 was in 1970.
        (found != 0).then_some(found)
    }

    /// The code of a step: RFC 4226 section 5.3, with the step for a counter.
    pub(crate) fn code(&self, step: u64) -> u32 {
        let mac = keyed(self.0.declassify()).chain_update(step.to_be_bytes()).finalize().into_bytes();
        let offset = usize::from(mac.last().copied().unwrap_or_default() & 0xf);
        let four = mac.iter().skip(offset).take(4).fold(0u32, |bits, octet| (bits << 8) | u32::from(*octet));
        (four & 0x7fff_ffff) % 1_000_000
    }
}

/// The step at a time after 1970.
pub(crate) fn step_at(now: Timestamp) -> Option<u64> {
    Some(u64::try_from(now.as_second()).ok()? / STEP)
}

/// The present step and its neighbours.
fn steps_that_count(now: Timestamp) -> Option<RangeInclusive<u64>> {
    let present = step_at(now)?;
    Some(present.saturating_sub(1)..=present.saturating_add(1))
}

#[expect(clippy::expect_used, reason = "RFC 2104 section 3: HMAC takes a key of any length")]
fn keyed(key: &[u8]) -> Hmac<Sha1> {
    Hmac::new_from_slice(key).expect("a key of any length")
}

/// The number that somebody typed, if it is six digits.
fn read(code: &str) -> Option<u32> {
    let (mut number, mut digits) = (0, 0);
    for character in code.chars().filter(|character| !character.is_whitespace()) {
        digits += 1;
        if digits > DIGITS {
            return None;
        }
        number = number * 10 + character.to_digit(10)?;
    }
    (digits == DIGITS).then_some(number)
}

fn base32_letter(bits: u64) -> char {
    BASE32
        .iter()
        .zip(0u64..)
        .find(|(_, digit)| *digit == bits & 31)
        .map_or('A', |(letter, _)| char::from(*letter))
}

fn base32_digit(letter: char) -> Option<u8> {
    let letter = u8::try_from(letter.to_ascii_uppercase()).ok()?;
    BASE32.iter().zip(0u8..).find(|(known, _)| **known == letter).map(|(_, digit)| digit)
}

/// RFC 3986 section 2.1: all but what may stand in a path and in a query alike.
fn percent(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, octet| {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'@' => {
                encoded.push(char::from(octet));
            }
            octet => encoded.push_str(&format!("%{octet:02X}")),
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Of RFC 6238 appendix B.
    fn seed() -> Seed {
        Seed::from_octets(Secret::new("12345678901234567890")).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn rfc_6238_appendix_b() {
        // The column of SHA-1, of whose eight digits an app shows the last six.
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let step = u64::try_from(second).unwrap() / 30;
            assert_eq!(seed().step_of(code, at(second)), Some(step), "{second}");
        }
    }

    #[test]
    fn otp_03_a_clock_may_be_thirty_seconds_off_and_no_more() {
        // The code of 1111111109, whose step began at 1111111080.
        let (code, step) = ("081804", 37_037_036);
        for (second, counts) in [
            (1_111_111_049, false),
            (1_111_111_050, true),
            (1_111_111_079, true),
            (1_111_111_080, true),
            (1_111_111_109, true),
            (1_111_111_139, true),
            (1_111_111_140, false),
        ] {
            assert_eq!(seed().step_of(code, at(second)), counts.then_some(step), "{second}");
        }
        for second in [1_111_111_109 - 90, 1_111_111_109 + 90] {
            assert_eq!(seed().step_of(code, at(second)), None);
        }
    }

    #[test]
    fn otp_02_guessing_goes_slowly() {
        // As many codes are right at a time as there are steps that count, of a million.
        let right = u32::try_from(steps_that_count(at(1_111_111_109)).unwrap().count()).unwrap();
        assert_eq!(right, 3);
        // A throttle of 6 tries in 180 seconds, as the configuration has it at first.
        let tries_a_day = 6.0 * 86_400.0 / 180.0;
        let a_day = 1.0 - (1.0 - f64::from(right) / 1e6).powf(tries_a_day);
        assert!(a_day < 0.009, "{a_day}");
    }

    #[test]
    fn white_space_is_ignored_and_anything_else_is_no_code() {
        for code in ["287082", "287 082", " 2 8 7\t0 8 2\n", "287\u{a0}082"] {
            assert_eq!(seed().step_of(code, at(59)), Some(1), "{code:?}");
        }
        for code in
            ["", "28708", "2870820", "0287082", "287-082", "+87082", "２８７０８２", "28708a", "000000"]
        {
            assert_eq!(seed().step_of(code, at(59)), None, "{code:?}");
        }
    }

    #[test]
    fn before_1970_and_at_its_first_steps_no_code_is_right_by_mistake() {
        assert_eq!(seed().step_of("755224", at(-1)), None);
        // RFC 4226 appendix D: the codes of the counters 0 and 1.
        assert_eq!(seed().step_of("755224", at(0)), None);
        assert_eq!(seed().step_of("287082", at(0)), Some(1));
    }

    #[test]
    fn rfc_4648_section_10_in_base32() {
        // Of seeds long enough: the vectors, after ten octets of padding that fill their groups.
        for (text, base32) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
        ] {
            let seed = Seed::from_octets(Secret::new(format!("foobafooba{text}"))).unwrap();
            assert_eq!(*seed.base32(), format!("MZXW6YTBMZXW6YTB{base32}"));
        }
    }

    #[test]
    fn base32_is_read_however_people_write_it() {
        let seed = seed();
        for text in [
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
            "gezd gnbv gy3t qojq gezd gnbv gy3t qojq",
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ====",
        ] {
            assert_eq!(Seed::from_base32(text), Some(seed.clone()), "{text}");
        }
        for text in [
            "",
            "MZXW6YTB",
            "GEZDGNBVGY3TQOJQ1",
            "GEZDGNBVGY3TQOJQA",
            "GEZDGNBVGY3TQOJQ0EZDGNBV",
            "GEZDGNBVGY3TQOJQ=GEZ",
        ] {
            assert_eq!(Seed::from_base32(text), None, "{text}");
        }
    }

    #[test]
    fn the_uri_names_server_and_account() {
        let address = Mailbox::parse("alice@example.org").unwrap();
        assert_eq!(
            *seed().uri("mail.example.org", &address),
            "otpauth://totp/mail.example.org:alice@example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=mail.example.org"
        );
        let address = Mailbox::parse("\"a&b:/?%\"@exämple.org").unwrap();
        let uri = seed().uri("h", &address);
        assert!(
            uri.starts_with("otpauth://totp/h:%22a%26b%3A%2F%3F%25%22@ex%C3%A4mple.org?secret="),
            "{}",
            *uri
        );
    }

    #[test]
    fn seeds_differ_and_are_not_shown() {
        let seed = Seed::generate();
        assert_eq!(seed.octets().declassify().len(), OCTETS);
        assert_ne!(seed, Seed::generate());
        assert_eq!(format!("{seed:?}"), "Seed(Secret(…))");
    }

    proptest! {
        #[test]
        fn base32_reads_back(octets in prop::collection::vec(any::<u8>(), 10..64)) {
            let seed = Seed::from_octets(Secret::new(octets)).unwrap();
            prop_assert_eq!(Seed::from_base32(&seed.base32()), Some(seed));
        }

        #[test]
        fn any_text_is_a_code_or_not(code in "\\PC{0,12}", second in any::<i32>()) {
            let _ = seed().step_of(&code, at(i64::from(second)));
            let _ = Seed::from_base32(&code);
        }
    }
}
