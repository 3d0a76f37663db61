//! The third lab: its exact section, its interruption, and that it goes on with what was trained.

use std::ops::ControlFlow;
use std::path::Path;

use burn::tensor::Device;
use fokker_course::three::{Edition, LabError, LabThree};
use fokker_train::RunFolder;

fn lab(folder: &Path, seed: u64) -> LabThree {
    LabThree {
        edition: Edition::First,
        seed,
        scale: 1e-3,
        digits: None,
        folder: folder.into(),
        device: Device::flex(),
    }
}

/// Runs until the share of section `section` is above `share`.
fn until(lab: &LabThree, section: usize, share: f64) -> (LabError, Vec<f64>) {
    let mut seen = Vec::new();
    let stopped = lab.run(&mut |step| {
        seen.push(step.whole);
        match step.section == section && step.share > share {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    (stopped.expect_err("it was stopped"), seen)
}

#[test]
fn it_goes_on_where_it_was_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let judge = folder.path().join("judge");
    let (error, seen) = until(&lab(folder.path(), 1), 2, 0.3);
    assert!(
        matches!(error, LabError::Stopped { section: 2, .. }),
        "{error}"
    );
    assert!(seen.windows(2).all(|w| w[0] <= w[1]), "progress goes on");
    let at = |folder: &Path| RunFolder::open(folder).unwrap().latest().unwrap().step;
    let first = at(&judge);
    assert!(first > 0);

    let (error, seen) = until(&lab(folder.path(), 1), 2, 0.6);
    assert!(
        matches!(error, LabError::Stopped { section: 2, .. }),
        "{error}"
    );
    assert!(at(&judge) > first);
    // The steps before are not done again: few reports came between the section's beginning and its stop.
    let before = seen.len();
    assert!((before as u64) < at(&judge), "{before} reports");

    let (error, _) = until(&lab(folder.path(), 2), 3, 0.0);
    assert!(matches!(error, LabError::Recipe(_)), "{error}");
    assert!(error.to_string().contains("another recipe"), "{error}");
}
