//! The report that a domain wants to have on how TLS went with its mail hosts on a day (RFC 8460). Pure: what was counted goes in, a message
//! comes out.

use std::io::{self, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use message::TlsReportMail;
use reqwest::Url;
use serde_json::{Value, json};
use store::{Day, Submission, TlsFailure, TlsPolicy, TlsPolicyKind, TlsResult};
use types::{AccountId, EnvelopeRecipient, ForwardPath, Mailbox, Notify, QueueId, ReversePath, TlsRequired};

use crate::tls_tally::start_of;

/// In whose name reports are in the queue: nobody's. No account has this id.
pub const REPORTER: AccountId = AccountId::from_bytes([0; 16]);

/// How many places of a kind a domain may name.
const PLACES: usize = 4;

/// What was counted of a domain on a day.
#[derive(Debug)]
pub struct TlsReport<'a> {
    /// Who reports: our name.
    pub hostname: &'a str,
    /// Whose mail hosts it is about, in A-labels.
    pub domain: &'a str,
    /// The day.
    pub day: Day,
    /// What sessions came to, and how many; those of one policy together.
    pub results: &'a [(TlsResult, u64)],
}

impl TlsReport<'_> {
    /// The report as a message to these, under this name in the queue. It is from `<>`: of a report that can't be delivered nobody is told.
    ///
    /// # Errors
    /// When it can't be compressed.
    pub fn mail(&self, to: &[Mailbox], id: QueueId, now: Timestamp) -> io::Result<(Submission, Vec<u8>)> {
        let (file, figures) = (self.file_name(), self.figures(id)?);
        let (hostname, domain) = (self.hostname, self.domain);
        let mail = TlsReportMail { hostname, domain, id, now, to, file: &file, figures: &figures };
        let recipient = |mailbox: &Mailbox| {
            let mut recipient = EnvelopeRecipient::new(ForwardPath::Mailbox(mailbox.clone()));
            recipient.notify = Some(Notify::NEVER);
            recipient
        };
        let submission = Submission {
            recipients: to.iter().map(recipient).collect(),
            message_id: Some(mail.message_id()),
            tls_required: TlsRequired::No,
            ..Submission::new(id, REPORTER, TlsReportMail::from(hostname), ReversePath::Null, now)
        };
        Ok((submission, mail.compose()))
    }

    /// RFC 8460 section 5.1.
    fn file_name(&self) -> String {
        let (start, end) = (start_of(self.day).as_second(), start_of(self.day + 1).as_second() - 1);
        format!("{}!{}!{start}!{end}.json.gz", self.hostname, self.domain)
    }

    /// What it says, compressed.
    ///
    /// # Errors
    /// When it can't be compressed.
    pub fn figures(&self, id: QueueId) -> io::Result<Vec<u8>> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(self.json(id).to_string().as_bytes())?;
        gzip.finish()
    }

    /// RFC 8460 section 4.4.
    fn json(&self, id: QueueId) -> Value {
        let by_policy = self.results.chunk_by(|(one, _), (next, _)| one.policy == next.policy);
        let end = start_of(self.day + 1).as_second() - 1;
        json!({
            "organization-name": self.hostname,
            "date-range": {
                "start-datetime": start_of(self.day).to_string(),
                "end-datetime": Timestamp::from_second(end).unwrap_or(Timestamp::MAX).to_string(),
            },
            "contact-info": TlsReportMail::from(self.hostname),
            "report-id": format!("{id}@{}", self.hostname),
            "policies": by_policy.filter_map(|results| self.of_policy(results)).collect::<Vec<_>>(),
        })
    }

    /// What came of one policy.
    fn of_policy(&self, results: &[(TlsResult, u64)]) -> Option<Value> {
        let policy = &results.first()?.0.policy;
        let failures =
            || results.iter().filter_map(|(result, sessions)| Some((result.failure.as_ref()?, *sessions)));
        let all: u64 = results.iter().map(|(_, sessions)| *sessions).sum();
        let failed: u64 = failures().map(|(_, sessions)| sessions).sum();
        let details: Vec<_> = failures().map(|(failure, sessions)| detail(failure, sessions)).collect();
        Some(json!({
            "policy": self.policy(policy),
            "summary": {
                "total-successful-session-count": all - failed,
                "total-failure-session-count": failed,
            },
            "failure-details": details,
        }))
    }

    fn policy(&self, policy: &TlsPolicy) -> Value {
        let lines: Vec<&str> = policy.text.lines().collect();
        let hosts =
            lines.iter().filter_map(|line| line.strip_prefix("mx:")).map(str::trim).collect::<Vec<_>>();
        let named = json!({ "policy-type": policy.kind.name(), "policy-domain": self.domain });
        match policy.kind {
            TlsPolicyKind::NotFound => named,
            TlsPolicyKind::Tlsa => with(named, [("policy-string", json!(lines))]),
            TlsPolicyKind::Sts => with(named, [("policy-string", json!(lines)), ("mx-host", json!(hosts))]),
        }
    }
}

