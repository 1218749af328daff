//! What a session may do at this moment. EHLO lists it, and each command asks it before it does anything.

use bytes::{BufMut, BytesMut};
use sasl::Mechanism;
use types::{Priority, UtcTime};

use crate::channel::Channel;
use crate::introduction::Xclient;
use crate::reply::{self, Reply};
use crate::settings::Settings;

/// What depends on the moment: each is there, or is refused with a reply. The other extensions are always there.
#[derive(Debug)]
pub(crate) struct Capabilities<'a> {
    settings: &'a Settings,
    channel: &'a Channel,
    logged_in: bool,
}

impl<'a> Capabilities<'a> {
    pub(crate) fn of(settings: &'a Settings, channel: &'a Channel, logged_in: bool) -> Self {
        Self { settings, channel, logged_in }
    }

    /// Whether STARTTLS may be sent (RFC 3207 section 4: not again under TLS). It makes us forget what a proxy has said, which must
    /// not be in the power of whom it was said of.
    pub(crate) fn starttls(&self) -> Result<(), Reply> {
        if self.channel.tls.is_some() {
            Err(reply::ALREADY_TLS)
        } else if !self.settings.starttls || self.channel.xclient == Xclient::Said {
            Err(reply::NOT_HERE)
        } else {
            Ok(())
        }
    }

    /// Whether AUTH may be sent: not while passwords would travel in clear.
    pub(crate) fn auth(&self) -> Result<(), Reply> {
        if self.channel.tls.is_some() || self.settings.allow_insecure {
            Ok(())
        } else {
            Err(reply::ENCRYPTION_REQUIRED)
        }
    }

    /// The mechanisms of AUTH, as far as this connection can carry them.
    pub(crate) fn mechanisms(&self) -> impl Iterator<Item = Mechanism> {
        let offered = self.settings.mechanisms.iter().copied();
        offered.filter(|mechanism| self.auth().is_ok() && self.carries(*mechanism))
    }

    /// Whether this mechanism is among them.
    pub(crate) fn offers(&self, mechanism: Mechanism) -> bool {
        self.mechanisms().any(|offered| offered == mechanism)
    }

    /// The mechanism of this name, if it is among them.
    pub(crate) fn mechanism(&self, name: &str) -> Option<Mechanism> {
        Mechanism::from_name(name).filter(|mechanism| self.offers(*mechanism))
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

    /// The attributes that XCLIENT may have.
    pub(crate) fn xclient(&self) -> Result<&'static str, Reply> {
        self.channel.xclient.attributes().ok_or(reply::NOT_AUTHORISED)
    }

    /// Whether mail is taken: of a client that has logged in, or need not.
    pub(crate) fn takes_mail(&self) -> bool {
        self.logged_in || self.channel.login_is_optional
    }

    /// What a client has to do before mail is taken. Whether it has said EHLO depends on the state of the session.
    pub(crate) fn mail(&self, said_ehlo: bool) -> Result<(), Reply> {
        if self.takes_mail() {
            Ok(())
        } else if self.auth().is_err() && self.starttls().is_ok() {
            Err(reply::STARTTLS_FIRST)
        } else if !said_ehlo {
            Err(reply::EHLO_FIRST)
        } else {
            Err(Reply::authentication_required(&self.settings.required_message))
        }
    }

    /// Whether text is taken that is not made of lines (RFC 3030 section 3).
    pub(crate) fn binary_mime(&self) -> Result<(), Reply> {
        if self.settings.binary_mime { Ok(()) } else { Err(reply::BAD_PARAMETER) }
    }

    /// Whether parameters of DSN are taken (RFC 3461).
    pub(crate) fn dsn(&self) -> Result<(), Reply> {
        if self.settings.dsn { Ok(()) } else { Err(reply::UNKNOWN_PARAMETER) }
    }

    /// How long a message may wait before it leaves, in seconds, and until when, as seen when the session began (RFC 4865).
    pub(crate) fn future_release(&self) -> Result<(u32, UtcTime), Reply> {
        let limits = self.settings.max_hold.zip(self.channel.now);
        limits.map(|(longest, now)| (longest, now.later(longest))).ok_or(reply::UNKNOWN_PARAMETER)
    }

