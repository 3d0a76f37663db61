use crate::extension::{FusedGrads, FusedOps, Tensors};
use burn::backend::Autodiff;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;

#[derive(Debug)]
struct Mlp;

impl<B: FusedGrads, const N: usize> Backward<B, N> for Mlp {
    /// The input and the parameters, and the tape of the forward pass.
    type State = ([NodeId; N], FloatTensor<B>);

    fn backward(
        self,
        ops: Ops<Self::State, N>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let (inputs, tape) = ops.state;
        let mut inputs = inputs
            .map(|id| checkpointer.retrieve_node_output(id))
            .into_iter();
        let x = inputs.next().expect("an input stands first");
        let dy = grads.consume::<B>(&ops.node);
        let mut parents = ops.parents.into_iter();
        let for_x = parents.next().flatten();
        let parents: Vec<_> = parents.collect();
        let wants = [for_x.is_some(), parents.iter().any(Option::is_some)];
        let (dx, layers) = B::mlp_grads(x, inputs.collect(), tape, dy, wants);
        if let (Some(node), Some(dx)) = (for_x, dx) {
            grads.register::<B>(node.id, dx);
        }
        for (parent, grad) in parents.into_iter().zip(layers) {
            if let Some(node) = parent {
                grads.register::<B>(node.id, grad);
            }
        }
    }
}

/// The perceptron, recorded with its derivative.
pub(super) fn tracked<B: FusedOps + FusedGrads, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
    layers: Vec<FloatTensor<Autodiff<B, C>>>,
) -> FloatTensor<Autodiff<B, C>> {
    // The number of parents is part of the type: one version for each number of layers.
    match layers.len() {
        2 => of::<B, C, 3>(x, layers),
        4 => of::<B, C, 5>(x, layers),
        6 => of::<B, C, 7>(x, layers),
        8 => of::<B, C, 9>(x, layers),
        10 => of::<B, C, 11>(x, layers),
        12 => of::<B, C, 13>(x, layers),
        14 => of::<B, C, 15>(x, layers),
        16 => of::<B, C, 17>(x, layers),
        n => unreachable!("mlp sends 1 to 8 layers here, got {n} tensors"),
    }
}

fn of<B: FusedOps + FusedGrads, C: CheckpointStrategy, const N: usize>(
    x: FloatTensor<Autodiff<B, C>>,
    layers: Vec<FloatTensor<Autodiff<B, C>>>,
) -> FloatTensor<Autodiff<B, C>> {
    let inputs: Vec<_> = std::iter::once(x).chain(layers).collect();
    let nodes: [_; N] = std::array::from_fn(|i| inputs[i].node());
    match Backward::<B, N>::prepare::<C>(Mlp, nodes)
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(mut prep) => {
            let ids: [NodeId; N] = std::array::from_fn(|i| prep.checkpoint(&inputs[i]));
            let mut inputs = inputs.into_iter().map(|t| t.into_primitive());
            let x = inputs.next().expect("an input stands first");
            let (y, tape) = B::mlp_with_tape(x, inputs.collect());
            prep.finish((ids, tape), y)
        }
        OpsKind::UnTracked(prep) => {
            let mut inputs = inputs.into_iter().map(|t| t.into_primitive());
            let x = inputs.next().expect("an input stands first");
            prep.finish(B::fused_mlp(x, Tensors(inputs.collect())))
        }
    }
}
