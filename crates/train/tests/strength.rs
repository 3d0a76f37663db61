//! Laws of what training can do besides: averages, accumulation, checkpointing, held-back data, divergence.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use burn::tensor::Device;
use fokker_train::config::Average;
use fokker_train::{
    BINS, Config, RunFolder, RunInfo, TrainError, flow_trainer, judge_trainer, profile,
    save_weights,
};
use safetensors::SafeTensors;

const MOONS: &str = "name = \"t\"\n[data]\nkind = \"toy\"\nname = \"moons\"\n[network]\nkind = \"mlp\"\nhidden = [32, 32]\n\
                     [train]\nsteps = 30\nbatch = 64\nlog_every = 10\ncheckpoint_every = 10\n";
const GARMENTS: &str =
    "name = \"t\"\n[data]\nkind = \"garments\"\n[train]\nsteps = 4\nbatch = 4\n[network]\n";

fn config(recipe: &str, set: &[&str]) -> Config {
    let set: Vec<String> = set.iter().map(|s| (*s).to_owned()).collect();
    Config::parse(recipe, "recipe", &set).unwrap()
}

fn train(path: &Path, config: &Config) -> Result<RunFolder, TrainError> {
    let data = config.data.load(config.seed)?;
    let mut trainer = flow_trainer(config, data.clone(), &Device::flex())?;
    let info = RunInfo::of_flow(&trainer, &*data);
    let run = RunFolder::create(path, config.clone(), info)?;
    run.train(&mut trainer, &mut |_| ControlFlow::Continue(()))?;
    Ok(run)
}

/// Every number of a weight file, by the names of tensors.
fn numbers(bytes: &[u8]) -> Vec<f64> {
    let file = SafeTensors::deserialize(bytes).unwrap();
    let tensors: BTreeMap<_, _> = file.tensors().into_iter().collect();
    let bytes = tensors.values().flat_map(|t| t.data().chunks_exact(4));
    bytes
        .map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap())))
        .collect()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    let square: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
    square.sqrt()
}

fn after_steps(config: &Config, steps: u64) -> (Vec<f64>, Vec<f64>) {
    let data = config.data.load(config.seed).unwrap();
    let mut trainer = flow_trainer(config, data, &Device::flex()).unwrap();
    let losses = (0..steps).map(|_| trainer.step().unwrap().loss).collect();
    (losses, numbers(&save_weights(&trainer.model())))
}

/// The average of a power function is Σ_k ((k/T)^{γ+1} − ((k−1)/T)^{γ+1}) θ_k, from the weights of every step.
#[test]
fn averages_weigh_every_step_as_the_power_function_says() {
    let folder = tempfile::tempdir().unwrap();
    let set = [
        "ema.power=[0.2]",
        "train.steps=12",
        "train.checkpoint_every=1",
        "train.keep=99",
    ];
    let run = train(&folder.path().join("run"), &config(MOONS, &set)).unwrap();
    let gamma = profile::exponent(0.2);
    let all = run.checkpoints();
    let last = all.len() as f64;
    let mut want = Vec::new();
    for (k, checkpoint) in all.iter().enumerate() {
        let theta = numbers(&std::fs::read(checkpoint.file(Average::Weights)).unwrap());
        let share = |k: f64| (k / last).powf(gamma + 1.0);
        let weight = share(k as f64 + 1.0) - share(k as f64);
        want.resize(theta.len(), 0.0);
        want.iter_mut()
            .zip(theta)
            .for_each(|(w, t)| *w += weight * t);
    }
    let found = run.weights(Some(Average::Power(0.2))).unwrap();
    assert!(found.combined.is_none());
    let (gap, moved) = (distance(&numbers(&found.bytes), &want), {
        let raw = run.weights(Some(Average::Weights)).unwrap();
        distance(&numbers(&raw.bytes), &want)
    });
    assert!(gap < 1e-5, "off by {gap:e}");
    assert!(moved > 1e-2, "weights and average must differ: {moved:e}");
}

/// An average that the training did not keep, put together afterwards, is close to the same kept by another training of the
/// same bits: far closer than those that it was made of.
#[test]
fn other_widths_are_put_together_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let common = [
        "train.steps=200",
        "schedule.kind=constant",
        "optimizer.lr=3e-3",
    ];
    let with = |name: &str, set: &[&str]| {
        let set = [&common[..], set].concat();
        train(&folder.path().join(name), &config(MOONS, &set)).unwrap()
    };
    let kept = with("kept", &["ema.power=[0.05, 0.1]", "ema.snapshot_every=10"]);
    let direct = with("direct", &["ema.power=[0.075, 0.15]"]);
    let of = |run: &RunFolder, sigma| run.weights(Some(Average::Power(sigma))).unwrap();
    for (sigma, nearest) in [(0.075, 0.1), (0.15, 0.1)] {
        let made = of(&kept, sigma);
        let (count, error) = made.combined.unwrap();
        assert_eq!(count, 40);
        let [made, want, near] = [
            numbers(&made.bytes),
            numbers(&of(&direct, sigma).bytes),
            numbers(&of(&kept, nearest).bytes),
        ];
        let (gap, apart) = (distance(&made, &want), distance(&near, &want));
        assert!(
            gap < 0.05 * apart,
            "σ = {sigma}: off by {gap:e}, the nearest by {apart:e}; profile {error:.4}"
        );
    }
    // What is stored is given as it is.
    let stored = kept.latest().unwrap().file(Average::Power(0.1));
    assert!(of(&kept, 0.1).bytes == std::fs::read(stored).unwrap());
}

