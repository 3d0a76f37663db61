use burn::module::Module;
use burn::tensor::Device;
use fokker_core::State;
use fokker_data::{Dataset, Shape};
use fokker_nn::{Autoencoder, Init, Posterior, Vae};

use crate::config::NetworkConfig;
use crate::{Checkpoint, RunFolder, TrainError};

/// The autoencoders that a configuration can name.
#[derive(Module, Debug)]
pub enum AnyAutoencoder {
    /// The course's variational autoencoder.
    Vae(Vae),
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
        let NetworkConfig::Vae(config) = config else {
            return refuse(format!("a {} is no autoencoder", config.name()));
        };
        let Some(image) = shape.image() else {
            return refuse(format!(
                "an autoencoder needs images, but the data is vectors of {shape}"
            ));
        };
        let m = config.multiple();
        if !image[1].is_multiple_of(m) || !image[2].is_multiple_of(m) {
            let [_, height, width] = image;
            let side = height.max(width).next_multiple_of(m);
            return refuse(format!(
                "this autoencoder halves its images to a height and width in multiples of {m}, but the data is {shape}; set \
                 data.pad_to = {side}, use fewer levels, or resize the data"
            ));
        }
        Ok(Self::Vae(config.init(image, init)))
    }
}

impl Autoencoder for AnyAutoencoder {
    fn image(&self) -> [usize; 3] {
        match self {
            Self::Vae(net) => net.image(),
        }
    }

    fn latent(&self) -> [usize; 3] {
        match self {
            Self::Vae(net) => net.latent(),
        }
    }

    fn encode(&self, x: State) -> Posterior {
        match self {
            Self::Vae(net) => net.encode(x),
        }
    }

    fn decode(&self, z: State) -> State {
        match self {
            Self::Vae(net) => net.decode(z),
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
