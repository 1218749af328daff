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
    /// Who has proved to be who, and logs in once the protocol has come to its end.
    pub(crate) proved: Option<Login<A::User>>,
    /// Who has logged in.
    pub(crate) user: Option<Arc<A::User>>,
    /// Failed logins.
    pub(crate) failures: u32,
    /// The message under way, from its first octet on.
    pub(crate) message: Option<M::Message>,
    /// The server stops, and a message under way has until then.
    pub(crate) stopping: Option<Instant>,
}

/// Somebody who was found to be who they say.
pub(crate) struct Login<U> {
    /// For the log.
    pub(crate) name: String,
    pub(crate) mechanism: &'static str,
    pub(crate) user: Arc<U>,
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
            proved: None,
            user: None,
            failures: 0,
            message: None,
            stopping: None,
            terms,
        })
    }
}
