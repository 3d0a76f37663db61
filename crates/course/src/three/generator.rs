//! What every trained generator is shown by and held to.

use std::sync::Arc;

use burn::tensor::TensorData;
use fokker_core::{Draw, Guidance, Model, ProbabilityPath, State, sampler};
use fokker_data::Dataset;
use fokker_eval::figure::{LineChart, Series, number};
use fokker_lab::check::{Check, Verdict, fixed};
use fokker_lab::report::LabSection;
use fokker_math::scheduler::CondOt;
use fokker_sim::rng::{Purpose, normal_rows};
use fokker_train::{FlowTask, Task};

use super::LabError;
use super::bench::{Bench, Generator, Outcomes};
use super::linear::Least;
use super::pictures::{by_class, film, pictures, sheets};

/// The weights of guidance that grids are made for.
pub(super) const WEIGHTS: [f64; 3] = [1.0, 3.0, 5.0];
/// Samples of each class on a grid.
const EACH: usize = 10;
/// Steps of a sampling.
const STEPS: usize = 25;

/// A number that may not be larger than an exact bound.
pub(super) fn below(name: impl Into<String>, measured: f64, bound: f64) -> Check {
    bounded(
        name,
        measured,
        measured - bound,
        format!("≤\u{a0}{}", fixed(bound, 3)),
    )
}

/// A number that may not be smaller than a bound.
pub(super) fn at_least(name: impl Into<String>, measured: f64, bound: f64) -> Check {
    bounded(
        name,
        measured,
        bound - measured,
        format!("≥\u{a0}{}", fixed(bound, 3)),
    )
}

fn bounded(name: impl Into<String>, measured: f64, beyond: f64, words: String) -> Check {
    Check {
        name: name.into(),
        measured: fixed(measured, 3),
        exact: "–".into(),
        tolerance: words,
        passed: beyond <= 0.0,
        verdict: Verdict::Number {
            measured: beyond.max(0.0),
            exact: 0.0,
            tolerance: 0.0,
        },
    }
}

/// A draw of `count` samples, classes in turn, with guidance of weight `w`.
pub(super) fn draw(seed: u64, count: usize, w: f64) -> Draw {
    Draw {
        sampler: sampler("heun").expect("Heun is in the table"),
        steps: STEPS,
        guidance: Guidance {
            weights: vec![w],
            ..Guidance::default()
        },
        seed,
        count,
        ..Draw::default()
    }
}

