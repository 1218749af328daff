//! A server, from its parts to its end.

use std::fmt;
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use esmtp::{Rejection, Settings};
use sasl::AuthHandler;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use types::{ListenTls, SessionFacts, TlsVersion, UtcTime};

use crate::admission::Admission;
use crate::bind::BindError;
use crate::counters::Counters;
use crate::doors::{Doors, ListenerChange, Opened};
use crate::handler::MailHandler;
use crate::house::{Clock, House, OnEnd, OnOpen, Predicate};
use crate::limits::Limits;
use crate::listen;
use crate::listener::Listener;
use crate::own_connections::{OwnConnection, OwnConnections};
use crate::session_end::SessionEnd;
use crate::terms::Terms;
use crate::tls::Identity;

/// What sessions have beyond [`Limits::shutdown_grace`] to send their last reply, and handlers to come to an end.
const AFTER_GRACE: Duration = Duration::from_secs(5);

/// The parts of a server.
pub struct Builder<A, M> {
    settings: Settings,
    auth: A,
    mail: M,
    limits: Limits,
    login_is_optional: Predicate,
    clock: Option<Clock>,
    on_open: OnOpen,
    on_end: OnEnd,
    identity: Option<(Identity, TlsVersion)>,
    listeners: Vec<(Listener, Option<TcpListener>)>,
}

impl<A: AuthHandler, M: MailHandler<A::User>> Builder<A, M> {
    /// Sets limits of time and number; without it the defaults hold.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the certificate of all listeners, and the oldest TLS they speak.
    #[must_use]
    pub fn tls(mut self, identity: Identity, oldest: TlsVersion) -> Self {
        self.identity = Some((identity, oldest));
        self
    }

    /// Lets clients of whom this is true hand in mail without logging in, also without TLS. They may log in all the same; if
    /// not, the handlers find no user. It is asked when a connection begins and again when TLS does, and knows of the
    /// client no more than where it connected from and to: `|session| session.peer.ip().is_loopback()`. It is not asked
    /// about clients that a proxy speaks for, who have to log in whatever their address. Without it everybody has to.
    #[must_use]
    pub fn login_is_optional(mut self, who: impl Fn(&SessionFacts) -> bool + Send + Sync + 'static) -> Self {
        self.login_is_optional = Arc::new(who);
        self
    }

    /// Tells sessions the time of day, without which FUTURERELEASE is not offered (RFC 4865), whatever
    /// [`max_hold`](esmtp::Settings::max_hold) is: it says until when a message may be held.
    #[must_use]
    pub fn clock(mut self, now: impl Fn() -> UtcTime + Send + Sync + 'static) -> Self {
        self.clock = Some(Arc::new(now));
        self
    }

    /// Does something when a session begins, and says whether it may: the client is known, a proxy's header and a handshake under implicit
    /// TLS lie behind. If this is not `Ok`, the client gets the reply of the rejection and is closed. A connection may have several
    /// sessions, and this is asked at each: behind STARTTLS, and behind XCLIENT, where [`SessionFacts::peer`] is another from then
    /// on. This must not wait for anything.
    #[must_use]
    pub fn on_open(
        mut self,
        open: impl Fn(&SessionFacts) -> Result<(), Rejection> + Send + Sync + 'static,
    ) -> Self {
        self.on_open = Arc::new(open);
        self
    }

    /// Does something when a connection has ended, whatever ended it, also one that never came to be a session: all that have a line
    /// `session` in the log. Those that there was no place for have none, nor those that were gone before they could be served.
    /// This must not wait for anything. If it panics, that is logged, and nobody else notices.
    #[must_use]
    pub fn on_end(mut self, end: impl Fn(&SessionFacts, &SessionEnd<'_>) + Send + Sync + 'static) -> Self {
        self.on_end = Arc::new(end);
        self
    }

    /// Adds a listener. Port 0 is any free port; see [`Server::addresses`].
    #[must_use]
    pub fn listen(self, address: SocketAddr, mode: ListenTls) -> Self {
        self.listener(Listener::new(address, mode))
    }

    /// Adds a listener with options of its own.
    #[must_use]
    pub fn listener(mut self, listener: Listener) -> Self {
        self.listeners.push((listener, None));
        self
    }

    /// Adds a listener on a socket that is bound already, as by [`bind`](crate::bind()) or by who has started this program. The kernel
    /// may have taken connections for it meanwhile.
    #[must_use]
    pub fn socket(mut self, socket: TcpListener, listener: Listener) -> Self {
        self.listeners.push((listener, Some(socket)));
        self
    }

    /// Binds every listener that is not bound. From here on the kernel takes connections; they are served by [`Server::serve`].
    ///
    /// # Errors
    /// When an address cannot be bound, or TLS cannot be offered.
    pub fn bind(self) -> Result<Server<A, M>, BindError> {
        let (doors, opened) = Doors::new();
        let identity = self.identity.as_ref().map(|(identity, oldest)| (identity, *oldest));
        doors.prepare(self.listeners, identity)?.apply_first()?;
        let terms = Arc::new(ArcSwap::from_pointee(Terms::new(self.settings, self.limits)));
        let Self { auth, mail, login_is_optional, clock, on_open, on_end, .. } = self;
        let (admission, counters) = (Arc::default(), Arc::new(Counters::new()));
        Ok(Server {
            auth,
            mail,
            login_is_optional,
            clock,
            on_open,
            on_end,
            terms,
            doors,
            admission,
            counters,
            own: OwnConnections::default(),
            opened,
        })
    }
}

impl<A, M> fmt::Debug for Builder<A, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("listeners", &self.listeners).finish_non_exhaustive()
    }
}

