//! Muon: momentum whose singular values are all made one.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::momentum::{Momentum, MomentumConfig};
use burn::optim::{MuonState, Optimizer};
use burn::tensor::{Device, Tensor};
use fokker_kernels::{linear, sum_of_squares};

/// A step of Muon (Jordan et al., *Muon: an optimizer for hidden layers in neural networks*, 2024) in the scale of AdamW's
/// steps (Liu et al., *Muon is scalable for LLM training*, 2025, arXiv:2502.16982):
///
/// v ⟵ μ v + g, W ⟵ (1 − lr λ) W − 0.2 √max(m, n) lr · [`orthogonal`](g + μ v)
///
/// for a matrix of m × n. With that factor an entry of the step is of size 0.2 lr in the mean square, as AdamW's usually
/// are, so learning rates and decays for one do for the other. A convolution's kernel is the matrix
/// \[out, in · height · width\].
#[derive(Clone)]
pub(crate) struct Muon {
    momentum: Momentum,
    weight_decay: f64,
}

impl Muon {
    pub(crate) fn new(momentum: f64, weight_decay: f64) -> Self {
        let config = MomentumConfig {
            momentum,
            dampening: 0.0,
            nesterov: true,
        };
        Self {
            momentum: Momentum::new(&config),
            weight_decay,
        }
    }
}

impl Optimizer for Muon {
    type State<const D: usize> = MuonState<D>;

    fn step<const D: usize>(
        &self,
        lr: f64,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<MuonState<D>>,
    ) -> (Tensor<D>, Option<MuonState<D>>) {
        let shape: [usize; D] = parameter.dims();
        let (rows, columns) = (shape[0], shape[1..].iter().product::<usize>());
        let momentum = state.map(|s| s.momentum);
        let (direction, momentum) = self.momentum.transform(gradient, momentum);
        let direction = orthogonal(direction.reshape([rows, columns])).reshape(shape);
        let length = 0.2 * (rows.max(columns) as f64).sqrt() * lr;
        let kept = match self.weight_decay {
            0.0 => parameter,
            decay => parameter.mul_scalar(1.0 - lr * decay),
        };
        let moved = kept - direction.mul_scalar(length);
        (moved, Some(MuonState::new(momentum)))
    }

    fn to_device<const D: usize>(state: MuonState<D>, device: &Device) -> MuonState<D> {
        MuonState::new(state.momentum.to_device(device))
    }
}

/// The quintic whose iterates take singular values in (0, 1] to somewhere near 1, the small ones fast (Jordan 2024).
const QUINTIC: [f64; 3] = [3.4445, -4.7750, 2.0315];
/// How often.
const TIMES: usize = 5;

/// Nearly U Vᵀ of `x` = U Σ Vᵀ, by the Newton–Schulz iteration X ⟵ a X + (b X Xᵀ + c (X Xᵀ)²) X from X = x / ‖x‖: the
/// singular values become something from 0.68 to 1.21, where they are at least 1/500 of ‖x‖.
///
/// # Shapes
/// `[m, n]` → `[m, n]`
pub(crate) fn orthogonal(x: Tensor<2>) -> Tensor<2> {
    let [m, n] = x.dims();
    // X Xᵀ of the smaller side.
    let x = if m > n { x.transpose() } else { x };
    let norm = sum_of_squares(x.clone()).sqrt();
    let mut x = x.div_scalar(norm.max(1e-7));
    let [a, b, c] = QUINTIC;
    for _ in 0..TIMES {
        // Our own product: its sums have one order, whatever the number of threads.
        let s = linear(x.clone(), x.clone().transpose(), None);
        let p = s.clone().mul_scalar(b) + linear(s.clone(), s, None).mul_scalar(c);
        x = linear(p, x.clone(), None) + x.mul_scalar(a);
    }
    if m > n { x.transpose() } else { x }
}

