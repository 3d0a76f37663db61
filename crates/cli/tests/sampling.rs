//! `fokker sample` in all its ways, on the real binary.

mod common;

use std::fs;
use std::path::Path;

use common::{fokker, image_recipe, ok, refused, toy_recipe};

/// A run in the plane, one of images and a table of points to begin from.
fn runs(folder: &Path) {
    toy_recipe(folder);
    image_recipe(folder);
    ok(
        folder,
        &["train", "toy.toml", "-o", "toy", "--set", "train.steps=60"],
    );
    ok(folder, &["train", "image.toml", "-o", "image"]);
    ok(folder, &["sample", "image", "-n", "1", "-o", "one.png"]);
    // A mask: the left half black, kept; the right half white, made anew.
    let mut mask = image::GrayImage::new(28, 28);
    for (x, _, pixel) in mask.enumerate_pixels_mut() {
        pixel.0 = [if x < 14 { 0 } else { 255 }];
    }
    mask.save(folder.join("mask.png")).unwrap();
    mask.save(folder.join("half.png")).unwrap();
    image::GrayImage::new(8, 8)
        .save(folder.join("small.png"))
        .unwrap();
}

fn read(folder: &Path, name: &str) -> Vec<u8> {
    fs::read(folder.join(name)).unwrap()
}

#[test]
fn every_way_of_sampling() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    runs(folder);

    // Sample i is the same however many there are, for samplers with a plan of their own as well.
    for how in [
        &[
            "--sampler",
            "restart:2",
            "--steps",
            "8",
            "--grid-times",
            "karras",
        ][..],
        &["--sampler", "dopri5", "--tolerance", "1e-2"],
        &["--sampler", "unipc:3", "--grid-times", "0,0.1,0.5,1"],
        &["--sampler", "edm:10", "--grid-times", "log-snr"],
    ] {
        let sample = |out: &str, count: &str| {
            let mut args = vec!["sample", "toy", "-o", out, "-n", count];
            args.extend(how);
            ok(folder, &args);
            String::from_utf8(read(folder, out)).unwrap()
        };
        let (few, many) = (sample("few.csv", "5"), sample("many.csv", "1100"));
        assert!(many.starts_with(&few), "{how:?}");
    }

    // Nor do they depend on how many are computed together.
    for (run, count, batches) in [("toy", "300", ["7", "300"]), ("image", "20", ["1", "20"])] {
        let sample = |batch: &str| {
            ok(
                folder,
                &[
                    "sample",
                    run,
                    "-n",
                    count,
                    "--batch",
                    batch,
                    "-o",
                    "batch.npy",
                ],
            );
            read(folder, "batch.npy")
        };
        let usual = sample("auto");
        for batch in batches {
            assert_eq!(sample(batch), usual, "{run}, {batch} together");
        }
    }

    // A dry run tells the times and the calls, and writes nothing.
    let plan = ok(
        folder,
        &[
            "sample",
            "toy",
            "--dry-run",
            "--sampler",
            "rk4",
            "--grid-times",
            "0,0.25,1",
        ],
    );
    assert!(
        plan.contains("0.250000") && plan.contains("at most 8 network calls"),
        "{plan}"
    );

    // Pictures in, pictures out; each again from its own recipe, byte for byte.
    let image = |name: &str, how: &[&str]| {
        let mut args = vec!["sample", "image", "-o", name, "-n", "4", "--class", "bag"];
        args.extend(how);
        ok(folder, &args);
        let again = format!("again-{name}");
        ok(folder, &["sample", "--like", name, "-o", &again]);
        assert_eq!(read(folder, name), read(folder, &again), "{name}");
        image::open(folder.join(name)).unwrap().to_luma8()
    };
    image("from.png", &["--init", "one.png", "--strength", "0.5"]);
    image("between.png", &["--interpolate", "3..7"]);
    image(
        "weights.png",
        &[
            "-w",
            "1,3",
            "--guidance-interval",
            "0.2..0.9",
            "--guidance-rule",
            "rescale:0.5",
        ],
    );
    image("apart.png", &["-w", "2", "--negative", "coat"]);
    image("bad.png", &["-w", "2", "--autoguidance", "image"]);
    image(
        "plus.png",
        &["-w", "0.5", "--guidance-rule", "cfg++", "--sampler", "ddim"],
    );
    let given = image::open(folder.join("one.png")).unwrap().to_luma8();
    // What is under black stays, to the byte.
    for how in ["repaint", "mmps"] {
        let mask = ["--init", "one.png", "--mask", "mask.png", "--inpaint", how];
        image(&format!("{how}.png"), &mask);
        let one = ["sample", "image", "-n", "1", "-o", "mended.png"];
        ok(folder, &[&one[..], &mask].concat());
        let mended = image::open(folder.join("mended.png")).unwrap().to_luma8();
        for (x, y) in [(0, 0), (5, 9), (13, 27)] {
            assert_eq!(
                mended.get_pixel(x, y),
                given.get_pixel(x, y),
                "{how} at {x}, {y}"
            );
        }
    }
    // Back to noise and forth again with the same class is the identity, up to the steps' error.
    ok(
        folder,
        &[
            "sample",
            "image",
            "--init",
            "one.png",
            "--invert",
            "--from-class",
            "bag",
            "--class",
            "bag",
            "-w",
            "1",
            "-n",
            "1",
            "--sampler",
            "rk4",
            "--steps",
            "50",
            "-o",
            "back.png",
        ],
    );
    let back = image::open(folder.join("back.png")).unwrap().to_luma8();
    let worst = back
        .pixels()
        .zip(given.pixels())
        .map(|(a, b)| a.0[0].abs_diff(b.0[0]))
        .max();
    assert!(worst <= Some(3), "{worst:?} of 255");

    // A file that changed since is not taken for the same.
    fs::copy(folder.join("half.png"), folder.join("one.png")).unwrap();
    refused(
        folder,
        &["sample", "--like", "from.png", "-o", "x.png"],
        &["one.png", "changed"],
    );
}

