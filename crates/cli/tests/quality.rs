//! The numbers that a training in the plane must reach, as a user measures them.

mod common;

use common::ok;

/// Eight Gaussians: every mode, weights within two percentage points, and an exact Wasserstein distance
/// of at most 1.15 of what two draws of the data have between them.
#[test]
fn eight_gaussians_are_learned() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../configs/8-gaussians.toml"
    );
    ok(dir.path(), &["train", recipe, "--out", "run"]);
    ok(dir.path(), &["evaluate", "run"]);
    let json = std::fs::read(dir.path().join("run/evaluation.json")).unwrap();
    let found: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let plane = &found["plane"];
    let number = |v: &serde_json::Value| v.as_f64().unwrap();
    let ratio = number(&plane["w2"]) / number(&plane["floor"]);
    assert!(ratio <= 1.15, "distance to data is {ratio:.3} of the floor");
    let modes = plane["modes"].as_array().unwrap();
    assert_eq!(modes.len(), 8);
    for mode in modes {
        let off = (number(&mode["weight"]) - number(&mode["exact"])).abs();
        assert!(off <= 0.02, "a mode's weight is off by {off:.4}");
    }
}
