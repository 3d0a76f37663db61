use crate::extension::{FusedGrads, FusedOps, TokenNormOptions};
use burn::backend::Autodiff;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;

#[derive(Debug)]
struct TokenNorm;

impl<B: FusedGrads> Backward<B, 5> for TokenNorm {
    type State = ([NodeId; 5], TokenNormOptions);

    fn backward(
        self,
        ops: Ops<Self::State, 5>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let (inputs, options) = ops.state;
        let inputs = inputs.map(|id| checkpointer.retrieve_node_output(id));
        let dy = grads.consume::<B>(&ops.node);
        // One pass makes all five; the four small ones cost next to nothing.
        for (parent, grad) in ops
            .parents
            .into_iter()
            .zip(B::token_norm_grads(inputs, dy, options))
        {
            if let Some(node) = parent {
                grads.register::<B>(node.id, grad);
            }
        }
    }
}

/// The normalisation of (x, gamma, beta, scale, shift), recorded with its derivative.
pub(super) fn tracked<B: FusedOps + FusedGrads, C: CheckpointStrategy>(
    inputs: [FloatTensor<Autodiff<B, C>>; 5],
    options: TokenNormOptions,
) -> FloatTensor<Autodiff<B, C>> {
    let nodes = inputs.each_ref().map(|t| t.node());
    let run = |[x, gamma, beta, scale, shift]: [FloatTensor<B>; 5]| {
        B::fused_token_norm(x, gamma, beta, scale, shift, options)
    };
    match Backward::<B, 5>::prepare::<C>(TokenNorm, nodes)
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let ids = inputs.each_ref().map(|t| prep.checkpoint(t));
            prep.finish((ids, options), run(inputs.map(|t| t.into_primitive())))
        }
        OpsKind::UnTracked(prep) => prep.finish(run(inputs.map(|t| t.into_primitive()))),
    }
}
