//! A network that counts its calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fokker::burn::module::Module;
use fokker::burn::tensor::Tensor;
use fokker::train::AnyNetwork;
use fokker::{Flow, Labels, Network, State, burn};

/// A network and how often it was called.
#[derive(Module, Debug)]
pub(super) struct Counted {
    network: AnyNetwork,
    #[module(skip)]
    calls: Arc<AtomicUsize>,
}

impl Network for Counted {
    fn forward(&self, x: State, t: Tensor<1>, y: Option<Labels>) -> State {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.network.forward(x, t, y)
    }
}

/// The same flow with its calls counted; those of a weaker model beside it are not.
pub(super) fn counted(flow: &Flow<AnyNetwork>, calls: &Arc<AtomicUsize>) -> Flow<Counted> {
    Flow {
        network: Counted {
            network: flow.network.clone(),
            calls: calls.clone(),
        },
        path: flow.path.clone(),
        output: flow.output,
        start: flow.start.clone(),
        has_score: flow.has_score,
        dim: flow.dim,
        classes: flow.classes,
        device: flow.device.clone(),
        weaker: flow
            .weaker
            .as_ref()
            .map(|weaker| Arc::new(counted(weaker, &Arc::default()))),
    }
}
