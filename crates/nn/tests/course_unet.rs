//! The course's U-Net: exact size, its two ways of normalising, and PyTorch.

mod common;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};
use common::{
    against, alone_and_in_company, devices, equals_fixture, error, filled, fixture, init, inputs,
    numbers, pass, values,
};
use fokker_core::Network;
use fokker_kernels::SiluAt;
use fokker_nn::layers::BatchNorm;
use fokker_nn::{CourseUNet, CourseUNetConfig};

/// The numbers of trained values and of running statistics.
fn sizes<M: Module>(net: &M) -> (usize, usize) {
    struct Count([usize; 2], Vec<String>);
    impl ModuleVisitor for Count {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.1.push(name.to_owned());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.1.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let name = self.1.last().expect("a parameter has a name");
            let running = name.starts_with("running");
            // A statistic is never trained.
            assert_eq!(param.is_require_grad(), !running, "{name}");
            self.0[usize::from(running)] += param.val().shape().num_elements();
        }
    }
    let mut count = Count([0; 2], Vec::new());
    net.visit(&mut count);
    (count.0[0], count.0[1])
}

#[test]
fn the_size_is_the_courses() {
    let [_, device] = devices();
    let net = CourseUNetConfig::default().init([1, 32, 32], 1, 10, &mut init(&device));
    assert_eq!(sizes(&net), (1_233_325, 2_624));
}

fn small(classes: usize, train: bool) -> CourseUNet {
    let config = CourseUNetConfig {
        channels: vec![4, 6, 8],
        blocks: 1,
        embedding: 6,
    };
    let [plain, autodiff] = devices();
    let device = if train { &autodiff } else { &plain };
    filled(config.init([1, 8, 8], 1, classes, &mut init(device)))
}

#[test]
fn training_equals_pytorch() {
    let net = small(3, true);
    equals_fixture(&net, "course_unet_train", 2, 64);
    // The running statistics moved as PyTorch's did.
    let mut moved = Statistics::default();
    net.visit(&mut moved);
    let want = numbers(&fixture("course_unet_train")["statistics"]);
    assert!(error(&moved.values, &want) < 1e-5);
}

#[derive(Default)]
struct Statistics {
    name: String,
    values: Vec<f32>,
}

impl ModuleVisitor for Statistics {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.name = name.to_owned();
    }
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.name.starts_with("running") {
            self.values.extend(values(param.val()));
        }
    }
}

/// Frozen on an autodiff device, as where a gradient by x alone is asked for, the network is in inference.
#[test]
fn inference_equals_pytorch_and_frozen_is_inference() {
    let net = small(3, true).valid();
    let [device, _] = devices();
    let (x, t, y) = inputs(2, 64, &device);
    let plain = values(net.forward(x, t, Some(y)));
    let frozen = net.clone().freeze().train();
    let got = pass(&frozen, 2, 64);
    let fixture = fixture("course_unet");
    assert!(error(&plain, &numbers(&fixture["output"])) < 1e-5);
    assert!(error(&got.output, &numbers(&fixture["output"])) < 1e-5);
    assert!(error(&got.at_x, &numbers(&fixture["gradient"])) < 1e-4);
    // It left no trace in the statistics.
    let (x, t, y) = inputs(2, 64, &device);
    assert_eq!(plain, values(frozen.valid().forward(x, t, Some(y))));
}

#[test]
fn a_sample_does_not_depend_on_its_batch() {
    alone_and_in_company(&small(3, false), 64);
    let net = small(0, false);
    let [device, _] = devices();
    let (x, t, _) = inputs(1, 64, &device);
    assert_eq!(net.forward(x, t, None).dims(), [1, 64]);
}

/// The norm itself: zero mean and unit variance for each channel in training, whatever the batch; running averages by
/// their recurrence.
#[test]
fn batch_norm_normalises_and_remembers() {
    let [_, device] = devices();
    let norm = BatchNorm::new(3, &mut init(&device));
    let (x, ..) = inputs(4, 3 * 5, &device);
    let x = x.reshape([4, 3, 1, 5]);
    // A SiLU after leaves SiLU(x̂): compare with hand-made x̂.
    let y = values(norm.forward(x.clone(), None, SiluAt::After));
    let x = values(x);
    for c in 0..3 {
        let at: Vec<usize> = (0..4)
            .flat_map(|b| (0..5).map(move |i| b * 15 + c * 5 + i))
            .collect();
        let mean = at.iter().map(|&i| f64::from(x[i])).sum::<f64>() / 20.0;
        let var = at
            .iter()
            .map(|&i| (f64::from(x[i]) - mean).powi(2))
            .sum::<f64>()
            / 20.0;
        for &i in &at {
            let u = (f64::from(x[i]) - mean) / (var + 1e-5).sqrt();
            let want = u / (1.0 + (-u).exp());
            assert!((f64::from(y[i]) - want).abs() < 1e-5);
        }
        let running = |s: Tensor<1>| f64::from(values(s)[c]);
        assert!((running(norm.running_mean.value()) - 0.1 * mean).abs() < 1e-6);
        let want = 0.9 + 0.1 * var * 20.0 / 19.0;
        assert!((running(norm.running_var.value()) - want).abs() < 1e-6);
    }
}

/// Adding a constant to x changes nothing in training: no gradient in the direction of ones, channel by channel.
#[test]
fn batch_norm_has_no_gradient_along_constants() {
    let [_, device] = devices();
    let norm = BatchNorm::new(2, &mut init(&device));
    let values_of = (0..24).map(|i| (1.3 * i as f32).sin()).collect::<Vec<_>>();
    let x =
        Tensor::<4>::from_data(TensorData::new(values_of, [3, 2, 2, 2]), &device).require_grad();
    let shift = Tensor::<2>::zeros([3, 2], &device).require_grad();
    let y = norm.forward(x.clone(), Some(shift.clone()), SiluAt::After);
    let grads = against(y).backward();
    let at_x = values(x.grad(&grads).unwrap());
    let at_shift = values(shift.grad(&grads).unwrap());
    for c in 0..2 {
        let sum: f32 = (0..3).flat_map(|b| &at_x[(b * 2 + c) * 4..][..4]).sum();
        assert!(sum.abs() < 1e-5, "{sum}");
    }
    for (b, g) in at_shift.iter().enumerate() {
        let sum: f32 = at_x[b * 4..][..4].iter().sum();
        assert!((sum - g).abs() < 1e-5);
    }
}
