//! `fokker import` and `fokker export` as a user runs them.

mod common;

use std::path::Path;

use common::{entries, ok, refused};

fn fixture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../train/tests/fixtures/foreign");
    folder.join(name).display().to_string()
}

#[test]
fn imported_weights_are_sampled_and_exported() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("names.txt"), "cat\ndog\n\nbird\n").unwrap();
    let weights = fixture("course-unet.pt");
    let import = [
        "import",
        &weights,
        "--family",
        "course-unet",
        "--size",
        "8",
        "-o",
        "run",
    ];
    let out = ok(folder, &[&import[..], &["--names", "names.txt"]].concat());
    assert_eq!(out, "run\n");
    let sample = [
        "sample",
        "run",
        "--class",
        "dog,none",
        "-n",
        "4",
        "--steps",
        "3",
        "--guidance",
        "2",
    ];
    ok(folder, &[&sample[..], &["-o", "dogs.png"]].concat());
    ok(folder, &["sample", "--like", "dogs.png", "-o", "again.png"]);
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    assert_eq!(read("dogs.png"), read("again.png"));
    ok(
        folder,
        &[
            "export",
            "run",
            "--family",
            "course-unet",
            "-o",
            "mine.safetensors",
        ],
    );
    let back = [
        "import",
        "mine.safetensors",
        "--family",
        "course-unet",
        "--size",
        "8",
        "-o",
        "back",
    ];
    ok(folder, &back);
    let weights = |run: &str| {
        read(&format!(
            "{run}/checkpoints/step-00000000/model.safetensors"
        ))
    };
    assert_eq!(weights("run"), weights("back"));

    // diffusers: the folder tells everything, and is written again.
    let unet = fixture("ddpm-unet");
    ok(
        folder,
        &["import", &unet, "--family", "diffusers-unet", "-o", "unet"],
    );
    ok(
        folder,
        &[
            "sample",
            "unet",
            "-n",
            "1",
            "--steps",
            "2",
            "-o",
            "noise.png",
        ],
    );
    ok(
        folder,
        &[
            "export",
            "unet",
            "--family",
            "diffusers-unet",
            "-o",
            "exported",
        ],
    );
    let files = [
        "config.json",
        "diffusion_pytorch_model.safetensors",
        "scheduler_config.json",
    ];
    assert_eq!(entries(&folder.join("exported")), files);
}

#[test]
fn what_cannot_be_imported_is_told_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let dit = fixture("dit.pt");
    let unet = fixture("course-unet.pt");
    let no_config = fixture("adm-unet/diffusion_pytorch_model.safetensors");
    std::fs::copy(no_config, folder.join("bare.safetensors")).unwrap();
    for (args, parts) in [
        (
            vec![&dit[..], "--family", "xit"],
            vec!["unknown family xit", "course-unet"],
        ),
        (vec![&dit, "--family", "dit"], vec!["--heads"]),
        (
            vec![&dit, "--family", "dit", "--heads", "2", "--size", "16"],
            vec!["pos_embed"],
        ),
        (
            vec![&unet, "--family", "dit"],
            vec!["not of this family", "x_embedder.proj.weight"],
        ),
        (
            vec!["bare.safetensors", "--family", "diffusers-unet"],
            vec!["config.json"],
        ),
        (vec!["none.pt", "--family", "dit"], vec!["none.pt"]),
    ] {
        refused(
            folder,
            &[&["import"][..], &args, &["-o", "run"]].concat(),
            &parts,
        );
        assert_eq!(entries(folder), ["bare.safetensors"], "{args:?}");
    }
    ok(
        folder,
        &[
            "import", &dit, "--family", "sit", "--heads", "2", "-o", "run",
        ],
    );
    let again = [
        "import", &dit, "--family", "sit", "--heads", "2", "-o", "run",
    ];
    refused(folder, &again, &["not empty"]);
    let other = ["export", "run", "--family", "course-unet", "-o", "x"];
    refused(folder, &other, &["dit, sit"]);
    refused(folder, &["train", "--resume", "run"], &["imported"]);
}

#[test]
fn counts_beyond_reason_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let theirs = Path::new(&fixture("diffusers-dit")).join("config.json");
    let config = std::fs::read_to_string(theirs).unwrap();
    let config: serde_json::Value = serde_json::from_str(&config).unwrap();
    let weights = fixture("diffusers-dit/diffusion_pytorch_model.safetensors");
    for key in ["num_attention_heads", "in_channels", "sample_size"] {
        let mut wrong = config.clone();
        wrong[key] = u64::MAX.into();
        std::fs::write(folder.join("config.json"), wrong.to_string()).unwrap();
        let family = ["--family", "diffusers-dit", "--config", "config.json"];
        refused(
            folder,
            &[&["import", &weights][..], &family, &["-o", "run"]].concat(),
            &["config.json", key, "up to 65536"],
        );
        assert_eq!(entries(folder), ["config.json"]);
    }
    let mut large = config;
    large["sample_size"] = 65536.into();
    std::fs::write(folder.join("config.json"), large.to_string()).unwrap();
    let import = ["import", &weights, "--family", "diffusers-dit", "-o", "run"];
    let args = [&import[..], &["--config", "config.json"]].concat();
    refused(folder, &args, &["sample_size", "up to 8192"]);
}
