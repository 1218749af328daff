//! Reports on how TLS went with the mail hosts of other domains (TLS-RPT, RFC 8460): what is counted is written down once a minute, and each domain
//! that wants to hear of it gets a report of the day before, in the first hours of the day.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use delivery::{Committer, ReportPlaces, ReportPoster, TlsReport, TlsTally, Url, day_of, start_of};
use dns::{DnsError, Resolver};
use jiff::{SignedDuration, Timestamp};
use rand::RngExt as _;
use store::{Day, Spool as _, Submission, TlsResults as _};
use stores::{Ledger, Spool};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use types::{Domain, Mailbox, QueueId};

use crate::clock;

/// How often what is counted is written down.
const EVERY: Duration = Duration::from_secs(60);
/// Within how many seconds after midnight reports are sent, so that not all come at once (RFC 8460 section 4.1).
const SPREAD: u64 = 4 * 60 * 60;
/// Reports that are posted at once.
pub(crate) const POSTS: usize = 10;
/// For how many days a report is made later, such as after a server was down.
const LATE: Day = 2;

/// Makes the reports.
pub(crate) struct TlsReports {
    pub(crate) ledger: Ledger,
    pub(crate) tally: Arc<TlsTally>,
    pub(crate) resolver: Resolver,
    pub(crate) committer: Committer<Spool>,
    pub(crate) hostname: String,
    /// Room for reports that are posted at once.
    pub(crate) posting: Arc<Semaphore>,
    /// Who posts those that are wanted by HTTPS; `None` if none are sent.
    pub(crate) poster: watch::Receiver<Option<Arc<ReportPoster>>>,
}

impl TlsReports {
    /// Writes down and sends until it is told to stop.
    pub(crate) async fn run(self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
            self.write_down().await;
            let poster = self.poster.borrow().clone();
            if let Some(poster) = poster
                && let Some(Err(error)) = stop.run_until_cancelled(self.send_due(&poster, clock::now())).await
            {
                complain(error.as_ref());
            }
        }
        self.write_down().await;
    }

    async fn write_down(&self) {
        let counted = self.tally.take();
        if counted.is_empty() {
            return;
        }
        if let Err(error) = self.ledger.add_tls_results(&counted).await {
            self.tally.put_back(counted);
            complain(&error);
        }
    }

    /// Sends the reports whose time has come. If that of one domain can't be made, those of the others are.
    async fn send_due(&self, poster: &Arc<ReportPoster>, now: Timestamp) -> anyhow::Result<()> {
        let today = day_of(now);
        for (day, domain) in self.ledger.unreported_tls_domains(today).await? {
            if day >= today - LATE
                && self.due_at(day, &domain) <= now
                && let Err(error) = self.report(poster, day, &domain, now).await
            {
                complain(error.as_ref());
            }
        }
        Ok(())
    }

    /// At a time of its own for each domain, which a restart does not change.
    fn due_at(&self, day: Day, domain: &str) -> Timestamp {
        let mut hasher = DefaultHasher::new();
        (&self.hostname, domain, day).hash(&mut hasher);
        let after = SignedDuration::from_secs(i64::try_from(hasher.finish() % SPREAD).unwrap_or_default());
        start_of(day + 1).checked_add(after).unwrap_or(Timestamp::MAX)
    }

    /// It is noted that the report is made before the queue has it, or it is posted: a crash in between costs a report, and never sends a second
    /// one. A spool without room costs none.
    async fn report(
        &self,
        poster: &Arc<ReportPoster>,
        day: Day,
        domain: &str,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let Some(places) = self.wanted_at(domain).await else { return Ok(()) };
        if places.is_empty() {
            self.ledger.claim_tls_report(day, domain).await?;
            return Ok(());
        }
        let results = self.ledger.tls_results(day, domain).await?;
        let report = TlsReport { hostname: &self.hostname, domain, day, results: &results };
        let id = QueueId::new(u64::try_from(now.as_millisecond())?, rand::rng().random());
        let figures = report.figures(id)?;
        let mail = match places.mailboxes.as_slice() {
            [] => None,
            to => Some(self.spooled(&report, to, id, now).await?),
        };
        if !self.ledger.claim_tls_report(day, domain).await? {
            return Ok(());
        }
        let mailed = match mail {
            Some((submission, incoming)) => Some(self.committer.commit(submission, incoming).await),
            None => None,
        };
        // What is to be posted is, whatever has become of the mail: there is no second time.
        for url in places.urls {
            let place = self.posting.clone().acquire_owned().await?;
            let (poster, figures, domain) = (poster.clone(), figures.clone(), domain.to_owned());
            tokio::spawn(async move {
                post(&poster, &url, figures, &domain).await;
                drop(place);
            });
        }
        if let Some(mailed) = mailed {
            mailed?;
            tracing::info!(event = "tls-report.sent", queue.id = %id, domain, "a report on TLS goes to {domain}");
        }
        Ok(())
    }

    /// A report by mail, whose text the spool has.
    async fn spooled(
        &self,
        report: &TlsReport<'_>,
        to: &[Mailbox],
        id: QueueId,
        now: Timestamp,
    ) -> anyhow::Result<(Submission, <Spool as store::Spool>::Incoming)> {
        let (submission, text) = report.mail(to, id, now)?;
        let spool = self.committer.spool();
        spool.room_for(u64::try_from(text.len())?).await?;
        let mut incoming = spool.open(id);
        spool.append(&mut incoming, Bytes::from(text)).await?;
        Ok((submission, incoming))
    }

    /// Where a domain wants reports; `None` if the DNS does not answer now.
    async fn wanted_at(&self, domain: &str) -> Option<ReportPlaces> {
        let Ok(name) = Domain::parse(&format!("_smtp._tls.{domain}")) else {
            return Some(ReportPlaces::default());
        };
        match self.resolver.txt(&name).await {
            Ok(answer) => Some(ReportPlaces::of(&answer.records)),
            Err(DnsError::Temporary { .. } | DnsError::Bogus(_)) => None,
            Err(DnsError::NoSuchName(_) | DnsError::NoSuchRecords { .. } | DnsError::AliasLoop(_)) => {
                Some(ReportPlaces::default())
            }
        }
    }
}

