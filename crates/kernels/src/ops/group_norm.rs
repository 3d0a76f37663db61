//! Group normalisation with what follows it.

use super::zeros;
use crate::extension::{FusedOps, NormOptions};
use crate::reference;
use crate::switch::is_fast;
use burn::backend::Dispatch;
use burn::tensor::Tensor;

/// Group normalisation (Wu and He 2018, arXiv:1803.08494), affine map, optional modulation and optional SiLU in one
/// operation:
///
/// y = f( (x̂ · gamma + beta) · (1 + scale) + shift ), x̂ = (x − μ) / √(var + eps)
///
/// with μ and the (biased) variance over the positions and the channels of a group, and f the SiLU if `activate`.
///
/// # Shapes
/// - `x`: `[batch, channels, h, w]`; `gamma`, `beta`: `[channels]`
/// - `modulation`: scale and shift, each `[batch, channels]`
/// - output: as `x`
///
/// # Panics
/// Where these shapes do not agree or `groups` does not divide the channels.
pub fn group_norm_silu(
    x: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    groups: usize,
    eps: f64,
    modulation: Option<(Tensor<2>, Tensor<2>)>,
    activate: bool,
) -> Tensor<4> {
    let [b, c, _, _] = x.dims();
    assert!(
        groups > 0 && c % groups == 0,
        "group_norm_silu: {groups} groups do not divide {c} channels"
    );
    assert!(
        gamma.dims() == [c] && beta.dims() == [c],
        "group_norm_silu: gamma and beta must have {c} values, got {:?} and {:?}",
        gamma.dims(),
        beta.dims()
    );
    if let Some((scale, shift)) = &modulation {
        assert!(
            scale.dims() == [b, c] && shift.dims() == [b, c],
            "group_norm_silu: scale and shift must be [{b}, {c}], got {:?} and {:?}",
            scale.dims(),
            shift.dims()
        );
    }
    let fast = is_fast(&x)
        && is_fast(&gamma)
        && is_fast(&beta)
        && modulation
            .as_ref()
            .is_none_or(|(scale, shift)| is_fast(scale) && is_fast(shift));
    if !fast {
        return reference::group_norm_silu(x, gamma, beta, groups, eps, modulation, activate);
    }
    // Zeros leave the bits as they are: 1 + 0 = 1.
    let (scale, shift) = modulation.unwrap_or_else(|| (zeros(&x, [b, c]), zeros(&x, [b, c])));
    Tensor::from_dispatch(Dispatch::fused_group_norm(
        x.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        scale.into_dispatch(),
        shift.into_dispatch(),
        NormOptions {
            groups,
            eps,
            activate,
        },
    ))
}
