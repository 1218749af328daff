//! A Unix socket in the directory of the store, at which the running server says how it is: whoever connects is sent one JSON document, and
//! nothing is read.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener as Bound;
use std::path::{Path, PathBuf};
use std::time::Duration;

use desk::Health;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long an answer may take, to be found and to be read.
const PATIENCE: Duration = Duration::from_secs(10);

/// The pause after a connection could not be taken.
const PAUSE: Duration = Duration::from_millis(500);

/// More than any status is long.
const LONGEST: u64 = 1024 * 1024;

fn place(directory: &Path) -> PathBuf {
    directory.join("status.sock")
}

/// Answers until it is told to stop. Without the socket the server does all the rest.
pub(crate) async fn run(
    bound: io::Result<Bound>,
    directory: PathBuf,
    health: Health,
    stop: CancellationToken,
) {
    let listener = match bound.and_then(UnixListener::from_std) {
        Ok(listener) => listener,
        Err(error) => {
            let socket = place(&directory);
            tracing::warn!(event = "status.unavailable", socket = %socket.display(), %error, "`gatepost status` will find no server");
            return stop.cancelled().await;
        }
    };
    while let Some(arrived) = stop.run_until_cancelled(listener.accept()).await {
        match arrived {
            // One after the other: who asks is the operator.
            Ok((stream, _)) => _ = stop.run_until_cancelled(timeout(PATIENCE, answer(stream, &health))).await,
            Err(_) => _ = stop.run_until_cancelled(sleep(PAUSE)).await,
        }
    }
    // The next server removes what is left.
    let _ = std::fs::remove_file(place(&directory));
}

/// Binds the socket in this directory, which is the server's alone, and whose store it has locked: a socket that is there is of a server that is
/// dead.
///
/// # Errors
/// When it can't be made.
pub(crate) fn bind(directory: &Path) -> io::Result<Bound> {
    let socket = place(directory);
    match std::fs::remove_file(&socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = Bound::bind(&socket)?;
    std::fs::set_permissions(&socket, Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

async fn answer(mut stream: UnixStream, health: &Health) -> io::Result<()> {
    let known = match health.fresh().await {
        Some(known) => known,
        None => health.known(),
    };
    stream.write_all(&serde_json::to_vec(&known.status)?).await?;
    stream.shutdown().await
}

/// What the server says that has its store in this directory; `None` if none runs.
///
/// # Errors
/// When it can't be asked.
pub(crate) async fn ask(directory: &Path) -> io::Result<Option<Vec<u8>>> {
    let asking = async {
        let stream = match UnixStream::connect(place(directory)).await {
            Ok(stream) => stream,
            Err(error) if is_nobody(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut said = Vec::new();
        stream.take(LONGEST).read_to_end(&mut said).await?;
        Ok(Some(said))
    };
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, "it does not answer");
    timeout(2 * PATIENCE, asking).await.map_err(late)?
}

fn is_nobody(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[tokio::test]
    async fn a_socket_of_a_dead_server_is_nobody_and_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(ask(directory.path()).await.unwrap(), None);
        drop(bind(directory.path()).unwrap());
        assert!(place(directory.path()).exists());
        assert_eq!(ask(directory.path()).await.unwrap(), None);
        let (health, stop) = (Health::of("1.2.3", Timestamp::UNIX_EPOCH), CancellationToken::new());
        health.found(health.known().status.clone(), true);
        let bound = bind(directory.path());
        let serving = tokio::spawn(run(bound, directory.path().to_owned(), health, stop.clone()));
        let said = loop {
            match ask(directory.path()).await.unwrap() {
                Some(said) => break said,
                None => tokio::task::yield_now().await,
            }
        };
        assert!(String::from_utf8(said).unwrap().contains("\"version\":\"1.2.3\""));
        let mode = std::fs::metadata(place(directory.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        stop.cancel();
        serving.await.unwrap();
        assert!(!place(directory.path()).exists());
    }
}
