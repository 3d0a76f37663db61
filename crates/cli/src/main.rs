//! The `fokker` binary: one file per subcommand; the only place for exit codes.

mod args;
mod begin;
mod captioned;
mod compare;
mod curves;
mod distance;
mod evaluate;
mod export;
mod features;
mod grid;
mod how;
mod import;
mod lab;
mod likelihood;
mod machine;
mod output;
mod plan;
mod present;
mod preview;
mod progress;
mod prompt;
mod quickstart;
mod recipe;
mod reconstructions;
mod retrieval;
mod sample;
mod simulate;
mod stop;
mod table;
mod target;
mod train;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Cli, Command};

// Tensors come and go with every operation, and page faults cost more than the arithmetic.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How a command ended that did not fail.
pub(crate) enum End {
    /// All done.
    Done,
    /// Ctrl-C: stopped early, nothing lost.
    Stopped,
}

/// Lets the allocator keep freed pages: it would give them back after 10 ms and fault them in again.
fn keep_pages() {
    /// `mi_option_purge_delay` in mimalloc 3's header; −1 is "never".
    const PURGE_DELAY: i32 = 15;
    // SAFETY: sets a plain number; called before any other thread exists.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, -1) }
}

fn main() -> ExitCode {
    keep_pages();
    let cli = Cli::parse();
    let ended = run(cli).and_then(|end| match output::lost() {
        None => Ok(end),
        Some(why) => Err(anyhow::anyhow!("cannot write to standard output: {why}")),
    });
    match ended {
        Ok(End::Done) => ExitCode::SUCCESS,
        Ok(End::Stopped) => ExitCode::from(130),
        Err(error) => {
            output::error(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<End> {
    machine::set_threads(cli.threads)?;
    match cli.command {
        Command::Quickstart(args) => quickstart::run(args),
        Command::Train(args) => train::run(args),
        Command::Sample(args) => sample::run(*args),
        Command::Evaluate(args) => evaluate::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Likelihood(args) => likelihood::run(args),
        Command::Grid(args) => grid::run(args),
        Command::Simulate(args) => simulate::run(*args),
        Command::Lab(args) => lab::run(args),
        Command::Import(args) => import::run(args),
        Command::Export(args) => export::run(args),
        Command::Samplers => {
            output::samplers();
            Ok(End::Done)
        }
        Command::Schedulers => {
            output::schedulers();
            Ok(End::Done)
        }
        Command::Completions { shell } => {
            let mut command = Cli::command();
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, "fokker", &mut script);
            output::result(String::from_utf8_lossy(&script).trim_end());
            Ok(End::Done)
        }
    }
}
