use burn::module::{Module, Param};
use burn::tensor::{Int, Tensor};
use fokker_kernels::{Activation, TokenNorm, attention, attention_within, gated_add, token_norm};

use super::{FeedForward, Init, Linear, Rotary, parts, plain_norm};

/// Added to the mean square of a query or a key.
const EPSILON: f64 = 1e-6;

/// Queries, keys or values of a kind of tokens: a linear map, and for the first two an RMS norm of each head with a learned scale,
/// which keeps logits from growing (Dehghani et al., *Scaling vision transformers to 22 billion parameters*, 2023).
#[derive(Module, Debug)]
pub struct HeadMap {
    /// `[width]` → `[width]`.
    pub map: Linear,
    /// `[width/heads]`, initially 1; none for values.
    pub gamma: Option<Param<Tensor<1>>>,
    heads: usize,
}

impl HeadMap {
    fn new(width: usize, heads: usize, norm: bool, init: &mut Init) -> Self {
        Self {
            map: Linear::xavier(width, width, init),
            gamma: norm.then(|| init.constant([width / heads], 1.0)),
            heads,
        }
    }

    /// `[batch, tokens, width]` → `[batch, tokens, heads, width/heads]`.
    fn forward(&self, x: Tensor<3>) -> Tensor<4> {
        let [b, n, width] = x.dims();
        let features = width / self.heads;
        let mut x = self.map.forward(x);
        if let Some(gamma) = &self.gamma {
            let heads = x.reshape([b, n * self.heads, features]);
            let gamma = Some(gamma.val());
            x = token_norm(heads, TokenNorm::Rms, gamma, None, EPSILON, None);
        }
        x.reshape([b, n, self.heads, features])
    }
}

/// What a [`JointBlock`] does to one kind of tokens.
#[derive(Module, Debug)]
pub struct Stream {
    /// `[width]` → the six modulations of an [`AdaLnBlock`](super::AdaLnBlock), `[6·width]`.
    pub modulation: Linear,
    /// Queries.
    pub q: HeadMap,
    /// Keys.
    pub k: HeadMap,
    /// Values.
    pub v: HeadMap,
    /// `[width]` → `[width]`, after the attention.
    pub proj: Linear,
    /// The perceptron.
    pub mlp: FeedForward,
}

impl Stream {
    fn new(width: usize, heads: usize, ratio: usize, init: &mut Init) -> Self {
        let mlp = [width, ratio * width, width];
        Self {
            modulation: Linear::zero(width, 6 * width, init),
            q: HeadMap::new(width, heads, true, init),
            k: HeadMap::new(width, heads, true, init),
            v: HeadMap::new(width, heads, false, init),
            proj: Linear::xavier(width, width, init),
            mlp: FeedForward::new(mlp, Activation::Gelu, Linear::xavier, init),
        }
    }

    fn count(width: usize, heads: usize, ratio: usize) -> usize {
        let maps = |input: usize, output: usize| (input + 1) * output;
        let hidden = ratio * width;
        maps(width, 6 * width)
            + 4 * maps(width, width)
            + 2 * (width / heads)
            + maps(width, hidden)
            + maps(hidden, width)
    }
}

/// The text of the last block, which nobody reads after it: keys and values only.
#[derive(Module, Debug)]
pub struct LastText {
    /// `[width]` → shift and scale, `[2·width]`.
    pub modulation: Linear,
    /// Keys.
    pub k: HeadMap,
    /// Values.
    pub v: HeadMap,
}

/// The text's side of a [`JointBlock`].
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // all but one are the large one
pub enum TextStream {
    /// Tokens that go on.
    Whole(Stream),
    /// Tokens that are looked at for the last time.
    Last(LastText),
}

/// A block of MM-DiT: tokens of an image and of a text have weights of their own and attend to each other in one attention, with
/// adaLN-Zero for both; at first it is the identity. Without a text it is a DiT block with normalised queries and keys and rotary
/// positions.
///
/// Source: Esser et al., *Scaling rectified flow transformers for high-resolution image synthesis*, 2024.
#[derive(Module, Debug)]
pub struct JointBlock {
    /// The image's side.
    pub image: Stream,
    /// The text's side, in networks with texts.
    pub text: Option<TextStream>,
}

