use burn::module::Module;
use burn::tensor::Tensor;
use fokker_core::{Labels, Network, State};
use fokker_kernels::mlp;
use serde::{Deserialize, Serialize};

use crate::layers::{ClassEmbedding, Init, Linear, time_features};

/// A multi-layer perceptron on (x, t, y): the network for points in a few dimensions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MlpConfig {
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// Sinusoidal time features; 0 feeds t itself, as the course does.
    pub time_features: usize,
    /// Width of the class embedding (used when there are classes).
    pub class_features: usize,
}

impl Default for MlpConfig {
    fn default() -> Self {
        Self {
            hidden: vec![256; 4],
            time_features: 16,
            class_features: 16,
        }
    }
}

/// The network of [`MlpConfig`].
#[derive(Module, Debug)]
pub struct Mlp {
    class: Option<ClassEmbedding>,
    layers: Vec<Linear>,
    time_features: usize,
}

impl MlpConfig {
    /// A network for `dim` numbers and `classes` classes (0: none), putting out `outputs`·`dim` numbers.
    ///
    /// With the course's `hidden = [64, 64, 64, 64]`, `time_features = 0` and two dimensions it has
    /// 12,866 parameters.
    pub fn init(&self, dim: usize, outputs: usize, classes: usize, init: &mut Init) -> Mlp {
        let class = (classes > 0).then(|| ClassEmbedding::new(classes, self.class_features, init));
        let time = self.time_features.max(1);
        let input = dim + time + if classes > 0 { self.class_features } else { 0 };
        let mut widths = vec![input];
        widths.extend(&self.hidden);
        widths.push(dim * outputs);
        Mlp {
            class,
            layers: widths
                .windows(2)
                .map(|w| Linear::new(w[0], w[1], init))
                .collect(),
            time_features: self.time_features,
        }
    }
}

impl Network for Mlp {
    fn forward(&self, x: State, t: Tensor<1>, y: Option<Labels>) -> State {
        let rows = x.dims()[0];
        let time = if self.time_features == 0 {
            t.reshape([rows, 1])
        } else {
            time_features(t, self.time_features)
        };
        let mut input = vec![x, time];
        if let Some(class) = &self.class {
            let y = y.expect("this network was made with classes: give it labels");
            input.push(class.forward(y));
        }
        let layers = self.layers.iter().map(|l| (l.weight.val(), l.bias.val()));
        mlp(Tensor::cat(input, 1), layers.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn the_course_network_has_the_course_size() {
        let config = MlpConfig {
            hidden: vec![64; 4],
            time_features: 0,
            class_features: 0,
        };
        let device = Device::flex();
        let net = config.init(2, 1, 0, &mut Init::new(0, &device));
        assert_eq!(net.num_params(), 12_866);
    }
}
