use std::ops::ControlFlow;

use burn::tensor::DType;
use fokker_math::tableau::Tableau;

use crate::State;

/// The right-hand side of dx/dt = f(t, x).
pub(crate) type Field<'a> = dyn FnMut(f64, State) -> State + 'a;

/// Told the share of the way that is done, from 0 to 1, at the start and after every accepted step; may break off.
pub(crate) type Watch<'a> = dyn FnMut(f64) -> ControlFlow<()> + 'a;

/// An explicit Runge–Kutta method with an embedded error estimate, which chooses its steps.
///
/// All rows take the same steps. The error of a row is the root mean square over its columns of
/// err/(atol + rtol·max(|x|, |x′|)) with x before and x′ after the step, and the largest of all rows counts: at most
/// 1 is accepted. The step is then scaled by the PI controller of DOPRI5, 0.9 e^{−0.85/k} e′^{0.2/k} with k = q + 1 for
/// an estimate of order q and e′ the error of the step before, held in \[0.2, 10\], and at most 1 after a rejection.
/// Source: Hairer, Nørsett, Wanner, *Solving ordinary differential equations I*, II.4; Hairer and Wanner, *II*, IV.2.
///
/// ```
/// use std::ops::ControlFlow;
/// use burn::tensor::{Device, Tensor};
/// use fokker_core::Adaptive;
/// use fokker_math::tableau::DORMAND_PRINCE;
///
/// let x = Tensor::<2>::ones([1, 1], &Device::flex());
/// let solver = Adaptive { tableau: &DORMAND_PRINCE, rtol: 1e-6, atol: 1e-6 };
/// let walk = solver.integrate(&mut |_, x| x, x, 0.0, 1.0, &mut |_| ControlFlow::Continue(()))?;
/// let e = walk.state.into_scalar::<f32>();
/// assert!((e - std::f32::consts::E).abs() < 1e-4);
/// # Ok::<(), fokker_core::AdaptiveError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adaptive {
    /// The method, such as [`DORMAND_PRINCE`](fokker_math::tableau::DORMAND_PRINCE) or
    /// [`TSIT5`](fokker_math::tableau::TSIT5).
    pub tableau: &'static Tableau,
    /// The relative tolerance. Less than 16 units of rounding of the state's type (2e-6 for f32) counts as that much:
    /// smaller steps would only follow the rounding.
    pub rtol: f64,
    /// The absolute tolerance.
    pub atol: f64,
}

/// What an integration did.
#[derive(Clone, Debug)]
pub struct Walk {
    /// The state at the end.
    pub state: State,
    /// The accepted times, first to last.
    pub times: Vec<f64>,
    /// Evaluations of f.
    pub calls: usize,
    /// Steps that were taken back.
    pub rejected: usize,
}

/// Why an integration came to no end.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum AdaptiveError {
    /// A method without an embedded error estimate.
    #[error("the method {0} has no error estimate to choose its steps by; take dopri5 or tsit5")]
    NoEstimate(&'static str),
    /// Tolerances that no step can meet.
    #[error(
        "tolerances must be finite, with rtol at least 0 and atol above 0; got rtol = {rtol}, atol = {atol}"
    )]
    Tolerance {
        /// The relative one.
        rtol: f64,
        /// The absolute one.
        atol: f64,
    },
    /// A field or a state that is no finite number, however short the step.
    #[error("the field at t = {t} is no finite number")]
    NotFinite {
        /// The time of the last good state.
        t: f64,
    },
    /// A field so rough that no step is short enough.
    #[error("no step from t = {t} is short enough for the tolerance: the field jumps there")]
    Stuck {
        /// The time of the last good state.
        t: f64,
    },
    /// More than [`MAX_STEPS`] steps.
    #[error(
        "{MAX_STEPS} steps led no further than t = {t}; take a larger tolerance or a fixed number of steps"
    )]
    TooManySteps {
        /// The time of the last good state.
        t: f64,
    },
    /// The watch broke off.
    #[error("stopped")]
    Stopped,
}

/// The most steps of one integration, rejected ones included.
pub const MAX_STEPS: usize = 20_000;

