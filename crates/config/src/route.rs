//! `[[delivery.route]]`: a way of its own for some recipients, some senders, or some mail of both.

use serde::Deserialize;
use toml::Spanned;
use types::{DomainPattern, HostTls, SenderPattern};

use crate::fault::Fault;
use crate::retry;
use crate::value::Base;
use crate::via::{self, Via};
use crate::way::{self, Common, Way};
use crate::word::Word;

/// Where some mail goes. Both lists must match, an empty one matches all mail, and one of them is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Any of these domains of a recipient.
    pub domains: Vec<DomainPattern>,
    /// Any of these senders in the envelope.
    pub senders: Vec<SenderPattern>,
    /// Its way.
    pub way: Way,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    domains: Option<Spanned<Vec<Word<DomainPattern>>>>,
    senders: Option<Spanned<Vec<Spanned<String>>>>,
    via: Option<Spanned<Via>>,
    tls: Option<Spanned<Word<HostTls>>>,
    tls_ca: Option<Spanned<String>>,
    username: Option<Spanned<String>>,
    password_file: Option<Spanned<String>>,
    connections: Option<Spanned<i64>>,
    retry: retry::Written,
}

const RIGHT_DOMAINS: &str = "write domains = [\"example.org\"]";
const RIGHT_SENDERS: &str =
    "write senders = [\"boss@example.org\"], or \"*@example.org\" for all of a domain";

/// What is left out is as in `common`, but for `via`, which must be there.
pub(crate) fn mean(written: Spanned<Written>, common: Common<'_>, base: &Base) -> Result<Route, Fault> {
    let at = Some(written.span().start);
    let Written { domains, senders, via, tls, tls_ca, username, password_file, connections, retry } =
        written.into_inner();
    if domains.is_none() && senders.is_none() {
        let right = format!("{RIGHT_DOMAINS}, or whose mail it is for, as senders = [\"*@example.org\"]");
        return Err(Fault::missing(at, "delivery.route.domains", &right));
    }
    let via = via.ok_or_else(|| Fault::missing(at, "delivery.route.via", via::RIGHT))?;
    let via = via.into_inner().resolved(base);
    if let Some(tls) = tls.as_ref().filter(|_| matches!(via, Via::Mx)) {
        let text = "is for a fixed host; of mail hosts that the DNS names their domain says what they have to prove: leave it out";
        return Err(Fault::at(tls, text));
    }
    let way = way::Written { tls, tls_ca, username, password_file, connections, retry };
    let domains = not_empty(domains, RIGHT_DOMAINS)?.into_iter().map(|Word(domain)| domain).collect();
    let senders = not_empty(senders, RIGHT_SENDERS)?.into_iter().map(sender).collect::<Result<_, _>>()?;
    Ok(Route { domains, senders, way: way.mean(via, common, base)? })
}

/// A list that was written empty would be for no mail, or for all of it.
fn not_empty<T>(list: Option<Spanned<Vec<T>>>, right: &str) -> Result<Vec<T>, Fault> {
    match list {
        Some(list) if list.get_ref().is_empty() => Err(Fault::at(&list, format!("is empty; {right}"))),
        list => Ok(list.map(Spanned::into_inner).unwrap_or_default()),
    }
}

fn sender(written: Spanned<String>) -> Result<SenderPattern, Fault> {
    match written.get_ref().parse() {
        Ok(SenderPattern::Any) => {
            Err(Fault::at(&written, "is every sender; leave senders out, so that the route is for all"))
        }
        Ok(pattern) => Ok(pattern),
        Err(_) => {
            let text = format!("\"{}\" is not a sender; {RIGHT_SENDERS}", written.get_ref());
            Err(Fault::at(&written, text))
        }
    }
}
