use burn::tensor::{Device, Tensor, TensorData};
use fokker_sim::rng::{Purpose, normal_rows};

use crate::State;

/// A source of standard normal numbers: randomness is an argument.
pub trait Noise {
    /// The next `[rows, dim]` independent standard normal numbers.
    fn normal(&mut self, rows: usize, dim: usize) -> State;
}

/// Noise that belongs to samples, not to batches: row r always draws from the stream of sample
/// `first + r`, so that a sample's numbers do not depend on the batch it was made in.
pub struct RowNoise {
    seed: u64,
    purpose: Purpose,
    first: u64,
    draw: u32,
    device: Device,
}

impl RowNoise {
    /// Noise for the samples `first ..`, starting with draw 0.
    pub fn new(seed: u64, purpose: Purpose, first: u64, device: &Device) -> Self {
        Self {
            seed,
            purpose,
            first,
            draw: 0,
            device: device.clone(),
        }
    }
}

impl Noise for RowNoise {
    fn normal(&mut self, rows: usize, dim: usize) -> State {
        let mut values = vec![0.0; rows * dim];
        let samples = self.first..self.first + rows as u64;
        normal_rows(
            self.seed,
            self.purpose,
            samples,
            self.draw,
            dim,
            &mut values,
        );
        self.draw += 1;
        Tensor::from_data(TensorData::new(values, [rows, dim]), &self.device)
    }
}
