//! `fokker grid`: a small run, and what it refuses.

mod common;

use std::fs;

use common::{entries, image_recipe, ok, refused, toy_recipe};

#[test]
fn a_search_and_its_refusals() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    toy_recipe(at);
    ok(at, &["train", "toy.toml", "--out", "moons"]);

    let args = [
        "grid",
        "moons",
        "--sampler",
        "dpm++2m",
        "--steps",
        "4",
        "-n",
        "32",
        "-o",
        "times.txt",
    ];
    let text = ok(at, &args);
    let list = text.lines().last().unwrap();
    assert_eq!(
        fs::read_to_string(at.join("times.txt")).unwrap(),
        format!("{list}\n")
    );
    let times: Vec<f64> = list.split(',').map(|t| t.parse().unwrap()).collect();
    assert_eq!((times.len(), times[0], times[4]), (5, 0.0, 1.0));
    assert!(times.windows(2).all(|t| t[0] < t[1]), "{list}");
    // Columns: name, error on the noise of the search, error on other noise.
    let error = |name: &str, column: usize| -> f64 {
        let line = text
            .lines()
            .find(|l| l.split(' ').next() == Some(name))
            .unwrap();
        line.split_whitespace()
            .nth(column)
            .unwrap()
            .parse()
            .unwrap()
    };
    for name in [
        "native",
        "uniform",
        "log-snr",
        "karras",
        "cosine",
        "shifted",
        "quadratic",
    ] {
        assert!(error("found", 1) < error(name, 1), "{text}");
        assert!(error(name, 2) > 0.0);
    }
    assert_eq!(ok(at, &args), text, "the same seed, the same grid");

    let before = entries(at);
    let no = |options: &[&str], parts: &[&str]| {
        let args = [&["grid", "moons"], options].concat();
        let out = refused(at, &args, parts);
        assert!(out.stdout.is_empty());
    };
    no(
        &["--sampler", "ddpm"],
        &["--sampler ddpm", "draws noise", "dpm++2m"],
    );
    no(&["--sampler", "dopri5"], &["dopri5", "its own times"]);
    no(&["--sampler", "restart"], &["restart", "again"]);
    no(&["--sampler", "dpm+2m"], &["did you mean \"dpm++2m\""]);
    no(&["--steps", "1"], &["--steps", "at least 2"]);
    no(&["-o", "nowhere/times.txt"], &["nowhere", "does not exist"]);
    refused(at, &["grid", "nothing"], &["nothing"]);
    image_recipe(at);
    let judge = "network={kind=\"classifier\",channels=[8]}";
    let train = ["train", "image.toml", "--out", "judge", "--set", judge];
    ok(at, &train);
    refused(at, &["grid", "judge"], &["classifier"]);
    assert_eq!(entries(at).len(), before.len() + 2);
}
