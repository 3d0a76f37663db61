//! From sentences to vectors.

use std::collections::BTreeMap;

use burn::tensor::{Device, Int, Tensor, TensorData};
use fokker_nn::layers::EncodedText;

use crate::bert::{Bert, Config};
use crate::weights::Weights;
use crate::{MAX_TOKENS, Package, TextError, Tokenizer};

/// Sentences that go through the network together.
const ROWS: usize = 32;

/// all-MiniLM-L6-v2: a BERT of six layers trained so that sentences which mean the same have vectors that point the same way
/// (Reimers and Gurevych, *Sentence-BERT*, 2019; Wang et al., *MiniLM*, 2020).
pub struct SentenceEncoder {
    tokenizer: Tokenizer,
    bert: Bert,
    width: usize,
    device: Device,
}

impl SentenceEncoder {
    /// The encoder of a package, computing on `device`.
    ///
    /// # Errors
    /// Files that are not those of a sentence encoder of BERT's kind.
    pub fn load(package: &Package, device: &Device) -> Result<Self, TextError> {
        let path = package.config_path();
        let config: Config = serde_json::from_slice(&package.config)
            .map_err(|e| TextError::file(&path, format!("no readable configuration ({e})")))?;
        let fits = config.model_type == "bert"
            && config.hidden_act == "gelu"
            && config.max_position_embeddings >= MAX_TOKENS
            && config.num_attention_heads > 0
            && config
                .hidden_size
                .is_multiple_of(config.num_attention_heads);
        if !fits {
            let what = format!("expected a BERT with GELU and {MAX_TOKENS} positions or more");
            return Err(TextError::file(&path, what));
        }
        let tokenizer = Tokenizer::load(package)?;
        if tokenizer.largest() as usize >= config.vocab_size {
            let (got, rows) = (tokenizer.largest(), config.vocab_size);
            let what = format!("token {got}, but the network has vectors for {rows} only");
            return Err(TextError::file(&package.tokenizer_path(), what));
        }
        Ok(Self {
            tokenizer,
            bert: Bert::load(&config, &Weights::open(package, device)?)?,
            width: config.hidden_size,
            device: device.clone(),
        })
    }

    /// Numbers in a vector: 384.
    pub fn width(&self) -> usize {
        self.width
    }

    /// What cuts texts into tokens.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Vectors of every text: one for each token from `[CLS]` to `[SEP]`, and their mean at length 1.
    ///
    /// A text's bits do not depend on the others: texts of one length go through the network together, so that nothing is
    /// padded or masked.
    pub fn encode(&self, texts: &[impl AsRef<str>]) -> Vec<EncodedText> {
        let tokens: Vec<Vec<u32>> = texts
            .iter()
            .map(|t| self.tokenizer.tokens(t.as_ref()))
            .collect();
        let mut by_length: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (i, tokens) in tokens.iter().enumerate() {
            by_length.entry(tokens.len()).or_default().push(i);
        }
        let mut encoded: Vec<Option<EncodedText>> = vec![None; texts.len()];
        for (length, members) in by_length {
            for rows in members.chunks(ROWS) {
                let ids: Vec<i32> = rows
                    .iter()
                    .flat_map(|i| &tokens[*i])
                    .map(|t| *t as i32)
                    .collect();
                let ids = TensorData::new(ids, [rows.len(), length]);
                let x = self
                    .bert
                    .forward(Tensor::<2, Int>::from_data(ids, &self.device));
                let values = x.into_data().try_to_vec::<f32>().expect("vectors are f32");
                for (i, tokens) in rows.iter().zip(values.chunks_exact(length * self.width)) {
                    encoded[*i] = Some(EncodedText {
                        tokens: tokens.to_vec(),
                        pooled: direction(tokens, self.width),
                    });
                }
            }
        }
        encoded
            .into_iter()
            .map(|e| e.expect("every text has a length"))
            .collect()
    }
}

/// The mean of the rows, divided by its length: m / max(‖m‖, 10⁻¹²).
fn direction(rows: &[f32], width: usize) -> Vec<f32> {
    let mut mean = vec![0.0_f64; width];
    for row in rows.chunks_exact(width) {
        mean.iter_mut()
            .zip(row)
            .for_each(|(m, x)| *m += f64::from(*x));
    }
    let count = (rows.len() / width) as f64;
    mean.iter_mut().for_each(|m| *m /= count);
    let norm = mean.iter().map(|m| m * m).sum::<f64>().sqrt().max(1e-12);
    mean.into_iter().map(|m| (m / norm) as f32).collect()
}
