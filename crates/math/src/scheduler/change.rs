//! Sampling on another scheduler than the one a model was trained on.

use super::{Coeffs, Scheduler};
use crate::prediction::{Prediction, convert_rows};

/// Where a model trained on scheduler A is asked when the sampler runs on scheduler B; made by
/// [`change`].
///
/// Both paths mix the same z and ε. At B's time r and A's time t of equal signal-to-noise ratio they
/// are multiples, x_B = s·x_A with s = α_B(r)/α_A(t) = β_B(r)/β_A(t). Hence the laws of E\[z|x\] and
/// E\[ε|x\] are shared: D_B(x, r) = D_A(x/s, t).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// A's time t, to be given to the model.
    pub t: f64,
    /// s: the model is asked at x/s.
    pub scale: f64,
    /// Whether A has no such signal-to-noise ratio, so that t is A's nearest end.
    ///
    /// This happens near r = 0 where B starts at purer noise than A, which is trained from there
    /// only. The noise is then scaled right (s = β_B/β_A) but the model takes x/s to hold the data
    /// with a weight of α_A(t), where it holds α_B(r)/s: a shift by less than α_A(0)/β_A(0)·z beside
    /// noise of 1, which is 0.0066 z for the usual "vp" and z/80 for "edm".
    pub clamped: bool,
    /// A's coefficients at t.
    pub from: Coeffs,
    /// B's coefficients at r.
    pub to: Coeffs,
}

/// The time and scale at which a model trained on `from` = A serves the time `r` of `to` = B.
pub fn change(from: &dyn Scheduler, to: &dyn Scheduler, r: f64) -> Change {
    let b = to.at(r);
    let l = b.log_snr();
    let t = from.time_of_log_snr(l);
    let a = from.at(t);
    let (first, last) = (from.at(0.0).log_snr(), from.at(1.0).log_snr());
    // The ratio of the larger ones: one of α, β may be 0, and near it the time's rounding shows.
    let scale = if l > 0.0 {
        b.alpha / a.alpha
    } else {
        b.beta / a.beta
    };
    Change {
        t,
        scale,
        clamped: l < first || l > last,
        from: a,
        to: b,
    }
}

impl Change {
    /// The pair (cx, cv) with `to`_B(x, r) = cx·x + cv·`from`_A(x/s, t): what a model that predicts
    /// `from` on A says as the prediction `to` on B.
    ///
    /// For the velocity of both this is u_B(x, r) = (ṡ/s)·x + sṫ·u_A(x/s, t) with ṡ and ṫ the
    /// derivatives by r (Lipman et al., *Flow matching guide and code*, 2024, scheduler change). It
    /// is computed from (z, ε) by one 2×2 solve, which stays finite where ṡ and ṫ are not.
    ///
    /// None where x and `from` do not determine `to`, as in [`convert_rows`].
    pub fn convert(&self, from: Prediction, to: Prediction) -> Option<(f64, f64)> {
        // x/s = α_A z + β_A ε: A's solve, for B's combination of z and ε.
        let (f, g) = (from.row(&self.from), to.row(&self.to));
        let (cx, cv) = convert_rows(f, g, &self.from)?;
        Some((cx / self.scale, cv))
    }

    /// [`convert`](Change::convert) of velocity to velocity.
    pub fn velocity(&self) -> Option<(f64, f64)> {
        self.convert(Prediction::Velocity, Prediction::Velocity)
    }
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
