//! What a session owns is dropped where the protocol forgets it.

use super::*;
use crate::Xclient;

/// How many there are of what the session owns.
type Counted = Arc<()>;

/// A session that has logged in and whose message is under way, and where it stands.
fn with_a_text_under_way(user: &Counted, message: &Counted) -> (crate::Session<Counted, Counted>, BytesMut) {
    let mut session = crate::Session::new(
        Arc::new(Settings { allow_insecure: true, ..settings() }),
        Channel { xclient: Xclient::Taken, ..Channel::in_clear(Nonces::new([0; 32])) },
    );
    let mut input = BytesMut::from(format!("{LOGIN}{TO_RECIPIENT}BDAT 3\r\na\r\n").as_str());
    loop {
        match session.advance(&mut input) {
            Advance::Ask(Question::Judge(ticket)) => {
                let proof = Authenticated::new("a".to_owned(), Arc::clone(user));
                ticket.into_claim().1.answer(Verdict::Accepted(proof));
            }
            Advance::Ask(Question::Sender(ticket)) => ticket.answer(Ok(SenderAllowed::after_check())),
            Advance::Ask(Question::Recipient(ticket)) => ticket.answer(Ok(())),
            Advance::Ask(Question::Open(ticket)) => ticket.answer(Arc::clone(message)),
            Advance::Keep(kept) => kept.done(),
            Advance::Input(_) => return (session, input),
            other @ (Advance::Ask(_) | Advance::StartTls(_) | Advance::Close) => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_the_session_owns_is_gone_where_the_protocol_forgets_it() {
    let owns =
        |user: &Counted, message: &Counted| (Arc::strong_count(user) > 1, Arc::strong_count(message) > 1);
    for (line, still) in [
        ("NOOP\r\n", (true, true)),
        ("RSET\r\n", (true, false)),
        ("EHLO b.example\r\n", (true, false)),
        ("BDAT 2000\r\n", (true, true)),
        ("RSET\r\nXCLIENT NAME=b.example\r\n", (false, false)),
        ("QUIT\r\n", (true, false)),
    ] {
        let (user, message) = (Counted::default(), Counted::default());
        let (mut session, mut input) = with_a_text_under_way(&user, &message);
        assert_eq!(owns(&user, &message), (true, true));
        input.extend_from_slice(line.as_bytes());
        let _ = session.advance(&mut input);
        assert_eq!(owns(&user, &message), still, "{line:?}");
    }
    let (user, message) = (Counted::default(), Counted::default());
    let (mut session, mut input) = with_a_text_under_way(&user, &message);
    session.end(Ending::Revoked);
    assert_eq!(owns(&user, &message), (true, false));
    assert!(matches!(session.advance(&mut input), Advance::Close));

    let (user, message) = (Counted::default(), Counted::default());
    let (mut session, mut input) = with_a_text_under_way(&user, &message);
    input.extend_from_slice(b"RSET\r\nSTARTTLS\r\n");
    let Advance::StartTls(handshake) = session.advance(&mut input) else { panic!("no handshake") };
    handshake.into_tls(Channel::in_clear(Nonces::new([0; 32])));
    assert_eq!(owns(&user, &message), (false, false));
}
