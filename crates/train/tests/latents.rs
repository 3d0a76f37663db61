//! Autoencoders as something to train, and models of their latents: what is learned, what is cached, what resumes with the
//! same bits, and what is refused.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::{Device, TensorData};
use fokker_core::{Draw, State};
use fokker_data::{Dataset, write_npy};
use fokker_nn::Autoencoder;
use fokker_train::{
    Config, LatentSpace, Latents, Outcome, Prepared, Reconstruction, RunFolder, RunInfo, Task,
    TrainError, Trainer, flow_parameters, flow_trainer, flow_trainer_on, held_back, prepare,
    vae_trainer,
};

fn device() -> Device {
    Device::flex()
}

/// Forty images of 1×8×8: bars of four places and ten brightnesses.
fn bars(at: &Path, name: &str, side: usize) -> PathBuf {
    let bar = |i: usize, p: usize| match p / (2 * side) == i % 4 {
        true => 0.1 * (i / 4) as f32,
        false => -1.0,
    };
    let values: Vec<f32> = (0..40)
        .flat_map(|i| (0..side * side).map(move |p| bar(i, p)))
        .collect();
    let path = at.join(name);
    write_npy(&path, &values, &[40, 1, side, side]).unwrap();
    path
}

fn config(text: &str, set: &[&str]) -> Config {
    parse(text, set).unwrap()
}

fn parse(text: &str, set: &[&str]) -> Result<Config, TrainError> {
    let set: Vec<String> = set.iter().map(|s| (*s).to_owned()).collect();
    Config::parse(text, "recipe", &set)
}

fn vae_recipe(data: &Path) -> String {
    format!(
        "name = \"v\"\nseed = 3\n[data]\nkind = \"array\"\npath = {data:?}\n[network]\nkind = \"vae\"\nchannels = [4, 6]\nblocks = 1\n\
         [optimizer]\nlr = 0.01\n[ema]\ndecay = 0.9\n[train]\nsteps = 40\nbatch = 8\nlog_every = 5\ncheckpoint_every = 10\n"
    )
}

fn latent_recipe(data: &Path, run: &Path) -> String {
    format!(
        "name = \"l\"\nseed = 5\n[data]\nkind = \"array\"\npath = {data:?}\n[latent]\nrun = {run:?}\n[network]\nkind = \"dit\"\npatch = 2\n\
         width = 16\ndepth = 1\nheads = 2\n[train]\nsteps = 12\nbatch = 8\nlog_every = 5\ncheckpoint_every = 5\n[sample]\nsteps = 3\n"
    )
}

type Step<'a> = &'a mut dyn FnMut(&fokker_train::StepReport) -> ControlFlow<()>;

/// Trains to the end, or breaks off after `stop` steps.
fn walk<N: burn::module::Module, T: Task<N>>(
    run: &RunFolder,
    trainer: &mut Trainer<N, T>,
    stop: Option<u64>,
) {
    let watch: Step<'_> = &mut |r| match stop {
        Some(s) if r.step == s => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let want = match stop {
        Some(_) => Outcome::Stopped,
        None => Outcome::Finished,
    };
    assert_eq!(run.train(trainer, watch).unwrap(), want);
}

fn train_vae(path: &Path, config: &Config, stop: Option<u64>) -> RunFolder {
    let data = config.data.load(config.seed).unwrap();
    let mut trainer = vae_trainer(config, data.clone(), &device()).unwrap();
    let info = RunInfo::new(&*data, false, trainer.parameters());
    let run = RunFolder::create(path, config.clone(), info).unwrap();
    walk(&run, &mut trainer, stop);
    if stop.is_none() {
        return run;
    }
    drop(run);
    let mut run = RunFolder::open(path).unwrap();
    let fresh = vae_trainer(run.config(), run.data().unwrap(), &device()).unwrap();
    let autodiff = fresh.device().clone();
    let mut trainer = run.resume(fresh, &autodiff).unwrap();
    walk(&run, &mut trainer, None);
    run
}

