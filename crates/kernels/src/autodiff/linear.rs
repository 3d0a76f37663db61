use crate::extension::{FusedGrads, FusedOps};
use burn::backend::Autodiff;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;

#[derive(Debug)]
struct Linear;

#[derive(Clone, Debug)]
struct State {
    x: NodeId,
    weight: NodeId,
}

impl<B: FusedGrads> Backward<B, 3> for Linear {
    type State = State;

    fn backward(self, ops: Ops<State, 3>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let x: FloatTensor<B> = checkpointer.retrieve_node_output(ops.state.x);
        let weight: FloatTensor<B> = checkpointer.retrieve_node_output(ops.state.weight);
        let [for_x, for_weight, for_bias] = ops.parents;
        let dy = grads.consume::<B>(&ops.node);
        if let Some(node) = for_x {
            grads.register::<B>(node.id, B::linear_grad_x(weight, dy.clone()));
        }
        if let Some(node) = for_weight {
            grads.register::<B>(node.id, B::linear_grad_weight(x, dy.clone()));
        }
        if let Some(node) = for_bias {
            grads.register::<B>(node.id, B::linear_grad_bias(dy));
        }
    }
}

/// The linear map, recorded with its derivative.
pub(super) fn tracked<B: FusedOps + FusedGrads, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
    weight: FloatTensor<Autodiff<B, C>>,
    bias: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    let nodes = [x.node(), weight.node(), bias.node()];
    match Backward::<B, 3>::prepare::<C>(Linear, nodes)
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let state = State {
                x: prep.checkpoint(&x),
                weight: prep.checkpoint(&weight),
            };
            prep.finish(
                state,
                B::fused_linear(
                    x.into_primitive(),
                    weight.into_primitive(),
                    bias.into_primitive(),
                ),
            )
        }
        OpsKind::UnTracked(prep) => prep.finish(B::fused_linear(
            x.into_primitive(),
            weight.into_primitive(),
            bias.into_primitive(),
        )),
    }
}
