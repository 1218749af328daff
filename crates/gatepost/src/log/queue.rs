//! Lines that wait to be written: a bounded buffer between those who log, who never wait, and the thread that writes.
//!
//! A line that equals the one before is not kept again but counted, and told with its number when another comes, or after a
//! second. Lines with `ip` are exempt: programs that ban count them.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use super::form::Form;
use crate::clock;

/// The most octets that wait: some twenty thousand lines.
const ROOM: usize = 4 << 20;

/// How much of that memory is kept when it is not needed.
const KEPT: usize = 64 << 10;

/// The lines, and who waits for them.
pub(super) struct Queue {
    form: Form,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<u8>,
    /// Lines that found no room, since that was last told.
    dropped: u64,
    /// The last line, without its time, and how often it came again since that was last told.
    last: Vec<u8>,
    repeats: u64,
    /// The writer waits for lines.
    idle: bool,
    /// How often the writer has got rid of something.
    steps: u64,
    closing: bool,
    closed: bool,
}

/// What the writer is given.
pub(super) struct Taken {
    /// Lines that were dropped before these.
    pub(super) dropped: u64,
    /// The log ends: what is still to be told must be told now.
    pub(super) closing: bool,
}

impl Queue {
    pub(super) fn new(form: Form) -> Self {
        Self { form, state: Mutex::default(), changed: Condvar::new() }
    }

    fn push(&self, line: &[u8], may_repeat: bool) {
        let mut state = self.lock();
        if may_repeat && state.last == line {
            state.repeats += 1;
            return;
        }
        self.append_repeats(&mut state);
        if may_repeat {
            state.last.clear();
            state.last.extend_from_slice(line);
        }
        self.append(&mut state, |form, waiting| form.append(waiting, clock::exactly_now(), line));
    }

    /// Tells how often the last line came again, if it did.
    pub(super) fn tell_repeats(&self) {
        self.append_repeats(&mut self.lock());
    }

    fn append_repeats(&self, state: &mut State) {
        let times = std::mem::take(&mut state.repeats);
        if times == 0 {
            return;
        }
        let last = std::mem::take(&mut state.last);
        let at = clock::exactly_now();
        self.append(state, |form, waiting| form.append_repeated(waiting, at, &last, times));
        state.last = last;
    }

    /// Appends a line, or drops it if there is no room.
    fn append(&self, state: &mut State, line: impl FnOnce(Form, &mut Vec<u8>)) {
        let before = state.waiting.len();
        line(self.form, &mut state.waiting);
        if state.waiting.len() > ROOM {
            state.waiting.truncate(before);
            state.dropped += 1;
        }
        if std::mem::take(&mut state.idle) {
            self.changed.notify_all();
        }
    }

    /// Puts into `lines` what waits, once something does, or with nothing after `patience`.
    pub(super) fn take(&self, lines: &mut Vec<u8>, patience: Duration) -> Taken {
        let mut state = self.lock();
        if state.waiting.is_empty() && !state.closing {
            state.idle = true;
            let waiting = |state: &mut State| state.idle && !state.closing;
            let woken = self.changed.wait_timeout_while(state, patience, waiting);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
            state.idle = false;
        }
        lines.clear();
        lines.shrink_to(KEPT);
        std::mem::swap(lines, &mut state.waiting);
        Taken { dropped: std::mem::take(&mut state.dropped), closing: state.closing }
    }

    pub(super) fn is_empty(&self) -> bool {
        let state = self.lock();
        state.waiting.is_empty() && state.dropped == 0
    }

    /// Says that the writer gets on.
    pub(super) fn step(&self) {
        let mut state = self.lock();
        state.steps += 1;
        if state.closing {
            self.changed.notify_all();
        }
    }

    /// Says that the writer has ended.
    pub(super) fn closed(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Waits until everything is written; but only as long as the writer gets on within `patience`, and at most until `end`.
    pub(super) fn close(&self, patience: Duration, end: Instant) {
        let mut state = self.lock();
        state.closing = true;
        self.changed.notify_all();
        loop {
            let steps = state.steps;
            let patience = patience.min(end.saturating_duration_since(Instant::now()));
            let stands_still = |state: &mut State| !state.closed && state.steps == steps;
            let woken = self.changed.wait_timeout_while(state, patience, stands_still);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
            if state.closed || state.steps == steps {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The queue as events are written to it.
pub(super) struct Intake(pub(super) Arc<Queue>);

/// Where one event is written to, which is done in one piece.
pub(super) struct Entry<'q> {
    queue: &'q Queue,
    may_repeat: bool,
}

impl<'q> MakeWriter<'q> for Intake {
    type Writer = Entry<'q>;

    fn make_writer(&'q self) -> Entry<'q> {
        Entry { queue: &self.0, may_repeat: true }
    }

    fn make_writer_for(&'q self, about: &Metadata<'_>) -> Entry<'q> {
        Entry { queue: &self.0, may_repeat: about.fields().field("ip").is_none() }
    }
}

impl io::Write for Entry<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.queue.push(line, self.may_repeat);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What waits, without the times.
    fn taken(queue: &Queue) -> (Vec<String>, u64) {
        let mut lines = Vec::new();
        let dropped = queue.take(&mut lines, Duration::ZERO).dropped;
        let lines = String::from_utf8(lines).unwrap();
        (lines.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect(), dropped)
    }

    #[test]
    fn equal_lines_in_a_row_are_told_once_with_their_number() {
        let queue = Queue::new(Form::Text);
        for line in ["a\n", "a\n", "a\n", "b\n", "a\n", "a\n"] {
            queue.push(line.as_bytes(), true);
        }
        assert_eq!(taken(&queue).0, ["a", "a repeated=2", "b", "a"]);
        queue.tell_repeats();
        assert_eq!(taken(&queue).0, ["a repeated=1"]);
        queue.push(b"a\n", true);
        queue.tell_repeats();
        queue.tell_repeats();
        assert_eq!(taken(&queue).0, ["a repeated=1"], "the row goes on, and each is told once");
    }

    #[test]
    fn lines_that_are_counted_by_others_are_all_told() {
        let queue = Queue::new(Form::Text);
        (0..3).for_each(|_| queue.push(b"refused\n", false));
        assert_eq!(taken(&queue).0, ["refused"; 3]);
    }

    #[test]
    fn what_finds_no_room_is_counted() {
        let queue = Queue::new(Form::Text);
        let line = [vec![b'x'; ROOM / 10], b"\n".to_vec()].concat();
        (0..12).for_each(|_| queue.push(&line, false));
        queue.push(b"short\n", false);
        let (lines, dropped) = taken(&queue);
        assert_eq!((lines.len(), lines.last().unwrap().as_str(), dropped), (10, "short", 3));
        queue.push(&line, false);
        assert_eq!((taken(&queue).0.len(), taken(&queue).1), (1, 0));
    }

    #[test]
    fn who_closes_waits_for_a_writer_that_gets_on_and_for_no_other() {
        let queue = Arc::new(Queue::new(Form::Text));
        let begun = Instant::now();
        queue.close(Duration::from_millis(10), begun + Duration::from_secs(60));
        assert!(begun.elapsed() < Duration::from_secs(30));
        let writer = Arc::clone(&queue);
        let writing = std::thread::spawn(move || {
            (0..20).for_each(|_| {
                std::thread::sleep(Duration::from_millis(5));
                writer.step();
            });
            writer.closed();
        });
        queue.close(Duration::from_secs(10), Instant::now() + Duration::from_secs(60));
        assert!(queue.lock().closed);
        writing.join().unwrap();
    }
}
