//! Laws of the rules of guidance, on exact models of Gaussian mixtures and on numbers worked by hand.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::{DType, Device, Tensor, TensorData};
use fokker_core::{
    Autoguided, ClassifierGuided, Denoiser, Estimate, Guidance, GuidanceError, Guided, Noise,
    Oracle, Pair, Progress, RowNoise, Rule, State, sample, sampler,
};
use fokker_math::diffusion::Diffusion;
use fokker_math::grid::uniform;
use fokker_math::mixture::GaussianMixture;
use fokker_math::prediction::{PREDICTIONS, Prediction};
use fokker_math::scheduler::{CondOt, Cosine, SCHEDULERS, Scheduler};
use fokker_sim::rng::Purpose;

fn state(values: &[f64], rows: usize) -> State {
    let data = TensorData::new(values.to_vec(), [rows, values.len() / rows]);
    Tensor::from_data(data, (&Device::flex(), DType::F64))
}

fn numbers(x: State) -> Vec<f64> {
    x.into_data().convert::<f64>().try_to_vec().unwrap()
}

/// Noise in f64.
struct Exactly(RowNoise);

impl Noise for Exactly {
    fn normal(&mut self, rows: usize, dim: usize) -> State {
        self.0.normal(rows, dim).cast(DType::F64)
    }
}

fn close(got: &[f64], want: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (got, want) in got.iter().zip(want) {
        let error = (got - want).abs();
        assert!(
            error <= tolerance * (1.0 + want.abs()),
            "{what}: {got}, expected {want}"
        );
    }
}

/// Always the same estimate.
struct Says(Vec<f64>, Prediction);

impl Denoiser for Says {
    fn scheduler(&self) -> &dyn Scheduler {
        &CondOt
    }

    fn predict(&self, x: State, _: f64) -> Estimate {
        Estimate::of(state(&self.0, x.dims()[0]), self.1)
    }
}

/// A model that answers as another kind of prediction, and counts.
struct As<'a>(&'a dyn Denoiser, Prediction, Cell<usize>);

impl Denoiser for As<'_> {
    fn scheduler(&self) -> &dyn Scheduler {
        self.0.scheduler()
    }

    fn predict(&self, x: State, t: f64) -> Estimate {
        self.2.set(self.2.get() + 1);
        let c = self.scheduler().at(t);
        let value = self.0.predict(x.clone(), t).convert(self.1, &x, &c);
        Estimate::of(value.expect("inside (0, 1)"), self.1)
    }
}

fn as_kind(model: &dyn Denoiser, kind: Prediction) -> As<'_> {
    As(model, kind, Cell::new(0))
}

fn mixture() -> GaussianMixture {
    let means = [-2.0, 0.0, 2.0, 0.5, 0.0, -1.5];
    GaussianMixture::new(2, &[1.0, 2.0, 1.0], &means, &[0.4, 0.6, 0.3])
        .and_then(|mixture| mixture.with_labels(&[0, 1, 1]))
        .unwrap()
}

fn oracles(scheduler: &Arc<dyn Scheduler>) -> Pair<Oracle, Oracle> {
    let all = mixture();
    Pair {
        given: Oracle::new(all.given(1).unwrap(), scheduler.clone()),
        null: Oracle::new(all, scheduler.clone()),
    }
}

const POINTS: [f64; 6] = [0.3, -1.1, 1.4, 0.2, -0.7, 0.9];

/// The guided velocity is the oracle's, on every scheduler, with weights of the rows' own.
#[test]
fn the_guided_field_is_the_oracles() {
    let weights = vec![2.5, 0.3, -1.0];
    for spec in SCHEDULERS {
        let scheduler: Arc<dyn Scheduler> = (spec.make)().into();
        for t in [0.1, 0.45, 0.8] {
            let guidance = Guidance {
                weights: weights.clone(),
                ..Guidance::default()
            };
            let model = Guided::new(oracles(&scheduler), &guidance, 0..3);
            let got = numbers(model.velocity(state(&POINTS, 3), t).unwrap());
            for ((x, got), &w) in POINTS.chunks(2).zip(got.chunks(2)).zip(&weights) {
                let mut want = [0.0; 2];
                let exact = mixture().guided(1, w).unwrap();
                exact.at(&*scheduler, t).velocity(x, &mut want);
                close(got, &want, 1e-9, spec.name);
            }
        }
    }
}

fn guided(rule: Rule, w: f64, given: &[f64], null: &[f64], kind: Prediction) -> Estimate {
    let pair = Pair {
        given: Says(given.to_vec(), kind),
        null: Says(null.to_vec(), kind),
    };
    let guidance = Guidance { rule, ..w.into() };
    Guided::new(pair, &guidance, 0..1).predict(state(&[0.0, 0.0], 1), 0.5)
}

