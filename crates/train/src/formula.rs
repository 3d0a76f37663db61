use fokker_math::scheduler::{Coeffs, Scheduler};
use fokker_sim::expr::{ExprError, System};
use fokker_sim::lane::{Dual, One};

/// A scheduler from two formulas: α as a function of t, β as a function of t and alpha.
///
/// The derivatives are exact, by dual numbers. See `fokker_sim::expr` for the language.
#[derive(Debug)]
pub struct FormulaScheduler {
    alpha: System,
    beta: System,
}

/// What is wrong with a formula.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{what}: {why}")]
pub struct FormulaError {
    /// `alpha` or `beta`.
    pub what: &'static str,
    /// Why it is refused.
    pub why: String,
}

type D = Dual<One<f64>>;

fn number(v: f64, d: f64) -> D {
    Dual::new(One(v), One(d))
}

impl FormulaScheduler {
    /// The scheduler of these formulas, such as `t^2` and `1 - alpha`.
    ///
    /// # Errors
    /// A formula that does not parse; α and β that are not finite and at least 0 on \[0, 1\], do not end
    /// at α = 1, β = 0, or whose ratio α/β does not rise.
    pub fn new(alpha: &str, beta: &str) -> Result<FormulaScheduler, FormulaError> {
        let made = FormulaScheduler {
            alpha: compile("alpha", &[("alpha", alpha)])?,
            beta: compile("beta", &[("alpha", "0"), ("beta", beta)])?,
        };
        made.check()?;
        Ok(made)
    }

    /// α and β at `t`, with `own` in place of a reference to the value that is being defined.
    fn values(&self, t: f64, own: f64) -> [D; 2] {
        let t = number(t, 1.0);
        let mut alpha = [number(0.0, 0.0)];
        let own = number(own, 0.0);
        self.alpha.drift_program().eval(t, &[own], &[], &mut alpha);
        let mut both = [number(0.0, 0.0); 2];
        let program = self.beta.drift_program();
        program.eval(t, &[alpha[0], own], &[], &mut both);
        [alpha[0], both[1]]
    }

    fn check(&self) -> Result<(), FormulaError> {
        const POINTS: usize = 1000;
        let refuse = |what, why: String| Err(FormulaError { what, why });
        let times = (0..=POINTS).map(|i| i as f64 / POINTS as f64);
        let mut before = f64::NEG_INFINITY;
        for t in times {
            let [a, b] = self.values(t, 0.0).map(|d| d.v.0);
            let other = self.values(t, 0.7).map(|d| d.v.0);
            let same = |x: f64, y: f64| x == y || (x.is_nan() && y.is_nan());
            for (what, value, other) in [("alpha", a, other[0]), ("beta", b, other[1])] {
                if !same(value, other) {
                    return refuse(
                        what,
                        format!("{what} is defined by itself; write it with t"),
                    );
                }
                if !(value.is_finite() && value >= 0.0) {
                    let why = format!(
                        "must be finite and at least 0 from t = 0 to 1, but is {value} at t = {t}"
                    );
                    return refuse(what, why);
                }
            }
            let ratio = a / b;
            if ratio.is_nan() || ratio <= before {
                let why = format!(
                    "α/β must rise from t = 0 to 1, but does not at t = {t} (α = {a}, β = {b})"
                );
                return refuse("alpha", why);
            }
            before = ratio;
        }
        let end = self.values(1.0, 0.0).map(|d| d.v.0);
        for (what, value, right) in [("alpha", end[0], 1.0), ("beta", end[1], 0.0)] {
            if (value - right).abs() > 1e-12 {
                return refuse(
                    what,
                    format!("must be {right} at t = 1, the data, but is {value}"),
                );
            }
        }
        Ok(())
    }
}

fn compile(what: &'static str, parts: &[(&str, &str)]) -> Result<System, FormulaError> {
    let builder = parts.iter().fold(System::builder(), |b, (name, text)| {
        b.component(*name, *text)
    });
    builder.build().map_err(|error| {
        let error = ExprError {
            place: what.into(),
            ..error
        };
        FormulaError {
            what,
            why: error.to_string(),
        }
    })
}

impl Scheduler for FormulaScheduler {
    fn name(&self) -> &'static str {
        "formula"
    }

    fn at(&self, t: f64) -> Coeffs {
        let [alpha, beta] = self.values(t, 0.0);
        Coeffs {
            alpha: alpha.v.0,
            beta: beta.v.0,
            d_alpha: alpha.d.0,
            d_beta: beta.d.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fokker_math::scheduler::{Cosine, Polynomial};

    #[test]
    fn formulas_of_known_schedulers_are_those() {
        let pairs: [(FormulaScheduler, Box<dyn Scheduler>); 2] = [
            (
                FormulaScheduler::new("t^3", "1 - alpha").unwrap(),
                Box::new(Polynomial::new(3).unwrap()),
            ),
            (
                // cos(π/2) is not 0 in floating point, sin(0) is.
                FormulaScheduler::new("cos(pi*(1-t)/2)", "sin(pi*(1-t)/2)").unwrap(),
                Box::new(Cosine),
            ),
        ];
        for (formula, exact) in pairs {
            for t in [0.1, 0.35, 0.5, 0.9] {
                let (found, exact) = (formula.at(t), exact.at(t));
                for (f, e) in [
                    (found.alpha, exact.alpha),
                    (found.beta, exact.beta),
                    (found.d_alpha, exact.d_alpha),
                    (found.d_beta, exact.d_beta),
                ] {
                    assert!(
                        (f - e).abs() < 1e-14 * (1.0 + e.abs()),
                        "{formula:?} at {t}"
                    );
                }
            }
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (alpha, beta, words) in [
            ("t^", "1 - t", "alpha"),
            ("t", "1 - tt", "unknown name `tt` in beta"),
            ("2*t", "1 - t", "must be 1 at t = 1"),
            ("t", "1 - t/2", "must be 0 at t = 1"),
            ("1 - t", "t", "must rise"),
            ("t - 0.5 + 0.5*t^2", "1 - t", "at least 0"),
            ("1/(1-t)", "1 - t", "must be finite"),
            ("alpha", "1 - t", "defined by itself"),
            ("t", "beta", "defined by itself"),
        ] {
            let error = FormulaScheduler::new(alpha, beta).unwrap_err().to_string();
            assert!(error.contains(words), "{alpha}, {beta}: {error}");
        }
    }
}