impl Adaptive {
    /// Integrates dx/dt = `f` from `x` at time `from` to time `to`, earlier or later. `f` is asked at times between the
    /// two and at both, never outside; the last step ends exactly at `to`. `watch` is told the share of the way that is
    /// done, from 0 to 1, at the start and after every accepted step, and may break off.
    ///
    /// # Errors
    /// See [`AdaptiveError`].
    pub fn integrate(
        &self,
        f: &mut Field<'_>,
        x: State,
        from: f64,
        to: f64,
        watch: &mut Watch<'_>,
    ) -> Result<Walk, AdaptiveError> {
        let Self {
            tableau,
            rtol,
            atol,
        } = *self;
        if tableau.b_err.is_empty() {
            return Err(AdaptiveError::NoEstimate(tableau.name));
        }
        if !(rtol >= 0.0 && atol > 0.0 && rtol.is_finite() && atol.is_finite()) {
            return Err(AdaptiveError::Tolerance { rtol, atol });
        }
        let tolerance = (rtol.max(finest(&x)), atol);
        let mut walk = Walk {
            state: x,
            times: vec![from],
            calls: 0,
            rejected: 0,
        };
        if watch(0.0).is_break() {
            return Err(AdaptiveError::Stopped);
        }
        if from == to {
            return Ok(walk);
        }
        let mut calls = 0;
        let mut f = |t: f64, x: State| {
            calls += 1;
            f(t.clamp(from.min(to), from.max(to)), x)
        };
        let k = f64::from(tableau.error_order + 1);
        let mut t = from;
        let mut first = f(t, walk.state.clone());
        let mut h = starting_step(tableau, &mut f, &walk.state, &first, (from, to), tolerance)?;
        let shortest = 16.0 * f64::EPSILON * from.abs().max(to.abs());
        let (mut previous, mut most) = (1e-4_f64, 10.0);
        for _ in 0..MAX_STEPS {
            // A last sliver of a step would be worth little.
            let last = (1.01 * h).abs() >= (to - t).abs();
            let h_now = if last { to - t } else { h };
            let end = if last { to } else { t + h };
            let (x, mut stages) = step(tableau, &mut f, &walk.state, Some(first.clone()), (t, end));
            let e = error(&walk.state, &x, &stages, tableau.b_err, h_now, tolerance);
            let factor = 0.9 * e.powf(-0.85 / k) * previous.powf(0.2 / k);
            if e <= 1.0 {
                t = end;
                walk.times.push(t);
                walk.state = x;
                if watch((t - from) / (to - from)).is_break() {
                    return Err(AdaptiveError::Stopped);
                }
                if last {
                    walk.calls = calls;
                    return Ok(walk);
                }
                first = match stages.pop() {
                    Some(stage) if tableau.fsal => stage,
                    _ => f(t, walk.state.clone()),
                };
                h = h_now * factor.clamp(0.2, most);
                (previous, most) = (e.max(1e-4), 10.0);
            } else {
                walk.rejected += 1;
                // NaN is as bad as can be.
                h = h_now * if factor > 0.2 { factor.min(1.0) } else { 0.2 };
                most = 1.0;
                if h.abs() < shortest {
                    return Err(match e.is_finite() {
                        true => AdaptiveError::Stuck { t },
                        false => AdaptiveError::NotFinite { t },
                    });
                }
            }
        }
        Err(AdaptiveError::TooManySteps { t })
    }
}

/// The same walk in given steps: `tableau` along `grid`, at least one time, rising or falling.
///
/// # Errors
/// [`AdaptiveError::Stopped`] when `watch` breaks.
pub(crate) fn along(
    tableau: &Tableau,
    f: &mut Field<'_>,
    x: State,
    grid: &[f64],
    watch: &mut Watch<'_>,
) -> Result<Walk, AdaptiveError> {
    let mut walk = Walk {
        state: x,
        times: grid.to_vec(),
        calls: 0,
        rejected: 0,
    };
    let (low, high) = (
        grid[0].min(grid[grid.len() - 1]),
        grid[0].max(grid[grid.len() - 1]),
    );
    let mut f = |t: f64, x: State| {
        walk.calls += 1;
        f(t.clamp(low, high), x)
    };
    for (i, pair) in grid.windows(2).enumerate() {
        if watch(i as f64 / (grid.len() - 1) as f64).is_break() {
            return Err(AdaptiveError::Stopped);
        }
        walk.state = step(tableau, &mut f, &walk.state, None, (pair[0], pair[1])).0;
    }
    Ok(walk)
}

