//! Handing mail to the hosts that take it for a domain: the best that can be reached gets it.
//!
//! The next one is tried (RFC 5321 section 5.1) when a host can't be reached, turns us away, or has nothing of the text and only temporary
//! refusals for all recipients: another may have room, or time. Whatever else a host says stands: what it has taken, or refused for good, is
//! offered to no other, and what has some of the text may have the message.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use esmtp::dialogue::{Reply, Verdict};
use store::{Spool, SpoolError};
use tokio::time::Instant;
use types::{Domain, Host, TlsRequired};

use super::connect::Opener;
use super::hand_over::{attempt, hand_over};
use super::pools::Pools;
use super::proof::TlsToMailHosts;
use super::time_limit::up_to_the_end;
use super::trouble::Trouble;
use super::watching::Found;
use super::witness::Witness;
use crate::next_host::NextHostError;
use crate::parcel::{Attempt, Parcel};
use crate::resolve::{Accounting, Candidate, Demand, MailHosts, Unroutable};
use crate::tls_report;
use crate::tls_tally::TlsTally;
use crate::transport::texts::Texts;

/// The port on which hosts take mail from other hosts (RFC 5321 section 4.5.4.2).
const PORT: u16 = 25;

/// The way to the mail hosts of any domain.
pub(crate) struct MxRelay {
    hosts: MailHosts,
    hostname: String,
    /// The domain that `hostname` is, if it is one.
    own: Option<Host>,
    tls: TlsToMailHosts,
    tally: Arc<TlsTally>,
    pools: Pools,
}

/// Why a host could not be offered the message.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) host: Option<String>,
    pub(super) verdict: Verdict,
}

impl MxRelay {
    pub(crate) fn new(
        hosts: MailHosts,
        hostname: &str,
        tally: Arc<TlsTally>,
    ) -> Result<MxRelay, NextHostError> {
        let tls = TlsToMailHosts::new(hosts.trust())
            .map_err(|source| NextHostError::Tls { host: "mail hosts".to_owned(), source })?;
        let own = Domain::parse(hostname).ok().map(Host::Domain);
        Ok(MxRelay { hosts, hostname: hostname.to_owned(), own, tls, tally, pools: Pools::default() })
    }

    /// Fetches the policies of domains anew that are old.
    pub(crate) async fn refresh_policies(&self) {
        self.hosts.refresh_policies().await;
    }

    /// Makes an attempt for each recipient of the parcel, all of whom are of one domain. An error is the spool's.
    pub(crate) async fn carry<S: Spool>(
        &self,
        parcel: &Parcel,
        texts: &Texts<S>,
    ) -> Result<Attempt, SpoolError> {
        let Some(destination) = domain_of(parcel).or(self.own.as_ref()) else {
            return Ok(Failure::from(Unroutable::Ourselves(self.hostname.clone())).attempt(parcel));
        };
        let limit = Instant::now() + up_to_the_end(parcel.recipients.len());
        let mut candidates = match self.hosts.candidates(destination, parcel.tls_required()).await {
            Ok(candidates) => candidates,
            Err(unroutable) => return Ok(Failure::from(unroutable).attempt(parcel)),
        };
        candidates.prefer(|host| self.pools.have(destination, host));
        let (mut open, mut all_unreached) = (None, true);
        while let Some(candidate) = candidates.next().await {
            let tried = match candidate {
                Ok(candidate) => self.offer(destination, &candidate, parcel, texts, limit).await?,
                Err(unroutable) => {
                    self.count(parcel, candidates.accounting(), &unroutable);
                    Err(Failure::from(unroutable).attempt(parcel))
                }
            };
            match tried {
                Ok(attempt) => return Ok(attempt),
                Err(attempt) => {
                    all_unreached &= attempt.is_unreached;
                    open = Some(better(open, attempt, how_much_is_known));
                }
            }
        }
        // A host that was reached may have had something against this message alone.
        let open = open.map(|attempt| Attempt { is_unreached: all_unreached, ..attempt });
        let nobody = || Failure::from(Unroutable::NoHost(destination.to_string())).attempt(parcel);
        Ok(open.unwrap_or_else(nobody))
    }

    /// Greets the best host that can be reached, and leaves again.
    pub(super) async fn greet(&self, destination: &Host) -> Result<(), Failure> {
        let mut candidates = self.hosts.candidates(destination, TlsRequired::Unsaid).await?;
        let mut failure = None;
        while let Some(candidate) = candidates.next().await {
            let tried = match candidate {
                Ok(candidate) => self.greet_one(&candidate).await,
                Err(unroutable) => Err(unroutable.into()),
            };
            match tried {
                Ok(()) => return Ok(()),
                Err(failed) => failure = Some(better(failure, failed, Failure::may_pass)),
            }
        }
        failure.map_or(Ok(()), Err)
    }

    async fn greet_one(&self, candidate: &Candidate) -> Result<(), Failure> {
        let opened = async { self.opener(candidate, None)?.open().await };
        let connection = opened.await.map_err(|trouble| Failure::at(candidate, &trouble))?;
        connection.quit().await;
        Ok(())
    }

