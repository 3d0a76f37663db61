/// A text as an encoder leaves it: a vector for each of its tokens, and one for the whole.
#[derive(Clone, Debug, PartialEq)]
pub struct EncodedText {
    /// `[length, width]`, token by token, at least one.
    pub tokens: Vec<f32>,
    /// `[width]`.
    pub pooled: Vec<f32>,
}
