//! A test harness for cases found at run time, as `cargo test` and nextest speak to one: `--list`, `--exact`, a filter.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;

/// One case: its name and what it does.
pub struct Case {
    pub name: String,
    pub run: Box<dyn Fn() -> Result<(), String> + Send + Sync>,
}

/// Lists the cases or runs those asked for, and tells of each that failed.
pub fn main(cases: Vec<Case>) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    // No case is ever ignored, so a question for the ignored ones has an empty answer.
    if has("--ignored") {
        return ExitCode::SUCCESS;
    }
    let filters: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |name: &str| {
        filters.is_empty()
            || filters
                .iter()
                .any(|filter| if has("--exact") { name == *filter } else { name.contains(*filter) })
    };
    let cases: Vec<Case> = cases.into_iter().filter(|case| wanted(&case.name)).collect();
    if has("--list") {
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