/// c = (1, 3), n = (0, 1), w = 3: g = (3, 7), std(c)/std(g) = ½, so that φ = 0.7 gives the factor 0.65.
#[test]
fn rescaling_by_hand() {
    let got = |phi| {
        let rule = Rule::Rescale { phi };
        numbers(guided(rule, 3.0, &[1.0, 3.0], &[0.0, 1.0], Prediction::Velocity).value)
    };
    close(&got(0.7), &[1.95, 4.55], 1e-14, "phi 0.7");
    close(&got(1.0), &[1.5, 3.5], 1e-14, "phi 1");
    close(&got(0.0), &[3.0, 7.0], 1e-14, "phi 0");
}

/// A sample is rescaled by its own spread, and stays finite without one.
#[test]
fn rescaling_is_per_sample() {
    let pair = Pair {
        given: Says(vec![1.0, 3.0, 2.0, 2.0], Prediction::Data),
        null: Says(vec![0.0, 1.0, 1.0, 1.0], Prediction::Data),
    };
    let guidance = Guidance {
        rule: Rule::Rescale { phi: 1.0 },
        ..3.0.into()
    };
    let got = Guided::new(pair, &guidance, 0..2).predict(state(&[0.0; 4], 2), 0.5);
    close(&numbers(got.value), &[1.5, 3.5, 4.0, 4.0], 1e-14, "rows");
}

/// Δ = (3, 4) along c = (2, 0) is (3, 0); w = 2 adds it once.
#[test]
fn the_perpendicular_rule_by_hand() {
    let got = |eta, norm| {
        let rule = Rule::Perpendicular {
            eta,
            norm,
            momentum: 0.0,
        };
        numbers(guided(rule, 2.0, &[2.0, 0.0], &[-1.0, -4.0], Prediction::Data).value)
    };
    close(
        &got(0.0, f64::INFINITY),
        &[2.0, 4.0],
        1e-14,
        "perpendicular only",
    );
    close(
        &got(0.5, f64::INFINITY),
        &[3.5, 4.0],
        1e-14,
        "half of the parallel",
    );
    close(&got(1.0, f64::INFINITY), &[5.0, 4.0], 1e-14, "all");
    close(&got(1.0, 1.0), &[2.6, 0.8], 1e-14, "norm 1");
    close(&got(1.0, 7.0), &[5.0, 4.0], 1e-14, "shorter than the norm");
}

/// The momentum gathers along the walk and is forgotten when time goes back.
#[test]
fn momentum_belongs_to_one_walk() {
    let pair = Pair {
        given: Says(vec![2.0, 0.0], Prediction::Data),
        null: Says(vec![1.0, -1.0], Prediction::Data),
    };
    let rule = Rule::Perpendicular {
        eta: 1.0,
        norm: f64::INFINITY,
        momentum: -0.5,
    };
    let guidance = Guidance { rule, ..2.0.into() };
    let model = Guided::new(pair, &guidance, 0..1);
    let ask = |t| numbers(model.predict(state(&[0.0, 0.0], 1), t).value);
    // Δ = (1, 1), then 1 − ½, then 1 − ½·½.
    for _ in 0..2 {
        close(&ask(0.1), &[3.0, 1.0], 1e-14, "first");
        close(&ask(0.2), &[2.5, 0.5], 1e-14, "second");
        close(&ask(0.3), &[2.75, 0.75], 1e-14, "third");
    }
}

/// With η = 1 and nothing else it is the linear rule; otherwise what it leaves out is along the data.
#[test]
fn the_perpendicular_rule_on_the_oracle() {
    let scheduler: Arc<dyn Scheduler> = Arc::new(Cosine);
    let with = |rule| Guided::new(oracles(&scheduler), &Guidance { rule, ..3.0.into() }, 0..3);
    let rule = |eta| Rule::Perpendicular {
        eta,
        norm: f64::INFINITY,
        momentum: 0.0,
    };
    for t in [0.2, 0.5, 0.8] {
        let c = scheduler.at(t);
        let x = || state(&POINTS, 3);
        let data = |model: &dyn Denoiser| {
            let estimate = model.predict(x(), t);
            numbers(estimate.convert(Prediction::Data, &x(), &c).unwrap())
        };
        close(
            &data(&with(rule(1.0))),
            &data(&with(Rule::Linear)),
            1e-12,
            "eta 1",
        );
        let (z, without) = (data(&with(rule(0.0))), data(&oracles(&scheduler).given));
        for (guided, given) in z.chunks(2).zip(without.chunks(2)) {
            let along = (guided[0] - given[0]) * given[0] + (guided[1] - given[1]) * given[1];
            assert!(along.abs() < 1e-12, "{along}");
        }
    }
}

