//! Networks as recipes name them: what is refused and how, and that each trains, resumes and is sampled from.

use std::ops::ControlFlow;
use std::path::Path;

use burn::tensor::Device;
use fokker_core::{Draw, sampler};
use fokker_train::{Config, RunFolder, RunInfo, flow_trainer};

const RECIPE: &str = "name = \"t\"\n[data]\nkind = \"garments\"\n[network]\nkind = \"dit\"\npatch = 7\nwidth = 16\ndepth = 2\n\
                      heads = 2\n[train]\nsteps = 5\nbatch = 4\nlog_every = 2\ncheckpoint_every = 2\n";

/// The recipe with another network, `kind` and the keys after it.
fn with(network: &str) -> String {
    let start = RECIPE.find("kind = \"dit\"").expect("the network's kind");
    let end = RECIPE.find("[train]").expect("the next section");
    format!("{}{network}\n{}", &RECIPE[..start], &RECIPE[end..])
}

const COURSE_UNET: &str = "kind = \"course-unet\"\nchannels = [4, 6]\nblocks = 1\nembedding = 4";
const COURSE_DIT: &str =
    "kind = \"dit\"\nform = \"course\"\npatch = 14\nwidth = 16\ndepth = 1\nheads = 2";

const ADM_UNET: &str = "kind = \"adm-unet\"\nchannels = [4, 8]\nblocks = 1\nattention = [1]\nhead_width = 4\ngroups = 2\n\
                        dropout = 0.2";
const MM_DIT: &str = "kind = \"mm-dit\"\npatch = 14\nwidth = 16\ndepth = 1\nheads = 2";

fn parse(text: &str, set: &[&str]) -> Result<Config, String> {
    let set: Vec<String> = set.iter().map(|s| (*s).to_owned()).collect();
    Config::parse(text, "recipe.toml", &set).map_err(|e| e.to_string())
}

#[test]
fn recipes_survive_being_written_and_read() {
    for text in [
        RECIPE.to_owned(),
        with(COURSE_UNET),
        with(COURSE_DIT),
        with(ADM_UNET),
        with(MM_DIT),
        with("kind = \"unet1d\""),
        with("kind = \"transformer1d\""),
    ] {
        let config = parse(&text, &[]).unwrap();
        assert_eq!(parse(&config.to_toml(), &[]).unwrap(), config);
    }
}

#[test]
fn senseless_networks_are_refused_with_their_key() {
    let unet = with(COURSE_UNET);
    let (adm, mm_dit) = (with(ADM_UNET), with(MM_DIT));
    let sequences = with("kind = \"unet1d\"");
    for (text, set, expected) in [
        (
            &*adm,
            "network.attention=[2]",
            &[
                "network.attention",
                "levels from 0 (the finest) to 1, got 2",
            ][..],
        ),
        (
            &adm,
            "network.head_width=3",
            &["network.head_width", "a divisor of the 8 channels", "got 3"],
        ),
        (&adm, "network.dropout=1.0", &["network.dropout", "got 1e0"]),
        (
            &adm,
            "network.resample=blok",
            &["network.resample", "did you mean `block`"],
        ),
        (
            &adm,
            "network.channels=[3, 8]",
            &["network.channels", "even width, got 3"],
        ),
        (
            &mm_dit,
            "network.heads=8",
            &["network.heads", "multiple of 4 numbers", "16/8 = 2"],
        ),
        (
            &sequences,
            "network.kernel=4",
            &["network.kernel", "an odd number, got 4"],
        ),
        (
            RECIPE,
            "network.kind=dti",
            &["network.kind", "did you mean `dit`"],
        ),
        (
            RECIPE,
            "network.kind=course-une",
            &["did you mean `course-unet`"],
        ),
        (
            RECIPE,
            "network.widht=32",
            &["network.widht", "did you mean `width`"],
        ),
        (
            RECIPE,
            "network.form=orginal",
            &["network.form", "did you mean `original`"],
        ),
        (
            RECIPE,
            "network.heads=3",
            &["network.heads", "a divisor of network.width = 16, got 3"],
        ),
        (RECIPE, "network.heads=0", &["network.heads", "got 0"]),
        (
            RECIPE,
            "network.width=18",
            &["network.width", "a multiple of 4 in this form, got 18"],
        ),
        (
            RECIPE,
            "network.patch=0",
            &["network.patch", "1 to 64, got 0"],
        ),
        (
            RECIPE,
            "network.depth=0",
            &["network.depth", "1 to 256, got 0"],
        ),
        (
            RECIPE,
            "network.mlp_ratio=0",
            &["network.mlp_ratio", "got 0"],
        ),
        (RECIPE, "network.time_scale=-1.0", &["network.time_scale"]),
        (
            &unet,
            "network.embedding=5",
            &["network.embedding", "even width, got 5"],
        ),
        (
            &unet,
            "network.channels=[]",
            &["network.channels", "at least one"],
        ),
        (
            &unet,
            "network.blocks=0",
            &["network.blocks", "1 to 32, got 0"],
        ),
        (&unet, "network.patch=2", &["network.patch", "unknown key"]),
    ] {
        let message = parse(text, &[set]).expect_err(set);
        for part in expected {
            assert!(message.contains(part), "expected {part:?} in {message:?}");
        }
    }
}

