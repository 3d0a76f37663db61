use std::fs;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use fokker_core::State;
use fokker_data::Shape;
use fokker_nn::Autoencoder;
use serde::{Deserialize, Serialize};

use crate::{AnyAutoencoder, Checkpoint, RunFolder, TrainError};

/// Facts about the latents that a run's network works in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatentInfo {
    /// The fingerprint of the autoencoder's weights.
    pub autoencoder: String,
    /// `[channels, height, width]` of a latent.
    pub shape: [usize; 3],
    /// The mean m of all numbers of all items' latents.
    pub mean: f64,
    /// Their standard deviation s. The network works in (z − m)/s.
    pub std: f64,
}

impl LatentInfo {
    /// The shape of a latent.
    pub fn shape(&self) -> Shape {
        let [channels, height, width] = self.shape;
        Shape::Image {
            channels,
            height,
            width,
        }
    }
}

/// The folder of a run's own copy of its autoencoder: a run folder with nothing but what decoding needs.
const COPY: &str = "autoencoder";

/// Rows encoded and decoded together, the last ones padded: an item's bits do not depend on its company.
pub(crate) const ROWS: usize = 16;

/// Images to latents and back, where a model works in latents: (z − m)/s of the latents z of an autoencoder.
pub struct LatentSpace {
    net: AnyAutoencoder,
    mean: f32,
    std: f32,
    device: Device,
}

impl LatentSpace {
    /// The latents of an autoencoder as they are: m = 0, s = 1.
    pub fn plain(net: AnyAutoencoder, device: &Device) -> Self {
        Self {
            net,
            mean: 0.0,
            std: 1.0,
            device: device.clone(),
        }
    }

    /// The autoencoder.
    pub fn autoencoder(&self) -> &AnyAutoencoder {
        &self.net
    }

    /// Numbers of a latent.
    pub fn dim(&self) -> usize {
        self.net.latent_size()
    }

    /// Numbers of an image.
    pub fn image_size(&self) -> usize {
        self.net.image().iter().product()
    }

    /// The images of latents, `[rows, dim]` → `[rows, image_size]`, row by row.
    pub fn decode(&self, latents: &[f32]) -> Vec<f32> {
        let (m, s) = (self.mean, self.std);
        self.each(latents, self.dim(), |z| {
            vec![self.net.decode(z.mul_scalar(s).add_scalar(m))]
        })
    }

    /// The mean latents of images, `[rows, image_size]` → `[rows, dim]`, row by row.
    pub fn encode(&self, images: &[f32]) -> Vec<f32> {
        let (m, s) = (self.mean, self.std);
        self.each(images, self.image_size(), |x| {
            vec![self.net.encode(x).mean.sub_scalar(m).div_scalar(s)]
        })
    }

    /// Means μ and standard deviations σ of q(z|x), of the autoencoder's own latents: `[rows, 2, dim]`.
    pub fn moments(&self, images: &[f32]) -> Vec<f32> {
        self.each(images, self.image_size(), |x| {
            let posterior = self.net.encode(x);
            let sigma = posterior.log_variance.mul_scalar(0.5).exp();
            vec![posterior.mean, sigma]
        })
    }

    /// Maps rows of `width` numbers in chunks of [`ROWS`]; what `f` gives stands side by side.
    fn each(&self, values: &[f32], width: usize, f: impl Fn(State) -> Vec<State>) -> Vec<f32> {
        assert!(
            values.len().is_multiple_of(width),
            "expected rows of {width} numbers, got {} numbers",
            values.len()
        );
        let mut out = Vec::new();
        for chunk in values.chunks(ROWS * width) {
            let rows = chunk.len() / width;
            let mut padded = chunk.to_vec();
            padded.resize(ROWS * width, 0.0);
            let x = State::from_data(TensorData::new(padded, [ROWS, width]), &self.device);
            let found = Tensor::cat(f(x), 1);
            let of_each = found.dims()[1];
            let found = found.into_data().try_to_vec::<f32>();
            out.extend_from_slice(&found.expect("latents are f32")[..rows * of_each]);
        }
        out
    }
}

impl RunFolder {
    /// The latents that this run's network works in; `None` where it works on the data itself.
    ///
    /// # Errors
    /// A copy of the autoencoder that is missing, or not the one of the training.
    pub fn latent_space(&self, device: &Device) -> Result<Option<LatentSpace>, TrainError> {
        let Some(info) = &self.info().latent else {
            return Ok(None);
        };
        let copy = self.autoencoder_copy()?;
        let (net, checkpoint) = copy.autoencoder(device)?;
        same_weights(&checkpoint, &info.autoencoder)?;
        Ok(Some(LatentSpace {
            net,
            mean: info.mean as f32,
            std: info.std as f32,
            device: device.clone(),
        }))
    }

    /// This run's own copy of its autoencoder.
    pub(crate) fn autoencoder_copy(&self) -> Result<RunFolder, TrainError> {
        RunFolder::open(&self.path().join(COPY))
    }
}

/// Refuses other weights than those of the training.
pub(crate) fn same_weights(checkpoint: &Checkpoint, then: &str) -> Result<(), TrainError> {
    let now = checkpoint.fingerprint()?;
    if now == then {
        return Ok(());
    }
    let what = format!(
        "not the autoencoder of this run (fingerprint {now}, was {then}): its latents mean something else"
    );
    Err(TrainError::run(checkpoint.weights(), what))
}

/// Copies into `folder` what decoding needs of the run `from`, and checks that its weights are those of `info`.
pub(crate) fn copy_autoencoder(
    from: &Path,
    info: &LatentInfo,
    folder: &Path,
) -> Result<(), TrainError> {
    let checkpoint = RunFolder::open(from)?.latest()?;
    same_weights(&checkpoint, &info.autoencoder)?;
    let to = folder.join(COPY);
    let step = RunFolder::checkpoints_of(&to).join(Checkpoint::folder(checkpoint.step));
    fs::create_dir_all(&step).map_err(TrainError::io("create", &step))?;
    let copy = |from: &Path, to: &Path| {
        let bytes = fs::read(from).map_err(TrainError::io("read", from))?;
        crate::run::write_atomic(to, &bytes)
    };
    for file in RunFolder::FACTS {
        copy(&from.join(file), &to.join(file))?;
    }
    for file in [checkpoint.weights(), checkpoint.state()] {
        copy(&file, &step.join(file.file_name().expect("a file")))?;
    }
    Ok(())
}
