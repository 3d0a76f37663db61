//! Laws of training: it learns, it reproduces, it resumes with the same bits, it refuses what does not fit.

use std::ops::ControlFlow;
use std::path::Path;

use burn::tensor::Device;
use fokker_core::Draw;
use fokker_train::{Config, Metric, Outcome, RunFolder, RunInfo, flow_trainer, save_weights};

const STEPS: &str = "[train]\nsteps = 30\nbatch = 64\nlog_every = 7\ncheckpoint_every = 10\n";
const POINTS: &str = "name = \"t\"\n[data]\nkind = \"toy\"\nname = \"moons\"\n[network]\nkind = \"mlp\"\nhidden = [32, 32]\n";
const IMAGES: &str =
    "name = \"t\"\n[data]\nkind = \"garments\"\n[network]\nkind = \"mlp\"\nhidden = [16]\n";

fn config(set: &[&str]) -> Config {
    // Only images can be mirrored.
    let data = if set.contains(&"train.flip=true") {
        IMAGES
    } else {
        POINTS
    };
    let set: Vec<String> = set.iter().map(|s| (*s).to_owned()).collect();
    Config::parse(&format!("{data}{STEPS}"), "recipe", &set).unwrap()
}

fn device() -> Device {
    Device::flex()
}

/// Trains into `path`, breaking off after `stop` steps; then what a fresh process would do: resume.
fn train(path: &Path, config: &Config, stop: Option<u64>) -> RunFolder {
    let data = config.data.load(config.seed).unwrap();
    let mut trainer = flow_trainer(config, data.clone(), &device()).unwrap();
    let info = RunInfo::of_flow(&trainer, &*data);
    let run = RunFolder::create(path, config.clone(), info).unwrap();
    let outcome = run
        .train(&mut trainer, &mut |r| match stop {
            Some(s) if r.step == s => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        })
        .unwrap();
    if stop.is_some() {
        assert_eq!(outcome, Outcome::Stopped);
        drop(run);
        let mut run = RunFolder::open(path).unwrap();
        let fresh = flow_trainer(run.config(), data, &device()).unwrap();
        let autodiff = fresh.device().clone();
        let mut trainer = run.resume(fresh, &autodiff).unwrap();
        assert_eq!(Some(trainer.steps_done()), stop);
        let go_on = &mut |_: &fokker_train::StepReport| ControlFlow::Continue(());
        assert_eq!(run.train(&mut trainer, go_on).unwrap(), Outcome::Finished);
        return run;
    }
    run
}

fn bytes(run: &RunFolder, file: &str) -> Vec<u8> {
    std::fs::read(run.latest().unwrap().path.join(file)).unwrap()
}