    /// The least seconds that a message may be given which is to be returned otherwise (RFC 2852).
    pub(crate) fn deliver_by(&self) -> Result<u32, Reply> {
        self.settings.min_deliver_by.ok_or(reply::UNKNOWN_PARAMETER)
    }

    /// The highest priority that a message gets (RFC 6710). RFC 6710 section 4.1: one above 0 is for those who have logged in.
    pub(crate) fn priority(&self) -> Result<Priority, Reply> {
        let highest = self.settings.max_priority.ok_or(reply::UNKNOWN_PARAMETER)?;
        Ok(if self.logged_in { highest } else { highest.min(Priority::NORMAL) })
    }

    /// Whether REQUIRETLS is taken (RFC 8689 section 2): of a message that has come by TLS.
    pub(crate) fn require_tls(&self) -> Result<(), Reply> {
        let offered = self.settings.require_tls && self.channel.tls.is_some();
        if offered { Ok(()) } else { Err(reply::UNKNOWN_PARAMETER) }
    }

    /// The largest message, in octets: SIZE (RFC 1870).
    pub(crate) fn message_size(&self) -> u64 {
        self.settings.message_size
    }

    /// The most recipients of a message: RCPTMAX (RFC 9422).
    pub(crate) fn recipients(&self) -> usize {
        self.settings.recipients
    }

    /// The most messages of a connection: MAILMAX (RFC 9422).
    pub(crate) fn messages(&self) -> u32 {
        self.settings.messages_per_connection
    }

    /// The reply to EHLO (RFC 5321 section 4.1.1.1). The client's name is not echoed.
    pub(crate) fn write(&self, output: &mut BytesMut) {
        let mut line = |text: &str| {
            output.put_slice(b"250-");
            output.put_slice(text.as_bytes());
            output.put_slice(b"\r\n");
        };
        line(&self.settings.hostname);
        line("PIPELINING");
        line(&format!("SIZE {}", self.message_size()));
        line("8BITMIME");
        line("SMTPUTF8");
        line("CHUNKING");
        if self.binary_mime().is_ok() {
            line("BINARYMIME");
        }
        line("ENHANCEDSTATUSCODES");
        if self.dsn().is_ok() {
            line("DSN");
        }
        if let Ok((longest, latest)) = self.future_release() {
            line(&format!("FUTURERELEASE {longest} {latest}"));
        }
        if let Ok(least) = self.deliver_by() {
            line(&format!("DELIVERBY {least}"));
        }
        if self.priority().is_ok() {
            line("MT-PRIORITY");
        }
        if self.require_tls().is_ok() {
            line("REQUIRETLS");
        }
        line(&format!("LIMITS RCPTMAX={} MAILMAX={}", self.recipients(), self.messages()));
        if self.starttls().is_ok() && !self.settings.hide_starttls {
            line("STARTTLS");
        }
        let names: Vec<_> = self.mechanisms().map(Mechanism::name).collect();
        if !names.is_empty() {
            line(&format!("AUTH {}", names.join(" ")));
        }
        if let Ok(attributes) = self.xclient() {
            line(&format!("XCLIENT {attributes}"));
        }
        output.put_slice(b"250 HELP\r\n");
    }
}

#[cfg(test)]
mod tests {
    use sasl::{ChannelBindings, Nonces};
    use types::TlsFacts;

    use super::*;

    fn settings() -> Settings {
        let mechanisms = vec![Mechanism::ScramSha256Plus, Mechanism::External, Mechanism::Plain];
        Settings { mechanisms, ..Settings::new("mail.example.org") }
    }

    fn clear() -> Channel {
        Channel::in_clear(Nonces::new([0; 32]))
    }

    fn protected() -> Channel {
        Channel { tls: Some(TlsFacts::new("TLSv1.3", "test")), ..clear() }
    }

    const STEADY: [&str; 8] = [
        "mail.example.org",
        "PIPELINING",
        "SIZE 36700160",
        "8BITMIME",
        "SMTPUTF8",
        "CHUNKING",
        "ENHANCEDSTATUSCODES",
        "HELP",
    ];

