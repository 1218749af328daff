//! A certificate for this machine, and the CA that vouches for it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::Context as _;
use jiff::Span;
use jiff::civil::Date;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

/// How long a certificate is good for.
const DAYS: i64 = 365;

/// Three PEM files.
pub(super) struct Made {
    pub(super) ca: String,
    pub(super) certificate: String,
    pub(super) private_key: String,
}

/// Makes a CA and one certificate of it, ECDSA on P-256. The CA's key is forgotten at once: nobody who trusts it in a
/// client can be shown another certificate of it.
pub(super) fn make(hostname: &str, today: Date) -> anyhow::Result<Made> {
    issue(hostname, today).context("cannot make a certificate")
}

fn issue(hostname: &str, today: Date) -> anyhow::Result<Made> {
    let ca = CertifiedIssuer::self_signed(ca(today)?, KeyPair::generate()?)?;
    let private_key = KeyPair::generate()?;
    let certificate = server(hostname, today)?.signed_by(&private_key, &ca)?;
    Ok(Made { ca: ca.pem(), certificate: certificate.pem(), private_key: private_key.serialize_pem() })
}

fn ca(today: Date) -> anyhow::Result<CertificateParams> {
    let mut ca = params(Vec::new(), "Gatepost demo CA", today)?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(ca)
}

fn server(hostname: &str, today: Date) -> anyhow::Result<CertificateParams> {
    let here = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
    let mut names = vec!["localhost".to_owned(), hostname.to_owned()];
    names.extend(here.map(|ip| ip.to_string()));
    let mut server = params(names, hostname, today)?;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    Ok(server)
}

/// Good from yesterday, for clocks that differ.
fn params(names: Vec<String>, common_name: &str, today: Date) -> anyhow::Result<CertificateParams> {
    let midnight = |date: Date| {
        let (month, day) = (u8::try_from(date.month())?, u8::try_from(date.day())?);
        anyhow::Ok(rcgen::date_time_ymd(date.year().into(), month, day))
    };
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = midnight(today.yesterday()?)?;
    params.not_after = midnight(today.checked_add(Span::new().days(DAYS))?)?;
    Ok(params)
}
