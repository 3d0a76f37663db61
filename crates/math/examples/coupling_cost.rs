//! What pairing a mini-batch of 1,024 costs, by method and dimension. Run with
//! `cargo run --release -p fokker-math --example coupling_cost`.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use fokker_math::stats::normal_quantile;
use fokker_math::transport::{
    Batch, Coupling, Method, Sinkhorn, Strength, assign, squared_distances,
};

const N: usize = 1024;

/// The milliseconds of the fastest of three runs, and the last result.
fn timed<T>(mut run: impl FnMut() -> T) -> (f64, T) {
    let mut best = f64::INFINITY;
    loop {
        let mut result = None;
        for _ in 0..3 {
            let start = Instant::now();
            result = Some(run());
            best = best.min(start.elapsed().as_secs_f64() * 1e3);
        }
        if let Some(result) = result {
            return (best, result);
        }
    }
}

fn main() {
    let mut state = 1u64;
    let mut uniform = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((state >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    };
    for dim in [2, 784] {
        let x0: Vec<f64> = (0..N * dim).map(|_| normal_quantile(uniform())).collect();
        // Eight Gaussians on a circle in the plane of the first two coordinates.
        let mut x1: Vec<f64> = (0..N * dim)
            .map(|_| 0.3 * normal_quantile(uniform()))
            .collect();
        for point in x1.chunks_exact_mut(dim) {
            let angle = std::f64::consts::FRAC_PI_4 * (8.0 * uniform()).floor();
            point[0] += 5.0 * angle.cos();
            point[1] += 5.0 * angle.sin();
        }
        let (cost_ms, cost) = timed(|| squared_distances(&x0, &x1, dim));
        let (assign_ms, _) = timed(|| assign(&cost, N));
        println!(
            "dimension {dim}: cost matrix {cost_ms:.1} ms, exact assignment {assign_ms:.1} ms"
        );
        let mean = cost.iter().sum::<f64>() / cost.len() as f64;
        let ten = Sinkhorn {
            max_iterations: 10,
            tolerance: 0.0,
            scaling: false,
            ..Sinkhorn::new(0.05 * mean)
        };
        let (ms, _) = timed(|| ten.solve(&cost, N, N, None, None));
        println!("  10 sweeps of Sinkhorn {ms:.1} ms");
        let [x0, x1] = [&x0, &x1].map(|x| x.iter().map(|&x| x as f32).collect::<Vec<_>>());
        let labels1: Vec<u32> = (0..N).map(|_| (10.0 * uniform()) as u32).collect();
        let batch = Batch {
            x0: &x0,
            x1: &x1,
            dim,
            labels0: None,
            labels1: Some(&labels1),
        };
        let u: Vec<f64> = (0..N).map(|_| uniform()).collect();
        let epsilon = Strength::Relative(0.05);
        for method in [
            Method::Optimal,
            Method::Entropic { epsilon },
            Method::Unbalanced {
                epsilon,
                rho: Strength::Relative(1.0),
            },
        ] {
            for class_aware in [false, true] {
                let coupling = Coupling {
                    method,
                    class_aware,
                };
                let (ms, pairs) = timed(|| coupling.pair(&batch, &u));
                match pairs {
                    Ok(pairs) => println!("  {coupling:?}: {ms:.1} ms, error {:.1e}", pairs.error),
                    Err(error) => println!("  {coupling:?}: {error}"),
                }
            }
        }
    }
}
