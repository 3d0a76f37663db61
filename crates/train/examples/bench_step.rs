//! fokker's side of `bench/steps/run.py`: steps of a training, forward passes or guided samples of one network, as one
//! JSON line.
//!
//! ```text
//! MIMALLOC_PURGE_DELAY=-1 RAYON_NUM_THREADS=2 cargo run --release -p fokker-train --example bench_step -- \
//!     --work mlp --batch 1000 --mode train --repeat 20 [--reference]
//! ```
//!
//! The first variable lets the allocator keep freed pages, as the binary `fokker` does. `--reference` sends every operation to plain
//! burn. Weights and inputs are given by [`formula`], so that the first loss is that of the same network in PyTorch.

#![allow(clippy::print_stdout, clippy::print_stderr)] // an example prints

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime};

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Shape, Tensor, TensorData};
use fokker_core::{
    Draw, Flow, Labels, Network, Parametrization, ProbabilityPath, State, labels, sampler,
};
use fokker_math::prediction::Prediction;
use fokker_math::scheduler::CondOt;
use fokker_nn::{
    Autoencoder, CourseUNetConfig, DiTConfig, Init, MlpConfig, UNetConfig, Vae, VaeConfig, VaeLoss,
};
use fokker_train::config::{
    EmaConfig, OptimizerConfig, OptimizerKind, ScheduleConfig, ScheduleKind, TrainConfig, Training,
};
use fokker_train::{Task, TrainError, Trainer};
use serde_json::json;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Guided Euler steps draw with this weight.
const GUIDANCE: f64 = 3.0;
/// Numbers of `formula` beyond any parameter: inputs, targets and the noise of a code.
const INPUT: usize = 10_000;
const TARGET: usize = 10_001;
const NOISE: usize = 10_002;

struct Settings {
    work: String,
    mode: String,
    batch: usize,
    repeat: usize,
    warmup: usize,
    steps: usize,
    reference: bool,
    checkpointing: bool,
    decay: f64,
    muon: bool,
}

fn settings() -> Option<Settings> {
    let mut found = Settings {
        work: String::new(),
        mode: "train".into(),
        batch: 64,
        repeat: 5,
        warmup: 2,
        steps: 50,
        reference: false,
        checkpointing: false,
        decay: 0.999,
        muon: false,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--reference" => found.reference = true,
            "--checkpointing" => found.checkpointing = true,
            "--muon" => found.muon = true,
            _ => {}
        }
        if matches!(&word[..], "--reference" | "--checkpointing" | "--muon") {
            continue;
        }
        let value = words.next()?;
        match word.as_str() {
            "--work" => found.work = value,
            "--mode" => found.mode = value,
            "--batch" => found.batch = value.parse().ok()?,
            "--repeat" => found.repeat = value.parse().ok()?,
            "--warmup" => found.warmup = value.parse().ok()?,
            "--decay" => found.decay = value.parse().ok()?,
            "--steps" => found.steps = value.parse().ok()?,
            _ => return None,
        }
    }
    (found.batch * found.repeat * found.steps > 0).then_some(found)
}

