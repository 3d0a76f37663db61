//! Two ways to a checkerboard: from noise, and from circles.

use std::sync::Arc;

use fokker_core::ProbabilityPath;
use fokker_eval::figure::{Plane, View};
use fokker_lab::check::Check;
use fokker_lab::report::LabSection;
use fokker_math::diffusion::Diffusion;
use fokker_math::interpolant::Linear;
use fokker_math::scheduler::CondOt;

use super::LabError;
use super::bench::{Bench, Job, model, toy_set};
use super::measure::w2_over_floor;
use super::points::{Points, at, pairs, to_state};

pub(super) const NOISE: &str = "From noise to a checkerboard";
pub(super) const CIRCLES: &str = "From circles to a checkerboard";

const NOISE_THEORY: &str = "\
No closed form, hard edges: eight squares of a board. The field must send neighbouring points to different squares, and its network must be \
able to: four layers of 128 with sinusoidal features of t. How good the samples are is measured by what is known of the data: the share of samples \
on a square (1 for the data, ½ for a blur), and the 2-Wasserstein distance to fresh data over that of data to data.";

const CIRCLES_THEORY: &str = "\
The same from another start: two circles instead of noise, along x = (1 − t) x₀ + t x₁ with independent x₀ and x₁ and target x₁ − x₀. \
Nothing is Gaussian here, so there is no score to be had from the field and no stochastic sampler; the flow works as before. Lines of data are \
thin, and a flow has to tear them: what stays between the squares is the price of its continuity.";

const COUNT: usize = 8000;
const WALK: usize = 100;
const SHOWN: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

pub(super) fn from_noise(bench: &mut Bench<'_>) -> Result<LabSection, LabError> {
    section(bench, false)
}

pub(super) fn from_circles(bench: &mut Bench<'_>) -> Result<LabSection, LabError> {
    section(bench, true)
}

fn section(bench: &mut Bench<'_>, circles: bool) -> Result<LabSection, LabError> {
    let mut job = Job::new(toy_set("checkerboard", bench.seed())?, Arc::new(CondOt));
    (job.hidden, job.time_features) = (vec![128; 4], 16);
    (job.steps, job.lr) = (7000, 4e-3);
    if circles {
        job.path = ProbabilityPath::between(Arc::new(Linear));
        job.source = Some(toy_set("circles", bench.seed())?);
    }
    let trained = bench.train(job, (0.0, 0.85))?;

    let start: Points = if circles {
        items(&toy_set("circles", bench.seed())?, 0, COUNT)
    } else {
        let mut cursor = bench.cursor();
        let normal = |_| (cursor.normal_f64(), cursor.normal_f64());
        (0..COUNT).map(normal).collect()
    };
    let keep: Vec<usize> = (0..=WALK).collect();
    let x0 = to_state(&start, &bench.device);
    let how = ("heun", Diffusion::default());
    let states = bench.walk(&*model(&trained.flow), how, x0, WALK, &keep)?;
    bench.tell(0.95)?;
    let ends = &states[WALK];
    let inside = ends.iter().filter(|p| dark(**p)).count() as f64 / COUNT as f64;
    let ratio = ratio(bench, ends)?;
    let (title, theory) = if circles {
        (CIRCLES, CIRCLES_THEORY)
    } else {
        (NOISE, NOISE_THEORY)
    };
    let mut plane = Plane::new(title)
        .subtitle(format!(
            "{} parameters; 4 000 samples at five times",
            trained.parameters
        ))
        .columns(3);
    for t in SHOWN {
        let k = (t * WALK as f64) as usize;
        let points = states[k].iter().take(4000).copied().collect();
        plane = plane.view(View::new(at(t), (-4.8, 4.8), (-4.8, 4.8)).points("samples", points));
    }
    let checks = vec![
        Check::number(
            "share of samples on a square of the board",
            inside,
            1.0,
            0.12,
            3,
        ),
        Check::number(
            "W₂ to the data over its floor, 20 pairs of 400 points",
            ratio,
            1.0,
            0.2,
            3,
        ),
    ];
    Ok(LabSection::new(title, theory)
        .figure(plane, "")
        .checks(checks))
}

/// Is this point on a square that the data live on?
fn dark((x, y): (f64, f64)) -> bool {
    let within = x.abs() < 4.0 && y.abs() < 4.0;
    within && ((x / 2.0).floor() + (y / 2.0).floor()) as i64 % 2 == 0
}

fn items(data: &Arc<dyn fokker_data::Dataset>, first: u64, count: usize) -> Points {
    let mut values = vec![0.0; 2 * count];
    for (row, index) in values.chunks_exact_mut(2).zip(first..) {
        data.item(index, row);
    }
    pairs(&values)
}

/// Points in a set that W₂ is computed on: 20 pairs of the 8,000 samples.
const SET: usize = 400;

fn ratio(bench: &mut Bench<'_>, ends: &[(f64, f64)]) -> Result<f64, LabError> {
    let data = toy_set("checkerboard", bench.seed())?;
    let mut drawn = 0;
    w2_over_floor(ends, SET, &mut |n| {
        let points = items(&data, drawn, n);
        drawn += n as u64;
        points
    })
}
