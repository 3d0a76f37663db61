//! The marginal path of a mixture, exactly.

use std::sync::Arc;

use fokker_core::Oracle;
use fokker_data::{Toy, ToyConfig, toy};
use fokker_eval::figure::{Plane, View};
use fokker_lab::check::Check;
use fokker_lab::report::LabSection;
use fokker_math::diffusion::Diffusion;
use fokker_math::mixture::GaussianMixture;
use fokker_math::scheduler::{CondOt, Scheduler};

use super::LabError;
use super::bench::Bench;
use super::points::{Points, at, draw, to_state};

pub(super) const TITLE: &str = "The marginal path of a mixture, exactly";

/// The lab's data: five modes of standard deviation 1 on a circle of radius 10.
pub(super) const MODES: usize = 5;
pub(super) const RADIUS: f64 = 10.0;
pub(super) const STD: f64 = 1.0;
pub(super) const BOX: (f64, f64) = (-14.0, 14.0);
pub(super) const SHOWN: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

const THEORY: &str = "\
With data z ~ p_data the path of the whole is pₜ(x) = ∫ pₜ(x|z) p_data(z) dz, and its field is the posterior average of the \
conditional ones, uₜ(x) = E[uₜ(x|z) | xₜ = x]. It satisfies the continuity equation ∂ₜ pₜ = −div(pₜ uₜ), so its flow carries \
p_init to p_data. For a mixture of Gaussians all of this is in closed form: density, field, score, denoiser.\n\n\
The data are five Gaussians of standard deviation 1 on a circle of radius 10. Colour: the exact pₜ; lines: the flow of the exact field.";

/// The law of the lab's data.
pub(super) fn ring() -> Result<GaussianMixture, LabError> {
    Ok(GaussianMixture::ring(MODES, RADIUS, STD)?)
}

/// The lab's data.
pub(super) fn ring_data(seed: u64) -> Result<Arc<Toy>, LabError> {
    Ok(Arc::new(toy(&ToyConfig {
        modes: Some(MODES),
        radius: Some(RADIUS),
        std: Some(STD),
        ..ToyConfig::new("ring").with_seed(seed)
    })?))
}

/// The density pₜ over the box, in colours.
pub(super) fn view(mixture: &GaussianMixture, scheduler: &dyn Scheduler, t: f64) -> View {
    let marginal = mixture.at(scheduler, t);
    let view = View::new(at(t), BOX, BOX);
    let density = view.sample(|x, y| marginal.log_density(&[x, y]).exp());
    view.density(density)
}

pub(super) fn section(bench: &mut Bench<'_>) -> Result<LabSection, LabError> {
    const STEPS: usize = 200;
    let mixture = ring()?;
    let model = Oracle::new(mixture.clone(), Arc::new(CondOt));
    let mut cursor = bench.cursor();
    let start: Points = (0..400)
        .map(|_| (cursor.normal_f64(), cursor.normal_f64()))
        .collect();
    let keep: Vec<usize> = (0..=STEPS).collect();
    let x0 = to_state(&start, &bench.device);
    let states = bench.walk(&model, ("rk4", Diffusion::default()), x0, STEPS, &keep)?;
    bench.tell(0.4)?;
    let mut plane = Plane::new("The marginal path of the ring, and its flow")
        .subtitle("CondOT; 400 trajectories of the exact field over the exact density")
        .columns(3);
    for t in SHOWN {
        let k = (t * STEPS as f64) as usize;
        let paths: Vec<Points> = (0..40)
            .map(|i| states[..=k].iter().map(|s| s[i]).collect())
            .collect();
        plane = plane.view(
            view(&mixture, &CondOt, t)
                .paths("", if k == 0 { Vec::new() } else { paths })
                .points("flow", states[k].clone()),
        );
    }
    bench.tell(0.6)?;
    let checks = vec![
        Check::error(
            "∂ₜ pₜ + div(pₜ uₜ) at 1 000 random points, relative to its terms, largest",
            continuity(&mixture, bench),
            1e-6,
        ),
        posterior(&mixture, bench),
        Check::number(
            "conditional flow matching loss of the exact field (its floor)",
            floor(&mixture),
            18.196,
            5e-4,
            4,
        ),
    ];
    Ok(LabSection::new(TITLE, THEORY)
        .figure(plane, "")
        .checks(checks))
}

