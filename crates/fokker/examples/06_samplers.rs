//! Every sampler on one exact model, eight Gaussians on a ring: errors beside network calls, names that are one thing, time
//! grids, noise, guidance, inverse problems and likelihoods.
//!
//! `cargo run --release --example 06_samplers` takes some ten seconds and prints, among others, `dpm++2m 0.0902 0.0277
//! 0.0047 0.0020` (its errors after 5, 10, 20 and 40 calls), a guided field equal to the closed form's in every digit shown,
//! `Mmps … off by at most 9e-5`, and log-densities equal in every digit shown. The book's chapter on samplers is made of this file.

#![allow(clippy::print_stdout)] // an example prints

use std::ops::ControlFlow;
use std::sync::Arc;

use fokker::burn::tensor::{DType, TensorData};
use fokker::core::{
    Adaptive, Denoiser, Dense, Divergence, Guidance, Guided, LikelihoodSettings, Measured, Method,
    Ode, Oracle, Pair, Plan, Probe, Progress, RowNoise, Sampler, decode, log_likelihood, sample,
};
use fokker::math::grid::{GRIDS, Grid};
use fokker::math::mixture::GaussianMixture;
use fokker::math::scheduler::{CondOt, Scheduler, scheduler};
use fokker::math::stats::energy_distance;
use fokker::math::tableau::DORMAND_PRINCE;
use fokker::sim::rng::Purpose;
use fokker::{Device, SAMPLERS, State, sampler};

/// Rows of numbers as a batch in f64.
fn state(values: &[f64], dim: usize) -> State {
    let data = TensorData::new(values.to_vec(), [values.len() / dim, dim]);
    State::from_data(data, (&Device::flex(), DType::F64))
}

fn values(x: State) -> Vec<f64> {
    let values = x.into_data().convert::<f64>().try_to_vec();
    values.expect("converted to f64")
}

/// `rows` points of standard normal noise in the plane.
fn normals(seed: u64, rows: usize) -> State {
    use fokker::core::Noise;
    let mut noise = RowNoise::new(seed, Purpose::Init, 0, &Device::flex());
    noise.normal(rows, 2).cast(DType::F64)
}

// ANCHOR: walk
/// Where `sampler` takes `x` along `times`.
fn walk(model: &dyn Denoiser, sampler: Sampler, x: State, times: &[f64]) -> Vec<f64> {
    let mut stepper = sampler.start(Default::default());
    let mut noise = RowNoise::new(0, Purpose::Solver, 0, &Device::flex());
    let go_on = &mut |_: Progress| ControlFlow::Continue(());
    let end = sample(model, &mut *stepper, x, times, &mut noise, go_on);
    values(end.expect("nobody stops it"))
}
// ANCHOR_END: walk

