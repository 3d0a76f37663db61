//! What is printed: results on standard output, everything else on standard error.

#![allow(clippy::print_stdout, clippy::print_stderr)] // this is the place for it

use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::OnceLock;

use fokker::SAMPLERS;

/// Why a line of the result could not be written.
static LOST: OnceLock<String> = OnceLock::new();

/// A line of the result. A closed pipe (`| head`) is not our failure; what else goes wrong is told
/// by [`lost`].
pub(crate) fn result(line: &str) {
    if let Err(error) = writeln!(std::io::stdout(), "{line}")
        && error.kind() != ErrorKind::BrokenPipe
    {
        LOST.get_or_init(|| error.to_string());
    }
}

/// Why a part of the results is lost, if it is.
pub(crate) fn lost() -> Option<&'static str> {
    LOST.get().map(String::as_str)
}

/// A line for the person who watches.
pub(crate) fn note(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// An error and its causes, in one paragraph.
pub(crate) fn error(error: &anyhow::Error) {
    let bold = std::io::stderr().is_terminal();
    let (on, off) = if bold {
        ("\x1b[1;31m", "\x1b[0m")
    } else {
        ("", "")
    };
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // Typed errors already carry their source's words.
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    note(&format!("{on}error:{off} {text}"));
}

/// The table of samplers.
pub(crate) fn samplers() {
    result(&format!(
        "{:<16}{:>5}  {:>10}  {:<12}{}",
        "name", "order", "calls/step", "kind", "method"
    ));
    for s in SAMPLERS {
        let kind = if s.stochastic { "SDE" } else { "ODE" };
        result(&format!(
            "{:<16}{:>5}  {:>10}  {:<12}{} ({})",
            s.name, s.order, s.calls, kind, s.title, s.reference
        ));
    }
}
