//! Flow matching: the marginal field, learned.

use std::sync::Arc;

use fokker_core::{Oracle, ProbabilityPath};
use fokker_eval::figure::{LineChart, Plane, Series};
use fokker_lab::check::{Check, short};
use fokker_lab::report::LabSection;
use fokker_math::diffusion::Diffusion;
use fokker_math::mixture::GaussianMixture;
use fokker_math::scheduler::CondOt;

use super::LabError;
use super::bench::{Bench, Job, Trained, model};
use super::marginal::{SHOWN, floor, ring, ring_data, view};
use super::measure::{self, errors, exact_velocity};
use super::points::{Points, draw, of_state, to_state};

pub(super) const TITLE: &str = "Flow matching: learning the marginal field";

const THEORY: &str = "\
The marginal field is an average that nobody can compute for real data. But the regression \
L(θ) = E‖uᶿₜ(xₜ) − uₜ(xₜ|z)‖² on the conditional field, at random t, z and ε, has the marginal field as its minimum: \
L = E‖uᶿ − uₜ‖² + C, where C ≥ 0 is the mean posterior variance of the target. So the loss does not go to 0, and how far it is \
from C says how good the field is. For this mixture C = 18.196 (summed over both coordinates).\n\n\
A network of four layers of 64, given (x, t), learns from batches of 1 000, on CondOT: x = tz + (1 − t)ε, target z − ε.";

/// The field that this section and the next ones use.
pub(super) fn trained(bench: &mut Bench<'_>, shares: (f64, f64)) -> Result<Trained, LabError> {
    if let Some(trained) = &bench.ring {
        return Ok(trained.clone());
    }
    let data = ring_data(bench.seed())?;
    let mut job = Job::new(data, Arc::new(CondOt));
    job.steps = STEPS;
    job.lr = 4e-3;
    let trained = bench.train(job, shares)?;
    bench.ring = Some(trained.clone());
    Ok(trained)
}

const STEPS: u64 = 12_000;

/// Midpoints of twenty slices of [0, 1].
pub(super) fn times() -> Vec<f64> {
    (0..20).map(|i| (f64::from(i) + 0.5) / 20.0).collect()
}

pub(super) fn section(bench: &mut Bench<'_>) -> Result<LabSection, LabError> {
    const WALK: usize = 100;
    const COUNT: usize = 2000;
    let mixture = ring()?;
    let trained = trained(bench, (0.0, 0.85))?;
    let exact_floor = floor(&mixture);

    let mut cursor = bench.cursor();
    let start: Points = (0..COUNT)
        .map(|_| (cursor.normal_f64(), cursor.normal_f64()))
        .collect();
    let x0 = to_state(&start, &bench.device);
    let keep: Vec<usize> = (0..=WALK).collect();
    let how = ("heun", Diffusion::default());
    let learned = bench.walk(&*model(&trained.flow), how, x0.clone(), WALK, &keep)?;
    let oracle = Oracle::new(mixture.clone(), Arc::new(CondOt));
    let exact = bench.walk(&oracle, how, x0, WALK, &keep)?;
    bench.tell(0.93)?;

    let compare = measure::velocity(&mixture);
    let found = errors(
        &trained.flow,
        &mixture,
        &times(),
        2000,
        &mut cursor,
        &*compare,
    );
    let field = measure::mean(&found);
    let (loss, se) = validation(&trained, &mixture, bench);
    let (distance, level) =
        measure::energy(&learned[WALK], &mut measure::sampler(&mixture, &mut cursor));
    let apart = learned[WALK].iter().zip(&exact[WALK]);
    let apart = apart
        .map(|(a, b)| (a.0 - b.0).hypot(a.1 - b.1))
        .sum::<f64>()
        / COUNT as f64;
    let checks = vec![
        Check::number(
            format!(
                "loss on fresh examples (s.e. {}) against its floor, within 1 %",
                short(se)
            ),
            loss,
            exact_floor,
            0.01 * exact_floor,
            3,
        ),
        Check::error(
            "relative L² error of the field, averaged over pₜ and t",
            field.relative(),
            0.02,
        ),
        Check::error(
            "energy distance of 2 000 samples to the data",
            distance,
            level,
        ),
    ];
    Ok(LabSection::new(TITLE, THEORY)
        .figure(
            losses(&trained, exact_floor),
            format!(
                "{} parameters, {} steps of 1 000 examples. The loss of a batch is noisy; the network is as good as its \
                 distance to the dashed line, which no network crosses but by chance.",
                trained.parameters, STEPS
            ),
        )
        .checks(checks)
        .figure(
            marginals(&mixture, &learned, WALK),
            format!(
                "Colour: the exact pₜ. Dots: 2 000 samples of the learned flow (Heun, {WALK} steps). From the same noise, \
                 learned and exact flow end {apart:.2} apart on average; most of it are the few points that a border between two modes divides."
            ),
        )
        .figure(
            error_curve(&found),
            "Relative error of the learned field at each time. Early, the field is almost linear; late, modes are apart \
             and each pulls for itself; between them it turns.",
        ))
}

