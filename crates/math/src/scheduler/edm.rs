use super::{Coeffs, Scheduler, SchedulerError};
use crate::grid::{cleanest, karras};

/// α = 1, β = σ_max(1 − t): the path of EDM, whose own time is the noise level σ = β, here scaled
/// to \[0, 1\] and turned
/// (Karras et al., *Elucidating the design space of diffusion-based generative models*, 2022).
///
/// The path starts at the data with noise of β_0 = σ_max, 80 by default, in place of pure noise of
/// standard deviation 1. Steps equal in t would leave most of the data to the last one, so
/// [`times`](Scheduler::times) are the paper's: equally spaced in σ^{1/7} down to σ = 0.002, then 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edm {
    sigma_max: f64,
}

impl Edm {
    /// The scheduler that starts at noise level `sigma_max`; the default is 80.
    ///
    /// # Errors
    /// [`SchedulerError::Scale`] unless it is positive and finite.
    pub fn new(sigma_max: f64) -> Result<Edm, SchedulerError> {
        if !(sigma_max > 0.0 && sigma_max.is_finite()) {
            return Err(SchedulerError::Scale { sigma_max });
        }
        Ok(Edm { sigma_max })
    }

    /// σ at t = 0.
    pub fn sigma_max(&self) -> f64 {
        self.sigma_max
    }
}

/// σ_max = 80.
impl Default for Edm {
    fn default() -> Edm {
        Edm { sigma_max: 80.0 }
    }
}

impl Scheduler for Edm {
    fn name(&self) -> &'static str {
        "edm"
    }

    fn at(&self, t: f64) -> Coeffs {
        Coeffs {
            alpha: 1.0,
            beta: self.sigma_max * (1.0 - t),
            d_alpha: 0.0,
            d_beta: -self.sigma_max,
        }
    }

    fn time_of_log_snr(&self, l: f64) -> f64 {
        (1.0 - (-0.5 * l).exp() / self.sigma_max).max(0.0)
    }

    fn times(&self, steps: usize) -> Vec<f64> {
        let last = steps.saturating_sub(1) as f64;
        let to = cleanest(self.sigma_max);
        let sigma = |i: usize| karras(self.sigma_max, to, 7.0, i as f64 / last);
        let inside = (1..steps).map(|i| 1.0 - sigma(i) / self.sigma_max);
        let mut times = vec![0.0];
        times.extend(inside);
        if steps > 0 {
            times.push(1.0);
        }
        times
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The noise levels of the paper's Table 1 with 18 steps, its setting for CIFAR-10: 80 → 0.002 → 0.
    #[test]
    fn the_papers_noise_levels() {
        let edm = Edm::default();
        let times = edm.times(18);
        assert_eq!((times.len(), times[0], times[18]), (19, 0.0, 1.0));
        let sigma = |i: usize| edm.at(times[i]).beta;
        assert!((sigma(17) - 0.002).abs() < 1e-12);
        // The root is linear in i.
        for i in 1..17 {
            let roots = [i - 1, i, i + 1].map(|i| sigma(i).powf(1.0 / 7.0));
            assert!((roots[0] - 2.0 * roots[1] + roots[2]).abs() < 1e-9);
        }
        for n in 0..5 {
            let times = edm.times(n);
            assert_eq!(times.len(), n + 1);
            assert!(times.windows(2).all(|w| w[0] < w[1]));
        }
    }
}
