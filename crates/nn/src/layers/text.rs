use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};
use fokker_core::Labels;
use fokker_kernels::TokenNorm;

use super::{Init, Linear, plain_norm};

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

/// What a network is told of the texts of a batch.
#[derive(Clone, Debug)]
pub struct Text {
    /// `[batch, longest, width]`. What follows a text's last token means nothing.
    pub tokens: Tensor<3>,
    /// `[batch]`, how many tokens each text has, at least one.
    pub lengths: Tensor<1, Int>,
    /// `[batch, width]`.
    pub pooled: Tensor<2>,
}

/// Texts by their labels: tokens and pooled vectors of the [`TextTable`], divided by their root mean square and through a
/// learned linear map each. ∅ has a learned vector for each of the two in their place, and one token.
///
/// The root mean square makes the scale of the encoder's vectors nobody's concern. A text's result does not depend on the
/// other texts of the table as long as what reads the tokens heeds the lengths.
#[derive(Module, Debug)]
pub struct TextEmbedding {
    /// `[text width]` → `[width]`, of every token.
    pub tokens: Linear,
    /// `[text width]` → `[width]`, of the pooled vector.
    pub pooled: Linear,
    /// The only token of ∅, `[width]`.
    pub null_token: Param<Tensor<1>>,
    /// The pooled vector of ∅, `[width]`.
    pub null_pooled: Param<Tensor<1>>,
    table: TextTable,
}

impl TextEmbedding {
    /// Texts with vectors of `text` numbers for a network of `width` numbers. The table is empty: it knows ∅ only.
    pub fn new(text: usize, width: usize, init: &mut Init) -> Self {
        Self {
            tokens: Linear::new(text, width, init),
            pooled: Linear::new(text, width, init),
            null_token: init.normal([width], 1.0),
            null_pooled: init.normal([width], 1.0),
            table: TextTable::new(&[], init.device()),
        }
    }

    /// Its number of parameters.
    pub fn count(text: usize, width: usize) -> usize {
        2 * (text + 1) * width + 2 * width
    }

    /// Numbers of a text's vectors.
    pub fn text_width(&self) -> usize {
        self.tokens.weight.dims()[0]
    }

    /// Puts other texts in the place of those known so far.
    ///
    /// # Panics
    /// If they have another width.
    pub fn set(&mut self, table: TextTable) {
        let (expected, got) = (self.text_width(), table.width());
        assert!(
            table.is_empty() || expected == got,
            "expected texts with vectors of {expected} numbers, got {got}"
        );
        let device = self.tokens.weight.val().device();
        self.table = table.to_device(&device);
    }

    /// Labels `[batch]` → their texts.
    pub fn forward(&self, y: Labels) -> Text {
        let rows = y.dims()[0];
        let width = self.null_token.dims()[0];
        let TextTable {
            tokens,
            pooled,
            lengths,
            null,
            texts,
        } = &self.table;
        let lengths = lengths.clone().select(0, y.clone());
        let token = self.null_token.val().reshape([1, 1, width]);
        let whole = self.null_pooled.val().reshape([1, width]);
        if *texts == 0 {
            return Text {
                tokens: token.repeat_dim(0, rows),
                lengths,
                pooled: whole.repeat_dim(0, rows),
            };
        }
        let plain = |x| plain_norm(x, TokenNorm::Rms, None);
        let null = null.clone().select(0, y.clone());
        let given = null.clone().neg() + 1.0;
        let tokens = self
            .tokens
            .forward(plain(tokens.clone().select(0, y.clone())));
        let [_, longest, _] = tokens.dims();
        let pooled = pooled.clone().select(0, y).unsqueeze_dim::<3>(1);
        let pooled = self.pooled.forward(plain(pooled)).reshape([rows, width]);
        let of_token = |v: Tensor<2>| v.reshape([rows, 1, 1]);
        let token = (token * of_token(null.clone())).repeat_dim(1, longest);
        Text {
            tokens: tokens * of_token(given.clone()) + token,
            lengths,
            pooled: pooled * given + whole * null,
        }
    }
}
