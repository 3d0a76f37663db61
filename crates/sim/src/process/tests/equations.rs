//! Equations against numbers worked out by hand, and what they conserve.

use fokker_math::density::{Density, Gaussian};
use fokker_math::law;
use fokker_math::law::Noising;

use super::{close, column, drift};
use crate::density::DensityArg;
use crate::lane::{Dual, Lane, One};
use crate::process::diffusion::{AnyKernel, Forward, Kernel, ProbabilityFlow, Reverse};
use crate::process::diffusion::{SubVp, Ve, Vp};
use crate::process::*;

fn at<P: Process>(process: &P, t: f64, x: &[f64]) -> Vec<f64> {
    let x: Vec<_> = x.iter().map(|x| One(*x)).collect();
    drift(process, One(t), &x).iter().map(|f| f.0).collect()
}

/// The columns of g.
fn noise<P: Process>(process: &P, t: f64, x: &[f64]) -> Vec<Vec<f64>> {
    let x: Vec<_> = x.iter().map(|x| One(*x)).collect();
    (0..process.noise_dim())
        .map(|j| column(process, One(t), &x, j).iter().map(|g| g.0).collect())
        .collect()
}

#[test]
fn by_hand() {
    assert_eq!(at(&Linear::new(0.5).unwrap(), 0.0, &[3.0]), [-1.5]);
    assert_eq!(
        at(&Spiral::new(2.0, 0.5).unwrap(), 0.0, &[3.0, 4.0]),
        [-9.5, 4.0]
    );
    let lorenz = Lorenz::new(10.0, 28.0, 2.5).unwrap();
    assert_eq!(at(&lorenz, 0.0, &[1.0, 2.0, 4.0]), [10.0, 22.0, -8.0]);
    assert_eq!(
        at(&VanDerPol::new(3.0).unwrap(), 0.0, &[2.0, 5.0]),
        [5.0, -47.0]
    );

    let brownian = Brownian::new(2.0).unwrap();
    assert_eq!(at(&brownian, 0.0, &[3.0]), [0.0]);
    assert_eq!(noise(&brownian, 0.0, &[3.0]), [[2.0]]);
    let ou = OrnsteinUhlenbeck::new(0.5, 1.0, 2.0).unwrap();
    assert_eq!(at(&ou, 0.0, &[5.0]), [-2.0]);
    assert_eq!(noise(&ou, 0.0, &[5.0]), [[2.0]]);
    let gbm = GeometricBrownian::new(0.5, 0.25).unwrap();
    assert_eq!(at(&gbm, 0.0, &[4.0]), [2.0]);
    assert_eq!(noise(&gbm, 0.0, &[4.0]), [[1.0]]);
    // U = 2(x²/4 − 1)², U′ = 2·2·(x²/4 − 1)·x/2 = 2x(x²/4 − 1).
    let well = DoubleWell::new(2.0, 2.0, 0.5).unwrap();
    for (x, f) in [
        (-2.0, 0.0),
        (0.0, 0.0),
        (2.0, 0.0),
        (1.0, 1.5),
        (4.0, -24.0),
    ] {
        assert_eq!(at(&well, 0.0, &[x]), [f]);
    }
    assert_eq!(noise(&well, 0.0, &[1.0]), [[0.5]]);

    let heston = Heston::new(0.5, 2.0, 0.5, 3.0, 0.6).unwrap();
    assert_eq!(at(&heston, 0.0, &[2.0, 0.25]), [1.0, 0.5]);
    let [first, second] = &noise(&heston, 0.0, &[2.0, 0.25])[..] else {
        panic!("two noises");
    };
    assert_eq!(first[0], 1.0);
    close(first[1], 0.9, 1e-15);
    assert_eq!(second[0], 0.0);
    close(second[1], 1.2, 1e-15);
    // Below 0 the variance counts as 0, derivatives included; what is no number stays so.
    assert_eq!(at(&heston, 0.0, &[2.0, -1.0]), [1.0, 1.0]);
    assert_eq!(noise(&heston, 0.0, &[2.0, -1.0]), [[0.0; 2]; 2]);
    for v in [0.0, -1.0] {
        let x = [Dual::splat(2.0), Dual::new(One(v), One(1.0))];
        let g = column(&heston, Dual::splat(0.0), &x, 0);
        assert!(g.iter().all(|g| g.d.0 == 0.0), "{g:?}");
    }
    assert!(noise(&heston, 0.0, &[1.0, f64::NAN])[0][0].is_nan());
}

