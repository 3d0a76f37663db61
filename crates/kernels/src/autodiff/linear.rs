use crate::extension::{FusedGrads, FusedOps};
use crate::raw::activation::Curve;
use burn::backend::Autodiff;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;

#[derive(Debug)]
struct Linear;

#[derive(Clone, Debug)]
struct State<T> {
    x: NodeId,
    weight: NodeId,
    /// What an activation that follows was given.
    activated: Option<(T, Curve)>,
}

impl<B: FusedGrads> Backward<B, 3> for Linear {
    type State = State<FloatTensor<B>>;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let x: FloatTensor<B> = checkpointer.retrieve_node_output(ops.state.x);
        let weight: FloatTensor<B> = checkpointer.retrieve_node_output(ops.state.weight);
        let [for_x, for_weight, for_bias] = ops.parents;
        let mut dy = grads.consume::<B>(&ops.node);
        if let Some((z, curve)) = ops.state.activated {
            dy = B::activation_grad(z, dy, curve);
        }
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

/// The linear map and an activation that may follow it, recorded with their derivative.
pub(super) fn tracked<B: FusedOps + FusedGrads, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
    weight: FloatTensor<Autodiff<B, C>>,
    bias: FloatTensor<Autodiff<B, C>>,
    curve: Option<Curve>,
) -> FloatTensor<Autodiff<B, C>> {
    let inputs = [x, weight, bias];
    let nodes = inputs.each_ref().map(|t| t.node());
    match Backward::<B, 3>::prepare::<C>(Linear, nodes)
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let [x, weight] = [0, 1].map(|i| prep.checkpoint(&inputs[i]));
            let [a, b, c] = inputs.map(|t| t.into_primitive());
            let (y, activated) = match curve {
                None => (B::fused_linear(a, b, c), None),
                Some(curve) => {
                    let (y, z) = B::linear_with_tape(a, b, c, curve);
                    (y, Some((z, curve)))
                }
            };
            let state = State {
                x,
                weight,
                activated,
            };
            prep.finish(state, y)
        }
        OpsKind::UnTracked(prep) => {
            let [x, weight, bias] = inputs.map(|t| t.into_primitive());
            prep.finish(match curve {
                None => B::fused_linear(x, weight, bias),
                Some(curve) => B::fused_linear_act(x, weight, bias, curve),
            })
        }
    }
}
