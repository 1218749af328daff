//! A password as it was typed, and its normal form.
//!
//! The same key gives an `ä` of one character on one system and of two on another. What we hash is NFKC, as it is for SCRAM
//! (RFC 4013 section 2.2); what was hashed before that, or by others, was taken as it came.

use types::Secret;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// The form of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// NFKC.
    Normal,
    /// As it came.
    AsItCame,
}

/// A password as it was typed.
pub(crate) struct TypedPassword<'a> {
    as_it_came: &'a [u8],
    /// If it is another one.
    normal: Option<Zeroizing<String>>,
}

impl<'a> TypedPassword<'a> {
    pub(crate) fn new(password: &'a Secret) -> Self {
        let as_it_came = password.declassify();
        let normal = password.declassify_str().map(normal).filter(|normal| normal.as_bytes() != as_it_came);
        Self { as_it_came, normal }
    }

    pub(crate) fn as_it_came(&self) -> &'a [u8] {
        self.as_it_came
    }

    /// The normal form. What is not text has none, and stays as it came.
    pub(crate) fn normal(&self) -> &[u8] {
        self.normal.as_ref().map_or(self.as_it_came, |normal| normal.as_bytes())
    }

    /// The forms that differ, the normal one first.
    pub(crate) fn forms(&self) -> impl Iterator<Item = (Form, &[u8])> {
        let other = self.normal.is_some().then_some((Form::AsItCame, self.as_it_came));
        std::iter::once((Form::Normal, self.normal())).chain(other)
    }
}

fn normal(text: &str) -> Zeroizing<String> {
    // As long as it gets at once: what grows leaves copies behind.
    let mut normal = Zeroizing::new(String::with_capacity(text.nfkc().map(char::len_utf8).sum()));
    normal.extend(text.nfkc());
    normal
}
