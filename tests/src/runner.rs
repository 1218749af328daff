//! A test harness for cases found at run time, as `cargo test` and nextest speak to one: `--list`, `--exact`, a filter.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;

/// One case: its name and what it does.
pub struct Case {
    pub name: String,
    pub run: Box<dyn Fn() -> Result<(), String> + Send + Sync>,
}

/// What cargo or nextest asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    list: bool,
    ignored: bool,
    exact: bool,
    filters: Vec<String>,
}

impl Wanted {
    fn read(mut arguments: impl Iterator<Item = String>) -> Wanted {
        let mut wanted = Wanted::default();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--list" => wanted.list = true,
                "--ignored" => wanted.ignored = true,
                "--exact" => wanted.exact = true,
                // Their values are no filters.
                "--format" | "--test-threads" | "--color" | "--skip" => drop(arguments.next()),
                flag if flag.starts_with('-') => {}
                _ => wanted.filters.push(argument),
            }
        }
        wanted
    }

    fn takes(&self, name: &str) -> bool {
        let is = |filter: &String| if self.exact { name == filter } else { name.contains(filter.as_str()) };
        // No case is ever ignored, so a question for the ignored ones has an empty answer.
        !self.ignored && (self.filters.is_empty() || self.filters.iter().any(is))
    }
}

/// Lists the cases or runs those asked for, and tells of each that failed.
pub fn main(cases: Vec<Case>) -> ExitCode {
    let wanted = Wanted::read(std::env::args().skip(1));
    let cases: Vec<Case> = cases.into_iter().filter(|case| wanted.takes(&case.name)).collect();
    if wanted.list {
        cases.iter().for_each(|case| println!("{}: test", case.name));
        return ExitCode::SUCCESS;
    }
    run(cases)
}

fn run(cases: Vec<Case>) -> ExitCode {
    let total = cases.len();
    let failures = Mutex::new(Vec::new());
    let waiting = Mutex::new(cases.into_iter());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(case) = next(&waiting) {
                    if let Err(problem) = outcome(&case) {
                        lock(&failures).push(format!("{}\n  {problem}", case.name));
                    }
                }
            });
        }
    });
    let failures = lock(&failures);
    failures.iter().for_each(|failure| eprintln!("FAILED {failure}\n"));
    println!("{} of {total} cases passed", total - failures.len());
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn next(waiting: &Mutex<std::vec::IntoIter<Case>>) -> Option<Case> {
    lock(waiting).next()
}

fn outcome(case: &Case) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| (case.run)()))
        .unwrap_or_else(|_| Err("it panicked; the message stands above".to_owned()))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(arguments: &str) -> Wanted {
        Wanted::read(arguments.split(' ').map(str::to_owned))
    }

    #[test]
    fn nextest_gets_its_list_and_its_single_cases() {
        assert!(wanted("--list --format terse").takes("session::a"));
        assert!(!wanted("--list --format terse --ignored").takes("session::a"));
        assert!(wanted("session::a --nocapture --exact").takes("session::a"));
        assert!(!wanted("session::a --nocapture --exact").takes("session::ab"));
        assert!(wanted("rfc4954 --test-threads 1").takes("session::rfc4954/x"));
    }
}
