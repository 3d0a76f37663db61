//! candle's side of `bench/steps/run.py`: steps of a training or forward passes of the perceptrons and of the U-Net, as one JSON line,
//! with the weights and inputs of `formula`, as on the other sides.

use std::time::{Instant, SystemTime};

use candle_core::{Device, Result, Tensor, Var};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use serde_json::json;

mod formula;
mod networks;

use formula::{INPUT, Maker, TARGET, formula};
use networks::{Mlp, Network, UNet};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const DECAY: f64 = 0.999;

struct Settings {
    work: String,
    mode: String,
    batch: usize,
    repeat: usize,
    warmup: usize,
}

fn settings() -> Option<Settings> {
    let mut found = Settings {
        work: String::new(),
        mode: String::new(),
        batch: 0,
        repeat: 5,
        warmup: 2,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next()?;
        match word.as_str() {
            "--work" => found.work = value,
            "--mode" => found.mode = value,
            "--batch" => found.batch = value.parse().ok()?,
            "--repeat" => found.repeat = value.parse().ok()?,
            "--warmup" => found.warmup = value.parse().ok()?,
            "--steps" => {} // of sampling, which is not measured here
            _ => return None,
        }
    }
    (found.batch * found.repeat > 0).then_some(found)
}

fn main() -> Result<()> {
    let Some(settings) = settings() else {
        eprintln!(
            "usage: candle-steps --work W --mode train|forward --batch B --repeat N --warmup N"
        );
        std::process::exit(2);
    };
    let mut maker = Maker::new(settings.mode == "train");
    match settings.work.as_str() {
        "mlp" => run(&settings, &Mlp::new(256, &mut maker)?, &maker, 2, 0),
        "ring" => run(&settings, &Mlp::new(64, &mut maker)?, &maker, 2, 0),
        "unet" => run(
            &settings,
            &UNet::new([64, 128, 256], &mut maker)?,
            &maker,
            3072,
            10,
        ),
        other => candle_core::bail!("there is no work {other} here"),
    }
}

fn run(
    settings: &Settings,
    net: &dyn Network,
    maker: &Maker,
    dim: usize,
    classes: usize,
) -> Result<()> {
    let (rows, device) = (settings.batch, Device::Cpu);
    let values = |k| Tensor::from_vec(formula(k, 1, rows * dim), (rows, dim), &device);
    let (x, target) = (values(INPUT)?, values(TARGET)?);
    let times: Vec<f32> = (0..rows)
        .map(|i| ((i as f64 + 0.5) / rows as f64) as f32)
        .collect();
    let t = Tensor::from_vec(times, rows, &device)?;
    let y: Vec<u32> = (0..rows).map(|i| (i % (classes + 1)) as u32).collect();
    let y = Tensor::from_vec(y, rows, &device)?;
    let loss_of = |out: &Tensor| -> Result<Tensor> { (out - &target)?.sqr()?.mean_all() };
    let average: Result<Vec<Var>> = maker
        .vars
        .iter()
        .map(|v| Var::from_tensor(&v.copy()?))
        .collect();
    let average = average?;
    let params = ParamsAdamW {
        lr: 1e-4,
        weight_decay: 0.01,
        ..ParamsAdamW::default()
    };
    let mut adamw = AdamW::new(maker.vars.clone(), params)?;
    let (mut seconds, mut losses, mut first_done) = (Vec::new(), Vec::new(), 0.0);
    for k in 0..settings.warmup + settings.repeat {
        let start = Instant::now();
        let out = net.forward(&x, &t, &y)?;
        if settings.mode == "train" {
            let loss = loss_of(&out)?;
            adamw.backward_step(&loss)?;
            for (average, new) in average.iter().zip(&maker.vars) {
                average.set(
                    &((average.as_tensor() * DECAY)?
                        + (new.as_detached_tensor() * (1.0 - DECAY))?)?,
                )?;
            }
            losses.push(loss.to_scalar::<f32>()?);
        }
        let spent = start.elapsed().as_secs_f64();
        if settings.mode != "train" {
            losses.push(loss_of(&out)?.to_scalar::<f32>()?);
        }
        if k == 0 {
            let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            first_done = unix.map_or(f64::NAN, |d| d.as_secs_f64());
        }
        if k >= settings.warmup {
            seconds.push(spent);
        }
    }
    let line = json!({
        "peer": "candle",
        "version": "0.11.1",
        "work": settings.work,
        "mode": settings.mode,
        "batch": rows,
        "seconds": seconds,
        "first_done": first_done,
        "numbers": maker.count,
        "loss": losses[0],
        "last_loss": losses[losses.len() - 1],
        "peak_rss_mb": peak_mb(),
    });
    println!("{line}");
    Ok(())
}

/// The highest resident memory so far; NaN where the system does not tell.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kib = line.and_then(|l| l.split_whitespace().next()?.parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib / 1024.0)
}