#[test]
fn averages_that_cannot_be_had_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run =
        |name: &str, set: &[&str]| train(&folder.path().join(name), &config(MOONS, set)).unwrap();
    let refused = |run: &RunFolder, which, parts: &[&str]| {
        let message = run.weights(Some(which)).map(drop).unwrap_err().to_string();
        for part in parts {
            assert!(message.contains(part), "expected {part:?} in {message:?}");
        }
    };
    let none = run("none", &["ema.decay=0.0"]);
    refused(
        &none,
        Average::Constant,
        &["no constant average", "ema.decay"],
    );
    refused(&none, Average::Power(0.1), &["ema.power", "kept none"]);
    assert_eq!(none.weights(None).unwrap().average, Average::Weights);
    // One width, without snapshots.
    let one = run("one", &["ema.power=[0.1]", "ema.decay=0.0"]);
    refused(
        &one,
        Average::Power(0.2),
        &["0.2", "[0.1]", "snapshot_every"],
    );
    assert_eq!(one.weights(None).unwrap().average, Average::Power(0.1));
    let asked = run("asked", &["sample.ema=weights"]);
    assert_eq!(asked.weights(None).unwrap().average, Average::Weights);
}

/// The same pairs, times and noise in parts: the same step but for rounding.
#[test]
fn accumulation_is_the_large_batch() {
    for set in [
        &["network.hidden=[32,32]"][..],
        &["coupling.kind=optimal", "objective.classes=false"],
        &[
            "objective.weight=min-snr",
            "optimizer.kind=sgd",
            "optimizer.lr=0.05",
        ],
    ] {
        let parts = |count: &str| {
            let set = [set, &[count, "ema.decay=0.0"]].concat();
            after_steps(&config(MOONS, &set), 5)
        };
        let whole = parts("train.accumulate=1");
        for count in ["train.accumulate=2", "train.accumulate=16"] {
            let (losses, weights) = parts(count);
            for (a, b) in losses.iter().zip(&whole.0) {
                assert!((a - b).abs() < 2e-5 * b.abs(), "{set:?}, {count}: {a}, {b}");
            }
            let gap = distance(&weights, &whole.1);
            assert!(gap < 1e-3, "{set:?}, {count}: {gap:e}");
        }
    }
}

/// What is recomputed is what was computed: the same bits.
#[test]
fn checkpointing_changes_no_bit() {
    for network in [
        "kind = \"mlp\"\nhidden = [16]",
        "kind = \"unet\"\npatch = 4\nchannels = [16]\nblocks = 1\nembedding = 16",
        "kind = \"dit\"\npatch = 7\nwidth = 16\ndepth = 2\nheads = 2",
        "kind = \"dit\"\nform = \"course\"\npatch = 7\nwidth = 16\ndepth = 2\nheads = 2",
    ] {
        let recipe = format!("{GARMENTS}{network}\n");
        let run = |set: &str| after_steps(&config(&recipe, &[set]), 3);
        let plain = run("train.checkpointing=false");
        assert!(run("train.checkpointing=true") == plain, "{network}");
    }
}

#[test]
fn half_of_the_images_are_mirrored_and_the_rest_stay() {
    let recipe = format!("{GARMENTS}kind = \"mlp\"\nhidden = [16]\n");
    // At t = 1 the path is the data.
    let batch = |flip: &str| {
        let config = config(
            &recipe,
            &[flip, "train.batch=256", "objective.stratified=true"],
        );
        let data = config.data.load(0).unwrap();
        let trainer = flow_trainer(&config, data, &Device::flex()).unwrap();
        trainer.task().examples(0, 256).unwrap()
    };
    let (plain, mirrored) = (batch("train.flip=false"), batch("train.flip=true"));
    // velocity z − ε and x = t z + (1 − t) ε: z = x + (1 − t) velocity.
    let data = |b: &fokker_train::FlowBatch| -> Vec<Vec<f32>> {
        let rows = b
            .examples
            .x
            .chunks_exact(784)
            .zip(b.examples.target.chunks_exact(784));
        rows.zip(&b.times)
            .map(|((x, u), t)| x.iter().zip(u).map(|(x, u)| x + (1.0 - t) * u).collect())
            .collect()
    };
    let mut count = 0;
    for (a, b) in data(&plain).iter().zip(data(&mirrored)) {
        let turned: Vec<f32> = a
            .chunks_exact(28)
            .flat_map(|r| r.iter().rev().copied())
            .collect();
        let near = |a: &[f32]| a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(near(a) || near(&turned));
        count += i32::from(!near(a));
    }
    assert!((90..166).contains(&count), "{count} of 256");
    assert!(plain.times == mirrored.times && plain.classes == mirrored.classes);
}

