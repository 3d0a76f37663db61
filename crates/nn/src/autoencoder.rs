use burn::module::Module;
use burn::tensor::Tensor;
use fokker_core::State;

/// Between images and the latents that a diffusion runs in: q(z|x) one way, a mean image the other.
///
/// Images and latents are flat, `[batch, c·h·w]`, as states are everywhere. Neither way scales: a diffusion in latents
/// works in (z − [`shift`](Self::shift))·[`scaling`](Self::scaling), or in what was measured on its data.
///
/// Source: Kingma and Welling, *Auto-encoding variational Bayes*, 2014; as a first stage Rombach et al., 2022.
pub trait Autoencoder: Module {
    /// `[channels, height, width]` of an image.
    fn image(&self) -> [usize; 3];

    /// `[channels, height, width]` of a latent.
    fn latent(&self) -> [usize; 3];

    /// q(z|x) of images `[batch, dim]`.
    fn encode(&self, x: State) -> Posterior;

    /// x̂ `[batch, dim]` of latents `[batch, latent]`.
    fn decode(&self, z: State) -> State;

    /// What brings its latents to a variance of about one, where that is known; 1 where it is not.
    fn scaling(&self) -> f64 {
        1.0
    }

    /// What is taken from its latents before they are scaled, where that is known; 0 where it is not.
    fn shift(&self) -> f64 {
        0.0
    }

    /// The length of a flat latent.
    fn latent_size(&self) -> usize {
        self.latent().iter().product()
    }

    /// The loss of x `[batch, dim]` with normal numbers `[batch, latent]`.
    fn loss(&self, x: State, noise: State, loss: &VaeLoss) -> Tensor<1> {
        let posterior = self.encode(x.clone());
        let decoded = self.decode(posterior.sample(noise));
        loss.of(x, decoded, &posterior)
    }
}

/// A normal distribution of latents with independent components: q(z|x).
#[derive(Clone, Debug)]
pub struct Posterior {
    /// μ, `[batch, latent]`.
    pub mean: State,
    /// log σ², `[batch, latent]`.
    pub log_variance: State,
}

impl Posterior {
    /// z = μ + σ ε for the given normal numbers `[batch, latent]`.
    pub fn sample(&self, noise: State) -> State {
        let sigma = self.log_variance.clone().mul_scalar(0.5).exp();
        self.mean.clone() + sigma * noise
    }

    /// KL(q‖N(0, I)) = ½ Σ (σ² − log σ² − 1 + μ²), summed over the latent: `[batch]`.
    pub fn divergence(&self) -> Tensor<1> {
        let (mean, log_variance) = (self.mean.clone(), self.log_variance.clone());
        let rows = mean.dims()[0];
        let terms = log_variance.clone().exp() - log_variance - 1.0 + mean.square();
        terms.sum_dim(1).mul_scalar(0.5).reshape([rows])
    }
}

/// What the loss of an autoencoder weighs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VaeLoss {
    /// s, the standard deviation of the pixels about the decoder's answer.
    pub s: f64,
    /// β, the weight of the divergence (Higgins et al., *β-VAE*, 2017).
    pub beta: f64,
}

impl Default for VaeLoss {
    /// The course's β = 10, and s = 1.
    fn default() -> Self {
        Self { s: 1.0, beta: 10.0 }
    }
}

impl VaeLoss {
    /// ‖x − x̂‖²/2s² + (d/2) log s² + β KL(q‖N(0, I)), the mean over the batch, `[1]`; x and x̂ are `[batch, d]`.
    pub fn of(&self, x: State, decoded: State, posterior: &Posterior) -> Tensor<1> {
        let [rows, d] = x.dims();
        let s2 = self.s * self.s;
        let distance = (x - decoded).square().sum().mul_scalar(0.5 / s2);
        let divergence = posterior.divergence().sum().mul_scalar(self.beta);
        (distance + divergence)
            .div_scalar(rows as f64)
            .add_scalar(0.5 * d as f64 * s2.ln())
    }
}
