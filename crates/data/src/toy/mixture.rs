//! Mixtures of isotropic Gaussians in the plane.

use std::f64::consts::TAU;

use fokker_sim::rng::{Cursor, Purpose, Stream};

/// A mixture of isotropic Gaussians on ℝ²: p(x) = Σₖ wₖ N(x; μₖ, σₖ² I).
#[derive(Debug, Clone, PartialEq)]
pub struct Modes {
    /// The weight wₖ of each mode; they add up to 1.
    pub weights: Vec<f64>,
    /// The mean μₖ of each mode.
    pub means: Vec<[f64; 2]>,
    /// The standard deviation σₖ of each mode, the same along both axes.
    pub stds: Vec<f64>,
}

impl Modes {
    /// Equal modes on a circle about the origin, counted anticlockwise from the positive first axis.
    pub(crate) fn ring(modes: usize, radius: f64, std: f64) -> Self {
        let mean = |k| {
            let (sin, cos) = (TAU * k as f64 / modes as f64).sin_cos();
            [radius * cos, radius * sin]
        };
        Self {
            weights: vec![1.0 / modes as f64; modes],
            means: (0..modes).map(mean).collect(),
            stds: vec![std; modes],
        }
    }

    /// Modes thrown by chance: means uniform on [−4, 4]², standard deviations on [0.15, 0.45), weights ∝ U[½, 3/2).
    pub(crate) fn random(modes: usize, layout_seed: u64) -> Self {
        let mut mixture = Self {
            weights: vec![],
            means: vec![],
            stds: vec![],
        };
        for k in 0..modes {
            // Draw 1, as draw 0 makes the points.
            let mut draw = Stream::new(layout_seed, Purpose::Data, k as u64, 1).cursor();
            mixture.means.push([
                8.0 * draw.uniform_f64() - 4.0,
                8.0 * draw.uniform_f64() - 4.0,
            ]);
            mixture.stds.push(0.15 + 0.3 * draw.uniform_f64());
            mixture.weights.push(0.5 + draw.uniform_f64());
        }
        let total: f64 = mixture.weights.iter().sum();
        mixture
            .weights
            .iter_mut()
            .for_each(|weight| *weight /= total);
        mixture
    }

    /// One point and the mode it came from.
    pub(crate) fn draw(&self, draw: &mut Cursor) -> ([f64; 2], Option<u32>) {
        let k = self.choose(draw.uniform_f64());
        let ([x, y], std) = (self.means[k], self.stds[k]);
        (
            [x + std * draw.normal_f64(), y + std * draw.normal_f64()],
            Some(k as u32),
        )
    }

    /// The first mode at which the running sum of the weights exceeds u.
    fn choose(&self, u: f64) -> usize {
        let mut sum = 0.0;
        let within = |weight: &f64| {
            sum += weight;
            u < sum
        };
        // Rounding may leave the whole sum a little below 1.
        self.weights
            .iter()
            .position(within)
            .unwrap_or(self.weights.len() - 1)
    }
}
