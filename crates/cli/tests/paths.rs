//! Paths, couplings and ways of sampling on the real binary: what works, what reproduces, what is refused.

mod common;

use std::fs;
use std::path::Path;

use common::{fokker, ok, refused, toy_recipe};

fn train(at: &Path, out: &str, set: &[&str]) {
    let mut args = vec!["train", "toy.toml", "--out", out, "--set", "train.steps=60"];
    for s in set {
        args.extend(["--set", s]);
    }
    ok(at, &args);
}

fn csv(at: &Path, file: &str) -> Vec<Vec<f64>> {
    let text = fs::read_to_string(at.join(file)).unwrap();
    let rows = text.lines().skip(1);
    rows.map(|l| l.split(',').take(2).map(|v| v.parse().unwrap()).collect())
        .collect()
}

#[test]
fn one_run_sampled_in_many_ways() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    toy_recipe(at);
    train(at, "run", &[]);
    for sigma in [
        "noise:0",
        "noise:2",
        "constant:0.5",
        "decreasing:1",
        "alpha",
        "memoryless",
    ] {
        let file = format!("{}.csv", sigma.replace(':', "-"));
        let how = [
            "--sampler",
            "euler-maruyama",
            "--sigma",
            sigma,
            "--steps",
            "40",
            "-n",
            "50",
        ];
        let mut args = vec!["sample", "run", "-o", &file];
        args.extend(how);
        ok(at, &args);
        let rows = csv(at, &file);
        assert_eq!(rows.len(), 50);
        assert!(
            rows.iter()
                .flatten()
                .all(|v| v.is_finite() && v.abs() < 20.0),
            "{sigma}"
        );
    }
    assert_ne!(csv(at, "noise-0.csv"), csv(at, "noise-2.csv"));
    // Along another scheduler the flow goes to nearly the same points.
    let base = ["--steps", "100", "-n", "40"];
    let mut args = vec!["sample", "run", "-o", "own.csv"];
    args.extend(base);
    ok(at, &args);
    for scheduler in ["cosine", "vp", "linear-sqrt"] {
        let mut args = vec!["sample", "run", "-o", "other.csv", "--scheduler", scheduler];
        args.extend(base);
        ok(at, &args);
        let pairs = csv(at, "own.csv").into_iter().zip(csv(at, "other.csv"));
        let apart = pairs.map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1]));
        assert!(apart.sum::<f64>() / 40.0 < 0.1, "{scheduler}");
    }
    // A picture remembers both.
    let how = [
        "--sampler",
        "euler-maruyama",
        "--sigma",
        "constant:0.3",
        "--scheduler",
        "cosine",
    ];
    let mut args = vec!["sample", "run", "-o", "a.png"];
    args.extend(how);
    ok(at, &args);
    ok(at, &["sample", "--like", "a.png", "-o", "b.png"]);
    let [a, b] = ["a.png", "b.png"].map(|f| fs::read(at.join(f)).unwrap());
    assert!(a == b, "the same picture again");

    for (args, words) in [
        (&["--sigma", "constant:1"][..], "takes no σ_t"),
        (
            &["--sampler", "euler-maruyama", "--sigma", "loud"],
            "known are noise, constant",
        ),
        (
            &["--sampler", "euler-maruyama", "--sigma", "constant:-1"],
            "at least 0",
        ),
        (&["--scheduler", "cosinus"], "known are condot"),
    ] {
        let mut all = vec!["sample", "run", "-o", "x.csv"];
        all.extend(args);
        refused(at, &all, &[words]);
        assert!(!at.join("x.csv").exists());
    }
}

