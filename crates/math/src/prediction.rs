//! What a network may predict, and how one prediction converts to another.

use crate::scheduler::Coeffs;

/// A quantity that, beside x = αz + βε, determines both the data point z and the noise ε.
///
/// Each is a linear combination of z and ε (for expectations given x, by linearity, of E\[z|x\] and
/// E\[ε|x\]), so that any pair converts by one 2×2 solve, element by element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Prediction {
    /// The data point z; its expectation is the denoiser D(x, t).
    Data,
    /// The noise ε.
    Noise,
    /// The velocity u = α̇z + β̇ε (Lipman et al., *Flow matching for generative modeling*, 2023).
    Velocity,
    /// v = αε − βz, in this sign (Salimans & Ho, *Progressive distillation*, 2022).
    V,
    /// The score −ε/β; its expectation is ∇log p_t(x).
    Score,
}

/// All predictions: menus, documentation and law tests iterate this slice.
pub const PREDICTIONS: &[Prediction] = &[
    Prediction::Data,
    Prediction::Noise,
    Prediction::Velocity,
    Prediction::V,
    Prediction::Score,
];

impl Prediction {
    /// The name in menus and configurations.
    pub const fn name(self) -> &'static str {
        match self {
            Prediction::Data => "data",
            Prediction::Noise => "noise",
            Prediction::Velocity => "velocity",
            Prediction::V => "v",
            Prediction::Score => "score",
        }
    }

    /// The prediction as a combination of z and ε: its value is `row[0]` z + `row[1]` ε.
    /// Infinite where β = 0 for the score, or a derivative is infinite for the velocity.
    pub fn row(self, c: &Coeffs) -> [f64; 2] {
        match self {
            Prediction::Data => [1.0, 0.0],
            Prediction::Noise => [0.0, 1.0],
            Prediction::Velocity => [c.d_alpha, c.d_beta],
            Prediction::V => [-c.beta, c.alpha],
            Prediction::Score => [0.0, -1.0 / c.beta],
        }
    }
}

/// The pair (cx, cv) with `to` = cx·x + cv·`from`, element by element.
///
/// None where x and `from` do not determine `to`: for example noise at α = 0 (x = βε says nothing
/// of z, and neither does ε), or data at β = 0. A prediction converts to itself at any time, and
/// noise to score and back wherever β > 0.
pub fn convert(from: Prediction, to: Prediction, c: &Coeffs) -> Option<(f64, f64)> {
    convert_rows(from.row(c), to.row(c), c)
}

/// [`convert`] for any two combinations `from[0]` z + `from[1]` ε and `to[0]` z + `to[1]` ε, for
/// example a preconditioned network's target.
///
/// From x = αz + βε and `from` one 2×2 solve gives z and ε. None where they do not determine `to`.
pub fn convert_rows(from: [f64; 2], to: [f64; 2], c: &Coeffs) -> Option<(f64, f64)> {
    if from == to {
        return Some((0.0, 1.0));
    }
    let (f, g) = (from, to);
    let parallel = f[0] * g[1] - f[1] * g[0];
    let (cx, cv) = if parallel == 0.0 {
        // One is a multiple of the other: x is not needed, even where it is of no help.
        let i = if f[0] == 0.0 { 1 } else { 0 };
        (0.0, g[i] / f[i])
    } else {
        let det = c.alpha * f[1] - c.beta * f[0];
        (-parallel / det, (c.alpha * g[1] - c.beta * g[0]) / det)
    };
    (cx.is_finite() && cv.is_finite()).then_some((cx, cv))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheduler::{CondOt, SCHEDULERS, Scheduler};

    const TIMES: [f64; 6] = [0.03, 0.2, 0.41, 0.5, 0.77, 0.96];

    /// Each prediction of a known z and ε, written out, for the rows to be checked against.
    fn value(prediction: Prediction, c: &Coeffs, z: f64, eps: f64) -> f64 {
        match prediction {
            Prediction::Data => z,
            Prediction::Noise => eps,
            Prediction::Velocity => c.d_alpha * z + c.d_beta * eps,
            Prediction::V => c.alpha * eps - c.beta * z,
            Prediction::Score => {
                let x = c.alpha * z + c.beta * eps;
                -(x - c.alpha * z) / (c.beta * c.beta)
            }
        }
    }

    #[test]
    fn all_conversions() {
        for spec in SCHEDULERS {
            for c in TIMES.map(|t| (spec.make)().at(t)) {
                for (z, eps) in [(0.7, -1.3), (-2.0, 0.4), (0.0, 1.0), (1.5, 0.0)] {
                    let x = c.alpha * z + c.beta * eps;
                    for &from in PREDICTIONS {
                        for &to in PREDICTIONS {
                            let (cx, cv) = convert(from, to, &c).unwrap();
                            let (given, expected) =
                                (value(from, &c, z, eps), value(to, &c, z, eps));
                            let scale = 1.0 + expected.abs() + (cx * x).abs() + (cv * given).abs();
                            let error = (cx * x + cv * given - expected).abs();
                            assert!(
                                error < 1e-12 * scale,
                                "{} at {c:?}, {from:?} to {to:?}: {error:e}",
                                spec.name
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn there_and_back_is_the_identity() {
        for spec in SCHEDULERS {
            for c in TIMES.map(|t| (spec.make)().at(t)) {
                for &from in PREDICTIONS {
                    assert_eq!(convert(from, from, &c), Some((0.0, 1.0)));
                    for &to in PREDICTIONS {
                        let (cx, cv) = convert(from, to, &c).unwrap();
                        let (bx, bv) = convert(to, from, &c).unwrap();
                        assert!((bv * cv - 1.0).abs() < 1e-12);
                        assert!((bx + bv * cx).abs() < 1e-10 * (1.0 + bx.abs()));
                    }
                }
            }
        }
    }

    #[test]
    fn the_ends() {
        use Prediction::*;
        let start = CondOt.at(0.0); // α = 0, β = 1: x = ε
        assert_eq!(convert(Noise, Score, &start), Some((0.0, -1.0)));
        assert_eq!(convert(Score, Noise, &start), Some((0.0, -1.0)));
        assert_eq!(convert(Velocity, Data, &start), Some((1.0, 1.0)));
        assert_eq!(convert(Data, Velocity, &start), Some((-1.0, 1.0)));
        assert_eq!(convert(Noise, Data, &start), None);
        assert_eq!(convert(Score, Velocity, &start), None);
        let end = CondOt.at(1.0); // α = 1, β = 0: x = z
        assert_eq!(convert(Velocity, Data, &end), Some((1.0, 0.0)));
        assert_eq!(convert(Noise, Velocity, &end), Some((1.0, -1.0)));
        assert_eq!(convert(Data, Noise, &end), None);
        assert_eq!(convert(Data, Velocity, &end), None);
        assert_eq!(convert(Noise, Score, &end), None);
        assert_eq!(convert(Score, Data, &end), None);
    }
}