/// The floor of the loss on CondOT, summed over both coordinates: 18.196 by an independent quadrature.
pub(super) fn floor(mixture: &GaussianMixture) -> f64 {
    let velocity = fokker_math::prediction::Prediction::Velocity;
    mixture.loss_floor(&CondOt, velocity, 1.0, 60, 60)
}

/// The largest residual of the continuity equation in the form ∂ₜ ln p = −div u − u·∇ln p, by differences of
/// fourth order, relative to the sum of the sizes of its terms.
fn continuity(mixture: &GaussianMixture, bench: &mut Bench<'_>) -> f64 {
    const H: f64 = 1e-3;
    let mut cursor = bench.cursor();
    let difference = |f: &dyn Fn(f64) -> f64, h: f64| {
        (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
    };
    let mut worst: f64 = 0.0;
    for _ in 0..1000 {
        let t = 0.02 + 0.96 * cursor.uniform_f64();
        let c = CondOt.at(t);
        let (x, y) = super::points::draw_at(mixture, (c.alpha, c.beta), &mut cursor);
        let here = mixture.at(&CondOt, t);
        let (mut u, mut s) = ([0.0; 2], [0.0; 2]);
        here.velocity(&[x, y], &mut u);
        here.score(&[x, y], &mut s);
        // Steps that see the density's own width.
        let width = H * c.alpha.hypot(c.beta);
        let component = |axis: usize| {
            difference(
                &|h| {
                    let mut at = [x, y];
                    at[axis] += h;
                    let mut u = [0.0; 2];
                    here.velocity(&at, &mut u);
                    u[axis]
                },
                width,
            )
        };
        let dt = difference(
            &|h| mixture.at(&CondOt, t + h).log_density(&[x, y]),
            H * c.beta.min(c.alpha),
        );
        let terms = [dt, component(0), component(1), u[0] * s[0], u[1] * s[1]];
        let scale: f64 = terms.iter().map(|t| t.abs()).sum();
        worst = worst.max(terms.iter().sum::<f64>().abs() / scale);
    }
    worst
}

/// The field at one point against a Monte-Carlo posterior average: weights pₜ(x|z) on samples z ~ p_data.
fn posterior(mixture: &GaussianMixture, bench: &mut Bench<'_>) -> Check {
    const COUNT: usize = 200_000;
    let (t, x) = (0.3, [2.0, 1.0]);
    let c = CondOt.at(t);
    let mut cursor = bench.cursor();
    let drawn: Vec<(f64, f64)> = (0..COUNT)
        .map(|_| {
            let z = draw(mixture, &mut cursor);
            let r = (x[0] - c.alpha * z.0).hypot(x[1] - c.alpha * z.1) / c.beta;
            // uₜ(x|z) in its first coordinate.
            let u = (c.d_alpha - c.d_beta / c.beta * c.alpha) * z.0 + c.d_beta / c.beta * x[0];
            ((-0.5 * r * r).exp(), u)
        })
        .collect();
    let total: f64 = drawn.iter().map(|(w, _)| w).sum();
    let mean = drawn.iter().map(|(w, u)| w * u).sum::<f64>() / total;
    let spread: f64 = drawn.iter().map(|(w, u)| (w * (u - mean)).powi(2)).sum();
    let mut exact = [0.0; 2];
    mixture.at(&CondOt, t).velocity(&x, &mut exact);
    let name =
        "uₜ(x), first coordinate, at t = 0.3, x = (2, 1): posterior average of 200 000 points";
    Check::estimate(name, mean, exact[0], spread.sqrt() / total)
}