#[test]
fn between_data_sets_and_with_couplings() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    toy_recipe(at);
    let source = ["source.kind=toy", "source.name=circles"];
    train(at, "linear", &source);
    ok(at, &["sample", "linear", "-o", "l.csv", "-n", "30"]);
    ok(at, &["sample", "linear", "-o", "again.csv", "-n", "10"]);
    assert_eq!(csv(at, "l.csv")[..10], csv(at, "again.csv")[..]);
    ok(at, &["evaluate", "linear"]);
    refused(
        at,
        &[
            "sample",
            "linear",
            "-o",
            "x.csv",
            "--sampler",
            "euler-maruyama",
        ],
        &["needs the score", "velocity-and-noise"],
    );
    refused(
        at,
        &["sample", "linear", "-o", "x.csv", "--scheduler", "vp"],
        &["starts at other data"],
    );
    let bridge = [
        source[0],
        source[1],
        "path.interpolant=bridge",
        "objective.prediction=velocity-and-noise",
    ];
    train(at, "bridge", &bridge);
    ok(
        at,
        &[
            "sample",
            "bridge",
            "-o",
            "b.csv",
            "--sampler",
            "euler-maruyama",
            "--steps",
            "30",
        ],
    );
    train(
        at,
        "optimal",
        &["coupling.kind=optimal", "coupling.class_aware=true"],
    );
    refused(
        at,
        &[
            "sample",
            "optimal",
            "-o",
            "x.csv",
            "--sampler",
            "euler-maruyama",
        ],
        &["needs the score"],
    );
    // Pairs of the first model straighten the second.
    train(at, "first", &[]);
    let pairs = [
        "coupling.kind=rectified",
        "coupling.run=first",
        "coupling.pairs=300",
    ];
    train(at, "second", &pairs);
    ok(
        at,
        &[
            "sample", "second", "-o", "r.csv", "--steps", "2", "-n", "20",
        ],
    );
    let recipe = fs::read_to_string(at.join("second/config.toml")).unwrap();
    assert!(recipe.contains("step = 60"), "{recipe}");
    refused(
        at,
        &[
            "train",
            "toy.toml",
            "--out",
            "no",
            "--set",
            pairs[0],
            "--set",
            "coupling.run=nowhere",
        ],
        &["nowhere"],
    );
    assert!(!at.join("no").exists());
}

/// A training on a path with an exploding start learns, and its samples have the data's size.
#[test]
fn exploding_schedulers_start_wide_and_end_at_the_data() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    toy_recipe(at);
    for scheduler in ["edm", "ve"] {
        let scheduler = format!("path.scheduler={scheduler}");
        let set = [
            &scheduler[..],
            "path.sigma_max=20.0",
            "objective.prediction=edm",
            "objective.sigma_data=0.8",
            "objective.time=log-normal",
            "objective.weight=edm",
            "objective.weight_parameter=0.8",
            "network.hidden=[64,64]",
            "optimizer.lr=0.005",
        ];
        let mut args = vec![
            "train",
            "toy.toml",
            "--out",
            "run",
            "--set",
            "train.steps=600",
        ];
        for s in &set {
            args.extend(["--set", s]);
        }
        ok(at, &args);
        ok(
            at,
            &["sample", "run", "-o", "s.csv", "--steps", "60", "-n", "400"],
        );
        let rows = csv(at, "s.csv");
        let largest = rows.iter().flatten().fold(0.0_f64, |m, v| m.max(v.abs()));
        assert!(largest < 6.0, "{scheduler}: {largest}");
        fs::remove_dir_all(at.join("run")).unwrap();
    }
}

#[test]
fn everything_that_can_be_named_is_listed() {
    let dir = tempfile::tempdir().unwrap();
    let text = ok(dir.path(), &["schedulers"]);
    // Every name listed is one that a recipe takes.
    for name in [
        "velocity-and-noise",
        "rectified",
        "condot",
        "edm",
        "formula",
        "bridge",
        "min-snr",
        "logit-normal",
    ] {
        assert!(text.contains(name), "{name}");
    }
    let text = ok(dir.path(), &["samplers"]);
    for name in ["dpm++3m-sde", "karras", "apg", "memoryless"] {
        assert!(text.contains(name), "{name}");
    }
    let help = fokker(dir.path(), &["lab", "two", "--help"])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&help.stdout).contains("--seed"));
}
