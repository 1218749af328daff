//! What a client hello (RFC 8446 section 4.1.2) offers, read for the log where the handshake came to nothing. Nothing is
//! decided by it.

/// The extension in which a client lists the versions it speaks (RFC 8446 section 4.2.1).
const SUPPORTED_VERSIONS: usize = 43;

/// The newest version of TLS that is offered, if `records` begin with a client hello in one record.
pub(crate) fn newest_version(records: &[u8]) -> Option<&'static str> {
    let mut record = Fields(records);
    let is_handshake = record.number(1)? == 22;
    record.octets(2)?;
    let mut message = record.vector(2)?;
    let is_hello = message.number(1)? == 1;
    let mut hello = message.vector(3)?;
    let legacy = hello.number(2)?;
    // Random, session id, cipher suites, compression methods.
    hello.octets(32)?;
    for length in [1, 2, 1] {
        hello.vector(length)?;
    }
    let newest = hello.vector(2).and_then(listed_versions).unwrap_or(legacy);
    (is_handshake && is_hello).then(|| name(newest)).flatten()
}

/// The newest of the versions in these extensions, as far as it is a version: clients grease the list (RFC 8701).
fn listed_versions(mut extensions: Fields<'_>) -> Option<usize> {
    while let Some(kind) = extensions.number(2) {
        let mut extension = extensions.vector(2)?;
        if kind == SUPPORTED_VERSIONS {
            let mut versions = extension.vector(1)?;
            return std::iter::from_fn(|| versions.number(2))
                .filter(|version| name(*version).is_some())
                .max();
        }
    }
    None
}

/// The version as the log has it.
fn name(version: usize) -> Option<&'static str> {
    match version {
        0x0300 => Some("SSLv3"),
        0x0301 => Some("TLSv1.0"),
        0x0302 => Some("TLSv1.1"),
        0x0303 => Some("TLSv1.2"),
        0x0304 => Some("TLSv1.3"),
        _ => None,
    }
}

/// What is left of a structure of RFC 8446 section 3.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn octets(&mut self, number: usize) -> Option<&'a [u8]> {
        let (octets, rest) = self.0.split_at_checked(number)?;
        self.0 = rest;
        Some(octets)
    }

    /// A number of so many octets.
    fn number(&mut self, octets: usize) -> Option<usize> {
        Some(self.octets(octets)?.iter().fold(0, |number, octet| number << 8 | usize::from(*octet)))
    }

    /// What stands behind a length of so many octets.
    fn vector(&mut self, octets: usize) -> Option<Fields<'a>> {
        let length = self.number(octets)?;
        self.octets(length).map(Fields)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A hello of this legacy version, that lists these.
    pub(crate) fn hello(legacy: u16, listed: &[u16]) -> Vec<u8> {
        let sized =
            |octets: &[u8], length: usize| [&octets.len().to_be_bytes()[8 - length..], octets].concat();
        let mut body = [&legacy.to_be_bytes()[..], &[7; 32], &[0], &[0, 2, 0xc0, 0x2f], &[1, 0]].concat();
        if !listed.is_empty() {
            let versions: Vec<u8> = listed.iter().flat_map(|version| version.to_be_bytes()).collect();
            let extension = [&[0, 43][..], &sized(&sized(&versions, 1), 2)].concat();
            body.extend(sized(&extension, 2));
        }
        let message = [&[1][..], &sized(&body, 3)].concat();
        [&[22, 3, 1][..], &sized(&message, 2)].concat()
    }

    #[test]
    fn the_newest_version_is_told() {
        for (legacy, listed, newest) in [
            (0x0300, &[][..], Some("SSLv3")),
            (0x0301, &[], Some("TLSv1.0")),
            (0x0303, &[], Some("TLSv1.2")),
            (0x0303, &[0x0a0a, 0x0302, 0x0304, 0x0303], Some("TLSv1.3")),
            (0x0303, &[0x0302, 0x0301], Some("TLSv1.1")),
            (0x0303, &[0x7a7a], Some("TLSv1.2")),
            (0x9999, &[], None),
        ] {
            assert_eq!(newest_version(&hello(legacy, listed)), newest, "{legacy:x} {listed:x?}");
        }
    }

    #[test]
    fn what_is_no_hello_or_only_a_part_of_one_tells_nothing() {
        let whole = hello(0x0303, &[0x0304]);
        for end in 0..whole.len() {
            assert_eq!(newest_version(&whole[..end]), None, "{end}");
        }
        assert_eq!(newest_version(b"EHLO client.example\r\n"), None);
        assert_eq!(newest_version(&[22; 300]), None);
    }
}
