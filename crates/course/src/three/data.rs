//! The data and the conditional path of an image.

use fokker_eval::figure::{LineChart, Series};
use fokker_lab::check::Check;
use fokker_lab::report::LabSection;
use fokker_math::scheduler::{CondOt, Scheduler};
use fokker_sim::rng::{Purpose, normal_rows};

use super::LabError;
use super::bench::Bench;
use super::linear::{Least, left};
use super::pictures::{of_each_class, pictures, sheets};

pub(super) const TITLE: &str = "The data, and the path of one image";

const THEORY: &str = "\
Images are points z of ℝ¹⁰²⁴: 28×28 pixels in the middle of a black canvas of 32×32, values from −1 (black) to 1 (white). Each \
has a class y. The conditional path on CondOT is x = tz + (1 − t)ε, from noise at t = 0 to the image at t = 1, and its field at x is \
z − ε. Flow matching asks a network for E[z − ε | x, t, y].\n\n\
Before anything is trained, the mean and the covariance C of the data tell how well simple predictions do. Along a direction in \
which the data have variance λ, the best affine prediction misses the target by λ/(t²λ + (1 − t)²) in the mean square, and the integral of that over t \
is (π/2)√λ. So no affine prediction has a smaller loss than (π/2) tr √C/d, and no constant one a smaller loss than 1 + tr C/d. A network \
that has learned anything beyond means and covariances goes below both.";

const TIMES: [f64; 7] = [0.0, 0.25, 0.5, 0.7, 0.85, 0.95, 1.0];
const EACH: usize = 12;
const SHOWN: usize = 6;

pub(super) fn section(bench: &mut Bench<'_>) -> Result<LabSection, LabError> {
    let data = bench.data.clone();
    let (shape, classes) = (data.shape(), data.classes().to_vec());
    let images = pictures(&of_each_class(&*data, EACH), shape)?;
    let sheet = sheets(&images, EACH, 2, Some(classes.clone()), None)?;
    let n = data.len().unwrap_or(0);

    let (z, _) = Bench::items(&*data, SHOWN);
    let mut eps = vec![0.0; z.len()];
    normal_rows(
        bench.lab.seed,
        Purpose::Test,
        0..SHOWN as u64,
        0,
        shape.size(),
        &mut eps,
    );
    let at = |t: f64| -> Vec<f32> {
        let c = CondOt.at(t);
        let pairs = z.iter().zip(&eps);
        pairs
            .map(|(z, e)| c.alpha as f32 * z + c.beta as f32 * e)
            .collect()
    };
    let path: Vec<Vec<f32>> = TIMES.iter().map(|t| at(*t)).collect();
    let rows: Vec<f32> = (0..SHOWN)
        .flat_map(|i| {
            let size = shape.size();
            path.iter()
                .flat_map(move |p| p[i * size..(i + 1) * size].to_vec())
        })
        .collect();
    let heads = TIMES.iter().map(|t| format!("t = {t}")).collect();
    let path_sheet = sheets(&pictures(&rows, shape)?, TIMES.len(), 2, None, Some(heads))?;
    bench.tell(0.5)?;

    let least = Least::of(&*data);
    Ok(LabSection::new(TITLE, THEORY)
        .pictures(
            sheet,
            format!("{EACH} images of each class, of {n} in all."),
        )
        .pictures(
            path_sheet,
            "The conditional path of six images: each row one z and one ε. At t = ½ shapes can be told and details cannot.",
        )
        .figure(left_figure(), "The mean square that the best affine prediction misses along directions in which the data vary more than the noise, as much, and less. Wide directions are settled early and narrow ones late; the area under each curve is (π/2)√λ.")
        .checks(checks(&z, &eps, &at, &least)))
}

fn left_figure() -> LineChart {
    let curve = |lambda: f64| {
        let points = (0..=200).map(|i| f64::from(i) / 200.0);
        points.map(|t| (t, left(lambda, t))).collect()
    };
    [(10.0, "λ = 10"), (1.0, "λ = 1"), (0.1, "λ = 0.1")]
        .into_iter()
        .fold(
            LineChart::new("Loss of the best affine prediction")
                .x_label("t")
                .y_label("loss along one direction"),
            |chart, (lambda, name)| chart.series(Series::new(name, curve(lambda))),
        )
}

fn checks(z: &[f32], eps: &[f32], at: &dyn Fn(f64) -> Vec<f32>, least: &Least) -> Vec<Check> {
    let largest = |a: &[f32], b: &[f32]| {
        let off = a.iter().zip(b).map(|(a, b)| f64::from((a - b).abs()));
        off.fold(0.0, f64::max)
    };
    // x − tz = (1 − t)ε at t = ½.
    let half = at(0.5);
    let n = z.len() as f64;
    let rest = half.iter().zip(z).map(|(x, z)| f64::from(x - 0.5 * z));
    let square = rest.map(|r| r * r).sum::<f64>() / n;
    // Midpoints of 10⁵ slices against the closed form of the integral.
    let lambda = 0.3;
    let slices = 100_000;
    let area = (0..slices).map(|i| left(lambda, (f64::from(i) + 0.5) / f64::from(slices)));
    let area = area.sum::<f64>() / f64::from(slices);
    let affine = least.affine.expect("1,024 numbers");
    vec![
        Check::error(
            "the path's beginning against ε, largest difference",
            largest(&at(0.0), eps),
            0.0,
        ),
        Check::error(
            "the path's end against z, largest difference",
            largest(&at(1.0), z),
            0.0,
        ),
        Check::estimate(
            "mean square of x − tz at t = ½ against β² = ¼",
            square,
            0.25,
            0.25 * (2.0 / n).sqrt(),
        ),
        Check::number(
            "∫ λ/(t²λ + (1 − t)²) dt at λ = 0.3 by the midpoint rule against (π/2)√λ",
            area,
            std::f64::consts::FRAC_PI_2 * lambda.sqrt(),
            1e-8,
            9,
        ),
        super::generator::below(
            "the affine bound (π/2) tr √C/d against that of each pixel by itself",
            affine,
            least.each,
        ),
        super::generator::below(
            "that of each pixel by itself against the constant bound 1 + tr C/d",
            least.each,
            least.constant,
        ),
    ]
}
