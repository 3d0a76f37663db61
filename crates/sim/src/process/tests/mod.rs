mod equations;
mod fokker_planck;
mod named;
mod noise;

use super::{Components, Process};
use crate::lane::Lane;

/// f(t, x).
fn drift<P: Process, L: Lane>(process: &P, t: L, x: &[L]) -> Vec<L> {
    let mut state = P::State::<L>::zeros(process.dim());
    state.as_mut().copy_from_slice(x);
    let mut f = P::State::<L>::zeros(process.dim());
    process.drift(t, &state, &mut f);
    f.as_ref().to_vec()
}

/// Column j of g(t, x).
fn column<P: Process, L: Lane>(process: &P, t: L, x: &[L], j: usize) -> Vec<L> {
    let mut state = P::State::<L>::zeros(process.dim());
    state.as_mut().copy_from_slice(x);
    let mut unit = P::Noise::<L>::zeros(process.noise_dim());
    unit.as_mut()[j] = L::splat(1.0);
    let mut g = P::State::<L>::zeros(process.dim());
    process.diffusion(t, &state, &unit, &mut g);
    g.as_ref().to_vec()
}

#[track_caller]
fn close(a: f64, b: f64, tolerance: f64) {
    assert!(
        (a - b).abs() <= tolerance * (1.0 + b.abs()),
        "{a:e} is not {b:e}"
    );
}