/// The loss curve with the bounds, and the loss of the final network beside them.
pub(super) fn training(
    bench: &mut Bench<'_>,
    section: LabSection,
    (name, generator): (&'static str, &Generator),
    seen: Arc<dyn Dataset>,
    least: &Least,
) -> Result<LabSection, LabError> {
    let (loss, error) = final_loss(bench, generator, seen)?;
    let mut chart = LineChart::new("Training loss")
        .x_label("step")
        .y_label("mean over numbers of a sample")
        .y_range(0.0, 1.2 * least.constant.max(loss))
        .series(Series::new("loss", generator.losses.clone()).smoothed(9))
        .reference(
            least.constant,
            format!("best constant {:.3}", least.constant),
        );
    let (what, bound) = match least.affine {
        Some(affine) => ("best affine prediction", affine),
        None => ("best prediction number by number", least.each),
    };
    chart = chart.reference(bound, format!("{what} {bound:.3}"));
    let info = generator.run.info();
    let caption = format!(
        "{} parameters, {} steps of {} images ({:.1} times each) in {:.1} minutes. The final network, a moving average, has {} ± {} on fresh \
         noise and times.",
        number(info.parameters as f64),
        generator.training.steps,
        generator.training.batch,
        generator.training.items() as f64 / info.items.unwrap_or(1) as f64,
        generator.seconds / 60.0,
        fixed(loss, 4),
        fixed(error, 4),
    );
    let mut checks = vec![below(
        format!("{name}: loss, plus 3 s.e., against the best constant prediction"),
        loss + 3.0 * error,
        least.constant,
    )];
    // In latents the network's head is narrower than the latent: it is not held to a prediction of every number.
    if least.affine.is_some() && bench.plan.is_long(generator.training) {
        checks.push(below(
            format!("{name}: loss, plus 3 s.e., against the {what}"),
            loss + 3.0 * error,
            bound,
        ));
    }
    Ok(section.figure(chart, caption).checks(checks))
}

/// The loss of the moving average on other noise and times than those of the training, with its standard error.
fn final_loss(
    bench: &Bench<'_>,
    generator: &Generator,
    data: Arc<dyn Dataset>,
) -> Result<(f64, f64), LabError> {
    const BATCHES: u64 = 12;
    const ROWS: usize = 64;
    let config = generator.run.config();
    let path = ProbabilityPath::gaussian(Arc::new(CondOt));
    let mut objective = config.objective.clone();
    objective.label_drop = 0.0;
    // Another seed: other noise, other times, another order of the same images.
    let task = FlowTask::new(data, path, objective, !config.seed);
    let mut losses = Vec::new();
    for step in 0..BATCHES {
        let batch = task.examples(step, ROWS)?;
        let loss = task.loss(&generator.flow.network, batch, &bench.device());
        losses.push(loss.into_scalar::<f64>());
    }
    let n = losses.len() as f64;
    let mean = losses.iter().sum::<f64>() / n;
    let variance = losses.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Ok((mean, (variance / n).sqrt()))
}

/// The algebra of guidance, at states on the way: ũ = u(x|∅) + w (u(x|y) − u(x|∅)).
pub(super) fn algebra(
    bench: &Bench<'_>,
    (name, generator): (&'static str, &Generator),
) -> Vec<Check> {
    const ROWS: usize = 10;
    let (flow, device) = (&generator.flow, bench.device());
    let mut x = vec![0.0; ROWS * flow.dim];
    normal_rows(
        bench.lab.seed,
        Purpose::Test,
        0..ROWS as u64,
        1,
        flow.dim,
        &mut x,
    );
    let x = State::from_data(TensorData::new(x, [ROWS, flow.dim]), &device);
    let t = 0.4;
    let guided = |w: f64| {
        let draw = draw(0, ROWS, w);
        let u = flow.denoiser(&draw, 0..ROWS as u64).velocity(x.clone(), t);
        values(u.expect("a velocity inside (0, 1)"))
    };
    let given = |classes: &[u32]| {
        let model = Model::new(&flow.network, flow.path.clone(), flow.output, &device);
        let u = fokker_core::Denoiser::velocity(&model.given(classes), x.clone(), t);
        values(u.expect("a velocity inside (0, 1)"))
    };
    let classes: Vec<u32> = (0..ROWS).map(|i| (i % flow.classes) as u32).collect();
    let (y, none) = (given(&classes), given(&[flow.classes as u32; ROWS]));
    let size = y.iter().map(|v| v.abs()).fold(0.0, f64::max);
    let off = |a: &[f64], b: &mut dyn Iterator<Item = f64>| {
        let apart = a.iter().zip(b).map(|(a, b)| (a - b).abs());
        apart.fold(0.0, f64::max) / size
    };
    let line = |w: f64| -> Vec<f64> {
        let pairs = none.iter().zip(&y);
        pairs.map(|(n, y)| n + w * (y - n)).collect()
    };
    vec![
        Check::error(
            format!(
                "{name}: guidance w = 1 against the network given the class, largest difference"
            ),
            off(&guided(1.0), &mut y.iter().copied()),
            1e-6,
        ),
        Check::error(
            format!("{name}: guidance w = 0 against the network given ∅"),
            off(&guided(0.0), &mut none.iter().copied()),
            1e-6,
        ),
        Check::error(
            format!("{name}: guidance w = 3 against u(∅) + 3 (u(y) − u(∅))"),
            off(&guided(3.0), &mut line(3.0).into_iter()),
            1e-5,
        ),
    ]
}

fn values(x: State) -> Vec<f64> {
    let values = x.into_data().try_to_vec::<f32>().expect("states are f32");
    values.into_iter().map(f64::from).collect()
}

/// Grids at w = 1, 3, 5, a film, and what guidance does in numbers.
pub(super) fn guidance(
    bench: &mut Bench<'_>,
    mut section: LabSection,
    (name, generator): (&'static str, &Generator),
    shares: (f64, f64),
) -> Result<(LabSection, Outcomes), LabError> {
    let shape = bench.data.shape();
    let names = bench.data.classes().to_vec();
    let classes = names.len();
    let count = bench.plan.judged.max(EACH * classes);
    let mut guided = Vec::new();
    let mut movie = None;
    for (k, w) in WEIGHTS.into_iter().enumerate() {
        let part = (shares.1 - shares.0) / WEIGHTS.len() as f64;
        let from = shares.0 + part * k as f64;
        let film_of = if w == 3.0 { 2 * classes } else { 0 };
        let draw = draw(bench.lab.seed, count, w);
        let (values, frames) = bench.sample(generator, &draw, film_of, (from, from + part))?;
        let shown = &values[..EACH * classes * shape.size()];
        let images = by_class(&pictures(shown, shape)?, classes);
        let (agreement, spread) = judged(bench, &values, classes);
        section = section.pictures(
            sheets(&images, EACH, 2, Some(names.clone()), None)?,
            format!(
                "w = {w}: {EACH} samples of each class, none chosen. The judge finds the class that was asked for in {:.1} % of {count}; \
                 samples of one class vary {:.0} % as much as its images do.",
                100.0 * agreement,
                100.0 * spread
            ),
        );
        if film_of > 0 {
            movie = Some(film(&frames, shape, classes)?);
        }
        guided.push((w, agreement, spread));
    }
    if let Some(movie) = movie {
        let decoded = match generator.latent {
            Some(_) => " The walk is one in latents; every step is decoded.",
            None => "",
        };
        section = section.movie(
            [movie.clone(), movie],
            &format!("From noise to images at w = 3, {STEPS} steps of Heun: two samples of each class.{decoded}"),
        );
    }
    let chart = LineChart::new("What guidance does")
        .x_label("w")
        .y_label("share")
        .y_range(0.0, 1.2)
        .series(Series::new(
            "class agreement",
            guided.iter().map(|g| (g.0, g.1)).collect(),
        ))
        .series(Series::new(
            "variety within a class, over the data's",
            guided.iter().map(|g| (g.0, g.2)).collect(),
        ));
    let (_, accuracy) = bench
        .judge
        .as_ref()
        .expect("the judge's section comes first");
    let accuracy = *accuracy;
    let section = section.figure(
        chart.reference(accuracy, format!("judge on real images {accuracy:.2}")),
        "Guidance moves samples towards what tells their class from the others: they are recognised more often, and are more alike.",
    );
    // Agreement beyond chance by five standard errors at the strongest guidance.
    let chance = 1.0 / classes as f64;
    let best = guided.iter().map(|g| g.1).fold(0.0, f64::max);
    let section = section.checks([at_least(
        format!(
            "{name}: the best class agreement of the three, against chance by 5 standard errors"
        ),
        best,
        chance + 5.0 * (chance * (1.0 - chance) / count as f64).sqrt(),
    )]);
    Ok((
        section,
        Outcomes {
            name,
            parameters: generator.run.info().parameters,
            items: generator.training.items(),
            seconds: generator.seconds,
            guided,
        },
    ))
}

/// The share of samples that the judge finds right, and the root mean square distance of samples to their class's mean, over
/// that of the data. Classes come in turn.
fn judged(bench: &Bench<'_>, values: &[f32], classes: usize) -> (f64, f64) {
    let dim = bench.data.shape().size();
    let (judge, _) = bench
        .judge
        .as_ref()
        .expect("the judge's section comes first");
    let found = judge.predict(values, dim);
    let right = found
        .iter()
        .enumerate()
        .filter(|(i, c)| i % classes == **c as usize);
    let agreement = right.count() as f64 / found.len() as f64;
    let labels: Vec<u32> = (0..found.len()).map(|i| (i % classes) as u32).collect();
    let items = (bench.data.len().unwrap_or(0) as usize).min(2000);
    let (real, real_labels) = Bench::items(&*bench.data, items);
    let spread = spread(values, &labels, dim, classes);
    (
        agreement,
        spread / self::spread(&real, &real_labels, dim, classes),
    )
}

/// √ of the mean variance of a pixel within its class, n − 1 in the denominator.
fn spread(values: &[f32], labels: &[u32], dim: usize, classes: usize) -> f64 {
    let mut sums = vec![0.0; classes * dim];
    let mut counts = vec![0.0; classes];
    for (row, label) in values.chunks_exact(dim).zip(labels) {
        counts[*label as usize] += 1.0;
        let sum = &mut sums[*label as usize * dim..][..dim];
        sum.iter_mut()
            .zip(row)
            .for_each(|(s, v)| *s += f64::from(*v));
    }
    let mut square = 0.0;
    for (row, label) in values.chunks_exact(dim).zip(labels) {
        let k = *label as usize;
        let pairs = row.iter().zip(&sums[k * dim..]);
        square += pairs
            .map(|(v, s)| (f64::from(*v) - s / counts[k]).powi(2))
            .sum::<f64>();
    }
    let free = counts.iter().map(|n| (n - 1.0_f64).max(0.0)).sum::<f64>();
    (square / (free * dim as f64)).sqrt()
}
