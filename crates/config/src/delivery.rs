//! `[delivery]`: where accepted mail goes.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;
use types::{DomainPattern, HostTls};

use crate::fault::Fault;
use crate::mx::{self, Mx};
use crate::value::{self, Base, Time, TimeOrNever};
use crate::via::Via;
use crate::word::Word;

/// Where accepted mail goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// For recipients that no route is for.
    pub via: Via,
    /// How the certificate of a fixed host is taken, of `via` and of every route.
    pub tls: HostTls,
    /// PEM: CAs that are trusted for fixed hosts, besides the system's.
    pub tls_ca: Option<PathBuf>,
    /// How to log in at the host of `via`; never used at the hosts of routes.
    pub login: Option<Login>,
    /// The first that matches the recipient's domain is taken.
    pub routes: Vec<Route>,
    /// When to try again.
    pub retry: Retry,
    /// How long after acceptance the sender of a message that still waits is told; `None`: never.
    pub delay_notice: Option<Duration>,
    /// Which mail hosts of other domains mail may be sent to.
    pub mx: Mx,
}

/// How long after acceptance a sender is told of a delay, unless the configuration says otherwise. RFC 5321 section 4.5.4.1 has a
/// message wait so long now and then.
const DELAY_NOTICE: Duration = Duration::from_secs(4 * 3600);

/// How to log in at a fixed host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The account there.
    pub username: String,
    /// A file whose first line is the password.
    pub password_file: PathBuf,
}

/// Where mail for some domains goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Any of these; never empty.
    pub domains: Vec<DomainPattern>,
    /// Where it goes.
    pub via: Via,
}

/// When to try again (RFC 5321 section 4.5.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// After the first attempt; each wait after that is twice as long.
    pub first: Duration,
    /// No wait is longer.
    pub max: Duration,
    /// How long after acceptance the last attempt may be.
    pub give_up: Duration,
}

impl Default for Retry {
    fn default() -> Retry {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        Retry { first: Duration::from_secs(300), max: hours(4), give_up: hours(5 * 24) }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    via: Option<Spanned<Via>>,
    tls: Option<Spanned<Word<HostTls>>>,
    tls_ca: Option<Spanned<String>>,
    username: Option<Spanned<String>>,
    password_file: Option<Spanned<String>>,
    route: Vec<Spanned<WrittenRoute>>,
    retry: WrittenRetry,
    bounce: WrittenBounce,
    mx: mx::Written,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenRoute {
    domains: Option<Spanned<Vec<Word<DomainPattern>>>>,
    via: Option<Spanned<Via>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenRetry {
    first: Option<Spanned<Time>>,
    max: Option<Spanned<Time>>,
    give_up: Option<Spanned<Time>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenBounce {
    delay_notice: Option<Spanned<TimeOrNever>>,
}

impl Written {
    pub(crate) fn mean(self, base: &Base) -> Result<Delivery, Fault> {
        let Written { via, tls, tls_ca, username, password_file, route, retry, bounce, mx } = self;
        let via = via.map(Spanned::into_inner).unwrap_or_default().resolved(base);
        let login = login(username, password_file, &via, tls.as_ref(), base)?;
        let routes: Vec<Route> =
            route.into_iter().map(|route| route_mean(route, base)).collect::<Result<_, _>>()?;
        if let Some(tls) = tls.as_ref().filter(|tls| tls.get_ref().0 == HostTls::Off) {
            refuse_smtps(tls, std::iter::once(&via).chain(routes.iter().map(|route| &route.via)))?;
        }
        Ok(Delivery {
            via,
            tls: tls.map_or(HostTls::Verify, |tls| tls.into_inner().0),
            tls_ca: tls_ca.map(|path| base.path(&path)).transpose()?,
            login,
            routes,
            retry: retry.mean()?,
            delay_notice: bounce.mean()?,
            mx: mx.mean()?,
        })
    }
}

fn refuse_smtps<'v>(
    tls: &Spanned<Word<HostTls>>,
    mut ways: impl Iterator<Item = &'v Via>,
) -> Result<(), Fault> {
    if ways.any(|via| matches!(via, Via::Smtps(_))) {
        return Err(Fault::at(
            tls,
            "smtps:// is TLS from the first octet; write \"verify\", or smtp:// for a host without TLS",
        ));
    }
    Ok(())
}

fn login(
    username: Option<Spanned<String>>,
    password_file: Option<Spanned<String>>,
    via: &Via,
    tls: Option<&Spanned<Word<HostTls>>>,
    base: &Base,
) -> Result<Option<Login>, Fault> {
    let (username, password_file) = match (username, password_file) {
        (None, None) => return Ok(None),
        (Some(username), Some(password_file)) => (username, password_file),
        (Some(username), None) => {
            return Err(Fault::at(&username, "has no password; write password_file beside it"));
        }
        (None, Some(file)) => return Err(Fault::at(&file, "has no username; write username beside it")),
    };
    if !via.is_host() {
        return Err(Fault::at(
            &username,
            "is for a host; write via = \"smtp://host:port\" or \"smtps://host:port\"",
        ));
    }
    if let Some(tls) = tls.filter(|tls| !keeps_the_password(tls.get_ref().0, via)) {
        return Err(Fault::at(
            tls,
            "would show the password to anyone on the way; with username write \"verify\", and tls_ca for a private CA; \"off\" is \
             for loopback addresses alone",
        ));
    }
    if username.get_ref().is_empty() || username.get_ref().contains(char::is_control) {
        return Err(Fault::at(&username, "is not a user name; write the name the host knows"));
    }
    Ok(Some(Login { password_file: base.path(&password_file)?, username: username.into_inner() }))
}

/// A password goes only to a host that has proved its name, or to this machine: there may be the end of a tunnel, such as stunnel's
/// or ssh's, which verifies.
fn keeps_the_password(tls: HostTls, via: &Via) -> bool {
    match tls {
        HostTls::Verify => true,
        HostTls::Opportunistic => false,
        HostTls::Off => via.is_loopback(),
    }
}

fn route_mean(written: Spanned<WrittenRoute>, base: &Base) -> Result<Route, Fault> {
    let at = Some(written.span().start);
    let WrittenRoute { domains, via } = written.into_inner();
    let right = "write domains = [\"example.org\"]";
    let domains = domains.ok_or_else(|| Fault::missing(at, "delivery.route.domains", right))?;
    if domains.get_ref().is_empty() {
        return Err(Fault::at(&domains, format!("is empty; {right}")));
    }
    let right = "write \"mx\", \"maildir:/path\", \"smtp://host:port\", \"smtps://host:port\" or \"hold\"";
    let via = via.ok_or_else(|| Fault::missing(at, "delivery.route.via", right))?;
    let domains = domains.into_inner().into_iter().map(|Word(domain)| domain).collect();
    Ok(Route { domains, via: via.into_inner().resolved(base) })
}

impl WrittenBounce {
    fn mean(self) -> Result<Option<Duration>, Fault> {
        let (minute, month) = (Duration::from_secs(60), Duration::from_secs(30 * 86_400));
        value::time_or_never(self.delay_notice, Some(DELAY_NOTICE), minute..=month)
    }
}

impl WrittenRetry {
    fn mean(self) -> Result<Retry, Fault> {
        let default = Retry::default();
        let (second, day) = (Duration::from_secs(1), Duration::from_secs(86_400));
        let first = value::time(self.first, default.first, second..=day)?;
        let max = value::time(self.max, default.max.max(first), first..=day * 7)?;
        let give_up = value::time(self.give_up, default.give_up.max(max), max..=day * 30)?;
        Ok(Retry { first, max, give_up })
    }
}