/// The root mean square distance of two lists of points in the plane.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    let square: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
    (square / (a.len() / 2) as f64).sqrt()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // ANCHOR: fine
    let ring = GaussianMixture::ring(8, 2.0, 0.4)?;
    let oracle = Oracle::new(ring.clone(), Arc::new(CondOt));
    let start = normals(0, 500);
    let fine = Ode {
        tolerance: 1e-10,
        ..Ode::default()
    };
    let go_on = &mut |_| ControlFlow::Continue(());
    let (exact, calls) = decode(&oracle, start.clone(), &fine, go_on)?;
    let exact = values(exact);
    println!("the flow itself, by Dormand and Prince to 1e-10: {calls} calls");
    // ANCHOR_END: fine

    // ANCHOR: errors
    for name in ["condot", "vp"] {
        let path: Arc<dyn Scheduler> = scheduler(name).ok_or("in the table")?.into();
        let model = Oracle::new(ring.clone(), path.clone());
        let exact = values(decode(&model, start.clone(), &fine, go_on)?.0);
        println!("\n{name:<12}      5        10        20        40 calls");
        let deterministic = |s: &Sampler| !s.is_stochastic() && matches!(s.spec.plan, Plan::Grid);
        for sampler in SAMPLERS.iter().map(Sampler::from).filter(deterministic) {
            let error = |calls: usize| {
                let times = Grid::Native.times(&*path, (calls / sampler.spec.calls).max(1));
                distance(&walk(&model, sampler, start.clone(), &times), &exact)
            };
            let [a, b, c, d] = [5, 10, 20, 40].map(error);
            let name = sampler.spec.name;
            println!("{name:<10} {a:>9.4} {b:>9.4} {c:>9.4} {d:>9.4}");
        }
    }
    // ANCHOR_END: errors

    // ANCHOR: adaptive
    println!("\nsteps chosen on 100 points, taken by all 500");
    for tolerance in [1e-2, 1e-4, 1e-6] {
        let solver = Adaptive {
            tableau: &DORMAND_PRINCE,
            rtol: tolerance,
            atol: tolerance,
        };
        let mut u = |t: f64, x: State| oracle.velocity(x, t).expect("known at every t");
        let pilot = solver.integrate(&mut u, normals(0, 100), 0.0, 1.0, go_on)?;
        let end = walk(&oracle, "dopri5".parse()?, start.clone(), &pilot.times);
        let (steps, error) = (pilot.times.len() - 1, distance(&end, &exact));
        println!("tolerance {tolerance:.0e}: {steps} steps, error {error:.0e}");
    }
    // ANCHOR_END: adaptive

    // ANCHOR: names
    println!("\none thing under two names: how far apart after 10 steps");
    for (one, other) in [
        ("ddim", "euler"),
        ("ddim", "dpm++1s"),
        ("ddim", "deis:1"),
        ("ddim", "lms:1"),
        ("ddim:1", "ddpm"),
        ("ddim:1", "euler-ancestral"),
        ("ddim:1", "dpm++1-sde"),
        ("dpm++3m", "exp-ab:3"),
        ("dpm++2m", "dpm++2m-sde:0"),
    ] {
        let times = Grid::Native.times(&CondOt, 10);
        let end = |name: &str| -> Result<Vec<f64>, Box<dyn std::error::Error>> {
            Ok(walk(&oracle, name.parse()?, start.clone(), &times))
        };
        let gap = distance(&end(one)?, &end(other)?);
        println!("{one:<8} {other:<16} {gap:.0e}");
    }
    // ANCHOR_END: names

    // ANCHOR: grids
    println!("\nerror after 8 steps  dpm++2m      ddim");
    for spec in GRIDS {
        let grid = (spec.make)(None).ok_or("every grid has a usual number")?;
        let times = grid.times(&CondOt, 8);
        let error = |name: &str| {
            let sampler = sampler(name).expect("in the table");
            distance(&walk(&oracle, sampler, start.clone(), &times), &exact)
        };
        let (two, one) = (error("dpm++2m"), error("ddim"));
        println!("{:<18} {two:>9.4} {one:>9.4}", spec.name);
    }
    // ANCHOR_END: grids

    // ANCHOR: noise
    let rows = 2000;
    let truth = values(decode(&oracle, normals(1, rows), &fine, go_on)?.0);
    let other = values(decode(&oracle, normals(2, rows), &fine, go_on)?.0);
    let level = energy_distance(&truth, &other, 2);
    println!("\nenergy distance after 10, 20 and 80 calls; of two exact samples {level:.4}");
    for name in [
        "euler",
        "heun",
        "ddpm",
        "euler-maruyama",
        "edm:20",
        "dpm++2m-sde",
        "dpm++2s-sde",
        "sde-heun",
        "pc",
    ] {
        let sampler: Sampler = name.parse()?;
        let [a, b, c] = [10, 20, 80].map(|calls| {
            let times = Grid::Native.times(&CondOt, calls / sampler.spec.calls);
            let end = walk(&oracle, sampler, normals(2, rows), &times);
            energy_distance(&end, &truth, 2)
        });
        println!("{name:<14} {a:.4} {b:.4} {c:.4}");
    }
    // ANCHOR_END: noise

    // ANCHOR: guidance
    let labelled = ring.clone().with_labels(&[0, 1, 2, 3, 4, 5, 6, 7])?;
    let first = labelled.given(0)?; // N((2, 0), 0.4²I)
    let both = || Pair {
        given: Oracle::new(first.clone(), Arc::new(CondOt)),
        null: oracle.clone(),
    };
    let interval = Guidance {
        interval: Some((0.5, 0.8)),
        ..Guidance::from(3.0)
    };
    println!();
    for guidance in [1.0.into(), 3.0.into(), interval] {
        let model = Guided::new(both(), &guidance, 0..500);
        let times = Grid::Cosine.times(&CondOt, 200);
        let end = walk(&model, "heun".parse()?, start.clone(), &times);
        let x = || end.iter().step_by(2);
        let mean = x().sum::<f64>() / 500.0;
        let spread = (x().map(|x| (x - mean).powi(2)).sum::<f64>() / 500.0).sqrt();
        println!("w = {guidance}: x₁ has mean {mean:.2} and standard deviation {spread:.2}");
    }
    let (x, t) = ([0.7, -0.4], 0.6);
    let mut closed = [0.0; 2];
    let exactly = labelled.guided(0, 3.0)?;
    exactly.at(&CondOt, t).velocity(&x, &mut closed);
    let model = Guided::new(both(), &3.0.into(), 0..1);
    let u = values(model.velocity(state(&x, 2), t).ok_or("0 < t < 1")?);
    println!("guided field {u:.6?}, in closed form {closed:.6?}");
    // ANCHOR_END: guidance

    // ANCHOR: inverse
    // z ~ N((1, 0), I), of which y = z₁ + z₂ + 0.5 n is 2: the posterior is Gaussian, of mean m + Aᵀ(y − A m)/S and
    // covariance I − AᵀA/S, S = A Aᵀ + 0.5².
    let prior = GaussianMixture::new(2, &[1.0], &[1.0, 0.0], &[1.0])?;
    let sum = Dense::new(1, 2, &[1.0, 1.0])?;
    let (y, sigma) = (2.0, 0.5);
    let s: f64 = 2.0 + sigma * sigma;
    let closed = [1.0 + 1.0 / s, 1.0 / s, 1.0 - 1.0 / s, -1.0 / s];
    println!(
        "\nposterior mean ({:.3}, {:.3}), variance {:.3}, covariance {:.3}",
        closed[0], closed[1], closed[2], closed[3]
    );
    for method in [Method::Mmps { iterations: 1 }, Method::Dps { zeta: 1.0 }] {
        let model = Oracle::new(prior.clone(), Arc::new(CondOt));
        let model = Measured::new(model, &sum, state(&[y], 1), sigma, method)?;
        // The flow is affine: three points tell the whole law.
        let times = Grid::Cosine.times(&CondOt, 200);
        let end = walk(
            &model,
            "heun".parse()?,
            state(&[0.0, 0.0, 1.0, 0.0, 0.0, 1.0], 2),
            &times,
        );
        let [a, b, c, d] = [2, 4, 3, 5].map(|i| end[i] - end[i % 2]);
        let found = [end[0], end[1], a * a + b * b, a * c + b * d];
        let off = found
            .iter()
            .zip(closed)
            .map(|(f, c)| (f - c).abs())
            .fold(0.0, f64::max);
        println!(
            "{method:?}: ({:.3}, {:.3}), {:.3}, {:.3}; off by at most {off:.0e}",
            found[0], found[1], found[2], found[3]
        );
    }
    // ANCHOR_END: inverse

    // ANCHOR: mixture
    // Of the ring only z₁ = 1.5 is known, to 0.3. Which share of the posterior is in the mode at (2, 0)?
    let look = Dense::new(1, 2, &[1.0, 0.0])?;
    let means: Vec<f64> = (0..8).map(|k| ring.mean(k)[0]).collect();
    let seen = GaussianMixture::new(1, &[1.0; 8], &means, &[0.4_f64.hypot(0.3); 8])?;
    let share = seen.responsibilities(&[1.5])[0];
    println!("\nshare of the mode at (2, 0): {share:.3}");
    for method in [Method::Mmps { iterations: 1 }, Method::Dps { zeta: 1.0 }] {
        let model = Measured::new(oracle.clone(), &look, state(&[1.5], 1), 0.3, method)?;
        let times = Grid::Cosine.times(&CondOt, 100);
        let end = walk(&model, "heun".parse()?, normals(3, rows), &times);
        // A sum of probabilities is less noisy than a count.
        let found: f64 = end.chunks(2).map(|z| ring.responsibilities(z)[0]).sum();
        println!("{method:?}: {:.3}", found / rows as f64);
    }
    // ANCHOR_END: mixture

    // ANCHOR: likelihood
    let points = [2.0, 0.0, 1.2, 0.8, 1.5, 1.0, -3.0, 2.5];
    let probe = |antithetic| Divergence::Hutchinson {
        law: Probe::Rademacher,
        probes: 1,
        antithetic,
    };
    let find = |divergence| {
        let settings = LikelihoodSettings {
            ode: Ode {
                tolerance: 1e-6,
                ..Ode::default()
            },
            divergence,
            seed: 0,
        };
        let go_on = &mut |_| ControlFlow::Continue(());
        log_likelihood(&oracle, state(&points, 2), &[0, 1, 2, 3], &settings, go_on)
    };
    let exactly = find(Divergence::Exact)?.log_p;
    let (one, with_partner) = (find(probe(false))?.log_p, find(probe(true))?.log_p);
    println!("\nlog p: closed form, exact divergence, one probe, the same with its partner");
    for (i, point) in points.chunks(2).enumerate() {
        let closed = ring.log_density(point);
        let (a, b, c) = (exactly[i], one[i], with_partner[i]);
        let point = format!("{point:?}");
        println!("{point:<11} {closed:>10.5} {a:>10.5} {b:>10.5} {c:>10.5}");
    }
    // ANCHOR_END: likelihood
    Ok(())
}
