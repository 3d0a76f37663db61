//! Statistics for judging samples: the normal distribution, the tests of Kolmogorov–Smirnov and
//! Pearson with their power, moments, the energy distance, fits of a line.

mod beta;
mod chi_square;
mod gamma;
mod kolmogorov;
mod line;
mod moments;
mod normal;

pub use beta::{beta_cdf, beta_quantile, ln_beta};
pub use chi_square::{
    GoodnessOfFit, chi_square_critical, chi_square_gof, chi_square_noncentrality,
    chi_square_p_value, chi_square_power,
};
pub use gamma::{gamma_p, gamma_q, ln_gamma};
pub use kolmogorov::{kolmogorov_tail, ks_critical, ks_p_value, ks_power, ks_statistic};
pub use line::{Line, slope};
pub use moments::{Moments, energy_distance, moments};
pub use normal::{erf, erfc, normal_cdf, normal_quantile};

/// |x − y|².
pub(crate) fn distance_squared(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum()
}
