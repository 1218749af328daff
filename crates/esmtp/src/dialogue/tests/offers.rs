//! What a host offers, keyword by keyword, and how we log in there.

use sasl::{ChannelBindings, Circumstances, Claim, Exchange, Nonces, ScramParameters, Step};

use super::*;

fn offered(keywords: &str) -> Capabilities {
    ready(&format!("250-mx\r\n250 {keywords}\r\n")).capabilities().clone()
}

#[test]
fn each_keyword_offers_its_own() {
    let none = Capabilities { extended: true, ..Capabilities::default() };
    for (keyword, capabilities) in [
        ("STARTTLS", Capabilities { starttls: true, ..none.clone() }),
        ("PIPELINING", Capabilities { pipelining: true, ..none.clone() }),
        ("8BITMIME", Capabilities { eight_bit: true, ..none.clone() }),
        ("CHUNKING", Capabilities { chunking: true, ..none.clone() }),
        ("BINARYMIME", Capabilities { binary_mime: true, ..none.clone() }),
        ("SMTPUTF8", Capabilities { smtputf8: true, ..none.clone() }),
        ("DSN", Capabilities { dsn: true, ..none.clone() }),
        ("SIZE 1000", Capabilities { size: true, ..none.clone() }),
        ("size", Capabilities { size: true, ..none.clone() }),
        ("DELIVERBY", Capabilities { deliver_by: Some(0), ..none.clone() }),
        ("DELIVERBY 60", Capabilities { deliver_by: Some(60), ..none.clone() }),
        ("DELIVERBY 60,later=1", Capabilities { deliver_by: Some(60), ..none.clone() }),
        ("DELIVERBY ,later=1", Capabilities { deliver_by: Some(0), ..none.clone() }),
        ("MT-PRIORITY MIXER", Capabilities { priority: true, ..none.clone() }),
        ("REQUIRETLS", Capabilities { require_tls: true, ..none.clone() }),
        ("AUTH GSSAPI LOGIN", Capabilities { mechanism: Some(Mechanism::Login), ..none.clone() }),
        ("auth login plain", Capabilities { mechanism: Some(Mechanism::Plain), ..none.clone() }),
        ("AUTH SCRAM-SHA-256", Capabilities { scram: true, ..none.clone() }),
        ("AUTH SCRAM-SHA-256-PLUS", Capabilities { scram_plus: true, ..none.clone() }),
        ("AUTH", none.clone()),
        ("XYZZY STARTTLS", none.clone()),
        ("", none.clone()),
    ] {
        assert_eq!(offered(keyword), capabilities, "{keyword}");
    }
    // The first line is the host's name.
    assert_eq!(ready("250 STARTTLS\r\n").capabilities(), &none);
    // Two lines of it offer what either does.
    let twice = ready("250-mx\r\n250-AUTH PLAIN\r\n250 AUTH LOGIN\r\n");
    assert_eq!(twice.capabilities().mechanism, Some(Mechanism::Plain));
}

/// RFC 4954 section 4 wants the initial response read; some servers overlook it.
#[test]
fn a_response_that_was_overlooked_is_given_again() {
    let (said, end) = log_in("AUTH PLAIN", &["334 \r\n", "235 ok\r\n"]);
    assert_eq!(
        (said.as_str(), end),
        ("AUTH PLAIN AHVzZXIAc2VjcmV0\r\nAHVzZXIAc2VjcmV0\r\n", Ok(Advance::Ready))
    );
}

/// What is said first to a host that offers this, by who would use SCRAM, with something to be bound by or not.
fn by_scram(offer: &str, exporter: bool) -> (String, Dialogue) {
    let mut dialogue = ready(&format!("250-mx\r\n250 AUTH {offer}\r\n"));
    let exporter = exporter.then(|| "exported".to_owned().into());
    dialogue.log_in(&credentials().by_scram([1; 32], exporter)).unwrap();
    (String::from_utf8(dialogue.output().split().to_vec()).unwrap(), dialogue)
}

