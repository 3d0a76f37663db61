//! Straight paths by optimal transport within the batch.

use std::sync::Arc;

use fokker_core::ProbabilityPath;
use fokker_data::{Dataset, Shape, ToyConfig, toy};
use fokker_eval::figure::{Plane, View};
use fokker_lab::check::Check;
use fokker_lab::report::LabSection;
use fokker_math::diffusion::Diffusion;
use fokker_math::interpolant::Linear;
use fokker_math::scheduler::CondOt;
use fokker_math::transport::{Coupling, Method, wasserstein2};
use fokker_sim::rng::{Purpose, Stream};

use super::LabError;
use super::bench::{Bench, Job, Trained, model};
use super::measure::w2_over_floor;
use super::points::{Points, flat, pairs, to_state};

pub(super) const TITLE: &str = "Couplings: straight paths by optimal transport";

const THEORY: &str = "\
Nothing in flow matching asks that start and end of a pair be independent. Pairing each batch by optimal transport, so that the total \
squared distance is least, gives a field whose paths hardly cross: nearly straight lines, quick to integrate. In the limit of large batches \
the flow is the optimal transport map itself, whose path energy E∫‖uₜ(xₜ)‖² dt is the squared Wasserstein distance W₂² between start \
and data, the least that any flow can have. The normalised path energy |energy − W₂²|/W₂² measures the distance to it.\n\n\
Two problems of the literature (Tong et al. 2024): N(0, I) → eight Gaussians, and moons → eight Gaussians, with independent pairs and with \
optimal ones. The second has no noise anywhere: data to data, along x = (1 − t)x₀ + t x₁.";

/// The moons of the literature: half circles with uniform noise of 0.2, times 3, less 1.
struct Moons {
    seed: u64,
}

impl Dataset for Moons {
    fn name(&self) -> &str {
        "moons, times 3, less 1"
    }

    fn shape(&self) -> Shape {
        Shape::Vector(2)
    }

    fn item(&self, index: u64, out: &mut [f32]) -> Option<u32> {
        let mut cursor = Stream::new(self.seed, Purpose::Data, index, 0).cursor();
        let angle = std::f64::consts::PI * cursor.uniform_f64();
        let upper = cursor.uniform_f64() < 0.5;
        let (x, y) = if upper {
            (angle.cos(), angle.sin())
        } else {
            (1.0 - angle.cos(), 0.5 - angle.sin())
        };
        for (out, x) in out.iter_mut().zip([x, y]) {
            *out = (3.0 * (x + 0.2 * cursor.uniform_f64()) - 1.0) as f32;
        }
        None
    }
}

const STEPS: u64 = 5000;
const BATCH: usize = 256;
const WALK: usize = 100;

pub(super) fn section(bench: &mut Bench<'_>) -> Result<LabSection, LabError> {
    let problems = [
        ("N(0, I) → 8 Gaussians", false, 0.02),
        ("moons → 8 Gaussians", true, 0.06),
    ];
    let mut plane = Plane::new("Paths from the same starts")
        .subtitle("200 trajectories of the learned flow and their ends")
        .columns(2);
    let mut checks = Vec::new();
    let mut energies = Vec::new();
    for (k, (name, from_moons, limit)) in problems.into_iter().enumerate() {
        for (j, optimal) in [false, true].into_iter().enumerate() {
            let share = (2 * k + j) as f64 / 4.0;
            let trained = train(bench, from_moons, optimal, (share, share + 0.2))?;
            let measured = measure(bench, &trained, from_moons)?;
            let pairing = if optimal {
                "optimal pairs"
            } else {
                "independent pairs"
            };
            let title = format!("{name}, {pairing}");
            let paths: Vec<Points> = (0..200)
                .map(|i| measured.states.iter().map(|s| s[i]).collect())
                .collect();
            let ends = measured.states[WALK].iter().take(1000).copied().collect();
            let note = format!(
                "path energy {:.2}, W₂² {:.2}",
                measured.energy, measured.cost
            );
            let view = View::new(title, (-7.0, 7.0), (-7.0, 7.0))
                .paths("", paths)
                .points("ends", ends);
            plane = plane.view(view.note(note));
            let npe = (measured.energy - measured.cost).abs() / measured.cost;
            energies.push(npe);
            if optimal {
                checks.push(Check::error(
                    format!("{name}, optimal pairs: normalised path energy"),
                    npe,
                    limit,
                ));
                checks.push(Check::error(
                    format!(
                        "   as a share of that of independent pairs, {:.2}",
                        energies[2 * k]
                    ),
                    npe / energies[2 * k],
                    0.1,
                ));
            }
            checks.push(Check::number(
                format!("{name}, {pairing}: W₂ to the data over its floor, {PAIRS} pairs of {SET} points"),
                measured.ratio,
                1.0,
                0.25,
                3,
            ));
        }
    }
    Ok(LabSection::new(TITLE, THEORY)
        .figure(
            plane,
            "Left: independent pairs. Right: optimal pairs within batches of 256. Same network, same number of steps.",
        )
        .checks(checks))
}

