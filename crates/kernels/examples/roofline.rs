//! Where each kernel lies between the two limits of a machine: multiply-adds and memory.
//!
//! ```text
//! MIMALLOC_PURGE_DELAY=-1 cargo run --release --example roofline
//! ```
//!
//! Prints a line of JSON for the machine and for each kernel: its operations, the bytes that it must read and write at least, and the
//! median seconds of interleaved runs. `bench/steps/roofline.py` draws them. Operations are those of the direct form, so
//! that Winograd's convolutions may lie above the roof; an exponential or a root counts as one.
#![allow(clippy::print_stdout)]

mod machine;

use burn::tensor::{Device, Distribution, Tensor};
use fokker_kernels as fused;
use std::hint::black_box;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 9;

struct Kernel {
    name: &'static str,
    family: &'static str,
    flop: f64,
    bytes: f64,
    run: Box<dyn Fn()>,
    seconds: Vec<f64>,
}

fn random<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), &Device::flex())
}

/// A kernel with `values` numbers that are read or written once.
fn kernel(
    family: &'static str,
    name: &'static str,
    flop: usize,
    values: usize,
    run: impl Fn() + 'static,
) -> Kernel {
    Kernel {
        name,
        family,
        flop: flop as f64,
        bytes: 4.0 * values as f64,
        run: Box::new(run),
        seconds: Vec::new(),
    }
}

fn convolution(name: &'static str, [batch, ci, co, n]: [usize; 4], stride: usize) -> Kernel {
    let (x, w) = (random([batch, ci, n, n]), random([co, ci, 3, 3]));
    let out = n / stride;
    let flop = 2 * batch * ci * co * 9 * out * out;
    let values = batch * (ci * n * n + co * out * out) + 9 * ci * co;
    kernel("convolution", name, flop, values, move || {
        black_box(fused::conv2d(x.clone(), w.clone(), None, stride, 1));
    })
}

fn linear(name: &'static str, [rows, k, n]: [usize; 3]) -> Kernel {
    let (x, w) = (random([rows, k]), random([k, n]));
    kernel(
        "linear map",
        name,
        2 * rows * k * n,
        rows * (k + n) + k * n,
        move || {
            black_box(fused::linear(x.clone(), w.clone(), None));
        },
    )
}

fn kernels() -> Vec<Kernel> {
    let mut all = vec![
        convolution("3×3, 64→64 at 32×32", [64, 64, 64, 32], 1),
        convolution("3×3, 256→256 at 8×8", [64, 256, 256, 8], 1),
        convolution("3×3, 64→128 from 32×32, stride 2", [64, 64, 128, 32], 2),
        linear("4096 × 384→1536", [4096, 384, 1536]),
        linear("64 × 256→256", [64, 256, 256]),
    ];
    let [b, n, heads, d] = [16, 256, 6, 64];
    let qkv = random([b, n, 3 * heads * d]);
    all.push(kernel(
        "attention",
        "16 × 256 tokens, 6 heads of 64",
        b * heads * n * n * (4 * d + 5),
        4 * b * n * heads * d,
        move || {
            black_box(fused::self_attention(qkv.clone(), heads));
        },
    ));
    let shape = [64, 64, 32, 32];
    let values: usize = shape.iter().product();
    let (x, one, zero) = (
        random(shape),
        Tensor::ones([64], &Device::flex()),
        Tensor::zeros([64], &Device::flex()),
    );
    all.push(kernel(
        "one pass",
        "group norm and SiLU",
        12 * values,
        2 * values,
        move || {
            let (x, one, zero) = (x.clone(), one.clone(), zero.clone());
            black_box(fused::group_norm_silu(x, one, zero, 8, 1e-5, None, true));
        },
    ));
    let x = random([4096, 1536]);
    all.push(kernel(
        "one pass",
        "GELU",
        12 * 4096 * 1536,
        2 * 4096 * 1536,
        move || {
            black_box(fused::gelu(x.clone()));
        },
    ));
    let n = 1 << 23;
    let (old, new) = (random([n]), random([n]));
    all.push(kernel(
        "one pass",
        "moving average",
        3 * n,
        3 * n,
        move || {
            black_box(fused::blend(old.clone(), new.clone(), 0.999));
        },
    ));
    all
}

/// A limit is what was reached once.
fn least(seconds: &[f64]) -> f64 {
    seconds.iter().copied().fold(f64::INFINITY, f64::min)
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

fn main() {
    let threads = rayon::current_num_threads();
    let mut all = kernels();
    let (mut peak, mut copy) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        peak.push(machine::seconds(threads));
        copy.push(machine::copy_seconds(threads));
        for k in &mut all {
            let start = Instant::now();
            (k.run)();
            // The first round warms up.
            if round > 0 {
                k.seconds.push(start.elapsed().as_secs_f64());
            }
        }
    }
    println!(
        "{{\"level\": \"{}\", \"threads\": {threads}, \"flop_per_second\": {:e}, \"bytes_per_second\": {:e}}}",
        fused::simd_level(),
        machine::flop() * threads as f64 / least(&peak),
        machine::COPIED as f64 / least(&copy)
    );
    for k in all {
        println!(
            "{{\"family\": \"{}\", \"name\": \"{}\", \"flop\": {:e}, \"bytes\": {:e}, \"seconds\": {:e}}}",
            k.family,
            k.name,
            k.flop,
            k.bytes,
            median(k.seconds)
        );
    }
}
