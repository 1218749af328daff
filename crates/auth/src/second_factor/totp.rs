//! Time-based one-time passwords (RFC 6238) by totp-rs: six digits, SHA-1 and steps of thirty seconds, which is what
//! authenticator apps read.
//!
//! The codes of three steps are right, those of now, of the step before and of the one behind, so that a clock may be 30 seconds off (RFC 6238
//! section 5.2). The store sees to it that each step is used once (`SecondFactors::use_step`).

use jiff::Timestamp;
use rand::Rng as _;
use totp_rs::{Builder, Totp};
use types::{Mailbox, Secret};
use zeroize::Zeroizing;

/// How long a step lasts, in seconds (RFC 6238 section 5.2).
const STEP: u64 = 30;

/// Octets of a seed that is made here: the length of a SHA-1 hash (RFC 4226 section 4).
const OCTETS: usize = 20;

/// The fewest octets of a seed that is imported; a shorter one could be guessed from codes that were seen.
const OCTETS_AT_LEAST: usize = 10;

/// The secret that server and authenticator app share, and from which codes are computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed(Secret);

impl Seed {
    /// A new seed from a cryptographic generator.
    #[must_use]
    pub fn generate() -> Self {
        let mut octets = vec![0; OCTETS];
        rand::rng().fill_bytes(&mut octets);
        Self(Secret::new(octets))
    }

    /// The seed with these octets; `None` if they are too few.
    #[must_use]
    pub fn from_octets(octets: Secret) -> Option<Self> {
        (octets.declassify().len() >= OCTETS_AT_LEAST).then_some(Self(octets))
    }

    /// The seed in base32 of either case, in groups or not, with or without padding; `None` if it is not base32, or too short.
    #[must_use]
    pub fn from_base32(text: &str) -> Option<Self> {
        let mut digits = without_white_space(text.trim_end_matches('='));
        digits.make_ascii_uppercase();
        // The last group has 2, 4, 5 or 7 digits of its own (RFC 4648 section 6), which totp-rs does not look at.
        if matches!(digits.len() % 8, 1 | 3 | 6) {
            return None;
        }
        let octets = totp_rs::Secret::try_from_base32(&*digits).ok()?;
        Self::from_octets(Secret::new(octets.as_bytes()))
    }

    /// The octets of the seed, to be sealed.
    #[must_use]
    pub fn octets(&self) -> &Secret {
        &self.0
    }

    /// The seed as people type it into an app: base32 without padding.
    #[must_use]
    pub fn base32(&self) -> Zeroizing<String> {
        Zeroizing::new(self.totp().secret().to_base32())
    }

    /// The seed as an app reads it from a QR code, for the account `address` at the server `issuer`.
    ///
    /// Algorithm, digits and period are left out: they are what every app takes when nothing is said, and a smaller QR
    /// code is read more easily. A colon, which a quoted local part may have, would end the issuer, and apps show `%3A`
    /// in its place.
    #[must_use]
    #[expect(clippy::expect_used, reason = "an address is not empty, and has no colon here")]
    pub fn uri(&self, issuer: &str, address: &Mailbox) -> Zeroizing<String> {
        let name = address.to_string().replace(':', "%3A");
        let totp = self.builder().with_issuer(Some(issuer)).with_account_name(name).build_noncompliant();
        Zeroizing::new(totp.to_url().expect("a name without a colon"))
    }

    /// The number of the step whose code this is, if that step counts at this time; the earliest, if it is the code of several.
    /// White space in the code is ignored, since apps show it in groups.
    #[must_use]
    pub fn step_of(&self, code: &str, now: Timestamp) -> Option<u64> {
        let second = u64::try_from(now.as_second()).ok()?;
        // Step 0 was in 1970.
        self.totp().check(&without_white_space(code), second).filter(|step| *step > 0)
    }

    /// The code of a step, as an app shows it.
    #[cfg(test)]
    pub(crate) fn code(&self, step: u64) -> String {
        self.totp().generate(step * STEP).to_string()
    }

    fn totp(&self) -> Totp {
        self.builder().build_noncompliant()
    }

    /// Six digits, SHA-1, steps of [`STEP`] seconds of which the present one and its neighbours count. What is built from
    /// it is called noncompliant when the seed has less than 16 octets, as those of some servers have.
    fn builder(&self) -> Builder {
        Builder::new().with_skew(1).with_step_duration(STEP).with_secret(self.0.declassify())
    }
}

/// The step at a time after 1970.
pub(crate) fn step_at(now: Timestamp) -> Option<u64> {
    Some(u64::try_from(now.as_second()).ok()? / STEP)
}

fn without_white_space(text: &str) -> Zeroizing<String> {
    // Reserved at its full length: a string that grows leaves copies of the secret in freed memory.
    let mut rest = Zeroizing::new(String::with_capacity(text.len()));
    rest.extend(text.chars().filter(|character| !character.is_whitespace()));
    rest
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
        let now = at(1_111_111_109);
        let present = step_at(now).unwrap();
        let counts = |step: &u64| seed().step_of(&seed().code(*step), now).is_some();
        let right = u32::try_from((present - 10..present + 10).filter(counts).count()).unwrap();
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
            "otpauth://totp/mail.example.org:alice%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=mail.example.org"
        );
        let address = Mailbox::parse("\"a&b:/?%\"@exämple.org").unwrap();
        let uri = seed().uri("h", &address);
        assert!(
            uri.starts_with("otpauth://totp/h:%22a%26b%253A%2F%3F%25%22%40ex%C3%A4mple.org?secret="),
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
