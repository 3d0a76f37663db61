//! Batch normalisation and bilinear doubling.

use crate::extension::image::{BatchNormOptions, ImageGrads, ImageOps};
use burn::backend::Autodiff;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;

#[derive(Debug)]
struct BatchNorm;

impl<B: ImageGrads> Backward<B, 4> for BatchNorm {
    type State = ([NodeId; 4], FloatTensor<B>, BatchNormOptions);

    fn backward(
        self,
        ops: Ops<Self::State, 4>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let (inputs, statistics, options) = ops.state;
        let [x, shift, gamma, beta] = inputs.map(|id| checkpointer.retrieve_node_output(id));
        let dy = grads.consume::<B>(&ops.node);
        let found = B::batch_norm_grads([x, shift, gamma, beta, statistics], dy, options);
        for (parent, grad) in ops.parents.into_iter().zip(found) {
            if let Some(node) = parent {
                grads.register::<B>(node.id, grad);
            }
        }
    }
}

#[derive(Debug)]
struct Bilinear2x;

impl<B: ImageGrads> Backward<B, 1> for Bilinear2x {
    type State = ();

    fn backward(self, ops: Ops<(), 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        unary::<B, _>(ops.parents, ops.node, grads, B::bilinear2x_grad);
    }
}

impl<B: ImageOps + ImageGrads, C: CheckpointStrategy> ImageOps for Autodiff<B, C> {
    fn fused_batch_norm(
        x: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        statistics: FloatTensor<Self>,
        options: BatchNormOptions,
    ) -> FloatTensor<Self> {
        let statistics = statistics.into_primitive();
        let inputs = [x, shift, gamma, beta];
        let nodes = inputs.each_ref().map(|t| t.node());
        let run = |[x, shift, gamma, beta]: [FloatTensor<B>; 4], statistics| {
            B::fused_batch_norm(x, shift, gamma, beta, statistics, options)
        };
        match Backward::<B, 4>::prepare::<C>(BatchNorm, nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prep) => {
                let ids = inputs.each_ref().map(|t| prep.checkpoint(t));
                let y = run(inputs.map(|t| t.into_primitive()), statistics.clone());
                prep.finish((ids, statistics, options), y)
            }
            OpsKind::UnTracked(prep) => {
                prep.finish(run(inputs.map(|t| t.into_primitive()), statistics))
            }
        }
    }

    fn fused_bilinear2x(x: FloatTensor<Self>) -> FloatTensor<Self> {
        match Backward::<B, 1>::prepare::<C>(Bilinear2x, [x.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish((), B::fused_bilinear2x(x.into_primitive())),
            OpsKind::UnTracked(prep) => prep.finish(B::fused_bilinear2x(x.into_primitive())),
        }
    }
}
