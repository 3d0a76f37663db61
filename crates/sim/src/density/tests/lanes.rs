//! Densities in lanes against the exact ones, and against duals.

use fokker_math::density::{Density, Gaussian as Exact, Mixture as ExactMixture};

use crate::density::{DensityArg, Diffused, DoubleWell, Gaussian, LaneDensity, Mixture};
use crate::lane::{Dual, Lane, One};

type D = One<f64>;

/// Only the log-density of another, so that the score is the default one.
struct ByDuals<P>(P);

impl<P: LaneDensity> LaneDensity for ByDuals<P> {
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn log_density<L: Lane>(&self, x: &[L]) -> L {
        self.0.log_density(x)
    }
}

#[track_caller]
fn close(a: f64, b: f64, tolerance: f64) {
    assert!(
        (a - b).abs() <= tolerance * (1.0 + b.abs()),
        "{a:e} is not {b:e}"
    );
}

fn lanes(x: &[f64]) -> Vec<D> {
    x.iter().map(|x| One(*x)).collect()
}

/// Full covariances, in several dimensions.
fn gaussians() -> Vec<Exact> {
    vec![
        Exact::new(&[0.5], &[2.0]).unwrap(),
        Exact::new(&[1.0, -2.0], &[1.0, 0.5, 0.5, 2.0]).unwrap(),
        Exact::new(
            &[0.1, 0.2, 0.3],
            &[2.0, 0.3, -0.4, 0.3, 1.0, 0.2, -0.4, 0.2, 0.7],
        )
        .unwrap(),
        Exact::isotropic(&[1.0, 2.0, 3.0, 4.0], 0.7).unwrap(),
    ]
}

fn mixtures() -> Vec<ExactMixture> {
    let [_, plane, space, _] = &gaussians()[..] else {
        unreachable!()
    };
    let other = Exact::isotropic(&[-3.0, 0.5], 0.4).unwrap();
    let third = Exact::new(&[0.0, 3.0], &[0.3, -0.1, -0.1, 0.2]).unwrap();
    let line = |mean: f64, std: f64| Exact::isotropic(&[mean], std).unwrap();
    vec![
        ExactMixture::ring(5, 10.0, 1.0).unwrap(),
        ExactMixture::new(&[0.2, 0.3, 0.5], vec![plane.clone(), other, third]).unwrap(),
        ExactMixture::new(&[1.0], vec![space.clone()]).unwrap(),
        ExactMixture::new(
            &[0.1, 0.6, 0.3],
            vec![line(-2.0, 0.5), line(0.0, 2.0), line(3.0, 0.1)],
        )
        .unwrap(),
    ]
}

/// Points near and far.
fn points(dim: usize) -> Vec<Vec<f64>> {
    (0..40)
        .map(|k| {
            let scale = [0.3, 3.0, 15.0, 100.0][k % 4];
            (0..dim)
                .map(|i| scale * ((7 * k + 3 * i + 1) as f64).sin())
                .collect()
        })
        .collect()
}

fn same_as_exact(lane: &impl LaneDensity, exact: &impl Density) {
    let n = exact.dim();
    assert_eq!(lane.dim(), n);
    for x in points(n) {
        close(lane.log_density(&lanes(&x)).0, exact.log_density(&x), 1e-12);
        let (mut score, mut expected) = (vec![One(0.0); n], vec![0.0; n]);
        lane.score(&lanes(&x), &mut score);
        exact.score(&x, &mut expected);
        for (s, e) in score.iter().zip(expected) {
            close(s.0, e, 1e-12);
        }
    }
}

fn score_is_the_derivative<P: LaneDensity>(density: P) {
    let n = density.dim();
    let by_duals = ByDuals(density);
    for x in points(n) {
        let (mut score, mut dual) = (vec![One(0.0); n], vec![One(0.0); n]);
        by_duals.0.score(&lanes(&x), &mut score);
        by_duals.score(&lanes(&x), &mut dual);
        for (s, d) in score.iter().zip(dual) {
            close(s.0, d.0, 1e-12);
        }
    }
}

#[test]
fn gaussians_are_exact() {
    for exact in gaussians() {
        same_as_exact(&Gaussian::from(&exact), &exact);
        same_as_exact(&Mixture::from(&exact), &exact);
        score_is_the_derivative(Gaussian::from(&exact));
    }
}

#[test]
fn mixtures_are_exact() {
    for exact in mixtures() {
        same_as_exact(&Mixture::from(&exact), &exact);
        score_is_the_derivative(Mixture::from(&exact));
        same_as_exact(&DensityArg::Mixture(exact.clone()).lanes(), &exact);
    }
}

