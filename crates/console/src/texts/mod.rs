//! What pages say. English is written in [`english`], in `texts!`, which makes a function of each text: one that isn't there does not compile.
//! Other languages are TOML files with the same keys, `de.toml`; a test compares them.
//!
//! In a text `{name}` is an argument, and `{n, one: word, other: words}` a word that goes with the number `n`.

mod zone;
pub(crate) mod english;

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::LazyLock;

use store::Preferences;

pub(crate) use zone::Zone;

/// A language that pages can be read in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    German,
}

/// The texts, in one language, with times in one zone. Its functions are made in [`english`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Texts {
    language: Language,
    zone: Zone,
}

type Translation = HashMap<String, String>;

static GERMAN: LazyLock<Translation> =
    LazyLock::new(|| toml::from_str(include_str!("de.toml")).unwrap_or_default());

impl Language {
    pub(crate) const ALL: [Language; 2] = [Language::English, Language::German];

    /// As HTML and HTTP call it (RFC 5646).
    pub(crate) fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::German => "de",
        }
    }

    /// The language with this code.
    pub(crate) fn of_code(code: &str) -> Option<Self> {
        Language::ALL.into_iter().find(|language| language.code() == code)
    }

    /// As those call it who speak it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::German => "Deutsch",
        }
    }

    fn translation(self) -> Option<&'static Translation> {
        match self {
            Language::English => None,
            Language::German => Some(&GERMAN),
        }
    }
}

impl Texts {
    /// In the language that is liked best of those there are (RFC 9110 section 12.5.4).
    pub(crate) fn preferred(accept_language: &str) -> Self {
        let mut best = (Language::English, 0.0);
        for range in accept_language.split(',') {
            let (tag, quality) = range.split_once(';').unwrap_or((range, "q=1"));
            let tag = tag.trim().to_ascii_lowercase();
            let quality: f32 =
                quality.trim().strip_prefix("q=").and_then(|quality| quality.parse().ok()).unwrap_or(0.0);
            let is = |language: &Language| tag.split('-').next() == Some(language.code());
            if let Some(language) = Language::ALL.into_iter().find(is)
                && quality > best.1
            {
                best = (language, quality);
            }
        }
        Self { language: best.0, zone: Zone::default() }
    }

    /// As the owner of an account wants them; what they have not chosen stays as the browser has it.
    pub(crate) fn for_owner(self, preferences: &Preferences) -> Self {
        let language = preferences.language.as_deref().and_then(Language::of_code).unwrap_or(self.language);
        let zone = preferences.time_zone.as_deref().and_then(Zone::named).unwrap_or(self.zone);
        Self { language, zone }
    }

    /// The code of the language.
    pub(crate) fn language(self) -> &'static str {
        self.language.code()
    }

    /// The zone of the times.
    pub(crate) fn zone(self) -> Zone {
        self.zone
    }

    /// A text about a light, with names in curly brackets for values. English is as the desk has it.
    pub(crate) fn of_light(self, key: &str, english: &'static str) -> &'static str {
        self.text(&format!("light_{key}"), english)
    }

    /// The text with this key, as it is written.
    fn text(self, key: &str, english: &'static str) -> &'static str {
        self.language.translation().and_then(|texts| texts.get(key)).map_or(english, String::as_str)
    }
}

/// A text with its arguments put in.
fn filled(text: &str, arguments: &[(&str, &dyn Display)]) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        let (place, behind) = behind.split_once('}').unwrap_or((behind, ""));
        filled.push_str(before);
        filled.push_str(&value(place, arguments));
        rest = behind;
    }
    filled + rest
}

/// What stands in a place: an argument, or the word that goes with one.
fn value(place: &str, arguments: &[(&str, &dyn Display)]) -> String {
    let (name, words) = place.split_once(',').unwrap_or((place, ""));
    let value = arguments.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string());
    let value = value.unwrap_or_default();
    if words.is_empty() {
        return value;
    }
    let form = if value == "1" { "one:" } else { "other:" };
    let word = words.split(',').find_map(|word| word.trim().strip_prefix(form));
    word.unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The names in curly brackets.
    fn places(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split([',', '}']).next()).collect()
    }

    /// The texts about lights, which the desk has in English, by their keys.
    fn of_lights() -> Vec<(String, &'static str)> {
        let kinds = desk::health::ConditionKind::ALL.iter();
        let texts = kinds.flat_map(|kind| {
            let key = format!("light_{}", kind.key());
            [(key.clone(), kind.text()), (format!("{key}_to_do"), kind.to_do())]
        });
        texts.filter(|(_, text)| !text.is_empty()).collect()
    }

    #[test]
    fn every_language_says_everything_with_the_same_arguments() {
        for language in Language::ALL {
            let Some(texts) = language.translation() else { continue };
            let of_lights = of_lights();
            let english_texts =
                english::ALL.iter().copied().chain(of_lights.iter().map(|(key, text)| (key.as_str(), *text)));
            let english_texts: Vec<_> = english_texts.collect();
            for (key, english) in &english_texts {
                let text = texts.get(*key).unwrap_or_else(|| panic!("{}.toml lacks {key}", language.code()));
                assert_eq!(places(text), places(english), "{} {key}", language.code());
                assert_eq!(text.matches("other:").count(), english.matches("other:").count(), "{key}");
            }
            let keys: BTreeSet<_> = english_texts.iter().map(|(key, _)| *key).collect();
            let unknown: Vec<_> = texts.keys().filter(|key| !keys.contains(key.as_str())).collect();
            assert!(unknown.is_empty(), "{}.toml: {unknown:?}", language.code());
        }
    }

    #[test]
    fn the_language_is_the_one_that_is_liked_best_of_those_there_are() {
        for (said, expected) in [
            ("", "en"),
            ("de", "de"),
            ("de-AT,en;q=0.8", "de"),
            ("fr, de;q=0.7, en;q=0.3", "de"),
            ("en-GB, de;q=0.9", "en"),
            ("de;q=0, en", "en"),
            ("de;q=x, fr", "en"),
            ("*", "en"),
        ] {
            assert_eq!(Texts::preferred(said).language(), expected, "{said}");
        }
    }

    #[test]
    fn a_text_has_its_arguments_and_the_words_that_go_with_numbers() {
        let text = "{who} has {n} {n, one: app password, other: app passwords}";
        for (n, expected) in [(1, "Ann has 1 app password"), (2, "Ann has 2 app passwords")] {
            assert_eq!(filled(text, &[("who", &"Ann"), ("n", &n)]), expected);
        }
        assert_eq!(filled("{who}", &[("who", &"{n}")]), "{n}", "an argument is no text");
        assert_eq!(filled("a {who", &[]), "a ");
    }
}
