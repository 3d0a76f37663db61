//! `fokker simulate` as a user runs it: results, refusals, the same bits.

mod common;

use std::fs;
use std::path::Path;

use common::{entries, fokker, ok, refused};

/// The simulation is refused with these words and leaves nothing behind.
fn nothing(at: &Path, args: &[&str], parts: &[&str]) {
    let before = entries(at);
    let mut all = vec!["simulate"];
    all.extend(args);
    all.extend(["--out", "out"]);
    refused(at, &all, parts);
    assert_eq!(entries(at), before, "{args:?} left something behind");
}

#[test]
fn a_simulation_leaves_a_page_numbers_and_pictures() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let out = ok(
        at,
        &[
            "simulate",
            "brownian",
            "--count",
            "2000",
            "--paths",
            "paths.csv",
            "--save",
            "end",
            "--animate",
        ],
    );
    assert!(out.contains("KS p") && out.contains("exact law"), "{out}");
    assert!(out.trim_end().ends_with("runs/brownian"), "{out}");
    let found = entries(&at.join("runs/brownian"));
    let expected = [
        "animation.gif",
        "paths.png",
        "paths.svg",
        "report.html",
        "statistics.json",
        "terminal.png",
        "terminal.svg",
    ];
    assert_eq!(found, expected);
    let json: serde_json::Value =
        serde_json::from_slice(&fs::read(at.join("runs/brownian/statistics.json")).unwrap())
            .unwrap();
    assert_eq!(json["statistics"][0]["count"], 2000);
    let variance = json["exact"]["components"][0]["exact_variance"].as_f64();
    assert!((variance.unwrap() - 10.0).abs() < 1e-12);
    assert_eq!(
        fs::read_to_string(at.join("paths.csv"))
            .unwrap()
            .lines()
            .count(),
        2001
    );
    // The next one gets the next free name.
    let out = ok(
        at,
        &["simulate", "brownian", "--no-pictures", "--count", "10"],
    );
    assert!(out.trim_end().ends_with("runs/brownian-2"), "{out}");
}

#[test]
fn what_there_is_can_be_listed() {
    let dir = tempfile::tempdir().unwrap();
    let out = ok(dir.path(), &["simulate", "--list"]);
    for part in [
        "lorenz",
        "sigma (y - x)",
        "rho=28",
        "also ou",
        "tsit5",
        "euler-maruyama",
        "Itô",
        "random:k=5",
    ] {
        assert!(out.contains(part), "{part}");
    }
    assert!(ok(dir.path(), &["completions", "bash"]).contains("simulate"));
}

#[test]
fn expressions_are_refused_at_the_character() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let theta = "theta=0.25";
    nothing(
        at,
        &["--drift", "-thta*x", "--param", theta],
        &[
            "unknown name `thta` in the drift",
            "  -thta*x\n   ^^^^",
            "did you mean `theta`?",
        ],
    );
    nothing(
        at,
        &["--drift", "-x +", "--diffusion", "1"],
        &["in the drift", "^"],
    );
    nothing(
        at,
        &["--drift", "-x", "--diffusion", "sqrt(x"],
        &["in the diffusion", "^"],
    );
    nothing(
        at,
        &["--drift", "-x", "--event", "1"],
        &["event", "never changes"],
    );
    nothing(
        at,
        &["--drift", "-theta*x", "--param", "theta=nan"],
        &["theta=nan", "finite"],
    );
    nothing(
        at,
        &["--drift", "-theta*x", "--param", "theta"],
        &["NAME=VALUE"],
    );
    nothing(at, &["brownian", "--param", "sigma=inf"], &["finite"]);
    nothing(at, &["--drift", "x, y"], &["unknown name"]);
}

#[test]
fn names_are_refused_with_what_is_similar() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    nothing(
        at,
        &["lorentz"],
        &["no process `lorentz`", "did you mean `lorenz`?", "brownian"],
    );
    nothing(
        at,
        &["lorenz", "--solver", "tsit"],
        &["no solver `tsit`", "did you mean `tsit5`?"],
    );
    nothing(
        at,
        &["lorenz", "--param", "rhoo=1"],
        &["no parameter `rhoo`", "did you mean `rho`?"],
    );
    nothing(
        at,
        &["langevin", "--density", "rign:k=3"],
        &["did you mean `ring`?", "^"],
    );
    nothing(
        at,
        &["lorenz", "--density", "ring"],
        &["lorenz has no density"],
    );
    nothing(
        at,
        &[
            "langevin",
            "--density",
            "gaussian:mean=[0,0],cov=[[1,2],[2,1]]",
        ],
        &["not positive definite"],
    );
    nothing(
        at,
        &[
            "langevin",
            "--density",
            "gaussian:mean=[0,0],cov=[[1,1],[1,1]]",
        ],
        &["not positive definite"],
    );
}

