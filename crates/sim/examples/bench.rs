//! fokker's side of `bench/simulate/run.py`: one JSON line per precision.
//!
//! `cargo run --release -p fokker-sim --example bench -- --work a --count 1000000 --threads 2 --repeat 3`

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::hint::black_box;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::time::Instant;

use fokker_math::tableau::TSIT5;
use fokker_sim::ensemble::{Keep, Plan, Start};
use fokker_sim::lane::{Job, Level, Real, Simd};
use fokker_sim::process::{Lorenz, OrnsteinUhlenbeck, Process};
use fokker_sim::rng::{Purpose, Stream};
use fokker_sim::simulate;
use fokker_sim::solver::{
    Adaptive, EmbeddedPair, EulerMaruyama, FixedSde, RungeKutta, Solver, Tolerance,
};

/// Operations of a Lorenz step of Tsit5: 63 multiply-adds of the sums, six times σ(y − x),
/// x(ρ − z) − y, xy − βz.
const LORENZ_FLOPS: f64 = 63.0 * 2.0 + 6.0 * 8.0;

struct Settings {
    work: String,
    count: u64,
    threads: usize,
    repeat: usize,
}

fn settings() -> Option<Settings> {
    let mut found = Settings {
        work: String::new(),
        count: 0,
        threads: 1,
        repeat: 3,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next()?;
        match word.as_str() {
            "--work" => found.work = value,
            "--count" => found.count = value.parse().ok()?,
            "--threads" => found.threads = value.parse().ok()?,
            "--repeat" => found.repeat = value.parse().ok()?,
            _ => return None,
        }
    }
    (found.count > 0 && found.repeat > 0).then_some(found)
}

