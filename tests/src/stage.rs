//! A [`Wire`] to the real binary: a directory of its own, a real socket, TLS with a verified certificate.

use std::sync::Arc;

use rustls::ClientConfig;

use crate::authority::Pair;
use crate::client::Client;
use crate::dialogue::{Dialogue, Listener, Setup};
use crate::introspection::Introspection;
use crate::play::{Accepted, Wire, play};
use crate::server::{Installation, Server, Settings, text};
use crate::smarthost::{Script, Smarthost};

/// Plays the dialogue against a server started for it.
pub fn perform(dialogue: &Dialogue) -> Result<(), String> {
    let next = dialogue.looks_at_delivery().then(|| Smarthost::start(script(&dialogue.setup)));
    let installation = Installation::new(&settings(&dialogue.setup, next.as_ref()));
    std::fs::write(installation.path("oauth.secret"), "between us\n").map_err(|error| error.to_string())?;
    for (address, password) in &dialogue.setup.users {
        installation.add_user(address, password);
    }
    for (address, sender) in &dialogue.setup.identities {
        installation.done(&["identity", "add", address, sender]);
    }
    let tls = match &dialogue.setup.certificate {
        Some(address) => showing_one_of(address, &installation),
        None => installation.authority.client(),
    };
    let server = installation.start();
    let mut client = Client::connect(server.starttls(), &tls);
    if dialogue.setup.listener == Listener::Submissions {
        client.handshake()?;
    }
    let mut wire = RealWire { installation: &installation, client, next };
    play(dialogue, &mut wire)
        .map(drop)
        .map_err(|problem| format!("{problem}\n  its log:\n{}", Server::log(&server)))
}

/// A client with a certificate of this user.
fn showing_one_of(address: &str, installation: &Installation) -> Arc<ClientConfig> {
    let pair = Pair::of_a_client(2120);
    installation.add_certificate(address, &pair);
    installation.authority.client_showing(&pair)
}

struct RealWire<'a> {
    installation: &'a Installation,
    client: Client,
    /// Where the messages go, if the dialogue looks into them; else they stay in the queue.
    next: Option<Smarthost>,
}

impl Wire for RealWire<'_> {
    fn say(&mut self, octets: &[u8]) -> Result<(), String> {
        self.client.say(octets).map_err(|error| format!("it does not listen: {error}"))
    }

    fn hear(&mut self) -> Result<String, String> {
        match self.client.line() {
            Ok(Some(line)) => Ok(line),
            Ok(None) => Err("it has closed".to_owned()),
            Err(error) => Err(format!("it says nothing: {error}")),
        }
    }

    fn handshake(&mut self) -> Result<(), String> {
        self.client.handshake()
    }

    fn hang_up(&mut self) -> Result<(), String> {
        self.client.hang_up().map(drop).map_err(|error| format!("it does not close: {error}"))
    }

    fn silent(&mut self) -> Result<(), String> {
        match self.client.said_already() {
            lines if lines.is_empty() => Ok(()),
            lines => Err(format!("the server said {lines:?}")),
        }
    }

    fn closed(&mut self) -> Result<(), String> {
        match self.client.line() {
            Ok(None) => Ok(()),
            Ok(Some(line)) => Err(format!("it went on to say {line:?}")),
            Err(error) => Err(format!("it did not close: {error}")),
        }
    }

    fn accepted(&mut self) -> Result<Vec<Accepted>, String> {
        match &self.next {
            Some(next) => {
                self.installation.until_queue_is_empty();
                Ok(next.messages())
            }
            None => {
                Ok(self.installation.queue().iter().map(|entry| self.queued(&text(entry, "id"))).collect())
            }
        }
    }

    fn number_accepted(&mut self) -> Result<usize, String> {
        match &self.next {
            Some(_) => Ok(self.accepted()?.len()),
            None => Ok(self.installation.queue().len()),
        }
    }

    fn next_heard(&mut self) -> Result<Option<Vec<String>>, String> {
        self.installation.until_queue_is_empty();
        Ok(self.next.as_ref().map(Smarthost::lines))
    }

    fn finish(&mut self) -> Result<(), String> {
        match self.client.hang_up() {
            Ok(lines) if lines.is_empty() => Ok(()),
            Ok(lines) => Err(format!("the server said more: {lines:?}")),
            Err(error) => Err(format!("the server did not close after us: {error}")),
        }
    }
}

