//! What another server's reply means, in plain words: by its enhanced status code (RFC 3463, and the codes that IANA lists besides).

use crate::texts::Texts;

/// What a reply means for whoever has sent the message, if it has a code that says so.
pub(crate) fn words(reply: &str, t: Texts) -> Option<&'static str> {
    let (class, subject, detail) = code(reply)?;
    let is_temporary = class == 4;
    Some(match (subject, detail) {
        (1, 1 | 6) => t.reply_no_mailbox(),
        (1, 2) => t.reply_no_domain(),
        (1, 3) => t.reply_bad_address(),
        (1, 7 | 8) => t.reply_bad_sender(),
        (1, 10) => t.reply_takes_no_mail(),
        (1, _) => t.reply_address(),
        (2, 1) => t.reply_mailbox_disabled(),
        (2, 2) => t.reply_mailbox_full(),
        (2, 3) => t.reply_too_large(),
        (2, 0) if is_temporary => t.reply_greylisted(),
        (2, _) => t.reply_mailbox(),
        (3, 1) => t.reply_server_full(),
        (3, 4) => t.reply_too_large(),
        (3, _) => t.reply_server(),
        (4, 1) => t.reply_no_answer(),
        (4, 2 | 5) => t.reply_connection(),
        (4, 3 | 4) => t.reply_no_route(),
        (4, 6) => t.reply_loop(),
        (4, 7) => t.reply_too_old(),
        (4, _) => t.reply_network(),
        (5, 3) => t.reply_too_many_recipients(),
        (5, _) => t.reply_protocol(),
        (6, 7..=9) => t.reply_letters(),
        (6, _) => t.reply_content(),
        (7, 0 | 1) if is_temporary => t.reply_later(),
        (7, 1 | 2) => t.reply_policy(),
        (7, 4..=6 | 10 | 11 | 30) => t.reply_tls(),
        (7, 20..=22) => t.reply_dkim(),
        (7, 23 | 24) => t.reply_spf(),
        (7, 25) => t.reply_reverse(),
        (7, 26) => t.reply_authentication(),
        (7, 27) => t.reply_bad_sender(),
        (7, 28) => t.reply_too_much(),
        (7, _) => t.reply_security(),
        _ if is_temporary => t.reply_try_later(),
        _ => t.reply_refused(),
    })
}

/// The enhanced status code of a reply: class, subject, detail (RFC 3463 section 2). It stands behind the three digits of SMTP, or first.
fn code(reply: &str) -> Option<(u16, u16, u16)> {
    reply.split([' ', '-']).take(3).find_map(|word| {
        let mut numbers = word.split('.').map(|number| match number.len() {
            1..=3 => number.parse().ok(),
            _ => None,
        });
        let code = (numbers.next()??, numbers.next()??, numbers.next()??);
        (numbers.next().is_none() && matches!(code.0, 4 | 5)).then_some(code)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_found_where_replies_have_it() {
        for (reply, expected) in [
            ("550 5.1.1 <bob@example.net> User unknown", Some((5, 1, 1))),
            ("550-5.7.26 This mail is unauthenticated", Some((5, 7, 26))),
            ("4.2.0 greylisted", Some((4, 2, 0))),
            ("450 try later", None),
            ("250 2.0.0 Ok", None),
            ("no answer from 192.0.2.1", None),
            ("550 5.1.1.1 odd", None),
            ("550 5.1111.1 odd", None),
            ("", None),
        ] {
            assert_eq!(code(reply), expected, "{reply}");
        }
    }

    #[test]
    fn each_code_has_words_and_a_temporary_one_is_no_refusal() {
        let t = Texts::preferred("en");
        let of = |reply: &str| words(reply, t).unwrap();
        assert_eq!(of("550 5.1.1 no"), t.reply_no_mailbox());
        assert_eq!(of("450 4.2.0 no"), t.reply_greylisted());
        assert_eq!(of("550 5.2.0 no"), t.reply_mailbox());
        assert_eq!(of("451 4.7.1 no"), t.reply_later());
        assert_eq!(of("550 5.7.1 no"), t.reply_policy());
        assert_eq!(of("530 5.7.10 no"), t.reply_tls());
        assert_eq!((of("450 4.9.9 no"), of("550 5.9.9 no")), (t.reply_try_later(), t.reply_refused()));
        assert_eq!(words("550 no such user", t), None);
    }
}