/// The loss on fresh examples, with its standard error. The difference of learned and exact field's losses on
/// the same examples, plus the floor: the same expectation with a fraction of the noise.
fn validation(trained: &Trained, mixture: &GaussianMixture, bench: &mut Bench<'_>) -> (f64, f64) {
    const COUNT: usize = 100_000;
    let mut cursor = bench.cursor();
    let learned = model(&trained.flow);
    let path = ProbabilityPath::gaussian(Arc::new(CondOt));
    let (mut sum, mut square, mut n) = (0.0, 0.0, 0.0);
    for t in (0..100).map(|i| (f64::from(i) + 0.5) / 100.0) {
        let c = path.scheduler().at(t);
        let (mut xs, mut targets) = (Points::new(), Points::new());
        for _ in 0..COUNT / 100 {
            let z = draw(mixture, &mut cursor);
            let e = (cursor.normal_f64(), cursor.normal_f64());
            xs.push((c.alpha * z.0 + c.beta * e.0, c.alpha * z.1 + c.beta * e.1));
            targets.push((
                c.d_alpha * z.0 + c.d_beta * e.0,
                c.d_alpha * z.1 + c.d_beta * e.1,
            ));
        }
        let found = learned.velocity(to_state(&xs, &bench.device), t);
        let found = of_state(&found.expect("a velocity inside (0, 1)"));
        let exact = exact_velocity(mixture, &CondOt, &xs, t);
        for ((f, e), target) in found.iter().zip(&exact).zip(&targets) {
            let error = |u: &(f64, f64)| (u.0 - target.0).powi(2) + (u.1 - target.1).powi(2);
            let difference = error(f) - error(e);
            sum += difference;
            square += difference * difference;
            n += 1.0;
        }
    }
    let mean = sum / n;
    (
        floor(mixture) + mean,
        ((square / n - mean * mean) / n).sqrt(),
    )
}

fn losses(trained: &Trained, floor: f64) -> LineChart {
    // The trainer's loss is the mean over the two coordinates.
    let points: Points = trained.losses.iter().map(|(s, l)| (*s, 2.0 * l)).collect();
    LineChart::new("Training loss")
        .x_label("step")
        .y_label("loss, sum over coordinates")
        .y_range(16.0, 30.0)
        .series(Series::new("loss of the batch", points).smoothed(100))
        .reference(floor, format!("floor {floor:.2}"))
}

fn marginals(mixture: &GaussianMixture, learned: &[Points], steps: usize) -> Plane {
    let mut plane = Plane::new("The marginal path, learned and exact").columns(3);
    for t in SHOWN {
        let points = learned[(t * steps as f64) as usize].clone();
        plane = plane.view(view(mixture, &CondOt, t).points("learned flow", points));
    }
    plane
}

fn error_curve(found: &[measure::Errors]) -> LineChart {
    let points = times()
        .into_iter()
        .zip(found.iter().map(|e| 100.0 * e.relative()));
    LineChart::new("Error of the learned field")
        .x_label("t")
        .y_label("relative L² error, %")
        .series(Series::new("velocity", points.collect()))
}
