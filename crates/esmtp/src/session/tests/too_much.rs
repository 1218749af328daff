//! Text beyond every limit: how much of it is read and thrown away before the session closes.

use super::*;
use crate::limits::DISCARD_SLACK;

/// The octets of a chunk that is still skipped: more than these, and nobody waits for its end.
fn skipped() -> u64 {
    settings().message_size + DISCARD_SLACK
}

#[test]
fn a_chunk_is_taken_or_skipped_up_to_a_limit_and_waited_for_no_longer() {
    let begin = |before: &str, size: u64| {
        let outcome = play(under_tls(), format!("{LOGIN}{before}BDAT {size}\r\n").as_bytes(), 4000);
        (outcome.closed, outcome.said.lines().last().unwrap().to_owned())
    };
    let waits = |last: &str| (false, last.to_owned());
    assert_eq!(begin(TO_RECIPIENT, skipped()), waits("250 2.1.5 Recipient OK"));
    assert_eq!(
        begin(TO_RECIPIENT, skipped() + 1),
        (true, "552 5.3.4 Message is larger than the limit".to_owned())
    );
    assert_eq!(begin("", skipped()), waits("235 2.7.0 Authentication successful"));
    assert_eq!(begin("", skipped() + 1), (true, "503 5.5.1 Send MAIL first".to_owned()));
}

#[test]
fn as_many_octets_are_skipped_as_were_announced() {
    for size in [0_usize, 1, 6, 4000] {
        let input = format!("{LOGIN}BDAT {size}\r\n{}NOOP\r\n", "A".repeat(size));
        for step in [1, 7, 8000] {
            let outcome = play(under_tls(), input.as_bytes(), step);
            assert_eq!(
                codes(&outcome.said),
                ["220", "250", "235", "503", "250"],
                "{size} in steps of {step}"
            );
        }
    }
}

#[test]
fn a_text_far_beyond_the_limit_is_read_to_a_second_limit() {
    let most = usize::try_from(2 * settings().message_size + DISCARD_SLACK).unwrap();
    let line = "A".repeat(98) + "\r\n";
    let text = |octets: usize| {
        let text = line.repeat(octets / 100) + &"A".repeat(octets % 100 - 2) + "\r\n.\r\n";
        play_data(under_tls(), text.as_bytes(), 64 * 1024)
    };
    let outcome = text(most);
    assert!(
        !outcome.closed && outcome.said.ends_with("552 5.3.4 Message is larger than the limit\r\n"),
        "{}",
        outcome.said
    );
    let outcome = text(most + 1);
    assert!(outcome.closed && outcome.said.ends_with("421 4.3.2 Far too much data\r\n"), "{}", outcome.said);
}

#[test]
fn chunks_may_be_small_or_many_but_not_both() {
    let message = |chunk: usize, times| {
        let chunks = format!("BDAT {chunk}\r\n{}", "a\r\n".repeat(chunk).get(..chunk).unwrap()).repeat(times);
        let input = format!("{LOGIN}{TO_RECIPIENT}{chunks}BDAT 0 LAST\r\n");
        play(with(Settings { message_size: 10_000_000, ..settings() }), input.as_bytes(), 4000)
    };
    // One more for each 256 octets that have come: the 1003rd is taken, and it is the last one.
    assert!(!message(1, 1002).closed);
    let outcome = message(1, 1003);
    assert!(outcome.said.ends_with("421 4.7.0 Too many chunks in one message\r\n"), "{}", outcome.said);
    assert!(!message(300, 3000).closed);
}
