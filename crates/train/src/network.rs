use burn::module::Module;
use burn::tensor::Tensor;
use fokker_core::{Labels, Network, State};
use fokker_data::Shape;
use fokker_nn::{CourseUNet, DiT, Init, Mlp, UNet};

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
    /// The course's U-Net.
    CourseUNet(CourseUNet),
    /// A diffusion transformer.
    DiT(DiT),
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
        let Some(image) = shape.image() else {
            return match config {
                NetworkConfig::Mlp(c) => {
                    Ok(Self::Mlp(c.init(shape.size(), outputs, classes, init)))
                }
                NetworkConfig::Classifier(_) | NetworkConfig::AutoencoderKl(_) => {
                    refuse(NO_GENERATOR.into())
                }
                other => refuse(format!(
                    "a {} needs images, but the data is vectors of {shape}; use kind = \"mlp\"",
                    other.name()
                )),
            };
        };
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
            NetworkConfig::CourseUNet(c) => {
                let what = "the course's U-Net (2 for every level after the first)";
                let image = fits(image, c.multiple(), what, "use fewer levels")?;
                Self::CourseUNet(c.init(image, outputs, classes, init))
            }
            NetworkConfig::DiT(c) => {
                let image = fits(image, c.patch, "this DiT (its patch)", "use another patch")?;
                Self::DiT(c.init(image, outputs, classes, init))
            }
            NetworkConfig::Classifier(_) | NetworkConfig::AutoencoderKl(_) => {
                return refuse(NO_GENERATOR.into());
            }
        })
    }
}

fn refuse<T>(what: String) -> Result<T, TrainError> {
    Err(TrainError::Config(format!("network: {what}")))
}

const NO_GENERATOR: &str =
    "classifiers and autoencoders do not generate; use \"mlp\", \"unet\" or \"dit\"";

impl Network for AnyNetwork {
    fn forward(&self, x: State, t: Tensor<1>, y: Option<Labels>) -> State {
        match self {
            Self::Mlp(net) => net.forward(x, t, y),
            Self::UNet(net) => net.forward(x, t, y),
            Self::CourseUNet(net) => net.forward(x, t, y),
            Self::DiT(net) => net.forward(x, t, y),
        }
    }
}
