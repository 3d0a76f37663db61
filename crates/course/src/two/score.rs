//! Score matching, and the score that a field already holds.

use std::sync::Arc;

use burn::tensor::Device;
use fokker_core::Denoiser;
use fokker_eval::figure::{LineChart, Plane, Series, View};
use fokker_lab::check::Check;
use fokker_lab::report::LabSection;
use fokker_math::mixture::GaussianMixture;
use fokker_math::scheduler::CondOt;
use fokker_train::config::PredictionConfig;

use super::LabError;
use super::bench::{Bench, Job, model};
use super::flow_matching::{times, trained};
use super::marginal::{BOX, ring, ring_data};
use super::measure::{self, Compare, Errors, errors, exact_score};
use super::points::{of_state, to_state};

pub(super) const TITLE: &str = "Score matching, and the score from the field";

const THEORY: &str = "\
The score ∇ln pₜ is learned in the same way: regression on the conditional score −ε/β, whose marginal average it is. As 1/β \
diverges, one learns the noise E[ε|x] = −β∇ln pₜ instead. But on a Gaussian path nothing new has to be learned: with \
aₜ = β²α̇/α − β̇β and bₜ = α̇/α the two determine each other, u = aₜ ∇ln pₜ + bₜ x.\n\n\
Below, a second network learns velocity and noise side by side from the same examples; its learned score is held against the exact \
one, and so is the score computed from the field of the section before.";

const STEPS: u64 = 6000;

pub(super) fn section(bench: &mut Bench<'_>) -> Result<LabSection, LabError> {
    let mixture = ring()?;
    let field = trained(bench, (0.0, 0.5))?;
    let data = ring_data(bench.seed())?;
    let mut job = Job::new(data, Arc::new(CondOt));
    job.objective.prediction = PredictionConfig::VelocityAndNoise;
    job.steps = STEPS;
    job.lr = 4e-3;
    let joint = bench.train(job, (0.5, 0.9))?;

    let mut cursor = bench.cursor();
    let score = noise(&mixture);
    let from_field = errors(&field.flow, &mixture, &times(), 2000, &mut cursor, &*score);
    let direct = errors(&joint.flow, &mixture, &times(), 2000, &mut cursor, &*score);
    let velocity = measure::velocity(&mixture);
    let with = errors(
        &joint.flow,
        &mixture,
        &times(),
        2000,
        &mut cursor,
        &*velocity,
    );
    bench.tell(0.97)?;
    let relative = |e: &[Errors]| measure::mean(e).relative();
    let checks = vec![
        Check::error(
            "−β·score from the field, relative L² error",
            relative(&from_field),
            0.1,
        ),
        Check::error(
            "−β·score learned, relative L² error",
            relative(&direct),
            0.1,
        ),
        Check::error(
            "velocity learned beside it, relative L² error",
            relative(&with),
            0.04,
        ),
    ];
    Ok(LabSection::new(TITLE, THEORY)
        .figure(
            quivers(&mixture, &*model(&field.flow), &bench.device),
            "The field (top) points from the middle to where the data will be; the score (bottom) points to where xₜ is \
             now. Both are of the trained field, the score by s = (u − b x)/a; colour is the exact pₜ.",
        )
        .figure(
            curves(&from_field, &direct),
            "Relative error of −β·score on a logarithmic scale. Computed from a field, the error of u is multiplied by β/a = t: \
             the score from the field is good early. Late, −β·score itself goes to 0 with the noise, and both lose it; the checks below average squares over all times, where \
             late ones count little.",
        )
        .checks(checks))
}

/// The learned −β·score beside the exact one: of order 1 at all times.
fn noise(mixture: &GaussianMixture) -> Box<Compare<'_>> {
    Box::new(move |learned, points, t, device| {
        let known = learned.velocity_and_noise(to_state(points, device), t);
        let (_, found, scale) = known.expect("both inside (0, 1)");
        let exact = exact_score(mixture, learned.scheduler(), points, t);
        let exact = exact.iter().map(|s| (-scale * s.0, -scale * s.1));
        (of_state(&found), exact.collect())
    })
}

fn quivers(mixture: &GaussianMixture, learned: &dyn Denoiser, device: &Device) -> Plane {
    const TIMES: [f64; 3] = [0.2, 0.5, 0.8];
    let mut plane = Plane::new("Field and score of the trained network").columns(3);
    for (name, field) in [("u", true), ("∇ln p", false)] {
        for t in TIMES {
            let at = |x: f64, y: f64| {
                let x = to_state(&[(x, y)], device);
                let found = if field {
                    learned.velocity(x, t)
                } else {
                    learned.score(x, t)
                };
                of_state(&found.expect("inside (0, 1)"))[0]
            };
            let marginal = mixture.at(&CondOt, t);
            let view = View::new(format!("{name}, t = {t}"), BOX, BOX);
            let density = view.sample(|x, y| marginal.log_density(&[x, y]).exp());
            plane = plane.view(view.density(density).quiver(at, 17));
        }
    }
    plane
}

fn curves(from_field: &[Errors], direct: &[Errors]) -> LineChart {
    let curve = |name: &str, errors: &[Errors]| {
        let values = errors.iter().map(|e| 100.0 * e.relative());
        Series::new(name, times().into_iter().zip(values).collect())
    };
    LineChart::new("Error of the score")
        .x_label("t")
        .y_label("relative L² error, %")
        .log_y()
        .series(curve("from the field", from_field))
        .series(curve("learned", direct))
}
