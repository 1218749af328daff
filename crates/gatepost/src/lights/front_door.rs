//! The front door, from outside as far as that goes in here: each listener is connected to, and has to get as far as a client needs before it
//! logs in.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use delivery::try_own_listener;
use desk::health::{Condition, ConditionKind, Value};
use futures_util::future::join_all;
use submission::Handle;
use tokio::net::TcpSocket;
use tokio::time::timeout;
use types::ListenTls;

/// How long a listener may take to get so far: a client would have given up.
const PATIENCE: Duration = Duration::from_secs(8);

/// What the light says.
pub(super) async fn look(handle: &Handle, hostname: &str) -> Condition {
    let knocks = handle.addresses().into_iter().map(|(address, tls)| async move {
        let silent = |kind| Condition::of(kind).saying("listener", address);
        match timeout(PATIENCE, knock(handle, address, tls, hostname)).await {
            Ok(answer) => answer.map_err(|why| silent(ConditionKind::DoorSilent).saying("why", why)),
            Err(_) => Err(silent(ConditionKind::DoorLate).with("seconds", Value::Number(PATIENCE.as_secs()))),
        }
    });
    let silent = join_all(knocks).await.into_iter().find_map(Result::err);
    silent.unwrap_or_else(|| Condition::of(ConditionKind::DoorAnswers))
}

/// Connects, begins TLS, says EHLO and QUIT. The server expects it, and neither counts it nor gives it the place of a client.
async fn knock(handle: &Handle, listener: SocketAddr, tls: ListenTls, hostname: &str) -> Result<(), String> {
    let to = reachable(listener);
    let socket = bound(to).map_err(|error| error.to_string())?;
    let from = socket.local_addr().map_err(|error| error.to_string())?;
    let _own = handle.expect_own(SocketAddr::new(from.ip().to_canonical(), from.port()));
    let stream = socket.connect(to).await.map_err(|error| error.to_string())?;
    try_own_listener(stream, tls, hostname).await.map_err(|error| error.to_string())
}

/// A socket with the address of the listener as its own, which is one of this machine.
fn bound(to: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.bind(SocketAddr::new(to.ip(), 0))?;
    Ok(socket)
}

/// Where a listener can be reached from this machine.
fn reachable(listener: SocketAddr) -> SocketAddr {
    let ip = match listener.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listener.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_every_address_is_reached_at_the_loopback_one() {
        for (listener, at) in
            [("0.0.0.0:465", "127.0.0.1:465"), ("[::]:587", "[::1]:587"), ("192.0.2.1:25", "192.0.2.1:25")]
        {
            assert_eq!(reachable(listener.parse().unwrap()), at.parse().unwrap());
        }
    }
}
