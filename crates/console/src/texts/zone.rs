//! Time zones, of the IANA database, which an account can choose for its pages.

use std::sync::LazyLock;

use jiff::tz::{self, TimeZone};

/// A time zone; UTC if none is chosen, or one that is not known any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Zone(Option<&'static str>);

/// What zones of places begin with; other names in the database are for machines.
const PLACES: [&str; 9] = [
    "Africa/",
    "America/",
    "Antarctica/",
    "Asia/",
    "Atlantic/",
    "Australia/",
    "Europe/",
    "Indian/",
    "Pacific/",
];

/// In order.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let all = tz::db().available().map(|name| name.as_str().to_owned());
    let mut places: Vec<_> = all.filter(|name| PLACES.iter().any(|place| name.starts_with(place))).collect();
    places.sort_unstable();
    places
});

impl Zone {
    /// The names of those that there are to choose.
    pub(crate) fn all() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(String::as_str)
    }

    /// The zone with this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let found = NAMES.binary_search_by(|one| one.as_str().cmp(name)).ok()?;
        NAMES.get(found).map(|name| Self(Some(name)))
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        self.0.unwrap_or("UTC")
    }

    /// The zone for arithmetic.
    pub(crate) fn time_zone(self) -> TimeZone {
        self.0.and_then(|name| tz::db().get(name).ok()).unwrap_or(TimeZone::UTC)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_by_their_names_and_nothing_else_is() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        assert_eq!((berlin.name(), berlin.time_zone().iana_name()), ("Europe/Berlin", Some("Europe/Berlin")));
        for name in ["", "europe/berlin", "Etc/GMT+3", "../../etc/passwd", "Europe/Nowhere"] {
            assert_eq!(Zone::named(name), None, "{name}");
        }
        assert_eq!(Zone::default().time_zone(), TimeZone::UTC);
        assert!(Zone::all().count() > 300);
    }
}
