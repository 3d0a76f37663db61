//! The autoencoder: what it gives back, what it says, and what lies between two images.

use burn::tensor::TensorData;
use fokker_core::State;
use fokker_data::{Dataset, Shape};
use fokker_eval::figure::{LineChart, Series, number};
use fokker_lab::check::Check;
use fokker_lab::report::LabSection;
use fokker_nn::{Autoencoder, Init, Posterior, VaeConfig};
use fokker_sim::rng::{Purpose, normal_rows};
use fokker_train::{LatentSpace, Reconstruction};

use super::LabError;
use super::bench::{Bench, seconds};
use super::generator::below;
use super::pictures::{pictures, sheets};

pub(super) const TITLE: &str = "An autoencoder, and the way between two images";

const THEORY: &str = "\
A variational autoencoder maps an image to a normal law q(z|x) = N(μ(x), σ²(x)) of latents, and latents back to images. Its loss is \
‖x − x̂‖²/2s² + β KL(q(z|x)‖N(0, I)), with KL = ½Σ(σ² − log σ² − 1 + μ²): images are to come back, and latents are to lie as a normal law \
does. The course's encoder halves the image three times, to 128×4×4; residual blocks and attention over all pixels at every size.\n\n\
s says how exactly pixels matter: directions in which images vary by less than s√β are not worth their price in divergence and are left out. Here \
s = 0.2 and β = 1, where reconstructions are good; the course's s = 1 and β = 10 keep a handful of directions.";

const COLUMNS: usize = 10;
const BETWEEN: usize = 9;

pub(super) fn section(bench: &mut Bench<'_>) -> Result<LabSection, LabError> {
    let length = bench.plan.vae;
    let recipe = bench.lab.recipe(
        "vae",
        &format!(
            "kind = \"vae\"\n[vae]\ns = 0.2\nbeta = 1.0\nheld_back = 0.05\n[optimizer]\nlr = 2e-3\n[schedule]\nkind = \"cosine\"\nwarmup = {}\n\
             [ema]\ndecay = 0.99\n[train]\nsteps = {}\nbatch = {}\nlog_every = {}\ncheckpoint_every = {}\nkeep = 1",
            (length.steps / 20).min(200),
            length.steps,
            length.batch,
            (length.steps / 200).max(1),
            (length.steps / 10).clamp(1, 1000),
        ),
    );
    let run = bench.train_autoencoder("vae", &recipe, (0.0, 0.9))?;
    let (net, _) = run.autoencoder(&bench.device())?;
    let space = LatentSpace::plain(net, &bench.device());
    let data = bench.data.clone();
    let held = run.config().held_back(&*data);
    // Digits have files of their own to test on.
    let (unseen, items): (&dyn Dataset, Vec<u64>) = match held.is_empty() {
        true => (
            &*bench.test,
            (0..bench.test.len().unwrap_or(0).min(500)).collect(),
        ),
        false => (&*data, held),
    };
    let go_on = &mut |_| std::ops::ControlFlow::Continue(());
    let found = Reconstruction::measure(&space, unseen, &items, go_on).expect("nobody broke off");
    let dim = data.shape().size();
    let mut shown = vec![0.0; 2 * COLUMNS * dim];
    for (row, i) in shown.chunks_exact_mut(dim).zip(&items) {
        unseen.item(*i, row);
    }
    bench.tell(0.95)?;
    let metrics = run.metrics()?;
    let losses = metrics.iter().map(|m| (m.step as f64, m.loss)).collect();
    let section = LabSection::new(TITLE, THEORY)
        .figure(
            LineChart::new("Training loss")
                .x_label("step")
                .y_label("nats a pixel, but for a constant")
                .series(Series::new("loss", losses).smoothed(9)),
            format!(
                "{} parameters, {} steps of {} images in {:.1} minutes.",
                number(run.info().parameters as f64),
                length.steps,
                length.batch,
                seconds(&metrics) / 60.0
            ),
        )
        .pictures(
            reconstructions(&space, &shown, data.shape())?,
            format!(
                "Images that the training never saw, each above the decoded mean of its latent. On {} of them the mean square error is {:.4} a \
                 pixel, {:.1} % of what a constant image leaves; the latent costs {:.0} nats, and {} of its {} numbers vary with the image.",
                found.images,
                found.error,
                100.0 * found.error / found.constant,
                found.divergence,
                found.active,
                found.latent
            ),
        )
        .pictures(
            interpolation(&space, &shown, data.shape())?,
            "Between two images: above, the decoded latents on the straight line between the two means; below, the straight line of the pixels, \
             which is two images at once.",
        )
        .checks(checks(bench, &found)?);
    bench.autoencoder = Some(run.path().to_owned());
    Ok(section)
}

