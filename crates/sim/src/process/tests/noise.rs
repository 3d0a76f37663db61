//! Noise kinds, by exact derivatives, for every named process.

use super::super::calculus::diffusion_derivative;
use super::super::*;
use crate::lane::One;

type D = One<f64>;

/// The largest (∂gⱼ/∂x)gₖ and the largest commutator (∂gₖ/∂x)gⱼ − (∂gⱼ/∂x)gₖ, and the largest
/// derivative of g, at a state.
fn derivatives<P: Process>(process: &P, t: f64, at: &[f64]) -> (f64, f64) {
    let (n, m) = (process.dim(), process.noise_dim());
    let mut x = P::State::<D>::zeros(n);
    for (x, at) in x.as_mut().iter_mut().zip(at) {
        *x = One(*at);
    }
    let unit = |j: usize| {
        let mut unit = P::Noise::<D>::zeros(m);
        unit.as_mut()[j] = One(1.0);
        unit
    };
    let along = |j: usize, direction: &P::State<D>| {
        let mut out = P::State::<D>::zeros(n);
        diffusion_derivative(process, One(t), &x, direction, &unit(j), &mut out);
        out
    };
    let (mut gradient, mut commutator) = (0f64, 0f64);
    for j in 0..m {
        for i in 0..n {
            let mut direction = P::State::<D>::zeros(n);
            direction.as_mut()[i] = One(1.0);
            for d in along(j, &direction).as_ref() {
                gradient = gradient.max(d.0.abs());
            }
        }
        for k in 0..j {
            let (mut gj, mut gk) = (P::State::<D>::zeros(n), P::State::<D>::zeros(n));
            process.diffusion(One(t), &x, &unit(j), &mut gj);
            process.diffusion(One(t), &x, &unit(k), &mut gk);
            let (a, b) = (along(k, &gj), along(j, &gk));
            for (a, b) in a.as_ref().iter().zip(b.as_ref()) {
                commutator = commutator.max((a.0 - b.0).abs());
            }
        }
    }
    (gradient, commutator)
}

struct Check(&'static str);

impl Visit for Check {
    type Out = ();

    fn visit<P: Process>(self, process: &P) {
        let name = self.0;
        let at: Vec<f64> = (0..process.dim()).map(|i| 0.8 + 0.3 * i as f64).collect();
        let (gradient, commutator) = derivatives(process, 0.4, &at);
        match process.noise_kind() {
            NoiseKind::None => assert_eq!(process.noise_dim(), 0, "{name}"),
            NoiseKind::Additive => assert_eq!((gradient, commutator), (0.0, 0.0), "{name}"),
            NoiseKind::Commutative => {
                assert!(gradient > 0.0, "{name}'s noise is additive");
                assert!(commutator < 1e-14, "{name}: {commutator}");
            }
            NoiseKind::General => assert!(commutator > 1e-3, "{name}'s noise commutes"),
        }
        assert_eq!(process.calculus(), Calculus::Ito);
    }
}

#[test]
fn noise_is_of_the_kind_it_says() {
    for spec in PROCESSES {
        Named::new(spec.name, &[], None)
            .unwrap()
            .visit(Check(spec.name));
    }
}
