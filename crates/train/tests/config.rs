//! Recipes: what is accepted, what is refused, and in which words.

use fokker_train::Config;
use proptest::prelude::*;

const GOOD: &str = r#"
name = "moons"
seed = 3

[data]
kind = "toy"
name = "moons"

[network]
kind = "mlp"
hidden = [32, 32]

[train]
steps = 100
"#;

fn parse(text: &str, set: &[&str]) -> Result<Config, String> {
    let set: Vec<String> = set.iter().map(|s| (*s).to_owned()).collect();
    Config::parse(text, "recipe.toml", &set).map_err(|e| e.to_string())
}

fn refused(text: &str, set: &[&str], expected: &[&str]) {
    let message = parse(text, set).expect_err("this recipe must be refused");
    for part in expected {
        assert!(message.contains(part), "expected {part:?} in {message:?}");
    }
}

#[test]
fn a_recipe_survives_being_written_and_read() {
    let config = parse(GOOD, &["sample.guidance=2.5", "optimizer.lr=3e-4"]).unwrap();
    assert_eq!((config.seed, config.training.train.steps), (3, 100));
    assert_eq!(
        (config.sample.guidance, config.training.optimizer.lr),
        (2.5, 3e-4)
    );
    assert_eq!(parse(&config.to_toml(), &[]).unwrap(), config);
}

#[test]
fn every_recipe_of_the_repository_reads() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let config = parse(&text, &[]).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(
            Some(config.name.as_str()),
            path.file_stem().and_then(|s| s.to_str())
        );
        count += 1;
    }
    assert!(count >= 9, "only {count} recipes found");
}

#[test]
fn unknown_keys_are_named_with_their_line_and_a_suggestion() {
    refused(
        &GOOD.replace("steps", "stepz"),
        &[],
        &["recipe.toml:14", "train.stepz", "did you mean `steps`"],
    );
    refused(
        &GOOD.replace("[train]", "[trian]"),
        &[],
        &["recipe.toml:13", "trian", "did you mean `train`"],
    );
    refused(
        &GOOD.replace("hidden", "hiden"),
        &[],
        &["network.hiden", "did you mean `hidden`"],
    );
    refused(
        GOOD,
        &["optimizer.leraning=1"],
        &["optimizer.leraning", "known are"],
    );
    refused(
        &GOOD.replace("\"mlp\"", "\"mpl\""),
        &[],
        &["recipe.toml:10", "network.kind", "did you mean `mlp`"],
    );
    refused(
        GOOD,
        &["data.radios=2.0"],
        &["data.radios", "did you mean `radius`"],
    );
}

#[test]
fn wrong_types_and_senseless_values_are_named() {
    refused(
        &GOOD.replace("100", "\"many\""),
        &[],
        &["recipe.toml:14", "train.steps", "many"],
    );
    refused(GOOD, &["train.steps=0"], &["train.steps", "at least 1"]);
    refused(GOOD, &["train.batch=-4"], &["train.batch", "-4"]);
    refused(GOOD, &["optimizer.lr=nan"], &["optimizer.lr"]);
    refused(GOOD, &["optimizer.lr=-1.0"], &["optimizer.lr"]);
    refused(
        GOOD,
        &["path.scheduler=condott"],
        &["path.scheduler", "condot"],
    );
    refused(
        GOOD,
        &["objective.prediction=speed"],
        &["objective.prediction", "velocity"],
    );
    refused(
        GOOD,
        &["network.hidden=[]"],
        &["network.hidden", "at least one"],
    );
    refused(
        GOOD,
        &["network.hidden=[9999999999]"],
        &["network.hidden", "16384"],
    );
    refused(GOOD, &["name=../up"], &["name"]);
    refused(GOOD, &["sample.sampler=huen"], &["sample.sampler", "heun"]);
    refused(GOOD, &["train"], &["--set train", "section.key=value"]);
    refused(GOOD, &["train.steps.x=1"], &["steps"]);
    refused(GOOD, &["ema.decay=1.0"], &["ema.decay"]);
    refused(
        GOOD,
        &["sample.guidance=2.0", "objective.label_drop=0.0"],
        &["sample.guidance", "label_drop"],
    );
}

#[test]
fn missing_parts_and_broken_toml_are_named() {
    refused("seed = 1", &[], &["name is missing"]);
    refused("name = \"a\"", &[], &["[data] is missing"]);
    refused(
        &GOOD.replace("name = \"moons\"\n\n[network]", "[network]"),
        &[],
        &["data.name", "missing"],
    );
    refused(
        &GOOD.replace("seed = 3", "seed = "),
        &[],
        &["recipe.toml", "line 3"],
    );
    refused(&GOOD.replace("seed = 3", "seed = -3"), &[], &["seed", "-3"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Nothing that can be typed makes the reader panic.
    #[test]
    fn no_text_panics(cut in 0..GOOD.len(), put in "\\PC{0,12}", key in "[a-z.]{0,20}", value in "\\PC{0,12}") {
        if GOOD.is_char_boundary(cut) {
            let text = format!("{}{put}{}", &GOOD[..cut], &GOOD[cut..]);
            let _ = parse(&text, &[]);
        }
        let _ = parse(GOOD, &[&format!("{key}={value}")]);
    }
}
