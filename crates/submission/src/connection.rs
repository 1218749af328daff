//! One client's connection and all that belongs to it, for as long as it lasts.

use std::io;
use std::sync::Arc;

use bytes::BytesMut;
use esmtp::Settings;
use sasl::AuthHandler;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::alarm::Alarm;
use crate::client::Client;
use crate::doors::Door;
use crate::handler::MailHandler;
use crate::house::House;
use crate::patience::Patience;
use crate::session_line::SessionLine;
use crate::terms::Terms;
use crate::wire::Wire;

/// The session of a connection. A message is boxed, so that the states of a session stay small: they are moved with every line.
pub(crate) type Session<A, M> = esmtp::Session<User<A>, Message<A, M>>;

/// Who has logged in, as handlers are given it.
pub(crate) type User<A> = Arc<<A as AuthHandler>::User>;

/// What keeps a message under way.
pub(crate) type Message<A, M> = Box<<M as MailHandler<<A as AuthHandler>::User>>::Message>;

/// A connection, which [`serve`](crate::drive::serve) drives.
pub(crate) struct Connection<A: AuthHandler, M: MailHandler<A::User>> {
    pub(crate) house: Arc<House<A, M>>,
    pub(crate) door: Arc<Door>,
    pub(crate) terms: Arc<Terms>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) client: Client,
    pub(crate) wire: Wire,
    /// What the client sent and the session has not taken. It owns no memory while it is empty.
    pub(crate) input: BytesMut,
    pub(crate) alarm: Alarm,
    pub(crate) patience: Patience,
    pub(crate) line: SessionLine,
    /// Whether the embedder has made it itself, to see whether the server answers.
    pub(crate) is_own: bool,
    /// Failed logins.
    pub(crate) failures: u32,
    /// The server stops, and a message under way has until then.
    pub(crate) stopping: Option<Instant>,
}

impl<A: AuthHandler, M: MailHandler<A::User>> Connection<A, M> {
    /// A connection that begins now.
    ///
    /// # Errors
    /// When the socket cannot be set up, as the client is gone already.
    pub(crate) fn new(
        socket: TcpStream,
        client: Client,
        terms: Arc<Terms>,
        door: &Arc<Door>,
        house: &Arc<House<A, M>>,
    ) -> io::Result<Self> {
        let now = Instant::now();
        Ok(Self {
            house: Arc::clone(house),
            door: Arc::clone(door),
            settings: door.settings(&terms),
            client,
            wire: Wire::new(socket)?,
            input: BytesMut::new(),
            alarm: Alarm::new(now + terms.limits.handshake),
            patience: Patience::new(now),
            line: SessionLine::new(now),
            is_own: false,
            failures: 0,
            stopping: None,
            terms,
        })
    }
}
