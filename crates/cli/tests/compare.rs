//! `fokker compare`: a small run, and what it refuses.

mod common;

use std::fs;
use std::path::Path;

use common::{entries, image_recipe, ok, refused, toy_recipe};

/// The lines of a CSV file without its head, each as its fields.
fn table(path: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(path).unwrap();
    assert!(
        text.starts_with("sampler,steps,calls,distance,off,enough\n"),
        "{text}"
    );
    let fields = |l: &str| l.split(',').map(String::from).collect();
    text.lines().skip(1).map(fields).collect()
}

fn number(field: &str) -> f64 {
    field.parse().unwrap_or_else(|_| panic!("{field:?}"))
}

#[test]
fn points() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    toy_recipe(at);
    ok(at, &["train", "toy.toml", "--out", "moons"]);
    let few = ["--count", "100", "--calls", "4,7,24"];
    let compare = |args: &[&str]| ok(at, &[&["compare", "moons"], &few[..], args].concat());

    // Everyone takes part, each method once, and has its line.
    let before = entries(&at.join("moons"));
    let text = compare(&[]);
    for ending in ["csv", "svg", "html"] {
        let name = format!("compare.{ending}");
        assert!(text.contains(&name), "{text}");
        assert!(at.join("moons").join(name).is_file());
    }
    assert_eq!(entries(&at.join("moons")).len(), before.len() + 3);
    let cells = table(&at.join("moons/compare.csv"));
    let html = fs::read_to_string(at.join("moons/compare.html")).unwrap();
    let listed = ok(at, &["samplers"]);
    let twins = ["dpm++1s", "euler-ancestral", "dpm++1-sde"];
    let names: Vec<&str> = listed
        .lines()
        .skip(1)
        .take_while(|l| !l.starts_with("--"))
        .filter_map(|l| l.split_whitespace().next())
        .collect();
    assert!(names.len() > 25, "{listed}");
    for name in names {
        let takes_part = text.lines().any(|l| l.split(' ').next() == Some(name));
        // One whose loosest tolerance takes too many calls is named as left out.
        let left_out = html.contains(&format!("left out: {name} takes more"));
        let twin = twins.contains(&name);
        assert_eq!(takes_part, !twin && !left_out, "{name} in\n{text}");
        let own = |c: &Vec<String>| c[0].split(':').next() == Some(name);
        assert_eq!(cells.iter().any(own), takes_part, "{name}");
    }
    // The budgets are kept and used as far as whole steps go.
    for cell in &cells[..cells.len() - 1] {
        assert!(number(&cell[2]) <= 24.0, "{cell:?}");
        assert!(number(&cell[3]) > 0.0, "{cell:?}");
    }
    let calls = |name: &str| -> Vec<f64> {
        let own = cells[..cells.len() - 1].iter().filter(|c| c[0] == name);
        own.map(|c| number(&c[2])).collect()
    };
    assert_eq!(calls("euler"), [4.0, 7.0, 24.0]);
    assert_eq!(calls("heun"), [4.0, 6.0, 24.0]);
    assert_eq!(calls("rk4"), [4.0, 24.0]);
    // From σ = ∞ and to σ = 0 its steps are Euler's, which pays for one step more.
    assert_eq!(calls("edm"), [4.0, 6.0, 24.0]);
    // The reference is its own fine solution; noise on the way has none.
    let last = &cells[cells.len() - 1];
    assert_eq!(
        (&last[0][..], &last[1][..], &last[2][..]),
        ("heun", "100", "200")
    );
    assert_eq!(number(&last[4]), 0.0);
    let of = |name: &str, calls: &str| {
        let found = cells.iter().find(|c| c[0] == name && c[2] == calls);
        found.unwrap_or_else(|| panic!("no {name} with {calls} calls"))
    };
    assert_eq!(of("ddpm", "24")[4], "");
    // On a straight path Euler's method in t is DDIM, and more calls come nearer.
    let [a, b] = ["euler", "ddim"].map(|name| number(&of(name, "24")[4]));
    assert!((a - b).abs() < 1e-4 * a, "{a} {b}");
    assert!(number(&of("heun", "24")[4]) < 0.3 * number(&of("heun", "4")[4]));

    // The same seed, the same table; another one, another.
    let some = [
        "--samplers",
        "unipc,ddim:0.5,euler",
        "--grid-times",
        "cosine",
    ];
    let again = |seed: &str, out: &str| {
        let args = [&some[..], &["--seed", seed, "-o", out]].concat();
        let text = compare(&args);
        let lines = text.lines().filter(|l| !l.starts_with(out));
        let lines: Vec<String> = lines.map(String::from).collect();
        (lines, fs::read(at.join(format!("{out}.csv"))).unwrap())
    };
    assert_eq!(again("3", "a"), again("3", "b"));
    assert_ne!(again("3", "a").1, again("4", "c").1);
    let text = again("3", "a").0.join("\n");
    for part in ["cosine", "100 points", "unipc", "ddim:0.5", "seed 3"] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    // A folder takes the usual names.
    fs::create_dir(at.join("into")).unwrap();
    compare(&["--samplers", "euler", "-o", "into"]);
    assert_eq!(
        entries(&at.join("into")),
        ["compare.csv", "compare.html", "compare.svg"]
    );

    // What is refused leaves nothing.
    let before = entries(at);
    let no = |args: &[&str], parts: &[&str]| {
        refused(at, &[&["compare"], args].concat(), parts);
        assert_eq!(entries(at), before, "{args:?} left something behind");
    };
    no(&["nowhere"], &["nowhere"]);
    no(
        &["moons", "--samplers", "dpm++2n"],
        &["--samplers dpm++2n", "did you mean \"dpm++2m\"?"],
    );
    no(
        &["moons", "--samplers", "heun,ddim,heun"],
        &["heun is named twice"],
    );
    no(
        &["moons", "--calls", "10,5,5"],
        &["--calls 10,5,5", "rising", "5,10"],
    );
    no(&["moons", "--calls", "0,5"], &["--calls", "0"]);
    no(
        &["moons", "--calls", "3", "--samplers", "rk4"],
        &["--calls 3", "allow more"],
    );
    no(
        &["moons", "--grid-times", "0,0.5,1"],
        &["--grid-times 0,0.5,1", "by name"],
    );
    no(
        &["moons", "--grid-times", "even"],
        &["--grid-times even", "uniform"],
    );
    no(
        &["moons", "--reference", "ddpm"],
        &["--reference ddpm", "noise of its own", "heun"],
    );
    no(
        &["moons", "--judge", "moons"],
        &["--judge", "this run makes points"],
    );
    no(&["moons", "-w", "200"], &["--guidance 200", "-100 to 100"]);
    no(
        &["moons", "-o", "no/where"],
        &["no/where", "does not exist"],
    );
    // Coupled noise and data leave no score.
    let coupled = ["coupling.kind=optimal", "train.steps=2"];
    let coupled = coupled.iter().flat_map(|s| ["--set", s]);
    let train = ["train", "toy.toml", "--out", "coupled"];
    let train: Vec<&str> = train.into_iter().chain(coupled).collect();
    ok(at, &train);
    refused(
        at,
        &["compare", "coupled", "--samplers", "heun,ddpm"],
        &["--samplers ddpm", "score"],
    );
    let text = ok(
        at,
        &[
            "compare",
            "coupled",
            "--count",
            "20",
            "--calls",
            "4",
            "--reference-steps",
            "4",
        ],
    );
    assert!(
        text.contains("\nunipc") && !text.contains("\nddpm"),
        "{text}"
    );
}

