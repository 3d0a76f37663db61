//! Laws of what is trained: floors of the losses for every prediction, couplings, sources, rectified pairs.

use std::sync::Arc;

use burn::tensor::Device;
use fokker_core::Draw;
use fokker_math::mixture::GaussianMixture;
use fokker_math::prediction::Prediction;
use fokker_math::scheduler::{CondOt, Scheduler};
use fokker_math::transport::wasserstein2;
use fokker_train::{Config, FlowTask, RunFolder, RunInfo, Trainer, flow_trainer};

fn config(set: &[&str]) -> Config {
    let recipe = "name = \"t\"\n[data]\nkind = \"toy\"\nname = \"ring\"\nmodes = 3\nradius = 1.0\nstd = 0.4\n\
                  [network]\nkind = \"mlp\"\nhidden = [48, 48]\ntime_features = 0\n[objective]\nclasses = false\n\
                  [train]\nsteps = 30\nbatch = 256\n";
    let set: Vec<String> = set.iter().map(|s| (*s).to_owned()).collect();
    Config::parse(recipe, "recipe", &set).unwrap()
}

fn trainer(config: &Config) -> Trainer<fokker_train::AnyNetwork, FlowTask> {
    let data = config.data.load(config.seed).unwrap();
    flow_trainer(config, data, &Device::flex()).unwrap()
}

/// The mean loss of the last third of `steps` steps.
fn trained_loss(config: &Config, steps: u64) -> f64 {
    let mut trainer = trainer(config);
    let losses: Vec<f64> = (0..steps).map(|_| trainer.step().unwrap().loss).collect();
    let last = &losses[2 * losses.len() / 3..];
    last.iter().sum::<f64>() / last.len() as f64
}

/// Every prediction's loss comes down to the mean conditional variance of its target, computed in closed
/// form, and not below.
#[test]
fn every_prediction_reaches_its_floor() {
    let mixture = GaussianMixture::ring(3, 1.0, 0.4).unwrap();
    for (name, prediction, end) in [
        ("velocity", Prediction::Velocity, 1.0),
        ("data", Prediction::Data, 1.0),
        ("noise", Prediction::Noise, 1.0),
        ("v", Prediction::V, 1.0),
        ("score", Prediction::Score, 0.5),
    ] {
        let set = [
            format!("objective.prediction={name}"),
            format!("objective.t_eps={}", 1.0 - end),
            "optimizer.lr=0.005".into(),
            "train.steps=2000".into(),
            "network.hidden=[64,64]".into(),
        ];
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        let found = trained_loss(&config(&set), 2000);
        // The trainer's loss is the mean over the two coordinates.
        let floor = 0.5 * mixture.loss_floor(&CondOt, prediction, end, 60, 60);
        assert!(
            found > 0.97 * floor && found < 1.06 * floor,
            "{name}: {found}, floor {floor}"
        );
    }
}

/// Whatever is predicted and however its error is weighed (as long as no time is without weight), the
/// samples have the data's law.
#[test]
fn weights_do_not_move_the_minimum() {
    for (name, weight) in [
        ("v", "edm"),
        ("velocity", "edm"),
        ("edm", "uniform"),
        ("edm", "edm"),
    ] {
        let set = [
            format!("objective.prediction={name}"),
            format!("objective.weight={weight}"),
            "objective.t_eps=0.1".into(),
            "optimizer.lr=0.005".into(),
            "train.steps=900".into(),
        ];
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        let config = config(&set);
        let mut trainer = trainer(&config);
        for _ in 0..900 {
            trainer.step().unwrap();
        }
        let draw = Draw {
            count: 2000,
            ..Draw::default()
        };
        let samples = trainer.flow().sample(&draw).unwrap();
        // The data: mean 0 and variance ½ + 0.16 in each coordinate.
        for axis in 0..2 {
            let values: Vec<f64> = samples.chunks(2).map(|p| f64::from(p[axis])).collect();
            let mean = values.iter().sum::<f64>() / 2000.0;
            let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 2000.0;
            assert!(mean.abs() < 0.09, "{name}, {weight}: mean {mean}");
            assert!(
                (variance - 0.66).abs() < 0.08,
                "{name}, {weight}: variance {variance}"
            );
        }
    }
}

