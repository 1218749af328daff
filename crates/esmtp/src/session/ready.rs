//! Outside a transaction: before EHLO, and behind it. STARTTLS, AUTH and MAIL begin here.

use types::{BodyType, ByMode, DeliverBy, Hold, ReversePath, Secret};

use super::chunk::Skip;
use super::context::Context;
use super::exchange;
use super::question::Sender;
use super::state::{ExpectAnswer, ExpectCommand, Next, State};
use super::transaction::Transaction;
use super::xclient;
use crate::Envelope;
use crate::capability::Capabilities;
use crate::command::Ordered;
use crate::parameters::MailParameters;
use crate::reply::{self, Reply};

/// The client has not said who it is.
#[derive(Debug)]
pub(super) struct Greeted;

/// The client has said EHLO or HELO.
#[derive(Debug)]
pub(super) struct Ready;

impl Greeted {
    pub(super) fn on<U, M>(self, command: Ordered, last_of_input: bool, cx: &mut Context<U>) -> Next<U, M> {
        let here = ExpectCommand::Greeted(self);
        match command {
            Ordered::StartTls => start_tls(here, last_of_input, cx),
            Ordered::Xclient(attributes) => xclient::on(here, &attributes, last_of_input, cx),
            Ordered::Auth { .. } => {
                let refusal = cx.capabilities().auth().err().unwrap_or(reply::EHLO_FIRST);
                cx.fault(&refusal, here.into())
            }
            Ordered::Mail(..) | Ordered::Rcpt { .. } | Ordered::Data => match cx.capabilities().mail(false) {
                Ok(()) => cx.fault(&reply::EHLO_FIRST, here.into()),
                Err(refusal) => cx.say_then(&refusal, here.into()),
            },
            Ordered::Bdat { size, .. } => {
                let refusal = cx.capabilities().mail(false).err().unwrap_or(reply::EHLO_FIRST);
                Skip::chunk(size, refusal, here, cx)
            }
        }
    }
}

impl Ready {
    pub(super) fn on<U, M>(self, command: Ordered, last_of_input: bool, cx: &mut Context<U>) -> Next<U, M> {
        let here = ExpectCommand::Ready(self);
        match command {
            Ordered::StartTls => start_tls(here, last_of_input, cx),
            Ordered::Xclient(attributes) => xclient::on(here, &attributes, last_of_input, cx),
            Ordered::Auth { mechanism, initial } => auth(&mechanism, initial.as_ref(), last_of_input, cx),
            Ordered::Mail(reverse_path, parameters) => mail(reverse_path, parameters, cx),
            Ordered::Rcpt { .. } | Ordered::Data => match cx.capabilities().mail(true) {
                Ok(()) => cx.fault(&reply::NEED_MAIL, here.into()),
                Err(refusal) => cx.say_then(&refusal, here.into()),
            },
            Ordered::Bdat { size, .. } => {
                let refusal = cx.capabilities().mail(true).err().unwrap_or(reply::NEED_MAIL);
                Skip::chunk(size, refusal, here, cx)
            }
        }
    }
}

impl<U, M> From<Greeted> for State<U, M> {
    fn from(greeted: Greeted) -> Self {
        ExpectCommand::Greeted(greeted).into()
    }
}

impl<U, M> From<Ready> for State<U, M> {
    fn from(ready: Ready) -> Self {
        ExpectCommand::Ready(ready).into()
    }
}

/// RFC 3207 section 4: STARTTLS is the last command of a group. What stands behind it in the clear was put there by
/// somebody who wants it to be taken for a command inside TLS (CVE-2011-0411).
fn start_tls<U, M>(here: ExpectCommand<M>, last_of_input: bool, cx: &mut Context<U>) -> Next<U, M> {
    if let Err(refusal) = cx.capabilities().starttls() {
        return cx.fault(&refusal, here.into());
    }
    if !last_of_input {
        return Err(cx.close(&reply::SYNCHRONISATION));
    }
    cx.say_then(&reply::START_TLS, State::Handshake)
}

fn auth<U, M>(
    mechanism: &str,
    initial: Option<&Secret>,
    last_of_input: bool,
    cx: &mut Context<U>,
) -> Next<U, M> {
    if cx.client.login.is_some() {
        return cx.fault(&reply::ALREADY_AUTHENTICATED, Ready.into());
    }
    if let Err(refusal) = cx.capabilities().auth() {
        return cx.fault(&refusal, Ready.into());
    }
    // RFC 4954 section 3 offers AUTH to who says EHLO. Cameras and printers say HELO and send it all the same.
    match cx.capabilities().mechanism(mechanism) {
        Some(mechanism) => exchange::start(mechanism, initial, last_of_input, cx),
        None => cx.decline_mechanism(Ready.into()),
    }
}

