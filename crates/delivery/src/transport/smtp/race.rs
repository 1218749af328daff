//! Connecting to the first address that answers: the next one is tried when one has failed, or is slow (RFC 8305).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long one address may take to answer.
const CONNECT: Duration = Duration::from_secs(30);
/// When the next address is tried beside those that have not answered (RFC 8305 section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// The first of these addresses that answers, and a connection to it; the others are left alone.
///
/// # Errors
/// What the last one to fail has come to, if all have.
pub(super) async fn connect(addresses: Vec<SocketAddr>) -> io::Result<(SocketAddr, TcpStream)> {
    let mut waiting = by_turns(addresses).into_iter();
    let mut running = JoinSet::new();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    loop {
        match waiting.next() {
            Some(address) => drop(running.spawn(connect_to(address))),
            None if running.is_empty() => return Err(last),
            None => {}
        }
        let patience = if waiting.len() > 0 { HEAD_START } else { CONNECT };
        match timeout(patience, running.join_next()).await {
            Ok(Some(Ok(Ok(connected)))) => return Ok(connected),
            Ok(Some(Ok(Err(error)))) => last = error,
            Ok(Some(Err(failed))) => last = io::Error::other(failed),
            Ok(None) | Err(_) => {}
        }
    }
}

async fn connect_to(address: SocketAddr) -> io::Result<(SocketAddr, TcpStream)> {
    let at = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", address.ip()));
    let connected = timeout(CONNECT, TcpStream::connect(address)).await;
    let stream = connected.map_err(|late| at(late.into()))?.map_err(at)?;
    stream.set_nodelay(true)?;
    Ok((address, stream))
}

/// The two families by turns, beginning with that of the first address (RFC 8305 section 4): if one family leads nowhere, little time is lost.
fn by_turns(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (one, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    let mut all = Vec::new();
    while one.len() + other.len() > 0 {
        all.extend(one.next().into_iter().chain(other.next()));
    }
    all
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tokio::time::Instant;

    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 25)).collect()
    }

    #[test]
    fn the_families_take_turns() {
        let of = |texts: &[&str]| by_turns(addresses(texts));
        let (a, b, c, d) = ("2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2");
        assert_eq!(of(&[a, b, c, d]), addresses(&[a, c, b, d]));
        assert_eq!(of(&[c, a, b]), addresses(&[c, a, b]));
        assert_eq!(of(&[c, d]), addresses(&[c, d]));
        assert_eq!(of(&[]), []);
    }

    /// A listener that takes connections, and an address where nobody answers: its queue of connections is full.
    async fn silent() -> (TcpListener, Vec<TcpStream>, SocketAddr) {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut filling = Vec::new();
        while let Ok(Ok(stream)) = timeout(Duration::from_millis(300), TcpStream::connect(address)).await {
            filling.push(stream);
        }
        (listener, filling, address)
    }

    #[tokio::test]
    async fn an_address_that_does_not_answer_costs_a_quarter_of_a_second() {
        let (_listener, _filling, silent) = silent().await;
        let answering = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let begun = Instant::now();
        let (address, stream) = connect(vec![silent, answering.local_addr().unwrap()]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), answering.local_addr().unwrap());
        assert_eq!(address, answering.local_addr().unwrap());
        assert!((HEAD_START..Duration::from_secs(10)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn an_address_that_refuses_costs_nothing_and_the_last_is_named() {
        let free = || async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            listener.local_addr().unwrap()
        };
        let answering = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = answering.local_addr().unwrap();
        assert!(connect(vec![free().await, free().await, address]).await.is_ok());
        let error = connect(vec![free().await, free().await]).await.unwrap_err();
        assert!(error.to_string().starts_with("127.0.0.1: "), "{error}");
    }
}