impl RealWire<'_> {
    fn queued(&self, id: &str) -> Accepted {
        let entry = self.installation.json(&["queue", "show", id]);
        let recipients = entry["recipients"].as_array().into_iter().flatten();
        Accepted {
            sender: entry["sender"].as_str().unwrap_or_default().to_owned(),
            recipients: recipients.map(|recipient| text(recipient, "address")).collect(),
            octets: Vec::new(),
        }
    }
}

/// The usual next host, but for what it lacks, and what it offers besides.
fn script(setup: &Setup) -> Script {
    let lacks = |name: &str| setup.next_lacks.iter().any(|lacking| lacking == name);
    let usual = Script::default();
    let knows = |line: &&str| line.split(' ').next().is_none_or(|name| !lacks(name));
    let offered = ["CHUNKING", "BINARYMIME", "DSN", "DELIVERBY", "MT-PRIORITY"];
    let offered = offered.into_iter().filter(|name| setup.next_offers.iter().any(|offered| offered == name));
    let answer = move |line: &str, _: usize| {
        line.to_ascii_uppercase().starts_with("EHLO").then(|| "500 5.5.2 what?".to_owned())
    };
    Script {
        capabilities: usual.capabilities.iter().copied().filter(knows).chain(offered).collect(),
        answer: if lacks("EHLO") { Box::new(answer) } else { usual.answer },
        tls: usual.tls,
    }
}

fn settings(setup: &Setup, next: Option<&Smarthost>) -> Settings {
    let listener = match setup.listener {
        Listener::Submission => "starttls",
        Listener::Submissions => "implicit",
        Listener::Insecure => "off",
    };
    let delivery = next.map_or("via = \"hold\"".to_owned(), |next| {
        format!("via = \"smtp://{}\"\ntls = \"off\"", next.address)
    });
    Settings {
        listeners: vec![listener],
        listen: listen(setup),
        auth: auth(setup),
        limits: limits(setup),
        submission: submission(setup),
        delivery,
        ..Settings::default()
    }
}

fn listen(setup: &Setup) -> String {
    let asks = setup.certificate.is_some().then(|| "client_certificates = true".to_owned());
    let xclient = setup.xclient.map(|login| format!("xclient = [\"127.0.0.1\"]\nxclient_login = {login}"));
    asks.into_iter().chain(xclient).collect::<Vec<_>>().join("\n")
}

fn auth(setup: &Setup) -> String {
    let mut lines = vec![format!("allow_insecure = {}", setup.listener == Listener::Insecure)];
    lines.extend(setup.mechanisms.as_ref().map(|names| format!("mechanisms = {names:?}")));
    lines.extend(setup.required_message.as_ref().map(|message| format!("required_message = {message:?}")));
    lines.extend(setup.max_failures.map(|number| format!("max_failures = {number}")));
    lines.extend(setup.max_unauthenticated_commands.map(|number| {
        format!(
            "max_unauthenticated_commands = {}",
            number.map_or("false".to_owned(), |number| number.to_string())
        )
    }));
    lines.extend(takes_tokens(setup).then(|| Introspection::start(setup.users.clone()).settings()));
    lines.join("\n")
}

fn takes_tokens(setup: &Setup) -> bool {
    setup.mechanisms.iter().flatten().any(|name| ["OAUTHBEARER", "XOAUTH2"].contains(&name.as_str()))
}

fn limits(setup: &Setup) -> String {
    let size = setup.message_size.map(|octets| format!("message_size = \"{octets} B\""));
    let recipients = setup.recipients.map(|number| format!("recipients = {number}"));
    let messages = setup.messages_per_connection.map(|number| format!("messages_per_connection = {number}"));
    size.into_iter().chain(recipients).chain(messages).collect::<Vec<_>>().join("\n")
}

fn submission(setup: &Setup) -> String {
    let line_ends = if setup.repairs_line_ends { "repair" } else { "refuse" };
    format!("repair = {}\nbare_line_ends = \"{line_ends}\"", !setup.refuses_repair)
}
