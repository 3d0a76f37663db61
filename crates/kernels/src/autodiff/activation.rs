use crate::extension::{FusedGrads, FusedOps};
use crate::raw::activation::Curve;
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
struct Activation;

impl<B: FusedGrads> Backward<B, 1> for Activation {
    type State = (NodeId, Curve);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let (x, curve) = ops.state;
        let x: FloatTensor<B> = checkpointer.retrieve_node_output(x);
        unary::<B, _>(ops.parents, ops.node, grads, |dy| {
            B::activation_grad(x, dy, curve)
        });
    }
}

/// Computes the output again where gradient checkpointing did not keep it.
#[derive(Clone, Debug)]
struct Again<B>(NodeId, Curve, PhantomData<B>);

impl<B: FusedOps> RetroForward for Again<B> {
    fn forward(&self, states: &mut BackwardStates, out: NodeId) {
        let x = states.get_state::<FloatTensor<B>>(&self.0);
        states.save(out, B::fused_activation(x, self.1));
    }
}

/// The activation, recorded with its derivative.
pub(super) fn tracked<B: FusedOps + FusedGrads, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
    curve: Curve,
) -> FloatTensor<Autodiff<B, C>> {
    let prep = Backward::<B, 1>::prepare::<C>(Activation, [x.node()]).memory_bound();
    match prep
        .retro_forward(Again::<B>(x.id(), curve, PhantomData))
        .parents([&x])
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let state = (prep.checkpoint(&x), curve);
            prep.finish(state, B::fused_activation(x.into_primitive(), curve))
        }
        OpsKind::UnTracked(prep) => prep.finish(B::fused_activation(x.into_primitive(), curve)),
    }
}
