//! Running the binary as a user does.

#![allow(dead_code)] // not every test file uses all of it

use std::path::Path;
use std::process::{Command, Output};

/// The binary with these arguments, in `folder`.
pub(crate) fn fokker(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fokker"));
    command.current_dir(folder).args(args);
    command
}

/// Runs it and expects success; gives standard output.
pub(crate) fn ok(folder: &Path, args: &[&str]) -> String {
    let out = fokker(folder, args).output().unwrap();
    let err = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "fokker {args:?} failed:\n{err}");
    String::from_utf8(out.stdout).unwrap()
}

/// Runs it and expects a refusal that says each of `parts`, without a panic; gives the output.
pub(crate) fn refused(folder: &Path, args: &[&str], parts: &[&str]) -> Output {
    let out = fokker(folder, args).output().unwrap();
    let err = String::from_utf8_lossy(&out.stderr);
    assert!(
        matches!(out.status.code(), Some(1 | 2)),
        "fokker {args:?}: {:?}\n{err}",
        out.status
    );
    for bad in ["panicked", "RUST_BACKTRACE"] {
        assert!(!err.contains(bad), "fokker {args:?} panicked:\n{err}");
    }
    for part in parts {
        assert!(
            err.contains(part),
            "fokker {args:?}: expected {part:?} in\n{err}"
        );
    }
    out
}

/// A small recipe in the plane, written to `folder/toy.toml`.
pub(crate) fn toy_recipe(folder: &Path) {
    let text = "name = \"toy\"\n[data]\nkind = \"toy\"\nname = \"moons\"\n[network]\nkind = \"mlp\"\nhidden = [32, 32]\n\
                [train]\nsteps = 200\nbatch = 64\ncheckpoint_every = 50\nkeep = 99\n[sample]\nsteps = 5\n";
    std::fs::write(folder.join("toy.toml"), text).unwrap();
}

/// A small U-Net on the embedded garments, written to `folder/image.toml`.
pub(crate) fn image_recipe(folder: &Path) {
    let text = "name = \"image\"\n[data]\nkind = \"garments\"\n[network]\nkind = \"unet\"\npatch = 4\nchannels = [16]\nblocks = 1\n\
                embedding = 16\n[train]\nsteps = 4\nbatch = 16\n[sample]\nsteps = 3\nguidance = 2.0\n";
    std::fs::write(folder.join("image.toml"), text).unwrap();
}

/// The names in a folder, sorted.
pub(crate) fn entries(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
