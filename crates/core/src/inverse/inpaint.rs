use burn::tensor::{Tensor, TensorData};

use super::InverseError;
use crate::renoise::with_noise;
use crate::{Denoiser, Noise, Span, State, Stepper};

/// Inpainting with any sampler and a model that knows nothing of it: after every step the known coordinates
/// are put back as they are at that time of the path, α y + β ξ, and exactly y at the end. A grid with
/// jumps back in time ([`resample`]), where the loop adds noise, lets the unknown coordinates come to terms with
/// the known.
///
/// Source: Lugmayr et al., *RePaint: inpainting using denoising diffusion probabilistic models*, 2022. The law is
/// only near that of the posterior: the known coordinates' noise is drawn afresh and not with the unknown ones.
pub struct Inpaint<'a> {
    inner: Box<dyn Stepper + 'a>,
    /// 1 where known, `[1, dim]`.
    mask: State,
    /// 0 where not known.
    known: State,
}

impl<'a> Inpaint<'a> {
    /// Steps by `inner`; `known` holds the data, `[rows, dim]` or `[1, dim]` for all rows, where `mask` is
    /// `true`, and anything elsewhere.
    ///
    /// # Errors
    /// [`InverseError::Mask`] where the sizes differ.
    pub fn new(
        inner: Box<dyn Stepper + 'a>,
        mask: &[bool],
        known: State,
    ) -> Result<Self, InverseError> {
        let dim = known.dims()[1];
        if mask.len() != dim {
            return Err(InverseError::Mask {
                mask: mask.len(),
                given: dim,
            });
        }
        let ones: Vec<f64> = mask.iter().map(|&k| f64::from(u8::from(k))).collect();
        let place = (&known.device(), known.dtype());
        let mask = Tensor::from_data(TensorData::new(ones, [1, dim]), place);
        let unknown = mask.clone().expand(known.dims()).equal_elem(0.0);
        Ok(Self {
            inner,
            mask,
            known: known.mask_fill(unknown, 0.0),
        })
    }
}

impl Stepper for Inpaint<'_> {
    fn step(&mut self, model: &dyn Denoiser, x: State, span: Span, noise: &mut dyn Noise) -> State {
        let scheduler = model.scheduler();
        let x = self.inner.step(model, x, span, noise);
        let c = scheduler.at(span.to);
        let known = self.known.clone().mul_scalar(c.alpha).expand(x.dims());
        let known = with_noise(known, c.beta, noise);
        let unknown = self.mask.clone().neg().add_scalar(1.0);
        x * unknown + known * self.mask.clone()
    }
}

/// The zigzag of RePaint along a rising `grid`: every `jump` steps, counted from the end, it goes back by
/// `jump` steps, so that each stretch is walked `times` times; the first stretch, which starts in pure noise,
/// once. n steps become n + (`times` − 1)(`jump` + 1)(n/`jump` − 1), the jumps back included. `times` ≤ 1 or
/// `jump` = 0 is the grid itself.
pub fn resample(grid: &[f64], jump: usize, times: usize) -> Vec<f64> {
    let last = grid.len().saturating_sub(1);
    let turns = |i: usize| jump > 0 && i > jump && (last - i).is_multiple_of(jump);
    let mut left: Vec<usize> = (0..grid.len())
        .map(|i| if turns(i) { times.saturating_sub(1) } else { 0 })
        .collect();
    let mut walk: Vec<f64> = grid.first().copied().into_iter().collect();
    let mut i = 0;
    while i < last {
        i += 1;
        walk.push(grid[i]);
        if left[i] > 0 {
            left[i] -= 1;
            i -= jump;
            walk.push(grid[i]);
        }
    }
    walk
}
