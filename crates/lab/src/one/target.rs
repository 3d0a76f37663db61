//! The lab's densities in the plane.

use fokker_math::density::{Density, DensityError, Gaussian, Mixture};
use fokker_math::stats::normal_cdf;
use fokker_sim::rng::{Cursor, Purpose, Stream};

/// Five modes at random places, the same in every run.
pub(super) fn random_mixture(seed: u64, std: f64, scale: f64) -> Result<Mixture, DensityError> {
    let mut cursor = Stream::new(seed, Purpose::Data, 0, 0).cursor();
    Mixture::random(5, std, scale, 0.0, &mut || cursor.uniform_f64())
}

/// p(x, y).
pub(super) fn density(p: &impl Density) -> impl Fn(f64, f64) -> f64 {
    move |x, y| p.log_density(&[x, y]).exp()
}

/// ∇ln p(x, y).
pub(super) fn score(p: &impl Density) -> impl Fn(f64, f64) -> (f64, f64) {
    move |x, y| {
        let mut s = [0.0; 2];
        p.score(&[x, y], &mut s);
        (s[0], s[1])
    }
}

/// `n` points of a density.
pub(super) fn sample(p: &impl Density, n: usize, cursor: &mut Cursor) -> Vec<[f64; 2]> {
    (0..n)
        .map(|_| {
            let u = cursor.uniform_f64();
            let normals: Vec<f64> = (0..p.normals()).map(|_| cursor.normal_f64()).collect();
            let mut x = [0.0; 2];
            p.sample(u, &normals, &mut x);
            x
        })
        .collect()
}

/// P(X in [x₀, x₁] × [y₀, y₁]) of a mixture of isotropic components: Σ wₖ times two differences of Φ.
pub(super) fn rectangle(p: &Mixture, x: [f64; 2], y: [f64; 2]) -> f64 {
    let parts = p.weights().iter().zip(p.components());
    parts
        .map(|(w, g)| {
            let along = |axis: usize, [a, b]: [f64; 2]| {
                let (mean, std) = g.marginal(axis);
                normal_cdf((b - mean) / std) - normal_cdf((a - mean) / std)
            };
            w * along(0, x) * along(1, y)
        })
        .sum()
}

/// The posterior weights P(k | x) = wₖpₖ(x)/p(x); their expectation under p is wₖ exactly.
pub(super) fn posterior(p: &Mixture, x: &[f64]) -> Vec<f64> {
    let total = p.log_density(x);
    let parts = p.weights().iter().zip(p.components());
    parts
        .map(|(w, g)| (w.ln() + g.log_density(x) - total).exp())
        .collect()
}

/// A mixture with other weights, and all standard deviations times `wider`.
pub(super) fn altered(p: &Mixture, weights: &[f64], wider: f64) -> Result<Mixture, DensityError> {
    let components = p.components().iter();
    let components: Result<Vec<Gaussian>, _> = components
        .map(|g| Gaussian::isotropic(g.mean(), wider * g.marginal(0).1))
        .collect();
    Mixture::new(weights, components?)
}
