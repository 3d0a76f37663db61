//! One page about one ensemble.

use fokker_eval::{Animation, EvalError, Report, Section};
use fokker_sim::process::named::Holds;

use super::draw::Picture;
use super::exact::{Exact, P_VALUE};
use super::resolve::Simulation;
use super::run::Outcome;
use super::statistics::HEADINGS;
use super::words::{chance, digits, grouped, resolved, trajectories};
use fokker_sim::shown;

/// Standard errors that a measurement may be off.
const ERRORS: f64 = 4.0;
/// What may be said of the table of statistics.
const QUALITY: &str = "Over all trajectories that did not fail. Quantiles are good to 0.5 % of their distance \
     from 0 or, where the values lie far from 0 for their spread, from the median of the first 16 \
     trajectories. statistics.json has every save time.";
/// What may be said of events on noisy paths.
const BETWEEN: &str = "Crossings between two steps that are back by the next one are not seen: hits come late, as if \
     the threshold lay farther away by 0.58 standard deviations of the noise of one step \
     (Broadie, Glasserman & Kou 1997). Shorter steps make this smaller.";
/// Save times in the table of statistics.
const ROWS: usize = 5;

impl Simulation {
    /// The page: settings, pictures, what is known exactly, and statistics. `command` makes it again.
    ///
    /// # Errors
    /// When an animation cannot be shown.
    pub fn report(
        &self,
        outcome: &Outcome,
        exact: Option<&Exact>,
        pictures: &[Picture],
        movies: Option<(Animation, Animation)>,
        command: Option<&str>,
    ) -> Result<Report, EvalError> {
        let lines = self.describe();
        let find = |what: &str| {
            lines
                .iter()
                .find(|l| l.0 == what)
                .map_or("", |l| l.1.as_str())
        };
        let speed = outcome.trajectories as f64 / outcome.seconds.max(1e-9);
        let mut report = Report::new(self.title())
            .subtitle(self.equation_line())
            .tile(
                "Trajectories",
                grouped(outcome.trajectories),
                find("start").to_owned(),
            )
            .tile(
                "Time",
                format!("{} to {}", shown(self.plan().from), shown(self.plan().to)),
                format!("steps: {}", find("steps")),
            )
            .tile(
                "Solver",
                self.solver().spec().name,
                // Without its name, which stands above.
                find("solver").replace(&format!(" ({})", self.solver().spec().name), ""),
            )
            .tile(
                "Simulated in",
                seconds(outcome.seconds),
                format!("{} a second", trajectories(speed.round() as u64)),
            );
        let mut section = Section::new("Pictures");
        for picture in pictures {
            section = section.figure(&*picture.figure, picture.caption.clone());
        }
        if !pictures.is_empty() {
            report = report.section(section);
        }
        if let Some((light, dark)) = movies {
            let section = Section::new("In motion");
            report = report.section(section.animation_pair(
                light,
                dark,
                "The same trajectories over time.",
            )?);
        }
        if let Some(exact) = exact {
            report = report.section(self.compared(exact));
        }
        if let Some(events) = &outcome.events {
            let mut section = Section::new("Events").text(self.events(outcome, events));
            if let Some(row) = self.event_row(outcome) {
                section = section.table(&HEADINGS, vec![row], "");
            }
            if self.is_stochastic() {
                section = section.text(BETWEEN);
            }
            report = report.section(section);
        }
        let times = self.plan().save.len();
        let mut rows = Vec::new();
        for r in 0..ROWS.min(times) {
            let k = if times <= ROWS {
                r
            } else {
                r * (times - 1) / (ROWS - 1)
            };
            for mut row in self.rows(outcome, k) {
                row.insert(0, digits(self.plan().save[k]));
                rows.push(row);
            }
        }
        let mut head = vec!["t", "component"];
        let caption = if outcome.trajectories == 1 {
            // Its state; there is nothing to sum up.
            rows.iter_mut().for_each(|row| row.truncate(3));
            head.push("value");
            "statistics.json has every save time."
        } else {
            head.extend(&HEADINGS[1..]);
            QUALITY
        };
        report = report.section(Section::new("Statistics").table(&head, rows, caption));
        let settings: Vec<String> = lines
            .iter()
            .map(|(what, value)| {
                format!("{what:<14}{}", value.replace('\n', &format!("\n{:14}", "")))
            })
            .collect();
        let mut again = Section::new("Make it again");
        if let Some(command) = command {
            again = again.commands(
                "The same seed gives the same bits, on any number of threads.",
                &[command],
            );
        }
        Ok(report.section(again.code("settings", settings.join("\n"))))
    }

