//! Weights and inputs that all sides know; see crates/train/examples/bench_step.rs.

use candle_core::{Device, Result, Tensor, Var};

pub const INPUT: usize = 10_000;
pub const TARGET: usize = 10_001;

/// `count` values between −√(3/n) and √(3/n): u(i) = frac(43758.5453 |sin(12.9898 i + 78.233 k)|).
pub fn formula(k: usize, n: usize, count: usize) -> Vec<f32> {
    let scale = (3.0 / n as f64).sqrt();
    let value = |i: usize| {
        let u = (43_758.545_3 * (12.989_8 * i as f64 + 78.233 * k as f64).sin().abs()).fract();
        (scale * (2.0 * u - 1.0)) as f32
    };
    (0..count).map(value).collect()
}

/// Makes parameters in the order of fokker's fields.
pub struct Maker {
    tracked: bool,
    next: usize,
    pub vars: Vec<Var>,
    /// Numbers in all parameters.
    pub count: usize,
}

impl Maker {
    /// For training (`tracked`) or for inference.
    pub fn new(tracked: bool) -> Self {
        Self {
            tracked,
            next: 0,
            vars: Vec::new(),
            count: 0,
        }
    }

    /// The next parameter, of this shape in fokker's order of dimensions; a map `[in, out]` of a linear layer is turned.
    pub fn make(&mut self, shape: &[usize], turned: bool) -> Result<Tensor> {
        let count = shape.iter().product();
        let values = match shape {
            [_] => formula(self.next, 3, count)
                .into_iter()
                .map(|v| 0.5 + 0.1 * v)
                .collect(),
            [inputs, _] => formula(self.next, *inputs, count),
            [_, inputs @ ..] => formula(self.next, inputs.iter().product(), count),
            [] => unreachable!("parameters have a shape"),
        };
        self.next += 1;
        self.count += count;
        let tensor = Tensor::from_vec(values, shape, &Device::Cpu)?;
        let tensor = if turned {
            tensor.t()?.contiguous()?
        } else {
            tensor
        };
        if !self.tracked {
            return Ok(tensor);
        }
        let var = Var::from_tensor(&tensor)?;
        self.vars.push(var.clone());
        Ok(var.as_tensor().clone())
    }
}
