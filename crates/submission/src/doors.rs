//! The listeners of a server that are bound: what each offers, and how they are changed while the server runs.
//!
//! A change is prepared before anything of it is done. A listener whose address stays keeps its socket, and what it offers is
//! new to whoever connects from then on. Connections that stand are not touched.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use esmtp::{Settings, Xclient};
use ipnet::IpNet;
use sasl::Mechanism;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use types::{ListenTls, TlsVersion};

use crate::bind::{self, BindError};
use crate::listener::Listener;
use crate::terms::Terms;
use crate::tls::Identity;
use crate::tls::offer::Offer;

/// How long a listener that is closed may take to hand over the connections that the kernel holds for it.
const CLOSING: Duration = Duration::from_secs(5);

/// What is particular to one listener.
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Option<Arc<Offer>>,
    mode: ListenTls,
    /// What it offers instead of what all others do.
    mechanisms: Option<Vec<Mechanism>>,
    proxies: Vec<IpNet>,
    xclient: Vec<IpNet>,
    xclient_login: bool,
}

impl Door {
    fn new(listener: &Listener, address: SocketAddr, tls: Option<Arc<Offer>>) -> Arc<Door> {
        let (proxies, xclient) = (listener.proxy_protocol.clone(), listener.xclient.clone());
        let (mode, xclient_login) = (listener.tls, listener.xclient_login);
        let mechanisms = listener.mechanisms.clone();
        Arc::new(Door { address, tls, mode, mechanisms, proxies, xclient, xclient_login })
    }

    /// Whether a connection from there begins with a header that says whose it is.
    pub(crate) fn wants_header_of(&self, peer: IpAddr) -> bool {
        includes(&self.proxies, peer)
    }

    /// Whether who connects from there may say who its client is.
    pub(crate) fn xclient(&self, peer: IpAddr) -> Xclient {
        match (includes(&self.xclient, peer), self.xclient_login) {
            (false, _) => Xclient::Refused,
            (true, false) => Xclient::Taken,
            (true, true) => Xclient::WithLogin,
        }
    }

    /// How TLS begins here.
    pub(crate) fn tls_mode(&self) -> ListenTls {
        self.mode
    }

    pub(crate) fn is_implicit(&self) -> bool {
        self.mode == ListenTls::Implicit
    }

    /// What a session is offered here.
    pub(crate) fn settings(&self, terms: &Terms) -> Arc<Settings> {
        let common = match self.mode {
            ListenTls::StartTls => &terms.with_starttls,
            ListenTls::Implicit | ListenTls::Off => &terms.without_starttls,
        };
        match &self.mechanisms {
            None => Arc::clone(common),
            Some(own) => {
                let mut settings = Settings::clone(common);
                settings.mechanisms.clone_from(own);
                Arc::new(settings)
            }
        }
    }
}

fn includes(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

/// A listener that is bound.
pub(crate) struct Entrance {
    /// As it was asked for, perhaps with port 0.
    asked: SocketAddr,
    door: ArcSwap<Door>,
    closing: CancellationToken,
    closed: CancellationToken,
}

impl Entrance {
    /// What it offers to who connects now.
    pub(crate) fn door(&self) -> Arc<Door> {
        self.door.load_full()
    }

    /// Ends when no more connections are to be taken, but for those that the kernel holds already.
    pub(crate) fn closing(&self) -> &CancellationToken {
        &self.closing
    }

    /// Tells whoever waits for it that its socket is closed.
    pub(crate) fn mark_closed(&self) {
        self.closed.cancel();
    }
}

/// A socket that takes connections, and for whom.
pub(crate) type Opened = (TcpListener, Arc<Entrance>);

/// What is shown with a listener's TLS: a change of any of it is another offer, with other ticket keys.
type Identified<'a> = Option<(&'a Identity, TlsVersion)>;

/// Every listener that is bound.
#[derive(Clone)]
pub(crate) struct Doors {
    entrances: Arc<Mutex<Vec<Arc<Entrance>>>>,
    /// To who takes the connections.
    opened: UnboundedSender<Opened>,
}

impl Doors {
    /// None yet, and where those that are opened arrive.
    pub(crate) fn new() -> (Doors, UnboundedReceiver<Opened>) {
        let (opened, arriving) = unbounded_channel();
        (Doors { entrances: Arc::default(), opened }, arriving)
    }

    /// Where they listen, in order.
    pub(crate) fn addresses(&self) -> Vec<(SocketAddr, ListenTls)> {
        self.entrances()
            .iter()
            .map(|entrance| entrance.door())
            .map(|door| (door.address, door.mode))
            .collect()
    }

    /// Binds what is not bound yet, and changes nothing else. A listener may come with its socket.
    pub(crate) fn prepare(
        &self,
        listeners: impl IntoIterator<Item = (Listener, Option<TcpListener>)>,
        identity: Identified<'_>,
    ) -> Result<ListenerChange, BindError> {
        let mut gone = self.entrances().clone();
        let kept: Vec<_> = listeners
            .into_iter()
            .map(|(listener, socket)| {
                let place = gone.iter().position(|entrance| entrance.asked == listener.address);
                (listener, socket, place.map(|place| gone.remove(place)))
            })
            .collect();
        let next = kept.into_iter().map(|(listener, socket, kept)| {
            let offer = offer(&listener, identity, kept.as_deref())?;
            match (kept, socket) {
                (Some(kept), _) => Ok(Next::keep(&listener, kept, offer)),
                (None, Some(socket)) => entrance(socket, &listener, offer).map(Next::bound),
                (None, None) => Next::bind(&listener, offer, &gone),
            }
        });
        Ok(ListenerChange { next: next.collect::<Result<_, _>>()?, gone, doors: self.clone() })
    }

