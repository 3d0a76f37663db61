//! The same seed gives the same bits: for any count, any thread count, and across an interruption.

mod common;

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{fokker, image_recipe, ok, toy_recipe};

fn read(path: impl AsRef<Path>) -> Vec<u8> {
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.as_ref().display()))
}

/// The values of an `.npy` file: what follows its header.
fn values(path: impl AsRef<Path>) -> Vec<u8> {
    let bytes = read(path);
    let header = u16::from_le_bytes([bytes[8], bytes[9]]) as usize;
    bytes[10 + header..].to_vec()
}

#[test]
fn images_do_not_depend_on_count_threads_or_training_threads() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    image_recipe(at);
    ok(
        at,
        &["train", "image.toml", "--out", "one", "--threads", "1"],
    );
    ok(
        at,
        &["train", "image.toml", "--out", "two", "--threads", "2"],
    );
    let weights = |run: &str| {
        read(
            at.join(run)
                .join("checkpoints/step-00000004/model.safetensors"),
        )
    };
    assert!(
        weights("one") == weights("two"),
        "training depends on the thread count"
    );
    assert_eq!(
        read(at.join("one/samples.png")).len(),
        read(at.join("two/samples.png")).len()
    );

    ok(
        at,
        &[
            "sample",
            "one",
            "--count",
            "64",
            "-o",
            "64.npy",
            "--threads",
            "2",
        ],
    );
    ok(
        at,
        &[
            "sample",
            "one",
            "--count",
            "8",
            "-o",
            "8.npy",
            "--threads",
            "1",
        ],
    );
    ok(
        at,
        &[
            "sample",
            "one",
            "--count",
            "8",
            "-o",
            "7.npy",
            "--threads",
            "7",
        ],
    );
    let (all, few) = (values(at.join("64.npy")), values(at.join("8.npy")));
    assert_eq!(few.len(), 8 * 784 * 4);
    assert!(
        all[..few.len()] == few[..],
        "the first 8 of 64 differ from 8"
    );
    assert!(
        values(at.join("7.npy")) == few,
        "samples depend on the thread count"
    );
}

#[test]
fn points_do_not_depend_on_training_threads() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    toy_recipe(at);
    for (out, threads) in [("one", "1"), ("two", "2"), ("seven", "7")] {
        let batch = ["--set", "train.batch=1500", "--set", "train.steps=20"];
        let args = [
            &["train", "toy.toml", "--out", out, "--threads", threads],
            &batch[..],
        ]
        .concat();
        ok(at, &args);
        ok(
            at,
            &[
                "sample",
                out,
                "--count",
                "3000",
                "-o",
                &format!("{out}.csv"),
                "--threads",
                threads,
            ],
        );
    }
    assert!(read(at.join("one.csv")) == read(at.join("two.csv")));
    assert!(read(at.join("one.csv")) == read(at.join("seven.csv")));
}

#[test]
fn a_picture_can_be_made_again_from_its_recipe() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    image_recipe(at);
    ok(at, &["train", "image.toml", "--out", "run"]);
    let choices = [
        "--class",
        "sneaker,3",
        "--count",
        "6",
        "--seed",
        "9",
        "--guidance",
        "3",
        "--sampler",
        "euler",
    ];
    for more in [&[][..], &["--grid"]] {
        let args = [&["sample", "run", "-o", "a.png"], &choices[..], more].concat();
        ok(at, &args);
        ok(at, &["sample", "--like", "a.png", "-o", "b.png"]);
        assert!(read(at.join("a.png")) == read(at.join("b.png")));
    }
    // A single picture of a folder, and the sheet that training made.
    ok(at, &["sample", "run", "-o", "singles", "--count", "20"]);
    ok(
        at,
        &["sample", "--like", "singles/000017.png", "-o", "c.png"],
    );
    assert!(read(at.join("singles/000017.png")) == read(at.join("c.png")));
    ok(at, &["sample", "--like", "run/samples.png", "-o", "d.png"]);
    assert!(read(at.join("run/samples.png")) == read(at.join("d.png")));
    // Moved: the new place is told.
    std::fs::rename(at.join("run"), at.join("moved")).unwrap();
    ok(at, &["sample", "moved", "--like", "c.png", "-o", "e.png"]);
}

/// Ctrl-C in the middle, then `--resume`: the same weights, log steps and samples.
#[cfg(unix)]
#[test]
fn an_interrupted_training_ends_like_an_uninterrupted_one() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    toy_recipe(at);
    let steps = "train.steps=2000";
    ok(at, &["train", "toy.toml", "--set", steps, "--out", "whole"]);
    let mut child = fokker(at, &["train", "toy.toml", "--set", steps, "--out", "parts"])
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !at
        .join("parts/checkpoints/step-00000050/state.json")
        .exists()
    {
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "no checkpoint appeared"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
    let kill = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let code = child.wait().unwrap().code();
    let out = child
        .stderr
        .take()
        .map(std::io::read_to_string)
        .unwrap()
        .unwrap();
    assert_eq!(code, Some(130), "{out}");
    assert!(
        out.contains("go on with: fokker train --resume parts"),
        "{out}"
    );
    assert!(!at.join("parts/report.html").exists());

    let out = fokker(at, &["train", "--resume", "parts"])
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    for file in [
        "checkpoints/step-00002000/model.safetensors",
        "checkpoints/step-00002000/ema.safetensors",
    ] {
        assert!(
            read(at.join("whole").join(file)) == read(at.join("parts").join(file)),
            "{file}"
        );
    }
    ok(at, &["sample", "whole", "-o", "whole.csv"]);
    ok(at, &["sample", "parts", "-o", "parts.csv"]);
    assert!(read(at.join("whole.csv")) == read(at.join("parts.csv")));
}

#[test]
fn a_table_of_points_has_a_header_and_classes() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    toy_recipe(at);
    ok(at, &["train", "toy.toml", "--out", "run"]);
    ok(
        at,
        &[
            "sample", "run", "--count", "5", "--class", "lower", "-o", "p.csv",
        ],
    );
    let text = std::fs::read_to_string(at.join("p.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines.len(), lines[0]), (6, "x0,x1,class"));
    assert!(
        lines[1..]
            .iter()
            .all(|l| l.ends_with(",lower") && l.split(',').count() == 3)
    );
    ok(
        at,
        &["sample", "run", "-o", "p.png", "--trajectory", "p.gif"],
    );
    assert!(
        read(at.join("p.png")).starts_with(b"\x89PNG")
            && read(at.join("p.gif")).starts_with(b"GIF89a")
    );
    let files = [
        "samples.png",
        "samples.svg",
        "loss.svg",
        "trajectory.gif",
        "report.html",
        "config.toml",
        "run.json",
    ];
    for file in files {
        assert!(!read(at.join("run").join(file)).is_empty());
    }
}
