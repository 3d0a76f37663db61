use super::{GaussianMixture, Marginal, finite};
use crate::scheduler::{Coeffs, Scheduler};

/// Classifier-free guidance with exact fields: ũ = (1 − w)·u(x) + w·u(x|y), made by
/// [`GaussianMixture::guided`] (Ho & Salimans, *Classifier-free diffusion guidance*, 2022, whose
/// weight is w − 1).
///
/// w = 0 is unconditional, w = 1 conditional, w > 1 guided. At each time the guided score is that of
/// the tilted density p_t(x)^{1−w} p_t(x|y)^w. For w other than 0 and 1 these densities are no
/// path: the flow of ũ does not carry one to the next, so samples follow neither p(·|y) nor its
/// tilted form at t = 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Guided {
    all: GaussianMixture,
    class: GaussianMixture,
    w: f64,
}

impl Guided {
    pub(super) fn new(all: GaussianMixture, class: GaussianMixture, w: f64) -> Guided {
        Guided { all, class, w }
    }

    /// The guided fields at time `t`, as [`GaussianMixture::at`].
    pub fn at(&self, scheduler: &dyn Scheduler, t: f64) -> GuidedMarginal<'_> {
        self.with(finite(scheduler, t))
    }

    /// The guided fields for given coefficients.
    pub fn with(&self, coeffs: Coeffs) -> GuidedMarginal<'_> {
        GuidedMarginal {
            all: self.all.with(coeffs),
            class: self.class.with(coeffs),
            w: self.w,
        }
    }
}

/// The guided fields at one time.
#[derive(Clone, Debug)]
pub struct GuidedMarginal<'a> {
    all: Marginal<'a>,
    class: Marginal<'a>,
    w: f64,
}

impl<'a> GuidedMarginal<'a> {
    /// (1 − w)·u(x) + w·u(x|y), written to `out`.
    pub fn velocity(&self, x: &[f64], out: &mut [f64]) {
        self.mix(x, out, Marginal::velocity);
    }

    /// (1 − w)·∇ln p(x) + w·∇ln p(x|y), written to `out`.
    pub fn score(&self, x: &[f64], out: &mut [f64]) {
        self.mix(x, out, Marginal::score);
    }

    /// (1 − w)·D(x) + w·D(x|y), written to `out`.
    pub fn denoiser(&self, x: &[f64], out: &mut [f64]) {
        self.mix(x, out, Marginal::denoiser);
    }

    /// (1 − w) ln p(x) + w ln p(x|y): the logarithm of the tilted density up to a constant.
    pub fn log_tilted(&self, x: &[f64]) -> f64 {
        (1.0 - self.w) * self.all.log_density(x) + self.w * self.class.log_density(x)
    }

    fn mix(&self, x: &[f64], out: &mut [f64], field: impl Fn(&Marginal<'a>, &[f64], &mut [f64])) {
        field(&self.all, x, out);
        let mut class = vec![0.0; x.len()];
        field(&self.class, x, &mut class);
        for (out, class) in out.iter_mut().zip(class) {
            *out = (1.0 - self.w) * *out + self.w * class;
        }
    }
}