#[test]
fn networks_that_do_not_fit_the_data_are_refused() {
    let refused = |text: &str, set: &[&str], expected: &str| {
        let config = parse(text, set).unwrap();
        let data = config.data.load(0).unwrap();
        let Err(error) = flow_trainer(&config, data, &Device::flex()) else {
            panic!("{expected}: must be refused");
        };
        let message = error.to_string();
        assert!(message.contains(expected), "{message}");
    };
    refused(
        RECIPE,
        &["network.patch=8"],
        "multiples of 8, but the data is 1×28×28",
    );
    let deep = with(COURSE_UNET);
    refused(
        &deep,
        &["network.channels=[4,4,4,4]"],
        "multiples of 8, but the data is 1×28×28",
    );
    refused(
        &with(ADM_UNET),
        &["network.channels=[4,4,4,4]"],
        "multiples of 8, but the data is 1×28×28",
    );
    refused(
        &with(MM_DIT),
        &["network.text=384", "objective.classes=false"],
        "it reads texts (network.text)",
    );
    refused(
        &with("kind = \"unet1d\""),
        &[],
        "needs sequences, images of height 1, but the data is 1×28×28",
    );
    let toy = "name = \"t\"\n[data]\nkind = \"toy\"\nname = \"moons\"\n[network]\nkind = \"dit\"\n";
    refused(toy, &[], "a DiT needs images, but the data is vectors of 2");
}

/// Trains into `path`; with `stop`, breaks off there and goes on as a fresh process would.
fn train(path: &Path, config: &Config, stop: Option<u64>) -> RunFolder {
    let data = config.data.load(config.seed).unwrap();
    let mut trainer = flow_trainer(config, data.clone(), &Device::flex()).unwrap();
    let info = RunInfo::of_flow(&trainer, &*data);
    let run = RunFolder::create(path, config.clone(), info).unwrap();
    run.train(&mut trainer, &mut |r| match stop {
        Some(s) if r.step == s => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
    .unwrap();
    if stop.is_none() {
        return run;
    }
    drop(run);
    let mut run = RunFolder::open(path).unwrap();
    let fresh = flow_trainer(run.config(), data, &Device::flex()).unwrap();
    let autodiff = fresh.device().clone();
    let mut trainer = run.resume(fresh, &autodiff).unwrap();
    let go_on = &mut |_: &fokker_train::StepReport| ControlFlow::Continue(());
    run.train(&mut trainer, go_on).unwrap();
    run
}

/// Weights, moving average and running statistics are all in the checkpoint: what is broken off goes on with the same bits,
/// and the samples are those of any batch.
#[test]
fn networks_train_resume_and_sample() {
    // Norms of 4, then two of 4, of 6 and of 4 channels, with a mean and a variance each.
    for (text, statistics) in [
        (RECIPE.to_owned(), 0),
        (with(COURSE_DIT), 0),
        (with(ADM_UNET), 0),
        (with(MM_DIT), 0),
        (with(COURSE_UNET), 2 * (4 + 2 * (4 + 6 + 4))),
    ] {
        let config = parse(&text, &[]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let whole = train(&folder.path().join("whole"), &config, None);
        let parts = train(&folder.path().join("parts"), &config, Some(3));
        let read = |run: &RunFolder, file: &str| {
            std::fs::read(run.latest().unwrap().path.join(file)).unwrap()
        };
        for file in ["model.safetensors", "ema.safetensors"] {
            assert!(
                read(&whole, file) == read(&parts, file),
                "{text}: {file} differs"
            );
        }
        let (flow, _) = whole.flow(&Device::flex()).unwrap();
        let stored = burn::module::Module::num_params(&flow.network);
        // What is stored beside the parameters are the running statistics.
        assert_eq!(stored - whole.info().parameters, statistics);
        let names = String::from_utf8_lossy(&read(&whole, "ema.safetensors")).into_owned();
        assert_eq!(names.contains("stem_norm.running_var"), statistics > 0);
        let draw = |count| Draw {
            sampler: sampler("euler").expect("a sampler"),
            steps: 2,
            count,
            ..Draw::default()
        };
        let sample = |count| flow.sample(&draw(count)).unwrap();
        let (one, five) = (sample(1), sample(5));
        assert!(
            one[..] == five[..784],
            "{text}: a sample depends on how many are drawn"
        );
    }
}
