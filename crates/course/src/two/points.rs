//! Points in the plane in the shapes that figures, metrics and tensors want.

use burn::tensor::{Device, Tensor, TensorData};
use fokker_core::State;
use fokker_math::mixture::GaussianMixture;
use fokker_sim::rng::Cursor;

/// Pairs of coordinates.
pub(super) type Points = Vec<(f64, f64)>;

/// `[n, 2]` row by row, as pairs.
pub(super) fn pairs(values: &[f32]) -> Points {
    let rows = values.chunks_exact(2);
    rows.map(|p| (f64::from(p[0]), f64::from(p[1]))).collect()
}

/// Pairs, row by row.
pub(super) fn flat(points: &[(f64, f64)]) -> Vec<f64> {
    points.iter().flat_map(|p| [p.0, p.1]).collect()
}

/// A tensor's rows as pairs.
pub(super) fn of_state(x: &State) -> Points {
    let values: Vec<f32> = x.clone().into_data().try_to_vec().expect("states are f32");
    pairs(&values)
}

/// Pairs as a tensor.
pub(super) fn to_state(points: &[(f64, f64)], device: &Device) -> State {
    let values: Vec<f32> = flat(points).into_iter().map(|v| v as f32).collect();
    let rows = points.len();
    Tensor::from_data(TensorData::new(values, [rows, 2]), device)
}

/// A point of a mixture.
pub(super) fn draw(mixture: &GaussianMixture, cursor: &mut Cursor) -> (f64, f64) {
    let u = cursor.uniform_f64();
    let mut sum = 0.0;
    let k = mixture.weights().iter().position(|w| {
        sum += w;
        u < sum
    });
    let k = k.unwrap_or(mixture.components() - 1);
    let (mean, std) = (mixture.mean(k), mixture.stds()[k]);
    let x = mean[0] + std * cursor.normal_f64();
    (x, mean[1] + std * cursor.normal_f64())
}

/// A point of the mixture's path x = αz + βε.
pub(super) fn draw_at(
    mixture: &GaussianMixture,
    (alpha, beta): (f64, f64),
    cursor: &mut Cursor,
) -> (f64, f64) {
    let z = draw(mixture, cursor);
    let x = alpha * z.0 + beta * cursor.normal_f64();
    (x, alpha * z.1 + beta * cursor.normal_f64())
}

/// A short name of a time.
pub(super) fn at(t: f64) -> String {
    format!("t = {t}")
}
