//! Hashes that the programs themselves have made.

use std::process::Command;
use std::time::{Duration, Instant};

use super::*;
use crate::password_hash::stored::{ImportedPassword, StoredHash};

/// What `doveadm pw -p secret` prints.
const DOVEADM: [&str; 21] = [
    "{MD5-CRYPT}$1$N10OQhn4$n.X0eUdMhHCK2N8DdV/kS/",
    "{SHA512-CRYPT}$6$5I8cqY.fFXLOVii4$5I//2W81PPxoFm6eLyobju/McS1H1dhvNUcwqqX.rK6roKR8bx26sX68xFAVsOiuNT7W78QZI0c5Y8l7AXY3O0",
    "{SHA256-CRYPT}$5$F6dJVWYevOBhIkz8$q9IjFzyv2Rs2803QSDOVjxzf3jl8flJPQ0YBk7t02XC",
    "{BLF-CRYPT}$2y$05$B.igq0cNtA0WqKV0wLIbcepDMzU8EFhjCNDVF0od5o0U28WGvvZii",
    "{CRYPT}$2y$05$dTYeiViuckV/RLFdt9yySulJAx1Eim0MTTzstk2FOtBx9CbmBe3o.",
    "{CRYPT}$y$j9T$abcdefghijklmnop$3dL1LkYnZM.OVXuVdnnaKVDlLYT92dRwOzDZ5XiVCe.",
    "{PBKDF2}$1$yCPVEIz25ycWCyaO$5000$c9f25b3e0db499409e02b82daef5bea9b9cf3c1e",
    "{SSHA}vH9ZzOQJ2A1cNOLXHJVHCxIbfMf5r1P+",
    "{SSHA256}jQ/LjcN71Y/VlcT144LgSrCSTZLygHPh9X/zjFvGWBg/87+h",
    "{SSHA512}dIIlMlwV6HegMf9j4dQvnOn3WCQslAgIUBt4cnrq/RVM/jvpjrWltRHtF8N7UWtHOPxtMfk2mhlYenx9cWPn6fruqCo=",
    "{SSHA512.b64}dIIlMlwV6HegMf9j4dQvnOn3WCQslAgIUBt4cnrq/RVM/jvpjrWltRHtF8N7UWtHOPxtMfk2mhlYenx9cWPn6fruqCo=",
    "{ssha.hex}bc7f59cce409d80d5c34e2d71c95470b121b7cc7f9af53fe",
    "{SMD5}YE1JcAsrVZbeytWXSSUsmUGF6Lk=",
    "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
    "{SHA1.HEX}e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4",
    "{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=",
    "{SHA256}2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b",
    "{SHA512}vSsar3708Jvp9Szi2NWZZ02Bqp1qRCFpbcTZPdBhnWgs5WtNZKnvCXdhztmeD2cmW192CF5bDufKRpayrW/isg==",
    "{LDAP-MD5}Xr4ilOzQ4PCOq3aQ0qbuaQ==",
    "{PLAIN-MD5}5ebe2294ecd0e0f08eab7690d2a6ee69",
    "{PLAIN-MD5.HEX}5EBE2294ECD0E0F08EAB7690D2A6EE69",
];

const BCRYPT_TAIL: &str = "B.igq0cNtA0WqKV0wLIbcepDMzU8EFhjCNDVF0od5o0U28WGvvZii";
const SHA512_TAIL: &str =
    "5I8cqY.fFXLOVii4$5I//2W81PPxoFm6eLyobju/McS1H1dhvNUcwqqX.rK6roKR8bx26sX68xFAVsOiuNT7W78QZI0c5Y8l7AXY3O0";

