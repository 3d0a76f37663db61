use super::{Interpolant, InterpolantCoeffs, linear};

/// x_t = (1 − t) x₀ + t x₁: straight lines (Liu, Gong & Liu, *Flow straight and fast*, ICLR 2023;
/// I-CFM and OT-CFM of Tong et al., TMLR 2024, with σ = 0).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Linear;

impl Interpolant for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn at(&self, t: f64) -> InterpolantCoeffs {
        linear(t, 0.0, 0.0)
    }
}
