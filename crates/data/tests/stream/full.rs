//! A disk that is full.
#![cfg(unix)]

use std::process::Command;
use std::{env, fs};

use fokker_data::{Dtype, Format, TableWriter};

use crate::spec;

const FOLDER: &str = "FOKKER_TEST_FULL_DISK";

/// The system lets a child process write no more than 64 kB to a file; the write that would exceed it fails, as on a full
/// disk.
#[test]
fn a_full_disk_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let child = Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 128; exec \"$0\" --exact full::writes_too_much --nocapture",
        ])
        .arg(env::current_exe().unwrap())
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && text.contains("refused 3 times"),
        "{text}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// What the child does; elsewhere, nothing.
#[test]
#[expect(clippy::print_stdout, reason = "read by the parent process")]
fn writes_too_much() {
    let Some(folder) = env::var_os(FOLDER) else {
        return;
    };
    let spec = spec(100, 100, 10, Dtype::F64);
    for format in Format::ALL {
        let path = std::path::Path::new(&folder)
            .join("a")
            .with_extension(format.extension());
        let mut table = TableWriter::create(&path, format, &spec).unwrap();
        let written = table.write_block(0, &vec![0.1; 100_000]);
        let finished = table.finish();
        assert!(finished.is_err(), "{format:?}");
        let error = written.err().or(finished.err()).unwrap().to_string();
        assert!(
            error.contains("cannot write") && error.contains("a."),
            "{error}"
        );
    }
    println!("refused 3 times");
}