#[test]
fn images() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    image_recipe(at);
    ok(at, &["train", "image.toml", "--out", "run"]);
    let judge = "name = \"judge\"\n[data]\nkind = \"garments\"\n[network]\nkind = \"classifier\"\nchannels = [8]\n[train]\n\
                 steps = 2\nbatch = 16\n";
    fs::write(at.join("judge.toml"), judge).unwrap();
    ok(at, &["train", "judge.toml", "--out", "judge"]);
    let few = ["--count", "16", "--calls", "2,4", "--reference-steps", "4"];
    let compare = |args: &[&str]| ok(at, &[&["compare", "run"], &few[..], args].concat());

    let samplers = ["--samplers", "heun,euler,ddpm"];
    let text = compare(&[&samplers[..], &["--judge", "judge"]].concat());
    for part in ["Fréchet", "16 images", "guidance 2", "\nddpm", "enough"] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    let cells = table(&at.join("run/compare.csv"));
    assert_eq!(cells.len(), 3 * 2 + 1);
    assert!(cells.iter().all(|c| number(&c[3]) > 0.0), "{cells:?}");
    assert!(cells.iter().all(|c| c[4].is_empty() == (c[0] == "ddpm")));

    // Without a judge the fine solution is left.
    let text = compare(&["--samplers", "heun,euler"]);
    assert!(!text.contains("Fréchet") && text.contains("root mean square difference"));
    let cells = table(&at.join("run/compare.csv"));
    assert!(
        cells
            .iter()
            .all(|c| c[3].is_empty() && number(&c[4]) >= 0.0)
    );

    let before = entries(&at.join("run"));
    let no = |args: &[&str], parts: &[&str]| {
        refused(at, &[&["compare", "run"], args].concat(), parts);
        assert_eq!(entries(&at.join("run")), before);
    };
    no(
        &["--samplers", "ddpm"],
        &["--samplers ddpm", "noise of its own", "--judge"],
    );
    no(&["--judge", "run"], &["classifier"]);
    refused(at, &["compare", "judge"], &["classifier"]);
}
