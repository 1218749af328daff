use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use delivery::{Route, Routes, Via};
use store::RecipientState;
use types::DomainPattern;

use crate::office::Office;

fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_message_is_one_file_with_its_envelope_on_top() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deep/outbox");
    let mut office = Office::running(Via::Maildir(path.clone())).await;
    let id = office.submit(&["a@example.org"]).await;
    assert_eq!(office.tried(id).await[0].state, RecipientState::Delivered);

    let names = files(&path.join("new"));
    assert_eq!(names, [format!("1800000000.{id}_0.client.example")]);
    let file = path.join("new").join(&names[0]);
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        "Return-Path: <s@example.net>\nDelivered-To: a@example.org\n\
         From: s@example.net\nSubject: x\n\n.a line with a dot\n..\n.\nend\n"
    );
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(files(&path.join("tmp")).is_empty());
}

#[tokio::test]
async fn recipients_do_not_learn_of_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let rest = tempfile::tempdir().unwrap();
    let route = Route {
        domains: vec![DomainPattern::Exactly("example.org".into())],
        senders: Vec::new(),
        way: Via::Maildir(directory.path().into()).into(),
    };
    let routes = Routes::new(Via::Maildir(rest.path().into()), vec![route]);
    let mut office = Office::closed(routes).open();
    tokio::task::yield_now().await;
    let many: Vec<String> = (0..101).map(|number| format!("user{number}@example.org")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).chain(["hidden@example.com"]).collect();
    let id = office.submit(&many).await;
    let seats = office.tried(id).await;
    assert!(seats.iter().all(|seat| seat.state == RecipientState::Delivered), "{seats:?}");
    // A hundred recipients, the one that was left, and the one that takes another way.
    for (directory, letters) in [(&directory, 2), (&rest, 1)] {
        let new = directory.path().join("new");
        assert_eq!(files(&new).len(), letters);
        for name in files(&new) {
            let letter = fs::read_to_string(new.join(name)).unwrap();
            assert!(letter.starts_with("Return-Path: <s@example.net>\nFrom: "), "{letter}");
        }
    }
}

#[tokio::test]
async fn what_a_crash_left_behind_is_in_nobodys_way() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    for name in ["tmp", "new", "cur"] {
        fs::create_dir(path.join(name)).unwrap();
    }
    let mut office = Office::running(Via::Maildir(path.into())).await;
    let name = format!("1800000000.{}_0.client.example", types::QueueId::new(1, [0; 10]));
    fs::write(path.join("tmp").join(&name), "half").unwrap();
    // Delivered, but the crash came before that was recorded.
    fs::write(path.join("new").join(&name), "whole").unwrap();
    let id = office.submit(&["a@example.org"]).await;
    assert_eq!(office.tried(id).await[0].state, RecipientState::Delivered);
    assert_eq!(files(&path.join("new")), std::slice::from_ref(&name));
    assert!(fs::read_to_string(path.join("new").join(name)).unwrap().ends_with("end\n"));
}

/// A crash in between has made a part of it.
#[tokio::test]
async fn a_maildir_that_is_half_made_is_made_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    fs::create_dir(path.join("tmp")).unwrap();
    let mut office = Office::running(Via::Maildir(path.into())).await;
    let id = office.submit(&["a@example.org"]).await;
    assert_eq!(office.tried(id).await[0].state, RecipientState::Delivered);
    assert_eq!(files(&path.join("new")).len(), 1);
    assert!(path.join("cur").is_dir());
}

#[tokio::test]
async fn a_maildir_that_cannot_be_written_keeps_the_mail() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("outbox");
    fs::write(&path, "a file where the directory should be").unwrap();
    let mut office = Office::running(Via::Maildir(path)).await;
    let id = office.submit(&["a@example.org"]).await;
    let seat = &office.tried(id).await[0];
    assert_eq!(seat.state, RecipientState::Deferred);
    assert!(seat.reply.starts_with("451 4.3.0 the Maildir cannot be written: "), "{}", seat.reply);
}

#[tokio::test]
async fn a_large_message_is_streamed() {
    let directory = tempfile::tempdir().unwrap();
    let mut office = Office::running(Via::Maildir(directory.path().into())).await;
    let text = "Subject: x\r\n\r\n".to_owned() + &"0123456789abcdef0123456789abcdef\r\n".repeat(50_000);
    let id = office.submit_text(&["a@example.org"], text.as_bytes()).await;
    office.tried(id).await;
    let new = directory.path().join("new");
    let stored = fs::read_to_string(new.join(&files(&new)[0])).unwrap();
    assert!(stored.ends_with(&text.replace("\r\n", "\n")));
}

#[tokio::test]
async fn a_message_that_is_damaged_in_the_spool_is_never_seen() {
    let directory = tempfile::tempdir().unwrap();
    let mut office = Office::running(Via::Maildir(directory.path().into())).await;
    *office.spool.damaged.lock().unwrap() = Some(0);
    let id = office.submit(&["a@example.org"]).await;
    office.until(|spool| spool.is_held(id)).await;
    assert!(files(&directory.path().join("new")).is_empty());
    assert!(files(&directory.path().join("tmp")).is_empty());
}
