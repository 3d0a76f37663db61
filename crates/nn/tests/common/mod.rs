//! Weights and inputs by formula, gradients and comparisons, shared by the tests of networks.
#![allow(dead_code)]

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use fokker_core::{Labels, Network, State, labels};
use fokker_nn::Init;
use fokker_nn::layers::EncodedText;

/// A device without and one with autodiff.
pub(crate) fn devices() -> [Device; 2] {
    [Device::flex(), Device::flex().autodiff()]
}

/// An initialiser of the seed 7.
pub(crate) fn init(device: &Device) -> Init<'_> {
    Init::new(7, device)
}

/// Value i of tensor k before scaling; `parity/networks.py` has the same formula.
fn wave(k: usize, i: usize) -> f64 {
    (1.0 + 2.399_963 * i as f64 + 0.7 * k as f64).sin()
}

struct Fill {
    path: Vec<String>,
    k: usize,
}

impl ModuleMapper for Fill {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }
    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let shape = param.val().dims();
        let count: usize = shape.iter().product();
        let name = self.path.last().map(String::as_str).unwrap_or_default();
        let (middle, amplitude) = match D {
            1 if name == "gamma" || name == "running_var" => (1.0, 0.1),
            1 => (0.0, 0.1),
            2 => (0.0, 0.8 / (shape[0] as f64).sqrt()),
            _ => (0.0, 0.8 / ((count / shape[0]) as f64).sqrt()),
        };
        let value = |i| (middle + amplitude * wave(self.k, i)) as f32;
        let values: Vec<f32> = (0..count).map(value).collect();
        self.k += 1;
        param.map(|old| {
            let new = Tensor::from_data(TensorData::new(values, shape), &old.device());
            new.set_require_grad(old.is_require_grad())
        })
    }
}

/// The module with every parameter and running statistic by formula, in the order of its fields.
pub(crate) fn filled<M: Module>(module: M) -> M {
    module.map(&mut Fill {
        path: Vec::new(),
        k: 0,
    })
}

/// The module with the parameters of the field `name` by formula and all others as they are.
pub(crate) fn filled_in<M: Module>(module: M, name: &'static str) -> M {
    struct Only(Fill, &'static str);
    impl ModuleMapper for Only {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.0.enter_module(name, container);
        }
        fn exit_module(&mut self, name: &str, container: &str) {
            self.0.exit_module(name, container);
        }
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if self.0.path.iter().any(|part| part == self.1) {
                self.0.map_float(param)
            } else {
                param
            }
        }
    }
    let fill = Fill {
        path: Vec::new(),
        k: 0,
    };
    module.map(&mut Only(fill, name))
}

/// The inputs of the tests: x `[rows, dim]`, times and labels.
pub(crate) fn inputs(rows: usize, dim: usize, device: &Device) -> (State, Tensor<1>, Labels) {
    let x = (0..rows * dim).map(|i| (0.3 + 1.7 * i as f64).sin() as f32);
    let t: Vec<f32> = (0..rows)
        .map(|i| 0.2 + 0.5 * i as f32 / rows as f32)
        .collect();
    let y: Vec<u32> = (0..rows).map(|i| (i % 3) as u32).collect();
    (
        State::from_data(
            TensorData::new(x.collect::<Vec<f32>>(), [rows, dim]),
            device,
        ),
        Tensor::from_data(TensorData::new(t, [rows]), device),
        labels(&y, device),
    )
}

/// Texts of these lengths with vectors of six numbers; `parity/modern.py` has the same formula.
pub(crate) fn texts(lengths: &[usize]) -> Vec<EncodedText> {
    let text = |(k, length): (usize, &usize)| {
        let wave = |i: usize| (1.3 * i as f64 + k as f64).sin() as f32;
        EncodedText {
            tokens: (0..6 * length).map(wave).collect(),
            pooled: (100..106).map(wave).collect(),
        }
    };
    lengths.iter().enumerate().map(text).collect()
}

/// A fixed gradient at an output of `n` values.
pub(crate) fn cotangent(n: usize, device: &Device) -> Tensor<1> {
    let values: Vec<f32> = (0..n).map(|j| (0.1 + j as f64).cos() as f32).collect();
    Tensor::from_data(TensorData::new(values, [n]), device)
}

/// The values of a tensor.
pub(crate) fn values<const D: usize>(t: Tensor<D>) -> Vec<f32> {
    t.into_data().try_to_vec().expect("an f32 tensor")
}

/// ⟨y, cotangent⟩.
pub(crate) fn against<const D: usize>(y: Tensor<D>) -> Tensor<1> {
    let n = y.dims().iter().product();
    let device = y.device();
    (y.reshape([n]) * cotangent(n, &device)).sum()
}

/// The output, the gradient at x, and those at all parameters of `⟨network(x), cotangent⟩`.
pub(crate) fn pass<N: Network>(net: &N, rows: usize, dim: usize) -> Pass {
    let [_, device] = devices();
    let (x, t, y) = inputs(rows, dim, &device);
    let x = x.require_grad();
    let out = net.forward(x.clone(), t, Some(y));
    let output = values(out.clone());
    let grads = against(out).backward();
    let at_x = values(x.grad(&grads).expect("x has a gradient"));
    Pass {
        output,
        at_x,
        at_weights: gradients(net, GradientsParams::from_grads(grads, net)),
    }
}

/// What [`pass`] gives.
pub(crate) struct Pass {
    pub(crate) output: Vec<f32>,
    pub(crate) at_x: Vec<f32>,
    pub(crate) at_weights: Vec<(String, Vec<f32>)>,
}

