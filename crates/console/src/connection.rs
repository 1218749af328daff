//! One connection: HTTP/1.1 or 2 on it, within its limits.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::channel::Channel;
use crate::site::Site;

/// The head of a request: all of it, and its time from the first octet to the last.
const HEAD: usize = 16 * 1024;
const HEAD_TIME: Duration = Duration::from_secs(10);

/// Fields of a head.
const HEAD_FIELDS: usize = 100;

/// Requests that a connection of HTTP/2 has under way at a time: more than a browser has for a page, and few enough that the forms of all
/// connections fit into memory.
const STREAMS: u32 = 16;

/// What HTTP/2 keeps of an answer that the client does not take, for each request.
const UNSENT: usize = 64 * 1024;

/// How long a connection may be without a request, before its first and behind it.
const BEFORE_FIRST: Duration = Duration::from_secs(10);
const BETWEEN: Duration = Duration::from_secs(60);

/// How long a connection that is to end may take for the answer that it has begun to send.
const LAST_ANSWER: Duration = Duration::from_secs(30);

/// Serves requests until the client or the server has had enough. When the server stops, what is under way is answered.
pub(crate) async fn serve<S>(stream: S, site: Arc<Site>, channel: Channel, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let (activity, channel) = (Arc::new(Activity::new()), Arc::new(channel));
    let counted = Arc::clone(&activity);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (site, channel, running) = (Arc::clone(&site), Arc::clone(&channel), Running::of(&counted));
        async move {
            let answer = site.answer(request.map(Body::new), &channel).await;
            drop(running);
            Ok::<_, Infallible>(answer)
        }
    });
    let builder = builder();
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // Whatever ends it concerns this client alone.
        _ = connection.as_mut() => return,
        () = activity.idle() => {}
        () = stop.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(LAST_ANSWER, connection).await;
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD)
        .max_headers(HEAD_FIELDS)
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(HEAD).unwrap_or(u32::MAX))
        .max_send_buf_size(UNSENT)
        .keep_alive_interval(BETWEEN / 2)
        .keep_alive_timeout(HEAD_TIME);
    builder
}

/// What goes on in a connection.
struct Activity {
    running: AtomicUsize,
    /// When it is enough, if no request is under way then.
    until: Mutex<Instant>,
}

impl Activity {
    fn new() -> Self {
        Self { running: AtomicUsize::new(0), until: Mutex::new(Instant::now() + BEFORE_FIRST) }
    }

    /// Waits until there has been no request for too long.
    async fn idle(&self) {
        loop {
            let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
            match self.running.load(Ordering::Relaxed) == 0 && until <= Instant::now() {
                true => return,
                false => sleep_until(until.max(Instant::now() + BEFORE_FIRST / 10)).await,
            }
        }
    }

    fn go_on(&self) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now() + BETWEEN;
    }
}

/// A request that is under way until this is dropped.
struct Running(Arc<Activity>);

impl Running {
    fn of(activity: &Arc<Activity>) -> Self {
        activity.running.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(activity))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.go_on();
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}
