//! Searched times: better than every grid with a name on noise that the search has not seen, and what is refused.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::tensor::{DType, Device, Tensor, TensorData};
use fokker_core::{Denoiser, FoundGrid, GridSearchError, GridTrials, Oracle, Sampler, State};
use fokker_math::grid::{GRIDS, Grid};
use fokker_math::mixture::GaussianMixture;
use fokker_math::scheduler::{CondOt, Scheduler, VariancePreserving};
use fokker_sim::rng::{Purpose, normal_rows};

fn named(text: &str) -> Sampler {
    text.parse().unwrap()
}

/// Standard normal states of these samples, in f64.
fn noise(first: u64, rows: usize) -> State {
    let mut values = vec![0.0; rows * 2];
    let samples = first..first + rows as u64;
    normal_rows(5, Purpose::Init, samples, 0, 2, &mut values);
    let values: Vec<f64> = values.into_iter().map(f64::from).collect();
    Tensor::from_data(
        TensorData::new(values, [rows, 2]),
        (&Device::flex(), DType::F64),
    )
}

fn trials(text: &str, scheduler: Arc<dyn Scheduler>, first: u64) -> GridTrials<'static> {
    let ring = GaussianMixture::ring(8, 2.0, 0.3).unwrap();
    let model: Box<dyn Denoiser> = Box::new(Oracle::new(ring, scheduler));
    let watch = &mut |_, _| ControlFlow::Continue(());
    GridTrials::new(named(text), vec![(model, noise(first, 128))], 100, watch).unwrap()
}

fn search(trials: &GridTrials<'_>, steps: usize) -> FoundGrid {
    let watch = &mut |done, planned| {
        assert!(done <= planned, "{done} calls of {planned}");
        ControlFlow::Continue(())
    };
    trials.search(steps, 4, watch).unwrap()
}

#[test]
fn the_found_grid_is_better_than_every_named_one_on_other_noise() {
    let paths: [Arc<dyn Scheduler>; 2] =
        [Arc::new(CondOt), Arc::new(VariancePreserving::default())];
    for scheduler in paths {
        for text in ["ddim", "dpm++2m"] {
            let found = search(&trials(text, scheduler.clone(), 0), 6);
            assert!(Grid::given(&found.times).is_ok(), "{:?}", found.times);
            assert_eq!(found.times.len(), 7);
            assert!(!found.stopped);
            let other = trials(text, scheduler.clone(), 1000);
            let error = other.error(&found.times);
            for (name, named) in other.named(6) {
                let path = scheduler.name();
                assert!(
                    error < named,
                    "{path}, {text}: {error} beside {name}'s {named}"
                );
            }
        }
    }
}

#[test]
fn the_same_trials_give_the_same_grid() {
    let trials = trials("heun", Arc::new(CondOt), 0);
    let found = search(&trials, 4);
    assert_eq!(found, search(&trials, 4));
    assert_eq!(found.error, trials.error(&found.times));
    let names: Vec<&str> = found.named.iter().map(|n| n.0).collect();
    assert_eq!(names, GRIDS.iter().map(|g| g.name).collect::<Vec<_>>());
    assert_eq!(found.named, trials.named(4));
    let best = found
        .named
        .iter()
        .map(|n| n.1)
        .fold(f64::INFINITY, f64::min);
    assert!(found.error < best);
}

#[test]
fn a_watch_that_breaks_off_keeps_the_best_so_far() {
    let trials = trials("ddim", Arc::new(CondOt), 0);
    let whole = search(&trials, 5);
    let stop_after = |calls: usize| {
        trials.search(5, 4, &mut |done, _| match done < calls {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        })
    };
    // Before the first grid is judged there is nothing to keep.
    assert_eq!(stop_after(3), Err(GridSearchError::Stopped));
    let grids = GRIDS.len() * 5;
    let early = stop_after(grids + 1).unwrap();
    assert!(early.stopped && early.sweeps == 0);
    assert_eq!(early.named, whole.named);
    let best = whole
        .named
        .iter()
        .map(|n| n.1)
        .fold(f64::INFINITY, f64::min);
    assert_eq!(early.error, best);
    let later = stop_after(grids + 60).unwrap();
    assert!(later.stopped && later.error < best && later.error >= whole.error);
    assert_eq!(later.error, trials.error(&later.times));
}

#[test]
fn what_cannot_be_searched_is_refused() {
    let new = |text: &str, batches| {
        let watch = &mut |_, _| ControlFlow::Continue(());
        GridTrials::new(named(text), batches, 10, watch)
            .err()
            .unwrap()
    };
    for text in ["ddim:0.5", "ddpm", "euler-maruyama", "dpm++2m-sde"] {
        assert_eq!(new(text, vec![]), GridSearchError::Stochastic(named(text)));
    }
    assert_eq!(
        new("dopri5", vec![]),
        GridSearchError::Adaptive(named("dopri5"))
    );
    assert_eq!(
        new("restart", vec![]),
        GridSearchError::Restart(named("restart"))
    );
    assert_eq!(new("ddim", vec![]), GridSearchError::Empty);
    let trials = trials("ddim", Arc::new(CondOt), 0);
    let watch = &mut |_, _| ControlFlow::Continue(());
    assert_eq!(trials.search(1, 3, watch), Err(GridSearchError::Steps(1)));
}
