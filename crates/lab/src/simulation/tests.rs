//! The shared types compute what the processes' own types do.

use std::ops::ControlFlow;

use fokker_sim::lane::{Lane, One};
use fokker_sim::process::{Components, Named, PROCESSES, Process, Visit};

use super::dense::Dense;
use super::engine::Engine;
use super::general::General;
use super::settings::{Precision, Settings, Stepping};
use super::system::{Equation, TEXTS, of_named};
use super::{Outcome, Simulation, Wanted};

/// Drift and every column of the diffusion at a point.
fn coefficients<P: Process>(process: &P, t: f64, x: &[f64]) -> Vec<f64> {
    let (dim, noises) = (process.dim(), process.noise_dim());
    let mut state = P::State::<One<f64>>::zeros(dim);
    for (to, from) in state.as_mut().iter_mut().zip(x) {
        *to = One(*from);
    }
    let mut out = P::State::<One<f64>>::zeros(dim);
    process.drift(One(t), &state, &mut out);
    let mut all: Vec<f64> = out.as_ref().iter().map(|f| f.0).collect();
    for j in 0..noises {
        let mut dw = P::Noise::<One<f64>>::zeros(noises);
        dw.as_mut()[j] = One::splat(1.0);
        process.diffusion(One(t), &state, &dw, &mut out);
        all.extend(out.as_ref().iter().map(|g| g.0));
    }
    all
}

struct Coefficients<'a>(f64, &'a [f64]);

impl Visit for Coefficients<'_> {
    type Out = Vec<f64>;
    fn visit<P: Process>(self, process: &P) -> Vec<f64> {
        coefficients(process, self.0, self.1)
    }
}

fn general(named: &Named) -> General {
    match of_named(named, None).unwrap() {
        Some(system) => General::Equation(Box::new(Equation::new(system, false))),
        None => General::Dense(Dense::of_named(named).unwrap().unwrap()),
    }
}

#[test]
fn every_process_is_its_named_type() {
    for spec in PROCESSES {
        // Every parameter off its default, so that a confusion of two would show.
        let params: Vec<(String, f64)> = (1..)
            .zip(spec.parameters)
            .map(|(i, p)| {
                (
                    p.name.to_owned(),
                    p.default * (1.0 + 0.03 * f64::from(i)) + 0.01,
                )
            })
            .collect();
        let named = Named::new(spec.name, &params, None).unwrap();
        let general = general(&named);
        assert_eq!(general.names(), named.names(), "{}", spec.name);
        assert_eq!(general.dim(), named.dim());
        for k in 0..20 {
            let x: Vec<f64> = (0..named.dim())
                .map(|j| 1.7 * (f64::from(k) * 1.3 + j as f64).sin())
                .collect();
            let t = f64::from(k) / 20.0;
            let expected = named.visit(Coefficients(t, &x));
            let got = coefficients(&general, t, &x);
            assert_eq!(got.len(), expected.len(), "{}", spec.name);
            for (g, e) in got.iter().zip(&expected) {
                assert!(
                    (g - e).abs() <= 1e-12 * e.abs().max(1.0),
                    "{} {x:?}: {g} {e}",
                    spec.name
                );
            }
        }
    }
}

fn run(simulation: &Simulation) -> Outcome {
    let go_on = &mut |_| ControlFlow::Continue(());
    simulation.run(&Wanted::default(), go_on).unwrap()
}

#[test]
fn kernels_of_single_processes_agree_with_the_shared_ones() {
    let cases = [
        ("lorenz", "tsit5", Stepping::Steps(40), 0.4),
        ("lorenz", "dopri5", Stepping::Tolerance(1e-9), 0.4),
        ("lorenz", "rk4", Stepping::Steps(40), 0.4),
        ("van-der-pol", "tsit5", Stepping::Tolerance(1e-9), 1.0),
        ("van-der-pol", "dopri5", Stepping::Steps(50), 1.0),
        ("brownian", "euler-maruyama", Stepping::Steps(8), 1.0),
        (
            "ornstein-uhlenbeck",
            "euler-maruyama",
            Stepping::Steps(8),
            1.0,
        ),
        (
            "geometric-brownian",
            "euler-maruyama",
            Stepping::Steps(8),
            1.0,
        ),
    ];
    for (name, solver, stepping, to) in cases {
        for (precision, tolerance) in [(Precision::F64, 1e-12), (Precision::F32, 1e-4)] {
            let tolerance = match (stepping, precision) {
                (Stepping::Tolerance(_), Precision::F32) => continue,
                _ => tolerance,
            };
            let settings = Settings {
                solver: Some(solver.into()),
                stepping: Some(stepping),
                to: Some(to),
                count: Some(70),
                precision,
                ..Settings::named(name)
            };
            let simulation = Simulation::new(&settings).unwrap();
            assert!(simulation.engine.is_fast(), "{name} {solver}");
            let engine: Engine = simulation.engine.clone().general_only();
            let shared = Simulation {
                engine,
                ..simulation.clone()
            };
            let (fast, shared) = (run(&simulation), run(&shared));
            for (a, b) in fast.last.iter().zip(&shared.last) {
                assert!(
                    (a - b).abs() <= tolerance * b.abs().max(1.0),
                    "{name} {solver}: {a} {b}"
                );
            }
        }
    }
}

#[test]
fn the_table_names_processes() {
    for text in TEXTS {
        assert!(
            PROCESSES.iter().any(|spec| spec.name == text.name),
            "{}",
            text.name
        );
    }
}