#[test]
fn refusals() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    runs(folder);
    let toy = |how: &[&str], parts: &[&str]| {
        let mut args = vec!["sample", "toy", "-o", "x.csv"];
        args.extend(how);
        refused(folder, &args, parts);
    };
    toy(&["--sampler", "dpm++2n"], &["did you mean \"dpm++2m\""]);
    toy(&["--sampler", "ddim:7"], &["η", "from 0 to 1"]);
    toy(&["--sampler", "heun:2"], &["takes no number"]);
    toy(&["--grid-times", "0,0.5,0.4,1"], &["--grid-times", "0.4"]);
    toy(&["--grid-times", "0.1,1"], &["--grid-times", "0"]);
    toy(&["--grid-times", "karos"], &["--grid-times", "karras"]);
    toy(
        &["--tolerance", "1e-3", "--sampler", "heun"],
        &["--tolerance", "dopri5"],
    );
    toy(&["--tolerance", "0"], &["--tolerance", "1e-12"]);
    toy(
        &["--sampler", "tsit5", "--steps", "9"],
        &["chooses its own steps"],
    );
    toy(&["--init", "one.png"], &["--init", "points"]);
    toy(&["--interpolate", "3-7"], &["--interpolate", "3..7"]);
    toy(&["--sde", "constant:1"], &["takes no σ_t"]);
    ok(
        folder,
        &[
            "train",
            "toy.toml",
            "-o",
            "plain",
            "--set",
            "train.steps=2",
            "--set",
            "objective.classes=false",
        ],
    );
    let plain = ["sample", "plain", "-o", "x.csv"];
    refused(
        folder,
        &[&plain[..], &["-w", "2"]].concat(),
        &["--guidance needs classes"],
    );
    refused(
        folder,
        &[&plain[..], &["--guidance-rule", "apg"]].concat(),
        &["--guidance-rule needs classes"],
    );
    let image = |how: &[&str], parts: &[&str]| {
        let mut args = vec!["sample", "image", "-o", "x.png"];
        args.extend(how);
        refused(folder, &args, parts);
    };
    image(&["--init", "small.png"], &["--init", "8×8"]);
    image(
        &["--init", "one.png", "--mask", "small.png"],
        &["--mask", "8×8"],
    );
    image(
        &["--init", "one.png", "--strength", "1.5"],
        &["--strength", "at most 1"],
    );
    image(&["--mask", "mask.png"], &["--init"]);
    image(&["--guidance-interval", "0.8..0.2"], &["0.2..0.8"]);
    image(
        &["--guidance-rule", "cfg++", "-w", "0.5"],
        &["cfg++", "--sampler ddim"],
    );
    image(
        &["--guidance-rule", "cfg"],
        &["linear, rescale, apg, cfg++"],
    );
    image(&["--negative", "nothing"], &["unknown class"]);
    image(&["--autoguidance", "toy"], &["--autoguidance"]);
    assert!(!folder.join("x.csv").exists() && !folder.join("x.png").exists());
    let out = fokker(folder, &["sample", "toy"]).output().unwrap();
    assert!(!out.status.success());
}
