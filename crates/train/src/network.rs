use burn::module::Module;
use burn::tensor::Tensor;
use fokker_core::{Labels, Network, State};
use fokker_data::Shape;
use fokker_nn::{Init, Mlp, UNet};

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
        let refuse = |what: String| Err(TrainError::Config(format!("network: {what}")));
        match (config, shape.image()) {
            (NetworkConfig::Mlp(c), _) => {
                Ok(Self::Mlp(c.init(shape.size(), outputs, classes, init)))
            }
            (NetworkConfig::UNet(c), Some(image)) => {
                let [_, height, width] = image;
                let m = c.multiple();
                if height % m != 0 || width % m != 0 {
                    return refuse(format!(
                        "this U-Net needs a height and width in multiples of {m} (patch × 2 for every level after the \
                         first), but the data is {shape}; use fewer levels or another patch, or resize the data"
                    ));
                }
                Ok(Self::UNet(c.init(image, outputs, classes, init)))
            }
            (NetworkConfig::UNet(_), None) => refuse(format!(
                "a U-Net needs images, but the data is vectors of {shape}; use kind = \"mlp\""
            )),
            (NetworkConfig::Classifier(_), _) => {
                refuse("a classifier does not generate; use \"mlp\" or \"unet\"".into())
            }
        }
    }
}

impl Network for AnyNetwork {
    fn forward(&self, x: State, t: Tensor<1>, y: Option<Labels>) -> State {
        match self {
            Self::Mlp(net) => net.forward(x, t, y),
            Self::UNet(net) => net.forward(x, t, y),
        }
    }
}
