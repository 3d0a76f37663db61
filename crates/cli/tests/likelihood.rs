//! `fokker likelihood`: a small run, and what it refuses.

mod common;

use std::fs;

use common::{entries, image_recipe, ok, refused, toy_recipe};

/// The number after a line's name.
fn figure(text: &str, name: &str) -> f64 {
    let line = text
        .lines()
        .find(|l| l.starts_with(name))
        .unwrap_or_else(|| panic!("no {name} in\n{text}"));
    let value = line[name.len()..].split_whitespace().next().unwrap();
    value
        .parse()
        .unwrap_or_else(|_| panic!("{value} in\n{text}"))
}

#[test]
fn points() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    toy_recipe(at);
    ok(at, &["train", "toy.toml", "--out", "moons"]);
    let eight = [
        "--set",
        "data.name=8-gaussians",
        "--set",
        "objective.classes=false",
    ];
    ok(
        at,
        &[&["train", "toy.toml", "--out", "eight"][..], &eight].concat(),
    );

    // Two hundred steps: no good model, but a density.
    let text = ok(
        at,
        &["likelihood", "eight", "data", "-n", "40", "-o", "p.csv"],
    );
    let (found, exact) = (figure(&text, "mean log p"), figure(&text, "exact log p"));
    let off = figure(&text, "mean difference");
    assert!((found - exact - off).abs() < 2e-4, "{text}");
    assert!(off < 0.5 && off > -10.0, "{text}");
    let table = fs::read_to_string(at.join("p.csv")).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!((lines[0], lines.len()), ("row,log_p,exact", 41));
    let column = |line: &str, i: usize| line.split(',').nth(i).unwrap().parse::<f64>().unwrap();
    let mean = lines[1..].iter().map(|l| column(l, 1)).sum::<f64>() / 40.0;
    assert!((mean - found).abs() < 1e-4, "{mean} in\n{text}");

    // The same rows from a file; fixed steps and random vectors come close.
    ok(at, &["sample", "eight", "-n", "30", "-o", "points.csv"]);
    let all = ok(at, &["likelihood", "eight", "points.csv"]);
    let steps = [
        "--steps",
        "40",
        "--divergence",
        "hutchinson",
        "--probes",
        "4",
        "--antithetic",
    ];
    let few = ok(
        at,
        &[&["likelihood", "eight", "points.csv"][..], &steps].concat(),
    );
    // In the plane a partner cancels every cross term of ±1.
    let apart = figure(&all, "mean log p") - figure(&few, "mean log p");
    assert!(apart.abs() < 0.02, "{all}{few}");
    ok(at, &["sample", "eight", "-n", "30", "-o", "points.npy"]);
    let again = ok(
        at,
        &["likelihood", "eight", "points.npy", "--sampler", "tsit5"],
    );
    let apart = figure(&all, "mean log p") - figure(&again, "mean log p");
    assert!(apart.abs() < 1e-3, "{all}{again}");

    // What is refused leaves no table.
    let before = entries(at);
    let no = |args: &[&str], parts: &[&str]| {
        refused(at, &[&["likelihood"], args].concat(), parts);
        assert_eq!(entries(at), before, "{args:?} left something behind");
    };
    no(&["eight"], &["<DATA>"]);
    no(&["nowhere", "data"], &["nowhere"]);
    no(&["eight", "test"], &["held back"]);
    no(
        &["eight", "numbers"],
        &["\"data\", \"test\"", ".npy or .csv"],
    );
    no(&["eight", "missing.csv"], &["missing.csv", "No such file"]);
    no(
        &["eight", "data", "--sampler", "euler-maruyama"],
        &["stochastic", "no likelihood", "dopri5"],
    );
    no(
        &["eight", "data", "--sampler", "heun"],
        &["heun", "--steps"],
    );
    no(
        &["eight", "data", "--sampler", "dopri"],
        &["unknown sampler", "dopri5"],
    );
    no(
        &["eight", "data", "--tolerance", "0"],
        &["--tolerance 0", "between 0 and 1"],
    );
    no(
        &["eight", "data", "--steps", "9", "--tolerance", "0.1"],
        &["--tolerance", "--steps"],
    );
    no(&["eight", "data", "--steps", "0"], &["--steps", "1.."]);
    no(
        &["eight", "data", "--probes", "2"],
        &["--probes", "--divergence hutchinson"],
    );
    no(
        &["eight", "data", "--divergence", "roughly"],
        &["exact", "hutchinson"],
    );
    no(
        &["eight", "data", "--class", "1"],
        &["--class", "without classes"],
    );
    no(&["eight", "data", "-o", "p.txt"], &["p.txt", ".csv"]);
    no(
        &["eight", "data", "-o", "no/p.csv"],
        &["no/p.csv", "does not exist"],
    );
    no(
        &["eight", "points.csv", "-n", "31"],
        &["--count 31", "30 rows"],
    );
    no(
        &["moons", "data", "--class", "sideways"],
        &["sideways", "upper"],
    );

    fs::write(at.join("three.csv"), "1,2\n3,4,5,6\n").unwrap();
    refused(
        at,
        &["likelihood", "eight", "three.csv"],
        &["three.csv", "line 2", "expected 2 numbers"],
    );
    let between = ["source.kind=toy", "source.name=circles", "train.steps=2"];
    let between = between.iter().flat_map(|s| ["--set", s]);
    let train: Vec<&str> = ["train", "toy.toml", "--out", "between"]
        .into_iter()
        .chain(between)
        .collect();
    ok(at, &train);
    refused(
        at,
        &["likelihood", "between", "data"],
        &["starts at other data", "Gaussian"],
    );
}