/// Posts a report, once.
async fn post(poster: &ReportPoster, url: &Url, figures: Vec<u8>, domain: &str) {
    match poster.post(url, figures).await {
        Ok(()) => tracing::info!(
            event = "tls-report.posted",
            domain,
            url = url.as_str(),
            "a report on TLS was posted to {domain}"
        ),
        Err(error) => tracing::warn!(
            event = "tls-report.not-posted",
            domain,
            url = url.as_str(),
            error = &error as &dyn std::error::Error,
            "a report on TLS could not be posted to {domain}; it is not posted again"
        ),
    }
}

fn complain(error: &(dyn std::error::Error + 'static)) {
    tracing::error!(event = "tls-report.failing", error, "reports on TLS can't be made; mail goes on");
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use delivery::{Carrier, MxRules, Routes, Signing, StsPolicies, Via};
    use dns::Upstream;
    use dns::fake::{Entry, Failure, FakeDns};
    use store::{MasterKeyId, TlsPolicy, TlsPolicyKind, TlsResult};
    use stores::{Mode, Store};

    use super::*;

    const DOMAIN: &str = "example.net";

    fn now() -> Timestamp {
        start_of(20_000)
    }

    /// Reports of a store, which are delivered into the Maildir `outbox`.
    async fn reports(directory: &Path, dns: &FakeDns, stop: &CancellationToken) -> (TlsReports, Store) {
        let store = Store::open(&directory.join("store"), Mode::Server).await.unwrap();
        let upstream = Upstream { servers: vec![dns.address()], trust_anchors: None };
        let (resolver, tally) = (Resolver::new(&upstream).unwrap(), Arc::new(TlsTally::new(now)));
        let settings = delivery::Settings {
            hostname: "mail.example.org".to_owned(),
            resolver: resolver.clone(),
            grace: Duration::from_secs(1),
            newest_key: watch::Sender::new(MasterKeyId { number: 1, digest: [1; 8] }).subscribe(),
            signing: Arc::new(Signing::none()),
            sts: Arc::new(StsPolicies::none()),
            tls_tally: tally.clone(),
            now,
        };
        let routes = Routes::new(Via::Maildir(directory.join("outbox")), Vec::new());
        let carrier = Carrier::new(Arc::new(store.spool().clone()), routes, settings).unwrap();
        tokio::spawn(carrier.clone().run(stop.clone()));
        carrier.tried_to_join().await;
        let reports = TlsReports {
            ledger: store.ledger().clone(),
            tally,
            resolver,
            committer: Committer::new(carrier),
            hostname: "mail.example.org".to_owned(),
            posting: Arc::new(Semaphore::new(POSTS)),
            poster: watch::Sender::new(None).subscribe(),
        };
        (reports, store)
    }

    fn poster(reports: &TlsReports) -> Arc<ReportPoster> {
        let rules = MxRules {
            families: dns::Families::V4,
            dane: false,
            allow_networks: Vec::new(),
            mta_sts: false,
            trust: Vec::new(),
        };
        Arc::new(ReportPoster::new(&reports.resolver, &rules))
    }

    async fn count(reports: &TlsReports, day: Day) {
        let policy = TlsPolicy { kind: TlsPolicyKind::NotFound, text: String::new() };
        let result = TlsResult { domain: DOMAIN.to_owned(), policy, failure: None };
        reports.tally.put_back(vec![(day, result, 3)]);
        reports.write_down().await;
    }

    /// What has been delivered, once there are so many.
    async fn outbox(directory: &Path, number: usize) -> Vec<String> {
        loop {
            let files = std::fs::read_dir(directory.join("outbox/new")).into_iter().flatten();
            let texts: Vec<_> =
                files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
            if texts.len() >= number {
                return texts;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    #[tokio::test]
    async fn a_domain_that_wants_a_report_of_a_day_gets_one_within_four_hours() {
        let (directory, dns, stop) =
            (tempfile::tempdir().unwrap(), FakeDns::start(), CancellationToken::new());
        dns.set("_smtp._tls.example.net", [Entry::txt("v=TLSRPTv1; rua=mailto:tls@example.net")]);
        let (reports, store) = reports(directory.path(), &dns, &stop).await;
        count(&reports, 20_000).await;
        let after = |hours: i64| start_of(20_001) + SignedDuration::from_hours(hours);
        let due = reports.due_at(20_000, DOMAIN);
        assert!((after(0)..after(4)).contains(&due));
        reports.send_due(&poster(&reports), due - SignedDuration::from_secs(1)).await.unwrap();
        assert_eq!(reports.ledger.unreported_tls_domains(20_001).await.unwrap().len(), 1);
        for _ in 0..2 {
            reports.send_due(&poster(&reports), after(4)).await.unwrap();
        }
        let texts = outbox(directory.path(), 1).await;
        assert_eq!(texts.len(), 1);
        let text = &texts[0];
        for line in [
            "From: postmaster@mail.example.org\n",
            "To: tls@example.net\n",
            "TLS-Report-Domain: example.net\n",
            "TLS-Report-Submitter: mail.example.org\n",
            "TLS-Required: No\n",
            "Content-Type: multipart/report; report-type=\"tlsrpt\";\n",
            "Content-Type: application/tlsrpt+gzip\n",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
        stop.cancel();
        drop(store);
    }

    #[tokio::test]
    async fn who_wants_no_report_gets_none_and_who_cannot_be_asked_gets_it_later() {
        let (directory, dns, stop) =
            (tempfile::tempdir().unwrap(), FakeDns::start(), CancellationToken::new());
        let (reports, _store) = reports(directory.path(), &dns, &stop).await;
        let unreported = async || reports.ledger.unreported_tls_domains(20_010).await.unwrap().len();
        count(&reports, 20_000).await;
        dns.fail("_smtp._tls.example.net", Failure::ServFail);
        reports.send_due(&poster(&reports), start_of(20_002)).await.unwrap();
        assert_eq!(unreported().await, 1);
        dns.recover();
        reports.send_due(&poster(&reports), start_of(20_002)).await.unwrap();
        assert_eq!(unreported().await, 0);
        dns.set("_smtp._tls.example.net", [Entry::txt("v=TLSRPTv1; rua=mailto:tls@example.net")]);
        count(&reports, 20_003).await;
        reports.send_due(&poster(&reports), start_of(20_009)).await.unwrap();
        assert_eq!(unreported().await, 1, "too old");
        reports.send_due(&poster(&reports), start_of(20_005)).await.unwrap();
        assert_eq!(outbox(directory.path(), 1).await.len(), 1);
        stop.cancel();
    }
}