impl Pass {
    /// Asserts that outputs agree to 1e-5 and gradients to 1e-4.
    pub(crate) fn agrees(&self, other: &Self, what: &str) {
        let e = error(&self.output, &other.output);
        assert!(e <= 1e-5, "{what}: output off by {e:e}");
        let e = error(&self.at_x, &other.at_x);
        assert!(e <= 1e-4, "{what}: gradient at x off by {e:e}");
        assert_eq!(self.at_weights.len(), other.at_weights.len());
        // Some gradients are zero but for rounding, such as a bias's before a batch norm: no scale of their own.
        let all = other.at_weights.iter().flat_map(|(_, g)| g);
        let floor = 0.1 * all.fold(0.0_f32, |m, v| m.max(v.abs()));
        for ((name, a), (_, b)) in self.at_weights.iter().zip(&other.at_weights) {
            let e = error_over(a, b, floor);
            assert!(e <= 1e-4, "{what}: gradient at {name} off by {e:e}");
        }
    }
}

/// The gradients of a module's parameters by name, in the order of its fields.
pub(crate) fn gradients<M: Module>(module: &M, grads: GradientsParams) -> Vec<(String, Vec<f32>)> {
    struct Collect(GradientsParams, Vec<String>, Vec<(String, Vec<f32>)>);
    impl ModuleVisitor for Collect {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.1.push(name.to_owned());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.1.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(g) = self.0.get::<D>(param.id) {
                self.2.push((self.1.join("."), values(g)));
            }
        }
    }
    let mut collect = Collect(grads, Vec::new(), Vec::new());
    module.visit(&mut collect);
    collect.2
}

/// The largest difference over the largest value of `b`.
pub(crate) fn error(a: &[f32], b: &[f32]) -> f32 {
    error_over(a, b, 1e-3)
}

/// The same, over `floor` at least.
fn error_over(a: &[f32], b: &[f32], floor: f32) -> f32 {
    assert_eq!(a.len(), b.len());
    let max = b.iter().fold(floor, |m, v| m.max(v.abs()));
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs() / max)
        .fold(0.0, |m, e| if e.is_nan() || e > m { e } else { m })
}

/// Asserts that the first sample has the same bits alone and in a batch of five.
pub(crate) fn alone_and_in_company<N: Network>(net: &N, dim: usize) {
    let [device, _] = devices();
    let ask = |rows: usize| {
        let (x, t, y) = inputs(5, dim, &device);
        let x = x.narrow(0, 0, rows);
        values(net.forward(x, t.narrow(0, 0, rows), Some(y.narrow(0, 0, rows))))
    };
    let (one, five) = (ask(1), ask(5));
    let bits = |v: &[f32]| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    assert!(
        bits(&one) == bits(&five[..one.len()]),
        "a sample depends on its batch: off by {:e}",
        error(&one, &five[..one.len()])
    );
}

/// Asserts that the network of the fixture's weights gives the fixture's output and gradient.
pub(crate) fn equals_fixture<N: Network>(net: &N, name: &str, rows: usize, dim: usize) {
    let fixture = fixture(name);
    let got = pass(net, rows, dim);
    let e = error(&got.output, &numbers(&fixture["output"]));
    assert!(e <= 1e-5, "{name}: output off by {e:e}");
    let e = error(&got.at_x, &numbers(&fixture["gradient"]));
    assert!(e <= 1e-4, "{name}: gradient off by {e:e}");
}

/// Asserts that the network of the formula's weights gives the output, the gradient at x and the gradients of all weights of the
/// fixture that `parity/modern.py` wrote.
pub(crate) fn equals_modern<N: Network>(net: &N, name: &str, dim: usize) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/modern.json");
    let fixture = fixture_of(path, name);
    let got = pass(net, 2, dim);
    let e = error(&got.output, &numbers(&fixture["output"]));
    assert!(e <= 1e-5, "{name}: output off by {e:e}");
    let e = error(&got.at_x, &numbers(&fixture["gradient"]));
    assert!(e <= 1e-4, "{name}: gradient off by {e:e}");
    // For each weight the product of its gradient with the cotangent of its length, and the gradient's norm.
    let weights = numbers(&fixture["weights"]);
    let pairs = weights.as_chunks::<2>().0;
    assert_eq!(pairs.len(), got.at_weights.len(), "{name}: other weights");
    // A bias that shifts all logits alike has a gradient of rounding only.
    let floor = 1e-2 * pairs.iter().fold(0.0_f32, |m, p| m.max(p[1]));
    for ((weight, gradient), [product, norm]) in got.at_weights.iter().zip(pairs) {
        let [device, _] = devices();
        let against = values(cotangent(gradient.len(), &device));
        let products = gradient.iter().zip(&against);
        let ours: f64 = products.map(|(g, c)| f64::from(*g) * f64::from(*c)).sum();
        let e = (ours as f32 - product).abs() / norm.max(floor);
        assert!(e <= 1e-4, "{name}: gradient of {weight} off by {e:e}");
    }
}

/// One network of the fixture that `parity/networks.py` wrote.
pub(crate) fn fixture(name: &str) -> serde_json::Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/networks.json");
    fixture_of(path, name)
}

fn fixture_of(path: &str, name: &str) -> serde_json::Value {
    let text = std::fs::read_to_string(path).expect("the fixture is committed");
    let mut all: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    all[name].take()
}

/// The numbers of a JSON list.
pub(crate) fn numbers(list: &serde_json::Value) -> Vec<f32> {
    let list = list.as_array().expect("a list of numbers");
    list.iter()
        .map(|v| v.as_f64().expect("a number") as f32)
        .collect()
}
