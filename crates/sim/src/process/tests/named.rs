//! Every process by name.

use fokker_math::density::Density;

use super::super::named::{Holds, Marginal};
use super::super::*;
use super::{close, column, drift};
use crate::density::DensityArg;
use crate::lane::One;

fn named(name: &str, parameters: &[(&str, f64)], density: Option<&str>) -> Named {
    let parameters: Vec<_> = parameters
        .iter()
        .map(|(n, v)| (n.to_string(), *v))
        .collect();
    let density = density.map(|text| text.parse().unwrap());
    Named::new(name, &parameters, density).unwrap_or_else(|e| panic!("{e}"))
}

fn message(name: &str, parameters: &[(&str, f64)], density: Option<&str>) -> String {
    let parameters: Vec<_> = parameters
        .iter()
        .map(|(n, v)| (n.to_string(), *v))
        .collect();
    let density = density.map(|text| text.parse().unwrap());
    match Named::new(name, &parameters, density) {
        Ok(_) => panic!("{name} is not refused"),
        Err(error) => error.to_string(),
    }
}

/// The drift, the diagonal of ggᵀ, and the dimension of the noise.
struct Local(f64, Vec<f64>);

impl Visit for Local {
    type Out = (Vec<f64>, Vec<f64>, usize);

    fn visit<P: Process>(self, process: &P) -> Self::Out {
        let x: Vec<_> = self.1.iter().map(|x| One(*x)).collect();
        let f = drift(process, One(self.0), &x)
            .iter()
            .map(|f| f.0)
            .collect();
        let mut squares = vec![0.0; x.len()];
        for j in 0..process.noise_dim() {
            for (sum, g) in squares.iter_mut().zip(column(process, One(self.0), &x, j)) {
                *sum += g.0 * g.0;
            }
        }
        (f, squares, process.noise_dim())
    }
}

#[test]
fn every_specification_holds() {
    for (i, spec) in PROCESSES.iter().enumerate() {
        let name = spec.name;
        assert!(PROCESSES[..i].iter().all(|other| other.name != name));
        let process = named(name, &[], None);
        assert_eq!(process.spec().name, name);
        assert_eq!(process.names().len(), process.dim());
        let defaults: Vec<_> = spec
            .parameters
            .iter()
            .map(|p| (p.name, p.default))
            .collect();
        assert_eq!(process.parameters().collect::<Vec<_>>(), defaults);
        assert_eq!(process.density().is_some(), spec.density.is_some());

        let start = match process.default_start() {
            Start::Point(point) => point,
            Start::Density(density) => {
                let mut x = vec![0.0; density.dim()];
                density.sample(0.3, &vec![0.4; density.normals()], &mut x);
                x
            }
        };
        let (f, _, noises) = process.visit(Local(0.0, start));
        assert_eq!(f.len(), process.dim());
        assert!(f.iter().all(|f| f.is_finite()), "{name}: {f:?}");
        assert_eq!(noises > 0, spec.noise, "{name}");
        assert_eq!(
            spec.solver,
            match (spec.noise, name) {
                (true, "underdamped-langevin") => "sra1",
                (true, _) => "euler-maruyama",
                (false, _) => "tsit5",
            }
        );
        assert!(spec.end > 0.0 && spec.latest.is_none_or(|latest| spec.end <= latest));

        let text = spec.equations.join(" ");
        for parameter in spec.parameters {
            assert!(
                text.contains(parameter.name),
                "{name}'s equations lack {}",
                parameter.name
            );
            assert!(parameter.range.contains(parameter.default));
            assert!(!parameter.meaning.is_empty());
            for bad in [f64::NAN, f64::INFINITY, -1e300, -1.0, 0.0, 1.5] {
                if !parameter.range.contains(bad) {
                    let message = message(name, &[(parameter.name, bad)], None);
                    assert!(message.starts_with(parameter.name), "{message}");
                    assert!(
                        message.ends_with(&format!("got {}", crate::shown(bad))),
                        "{message}"
                    );
                }
            }
        }
    }
}

