//! What a session may do at this moment: EHLO says it, and the commands are guarded by it.

use bytes::{BufMut, BytesMut};
use sasl::Mechanism;

use crate::limits::MESSAGES;
use crate::settings::Settings;

/// What depends on the moment. The other extensions are always there.
#[derive(Debug)]
pub(crate) struct Capabilities<'a> {
    /// STARTTLS may be sent (RFC 3207 section 4: not again under TLS).
    pub(crate) starttls: bool,
    /// The mechanisms of AUTH; none while passwords would travel in clear.
    pub(crate) mechanisms: &'a [Mechanism],
}

impl<'a> Capabilities<'a> {
    pub(crate) fn of(settings: &'a Settings, under_tls: bool) -> Self {
        let may_authenticate = under_tls || settings.allow_insecure;
        Self {
            starttls: settings.starttls && !under_tls,
            mechanisms: if may_authenticate { &settings.mechanisms } else { &[] },
        }
    }

    /// The reply to EHLO (RFC 5321 section 4.1.1.1). The client's name is not echoed.
    pub(crate) fn write(&self, settings: &Settings, output: &mut BytesMut) {
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
        line(&format!("LIMITS RCPTMAX={} MAILMAX={MESSAGES}", settings.recipients));
        if self.starttls {
            line("STARTTLS");
        }
        if !self.mechanisms.is_empty() {
            let names: Vec<_> = self.mechanisms.iter().map(|mechanism| mechanism.name()).collect();
            line(&format!("AUTH {}", names.join(" ")));
        }
        output.put_slice(b"250 HELP\r\n");
    }
}
