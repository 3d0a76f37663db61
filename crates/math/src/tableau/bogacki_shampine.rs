//! The 3(2) pair of Bogacki and Shampine.

use super::Tableau;

const B: &[f64] = &[2.0 / 9.0, 1.0 / 3.0, 4.0 / 9.0, 0.0];

/// Bogacki and Shampine's 3(2) pair. Its dense output is the cubic Hermite interpolant of both
/// ends' states and derivatives, written on the stages.
pub const BOGACKI_SHAMPINE: Tableau = Tableau {
    name: "bs32",
    title: "Bogacki–Shampine 3(2)",
    order: 3,
    a: &[&[], &[0.5], &[0.0, 0.75], B.split_at(3).0],
    b: B,
    c: &[0.0, 0.5, 0.75, 1.0],
    b_err: &[-5.0 / 72.0, 1.0 / 12.0, 1.0 / 9.0, -1.0 / 8.0],
    error_order: 2,
    fsal: true,
    dense: &[
        &[1.0, -4.0 / 3.0, 5.0 / 9.0],
        &[0.0, 1.0, -2.0 / 3.0],
        &[0.0, 4.0 / 3.0, -8.0 / 9.0],
        &[0.0, -1.0, 1.0],
    ],
    dense_order: 3,
    reference: "Bogacki & Shampine, A 3(2) pair of Runge–Kutta formulas, Appl. Math. Lett. 2, 1989",
};