fn eight(seed: u64) -> Result<Arc<dyn Dataset>, LabError> {
    Ok(Arc::new(toy(&ToyConfig {
        modes: Some(8),
        radius: Some(5.0),
        std: Some(0.1f64.sqrt()),
        ..ToyConfig::new("ring").with_seed(seed)
    })?))
}

fn train(
    bench: &mut Bench<'_>,
    from_moons: bool,
    optimal: bool,
    shares: (f64, f64),
) -> Result<Trained, LabError> {
    let mut job = Job::new(eight(bench.seed())?, Arc::new(CondOt));
    if from_moons {
        job.path = ProbabilityPath::between(Arc::new(Linear));
        job.source = Some(Arc::new(Moons { seed: bench.seed() }));
    }
    if optimal {
        job.coupling = Some(Coupling {
            method: Method::Optimal,
            class_aware: false,
        });
    }
    (job.steps, job.batch) = (STEPS, BATCH);
    job.lr = 4e-3;
    bench.train(job, shares)
}

struct Measured {
    states: Vec<Points>,
    energy: f64,
    cost: f64,
    ratio: f64,
}

/// Points in a set that W₂ is computed on.
const SET: usize = 400;
const PAIRS: usize = 50;

fn measure(
    bench: &mut Bench<'_>,
    trained: &Trained,
    from_moons: bool,
) -> Result<Measured, LabError> {
    const COUNT: usize = SET * PAIRS;
    let data = eight(bench.seed())?;
    let mut drawn = 0;
    let mut fresh = |n: usize| -> Points {
        let mut values = vec![0.0; 2 * n];
        for row in values.chunks_exact_mut(2) {
            data.item(drawn, row);
            drawn += 1;
        }
        pairs(&values)
    };
    let moons = Moons { seed: bench.seed() };
    let mut cursor = bench.cursor();
    let start: Points = (0..COUNT as u64)
        .map(|i| {
            if from_moons {
                let mut row = [0.0; 2];
                moons.item(i, &mut row);
                (f64::from(row[0]), f64::from(row[1]))
            } else {
                (cursor.normal_f64(), cursor.normal_f64())
            }
        })
        .collect();
    let keep: Vec<usize> = (0..=WALK).collect();
    let x0 = to_state(&start, &bench.device);
    let how = ("heun", Diffusion::default());
    let states = bench.walk(&*model(&trained.flow), how, x0, WALK, &keep)?;
    // E∫‖ẋ‖² dt along the solved paths.
    let h = 1.0 / WALK as f64;
    let steps = states.windows(2).flat_map(|w| w[0].iter().zip(&w[1]));
    let energy = steps.map(|(a, b)| (a.0 - b.0).powi(2) + (a.1 - b.1).powi(2));
    let energy = energy.sum::<f64>() / (h * COUNT as f64);
    // W₂² between start and data, over sets as large as is quick.
    let cost: Vec<f64> = (0..4)
        .map(|k| {
            let a = flat(&start[k * 2000..(k + 1) * 2000]);
            wasserstein2(&a, &flat(&fresh(2000)), 2).powi(2)
        })
        .collect();
    let ratio = w2_over_floor(&states[WALK], SET, &mut fresh)?;
    Ok(Measured {
        states,
        energy,
        cost: cost.iter().sum::<f64>() / cost.len() as f64,
        ratio,
    })
}
