//! What a session may do at this moment: EHLO says it, and the commands are guarded by it.

use bytes::{BufMut, BytesMut};
use sasl::Mechanism;

use crate::channel::Channel;
use crate::introduction::Xclient;
use crate::settings::Settings;

/// What depends on the moment. The other extensions are always there.
#[derive(Debug)]
pub(crate) struct Capabilities<'a> {
    settings: &'a Settings,
    channel: &'a Channel,
}

impl<'a> Capabilities<'a> {
    pub(crate) fn of(settings: &'a Settings, channel: &'a Channel) -> Self {
        Self { settings, channel }
    }

    /// STARTTLS may be sent (RFC 3207 section 4: not again under TLS). It makes us forget what a proxy has said, which must
    /// not be in the power of whom it was said of.
    pub(crate) fn starttls(&self) -> bool {
        self.settings.starttls && self.channel.tls.is_none() && self.channel.xclient != Xclient::Said
    }

    /// EHLO says so too.
    fn announces_starttls(&self) -> bool {
        self.starttls() && !self.settings.hide_starttls
    }

    /// AUTH may be sent: not while passwords would travel in clear.
    pub(crate) fn auth(&self) -> bool {
        self.channel.tls.is_some() || self.settings.allow_insecure
    }

    /// The mechanisms of AUTH, as far as this connection can carry them.
    pub(crate) fn mechanisms(&self) -> impl Iterator<Item = Mechanism> {
        self.settings.mechanisms.iter().copied().filter(|mechanism| self.auth() && self.carries(*mechanism))
    }

    /// Whether this mechanism is among them.
    pub(crate) fn offers(&self, mechanism: Mechanism) -> bool {
        self.mechanisms().any(|offered| offered == mechanism)
    }

    fn carries(&self, mechanism: Mechanism) -> bool {
        match mechanism {
            Mechanism::ScramSha256Plus => !self.channel.bindings.is_empty(),
            Mechanism::External => self.channel.client_certificate,
            Mechanism::ScramSha256
            | Mechanism::OAuthBearer
            | Mechanism::XOAuth2
            | Mechanism::CramMd5
            | Mechanism::Plain
            | Mechanism::Login => true,
        }
    }

    /// The reply to EHLO (RFC 5321 section 4.1.1.1). The client's name is not echoed.
    pub(crate) fn write(&self, output: &mut BytesMut) {
        let settings = self.settings;
        let mut line = |text: &str| {
            output.put_slice(b"250-");
            output.put_slice(text.as_bytes());
            output.put_slice(b"\r\n");
        };
        line(&settings.hostname);
        line("PIPELINING");
        line(&format!("SIZE {}", settings.message_size));
        line("8BITMIME");
        line("SMTPUTF8");
        line("CHUNKING");
        line("ENHANCEDSTATUSCODES");
        line(&format!("LIMITS RCPTMAX={} MAILMAX={}", settings.recipients, settings.messages_per_connection));
        if self.announces_starttls() {
            line("STARTTLS");
        }
        let names: Vec<_> = self.mechanisms().map(Mechanism::name).collect();
        if !names.is_empty() {
            line(&format!("AUTH {}", names.join(" ")));
        }
        if let Some(attributes) = self.channel.xclient.attributes() {
            line(&format!("XCLIENT {attributes}"));
        }
        output.put_slice(b"250 HELP\r\n");
    }
}