fn main() -> ExitCode {
    let Some(settings) = settings() else {
        eprintln!(
            "usage: bench_step --work WORK --mode train|forward|sample --batch B --repeat N --warmup N --steps N \
             --decay D [--muon] [--checkpointing] [--reference]"
        );
        return ExitCode::from(2);
    };
    fokker_kernels::use_reference(settings.reference);
    let mlp = |hidden: usize| MlpConfig {
        hidden: vec![hidden; 4],
        time_features: 0,
        class_features: 0,
    };
    let unet = UNetConfig {
        channels: vec![64, 128, 256],
        ..UNetConfig::default()
    };
    // Data are images [channels, height, width]; points are a row of them.
    match settings.work.as_str() {
        "mlp" => run(
            &settings,
            2,
            0,
            |init| mlp(256).init(2, 1, 0, init),
            regression,
        ),
        "ring" => run(
            &settings,
            2,
            0,
            |init| mlp(64).init(2, 1, 0, init),
            regression,
        ),
        "unet" => run(
            &settings,
            3072,
            10,
            |init| unet.init([3, 32, 32], 1, 10, init),
            regression,
        ),
        "course-unet" => run(
            &settings,
            1024,
            10,
            |init| CourseUNetConfig::default().init([1, 32, 32], 1, 10, init),
            regression,
        ),
        "dit" => run(
            &settings,
            3072,
            10,
            |init| DiTConfig::default().init([3, 32, 32], 1, 10, init),
            regression,
        ),
        "course-dit" => run(
            &settings,
            1024,
            10,
            |init| DiTConfig::course(4).init([1, 32, 32], 1, 10, init),
            regression,
        ),
        "vae" => {
            let make = |init: &mut Init<'_>| Coder {
                vae: VaeConfig::default().init([1, 32, 32], init),
            };
            run(&settings, 1024, 0, make, Coder::loss);
        }
        other => {
            eprintln!("there is no work {other}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// Measures one network for states of `dim` numbers and `classes` classes, and prints the line.
fn run<N: Network + 'static>(
    settings: &Settings,
    dim: usize,
    classes: usize,
    make: impl Fn(&mut Init<'_>) -> N,
    loss: Loss<N>,
) {
    let plain = Device::flex();
    let device = if settings.mode == "train" {
        let device = plain.autodiff();
        match settings.checkpointing {
            true => device.gradient_checkpointing(),
            false => device,
        }
    } else {
        plain
    };
    let net = by_formula(make(&mut Init::new(0, &device)));
    let numbers = net.num_params(); // running statistics included
    let task = Fixed::new(settings.batch, dim, classes, loss, &device);
    let mut clock = Clock::default();
    let (loss, last) = match settings.mode.as_str() {
        "train" => train(settings, net, task, &device, &mut clock),
        "forward" => forward(settings, &net, &task, &mut clock),
        "sample" => sample(settings, net, [dim, classes], &device, &mut clock),
        other => panic!("expected the mode train, forward or sample, got {other}"),
    };
    let line = json!({
        "peer": if settings.reference { "burn" } else { "fokker" },
        "version": env!("CARGO_PKG_VERSION"),
        "level": fokker_kernels::simd_level(),
        "work": settings.work,
        "mode": settings.mode,
        "batch": settings.batch,
        "seconds": clock.seconds,
        "first_done": clock.first_done,
        "numbers": numbers,
        "loss": loss,
        "last_loss": last,
        "rss_mb": clock.memory,
        "peak_rss_mb": resident("VmHWM:"),
    });
    println!("{line}");
}

fn train<N: Network + 'static>(
    settings: &Settings,
    net: N,
    task: Fixed<N>,
    device: &Device,
    clock: &mut Clock,
) -> (f64, f64) {
    let training = Training {
        optimizer: OptimizerConfig {
            kind: match settings.muon {
                true => OptimizerKind::Muon,
                false => OptimizerKind::Adamw,
            },
            lr: 1e-4,
            weight_decay: 0.01,
            clip: 0.0,
            ..OptimizerConfig::default()
        },
        schedule: ScheduleConfig {
            kind: ScheduleKind::Constant,
            ..ScheduleConfig::default()
        },
        ema: EmaConfig {
            decay: settings.decay,
            ..EmaConfig::default()
        },
        train: TrainConfig {
            batch: settings.batch,
            ..TrainConfig::default()
        },
    };
    let mut trainer = Trainer::new(net, task, &training, device);
    clock.measure(settings, || {
        let done = trainer.step().expect("the loss is finite");
        move || done.loss
    })
}

fn forward<N: Network + 'static>(
    settings: &Settings,
    net: &N,
    task: &Fixed<N>,
    clock: &mut Clock,
) -> (f64, f64) {
    clock.measure(settings, || {
        let out = net.forward(task.x.clone(), task.t.clone(), task.y.clone());
        move || {
            let error = out - task.target.clone();
            error.square().mean().into_scalar::<f64>()
        }
    })
}

/// `batch` images by guided Euler steps, with both halves of the guidance in one batch; the mean square of their values.
fn sample<N: Network + 'static>(
    settings: &Settings,
    network: N,
    [dim, classes]: [usize; 2],
    device: &Device,
    clock: &mut Clock,
) -> (f64, f64) {
    let flow = Flow {
        network,
        path: ProbabilityPath::gaussian(Arc::new(CondOt)),
        output: Parametrization::Plain(Prediction::Velocity),
        start: None,
        has_score: true,
        dim,
        classes,
        device: device.clone(),
        weaker: None,
    };
    let draw = Draw {
        sampler: sampler("euler").expect("Euler is in the table"),
        steps: settings.steps,
        guidance: GUIDANCE.into(),
        count: settings.batch,
        batch: Some(settings.batch),
        ..Draw::default()
    };
    clock.measure(settings, || {
        let values = flow.sample(&draw).expect("the model has classes");
        move || {
            let square: f64 = values.iter().map(|&v| f64::from(v * v)).sum();
            square / values.len() as f64
        }
    })
}

/// What a network is trained by on the fixed batch, `[1]`.
type Loss<N> = fn(&N, &Fixed<N>) -> Tensor<1>;

/// The same batch every step, ready on the device.
struct Fixed<N> {
    x: State,
    t: Tensor<1>,
    y: Option<Labels>,
    target: State,
    /// An autoencoder's, made for its first step.
    noise: OnceLock<State>,
    loss: Loss<N>,
}

impl<N> Fixed<N> {
    fn new(batch: usize, dim: usize, classes: usize, loss: Loss<N>, device: &Device) -> Self {
        let times: Vec<f32> = (0..batch)
            .map(|i| ((i as f64 + 0.5) / batch as f64) as f32)
            .collect();
        let classes_of: Vec<u32> = (0..batch).map(|i| (i % (classes + 1)) as u32).collect();
        Self {
            x: state(INPUT, [batch, dim], device),
            t: Tensor::from_data(TensorData::new(times, [batch]), device),
            y: (classes > 0).then(|| labels(&classes_of, device)),
            target: state(TARGET, [batch, dim], device),
            noise: OnceLock::new(),
            loss,
        }
    }
}

