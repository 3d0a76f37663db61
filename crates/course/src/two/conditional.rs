//! The conditional path of one data point, along its ODE and its SDE.

use std::sync::Arc;

use fokker_core::{Denoiser, Estimate, State};
use fokker_eval::figure::{Plane, View};
use fokker_lab::check::{Check, ks, normal, normal_moments};
use fokker_lab::report::LabSection;
use fokker_math::diffusion::Diffusion;
use fokker_math::prediction::Prediction;
use fokker_math::scheduler::{CondOt, LinearSqrt, Scheduler};

use super::LabError;
use super::bench::Bench;
use super::points::{Points, at, to_state};

pub(super) const TITLE: &str = "The conditional path of one data point";

const Z: (f64, f64) = (4.0, 2.0);
const COUNT: usize = 4000;
const STEPS: usize = 400;
const SHOWN: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

const THEORY: &str = "\
A Gaussian path turns noise into one data point z: pₜ(x|z) = N(αₜ z, βₜ² I), sampled as x = αₜ z + βₜ ε. Its field is \
uₜ(x|z) = (α̇ − (β̇/β)α) z + (β̇/β) x: the flow of an ordinary equation from ε to z. Its score is ∇ln pₜ(x|z) = −(x − αz)/β². \
With both, dX = (u + ½σₜ² ∇ln pₜ) dt + σₜ dW follows the same path for every σₜ ≥ 0, along rough lines instead of smooth ones.\n\n\
Here z = (4, 2) and 4 000 points start from N(0, I), on two paths: CondOT, α = t and β = 1 − t, and the course's α = t and β = √(1 − t). \
Both equations are solved by 400 steps, the stochastic one with σₜ = βₜ.";

/// The exact model of a single data point.
struct OnePoint(Arc<dyn Scheduler>);

impl Denoiser for OnePoint {
    fn scheduler(&self) -> &dyn Scheduler {
        &*self.0
    }

    /// E[z|x] = z, whatever x is.
    fn predict(&self, x: State, _: f64) -> Estimate {
        let rows = x.dims()[0];
        let z = to_state(&vec![Z; rows], &x.device());
        Estimate::of(z, Prediction::Data)
    }
}

pub(super) fn section(bench: &mut Bench<'_>) -> Result<LabSection, LabError> {
    let mut section = LabSection::new(TITLE, THEORY);
    // Where β ends like a square root, the last step of Euler–Maruyama is a rough one.
    let paths: [(&str, Arc<dyn Scheduler>, f64); 2] = [
        ("CondOT", Arc::new(CondOt), 1e-4),
        ("β = √(1 − t)", Arc::new(LinearSqrt), 0.2),
    ];
    for (k, (name, scheduler, missed)) in paths.into_iter().enumerate() {
        let model = OnePoint(scheduler.clone());
        let mut cursor = bench.cursor();
        let start: Points = (0..COUNT)
            .map(|_| (cursor.normal_f64(), cursor.normal_f64()))
            .collect();
        let keep: Vec<usize> = (0..=STEPS).collect();
        let sigma = Diffusion::Noise { scale: 1.0 };
        let x0 = to_state(&start, &bench.device);
        let ode = bench.walk(&model, ("rk4", sigma), x0.clone(), STEPS, &keep)?;
        bench.tell(0.25 + 0.5 * k as f64)?;
        let sde = bench.walk(&model, ("euler-maruyama", sigma), x0, STEPS, &keep)?;
        bench.tell(0.5 + 0.5 * k as f64)?;
        section = section
            .figure(
                figure(name, &*scheduler, &[("ODE", &ode), ("SDE, σ = β", &sde)]),
                CAPTION,
            )
            .checks(checks((name, missed), &*scheduler, &ode, &sde, &start));
    }
    Ok(section)
}

const CAPTION: &str = "\
Left: 300 points of the path at five times, of N(αz, β²I), moved there by the ordinary equation. Middle and right: twelve \
trajectories each of the ordinary and of the stochastic equation, from the same starts.";

fn figure(name: &str, scheduler: &dyn Scheduler, solved: &[(&str, &[Points]); 2]) -> Plane {
    let view = |title: &str| View::new(title, (-3.0, 6.0), (-3.5, 4.5));
    let mut left = view("pₜ(x|z)");
    for t in SHOWN {
        let points = solved[0].1[(t * STEPS as f64) as usize].iter();
        left = left.points(at(t), points.take(300).copied().collect());
    }
    let mut plane = Plane::new(format!("From noise to z = (4, 2) along {name}"))
        .subtitle(format!(
            "at t = ½: α = {:.2}, β = {:.2}",
            scheduler.at(0.5).alpha,
            scheduler.at(0.5).beta
        ))
        .columns(3)
        .view(left);
    for (title, states) in solved {
        let paths = (0..12)
            .map(|i| states.iter().map(|s| s[i]).collect())
            .collect();
        let ends = |k: usize| states[k].iter().take(12).copied().collect();
        plane = plane.view(
            view(title)
                .paths("", paths)
                .points(at(0.0), ends(0))
                .points(at(1.0), ends(STEPS)),
        );
    }
    plane
}

fn checks(
    (name, allowed): (&str, f64),
    scheduler: &dyn Scheduler,
    ode: &[Points],
    sde: &[Points],
    start: &[(f64, f64)],
) -> Vec<Check> {
    let half = STEPS / 2;
    let c = scheduler.at(0.5);
    // The flow is known: ψ_t(ε) = αz + βε.
    let flow = ode[half].iter().zip(start).map(|(x, e)| {
        let exact = (c.alpha * Z.0 + c.beta * e.0, c.alpha * Z.1 + c.beta * e.1);
        (x.0 - exact.0).abs().max((x.1 - exact.1).abs())
    });
    let arrived = ode[STEPS].iter().chain(&sde[STEPS]);
    let missed = arrived.map(|x| (x.0 - Z.0).abs().max((x.1 - Z.1).abs()));
    let mut checks = vec![
        Check::error(
            format!("{name}: the ODE at t = ½ against αz + βε, largest error"),
            flow.fold(0.0, f64::max),
            1e-4,
        ),
        Check::error(
            format!("{name}: all 8 000 trajectories against z at t = 1, largest error"),
            missed.fold(0.0, f64::max),
            allowed,
        ),
    ];
    let first: Vec<f64> = sde[half].iter().map(|x| x.0).collect();
    let (mean, variance) = (c.alpha * Z.0, c.beta * c.beta);
    checks.extend(normal_moments(
        &format!("x₁ along the SDE of {name} at t = ½"),
        &first,
        (mean, variance),
    ));
    checks.push(ks(
        format!("law of x₁ along the SDE of {name} at t = ½"),
        &first,
        normal(mean, variance),
    ));
    checks
}