/// A server that is bound and not yet serving.
pub struct Server<A, M> {
    auth: A,
    mail: M,
    login_is_optional: Predicate,
    clock: Option<Clock>,
    on_open: OnOpen,
    on_end: OnEnd,
    terms: Arc<ArcSwap<Terms>>,
    doors: Doors,
    admission: Arc<Admission>,
    counters: Arc<Counters>,
    own: OwnConnections,
    opened: UnboundedReceiver<Opened>,
}

impl<A: AuthHandler, M: MailHandler<A::User>> Server<A, M> {
    /// Begins with what the protocol offers (`settings.starttls` is set per listener), who judges logins, and who
    /// takes the mail.
    pub fn builder(settings: Settings, auth: A, mail: M) -> Builder<A, M> {
        Builder {
            settings,
            auth,
            mail,
            limits: Limits::default(),
            login_is_optional: Arc::new(|_| false),
            clock: None,
            on_open: Arc::new(|_| Ok(())),
            on_end: Arc::new(|_, _| ()),
            identity: None,
            listeners: Vec::new(),
        }
    }

    /// Where the server listens, in the order they were added.
    #[must_use]
    pub fn addresses(&self) -> Vec<(SocketAddr, ListenTls)> {
        self.doors.addresses()
    }

    /// What can be changed while the server runs.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle {
            terms: Arc::clone(&self.terms),
            doors: self.doors.clone(),
            admission: Arc::clone(&self.admission),
            counters: Arc::clone(&self.counters),
            own: self.own.clone(),
        }
    }

    /// Serves until `stop` is cancelled, and then until the last session has ended: no connection is taken any
    /// more, sessions are told `421 4.3.2` at once or, if a message is under way, behind it. This takes
    /// [`Limits::shutdown_grace`] and a few seconds at the most; a handler that has not ended by then is left to
    /// itself. If this future is dropped, the server stops in the same way, only that nobody waits for it.
    pub async fn serve(self, stop: CancellationToken) {
        let house = Arc::new(House {
            auth: self.auth,
            mail: self.mail,
            login_is_optional: self.login_is_optional,
            clock: self.clock,
            on_open: self.on_open,
            on_end: self.on_end,
            terms: self.terms,
            admission: self.admission,
            counters: self.counters,
            own: self.own,
            // Its own, which ends with this future too: an embedder may drop it.
            stop: stop.child_token(),
            tasks: TaskTracker::new(),
        });
        let _stop = house.stop.clone().drop_guard();
        let mut opened = self.opened;
        while let Some(Some((listener, entrance))) = house.stop.run_until_cancelled(opened.recv()).await {
            house.tasks.spawn(listen::attend(listener, entrance, Arc::clone(&house)));
        }
        house.stop.cancelled().await;
        house.tasks.close();
        let grace = house.terms.load().limits.shutdown_grace + AFTER_GRACE;
        if timeout(grace, house.tasks.wait()).await.is_err() {
            tracing::warn!(
                event = "shutdown.incomplete",
                sessions = house.admission.total(),
                "sessions were still open when the time to shut down was over"
            );
        }
    }

    /// The same until something comes about: `server.serve_until(tokio::signal::ctrl_c())`.
    pub async fn serve_until(self, end: impl Future) {
        let stop = CancellationToken::new();
        let tell = async {
            end.await;
            stop.cancel();
        };
        tokio::join!(self.serve(stop.clone()), tell);
    }
}

impl<A, M> fmt::Debug for Server<A, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("addresses", &self.doors.addresses()).finish_non_exhaustive()
    }
}

/// A hold on a running server.
#[derive(Clone)]
pub struct Handle {
    terms: Arc<ArcSwap<Terms>>,
    doors: Doors,
    admission: Arc<Admission>,
    counters: Arc<Counters>,
    own: OwnConnections,
}

impl Handle {
    /// How many connections there are at the moment.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.admission.total()
    }

    /// What was counted since the server began.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Expects a connection from this address that the embedder makes itself, to see whether the server answers. Until what is returned is
    /// dropped, a connection from there takes no place of a client, begins with no header of a proxy, is not counted, and has its line in
    /// the log at the level `debug` alone. In everything else it is served like any other.
    #[must_use]
    pub fn expect_own(&self, from: SocketAddr) -> OwnConnection {
        self.own.expect(from)
    }

    /// Gives sessions that begin from now on other settings and limits; those that stand keep theirs. Certificates
    /// are replaced through [`Identity::reload`].
    pub fn replace(&self, settings: Settings, limits: Limits) {
        self.terms.store(Arc::new(Terms::new(settings, limits)));
    }

    /// Prepares other listeners in place of those that are there: all of them, with the certificate of those that offer TLS and
    /// the oldest TLS that they speak. What is bound already under the same address stays bound. Nothing changes before
    /// [`ListenerChange::apply`].
    ///
    /// # Errors
    /// When an address cannot be bound, or TLS cannot be offered.
    pub fn prepare_listeners(
        &self,
        listeners: Vec<Listener>,
        identity: Option<(&Identity, TlsVersion)>,
    ) -> Result<ListenerChange, BindError> {
        self.doors.prepare(listeners.into_iter().map(|listener| (listener, None)), identity)
    }

    /// Where the server listens, in the order of the listeners.
    #[must_use]
    pub fn addresses(&self) -> Vec<(SocketAddr, ListenTls)> {
        self.doors.addresses()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}