#[test]
fn parameters_arrive() {
    let process = named("lorenz", &[("rho", 0.0), ("sigma", 2.0)], None);
    assert_eq!(
        process.visit(Local(0.0, vec![1.0, 3.0, 0.0])).0,
        [4.0, -3.0, 3.0]
    );
    assert_eq!(process.names(), ["x", "y", "z"]);
    assert_eq!(named("heston", &[], None).names(), ["S", "v"]);
    let plane = Some("ring:k=3");
    assert_eq!(named("langevin", &[], plane).names(), ["x", "y"]);
    let names = named("underdamped-langevin", &[], plane).names();
    assert_eq!(names, ["x0", "x1", "v0", "v1"]);
    assert_eq!(named("langevin", &[], Some("gaussian:dim=5")).dim(), 5);
    assert_eq!(named("vp", &[], Some("double-well")).dim(), 1);
    let Start::Density(noise) = named("ve-flow", &[("sigma_max", 7.0)], plane).default_start()
    else {
        panic!("noise");
    };
    assert_eq!(noise.covariance(), [49.0, 0.0, 0.0, 49.0]);
}

#[test]
fn refusals_say_what_would_be_right() {
    let refused = message("lorentz", &[], None);
    assert!(
        refused.contains("no process `lorentz`, did you mean `lorenz`?"),
        "{refused}"
    );
    assert!(refused.contains("van-der-pol, brownian"), "{refused}");
    assert!(!message("xyzzyxyzzy", &[], None).contains("did you mean"));
    let refused = message("lorenz", &[("roh", 1.0)], None);
    assert!(
        refused.contains("lorenz has no parameter `roh`, did you mean `rho`?"),
        "{refused}"
    );
    assert!(refused.ends_with("it has sigma, rho, beta"), "{refused}");
    assert!(
        message("lorenz", &[("rho", 1.0), ("rho", 2.0)], None).contains("`rho` is given twice")
    );
    assert_eq!(
        message("brownian", &[], Some("gaussian")),
        "brownian has no density"
    );
    assert!(message("vp-reverse", &[], Some("double-well")).contains("closed form"));
    let refused = message("ve", &[("sigma_min", 2.0), ("sigma_max", 1.0)], None);
    assert!(refused.contains("greater than sigma_min = 2"), "{refused}");
}

/// After a short time the exact law has moved by f·t, and its variance is (ggᵀ)t.
#[test]
fn exact_laws_leave_a_point_as_the_equation_says() {
    let t = 1e-6;
    let mut seen = 0;
    for spec in PROCESSES {
        for density in [None, Some("gaussian:mean=0.4,std=0.6")] {
            if density.is_some() != spec.density.is_some() {
                continue;
            }
            let process = named(spec.name, &[], density);
            let x0: Vec<f64> = (0..process.dim()).map(|i| 0.7 - 0.2 * i as f64).collect();
            let Some(law) = process.law(&Start::Point(x0.clone()), t) else {
                continue;
            };
            assert_eq!(law.marginals.len(), process.dim());
            if law.holds != Holds::Exactly {
                continue;
            }
            seen += 1;
            let (f, squares, _) = process.visit(Local(0.0, x0.clone()));
            for (i, marginal) in law.marginals.iter().enumerate() {
                let rate = (marginal.mean() - x0[i]) / t;
                // Rates of diffusions rise steeply: β̇t/β is 2e-4.
                close(rate, f[i], 1e-3);
                if let Some(variance) = marginal.variance() {
                    close(variance / t, squares[i], 1e-3);
                }
                if let (Some(below), Some(above)) =
                    (marginal.cdf(x0[i] - 0.3), marginal.cdf(x0[i] + 0.3))
                {
                    assert!(below < 1e-6 && above > 1.0 - 1e-6, "{}", spec.name);
                }
            }
        }
    }
    assert!(seen >= 12, "only {seen} laws");
}

