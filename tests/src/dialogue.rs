//! A dialogue as it stands in its file: a set-up and steps. `dialogues/README.md` describes the format.
//!
//! `cases/` has more of them: what devices and programs really send.

use std::path::{Path, PathBuf};

use crate::template::{expand, expand_raw};

/// One file of `dialogues/` or `cases/`.
#[derive(Debug)]
pub struct Dialogue {
    /// The path below `dialogues/`, or from `cases/` on, without its ending.
    pub name: String,
    pub setup: Setup,
    pub steps: Vec<(usize, Step)>,
}

/// What the server is told before the first octet.
#[derive(Debug, Clone)]
pub struct Setup {
    pub listener: Listener,
    pub users: Vec<(String, String)>,
    /// An account, and whom it may send as besides itself.
    pub identities: Vec<(String, String)>,
    pub message_size: Option<u64>,
    pub recipients: Option<usize>,
    pub messages_per_connection: Option<u32>,
    pub repairs_line_ends: bool,
    /// What is against the rules for header and body is refused, though it could be repaired.
    pub refuses_repair: bool,
    /// What the next host does not know, of what it usually offers; `EHLO` for EHLO itself.
    pub next_lacks: Vec<String>,
    /// The next host offers DSN, too.
    pub next_offers: Vec<String>,
    /// `None`: as the configuration has it by default; `Some(None)`: no limit.
    pub max_unauthenticated_commands: Option<Option<u32>>,
    pub max_failures: Option<u32>,
    pub mechanisms: Option<Vec<String>>,
    pub required_message: Option<String>,
    /// Whose certificate the client shows.
    pub certificate: Option<String>,
    pub login_is_optional: bool,
    pub hide_starttls: bool,
    /// The client is a proxy whose XCLIENT is taken, with LOGIN or without.
    pub xclient: Option<bool>,
    /// What is shown depends on octets that arrive together.
    pub uncut: bool,
    pub only: Option<Stage>,
}

/// Where a dialogue can be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Session,
    Server,
}

/// The kind of the listener, named as its service in RFC 8314 section 3.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// Begins in clear and offers STARTTLS.
    Submission,
    /// TLS from the first octet.
    Submissions,
    /// Never TLS; AUTH in clear is allowed.
    Insecure,
}

#[derive(Debug)]
pub enum Step {
    /// The client writes these octets at once.
    Say(Vec<u8>),
    /// The server says this line.
    Hear(String),
    /// The server says one whole reply; one of its lines is this.
    HearReply(String),
    /// The server says lines that do not matter, and then this one.
    SkipTo(String),
    /// The greeting, EHLO (twice with STARTTLS between on a submission listener) and AUTH PLAIN as the first user.
    LogIn,
    /// STARTTLS, its 220 and the handshake.
    StartTls,
    /// The handshake alone.
    Handshake,
    /// The client closes the connection.
    HangUp,
    /// The server has closed the connection and said nothing more.
    Closed,
    /// The server has nothing to say yet.
    Silent,
    /// So many messages have been accepted.
    Queue(usize),
    /// The reverse-path of the message accepted last.
    Sender(String),
    /// The forward-paths of the message accepted last.
    Recipients(Vec<String>),
    /// The message accepted last has, or has not, these octets.
    Body { has: bool, octets: Vec<u8> },
    /// The reply heard last has, or has not, such a line.
    Reply { has: bool, pattern: String },
    /// The next host was told such a line, or was not; texts do not count.
    Next { heard: bool, pattern: String },
}

impl Dialogue {
    /// Reads the file at `path` below `root`.
    pub fn read(root: &Path, path: &Path) -> Result<Dialogue, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let name = path.strip_prefix(root).unwrap_or(path).with_extension("");
        Dialogue::parse(&name.to_string_lossy(), &text)
    }

    pub fn parse(name: &str, text: &str) -> Result<Dialogue, String> {
        let mut reader = Reader::default();
        for (number, line) in text.lines().enumerate() {
            reader
                .line(number + 1, line)
                .map_err(|problem| format!("{name}.smtp:{}: {problem}", number + 1))?;
        }
        match reader.held.is_empty() {
            true => Ok(Dialogue { name: name.to_owned(), setup: reader.setup, steps: reader.steps }),
            false => Err(format!("{name}.smtp: `C+` without a line that follows")),
        }
    }

    /// Whether some step looks into the message or at its delivery, so that the server has to deliver it somewhere.
    pub fn looks_at_delivery(&self) -> bool {
        self.steps.iter().any(|(_, step)| matches!(step, Step::Body { .. } | Step::Next { .. }))
    }
}

