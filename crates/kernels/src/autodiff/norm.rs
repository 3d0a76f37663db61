use crate::extension::{FusedGrads, FusedOps, NormOptions, TokenNormOptions};
use burn::backend::Autodiff;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use std::fmt::Debug;
use std::marker::PhantomData;

/// A normalisation of (x, gamma, beta, scale, shift).
pub(super) trait Norm<B: FusedOps + FusedGrads>:
    Copy + Debug + Send + Sync + 'static
{
    fn forward(self, inputs: [FloatTensor<B>; 5]) -> FloatTensor<B>;
    fn gradients(self, inputs: [FloatTensor<B>; 5], dy: FloatTensor<B>) -> [FloatTensor<B>; 5];
}

impl<B: FusedOps + FusedGrads> Norm<B> for NormOptions {
    fn forward(self, [x, gamma, beta, scale, shift]: [FloatTensor<B>; 5]) -> FloatTensor<B> {
        B::fused_group_norm(x, gamma, beta, scale, shift, self)
    }

    fn gradients(self, inputs: [FloatTensor<B>; 5], dy: FloatTensor<B>) -> [FloatTensor<B>; 5] {
        B::group_norm_grads(inputs, dy, self)
    }
}

impl<B: FusedOps + FusedGrads> Norm<B> for TokenNormOptions {
    fn forward(self, [x, gamma, beta, scale, shift]: [FloatTensor<B>; 5]) -> FloatTensor<B> {
        B::fused_token_norm(x, gamma, beta, scale, shift, self)
    }

    fn gradients(self, inputs: [FloatTensor<B>; 5], dy: FloatTensor<B>) -> [FloatTensor<B>; 5] {
        B::token_norm_grads(inputs, dy, self)
    }
}

#[derive(Debug)]
struct Recorded<O>(PhantomData<O>);

impl<B: FusedOps + FusedGrads, O: Norm<B>> Backward<B, 5> for Recorded<O> {
    type State = ([NodeId; 5], O);

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
        let made = options.gradients(inputs, dy);
        for (parent, grad) in ops.parents.into_iter().zip(made) {
            if let Some(node) = parent {
                grads.register::<B>(node.id, grad);
            }
        }
    }
}

/// The normalisation of (x, gamma, beta, scale, shift), recorded with its derivative.
pub(super) fn tracked<B: FusedOps + FusedGrads, C: CheckpointStrategy, O: Norm<B>>(
    inputs: [FloatTensor<Autodiff<B, C>>; 5],
    options: O,
) -> FloatTensor<Autodiff<B, C>> {
    let nodes = inputs.each_ref().map(|t| t.node());
    let run = |inputs: [FloatTensor<B>; 5]| options.forward(inputs);
    match Backward::<B, 5>::prepare::<C>(Recorded(PhantomData::<O>), nodes)
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
