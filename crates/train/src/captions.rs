//! The captions of a run, encoded once.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use burn::tensor::Device;
use fokker_nn::layers::{EncodedText, TextTable};
use fokker_text::{Package, ScalarEncoder, SentenceEncoder, TextError};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::run::write_atomic;
use crate::{AnyNetwork, Config, RunFolder, TrainError};

/// Encoded texts: text k is what label k stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Captions(pub Vec<EncodedText>);

const TOKENS: &str = "tokens";
const POOLED: &str = "pooled";
const LENGTHS: &str = "lengths";

impl Captions {
    /// As the table of a network.
    pub fn table(&self, device: &Device) -> TextTable {
        TextTable::new(&self.0, device)
    }

    /// As safetensors: the tokens of all texts one after the other `[tokens, width]`, how many each has `[texts]`, and their pooled
    /// vectors `[texts, width]`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let width = self.0.first().map_or(1, |t| t.pooled.len());
        let floats = |part: fn(&EncodedText) -> &[f32]| -> Vec<u8> {
            let values = self.0.iter().flat_map(part);
            values.flat_map(|v| v.to_le_bytes()).collect()
        };
        let (tokens, pooled) = (floats(|t| &t.tokens), floats(|t| &t.pooled));
        let lengths = self.0.iter().map(|t| (t.tokens.len() / width) as u32);
        let lengths: Vec<u8> = lengths.flat_map(u32::to_le_bytes).collect();
        let texts = self.0.len();
        let view =
            |dtype, shape, bytes| TensorView::new(dtype, shape, bytes).expect("four bytes a value");
        let views = [
            (
                TOKENS,
                view(Dtype::F32, vec![tokens.len() / 4 / width, width], &tokens),
            ),
            (POOLED, view(Dtype::F32, vec![texts, width], &pooled)),
            (LENGTHS, view(Dtype::U32, vec![texts], &lengths)),
        ];
        safetensors::serialize(views, None::<HashMap<String, String>>).expect("names are distinct")
    }

    /// What [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// Bytes that are something else.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self, TrainError> {
        let broken = |what: &str| {
            TrainError::run(
                path,
                format!("not a readable file of captions ({what}); remove it to encode them again"),
            )
        };
        let file = SafeTensors::deserialize(bytes).map_err(|e| broken(&e.to_string()))?;
        let take = |name: &str, dtype| match file.tensor(name) {
            Ok(t) if t.dtype() == dtype => Ok((t.shape().to_vec(), t.data().to_vec())),
            _ => Err(broken(&format!("no {name}"))),
        };
        let floats = |bytes: &[u8]| -> Vec<f32> {
            let (values, _) = bytes.as_chunks::<4>();
            values.iter().map(|b| f32::from_le_bytes(*b)).collect()
        };
        let (tokens_shape, tokens) = take(TOKENS, Dtype::F32)?;
        let (pooled_shape, pooled) = take(POOLED, Dtype::F32)?;
        let (lengths_shape, lengths) = take(LENGTHS, Dtype::U32)?;
        let (lengths, _) = lengths.as_chunks::<4>();
        let lengths: Vec<usize> = lengths
            .iter()
            .map(|b| u32::from_le_bytes(*b) as usize)
            .collect();
        let fits = match (&tokens_shape[..], &pooled_shape[..], &lengths_shape[..]) {
            ([rows, a], [texts, b], [n]) => {
                a == b
                    && *a > 0
                    && texts == n
                    && lengths.iter().sum::<usize>() == *rows
                    && !lengths.contains(&0)
            }
            _ => false,
        };
        if !fits {
            return Err(broken("its parts do not fit together"));
        }
        let (width, tokens, pooled) = (pooled_shape[1], floats(&tokens), floats(&pooled));
        let mut rest = &tokens[..];
        let texts = lengths
            .iter()
            .zip(pooled.chunks_exact(width))
            .map(|(length, pooled)| {
                let (own, others) = rest.split_at(length * width);
                rest = others;
                EncodedText {
                    tokens: own.to_vec(),
                    pooled: pooled.to_vec(),
                }
            });
        Ok(Self(texts.collect()))
    }
}

