//! One field, sampled with any amount of noise.

use fokker_eval::figure::{Plane, View};
use fokker_lab::check::{Check, short};
use fokker_lab::report::LabSection;
use fokker_math::diffusion::Diffusion;

use super::LabError;
use super::bench::{Bench, model};
use super::flow_matching::trained;
use super::marginal::{BOX, ring};
use super::measure;
use super::points::{Points, to_state};

pub(super) const TITLE: &str = "The SDE extension: one field, any noise";

const THEORY: &str = "\
dX = (uₜ + ½σₜ² ∇ln pₜ) dt + σₜ dW has the marginals pₜ for every σₜ ≥ 0: the drift that the score adds undoes what the noise does. \
So one trained field gives a family of samplers, chosen after training: σ = 0 is the flow, a large σ forgets where it started. The \
paths differ, the laws do not.";

const CHOICES: [(&str, &str); 5] = [
    ("noise:0", "σ = 0"),
    ("noise:1", "σ = β"),
    ("constant:1", "σ = 1"),
    ("decreasing:3", "σ = 3(1 − t)"),
    ("memoryless", "memoryless, σ² = 2a"),
];

pub(super) fn section(bench: &mut Bench<'_>) -> Result<LabSection, LabError> {
    const STEPS: usize = 400;
    const COUNT: usize = 1500;
    let mixture = ring()?;
    let trained = trained(bench, (0.0, 0.6))?;
    let mut plane = Plane::new("The same twenty starts under five σ")
        .subtitle("Euler–Maruyama, 400 steps, the learned field; dots: 1 500 samples")
        .columns(3);
    let mut checks = Vec::new();
    let mut cursor = bench.cursor();
    let start: Points = (0..COUNT)
        .map(|_| (cursor.normal_f64(), cursor.normal_f64()))
        .collect();
    for (k, (text, name)) in CHOICES.into_iter().enumerate() {
        let sigma: Diffusion = text.parse().expect("one of the table");
        let keep: Vec<usize> = (0..=STEPS).step_by(4).collect();
        let x0 = to_state(&start, &bench.device);
        let walk = ("euler-maruyama", sigma);
        let states = bench.walk(&*model(&trained.flow), walk, x0, STEPS, &keep)?;
        bench.tell(0.6 + 0.08 * (k + 1) as f64)?;
        let last = &states[states.len() - 1];
        let mut exact = measure::sampler(&mixture, &mut cursor);
        let (distance, level) = measure::energy(last, &mut exact);
        checks.push(Check::error(
            format!("{name}: energy distance of the samples to the data"),
            distance,
            level,
        ));
        let paths = (0..20).map(|i| states.iter().map(|s| s[i]).collect());
        plane = plane.view(
            View::new(name, BOX, BOX)
                .points("samples", last.clone())
                .paths("", paths.collect())
                .note(format!("energy distance {}", short(distance))),
        );
    }
    Ok(LabSection::new(TITLE, THEORY)
        .figure(plane, "")
        .checks(checks))
}
