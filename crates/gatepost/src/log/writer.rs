//! The thread that writes the log. It alone waits for whoever reads it.

use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::queue::{Queue, Taken};
use super::strangers::Strangers;

/// Lines of so short a time leave together: one write for many, when there are many.
const TOGETHER: Duration = Duration::from_millis(2);

/// How often what was counted is told.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// The most that is written at once: what a pipe takes in one piece (POSIX: PIPE_BUF, of Linux), so that the lines of others who write
/// to it stay whole.
const PIECE: usize = 4096;

/// How long the end of the server waits for a reader that does not read, and for one that reads slowly.
const STALLED: Duration = Duration::from_secs(2);
const SLOW: Duration = Duration::from_secs(10);

/// A log that is being written. Dropped, it waits until all of it is, as far as somebody reads it.
#[must_use = "dropped, the log ends"]
pub(crate) struct Running {
    queue: Arc<Queue>,
}

impl Running {
    pub(super) fn start(
        queue: Arc<Queue>,
        strangers: Strangers,
        to: impl Write + Send + 'static,
    ) -> io::Result<Self> {
        let running = Self { queue: Arc::clone(&queue) };
        thread::Builder::new().name("log".to_owned()).spawn(move || write_all(&queue, &strangers, to))?;
        Ok(running)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.queue.close(STALLED, Instant::now() + SLOW);
    }
}

/// Writes lines until the log is closed and nothing is left.
fn write_all(queue: &Queue, strangers: &Strangers, mut to: impl Write) {
    let (mut lines, mut lost, mut told) = (Vec::new(), 0, Instant::now());
    loop {
        let Taken { dropped, closing } = queue.take(&mut lines, TELL_EVERY);
        lost += dropped;
        match write_lines(queue, &lines, &mut to) {
            0 if !lines.is_empty() => tell_lost(std::mem::take(&mut lost)),
            failed => lost += failed,
        }
        if closing || told.elapsed() >= TELL_EVERY {
            strangers.tell();
            queue.tell_repeats();
            told = Instant::now();
        }
        if closing && queue.is_empty() {
            return queue.closed();
        }
        if !closing {
            thread::sleep(TOGETHER);
        }
    }
}

/// Writes whole lines, many at a time; how many of them could not be written.
fn write_lines(queue: &Queue, mut lines: &[u8], to: &mut impl Write) -> u64 {
    let mut failed = 0;
    while !lines.is_empty() {
        let (piece, rest) = lines.split_at(piece(lines));
        if write_piece(piece, to).is_err() {
            failed += number_of_lines(piece);
        }
        queue.step();
        lines = rest;
    }
    failed
}

/// The length of as many whole lines as may be written at once, and of one at least.
fn piece(lines: &[u8]) -> usize {
    let end = |octets: &[u8]| octets.iter().rposition(|octet| *octet == b'\n');
    let many = lines.get(..PIECE).map_or(Some(lines.len()), |piece| end(piece).map(|end| end + 1));
    let one = || lines.iter().position(|octet| *octet == b'\n').map_or(lines.len(), |end| end + 1);
    many.unwrap_or_else(one)
}

/// Writes all of it, also where whoever started us has made stderr one that does not block.
fn write_piece(mut piece: &[u8], to: &mut impl Write) -> io::Result<()> {
    while !piece.is_empty() {
        match to.write(piece) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => piece = piece.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(TOGETHER),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn number_of_lines(lines: &[u8]) -> u64 {
    lines.iter().fold(0, |number, octet| number + u64::from(*octet == b'\n'))
}

fn tell_lost(lines: u64) {
    if lines > 0 {
        tracing::warn!(
            event = "log.dropped",
            lines,
            "{lines} lines are missing here: the log was not read, or could not be written, fast enough"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tracing_subscriber::fmt;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::log::form::Form;
    use crate::log::queue::Intake;

    #[test]
    fn lines_are_written_whole_and_many_at_a_time() {
        let short = b"0123456789\n".repeat(1000);
        assert_eq!(piece(&short), PIECE / 11 * 11);
        assert_eq!(piece(b"a\nb\n"), 4);
        let long = [b"x".repeat(PIECE + 5), b"\nshort\n".to_vec()].concat();
        assert_eq!(piece(&long), PIECE + 6);
    }

    /// A file on a disk that is full at first.
    #[derive(Clone, Default)]
    struct Disk(Arc<Mutex<(bool, String)>>);

    impl Write for Disk {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            let mut disk = self.0.lock().unwrap();
            if !disk.0 {
                return Err(ErrorKind::StorageFull.into());
            }
            disk.1.push_str(std::str::from_utf8(octets).unwrap());
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_that_could_not_be_written_are_counted_and_told_once_they_can() {
        let (queue, mut disk) = (Arc::new(Queue::new(Form::Text)), Disk::default());
        let layer = fmt::layer().without_time().with_ansi(false).with_writer(Intake(Arc::clone(&queue)));
        let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
        for number in 0..3 {
            tracing::info!(number, "lost");
        }
        let mut lines = Vec::new();
        queue.take(&mut lines, Duration::ZERO);
        assert_eq!(write_lines(&queue, &lines, &mut disk), 3);
        disk.0.lock().unwrap().0 = true;
        tell_lost(3);
        queue.take(&mut lines, Duration::ZERO);
        assert_eq!(write_lines(&queue, &lines, &mut disk), 0);
        assert!(disk.0.lock().unwrap().1.contains("event=\"log.dropped\" lines=3"));
    }
}
