use burn::module::Module;
use burn::tensor::Tensor;
use fokker_core::{Labels, Network, State};
use fokker_data::Shape;
use fokker_nn::layers::TextTable;
use fokker_nn::{AdmUNet, CourseUNet, DiT, Init, Mlp, MmDiT, Transformer1d, UNet, UNet1d};

use crate::TrainError;
use crate::config::NetworkConfig;

/// The networks that a configuration can name.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // there is one network in a process, not many
pub enum AnyNetwork {
    /// A multi-layer perceptron.
    Mlp(Mlp),
    /// A U-Net.
    UNet(UNet),
    /// The modern U-Net.
    AdmUNet(AdmUNet),
    /// The course's U-Net.
    CourseUNet(CourseUNet),
    /// A diffusion transformer.
    DiT(DiT),
    /// A multimodal diffusion transformer.
    MmDiT(MmDiT),
    /// A U-Net for sequences.
    UNet1d(UNet1d),
    /// A transformer for sequences.
    Transformer1d(Transformer1d),
}

impl AnyNetwork {
    /// The network of `config` for data of `shape` with `classes` classes (0: none), putting out
    /// `outputs` values for each of the data's.
    ///
    /// # Errors
    /// A network that does not fit the data.
    pub fn new(
        config: &NetworkConfig,
        shape: Shape,
        outputs: usize,
        classes: usize,
        init: &mut Init,
    ) -> Result<Self, TrainError> {
        // A configuration made in code was not checked when it was read.
        config
            .check()
            .map_err(|(key, what)| TrainError::Config(format!("{key}: {what}")))?;
        let fits = |image: [usize; 3], multiple: usize, what: &str, cure: &str| {
            if image[1].is_multiple_of(multiple) && image[2].is_multiple_of(multiple) {
                return Ok(image);
            }
            refuse(format!(
                "{what} needs a height and width in multiples of {multiple}, but the data is {shape}; {cure}, or resize the data"
            ))
        };
        let sequence = |[channels, height, length]: [usize; 3], multiple: usize, what: &str| {
            if height != 1 {
                return refuse(format!(
                    "{what} needs sequences, images of height 1, but the data is {shape}; use \"adm-unet\" or \"dit\""
                ));
            }
            if !length.is_multiple_of(multiple) {
                return refuse(format!(
                    "{what} needs a length in multiples of {multiple}, but the data is {shape}"
                ));
            }
            Ok([channels, length])
        };
        let Some(image) = shape.image() else {
            return match config {
                NetworkConfig::Mlp(c) => {
                    Ok(Self::Mlp(c.init(shape.size(), outputs, classes, init)))
                }
                NetworkConfig::Classifier(_)
                | NetworkConfig::AutoencoderKl(_)
                | NetworkConfig::Vae(_) => refuse(NO_GENERATOR.into()),
                other => refuse(format!(
                    "a {} needs images, but the data is vectors of {shape}; use kind = \"mlp\"",
                    other.name()
                )),
            };
        };
        if config.text_width() > 0 && classes == 0 {
            return refuse(
                "it reads texts (network.text), but this data has none; use data with captions (kind = \"captions\") or classes, whose names are then the texts, and leave objective.classes true"
                    .into(),
            );
        }
        Ok(match config {
            NetworkConfig::Mlp(c) => Self::Mlp(c.init(shape.size(), outputs, classes, init)),
            NetworkConfig::UNet(c) => {
                let what = "this U-Net (patch × 2 for every level after the first)";
                let image = fits(
                    image,
                    c.multiple(),
                    what,
                    "use fewer levels or another patch",
                )?;
                Self::UNet(c.init(image, outputs, classes, init))
            }
            NetworkConfig::AdmUNet(c) => {
                let what = "this U-Net (2 for every level after the first)";
                let image = fits(image, c.multiple(), what, "use fewer levels")?;
                Self::AdmUNet(c.init(image, outputs, classes, init))
            }
            NetworkConfig::CourseUNet(c) => {
                let what = "the course's U-Net (2 for every level after the first)";
                let image = fits(image, c.multiple(), what, "use fewer levels")?;
                Self::CourseUNet(c.init(image, outputs, classes, init))
            }
            NetworkConfig::DiT(c) => {
                let image = fits(image, c.patch, "this DiT (its patch)", "use another patch")?;
                Self::DiT(c.init(image, outputs, classes, init))
            }
            NetworkConfig::MmDiT(c) => {
                let what = "this MM-DiT (its patch)";
                let image = fits(image, c.patch, what, "use another patch")?;
                Self::MmDiT(c.init(image, outputs, classes, init))
            }
            NetworkConfig::UNet1d(c) => {
                let what = "this U-Net for sequences (2 for every level after the first)";
                let sequence = sequence(image, c.multiple(), what)?;
                Self::UNet1d(c.init(sequence, outputs, classes, init))
            }
            NetworkConfig::Transformer1d(c) => {
                let what = "this transformer for sequences (its patch)";
                let sequence = sequence(image, c.patch, what)?;
                Self::Transformer1d(c.init(sequence, outputs, classes, init))
            }
            NetworkConfig::Classifier(_)
            | NetworkConfig::AutoencoderKl(_)
            | NetworkConfig::Vae(_) => {
                return refuse(NO_GENERATOR.into());
            }
        })
    }

    /// Do labels stand for texts, which [`set_texts`](Self::set_texts) must give, rather than for classes?
    pub fn wants_text(&self) -> bool {
        match self {
            Self::AdmUNet(net) => net.wants_text(),
            Self::MmDiT(net) => net.wants_text(),
            Self::Mlp(_)
            | Self::UNet(_)
            | Self::CourseUNet(_)
            | Self::DiT(_)
            | Self::UNet1d(_)
            | Self::Transformer1d(_) => false,
        }
    }

    /// Puts these texts in the place of those known so far: label k is text k, the label after the last is ∅. Texts are not
    /// part of a checkpoint; give them to a network before it is trained or sampled from.
    ///
    /// # Panics
    /// If the network does not [want texts](Self::wants_text) or wants vectors of another width.
    pub fn set_texts(&mut self, table: TextTable) {
        match self {
            Self::AdmUNet(net) => net.set_texts(table),
            Self::MmDiT(net) => net.set_texts(table),
            Self::Mlp(_)
            | Self::UNet(_)
            | Self::CourseUNet(_)
            | Self::DiT(_)
            | Self::UNet1d(_)
            | Self::Transformer1d(_) => panic!("this kind of network has no texts"),
        }
    }
}

fn refuse<T>(what: String) -> Result<T, TrainError> {
    Err(TrainError::Config(format!("network: {what}")))
}

const NO_GENERATOR: &str = "classifiers and autoencoders do not generate; use \"mlp\", \"unet\", \"adm-unet\", \"dit\" or \"mm-dit\"";

impl Network for AnyNetwork {
    fn forward(&self, x: State, t: Tensor<1>, y: Option<Labels>) -> State {
        match self {
            Self::Mlp(net) => net.forward(x, t, y),
            Self::UNet(net) => net.forward(x, t, y),
            Self::AdmUNet(net) => net.forward(x, t, y),
            Self::CourseUNet(net) => net.forward(x, t, y),
            Self::DiT(net) => net.forward(x, t, y),
            Self::MmDiT(net) => net.forward(x, t, y),
            Self::UNet1d(net) => net.forward(x, t, y),
            Self::Transformer1d(net) => net.forward(x, t, y),
        }
    }
}
