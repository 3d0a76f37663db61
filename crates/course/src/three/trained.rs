//! The generators: the course's U-Net, the transformer on pixels, the transformer on latents.

use std::fs;
use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use fokker_core::{Network, State, labels};
use fokker_data::Dataset;
use fokker_eval::figure::number;
use fokker_lab::check::{Check, fixed, short};
use fokker_lab::report::LabSection;
use fokker_nn::{DiTConfig, DiTForm, Init};
use fokker_sim::rng::{Purpose, normal_rows};
use fokker_train::{Latents, RunFolder};

use super::LabError;
use super::bench::{Bench, Outcomes};
use super::generator::{algebra, guidance, training};
use super::linear::Least;
use super::plan::Training;

pub(super) const UNET: &str = "A U-Net, given the class";
pub(super) const DIT: &str = "A diffusion transformer on pixels";
pub(super) const LATENT: &str = "The same in latents";

const FREE: &str = "\
To be able to ask for a class, the network is told it in training, but with probability η only ∅. Classifier-free guidance then walks \
along ũ(x|y) = u(x|∅) + w (u(x|y) − u(x|∅)): w = 1 is the conditional field, larger w goes further in the direction that the class \
makes, at the price of variety. No law is known whose field ũ is; it is judged by what it makes.";

fn recipe(bench: &Bench<'_>, name: &str, network: &str, training: Training, rest: &str) -> String {
    bench.lab.recipe(
        name,
        &format!(
            "{network}\n{rest}\n[train]\nsteps = {}\nbatch = {}\nlog_every = {}\ncheckpoint_every = {}\nkeep = 1\n[sample]\nguidance = 3.0",
            training.steps,
            training.batch,
            (training.steps / 200).max(1),
            (training.steps / 10).clamp(1, 1000),
        ),
    )
}

pub(super) fn unet(bench: &mut Bench<'_>) -> Result<LabSection, LabError> {
    let length = bench.plan.unet;
    let text = recipe(
        bench,
        "unet",
        "kind = \"course-unet\"",
        length,
        "[objective]\nlabel_drop = 0.1\n[optimizer]\nlr = 1e-3\n[schedule]\nkind = \"constant\"\n[ema]\ndecay = 0.99",
    );
    let generator = bench.generator("unet", &text, length, (0.0, 0.8))?;
    let theory = format!(
        "The course's U-Net: 1,233,325 parameters, batch norm, residual blocks that are told time and class, skips that are added. \
         η = 0.1, Adam at 10⁻³. {FREE}\n\n{}",
        honest(bench, length, "5,000 batches of 250", 5000 * 250)
    );
    let section = LabSection::new(UNET, &theory);
    let least = Least::of(&*bench.data);
    let section = training(
        bench,
        section,
        ("U-Net", &generator),
        bench.data.clone(),
        &least,
    )?;
    let mut checks = algebra(bench, ("U-Net", &generator));
    checks.extend(average(bench, 0.8)?);
    let section = section.checks(checks);
    let (section, _) = guidance(bench, section, ("U-Net", &generator), (0.8, 1.0))?;
    Ok(section)
}

/// What this scale is beside the course's.
fn honest(bench: &Bench<'_>, length: Training, course: &str, items: u64) -> String {
    if bench.plan.scale >= 1.0 {
        return "This is the course's own length.".into();
    }
    format!(
        "The course trains {course}; at scale {} it is {} batches of {}, {} % of the images shown. What the pictures lack is mostly \
         that.",
        bench.plan.scale,
        length.steps,
        length.batch,
        short(100.0 * length.items() as f64 / items as f64)
    )
}

fn transformer(bench: &Bench<'_>, patch: usize) -> String {
    let [width, depth, heads] = bench.plan.transformer();
    format!(
        "kind = \"dit\"\nform = \"course\"\npatch = {patch}\nwidth = {width}\ndepth = {depth}\nheads = {heads}"
    )
}

/// The transformers' optimizer: the course's AdamW at 4·10⁻⁴ with weight decay 10⁻⁴; short trainings of narrow networks take
/// a larger rate that falls.
fn optimizer(bench: &Bench<'_>, length: Training) -> String {
    let warmup = (length.steps / 20).min(500);
    let (lr, kind) = match bench.plan.full_width() {
        true => (4e-4, "constant"),
        false => (2e-3, "cosine"),
    };
    format!(
        "[objective]\nlabel_drop = {}\n[optimizer]\nlr = {lr:e}\nweight_decay = 1e-4\n[schedule]\nkind = \"{kind}\"\nwarmup = {warmup}\n\
         [ema]\ndecay = 0.995",
        if bench.plan.full_width() { 0.35 } else { 0.2 }
    )
}