fn detail(failure: &TlsFailure, sessions: u64) -> Value {
    let detail = json!({
        "result-type": failure.kind.name(),
        "failed-session-count": sessions,
        "failure-reason-code": failure.reason,
    });
    let ends = [
        ("sending-mta-ip", &failure.sent_from),
        ("receiving-mx-hostname", &failure.host),
        ("receiving-ip", &failure.ip),
    ];
    with(
        detail,
        ends.into_iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| (key, json!(value))),
    )
}

/// The object with more keys.
fn with(mut object: Value, more: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    if let Some(keys) = object.as_object_mut() {
        keys.extend(more.into_iter().map(|(key, value)| (key.to_owned(), value)));
    }
    object
}

/// Where a domain wants to have reports.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReportPlaces {
    /// By mail.
    pub mailboxes: Vec<Mailbox>,
    /// By HTTPS.
    pub urls: Vec<Url>,
}

impl ReportPlaces {
    /// As the texts of `_smtp._tls` below the domain say (RFC 8460 section 3): nowhere, unless exactly one of them is a record of reports.
    #[must_use]
    pub fn of(texts: &[String]) -> ReportPlaces {
        let mut records =
            texts.iter().filter_map(|text| text.strip_prefix("v=TLSRPTv1")?.trim_start().strip_prefix(';'));
        let (Some(fields), None) = (records.next(), records.next()) else { return ReportPlaces::default() };
        let wanted = fields.split(';').find_map(|field| field.trim().strip_prefix("rua="));
        let uris = || wanted.into_iter().flat_map(|wanted| wanted.split(',')).map(str::trim);
        ReportPlaces {
            mailboxes: each_once(uris().filter_map(mailbox)),
            urls: each_once(uris().filter_map(url)),
        }
    }

    /// Whether it wants none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.mailboxes.is_empty() && self.urls.is_empty()
    }
}

/// The first few, each once: a report that comes twice counts double for whoever adds them up.
fn each_once<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut each = Vec::new();
    for one in all {
        if each.len() < PLACES && !each.contains(&one) {
            each.push(one);
        }
    }
    each
}

fn mailbox(uri: &str) -> Option<Mailbox> {
    let address = uri.strip_prefix("mailto:")?;
    let address = address.split('?').next().unwrap_or_default();
    Mailbox::parse(&decoded(address)?).ok().filter(|mailbox| mailbox.to_string().is_ascii())
}

/// At the port of HTTPS of a host with a name, and with no password of anybody: whoever writes the record has us ask there.
fn url(uri: &str) -> Option<Url> {
    let url = Url::parse(uri).ok()?;
    let is_plain = url.port().is_none() && url.username().is_empty() && url.password().is_none();
    (url.scheme() == "https" && url.domain().is_some() && is_plain).then_some(url)
}