/// The same noise and times at every validation, of data that the training does not see.
#[test]
fn validation_is_a_function_of_the_weights() {
    for recipe in [
        MOONS.to_owned(),
        format!("{GARMENTS}kind = \"mlp\"\nhidden = [16]\n"),
    ] {
        let on = config(
            &recipe,
            &[
                "train.validate_every=1",
                "train.validate_items=256",
                "ema.decay=0.0",
            ],
        );
        let data = on.data.load(on.seed).unwrap();
        let mut trainer = flow_trainer(&on, data.clone(), &Device::flex()).unwrap();
        let first = trainer.validate().unwrap().unwrap();
        assert_eq!(trainer.validate().unwrap(), Some(first));
        let rate = trainer.step().unwrap();
        let second = trainer.validate().unwrap().unwrap();
        assert_ne!(first, second);
        assert!(
            (first / rate.loss - 1.0).abs() < 0.5,
            "{first} {}",
            rate.loss
        );
        // It disturbs nothing: only what is held back makes a difference, and data without end holds nothing back.
        if data.len().is_none() {
            let off = config(&recipe, &["ema.decay=0.0"]);
            let mut plain = flow_trainer(&off, data, &Device::flex()).unwrap();
            assert_eq!(plain.validate().unwrap(), None);
            assert_eq!(plain.step().unwrap().loss, rate.loss);
        }
    }
}

#[test]
fn too_much_held_back_is_refused() {
    let recipe = format!("{GARMENTS}kind = \"classifier\"\nchannels = [8]\n");
    let config = config(
        &recipe,
        &["train.validate_every=2", "train.validate_items=1001"],
    );
    let data = config.data.load(0).unwrap();
    let error = judge_trainer(&config, data, &Device::flex()).map(drop);
    let message = error.unwrap_err().to_string();
    assert!(message.contains("1001 of the data's 2000"), "{message}");
}

#[test]
fn the_log_tells_losses_apart_by_time_and_has_the_validation() {
    let folder = tempfile::tempdir().unwrap();
    let set = ["train.validate_every=15", "train.validate_items=64"];
    let run = train(&folder.path().join("run"), &config(MOONS, &set)).unwrap();
    let lines = run.metrics().unwrap();
    let steps: Vec<u64> = lines.iter().map(|m| m.step).collect();
    assert_eq!(steps, [10, 15, 20, 30]);
    for line in &lines {
        assert_eq!(line.validation.is_some(), line.step % 15 == 0);
        // Times are spread evenly: the mean of the slices is the loss.
        let slices: Vec<f64> = line.by_time.iter().map(|m| m.unwrap()).collect();
        assert_eq!(slices.len(), BINS);
        let mean = slices.iter().sum::<f64>() / BINS as f64;
        assert!((mean / line.loss - 1.0).abs() < 0.1, "{mean} {}", line.loss);
        assert!(line.wait >= 0.0 && line.wait <= line.seconds);
    }
}

/// A loss that is no number, and one that explodes: what was seen, what is left, and what to do.
#[test]
fn a_training_that_diverges_keeps_a_checkpoint_from_before() {
    let folder = tempfile::tempdir().unwrap();
    // Once the rate has risen to lr · decay = 2, every step turns the weights round and makes them larger.
    let set = [
        "optimizer.lr=0.01",
        "optimizer.weight_decay=500.0",
        "optimizer.clip=0.0",
        "schedule.kind=constant",
        "schedule.warmup=500",
        "network.hidden=[16,16]",
        "train.steps=500",
        "train.keep=1",
        "train.checkpoint_every=5",
        "train.explode=3.0",
        "ema.decay=0.0",
    ];
    let path = folder.path().join("run");
    let error = train(&path, &config(MOONS, &set)).map(drop).unwrap_err();
    let TrainError::Diverged(seen) = &error else {
        panic!("{error}");
    };
    let message = error.to_string();
    for part in [
        "diverged",
        "stayed far above",
        "optimizer.lr (it is 1e-2)",
        "optimizer.clip",
        "checkpoint of step",
    ] {
        assert!(message.contains(part), "expected {part:?} in {message:?}");
    }
    let run = RunFolder::open(&path).unwrap();
    assert_eq!(seen.kept, Some(run.latest().unwrap().step));
    let [kept, step] = [seen.kept.unwrap(), seen.step];
    assert!(kept + 20 <= step && step < 500, "kept {kept}, step {step}");
    // Its model is a good one.
    let (flow, _) = run.flow(&Device::flex()).unwrap();
    let draw = fokker_core::Draw {
        count: 100,
        ..fokker_core::Draw::default()
    };
    assert!(flow.sample(&draw).unwrap().iter().all(|x| x.abs() < 30.0));
}
