//! A DNS server for tests, on a port of this machine: it says what it is told to say, and a test may change that while it runs.
//!
//! The root is signed, and so is every name but those below [`INSECURE`], which nobody signs, and those below [`BOGUS`], whose signatures
//! are not by the key that the root names. Nothing may be remembered of what it says: each time to live is 0.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod entry;
mod zones;
mod handler;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use hickory_server::Server;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::oneshot;

pub use self::entry::Entry;
use self::handler::Handler;
use self::zones::{Keys, Zones};

/// The top-level domain whose zone has no signatures.
pub const INSECURE: &str = "insecure";
/// The top-level domain whose zone is signed by a key that the root does not name.
pub const BOGUS: &str = "bogus";

/// How a server is out of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It says so (SERVFAIL).
    ServFail,
    /// It says nothing.
    Silence,
    /// It says that there are no such records, by this record of [`INSECURE`], which needs no signature.
    NoRecords(Forged),
    /// It says that the name does not exist, by the SOA of [`INSECURE`].
    NoName,
}

/// What a forged denial comes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forged {
    /// The zone.
    Soa,
    /// Its name server.
    Ns,
}

/// A DNS server on a port of this machine; it ends when it is dropped.
pub struct FakeDns {
    address: SocketAddr,
    world: Arc<World>,
    _stop: oneshot::Sender<()>,
}

/// What is said, and what was asked.
pub(crate) struct World {
    keys: Keys,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    records: BTreeMap<String, Vec<Entry>>,
    /// By name, and by kind if only questions of one kind fail.
    failures: BTreeMap<(String, Option<String>), Failure>,
    all_fail: Option<Failure>,
    asked: Vec<(String, String)>,
    /// Made of the records when they are asked for.
    zones: Option<Arc<Zones>>,
}

impl FakeDns {
    /// Starts a server that knows of no name, with a thread and a runtime of its own.
    pub fn start() -> FakeDns {
        let world = Arc::new(World { keys: Keys::generate(), state: Mutex::default() });
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let mine = Arc::clone(&world);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (address, _server) = listen(Handler(mine)).await;
                tell.send(address).unwrap();
                let _ = stopped.await;
            });
        });
        FakeDns { address: told.recv().unwrap(), world, _stop: stop }
    }

    /// Where it listens, by UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a file of trust anchors says for this root to be trusted.
    pub fn trust_anchors(&self) -> String {
        self.world.keys.trust_anchors()
    }

    /// All that `name` has from now on.
    pub fn set(&self, name: &str, entries: impl Into<Vec<Entry>>) {
        let mut state = self.world.state();
        state.records.insert(name.to_ascii_lowercase(), entries.into());
        state.zones = None;
    }

    /// Questions about `name` fail like this from now on.
    pub fn fail(&self, name: &str, failure: Failure) {
        self.world.state().failures.insert((name.to_ascii_lowercase(), None), failure);
    }

    /// Questions of one kind, such as `AAAA`, about `name` fail like this from now on.
    pub fn fail_kind(&self, name: &str, kind: &str, failure: Failure) {
        self.world.state().failures.insert((name.to_ascii_lowercase(), Some(kind.to_owned())), failure);
    }

    /// Questions about any name fail like this from now on.
    pub fn fail_all(&self, failure: Failure) {
        self.world.state().all_fail = Some(failure);
    }

    /// Nothing fails any more.
    pub fn recover(&self) {
        let mut state = self.world.state();
        state.failures.clear();
        state.all_fail = None;
    }

    /// What was asked: names without a dot at the end, and kinds such as `MX`.
    pub fn asked(&self) -> Vec<(String, String)> {
        self.world.state().asked.clone()
    }
}

impl World {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a question; how it fails, if it does.
    fn hear(&self, name: &str, kind: String) -> Option<Failure> {
        let mut state = self.state();
        state.asked.push((name.to_owned(), kind.clone()));
        let of = |kind| state.failures.get(&(name.to_owned(), kind)).copied();
        state.all_fail.or_else(|| of(None)).or_else(|| of(Some(kind)))
    }

    fn zones(&self) -> Arc<Zones> {
        let mut state = self.state();
        let State { records, zones, .. } = &mut *state;
        Arc::clone(zones.get_or_insert_with(|| Arc::new(Zones::new(records, &self.keys))))
    }
}

/// A port that is free for both.
async fn listen(handler: Handler) -> (SocketAddr, Server<Handler>) {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = udp.local_addr().unwrap();
        let Ok(tcp) = TcpListener::bind(address).await else { continue };
        let mut server = Server::new(handler);
        server.register_socket(udp);
        server.register_listener(tcp, Duration::from_secs(60), 64 * 1024);
        return (address, server);
    }
}

impl fmt::Debug for FakeDns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeDns").field("address", &self.address).finish_non_exhaustive()
    }
}
