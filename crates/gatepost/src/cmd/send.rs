//! `gatepost send`: a strict client, for scripts and for trying a set-up.
//!
//! Everything is checked before anybody is asked: arguments, files, and the message of each recipient. Then connection, certificate and
//! login are tried, and only then is anything sent. Nothing ever leaves in the clear.

mod failure;
mod address;
mod source;
mod server;
mod profile;
mod server_args;
mod rate;

mod lines;
mod recipients;
mod template;
mod regions;
mod letter;
mod draft;
mod mailing;

mod trouble;
mod fate;
mod interrupts;
mod progress;
mod report;
mod sending;

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::CommandFactory as _;
use clap::error::ErrorKind;
use delivery::SmtpClient;
use types::{Domain, EnvelopeRecipient, ReversePath, Secret};

use self::draft::Draft;
use self::failure::{Failure, Kind};
use self::interrupts::Interrupts;
use self::mailing::{Mailing, To};
use self::rate::{Pace, Rate};
use self::recipients::Recipients;
use self::report::Report;
use self::sending::Session;
use self::server::Server;
use self::server_args::ServerArgs;
use self::source::{Source, is_stdin};
use crate::output::{self, Format};
use crate::prompt::GivenPassword;

/// How many faults are told at most.
const FAULTS: usize = 20;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Who gets the message; several share it, and see each other
    #[arg(long, value_name = "ADDRESS", num_args = 1.., value_parser = address::recipient)]
    #[arg(required_unless_present_any = ["recipients", "verify_only"], conflicts_with = "recipients")]
    to: Vec<EnvelopeRecipient>,
    /// In whose name it is sent, and who is told if it can't be delivered
    #[arg(long, value_name = "ADDRESS", value_parser = address::sender, required_unless_present = "verify_only")]
    from: Option<ReversePath>,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    password: GivenPassword,
    /// A whole message, with its header; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["subject", "text"])]
    #[arg(required_unless_present_any = ["subject", "verify_only"])]
    message: Option<PathBuf>,
    /// The subject of a message that is made of a text
    #[arg(long, requires = "text", value_parser = subject)]
    subject: Option<String>,
    /// The text of that message, in UTF-8; `-` is standard input
    #[arg(long, value_name = "FILE", requires = "subject")]
    text: Option<PathBuf>,
    /// Send to each line of this CSV a message of its own, filled in: {{name}} is what stands in the column "name"
    ///
    /// The first line names the columns; "address" or "email" has the addresses. \{{ is two braces, and no field.
    #[arg(long, value_name = "CSV")]
    recipients: Option<PathBuf>,
    /// Send no more messages than this, such as 1/s, 30/m or 500/h
    #[arg(long, value_name = "NUMBER/TIME", conflicts_with = "to")]
    rate: Option<Rate>,
    /// Check everything, connect and log in, and send nothing
    #[arg(long)]
    verify_only: bool,
    #[command(flatten)]
    format: Format,
}

fn subject(given: &str) -> Result<String, &'static str> {
    match given.chars().any(char::is_control) {
        true => Err("a subject is one line"),
        false => Ok(given.to_owned()),
    }
}

/// Sends, and reports.
///
/// # Errors
/// When not every recipient has the message in the end, as the report says.
pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    args.read_stdin_once();
    let mailing = args.mailing();
    let to_send = mailing.as_ref().ok().and_then(Option::as_ref).filter(|_| !args.verify_only);
    let mut report = Report::new(to_send.map(|mailing| &mailing.to));
    let sent = match mailing {
        Ok(mailing) => args.send(mailing.as_ref(), &mut report).await,
        Err(error) => Err(error),
    };
    report.close(sent.as_ref().err().map(Failure::of));
    if report.has_news() || !args.format.is_for_people() {
        args.format.print(&report, Report::shown)?;
    }
    sent
}

impl Args {
    /// Standard input is one thing.
    fn read_stdin_once(&self) {
        let mut piped = self.piped();
        piped.extend(self.password.is_piped().then_some("--password-stdin"));
        if piped.len() > 1 {
            let text = format!(
                "{} can't all be read from standard input; put all but one into files",
                piped.join(" and ")
            );
            crate::CommandLine::command().error(ErrorKind::ArgumentConflict, text).exit();
        }
    }

