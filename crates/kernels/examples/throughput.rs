//! How fast the fused operations are on this machine, beside plain burn and the processor's own limit.
//!
//! ```text
//! MIMALLOC_PURGE_DELAY=-1 cargo run --release -p fokker-kernels --example throughput [-- WORD]
//! ```
//!
//! Without that variable the allocator gives memory back to the system between runs, and the page faults of getting
//! it again cost up to thirty times the operation on virtual machines.
//!
//! Prints the median of interleaved runs: GFLOP/s of each direction of a convolution and of a linear layer, and
//! nanoseconds per value of the elementwise operations. The lines of a gradient hold one product more, whose time is a
//! line of its own. Only lines that contain WORD are run. On two cores of a
//! Zen 3 server expect the 64 → 64 convolution at about two thirds of the peak in every direction.
#![allow(clippy::print_stdout)]

mod machine;

use burn::tensor::{Device, Distribution, Tensor};
use fokker_kernels as fused;
use std::hint::black_box;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rounds over all lines.
const ROUNDS: usize = 9;

enum Unit {
    /// Floating-point operations of one run.
    Flop(f64),
    /// Values that one run makes.
    Values(f64),
}

struct Line {
    name: String,
    unit: Unit,
    run: Box<dyn Fn() -> f64>,
    seconds: Vec<f64>,
}

struct Table(Vec<Line>);

impl Table {
    fn add(&mut self, name: String, unit: Unit, run: impl Fn() -> f64 + 'static) {
        self.0.push(Line {
            name,
            unit,
            run: Box::new(run),
            seconds: Vec::new(),
        });
    }

    /// One line for the fused form and one for plain burn.
    fn both(&mut self, name: &str, unit: fn() -> Unit, run: impl Fn() -> f64 + Clone + 'static) {
        let plain = run.clone();
        self.add(format!("{name}, fused"), unit(), run);
        self.add(format!("{name}, burn"), unit(), move || {
            fused::use_reference(true);
            let seconds = plain();
            fused::use_reference(false);
            seconds
        });
    }
}

fn time<R>(f: impl FnOnce() -> R) -> f64 {
    let start = Instant::now();
    black_box(f());
    start.elapsed().as_secs_f64()
}

fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}

/// Seconds of the backward pass of `f` alone, with a dense gradient at its output.
fn backward<const D: usize>(y: Tensor<D>) -> f64 {
    let dy = random(y.dims(), &y.device().without_autodiff());
    let dy = Tensor::from_data(dy.into_data(), &y.device());
    // The product passes `dy` on as it is; its own cost is one multiplication per value, measured apart.
    let loss = (y * dy).sum();
    time(|| loss.backward())
}

const BATCH: usize = 64;

fn convolution(table: &mut Table, ci: usize, co: usize, n: usize) {
    let name = format!("conv {ci}→{co} @{n}");
    macro_rules! flop {
        () => {
            Unit::Flop(2.0 * (BATCH * ci * co * 9 * n * n) as f64)
        };
    }
    let plain = Device::flex();
    let device = plain.clone().autodiff();
    for fast in [true, false] {
        let which = if fast { "fused" } else { "burn" };
        let with = move |f: &dyn Fn() -> f64| {
            fused::use_reference(!fast);
            let seconds = f();
            fused::use_reference(false);
            seconds
        };
        let (x, w) = (
            random([BATCH, ci, n, n], &plain),
            random([co, ci, 3, 3], &plain),
        );
        let (x1, w1) = (x.clone(), w.clone());
        table.add(format!("{name} y, {which}"), flop!(), move || {
            with(&|| time(|| fused::conv2d(x1.clone(), w1.clone(), None, 1, 1)))
        });
        // One tracked operand at a time: the backward pass then makes this gradient only.
        let on = |t: &Tensor<4>| Tensor::<4>::from_data(t.clone().into_data(), &device);
        let (xa, wa) = (on(&x), on(&w));
        let (xt, wt) = (on(&x).require_grad(), on(&w).require_grad());
        table.add(format!("{name} dx, {which}"), flop!(), move || {
            with(&|| backward(fused::conv2d(xt.clone(), wa.clone(), None, 1, 1)))
        });
        table.add(format!("{name} dw, {which}"), flop!(), move || {
            with(&|| backward(fused::conv2d(xa.clone(), wt.clone(), None, 1, 1)))
        });
    }
}