    /// What EHLO has at this moment, and not at every other.
    fn offered(settings: &Settings, channel: &Channel) -> Vec<String> {
        let mut output = BytesMut::new();
        Capabilities::of(settings, channel, false).write(&mut output);
        let text = String::from_utf8(output.to_vec()).unwrap();
        let lines = text.lines().filter_map(|line| line.get(4..));
        lines
            .filter(|line| !line.starts_with("LIMITS") && !STEADY.contains(line))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn ehlo_offers_what_may_be_done_now() {
        let mut bound = ChannelBindings::default();
        bound.server_end_point = Some(vec![1]);
        let proxy = |xclient| Channel { xclient, ..protected() };
        let attributes = "XCLIENT NAME ADDR PORT PROTO HELO DESTADDR DESTPORT";
        let with_login = "XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT";
        let hidden = Settings { hide_starttls: true, ..settings() };
        let implicit = Settings { starttls: false, ..settings() };
        let insecure = Settings { allow_insecure: true, ..settings() };
        let dsn = Settings { dsn: true, ..settings() };
        let mut wishes = settings();
        (wishes.max_hold, wishes.min_deliver_by) = (Some(3600), Some(60));
        wishes.max_priority = Some(Priority::URGENT);
        let at_one = Channel { now: UtcTime::parse("2026-11-30T13:00:00Z"), ..clear() };
        let until_two = "FUTURERELEASE 3600 2026-11-30T14:00:00Z";
        let require_tls = Settings { require_tls: true, ..settings() };
        let cases: [(&Settings, Channel, &[&str]); 18] = [
            (&require_tls, clear(), &["STARTTLS"]),
            (&require_tls, protected(), &["REQUIRETLS", "AUTH PLAIN"]),
            (&settings(), Channel { now: at_one.now, ..clear() }, &["STARTTLS"]),
            (&wishes, at_one, &[until_two, "DELIVERBY 60", "MT-PRIORITY", "STARTTLS"]),
            (&wishes, clear(), &["DELIVERBY 60", "MT-PRIORITY", "STARTTLS"]),
            (&settings(), clear(), &["STARTTLS"]),
            (&hidden, clear(), &[]),
            (&implicit, clear(), &[]),
            (&insecure, clear(), &["STARTTLS", "AUTH PLAIN"]),
            (&settings(), protected(), &["AUTH PLAIN"]),
            (&settings(), Channel { client_certificate: true, ..protected() }, &["AUTH EXTERNAL PLAIN"]),
            (&settings(), Channel { bindings: bound, ..protected() }, &["AUTH SCRAM-SHA-256-PLUS PLAIN"]),
            (&settings(), proxy(Xclient::Taken), &["AUTH PLAIN", attributes]),
            (&settings(), proxy(Xclient::WithLogin), &["AUTH PLAIN", with_login]),
            (&dsn, clear(), &["DSN", "STARTTLS"]),
            (&dsn, protected(), &["DSN", "AUTH PLAIN"]),
            (&dsn, Channel { xclient: Xclient::Said, ..protected() }, &["DSN", "AUTH PLAIN"]),
            // STARTTLS would make us forget what the proxy has said.
            (&settings(), Channel { xclient: Xclient::Said, ..clear() }, &[]),
        ];
        for (settings, channel, lines) in cases {
            assert_eq!(offered(settings, &channel), lines, "{settings:?} {channel:?}");
        }
    }

    /// The code that MAIL is refused with, before and behind EHLO.
    fn refused(settings: &Settings, channel: &Channel) -> [Option<u16>; 2] {
        let capabilities = Capabilities::of(settings, channel, false);
        [false, true].map(|said_ehlo| capabilities.mail(said_ehlo).err().map(|reply| reply.code()))
    }

    #[test]
    fn who_may_not_send_yet_is_told_what_comes_first() {
        let (optional, implicit) = (true, Settings { starttls: false, ..settings() });
        assert_eq!(refused(&settings(), &clear()), [Some(530), Some(530)]);
        assert_eq!(Capabilities::of(&settings(), &clear(), false).mail(true), Err(reply::STARTTLS_FIRST));
        assert_eq!(Capabilities::of(&implicit, &clear(), false).mail(false), Err(reply::EHLO_FIRST));
        assert_eq!(refused(&settings(), &protected()), [Some(503), Some(530)]);
        assert_eq!(refused(&settings(), &Channel { login_is_optional: optional, ..clear() }), [None, None]);
        assert!(Capabilities::of(&settings(), &protected(), true).mail(false).is_ok());
        assert!(!Capabilities::of(&settings(), &protected(), false).takes_mail());
    }
}