#[test]
fn steps_and_grids_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    nothing(
        at,
        &["brownian", "--steps", "10", "--tol", "1e-3"],
        &["--steps", "--tol"],
    );
    nothing(
        at,
        &["brownian", "--step", "1e-300"],
        &["--step", "too small"],
    );
    nothing(
        at,
        &["brownian", "--step", "0.3"],
        &["does not divide", "33 steps"],
    );
    nothing(
        at,
        &["brownian", "--save", "0,11"],
        &["11", "outside the interval from 0 to 10"],
    );
    nothing(
        at,
        &["brownian", "--save", "0,0.5,10", "--steps", "7"],
        &["0.5", "not a step of 7"],
    );
    nothing(
        at,
        &["brownian", "--save", "3"],
        &["3 even intervals", "try --save 2, --save 4 or --steps 999"],
    );
    nothing(
        at,
        &["geometric-brownian", "--solver", "stochastic-heun"],
        &["Stratonovich", "Itô", "--convert"],
    );
    nothing(at, &["brownian", "--solver", "tsit5"], &["without noise"]);
    // x = 1/(1 − t).
    nothing(
        at,
        &["--drift", "x^2", "--to", "2"],
        &["trajectory 0", "fell below", "t = 1."],
    );
    nothing(
        at,
        &[
            "--drift", "x^2", "--solver", "euler", "--steps", "100", "--count", "300",
        ],
        &[
            "trajectory 0 left the finite numbers in step",
            "of 100",
            "--keep-going",
        ],
    );
}

#[test]
fn arguments_that_would_be_ignored_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    for ignored in [
        ["ou", "--diffusion", "2"],
        ["gbm", "--calculus", "stratonovich"],
        ["ou", "--names", "y"],
        ["ou", "--drift", "-x"],
    ] {
        nothing(at, &ignored, &["cannot be used with", ignored[1]]);
    }
    nothing(at, &["ou", "--max-bytes", "1GB"], &["required", "--paths"]);
    nothing(at, &["--diffusion", "2"], &["required", "--drift"]);
    nothing(at, &[], &["Usage: fokker simulate PROCESS", "--drift TEXT"]);
}

#[test]
fn numbers_are_read_as_they_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    for option in ["-n", "--steps", "--seed", "--tree"] {
        for wrong in ["-5", "1.5", "many"] {
            nothing(
                at,
                &["ou", option, wrong],
                &[wrong, "expected a whole number"],
            );
        }
    }
    nothing(
        at,
        &["ou", "--paths", "p.npy", "--max-bytes", "-5GB"],
        &["such as 500MB"],
    );
    nothing(
        at,
        &["ou", "--param", "theta=1/x"],
        &["is no number", "unknown name `x`"],
    );
    nothing(at, &["ou", "--param", "theta=1/0"], &["finite"]);
    nothing(at, &["ou", "--param", "theta=t"], &["finite"]);
    let args = [
        "simulate",
        "ou",
        "-n",
        "2e1",
        "--steps",
        "1e2",
        "--param",
        "theta=1/4",
    ];
    let all = [&args[..], &["--no-pictures", "--out", "out"]].concat();
    ok(at, &all);
    let json = fs::read(at.join("out/statistics.json")).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["values"]["trajectories"], 20);
    assert_eq!(json["values"]["steps"], 100);
    assert_eq!(json["values"]["parameters"]["theta"], 0.25);
    // The page has the command without the folder.
    let page = fs::read_to_string(at.join("out/report.html")).unwrap();
    assert!(page.contains("theta=1/4") && !page.contains("--out"));
}

#[test]
fn all_trajectories_failing_is_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let steps = ["--solver", "euler", "--steps", "100"];
    let all = [&["--drift", "x^2", "--keep-going", "-n", "7"], &steps[..]].concat();
    nothing(at, &all, &["none of 7 trajectories"]);
    let some = ["--start", "gaussian", "--out", "out", "--no-pictures"];
    let out = ok(at, &[&["simulate"], &all[..], &some].concat());
    assert!(out.contains(" of 7 trajectories"), "{out}");
}