#[test]
fn radii() {
    let (rotation, spiral) = (
        Spiral::rotation(1.7).unwrap(),
        Spiral::new(1.7, 0.3).unwrap(),
    );
    for (x, y) in [(1.0, 0.0), (0.3, -2.0), (-5.0, 4.0)] {
        let radial = |f: Vec<f64>| x * f[0] + y * f[1];
        close(radial(at(&rotation, 0.0, &[x, y])), 0.0, 1e-15);
        close(
            radial(at(&spiral, 0.0, &[x, y])),
            -0.3 * (x * x + y * y),
            1e-14,
        );
        let f = at(&spiral, 0.0, &[x, y]);
        close(x * f[1] - y * f[0], 1.7 * (x * x + y * y), 1e-14);
    }
}

/// Its fixed points and its constant divergence −(σ + 1 + β).
#[test]
fn lorenz_facts() {
    let lorenz = Lorenz::default();
    assert_eq!(lorenz, Lorenz::new(10.0, 28.0, 8.0 / 3.0).unwrap());
    let c = (8.0f64 / 3.0 * 27.0).sqrt();
    for x in [[0.0; 3], [c, c, 27.0], [-c, -c, 27.0]] {
        assert!(at(&lorenz, 0.0, &x).iter().all(|f| f.abs() < 1e-13));
    }
    for x in [[1.0, 2.0, 3.0], [-7.0, 11.0, 30.0]] {
        let divergence: f64 = (0..3)
            .map(|i| {
                let mut x = x.map(|x| Dual::constant(One(x)));
                x[i].d = One(1.0);
                drift(&lorenz, Dual::splat(0.0), &x)[i].d.0
            })
            .sum();
        close(divergence, -(10.0 + 1.0 + 8.0 / 3.0), 1e-14);
    }
}

/// Langevin dynamics of N(m, σ²/2θ) is the Ornstein–Uhlenbeck process; and the double well that of
/// its invariant density.
#[test]
fn langevin_is_the_process_of_its_density() {
    let (theta, mean, sigma) = (0.25, 0.7, 0.5);
    let ou = OrnsteinUhlenbeck::new(theta, mean, sigma).unwrap();
    let law = Gaussian::new(&[mean], &[sigma * sigma / (2.0 * theta)]).unwrap();
    let langevin = Langevin::<_, Fixed<1>>::new(DensityArg::Gaussian(law).lanes(), sigma).unwrap();
    let well = DoubleWell::new(1.5, 0.8, sigma).unwrap();
    let invariant = Langevin::<_, Fixed<1>>::new(well.invariant().unwrap(), sigma).unwrap();
    for x in [-3.0, -0.1, 0.0, 0.7, 2.0] {
        close(at(&langevin, 0.0, &[x])[0], at(&ou, 0.0, &[x])[0], 1e-15);
        close(at(&invariant, 0.0, &[x])[0], at(&well, 0.0, &[x])[0], 1e-14);
        assert_eq!(noise(&langevin, 0.0, &[x]), noise(&ou, 0.0, &[x]));
    }
}

/// In registers and on the heap.
#[test]
fn spaces_agree() {
    let density = "random:k=3,seed=2".parse::<DensityArg>().unwrap();
    let x = [0.3, -1.2, 0.5, 2.0];
    let fixed = Langevin::<_, Fixed<2>>::new(density.lanes(), 0.7).unwrap();
    let dynamic = Langevin::<_, Dynamic>::new(density.lanes(), 0.7).unwrap();
    assert_eq!(at(&fixed, 0.0, &x[..2]), at(&dynamic, 0.0, &x[..2]));
    let fixed = UnderdampedLangevin::<_, Fixed<2>>::new(density.lanes(), 0.7, 1.0, 2.0).unwrap();
    let dynamic = UnderdampedLangevin::<_, Dynamic>::new(density.lanes(), 0.7, 1.0, 2.0).unwrap();
    assert_eq!(at(&fixed, 0.0, &x), at(&dynamic, 0.0, &x));
    assert_eq!(noise(&fixed, 0.0, &x), noise(&dynamic, 0.0, &x));
    assert_eq!(fixed.names(), ["x0", "x1", "v0", "v1"]);
    // dV = (T/m) score − γV, and √(2γT/m) dW.
    let mut score = [0.0; 2];
    density.score(&x[..2], &mut score);
    let f = at(&fixed, 0.0, &x);
    assert_eq!(f[..2], x[2..]);
    close(f[2], 0.5 * score[0] - 0.7 * 0.5, 1e-13);
    close(noise(&fixed, 0.0, &x)[0][2], 0.7f64.sqrt(), 1e-15);
    assert_eq!(
        Langevin::<_, Fixed<3>>::new(density.lanes(), 0.7).err(),
        Some(ProcessError::Dimension { fixed: 3, dim: 2 })
    );
}

