//! What a message needs of the next host, and what is said to one that does not offer it.

use super::*;

#[test]
fn body_is_said_of_8_bit_text_alone() {
    let mail = |body| {
        let mut dialogue = ready("250-mx\r\n250 8BITMIME\r\n");
        let path = recipient("a@example.org");
        let envelope = Envelope { body, ..to(vec![&path]) };
        said(&mut dialogue, &envelope)
    };
    assert_eq!(mail(BodyType::SevenBit), "MAIL FROM:<>\r\n");
    assert_eq!(mail(BodyType::EightBit), "MAIL FROM:<> BODY=8BITMIME\r\n");
}

#[test]
fn a_size_that_is_not_known_is_not_said() {
    let path = recipient("a@example.org");
    let mail = |size| said(&mut ready("250-mx\r\n250 SIZE\r\n"), &Envelope { size, ..to(vec![&path]) });
    assert_eq!(
        (mail(Some(7)).as_str(), mail(None).as_str()),
        ("MAIL FROM:<> SIZE=7\r\n", "MAIL FROM:<>\r\n")
    );
}

const WITHOUT: &str = "250-mx\r\n250 PIPELINING\r\n";
const WITH: &str = "250-mx\r\n250-SMTPUTF8\r\n250-8BITMIME\r\n250 PIPELINING\r\n";

/// RFC 6531 section 3.4. Each row: the reverse-path, whether the header has UTF-8, the recipients; what is said to a host without
/// the extension and to one with it.
#[test]
fn smtputf8_is_asked_for_where_nothing_else_will_do() {
    let ascii = "MAIL FROM:<s@example.net>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n";
    let table: &[(&str, bool, &[&str], &str, &str)] = &[
        ("<s@example.net>", false, &["a@example.org"], ascii, ascii),
        (
            "<s@bücher.example>",
            false,
            &["\"a b\"@例え.テスト", "Ä@Straße.example", "B@Example.ORG"],
            "MAIL FROM:<s@xn--bcher-kva.example>\r\nRCPT TO:<\"a b\"@xn--r8jz45g.xn--zckzah>\r\nRCPT TO:<B@Example.ORG>\r\nDATA\r\n",
            "MAIL FROM:<s@bücher.example> SMTPUTF8\r\nRCPT TO:<\"a b\"@例え.テスト>\r\nRCPT TO:<Ä@Straße.example>\r\n\
             RCPT TO:<B@Example.ORG>\r\nDATA\r\n",
        ),
        (
            "<s@bücher.example>",
            false,
            &["a@example.org"],
            "MAIL FROM:<s@xn--bcher-kva.example>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n",
            "MAIL FROM:<s@xn--bcher-kva.example>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n",
        ),
        (
            "<é@example.net>",
            false,
            &["a@example.org"],
            "",
            "MAIL FROM:<é@example.net> SMTPUTF8\r\nRCPT TO:<a@example.org>\r\nDATA\r\n",
        ),
        (
            "<s@example.net>",
            true,
            &["a@example.org"],
            "",
            "MAIL FROM:<s@example.net> SMTPUTF8\r\nRCPT TO:<a@example.org>\r\nDATA\r\n",
        ),
    ];
    for (sender, smtputf8, recipients, without, with) in table {
        let sender = ReversePath::take(sender).unwrap().0;
        let paths: Vec<_> = recipients.iter().map(|address| recipient(address)).collect();
        let envelope = Envelope { reverse_path: &sender, smtputf8: *smtputf8, ..to(paths.iter().collect()) };
        assert_eq!(said(&mut ready(WITHOUT), &envelope), *without);
        assert_eq!(said(&mut ready(WITH), &envelope), *with);
    }
}

#[test]
fn the_reply_names_what_needs_smtputf8() {
    let refusal = |sender: &str, smtputf8, address: &str| {
        let (sender, path) = (ReversePath::take(sender).unwrap().0, recipient(address));
        let envelope = Envelope { reverse_path: &sender, smtputf8, ..to(vec![&path]) };
        match &ready(WITHOUT).send(&envelope).unwrap()[..] {
            [Verdict::Failed(reply)] => reply.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let reply = "550 5.6.7 the next host does not take internationalized mail (SMTPUTF8), which the";
    assert_eq!(refusal("<é@b.example>", true, "é@b.example"), format!("{reply} header of the message needs"));
    assert_eq!(
        refusal("<é@b.example>", false, "é@b.example"),
        format!("{reply} address of the sender needs")
    );
    assert_eq!(refusal("<>", false, "é@b.example"), format!("{reply} address of the recipient needs"));
}

#[test]
fn a_recipient_whose_address_needs_smtputf8_keeps_it_from_nobody_else() {
    let (first, second, third) =
        (recipient("é@example.org"), recipient("b@example.org"), recipient("ü@example.org"));
    let mut dialogue = ready(WITHOUT);
    let envelope = to(vec![&first, &second, &third]);
    assert_eq!(said(&mut dialogue, &envelope), "MAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n");
    assert_eq!(dialogue.advance(&mut "250 ok\r\n250 ok\r\n354 go\r\n".into()), Ok(Advance::Body));
    dialogue.end_body();
    let Ok(Advance::Done(verdicts)) = dialogue.advance(&mut "250 taken\r\n".into()) else { panic!() };
    assert_eq!(verdicts.iter().map(told).collect::<Vec<_>>(), ["failed-550", "delivered-250", "failed-550"]);
}
