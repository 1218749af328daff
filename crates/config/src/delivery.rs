//! `[delivery]`: where accepted mail goes.

use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;
use types::HostTls;

use crate::fault::Fault;
use crate::mx::{self, Mx};
use crate::retry;
use crate::route::{self, Route};
use crate::value::{self, Base, TimeOrNever};
use crate::via::Via;
use crate::way::{self, Common, Way};
use crate::word::Word;

/// Where accepted mail goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// For mail that no route is for.
    pub way: Way,
    /// The first that matches is taken.
    pub routes: Vec<Route>,
    /// How long after acceptance the sender of a message that still waits is told; `None`: never.
    pub delay_notice: Option<Duration>,
    /// Which mail hosts of other domains mail may be sent to.
    pub mx: Mx,
}

/// The keys of a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WayKeys {
    /// Of [`Way::via`].
    pub via: &'static str,
    /// Of [`Way::tls`].
    pub tls: &'static str,
    /// Of [`Way::tls_ca`].
    pub tls_ca: &'static str,
    /// Of the file in [`Way::login`].
    pub password_file: &'static str,
}

/// How long after acceptance a sender is told of a delay, unless the configuration says otherwise. RFC 5321 section 4.5.4.1 has a
/// message wait so long now and then.
const DELAY_NOTICE: Duration = Duration::from_secs(4 * 3600);

impl Delivery {
    /// Every way that mail may take, with its keys.
    pub fn ways(&self) -> impl Iterator<Item = (WayKeys, &Way)> {
        let routes = self.routes.iter().map(|route| (WayKeys::OF_ROUTE, &route.way));
        std::iter::once((WayKeys::OF_DEFAULT, &self.way)).chain(routes)
    }
}

impl WayKeys {
    /// Of the way for mail that no route is for.
    pub const OF_DEFAULT: WayKeys = WayKeys {
        via: "delivery.via",
        tls: "delivery.tls",
        tls_ca: "delivery.tls_ca",
        password_file: "delivery.password_file",
    };
    /// Of the way of a route.
    pub const OF_ROUTE: WayKeys = WayKeys {
        via: "delivery.route.via",
        tls: "delivery.route.tls",
        tls_ca: "delivery.route.tls_ca",
        password_file: "delivery.route.password_file",
    };
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    via: Option<Spanned<Via>>,
    tls: Option<Spanned<Word<HostTls>>>,
    tls_ca: Option<Spanned<String>>,
    username: Option<Spanned<String>>,
    password_file: Option<Spanned<String>>,
    connections: Option<Spanned<i64>>,
    route: Vec<Spanned<route::Written>>,
    retry: retry::Written,
    bounce: WrittenBounce,
    mx: mx::Written,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenBounce {
    delay_notice: Option<Spanned<TimeOrNever>>,
}

impl Written {
    pub(crate) fn mean(self, base: &Base) -> Result<Delivery, Fault> {
        let Written { via, tls, tls_ca, username, password_file, connections, route, retry, bounce, mx } =
            self;
        let via = via.map(Spanned::into_inner).unwrap_or_default().resolved(base);
        let written = way::Written { tls: tls.clone(), tls_ca, username, password_file, connections, retry };
        let way = written.mean(via, Common::default(), base)?;
        let common = Common {
            tls: tls.as_ref(),
            tls_ca: way.tls_ca.as_ref(),
            connections: way.connections,
            retry: way.retry,
        };
        let routes = route.into_iter().map(|route| route::mean(route, common, base));
        let routes = routes.collect::<Result<_, _>>()?;
        Ok(Delivery { routes, way, delay_notice: bounce.mean()?, mx: mx.mean()? })
    }
}

impl WrittenBounce {
    fn mean(self) -> Result<Option<Duration>, Fault> {
        let (minute, month) = (Duration::from_secs(60), Duration::from_secs(30 * 86_400));
        value::time_or_never(self.delay_notice, Some(DELAY_NOTICE), minute..=month)
    }
}
