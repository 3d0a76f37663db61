//! Inpainting, jumps back and renoising, against the closed forms of a linear-Gaussian world.

mod linear;

use std::f64::consts::FRAC_PI_2;
use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::{DType, Device};
use fokker_core::{
    Inpaint, InverseError, Noise, RowNoise, State, Stepper, noised, renoise, resample, sample,
    sampler, tail,
};
use fokker_math::diffusion::Diffusion;
use fokker_math::grid::uniform;
use fokker_math::prediction::Prediction;
use fokker_math::scheduler::{CondOt, SCHEDULERS};
use fokker_sim::rng::Purpose;
use linear::{Exact, Gaussian, Matrix, law};

const KNOWN: [bool; 5] = [true, false, true, false, false];

fn heun() -> Box<dyn Stepper> {
    sampler("heun").unwrap().start(Diffusion::default())
}

fn model() -> Exact {
    Exact {
        data: Gaussian::correlated(),
        scheduler: Arc::new(CondOt),
        kind: Prediction::Velocity,
    }
}

/// What is known, and nothing said of the rest.
fn known() -> Matrix {
    Matrix(1, 5, vec![1.5, f64::NAN, -0.4, f64::NAN, f64::NAN])
}

/// The same as a measurement.
fn measured() -> (Matrix, Matrix) {
    let rows = [0, 2];
    let a = Matrix::from(2, 5, |i, j| f64::from(u8::from(j == rows[i])));
    (a, Matrix(1, 2, vec![1.5, -0.4]))
}

/// Noise in f64.
struct Exactly(RowNoise);

impl Noise for Exactly {
    fn normal(&mut self, rows: usize, dim: usize) -> State {
        self.0.normal(rows, dim).cast(DType::F64)
    }
}

fn noise(first: u64) -> Exactly {
    Exactly(RowNoise::new(7, Purpose::Solver, first, &Device::flex()))
}

/// The times of a grid that is finer at both ends.
fn fine_ends(steps: usize) -> Vec<f64> {
    let t = |i: usize| (FRAC_PI_2 * i as f64 / steps as f64).sin().powi(2);
    (0..steps).map(t).chain([1.0]).collect()
}

fn repainted(steps: usize, jump: usize, times: usize) -> [f64; 2] {
    let mut stepper = Inpaint::new(heun(), &KNOWN, known().state()).unwrap();
    let (a, y) = measured();
    let grid = resample(&fine_ends(steps), jump, times);
    let posterior = Gaussian::correlated().given(&a, &y, 0.0);
    posterior.errors(&law(&model(), &mut stepper, &grid, 5))
}

/// RePaint comes to the posterior as resampling grows. Errors of mean and covariance are 0.35 and 0.53
/// without, 0.15 and 0.10 with the paper's 10 times and jumps of 10 (2,626 steps), 0.017 and 0.005 after 200
/// times (8,388 steps): the mean's falls about as 1 over the number of times.
#[test]
fn repaint_comes_to_the_posterior_with_resampling() {
    let without = repainted(20, 1, 1);
    let paper = repainted(250, 10, 10);
    let much = repainted(30, 2, 200);
    assert!(without[0] > 0.2 && paper[0] < without[0] && paper[0] > 0.1);
    assert!(much.iter().all(|e| *e < 0.02), "{much:?}");
}

/// On the way the known coordinates follow N(α y, β²), whatever the others do.
#[test]
fn the_known_coordinates_are_on_the_path() {
    let mut stepper = Inpaint::new(heun(), &KNOWN, known().state()).unwrap();
    let law = law(&model(), &mut stepper, &[0.0, 0.2, 0.3], 5);
    for (i, y) in [(0, 1.5), (2, -0.4)] {
        assert!((law.mean.at(0, i) - 0.3 * y).abs() < 1e-14);
        for j in 0..5 {
            let want = if i == j { 0.7 * 0.7 } else { 0.0 };
            assert!((law.covariance.at(i, j) - want).abs() < 1e-14);
        }
    }
}