#[test]
fn laws_by_hand() {
    let at = |name, parameters: &[_], density, start: &[f64], t| {
        named(name, parameters, density).law(&Start::Point(start.to_vec()), t)
    };
    // D(1 − e^{−2θt}) with D = σ²/2θ.
    let parameters = [("theta", 0.5), ("mean", 2.0), ("sigma", 3.0)];
    let law = at("ornstein-uhlenbeck", &parameters, None, &[5.0], 2.0).unwrap();
    close(law.marginals[0].mean(), 2.0 + 3.0 * (-1f64).exp(), 1e-14);
    close(
        law.marginals[0].variance().unwrap(),
        9.0 * (1.0 - (-2f64).exp()),
        1e-14,
    );
    // The same as Langevin dynamics with N(2, σ²/2θ).
    let density = Some("gaussian:mean=2,std=3");
    let same = at("langevin", &[("sigma", 3.0)], density, &[5.0], 2.0).unwrap();
    assert_eq!(same.holds, Holds::Exactly);
    close(same.marginals[0].mean(), law.marginals[0].mean(), 1e-14);
    close(
        same.marginals[0].cdf(3.0).unwrap(),
        law.marginals[0].cdf(3.0).unwrap(),
        1e-14,
    );
    // A quarter turn.
    let law = at(
        "rotation",
        &[("omega", 0.5)],
        None,
        &[2.0, 1.0],
        std::f64::consts::PI,
    )
    .unwrap();
    close(law.marginals[0].mean(), -1.0, 1e-14);
    close(law.marginals[1].mean(), 2.0, 1e-14);
    // Log-normal: the median is x₀e^{(μ − σ²/2)t}.
    let law = at(
        "geometric-brownian",
        &[("mu", 0.3), ("sigma", 0.4)],
        None,
        &[2.0],
        3.0,
    )
    .unwrap();
    close(
        law.marginals[0].cdf(2.0 * (0.22f64 * 3.0).exp()).unwrap(),
        0.5,
        1e-14,
    );
    close(law.marginals[0].mean(), 2.0 * 0.9f64.exp(), 1e-14);
    // Without noise there is one point.
    let law = at("brownian", &[("sigma", 0.0)], None, &[2.0], 3.0).unwrap();
    assert!(matches!(law.marginals[..], [Marginal::Point(2.0)]));
    // Invariant laws.
    let law = at("double-well", &[], None, &[0.3], 1.0).unwrap();
    assert_eq!(
        (law.holds, law.marginals[0].mean()),
        (Holds::InTheLimit, 0.0)
    );
    close(law.marginals[0].cdf(0.0).unwrap(), 0.5, 1e-12);
    let law = at(
        "underdamped-langevin",
        &[("mass", 2.0)],
        Some("ring"),
        &[0.0; 4],
        1.0,
    )
    .unwrap();
    close(law.marginals[3].variance().unwrap(), 0.5, 1e-15);
    close(law.marginals[0].variance().unwrap(), 51.0, 1e-12);
    // What is not known.
    assert!(at("lorenz", &[], None, &[1.0; 3], 1.0).is_none());
    assert!(
        at(
            "underdamped-langevin",
            &[("gamma", 0.0)],
            None,
            &[1.0; 2],
            1.0
        )
        .is_none()
    );
    assert!(at("langevin", &[("sigma", 0.0)], None, &[1.0], 1.0).is_none());
    assert!(at("brownian", &[], None, &[1.0, 2.0], 1.0).is_none());
    assert!(at("brownian", &[], None, &[1.0], -1.0).is_none());
}

/// A reversal ends in the data; a diffusion begins there.
#[test]
fn laws_of_diffusions() {
    let data: DensityArg = "ring:k=5,radius=4,std=0.5".parse().unwrap();
    for name in ["vp", "sub-vp", "ve"] {
        let forward = named(name, &[], None);
        let begin = forward.law(&forward.default_start(), 0.0).unwrap();
        let end = forward.law(&forward.default_start(), 1.0).unwrap();
        for kind in ["reverse", "flow"] {
            let back = named(&format!("{name}-{kind}"), &[], None);
            let noise = back.default_start();
            let law = back.law(&noise, 1.0).unwrap();
            assert_eq!(law.holds, Holds::Nearly);
            for x in [-4.0, 0.2, 3.0] {
                let exact = data.marginal_cdf(0, x);
                close(law.marginals[0].cdf(x).unwrap(), exact, 1e-13);
                close(begin.marginals[0].cdf(x).unwrap(), exact, 1e-13);
                // The noise a reversal begins with is nearly where the diffusion ends.
                let Start::Density(noise) = &noise else {
                    panic!("noise");
                };
                let difference = end.marginals[0].cdf(x).unwrap() - noise.marginal_cdf(0, x);
                assert!(difference.abs() < 0.01, "{name}: {difference}");
            }
            assert!(back.law(&Start::Point(vec![0.0; 2]), 1.0).is_none());
            assert!(back.law(&noise, 1.5).is_none());
        }
    }
}
