//! The settings of a mail program, as people type them.

use desk::{ClientDiscovery, ClientSettings};
use types::IncomingServer;

use super::pasted;

/// What a mail program is told, and how some programs are told it.
pub(crate) struct MailSettings {
    /// Who sends; `None` where that is whoever reads the page.
    pub(crate) address: Option<String>,
    /// Where mail is handed in.
    pub(crate) host: String,
    /// The ports there, the better one first.
    pub(crate) ports: Vec<Port>,
    /// Where mail is read, if that is known.
    pub(crate) incoming: Option<Incoming>,
}

/// A port where mail is handed in.
pub(crate) struct Port {
    pub(crate) number: u16,
    /// As mail programs call it.
    pub(crate) security: &'static str,
    is_implicit: bool,
}

/// Where mail is read.
pub(crate) struct Incoming {
    pub(crate) kind: &'static str,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) security: &'static str,
}

/// As mail programs call the two ways in which TLS begins.
const IMPLICIT: &str = "SSL/TLS";
const STARTTLS: &str = "STARTTLS";

impl MailSettings {
    /// Those of this server, and of the one that mail is read from as far as that is known.
    pub(crate) fn of(
        settings: &ClientSettings,
        discovery: Option<&ClientDiscovery>,
        address: Option<String>,
    ) -> Self {
        let implicit = settings.implicit_tls.iter().map(|port| (port.port, true));
        let starttls = settings.starttls.iter().map(|port| (port.port, false));
        Self {
            address,
            host: settings.host.clone(),
            ports: implicit.chain(starttls).map(Port::of).collect(),
            incoming: discovery.map(|discovery| Incoming::of(&discovery.incoming)),
        }
    }

    fn sender(&self) -> &str {
        self.address.as_deref().unwrap_or("you@example.org")
    }

    /// The lines of `~/.muttrc`.
    pub(crate) fn mutt(&self) -> Option<String> {
        let (port, sender, host) = (self.ports.first()?, self.sender(), &self.host);
        let (scheme, name, sender) = (port.scheme(), pasted::in_url(sender), pasted::for_mutt(sender));
        Some(format!(
            "set from = {sender}\nset smtp_url = \"{scheme}://{name}@{host}:{}/\"\nset ssl_force_tls = yes\n",
            port.number
        ))
    }

    /// The lines of `~/.msmtprc`.
    pub(crate) fn msmtp(&self) -> Option<String> {
        let (port, sender, host) = (self.ports.first()?, self.sender(), &self.host);
        let starttls = if port.is_implicit { "off" } else { "on" };
        Some(format!(
            "account default\nhost {host}\nport {}\ntls on\ntls_starttls {starttls}\nauth on\nuser {sender}\nfrom {sender}\n",
            port.number
        ))
    }

    /// A command that sends what is in a file. It asks for the password; none for a sender with a colon, behind which curl would read one.
    pub(crate) fn curl(&self) -> Option<String> {
        let (port, sender, host) = (self.ports.first()?, self.sender(), &self.host);
        if sender.contains(':') {
            return None;
        }
        let sender = pasted::for_shell(sender);
        Some(format!(
            "curl --ssl-reqd --url {}://{host}:{} \\\n  --user {sender} --mail-from {sender} \\\n  \
             --mail-rcpt friend@example.net --upload-file message.txt\n",
            port.scheme(),
            port.number
        ))
    }
}

impl Port {
    fn of((number, is_implicit): (u16, bool)) -> Self {
        Self { number, security: if is_implicit { IMPLICIT } else { STARTTLS }, is_implicit }
    }

    fn scheme(&self) -> &'static str {
        if self.is_implicit { "smtps" } else { "smtp" }
    }
}

impl Incoming {
    fn of(server: &IncomingServer) -> Self {
        Self {
            kind: if server.protocol.is_imap() { "IMAP" } else { "POP3" },
            host: server.host.normal(),
            port: server.port,
            security: if server.protocol.uses_starttls() { STARTTLS } else { IMPLICIT },
        }
    }
}

#[cfg(test)]
mod tests {
    use desk::SubmissionPort;
    use types::Mechanism;

    use super::*;

    #[test]
    fn programs_that_are_set_up_by_hand_use_the_better_port() {
        let port = |port| Some(SubmissionPort { port, mechanisms: vec![Mechanism::Plain] });
        let host = "mail.example.org".to_owned();
        let settings = |implicit_tls, starttls| ClientSettings {
            host: host.clone(),
            implicit_tls,
            starttls,
            discovery: None,
        };
        let shown =
            |settings: &ClientSettings| MailSettings::of(settings, None, Some("ann@example.org".to_owned()));
        let both = shown(&settings(port(465), port(587)));
        assert!(both.mutt().unwrap().contains("\"smtps://ann%40example.org@mail.example.org:465/\""));
        assert!(both.msmtp().unwrap().contains("port 465\ntls on\ntls_starttls off\n"));
        assert!(both.curl().unwrap().contains("--url smtps://mail.example.org:465 "));
        let starttls = shown(&settings(None, port(587)));
        assert!(starttls.msmtp().unwrap().contains("port 587\ntls on\ntls_starttls on\n"));
        assert!(starttls.curl().unwrap().contains("--url smtp://mail.example.org:587 "));
        assert_eq!(shown(&settings(None, None)).mutt(), None);
    }

    /// Most of what shells and mutt run stands for itself in an address (RFC 5322 section 3.2.3).
    #[test]
    fn nothing_in_an_address_is_run_by_what_is_pasted() {
        let shown = |sender: &str| {
            let implicit_tls = Some(SubmissionPort { port: 465, mechanisms: vec![Mechanism::Plain] });
            let host = "mail.example.org".to_owned();
            let settings = ClientSettings { host, implicit_tls, starttls: None, discovery: None };
            MailSettings::of(&settings, None, Some(sender.to_owned()))
        };
        let odd = shown("a`id`$HOME'&b@example.org");
        let curl = odd.curl().unwrap();
        let quoted = r"'a`id`$HOME'\''&b@example.org'";
        assert!(curl.contains(&format!("--user {quoted} --mail-from {quoted} ")), "{curl}");
        let mutt = odd.mutt().unwrap();
        assert!(mutt.starts_with("set from = \"a\\`id\\`\\$HOME'&b@example.org\"\n"), "{mutt}");
        assert!(
            mutt.contains("\"smtps://a%60id%60%24HOME%27%26b%40example.org@mail.example.org:465/\""),
            "{mutt}"
        );
        let colon = shown("\"a:b\"@example.org");
        assert!(colon.curl().is_none() && colon.mutt().unwrap().contains("//%22a%3Ab%22%40example.org@"));
    }
}
