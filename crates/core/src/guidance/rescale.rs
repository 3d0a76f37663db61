use crate::State;

/// φ g·std(c)/std(g) + (1 − φ) g, row by row; a row without spread stays.
pub(super) fn rescale(guided: State, given: State, phi: f64) -> State {
    let spread = |x: State| (x.clone() - x.mean_dim(1)).powi_scalar(2).sum_dim(1);
    let (want, have) = (spread(given), spread(guided.clone()));
    let still = have.clone().equal_elem(0.0);
    let ratio = (want / have.mask_fill(still.clone(), 1.0)).sqrt();
    let factor = ratio.mul_scalar(phi).add_scalar(1.0 - phi);
    guided * factor.mask_fill(still, 1.0)
}
