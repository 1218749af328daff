//! The run itself: the connection is tried first, then message after message goes over it, as fast as the rate allows.

use std::time::Duration;

use delivery::SmtpClient;
use esmtp::dialogue::{Envelope, Mechanism, Verdict};
use tokio::time::timeout;

use super::failure::{Failure, Kind};
use super::fate::Fate;
use super::interrupts::Interrupts;
use super::mailing::{Made, Mailing};
use super::progress::Progress;
use super::rate::Pace;
use super::report::Report;
use super::server::Server;
use super::trouble;
use crate::clock;

/// How long it may take from the connection to the login: somebody is waiting.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server, the connection to it, and who may break off.
pub(crate) struct Session {
    pub(crate) client: SmtpClient,
    pub(crate) server: Server,
    pub(crate) interrupts: Interrupts,
}

impl Session {
    /// Connects, verifies and logs in, unless that is done; whether the server takes 8-bit text, and how we are logged in.
    ///
    /// # Errors
    /// What stands in the way.
    pub(crate) async fn open(&mut self) -> Result<(bool, Option<&'static str>), Failure> {
        let server = &self.server;
        let opened = tokio::select! {
            opened = timeout(PATIENCE, self.client.open()) => opened,
            () = self.interrupts.times(1) => return Err(interrupted()),
        };
        let opened = opened.map_err(|_| trouble::silence(PATIENCE.as_secs(), server))?;
        let offers = opened.map_err(|trouble| trouble::failure(&trouble, server))?;
        let eight_bit = offers.eight_bit;
        Ok((eight_bit, self.client.mechanism().map(Mechanism::name)))
    }

    /// Sends what is to be sent, and tells the report.
    ///
    /// # Errors
    /// What has ended it before all was tried.
    pub(crate) async fn send(
        &mut self,
        mailing: &Mailing,
        mut pace: Pace,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let mut progress = Progress::new(mailing.to.messages());
        let sent = self.send_all(mailing, &mut pace, report, &mut progress).await;
        progress.finish();
        sent
    }

    async fn send_all(
        &mut self,
        mailing: &Mailing,
        pace: &mut Pace,
        report: &mut Report,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let mut recipient = 0;
        for message in 0..mailing.to.messages() {
            progress.begin(report.address(recipient));
            tokio::select! {
                biased;
                () = self.interrupts.times(1) => return Err(interrupted()),
                () = pace.turn() => {}
            }
            let (fates, message_id) = self.send_one(mailing, message, progress).await?;
            let mut is_about_sender = false;
            for fate in fates {
                progress.tell(report.address(recipient), &fate);
                is_about_sender |= fate.is_about_sender();
                report.tell(recipient, fate, &message_id);
                recipient += 1;
            }
            progress.end();
            if is_about_sender {
                return Err(sender_refused(mailing, &self.server));
            }
        }
        Ok(())
    }

    /// A fate for each recipient of a message, and what the message is called.
    async fn send_one(
        &mut self,
        mailing: &Mailing,
        message: usize,
        progress: &Progress,
    ) -> Result<(Vec<Fate>, String), Failure> {
        let recipients = mailing.to.of(message);
        let all = |fate: Fate| vec![fate; recipients.len()];
        let Made { letter, message_id } = match mailing.make(message, clock::now()) {
            Ok(made) => made,
            Err(fault) => return Ok((all(Fate::unfit(fault)), String::new())),
        };
        let mut envelope = Envelope::new(&mailing.from, recipients.clone());
        envelope.smtputf8 = letter.smtputf8;
        loop {
            let (eight_bit, _) = self.open().await?;
            let form = match letter.form(eight_bit) {
                Ok(form) => form,
                Err(fault) => return Ok((all(Fate::unfit(fault)), message_id)),
            };
            (envelope.body, envelope.size) = (form.body, u64::try_from(form.text.len()).ok());
            match self.hand_over(&envelope, form.text, progress).await {
                Handed::Answered(verdicts) => {
                    return Ok((verdicts.iter().map(Fate::of).collect(), message_id));
                }
                Handed::BrokenOff => return Ok((all(Fate::broken_off()), message_id)),
                // The server had closed the connection, and knows nothing of the message.
                Handed::Untouched => {}
            }
        }
    }

    async fn hand_over(
        &mut self,
        envelope: &Envelope<'_>,
        text: bytes::Bytes,
        progress: &Progress,
    ) -> Handed {
        let interrupts = self.interrupts.clone();
        let sending = self.client.send(envelope, text);
        tokio::pin!(sending);
        let sent = tokio::select! {
            sent = &mut sending => sent,
            () = interrupts.times(1) => {
                progress.line("this ends after the message under way; Ctrl-C once more breaks it off");
                tokio::select! {
                    sent = &mut sending => sent,
                    () = interrupts.times(2) => return Handed::BrokenOff,
                }
            }
        };
        sent.map_or(Handed::Untouched, Handed::Answered)
    }
}

/// What came of handing a message over.
enum Handed {
    Answered(Vec<Verdict>),
    /// Somebody did not want to wait for the answer.
    BrokenOff,
    /// The server was not told of it.
    Untouched,
}

pub(crate) fn interrupted() -> Failure {
    Failure::new(Kind::Interrupted, "broken off", "who was not reached is in the report, and has no message")
}

fn sender_refused(mailing: &Mailing, server: &Server) -> Failure {
    let text = format!("{} does not take mail from {}", server.shown(), mailing.from);
    Failure::new(
        Kind::Sender,
        text,
        "its reply is in the report; the rest was not tried, as it would say the same of each",
    )
}
