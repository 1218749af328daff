//! A host of MTA-STS policies, or one that takes reports, that does as it is told, and a store for policies.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use rustls::ServerConfig;
use store::{Error, Page, StsPolicies, StsPolicy};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

/// How it answers.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// With a file of this media type.
    File(&'static str, String),
    /// With this status and this head.
    Head(u16, &'static str),
    /// With the beginning of a file, and no more.
    Stall,
    /// Not at all, and the connection stays.
    Silence,
    /// Not at all: the connection closes.
    HangUp,
}

impl Answer {
    /// A policy.
    pub(crate) fn policy(mode: &str, hosts: &[&str], max_age: u32) -> Answer {
        let hosts: String = hosts.iter().map(|host| format!("mx: {host}\r\n")).collect();
        let text = format!("version: STSv1\r\nmode: {mode}\r\n{hosts}max_age: {max_age}\r\n");
        Answer::File("text/plain; charset=utf-8", text)
    }
}

/// Where policies of hosts on the internet are, at an address of this machine that is nobody else's.
pub(crate) struct PolicyHost {
    pub(crate) address: IpAddr,
    answer: Arc<Mutex<Answer>>,
    seen: Arc<Mutex<Vec<String>>>,
    /// Somebody has hung up who was being answered slowly.
    pub(crate) left: Arc<Notify>,
    /// Somebody is being answered slowly.
    pub(crate) stalled: Arc<Notify>,
}

impl PolicyHost {
    pub(crate) async fn start(tls: Arc<ServerConfig>, answer: Answer) -> PolicyHost {
        let listener = loop {
            let [a, b, c] = rand::random();
            if let Ok(listener) = TcpListener::bind((Ipv4Addr::new(127, a, b, c), 443)).await {
                break listener;
            }
        };
        let host = PolicyHost {
            address: listener.local_addr().unwrap().ip(),
            answer: Arc::new(Mutex::new(answer)),
            seen: Arc::default(),
            left: Arc::default(),
            stalled: Arc::default(),
        };
        let (answer, seen) = (host.answer.clone(), host.seen.clone());
        let (left, stalled) = (host.left.clone(), host.stalled.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = TlsAcceptor::from(tls.clone());
                let (answer, seen) = (answer.clone(), seen.clone());
                let (left, stalled) = (left.clone(), stalled.clone());
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else {
                        seen.lock().unwrap().push("no TLS".to_owned());
                        return;
                    };
                    let mut asked = vec![0; 4096];
                    let length = stream.read(&mut asked).await.unwrap_or(0);
                    let asked = String::from_utf8_lossy(&asked[..length]).into_owned();
                    seen.lock().unwrap().push(asked.lines().next().unwrap_or_default().to_owned());
                    let answer = answer.lock().unwrap().clone();
                    let _ = stream.write_all(&octets(&answer)).await;
                    if matches!(answer, Answer::Stall | Answer::Silence) {
                        stalled.notify_one();
                        let _ = stream.read(&mut [0; 1]).await;
                        left.notify_one();
                    }
                    let _ = stream.shutdown().await;
                });
            }
        });
        host
    }

    /// Answers otherwise from now on.
    pub(crate) fn answer(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// The first line of each request.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn octets(answer: &Answer) -> Vec<u8> {
    match answer {
        Answer::File(media_type, text) => {
            let length = text.len();
            format!("HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\n\r\n{text}")
        }
        Answer::Head(status, head) => format!("HTTP/1.1 {status} -\r\n{head}content-length: 0\r\n\r\n"),
        Answer::Stall => {
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 900\r\n\r\nversion:".to_owned()
        }
        Answer::Silence | Answer::HangUp => String::new(),
    }
    .into_bytes()
}

/// Policies in memory. A clone is another handle to the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemoryPolicies(Arc<Mutex<BTreeMap<String, StsPolicy>>>);

impl MemoryPolicies {
    pub(crate) fn domains(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().cloned().collect()
    }

    /// The policy of a domain that has one.
    pub(crate) fn of(&self, domain: &str) -> StsPolicy {
        self.0.lock().unwrap()[domain].clone()
    }
}

impl StsPolicies for MemoryPolicies {
    async fn sts_policy(&self, domain: &str) -> Result<Option<StsPolicy>, Error> {
        Ok(self.0.lock().unwrap().get(domain).cloned())
    }

    async fn keep_sts_policy(&self, policy: &StsPolicy) -> Result<(), Error> {
        self.0.lock().unwrap().insert(policy.domain.clone(), policy.clone());
        Ok(())
    }

    async fn sts_policy_used(&self, domain: &str, at: Timestamp) -> Result<(), Error> {
        if let Some(policy) = self.0.lock().unwrap().get_mut(domain) {
            policy.used_at = at;
        }
        Ok(())
    }

    async fn drop_sts_policy(&self, domain: &str) -> Result<(), Error> {
        self.0.lock().unwrap().remove(domain);
        Ok(())
    }

    async fn sts_policies_to_refresh(
        &self,
        now: Timestamp,
        used_since: Timestamp,
        page: Page<String>,
    ) -> Result<Vec<StsPolicy>, Error> {
        let a_day = jiff::SignedDuration::from_hours(24);
        let is_due = |policy: &&StsPolicy| {
            now.duration_since(policy.fetched_at) > a_day && policy.used_at >= used_since
        };
        let all = self.0.lock().unwrap();
        let behind = |policy: &&StsPolicy| page.after.as_ref().is_none_or(|after| policy.domain > *after);
        Ok(all.values().filter(is_due).filter(behind).take(page.limit as usize).cloned().collect())
    }

    async fn prune_sts_policies(&self, now: Timestamp) -> Result<u64, Error> {
        self.0.lock().unwrap().retain(|_, policy| policy.expires_at > now);
        Ok(0)
    }
}

/// More than the deadline of a fetch.
pub(crate) const TOO_LONG: Duration = Duration::from_secs(61);
