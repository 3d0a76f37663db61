use crate::extension::{FusedGrads, FusedOps};
use burn::backend::Autodiff;
use burn::backend::TensorMetadata;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;

#[derive(Debug)]
struct Conv2d;

#[derive(Clone, Debug)]
struct State {
    x: NodeId,
    weight: NodeId,
    stride: usize,
    padding: usize,
}

impl<B: FusedGrads> Backward<B, 3> for Conv2d {
    type State = State;

    fn backward(self, ops: Ops<State, 3>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let State {
            x,
            weight,
            stride,
            padding,
        } = ops.state;
        let x: FloatTensor<B> = checkpointer.retrieve_node_output(x);
        let weight: FloatTensor<B> = checkpointer.retrieve_node_output(weight);
        let (x_shape, weight_shape) = (x.shape().dims(), weight.shape().dims());
        let [for_x, for_weight, for_bias] = ops.parents;
        let dy = grads.consume::<B>(&ops.node);
        if let Some(node) = for_x {
            let dx = B::conv2d_grad_x(weight, dy.clone(), x_shape, stride, padding);
            grads.register::<B>(node.id, dx);
        }
        if let Some(node) = for_weight {
            let dw = B::conv2d_grad_weight(x, dy.clone(), weight_shape, stride, padding);
            grads.register::<B>(node.id, dw);
        }
        if let Some(node) = for_bias {
            grads.register::<B>(node.id, B::conv2d_grad_bias(dy));
        }
    }
}

/// The convolution, recorded with its derivative.
pub(super) fn tracked<B: FusedOps + FusedGrads, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
    weight: FloatTensor<Autodiff<B, C>>,
    bias: FloatTensor<Autodiff<B, C>>,
    stride: usize,
    padding: usize,
) -> FloatTensor<Autodiff<B, C>> {
    let nodes = [x.node(), weight.node(), bias.node()];
    match Backward::<B, 3>::prepare::<C>(Conv2d, nodes)
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let state = State {
                x: prep.checkpoint(&x),
                weight: prep.checkpoint(&weight),
                stride,
                padding,
            };
            let (x, weight, bias) = (
                x.into_primitive(),
                weight.into_primitive(),
                bias.into_primitive(),
            );
            prep.finish(state, B::fused_conv2d(x, weight, bias, stride, padding))
        }
        OpsKind::UnTracked(prep) => {
            let (x, weight, bias) = (
                x.into_primitive(),
                weight.into_primitive(),
                bias.into_primitive(),
            );
            prep.finish(B::fused_conv2d(x, weight, bias, stride, padding))
        }
    }
}
