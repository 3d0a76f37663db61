use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

/// Rotary positions of the tokens of an image: queries and keys are turned by angles that grow with the place, so that their
/// products see differences of places only.
///
/// The first half of a head's features is of the row, the second of the column. In each half, features 2k and 2k + 1 are the
/// plane that is turned by p·ω_k with ω_k = 10,000^(−4k/features). Sources: Su et al., *RoFormer*, 2021; on two axes as in
/// Flux (Black Forest Labs, 2024).
#[derive(Module, Debug)]
pub struct Rotary {
    // cos and sin of the angles, `[tokens, features/2]`.
    cos: Tensor<2>,
    sin: Tensor<2>,
}

impl Rotary {
    /// For heads of `features` (a multiple of four) and the places of `[rows, columns]`, row by row.
    ///
    /// # Panics
    /// If the features are not a multiple of four.
    pub fn new(features: usize, [rows, columns]: [usize; 2], device: &Device) -> Self {
        assert!(
            features > 0 && features.is_multiple_of(4),
            "expected heads in multiples of four features for two-dimensional positions, got {features}"
        );
        let quarter = features / 4;
        let mut angles = Vec::with_capacity(rows * columns * 2 * quarter);
        for row in 0..rows {
            for column in 0..columns {
                for place in [row, column] {
                    let omega = |k| 10_000_f64.powf(-(k as f64) / quarter as f64);
                    angles.extend((0..quarter).map(|k| place as f64 * omega(k)));
                }
            }
        }
        let of = |f: fn(f64) -> f64| {
            let values: Vec<f32> = angles.iter().map(|&a| f(a) as f32).collect();
            let shape = [rows * columns, features / 2];
            Tensor::from_data(TensorData::new(values, shape), device)
        };
        Self {
            cos: of(f64::cos),
            sin: of(f64::sin),
        }
    }

    /// `[batch, tokens, heads, features]` → the same.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        fokker_kernels::rotary(x, self.cos.clone(), self.sin.clone())
    }
}