fn train_latent(path: &Path, config: &Config, stop: Option<u64>) -> RunFolder {
    let config = config.clone().pinned().unwrap();
    let data = config.data.load(config.seed).unwrap();
    let mut trainer = flow_trainer(&config, data.clone(), &device()).unwrap();
    let info = RunInfo::of_flow(&trainer, &*data);
    let run = RunFolder::create(path, config, info).unwrap();
    walk(&run, &mut trainer, stop);
    if stop.is_none() {
        return run;
    }
    drop(run);
    go_on(path)
}

/// What a fresh process does with a latent run.
fn go_on(path: &Path) -> RunFolder {
    let mut run = RunFolder::open(path).unwrap();
    let data = run.data().unwrap();
    let prepared = prepared(&run, data.clone()).unwrap();
    let fresh = flow_trainer_on(run.config(), data, prepared, &device()).unwrap();
    let autodiff = fresh.device().clone();
    let mut trainer = run.resume(fresh, &autodiff).unwrap();
    walk(&run, &mut trainer, None);
    run
}

fn prepared(run: &RunFolder, data: Arc<dyn Dataset>) -> Result<Prepared, TrainError> {
    let watch = &mut |_| ControlFlow::Continue(());
    let made = prepare(run.config(), Some(run), data, &device(), watch)?;
    Ok(made.expect("nobody broke off"))
}

fn latents(run: &RunFolder, data: &Arc<dyn Dataset>) -> Result<Latents, TrainError> {
    let watch = &mut |_| ControlFlow::Continue(());
    let made = Latents::of(run, data.clone(), 7, &device(), watch)?;
    Ok(made.expect("nobody broke off"))
}

fn bytes(run: &RunFolder, file: &str) -> Vec<u8> {
    fs::read(run.latest().unwrap().path.join(file)).unwrap()
}

#[test]
fn an_autoencoder_learns_and_says_what_its_loss_is_made_of() {
    let folder = tempfile::tempdir().unwrap();
    let data = bars(folder.path(), "bars.npy", 8);
    let config = config(&vae_recipe(&data), &["train.steps=120"]);
    let run = train_vae(&folder.path().join("run"), &config, None);
    let metrics = run.metrics().unwrap();
    let (first, last) = (&metrics[0], &metrics[metrics.len() - 1]);
    assert!(last.loss < first.loss, "{} to {}", first.loss, last.loss);
    assert!(last.terms["error"] < 0.5 * first.terms["error"]);
    let vae = config.vae.clone().unwrap();
    for m in &metrics {
        // E/2s² + log s + β KL/d, means over the same steps.
        let by_hand = m.terms["error"] / (2.0 * vae.s * vae.s)
            + vae.s.ln()
            + vae.beta * m.terms["divergence"] / 64.0;
        assert!(
            (m.loss - by_hand).abs() < 1e-4 * by_hand.abs().max(1.0),
            "{m:?}"
        );
    }
    // What is measured on unseen images is what its definition says, item by item.
    let set = run.data().unwrap();
    let held = run.config().held_back(&*set);
    assert_eq!(held.len(), 2, "5 % of 40");
    let (net, _) = run.autoencoder(&device()).unwrap();
    let space = LatentSpace::plain(net, &device());
    let watch = &mut |_| ControlFlow::Continue(());
    let found = Reconstruction::measure(&space, &*set, &held, watch).unwrap();
    let (mut error, mut divergence) = (0.0, 0.0);
    for i in &held {
        let mut x = vec![0.0; 64];
        set.item(*i, &mut x);
        let back = space.decode(&space.encode(&x));
        let square = x.iter().zip(&back).map(|(a, b)| f64::from(a - b).powi(2));
        error += square.sum::<f64>() / (64.0 * 2.0);
        let state = State::from_data(TensorData::new(x, [1, 64]), &device());
        let posterior = space.autoencoder().encode(state);
        divergence += f64::from(posterior.divergence().into_scalar::<f32>()) / 2.0;
    }
    assert!((found.error - error).abs() < 1e-9);
    assert!((found.divergence - divergence).abs() < 1e-3 * divergence);
    assert!(found.error < found.constant);
}