/// What is known ends as it is, bit for bit, and the rest moves.
#[test]
fn the_known_coordinates_end_exactly() {
    let mut stepper = Inpaint::new(heun(), &KNOWN, known().state()).unwrap();
    let grid = resample(&uniform(12), 3, 2);
    let watch = &mut |_: fokker_core::Progress| ControlFlow::Continue(());
    let start = noise(0).normal(4, 5);
    let walk = sample(&model(), &mut stepper, start, &grid, &mut noise(9), watch);
    let end = Matrix::of(walk.unwrap());
    for i in 0..4 {
        assert_eq!((end.at(i, 0), end.at(i, 2)), (1.5, -0.4));
        assert!(end.at(i, 1).is_finite() && end.at(i, 1) != end.at((i + 1) % 4, 1));
    }
}

#[test]
fn the_zigzag_by_hand() {
    let grid = [0.0, 0.25, 0.5, 0.75, 1.0];
    assert_eq!(resample(&grid, 2, 1), grid);
    assert_eq!(resample(&grid, 0, 3), grid);
    assert_eq!(resample(&[], 1, 2), [] as [f64; 0]);
    let twice = [0.0, 0.25, 0.5, 0.75, 1.0, 0.5, 0.75, 1.0];
    assert_eq!(resample(&grid, 2, 2), twice);
    let single = [0.0, 0.25, 0.5, 0.25, 0.5, 0.75, 0.5, 0.75, 1.0, 0.75, 1.0];
    assert_eq!(resample(&grid, 1, 2), single);
    for (n, jump, times) in [(20, 1, 7), (30, 5, 3), (250, 10, 10)] {
        let spans = n + (times - 1) * (jump + 1) * (n / jump - 1);
        assert_eq!(resample(&uniform(n), jump, times).len() - 1, spans);
    }
}

/// Ones, for the factors to be seen.
struct Ones;

impl Noise for Ones {
    fn normal(&mut self, rows: usize, dim: usize) -> State {
        Matrix::from(rows, dim, |_, _| 1.0).state()
    }
}

/// Back in time the weight of the data falls to α′ and the variance of the noise rises to β′², on every
/// scheduler.
#[test]
fn renoising_carries_the_path_back() {
    for spec in SCHEDULERS {
        let scheduler = (spec.make)();
        for (from, to) in [(1.0, 0.3), (0.8, 0.2), (0.5, 0.5), (0.4, 0.0)] {
            let (c, back) = (scheduler.at(from), scheduler.at(to));
            let one = Matrix::identity(1);
            let zero = one.mix(0.0, 0.0, &one);
            let moved = |x: &Matrix| {
                let x = renoise(&*scheduler, x.state(), from, to, &mut Ones);
                Matrix::of(x).at(0, 0)
            };
            let fresh = moved(&zero);
            let keep = moved(&one) - fresh;
            assert!((keep * c.alpha - back.alpha).abs() < 1e-12, "{}", spec.name);
            let variance = (keep * c.beta).powi(2) + fresh * fresh;
            let error = (variance - back.beta.powi(2)).abs();
            assert!(error < 1e-12 * (1.0 + variance), "{}", spec.name);
        }
        let c = scheduler.at(0.4);
        let x = noised(&*scheduler, Matrix(1, 1, vec![3.0]).state(), 0.4, &mut Ones);
        assert!((Matrix::of(x).at(0, 0) - (3.0 * c.alpha + c.beta)).abs() < 1e-12);
    }
    assert_eq!(
        tail(&[0.0, 0.25, 0.5, 0.75, 1.0], 0.6),
        [0.4, 0.5, 0.75, 1.0]
    );
    assert_eq!(tail(&[0.0, 0.5, 1.0], 1.0), [0.0, 0.5, 1.0]);
    assert_eq!(tail(&[0.0, 0.5, 1.0], 0.0), [1.0]);
}

#[test]
fn a_mask_of_another_size_is_refused() {
    let refused = Inpaint::new(heun(), &KNOWN[..4], known().state()).err();
    assert_eq!(refused, Some(InverseError::Mask { mask: 4, given: 5 }));
}