fn main() -> ExitCode {
    let Some(settings) = settings() else {
        eprintln!("usage: bench --work a|b|c|d --count N --threads T --repeat K");
        return ExitCode::from(2);
    };
    rayon::ThreadPoolBuilder::new()
        .num_threads(settings.threads)
        .build_global()
        .expect("the pool is made once");
    let lorenz = Lorenz::default();
    let spread = |i: u64, x: &mut [f64]| {
        x.copy_from_slice(&[
            1.0 + 0.01 * (i as f64 * 0.618_033_988_749_894_9).fract(),
            1.0,
            1.0,
        ]);
    };
    match settings.work.as_str() {
        "a" => {
            let solver = RungeKutta::<6>::new(&TSIT5, 1000);
            let (seconds, ends) =
                time::<f32, _, _>(&settings, &lorenz, &solver, 1.0, &Start::Each(&spread));
            let z: f64 =
                ends.chunks(3).map(|x| f64::from(x[2])).sum::<f64>() / settings.count as f64;
            let peak = settings.threads as f64 * fma_peak();
            let speed = settings.count as f64 * 1000.0 * LORENZ_FLOPS / median(&seconds);
            line::<f32>(&settings, 1000, &seconds, z, Some(speed / peak));
        }
        "b" => {
            let process = OrnsteinUhlenbeck::new(0.25, 0.0, 1.0).expect("these are in range");
            let solver = FixedSde::new(EulerMaruyama, 1000);
            let (seconds, ends) =
                time::<f32, _, _>(&settings, &process, &solver, 20.0, &Start::Point(&[0.0]));
            let square: f64 = ends.iter().map(|x| f64::from(x * x)).sum();
            line::<f32>(
                &settings,
                1000,
                &seconds,
                square / settings.count as f64,
                None,
            );
        }
        "c" => {
            let solver = Adaptive::new(EmbeddedPair::<7>::new(&TSIT5), Tolerance::new(1e-6));
            let (seconds, ends) =
                time::<f64, _, _>(&settings, &lorenz, &solver, 10.0, &Start::Each(&spread));
            line::<f64>(&settings, 0, &seconds, ends[0], None);
            let (seconds, ends) =
                time::<f32, _, _>(&settings, &lorenz, &solver, 10.0, &Start::Each(&spread));
            line::<f32>(&settings, 0, &seconds, f64::from(ends[0]), None);
        }
        "d" => {
            let mut buffer = vec![0.0_f32; 1 << 16];
            let seconds = normals(&settings, |i| {
                Stream::new(1, Purpose::Test, i, 0).normals(black_box(&mut buffer));
            });
            let square: f64 = buffer.iter().map(|x| f64::from(x * x)).sum();
            line::<f32>(&settings, 0, &seconds, square / buffer.len() as f64, None);
            let mut buffer = vec![0.0_f64; 1 << 16];
            let seconds = normals(&settings, |i| {
                Stream::new(1, Purpose::Test, i, 0).normals_f64(black_box(&mut buffer));
            });
            let square: f64 = buffer.iter().map(|x| x * x).sum();
            line::<f64>(&settings, 0, &seconds, square / buffer.len() as f64, None);
        }
        other => {
            eprintln!("there is no work {other}: a, b, c or d");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// Seconds of every repetition after an uncounted one, and the final states of the last.
fn time<R: Real, P: Process, V: Solver>(
    settings: &Settings,
    process: &P,
    solver: &V,
    to: f64,
    start: &Start<'_>,
) -> (Vec<f64>, Vec<R>) {
    let plan = Plan::new(settings.count, 0.0, to, 0);
    let mut seconds = Vec::new();
    let mut ends = Keep::<R>::default();
    for repetition in 0..=settings.repeat {
        ends.values.clear();
        ends.stops.clear();
        let clock = Instant::now();
        simulate(process, solver, &plan, start, &mut ends, &mut |_| {
            ControlFlow::Continue(())
        })
        .expect("the works are well posed");
        if repetition > 0 {
            seconds.push(clock.elapsed().as_secs_f64());
        }
    }
    (seconds, ends.values)
}

fn normals(settings: &Settings, mut fill: impl FnMut(u64)) -> Vec<f64> {
    (0..=settings.repeat)
        .map(|_| {
            let clock = Instant::now();
            for i in 0..settings.count.div_ceil(1 << 16) {
                fill(i);
            }
            clock.elapsed().as_secs_f64() * settings.count as f64
                / (settings.count.next_multiple_of(1 << 16)) as f64
        })
        .skip(1)
        .collect()
}

fn median(seconds: &[f64]) -> f64 {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Multiply-adds of one thread that wait for nothing, in operations per second.
fn fma_peak() -> f64 {
    struct Peak;
    impl Job<f32> for Peak {
        type Out = f64;
        #[inline(always)]
        fn run<S: Simd<Real = f32>>(self) -> f64 {
            const ROUNDS: usize = 4_000_000;
            let (a, b) = (S::splat(black_box(0.999_999)), S::splat(black_box(1e-6)));
            let [mut x0, mut x1, mut x2, mut x3] = [S::splat(1.0); 4];
            let [mut x4, mut x5, mut x6, mut x7] = [S::splat(2.0); 4];
            let [mut x8, mut x9] = [S::splat(3.0); 2];
            let clock = Instant::now();
            for _ in 0..ROUNDS {
                x0 = x0.mul_add(a, b);
                x1 = x1.mul_add(a, b);
                x2 = x2.mul_add(a, b);
                x3 = x3.mul_add(a, b);
                x4 = x4.mul_add(a, b);
                x5 = x5.mul_add(a, b);
                x6 = x6.mul_add(a, b);
                x7 = x7.mul_add(a, b);
                x8 = x8.mul_add(a, b);
                x9 = x9.mul_add(a, b);
            }
            let seconds = clock.elapsed().as_secs_f64();
            black_box([x0, x1, x2, x3, x4, x5, x6, x7, x8, x9]);
            (ROUNDS * 10 * 2 * S::LANES) as f64 / seconds
        }
    }
    (0..9).map(|_| f32::dispatch(Peak)).fold(0.0, f64::max)
}

fn line<R: Real>(settings: &Settings, steps: usize, seconds: &[f64], check: f64, fma: Option<f64>) {
    let precision = if R::SINGLE { "f32" } else { "f64" };
    let fma = fma.map_or(String::new(), |share| {
        format!(",\"fma_fraction\":{share:.4}")
    });
    println!(
        "{{\"peer\":\"fokker\",\"version\":\"{} ({:?})\",\"work\":\"{}\",\"precision\":\"{precision}\",\
         \"count\":{},\"steps\":{steps},\"threads\":{},\"seconds\":{seconds:?},\"compile_seconds\":0.0,\
         \"check\":{check},\"peak_rss_mb\":{:.1}{fma}}}",
        env!("CARGO_PKG_VERSION"),
        Level::current(),
        settings.work,
        settings.count,
        settings.threads,
        peak_memory(),
    );
}

/// The highest resident memory of this process in MiB, where the system tells.
fn peak_memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<f64>().ok())
        .map_or(f64::NAN, |kib| kib / 1024.0)
}