    fn entrances(&self) -> MutexGuard<'_, Vec<Arc<Entrance>>> {
        // Nothing done under this lock can be left half done.
        self.entrances.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listeners in place of those that are there, each bound if it can be; see [`ListenerChange::apply`].
pub struct ListenerChange {
    next: Vec<Next>,
    gone: Vec<Arc<Entrance>>,
    doors: Doors,
}

impl ListenerChange {
    /// Opens and closes listeners. Connections that the kernel has taken for one that closes are served.
    ///
    /// # Errors
    /// When a listener that had to wait for another to close, since both have the same port, cannot be bound then. The others are
    /// as they should be.
    pub async fn apply(self) -> Result<(), BindError> {
        for entrance in &self.gone {
            entrance.closing.cancel();
        }
        if self.next.iter().any(|next| matches!(next, Next::Later(..))) {
            for entrance in &self.gone {
                // Late, it is told as an address in use.
                let _ = timeout(CLOSING, entrance.closed.cancelled()).await;
            }
        }
        let opened: Vec<_> = self.next.into_iter().map(|next| next.open(&self.doors)).collect();
        *self.doors.entrances() = opened.iter().filter_map(|opened| opened.as_ref().ok()).cloned().collect();
        opened.into_iter().find_map(Result::err).map_or(Ok(()), Err)
    }

    /// Of a server that has no listeners yet.
    pub(crate) fn apply_first(self) -> Result<(), BindError> {
        let opened = self.next.into_iter().map(|next| next.open(&self.doors)).collect::<Result<_, _>>()?;
        *self.doors.entrances() = opened;
        Ok(())
    }
}

impl fmt::Debug for ListenerChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListenerChange").field("listeners", &self.next.len()).finish_non_exhaustive()
    }
}

/// A listener that is to be.
enum Next {
    /// It is there, and has another door from then on.
    Kept(Arc<Entrance>, Arc<Door>),
    Bound(TcpListener, Arc<Entrance>),
    /// Another that is to be closed has its port.
    Later(Listener, Option<Arc<Offer>>),
}

impl Next {
    fn keep(listener: &Listener, kept: Arc<Entrance>, offer: Option<Arc<Offer>>) -> Next {
        let door = Door::new(listener, kept.door().address, offer);
        Next::Kept(kept, door)
    }

    fn bound((socket, entrance): Opened) -> Next {
        Next::Bound(socket, entrance)
    }

    fn bind(
        listener: &Listener,
        offer: Option<Arc<Offer>>,
        gone: &[Arc<Entrance>],
    ) -> Result<Next, BindError> {
        match bind(listener, offer.clone()) {
            Err(BindError::Listen { source, .. })
                if source.kind() == io::ErrorKind::AddrInUse
                    && gone
                        .iter()
                        .any(|entrance| entrance.door().address.port() == listener.address.port()) =>
            {
                Ok(Next::Later(listener.clone(), offer))
            }
            bound => bound.map(Next::bound),
        }
    }

    fn open(self, doors: &Doors) -> Result<Arc<Entrance>, BindError> {
        let (socket, entrance) = match self {
            Next::Kept(entrance, door) => {
                entrance.door.store(door);
                return Ok(entrance);
            }
            Next::Bound(socket, entrance) => (socket, entrance),
            Next::Later(listener, offer) => bind(&listener, offer)?,
        };
        // Nobody takes connections any more if the server stops.
        let _ = doors.opened.send((socket, Arc::clone(&entrance)));
        Ok(entrance)
    }
}

fn offer(
    listener: &Listener,
    identity: Identified<'_>,
    kept: Option<&Entrance>,
) -> Result<Option<Arc<Offer>>, BindError> {
    let (identity, oldest) = match (listener.tls, identity) {
        (ListenTls::Off, _) => return Ok(None),
        (_, None) => return Err(BindError::NoIdentity(listener.address)),
        (_, Some(identity)) => identity,
    };
    let kept = kept.and_then(|kept| kept.door().tls.clone());
    // Clients go on with the tickets that they have.
    if let Some(kept) = kept.filter(|kept| kept.is(identity, oldest, listener.client_certificates)) {
        return Ok(Some(kept));
    }
    Ok(Some(Arc::new(Offer::new(identity, oldest, listener.client_certificates)?)))
}

fn bind(listener: &Listener, offer: Option<Arc<Offer>>) -> Result<Opened, BindError> {
    entrance(bind::bind(listener.address)?, listener, offer)
}

/// A listener on a socket that is bound.
fn entrance(
    socket: TcpListener,
    listener: &Listener,
    offer: Option<Arc<Offer>>,
) -> Result<Opened, BindError> {
    let asked = listener.address;
    let address = socket.set_nonblocking(true).and_then(|()| socket.local_addr());
    let address = address.map_err(|source| BindError::Listen { address: asked, source })?;
    let entrance = Entrance {
        asked,
        door: ArcSwap::new(Door::new(listener, address, offer)),
        closing: CancellationToken::new(),
        closed: CancellationToken::new(),
    };
    Ok((socket, Arc::new(entrance)))
}