    /// Offers the message to one host. An error of the inner kind is what stands if no other host does better.
    async fn offer<S: Spool>(
        &self,
        destination: &Host,
        candidate: &Candidate,
        parcel: &Parcel,
        texts: &Texts<S>,
        limit: Instant,
    ) -> Result<Result<Attempt, Attempt>, SpoolError> {
        let opener = match self.opener(candidate, Some(parcel)) {
            Ok(opener) => opener,
            Err(trouble) => return Ok(Err(Failure::at(candidate, &trouble).attempt(parcel))),
        };
        let idle = self.pools.to(destination, &candidate.host, &candidate.demand);
        Ok(match hand_over(&opener, &idle, parcel, texts, limit).await? {
            Ok(sent) if sent.leaves_all_open() => Err(attempt(parcel, &opener, sent)),
            Ok(sent) => Ok(attempt(parcel, &opener, sent)),
            Err(trouble) => Err(Failure::at(candidate, &trouble).attempt(parcel)),
        })
    }

    /// What is counted of sessions is of those that are for a parcel.
    fn opener(&self, candidate: &Candidate, parcel: Option<&Parcel>) -> Result<Opener, Trouble> {
        let found = Found::default();
        let protection = self.tls.protection(candidate, &found)?;
        let addresses = candidate.addresses.iter().map(|address| SocketAddr::new(*address, PORT)).collect();
        let accounting = candidate.accounting.clone().filter(|_| parcel.is_some_and(is_counted));
        let host = candidate.host.to_string();
        let witness =
            accounting.map(|accounting| Witness { tally: self.tally.clone(), accounting, host, found });
        Ok(Opener::at(shown(candidate), addresses, protection, &self.hostname).witnessed(witness))
    }

    /// Counts that mail was not sent to a host which the policy does not name, or whose TLSA records can't be known.
    fn count(&self, parcel: &Parcel, accounting: Option<&Accounting>, unroutable: &Unroutable) {
        if let Some(accounting) = accounting.filter(|_| is_counted(parcel)) {
            accounting.not_asked(unroutable).into_iter().for_each(|result| self.tally.note(result));
        }
    }

    /// Closes the connections that are kept, with QUIT.
    pub(crate) async fn close(&self) {
        self.pools.close().await;
    }
}

/// What all hosts together have come to: if one may be there later, mail waits for it.
fn better<T, R: PartialOrd>(before: Option<T>, now: T, rank: impl Fn(&T) -> R) -> T {
    match before {
        Some(before) if rank(&before) > rank(&now) => before,
        _ => now,
    }
}

/// What one host has said of the message tells more than that another was not there.
fn how_much_is_known(attempt: &Attempt) -> (bool, bool) {
    (attempt.is_open(), attempt.answered)
}

/// What stands behind the `@`; `None` for `Postmaster` without a domain (RFC 5321 section 4.5.1), who is that of this server.
fn domain_of(parcel: &Parcel) -> Option<&Host> {
    parcel.recipients.first()?.to.path.mailbox().map(|mailbox| mailbox.host())
}

/// Reports on TLS are sent however TLS goes, and are in no report themselves (RFC 8460 section 3): else they would bring forth each other.
fn is_counted(parcel: &Parcel) -> bool {
    parcel.leased.submission.account != tls_report::REPORTER
}

/// The host and its port, as the queue and the log have them.
fn shown(candidate: &Candidate) -> String {
    format!("{}:{PORT}", candidate.host)
}

impl Failure {
    fn at(candidate: &Candidate, trouble: &Trouble) -> Failure {
        let for_good = trouble.takes_no_mail().cloned().map(Verdict::Failed);
        let verdict = for_good.unwrap_or_else(|| Verdict::Deferred(with_demand(candidate, trouble)));
        Failure { host: Some(shown(candidate)), verdict }
    }

    pub(super) fn may_pass(&self) -> bool {
        matches!(self.verdict, Verdict::Deferred(_))
    }

    fn attempt(self, parcel: &Parcel) -> Attempt {
        let is_unreached = self.may_pass();
        Attempt { answered: !is_unreached, is_unreached, ..Attempt::all(parcel, self.host, &self.verdict) }
    }
}

/// The trouble, and if it is that TLS did not prove what is demanded, what that was.
fn with_demand(candidate: &Candidate, trouble: &Trouble) -> Reply {
    let reply = trouble.to_reply();
    match reply.enhanced() {
        Some(enhanced) if trouble.is_about_tls() && candidate.demand != Demand::Opportunistic => {
            let text = format!("{}; {}", reply.lines().join(" "), candidate.demand);
            Reply::ours(reply.code(), enhanced, text)
        }
        _ => reply,
    }
}

impl From<Unroutable> for Failure {
    fn from(unroutable: Unroutable) -> Failure {
        Failure { host: None, verdict: unroutable.to_verdict() }
    }
}

impl fmt::Debug for MxRelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MxRelay").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}