/// x₀ and x₁ of a batch: on CondOT the target is x₁ − x₀ and x = t x₁ + (1 − t) x₀.
fn pairs(
    trainer: &Trainer<fokker_train::AnyNetwork, FlowTask>,
    size: usize,
) -> (Vec<f64>, Vec<f64>) {
    let batch = trainer.task().examples(3, size).unwrap().examples;
    let (mut x0, mut x1) = (Vec::new(), Vec::new());
    for (i, (x, u)) in batch.x.iter().zip(&batch.target).enumerate() {
        let t = f64::from(batch.t[i / 2]);
        let (x, u) = (f64::from(*x), f64::from(*u));
        x0.push(x - t * u);
        x1.push(x + (1.0 - t) * u);
    }
    (x0, x1)
}

fn cost((x0, x1): &(Vec<f64>, Vec<f64>)) -> f64 {
    let pairs = x0.iter().zip(x1);
    pairs.map(|(a, b)| (a - b) * (a - b)).sum::<f64>() / (x0.len() / 2) as f64
}

fn close(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4)
}

fn sorted(x: &[f64]) -> Vec<f64> {
    let mut x = x.to_vec();
    x.sort_by(f64::total_cmp);
    x
}

#[test]
fn optimal_pairs_cost_the_wasserstein_distance_and_change_no_marginal() {
    let independent = pairs(&trainer(&config(&[])), 200);
    let optimal = pairs(&trainer(&config(&["coupling.kind=optimal"])), 200);
    let least = wasserstein2(&independent.0, &independent.1, 2).powi(2);
    assert!((cost(&optimal) - least).abs() < 1e-4 * least);
    assert!(cost(&independent) > 1.5 * least);
    assert!(
        close(&optimal.1, &independent.1),
        "the data keep their places"
    );
    assert!(close(&sorted(&optimal.0), &sorted(&independent.0)));
    // Soft transport lies between, and nearer with less entropy.
    let soft = |epsilon: &str| {
        let set = ["coupling.kind=entropic", epsilon];
        cost(&pairs(&trainer(&config(&set)), 200))
    };
    let (little, much) = (soft("coupling.epsilon=0.01"), soft("coupling.epsilon=10.0"));
    assert!(least < little && little < 1.4 * least, "{little}, {least}");
    assert!(much > 1.3 * little, "{much}, {little}");
    let unbalanced = cost(&pairs(
        &trainer(&config(&["coupling.kind=unbalanced"])),
        200,
    ));
    assert!(unbalanced < cost(&independent));
}

/// Within classes, the starts that came with a class stay with it.
#[test]
fn class_aware_pairs_stay_in_their_class() {
    let set = [
        "coupling.kind=optimal",
        "coupling.class_aware=true",
        "objective.classes=true",
        "objective.label_drop=0",
    ];
    let aware = trainer(&config(&set));
    let plain = trainer(&config(&set[2..]));
    let (a, p) = (pairs(&aware, 120), pairs(&plain, 120));
    let labels = aware.task().examples(3, 120).unwrap().classes.unwrap();
    assert_eq!(
        plain.task().examples(3, 120).unwrap().classes.unwrap(),
        labels
    );
    assert!(cost(&a) < cost(&p));
    for class in 0..3 {
        let of = |x: &[f64]| -> Vec<f64> {
            let rows = x.chunks(2).zip(&labels).filter(|(_, l)| **l == class);
            sorted(&rows.flat_map(|(r, _)| r.to_vec()).collect::<Vec<_>>())
        };
        assert!(close(&of(&a.0), &of(&p.0)), "class {class}");
    }
}

