//! The affine map and the modulation that follow a normalisation: y = k x̂ + c with k = γ (1 + scale) and
//! c = β (1 + scale) + shift.

/// γ and β `[channels]`, scale and shift `[batch, channels]`.
#[derive(Clone, Copy)]
pub(crate) struct Affine<'a> {
    pub(crate) gamma: &'a [f32],
    pub(crate) beta: &'a [f32],
    pub(crate) scale: &'a [f32],
    pub(crate) shift: &'a [f32],
}

impl Affine<'_> {
    /// (k, c) of channel `c` of sample `b`.
    pub(crate) fn at(&self, b: usize, c: usize) -> (f32, f32) {
        let i = b * self.gamma.len() + c;
        let factor = 1.0 + self.scale[i];
        (
            self.gamma[c] * factor,
            self.beta[c] * factor + self.shift[i],
        )
    }
}

/// The gradients of a normalisation.
pub(crate) struct Gradients {
    /// As x.
    pub(crate) x: Vec<f32>,
    /// `[channels]`.
    pub(crate) gamma: Vec<f32>,
    pub(crate) beta: Vec<f32>,
    /// `[batch, channels]`.
    pub(crate) scale: Vec<f32>,
    pub(crate) shift: Vec<f32>,
}

impl Gradients {
    /// From the one at x and, for each sample and channel, S = Σ dy and T = Σ dy x̂: dshift = S; dscale = γ T + β S;
    /// dγ = Σ_b (1 + scale) T; dβ = Σ_b (1 + scale) S.
    pub(crate) fn new(
        x: Vec<f32>,
        sums: impl ExactSizeIterator<Item = (f64, f64)>,
        affine: Affine<'_>,
    ) -> Self {
        let channels = affine.gamma.len();
        let (mut gamma, mut beta) = (vec![0.0f64; channels], vec![0.0f64; channels]);
        let [mut scale, mut shift] = [0, 1].map(|_| Vec::with_capacity(sums.len()));
        for (i, (sum, dot)) in sums.enumerate() {
            let c = i % channels;
            let factor = 1.0 + f64::from(affine.scale[i]);
            gamma[c] += factor * dot;
            beta[c] += factor * sum;
            scale.push((f64::from(affine.gamma[c]) * dot + f64::from(affine.beta[c]) * sum) as f32);
            shift.push(sum as f32);
        }
        let narrow = |v: Vec<f64>| v.into_iter().map(|v| v as f32).collect();
        Self {
            x,
            gamma: narrow(gamma),
            beta: narrow(beta),
            scale,
            shift,
        }
    }
}