/// What is percent-encoded in a URI (RFC 3986 section 2.1), such as `!` and `,`.
fn decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut decoded = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        decoded.push(u8::from_str_radix(digits, 16).ok()?);
        decoded.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_says_where_it_wants_reports() {
        for (texts, addresses) in [
            (&["v=TLSRPTv1; rua=mailto:reports@example.com"][..], &["reports@example.com"][..]),
            (
                &["v=TLSRPTv1;rua=mailto:a@example.com,https://r.example.com/v1,mailto:b@example.com?x=y;"],
                &["a@example.com", "b@example.com"],
            ),
            (&["v=spf1 -all", "v=TLSRPTv1; future=1; rua=mailto:a%21b@example.com"], &["a!b@example.com"]),
            (&["v=TLSRPTv1; rua=mailto:a@example.com", "v=TLSRPTv1; rua=mailto:b@example.com"], &[]),
            (&["v=TLSRPTv1; rua=mailto:not an address, mailto:%zz@example.com,mailto:%"], &[]),
            (&["v=TLSRPTv2; rua=mailto:a@example.com"], &[]),
            (&["rua=mailto:a@example.com"], &[]),
            (&[], &[]),
        ] {
            let texts: Vec<_> = texts.iter().map(ToString::to_string).collect();
            let found: Vec<_> = ReportPlaces::of(&texts).mailboxes.iter().map(ToString::to_string).collect();
            assert_eq!(found, addresses, "{texts:?}");
        }
    }

    #[test]
    fn reports_are_posted_to_https_at_a_name_and_nowhere_else() {
        for (uri, is_one) in [
            ("https://r.example.com/v1?a=b", true),
            ("https://R.example.com:443/", true),
            ("http://r.example.com/v1", false),
            ("https://r.example.com:8443/v1", false),
            ("https://127.0.0.1/v1", false),
            ("https://0x7f.1/v1", false),
            ("https://[::1]/v1", false),
            ("https://user:secret@r.example.com/v1", false),
            ("https:", false),
        ] {
            let places = ReportPlaces::of(&[format!("v=TLSRPTv1; rua={uri}")]);
            assert_eq!((places.urls.len() == 1, places.is_empty()), (is_one, !is_one), "{uri}");
        }
    }

    fn result(kind: TlsPolicyKind, text: &str, failure: Option<TlsFailure>) -> TlsResult {
        let policy = TlsPolicy { kind, text: text.to_owned() };
        TlsResult { domain: "example.com".to_owned(), policy, failure }
    }

    /// The example of RFC 8460 appendix B, in our words.
    #[test]
    fn the_figures_are_those_of_the_rfc() {
        let policy = "version: STSv1\r\nmode: testing\r\nmx: *.mail.company-y.example\r\nmax_age: 86400\r\n";
        let expired = TlsFailure {
            kind: store::TlsFailureKind::Expired,
            host: "mx1.mail.company-y.example".to_owned(),
            ip: "203.0.113.56".to_owned(),
            sent_from: "2001:db8:abcd:12::1".to_owned(),
            reason: "it is expired".to_owned(),
        };
        let results = [
            (result(TlsPolicyKind::NotFound, "", None), 2),
            (result(TlsPolicyKind::Sts, policy, None), 5326),
            (result(TlsPolicyKind::Sts, policy, Some(expired)), 100),
        ];
        let report = TlsReport {
            hostname: "mail.company-x.example",
            domain: "example.com",
            day: 16_892,
            results: &results,
        };
        let id = QueueId::from_bytes([1; 16]);
        assert_eq!(report.file_name(), "mail.company-x.example!example.com!1459468800!1459555199.json.gz");
        let expected = json!({
            "organization-name": "mail.company-x.example",
            "date-range": { "start-datetime": "2016-04-01T00:00:00Z", "end-datetime": "2016-04-01T23:59:59Z" },
            "contact-info": "postmaster@mail.company-x.example",
            "report-id": format!("{id}@mail.company-x.example"),
            "policies": [
                {
                    "policy": { "policy-type": "no-policy-found", "policy-domain": "example.com" },
                    "summary": { "total-successful-session-count": 2, "total-failure-session-count": 0 },
                    "failure-details": [],
                },
                {
                    "policy": {
                        "policy-type": "sts", "policy-domain": "example.com", "mx-host": ["*.mail.company-y.example"],
                        "policy-string": ["version: STSv1", "mode: testing", "mx: *.mail.company-y.example", "max_age: 86400"],
                    },
                    "summary": { "total-successful-session-count": 5326, "total-failure-session-count": 100 },
                    "failure-details": [{
                        "result-type": "certificate-expired", "sending-mta-ip": "2001:db8:abcd:12::1",
                        "receiving-mx-hostname": "mx1.mail.company-y.example", "receiving-ip": "203.0.113.56",
                        "failed-session-count": 100, "failure-reason-code": "it is expired",
                    }],
                },
            ],
        });
        assert_eq!(report.json(id), expected);
    }

    #[test]
    fn the_figures_come_out_of_the_message_as_they_went_in() {
        let results: Vec<_> = (0..50).map(|_| (result(TlsPolicyKind::NotFound, "", None), 1)).collect();
        let report =
            TlsReport { hostname: "mail.example.org", domain: "example.com", day: 20_000, results: &results };
        let (id, to) = (QueueId::from_bytes([1; 16]), [Mailbox::parse("tls@example.com").unwrap()]);
        let (submission, text) = report.mail(&to, id, Timestamp::UNIX_EPOCH).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.is_ascii() && text.split("\r\n").all(|line| line.len() < 79), "{text}");
        assert_eq!((submission.account, submission.reverse_path), (REPORTER, ReversePath::Null));
        let attachment = text.split("\r\n\r\n").last().unwrap().split("--=_").next().unwrap();
        let gzip = base64::Engine::decode(
            &base64::engine::general_purpose::STANDARD,
            attachment.replace("\r\n", ""),
        );
        let mut json = String::new();
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&*gzip.unwrap()), &mut json).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), report.json(id));
    }
}