/// CFG++: data of the combination, noise of ∅, for every kind of prediction.
#[test]
fn plus_plus_takes_the_noise_from_the_empty_class() {
    let scheduler: Arc<dyn Scheduler> = Arc::new(Cosine);
    let (t, x) = (0.6, || state(&POINTS, 3));
    let c = scheduler.at(t);
    let Pair { given, null } = oracles(&scheduler);
    let kind = |model: &Oracle, kind| {
        let estimate = model.predict(x(), t);
        numbers(estimate.convert(kind, &x(), &c).unwrap())
    };
    for &prediction in PREDICTIONS {
        for w in [0.4, 1.0] {
            let pair = Pair {
                given: as_kind(&given, prediction),
                null: as_kind(&null, prediction),
            };
            let guidance = Guidance {
                rule: Rule::PlusPlus,
                ..w.into()
            };
            let got = Guided::new(pair, &guidance, 0..3).predict(x(), t);
            let (z, empty) = (
                kind(&given, Prediction::Data),
                kind(&null, Prediction::Data),
            );
            let want: Vec<f64> = z
                .iter()
                .zip(empty)
                .map(|(z, n)| w * z + (1.0 - w) * n)
                .collect();
            assert_eq!(got.prediction, Prediction::Data);
            close(&numbers(got.value), &want, 1e-10, "data");
            let (noise, scale) = got.noise.unwrap();
            assert_eq!(scale, c.beta);
            close(
                &numbers(noise),
                &kind(&null, Prediction::Noise),
                1e-10,
                "noise",
            );
        }
    }
}

/// One call where one is enough, and then the model's own bits.
#[test]
fn weights_one_and_zero_are_the_models_themselves() {
    let scheduler: Arc<dyn Scheduler> = Arc::new(CondOt);
    let Pair { given, null } = oracles(&scheduler);
    for (rule, w) in [
        (Rule::Linear, 1.0),
        (Rule::Linear, 0.0),
        (Rule::Rescale { phi: 0.7 }, 1.0),
        (Rule::PlusPlus, 0.0),
    ] {
        let pair = Pair {
            given: as_kind(&given, Prediction::Velocity),
            null: as_kind(&null, Prediction::Velocity),
        };
        let expected = if w == 1.0 { &pair.given } else { &pair.null };
        let want = numbers(expected.predict(state(&POINTS, 3), 0.3).value);
        let guidance = Guidance { rule, ..w.into() };
        let model = Guided::new(pair, &guidance, 0..3);
        assert_eq!(
            numbers(model.predict(state(&POINTS, 3), 0.3).value),
            want,
            "{rule:?}"
        );
    }
    let counted = As(&given, Prediction::Velocity, Cell::new(0));
    let pair = Pair {
        given: as_kind(&counted, Prediction::Velocity),
        null: as_kind(&null, Prediction::Velocity),
    };
    Guided::new(pair, &0.0.into(), 0..3).predict(state(&POINTS, 3), 0.3);
    assert_eq!(
        counted.2.get(),
        0,
        "w = 0 asks only the unconditional model"
    );
}

/// Autoguidance of a model with itself is the model; of two, also where they predict different things.
#[test]
fn autoguidance() {
    let scheduler: Arc<dyn Scheduler> = Arc::new(Cosine);
    let Pair { given, null } = oracles(&scheduler);
    let x = || state(&POINTS, 3);
    for t in [0.2, 0.7] {
        let same = Autoguided::autoguided(given.clone(), given.clone(), &2.5.into(), 0..3);
        let want = numbers(given.velocity(x(), t).unwrap());
        close(
            &numbers(same.velocity(x(), t).unwrap()),
            &want,
            1e-12,
            "itself",
        );
        let worse = numbers(null.velocity(x(), t).unwrap());
        let want: Vec<f64> = want
            .iter()
            .zip(worse)
            .map(|(g, n)| 2.5 * g - 1.5 * n)
            .collect();
        for &kind in PREDICTIONS {
            let model = as_kind(&given, Prediction::V);
            let bad = as_kind(&null, kind);
            let auto = Autoguided::autoguided(model, bad, &2.5.into(), 0..3);
            close(
                &numbers(auto.velocity(x(), t).unwrap()),
                &want,
                1e-9,
                "another",
            );
        }
    }
}