/// The parameters that Muon takes: what is called `weight` and is a matrix or a kernel, but for tables of embeddings and for what
/// touches the data, which is the first and the last such weight and whatever is in a part called `stem`, `patches` or `head`.
pub(crate) fn hidden<M: Module>(module: &M) -> Vec<ParamId> {
    #[derive(Default)]
    struct Find {
        names: Vec<String>,
        kinds: Vec<String>,
        /// Every weight, and whether it is inside.
        found: Vec<(ParamId, bool)>,
    }
    impl ModuleVisitor for Find {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.names.push(name.to_owned());
            self.kinds.push(container.to_owned());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.names.pop();
            self.kinds.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let weight = self.names.last().is_some_and(|n| n == "weight");
            let table = self.kinds.last().is_some_and(|k| k.contains("Embedding"));
            if D < 2 || !weight || table || !param.is_require_grad() {
                return;
            }
            let edge = |n: &String| matches!(&n[..], "stem" | "patches" | "head");
            self.found.push((param.id, !self.names.iter().any(edge)));
        }
    }
    let mut find = Find::default();
    module.visit(&mut find);
    let last = find.found.len().saturating_sub(1);
    let between = |&(i, _): &(usize, &(ParamId, bool))| i > 0 && i < last;
    let inside = find.found.iter().enumerate().filter(between);
    inside
        .filter(|(_, (_, inside))| *inside)
        .map(|(_, (id, _))| *id)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::TensorData;
    use fokker_sim::rng::{Purpose, Stream};

    fn random(shape: [usize; 2], seed: u64) -> Tensor<2> {
        let mut values = vec![0.0; shape[0] * shape[1]];
        Stream::new(seed, Purpose::Test, 0, 0).normals(&mut values);
        Tensor::from_data(TensorData::new(values, shape), &Device::flex())
    }

    fn values(x: Tensor<2>) -> Vec<f32> {
        x.into_data().try_to_vec().unwrap()
    }

    /// What the iteration makes of a singular value.
    fn iterated(s: f64) -> f64 {
        let [a, b, c] = QUINTIC;
        (0..TIMES).fold(s, |s, _| a * s + b * s.powi(3) + c * s.powi(5))
    }

    #[test]
    fn singular_values_go_through_the_quintic() {
        // U diag(3, 2, 1) Vᵀ with U and V of 0, ±1/2: x/‖x‖ has the singular values 3, 2, 1 over √14.
        let u = [[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1]];
        let v = [[1, -1, -1, 1], [1, 1, 1, 1], [1, -1, 1, -1]];
        let of = |sigma: [f64; 3]| {
            let at = |i: usize, j: usize| -> f64 {
                let term = |k: usize| sigma[k] * f64::from(u[k][i] * v[k][j]) / 4.0;
                (0..3).map(term).sum()
            };
            (0..16).map(|n| at(n / 4, n % 4) as f32).collect::<Vec<_>>()
        };
        let x = TensorData::new(of([3.0, 2.0, 1.0]), [4, 4]);
        let found = values(orthogonal(Tensor::from_data(x, &Device::flex())));
        let exact = of([3.0, 2.0, 1.0].map(|s| iterated(s / 14f64.sqrt())));
        for (a, b) in found.iter().zip(exact) {
            assert!((a - b).abs() < 1e-4, "{a} {b}");
        }
    }

    #[test]
    fn singular_values_become_nearly_one() {
        for k in 20..=10_000 {
            let s = iterated(f64::from(k) / 10_000.0);
            assert!((0.68..1.21).contains(&s), "{k}: {s}");
        }
    }

    #[test]
    fn scale_does_not_matter_and_transposes_agree() {
        let x = random([8, 20], 4);
        let one = values(orthogonal(x.clone()));
        let many = values(orthogonal(x.clone().mul_scalar(1e-3)));
        let turned = values(orthogonal(x.transpose()).transpose());
        for (a, (b, c)) in one.iter().zip(many.iter().zip(&turned)) {
            assert!((a - b).abs() < 1e-4 && (a - c).abs() < 1e-5);
        }
        assert!(values(orthogonal(Tensor::zeros([3, 4], &Device::flex()))) == [0.0; 12]);
    }
}
