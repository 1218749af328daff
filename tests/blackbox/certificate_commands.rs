//! `gatepost certificate`, as scripts see it.

use std::path::PathBuf;
use std::process::{Command, Output};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::Value;
use tests::server::{Installation, Settings};

const ALICE: &str = "alice@example.org";
const BOB: &str = "bob@example.org";

fn installed() -> Installation {
    let installation = Installation::new(&Settings::default());
    installation.add_user(ALICE, "correct horse");
    installation.add_user(BOB, "battery staple");
    installation
}

/// A certificate and its key, valid until the first day of this year.
fn certificate(installation: &Installation, name: &str, until: i32) -> [PathBuf; 2] {
    let mut parameters = CertificateParams::default();
    (parameters.not_before, parameters.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(until, 1, 1));
    let key = KeyPair::generate().unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    let paths = ["crt", "key", "der"].map(|form| installation.path(&format!("{name}.{form}")));
    std::fs::write(&paths[0], certificate.pem()).unwrap();
    std::fs::write(&paths[1], key.serialize_pem()).unwrap();
    std::fs::write(&paths[2], certificate.der()).unwrap();
    let [pem, key, _] = paths;
    [pem, key]
}

/// As OpenSSL has it.
fn fingerprint(certificate: &PathBuf) -> String {
    let mut openssl = Command::new("openssl");
    let output =
        openssl.args(["x509", "-noout", "-fingerprint", "-sha256", "-in"]).arg(certificate).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim().split_once('=').unwrap().1.to_owned()
}

fn add(installation: &Installation, address: &str, which: &[&str]) -> Output {
    let arguments = [&["certificate", "add", address, "--label", "printer"], which].concat();
    installation.run(&arguments, "")
}

/// The one line on stderr that says why not.
fn refusal(output: &Output) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("error: ") && said.trim_end().lines().count() == 1, "{said:?}");
    said
}

#[test]
fn a_certificate_is_added_from_a_file_listed_and_removed() {
    let installation = installed();
    let [file, _] = certificate(&installation, "client", 2120);
    let expected = fingerprint(&file);
    let file = file.to_str().unwrap();
    let added = installation.json(&["certificate", "add", ALICE, file, "--label", "the printer"]);
    let keys: Vec<&String> = added.as_object().unwrap().keys().collect();
    let promised = ["created_at", "expires_at", "fingerprint", "label", "last_used_at", "last_used_ip"];
    assert_eq!(
        {
            let mut keys = keys;
            keys.sort();
            keys
        },
        promised
    );
    assert_eq!((&added["fingerprint"], &added["label"]), (&expected.clone().into(), &"the printer".into()));
    assert_eq!(added["expires_at"], "2120-01-01T00:00:00Z");
    assert!(added["last_used_at"].is_null() && added["last_used_ip"].is_null());
    assert_eq!(installation.json(&["certificate", "list", ALICE]), Value::Array(vec![added]));
    assert_eq!(installation.json(&["certificate", "list", BOB]), Value::Array(Vec::new()));
    assert!(installation.done(&["certificate", "list", ALICE]).contains("the printer"));

    let refused = installation.run(&["certificate", "remove", BOB, &expected], "");
    assert!(refusal(&refused).contains("`gatepost certificate list bob@example.org` shows"));
    installation.done(&["certificate", "remove", ALICE, &expected.to_lowercase().replace(':', "")]);
    assert_eq!(installation.json(&["certificate", "list", ALICE]), Value::Array(Vec::new()));
    for action in ["certificate-add", "certificate-remove"] {
        let entries = installation.json(&["audit", "list", "--user", ALICE, "--action", action]);
        assert_eq!(entries.as_array().unwrap().len(), 1, "{action}");
        assert_eq!(entries[0]["credential"], expected, "{action}");
    }
}

#[test]
fn a_certificate_is_added_by_its_fingerprint_once() {
    let installation = installed();
    let [file, _] = certificate(&installation, "client", 2120);
    let expected = fingerprint(&file);
    let output = add(&installation, ALICE, &["--fingerprint", &expected, "--json"]);
    let added: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(added["fingerprint"], expected);
    assert!(added["expires_at"].is_null());
    for again in [
        add(&installation, ALICE, &["--fingerprint", &expected]),
        add(&installation, BOB, &[file.to_str().unwrap()]),
    ] {
        let said = refusal(&again);
        assert!(said.contains(&format!("`gatepost certificate remove {ALICE} {expected}`")), "{said}");
    }
}

#[test]
fn people_are_told_what_is_lacking_to_log_in_with_it() {
    let installation = installed();
    let hex = "ab".repeat(32);
    let said = String::from_utf8(add(&installation, ALICE, &["--fingerprint", &hex]).stderr).unwrap();
    assert!(said.contains("client_certificates = true") && said.contains("\"EXTERNAL\""), "{said}");
    let auth = "mechanisms = [\"PLAIN\", \"EXTERNAL\"]".to_owned();
    installation.configure(&Settings { auth, ..Settings::default() });
    let said =
        String::from_utf8(add(&installation, ALICE, &["--fingerprint", &"cd".repeat(32)]).stderr).unwrap();
    assert!(said.contains("client_certificates = true") && !said.contains("\"EXTERNAL\""), "{said}");
}

#[test]
fn what_is_no_certificate_or_no_longer_one_is_refused_with_what_to_do() {
    let installation = installed();
    let [_, key] = certificate(&installation, "client", 2120);
    let [old, _] = certificate(&installation, "old", 2021);
    std::fs::write(
        installation.path("broken"),
        "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    for (file, words) in [
        (key, "client.key holds no certificate"),
        (old, "expired at 2021-01-01 00:00:00Z; add its successor"),
        (installation.path("client.der"), "; if it is DER, `openssl x509 -inform der -in"),
        (installation.path("broken"), "broken cannot be understood"),
        (installation.path("nowhere"), "cannot read"),
    ] {
        let said = refusal(&add(&installation, ALICE, &[file.to_str().unwrap()]));
        assert!(said.contains(words), "{said}");
    }
    assert!(
        refusal(&add(&installation, "carol@example.org", &["--fingerprint", &"ab".repeat(32)]))
            .contains("no account")
    );
    assert_eq!(installation.json(&["certificate", "list", ALICE]), Value::Array(Vec::new()));
}

#[test]
fn neither_file_nor_fingerprint_or_both_is_wrong_usage() {
    let installation = installed();
    let hex = "ab".repeat(32);
    for which in
        [&[][..], &["file", "--fingerprint", &hex], &["--fingerprint", "ab"], &["--fingerprint", &hex[1..]]]
    {
        let output = add(&installation, ALICE, which);
        assert_eq!(output.status.code(), Some(2), "{which:?}: {output:?}");
    }
}