/// RFC 5802 section 6: bound where both sides can, and else it is said whether we could have.
#[test]
fn the_best_way_that_both_sides_know_is_taken() {
    for (offer, exporter, said) in [
        (
            "PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS",
            true,
            "AUTH SCRAM-SHA-256-PLUS cD10bHMtZXhwb3J0ZXIsLG49dXNlcixy",
        ),
        ("PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS", false, "AUTH SCRAM-SHA-256 biwsbj11c2VyLHI9"),
        ("PLAIN SCRAM-SHA-256", true, "AUTH SCRAM-SHA-256 eSwsbj11c2VyLHI9"),
        ("LOGIN PLAIN SCRAM-SHA-1", true, "AUTH PLAIN AHVzZXIAc2VjcmV0"),
        ("PLAIN SCRAM-SHA-256-PLUS", false, "AUTH PLAIN AHVzZXIAc2VjcmV0"),
    ] {
        let (first, dialogue) = by_scram(offer, exporter);
        assert!(first.starts_with(said), "{offer}: {first}");
        assert_eq!(
            dialogue.mechanism().map(Mechanism::name),
            first.split(' ').nth(1).map(str::trim_end),
            "{offer}"
        );
    }
    // Nobody who has not asked for it logs in by SCRAM.
    assert!(log_in("AUTH PLAIN SCRAM-SHA-256", &["235 ok\r\n"]).0.starts_with("AUTH PLAIN"));
}

#[test]
fn a_host_that_has_not_proved_itself_has_let_nobody_in() {
    let refused = Broken::LoginRefused(Reply::ours(535, Enhanced(5, 7, 8), "no"));
    for (reply, is_refusal) in
        [("235 ok\r\n", false), ("334 x\r\n", false), ("334 eA==\r\n", false), ("535 no\r\n", true)]
    {
        let (_, mut dialogue) = by_scram("SCRAM-SHA-256", true);
        let broken = dialogue.advance(&mut reply.into()).unwrap_err();
        assert_eq!(
            std::mem::discriminant(&broken) == std::mem::discriminant(&refused),
            is_refusal,
            "{reply}: {broken}"
        );
        assert!(is_refusal || matches!(broken, Broken::NotMutual(_)), "{reply}: {broken}");
    }
    let (first, mut dialogue) = by_scram("SCRAM-SHA-256", true);
    assert_eq!(dialogue.advance(&mut "334 \r\n".into()), Ok(Advance::Input));
    assert_eq!(format!("AUTH SCRAM-SHA-256 {}", str::from_utf8(dialogue.output()).unwrap()), first);
}

/// The other side is the server of `sasl`: its word on a password that it has keys of, or of another.
#[test]
fn both_sides_prove_that_they_know_the_password() {
    for (kept, is_right) in [("secret", true), ("other", false)] {
        let (first, mut dialogue) = by_scram("SCRAM-SHA-256-PLUS", true);
        let (challenge, exchange) = challenged(first.trim_end().split(' ').nth(2).unwrap());
        let mut hear = |challenge: &str| {
            let reply = format!("334 {challenge}\r\n");
            assert_eq!(dialogue.advance(&mut reply.as_str().into()), Ok(Advance::Input));
            String::from_utf8(dialogue.output().split().to_vec()).unwrap().trim_end().to_owned()
        };
        let last = hear(&challenge);
        let Step::Claim(Claim::Scram(claim)) = exchange.respond(&last) else { panic!("{last}") };
        let signature = claim.validates(&kept.to_owned().into());
        assert_eq!((signature.is_some(), claim.flaw()), (is_right, None));
        if let Some(signature) = signature {
            assert_eq!(hear(&signature.in_base64()), "");
            assert_eq!(dialogue.advance(&mut "235 ok\r\n".into()), Ok(Advance::Ready));
        }
    }
}

/// What a server says that is bound by the same.
fn challenged(first: &str) -> (String, Exchange) {
    let mut bindings = ChannelBindings::default();
    bindings.exporter = Some("exported".to_owned().into());
    let nonce = Nonces::new([2; 32]).draw();
    let mut circumstances = Circumstances::new("mx", &nonce, &bindings);
    circumstances.offers_plus = true;
    let begun = Exchange::start(sasl::Mechanism::ScramSha256Plus, Some(first), circumstances);
    let Step::Salt(wanted) = begun else { panic!("{begun:?}") };
    let parameters = ScramParameters { salt: b"salt".to_vec(), iterations: 4096 };
    let Step::Challenge(challenge, exchange) = wanted.with(Some(parameters)) else { panic!("no challenge") };
    (challenge, exchange)
}
