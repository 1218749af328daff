//! The header of the PROXY protocol, versions 1 and 2, with which a proxy begins a connection that it makes for a client
//! (<https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt>).
//!
//! Whether a peer may send one, and has to, is not decided here. What the header says of the client's TLS, or of anything
//! else but its addresses, is never looked at.

use std::net::SocketAddr;

use bytes::{Buf, BytesMut};
use proxy_header::{ParseConfig, Protocol, ProxyHeader};

/// How a header of version 1 begins, which is a line of text.
const LINE_BEGINS: &[u8] = b"PROXY ";

/// The longest such line with its CRLF. Section 2.1.
const LINE: usize = 107;

/// How a header of version 2 begins. Section 2.2.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Octets of a header of version 2 before its variable part, whose length stands at their end.
const FIXED: usize = 16;

/// The most octets of the variable part. Addresses take 216 at most; a client's certificate may be there too.
const VARIABLE: usize = 2048;

/// Version 2, command LOCAL.
const LOCAL: u8 = 0x20;

/// Whom a proxy speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proxied {
    /// Itself: it wants to know whether we are there.
    Itself,
    /// Somebody of whom it knows no address, or none of TCP.
    Somebody,
    /// This client.
    Client {
        /// Where the client connected from.
        source: SocketAddr,
        /// Where the client connected to.
        destination: SocketAddr,
    },
}

/// What has come is not the beginning of a header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Takes a header off the front of `input`, once all of it has come.
pub(crate) fn take(input: &mut BytesMut) -> Result<Option<Proxied>, Malformed> {
    let Some(length) = length(input)? else { return Ok(None) };
    let header = input.get(..length).ok_or(Malformed)?;
    let proxied = if header.starts_with(SIGNATURE) { in_block(header) } else { in_line(header) }?;
    input.advance(length);
    Ok(Some(proxied))
}

/// How long the header is, if enough of it has come to know.
fn length(input: &[u8]) -> Result<Option<usize>, Malformed> {
    if may_become(input, LINE_BEGINS) {
        line_length(input)
    } else if may_become(input, SIGNATURE) {
        block_length(input)
    } else {
        Err(Malformed)
    }
}

fn may_become(input: &[u8], beginning: &[u8]) -> bool {
    input.iter().zip(beginning).all(|(came, wanted)| came == wanted)
}

fn line_length(input: &[u8]) -> Result<Option<usize>, Malformed> {
    let text = input.iter().take_while(|octet| matches!(octet, b' '..=b'~')).count();
    match input.get(text..) {
        Some([b'\r', b'\n', ..]) if text + 2 <= LINE => Ok(Some(text + 2)),
        Some([] | [b'\r']) if text + 2 <= LINE => Ok(None),
        _ => Err(Malformed),
    }
}

fn block_length(input: &[u8]) -> Result<Option<usize>, Malformed> {
    let Some(fixed) = input.first_chunk::<FIXED>() else { return Ok(None) };
    let [.., high, low] = *fixed;
    let variable = usize::from(u16::from_be_bytes([high, low]));
    if variable > VARIABLE {
        return Err(Malformed);
    }
    Ok(Some(FIXED + variable).filter(|length| input.len() >= *length))
}

/// The parser lets pass what the protocol does not: `UNKNOWN` with letters behind it, ports with `+` or zeros in front.
fn in_line(line: &[u8]) -> Result<Proxied, Malformed> {
    let (header, _) = ProxyHeader::parse(line, ParseConfig::default()).map_err(|_| Malformed)?;
    let mut words = line.trim_ascii_end().split(|octet| *octet == b' ').skip(1);
    match header.proxied_address() {
        None if words.next() == Some(b"UNKNOWN") => Ok(Proxied::Somebody),
        None => Err(Malformed),
        Some(address) => {
            let ports = [address.source.port(), address.destination.port()].map(|port| port.to_string());
            let as_written = words.skip(3).eq(ports.iter().map(String::as_bytes));
            if as_written { Ok(client(address.source, address.destination)) } else { Err(Malformed) }
        }
    }
}

