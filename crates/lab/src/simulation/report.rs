//! One page about one ensemble.

use fokker_eval::{Animation, EvalError, Report, Section};
use fokker_sim::process::named::Holds;

use super::draw::Picture;
use super::exact::Exact;
use super::resolve::Simulation;
use super::run::Outcome;
use super::statistics::HEADINGS;
use super::words::{chance, digits, grouped};

/// Standard errors that a measurement may be off.
const ERRORS: f64 = 4.0;
/// The least p-value that passes.
const P_VALUE: f64 = 1e-4;
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
            .subtitle(
                find("equations")
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
            )
            .tile(
                "Trajectories",
                grouped(outcome.trajectories),
                find("start").to_owned(),
            )
            .tile(
                "Time",
                format!("{} to {}", self.plan().from, self.plan().to),
                format!("steps: {}", find("steps")),
            )
            .tile(
                "Solver",
                self.solver().spec().name,
                find("solver").to_owned(),
            )
            .tile(
                "Simulated in",
                seconds(outcome.seconds),
                format!("{} trajectories a second", grouped(speed.round() as u64)),
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
            report = report.section(Section::new("Events").text(self.events(outcome, events)));
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
        head.extend(&HEADINGS[1..]);
        let caption = "Over all trajectories; quantiles are good to 0.5 %. statistics.json has every save time.";
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
            "{} of {} trajectories reached the event",
            grouped(n),
            grouped(outcome.trajectories)
        );
        match n {
            0 => format!("{of}."),
            1 => format!("{of}, at t = {}.", digits(events.moments.mean()[0])),
            _ => format!(
                "{of}, on average at t = {}, half of them before t = {}.",
                digits(events.moments.mean()[0]),
                events.quantiles[0].quantile(0.5).map_or("–".into(), digits)
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
                    vec![
                        name,
                        digits(measured),
                        digits(exact),
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
            section = section.check(mean, digits(c.mean), digits(c.exact_mean), words, good);
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
