//! Chains of certificates made here, against records of them.

use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::UnixTime;

use super::*;

/// An authority, one between, and the certificate of a host; the two above are valid for ever.
struct Chain {
    top: CertificateDer<'static>,
    between: CertificateDer<'static>,
    host: CertificateDer<'static>,
}

/// Whether the certificate of the host, or the one above it, has expired.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expired {
    Nothing,
    Host,
    Between,
}

fn chain(name: &str, expired: Expired) -> Chain {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(rcgen::DnType::CommonName, "top");
    let top_key = KeyPair::generate().unwrap();
    let top = authority.self_signed(&top_key).unwrap();
    let by_top = Issuer::from_params(&authority, &top_key);
    let mut middle = CertificateParams::new(Vec::new()).unwrap();
    middle.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    middle.distinguished_name.push(rcgen::DnType::CommonName, "between");
    end(&mut middle, expired == Expired::Between);
    let middle_key = KeyPair::generate().unwrap();
    let between = middle.signed_by(&middle_key, &by_top).unwrap();
    let by_middle = Issuer::from_params(&middle, &middle_key);
    let mut leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
    end(&mut leaf, expired == Expired::Host);
    let host = leaf.signed_by(&KeyPair::generate().unwrap(), &by_middle).unwrap();
    Chain { top: top.der().clone(), between: between.der().clone(), host: host.der().clone() }
}

fn end(certificate: &mut CertificateParams, expired: bool) {
    if expired {
        certificate.not_after = rcgen::date_time_ymd(2020, 1, 1);
    }
}

/// A record that names this certificate.
fn tlsa(usage: u8, selector: u8, matching: u8, of: &CertificateDer<'_>) -> Tlsa {
    let data = selected(selector, of).unwrap();
    let data = match matching {
        0 => data,
        1 => Sha256::digest(data).to_vec(),
        _ => Sha512::digest(data).to_vec(),
    };
    Tlsa { usage, selector, matching, data }
}

/// What `mx.example` with these records comes to, which takes mail for `example.org`; empty if it is well.
fn judged(shown: &[&CertificateDer<'static>], records: Vec<Tlsa>) -> String {
    let domain = |name| Domain::parse(name).unwrap();
    let tlsas = Tlsas { base: domain("mx.example"), also: vec![domain("example.org")], records };
    let intermediates: Vec<_> = shown[1..].iter().map(|&certificate| certificate.clone()).collect();
    let shown = Shown { end_entity: shown[0], intermediates: &intermediates };
    let now = UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000));
    let judged = shown.verify(&tlsas, now, &aws_lc_rs::default_provider());
    judged.err().map(|error| error.to_string()).unwrap_or_default()
}

const SELECTORS: [u8; 2] = [0, 1];
const MATCHINGS: [u8; 3] = [0, 1, 2];

#[test]
fn the_certificate_itself_is_right_whatever_its_name_and_dates_are() {
    let (right, old) = (chain("mx.example", Expired::Nothing), chain("other.example", Expired::Host));
    let other = chain("mx.example", Expired::Nothing);
    for (selector, matching) in
        SELECTORS.into_iter().flat_map(|selector| MATCHINGS.map(|matching| (selector, matching)))
    {
        let record = |of: &Chain| tlsa(3, selector, matching, &of.host);
        for chain in [&right, &old] {
            assert_eq!(judged(&[&chain.host], vec![record(chain)]), "", "3 {selector} {matching}");
            // The record of tomorrow, and that of today.
            assert_eq!(judged(&[&chain.host], vec![record(&other), record(chain)]), "");
        }
        let said = judged(&[&right.host, &right.between], vec![record(&other)]);
        assert!(said.contains("NotNamed") && said.contains("mx.example"), "{said}");
        // No record of that usage is about those above.
        let above = tlsa(3, selector, matching, &right.between);
        assert!(judged(&[&right.host, &right.between], vec![above]).contains("NotNamed"));
    }
}

#[test]
fn an_authority_needs_a_chain_a_name_and_dates() {
    let right = chain("mx.example", Expired::Nothing);
    let of_domain = chain("example.org", Expired::Nothing);
    let elsewhere = chain("other.example", Expired::Nothing);
    let (old, between) = (chain("mx.example", Expired::Host), chain("mx.example", Expired::Between));
    for (selector, matching) in
        SELECTORS.into_iter().flat_map(|selector| MATCHINGS.map(|matching| (selector, matching)))
    {
        let by = |of: &CertificateDer<'_>| vec![tlsa(2, selector, matching, of)];
        let with_all = |of: &Chain| judged(&[&of.host, &of.between, &of.top], by(&of.top));
        for chain in [&right, &of_domain] {
            assert_eq!(with_all(chain), "", "2 {selector} {matching}");
            assert_eq!(judged(&[&chain.host, &chain.between], by(&chain.between)), "");
        }
        assert!(with_all(&elsewhere).contains("not valid for name"), "{}", with_all(&elsewhere));
        assert!(with_all(&old).contains("expired") && with_all(&between).contains("expired"));
        // Shown, and not what has signed.
        let said = judged(&[&right.host, &right.between, &elsewhere.top], by(&elsewhere.top));
        assert!(said.contains("BadSignature"), "{said}");
        // The host is no authority of its own.
        assert!(judged(&[&right.host, &right.between], by(&right.host)).contains("invalid peer certificate"));
    }
}

#[test]
fn an_authority_that_the_record_has_in_full_need_not_be_shown() {
    let (right, other) = (chain("mx.example", Expired::Nothing), chain("mx.example", Expired::Nothing));
    for selector in SELECTORS {
        let shown = [&right.host, &right.between];
        assert_eq!(judged(&shown, vec![tlsa(2, selector, 0, &right.top)]), "", "2 {selector} 0");
        assert_ne!(judged(&shown, vec![tlsa(2, selector, 0, &other.top)]), "");
        assert!(judged(&shown, vec![tlsa(2, selector, 1, &right.top)]).contains("NotNamed"));
        assert_ne!(judged(&[&right.host], vec![tlsa(2, selector, 0, &right.top)]), "");
    }
}

/// Threat TLS-16: records that nobody can read break nothing.
#[test]
fn records_of_any_octets_are_no_proof() {
    let right = chain("mx.example", Expired::Nothing);
    for data in [
        vec![0x30],
        vec![0x30, 0x82],
        vec![0x30, 0x82, 0, 0],
        vec![0xff; 3],
        right.top.to_vec()[..40].to_vec(),
    ] {
        for (usage, selector) in [(2, 0), (2, 1), (3, 0), (3, 1)] {
            let record = Tlsa { usage, selector, matching: 0, data: data.clone() };
            assert_ne!(judged(&[&right.host, &right.between], vec![record]), "");
        }
    }
}
