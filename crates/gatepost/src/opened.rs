//! What the server opens before its runtime starts: every file that the configuration names, the place of the store, the listeners.
//!
//! What a process gives up of its rights, its later threads don't have, but those that run already keep it. So whatever needs
//! rights is done here, where there are none yet; what comes behind needs the store's directory, the network, and no more.

use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;

use auth::{Backend, MasterKeys};
use config::{Config, Tls};
use delivery::Routes;
use dns::Resolver;
use stores::Claimed;
use submission::tls::{CertificateDer, Identity, PrivateKeyDer, TlsError, pem};

use crate::descriptors::Descriptors;
use crate::{listen_error, open, status_socket, storage_privacy, wiring};

/// What is open before the runtime starts. Clients that connect are kept waiting.
pub(crate) struct Opened {
    pub(crate) config: Config,
    pub(crate) descriptors: Descriptors,
    pub(crate) store: Claimed,
    pub(crate) masters: MasterKeys,
    pub(crate) pair: Option<Pair>,
    pub(crate) backends: Vec<Backend>,
    pub(crate) routes: Routes,
    pub(crate) resolver: Resolver,
    /// In the order of `[[listen]]`.
    pub(crate) sockets: Vec<TcpListener>,
    /// In the order of `[[web.listen]]`.
    pub(crate) web_sockets: Vec<TcpListener>,
    /// Where `gatepost status` asks. Without it the server does all the rest.
    pub(crate) status_socket: io::Result<UnixListener>,
}

/// A certificate chain and its key, as they were read. What it takes to use them takes time.
pub(crate) struct Pair {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Opened {
    /// Opens what this configuration names.
    ///
    /// # Errors
    /// When a file, the store or a listener cannot be had.
    pub(crate) fn open(config: Config) -> anyhow::Result<Opened> {
        let descriptors = Descriptors::for_server(&config);
        storage_privacy::store_is_private(&config.storage.directory)?;
        storage_privacy::key_is_apart(&config.storage)?;
        let store = open::claim(&config.storage.directory)?;
        let masters = MasterKeys::load(&config.storage.master_key_file)?;
        let pair = config.tls.as_ref().map(Pair::read).transpose()?;
        let (backends, routes) = (wiring::backends(&config)?, wiring::routes(&config.delivery)?);
        let resolver = wiring::resolver(&config.dns)?;
        let sockets = config.listen.iter().map(|listen| submission::bind(listen.address));
        let sockets = sockets.collect::<Result<_, _>>().map_err(listen_error::told)?;
        let web_sockets =
            config.web.iter().flat_map(|web| &web.listen).map(|listen| submission::bind(listen.address));
        let web_sockets = web_sockets.collect::<Result<_, _>>().map_err(listen_error::told_of_pages)?;
        let status_socket = status_socket::bind(&config.storage.directory);
        Ok(Opened {
            config,
            descriptors,
            store,
            masters,
            pair,
            backends,
            routes,
            resolver,
            sockets,
            web_sockets,
            status_socket,
        })
    }
}

impl Pair {
    fn read(tls: &Tls) -> Result<Pair, TlsError> {
        Ok(Pair { chain: pem::certificates(&tls.certificate)?, key: pem::private_key(&tls.private_key)? })
    }

    /// What is shown to clients.
    ///
    /// # Errors
    /// When the key does not belong to the certificate.
    pub(crate) fn identity(self) -> Result<Identity, TlsError> {
        Identity::new(self.chain, self.key)
    }
}
