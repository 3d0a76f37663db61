//! Distributions in the plane, the test tubes of generative modelling.
//!
//! Definitions and scales are those of FFJORD (W. Grathwohl et al., "FFJORD: Free-form Continuous Dynamics for Scalable
//! Reversible Generative Models", arXiv:1810.01367), which build on scikit-learn's `make_moons`, `make_circles` and
//! `make_swiss_roll`; points along a curve are drawn uniformly in its parameter. With θ ~ U[0, π], φ ~ U[0, 2π),
//! u ~ U[0, 1), ε ~ N(0, I):
//!
//! | name | point | label |
//! |---|---|---|
//! | `moons` | 0: 2(cos θ, sin θ) + (−1, −0.2) + 0.2 ε; 1: 2(1 − cos θ, ½ − sin θ) + (−1, −0.2) + 0.2 ε | one in two |
//! | `circles` | r(cos φ, sin φ) + 0.24 ε; 0: r = 3, 1: r = 1.5 | one in two |
//! | `swiss-roll` | t(cos t, sin t)/5 + 0.2 ε, t = 3π/2 · (1 + 2u) | – |
//! | `checkerboard` | uniform on the 8 squares [2i, 2i+2) × [2j, 2j+2), i, j ∈ {−2, −1, 0, 1}, i + j even | – |
//! | `8-gaussians` | centre k at 2√2 (cos 2πk/8, sin 2πk/8), standard deviation 1/(2√2) | k |
//! | `ring` | centre k at `radius` (cos 2πk/`modes`, sin 2πk/`modes`), standard deviation `std` | k |
//! | `random-mixture` | centres uniform on [−4, 4]², standard deviations on [0.15, 0.45), weights ∝ U[½, 3/2) | k |
//!
//! FFJORD's eight centres have radius 4 and standard deviation ½ before both are divided by 1.414; √2 stands here. The
//! ring's defaults, 8 modes of standard deviation 0.02 at radius 2, are those of L. Metz et al., "Unrolled Generative
//! Adversarial Networks", arXiv:1611.02163.

mod config;
mod mixture;

use std::f64::consts::{PI, TAU};

use fokker_sim::rng::{Cursor, Purpose, Stream};

use crate::dataset::Fingerprint;
use crate::{DataError, Dataset, Shape};

pub use config::{MAX_MODES, TOYS, ToyConfig, ToySpec};
pub use mixture::Modes;

use config::{Kind, check};

/// A toy distribution on ℝ², unlimited: item `index` is drawn from the random stream (seed, data, index, 0).
#[derive(Debug, Clone)]
pub struct Toy {
    name: String,
    kind: Kind,
    seed: u64,
    classes: Vec<String>,
    definition: String,
}

/// Makes the toy that `config` asks for.
///
/// # Errors
/// An unknown name, a parameter that this toy does not have, a parameter out of range.
pub fn toy(config: &ToyConfig) -> Result<Toy, DataError> {
    let (spec, kind, definition) = check(config)?;
    let classes = match &kind {
        Kind::Moons => vec!["upper".into(), "lower".into()],
        Kind::Circles => vec!["outer".into(), "inner".into()],
        Kind::SwissRoll | Kind::Checkerboard => Vec::new(),
        Kind::Mixture(modes) => (0..modes.weights.len())
            .map(|k| format!("mode {k}"))
            .collect(),
    };
    Ok(Toy {
        name: spec.name.into(),
        kind,
        seed: config.seed,
        classes,
        definition,
    })
}

impl Toy {
    /// The exact weights, means and standard deviations, for the toys that are mixtures of Gaussians.
    pub fn modes(&self) -> Option<Modes> {
        match &self.kind {
            Kind::Mixture(modes) => Some(modes.clone()),
            _ => None,
        }
    }
}

impl Dataset for Toy {
    fn name(&self) -> &str {
        &self.name
    }

    fn shape(&self) -> Shape {
        Shape::Vector(2)
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn item(&self, index: u64, out: &mut [f32]) -> Option<u32> {
        assert_eq!(out.len(), 2, "a point in the plane has 2 values");
        let mut draw = Stream::new(self.seed, Purpose::Data, index, 0).cursor();
        let ([x, y], label) = match &self.kind {
            Kind::Moons => moons(&mut draw),
            Kind::Circles => circles(&mut draw),
            Kind::SwissRoll => swiss_roll(&mut draw),
            Kind::Checkerboard => checkerboard(&mut draw),
            Kind::Mixture(modes) => modes.draw(&mut draw),
        };
        out.copy_from_slice(&[x as f32, y as f32]);
        label
    }

    /// Hashes the definition and the seed, not the points.
    fn fingerprint(&self) -> String {
        let mut hash = Fingerprint::new("toy", self.shape());
        hash.text(&self.definition);
        hash.number(self.seed);
        hash.finish()
    }
}

type Drawn = ([f64; 2], Option<u32>);

fn moons(draw: &mut Cursor) -> Drawn {
    let label = draw.below(2);
    let (sin, cos) = (PI * draw.uniform_f64()).sin_cos();
    let [x, y] = if label == 0 {
        [cos, sin]
    } else {
        [1.0 - cos, 0.5 - sin]
    };
    (
        noisy([2.0 * x - 1.0, 2.0 * y - 0.2], 0.2, draw),
        Some(label as u32),
    )
}

fn circles(draw: &mut Cursor) -> Drawn {
    let label = draw.below(2);
    let radius = if label == 0 { 3.0 } else { 1.5 };
    let (sin, cos) = (TAU * draw.uniform_f64()).sin_cos();
    (
        noisy([radius * cos, radius * sin], 0.24, draw),
        Some(label as u32),
    )
}

fn swiss_roll(draw: &mut Cursor) -> Drawn {
    let t = 1.5 * PI * (1.0 + 2.0 * draw.uniform_f64());
    (
        noisy([t * t.cos() / 5.0, t * t.sin() / 5.0], 0.2, draw),
        None,
    )
}

fn checkerboard(draw: &mut Cursor) -> Drawn {
    // Square k of 8: column i, and every other row from the one that makes i + j even.
    let square = draw.below(8);
    let (column, pair) = (square / 2, square % 2);
    let row = 2 * pair + column % 2;
    let x = 2.0 * (column as f64 + draw.uniform_f64()) - 4.0;
    let y = 2.0 * (row as f64 + draw.uniform_f64()) - 4.0;
    ([x, y], None)
}

fn noisy([x, y]: [f64; 2], std: f64, draw: &mut Cursor) -> [f64; 2] {
    [x + std * draw.normal_f64(), y + std * draw.normal_f64()]
}
