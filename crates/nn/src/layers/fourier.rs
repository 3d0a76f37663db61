use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::Init;

/// Learned Fourier features of time: √2 (sin 2πωt, cos 2πωt), ω trained and initially N(0, 1).
///
/// Source: Tancik et al., *Fourier features let networks learn high frequency functions*, 2020.
#[derive(Module, Debug)]
pub struct FourierTime {
    /// ω, `[size/2]`.
    pub omega: Param<Tensor<1>>,
}

impl FourierTime {
    /// `size` features (an even number).
    pub fn new(size: usize, init: &mut Init) -> Self {
        assert!(
            size.is_multiple_of(2),
            "expected an even number of time features, got {size}"
        );
        Self {
            omega: init.normal([size / 2], 1.0),
        }
    }

    /// `[batch]` → `[batch, size]`.
    pub fn forward(&self, t: Tensor<1>) -> Tensor<2> {
        let (rows, omega) = (t.dims()[0], self.omega.val());
        let omega = omega
            .mul_scalar(std::f64::consts::TAU)
            .unsqueeze_dim::<2>(0);
        let angle = t.reshape([rows, 1]) * omega;
        Tensor::cat(vec![angle.clone().sin(), angle.cos()], 1).mul_scalar(2_f64.sqrt())
    }
}
