//! How large an error is, and how long the next step is.

use super::Tolerance;
use crate::lane::{Real, Simd};

/// √(1/D Σ (eᵢ/(atol + rtol·max(|xᵢ|, |yᵢ|)))²).
#[inline(always)]
pub(crate) fn norm<S: Simd>(e: &[S], x: &[S], y: &[S], tolerance: &Tolerance) -> S {
    mean_square(e, x, y, weights(tolerance, e.len())).sqrt()
}

/// √D times (rtol, atol): with them a mean of D squares is their sum.
#[inline(always)]
pub(crate) fn weights<S: Simd>(tolerance: &Tolerance, dim: usize) -> (S, S) {
    let root = (dim as f64).sqrt();
    (
        S::splat(tolerance.rtol * root),
        S::splat(tolerance.atol * root),
    )
}

/// The square of [`norm`]; NaN where x or y is not finite.
#[inline(always)]
pub(crate) fn mean_square<S: Simd>(e: &[S], x: &[S], y: &[S], (rtol, atol): (S, S)) -> S {
    let (mut sum, mut scales) = (S::splat(0.0), S::splat(0.0));
    for ((e, x), y) in e.iter().zip(x).zip(y) {
        let scale = x.abs().max(y.abs()).mul_add(rtol, atol);
        let ratio = *e / scale;
        sum = ratio.mul_add(ratio, sum);
        scales = scales + scale;
    }
    // An infinite scale would make any error small: 0·∞ is NaN.
    sum + scales * 0.0
}

/// The PI controller of Hairer and Wanner's code DOPRI5 (*Solving Ordinary Differential
/// Equations II*, IV.2): the next step is longer by the factor 0.9 ‖e‖^{−0.85/k} ‖e_prev‖^{0.2/k}
/// in [0.2, 10], at most 1 after a rejection, with ‖e_prev‖ of the last accepted step and k = q + 1.
///
/// It computes in pseudo-logarithms, whose error moves a step by at most 4 %: the factor needs no
/// precision, but it takes part in every step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Controller<S> {
    proportional: S,
    integral: S,
    /// What does not depend on the errors.
    shared: S,
    shortest: S,
    /// After a rejection, after an accepted step.
    longest: [S; 2],
}

/// Half of how much too small a pseudo-logarithm of base 2 can be.
const MIDDLE: f64 = 0.043;

impl<S: Simd> Controller<S> {
    /// For an error estimate of order q = `order`.
    #[inline(always)]
    pub(crate) fn new(order: u32) -> Self {
        // Half the exponents, because errors are given as their squares.
        let k = 2.0 * f64::from(order + 1);
        let (proportional, integral) = (-0.85 / k, 0.2 / k);
        let one = S::Real::BIAS - MIDDLE;
        let shared = one - (proportional + integral) * one + 0.9_f64.log2();
        Controller {
            proportional: S::splat(proportional),
            integral: S::splat(integral),
            shared: S::splat(shared * S::Real::OCTAVE),
            shortest: S::splat(0.2).pseudo_log(),
            longest: [S::splat(1.0).pseudo_log(), S::splat(10.0).pseudo_log()],
        }
    }

    /// The size of an error from its square ‖e‖², with ‖e‖ kept in 10⁻⁵..10⁵; NaN counts as a
    /// great error.
    #[inline(always)]
    pub(crate) fn size(square: S) -> S {
        square.min(S::splat(1e10)).max(S::splat(1e-10)).pseudo_log()
    }

    /// The factor of the next step, from the sizes of this error and of the last accepted one.
    #[inline(always)]
    pub(crate) fn factor(&self, accepted: S::Mask, size: S, previous: S) -> S {
        let wanted = size.mul_add(
            self.proportional,
            previous.mul_add(self.integral, self.shared),
        );
        let longest = S::select(accepted, self.longest[1], self.longest[0]);
        wanted.max(self.shortest).min(longest).pseudo_exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lane::{Lane, Mask, One};

    fn value<S: Simd>(x: S) -> f64 {
        let mut one = [S::Real::default()];
        x.store(&mut one);
        one[0].to_f64()
    }

    fn check<S: Simd>() {
        let size = |e: f64| Controller::size(S::splat(e * e));
        for order in [2, 4] {
            let controller = Controller::<S>::new(order);
            let k = f64::from(order + 1);
            for (i, j) in (-40..=40).flat_map(|i| (-40..=0).map(move |j| (i, j))) {
                let [e, before] = [i, j].map(|i| 10_f64.powf(f64::from(i) / 10.0));
                let exact = 0.9 * e.powf(-0.85 / k) * before.powf(0.2 / k);
                for (accepted, most) in [(true, 10.0), (false, 1.0)] {
                    let accepted = S::Mask::splat(accepted);
                    let found = value(controller.factor(accepted, size(e), size(before)));
                    let exact = exact.clamp(0.2, most);
                    assert!(
                        (found / exact - 1.0).abs() < 0.04,
                        "‖e‖ = {e} after {before}: {found}, exact {exact}"
                    );
                }
            }
            // An error that is not a number is as bad as can be.
            let nan = controller.factor(S::Mask::splat(false), size(f64::NAN), size(1.0));
            assert!(value(nan) < 0.21);
        }
    }

    #[test]
    fn the_factor_is_that_of_the_paper_within_4_percent() {
        check::<One<f32>>();
        check::<One<f64>>();
    }

    #[test]
    fn infinite_states_have_no_small_error() {
        let tolerance = Tolerance::new(1e-6);
        let size = |y: f64| {
            let [e, x, y] = [1e-9, 1.0, y].map(One::<f64>::splat);
            value(norm(&[e, e], &[x, x], &[x, y], &tolerance))
        };
        assert!(size(1.0) < 1.0);
        assert!(size(f64::INFINITY).is_nan() && size(f64::NEG_INFINITY).is_nan());
    }
}
