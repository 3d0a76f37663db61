use crate::extension::{FusedGrads, FusedOps};
use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;

#[derive(Debug)]
struct Rotary;

impl<B: FusedGrads> Backward<B, 1> for Rotary {
    /// cos and sin.
    type State = [FloatTensor<B>; 2];

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let [cos, sin] = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |dy| {
            B::rotary_grad(dy, cos, sin)
        });
    }
}

/// The turning, recorded with its derivative by x.
pub(super) fn tracked<B: FusedOps + FusedGrads, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
    cos: FloatTensor<Autodiff<B, C>>,
    sin: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    let node = x.node();
    let [x, cos, sin] = [x, cos, sin].map(|t| t.into_primitive());
    match Backward::<B, 1>::prepare::<C>(Rotary, [node])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(prep) => {
            let y = B::fused_rotary(x, cos.clone(), sin.clone());
            prep.finish([cos, sin], y)
        }
        OpsKind::UnTracked(prep) => prep.finish(B::fused_rotary(x, cos, sin)),
    }
}
