//! Which name servers are asked, and whose keys are trusted.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::dnssec::TrustAnchors;
use hickory_resolver::system_conf::read_system_conf;

use crate::error::SetupError;
use crate::servers::NameServers;

/// How long a name server may take. RFC 1035 section 4.2.1 leaves it open; resolv.conf(5) has five seconds.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a question is asked again of name servers that do not answer, as in resolv.conf(5).
const AGAIN: usize = 1;
/// Name servers whose answers are cut are asked over TCP (RFC 7766); this much is taken by UDP (RFC 9715 section 3.1 says no more than
/// 1400 octets).
const UDP_OCTETS: u16 = 1232;
/// How long an answer is kept at most, whatever its owner says: a day, so that nobody's mistake stays for years.
const KEPT: Duration = Duration::from_secs(86_400);
/// The same of an answer that there is nothing, which may be there soon and until then costs mail: RFC 2308 section 5 has one to three hours.
const NOTHING_KEPT: Duration = Duration::from_secs(3600);

/// Which name servers are asked, and whose keys are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upstream {
    /// Recursive name servers; those of `/etc/resolv.conf` if there are none, or one on this machine if that has none.
    pub servers: Vec<SocketAddr>,
    /// A file of DNSKEY records to trust instead of the root's keys.
    pub trust_anchors: Option<PathBuf>,
}

impl Upstream {
    /// A resolver that takes answers as they are.
    pub(crate) fn trusting(&self) -> Result<NameServers, SetupError> {
        self.build(None)
    }

    /// A resolver that checks every signature up to a key which is trusted.
    pub(crate) fn validating(&self) -> Result<NameServers, SetupError> {
        self.build(Some(Arc::new(self.anchors()?)))
    }

    fn anchors(&self) -> Result<TrustAnchors, SetupError> {
        let Some(path) = &self.trust_anchors else { return Ok(TrustAnchors::default()) };
        let wrong = |source| SetupError::TrustAnchors { path: path.clone(), source };
        let anchors = TrustAnchors::from_file(path).map_err(|error| wrong(error.into()))?;
        if anchors.is_empty() { Err(wrong("it has none of the root".into())) } else { Ok(anchors) }
    }

    fn build(&self, anchors: Option<Arc<TrustAnchors>>) -> Result<NameServers, SetupError> {
        let servers = self.name_servers();
        let singly = match servers.as_slice() {
            [] | [_] => Vec::new(),
            several => several
                .iter()
                .map(|one| resolver(vec![one.clone()], anchors.clone()))
                .collect::<Result<_, _>>()?,
        };
        let validate = anchors.is_some();
        Ok(NameServers::new(resolver(servers, anchors)?, singly, validate))
    }

    fn name_servers(&self) -> Vec<NameServerConfig> {
        if self.servers.is_empty() {
            return of_the_system();
        }
        self.servers.iter().map(name_server).collect()
    }
}

fn resolver(
    servers: Vec<NameServerConfig>,
    anchors: Option<Arc<TrustAnchors>>,
) -> Result<TokioResolver, SetupError> {
    let config = ResolverConfig::from_parts(None, Vec::new(), servers);
    let mut builder =
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()).with_options(options());
    if let Some(anchors) = anchors {
        builder = builder.with_trust_anchor(anchors);
    }
    builder.build().map_err(|error| SetupError::Resolver(Box::new(error)))
}

/// A file without name servers means one on this machine (resolv.conf(5)).
fn of_the_system() -> Vec<NameServerConfig> {
    read_system_conf().map_or_else(
        |_| vec![NameServerConfig::udp_and_tcp(IpAddr::V4(Ipv4Addr::LOCALHOST))],
        |(config, _)| config.name_servers,
    )
}

fn name_server(server: &SocketAddr) -> NameServerConfig {
    let on_its_port = |mut connection: ConnectionConfig| {
        connection.port = server.port();
        connection
    };
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(on_its_port);
    NameServerConfig::new(server.ip(), true, connections.into())
}

fn options() -> ResolverOpts {
    let mut options = ResolverOpts::default();
    options.timeout = PATIENCE;
    options.attempts = AGAIN;
    options.edns_payload_len = UDP_OCTETS;
    options.use_hosts_file = ResolveHosts::Never;
    options.positive_max_ttl = Some(KEPT);
    options.negative_max_ttl = Some(NOTHING_KEPT);
    // Aliases are part of what has to be proved, and DANE needs the name that they lead to (RFC 7672 section 2.2.2).
    options.preserve_intermediates = true;
    options
}
