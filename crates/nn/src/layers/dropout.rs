use burn::tensor::{Tensor, TensorData};
use fokker_core::State;
use fokker_sim::rng::{Purpose, uniform_rows};

/// Dropout without a state: which values are dropped depends on the sample alone, on its place in the network, and on nothing
/// else. A training shows every sample with fresh noise at a fresh time, so that it drops others each time, and a resumed one
/// drops what it would have dropped; neither the batch nor the number of threads matters.
///
/// The addresses are made of the time and the first values of each sample, which a network reads once a pass.
///
/// y = x·m/(1 − p) with m = 0 with probability p, else 1. Source: Srivastava et al., 2014.
#[derive(Clone, Debug)]
pub struct Dropout {
    share: f64,
    // The address of each sample's random numbers.
    samples: Vec<u64>,
}

impl Dropout {
    /// Drops a share p = `share` of the values of a network that was given the states `x`, `[batch, dim]`, at times `t`.
    pub fn new(share: f64, x: &State, t: &Tensor<1>) -> Self {
        let [rows, dim] = x.dims();
        let few = dim.min(4);
        let read = |t: Tensor<2>| -> Vec<f32> {
            let data = t.into_data().convert::<f32>();
            data.try_to_vec().expect("converted to f32")
        };
        let times = read(t.clone().reshape([rows, 1]));
        let values = read(x.clone().narrow(1, 0, few));
        let samples = times.iter().zip(values.chunks_exact(few));
        let samples = samples.map(|(t, x)| {
            let mixed = x.iter().fold(mix(u64::from(t.to_bits())), |h, v| {
                mix(h ^ u64::from(v.to_bits()))
            });
            mixed ^ ADDRESS
        });
        Self {
            share,
            samples: samples.collect(),
        }
    }

    /// `[batch, ..]` → the same, at the place `place` of the network.
    pub fn forward<const D: usize>(&self, x: Tensor<D>, place: u32) -> Tensor<D> {
        let shape = x.dims();
        let size = shape.iter().product::<usize>() / shape[0];
        let mut mask = vec![0.0_f32; shape[0] * size];
        for (row, &sample) in mask.chunks_exact_mut(size).zip(&self.samples) {
            uniform_rows(sample, Purpose::Drop, 0..1, place, size, row);
        }
        let (share, kept) = (self.share as f32, (1.0 / (1.0 - self.share)) as f32);
        for m in &mut mask {
            *m = if *m < share { 0.0 } else { kept };
        }
        let device = x.device();
        x * Tensor::from_data(TensorData::new(mask, shape), &device)
    }
}

/// Tells these addresses from seeds of trainings.
const ADDRESS: u64 = 0x6472_6f70_6f75_7400;

/// The finaliser of SplitMix64 (Steele et al., 2014).
fn mix(h: u64) -> u64 {
    let h = h.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let h = (h ^ (h >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let h = (h ^ (h >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    h ^ (h >> 31)
}