pub(super) fn dit(bench: &mut Bench<'_>) -> Result<LabSection, LabError> {
    let length = bench.plan.dit;
    let rest = optimizer(bench, length);
    let text = recipe(bench, "dit", &transformer(bench, 4), length, &rest);
    let generator = bench.generator("dit", &text, length, (0.0, 0.88))?;
    let [width, depth, heads] = bench.plan.transformer();
    let theory = format!(
        "The image becomes 64 tokens of 4×4 pixels; every token attends to every other. Time and class enter by adaptive \
         normalisation with gates that begin at zero, so that each block begins as the identity and a deep network is as easy to begin \
         with as none. Width {width}, depth {depth}, {heads} heads. {FREE}\n\n{}{}",
        honest(bench, length, "20,000 batches of 256", 20_000 * 256),
        narrow(bench)
    );
    let section = LabSection::new(DIT, &theory).checks(identity(bench));
    let least = Least::of(&*bench.data);
    let section = training(
        bench,
        section,
        ("on pixels", &generator),
        bench.data.clone(),
        &least,
    )?;
    let mut checks = algebra(bench, ("on pixels", &generator));
    checks.extend(average(bench, 0.88)?);
    let section = section.checks(checks);
    let (section, outcomes) = guidance(bench, section, ("on pixels", &generator), (0.88, 1.0))?;
    bench.pixels = Some(outcomes);
    Ok(section)
}