#[test]
fn held_back_items_are_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let data = bars(folder.path(), "bars.npy", 8);
    let config = config(&vae_recipe(&data), &["vae.held_back=0.5"]);
    let set = config.data.load(0).unwrap();
    let held = config.held_back(&*set);
    assert_eq!(held, held_back(3, 40, 0.5));
    let trainer = vae_trainer(&config, set.clone(), &device()).unwrap();
    let row = |i: u64| {
        let mut x = vec![0.0; 64];
        set.item(i, &mut x);
        x
    };
    let hidden: Vec<Vec<f32>> = held.iter().map(|i| row(*i)).collect();
    let mut shown = Vec::new();
    for step in 0..10 {
        let task: &dyn Fn() -> _ = &|| trainer.task();
        let batch = Task::<fokker_train::AnyAutoencoder>::batch(task(), step, 8).unwrap();
        shown.extend(batch[0].chunks_exact(64).map(<[f32]>::to_vec));
    }
    assert!(shown.iter().all(|x| !hidden.contains(x)));
    // Four epochs of twenty.
    for i in (0..40).filter(|i| !held.contains(i)) {
        let x = row(i);
        assert_eq!(shown.iter().filter(|s| **s == x).count(), 4, "item {i}");
    }
}

#[test]
fn resuming_an_autoencoder_gives_the_same_bits_and_lines() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&vae_recipe(&bars(folder.path(), "bars.npy", 8)), &[]);
    let whole = train_vae(&folder.path().join("whole"), &config, None);
    for stop in [13, 20] {
        let parts = train_vae(&folder.path().join(stop.to_string()), &config, Some(stop));
        for file in ["model.safetensors", "ema.safetensors"] {
            assert!(
                bytes(&whole, file) == bytes(&parts, file),
                "{file} after {stop}"
            );
        }
        let lines = |run: &RunFolder| -> Vec<_> {
            let metrics = run.metrics().unwrap();
            metrics
                .into_iter()
                .map(|m| (m.step, m.loss, m.terms))
                .collect()
        };
        assert_eq!(lines(&whole), lines(&parts));
    }
}