/// What WildDuck's own modules for it make of `secret`.
const WILDDUCK: [&str; 4] = [
    "$pbkdf2-sha512$i=25000$PtEaFwJNJedmyYxnh0YUQg$IHMreZ26XMq7aD5BQ3v/nHaqn8pnv0pB9zTQwif1XIqHlKUig92NQN8TaVWQpavruyVU6NYcHRS3vknr6ulzXQ",
    "$pbkdf2-sha256$i=1000$EV6t67CjKfhKfWOOsYbTPA$U8Ukv9LayxF44cK7q1BqwkYo9iEgK0P4cnKlgsRQWr4",
    "$pbkdf2-sha1$i=1000$EGgOp/OUAXClusd4bOhrfw$UJa6dMKEDSwW/hhZ+KrNBx/L690",
    "$2b$04$amtq3Oub1xDmTPsaFz/QZexjUK8G2TYZYiZeUZk3HkAMOB6SPL7JC",
];

fn matches(hash: &str, password: &str) -> Option<bool> {
    match StoredHash::parse(hash).ok()? {
        StoredHash::Foreign(foreign) => foreign.matches(password.as_bytes()),
        StoredHash::Argon2(phc) => phc.matches(password.as_bytes(), &mut Vec::new()),
    }
}

fn brought(text: &str, default: &str) -> String {
    match ImportedPassword::parse(text, default) {
        Ok(ImportedPassword::Hash(hash)) => hash,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn what_dovecot_has_hashed_matches_as_it_is_and_as_it_is_stored() {
    for hash in DOVEADM {
        let stored = brought(hash, "PLAIN");
        for hash in [hash, &stored] {
            assert_eq!(matches(hash, "secret"), Some(true), "{hash}");
            for wrong in ["Secret", "secret ", ""] {
                assert_eq!(matches(hash, wrong), Some(false), "{hash}");
            }
        }
    }
}

#[test]
fn what_openssl_has_hashed_matches() {
    for algorithm in ["-1", "-5", "-6"] {
        for password in ["secret", " ", "grüße 日本", &"long ".repeat(30)] {
            let made = Command::new("openssl").args(["passwd", algorithm, "--", password]).output().unwrap();
            let hash = String::from_utf8(made.stdout).unwrap();
            assert_eq!(matches(hash.trim(), password), Some(true), "{algorithm} {password}");
            assert_eq!(matches(hash.trim(), "other"), Some(false), "{algorithm} {password}");
        }
    }
}

#[test]
fn what_wildduck_has_hashed_matches() {
    for hash in WILDDUCK {
        assert_eq!(matches(&brought(hash, "CRYPT"), "secret"), Some(true), "{hash}");
        assert_eq!(matches(&brought(hash, "CRYPT"), "secrer"), Some(false), "{hash}");
    }
}

#[test]
fn what_says_itself_what_it_is_is_stored_without_its_scheme() {
    let argon2 =
        "$argon2id$v=19$m=65536,t=3,p=1$QyvXrB9WOoFFPoXXbb0quw$1ezdBEQQoyBwDictSogJ9KEwqOEJGkV6c/EP+fNdK/Y";
    assert_eq!(brought(&format!("{{ARGON2ID}}{argon2}"), "CRYPT"), argon2);
    assert_eq!(brought(argon2, "SSHA"), argon2);
    let sha1 = "vH9ZzOQJ2A1cNOLXHJVHCxIbfMf5r1P+";
    assert_eq!(brought(sha1, "SSHA"), format!("{{SSHA}}{sha1}"));
    let pbkdf2 = "$1$yCPVEIz25ycWCyaO$5000$c9f25b3e0db499409e02b82daef5bea9b9cf3c1e";
    assert_eq!(brought(&format!("{{pbkdf2}}{pbkdf2}"), "CRYPT"), format!("{{pbkdf2}}{pbkdf2}"));
}

#[test]
fn a_password_in_clear_is_told_apart_and_never_a_stored_hash() {
    for (text, default) in [
        ("{PLAIN}secret", "CRYPT"),
        ("{plain.b64}c2VjcmV0", "CRYPT"),
        ("{CLEARTEXT.hex}736563726574", "CRYPT"),
        ("secret", "PLAIN"),
    ] {
        let Ok(ImportedPassword::Clear(secret)) = ImportedPassword::parse(text, default) else {
            panic!("{text}")
        };
        assert_eq!(secret.declassify(), b"secret", "{text}");
    }
    let Ok(ImportedPassword::Clear(secret)) = ImportedPassword::parse("$6$odd", "PLAIN") else { panic!() };
    assert_eq!(secret.declassify(), b"$6$odd");
    assert_eq!(StoredHash::parse("{PLAIN}secret").err(), Some(StoredError::Clear));
}

#[test]
fn what_costs_too_much_is_told_at_once() {
    let began = Instant::now();
    let (salt_and_hash, sha512) = (BCRYPT_TAIL, SHA512_TAIL);
    for hash in [
        format!("$6$rounds=999999999${sha512}"),
        format!("$6$rounds=1000001${sha512}"),
        format!("$6$rounds=99999999999999999999${sha512}"),
        format!("{{SHA512-CRYPT}}$6$rounds=4294967295${sha512}"),
        format!("$2y$16${salt_and_hash}"),
        format!("$2y$31${salt_and_hash}"),
        format!("$2y$99${salt_and_hash}"),
        format!("{{PBKDF2}}$1$salt$2000001${}", "0".repeat(40)),
        "$pbkdf2-sha512$i=4294967296$c2FsdA$c2FsdHNhbHRzYWx0c2FsdA".to_owned(),
        format!("$y$jMT$abcdefghijklmnop${}", "a".repeat(43)),
    ] {
        assert_eq!(StoredHash::parse(&hash).err(), Some(StoredError::TooCostly), "{hash}");
    }
    assert!(began.elapsed() < Duration::from_secs(1));
}

#[test]
fn what_is_malformed_is_told_and_runs_nothing() {
    let (salt_and_hash, sha512) = (BCRYPT_TAIL, SHA512_TAIL);
    for hash in [
        String::new(),
        "{SSHA512".to_owned(),
        "{SSHA}".to_owned(),
        "{SSHA}c2hvcnQ=".to_owned(),
        "{SSHA512.hex}zz".to_owned(),
        "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=AAAA".to_owned(),
        format!("{{SSHA}}{}", "A".repeat(1 << 20)),
        format!("$6$rounds=-1${sha512}"),
        format!("$6$rounds=+5000${sha512}"),
        format!("$6$rounds=0${sha512}"),
        format!("$6$rounds=${sha512}"),
        format!("$6$rounds=5000$x${sha512}"),
        format!("$6${sha512}x"),
        "$6$salt$".to_owned(),
        "$6$".to_owned(),
        format!("$2y$-5${salt_and_hash}"),
        format!("$2y$03${salt_and_hash}"),
        "$2y$05$short".to_owned(),
        "{PBKDF2}$1$salt$0$c9f25b3e0db499409e02b82daef5bea9b9cf3c1e".to_owned(),
        "{PBKDF2}$1$salt$5000$".to_owned(),
        "{PBKDF2}$1$salt$5000$c9f2".to_owned(),
        "{PBKDF2}$2$salt$5000$c9f25b3e0db499409e02b82daef5bea9b9cf3c1e".to_owned(),
        "$pbkdf2-sha512$25000$c2FsdA$c2FsdHNhbHRzYWx0c2FsdA".to_owned(),
        "$y$j9T$salt$".to_owned(),
        "$1$salt$short".to_owned(),
        "$1$toolongsalt$n.X0eUdMhHCK2N8DdV/kS/".to_owned(),
        format!("$y$j9T3$abcdefghijklmnop${}", "a".repeat(43)),
    ] {
        assert_eq!(StoredHash::parse(&hash).err(), Some(StoredError::Malformed), "{hash:.80}");
    }
}

#[test]
fn what_is_unknown_is_told_so() {
    for hash in ["{DES-CRYPT}x", "{SSHA.odd}x", "{}x", "$2x$05$x", "$7$x", "$pbkdf2-md5$i=1$x$y", "$"] {
        assert_eq!(StoredHash::parse(hash).err(), Some(StoredError::UnknownScheme), "{hash}");
    }
}

#[test]
fn a_password_that_is_too_long_to_be_one_costs_nothing() {
    let long = "x".repeat(1 << 20);
    let began = Instant::now();
    assert_eq!(matches(DOVEADM[0], &long), Some(false));
    assert!(began.elapsed() < Duration::from_secs(1));
}
