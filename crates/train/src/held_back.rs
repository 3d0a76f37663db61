//! Data that a training does not see, on which its loss is measured.

use std::sync::Arc;

use fokker_data::{Dataset, Subset};
use fokker_sim::rng::{Purpose, permutation};

use crate::{Config, Mirror, TrainError};

/// Tells the noise of a validation from that of the training.
pub(crate) const VALIDATION: u64 = 0x0056_414C_4944_u64 << 16;

/// Items of data without end from here on are seen by no training.
const BEYOND: u64 = 1 << 40;

/// What a training sees and, where the recipe validates, what it does not: items of the data's own test split, fresh ones of data
/// without end, or else items held back, chosen by the seed.
pub(crate) struct Split {
    pub(crate) train: Arc<dyn Dataset>,
    pub(crate) held_back: Option<Arc<dyn Dataset>>,
}

impl Split {
    pub(crate) fn new(config: &Config, data: Arc<dyn Dataset>) -> Result<Self, TrainError> {
        let settings = &config.training.train;
        let whole = |train| Self {
            train,
            held_back: None,
        };
        if settings.validate_every == 0 {
            return Ok(whole(data));
        }
        let wanted = settings.validate_items;
        // The files to test on are pixels: latents hold back some of their own.
        if config.latent.is_none()
            && let Some(test) = config.data.load_test()?
        {
            let first = 0..wanted.min(test.len().unwrap_or(wanted));
            return Ok(Self {
                train: data,
                held_back: Some(Arc::new(Subset::new(test, first.collect()))),
            });
        }
        let Some(len) = data.len() else {
            let fresh = (BEYOND..BEYOND + wanted).collect();
            return Ok(Self {
                held_back: Some(Arc::new(Subset::new(data.clone(), fresh))),
                train: data,
            });
        };
        if wanted > len / 2 {
            return Err(TrainError::Config(format!(
                "train.validate_items: {wanted} of the data's {len} items would be held back from the training; take at most half, {}",
                len / 2
            )));
        }
        let mut order = permutation(config.seed ^ VALIDATION, Purpose::Order, 0, len as usize);
        let mut held: Vec<u64> = order.drain(..wanted as usize).map(u64::from).collect();
        let mut seen: Vec<u64> = order.into_iter().map(u64::from).collect();
        held.sort_unstable();
        seen.sort_unstable();
        Ok(Self {
            train: Arc::new(Subset::new(data.clone(), seen)),
            held_back: Some(Arc::new(Subset::new(data, held))),
        })
    }
}

/// How the recipe mirrors images of `data`.
///
/// # Errors
/// Data that is no images.
pub(crate) fn mirror(config: &Config, data: &dyn Dataset) -> Result<Mirror, TrainError> {
    if !config.training.train.flip {
        return Ok(Mirror::never());
    }
    match data.shape().image() {
        Some(_) => Ok(Mirror::half(config.seed, data.shape())),
        None => Err(TrainError::Config(format!(
            "train.flip: only images can be mirrored, but this data is vectors of {}",
            data.shape()
        ))),
    }
}