/// `[batch, dim]` of `formula`, with variance 1.
fn state(number: usize, shape: [usize; 2], device: &Device) -> State {
    let values = formula(number, 1, shape[0] * shape[1]);
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// The mean square error of a network that is told everything.
fn regression<N: Network + 'static>(net: &N, batch: &Fixed<N>) -> Tensor<1> {
    let out = net.forward(batch.x.clone(), batch.t.clone(), batch.y.clone());
    (out - batch.target.clone()).square().mean()
}

impl<N: Module + 'static> Task<N> for Fixed<N> {
    type Batch = ();

    fn batch(&self, _: u64, _: usize) -> Result<(), TrainError> {
        Ok(())
    }

    fn loss(&self, net: &N, (): (), _: &Device) -> Tensor<1> {
        (self.loss)(net, self)
    }
}

/// The autoencoder as a function of images: there and back by the mean of the code.
#[derive(Module, Debug)]
struct Coder {
    vae: Vae,
}

impl Coder {
    fn loss(&self, batch: &Fixed<Self>) -> Tensor<1> {
        let x = batch.x.clone();
        let shape = [x.dims()[0], self.vae.latent_size()];
        let noise = batch.noise.get_or_init(|| state(NOISE, shape, &x.device()));
        self.vae.loss(x, noise.clone(), &VaeLoss::default())
    }
}

impl Network for Coder {
    fn forward(&self, x: State, _: Tensor<1>, _: Option<Labels>) -> State {
        self.vae.decode(self.vae.encode(x).mean)
    }
}

/// `count` values between −√(3/n) and √(3/n) that look random, of variance 1/n: u(i) = frac(43758.5453 |sin(12.9898 i + 78.233 k)|)
/// for the tensor with number k, in f64.
fn formula(k: usize, n: usize, count: usize) -> Vec<f32> {
    let scale = (3.0 / n as f64).sqrt();
    let value = |i: usize| {
        let u = (43_758.545_3 * (12.989_8 * i as f64 + 78.233 * k as f64).sin().abs()).fract();
        (scale * (2.0 * u - 1.0)) as f32
    };
    (0..count).map(value).collect()
}

/// Gives parameter k (in the order of the fields) the values of `formula` for its inputs: those of a map \[in, out\] or of a
/// convolution \[out, in, h, w\]. Vectors become ½ + a tenth of the formula, positive, since variances are among them.
fn by_formula<N: Module>(net: N) -> N {
    struct Set(usize);
    impl ModuleMapper for Set {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let shape: [usize; D] = param.val().dims();
            let count = shape.iter().product();
            let values = match D {
                1 => {
                    let values = formula(self.0, 3, count);
                    values.into_iter().map(|v| 0.5 + 0.1 * v).collect()
                }
                2 => formula(self.0, shape[0], count),
                _ => formula(self.0, shape[1..].iter().product(), count),
            };
            self.0 += 1;
            param.map(|old| {
                let new =
                    Tensor::from_data(TensorData::new(values, Shape::from(shape)), &old.device());
                new.set_require_grad(old.is_require_grad())
            })
        }
    }
    net.map(&mut Set(0))
}

/// Seconds of every counted step, and what else is measured beside them.
#[derive(Default)]
struct Clock {
    seconds: Vec<f64>,
    /// Unix time when the first step was done.
    first_done: f64,
    /// Resident memory at the end of every tenth of the steps, in MiB.
    memory: Vec<f64>,
}

impl Clock {
    /// Runs the steps and gives the values of the first and of the last. What a step returns gives its value, outside of the timing.
    fn measure<C: FnOnce() -> f64>(
        &mut self,
        settings: &Settings,
        mut step: impl FnMut() -> C,
    ) -> (f64, f64) {
        let (mut first, mut last) = (f64::NAN, f64::NAN);
        let tenth = settings.repeat.div_ceil(10);
        for k in 0..settings.warmup + settings.repeat {
            let start = Instant::now();
            let done = step();
            let seconds = start.elapsed().as_secs_f64();
            if k == 0 {
                let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                self.first_done = unix.map_or(f64::NAN, |d| d.as_secs_f64());
            }
            last = done();
            if k == 0 {
                first = last;
            }
            if k >= settings.warmup {
                self.seconds.push(seconds);
                if self.seconds.len().is_multiple_of(tenth) {
                    self.memory.push(resident("VmRSS:"));
                }
            }
        }
        (first, last)
    }
}

/// A line of memory of `/proc/self/status`, in MiB; NaN where there is none.
fn resident(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix(name));
    let kib = line.and_then(|l| l.split_whitespace().next()?.parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib / 1024.0)
}
