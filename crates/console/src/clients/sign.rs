//! A signature around a document (CMS SignedData, RFC 5652), by which a device can tell from which server it is.
//!
//! It is written in DER here: the crates for it bring an implementation of RSA that is not let in (deny.toml).

use jiff::Timestamp;
use sha2::{Digest as _, Sha256, Sha384};
use submission::tls::{DocumentAlgorithm, DocumentSigner, TlsError};

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const NULL: u8 = 0x05;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// `[0]`, of something that is made of others.
const CONTEXT_0: u8 = 0xa0;

/// 1.2.840.113549.1.7.1 and .2: the content is a document; it is a signed one.
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// 1.2.840.113549.1.9.3, .4 and .5 (RFC 5652 section 11).
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
const SIGNING_TIME: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x05];
/// 2.16.840.1.101.3.4.2.1 and .2 (RFC 5754 section 2).
const SHA_256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const SHA_384: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02];
/// 1.2.840.10045.4.3.2 and .3 (RFC 5754 section 3.3).
const ECDSA_SHA_256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const ECDSA_SHA_384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
/// 1.2.840.113549.1.1.1 (RFC 5754 section 3.2).
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// From this year on times are written in another form (RFC 5652 section 11.3).
const GENERALIZED: i16 = 2050;

/// The document with a signature made at this moment, and the certificates to verify it with.
///
/// # Errors
/// When the TLS library fails.
pub(crate) fn signed(document: &[u8], signer: &DocumentSigner, now: Timestamp) -> Result<Vec<u8>, TlsError> {
    let attributes = attributes(signer.algorithm, document, now);
    let signature = signer.sign(&tagged(SET, &[&attributes]))?;
    let certificates = sorted(signer.chain().map(<[u8]>::to_vec).collect());
    let content = sequence(&[&identifier(DATA), &tagged(CONTEXT_0, &[&tagged(OCTET_STRING, &[document])])]);
    let signed_data = sequence(&[
        &version(),
        &tagged(SET, &[&digest_algorithm(signer.algorithm)]),
        &content,
        &tagged(CONTEXT_0, &[&certificates]),
        &tagged(SET, &[&signer_info(signer, &attributes, &signature)]),
    ]);
    Ok(sequence(&[&identifier(SIGNED_DATA), &tagged(CONTEXT_0, &[&signed_data])]))
}

/// `SignerInfo` (RFC 5652 section 5.3). What is signed are the attributes as a SET; here they stand under another tag.
fn signer_info(signer: &DocumentSigner, attributes: &[u8], signature: &[u8]) -> Vec<u8> {
    sequence(&[
        &version(),
        &sequence(&[&signer.issuer, &tagged(INTEGER, &[&signer.serial])]),
        &digest_algorithm(signer.algorithm),
        &tagged(CONTEXT_0, &[attributes]),
        &signature_algorithm(signer.algorithm),
        &tagged(OCTET_STRING, &[signature]),
    ])
}

/// What is signed in the place of the document: its digest, what it is, and when.
fn attributes(algorithm: DocumentAlgorithm, document: &[u8], now: Timestamp) -> Vec<u8> {
    let attribute = |name: &[u8], value: &[u8]| sequence(&[&identifier(name), &tagged(SET, &[value])]);
    sorted(vec![
        attribute(CONTENT_TYPE, &identifier(DATA)),
        attribute(SIGNING_TIME, &time(now)),
        attribute(MESSAGE_DIGEST, &tagged(OCTET_STRING, &[&digest(algorithm, document)])),
    ])
}

fn digest(algorithm: DocumentAlgorithm, document: &[u8]) -> Vec<u8> {
    match algorithm {
        DocumentAlgorithm::EcdsaSha256 | DocumentAlgorithm::RsaSha256 => Sha256::digest(document).to_vec(),
        DocumentAlgorithm::EcdsaSha384 => Sha384::digest(document).to_vec(),
    }
}

fn digest_algorithm(algorithm: DocumentAlgorithm) -> Vec<u8> {
    match algorithm {
        DocumentAlgorithm::EcdsaSha256 | DocumentAlgorithm::RsaSha256 => sequence(&[&identifier(SHA_256)]),
        DocumentAlgorithm::EcdsaSha384 => sequence(&[&identifier(SHA_384)]),
    }
}

fn signature_algorithm(algorithm: DocumentAlgorithm) -> Vec<u8> {
    match algorithm {
        DocumentAlgorithm::EcdsaSha256 => sequence(&[&identifier(ECDSA_SHA_256)]),
        DocumentAlgorithm::EcdsaSha384 => sequence(&[&identifier(ECDSA_SHA_384)]),
        DocumentAlgorithm::RsaSha256 => sequence(&[&identifier(RSA), &tagged(NULL, &[])]),
    }
}

fn time(at: Timestamp) -> Vec<u8> {
    let utc = at.to_zoned(jiff::tz::TimeZone::UTC);
    match utc.year() < GENERALIZED {
        true => tagged(UTC_TIME, &[utc.strftime("%y%m%d%H%M%SZ").to_string().as_bytes()]),
        false => tagged(GENERALIZED_TIME, &[utc.strftime("%Y%m%d%H%M%SZ").to_string().as_bytes()]),
    }
}

/// Of `SignedData` and `SignerInfo`, where the signer is named by issuer and serial number.
fn version() -> Vec<u8> {
    tagged(INTEGER, &[&[1]])
}

fn identifier(octets: &[u8]) -> Vec<u8> {
    tagged(OBJECT_IDENTIFIER, &[octets])
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tagged(SEQUENCE, parts)
}

/// The members of a SET OF, in the order that DER wants (X.690 section 11.6).
fn sorted(mut members: Vec<Vec<u8>>) -> Vec<u8> {
    members.sort();
    members.concat()
}

/// A value with its tag and its length (X.690 section 10.1).
fn tagged(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let octets = length.to_be_bytes();
    let significant = octets.iter().skip_while(|octet| **octet == 0);
    let mut written = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => written.push(short),
        _ => {
            let count = significant.clone().count();
            written.push(0x80 | u8::try_from(count).unwrap_or_default());
            written.extend(significant);
        }
    }
    written.extend(parts.iter().copied().flatten());
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_as_short_as_they_can_be() {
        for (length, head) in [
            (0, &[OCTET_STRING, 0][..]),
            (127, &[OCTET_STRING, 127]),
            (128, &[OCTET_STRING, 0x81, 128]),
            (256, &[OCTET_STRING, 0x82, 1, 0]),
            (65_536, &[OCTET_STRING, 0x83, 1, 0, 0]),
        ] {
            let written = tagged(OCTET_STRING, &[&vec![7; length]]);
            assert!(written.starts_with(head) && written.len() == head.len() + length, "{length}");
        }
    }

    #[test]
    fn the_time_has_two_forms() {
        let of = |text: &str| time(text.parse().unwrap());
        assert_eq!(of("2026-11-30T22:40:05Z"), [&[UTC_TIME, 13][..], b"261130224005Z"].concat());
        assert_eq!(of("2050-01-01T00:00:00Z"), [&[GENERALIZED_TIME, 15][..], b"20500101000000Z"].concat());
    }
}
