//! An export that WildDuck's own code has made: see tests/fixtures/wildduck/README.md.

use super::*;

const USERS: &str = include_str!("../../../../../tests/fixtures/wildduck/users.json");
const ASPS: &str = include_str!("../../../../../tests/fixtures/wildduck/asps.json");
const ADDRESSES: &str = include_str!("../../../../../tests/fixtures/wildduck/addresses.json");

fn secret() -> Secret {
    Secret::new("a secret cat")
}

fn found(files: &[&str], secret: Option<&Secret>) -> Vec<Found> {
    let terms = Terms { domain: None, scheme: "CRYPT".to_owned() };
    let mut export = Export::default();
    for (number, text) in files.iter().enumerate() {
        export.add(&format!("file {number}").into(), text.as_bytes(), &terms, secret).unwrap();
    }
    export.finds().map(Result::unwrap).collect()
}

fn newcomer<'a>(found: &'a [Found], address: &str) -> &'a Newcomer {
    let mut newcomers = found.iter().filter_map(|found| found.newcomer.as_ref().ok());
    newcomers.find(|newcomer| newcomer.address.to_string() == address).unwrap()
}

fn flaws(found: &[Found]) -> Vec<&String> {
    found.iter().filter_map(|found| found.newcomer.as_ref().err()).collect()
}

#[test]
fn every_account_comes_with_what_belongs_to_it_whatever_the_order() {
    for files in [[USERS, ASPS, ADDRESSES], [ADDRESSES, ASPS, USERS]] {
        let found = found(&files, Some(&secret()));
        let alice = newcomer(&found, "alice@example.org");
        assert_eq!((alice.name.as_deref(), alice.disabled), (Some("Alice"), false));
        assert_eq!(alice.created_at, Some("2024-03-12T20:43:42Z".parse().unwrap()));
        assert!(
            matches!(&alice.password, Some(ImportedPassword::Hash(hash)) if hash.starts_with("$pbkdf2-sha256$"))
        );
        let asps: Vec<_> =
            alice.app_passwords.iter().map(|asp| (asp.label.as_str(), asp.expires_at.is_some())).collect();
        assert_eq!(asps, [("Phone", false), ("Printer", true)]);
        let identities: Vec<_> = alice.identities.iter().map(ToString::to_string).collect();
        assert_eq!(identities, ["sales@example.org", "*@alice.example"]);
        assert_eq!(alice.lacks.len(), 1);
        assert!(alice.lacks[0].contains("\"alice@*\""), "{:?}", alice.lacks);
        assert!(newcomer(&found, "dave@example.org").disabled);
    }
}

#[test]
fn seeds_are_opened_in_every_form_they_were_kept_in() {
    let found = found(&[USERS], Some(&secret()));
    for (address, seed) in [
        ("bob@example.org", "NBSWY3DPO5XXE3DEEB2GQZLSMVRGKZI"),
        ("carol@example.org", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"),
        ("frank@example.org", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"),
    ] {
        assert_eq!(newcomer(&found, address).seed.as_ref().unwrap().base32().as_str(), seed, "{address}");
    }
    assert!(newcomer(&found, "alice@example.org").seed.is_none());
}

#[test]
fn nobody_loses_a_second_factor_on_the_way() {
    let wrong = Secret::new("another cat");
    for (secret, why) in [(None, "pass --totp-secret-file"), (Some(&wrong), "does not open")] {
        let found = found(&[USERS], secret);
        let told: Vec<_> = flaws(&found).into_iter().filter(|flaw| flaw.contains(why)).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("bob@example.org: ") && told[1].starts_with("carol@example.org: "));
    }
    let found = found(&[USERS, ASPS], Some(&secret()));
    let erin = newcomer(&found, "erin@example.org");
    assert!(erin.password.is_none(), "WildDuck takes it no more either");
    assert!(erin.lacks[0].contains("second factor"), "{:?}", erin.lacks);
}

#[test]
fn app_passwords_for_other_services_are_left_and_those_without_selector_told() {
    let found = found(&[USERS, ASPS], Some(&secret()));
    let erin = newcomer(&found, "erin@example.org");
    assert_eq!(erin.app_passwords.len(), 0);
    assert_eq!(erin.lacks.iter().filter(|lack| lack.contains("no selector")).count(), 1, "{:?}", erin.lacks);
    assert_eq!(erin.lacks.len(), 2);
}

#[test]
fn what_nobody_can_check_or_owns_is_told() {
    let all = found(&[USERS, ASPS], Some(&secret()));
    let told = flaws(&all);
    assert!(told.len() == 1 && told[0].starts_with("grace@example.org: "), "{told:?}");
    let orphans = found(&[ASPS], None);
    assert!(flaws(&orphans).iter().all(|flaw| flaw.contains("not in the export")), "{orphans:?}");
    assert_eq!(orphans.len(), 5);
    let nothing = found(&["{\"disabled\":true}\n"], None);
    assert!(flaws(&nothing)[0].contains("neither address nor username"));
}