/// Every `.smtp` file below `root`, by name.
pub fn find(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => found.extend(find(&path)),
            false if path.extension().is_some_and(|ending| ending == "smtp") => found.push(path),
            false => {}
        }
    }
    found.sort();
    found
}

#[derive(Default)]
struct Reader {
    setup: Setup,
    steps: Vec<(usize, Step)>,
    /// Lines that go into one write with the next.
    held: Vec<u8>,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) -> Result<(), String> {
        if line.trim().is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let (sign, rest) = line.split_once(' ').unwrap_or((line, ""));
        let step = match sign {
            "@" => return self.setup.directives(rest),
            "C+" => return self.hold(rest),
            "C:" => {
                self.hold(rest)?;
                Step::Say(std::mem::take(&mut self.held))
            }
            "~>" => {
                self.held.extend(expand_raw(rest)?);
                Step::Say(std::mem::take(&mut self.held))
            }
            "C!" => action(rest)?,
            "S:" => Step::Hear(pattern(rest)?),
            "S..." => Step::HearReply(pattern(rest)?),
            "S>>" => Step::SkipTo(pattern(rest)?),
            "!" => check(rest)?,
            _ => return Err(format!("no line begins with {sign:?}")),
        };
        self.steps.push((number, step));
        Ok(())
    }

    fn hold(&mut self, line: &str) -> Result<(), String> {
        self.held.extend(expand(line)?);
        self.held.extend(b"\r\n");
        Ok(())
    }
}

fn pattern(text: &str) -> Result<String, String> {
    String::from_utf8(expand(text)?).map_err(|_| "a pattern is UTF-8".to_owned())
}

fn action(text: &str) -> Result<Step, String> {
    match text {
        "LOGIN" => Ok(Step::LogIn),
        "STARTTLS" => Ok(Step::StartTls),
        "handshake" => Ok(Step::Handshake),
        "close" => Ok(Step::HangUp),
        _ => Err(format!("`C!` takes LOGIN, STARTTLS, handshake or close, not {text:?}")),
    }
}

fn check(text: &str) -> Result<Step, String> {
    let words: Vec<&str> = text.splitn(3, ' ').collect();
    match words.as_slice() {
        ["closed"] => Ok(Step::Closed),
        ["silent"] => Ok(Step::Silent),
        ["queue", "empty"] => Ok(Step::Queue(0)),
        ["queue", number] => {
            number.parse().map(Step::Queue).map_err(|_| format!("`{number}` is no number of messages"))
        }
        ["sender", path] => Ok(Step::Sender((*path).to_owned())),
        ["recipients", ..] => Ok(Step::Recipients(
            words[1..].iter().flat_map(|part| part.split(' ')).map(str::to_owned).collect(),
        )),
        ["body", "contains", octets] => Ok(Step::Body { has: true, octets: expand_raw(octets)? }),
        ["body", "lacks", octets] => Ok(Step::Body { has: false, octets: expand_raw(octets)? }),
        ["reply", "has", line] => Ok(Step::Reply { has: true, pattern: pattern(line)? }),
        ["reply", "lacks", line] => Ok(Step::Reply { has: false, pattern: pattern(line)? }),
        ["next", "heard", line] => Ok(Step::Next { heard: true, pattern: pattern(line)? }),
        ["next", "lacks", line] => Ok(Step::Next { heard: false, pattern: pattern(line)? }),
        _ => Err(format!("no such check: {text:?}")),
    }
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            listener: Listener::Submissions,
            users: Vec::new(),
            identities: Vec::new(),
            message_size: None,
            recipients: None,
            messages_per_connection: None,
            repairs_line_ends: false,
            refuses_repair: false,
            next_lacks: Vec::new(),
            next_offers: Vec::new(),
            max_unauthenticated_commands: None,
            max_failures: None,
            mechanisms: None,
            required_message: None,
            certificate: None,
            login_is_optional: false,
            hide_starttls: false,
            xclient: None,
            uncut: false,
            only: None,
        }
    }
}