/// The default score also works beyond the dimensions kept on the stack.
#[test]
fn duals_in_many_dimensions() {
    let exact = Exact::isotropic(&[0.3; 12], 0.7).unwrap();
    score_is_the_derivative(Mixture::from(&exact));
}

/// Between two modes that weigh the same, the sum's largest term changes; the derivative of the
/// score there is −1/s² + m²/s⁴.
#[test]
fn derivatives_at_a_tie() {
    for text in [
        "mixture:means=[-1.5,1.5],stds=0.5",
        "mixture:means=[1.5,-1.5],stds=0.5",
    ] {
        let density = text.parse::<DensityArg>().unwrap().lanes();
        let mut score = [Dual::splat(0.0)];
        density.score(&[Dual::new(One(0.0), One(1.0))], &mut score);
        close(score[0].v.0, 0.0, 1e-15);
        close(score[0].d.0, -4.0 + 2.25 * 16.0, 1e-13);
    }
}

#[test]
fn far_away_and_in_single_precision() {
    let mixture = Mixture::from(&mixtures()[1]);
    let mut score = [One(0f64); 2];
    mixture.score(&[One(1e9), One(-1e9)], &mut score);
    assert!(score.iter().all(|s| s.0.is_finite()), "{score:?}");
    for x in points(2) {
        let (mut single, mut double) = ([One(0f32); 2], [One(0f64); 2]);
        let narrow = [One(x[0] as f32), One(x[1] as f32)];
        mixture.score(&narrow, &mut single);
        let wide = narrow.map(|x| One(f64::from(x.0)));
        mixture.score(&wide, &mut double);
        for (s, d) in single.iter().zip(double) {
            close(f64::from(s.0), d.0, 2e-4);
        }
    }
}

/// aZ + bε is Σ wₖ N(aμₖ, a²Σₖ + b²I).
#[test]
fn diffused_mixtures_are_exact() {
    /// At fixed a and b².
    struct At(Diffused, f64, f64);
    impl LaneDensity for At {
        fn dim(&self) -> usize {
            self.0.dim()
        }
        fn log_density<L: Lane>(&self, x: &[L]) -> L {
            self.0.log_density(L::splat(self.1), L::splat(self.2), x)
        }
        fn score<L: Lane>(&self, x: &[L], out: &mut [L]) {
            self.0.score(L::splat(self.1), L::splat(self.2), x, out);
        }
    }
    for exact in mixtures() {
        for (a, b_squared) in [(1.0, 0.0), (0.6, 0.64), (0.01, 1.0), (1.0, 9.0)] {
            let n = exact.dim();
            let components = exact.components().iter().map(|gaussian| {
                let mean: Vec<f64> = gaussian.mean().iter().map(|m| a * m).collect();
                let mut covariance: Vec<f64> =
                    gaussian.covariance().iter().map(|v| a * a * v).collect();
                covariance
                    .iter_mut()
                    .step_by(n + 1)
                    .for_each(|v| *v += b_squared);
                Exact::new(&mean, &covariance).unwrap()
            });
            let direct = ExactMixture::new(exact.weights(), components.collect()).unwrap();
            let at = At(Diffused::from(&exact), a, b_squared);
            same_as_exact(&at, &direct);
            score_is_the_derivative(at);
        }
    }
}

#[test]
fn the_double_well_is_a_density() {
    for (height, width) in [(2.0, 1.0), (0.05, 3.0), (300.0, 0.5)] {
        let well = DoubleWell::new(height, width).unwrap();
        score_is_the_derivative(well.clone());
        let p = |x: f64| well.log_density(&[One(x)]).0.exp();
        // The rectangle rule converges exponentially for what decays so fast.
        let (n, reach) = (20_000, 12.0 * width);
        let h = 2.0 * reach / n as f64;
        let sum =
            |f: &dyn Fn(f64) -> f64| -> f64 { (0..n).map(|i| h * f(i as f64 * h - reach)).sum() };
        close(sum(&p), 1.0, 1e-9);
        close(sum(&|x| x * x * p(x)), well.variance(), 1e-9);
        for u in [1e-3, 0.2, 0.5, 0.77, 0.999] {
            let x = well.quantile(u);
            close(well.cdf(x), u, 1e-12);
            let slope = (well.cdf(x + 1e-4 * width) - well.cdf(x - 1e-4 * width)) / (2e-4 * width);
            close(slope, p(x), 1e-4);
        }
        // −ln p rises by h between a well and the barrier.
        let gap = well.log_density(&[One(width)]).0 - well.log_density(&[One(0.0)]).0;
        close(gap, height, 1e-14);
    }
    assert!(DoubleWell::new(f64::NAN, 1.0).is_err());
    assert!(DoubleWell::new(1.0, 0.0).is_err());
}
