//! `load`: a load generator for any mail submission server.
//!
//! It logs in over TLS as mail clients do, hands in messages, and prints one line of JSON: rates, latencies, errors
//! by kind, and what the server spent. It uses none of Gatepost's code, so that a mistake of the server is not
//! made twice.

mod options;

mod tls;

mod client;
mod fault;

mod session;

mod message;

mod run;

mod idle;

mod process;
mod report;
mod tally;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use crate::options::{Mode, Options};

fn main() -> ExitCode {
    match load(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn load(options: Options) -> anyhow::Result<()> {
    let plan = session::Plan::new(&options)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(options.threads)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(async {
        match options.mode {
            Mode::Send | Mode::Login => run::run(&options, plan).await,
            Mode::Idle => idle::hold(&options, plan).await,
        }
    })
}
