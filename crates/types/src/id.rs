//! Identifiers: unique without asking anybody, and written so that people can read them out.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Crockford's base32 in lower case: no `i`, `l`, `o` or `u` to be misread.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Text that is not an identifier: another length, another alphabet, or a number too great.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier")]
pub struct IdError;

/// The 5-bit digits of `value`, the highest first. All of them are ASCII.
fn base32<const DIGITS: usize>(value: u128) -> [u8; DIGITS] {
    let mut digits = [0; DIGITS];
    let mut left = value;
    for digit in digits.iter_mut().rev() {
        let index = usize::try_from(left & 31).unwrap_or_default();
        *digit = ALPHABET.get(index).copied().unwrap_or_default();
        left >>= 5;
    }
    digits
}

/// Displays ASCII.
fn write_ascii(f: &mut fmt::Formatter<'_>, ascii: &[u8]) -> fmt::Result {
    f.pad(std::str::from_utf8(ascii).unwrap_or_default())
}

/// Reads exactly `digits` digits of either case, whose number has at most `bits` bits.
fn read_base32(text: &str, digits: usize, bits: u32) -> Result<u128, IdError> {
    if text.len() != digits {
        return Err(IdError);
    }
    text.bytes().try_fold(0u128, |value, octet| {
        let octet = octet.to_ascii_lowercase();
        let digit = ALPHABET.iter().zip(0u128..).find(|(letter, _)| **letter == octet).ok_or(IdError)?.1;
        // The topmost digit has fewer than five bits of use.
        if value >> bits.saturating_sub(5) == 0 { Ok((value << 5) | digit) } else { Err(IdError) }
    })
}

macro_rules! timed_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// 16 octets: 48 bits of Unix milliseconds, then 80 random bits, so that ids sort by time of making.
        /// Displayed as 26 characters of Crockford's base32 in lower case.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// Makes an id of a time, in milliseconds since 1970 (its lowest 48 bits), and random octets.
            #[must_use]
            pub fn new(unix_ms: u64, random: [u8; 10]) -> Self {
                let random = random.iter().fold(0u128, |bits, octet| (bits << 8) | u128::from(*octet));
                Self(((u128::from(unix_ms) << 80) | random).to_be_bytes())
            }

            /// The id as it was stored.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The id as it is to be stored.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// The ids whose text begins with `text`: people cut ids short.
            ///
            /// # Errors
            /// [`IdError`] if the text is empty, or no id begins so.
            pub fn beginning_with(text: &str) -> Result<RangeInclusive<Self>, IdError> {
                if text.is_empty() {
                    return Err(IdError);
                }
                Ok(format!("{text:0<26}").parse()?..=format!("{text:z<26}").parse()?)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_ascii(f, &base32::<26>(u128::from_be_bytes(self.0)))
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                read_base32(text, 26, 128).map(|value| Self(value.to_be_bytes()))
            }
        }
    };
}

timed_id! {
    /// A message that was accepted, in replies, in the queue and in `Received:`.
    QueueId
}
timed_id! {
    /// An account, whatever its address becomes.
    AccountId
}
timed_id! {
    /// A credential of an account, such as an app password.
    CredentialId
}
timed_id! {
    /// A key that signs mail of a domain.
    DkimKeyId
}
timed_id! {
    /// A place that an account was logged in to from, by one of its credentials.
    SignInId
}
timed_id! {
    /// A session of somebody who is signed in in a browser. What opens it is another value.
    WebSessionId
}
timed_id! {
    /// An API token. What opens the API is another value.
    ApiTokenId
}
timed_id! {
    /// A link that sets up a device, or invites to an account. What opens it is another value.
    EnrolmentId
}
timed_id! {
    /// A webhook.
    WebhookId
}
timed_id! {
    /// An event that a webhook is told of, however often it is tried.
    WebhookDeliveryId
}
timed_id! {
    /// One run of a server, from its start to its end: the next run is another node.
    NodeId
}

/// One connection of one client, in logs and in the audit trail: 8 random octets, displayed as 13 characters of
/// Crockford's base32 in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId([u8; 8]);

impl SessionId {
    /// Makes an id of random octets.
    #[must_use]
    pub const fn new(random: [u8; 8]) -> Self {
        Self(random)
    }

    /// The octets of the id.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_ascii(f, &base32::<13>(u128::from(u64::from_be_bytes(self.0))))
    }
}

impl FromStr for SessionId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let value = read_base32(text, 13, 64)?;
        u64::try_from(value).map(|value| Self(value.to_be_bytes())).map_err(|_| IdError)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_are_written_in_crockfords_base32() {
        assert_eq!(QueueId::from_bytes([0; 16]).to_string(), "0".repeat(26));
        assert_eq!(QueueId::from_bytes([0xff; 16]).to_string(), "7".to_owned() + &"z".repeat(25));
        assert_eq!(SessionId::new([0xff; 8]).to_string(), "f".to_owned() + &"z".repeat(12));
        // The example of the ULID specification: 2016-07-30T22:36:16.385Z.
        assert!(AccountId::new(1_469_922_850_259, [0; 10]).to_string().starts_with("01arz3ndek"));
    }

    #[test]
    fn times_beyond_48_bits_lose_their_highest_bits() {
        assert_eq!(QueueId::new(u64::MAX, [1; 10]), QueueId::new((1 << 48) - 1, [1; 10]));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        let long = "0".repeat(27);
        for text in [
            "",
            "0",
            "8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "0000000000000000000000000u",
            "0000000000000000000000000-",
            long.as_str(),
            "é000000000000000000000000",
        ] {
            assert_eq!(text.parse::<QueueId>(), Err(IdError), "{text}");
        }
        assert_eq!("g000000000000".parse::<SessionId>(), Err(IdError));
    }

    #[test]
    fn an_id_that_is_cut_short_is_a_range() {
        let range = QueueId::beginning_with("01ARZ3").unwrap();
        assert_eq!(range.start().to_string(), "01arz300000000000000000000");
        assert_eq!(range.end().to_string(), "01arz3zzzzzzzzzzzzzzzzzzzz");
        let whole = "01arz3ndektsv4rrffq69g5fav";
        let id: QueueId = whole.parse().unwrap();
        assert_eq!(QueueId::beginning_with(whole), Ok(id..=id));
        for none in ["", "8", "u", "01arz3-", "é", "01arz3ndektsv4rrffq69g5fav0"] {
            assert_eq!(QueueId::beginning_with(none), Err(IdError), "{none}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_in_either_case(ms in 0u64..1 << 48, random: [u8; 10], session: [u8; 8]) {
            let id = CredentialId::new(ms, random);
            prop_assert_eq!(id.to_string().len(), 26);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            prop_assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
            prop_assert_eq!(CredentialId::from_bytes(*id.as_bytes()), id);
            let session = SessionId::new(session);
            prop_assert_eq!(session.to_string().parse(), Ok(session));
        }

        #[test]
        fn ids_sort_by_time_and_so_does_their_text(ms in 0u64..(1 << 48) - 1, one: [u8; 10], other: [u8; 10]) {
            let (earlier, later) = (QueueId::new(ms, one), QueueId::new(ms + 1, other));
            prop_assert!(earlier < later);
            prop_assert!(earlier.to_string() < later.to_string());
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,30}|[0-9a-z]{26}") {
            if let Ok(id) = text.parse::<QueueId>() {
                prop_assert_eq!(id.to_string(), text.to_lowercase());
            }
        }
    }
}
