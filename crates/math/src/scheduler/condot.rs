use super::{Coeffs, Scheduler, logistic};

/// α = t, β = 1 − t: straight paths, the optimal transport from noise to one data point
/// (Lipman et al., *Flow matching for generative modeling*, ICLR 2023).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CondOt;

impl Scheduler for CondOt {
    fn name(&self) -> &'static str {
        "condot"
    }

    fn at(&self, t: f64) -> Coeffs {
        Coeffs {
            alpha: t,
            beta: 1.0 - t,
            d_alpha: 1.0,
            d_beta: -1.0,
        }
    }

    fn time_of_log_snr(&self, l: f64) -> f64 {
        logistic(0.5 * l)
    }
}
