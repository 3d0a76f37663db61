use crate::extension::{FusedGrads, FusedOps};
use burn::backend::Autodiff;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::retro_forward::RetroForward;
use burn::backend::autodiff::checkpoint::state::BackwardStates;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;
use std::marker::PhantomData;

#[derive(Debug)]
struct Silu;

impl<B: FusedGrads> Backward<B, 1> for Silu {
    type State = NodeId;

    fn backward(self, ops: Ops<NodeId, 1>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let x: FloatTensor<B> = checkpointer.retrieve_node_output(ops.state);
        unary::<B, _>(ops.parents, ops.node, grads, |dy| B::silu_grad(x, dy));
    }
}

/// Computes the output again where gradient checkpointing did not keep it.
#[derive(Clone, Debug)]
struct Again<B>(NodeId, PhantomData<B>);

impl<B: FusedOps> RetroForward for Again<B> {
    fn forward(&self, states: &mut BackwardStates, out: NodeId) {
        let x = states.get_state::<FloatTensor<B>>(&self.0);
        states.save(out, B::fused_silu(x));
    }
}

/// The SiLU, recorded with its derivative.
pub(super) fn tracked<B: FusedOps + FusedGrads, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    let prep = Backward::<B, 1>::prepare::<C>(Silu, [x.node()]).memory_bound();
    match prep
        .retro_forward(Again::<B>(x.id(), PhantomData))
        .parents([&x])
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let state = prep.checkpoint(&x);
            prep.finish(state, B::fused_silu(x.into_primitive()))
        }
        OpsKind::UnTracked(prep) => prep.finish(B::fused_silu(x.into_primitive())),
    }
}