/// The state after a step and its stages, of which the first may be known.
fn step(
    tableau: &Tableau,
    f: &mut dyn FnMut(f64, State) -> State,
    x: &State,
    first: Option<State>,
    (t, end): (f64, f64),
) -> (State, Vec<State>) {
    let h = end - t;
    let mut k: Vec<State> = first.into_iter().collect();
    for i in k.len()..tableau.stages() {
        let stage = combine(x, &k, tableau.a[i], h);
        // Not t + h, which rounds.
        let c = tableau.c[i];
        let at = if c == 1.0 { end } else { t + c * h };
        if tableau.fsal && i + 1 == tableau.stages() {
            // Its argument is the new state.
            k.push(f(at, stage.clone()));
            return (stage, k);
        }
        k.push(f(at, stage));
    }
    (combine(x, &k, tableau.b, h), k)
}

/// x + h Σ_j w_j k_j, skipping zero weights.
fn combine(x: &State, k: &[State], weights: &[f64], h: f64) -> State {
    weights
        .iter()
        .zip(k)
        .filter(|(w, _)| **w != 0.0)
        .fold(x.clone(), |x, (w, k)| x + k.clone().mul_scalar(h * w))
}

/// The largest error of a row of the step from `x` to `end`, NaN where anything is not finite.
fn error(x: &State, end: &State, k: &[State], b_err: &[f64], h: f64, tolerance: (f64, f64)) -> f64 {
    let e = combine(&x.zeros_like(), k, b_err, h);
    let larger = x.clone().abs().max_pair(end.clone().abs());
    norm(e, larger, tolerance)
}

/// The largest row's root mean square of `e`/(atol + rtol·`size`).
fn norm(e: State, size: State, (rtol, atol): (f64, f64)) -> f64 {
    let scale = size * rtol + atol;
    // An infinite scale would make any error small: ∞·0 is NaN.
    let ratio = e / scale.clone() + scale * 0.0;
    let rows = ratio.square().mean_dim(1).into_data().convert::<f64>();
    let rows: Vec<f64> = rows.try_to_vec().expect("converted to f64");
    let largest = |m: f64, e: f64| if e.is_nan() || e > m { e } else { m };
    let square = rows
        .into_iter()
        .fold(0.0, |m: f64, e| if m.is_nan() { m } else { largest(m, e) });
    if square.is_finite() {
        square.sqrt()
    } else {
        f64::NAN
    }
}

/// Hairer's guess of the first step: 1 % of the state's own time scale, bettered by one explicit Euler step.
fn starting_step(
    tableau: &Tableau,
    f: &mut dyn FnMut(f64, State) -> State,
    x: &State,
    first: &State,
    (from, to): (f64, f64),
    tolerance: (f64, f64),
) -> Result<f64, AdaptiveError> {
    let size = x.clone().abs();
    let d0 = norm(x.clone(), size.clone(), tolerance);
    let d1 = norm(first.clone(), size.clone(), tolerance);
    if !(d0.is_finite() && d1.is_finite()) {
        return Err(AdaptiveError::NotFinite { t: from });
    }
    let whole = (to - from).abs();
    let sign = (to - from).signum();
    let h0 = if d0 < 1e-5 || d1 < 1e-5 {
        1e-6
    } else {
        0.01 * d0 / d1
    };
    let h0 = h0.min(whole);
    let x1 = x.clone() + first.clone().mul_scalar(sign * h0);
    let change = f(from + sign * h0, x1) - first.clone();
    let d2 = norm(change, size, tolerance) / h0;
    if !d2.is_finite() {
        return Ok(sign * h0);
    }
    let d = d1.max(d2);
    let h1 = if d <= 1e-15 {
        1e-6_f64.max(1e-3 * h0)
    } else {
        (0.01 / d).powf(1.0 / f64::from(tableau.error_order + 1))
    };
    Ok(sign * h1.min(100.0 * h0).min(whole))
}

/// The least tolerance that means something for numbers of the state's type: 16 units of rounding.
pub(crate) fn finest(x: &State) -> f64 {
    16.0 * match x.dtype() {
        DType::F64 => f64::EPSILON,
        DType::F16 => 2.0_f64.powi(-10),
        DType::BF16 => 2.0_f64.powi(-7),
        _ => f64::from(f32::EPSILON),
    }
}
