//! Settings and numbers in words.

use fokker_sim::expr::System;
use fokker_sim::lane::Level;
use fokker_sim::process::{Calculus, NoiseKind, Process};
use fokker_sim::shown;
use fokker_sim::solver::{Family, Steps};

use super::general::General;
use super::resolve::Simulation;
use super::settings::Precision;

/// Five digits that count.
pub fn digits(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return x.to_string();
    }
    let exponent = x.abs().log10().floor() as i32;
    if (-4..6).contains(&exponent) {
        let text = format!("{x:.*}", (4 - exponent).max(0) as usize);
        return match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => text,
        };
    }
    format!("{x:.4e}")
}

/// As many digits as it takes to tell apart numbers that lie `spread` from each other, three of the
/// spread's, and not fewer than [`digits`] gives.
pub fn resolved(x: f64, spread: f64) -> String {
    if !(x.is_finite() && x != 0.0 && spread > 0.0 && spread.is_finite()) {
        return digits(x);
    }
    let exponent = |x: f64| x.abs().log10().floor() as i32;
    let decimals = 2 - exponent(spread);
    // No more than a double holds.
    let most = 15 - exponent(x);
    if decimals <= 4 - exponent(x) || !(-4..16).contains(&exponent(x)) {
        return digits(x);
    }
    format!("{x:.*}", decimals.min(most).max(0) as usize)
}

/// "1 trajectory", "1,000 trajectories".
pub fn trajectories(n: u64) -> String {
    let end = if n == 1 { "y" } else { "ies" };
    format!("{} trajector{end}", grouped(n))
}

/// "of 1,000 trajectories", and how many of them where that is not all.
pub(super) fn part(shown: usize, of: u64) -> String {
    match shown as u64 == of {
        true => trajectories(of),
        false => format!("{} of {}", grouped(shown as u64), trajectories(of)),
    }
}

/// A p-value: two digits that count.
pub fn chance(p: f64) -> String {
    match p {
        p if p >= 0.01 => format!("{p:.2}"),
        0.0 => "0".into(),
        p => format!("{p:.0e}"),
    }
}

/// 1000000 as 1,000,000.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

fn order(order: f64) -> String {
    if order == 0.5 {
        "½".into()
    } else {
        order.to_string()
    }
}

impl Simulation {
    /// The equations as they were understood, one per line.
    pub fn equations(&self) -> String {
        match self.engine.general() {
            General::Equation(equation) => System::to_string(equation.system()),
            General::Dense(_) => {
                let Some(named) = &self.named else {
                    return String::new();
                };
                let mut text = named.spec().equations.join("\n");
                for (i, (name, value)) in named.parameters().enumerate() {
                    text += if i == 0 { "\nwith " } else { ", " };
                    text += &format!("{name} = {}", shown(value));
                }
                text
            }
        }
    }

    /// The equations in one line of a title, without the parameters' values.
    pub(super) fn equation_line(&self) -> String {
        const MOST: usize = 160;
        let equations = self.equations();
        let lines = equations.lines().filter(|line| !line.starts_with("with "));
        let line = lines.collect::<Vec<_>>().join("; ");
        match line.chars().count() > MOST {
            true => line.chars().take(MOST - 1).chain(['…']).collect(),
            false => line,
        }
    }

    /// Every setting as it was resolved: what it is, and its value.
    pub fn describe(&self) -> Vec<(&'static str, String)> {
        let spec = self.solver().spec();
        let general = self.engine.general();
        let plan = self.plan();
        let mut lines = vec![("process", self.title()), ("equations", self.equations())];
        if general.noise_kind() != NoiseKind::None {
            let kind = match general.noise_kind() {
                NoiseKind::Additive => "additive: Itô and Stratonovich agree".to_owned(),
                kind => {
                    let calculus = match self.converted_from {
                        Some(from) => {
                            format!("{from}, rewritten as {} for the solver", other(from))
                        }
                        None => general.calculus().to_string(),
                    };
                    match kind {
                        NoiseKind::Commutative => format!("commutative, {calculus}"),
                        _ => format!("general, {calculus}"),
                    }
                }
            };
            lines.push((
                "noise",
                format!("{}-dimensional, {kind}", general.noise_dim()),
            ));
        }
        lines.push((
            "solver",
            match spec.family {
                Family::Stochastic(_) => {
                    let of = match general.noise_kind() {
                        NoiseKind::Additive => spec.additive_order,
                        _ => spec.order,
                    };
                    format!("{} ({}), strong order {}", spec.title, spec.name, order(of))
                }
                Family::Explicit => format!("{} ({}), order {}", spec.title, spec.name, spec.order),
                Family::Implicit => {
                    format!(
                        "{} ({}), implicit, order {}",
                        spec.title, spec.name, spec.order
                    )
                }
            },
        ));
        let span = plan.to - plan.from;
        lines.push((
            "steps",
            match self.solver().steps() {
                Steps::Equal(n) => {
                    format!(
                        "{} of length {}",
                        grouped(n as u64),
                        digits(span / n as f64)
                    )
                }
                Steps::Adaptive(t) => format!("chosen for a tolerance of {:e}", t.rtol),
                Steps::Tree(depth) => format!(
                    "2^{depth} of length {} on a Brownian tree",
                    digits(span / 2f64.powi(depth as i32))
                ),
            },
        ));
        lines.push((
            "time",
            format!("{} to {}", shown(plan.from), shown(plan.to)),
        ));
        lines.push(("start", self.starts.describe(self.names())));
        lines.push(("trajectories", grouped(plan.count)));
        let n = plan.save.len();
        lines.push((
            "saved",
            match n {
                1 => format!("at t = {}", shown(plan.save[0])),
                _ => format!(
                    "at {} times from {} to {}",
                    grouped(n as u64),
                    shown(plan.save[0]),
                    shown(plan.save[n - 1])
                ),
            },
        ));
        let bits = match self.precision {
            Precision::F32 => "single",
            Precision::F64 => "double",
        };
        let kernel = match (self.engine.is_fast(), general) {
            (true, _) | (false, General::Dense(_)) => "compiled",
            (false, General::Equation(_)) => "from expressions",
        };
        lines.push((
            "arithmetic",
            format!("{bits} precision, {kernel}, {:?} lanes", Level::current()),
        ));
        lines.push(("seed", plan.seed.to_string()));
        lines
    }
}

fn other(calculus: Calculus) -> Calculus {
    match calculus {
        Calculus::Ito => Calculus::Stratonovich,
        Calculus::Stratonovich => Calculus::Ito,
    }
}
