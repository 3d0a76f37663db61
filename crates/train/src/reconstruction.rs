use std::ops::ControlFlow;

use fokker_data::Dataset;
use serde::{Deserialize, Serialize};

use crate::LatentSpace;
use crate::latent_space::ROWS;

/// How well an autoencoder gives images back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reconstruction {
    /// Images measured.
    pub images: usize,
    /// The mean squared difference of a pixel and the decoded mean of its image's latent, pixels in \[−1, 1\].
    pub error: f64,
    /// The same of the best constant image, their mean: what an autoencoder that says nothing reaches.
    pub constant: f64,
    /// KL(q(z|x)‖N(0, I)), nats an image.
    pub divergence: f64,
    /// Numbers of the latent whose mean varies with the image, by a variance above 0.01 (Burda, Grosse and Salakhutdinov,
    /// *Importance weighted autoencoders*, 2016).
    pub active: usize,
    /// Numbers of the latent.
    pub latent: usize,
}

impl Reconstruction {
    /// Measures on the items `indices` of `data`; `watch` is told the images done, and may break off, which gives `None`.
    pub fn measure(
        space: &LatentSpace,
        data: &dyn Dataset,
        indices: &[u64],
        watch: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Option<Self> {
        let (size, dim) = (space.image_size(), space.dim());
        let mut error = 0.0;
        let mut divergence = 0.0;
        // Sums of x, x² over images for each pixel, of μ, μ² for each number of the latent.
        let mut pixels = vec![[0.0; 2]; size];
        let mut means = vec![[0.0; 2]; dim];
        let add = |sums: &mut [[f64; 2]], values: &[f32]| {
            for (sum, v) in sums.iter_mut().zip(values) {
                sum[0] += f64::from(*v);
                sum[1] += f64::from(*v) * f64::from(*v);
            }
        };
        for (done, rows) in indices.chunks(ROWS).enumerate() {
            if watch((done * ROWS) as u64).is_break() {
                return None;
            }
            let mut images = vec![0.0; rows.len() * size];
            for (row, i) in images.chunks_exact_mut(size).zip(rows) {
                data.item(*i, row);
            }
            let moments = space.moments(&images);
            let mut latents = Vec::with_capacity(rows.len() * dim);
            for (item, image) in moments.chunks_exact(2 * dim).zip(images.chunks_exact(size)) {
                let (mean, sigma) = item.split_at(dim);
                divergence += kl(mean, sigma);
                add(&mut means, mean);
                add(&mut pixels, image);
                latents.extend_from_slice(mean);
            }
            let decoded = space.decode(&latents);
            let pairs = images.iter().zip(&decoded);
            error += pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
        }
        let n = indices.len().max(1) as f64;
        let variance = |[sum, square]: &[f64; 2]| square / n - (sum / n) * (sum / n);
        Some(Self {
            images: indices.len(),
            error: error / (n * size as f64),
            constant: pixels.iter().map(variance).sum::<f64>() / size as f64,
            divergence: divergence / n,
            active: means.iter().filter(|m| variance(m) > 0.01).count(),
            latent: dim,
        })
    }
}

/// KL(N(μ, σ²)‖N(0, I)) in double precision.
fn kl(mean: &[f32], sigma: &[f32]) -> f64 {
    let terms = mean.iter().zip(sigma).map(|(m, s)| {
        let (m, v) = (f64::from(*m), f64::from(*s) * f64::from(*s));
        v - v.ln() - 1.0 + m * m
    });
    0.5 * terms.sum::<f64>()
}
