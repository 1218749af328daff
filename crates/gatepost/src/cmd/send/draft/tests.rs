//! What a message says when it is sent.

use proptest::prelude::*;

use super::*;

fn source(text: &str) -> Source {
    Source { name: "m.eml".to_owned(), octets: text.as_bytes().to_vec() }
}

fn table(csv: &str) -> Recipients {
    Recipients::read(&Source { name: "a.csv".to_owned(), octets: csv.as_bytes().to_vec() }).unwrap()
}

/// The message to one recipient, who is told to `to` or stands in the first row.
fn sent(draft: &Draft, table: Option<&Recipients>, to: &str) -> Result<String, String> {
    let (from, to) = (Mailbox::parse("alice@example.org").unwrap(), Mailbox::parse(to).unwrap());
    let about = About {
        from: &from,
        to: vec![&to],
        row: table.map(|table| (table, &table.rows[0])),
        at: "2026-11-30T12:00:00Z".parse().unwrap(),
        id: "1".to_owned(),
    };
    let form = draft.letter(&about)?.form(true)?;
    Ok(String::from_utf8(form.text.to_vec()).unwrap())
}

fn message(text: &str) -> String {
    sent(&Draft::of_message(&source(text), None).unwrap(), None, "bob@example.net").unwrap()
}

fn merged(text: &str, csv: &str) -> Result<String, String> {
    let table = table(csv);
    let draft = Draft::of_message(&source(text), Some(&table.columns)).map_err(|faults| faults.join("\n"))?;
    sent(&draft, Some(&table), "bob@example.net")
}

#[test]
fn what_a_message_lacks_is_added_and_what_it_has_stays() {
    assert_eq!(
        message("Subject: x\n\nHello.\n"),
        "Subject: x\r\nDate: Mon, 30 Nov 2026 12:00:00 +0000\r\nFrom: alice@example.org\r\nTo: bob@example.net\r\n\
         Message-ID: <1@example.org>\r\n\r\nHello.\r\n"
    );
    let whole = "From: b@example.org\r\nTo: all@example.org\r\nDate: Sun, 29 Nov 2026 12:00:00 +0000\r\n\
                 Message-ID: <mine@example.org>\r\n\r\nHello.\r\n";
    assert_eq!(message(whole), whole);
}

#[test]
fn nobody_hears_of_blind_copies() {
    let shown = message("From: a@example.org\nBcc: secret@example.org\n\nx\n");
    assert!(!shown.contains("secret") && !shown.contains("Bcc"), "{shown}");
    let draft = Draft::of_message(&source("Bcc: secret@example.org\n\nx {{name}}\n"), None).unwrap();
    assert_eq!(draft.remarks.len(), 2);
}

#[test]
fn a_text_beyond_ascii_says_what_it_is() {
    let shown = message("From: a@example.org\n\nGrüße\n");
    assert!(
        shown.contains("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"),
        "{shown}"
    );
    let text = Draft::of_text("Grüße", &source("Schöne Grüße\n"), None).unwrap();
    let shown = sent(&text, None, "bob@example.net").unwrap();
    assert!(shown.starts_with("Subject: =?utf-8?") && shown.ends_with("\r\n\r\nSchöne Grüße\r\n"), "{shown}");
}

#[test]
fn what_is_no_message_is_refused() {
    for text in
        ["Hello.\n", "\nHello.\n", "From a@b Mon Nov 30\nSubject: x\n\n", "Subject : x\n\nx\n", " x: y\n\n"]
    {
        assert!(Draft::of_message(&source(text), None).is_err(), "{text:?}");
    }
    for text in ["From: a@example.org, b\n\nx\n", "From: a@example.org\nFrom: b@example.org\n\nx\n"] {
        assert!(
            sent(&Draft::of_message(&source(text), None).unwrap(), None, "b@c.example").is_err(),
            "{text:?}"
        );
    }
}

#[test]
fn with_a_table_each_has_a_message_of_its_own() {
    let text = "From: Shop <a@example.org>\nTo: Everybody <all@example.org>\nMessage-ID: <old@example.org>\n\
                Date: Sun, 29 Nov 2026 12:00:00 +0000\nSubject: For {{name}}\n\nDear {{name}},\n{{text}}\n";
    let shown = merged(text, "address,name,text\nbob@example.net,Bob,\"one\ntwo\"\n").unwrap();
    assert_eq!(
        shown,
        "From: Shop <a@example.org>\r\nSubject: For Bob\r\nDate: Mon, 30 Nov 2026 12:00:00 +0000\r\n\
         To: bob@example.net\r\nMessage-ID: <1@example.org>\r\n\r\nDear Bob,\r\none\r\ntwo\r\n"
    );
}

