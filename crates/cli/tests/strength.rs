//! Training with everything on: averages by name, sheets on the way, held-back data, and what a divergence says.

mod common;

use std::fs;

use common::{entries, image_recipe, ok, refused, toy_recipe};

#[test]
fn a_run_is_sampled_with_any_of_its_averages() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    toy_recipe(at);
    let train = [
        "train",
        "toy.toml",
        "--out",
        "run",
        "--set",
        "ema.power=[0.05, 0.1]",
        "--set",
        "ema.snapshot_every=20",
        "--set",
        "sample.ema=0.1",
    ];
    ok(at, &train);
    let sample = |out: &str, args: &[&str]| {
        ok(
            at,
            &[&["sample", "run", "-n", "50", "-o", out][..], args].concat(),
        );
        fs::read(at.join(out)).unwrap()
    };
    let own = sample("own.npy", &[]);
    let all: Vec<Vec<u8>> = ["weights", "constant", "0.05", "0.1", "0.08"]
        .iter()
        .map(|which| sample(&format!("{which}.npy"), &["--ema", which]))
        .collect();
    assert!(own == all[3], "[sample] ema is 0.1");
    for (i, a) in all.iter().enumerate() {
        assert!(all[..i].iter().all(|b| a != b), "{i} is like one before");
    }
    // A picture knows which it was made with.
    let first = sample("first.png", &["--ema", "0.08"]);
    ok(at, &["sample", "--like", "first.png", "-o", "again.png"]);
    assert!(first == fs::read(at.join("again.png")).unwrap());
    ok(at, &["evaluate", "run", "--ema", "0.08", "--seed", "3"]);
    refused(
        at,
        &["sample", "run", "--ema", "0.5", "-o", "x.npy"],
        &["0.288"],
    );
    refused(
        at,
        &["sample", "run", "--ema", "mean", "-o", "x.npy"],
        &["constant"],
    );
    ok(at, &["train", "toy.toml", "--out", "plain"]);
    let parts = ["0.1", "ema.power", "kept none"];
    refused(
        at,
        &["sample", "plain", "--ema", "0.1", "-o", "x.npy"],
        &parts,
    );
}

#[test]
fn sheets_and_validation_are_in_the_folder_and_the_report() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    image_recipe(at);
    let set = [
        "train.sample_every=2",
        "train.validate_every=2",
        "train.validate_items=32",
        "train.flip=true",
        "train.accumulate=2",
        "train.log_every=1",
    ];
    let mut args = vec!["train", "image.toml", "--out", "run"];
    set.iter().for_each(|s| args.extend(["--set", s]));
    ok(at, &args);
    let run = at.join("run");
    let sheets = entries(&run.join("samples"));
    assert_eq!(sheets, ["step-00000002.png", "step-00000004.png"]);
    let loss = fs::read_to_string(run.join("loss.svg")).unwrap();
    assert!(loss.contains("held-back data"));
    let report = fs::read_to_string(run.join("report.html")).unwrap();
    for part in ["On the way", "Loss over time", "waiting for batches"] {
        assert!(report.contains(part), "{part}");
    }
    let log = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let measured = log.lines().filter(|l| l.contains("\"validation\":"));
    assert_eq!((log.lines().count(), measured.count()), (4, 2));
    assert!(log.lines().all(|l| l.contains("\"by_time\":[")));
}

#[test]
fn a_divergence_says_what_to_do_and_fails() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    toy_recipe(at);
    let set = [
        "optimizer.kind=sgd",
        "optimizer.lr=900.0",
        "optimizer.clip=0.0",
    ];
    let mut args = vec!["train", "toy.toml", "--out", "run"];
    set.iter().for_each(|s| args.extend(["--set", s]));
    let out = refused(
        at,
        &args,
        &[
            "diverged",
            "optimizer.lr (it is 9e2)",
            "optimizer.clip = 1.0",
            "warmup",
        ],
    );
    assert_eq!(out.status.code(), Some(1));
}

#[test]
fn recipes_that_ask_for_nonsense_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    toy_recipe(at);
    for (set, parts) in [
        (
            "train.accumulate=3",
            &["train.accumulate", "divisor", "64"][..],
        ),
        ("train.accumulate=0", &["train.accumulate", "divisor"]),
        ("train.flip=true", &["train.flip", "only images"]),
        ("train.explode=1.5", &["train.explode", "at least 2"]),
        (
            "train.validate_items=0",
            &["train.validate_items", "at least 1"],
        ),
        ("ema.power=[0.05, 0.05]", &["ema.power", "twice"]),
        ("ema.power=[0.4]", &["ema.power", "0.288"]),
        ("ema.power=0.1", &["ema.power", "sequence"]),
        (
            "ema.snapshot_every=0",
            &["ema.snapshot_every", "at least 1"],
        ),
        ("sample.ema=0.08", &["sample.ema", "ema.power"]),
        ("sample.ema=median", &["sample.ema", "constant"]),
        ("optimizer.momentum=1.0", &["optimizer.momentum"]),
        (
            "optimizer.kind=muno",
            &["optimizer.kind", "did you mean `muon`"],
        ),
    ] {
        refused(at, &["train", "toy.toml", "--dry-run", "--set", set], parts);
    }
    ok(
        at,
        &[
            "train",
            "toy.toml",
            "--dry-run",
            "--set",
            "optimizer.kind=muon",
        ],
    );
}