fn main() {
    let word = std::env::args().nth(1).unwrap_or_default();
    let threads = rayon::current_num_threads();
    println!(
        "{} on {threads} threads, batch {BATCH}\n",
        fused::simd_level()
    );
    let mut table = Table(Vec::new());
    table.add(
        "peak".into(),
        Unit::Flop(machine::flop() * threads as f64),
        move || machine::seconds(threads),
    );
    for (ci, co, n) in [(32, 32, 28), (64, 64, 14), (128, 128, 7), (1, 32, 28)] {
        convolution(&mut table, ci, co, n);
    }

    let plain = Device::flex();
    let device = plain.clone().autodiff();
    let (x, w) = (random([2048, 256], &plain), random([256, 256], &plain));
    let linear_flop = || Unit::Flop(2.0 * (2048 * 256 * 256) as f64);
    table.both("linear 256→256 × 2048 y", linear_flop, move || {
        time(|| fused::linear(x.clone(), w.clone(), None))
    });
    let (x, w) = (
        random([2048, 256], &device).require_grad(),
        random([256, 256], &device).require_grad(),
    );
    let both_flop = || Unit::Flop(4.0 * (2048 * 256 * 256) as f64);
    table.both("linear 256→256 × 2048 dx and dw", both_flop, move || {
        backward(fused::linear(x.clone(), w.clone(), None))
    });

    const SHAPE: [usize; 4] = [BATCH, 32, 28, 28];
    let n = || Unit::Values(SHAPE.iter().product::<usize>() as f64);
    let x = random(SHAPE, &plain);
    let (x1, x2) = (x.clone(), x.clone());
    table.both("silu y", n, move || time(|| fused::silu(x1.clone())));
    let norm = |x: Tensor<4>| {
        let (one, zero) = (
            Tensor::ones([32], &x.device()),
            Tensor::zeros([32], &x.device()),
        );
        fused::group_norm_silu(x, one, zero, 8, 1e-5, None, true)
    };
    table.both("norm and silu y", n, move || time(|| norm(x2.clone())));
    let n4 = || Unit::Values(4.0 * SHAPE.iter().product::<usize>() as f64);
    table.both("upsample y", n4, move || {
        time(|| fused::upsample2x(x.clone()))
    });
    let x = random(SHAPE, &device).require_grad();
    let (x1, x2, x3) = (x.clone(), x.clone(), x);
    table.both("product alone dx", n, move || backward(x1.clone()));
    table.both("silu dx", n, move || backward(fused::silu(x2.clone())));
    table.both("norm and silu dx", n, move || backward(norm(x3.clone())));

    table
        .0
        .retain(|line| line.name == "peak" || line.name.contains(&word));
    for round in 0..=ROUNDS {
        for line in &mut table.0 {
            let seconds = (line.run)();
            // The first round warms up.
            if round > 0 {
                line.seconds.push(seconds);
            }
        }
    }
    let mut peak = 0.0;
    for line in &mut table.0 {
        line.seconds.sort_by(f64::total_cmp);
        let median = line.seconds[ROUNDS / 2];
        let ms = median * 1e3;
        match line.unit {
            Unit::Flop(flop) => {
                let rate = flop / median / 1e9;
                let rate = if line.name == "peak" {
                    // The limit is what was reached once: threads that wait for work take part of a run.
                    peak = flop / line.seconds[0] / 1e9;
                    peak
                } else {
                    rate
                };
                println!(
                    "{:40} {ms:9.3} ms {rate:8.1} GFLOP/s {:5.1} %",
                    line.name,
                    100.0 * rate / peak
                );
            }
            Unit::Values(n) => println!(
                "{:40} {ms:9.3} ms {:8.3} ns/value",
                line.name,
                median * 1e9 / n
            ),
        }
    }
}
