//! Invitations that are half accepted: the password is chosen, and the second factor is still to be set up or skipped.
//!
//! They are kept in memory alone, for a quarter of an hour, and for the browser that has begun: after a restart one begins anew, and the link is
//! still good.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use auth::totp::Seed;
use jiff::{SignedDuration, Timestamp};
use types::{EnrolmentId, Secret};
use zeroize::Zeroizing;

/// How long setting up the second factor may take.
const LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// Browsers of one link at most: whoever has a link, and comes as many browsers, displaces nobody else's.
const OF_LINK: usize = 5;

/// Half accepted invitations at most; beyond it the oldest is forgotten.
const IN_ALL: usize = 1_000;

/// What somebody has chosen so far.
#[derive(Clone)]
pub(crate) struct Begun {
    /// The password, which was found good.
    pub(crate) password: Secret,
    /// Whether the app passwords, API tokens and certificates of before are revoked.
    pub(crate) revoke_app_passwords: bool,
    /// The seed that they are shown.
    pub(crate) seed: Seed,
    /// The version of the account that it was chosen for.
    pub(crate) version: i64,
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Begun(…)")
    }
}

struct Half {
    link: EnrolmentId,
    cookie: Zeroizing<String>,
    until: Timestamp,
    begun: Begun,
}

/// The half accepted invitations, oldest first.
#[derive(Default)]
pub(crate) struct HalfAccepted(Mutex<VecDeque<Half>>);

impl HalfAccepted {
    /// Keeps what the browser with this cookie has chosen at this link, in the place of what it chose before.
    pub(crate) fn begin(&self, (link, cookie): (EnrolmentId, &str), begun: Begun, now: Timestamp) {
        let until = later(now);
        let mut halves = self.halves(now);
        halves.retain(|half| !half.is_of(link, cookie));
        if halves.iter().filter(|half| half.link == link).count() >= OF_LINK
            && let Some(oldest) = halves.iter().position(|half| half.link == link)
        {
            halves.remove(oldest);
        }
        if halves.len() >= IN_ALL {
            halves.pop_front();
        }
        halves.push_back(Half { link, cookie: Zeroizing::new(cookie.to_owned()), until, begun });
    }

    /// What the browser with this cookie has chosen at this link.
    pub(crate) fn of(&self, (link, cookie): (EnrolmentId, &str), now: Timestamp) -> Option<Begun> {
        let halves = self.halves(now);
        halves.iter().find(|half| half.is_of(link, cookie)).map(|half| half.begun.clone())
    }

    /// Forgets what was chosen at this link, in whichever browser: it is done.
    pub(crate) fn end(&self, link: EnrolmentId, now: Timestamp) {
        self.halves(now).retain(|half| half.link != link);
    }

    /// Those that are good now. What would last longer than any does is from a clock that was ahead.
    fn halves(&self, now: Timestamp) -> MutexGuard<'_, VecDeque<Half>> {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        halves.retain(|half| now < half.until && half.until <= later(now));
        halves
    }
}

impl Half {
    fn is_of(&self, link: EnrolmentId, cookie: &str) -> bool {
        self.link == link && *self.cookie == cookie
    }
}

fn later(now: Timestamp) -> Timestamp {
    now.saturating_add(LIFETIME).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_is_of_one_browser_and_one_link_for_a_quarter_of_an_hour() {
        let halves = HalfAccepted::default();
        let [link, other] = [1, 2].map(|id| EnrolmentId::from_bytes([id; 16]));
        let at = |second| Timestamp::from_second(second).unwrap();
        let begun = |version| Begun {
            password: Secret::new("correct horse"),
            revoke_app_passwords: false,
            seed: Seed::generate(),
            version,
        };
        halves.begin((link, "mine"), begun(1), at(0));
        halves.begin((link, "mine"), begun(2), at(1));
        let found = |link, cookie, second| halves.of((link, cookie), at(second)).map(|begun| begun.version);
        assert_eq!(found(link, "mine", 2), Some(2));
        assert_eq!((found(link, "another", 2), found(other, "mine", 2)), (None, None));
        assert_eq!(format!("{:?}", halves.of((link, "mine"), at(2))), "Some(Begun(…))");
        assert_eq!(found(link, "mine", 901), None, "after a quarter of an hour");
        halves.begin((other, "mine"), begun(4), at(0));
        for number in 0..2 * IN_ALL {
            halves.begin((link, &number.to_string()), begun(5), at(0));
        }
        assert_eq!(found(other, "mine", 1), Some(4), "whoever floods one link displaces nobody else's");
        assert_eq!((found(link, "1994", 1), found(link, "1995", 1)), (None, Some(5)));
        halves.begin((link, "mine"), begun(3), at(0));
        halves.end(link, at(1));
        assert_eq!(found(link, "mine", 1), None);
    }
}