/// The tokens of texts inside a network: `[batch, longest, width]`, and how many of them are each text's.
pub(crate) type Tokens = (Tensor<3>, Tensor<1, Int>);

impl JointBlock {
    /// A block of `heads` heads on tokens of `width` numbers, with a perceptron of `ratio` widths. `text`: does it have texts, and is
    /// it the last block that sees them?
    ///
    /// # Panics
    /// If the heads do not divide the width.
    pub fn new([width, heads, ratio]: [usize; 3], text: Option<bool>, init: &mut Init) -> Self {
        assert!(
            heads > 0 && width.is_multiple_of(heads),
            "expected a number of heads that divides the width {width}, got {heads}"
        );
        Self {
            image: Stream::new(width, heads, ratio, init),
            text: text.map(|last| match last {
                false => TextStream::Whole(Stream::new(width, heads, ratio, init)),
                true => TextStream::Last(LastText {
                    modulation: Linear::zero(width, 2 * width, init),
                    k: HeadMap::new(width, heads, true, init),
                    v: HeadMap::new(width, heads, false, init),
                }),
            }),
        }
    }

    /// Its number of parameters.
    pub fn count([width, heads, ratio]: [usize; 3], text: Option<bool>) -> usize {
        let image = Stream::count(width, heads, ratio);
        image
            + match text {
                None => 0,
                Some(false) => image,
                Some(true) => 4 * (width + 1) * width + width / heads,
            }
    }

    /// Tokens of images `[batch, tokens, width]` and of texts, and conditions `[batch, width]` → both. The image's places are
    /// `places`; a text's tokens all have the first.
    pub(crate) fn forward(
        &self,
        x: Tensor<3>,
        text: Option<Tokens>,
        c: &Tensor<2>,
        places: &Rotary,
    ) -> (Tensor<3>, Option<Tokens>) {
        let tokens = x.dims()[1];
        let norm =
            |x: Tensor<3>, scale, shift| plain_norm(x, TokenNorm::Layer, Some((scale, shift)));
        let flat = |t: Tensor<4>| {
            let [b, n, h, d] = t.dims();
            t.reshape([b, n, h * d])
        };
        let own = &self.image;
        let [b1, s1, g1, b2, s2, g2] = parts(own.modulation.forward(c.clone()));
        let finish =
            |own: &Stream, x: Tensor<3>, h: Tensor<3>, [g1, b2, s2, g2]: [Tensor<2>; 4]| {
                let x = gated_add(x, own.proj.forward(h), g1);
                let h = own.mlp.forward(norm(x.clone(), s2, b2));
                gated_add(x, h, g2)
            };
        let h = norm(x.clone(), s1, b1);
        let q = places.forward(own.q.forward(h.clone()));
        let k = places.forward(own.k.forward(h.clone()));
        let v = own.v.forward(h);
        let rest = [g1, b2, s2, g2];
        let (Some(side), Some((t, lengths))) = (&self.text, text) else {
            return (finish(own, x, flat(attention(q, k, v)), rest), None);
        };
        // The image first: what follows a text's last token then follows everything.
        let both = |a: Tensor<4>, b: Tensor<4>| Tensor::cat(vec![a, b], 1);
        let within = lengths.clone() + tokens as i32;
        match side {
            TextStream::Last(own_t) => {
                let [b, s] = parts(own_t.modulation.forward(c.clone()));
                let h = norm(t, s, b);
                let k = both(k, own_t.k.forward(h.clone()));
                let v = both(v, own_t.v.forward(h));
                let h = flat(attention_within(q, k, v, within));
                (finish(own, x, h, rest), None)
            }
            TextStream::Whole(own_t) => {
                let [b1, s1, g1, b2, s2, g2] = parts(own_t.modulation.forward(c.clone()));
                let h = norm(t.clone(), s1, b1);
                let q = both(q, own_t.q.forward(h.clone()));
                let k = both(k, own_t.k.forward(h.clone()));
                let v = both(v, own_t.v.forward(h));
                let h = flat(attention_within(q, k, v, within));
                let of_text = t.dims()[1];
                let x = finish(own, x, h.clone().narrow(1, 0, tokens), rest);
                let t = finish(own_t, t, h.narrow(1, tokens, of_text), [g1, b2, s2, g2]);
                (x, Some((t, lengths)))
            }
        }
    }
}
