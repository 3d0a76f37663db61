//! `--reference` computes with plain tensor operations, and gives the same training curve.

mod common;

use std::path::Path;

use common::{image_recipe, ok, toy_recipe};

/// The loss and the gradient norm of every line of the run's metrics.
fn curve(run: &Path) -> Vec<[f64; 2]> {
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let line = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        ["loss", "grad_norm"].map(|key| line[key].as_f64().unwrap())
    };
    text.lines().map(line).collect()
}

/// Trains with both kernels and compares the curves; returns how far apart they were.
fn compare(folder: &Path, recipe: &str, settings: &[&str]) -> f64 {
    let mut runs = Vec::new();
    for (out, extra) in [("fused", None), ("plain", Some("--reference"))] {
        let mut args = vec!["train", recipe, "--out", out];
        for setting in settings {
            args.extend(["--set", setting]);
        }
        args.extend(extra);
        ok(folder, &args);
        runs.push(curve(&folder.join(out)));
    }
    assert!(runs[0].len() > 2 && runs[0].len() == runs[1].len());
    let pairs = runs[0].iter().flatten().zip(runs[1].iter().flatten());
    pairs.fold(0.0, |worst, (a, b)| {
        f64::max(worst, (a - b).abs() / a.abs())
    })
}

#[test]
fn a_perceptron_trains_along_the_same_curve() {
    let dir = tempfile::tempdir().unwrap();
    toy_recipe(dir.path());
    let apart = compare(
        dir.path(),
        "toy.toml",
        &["train.steps=100", "train.log_every=10"],
    );
    // Rounding differs, so the curves drift; a wrong gradient would set them apart from the first line on.
    assert!(apart > 0.0 && apart < 1e-3, "{apart}");
}

#[test]
fn a_u_net_trains_along_the_same_curve() {
    let dir = tempfile::tempdir().unwrap();
    image_recipe(dir.path());
    let settings = [
        "train.steps=6",
        "train.log_every=1",
        "network.patch=2",
        "network.channels=[16,32]",
    ];
    let apart = compare(dir.path(), "image.toml", &settings);
    assert!(apart > 0.0 && apart < 1e-3, "{apart}");
}

#[test]
fn a_transformer_and_a_batch_norm_train_along_the_same_curve() {
    let dir = tempfile::tempdir().unwrap();
    let networks = [
        "kind = \"dit\"\npatch = 7\nwidth = 32\ndepth = 2\nheads = 2\n",
        "kind = \"course-unet\"\nchannels = [8, 16]\nblocks = 1\nembedding = 16\n",
    ];
    for (i, network) in networks.iter().enumerate() {
        let folder = dir.path().join(i.to_string());
        std::fs::create_dir(&folder).unwrap();
        let text = format!(
            "name = \"net\"\n[data]\nkind = \"garments\"\n[network]\n{network}[train]\nsteps = 6\nbatch = 16\nlog_every = 1\n\
             [sample]\nsteps = 2\n"
        );
        std::fs::write(folder.join("net.toml"), text).unwrap();
        let apart = compare(&folder, "net.toml", &[]);
        assert!(apart > 0.0 && apart < 1e-3, "{network}: {apart}");
    }
}
