//! What is counted of logins, for whoever watches the server.

use std::time::Duration;

use types::{Buckets, Mechanism, Tally};

use super::attempt::Origin;
use super::outcome::{Credential, LoginOutcome};

/// Counts since the server began.
#[derive(Debug)]
pub struct Counters {
    /// Attempts, by mechanism and result: `accepted`, `refused`, `throttled` or `unavailable`.
    pub logins: Tally<(&'static str, &'static str)>,
    /// Attempts that were refused, by [`LoginOutcome::reason`].
    pub refusals: Tally<&'static str>,
    /// How long logins took that were accepted, by kind of credential: `app-password`, `password`, `token` or `other`.
    pub times: [(&'static str, Buckets); 4],
}

const RESULTS: [&str; 4] = ["accepted", "refused", "throttled", "unavailable"];

impl Default for Counters {
    fn default() -> Self {
        let each = Mechanism::ALL.into_iter().flat_map(|one| RESULTS.map(|result| (one.name(), result)));
        let times = ["app-password", "password", "token", "other"].map(|kind| (kind, Buckets::of_time()));
        Self { logins: Tally::of(each), refusals: Tally::default(), times }
    }
}

impl Counters {
    pub(super) fn judged(&self, origin: &Origin, outcome: &LoginOutcome, took: Duration) {
        let result = match outcome {
            LoginOutcome::Accepted(user) => {
                self.took(kind(&user.credential), took);
                "accepted"
            }
            LoginOutcome::Refused(refusal) => {
                self.refusals.count(refusal.reason.code());
                "refused"
            }
            LoginOutcome::Throttled(_) => "throttled",
            LoginOutcome::Unavailable(_) => "unavailable",
        };
        self.logins.count((origin.mechanism.unwrap_or("none"), result));
    }

    fn took(&self, kind: &str, took: Duration) {
        if let Some((_, times)) = self.times.iter().find(|(name, _)| *name == kind) {
            times.add_time(took);
        }
    }
}

fn kind(credential: &Credential) -> &'static str {
    match credential {
        Credential::AppPassword(_) => "app-password",
        Credential::AccountPassword => "password",
        Credential::Token { .. } => "token",
        Credential::Certificate(_) | Credential::Http { .. } | Credential::ProxyLogin => "other",
    }
}
