//! What a check finds and what it costs, and how long one waits for it.

use super::*;

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

#[tokio::test]
async fn every_check_is_one_run_and_no_hash_matches_nothing() {
    let hasher = Hasher::new(CHEAP).unwrap();
    let stored = hasher.hash(secret("right")).await.unwrap();
    assert_eq!(hasher.argon2_runs(), 1);
    let (yes, no) = (Checked::Yes, Checked::No);
    for (password, stored, found) in
        [("right", Some(&stored), yes), ("wrong", Some(&stored), no), ("right", None, no)]
    {
        let before = hasher.argon2_runs();
        let answer = hasher.verify(secret(password), stored.map(String::as_str)).await.unwrap();
        assert_eq!(answer, found);
        assert_eq!(hasher.argon2_runs(), before + 1);
    }
}

#[tokio::test]
async fn two_hashes_of_one_password_differ() {
    let hasher = Hasher::new(CHEAP).unwrap();
    assert_ne!(hasher.hash(secret("one")).await.unwrap(), hasher.hash(secret("one")).await.unwrap());
}

#[tokio::test]
async fn a_full_queue_is_told_at_once_and_recovers() {
    let hasher = Hasher::with_places(CHEAP, 1, 1, PATIENCE).unwrap();
    let (running, waiting) = (hasher.place().await.unwrap(), hasher.verify(secret("x"), None));
    let mut waiting = std::pin::pin!(waiting);
    assert!(futures_pending(waiting.as_mut()).await);
    assert!(matches!(hasher.verify(secret("x"), None).await, Err(HashError::Overloaded)));
    drop(running);
    assert_eq!(waiting.await.unwrap(), Checked::No);
    assert!(hasher.verify(secret("x"), None).await.is_ok());
}

#[tokio::test]
async fn nobody_waits_without_end() {
    let hasher = Hasher::with_places(CHEAP, 1, 1, Duration::from_millis(10)).unwrap();
    let _running = hasher.place().await.unwrap();
    assert!(matches!(hasher.verify(secret("x"), None).await, Err(HashError::Overloaded)));
}

#[tokio::test(start_paused = true)]
async fn a_patient_one_waits_for_its_turn() {
    let hasher = Hasher::with_places(CHEAP, 1, 1, PATIENCE).unwrap().patient();
    let running = hasher.place().await.unwrap();
    let mut waiting = std::pin::pin!(hasher.hash(secret("x")));
    assert!(tokio::time::timeout(PATIENCE * 1000, waiting.as_mut()).await.is_err(), "it still waits");
    drop(running);
    assert!(waiting.await.is_ok());
}

#[tokio::test]
async fn a_stored_hash_that_cannot_be_used_is_an_error_and_not_a_no() {
    let hasher = Hasher::new(CHEAP).unwrap();
    assert!(matches!(hasher.verify(secret("x"), Some("$6$x$y")).await, Err(HashError::Stored(_))));
}

#[tokio::test]
async fn a_hash_of_another_server_is_outdated_and_its_no_is_one_run_as_well() {
    let hasher = Hasher::new(CHEAP).unwrap();
    let stored = Some("{SSHA}vH9ZzOQJ2A1cNOLXHJVHCxIbfMf5r1P+");
    assert_eq!(hasher.verify(secret("secret"), stored).await.unwrap(), Checked::YesButOutdated);
    let before = hasher.argon2_runs();
    assert_eq!(hasher.verify(secret("Secret"), stored).await.unwrap(), Checked::No);
    assert_eq!(hasher.argon2_runs(), before + 1);
}

#[tokio::test]
async fn a_weaker_hash_is_outdated_and_a_stronger_one_stays() {
    let hasher = Hasher::new(CHEAP).unwrap();
    let dearer = Hasher::new(Cost { memory_kib: 16, ..CHEAP }).unwrap();
    let (ours, dear) =
        (hasher.hash(secret("secret")).await.unwrap(), dearer.hash(secret("secret")).await.unwrap());
    let theirs = "$argon2i$v=19$m=32768,t=4,p=1$cwnZe3fg04XM542oCQ1/3A\
                  $myXRW7K9Uyhoa8BwkvOfckKoOT17TC/XrXDgdzOSj6g";
    for (hasher, stored, found) in [
        (&hasher, &*ours, Checked::Yes),
        (&dearer, &ours, Checked::YesButOutdated),
        (&hasher, &dear, Checked::Yes),
        (&dearer, &dear, Checked::Yes),
        (&hasher, theirs, Checked::Yes),
    ] {
        assert_eq!(hasher.verify(secret("secret"), Some(stored)).await.unwrap(), found, "{stored}");
    }
}

#[tokio::test]
async fn a_password_is_one_however_its_letters_are_composed() {
    let hasher = Hasher::new(CHEAP).unwrap();
    let (composed, decomposed) = ("p\u{e4}ssw\u{f6}rd", "pa\u{308}sswo\u{308}rd");
    for made_of in [composed, decomposed, "p\u{e4}ss\u{ff57}\u{f6}rd"] {
        let stored = hasher.hash(secret(made_of)).await.unwrap();
        for typed in [composed, decomposed] {
            assert_eq!(hasher.verify(secret(typed), Some(&stored)).await.unwrap(), Checked::Yes);
        }
        assert_eq!(hasher.verify(secret("password"), Some(&stored)).await.unwrap(), Checked::No);
    }
}

#[tokio::test]
async fn a_hash_of_the_password_as_it_came_is_right_and_made_anew() {
    let hasher = Hasher::new(CHEAP).unwrap();
    let typed = "pa\u{308}ssword";
    let hash = |memory_kib| {
        phc::hash(Cost { memory_kib, ..CHEAP }, typed.as_bytes(), [3; 16], &mut Vec::new()).unwrap()
    };
    assert_eq!(hasher.verify(secret(typed), Some(&hash(8))).await.unwrap(), Checked::YesButOutdated);
    assert_eq!(hasher.verify(secret(typed), Some(&hash(16))).await.unwrap(), Checked::Yes, "stronger");
    // Whatever it is compared with, a no costs as much.
    for stored in [None, Some(hash(8))] {
        let before = hasher.argon2_runs();
        let other = secret("o\u{308}ther");
        assert_eq!(hasher.verify(other, stored.as_deref()).await.unwrap(), Checked::No);
        assert_eq!(hasher.argon2_runs(), before + 2);
    }
}

async fn futures_pending<F: Future>(mut future: std::pin::Pin<&mut F>) -> bool {
    std::future::poll_fn(|cx| std::task::Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}
