//! Letters that are drawn, not chosen: 160 random bits as text, which nobody guesses.

use zeroize::Zeroizing;

use crate::keys::key::random;

/// Letters that are drawn: 32^32 is 160 bits.
pub(crate) const LETTERS: usize = 32;

/// The letters that are drawn from: each stands for five bits.
pub(crate) type Alphabet = [u8; 32];

/// Letters of one alphabet.
#[derive(Clone)]
pub(crate) struct DrawnLetters(Zeroizing<[u8; LETTERS]>);

impl DrawnLetters {
    /// New ones, of octets from the system itself. Each octet gives one letter; 32 divides 256, so that each is as likely as any other.
    pub(crate) fn draw(alphabet: &Alphabet) -> Self {
        let octets = Zeroizing::new(random::<LETTERS>());
        Self(Zeroizing::new(octets.map(|octet| letter(alphabet, octet))))
    }

    /// Those that are written so; `None` unless they are as many, and all of this alphabet.
    pub(crate) fn parse(text: &str, alphabet: &Alphabet) -> Option<Self> {
        let letters: [u8; LETTERS] = text.as_bytes().try_into().ok()?;
        let letters = Zeroizing::new(letters);
        letters.iter().all(|letter| alphabet.contains(letter)).then_some(Self(letters))
    }

    /// The letters as text.
    pub(crate) fn declassify(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.iter().copied().map(char::from).collect())
    }

    /// The letters as octets, to be digested.
    pub(crate) fn octets(&self) -> &[u8] {
        self.0.as_slice()
    }
}

/// The letter that stands for the lowest five bits.
pub(crate) fn letter(alphabet: &Alphabet, bits: u8) -> u8 {
    alphabet.get(usize::from(bits & 31)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const ALPHABET: &Alphabet = b"0123456789abcdefghjkmnpqrstvwxyz";

    #[test]
    fn letters_read_back_and_nothing_else_is_taken_for_them() {
        let letters = DrawnLetters::draw(ALPHABET);
        let text = letters.declassify();
        assert_eq!(text.len(), LETTERS);
        assert_eq!(DrawnLetters::parse(&text, ALPHABET).unwrap().octets(), letters.octets());
        let others =
            [String::new(), format!("{}0", *text), "o".repeat(LETTERS), "A".repeat(LETTERS), "é".repeat(16)];
        for other in others {
            assert!(DrawnLetters::parse(&other, ALPHABET).is_none(), "{other:?}");
        }
        assert_ne!(DrawnLetters::draw(ALPHABET).declassify(), text);
    }

    #[test]
    fn every_letter_is_drawn() {
        let drawn: Vec<_> = (0..64).map(|_| DrawnLetters::draw(ALPHABET)).collect();
        let drawn: BTreeSet<u8> = drawn.iter().flat_map(|letters| letters.octets().to_vec()).collect();
        assert_eq!(drawn, ALPHABET.iter().copied().collect());
    }
}