#[test]
fn latents_are_encoded_once_and_drawn_anew() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let config = config(&vae_recipe(&bars(at, "bars.npy", 8)), &["train.steps=5"]);
    let run = train_vae(&at.join("run"), &config, None);
    let set = run.data().unwrap();
    let first = latents(&run, &set).unwrap();
    let dim = first.shape().size();
    assert_eq!(first.shape().axes(), [6, 4, 4]);

    // As encoded, one image at a time: no item depends on its company.
    let (net, _) = run.autoencoder(&device()).unwrap();
    let space = LatentSpace::plain(net, &device());
    for i in [0, 17, 39] {
        let mut x = vec![0.0; 64];
        set.item(i, &mut x);
        let alone = space.moments(&x);
        let (mean, sigma) = first.moments(i);
        assert!(alone == [mean, sigma].concat(), "item {i}");
    }

    // The file is what was encoded, and a broken one is made anew.
    let cache = fs::read_dir(run.path().join("latents")).unwrap();
    let files: Vec<PathBuf> = cache.map(|e| e.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let written = fs::read(&files[0]).unwrap();
    let same = |a: &Latents, b: &Latents| (0..40).all(|i| a.moments(i) == b.moments(i));
    assert!(same(&first, &latents(&run, &set).unwrap()));
    fs::write(&files[0], &written[..written.len() - 4]).unwrap();
    assert!(same(&first, &latents(&run, &set).unwrap()));
    assert!(fs::read(&files[0]).unwrap() == written);
    // It is read, not encoded again: other numbers of the right length are believed.
    let mut other = written.clone();
    let end = other.len();
    other[end - 4..].copy_from_slice(&1.25_f32.to_le_bytes());
    fs::write(&files[0], &other).unwrap();
    assert_eq!(latents(&run, &set).unwrap().moments(39).1[dim - 1], 1.25);

    // Draw k of an item is (μ + σε − m)/s, another for every k, with mean and spread of q(z|x).
    let info = first.info();
    let mut rows = vec![0.0; 2000 * dim];
    for (row, k) in rows.chunks_exact_mut(dim).zip(0..) {
        first.drawn(3, k, row);
    }
    let mut again = vec![0.0; dim];
    first.drawn(3, 11, &mut again);
    assert!(again == rows[11 * dim..12 * dim] && again != rows[12 * dim..13 * dim]);
    let (mean, sigma) = first.moments(3);
    for j in [0, dim / 2, dim - 1] {
        let values: Vec<f64> = rows.chunks_exact(dim).map(|r| f64::from(r[j])).collect();
        let average = values.iter().sum::<f64>() / 2000.0;
        let spread = (values.iter().map(|v| (v - average).powi(2)).sum::<f64>() / 2000.0).sqrt();
        let want = (f64::from(mean[j]) - info.mean) / info.std;
        let sigma = f64::from(sigma[j]) / info.std;
        assert!(
            (average - want).abs() < 5.0 * sigma / 2000_f64.sqrt(),
            "{average} {want}"
        );
        assert!(
            (spread / sigma - 1.0).abs() < 5.0 / 4000_f64.sqrt(),
            "{spread} {sigma}"
        );
    }
}

#[test]
fn a_latent_run_stands_by_itself_and_resumes_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let data = bars(at, "bars.npy", 8);
    train_vae(
        &at.join("vae"),
        &config(&vae_recipe(&data), &["train.steps=10"]),
        None,
    );
    let config = config(&latent_recipe(&data, &at.join("vae")), &[]);
    let whole = train_latent(&at.join("whole"), &config, None);
    let parts = train_latent(&at.join("parts"), &config, Some(7));
    assert!(bytes(&whole, "ema.safetensors") == bytes(&parts, "ema.safetensors"));

    // A third one, stopped, and then the autoencoder's own run is lost.
    let path = at.join("alone");
    let pinned = config.clone().pinned().unwrap();
    let set = pinned.data.load(5).unwrap();
    let mut trainer = flow_trainer(&pinned, set.clone(), &device()).unwrap();
    let info = RunInfo::of_flow(&trainer, &*set);
    let run = RunFolder::create(&path, pinned, info).unwrap();
    walk(&run, &mut trainer, Some(6));
    drop(run);
    fs::remove_dir_all(at.join("vae")).unwrap();
    let alone = go_on(&path);
    assert!(bytes(&whole, "model.safetensors") == bytes(&alone, "model.safetensors"));

    // Samples are latents of this dimension, and decode to images; and back to what they came from, nearly.
    let (flow, _) = alone.flow(&device()).unwrap();
    let space = alone.latent_space(&device()).unwrap().unwrap();
    assert_eq!((flow.dim, space.dim(), space.image_size()), (96, 96, 64));
    let draw = |count, first| Draw {
        count,
        first,
        steps: 3,
        ..Draw::default()
    };
    let many = space.decode(&flow.sample(&draw(20, 0)).unwrap());
    let one = space.decode(&flow.sample(&draw(1, 17)).unwrap());
    assert!(
        one == many[17 * 64..18 * 64],
        "a sample does not depend on its company"
    );

    // Other weights in the copy: not this run's autoencoder.
    let copy = RunFolder::open(&path.join("autoencoder"))
        .unwrap()
        .latest()
        .unwrap();
    let mut bytes = fs::read(copy.weights()).unwrap();
    let end = bytes.len() - 1;
    bytes[end] ^= 1;
    fs::write(copy.weights(), bytes).unwrap();
    let message = alone.latent_space(&device()).err().unwrap().to_string();
    assert!(
        message.contains("not the autoencoder of this run"),
        "{message}"
    );
    let message = prepared(&alone, set).err().unwrap().to_string();
    assert!(
        message.contains("not the autoencoder of this run"),
        "{message}"
    );
}

