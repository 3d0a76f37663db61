//! An autoencoder and a model of its latents, with the real binary.

mod common;

use std::fs;
use std::path::Path;

use common::{entries, fokker, ok, refused};

const VAE: &str = "name = \"vae\"\n[data]\nkind = \"garments\"\n[network]\nkind = \"vae\"\nchannels = [2, 4, 4]\nblocks = 1\n\
                   [train]\nsteps = 6\nbatch = 8\n";
const LATENT: &str = "name = \"latent\"\n[data]\nkind = \"garments\"\n[latent]\nrun = \"vae\"\n[network]\nkind = \"dit\"\npatch = 7\n\
                      width = 16\ndepth = 1\nheads = 2\n[train]\nsteps = 4\nbatch = 8\n[sample]\nsteps = 3\nguidance = 2.0\n";

fn same(at: &Path, a: &str, b: &str) {
    assert!(
        fs::read(at.join(a)).unwrap() == fs::read(at.join(b)).unwrap(),
        "{a} and {b}"
    );
}

#[test]
fn from_images_to_latents_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    fs::write(at.join("vae.toml"), VAE).unwrap();
    fs::write(at.join("latent.toml"), LATENT).unwrap();
    refused(
        at,
        &["train", "latent.toml"],
        &["vae", "no such run folder"],
    );
    assert_eq!(
        entries(at),
        ["latent.toml", "vae.toml"],
        "nothing is left behind"
    );

    let out = ok(at, &["train", "vae.toml", "--out", "vae"]);
    assert!(out.contains("held-back"), "{out}");
    for file in ["reconstructions.png", "report.html", "evaluation.json"] {
        assert!(at.join("vae").join(file).is_file(), "{file}");
    }
    let again = ok(at, &["evaluate", "vae"]);
    let line = out.lines().next().unwrap();
    assert!(again.contains(line), "{again}");
    refused(
        at,
        &["sample", "vae", "-o", "x.png"],
        &["trained an autoencoder", "[latent]"],
    );

    let dry = fokker(at, &["train", "latent.toml", "--dry-run"]).output();
    let dry = dry.unwrap();
    assert!(dry.status.success());
    ok(at, &["train", "latent.toml", "--out", "run"]);
    let info = fs::read(at.join("run/run.json")).unwrap();
    let info: serde_json::Value = serde_json::from_slice(&info).unwrap();
    let count = format!("network with {} parameters", info["parameters"]);
    let said = String::from_utf8_lossy(&dry.stderr);
    assert!(said.contains(&count), "expected {count} in\n{said}");
    for file in ["samples.png", "trajectory.gif", "report.html"] {
        assert!(at.join("run").join(file).is_file(), "{file}");
    }
    // The run alone is enough.
    fs::rename(at.join("vae"), at.join("elsewhere")).unwrap();
    ok(
        at,
        &[
            "sample",
            "run",
            "--grid",
            "-n",
            "20",
            "-o",
            "a.png",
            "--trajectory",
            "a.gif",
        ],
    );
    ok(at, &["sample", "--like", "a.png", "-o", "b.png"]);
    same(at, "a.png", "b.png");
    ok(at, &["sample", "run", "-n", "3", "-o", "three.npy"]);
    let bytes = fs::read(at.join("three.npy")).unwrap();
    assert!(String::from_utf8_lossy(&bytes[..128]).contains("(3, 1, 28, 28)"));
    ok(at, &["sample", "run", "-n", "1", "-o", "one.png"]);
    ok(
        at,
        &[
            "sample",
            "run",
            "--init",
            "one.png",
            "--strength",
            "0.5",
            "-n",
            "2",
            "-o",
            "c.png",
        ],
    );
    ok(at, &["evaluate", "run", "-n", "16"]);
    ok(at, &["train", "--resume", "run"]);

    refused(
        at,
        &[
            "sample", "run", "--init", "one.png", "--mask", "one.png", "-o", "d.png",
        ],
        &["--mask", "latents"],
    );
    refused(
        at,
        &["likelihood", "run", "data"],
        &["density is one of latents"],
    );
}
