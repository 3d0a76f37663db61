use crate::extension::{FusedGrads, FusedOps, KeyLengths};
use burn::backend::Autodiff;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;

#[derive(Debug)]
struct Attention;

impl<B: FusedGrads> Backward<B, 3> for Attention {
    /// The inputs, the output, the numbers kept beside it and how many keys there are.
    type State = ([NodeId; 3], FloatTensor<B>, FloatTensor<B>, KeyLengths);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let (ids, output, tape, lengths) = ops.state;
        let inputs = ids.map(|id| checkpointer.retrieve_node_output(id));
        let dy = grads.consume::<B>(&ops.node);
        let all = B::attention_grads(inputs, output, tape, dy, &lengths);
        for (parent, grad) in ops.parents.into_iter().zip(all) {
            if let Some(node) = parent {
                grads.register::<B>(node.id, grad);
            }
        }
    }
}

/// The attention of (q, k, v), recorded with its derivative.
pub(super) fn apart<B: FusedOps + FusedGrads, C: CheckpointStrategy>(
    inputs: [FloatTensor<Autodiff<B, C>>; 3],
    lengths: KeyLengths,
) -> FloatTensor<Autodiff<B, C>> {
    let nodes = inputs.each_ref().map(|t| t.node());
    match Backward::<B, 3>::prepare::<C>(Attention, nodes)
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let ids = inputs.each_ref().map(|t| prep.checkpoint(t));
            let [q, k, v] = inputs.map(|t| t.into_primitive());
            let (y, tape) = B::attention_with_tape(q, k, v, &lengths);
            prep.finish((ids, y.clone(), tape, lengths), y)
        }
        OpsKind::UnTracked(prep) => {
            let [q, k, v] = inputs.map(|t| t.into_primitive());
            prep.finish(B::fused_attention(q, k, v, lengths))
        }
    }
}

#[derive(Debug)]
struct SelfAttention;

impl<B: FusedGrads> Backward<B, 1> for SelfAttention {
    /// The input, the output, the numbers kept beside it and how many heads there are.
    type State = (NodeId, FloatTensor<B>, FloatTensor<B>, usize);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let (id, output, tape, heads) = ops.state;
        let qkv: FloatTensor<B> = checkpointer.retrieve_node_output(id);
        unary::<B, _>(ops.parents, ops.node, grads, |dy| {
            B::self_attention_grad(qkv, output, tape, dy, heads)
        });
    }
}

/// The attention within one tensor, recorded with its derivative.
pub(super) fn together<B: FusedOps + FusedGrads, C: CheckpointStrategy>(
    qkv: FloatTensor<Autodiff<B, C>>,
    heads: usize,
) -> FloatTensor<Autodiff<B, C>> {
    match Backward::<B, 1>::prepare::<C>(SelfAttention, [qkv.node()])
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let id = prep.checkpoint(&qkv);
            let (y, tape) = B::self_attention_with_tape(qkv.into_primitive(), heads);
            prep.finish((id, y.clone(), tape, heads), y)
        }
        OpsKind::UnTracked(prep) => {
            prep.finish(B::fused_self_attention(qkv.into_primitive(), heads))
        }
    }
}