/// The coefficients of the three diffusions, and their reversals, against the closed forms on paper.
#[test]
fn diffusions() {
    let density = "gaussian:mean=0.7,std=0.6".parse::<DensityArg>().unwrap();
    let kernels: [(AnyKernel, Box<dyn Noising>); 3] = [
        (
            AnyKernel::Vp(Vp::new(0.1, 20.0).unwrap()),
            Box::new(law::Vp {
                beta_min: 0.1,
                beta_max: 20.0,
            }),
        ),
        (
            AnyKernel::SubVp(SubVp::new(0.1, 20.0).unwrap()),
            Box::new(law::SubVp {
                beta_min: 0.1,
                beta_max: 20.0,
            }),
        ),
        (
            AnyKernel::Ve(Ve::new(0.01, 50.0).unwrap()),
            Box::new(law::Ve {
                sigma_min: 0.01,
                sigma_max: 50.0,
            }),
        ),
    ];
    for (kernel, exact) in kernels {
        let data = density.diffused().unwrap();
        let forward = Forward::<_, Fixed<1>>::new(kernel, 1).unwrap();
        let reverse = Reverse::<_, Fixed<1>>::new(kernel, data.clone()).unwrap();
        let flow = ProbabilityFlow::<_, Fixed<1>>::new(kernel, data.clone()).unwrap();
        for s in [0.0, 1e-6, 0.1, 0.5, 0.875, 1.0] {
            let (a, b_squared) = kernel.marginal(One(s));
            close(a.0, exact.mean_coefficient(s), 1e-14);
            assert!((b_squared.0.sqrt() - exact.std(s)).abs() <= 1e-12 * exact.std(s));
            for x in [-2.0, 0.3] {
                close(at(&forward, s, &[x])[0], exact.drift(s) * x, 1e-14);
                close(noise(&forward, s, &[x])[0][0], exact.diffusion(s), 1e-13);
                // Of a Gaussian: −(x − am)/(a²v + b²).
                let m = exact.mean_coefficient(s);
                let score = -(x - m * 0.7) / (m * m * 0.36 + exact.std(s).powi(2));
                let t = 1.0 - s;
                close(
                    at(&reverse, t, &[x])[0],
                    -exact.reverse_drift(s, x, score),
                    1e-9,
                );
                close(at(&flow, t, &[x])[0], -exact.flow_drift(s, x, score), 1e-9);
                close(noise(&reverse, t, &[x])[0][0], exact.diffusion(s), 1e-9);
            }
        }
        // A last time that was rounded up.
        assert!(noise(&reverse, 1.0 + 1e-9, &[0.0])[0][0].is_finite());
        // In single precision b² keeps its relative precision near the data.
        let (_, single) = kernel.marginal(One(1e-4f32));
        let double = exact.std(f64::from(1e-4f32)).powi(2);
        assert!((f64::from(single.0) / double - 1.0).abs() < 1e-5);
    }
}

#[test]
fn bad_parameters_are_refused() {
    let message = |error: Option<ProcessError>| error.map(|e| e.to_string()).unwrap_or_default();
    let nan = f64::NAN;
    assert_eq!(
        message(Linear::new(nan).err()),
        "theta must be finite, got NaN"
    );
    assert_eq!(
        message(Brownian::new(-1.0).err()),
        "sigma must be at least 0, got -1"
    );
    assert_eq!(
        message(Heston::new(0.0, 1.0, 1.0, 1.0, 1.5).err()),
        "rho must be between -1 and 1, got 1.5"
    );
    assert_eq!(
        message(Ve::new(1.0, 0.5).err()),
        "sigma_max must be greater than sigma_min = 1, got 0.5"
    );
    assert_eq!(
        message(Vp::new(0.1, f64::INFINITY).err()),
        "beta_max must be finite, got inf"
    );
    assert!(message(DoubleWell::new(0.0, 1.0, 1.0).err()).contains("height must be positive"));
    let density = DensityArg::default().lanes();
    let error = UnderdampedLangevin::<_>::new(density, 1.0, 1.0, 0.0).err();
    assert_eq!(message(error), "mass must be positive, got 0");
    let kernel = Vp::new(0.1, 20.0).unwrap();
    assert!(message(Forward::<_>::new(kernel, 0).err()).contains("dim must be a whole number"));
}
