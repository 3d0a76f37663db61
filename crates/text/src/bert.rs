//! The network: layers of attention and perceptrons, each normalised after its residual.

use burn::tensor::{Int, Tensor};
use fokker_kernels::{TokenNorm, gelu_erf, linear, self_attention, token_norm};
use serde::Deserialize;

use crate::TextError;
use crate::weights::Weights;

/// The sizes of a BERT, by the names of its `config.json`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Config {
    pub(crate) model_type: String,
    pub(crate) hidden_size: usize,
    pub(crate) num_hidden_layers: usize,
    pub(crate) num_attention_heads: usize,
    pub(crate) intermediate_size: usize,
    pub(crate) hidden_act: String,
    pub(crate) max_position_embeddings: usize,
    pub(crate) vocab_size: usize,
    pub(crate) type_vocab_size: usize,
    pub(crate) layer_norm_eps: f64,
}

/// BERT (Devlin et al., *BERT: pre-training of deep bidirectional transformers*, 2019), for texts of one sentence.
pub(crate) struct Bert {
    /// `[vocabulary, width]`.
    words: Tensor<2>,
    /// Of every position, with the vector of the first sentence in it, `[positions, width]`.
    positions: Tensor<2>,
    norm: Norm,
    layers: Vec<Layer>,
    heads: usize,
}

struct Layer {
    qkv: Affine,
    proj: Affine,
    norm_attention: Norm,
    fc1: Affine,
    fc2: Affine,
    norm_output: Norm,
}

/// y = x W + b, W `[in, out]`.
struct Affine {
    weight: Tensor<2>,
    bias: Tensor<1>,
}

struct Norm {
    gamma: Tensor<1>,
    beta: Tensor<1>,
    eps: f64,
}

impl Bert {
    pub(crate) fn load(config: &Config, weights: &Weights<'_>) -> Result<Self, TextError> {
        let width = config.hidden_size;
        let table =
            |name: &str, rows| weights.matrix(&format!("embeddings.{name}.weight"), [rows, width]);
        let first = table("token_type_embeddings", config.type_vocab_size)?.narrow(0, 0, 1);
        let layers = (0..config.num_hidden_layers).map(|k| Layer::load(k, config, weights));
        Ok(Self {
            words: table("word_embeddings", config.vocab_size)?,
            positions: table("position_embeddings", config.max_position_embeddings)? + first,
            norm: Norm::load("embeddings.LayerNorm", config, weights)?,
            layers: layers.collect::<Result<_, _>>()?,
            heads: config.num_attention_heads,
        })
    }

    /// Vectors of the tokens of sentences of one length.
    ///
    /// # Shapes
    /// - `tokens`: `[batch, length]`
    /// - output: `[batch, length, width]`
    pub(crate) fn forward(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        let [batch, length] = tokens.dims();
        let [_, width] = self.words.dims();
        let words = self
            .words
            .clone()
            .select(0, tokens.reshape([batch * length]));
        let positions = self.positions.clone().narrow(0, 0, length);
        let x = words.reshape([batch, length, width]) + positions.unsqueeze::<3>();
        let x = self.norm.forward(x);
        self.layers
            .iter()
            .fold(x, |x, layer| layer.forward(x, self.heads))
    }
}

impl Layer {
    fn load(k: usize, config: &Config, weights: &Weights<'_>) -> Result<Self, TextError> {
        let (width, hidden) = (config.hidden_size, config.intermediate_size);
        let name = |part: &str| format!("encoder.layer.{k}.{part}");
        let affine = |part: &str, input, output| Affine::load(&name(part), input, output, weights);
        let norm = |part: &str| Norm::load(&name(part), config, weights);
        let [q, k, v] = ["query", "key", "value"]
            .map(|part| affine(&format!("attention.self.{part}"), width, width));
        let (q, k, v) = (q?, k?, v?);
        Ok(Self {
            qkv: Affine {
                weight: Tensor::cat(vec![q.weight, k.weight, v.weight], 1),
                bias: Tensor::cat(vec![q.bias, k.bias, v.bias], 0),
            },
            proj: affine("attention.output.dense", width, width)?,
            norm_attention: norm("attention.output.LayerNorm")?,
            fc1: affine("intermediate.dense", width, hidden)?,
            fc2: affine("output.dense", hidden, width)?,
            norm_output: norm("output.LayerNorm")?,
        })
    }

    fn forward(&self, x: Tensor<3>, heads: usize) -> Tensor<3> {
        let attended = self_attention(self.qkv.forward(x.clone()), heads);
        let x = self.norm_attention.forward(x + self.proj.forward(attended));
        let hidden = gelu_erf(self.fc1.forward(x.clone()));
        self.norm_output.forward(x + self.fc2.forward(hidden))
    }
}

impl Affine {
    /// PyTorch keeps W as `[out, in]`.
    fn load(
        name: &str,
        input: usize,
        output: usize,
        weights: &Weights<'_>,
    ) -> Result<Self, TextError> {
        let weight = weights.matrix(&format!("{name}.weight"), [output, input])?;
        Ok(Self {
            weight: weight.transpose(),
            bias: weights.vector(&format!("{name}.bias"), output)?,
        })
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        linear(x, self.weight.clone(), Some(self.bias.clone()))
    }
}

impl Norm {
    fn load(name: &str, config: &Config, weights: &Weights<'_>) -> Result<Self, TextError> {
        Ok(Self {
            gamma: weights.vector(&format!("{name}.weight"), config.hidden_size)?,
            beta: weights.vector(&format!("{name}.bias"), config.hidden_size)?,
            eps: config.layer_norm_eps,
        })
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let (gamma, beta) = (self.gamma.clone(), self.beta.clone());
        token_norm(x, TokenNorm::Layer, Some(gamma), Some(beta), self.eps, None)
    }
}