impl Setup {
    /// Several directives may stand on a line, two spaces apart.
    fn directives(&mut self, line: &str) -> Result<(), String> {
        line.split("  ")
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .try_for_each(|text| self.directive(text))
    }

    fn directive(&mut self, text: &str) -> Result<(), String> {
        let (key, value) = text.split_once(' ').unwrap_or((text, ""));
        let number = || value.parse::<u32>().map_err(|_| format!("`{key}` takes a number, not {value:?}"));
        match key {
            "listener" => self.listener = Listener::named(value)?,
            "user" => self.users.push(pair(value).ok_or("a user has an address and a password")?),
            "identity" => self.identities.push(pair(value).ok_or("an identity has an address and a sender")?),
            "message_size" => self.message_size = Some(u64::from(number()?)),
            "recipients" => self.recipients = Some(number()?.try_into().map_err(|_| "too many".to_owned())?),
            "messages_per_connection" => self.messages_per_connection = Some(number()?),
            "bare_line_ends" if value == "repair" => self.repairs_line_ends = true,
            "repair" if value == "off" => self.refuses_repair = true,
            "next" if value.starts_with("lacks ") => {
                self.next_lacks.extend(value.split(' ').skip(1).map(str::to_owned));
            }
            "next" if value.starts_with("offers ") => {
                self.next_offers.extend(value.split(' ').skip(1).map(str::to_owned));
            }
            "max_unauthenticated_commands" => {
                self.max_unauthenticated_commands =
                    Some(if value == "false" { None } else { Some(number()?) });
            }
            "max_failures" => self.max_failures = Some(number()?),
            "mechanisms" => self.mechanisms = Some(value.split(' ').map(str::to_owned).collect()),
            "certificate" if !value.is_empty() => self.certificate = Some(value.to_owned()),
            "required_message" => self.required_message = Some(value.to_owned()),
            "login" if value == "optional" => self.login_is_optional = true,
            "starttls" if value == "hidden" => self.hide_starttls = true,
            "xclient" if value == "taken" || value == "login" => self.xclient = Some(value == "login"),
            "uncut:" if !value.is_empty() => self.uncut = true,
            "only" if value.starts_with("session: ") => self.only = Some(Stage::Session),
            "only" if value.starts_with("server: ") => self.only = Some(Stage::Server),
            _ => return Err(format!("no such directive: {text:?}")),
        }
        Ok(())
    }

    pub fn plays_on(&self, stage: Stage) -> bool {
        self.only.is_none_or(|only| only == stage)
    }
}

impl Listener {
    fn named(name: &str) -> Result<Listener, String> {
        match name {
            "submission" => Ok(Listener::Submission),
            "submissions" => Ok(Listener::Submissions),
            "insecure" => Ok(Listener::Insecure),
            _ => Err(format!("a listener is `submission`, `submissions` or `insecure`, not {name:?}")),
        }
    }
}

fn pair(text: &str) -> Option<(String, String)> {
    text.split_once(' ').map(|(one, other)| (one.to_owned(), other.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_held_back_go_in_one_write() {
        let dialogue = Dialogue::parse("x", "C+ DATA\nC: .\n").unwrap();
        let [(2, Step::Say(octets))] = dialogue.steps.as_slice() else { panic!("{:?}", dialogue.steps) };
        assert_eq!(octets, b"DATA\r\n.\r\n");
    }

    #[test]
    fn directives_may_share_a_line() {
        let dialogue =
            Dialogue::parse("x", "@ listener submission  user alice@example.org secret word\n").unwrap();
        assert_eq!(dialogue.setup.listener, Listener::Submission);
        assert_eq!(dialogue.setup.users, [("alice@example.org".to_owned(), "secret word".to_owned())]);
    }

    #[test]
    fn the_next_host_may_lack_several_things() {
        let dialogue = Dialogue::parse("x", "@ next lacks 8BITMIME SIZE  next lacks EHLO\n").unwrap();
        assert_eq!(dialogue.setup.next_lacks, ["8BITMIME", "SIZE", "EHLO"]);
    }

    #[test]
    fn a_slip_of_the_pen_names_its_line() {
        assert!(Dialogue::parse("x", "\nD: hello\n").unwrap_err().starts_with("x.smtp:2: "));
        assert!(Dialogue::parse("x", "C+ held\n").is_err());
        assert!(Dialogue::parse("x", "! queue often\n").is_err());
    }
}
