//! Bad input gets a clear message and a non-zero exit, and leaves nothing behind.

#![allow(clippy::print_stderr)] // a skipped test says why

mod common;

use std::fs;
use std::path::Path;

use common::{entries, image_recipe, ok, refused, toy_recipe};

/// Training is refused with these words, and no run folder appears.
fn no_training(at: &Path, set: &[&str], parts: &[&str]) {
    let before = entries(at);
    let mut args = vec!["train", "toy.toml", "--out", "run"];
    for s in set {
        args.extend(["--set", s]);
    }
    refused(at, &args, parts);
    assert_eq!(entries(at), before, "{set:?} left something behind");
}

#[test]
fn recipes_and_data() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    toy_recipe(at);
    refused(
        at,
        &["train", "missing.toml"],
        &["missing.toml", "No such file"],
    );
    refused(at, &["train"], &["CONFIG.toml"]);
    no_training(at, &["train.steps=0"], &["train.steps", "at least 1"]);
    no_training(
        at,
        &["train.stepz=10"],
        &["train.stepz", "did you mean `steps`"],
    );
    no_training(at, &["train.batch=lots"], &["train.batch", "lots"]);
    no_training(at, &["data.name=monos"], &["moons"]);
    no_training(at, &["network.kind=unet", "network.hidden=3"], &["hidden"]);

    fs::create_dir(at.join("empty")).unwrap();
    let folder = ["data={kind=\"folder\",path=\"empty\"}"];
    no_training(at, &folder, &["empty"]);
    no_training(
        at,
        &["data={kind=\"folder\",path=\"nowhere\"}"],
        &["nowhere"],
    );
    no_training(at, &["data={kind=\"idx\",dir=\"nowhere\"}"], &["nowhere"]);
    no_training(
        at,
        &["data={kind=\"array\",path=\"a.txt\"}"],
        &["neither .npy nor .npz"],
    );

    fs::write(at.join("bad.npz"), b"PK\x03\x04 not really").unwrap();
    no_training(
        at,
        &["data={kind=\"array\",path=\"bad.npz\"}"],
        &["bad.npz"],
    );
    fokker::data::write_npy(&at.join("nan.npy"), &[0.0, 1.0, f32::NAN, 2.0], &[2, 2]).unwrap();
    no_training(
        at,
        &["data={kind=\"array\",path=\"nan.npy\"}"],
        &["nan.npy", "item 1"],
    );
    let npy = fs::read(at.join("nan.npy")).unwrap();
    fs::write(at.join("short.npy"), &npy[..npy.len() - 3]).unwrap();
    no_training(
        at,
        &["data={kind=\"array\",path=\"short.npy\"}"],
        &["short.npy"],
    );
    fs::write(
        at.join("short-idx"),
        [0, 0, 8, 3, 0, 0, 0, 9, 0, 0, 0, 2, 0, 0, 0, 2, 7],
    )
    .unwrap();
    no_training(
        at,
        &["data={kind=\"idx\",images=\"short-idx\"}"],
        &["short-idx"],
    );
}

#[test]
fn a_picture_that_claims_to_be_huge() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    toy_recipe(at);
    fs::create_dir(at.join("pictures")).unwrap();
    // A PNG header of 100,000 × 100,000 pixels with a right checksum and nothing behind it.
    let mut header = b"IHDR".to_vec();
    header.extend([0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0, 8, 2, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    png.extend(&header);
    png.extend(crc32(&header).to_be_bytes());
    fs::write(at.join("pictures/huge.png"), png).unwrap();
    no_training(
        at,
        &["data={kind=\"folder\",path=\"pictures\"}"],
        &["huge.png"],
    );
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, &b| {
        (0..8).fold(crc ^ u32::from(b), |c, _| {
            (c >> 1) ^ (0xedb8_8320 & (c & 1).wrapping_neg())
        })
    })
}