#[test]
fn a_name_among_addresses_stays_a_name() {
    for (name, to) in [
        ("Bob", "To: Bob <bob@example.net>"),
        ("\"Liddell, Alice\"", "To: \"Liddell, Alice\" <bob@example.net>"),
        ("\"x\"\" <evil@example.com>, \"\"\"", "To: \"x\\\" <evil@example.com>, \\\"\" <bob@example.net>"),
    ] {
        let csv = format!("address,name\nbob@example.net,{name}\n");
        let shown = merged("From: a@example.org\nTo: {{name}} <{{address}}>\n\nx\n", &csv).unwrap();
        assert!(shown.contains(&format!("{to}\r\n")), "{shown}");
        let quoted = merged("From: a@example.org\nTo: \"{{name}}\" <{{address}}>\n\nx\n", &csv).unwrap();
        assert!(quoted.replace("To: \"Bob\" ", "To: Bob ").contains(&format!("{to}\r\n")), "{quoted}");
    }
    let shown = merged(
        "From: a@example.org\nDisposition-Notification-To: {{name}} <a@example.org>\n\nx\n",
        "address,name\nbob@example.net,\"Liddell, Alice\"\n",
    );
    assert!(shown.unwrap().contains("To: \"Liddell, Alice\" <a@example.org>"), "quoted");
    let shown = merged(
        "From: a@example.org\nTo: {{name}} <{{address}}>\n\nx\n",
        "address,name\nbob@example.net,Jörg\n",
    );
    assert!(shown.unwrap().contains("To: =?utf-8?"), "encoded");
}

#[test]
fn a_value_with_a_line_end_does_not_come_into_the_header() {
    let csv = "address,name\nbob@example.net,\"x\r\nBcc: evil@example.com\"\n";
    for text in [
        "From: a@example.org\nSubject: {{name}}\n\nx\n",
        "From: a@example.org\nTo: {{name}} <{{address}}>\n\nx\n",
    ] {
        let fault = merged(text, csv).unwrap_err();
        assert!(fault.contains("\"name\"") && fault.contains("control character"), "{fault}");
    }
    assert!(
        merged("From: a@example.org\n\n{{name}}\n", csv)
            .unwrap()
            .ends_with("\r\n\r\nx\r\nBcc: evil@example.com\r\n")
    );
}

#[test]
fn a_gap_where_none_can_be_is_told_with_its_place() {
    for (text, told) in [
        ("Message-ID: <{{name}}@example.org>\n\nx\n", "m.eml:1:"),
        (
            "Subject: x\nContent-Transfer-Encoding: base64\n\nx\n{{name}}\n",
            "m.eml:5:1: nothing can be filled in here",
        ),
        ("Subject: x\n {{nmae}}\n\nx\n", "m.eml:2:2: there is no column \"nmae\""),
        ("Subject: x\n\nx\ny {{nmae}}\n", "m.eml:4:3: there is no column \"nmae\""),
    ] {
        let fault = merged(text, "address,name\nbob@example.net,Bob\n").unwrap_err();
        assert!(fault.starts_with(told), "{fault}");
    }
}

proptest! {
    /// Whatever is filled in, no field is added, and no recipient.
    #[test]
    fn no_value_becomes_a_field_or_an_address(value in any::<String>()) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["address", "name"]).unwrap();
        writer.write_record(["bob@example.net", &value]).unwrap();
        let csv = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let text = "From: a@example.org\nReply-To: {{name}} <r@example.org>\nSubject: {{name}}\n\nx\n";
        if let Ok(shown) = merged(text, &csv) {
            let (section, body) = shown.split_once("\r\n\r\n").unwrap();
            let section = format!("{section}\r\n");
            let header = Header::parse(section.as_bytes()).unwrap();
            let names: Vec<_> = header.fields().map(|field| field.name()).collect();
            prop_assert_eq!(names, ["From", "Reply-To", "Subject", "Date", "To", "Message-ID"]);
            prop_assert!(header.named("Reply-To").next().unwrap().value().trim_end().ends_with("<r@example.org>"));
            prop_assert_eq!(body, "x\r\n");
        }
    }
}