#[test]
fn what_does_not_fit_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (data, large) = (bars(at, "bars.npy", 8), bars(at, "large.npy", 12));
    let vae = vae_recipe(&data);
    let run = train_vae(&at.join("vae"), &config(&vae, &["train.steps=2"]), None);
    let latent = latent_recipe(&data, &at.join("vae"));
    let refused = |config: Result<Config, TrainError>, parts: &[&str]| {
        let tried = config.and_then(|config| {
            let data = config.data.load(config.seed)?;
            match config.is_autoencoder() {
                true => vae_trainer(&config, data, &device()).map(drop),
                false => {
                    // A dry run refuses the same.
                    let dry = flow_parameters(&config, data.clone(), &device()).map(drop);
                    let real = flow_trainer(&config, data, &device()).map(drop);
                    let words =
                        |r: &Result<(), TrainError>| r.as_ref().err().map(|e| e.to_string());
                    assert_eq!(words(&dry), words(&real));
                    real
                }
            }
        });
        let message = tried.expect_err(parts[0]).to_string();
        for part in parts {
            assert!(message.contains(part), "expected {part:?} in {message:?}");
        }
    };
    let set = |item: &str| parse(&latent, &[item]);
    refused(
        parse(&latent_recipe(&large, &at.join("vae")), &[]),
        &["images of 1×8×8", "is 1×12×12", "pad_to"],
    );
    refused(
        set("latent.run=nowhere"),
        &["nowhere", "no such run folder"],
    );
    refused(set("latent.rn=x"), &["latent.rn", "did you mean `run`"]);
    refused(set("network.patch=3"), &["6×4×4", "patch"]);
    refused(
        set("network={kind=\"classifier\"}"),
        &["latent", "leave [latent] out"],
    );
    refused(
        set("network={kind=\"vae\"}"),
        &["latent", "leave [latent] out"],
    );
    refused(set("source.kind=garments"), &["starts at noise"]);
    refused(set("vae.beta=2"), &["[vae]", "kind = \"vae\""]);
    refused(parse(&vae, &["vae.s=0"]), &["vae.s", "above 0"]);
    refused(parse(&vae, &["vae.held_back=1.0"]), &["vae.held_back"]);
    refused(set("train.flip=true"), &["train.flip", "mirrored latent"]);
    let of_vae = |what: &str| parse(&vae, &[what]);
    refused(of_vae("train.validate_every=5"), &["train.validate_every"]);
    refused(of_vae("train.sample_every=5"), &["train.sample_every"]);
    refused(of_vae("sample.ema=\"weights\""), &["constant average"]);
    refused(
        parse(&vae, &["network.channels=[4,4,4,4,4]"]),
        &["multiples of 16", "pad_to = 16"],
    );
    refused(
        parse(&vae, &["data={kind=\"toy\", name=\"moons\"}"]),
        &["an autoencoder needs images"],
    );

    let message = run.flow(&device()).err().unwrap().to_string();
    for part in ["trained an autoencoder", "[latent]"] {
        assert!(message.contains(part), "{message}");
    }
    // A run of something else, and one that was trained further since.
    let trained = train_latent(
        &at.join("latent"),
        &config(&latent, &["train.steps=1"]),
        None,
    );
    let other = latent_recipe(&data, trained.path());
    refused(parse(&other, &[]), &["trained a DiT, not an autoencoder"]);
    refused(set("latent.step=99"), &["step 99", "step 2"]);
}
