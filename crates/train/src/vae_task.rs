use std::collections::HashSet;
use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use fokker_core::State;
use fokker_data::Dataset;
use fokker_nn::{Autoencoder, VaeLoss};
use fokker_sim::rng::{Purpose, normal_rows, permutation};

use crate::config::VaeTraining;
use crate::{BatchOrder, Losses, Mirror, Task, TrainError};

/// Training of a variational autoencoder: the loss of [`VaeLoss`], divided by the numbers d of an image, so that it is a
/// number of nats for each of them whatever the size.
pub struct VaeTask {
    data: Arc<dyn Dataset>,
    kept: Vec<u32>,
    order: BatchOrder,
    loss: VaeLoss,
    latent: usize,
    seed: u64,
    mirror: Mirror,
}

/// A permutation that no epoch has.
const HELD_BACK: u64 = u32::MAX as u64;

/// The items that are held back of a data set of `len`, in rising order: a random choice of this share.
pub fn held_back(seed: u64, len: u64, share: f64) -> Vec<u64> {
    let count = (share * len as f64).floor() as usize;
    let order = permutation(seed, Purpose::Order, HELD_BACK, len as usize);
    let mut held: Vec<u64> = order[..count].iter().map(|i| u64::from(*i)).collect();
    held.sort_unstable();
    held
}

impl VaeTask {
    /// Trains on `data` but for the items `held_back`, for latents of `latent` numbers.
    ///
    /// # Errors
    /// Data without end, or with nothing left.
    pub fn new(
        data: Arc<dyn Dataset>,
        held_back: &[u64],
        config: &VaeTraining,
        latent: usize,
        seed: u64,
    ) -> Result<Self, TrainError> {
        let refuse = |what: &str| Err(TrainError::Config(format!("data: {what}")));
        let Some(len) = data.len() else {
            return refuse("an autoencoder learns from finite data");
        };
        let held: HashSet<u64> = held_back.iter().copied().collect();
        let kept: Vec<u32> = (0..len as u32)
            .filter(|i| !held.contains(&u64::from(*i)))
            .collect();
        if kept.is_empty() {
            return refuse("all items are held back; lower vae.held_back");
        }
        Ok(Self {
            data,
            order: BatchOrder::new(seed, Some(kept.len() as u64)),
            kept,
            loss: config.loss(),
            latent,
            seed,
            mirror: Mirror::never(),
        })
    }

    /// The same with images mirrored as `mirror` says.
    pub fn mirrored(self, mirror: Mirror) -> Self {
        Self { mirror, ..self }
    }

    /// Numbers in one image.
    pub fn dim(&self) -> usize {
        self.data.shape().size()
    }
}

impl<N: Autoencoder> Task<N> for VaeTask {
    /// Images `[batch, dim]` and normal numbers `[batch, latent]`.
    type Batch = [Vec<f32>; 2];

    fn batch(&self, step: u64, size: usize) -> Result<[Vec<f32>; 2], TrainError> {
        let first = step * size as u64;
        let draws = first..first + size as u64;
        let mut x = vec![0.0; size * self.dim()];
        for (row, draw) in x.chunks_exact_mut(self.dim()).zip(draws.clone()) {
            let index = self.kept[self.order.index(draw) as usize];
            self.data.drawn(u64::from(index), draw, row);
            self.mirror.apply(draw, row);
        }
        let mut noise = vec![0.0; size * self.latent];
        normal_rows(self.seed, Purpose::Noise, draws, 0, self.latent, &mut noise);
        Ok([x, noise])
    }

    fn loss(&self, net: &N, batch: [Vec<f32>; 2], device: &Device) -> Tensor<1> {
        self.losses(net, batch, device).mean
    }

    /// With the mean squared error of a pixel, and the divergence of an image in nats.
    fn losses(&self, net: &N, [x, noise]: [Vec<f32>; 2], device: &Device) -> Losses {
        let d = self.dim();
        let rows = x.len() / d;
        let state = |values: Vec<f32>| {
            let width = values.len() / rows;
            State::from_data(TensorData::new(values, [rows, width]), device)
        };
        let x = state(x);
        let posterior = net.encode(x.clone());
        let decoded = net.decode(posterior.sample(state(noise)));
        let error = (x.clone() - decoded.clone()).square().mean().detach();
        let divergence = posterior.divergence().mean().detach();
        Losses {
            mean: self.loss.of(x, decoded, &posterior).div_scalar(d as f64),
            by_time: None,
            terms: vec![("error", error), ("divergence", divergence)],
        }
    }
}
