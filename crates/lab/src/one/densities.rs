//! Three densities in the plane, and their scores.

use fokker_eval::field::Lattice;
use fokker_eval::figure::{Plane, View};
use fokker_math::density::{Density, Gaussian, Mixture};
use fokker_sim::density::{LaneDensity, Mixture as LaneMixture};
use fokker_sim::lane::One;

use super::LabError;
use super::bench::Bench;
use super::target::{density, random_mixture, sample, score};
use crate::check::Check;
use crate::report::LabSection;

pub(super) const TITLE: &str = "Three densities and their scores";

const BOX: (f64, f64) = (-15.0, 15.0);
const SAMPLES: usize = 40_000;

const THEORY: &str = "\
A Gaussian N(0, 10 I), five modes evenly on a circle of radius 8, and five at random places in a square of \
side 20, all modes with weight 1/5 and standard deviation 1. Beside the density p itself, sampling needs \
its score ∇ln p: for a mixture Σ wₖpₖ it is the average of the modes' scores with the posterior weights \
wₖpₖ/p. It points uphill, and it does not change when p is multiplied by a constant.";

pub(super) fn section(bench: &mut Bench<'_>) -> Result<LabSection, LabError> {
    let gaussian = Gaussian::new(&[0.0, 0.0], &[10.0, 0.0, 0.0, 10.0])?;
    let three: [(&str, Mixture); 3] = [
        ("Gaussian", Mixture::new(&[1.0], vec![gaussian])?),
        ("symmetric mixture", Mixture::ring(5, 8.0, 1.0)?),
        ("random mixture", random_mixture(RANDOM, 1.0, 20.0)?),
    ];
    let mut heat = Plane::new("Three densities")
        .subtitle("Contours hold 20, 50, 80 and 95 % of the mass; each panel has its own scale")
        .x_label("x₁")
        .y_label("x₂")
        .columns(3);
    let mut arrows = Plane::new("The scores ∇ln p")
        .subtitle("Arrows uphill over the density; their length grows with √‖∇ln p‖")
        .x_label("x₁")
        .y_label("x₂")
        .columns(3);
    let (mut numbers, mut scores) = (Vec::new(), Vec::new());
    for (name, p) in &three {
        bench.tell((0, 0))?;
        let view = View::new(*name, BOX, BOX);
        let values = view.sample(density(p));
        let levels = values.levels_of_mass(&[0.2, 0.5, 0.8, 0.95]);
        heat = heat.view(view.density(values.clone()).contours(&values, &levels));
        arrows = arrows.view(
            View::new(*name, BOX, BOX)
                .density(values)
                .quiver(score(p), 17),
        );
        numbers.extend(moments(bench, name, p));
        scores.extend(score_checks(bench, name, p));
    }
    Ok(LabSection::new(TITLE, THEORY)
        .figure(
            heat,
            "The symmetric mixture as the first lab calls it is a ring; the random one has the same places \
             in every run.",
        )
        .checks(numbers)
        .figure(
            arrows,
            "Far from all modes the score is long, and near each mode it vanishes; where the pulls of two \
             modes balance it turns sharply from one to the other.",
        )
        .checks(scores))
}

/// Which random mixture.
const RANDOM: u64 = 3;

/// Integral, and the moments of a sample.
fn moments(bench: &mut Bench<'_>, name: &str, p: &Mixture) -> Vec<Check> {
    // Wide enough for a Gaussian of std √10; the trapezoidal rule is exact to rounding here.
    let wide = (-26.0, 26.0);
    let integral = Lattice::sample(wide, wide, 261, density(p)).integral();
    let mut checks = vec![Check::number(
        format!("{name}: ∫ p dx"),
        integral,
        1.0,
        1e-10,
        6,
    )];
    let points = sample(p, SAMPLES, &mut bench.cursor());
    let (mean, exact) = (p.mean(), p.covariance());
    for (i, axis) in ["x₁", "x₂"].iter().enumerate() {
        let se = (exact[3 * i] / SAMPLES as f64).sqrt();
        let found = points.iter().map(|x| x[i]).sum::<f64>() / SAMPLES as f64;
        checks.push(Check::estimate(
            format!("{name}: sampled mean of {axis}"),
            found,
            mean[i],
            se,
        ));
    }
    for (words, i, j) in [
        ("variance of x₁", 0, 0),
        ("variance of x₂", 1, 1),
        ("covariance", 0, 1),
    ] {
        // About the exact mean, so that the products are independent with the exact expectation.
        let products = points.iter().map(|x| (x[i] - mean[i]) * (x[j] - mean[j]));
        let (found, se) = average(products);
        checks.push(Check::estimate(
            format!("{name}: sampled {words}"),
            found,
            exact[2 * i + j],
            se,
        ));
    }
    checks
}

/// A mean and its standard error from the sample.
fn average(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let values: Vec<f64> = values.collect();
    let (mean, variance) = crate::check::mean_variance(&values);
    (mean, (variance / values.len() as f64).sqrt())
}

fn score_checks(bench: &mut Bench<'_>, name: &str, p: &Mixture) -> Vec<Check> {
    let points = sample(p, SAMPLES, &mut bench.cursor());
    let (s, lanes) = (score(p), LaneMixture::from(p));
    let (mut slope_error, mut lane_error) = (0.0f64, 0.0f64);
    for x in &points[..1000] {
        let exact: [f64; 2] = s(x[0], x[1]).into();
        let mut one = [One(0.0f64); 2];
        LaneDensity::score(&lanes, &[One(x[0]), One(x[1])], &mut one);
        for i in 0..2 {
            // Central differences: an error of h²/6 times a third derivative, and rounding/h.
            let h = 1e-4;
            let at = |step: f64| {
                let mut y = *x;
                y[i] += step;
                p.log_density(&y)
            };
            let difference = (at(h) - at(-h)) / (2.0 * h);
            slope_error = slope_error.max((difference - exact[i]).abs());
            lane_error = lane_error.max((one[i].0 - exact[i]).abs());
        }
    }
    let dots = points.iter().map(|x| {
        let (u, v) = s(x[0], x[1]);
        x[0] * u + x[1] * v
    });
    let (found, se) = average(dots);
    vec![
        Check::error(
            format!("{name}: score − slope of ln p, largest of 1000 points"),
            slope_error,
            1e-6,
        ),
        Check::error(
            format!("{name}: score as simulations compute it − exact"),
            lane_error,
            1e-12,
        ),
        Check::estimate(
            format!("{name}: mean of X·∇ln p(X) over samples, Stein's identity"),
            found,
            -2.0,
            se,
        ),
    ]
}
