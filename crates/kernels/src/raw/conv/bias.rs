//! The gradient with respect to the bias.

use crate::raw::Level;
use crate::raw::norm::sum;
use rayon::prelude::*;

/// `dy: [batch, co, hw]` to db `[co]`: db[o] = Σ_{b,i} dy[b,o,i], images in their order.
pub(crate) fn grad_bias(level: Level, dy: &[f32], [batch, co, hw]: [usize; 3]) -> Vec<f32> {
    (0..co)
        .into_par_iter()
        .map(|o| {
            (0..batch)
                .map(|b| sum(level, &dy[(b * co + o) * hw..][..hw]))
                .sum::<f64>() as f32
        })
        .collect()
}
