use burn::module::Module;
use burn::tensor::Device;
use fokker_core::State;
use fokker_data::{Dataset, Shape};
use fokker_nn::{Autoencoder, AutoencoderKl, Init, Posterior, Vae};

use crate::config::NetworkConfig;
use crate::{Checkpoint, RunFolder, TrainError};

/// The autoencoders that a configuration can name.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // there is one autoencoder in a process, not many
pub enum AnyAutoencoder {
    /// The course's variational autoencoder.
    Vae(Vae),
    /// That of latent diffusion, in its public layout.
    Kl(AutoencoderKl),
}

impl AnyAutoencoder {
    /// The autoencoder of `config` for data of `shape`.
    ///
    /// # Errors
    /// A configuration of another network; data that are not images, or of a size that it cannot halve so often.
    pub fn new(config: &NetworkConfig, shape: Shape, init: &mut Init) -> Result<Self, TrainError> {
        let refuse = |what: String| Err(TrainError::Config(format!("network: {what}")));
        // A configuration made in code was not checked when it was read.
        config
            .check()
            .map_err(|(key, what)| TrainError::Config(format!("{key}: {what}")))?;
        let m = match config {
            NetworkConfig::Vae(config) => config.multiple(),
            NetworkConfig::AutoencoderKl(config) => config.multiple(),
            other => return refuse(format!("a {} is no autoencoder", other.name())),
        };
        let Some(image) = shape.image() else {
            return refuse(format!(
                "an autoencoder needs images, but the data is vectors of {shape}"
            ));
        };
        if !image[1].is_multiple_of(m) || !image[2].is_multiple_of(m) {
            let [_, height, width] = image;
            let side = height.max(width).next_multiple_of(m);
            return refuse(format!(
                "this autoencoder halves its images to a height and width in multiples of {m}, but the data is {shape}; set \
                 data.pad_to = {side}, use fewer levels, or resize the data"
            ));
        }
        Ok(match config {
            NetworkConfig::Vae(config) => Self::Vae(config.init(image, init)),
            NetworkConfig::AutoencoderKl(config) => Self::Kl(config.init(image, init)),
            other => return refuse(format!("a {} is no autoencoder", other.name())),
        })
    }
}

impl Autoencoder for AnyAutoencoder {
    fn image(&self) -> [usize; 3] {
        match self {
            Self::Vae(net) => net.image(),
            Self::Kl(net) => net.image(),
        }
    }

    fn latent(&self) -> [usize; 3] {
        match self {
            Self::Vae(net) => net.latent(),
            Self::Kl(net) => net.latent(),
        }
    }

    fn encode(&self, x: State) -> Posterior {
        match self {
            Self::Vae(net) => net.encode(x),
            Self::Kl(net) => net.encode(x),
        }
    }

    fn decode(&self, z: State) -> State {
        match self {
            Self::Vae(net) => net.decode(z),
            Self::Kl(net) => net.decode(z),
        }
    }

    fn scaling(&self) -> f64 {
        match self {
            Self::Vae(net) => net.scaling(),
            Self::Kl(net) => net.scaling(),
        }
    }

    fn shift(&self) -> f64 {
        match self {
            Self::Vae(net) => net.shift(),
            Self::Kl(net) => net.shift(),
        }
    }
}

impl RunFolder {
    /// The newest weights of the autoencoder that this run trained, and the checkpoint they came from.
    ///
    /// # Errors
    /// A run of something else, or without a checkpoint.
    pub fn autoencoder(&self, device: &Device) -> Result<(AnyAutoencoder, Checkpoint), TrainError> {
        if !self.config().is_autoencoder() {
            let what = format!(
                "this run trained a {}, not an autoencoder; give a run of kind = \"vae\"",
                self.config().network.name()
            );
            return Err(TrainError::run(self.path(), what));
        }
        let shape = self.info().shape()?;
        let net = AnyAutoencoder::new(&self.config().network, shape, &mut Init::new(0, device))?;
        let checkpoint = self.latest()?;
        Ok((checkpoint.load_model(net, device)?, checkpoint))
    }

    /// The same for `data`.
    ///
    /// # Errors
    /// Images of another size as well.
    pub(crate) fn autoencoder_for(
        &self,
        data: &dyn Dataset,
        device: &Device,
    ) -> Result<(AnyAutoencoder, Checkpoint), TrainError> {
        let found = self.autoencoder(device)?;
        let (theirs, ours) = (self.info().shape()?, data.shape());
        if ours == theirs {
            return Ok(found);
        }
        let what = format!(
            "this autoencoder is one of images of {theirs}, but [data] is {ours}; set data.pad_to as it had it, or resize the data"
        );
        Err(TrainError::run(self.path(), what))
    }
}
