//! Outside a transaction: before EHLO, and behind it. STARTTLS, AUTH and MAIL begin here.

use sasl::Mechanism;
use types::{BodyType, ReversePath, Secret};

use super::State;
use super::chunk::Skip;
use super::context::Context;
use super::exchange;
use super::question::{Pending, Question};
use super::transaction::Transaction;
use super::xclient;
use crate::Envelope;
use crate::command::Ordered;
use crate::parameters::MailParameters;
use crate::reply;

/// The client has not said who it is.
#[derive(Debug)]
pub(super) struct Greeted;

/// The client has said EHLO or HELO.
#[derive(Debug)]
pub(super) struct Ready;

impl Greeted {
    pub(super) fn on(self, command: Ordered, last_of_input: bool, cx: &mut Context) -> State {
        let here = State::Greeted(self);
        match command {
            Ordered::StartTls => start_tls(here, last_of_input, cx),
            Ordered::Xclient(attributes) => xclient::on(here, &attributes, last_of_input, cx),
            Ordered::Auth { .. } if !cx.capabilities().auth() => cx.fault(&reply::ENCRYPTION_REQUIRED, here),
            Ordered::Auth { .. } | Ordered::Mail(..) | Ordered::Rcpt(_) | Ordered::Data => {
                cx.fault(&reply::EHLO_FIRST, here)
            }
            Ordered::Bdat { size, .. } => Skip::chunk(size, reply::EHLO_FIRST, here, cx),
        }
    }
}

impl Ready {
    pub(super) fn on(self, command: Ordered, last_of_input: bool, cx: &mut Context) -> State {
        let here = State::Ready(self);
        match command {
            Ordered::StartTls => start_tls(here, last_of_input, cx),
            Ordered::Xclient(attributes) => xclient::on(here, &attributes, last_of_input, cx),
            Ordered::Auth { mechanism, initial } => auth(&mechanism, initial.as_ref(), last_of_input, cx),
            Ordered::Mail(reverse_path, parameters) => mail(reverse_path, &parameters, cx),
            Ordered::Rcpt(_) | Ordered::Data => cx.fault(&reply::NEED_MAIL, here),
            Ordered::Bdat { size, .. } => Skip::chunk(size, reply::NEED_MAIL, here, cx),
        }
    }
}

/// RFC 3207 section 4: STARTTLS is the last command of a group. What stands behind it in the clear was put there by
/// somebody who wants it to be taken for a command inside TLS (CVE-2011-0411).
fn start_tls(here: State, last_of_input: bool, cx: &mut Context) -> State {
    if cx.is_under_tls() {
        cx.fault(&reply::ALREADY_TLS, here)
    } else if !cx.capabilities().starttls() {
        cx.fault(&reply::NOT_HERE, here)
    } else if !last_of_input {
        cx.close(&reply::SYNCHRONISATION)
    } else {
        cx.say(&reply::START_TLS);
        State::Securing
    }
}

fn auth(mechanism: &str, initial: Option<&Secret>, last_of_input: bool, cx: &mut Context) -> State {
    let here = State::Ready(Ready);
    if cx.authenticated {
        return cx.fault(&reply::ALREADY_AUTHENTICATED, here);
    }
    if !cx.capabilities().auth() {
        return cx.fault(&reply::ENCRYPTION_REQUIRED, here);
    }
    // RFC 4954 section 3 offers AUTH to who says EHLO. Cameras and printers say HELO and send it all the same.
    match Mechanism::from_name(mechanism).filter(|mechanism| cx.capabilities().offers(*mechanism)) {
        Some(mechanism) => exchange::start(mechanism, initial, last_of_input, cx),
        None => cx.decline_mechanism(here),
    }
}

fn mail(reverse_path: ReversePath, parameters: &MailParameters, cx: &mut Context) -> State {
    let here = State::Ready(Ready);
    if cx.has_sent_enough() {
        return cx.close(&reply::TOO_MANY_MESSAGES);
    }
    // RFC 1870 section 6.1: a message that is declared too big is refused before it is sent.
    if parameters.size.is_some_and(|size| size > cx.settings.message_size) {
        return cx.fault(&reply::TOO_BIG, here);
    }
    if !reverse_path.is_ascii() && !parameters.smtputf8 {
        return cx.fault(&reply::NEEDS_SMTPUTF8, here);
    }
    let envelope = Envelope {
        reverse_path,
        forward_paths: Vec::new(),
        body: parameters.body.unwrap_or(BodyType::SevenBit),
        smtputf8: parameters.smtputf8,
        declared_size: parameters.size,
        repaired_line_ends: false,
    };
    State::Asking(Question::Sender(envelope.clone()), Pending::Sender(Transaction::new(envelope)))
}