fn mail<U, M>(reverse_path: ReversePath, parameters: MailParameters, cx: &mut Context<U>) -> Next<U, M> {
    if let Err(refusal) = cx.capabilities().mail(true) {
        return cx.say_then(&refusal, Ready.into());
    }
    if cx.has_all_messages() {
        return Err(cx.close(&reply::TOO_MANY_MESSAGES));
    }
    if let Some(refusal) = refusal_of_mail(&reverse_path, &parameters, cx) {
        return cx.fault(&refusal, Ready.into());
    }
    let wanted = parameters.priority.unwrap_or_default();
    // Where it is not offered nothing was asked.
    let priority = cx.capabilities().priority().map_or(wanted, |highest| wanted.min(highest));
    let envelope = Envelope {
        body: parameters.body.unwrap_or(BodyType::SevenBit),
        smtputf8: parameters.smtputf8,
        declared_size: parameters.size,
        ret: parameters.ret,
        envid: parameters.envid,
        hold: parameters.hold,
        deliver_by: parameters.deliver_by,
        priority,
        require_tls: parameters.require_tls,
        ..Envelope::new(reverse_path)
    };
    let transaction = Transaction::new(envelope, priority < wanted);
    Ok(State::Answer(ExpectAnswer::Sender(Sender(transaction))))
}

fn refusal_of_mail<U>(path: &ReversePath, parameters: &MailParameters, cx: &Context<U>) -> Option<Reply> {
    // RFC 1870 section 6.1: a message that is declared too big is refused before it is sent.
    if parameters.size.is_some_and(|size| size > cx.capabilities().message_size()) {
        Some(reply::TOO_BIG)
    } else if !path.is_ascii() && !parameters.smtputf8 {
        Some(reply::NEEDS_SMTPUTF8)
    } else {
        refusal_of_wishes(parameters, &cx.capabilities())
    }
}

/// What is asked beyond the message itself, where that is not offered, or not so much.
fn refusal_of_wishes(parameters: &MailParameters, offered: &Capabilities<'_>) -> Option<Reply> {
    let dsn = if parameters.ask_for_dsn() { offered.dsn() } else { Ok(()) };
    let hold = parameters.hold.map_or(Ok(()), |hold| may_hold(hold, offered));
    let deliver_by = parameters.deliver_by.map_or(Ok(()), |by| may_deliver_by(by, offered));
    let both = parameters.hold.zip(parameters.deliver_by).map_or(Ok(()), |(hold, by)| may_do_both(hold, by));
    let priority = parameters.priority.map_or(Ok(()), |_| offered.priority().map(drop));
    let body = if parameters.body == Some(BodyType::Binary) { offered.binary_mime() } else { Ok(()) };
    let tls = if parameters.require_tls { offered.require_tls() } else { Ok(()) };
    body.and(dsn).and(hold).and(deliver_by).and(both).and(priority).and(tls).err()
}

/// What HOLDUNTIL may be depends on the time, and whoever takes the message judges it.
fn may_hold(hold: Hold, offered: &Capabilities<'_>) -> Result<(), Reply> {
    let (longest, _) = offered.future_release()?;
    match hold {
        Hold::For(seconds) if seconds > longest => Err(reply::HOLD_TOO_LONG),
        Hold::For(_) | Hold::Until(_) => Ok(()),
    }
}

/// RFC 4865 section 5.2.2: what would be held until after it has to be delivered is refused. Of HOLDUNTIL whoever takes the message judges it.
fn may_do_both(hold: Hold, by: DeliverBy) -> Result<(), Reply> {
    match hold {
        Hold::For(seconds) if by.is_over_after(seconds.into()) => Err(reply::HOLD_PAST_DELIVERY),
        Hold::For(_) | Hold::Until(_) => Ok(()),
    }
}

/// RFC 2852 sections 3 and 4: what is sooner than the least that is offered is refused with 555.
fn may_deliver_by(by: DeliverBy, offered: &Capabilities<'_>) -> Result<(), Reply> {
    let least = offered.deliver_by()?;
    let too_soon = by.mode == ByMode::Return && i64::from(by.seconds) < i64::from(least);
    if too_soon { Err(reply::BY_TOO_SOON) } else { Ok(()) }
}
