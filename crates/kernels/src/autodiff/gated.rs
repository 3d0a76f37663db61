use crate::extension::{FusedGrads, FusedOps};
use burn::backend::Autodiff;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;

#[derive(Debug)]
struct GatedAdd;

impl<B: FusedGrads> Backward<B, 3> for GatedAdd {
    /// h and the gate.
    type State = [NodeId; 2];

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [h, gate] = ops.state.map(|id| checkpointer.retrieve_node_output(id));
        let [for_x, for_h, for_gate] = ops.parents;
        let dy = grads.consume::<B>(&ops.node);
        if let Some(node) = for_x {
            grads.register::<B>(node.id, dy.clone());
        }
        if for_h.is_none() && for_gate.is_none() {
            return;
        }
        let [dh, dgate] = B::gated_add_grads(h, gate, dy);
        if let Some(node) = for_h {
            grads.register::<B>(node.id, dh);
        }
        if let Some(node) = for_gate {
            grads.register::<B>(node.id, dgate);
        }
    }
}

/// The residual, recorded with its derivative.
pub(super) fn tracked<B: FusedOps + FusedGrads, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
    h: FloatTensor<Autodiff<B, C>>,
    gate: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    let inputs = [x, h, gate];
    let nodes = inputs.each_ref().map(|t| t.node());
    let run = |[x, h, gate]: [FloatTensor<B>; 3]| B::fused_gated_add(x, h, gate);
    match Backward::<B, 3>::prepare::<C>(GatedAdd, nodes)
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let ids = [1, 2].map(|i| prep.checkpoint(&inputs[i]));
            prep.finish(ids, run(inputs.map(|t| t.into_primitive())))
        }
        OpsKind::UnTracked(prep) => prep.finish(run(inputs.map(|t| t.into_primitive()))),
    }
}
