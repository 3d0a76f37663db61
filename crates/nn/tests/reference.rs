//! Whole networks on the fused operations and on plain burn: the same outputs and gradients. One test in a file of its own,
//! because the switch is the process's.

mod common;

use burn::optim::GradientsParams;
use common::{Pass, devices, filled, gradients, init, inputs, pass, texts, values};
use fokker_nn::layers::TextTable;
use fokker_nn::{
    AdmUNetConfig, CourseUNetConfig, DiTConfig, DiTForm, MmDiTConfig, Modulation,
    Transformer1dConfig, UNet1dConfig, UNetConfig, Vae, VaeConfig, VaeLoss,
};

fn vae_pass(net: &Vae) -> Pass {
    let [_, device] = devices();
    let (x, ..) = inputs(3, 64, &device);
    let x = x.require_grad();
    let (noise, ..) = inputs(3, net.latent_size(), &device);
    let loss = net.loss(x.clone(), noise, &VaeLoss::default());
    let output = values(loss.clone());
    let grads = loss.backward();
    Pass {
        output,
        at_x: values(x.grad(&grads).expect("x has a gradient")),
        at_weights: gradients(net, GradientsParams::from_grads(grads, net)),
    }
}

fn passes() -> Vec<(&'static str, Pass)> {
    let [_, device] = devices();
    let init = &mut init(&device);
    let dit = |form| DiTConfig {
        form,
        patch: 2,
        width: 24,
        depth: 2,
        heads: 3,
        mlp_ratio: 2,
        time_scale: 1.0,
    };
    let image = [1, 8, 8];
    let original = filled(dit(DiTForm::Original).init(image, 1, 3, init));
    let course = filled(dit(DiTForm::Course).init(image, 2, 3, init));
    let course_unet = CourseUNetConfig {
        channels: vec![4, 6],
        blocks: 2,
        embedding: 6,
    };
    let unet = UNetConfig {
        channels: vec![8, 12],
        blocks: 1,
        embedding: 8,
        ..UNetConfig::default()
    };
    let vae = VaeConfig {
        channels: vec![4, 6],
        blocks: 1,
    };
    let adm = AdmUNetConfig {
        channels: vec![8, 12],
        blocks: 1,
        head_width: 4,
        groups: 4,
        modulation: Modulation::Shift,
        ..AdmUNetConfig::default()
    };
    let texts = || TextTable::new(&texts(&[5, 1, 9]), &device);
    let mut adm_text = filled(
        AdmUNetConfig {
            text: 6,
            ..adm.clone()
        }
        .init(image, 1, 0, init),
    );
    adm_text.set_texts(texts());
    let mm_dit = MmDiTConfig {
        width: 24,
        depth: 2,
        heads: 3,
        mlp_ratio: 2,
        ..MmDiTConfig::default()
    };
    let mut mm_dit_text = filled(
        MmDiTConfig {
            text: 6,
            ..mm_dit.clone()
        }
        .init(image, 1, 0, init),
    );
    mm_dit_text.set_texts(texts());
    let unet1d = UNet1dConfig {
        channels: vec![8, 12],
        embedding: 8,
        ..UNet1dConfig::default()
    };
    let transformer1d = Transformer1dConfig {
        patch: 4,
        width: 24,
        depth: 1,
        heads: 3,
        ..Transformer1dConfig::default()
    };
    let (unet1d, transformer1d) = (
        filled(unet1d.init([2, 32], 1, 3, init)),
        filled(transformer1d.init([2, 32], 1, 3, init)),
    );
    vec![
        (
            "modern U-Net",
            pass(&filled(adm.init(image, 1, 3, init)), 3, 64),
        ),
        ("modern U-Net with texts", pass(&adm_text, 3, 64)),
        (
            "MM-DiT",
            pass(&filled(mm_dit.init(image, 1, 3, init)), 3, 64),
        ),
        ("MM-DiT with texts", pass(&mm_dit_text, 3, 64)),
        ("U-Net for sequences", pass(&unet1d, 3, 64)),
        ("transformer for sequences", pass(&transformer1d, 3, 64)),
        ("DiT", pass(&original, 3, 64)),
        ("the course's DiT", pass(&course, 3, 64)),
        (
            "the course's U-Net",
            pass(&filled(course_unet.init(image, 1, 3, init)), 3, 64),
        ),
        ("U-Net", pass(&filled(unet.init(image, 1, 3, init)), 3, 64)),
        ("VAE", vae_pass(&filled(vae.init(image, init)))),
    ]
}

#[test]
fn fused_networks_equal_plain_ones() {
    let fused = passes();
    fokker_kernels::use_reference(true);
    let plain = passes();
    fokker_kernels::use_reference(false);
    for ((name, fused), (_, plain)) in fused.iter().zip(&plain) {
        assert!(!plain.at_weights.is_empty());
        fused.agrees(plain, name);
    }
}
