//! Progress with an estimate of the time left: a live bar on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output;

/// The parts of work that is measured in shares.
const PARTS: u64 = 100_000;

/// How often a line is printed where there is no terminal.
const QUIET: Duration = Duration::from_secs(10);

/// The progress of one long piece of work.
pub(crate) struct Progress {
    bar: ProgressBar,
    live: bool,
    /// Whether the work is measured in shares.
    shares: bool,
    what: &'static str,
    from: u64,
    started: Instant,
    last: Instant,
}

impl Progress {
    /// Starts at `done` of `total` units of work.
    pub(crate) fn new(what: &'static str, done: u64, total: u64) -> Self {
        Self::of(what, (done, total), false)
    }

    /// Starts work that is measured as a share of all of it.
    pub(crate) fn shares(what: &'static str) -> Self {
        Self::of(what, (0, PARTS), true)
    }

    fn of(what: &'static str, (done, total): (u64, u64), shares: bool) -> Self {
        let live = std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(
            Some(total),
            if live {
                ProgressDrawTarget::stderr_with_hz(8)
            } else {
                ProgressDrawTarget::hidden()
            },
        );
        let style = ProgressStyle::with_template(match shares {
            true => "{prefix:>8} {wide_bar:.cyan/black.bright} {percent} %  {msg}",
            false => "{prefix:>8} {wide_bar:.cyan/black.bright} {human_pos}/{human_len}  {msg}",
        });
        bar.set_style(
            style
                .expect("the template is well-formed")
                .progress_chars("━╸━"),
        );
        bar.set_prefix(what);
        bar.set_position(done);
        let now = Instant::now();
        Self {
            bar,
            live,
            shares,
            what,
            from: done,
            started: now,
            last: now,
        }
    }

    /// The `share`-th part of the work is done, from 0 to 1; the rest is as in [`set`](Self::set).
    pub(crate) fn set_share(&mut self, share: f64, detail: impl FnOnce() -> String) {
        self.set((share * PARTS as f64) as u64, detail);
    }

    /// `done` units are done; `detail` is shown beside the bar and the time left.
    pub(crate) fn set(&mut self, done: u64, detail: impl FnOnce() -> String) {
        let total = self.bar.length().unwrap_or(done);
        let due = self.last.elapsed() >= QUIET && done < total;
        if !self.live && !due {
            self.bar.set_position(done);
            return;
        }
        let elapsed = self.started.elapsed().as_secs_f64();
        let fresh = done.saturating_sub(self.from).max(1) as f64;
        let left = elapsed / fresh * total.saturating_sub(done) as f64;
        let message = format!("{} · {} left", detail(), clock(left));
        self.bar.set_position(done);
        if self.live {
            self.bar.set_message(message);
        } else {
            let far = match self.shares {
                true => format!("{:.0} %", 100.0 * done as f64 / total as f64),
                false => format!("{}/{}", HumanCount(done), HumanCount(total)),
            };
            output::note(&format!("{} {far}  {message}", self.what));
            self.last = Instant::now();
        }
    }

    /// Ends the bar and leaves `line` in its place.
    pub(crate) fn finish(self, line: &str) {
        self.bar.finish_and_clear();
        output::note(&format!("{:>8} {line}", self.what));
    }
}

/// Seconds as a person says them: "48 s", "3 min 05 s", "2 h 10 min".
pub(crate) fn clock(seconds: f64) -> String {
    let s = seconds.max(0.0).round() as u64;
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min {:02} s", s / 60, s % 60),
        _ => format!("{} h {:02} min", s / 3600, s / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::clock;

    #[test]
    fn clocks_read_well() {
        assert_eq!(clock(47.6), "48 s");
        assert_eq!(clock(185.0), "3 min 05 s");
        assert_eq!(clock(7800.0), "2 h 10 min");
    }
}
