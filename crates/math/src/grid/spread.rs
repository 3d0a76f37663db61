//! Times that share an error equally, and times kept apart.

#[cfg(test)]
mod tests;

/// The `steps` + 1 times between which a density of error has equal integrals: de Boor's
/// equidistribution (*Good approximation by splines with variable knots*, 1973), which makes the
/// largest share of a step least.
///
/// `times` are the fine grid, strictly increasing, and `density[k]` ≥ 0 is the density between
/// times k and k + 1. The first and the last time are kept, and the times rise strictly, if only by
/// rounding's width where most of the error is in one place. A density that is 0 everywhere is taken
/// as constant; a negative one or NaN as 0; and where it is infinite, all else is 0 beside it.
///
/// ```
/// // Three quarters of the error in the second half: its steps are a third as long.
/// let times = fokker_math::grid::equidistribute(&[0.0, 0.5, 1.0], &[1.0, 3.0], 4);
/// assert_eq!(times[1], 0.5);
/// assert!((times[2] - (0.5 + 0.5 / 3.0)).abs() < 1e-15);
/// ```
///
/// # Panics
/// When `times` are not one more than `density`, or either is empty, or `steps` is 0.
pub fn equidistribute(times: &[f64], density: &[f64], steps: usize) -> Vec<f64> {
    assert!(
        !density.is_empty() && times.len() == density.len() + 1 && steps > 0,
        "equal shares need a density for each interval of the times and a step, \
         got {} times, {} densities and {steps} steps",
        times.len(),
        density.len()
    );
    let most = density.iter().copied().fold(0.0, f64::max);
    // Beside the largest, so that no sum overflows.
    let relative = |d: f64| match most {
        0.0 => 1.0,
        f64::INFINITY => f64::from(d == f64::INFINITY),
        _ => (d / most).max(0.0),
    };
    let mut integral = vec![0.0];
    for (t, &d) in times.windows(2).zip(density) {
        let before = integral[integral.len() - 1];
        integral.push(before + relative(d) * (t[1] - t[0]));
    }
    let (first, last) = (times[0], times[density.len()]);
    let mut out = vec![first];
    let mut k = 0;
    for i in 1..steps {
        let share = integral[density.len()] * (i as f64 / steps as f64);
        while k + 1 < density.len() && integral[k + 1] < share {
            k += 1;
        }
        let part = (share - integral[k]) / (integral[k + 1] - integral[k]);
        out.push(times[k] + part.min(1.0) * (times[k + 1] - times[k]));
    }
    out.push(last);
    separate(&mut out);
    out
}

/// Moves times that rounding has brought together, or out of order, as far apart as their largest
/// differs from the next number; the first and the last stay. All others are left as they are.
pub(super) fn separate(times: &mut [f64]) {
    let [first, inside @ .., last] = times else {
        return;
    };
    let gap = f64::EPSILON * first.abs().max(last.abs());
    let mut before = *first;
    for time in inside.iter_mut() {
        // `max` drops a NaN.
        *time = time.max(before + gap);
        before = *time;
    }
    let mut after = *last;
    for time in inside.iter_mut().rev() {
        *time = time.min(after - gap);
        after = *time;
    }
}
