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
    // cos and sin of the angles, `[1, tokens, 1, features/2, 1]`.
    cos: Tensor<5>,
    sin: Tensor<5>,
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
            let shape = [1, rows * columns, 1, features / 2, 1];
            Tensor::from_data(TensorData::new(values, shape), device)
        };
        Self {
            cos: of(f64::cos),
            sin: of(f64::sin),
        }
    }

    /// `[batch, tokens, heads, features]` → the same.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [b, n, h, d] = x.dims();
        let x = x.reshape([b, n, h, d / 2, 2]);
        let [re, im] = [0, 1].map(|i| x.clone().narrow(4, i, 1));
        let (cos, sin) = (self.cos.clone(), self.sin.clone());
        let turned = [
            re.clone() * cos.clone() - im.clone() * sin.clone(),
            re * sin + im * cos,
        ];
        Tensor::cat(turned.to_vec(), 4).reshape([b, n, h, d])
    }
}