/// What makes vectors of captions.
pub enum CaptionEncoder {
    /// Of words.
    Sentences(Box<SentenceEncoder>),
    /// Of numbers.
    Scalars(ScalarEncoder),
}

impl CaptionEncoder {
    /// The vectors of every caption, whose bits do not depend on the others.
    ///
    /// # Errors
    /// A caption that does not give the scalars.
    pub fn encode(&self, captions: &[impl AsRef<str>]) -> Result<Vec<EncodedText>, TrainError> {
        match self {
            Self::Sentences(encoder) => Ok(encoder.encode(captions)),
            Self::Scalars(encoder) => {
                let encoded = captions.iter().map(|c| encoder.encode(c.as_ref()));
                let encoded: Result<_, TextError> = encoded.collect();
                encoded.map_err(|error| TrainError::Config(error.to_string()))
            }
        }
    }
}

impl Config {
    pub(crate) fn scalar_encoder(&self) -> Result<ScalarEncoder, TextError> {
        ScalarEncoder::new(self.text.scalars.clone(), self.network.text_width())
    }

    /// The encoder of captions: of the recipe's scalars, or of words, the one that it names or that is installed.
    ///
    /// # Errors
    /// No encoder where it is looked for, with how to get it; scalars beside an encoder of words.
    pub fn caption_encoder(&self, device: &Device) -> Result<CaptionEncoder, TrainError> {
        if !self.text.scalars.is_empty() {
            if self.text.encoder.is_some() {
                let what = "text.encoder: an encoder of words, beside text.scalars; leave out one of the two";
                return Err(TrainError::Config(what.into()));
            }
            return Ok(CaptionEncoder::Scalars(self.scalar_encoder()?));
        }
        let package = Package::find(self.text.encoder.as_deref())?;
        let encoder = SentenceEncoder::load(&package, &device.clone().without_autodiff())?;
        Ok(CaptionEncoder::Sentences(Box::new(encoder)))
    }

    /// The captions `classes` encoded: as the run folder keeps them, else by the encoder.
    ///
    /// # Errors
    /// No encoder, or a file of the run folder that does not fit.
    pub fn captions(&self, classes: &[String], device: &Device) -> Result<Captions, TrainError> {
        let Some(path) = self.text.kept.as_ref().filter(|path| path.is_file()) else {
            return Ok(Captions(self.caption_encoder(device)?.encode(classes)?));
        };
        let bytes = fs::read(path).map_err(TrainError::io("read", path))?;
        let captions = Captions::from_bytes(&bytes, path)?;
        if captions.0.len() != classes.len() {
            let what = format!(
                "holds {} texts, but the run has {} captions",
                captions.0.len(),
                classes.len()
            );
            return Err(TrainError::run(path, what));
        }
        Ok(captions)
    }
}

impl RunFolder {
    /// Keeps the encoded captions, so that the run needs no encoder for them.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn keep_captions(&self, captions: &Captions) -> Result<(), TrainError> {
        match &self.config().text.kept {
            Some(path) if !path.is_file() => write_atomic(path, &captions.to_bytes()),
            _ => Ok(()),
        }
    }

    /// The encoded captions of the run.
    ///
    /// # Errors
    /// As [`Config::captions`].
    pub fn captions(&self, device: &Device) -> Result<Captions, TrainError> {
        self.config().captions(&self.info().classes, device)
    }
}

/// Gives a network that reads texts those that its labels stand for; `None` for other networks.
///
/// # Errors
/// No encoder, or one of vectors of another width.
pub(crate) fn tell(
    net: &mut AnyNetwork,
    config: &Config,
    classes: &[String],
    device: &Device,
) -> Result<Option<Captions>, TrainError> {
    if !net.wants_text() {
        return Ok(None);
    }
    let captions = config.captions(classes, device)?;
    let wanted = config.network.text_width();
    let got = captions.0[0].pooled.len();
    if got != wanted {
        let what =
            format!("network.text: the encoder makes vectors of {got} numbers, got {wanted}");
        return Err(TrainError::Config(what));
    }
    net.set_texts(captions.table(device));
    Ok(Some(captions))
}