/// ∇log p(y|x_t) of the exact classifier p_t(x|y)/p_t(x) leads from the unconditional model to the guided
/// one: classifier guidance is classifier-free guidance, for every kind of prediction.
#[test]
fn classifier_guidance_is_classifier_free_guidance() {
    for spec in SCHEDULERS {
        let scheduler: Arc<dyn Scheduler> = (spec.make)().into();
        let Pair { given, null } = oracles(&scheduler);
        let gradient = |x: &State, t: f64| {
            given.score(x.clone(), t).unwrap() - null.score(x.clone(), t).unwrap()
        };
        for t in [0.15, 0.6] {
            let free = Guided::new(oracles(&scheduler), &2.5.into(), 0..3);
            let want = numbers(free.velocity(state(&POINTS, 3), t).unwrap());
            let score = numbers(free.score(state(&POINTS, 3), t).unwrap());
            for &kind in PREDICTIONS {
                let model = as_kind(&null, kind);
                let by_classifier = ClassifierGuided::new(model, gradient, 2.5);
                let got = by_classifier.velocity(state(&POINTS, 3), t).unwrap();
                close(&numbers(got), &want, 1e-8, spec.name);
                let got = by_classifier.score(state(&POINTS, 3), t).unwrap();
                close(&numbers(got), &score, 1e-8, spec.name);
            }
        }
        // At α = 0 the noise is what is finite; without a gradient the model is itself.
        let at_start = ClassifierGuided::new(null.clone(), |x, _| x.ones_like(), 1.0);
        let start = numbers(at_start.predict(state(&POINTS, 3), 0.0).value);
        assert!(start.iter().all(|v| v.is_finite()), "{}", spec.name);
    }
}

/// Every rule walks from noise to finite data with every sampler, also from a prediction of noise, which is
/// singular at the start.
#[test]
fn every_rule_can_be_sampled() {
    let scheduler: Arc<dyn Scheduler> = Arc::new(CondOt);
    let rules = [
        Rule::Linear,
        Rule::Rescale { phi: 0.7 },
        Rule::Perpendicular {
            eta: 0.0,
            norm: 2.0,
            momentum: -0.5,
        },
        Rule::PlusPlus,
    ];
    struct NoiseOnly(Oracle);
    impl Denoiser for NoiseOnly {
        fn scheduler(&self) -> &dyn Scheduler {
            self.0.scheduler()
        }
        fn predict(&self, x: State, t: f64) -> Estimate {
            let c = self.scheduler().at(t.min(1.0 - 1e-9));
            let data = self.0.predict(x.clone(), t.min(1.0 - 1e-9));
            Estimate::of(
                data.convert(Prediction::Noise, &x, &c).unwrap(),
                Prediction::Noise,
            )
        }
    }
    for rule in rules {
        for name in ["heun", "euler-maruyama"] {
            let Pair { given, null } = oracles(&scheduler);
            let pair = Pair {
                given: NoiseOnly(given),
                null: NoiseOnly(null),
            };
            let guidance = Guidance {
                weights: vec![0.5, 1.0],
                interval: Some((0.0, 0.9)),
                rule,
                negative: None,
            };
            let walked = sample(
                &Guided::new(pair, &guidance, 0..3),
                &mut *sampler(name).unwrap().start(Diffusion::default()),
                state(&POINTS, 3),
                &uniform(20),
                &mut Exactly(RowNoise::new(1, Purpose::Solver, 0, &Device::flex())),
                &mut |_: Progress| ControlFlow::Continue(()),
            );
            let values = numbers(walked.unwrap());
            assert!(
                values.iter().all(|v| v.abs() < 10.0),
                "{rule:?}, {name}: {values:?}"
            );
        }
    }
}

#[test]
fn what_means_nothing_is_refused() {
    let of = |weights: &[f64], interval, rule| Guidance {
        weights: weights.to_vec(),
        interval,
        rule,
        negative: None,
    };
    let refused = |guidance: Guidance| guidance.check(3).unwrap_err().to_string();
    assert!(refused(of(&[], None, Rule::Linear)).contains("at least one weight"));
    assert!(refused(of(&[1.0, f64::NAN], None, Rule::Linear)).contains("of sample 1"));
    for interval in [(0.5, 0.2), (-0.1, 0.5), (0.5, 1.5), (f64::NAN, 1.0)] {
        assert!(refused(of(&[2.0], Some(interval), Rule::Linear)).contains("interval"));
    }
    assert!(refused(of(&[2.0], None, Rule::Rescale { phi: 2.0 })).contains("phi = 2"));
    let apg = |eta, norm, momentum| Rule::Perpendicular {
        eta,
        norm,
        momentum,
    };
    assert!(refused(of(&[2.0], None, apg(0.0, 0.0, 0.0))).contains("norm = 0"));
    assert!(refused(of(&[2.0], None, apg(0.0, 1.0, -1.0))).contains("momentum = -1"));
    assert!(refused(of(&[0.5, 7.5], None, Rule::PlusPlus)).contains("CFG++ = 7.5"));
    let away = Guidance {
        negative: Some(4),
        ..2.0.into()
    };
    assert_eq!(
        away.check(3),
        Err(GuidanceError::Negative {
            class: 4,
            classes: 3
        })
    );
    assert!(
        of(&[2.0], Some((0.1, 0.8)), apg(0.0, f64::INFINITY, -0.5))
            .check(3)
            .is_ok()
    );
}