/// The optimizers, the average, warm-up and clipping: all state is kept, to the bit.
#[test]
fn resuming_gives_the_bits_of_an_uninterrupted_run() {
    for set in [
        &[
            "optimizer.kind=adamw",
            "optimizer.weight_decay=0.01",
            "schedule.warmup=12",
        ][..],
        &[
            "optimizer.kind=lion",
            "optimizer.clip=0.5",
            "schedule.kind=constant",
        ],
        &[
            "optimizer.kind=sgd",
            "ema.decay=0.0",
            "schedule.kind=inverse-sqrt",
        ],
        &[
            "optimizer.kind=muon",
            "network.hidden=[32,32,32]",
            "optimizer.weight_decay=0.1",
            "train.accumulate=4",
            "ema.power=[0.05, 0.1]",
            "ema.snapshot_every=8",
        ],
        &[
            "ema.decay=0.0",
            "ema.power=[0.1]",
            "train.checkpointing=true",
            "train.validate_every=9",
            "train.validate_items=128",
        ],
        &[
            "train.flip=true",
            "train.batch=8",
            "train.validate_every=10",
            "train.validate_items=16",
        ],
    ] {
        let config = config(set);
        let folder = tempfile::tempdir().unwrap();
        let whole = train(&folder.path().join("whole"), &config, None);
        // Between checkpoints and lines of the log, and on one.
        for stop in [13, 20] {
            let parts = train(&folder.path().join(format!("{stop}")), &config, Some(stop));
            let mut files = vec!["model.safetensors".to_owned()];
            let averages = config.training.ema.averages();
            files.extend(averages.iter().map(|which| {
                let path = whole.latest().unwrap().file(*which);
                path.file_name().unwrap().to_string_lossy().into_owned()
            }));
            for file in &files {
                assert!(
                    bytes(&whole, file) == bytes(&parts, file),
                    "{set:?}, {stop}: {file} differs"
                );
            }
            let log = |run: &RunFolder| -> Vec<Metric> {
                let lines = run.metrics().unwrap().into_iter();
                let clocks = |m| Metric {
                    seconds: 0.0,
                    wait: 0.0,
                    ..m
                };
                lines.map(clocks).collect()
            };
            assert_eq!(log(&whole), log(&parts), "{set:?}: the log differs");
            let kept = |run: &RunFolder| -> Vec<(String, Vec<u8>)> {
                let folder = std::fs::read_dir(run.path().join("averages"));
                let files = folder.into_iter().flatten().map(|f| f.unwrap().path());
                let mut kept: Vec<_> = files
                    .map(|f| (f.display().to_string(), std::fs::read(&f).unwrap()))
                    .map(|(f, b)| (f.rsplit('/').next().unwrap().to_owned(), b))
                    .collect();
                kept.sort();
                kept
            };
            assert!(kept(&whole) == kept(&parts), "{set:?}: snapshots differ");
            let powers = config.training.ema.power.len() as u64;
            let every = config.training.ema.snapshot_every;
            assert_eq!(kept(&whole).len() as u64, powers * (30 / every));
        }
    }
}

/// A model taken from a training does not change with it, not even its running statistics.
#[test]
fn a_model_taken_from_a_training_stays_as_it_was() {
    let recipe = "name = \"t\"\n[data]\nkind = \"garments\"\n[network]\nkind = \"course-unet\"\nchannels = [8]\nblocks = 1\n\
                  embedding = 16\n[train]\nsteps = 9\nbatch = 8\n";
    for ema in ["ema.decay=0.9", "ema.decay=0.0"] {
        let config = Config::parse(recipe, "recipe", &[ema.to_owned()]).unwrap();
        let data = config.data.load(config.seed).unwrap();
        let mut trainer = flow_trainer(&config, data, &device()).unwrap();
        trainer.step().unwrap();
        let flow = trainer.flow();
        let draw = Draw {
            count: 2,
            steps: 2,
            ..Draw::default()
        };
        let before = flow.sample(&draw).unwrap();
        trainer.step().unwrap();
        assert!(flow.sample(&draw).unwrap() == before, "{ema}");
        assert!(trainer.flow().sample(&draw).unwrap() != before, "{ema}");
    }
}

#[test]
fn another_seed_gives_another_network() {
    let weights = |seed: &str| {
        let config = config(&[seed]);
        let data = config.data.load(config.seed).unwrap();
        let mut trainer = flow_trainer(&config, data, &device()).unwrap();
        trainer.step().unwrap();
        save_weights(&trainer.model())
    };
    assert_eq!(weights("seed=1"), weights("seed=1"));
    assert_ne!(weights("seed=1"), weights("seed=2"));
}