#[test]
fn sampling() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    image_recipe(at);
    toy_recipe(at);
    ok(at, &["train", "image.toml", "--out", "run"]);
    ok(
        at,
        &[
            "train",
            "toy.toml",
            "--out",
            "points",
            "--set",
            "objective.classes=false",
        ],
    );
    let before = entries(at);
    refused(
        at,
        &["sample", "nowhere", "-o", "a.png"],
        &["nowhere", "no such run folder"],
    );
    refused(at, &["sample", ".", "-o", "a.png"], &["not a run folder"]);
    refused(
        at,
        &["sample", "run", "-o", "a.png", "--class", "10"],
        &["unknown class", "9 Ankle boot"],
    );
    refused(
        at,
        &["sample", "run", "-o", "a.png", "--class", "hat"],
        &["hat", "Sandal"],
    );
    refused(
        at,
        &["sample", "run", "-o", "a.png", "--sampler", "hein"],
        &["hein", "heun"],
    );
    refused(
        at,
        &["sample", "run", "-o", "a.png", "--steps", "0"],
        &["--steps"],
    );
    refused(
        at,
        &["sample", "run", "-o", "a.png", "--count", "0"],
        &["--count"],
    );
    refused(
        at,
        &["sample", "run", "-o", "a.png", "--guidance", "nan"],
        &["--guidance"],
    );
    let many = ["sample", "run", "-o", "a.npy", "--count", "9999999"];
    refused(at, &many, &["--count", "at most"]);
    refused(
        at,
        &["sample", "run", "-o", "a.bmp"],
        &["unknown format .bmp"],
    );
    refused(
        at,
        &["sample", "run", "-o", "a.csv"],
        &[".csv holds points"],
    );
    refused(
        at,
        &["sample", "run", "-o", "no/such/a.png"],
        &["does not exist"],
    );
    refused(
        at,
        &["sample", "run", "-o", "a.png", "--device", "tpu"],
        &["tpu", "cpu"],
    );
    refused(at, &["sample", "points", "-o", "folder"], &["points go to"]);
    refused(
        at,
        &["sample", "points", "-o", "a.csv", "--class", "0"],
        &["without classes"],
    );
    refused(
        at,
        &["sample", "points", "-o", "a.csv", "--guidance", "2"],
        &["without"],
    );
    refused(
        at,
        &["sample", "points", "-o", "a.png", "--grid"],
        &["--grid lays out images"],
    );
    refused(
        at,
        &["sample", "--like", "toy.toml", "-o", "a.png"],
        &["toy.toml"],
    );
    refused(at, &["sample", "-o", "a.png"], &["RUN"]);
    refused(at, &["train", "image.toml", "--out", "run"], &["not empty"]);
    refused(
        at,
        &["train", "toy.toml", "--resume", "run"],
        &["not the recipe of the run"],
    );
    refused(at, &["evaluate", "points", "--judge", "run"], &["judge"]);
    refused(
        at,
        &["evaluate", "run", "--judge", "points"],
        &["classifier"],
    );
    assert_eq!(entries(at), before);
}

#[test]
fn weights_alone_are_not_trained_on() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    image_recipe(at);
    ok(at, &["train", "image.toml", "--out", "run"]);
    let checkpoints = std::fs::read_dir(at.join("run/checkpoints")).unwrap();
    for checkpoint in checkpoints {
        std::fs::remove_file(checkpoint.unwrap().path().join("optimizer.burnpack")).unwrap();
    }
    let resume = ["train", "--resume", "run"];
    refused(at, &resume, &["optimizer's state is missing"]);
}

#[test]
fn a_judge_is_no_generator() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    image_recipe(at);
    let judge = "network={kind=\"classifier\",channels=[8]}";
    ok(
        at,
        &["train", "image.toml", "--set", judge, "--out", "judge"],
    );
    refused(at, &["sample", "judge", "-o", "a.png"], &["classifier"]);
    ok(at, &["train", "image.toml", "--out", "run"]);
    let out = ok(
        at,
        &["evaluate", "run", "--judge", "judge", "--count", "20"],
    );
    assert!(out.contains("class agreement"), "{out}");
    // There are no other images to stand beside the samples, and nothing says so.
    assert!(!out.contains("in brackets"), "{out}");
    let page = std::fs::read_to_string(at.join("run/report.html")).unwrap();
    assert!(page.contains("Distance to the data") && !page.contains("real images"));
}

/// A full disk: a small tmpfs, where the system lets us mount one.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    image_recipe(at);
    let disk = at.join("disk");
    fs::create_dir(&disk).unwrap();
    let mount = |args: &[&str]| {
        std::process::Command::new(args[0])
            .args(&args[1..])
            .arg(&disk)
            .output()
    };
    let mounted = mount(&["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs"]);
    if !mounted.is_ok_and(|o| o.status.success()) {
        eprintln!("skipped: mounting a tmpfs is not allowed here");
        return;
    }
    ok(at, &["train", "image.toml", "--out", "run"]);
    let out = refused(
        at,
        &["sample", "run", "--count", "64", "-o", "disk/a.npy"],
        &["disk/a.npy", "No space left"],
    );
    let empty = entries(&disk);
    let folder = refused(
        at,
        &["sample", "run", "--count", "600", "-o", "disk/many"],
        &["No space left"],
    );
    let still = entries(&disk);
    let training = refused(
        at,
        &["train", "image.toml", "--out", "disk/run"],
        &["No space left"],
    );
    let weights: Vec<_> = fs::read_dir(disk.join("run/checkpoints"))
        .into_iter()
        .flatten()
        .collect();
    let _ = mount(&["umount"]);
    assert!(empty.is_empty(), "{empty:?} after {out:?}");
    assert!(still.is_empty(), "{still:?} after {folder:?}");
    assert!(
        weights.is_empty(),
        "a partial checkpoint was left after {training:?}"
    );
}
