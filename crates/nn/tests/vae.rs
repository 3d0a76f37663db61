//! The autoencoder: size, what it is before training, its loss by hand, and PyTorch.

mod common;

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use common::{devices, error, filled, fixture, init, inputs, numbers, values};
use fokker_nn::{Autoencoder, Posterior, VaeConfig, VaeLoss};

fn small() -> VaeConfig {
    VaeConfig {
        channels: vec![4, 6, 8],
        blocks: 2,
    }
}

/// From the definition: a stage of c channels has two blocks of 10c² + 4c and an attention of 4c² + 6c; convolutions from
/// i to o channels of kernel k have iok² + o.
#[test]
fn the_size_is_that_of_the_definition() {
    let [device, _] = devices();
    let conv = |i: usize, o: usize, k: usize| i * o * k * k + o;
    let channels = [16, 32, 64, 128];
    let stages: usize = channels.iter().map(|c| 24 * c * c + 14 * c).sum();
    let pairs = [(16, 32), (32, 64), (64, 128)];
    let resample: usize = pairs
        .iter()
        .map(|&(a, b)| conv(a, b, 3) + conv(b, a, 3))
        .sum();
    let latent = conv(128, 256, 1) + conv(128, 128, 3);
    let ends = conv(1, 16, 3) + conv(16, 1, 3);
    let size = 2 * stages + resample + latent + ends;
    let net = VaeConfig::default().init([1, 32, 32], &mut init(&device));
    assert_eq!((net.num_params(), size), (1_425_985, 1_425_985));
    assert_eq!(VaeConfig::default().latent([1, 32, 32]), [128, 4, 4]);
    assert_eq!(net.latent_size(), 2048);
}

/// Before training every stage is the identity, so that x ↦ decode(mean(x)) is made of convolutions: an affine map.
#[test]
fn the_mean_is_decoded_affinely_before_training() {
    let [device, _] = devices();
    let net = small().init([1, 8, 8], &mut init(&device));
    let pass = |x: &Tensor<2>| net.decode(net.encode(x.clone()).mean);
    let (x, ..) = inputs(2, 64, &device);
    let a = x.clone().narrow(0, 0, 1);
    let b = x.narrow(0, 1, 1);
    let zero = a.zeros_like();
    let both = pass(&(a.clone() + b.clone())) + pass(&zero);
    let apart = pass(&a) + pass(&b);
    assert!(error(&values(both), &values(apart)) < 1e-5);
    let moved = values(pass(&a) - pass(&zero));
    assert!(moved.iter().any(|v| v.abs() > 1e-4), "it is not constant");
    // And not after: the test would not see stages that never act.
    let net = filled(net);
    let pass = |x: &Tensor<2>| net.decode(net.encode(x.clone()).mean);
    let both = values(pass(&(a.clone() + b.clone())) + pass(&zero));
    assert!(error(&both, &values(pass(&a) + pass(&b))) > 1e-3);
}

#[test]
fn the_loss_is_the_formula() {
    let [device, _] = devices();
    let tensor = |v: Vec<f32>| Tensor::<2>::from_data(TensorData::new(v, [2, 2]), &device);
    let [x, decoded] = [vec![0.5, -1.0, 2.0, 0.0], vec![0.0, -0.5, 1.0, 1.0]];
    let [mean, log_variance] = [vec![0.3, -0.2, 1.0, 0.0], vec![0.0, -1.0, 0.5, 0.2]];
    let loss = VaeLoss { s: 0.7, beta: 10.0 };
    let posterior = Posterior {
        mean: tensor(mean.clone()),
        log_variance: tensor(log_variance.clone()),
    };
    let got = values(loss.of(tensor(x.clone()), tensor(decoded.clone()), &posterior))[0];
    let mut want = 0.0;
    for i in 0..4 {
        let (d, m, l) = (
            f64::from(x[i] - decoded[i]),
            f64::from(mean[i]),
            f64::from(log_variance[i]),
        );
        want += d * d / (2.0 * 0.49) + 0.5 * 0.49_f64.ln();
        want += 10.0 * 0.5 * (l.exp() - l - 1.0 + m * m);
    }
    assert!((f64::from(got) - want / 2.0).abs() < 1e-5);
    // The divergence of the prior from itself is nothing.
    let prior = Posterior {
        mean: tensor(vec![0.0; 4]),
        log_variance: tensor(vec![0.0; 4]),
    };
    assert_eq!(values(prior.divergence()), [0.0, 0.0]);
    // A sample is μ + σ ε.
    let z = values(posterior.sample(tensor(vec![1.0, 2.0, 0.0, -1.0])));
    let want = [1.3, -0.2 + 2.0 * (-0.5_f32).exp(), 1.0, -(0.1_f32.exp())];
    assert!(error(&z, &want) < 1e-6);
}

#[test]
fn it_equals_pytorch() {
    let [_, device] = devices();
    let fixture = fixture("vae");
    let want = |name: &str| numbers(&fixture[name]);
    let net = filled(small().init([1, 8, 8], &mut init(&device)));
    let (x, ..) = inputs(2, 64, &device);
    let x = x.require_grad();
    let (noise, ..) = inputs(2, net.latent_size(), &device);
    let posterior = net.encode(x.clone());
    let decoded = net.decode(posterior.sample(noise.clone()));
    for (got, name) in [
        (&posterior.mean, "mean"),
        (&posterior.log_variance, "log_variance"),
        (&decoded, "decoded"),
    ] {
        let e = error(&values(got.clone()), &want(name));
        assert!(e < 1e-5, "{name} off by {e:e}");
    }
    let loss = net.loss(x.clone(), noise, &VaeLoss { s: 0.5, beta: 10.0 });
    assert!(error(&values(loss.clone()), &want("loss")) < 1e-5);
    let at_x = x.grad(&loss.backward()).expect("x has a gradient");
    assert!(error(&values(at_x), &want("gradient")) < 1e-4);
}

#[test]
fn a_sample_does_not_depend_on_its_batch() {
    let [device, _] = devices();
    let net = filled(small().init([1, 8, 8], &mut init(&device)));
    let (x, ..) = inputs(5, 64, &device);
    let pass = |rows: usize| values(net.decode(net.encode(x.clone().narrow(0, 0, rows)).mean));
    let bits = |v: Vec<f32>| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    assert!(bits(pass(1)) == bits(pass(5))[..64]);
}

#[test]
#[should_panic(expected = "multiples of 8, got 28×28")]
fn an_image_that_cannot_be_halved_is_refused() {
    let [device, _] = devices();
    VaeConfig::default().init([1, 28, 28], &mut init(&device));
}