#[test]
fn a_source_is_where_paths_start() {
    let config = config(&[
        "source.kind=toy",
        "source.name=circles",
        "network.hidden=[64,64]",
    ]);
    assert_eq!(config.path.interpolant.as_deref(), Some("linear"));
    assert!(!config.has_score());
    let mut trainer = trainer(&config);
    let (x0, _) = pairs(&trainer, 256);
    let radius = |p: &[f64]| p[0].hypot(p[1]);
    let reach = x0.chunks(2).map(radius).fold(0.0, f64::max);
    for _ in 0..20 {
        trainer.step().unwrap();
    }
    let flow = trainer.flow();
    let draw = Draw {
        count: 64,
        ..Draw::default()
    };
    let start: Vec<f64> = flow
        .start(&draw, 0..64)
        .iter()
        .map(|x| f64::from(*x))
        .collect();
    // On two circles, like the training's starts, but other points.
    assert!(
        start
            .chunks(2)
            .all(|p| radius(p) < 1.2 * reach && radius(p) > 0.1 * reach)
    );
    assert!(!close(&start, &x0[..128]));
    assert_eq!(
        flow.start(&draw, 5..6),
        flow.start(&draw, 0..64)[10..12].to_vec()
    );
    assert!(flow.sample(&draw).unwrap().iter().all(|x| x.is_finite()));
}

/// A bridge between data sets: velocity and noise in one network give its score, so that it can be
/// sampled with noise.
#[test]
fn a_bridge_is_sampled_with_noise() {
    let set = [
        "source.kind=toy",
        "source.name=moons",
        "path.interpolant=bridge",
        "path.sigma=0.5",
        "objective.prediction=velocity-and-noise",
        "train.steps=400",
        "optimizer.lr=0.005",
    ];
    let config = config(&set);
    assert!(config.has_score());
    let mut trainer = trainer(&config);
    for _ in 0..400 {
        trainer.step().unwrap();
    }
    let draw = |name: &str| Draw {
        sampler: fokker_core::sampler(name).unwrap(),
        steps: 100,
        count: 2000,
        ..Draw::default()
    };
    for name in ["heun", "euler-maruyama"] {
        let samples = trainer.flow().sample(&draw(name)).unwrap();
        let variance = samples.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / 4000.0;
        assert!((variance - 0.66).abs() < 0.15, "{name}: {variance}");
    }
}

