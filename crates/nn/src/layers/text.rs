use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};

/// A text as an encoder leaves it: a vector for each of its tokens, and one for the whole.
#[derive(Clone, Debug, PartialEq)]
pub struct EncodedText {
    /// `[length, width]`, token by token, at least one.
    pub tokens: Vec<f32>,
    /// `[width]`.
    pub pooled: Vec<f32>,
}

impl EncodedText {
    /// How many tokens it has.
    ///
    /// # Panics
    /// If the tokens are not at least one whole vector as wide as the pooled one.
    pub fn length(&self) -> usize {
        let (n, width) = (self.tokens.len(), self.pooled.len());
        assert!(
            width > 0 && n >= width && n.is_multiple_of(width),
            "expected at least one token of the pooled vector's {width} numbers, got {n} numbers"
        );
        n / width
    }
}

/// The texts that labels stand for: label k is text k, and the label after the last is ∅.
///
/// A table is data, not weights: it is neither counted nor trained, averaged or saved. Training fills it with the captions of
/// the data, sampling with the prompts.
#[derive(Module, Debug)]
pub struct TextTable {
    // `[texts + 1, longest, width]`, shorter texts and ∅ filled up with zeros.
    tokens: Tensor<3>,
    // `[texts + 1, width]`.
    pooled: Tensor<2>,
    // `[texts + 1]`, 1 for ∅.
    lengths: Tensor<1, Int>,
    // `[texts + 1, 1]`: 1 for ∅, else 0.
    null: Tensor<2>,
    texts: usize,
}

impl TextTable {
    /// A table of these texts, which have vectors of one width. Without any there is only ∅, its label 0.
    ///
    /// # Panics
    /// If widths differ or a text has no token.
    pub fn new(texts: &[EncodedText], device: &Device) -> Self {
        let width = texts.first().map_or(1, |text| text.pooled.len());
        let lengths: Vec<usize> = texts.iter().map(EncodedText::length).collect();
        let longest = lengths.iter().copied().max().unwrap_or(1);
        let rows = texts.len() + 1;
        let mut tokens = vec![0.0_f32; rows * longest * width];
        let mut pooled = vec![0.0_f32; rows * width];
        for (k, text) in texts.iter().enumerate() {
            let got = text.pooled.len();
            assert!(
                got == width,
                "expected texts of the first one's width {width}, got {got} in text {k}"
            );
            tokens[k * longest * width..][..text.tokens.len()].copy_from_slice(&text.tokens);
            pooled[k * width..][..width].copy_from_slice(&text.pooled);
        }
        let lengths: Vec<i32> = lengths.into_iter().chain([1]).map(|n| n as i32).collect();
        let null: Vec<f32> = (1..=rows).map(|k| f32::from(k == rows)).collect();
        Self {
            tokens: Tensor::from_data(TensorData::new(tokens, [rows, longest, width]), device),
            pooled: Tensor::from_data(TensorData::new(pooled, [rows, width]), device),
            lengths: Tensor::from_data(TensorData::new(lengths, [rows]), device),
            null: Tensor::from_data(TensorData::new(null, [rows, 1]), device),
            texts: rows - 1,
        }
    }

    /// How many texts there are, which is the label of ∅.
    pub fn len(&self) -> usize {
        self.texts
    }

    /// Is there no text but ∅?
    pub fn is_empty(&self) -> bool {
        self.texts == 0
    }

    /// Numbers of a vector.
    pub fn width(&self) -> usize {
        self.pooled.dims()[1]
    }
}
