//! The header of the PROXY protocol: it is known where it ends however it is cut, nothing behind it is taken, and it never grows.

use std::net::SocketAddr;

use bytes::BytesMut;

use crate::proxy::{Malformed, Proxied, take};

/// Octets of the longest header, with room.
const LONGEST: usize = 16 + 2048;

/// What a connection begins with.
pub(crate) fn holds(data: &[u8]) {
    let mut input = BytesMut::from(data);
    let taken = take(&mut input);
    let length = data.len() - input.len();
    assert!(data.ends_with(&input) && (length == 0 || matches!(taken, Ok(Some(_)))));
    match taken {
        Ok(None) => assert!(data.len() < LONGEST, "{} octets are no header yet", data.len()),
        Ok(Some(proxied)) => {
            (0..length).for_each(|cut| assert_eq!(of(&data[..cut]), Ok(None), "cut at {cut}"));
            assert_eq!(of(&data[..length]), Ok(Some(proxied)));
            if let Proxied::Client { source, destination } = proxied {
                assert_eq!(of(written(source, destination).as_bytes()), Ok(Some(proxied)));
            }
        }
        // Whatever follows makes it no better.
        Err(Malformed) => assert_eq!(of(&[data, b"\r\n"].concat()), Err(Malformed)),
    }
}

fn of(data: &[u8]) -> Result<Option<Proxied>, Malformed> {
    take(&mut BytesMut::from(data))
}

/// In version 1, which has no line for addresses of two kinds.
fn written(source: SocketAddr, destination: SocketAddr) -> String {
    let family = if source.is_ipv4() { "TCP4" } else { "TCP6" };
    let alike = |address: SocketAddr| match address {
        SocketAddr::V4(address) if destination.is_ipv6() || source.is_ipv6() => {
            format!("::ffff:{}", address.ip())
        }
        _ => address.ip().to_string(),
    };
    let family = if destination.is_ipv6() { "TCP6" } else { family };
    format!(
        "PROXY {family} {} {} {} {}\r\n",
        alike(source),
        alike(destination),
        source.port(),
        destination.port()
    )
}
