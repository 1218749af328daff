//! A recording by strace(1), as events in the order of their time.

use std::collections::HashMap;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Microseconds.
pub type Time = u64;

/// Something that a process did, successfully.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it was done; of what was said, when it was about to be.
    pub at: Time,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A file was opened that had to be made if it was not there.
    Made(PathBuf),
    MadeDirectory(PathBuf),
    /// Octets were written, at an offset or at the end.
    Wrote {
        path: PathBuf,
        offset: Option<u64>,
        octets: Vec<u8>,
    },
    Truncated {
        path: PathBuf,
        length: u64,
    },
    Renamed {
        from: PathBuf,
        to: PathBuf,
    },
    Removed(PathBuf),
    /// A file or a directory was synced, with all that had been done to it when that began.
    Synced {
        path: PathBuf,
        begun: Time,
    },
    /// Octets were sent to a client.
    Said(Vec<u8>),
}

const CALLS: &str = "trace=openat,creat,write,pwrite64,writev,pwritev,ftruncate,rename,renameat,renameat2,link,linkat,unlink,\
                     unlinkat,mkdir,mkdirat,rmdir,fsync,fdatasync,sendto,sendmsg";

/// The command, recorded into a file. The process is strace, which ends as the command does, and takes no signals.
pub fn recorded(command: &Command, file: &Path) -> Command {
    let mut recorded = Command::new("strace");
    recorded.args([
        "-f",
        "-qq",
        "-y",
        "-ttt",
        "-xx",
        "-s",
        "16777216",
        "--seccomp-bpf",
        "-e",
        CALLS,
        "-e",
        "signal=none",
    ]);
    recorded
        .args(["-e", "status=successful,unfinished", "-o"])
        .arg(file)
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => recorded.env(name, value),
            None => recorded.env_remove(name),
        };
    }
    if let Some(directory) = command.get_current_dir() {
        recorded.current_dir(directory);
    }
    recorded
}

/// The events of a recording.
pub fn read(recording: &str) -> Vec<Event> {
    let mut begun = HashMap::new();
    let mut events: Vec<_> = recording.lines().filter_map(|line| event(line, &mut begun)).collect();
    events.sort_by_key(|event| event.at);
    events
}

/// When the recording ends.
pub fn end(recording: &str) -> Time {
    let times = recording.lines().filter_map(|line| microseconds(line.split_whitespace().nth(1)?));
    times.max().unwrap_or_default()
}

/// A line has a process, a time and a call; a call that others interrupt has two lines.
fn event<'t>(line: &'t str, begun: &mut HashMap<&'t str, (Time, &'t str)>) -> Option<Event> {
    let (process, line) = line.split_once(' ')?;
    let (time, call) = line.trim_start().split_once(' ')?;
    let time = microseconds(time)?;
    if let Some(first) = call.strip_suffix(" <unfinished ...>") {
        begun.insert(process, (time, first));
        return None;
    }
    match call.strip_prefix("<... ") {
        Some(rest) => {
            let (since, first) = begun.remove(process)?;
            let (_, rest) = rest.split_once(" resumed>")?;
            Call::parse(&format!("{first}{rest}"))?.event(since, time)
        }
        None => Call::parse(call)?.event(time, time),
    }
}

fn microseconds(time: &str) -> Option<Time> {
    let (seconds, fraction) = time.split_once('.')?;
    Some(seconds.parse::<Time>().ok()? * 1_000_000 + fraction.parse::<Time>().ok()?)
}

/// `name(arguments) = result`
struct Call<'c> {
    name: &'c str,
    arguments: &'c str,
    result: &'c str,
}

