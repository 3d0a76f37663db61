//! Conditioning on numbers: halves of pictures as bright as they are asked to be.

mod common;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use common::{ok, refused};
use image::{GrayImage, Luma};

const SIDE: u32 = 8;

const RECIPE: &str = r#"name = "halves"
[data]
kind = "captions"
path = "halves"
captions = "captions.jsonl"
channels = 1
size = [8, 8]
[text]
scalars = [{ name = "left", from = 0, to = 1 }, { name = "right", from = -1, to = 1 }]
[network]
kind = "adm-unet"
channels = [16, 32]
blocks = 1
attention = []
head_width = 16
groups = 4
text = 256
[optimizer]
lr = 3e-3
[ema]
decay = 0.98
[train]
steps = 400
batch = 32
[sample]
sampler = "heun"
steps = 8
"#;

/// Pictures whose left half has the brightness a and the right half (b + 1)/2, for 10 × 10 pairs (a, b).
fn write_data(at: &Path) {
    let folder = at.join("halves");
    fs::create_dir(&folder).unwrap();
    let mut lines = String::new();
    for i in 0..10 {
        for j in 0..10 {
            let (a, b) = (f64::from(i) / 9.0, f64::from(j) / 4.5 - 1.0);
            let picture = GrayImage::from_fn(SIDE, SIDE, |x, _| {
                let v = if x < SIDE / 2 { a } else { (b + 1.0) / 2.0 };
                Luma([(255.0 * v).round() as u8])
            });
            let file = format!("{i}-{j}.png");
            picture.save(folder.join(&file)).unwrap();
            writeln!(
                lines,
                "{{\"file\":\"{file}\",\"text\":\"left={a:.4}, right={b:.4}\"}}"
            )
            .unwrap();
        }
    }
    fs::write(folder.join("captions.jsonl"), lines).unwrap();
    fs::write(at.join("halves.toml"), RECIPE).unwrap();
}

/// The mean values in [−1, 1] of both halves of every sample of an array.
fn halves(npy: &Path) -> Vec<[f64; 2]> {
    let bytes = fs::read(npy).unwrap();
    let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let values: Vec<f64> = bytes[header..]
        .chunks_exact(4)
        .map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap())))
        .collect();
    let (side, half) = (SIDE as usize, SIDE as usize / 2);
    let mean = |picture: &[f64], first: usize| {
        let rows = picture.chunks_exact(side);
        rows.map(|row| row[first..first + half].iter().sum::<f64>())
            .sum::<f64>()
            / (side * half) as f64
    };
    let pictures = values.chunks_exact(side * side);
    pictures.map(|p| [mean(p, 0), mean(p, half)]).collect()
}

#[test]
fn samples_have_the_numbers_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    write_data(at);
    ok(at, &["train", "halves.toml", "--out", "run"]);

    // None of these pairs was in the data.
    let asked = [(0.17, 0.9), (0.5, 0.0), (0.83, -0.7), (0.05, -0.45)];
    let prompts = asked.map(|(a, b)| format!("right = {b}, left = {a}"));
    let mut args = vec!["sample", "run", "-n", "4", "-o", "samples.npy"];
    prompts.iter().for_each(|p| args.extend(["--prompt", p]));
    ok(at, &args);
    for ((a, b), [left, right]) in asked.into_iter().zip(halves(&at.join("samples.npy"))) {
        // The values of a picture are 2a − 1 and b.
        assert!((left - (2.0 * a - 1.0)).abs() < 0.2, "{a}: {left}");
        assert!((right - b).abs() < 0.2, "{b}: {right}");
    }

    let ask = |prompt: &'static str| ["sample", "run", "-o", "a.png", "--prompt", prompt];
    let right = "left = 0.5, right = 0";
    refused(at, &ask("bright"), &["no name = number", right]);
    refused(at, &ask("left=0.5"), &["right is missing"]);
    refused(at, &ask("left=2, right=0"), &["from 0 to 1", "\"2\""]);
    let words = ["--text-encoder", "halves"];
    let args = [&ask("left=0.1, right=0")[..], &words].concat();
    refused(at, &args, &["--text-encoder", "text.scalars"]);
    let out = ok(at, &["evaluate", "run", "--count", "16"]);
    assert!(!out.contains("rank"), "{out}");

    let lines = ok(at, &["train", "halves.toml", "--dry-run"]);
    let other = lines.replace("from = 0.0", "from = -4.0");
    assert_ne!(other, lines);
    fs::write(at.join("other.toml"), other).unwrap();
    let short = ["--set", "train.steps=2", "--out", "other"];
    ok(at, &[&["train", "other.toml"][..], &short].concat());
    let weaker = ["--autoguidance", "other", "--guidance", "2"];
    let args = [&ask("left=0.1, right=0")[..], &weaker].concat();
    refused(at, &args, &["--autoguidance", "text.scalars"]);
}

#[test]
fn scalars_that_do_not_fit_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    write_data(at);
    for (set, parts) in [
        ("network.text=0", &["text.scalars", "network.text"][..]),
        ("network.text=3", &["text.scalars", "at least 4"]),
        ("text.encoder=somewhere", &["text.encoder", "text.scalars"]),
        (
            "data.captions=wrong.jsonl",
            &["left=0.1", "right is missing"],
        ),
    ] {
        let line = "{\"file\":\"0-0.png\",\"text\":\"left=0.1\"}\n";
        fs::write(at.join("halves/wrong.jsonl"), line).unwrap();
        let args = ["train", "halves.toml", "--set", set, "--out", "run"];
        refused(at, &args, parts);
        assert!(!at.join("run").exists());
    }
}
