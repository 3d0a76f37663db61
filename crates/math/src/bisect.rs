//! The inverse of a function that is only known forwards.

/// The least t in \[0, 1\] with `f(t)` ≥ `y`, for a rising function; 1 where there is none.
///
/// The bits of non-negative floating-point numbers are in the order of the numbers. Halving
/// intervals of bits finds the last one in at most 62 evaluations, and with full relative precision
/// however near to 0 the answer is.
pub(crate) fn bisect(f: impl Fn(f64) -> f64, y: f64) -> f64 {
    let (mut low, mut high) = (0, 1f64.to_bits());
    while low < high {
        let mid = low + (high - low) / 2;
        if f(f64::from_bits(mid)) < y {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    f64::from_bits(low)
}
