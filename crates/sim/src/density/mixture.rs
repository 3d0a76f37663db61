//! Mixtures in lanes.

use fokker_math::density::{Gaussian as Exact, Mixture as ExactMixture};

use super::{Gaussian, LaneDensity};
use crate::lane::Lane;

/// A mixture Σ wₖ N(μₖ, Σₖ).
///
/// Nothing underflows far from all components: their sums are relative to the largest term.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixture {
    components: Vec<Gaussian>,
}

impl From<&ExactMixture> for Mixture {
    fn from(exact: &ExactMixture) -> Mixture {
        let parts = exact.weights().iter().zip(exact.components());
        Mixture {
            components: parts.map(|(w, g)| Gaussian::weighted(g, *w)).collect(),
        }
    }
}

impl From<&Exact> for Mixture {
    fn from(exact: &Exact) -> Mixture {
        Mixture {
            components: vec![Gaussian::from(exact)],
        }
    }
}

impl LaneDensity for Mixture {
    fn dim(&self) -> usize {
        self.components[0].dim()
    }

    #[inline(always)]
    fn log_density<L: Lane>(&self, x: &[L]) -> L {
        log_density(self.components.iter(), x)
    }

    #[inline(always)]
    fn score<L: Lane>(&self, x: &[L], out: &mut [L]) {
        score(self.components.iter(), x, out);
    }
}

/// Whether Σ is a multiple of the identity.
pub(super) fn is_isotropic(gaussian: &Exact) -> bool {
    let (n, covariance) = (gaussian.mean().len(), gaussian.covariance());
    (0..n * n).all(|at| covariance[at] == if at / n == at % n { covariance[0] } else { 0.0 })
}

/// One weighted component w N(μ, Σ).
pub(super) trait Part<L> {
    /// ln w + ln N(x; μ, Σ).
    fn log(&self, x: &[L]) -> L;
    /// Adds share·Σ⁻¹(x − μ) to `out`.
    fn add_pull(&self, share: L, x: &[L], out: &mut [L]);
}

/// The next term eˡ of a sum that is kept relative to its largest term so far: the factor for the
/// sum so far, and the term's share.
#[inline(always)]
fn weigh<L: Lane>(max: &mut L, l: L) -> (L, L) {
    let (zero, one) = (L::splat(0.0), L::splat(1.0));
    let off = l - *max;
    let larger = zero.lt(off);
    // Not −|off|: its derivative at 0, where two modes weigh the same, would be wrong.
    let e = L::select(larger, -off, off).exp();
    *max = L::select(larger, l, *max);
    (L::select(larger, e, one), L::select(larger, one, e))
}

/// ln Σ eˡᵏ.
#[inline(always)]
pub(super) fn log_density<L: Lane, P: Part<L>>(parts: impl Iterator<Item = P>, x: &[L]) -> L {
    let (mut max, mut total) = (L::splat(0.0), L::splat(1.0));
    let mut first = true;
    // A plain loop: adapters might not be compiled into their caller, with its instruction set.
    for part in parts {
        let l = part.log(x);
        if first {
            first = false;
            max = l;
        } else {
            let (shrink, share) = weigh(&mut max, l);
            total = total.mul_add(shrink, share);
        }
    }
    max + total.ln()
}

/// −Σ rₖ Σₖ⁻¹(x − μₖ) with the posterior weights rₖ = P(k | x).
#[inline(always)]
pub(super) fn score<L: Lane, P: Part<L>>(parts: impl Iterator<Item = P>, x: &[L], out: &mut [L]) {
    let one = L::splat(1.0);
    let (mut max, mut total) = (L::splat(0.0), one);
    out.fill(L::splat(0.0));
    let mut first = true;
    // A plain loop: adapters might not be compiled into their caller, with its instruction set.
    for part in parts {
        let l = part.log(x);
        if first {
            first = false;
            max = l;
            part.add_pull(one, x, out);
        } else {
            let (shrink, share) = weigh(&mut max, l);
            total = total.mul_add(shrink, share);
            for out in out.iter_mut() {
                *out = *out * shrink;
            }
            part.add_pull(share, x, out);
        }
    }
    let scale = L::splat(-1.0) / total;
    for out in out {
        *out = *out * scale;
    }
}