fn narrow(bench: &Bench<'_>) -> &'static str {
    match bench.plan.full_width() {
        true => "",
        false => {
            " The course's network has width 256, depth 8 and 8 heads; below scale 0.1 a narrower one sees more images in the same time."
        }
    }
}

/// Before training the blocks are the identity: neither time nor class changes the output.
fn identity(bench: &Bench<'_>) -> Vec<Check> {
    let device = bench.device();
    let config = DiTConfig {
        form: DiTForm::Course,
        patch: 4,
        width: 64,
        depth: 3,
        heads: 4,
        ..DiTConfig::default()
    };
    let net = config.init([1, 32, 32], 1, 10, &mut Init::new(bench.lab.seed, &device));
    let mut x = vec![0.0; 2 * 1024];
    normal_rows(bench.lab.seed, Purpose::Test, 0..2, 2, 1024, &mut x);
    let ask = |t: f32, class: u32| -> Vec<f32> {
        let x = State::from_data(TensorData::new(x.clone(), [2, 1024]), &device);
        let t = Tensor::from_data(TensorData::new(vec![t; 2], [2]), &device);
        let out = net.forward(x, t, Some(labels(&[class; 2], &device)));
        out.into_data().try_to_vec().expect("states are f32")
    };
    let first = ask(0.1, 0);
    let off = [ask(0.9, 0), ask(0.1, 7), ask(0.5, 10)];
    let off = off.iter().flat_map(|o| o.iter().zip(&first));
    vec![Check::error(
        "before training: three other times and classes change the output by",
        off.map(|(a, b)| f64::from((a - b).abs()))
            .fold(0.0, f64::max),
        0.0,
    )]
}

/// The moving average by hand: e ← d e + (1 − d) w with d = min(0.9, (1 + k)/(10 + k)), over the steps of a tiny training.
fn average(bench: &mut Bench<'_>, share: f64) -> Result<Vec<Check>, LabError> {
    const STEPS: u64 = 6;
    let text = bench.lab.recipe(
        "average",
        &format!(
            "kind = \"dit\"\npatch = 8\nwidth = 16\ndepth = 1\nheads = 2\n[ema]\ndecay = 0.9\n[train]\nsteps = {STEPS}\nbatch = 8\n\
             log_every = 1\ncheckpoint_every = 1\nkeep = 99"
        ),
    );
    let length = Training {
        steps: STEPS,
        batch: 8,
    };
    // Made anew, so that every checkpoint is there.
    drop(fs::remove_dir_all(bench.lab.folder.join("average")));
    let run: RunFolder = bench
        .generator("average", &text, length, (share, share))?
        .run;
    let weights = |step: usize, file: &str| -> Vec<f64> {
        let path = run.checkpoints()[step].path.join(file);
        let bytes = fs::read(path).expect("a checkpoint that was just written");
        // A safetensors file: the header's length, the header, the numbers.
        let head = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
        let four = |b: &[u8]| f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        bytes[8 + head..].chunks_exact(4).map(four).collect()
    };
    let mut worst = 0.0_f64;
    for step in 1..STEPS as usize {
        let k = step as f64;
        let d = ((1.0 + k) / (10.0 + k)).min(0.9);
        let (before, now) = (
            weights(step - 1, "ema.safetensors"),
            weights(step, "ema.safetensors"),
        );
        let net = weights(step, "model.safetensors");
        let pairs = before.iter().zip(&now).zip(&net);
        let off = pairs.map(|((b, e), w)| (d * b + (1.0 - d) * w - e).abs());
        worst = worst.max(off.fold(0.0, f64::max));
    }
    drop(fs::remove_dir_all(bench.lab.folder.join("average")));
    Ok(vec![Check::error(
        "the moving average of the weights against its recurrence, five steps, largest difference",
        worst,
        1e-6,
    )])
}

pub(super) fn latent(bench: &mut Bench<'_>) -> Result<LabSection, LabError> {
    let length = bench.plan.latent;
    let from = bench
        .autoencoder
        .clone()
        .expect("the autoencoder's section comes first");
    let rest = format!(
        "{}\n[latent]\nrun = {:?}",
        optimizer(bench, length),
        from.display().to_string()
    );
    let text = recipe(bench, "latent", &transformer(bench, 1), length, &rest);
    let generator = bench.generator("latent", &text, length, (0.0, 0.8))?;
    let latents = latents(bench, &from)?;
    let info = latents.info().clone();
    let theory = format!(
        "A second transformer learns the latents: 16 tokens of 128 numbers each, not 64 of 16 pixels, so that a step costs a fourth. The \
         images are encoded once, as mean μ and spread σ of q(z|x), and each time one is shown, z = μ + σε is drawn anew. The network works on \
         (z − m)/s with the measured m = {} and s = {}. Samples are decoded.\n\n\
         The course's head passes 10 numbers a token on, 160 in all, and a latent has 2,048. It can say 160 directions; in the others its field is \
         near 0, and noise stays as it began. That is right for directions in which latents are noise, as most are, and it is why the loss stays \
         near that of a constant: below it lies what the images tell.\n\n{}{}",
        fixed(info.mean, 4),
        fixed(info.std, 4),
        honest(bench, length, "20,000 batches of 256", 20_000 * 256),
        narrow(bench)
    );
    let drawn = Drawn(latents.clone());
    let least = drawn.least();
    let section = LabSection::new(LATENT, &theory).checks(normalised(&drawn));
    let section = training(bench, section, ("in latents", &generator), latents, &least)?;
    let section = section.checks(algebra(bench, ("in latents", &generator)));
    let (section, outcomes) = guidance(bench, section, ("in latents", &generator), (0.82, 1.0))?;
    Ok(match bench.pixels.take() {
        Some(pixels) => section.table(
            &["transformer", "parameters", "images shown", "training, minutes", "w = 1", "w = 3", "w = 5"],
            vec![row(&pixels), row(&outcomes)],
            "Class agreement, in per cent, of both transformers. Neither the autoencoder's training nor its encoding of the data is in the \
             second row.",
        ),
        None => section,
    })
}

fn row(o: &Outcomes) -> Vec<String> {
    let head = [
        o.name.to_owned(),
        number(o.parameters as f64),
        number(o.items as f64),
        format!("{:.1}", o.seconds / 60.0),
    ];
    let agreement = o.guided.iter().map(|g| format!("{:.1}", 100.0 * g.1));
    head.into_iter().chain(agreement).collect()
}

/// The lab's data in the latents of this autoencoder.
fn latents(bench: &Bench<'_>, run: &std::path::Path) -> Result<Arc<Latents>, LabError> {
    let run = RunFolder::open(run)?;
    let go_on = &mut |_| std::ops::ControlFlow::Continue(());
    let device: Device = bench.device();
    // Another seed than the training's: fresh draws.
    let made = Latents::of(&run, bench.data.clone(), !bench.lab.seed, &device, go_on)?;
    Ok(Arc::new(made.expect("nobody broke off")))
}

/// Latents as trainings see them.
struct Drawn(Arc<Latents>);

impl Drawn {
    /// The least losses of simple predictions of these.
    fn least(&self) -> Least {
        let (n, dim) = (self.0.len().unwrap_or(0), self.0.shape().size());
        let s2 = self.0.info().std.powi(2);
        let mut sums = vec![[0.0; 3]; dim];
        for i in 0..n {
            let (mean, sigma) = self.0.moments(i);
            for ((sum, m), s) in sums.iter_mut().zip(mean).zip(sigma) {
                let (m, s) = (f64::from(*m), f64::from(*s));
                sum[0] += m;
                sum[1] += m * m;
                sum[2] += s * s;
            }
        }
        let n = n as f64;
        let of_all =
            |[m, square, within]: &[f64; 3]| (square / n - (m / n).powi(2) + within / n) / s2;
        let variances: Vec<f64> = sums.iter().map(of_all).collect();
        Least::from(&variances, Vec::new)
    }
}

/// Latents as they are drawn have mean 0 and variance 1 over all items and numbers.
fn normalised(drawn: &Drawn) -> Vec<Check> {
    let latents = &drawn.0;
    let (n, dim) = (latents.len().unwrap_or(0), latents.shape().size());
    let mut row = vec![0.0; dim];
    let (mut sum, mut square) = (0.0, 0.0);
    for i in 0..n {
        latents.drawn(i, i, &mut row);
        for v in &row {
            sum += f64::from(*v);
            square += f64::from(*v) * f64::from(*v);
        }
    }
    let count = (n * dim as u64) as f64;
    let mean = sum / count;
    vec![
        Check::number(
            "mean of all numbers of the normalised latents, drawn once",
            mean,
            0.0,
            0.01,
            4,
        ),
        Check::number(
            "their standard deviation",
            (square / count - mean * mean).sqrt(),
            1.0,
            0.01,
            4,
        ),
    ]
}