fn reconstructions(
    space: &LatentSpace,
    images: &[f32],
    shape: Shape,
) -> Result<[fokker_eval::Pixels; 2], LabError> {
    let decoded = space.decode(&space.encode(images));
    let (tops, bottoms) = (pictures(images, shape)?, pictures(&decoded, shape)?);
    let rows = tops.chunks(COLUMNS).zip(bottoms.chunks(COLUMNS));
    let rows: Vec<_> = rows.flat_map(|(t, b)| [t, b].concat()).collect();
    let labels = ["image", "decoded", "image", "decoded"].map(String::from);
    sheets(&rows, COLUMNS, 2, Some(labels.into()), None)
}

/// Three pairs, each in latents and in pixels.
fn interpolation(
    space: &LatentSpace,
    images: &[f32],
    shape: Shape,
) -> Result<[fokker_eval::Pixels; 2], LabError> {
    let size = shape.size();
    let mut rows = Vec::new();
    for pair in images.chunks_exact(2 * size).take(3) {
        let (a, b) = pair.split_at(size);
        let line = |a: &[f32], b: &[f32]| -> Vec<f32> {
            let share = |k: usize| k as f32 / (BETWEEN - 1) as f32;
            (0..BETWEEN)
                .flat_map(|k| {
                    let s = share(k);
                    let pairs = a.iter().zip(b);
                    pairs
                        .map(move |(a, b)| (1.0 - s) * a + s * b)
                        .collect::<Vec<_>>()
                })
                .collect()
        };
        let latents = space.encode(pair);
        let (za, zb) = latents.split_at(space.dim());
        rows.extend(pictures(&space.decode(&line(za, zb)), shape)?);
        rows.extend(pictures(&line(a, b), shape)?);
    }
    let labels = ["latents", "pixels"]
        .repeat(3)
        .into_iter()
        .map(String::from);
    sheets(&rows, BETWEEN, 2, Some(labels.collect()), None)
}

fn checks(bench: &Bench<'_>, found: &Reconstruction) -> Result<Vec<Check>, LabError> {
    let device = bench.device();
    let state = |v: Vec<f32>, width: usize| {
        let rows = v.len() / width;
        State::from_data(TensorData::new(v, [rows, width]), &device)
    };
    // KL of N(μ, σ²) from N(0, 1) in closed form, against a Monte-Carlo mean of log q(z) − log p(z).
    const DRAWS: usize = 100_000;
    let (mu, sigma) = (0.7_f64, 0.5_f64);
    let posterior = Posterior {
        mean: state(vec![mu as f32], 1),
        log_variance: state(vec![(2.0 * sigma.ln()) as f32], 1),
    };
    let closed = f64::from(posterior.divergence().into_scalar::<f32>());
    let mut eps = vec![0.0; DRAWS];
    normal_rows(bench.lab.seed, Purpose::Test, 0..1, 3, DRAWS, &mut eps);
    let terms: Vec<f64> = eps
        .iter()
        .map(|e| {
            let e = f64::from(*e);
            let z = mu + sigma * e;
            -sigma.ln() - 0.5 * e * e + 0.5 * z * z
        })
        .collect();
    let n = terms.len() as f64;
    let mean = terms.iter().sum::<f64>() / n;
    let variance = terms.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / (n - 1.0);
    // Before training every stage is the identity, so that decoding the mean is affine: f(a + b) + f(0) = f(a) + f(b).
    let net = VaeConfig::default().init([1, 32, 32], &mut Init::new(bench.lab.seed, &device));
    let mut x = vec![0.0; 2 * 1024];
    normal_rows(bench.lab.seed, Purpose::Test, 0..2, 4, 1024, &mut x);
    let (a, b) = x.split_at(1024);
    let pass = |x: Vec<f32>| -> Vec<f32> {
        let out = net.decode(net.encode(state(x, 1024)).mean);
        out.into_data().try_to_vec().expect("images are f32")
    };
    let both = pass(a.iter().zip(b).map(|(a, b)| a + b).collect());
    let (zero, fa, fb) = (pass(vec![0.0; 1024]), pass(a.into()), pass(b.into()));
    let off = (0..1024).map(|i| f64::from((both[i] + zero[i] - fa[i] - fb[i]).abs()));
    Ok(vec![
        Check::estimate(
            "KL(N(0.7, ½²)‖N(0, 1)), 100 000 draws of log q − log p against the loss's closed form",
            mean,
            closed,
            (variance / n).sqrt(),
        ),
        Check::error(
            "before training: decoding the mean is affine, largest deviation",
            off.fold(0.0, f64::max),
            1e-4,
        ),
        below(
            "reconstruction error on unseen images against that of a constant image",
            found.error,
            found.constant,
        ),
        super::generator::at_least("divergence of unseen images, nats", found.divergence, 0.0),
    ])
}