#[test]
fn images() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    image_recipe(at);
    ok(at, &["train", "image.toml", "--out", "run"]);
    let args = [
        "likelihood",
        "run",
        "data",
        "-n",
        "3",
        "--steps",
        "2",
        "-o",
        "p.csv",
    ];
    let text = ok(at, &args);
    let bits = figure(&text, "bits per dimension");
    let expected = -figure(&text, "mean log p") / (784.0 * 2.0_f64.ln()) + 127.5_f64.log2();
    assert!((bits - expected).abs() < 1e-3, "{text}");
    let table = fs::read_to_string(at.join("p.csv")).unwrap();
    assert!(table.starts_with("row,log_p,bits_per_dim\n0,"), "{table}");
    // The same seed, the same bits, whatever is beside them.
    let one = ok(
        at,
        &[
            "likelihood",
            "run",
            "data",
            "-n",
            "1",
            "--steps",
            "2",
            "-o",
            "one.csv",
        ],
    );
    assert!(one.contains("1 image of"), "{one}");
    let again = fs::read_to_string(at.join("one.csv")).unwrap();
    assert_eq!(table.lines().nth(1), again.lines().nth(1));
    refused(
        at,
        &["likelihood", "run", "points.csv"],
        &["images", ".npy"],
    );
    refused(at, &["likelihood", "run", "test"], &["held back"]);
    toy_recipe(at);
    ok(
        at,
        &[
            "train",
            "toy.toml",
            "--out",
            "toy",
            "--set",
            "train.steps=2",
        ],
    );
    ok(at, &["sample", "toy", "-n", "2", "-o", "points.npy"]);
    refused(
        at,
        &["likelihood", "run", "points.npy"],
        &["holds items of 2", "1×28×28"],
    );
    fs::write(
        at.join("judge.toml"),
        "name = \"judge\"\n[data]\nkind = \"garments\"\n[network]\nkind = \"classifier\"\n[train]\nsteps = 2\nbatch = 16\n",
    )
    .unwrap();
    ok(at, &["train", "judge.toml", "--out", "judge"]);
    refused(at, &["likelihood", "judge", "data"], &["classifier"]);
}