    /// Events in a sentence.
    pub fn events(&self, outcome: &Outcome, events: &fokker_sim::stat::Summary) -> String {
        let n = events.moments.count();
        let of = format!(
            "{} of {} reached the event",
            grouped(n),
            trajectories(outcome.trajectories)
        );
        let share = 100.0 * n as f64 / outcome.trajectories.max(1) as f64;
        let frozen = "the states at later times are those at the event";
        match n {
            0 => format!("{of}."),
            1 => format!(
                "{of}, at t = {}; {frozen}.",
                digits(events.moments.mean()[0])
            ),
            _ => format!(
                "{of} ({} %), on average at t = {}; {frozen}.",
                digits((share * 10.0).round() / 10.0),
                digits(events.moments.mean()[0]),
            ),
        }
    }

    fn compared(&self, exact: &Exact) -> Section {
        let mut section = Section::new(format!(
            "Measured beside exact, at t = {}",
            digits(exact.time)
        ));
        if exact.holds == Holds::InTheLimit {
            section = section.text(
                "The process tends to this law; how near it is by now is for the eye to judge.",
            );
        }
        if exact.holds == Holds::Nearly {
            section = section.text("The reversal starts from pure noise instead of fully diffused data, so the law is the data's but for a small difference.");
        }
        for c in &exact.components {
            let mean = format!("mean of {}", c.component);
            if exact.holds != Holds::Exactly || c.mean_error == 0.0 {
                let row = |name: String, measured: f64, exact: f64| {
                    let spread = (measured - exact).abs();
                    vec![
                        name,
                        resolved(measured, spread),
                        resolved(exact, spread),
                        digits(measured - exact),
                    ]
                };
                let mut rows = vec![row(mean, c.mean, c.exact_mean)];
                if let (Some(variance), true) = (c.exact_variance, c.variance > 0.0) {
                    rows.push(row(
                        format!("variance of {}", c.component),
                        c.variance,
                        variance,
                    ));
                }
                section = section.table(&["", "measured", exact.sense(), "difference"], rows, "");
                continue;
            }
            let off = |measured: f64, exact: f64, error: f64| {
                let z = (measured - exact).abs() / error;
                (format!("{z:.1} standard errors"), z <= ERRORS)
            };
            let (words, good) = off(c.mean, c.exact_mean, c.mean_error);
            let near = |x: f64| resolved(x, c.mean_error);
            section = section.check(mean, near(c.mean), near(c.exact_mean), words, good);
            if let Some(variance) = c.exact_variance {
                let (words, good) = off(c.variance, variance, c.variance_error);
                let name = format!("variance of {}", c.component);
                section = section.check(name, digits(c.variance), digits(variance), words, good);
            }
            if let Some(p) = c.p_value {
                let name = format!("Kolmogorov–Smirnov p, {}", c.component);
                section = section.check(
                    name,
                    chance(p),
                    "uniform",
                    format!("at least {P_VALUE:e}"),
                    p >= P_VALUE,
                );
            }
        }
        section.text("What is off beyond chance is the error of the steps.")
    }
}

/// "0.12 s".
pub(super) fn seconds(s: f64) -> String {
    match s {
        s if s < 0.1 => format!("{:.1} ms", s * 1e3),
        s if s < 60.0 => format!("{s:.2} s"),
        s => format!("{} min {:.0} s", (s / 60.0).floor(), s % 60.0),
    }
}