/// Rectified pairs are the ends of the model's own paths, and their flow is straighter.
#[test]
fn rectified_pairs_are_a_models_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("first");
    let first = config(&["train.steps=400", "optimizer.lr=0.005"]);
    let data = first.data.load(first.seed).unwrap();
    let mut teacher = trainer(&first);
    let info = RunInfo::of_flow(&teacher, &*data);
    let run = RunFolder::create(&path, first.clone(), info).unwrap();
    let go_on = &mut |_: &fokker_train::StepReport| std::ops::ControlFlow::Continue(());
    run.train(&mut teacher, go_on).unwrap();
    drop(run);

    let run = format!("coupling.run={}", path.display());
    let second = config(&[
        "coupling.kind=rectified",
        &run,
        "coupling.pairs=500",
        "seed=4",
    ]);
    let second = second.pinned().unwrap();
    assert_eq!(second.coupling.step, Some(400));
    assert!(!second.has_score());
    let student = trainer(&second);
    let (x0, x1) = pairs(&student, 250);
    let draw = Draw {
        // The seed of pairs: not that of anybody's samples.
        seed: 4 ^ (0x5041_4952_5321_u64 << 8),
        count: 500,
        ..Draw::default()
    };
    let flow = teacher.flow();
    let f64s = |x: Vec<f32>| -> Vec<f64> { x.into_iter().map(f64::from).collect() };
    let (starts, ends) = (
        f64s(flow.start(&draw, 0..500)),
        f64s(flow.sample(&draw).unwrap()),
    );
    for (a, b) in x0.chunks(2).zip(x1.chunks(2)) {
        let found = starts.chunks(2).position(|s| close(s, a));
        let i = found.expect("every start is one of the model's");
        assert!(close(&ends[2 * i..2 * i + 2], b), "pair {i}");
    }
    // Another step than the one written down is refused.
    let mut wrong = second;
    wrong.coupling.step = Some(399);
    let data = wrong.data.load(0).unwrap();
    let error = flow_trainer(&wrong, data, &Device::flex()).err().unwrap();
    assert!(error.to_string().contains("now at step 400"), "{error}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let refuse = |set: &[&str]| {
        let recipe =
            "name = \"t\"\n[data]\nkind = \"toy\"\nname = \"moons\"\n[network]\nkind = \"mlp\"\n";
        let set: Vec<String> = set.iter().map(|s| (*s).to_owned()).collect();
        Config::parse(recipe, "recipe", &set)
            .unwrap_err()
            .to_string()
    };
    for (set, words) in [
        (&["path.scheduler=condt"][..], "known are condot"),
        (&["path.n=3"], "condot takes no parameter"),
        (&["path.scheduler=polynomial", "path.n=0"], "at least 1"),
        (
            &["path.scheduler=vp", "path.beta_max=0.01"],
            "beta_min <= beta_max",
        ),
        (&["path.interpolant=linear"], "add a [source]"),
        (
            &[
                "source.kind=toy",
                "source.name=circles",
                "path.scheduler=vp",
            ],
            "has an interpolant",
        ),
        (
            &[
                "source.kind=toy",
                "source.name=circles",
                "path.interpolant=linar",
            ],
            "known are linear",
        ),
        (&["path.scheduler=formula"], "needs path.alpha"),
        (
            &["path.scheduler=formula", "path.alpha=t^", "path.beta=1-t"],
            "path.alpha",
        ),
        (
            &["objective.prediction=score"],
            "set objective.t_eps above 0",
        ),
        (&["objective.prediction=velocty"], "did you mean `velocity`"),
        (
            &["objective.weight=min-snr", "objective.weight_parameter=-1"],
            "weight_parameter",
        ),
        (&["objective.weight_parameter=1.0"], "has no parameter"),
        (
            &["objective.time=beta", "objective.time_parameters=[1,2,3,4]"],
            "has 3 parameters",
        ),
        (
            &[
                "objective.time=logit-normal",
                "objective.time_parameters=[0,-1]",
            ],
            "time_parameters",
        ),
        (&["objective.sigma_data=2.0"], "only prediction = \"edm\""),
        (
            &[
                "source.kind=toy",
                "source.name=circles",
                "objective.weight=snr",
            ],
            "no signal-to-noise ratio",
        ),
        (
            &[
                "source.kind=toy",
                "source.name=circles",
                "path.interpolant=bridge",
                "objective.prediction=data",
            ],
            "noise of its own",
        ),
        (
            &[
                "source.kind=toy",
                "source.name=circles",
                "objective.prediction=velocity-and-noise",
            ],
            "no noise to learn",
        ),
        (&["coupling.epsilon=0.1"], "only kind = \"entropic\""),
        (
            &["coupling.kind=entropic", "coupling.epsilon=0"],
            "coupling.epsilon",
        ),
        (&["coupling.kind=rectified"], "coupling.run"),
        (&["coupling.kind=optmal"], "did you mean `optimal`"),
    ] {
        let error = refuse(set);
        assert!(error.contains(words), "{set:?}: {error}");
    }
    let other = config(&[
        "source.kind=toy",
        "source.name=swiss-roll",
        "coupling.kind=optimal",
        "coupling.class_aware=true",
    ]);
    let data = other.data.load(0).unwrap();
    let error = flow_trainer(&other, data, &Device::flex()).err().unwrap();
    assert!(
        error.to_string().contains("the source has no class"),
        "{error}"
    );
}

/// What is written into a run reads back as the same recipe.
#[test]
fn resolved_recipes_read_back() {
    for set in [
        &[
            "path.scheduler=formula",
            "path.alpha=t^2",
            "path.beta=1 - alpha",
        ][..],
        &[
            "source.kind=toy",
            "source.name=circles",
            "path.interpolant=bridge",
            "path.sigma=0.3",
        ],
        &[
            "coupling.kind=unbalanced",
            "coupling.rho=0.5",
            "coupling.absolute=true",
        ],
        &[
            "objective.time=mode",
            "objective.time_parameters=[0.8]",
            "objective.weight=sigmoid",
        ],
    ] {
        let config = config(set);
        assert_eq!(
            Config::parse(&config.to_toml(), "again", &[]).unwrap(),
            config
        );
    }
    let formula = config(&[
        "path.scheduler=formula",
        "path.alpha=t^2",
        "path.beta=1 - alpha",
    ]);
    let c = formula.probability_path().scheduler().at(0.5);
    assert_eq!(
        (c.alpha, c.beta, c.d_alpha, c.d_beta),
        (0.25, 0.75, 1.0, -1.0)
    );
    let _: Arc<dyn Scheduler> = formula.probability_path().scheduler().clone();
}