#[cfg(target_os = "linux")]
#[test]
fn results_that_cannot_be_printed_are_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let args = ["simulate", "--list"];
    let out = fokker(dir.path(), &args).stdout(full).output().unwrap();
    assert_eq!(out.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&out.stderr).contains("standard output"));
}

#[test]
fn files_and_folders_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let paths = |file| ["brownian", "--paths", file];
    nothing(
        at,
        &paths("paths.txt"),
        &["paths.txt", ".npy, .csv or .parquet"],
    );
    nothing(
        at,
        &paths("nowhere/paths.npy"),
        &["nowhere", "does not exist"],
    );
    // What is there already is not written over.
    fs::write(at.join("mine.csv"), "mine").unwrap();
    nothing(at, &paths("mine.csv"), &["mine.csv", "there already"]);
    assert_eq!(fs::read_to_string(at.join("mine.csv")).unwrap(), "mine");
    let limit = ["brownian", "--paths", "p.npy", "--max-bytes", "1kB"];
    nothing(at, &limit, &["limit is 1.0 kB", "--save", "--count"]);
    let huge = ["brownian", "--paths", "p.npy", "--count", "100000000000"];
    nothing(at, &huge, &["TB", "free on"]);
    nothing(
        at,
        &["brownian", "--max-bytes", "1 parsec", "--paths", "p.npy"],
        &["unknown unit"],
    );
    fs::create_dir(at.join("full")).unwrap();
    fs::write(at.join("full/notes"), "mine").unwrap();
    refused(
        at,
        &["simulate", "brownian", "--out", "full"],
        &["full", "not empty"],
    );
    refused(
        at,
        &["simulate", "brownian", "--out", "full/notes"],
        &["is a file"],
    );
    assert_eq!(entries(&at.join("full")), ["notes"]);
    refused(at, &["lab", "one", "--out", "full"], &["full", "not empty"]);
    // Told before the minutes of work, and nothing is left.
    refused(
        at,
        &["lab", "one", "--out", "mine.csv/a/b"],
        &["cannot create"],
    );
    assert_eq!(entries(at), ["full", "mine.csv"]);
}

#[test]
fn files_hold_the_same_bytes_for_any_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let cases: [&[&str]; 4] = [
        &["ou", "--start", "gaussian", "--steps", "50", "--save", "10"],
        &[
            "lorenz",
            "--start",
            "gaussian:dim=3",
            "--to",
            "2",
            "--save",
            "0,1.5,2",
        ],
        &[
            "langevin",
            "--density",
            "ring:k=3",
            "--steps",
            "20",
            "--save",
            "end",
        ],
        &[
            "--drift",
            "-x^3",
            "--diffusion",
            "0.5",
            "--tol",
            "1e-2",
            "--to",
            "1",
            "--save",
            "end",
        ],
    ];
    for (k, case) in cases.iter().enumerate() {
        for precision in ["f32", "f64"] {
            let mut bytes = Vec::new();
            for (threads, count) in [("1", "1200"), ("2", "1200")] {
                let name = format!("{k}-{precision}-{threads}");
                let (file, out) = (format!("{name}.npy"), format!("out-{name}"));
                let mut args = vec!["simulate", "--threads", threads, "--count", count];
                args.extend(["--no-pictures", "--precision", precision]);
                args.extend(["--paths", &file, "--out", &out]);
                args.extend(*case);
                ok(at, &args);
                let statistics = fs::read(at.join(out).join("statistics.json")).unwrap();
                bytes.push((fs::read(at.join(file)).unwrap(), statistics));
            }
            assert!(bytes[0] == bytes[1], "{case:?} {precision}");
        }
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_leaves_nothing() {
    use std::time::{Duration, Instant};
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let args = [
        "simulate", "heston", "--count", "50000000", "--save", "end", "--paths", "p.npy",
    ];
    let mut child = fokker(at, &args).spawn().unwrap();
    let started = Instant::now();
    // The temporary file stands when the work begins.
    while entries(at).iter().all(|name| !name.starts_with(".fokker")) {
        assert!(started.elapsed() < Duration::from_secs(60), "never began");
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = child.id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-INT", &pid])
        .status()
        .unwrap();
    assert!(sent.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(entries(at).is_empty());
}