impl<'c> Call<'c> {
    fn parse(call: &'c str) -> Option<Call<'c>> {
        let (name, rest) = call.split_once('(')?;
        let (arguments, result) = rest.rsplit_once(" = ")?;
        (!result.starts_with('-')).then_some(Call {
            name,
            arguments: arguments.trim_end().strip_suffix(')')?,
            result,
        })
    }

    fn event(&self, begun: Time, done: Time) -> Option<Event> {
        let what = match self.name {
            "openat" | "creat" => self.opened()?,
            "mkdir" | "mkdirat" => What::MadeDirectory(self.names().next()?),
            "write" | "writev" => self.wrote(None)?,
            "pwrite64" => self.wrote(Some(self.last_number()?))?,
            "ftruncate" => What::Truncated { path: self.file()?, length: self.last_number()? },
            "rename" | "renameat" | "renameat2" => {
                let mut names = self.names();
                What::Renamed { from: names.next()?, to: names.next()? }
            }
            "unlink" | "unlinkat" | "rmdir" => What::Removed(self.names().next()?),
            "fsync" | "fdatasync" => What::Synced { path: self.file()?, begun },
            "sendto" | "sendmsg" => What::Said(self.octets()),
            // What is not known must not be taken for nothing.
            other => panic!("the disk knows no {other}"),
        };
        let at = if matches!(what, What::Said(_)) { begun } else { done };
        Some(Event { at, what })
    }

    fn opened(&self) -> Option<What> {
        let path = in_brackets(self.result)?;
        match self.arguments {
            flags if flags.contains("O_TRUNC") => Some(What::Truncated { path, length: 0 }),
            flags if flags.contains("O_CREAT") => Some(What::Made(path)),
            _ => None,
        }
    }

    /// What is written to a socket is said.
    fn wrote(&self, offset: Option<u64>) -> Option<What> {
        let (path, octets) = (self.file()?, self.octets());
        match path.starts_with("/") {
            true => Some(What::Wrote { path, offset, octets }),
            false => Some(What::Said(octets)),
        }
    }

    /// The file of the descriptor that comes first, unless it has no name any more.
    fn file(&self) -> Option<PathBuf> {
        let (_, behind) = self.arguments.split_once('>')?;
        (!behind.starts_with("(deleted)")).then(|| in_brackets(self.arguments))?
    }

    fn strings(&self) -> impl Iterator<Item = Vec<u8>> {
        self.arguments.split('"').skip(1).step_by(2).map(octets)
    }

    fn names(&self) -> impl Iterator<Item = PathBuf> {
        self.strings().map(path)
    }

    /// As many as were taken.
    fn octets(&self) -> Vec<u8> {
        let mut octets: Vec<u8> = self.strings().flatten().collect();
        octets.truncate(self.result.parse().unwrap_or(0));
        octets
    }

    fn last_number(&self) -> Option<u64> {
        self.arguments.rsplit_once(", ")?.1.parse().ok()
    }
}

fn in_brackets(text: &str) -> Option<PathBuf> {
    let (_, behind) = text.split_once('<')?;
    Some(path(octets(behind.split_once('>')?.0)))
}

fn path(octets: Vec<u8>) -> PathBuf {
    std::ffi::OsString::from_vec(octets).into()
}

/// `\x61\x62`
fn octets(text: &str) -> Vec<u8> {
    text.split("\\x")
        .skip(1)
        .map(|octet| u8::from_str_radix(octet, 16).unwrap_or_else(|_| panic!("{octet:?} in {text:?}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(recording: &str) -> Vec<(Time, What)> {
        read(recording).into_iter().map(|event| (event.at, event.what)).collect()
    }

    #[test]
    fn calls_are_read_with_their_files_and_octets() {
        let (a, b) = (PathBuf::from("/a"), PathBuf::from("/b"));
        let read = of(
            "7 1.000001 openat(AT_FDCWD<\\x2f>, \"\\x61\", O_RDWR|O_CREAT, 0600) = 3<\\x2f\\x61>\n\
                       7 1.000002 pwrite64(3<\\x2f\\x61>, \"\\x00\\xff\", 2, 32) = 2\n\
                       7 1.000003 write(3<\\x2f\\x61>, \"\\x41\\x42\", 2) = 1\n\
                       7 1.000004 ftruncate(3<\\x2f\\x61>, 5) = 0\n\
                       7 1.000005 rename(\"\\x2f\\x61\", \"\\x2f\\x62\") = 0\n\
                       7 1.000006 unlink(\"\\x2f\\x62\") = 0\n\
                       7 1.000007 write(3<\\x2f\\x62>(deleted), \"\\x41\", 1) = 1\n\
                       7 1.000008 sendto(9<\\x73\\x6f\\x63\\x6b>, \"\\x32\\x35\\x30\", 3, MSG_NOSIGNAL, NULL, 0) = 3\n",
        );
        assert_eq!(
            read,
            [
                (1_000_001, What::Made(a.clone())),
                (1_000_002, What::Wrote { path: a.clone(), offset: Some(32), octets: vec![0, 255] }),
                (1_000_003, What::Wrote { path: a.clone(), offset: None, octets: b"A".to_vec() }),
                (1_000_004, What::Truncated { path: a.clone(), length: 5 }),
                (1_000_005, What::Renamed { from: a, to: b.clone() }),
                (1_000_006, What::Removed(b)),
                (1_000_008, What::Said(b"250".to_vec())),
            ]
        );
    }

    #[test]
    fn a_sync_covers_what_was_done_before_it_began() {
        let read = of("7 1.000001 fsync(3<\\x2f\\x61> <unfinished ...>\n\
                       8 1.000002 write(3<\\x2f\\x61>, \"\\x41\", 1) = 1\n\
                       7 1.000003 <... fsync resumed>) = 0\n");
        assert_eq!(read[1], (1_000_003, What::Synced { path: "/a".into(), begun: 1_000_001 }));
    }
}