/// With p_data = N(0, s²I) the best loss of the CondOT velocity is known: per dimension, the mean over
/// t of s²/(t²s² + (1 − t)²), which is the variance of z − ε given x_t.
#[test]
fn the_loss_reaches_its_floor() {
    let s: f64 = 0.5;
    let config = config(&[
        "data.name=ring",
        "data.modes=1",
        "data.radius=0.0",
        "data.std=0.5",
        "objective.classes=false",
        "objective.stratified=true",
        "train.steps=800",
        "train.batch=512",
        "optimizer.lr=5e-3",
        "network.hidden=[64,64]",
    ]);
    let n = 100_000;
    let floor = (0..n)
        .map(|i| (f64::from(i) + 0.5) / f64::from(n))
        .map(|t| s * s / ((t * s).powi(2) + (1.0 - t).powi(2)))
        .sum::<f64>()
        / f64::from(n);
    let data = config.data.load(config.seed).unwrap();
    let mut trainer = flow_trainer(&config, data, &device()).unwrap();
    let losses: Vec<f64> = (0..800).map(|_| trainer.step().unwrap().loss).collect();
    let last = losses[600..].iter().sum::<f64>() / 200.0;
    // 200 batches of 1,024 values: the mean is known to about half a per cent.
    assert!(
        (last / floor - 1.0).abs() < 0.015,
        "loss {last:.4}, floor {floor:.4}"
    );
    assert!(
        losses[0] > 1.1 * floor,
        "the first loss {:.4} should be far from the floor",
        losses[0]
    );
}

#[test]
fn a_diverged_training_says_so() {
    let config = config(&[
        "optimizer.kind=sgd",
        "optimizer.lr=1000.0",
        "optimizer.clip=0.0",
        "train.steps=200",
    ]);
    let data = config.data.load(config.seed).unwrap();
    let mut trainer = flow_trainer(&config, data, &device()).unwrap();
    let error = (0..200)
        .find_map(|_| trainer.step().err())
        .expect("this must diverge");
    assert!(error.to_string().contains("diverged"), "{error}");
}

#[test]
fn weights_of_another_network_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let run = train(&path, &config(&[]), None);
    let toml = std::fs::read_to_string(path.join("config.toml")).unwrap();
    std::fs::write(
        path.join("config.toml"),
        toml.replace("32,\n    32", "32,\n    48")
            .replace("[32, 32]", "[32, 48]"),
    )
    .unwrap();
    let changed = RunFolder::open(&path).unwrap();
    assert_ne!(
        changed.config().network,
        run.config().network,
        "the test must change the network"
    );
    let message = changed.flow(&device()).map(drop).unwrap_err().to_string();
    for part in ["another network", "layers.1.weight", "[32, 48]", "[32, 32]"] {
        assert!(message.contains(part), "expected {part:?} in {message:?}");
    }
}

#[test]
fn truncated_weights_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let run = train(&path, &config(&[]), None);
    let file = run.latest().unwrap().weights();
    let whole = std::fs::read(&file).unwrap();
    for cut in [0, 7, 100, whole.len() - 1] {
        std::fs::write(&file, &whole[..cut]).unwrap();
        let message = run.flow(&device()).map(drop).unwrap_err().to_string();
        assert!(message.contains("safetensors"), "{message}");
    }
}

#[test]
fn only_the_newest_checkpoints_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let run = train(&folder.path().join("run"), &config(&["train.keep=2"]), None);
    let steps: Vec<u64> = run.checkpoints().iter().map(|c| c.step).collect();
    assert_eq!(steps, [20, 30]);
    let inside: Vec<_> = std::fs::read_dir(folder.path().join("run/checkpoints"))
        .unwrap()
        .collect();
    assert_eq!(inside.len(), 2, "nothing else may lie there");
}

#[test]
fn a_run_is_trained_by_one_process_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let config = config(&[]);
    let first = train(&path, &config, None);
    let mut second = RunFolder::open(&path).unwrap();
    let data = config.data.load(config.seed).unwrap();
    let fresh = || flow_trainer(&config, data.clone(), &device()).unwrap();
    let autodiff = fresh().device().clone();
    let message = second.resume(fresh(), &autodiff).map(drop).unwrap_err();
    assert!(message.to_string().contains("another process"), "{message}");
    drop(first);
    assert!(second.resume(fresh(), &autodiff).is_ok());
}

#[test]
fn a_folder_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = train(&folder.path().join("run"), &config(&[]), None);
    let again = RunFolder::create(run.path(), run.config().clone(), run.info().clone());
    assert!(
        again
            .map(drop)
            .unwrap_err()
            .to_string()
            .contains("not empty")
    );
}