/// The parser says of addresses that do not fit into the length that more is to come, but all has come.
fn in_block(block: &[u8]) -> Result<Proxied, Malformed> {
    // Section 2.2: whatever else stands in such a header is to be ignored.
    if block.get(SIGNATURE.len()) == Some(&LOCAL) {
        return Ok(Proxied::Itself);
    }
    let config = ParseConfig { include_tlvs: false, ..ParseConfig::default() };
    let (header, _) = ProxyHeader::parse(block, config).map_err(|_| Malformed)?;
    match header.proxied_address() {
        None => Ok(Proxied::Somebody),
        Some(address) if address.protocol == Protocol::Stream => {
            Ok(client(address.source, address.destination))
        }
        Some(_) => Err(Malformed),
    }
}

/// A client of IPv4 may come to the proxy, and be told to us, in the clothes of IPv6 (RFC 4291 section 2.5.5.2).
fn client(source: SocketAddr, destination: SocketAddr) -> Proxied {
    let canonical = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
    Proxied::Client { source: canonical(source), destination: canonical(destination) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block(command: u8, family: u8, variable: &[u8]) -> Vec<u8> {
        let length = u16::try_from(variable.len()).unwrap().to_be_bytes();
        [SIGNATURE, &[command, family], &length, variable].concat()
    }

    /// Addresses of IPv4: 192.0.2.1:1234 to 192.0.2.2:587.
    const V4: [u8; 12] = [192, 0, 2, 1, 192, 0, 2, 2, 0x04, 0xd2, 0x02, 0x4b];

    fn v6(source: &str) -> Vec<u8> {
        let address = |text: &str| text.parse::<std::net::Ipv6Addr>().unwrap().octets();
        [&address(source)[..], &address("2001:db8::2"), &[0x04, 0xd2, 0x02, 0x4b]].concat()
    }

    fn read(header: &[u8]) -> Result<Option<Proxied>, Malformed> {
        take(&mut BytesMut::from(header))
    }

    fn from(source: &str, destination: &str) -> Proxied {
        Proxied::Client { source: source.parse().unwrap(), destination: destination.parse().unwrap() }
    }

    fn good() -> Vec<(Vec<u8>, Proxied)> {
        let client = from("192.0.2.1:1234", "192.0.2.2:587");
        let line = |text: &str| format!("PROXY {text}\r\n").into_bytes();
        let longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
        vec![
            (line("TCP4 192.0.2.1 192.0.2.2 1234 587"), client),
            (line("TCP4 192.0.2.1 192.0.2.2 0 65535"), from("192.0.2.1:0", "192.0.2.2:65535")),
            (line("TCP6 2001:db8::1 2001:DB8::2 1234 587"), from("[2001:db8::1]:1234", "[2001:db8::2]:587")),
            (line("TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1234 587"), client),
            (line("UNKNOWN"), Proxied::Somebody),
            (line(&format!("UNKNOWN {longest} {longest} 65535 65535")), Proxied::Somebody),
            (block(0x21, 0x11, &V4), client),
            (block(0x21, 0x21, &v6("2001:db8::1")), from("[2001:db8::1]:1234", "[2001:db8::2]:587")),
            (block(0x21, 0x21, &v6("::ffff:192.0.2.1")), from("192.0.2.1:1234", "[2001:db8::2]:587")),
            // TLVs: padding, one that says that the client came under TLS, one that is cut off.
            (block(0x21, 0x11, &[&V4[..], &[4, 0, 1, 0, 0x20, 0, 5, 1, 0, 0, 0, 0, 9, 9]].concat()), client),
            (block(0x21, 0x11, &[&V4[..], &[0; VARIABLE - 12]].concat()), client),
            (block(0x20, 0x00, &[]), Proxied::Itself),
            (block(0x20, 0x11, &V4), Proxied::Itself),
            (block(0x20, 0xff, &[1, 2, 3]), Proxied::Itself),
            (block(0x21, 0x00, &[]), Proxied::Somebody),
            (block(0x21, 0x31, &[0; 216]), Proxied::Somebody),
        ]
    }

    #[test]
    fn what_follows_a_header_is_left_wherever_it_is_cut() {
        for (header, proxied) in good() {
            for cut in 0..header.len() {
                assert_eq!(read(&header[..cut]), Ok(None), "{cut} of {}", header.escape_ascii());
            }
            let mut input = BytesMut::from(&header[..]);
            input.extend_from_slice(&header);
            assert_eq!(take(&mut input), Ok(Some(proxied)), "{}", header.escape_ascii());
            assert_eq!(input, header);
        }
    }

    #[test]
    fn a_line_that_is_not_quite_a_header_is_none() {
        for text in [
            "EHLO a.example\r\n",
            "PROXY\r\n",
            "PROXY \r\n",
            "proxy TCP4 192.0.2.1 192.0.2.2 1234 587\r\n",
            "PROXYxTCP4 192.0.2.1 192.0.2.2 1234 587\r\n",
            "PROXY  TCP4 192.0.2.1 192.0.2.2 1234 587\r\n",
            "PROXY TCP4 192.0.2.1  192.0.2.2 1234 587\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1234 587 \r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1234 587\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1234 587\r\r\n",
            "PROXY TCP4\t192.0.2.1 192.0.2.2 1234 587\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1234\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 01234 587\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 +1234 587\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1234 00\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 65536 587\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 -1 587\r\n",
            "PROXY TCP4 192.0.02.1 192.0.2.2 1234 587\r\n",
            "PROXY TCP4 192.0.2.256 192.0.2.2 1234 587\r\n",
            "PROXY TCP4 2001:db8::1 192.0.2.2 1234 587\r\n",
            "PROXY TCP6 192.0.2.1 192.0.2.2 1234 587\r\n",
            "PROXY TCP6 fe80::1%eth0 2001:db8::2 1234 587\r\n",
            "PROXY UDP4 192.0.2.1 192.0.2.2 1234 587\r\n",
            "PROXY UNKNOWNS\r\n",
            "PROXY UNKNOWN\0\r\n",
            "PROXY UNKNOWN\n\r\n",
        ] {
            assert_eq!(read(text.as_bytes()), Err(Malformed), "{text:?}");
        }
        let long = |octets: usize| format!("PROXY UNKNOWN {}", "x".repeat(octets - 16)) + "\r\n";
        assert_eq!(read(long(LINE).as_bytes()), Ok(Some(Proxied::Somebody)));
        assert_eq!(read(long(LINE + 1).as_bytes()), Err(Malformed));
        assert_eq!(read(&long(LINE + 1).as_bytes()[..LINE - 1]), Err(Malformed), "its end can't be in time");
    }

    #[test]
    fn a_block_that_is_not_quite_a_header_is_none() {
        let too_long = [SIGNATURE, &[0x21, 0x11], &2049_u16.to_be_bytes()].concat();
        for block in [
            block(0x11, 0x11, &V4),
            block(0x22, 0x11, &V4),
            block(0x21, 0x12, &V4),
            block(0x21, 0x22, &v6("2001:db8::1")),
            block(0x21, 0x10, &V4),
            block(0x21, 0x13, &V4),
            block(0x21, 0x41, &V4),
            block(0x21, 0x11, &V4[..11]),
            block(0x21, 0x11, &[]),
            block(0x21, 0x21, &V4),
            block(0x21, 0x31, &[0; 215]),
            too_long,
            block(0x21, 0x11, &[0; 65535]),
            b"\r\n\r\n\0\r\nQUIT\r\n\x21\x11\0\x0c".to_vec(),
        ] {
            assert_eq!(read(&block), Err(Malformed), "{}", block.escape_ascii());
        }
        // What follows is not taken for a missing part.
        let short = [block(0x21, 0x11, &V4[..11]), b"EHLO a.example\r\n".to_vec()].concat();
        assert_eq!(read(&short), Err(Malformed));
    }

    proptest! {
        #[test]
        fn no_octets_are_too_strange(
            which in 0_usize..16, at in 0_usize..60, octet: u8, tail in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let mut header = good().swap_remove(which).0;
            if let Some(place) = header.get_mut(at) {
                *place = octet;
            }
            header.extend_from_slice(&tail);
            let mut whole = BytesMut::from(&header[..]);
            let at_once = take(&mut whole);
            // In pieces of one octet it comes to the same, and never to more than one header's worth of octets.
            let mut input = BytesMut::new();
            let in_pieces = header.iter().find_map(|octet| {
                input.extend_from_slice(&[*octet]);
                take(&mut input).transpose()
            });
            match in_pieces {
                Some(done) => prop_assert_eq!(done.map(Some), at_once),
                None => prop_assert_eq!(Ok(None), at_once),
            }
            prop_assert!(input.len() <= FIXED + VARIABLE);
        }
    }
}