    /// The files that are standard input.
    fn piped(&self) -> Vec<&'static str> {
        let files =
            [("--message", &self.message), ("--text", &self.text), ("--recipients", &self.recipients)];
        let piped = files.into_iter().filter(|(_, path)| path.as_deref().is_some_and(is_stdin));
        piped.map(|(name, _)| name).collect()
    }

    /// What is to be sent, every message of it checked; `None` if only the server is to be tried.
    fn mailing(&self) -> anyhow::Result<Option<Mailing>> {
        let to = match &self.recipients {
            Some(path) => To::Each(whole(Recipients::read(&Source::read(path)?))?),
            None => To::Together(self.to.clone()),
        };
        let Some(draft) = self.draft(to.columns())? else { return Ok(None) };
        let Some(from) = self.from.clone().filter(|_| !to.of(0).is_empty()) else { return Ok(None) };
        let mailing = Mailing { from, to, draft };
        let faults = mailing.faults();
        whole(if faults.is_empty() { Ok(mailing) } else { Err(faults) }).map(Some)
    }

    fn draft(&self, columns: Option<&[String]>) -> anyhow::Result<Option<Draft>> {
        let read = |path: &Path| Source::read(path);
        let draft = match (&self.message, &self.subject, &self.text) {
            (Some(path), _, _) => Draft::of_message(&read(path)?, columns),
            (None, Some(subject), Some(text)) => Draft::of_text(subject, &read(text)?, columns),
            (None, _, _) => return Ok(None),
        };
        let draft = whole(draft)?;
        draft.remarks.iter().for_each(|remark| output::warn(remark));
        Ok(Some(draft))
    }

    async fn send(&self, mailing: Option<&Mailing>, report: &mut Report) -> anyhow::Result<()> {
        let server = self.server.server()?;
        let authorities = server.authorities()?;
        let password = self.password(&server)?;
        let client = SmtpClient::new(&server.next_host(authorities, password), &our_name())?;
        let mut session = Session { client, server, interrupts: Interrupts::watch()? };
        let (_, mechanism) = session.open().await?;
        report.verified(&session.server, mechanism);
        if let Some(name) = &self.server.save_profile {
            report.kept_as(profile::save(name, &session.server)?.display().to_string());
        }
        let sent = match mailing.filter(|_| !self.verify_only) {
            Some(mailing) => session.send(mailing, Pace::new(self.rate), report).await,
            None => Ok(()),
        };
        session.client.quit().await;
        sent?;
        match report.unserved() {
            Some(unserved) => {
                let text = format!("not every recipient has the message: {unserved}");
                Err(Failure::new(Kind::Recipients, text, "the report says what to do").into())
            }
            None => Ok(()),
        }
    }

    fn password(&self, server: &Server) -> anyhow::Result<Option<Secret>> {
        let is_taken = !self.piped().is_empty() && !io::stdin().is_terminal();
        match (&server.user, self.password.is_piped()) {
            (None, true) => bail!("a password is no use without a name; give --user, too"),
            (None, false) => Ok(None),
            (Some(_), false) if is_taken => {
                bail!(
                    "{} is read from standard input, so that nobody can be asked for the password; put it into a file",
                    self.piped().join(" and ")
                )
            }
            (Some(user), _) => {
                self.password.read_for(&format!("Password of {user} at {}", server.host)).map(Some)
            }
        }
    }
}

/// What was read without a fault; else each fault is told, on a line of its own.
fn whole<T>(read: Result<T, Vec<String>>) -> anyhow::Result<T> {
    let faults = match read {
        Ok(read) => return Ok(read),
        Err(faults) => faults,
    };
    match faults.as_slice() {
        [fault] => bail!("{fault}; nothing was sent"),
        faults => {
            faults.iter().take(FAULTS).for_each(|fault| eprintln!("{}", output::harmless(fault)));
            bail!("there are {} faults, the first of them above; fix them: nothing was sent", faults.len())
        }
    }
}

/// How we introduce ourselves: by the name of this machine if it is a whole one. Behind a login nobody asks more.
fn our_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let is_whole = name.contains('.') && Domain::parse(&name).is_ok_and(|domain| domain.is_ascii());
    if is_whole { name } else { "localhost".to_owned() }
}
