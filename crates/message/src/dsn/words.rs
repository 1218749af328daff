//! The part of a report that people read.

use jiff::Timestamp;
use types::ReportEvent;

use super::quote::{self, wrapped};
use super::report::{Report, ReportedRecipient};
use crate::date::date_since_1970 as date;

/// The part with its header.
pub(super) fn part(report: &Report<'_>) -> String {
    let text = text(report);
    let kind = match text.is_ascii() {
        true => "Content-Type: text/plain; charset=us-ascii\r\n\r\n",
        false => "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
    };
    format!("{kind}{text}")
}

fn text(report: &Report<'_>) -> String {
    let mut text = format!("This is the mail system of {}.\r\n\r\n", report.hostname);
    text.push_str(&wrapped(&format!("It is about your message of {}.", date(report.accepted_at)), ""));
    let share = quote::share(report.recipients.len());
    for group in groups(report.recipients) {
        text.push_str("\r\n");
        text.push_str(&about(&group, share));
    }
    if report.recipients.iter().any(|recipient| recipient.event.is_failure()) {
        text.push_str("\r\n");
        text.push_str(&wrapped(&advice(report.hostname), ""));
    }
    text.push_str("\r\n");
    text.push_str(&wrapped("What follows is for your mail program, and shows which message it was.", ""));
    text
}

/// What can be done about a failure.
fn advice(hostname: &str) -> String {
    format!(
        "It is not tried again. Please see whether each address is right; then you can send the message once more. If it is right, \
         show this report to those who run the other mail system, or to postmaster@{hostname}."
    )
}

/// Recipients of whom the same is to be told, in the order of the first of each.
fn groups<'r, 'a>(recipients: &'r [ReportedRecipient<'a>]) -> Vec<Vec<&'r ReportedRecipient<'a>>> {
    let mut groups: Vec<Vec<&ReportedRecipient<'a>>> = Vec::new();
    for recipient in recipients {
        let is_alike = |group: &&mut Vec<&ReportedRecipient<'a>>| {
            group.first().is_some_and(|first| alike(first) == alike(recipient))
        };
        match groups.iter_mut().find(is_alike) {
            Some(group) => group.push(recipient),
            None => groups.push(vec![recipient]),
        }
    }
    groups
}

/// What is told of a recipient.
fn alike<'a>(
    recipient: &ReportedRecipient<'a>,
) -> (ReportEvent, Option<Timestamp>, Option<&'a str>, Option<&'a str>) {
    (recipient.event, recipient.retry_until, recipient.host, recipient.reply)
}

fn about(group: &[&ReportedRecipient<'_>], share: usize) -> String {
    let Some(first) = group.first() else { return String::new() };
    let mut text = wrapped(heading(first.event), "");
    text.push_str("\r\n");
    for recipient in group {
        let path = recipient.path.to_string();
        text.push_str(&format!("    {}\r\n", quote::address(path.trim_matches(['<', '>']))));
    }
    text.push_str("\r\n");
    text.push_str(&wrapped(&why(first), ""));
    if let Some(reply) = first.reply.filter(|_| says_reply(first.event)) {
        text.push_str("\r\n");
        text.push_str(&wrapped(&quote::line(reply, share), "    "));
    }
    text
}

fn heading(event: ReportEvent) -> &'static str {
    match event {
        ReportEvent::Refused | ReportEvent::GivenUp | ReportEvent::Returned => {
            "It could not be delivered to:"
        }
        ReportEvent::Late => "It has not been delivered yet to:",
        ReportEvent::Delivered => "It was delivered to:",
        ReportEvent::Relayed => "It was passed on, and this is the last that you hear of it, for:",
    }
}

/// What the reply of a success says is for programs.
fn says_reply(event: ReportEvent) -> bool {
    match event {
        ReportEvent::Refused | ReportEvent::GivenUp | ReportEvent::Returned | ReportEvent::Late => true,
        ReportEvent::Delivered | ReportEvent::Relayed => false,
    }
}

/// What happened, up to the reply that follows.
fn why(recipient: &ReportedRecipient<'_>) -> String {
    let host = recipient.host.map(|host| quote::line(host, 255));
    let (has_reply, said) = (recipient.reply.is_some(), recipient.said_by_host);
    match recipient.event {
        ReportEvent::Refused => match host.filter(|_| said) {
            Some(host) => format!("The mail system {host} refused it and said:"),
            None => "It can't be sent on as it is:".to_owned(),
        },
        ReportEvent::GivenUp => {
            format!("It was tried again and again, and now it is given up. {}", last(host, said))
        }
        ReportEvent::Returned if has_reply => {
            format!("An administrator of this mail system returned it. {}", last(host, said))
        }
        ReportEvent::Returned => "An administrator of this mail system returned it.".to_owned(),
        ReportEvent::Late => {
            let until =
                recipient.retry_until.map(|until| format!(" until {}", date(until))).unwrap_or_default();
            let last = last(host, said);
            format!(
                "You need do nothing: it is tried again{until}, and if that is of no use you are told. {last}"
            )
        }
        ReportEvent::Delivered => "It lies in the mailbox there.".to_owned(),
        ReportEvent::Relayed => match host {
            Some(host) => {
                format!("The mail system {host} has it now, which does not tell what becomes of it.")
            }
            None => "Another mail system has it now, which does not tell what becomes of it.".to_owned(),
        },
    }
}

/// Announces the reply of the last attempt.
fn last(host: Option<String>, said: bool) -> String {
    match host {
        Some(host) if said => format!("At the last attempt the mail system {host} said:"),
        Some(host) => format!("The last attempt, at {host}, ended with:"),
        None => "The last attempt ended with:".to_owned(),
    }
}
