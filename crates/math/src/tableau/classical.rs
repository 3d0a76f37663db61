//! The classical methods. The continuous weights of the two-stage methods are the only quadratic
//! ones of order 2, b₂(θ) = θ²/(2c₂); those of the classical Runge–Kutta method are in Hairer,
//! Nørsett & Wanner, Solving Ordinary Differential Equations I, II.6.

use super::Tableau;

/// Euler's method.
pub const EULER: Tableau = Tableau {
    name: "euler",
    title: "Euler",
    order: 1,
    a: &[&[]],
    b: &[1.0],
    c: &[0.0],
    b_err: &[],
    error_order: 0,
    fsal: false,
    dense: &[&[1.0]],
    dense_order: 1,
    reference: "Euler, Institutionum calculi integralis, vol. 1, 1768",
};

/// The explicit midpoint method.
pub const MIDPOINT: Tableau = Tableau {
    name: "midpoint",
    title: "explicit midpoint",
    order: 2,
    a: &[&[], &[0.5]],
    b: &[0.0, 1.0],
    c: &[0.0, 0.5],
    b_err: &[],
    error_order: 0,
    fsal: false,
    dense: &[&[1.0, -1.0], &[0.0, 1.0]],
    dense_order: 2,
    reference: "Runge, Ueber die numerische Auflösung von Differentialgleichungen, Math. Ann. 46, 1895",
};

/// Heun's method, the explicit trapezoidal rule.
pub const HEUN: Tableau = Tableau {
    name: "heun",
    title: "Heun (explicit trapezoid)",
    order: 2,
    a: &[&[], &[1.0]],
    b: &[0.5, 0.5],
    c: &[0.0, 1.0],
    b_err: &[],
    error_order: 0,
    fsal: false,
    dense: &[&[1.0, -0.5], &[0.0, 0.5]],
    dense_order: 2,
    reference: "Heun, Neue Methoden zur approximativen Integration, Z. Math. Phys. 45, 1900",
};

/// Ralston's method, of second-order methods with two stages the one with the least bound on the
/// truncation error.
pub const RALSTON: Tableau = Tableau {
    name: "ralston",
    title: "Ralston",
    order: 2,
    a: &[&[], &[2.0 / 3.0]],
    b: &[0.25, 0.75],
    c: &[0.0, 2.0 / 3.0],
    b_err: &[],
    error_order: 0,
    fsal: false,
    dense: &[&[1.0, -0.75], &[0.0, 0.75]],
    dense_order: 2,
    reference: "Ralston, Runge–Kutta methods with minimum error bounds, Math. Comp. 16, 1962",
};

/// Kutta's method of third order.
pub const RK3: Tableau = Tableau {
    name: "rk3",
    title: "Kutta's third order",
    order: 3,
    a: &[&[], &[0.5], &[-1.0, 2.0]],
    b: &[1.0 / 6.0, 2.0 / 3.0, 1.0 / 6.0],
    c: &[0.0, 0.5, 1.0],
    b_err: &[],
    error_order: 0,
    fsal: false,
    dense: &[
        &[1.0, -1.5, 2.0 / 3.0],
        &[0.0, 2.0, -4.0 / 3.0],
        &[0.0, -0.5, 2.0 / 3.0],
    ],
    dense_order: 2,
    reference: "Kutta, Beitrag zur näherungsweisen Integration totaler Differentialgleichungen, Z. Math. Phys. 46, 1901",
};

/// The classical Runge–Kutta method.
pub const RK4: Tableau = Tableau {
    name: "rk4",
    title: "classical Runge–Kutta",
    order: 4,
    a: &[&[], &[0.5], &[0.0, 0.5], &[0.0, 0.0, 1.0]],
    b: &[1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0],
    c: &[0.0, 0.5, 0.5, 1.0],
    b_err: &[],
    error_order: 0,
    fsal: false,
    dense: &[
        &[1.0, -1.5, 2.0 / 3.0],
        &[0.0, 1.0, -2.0 / 3.0],
        &[0.0, 1.0, -2.0 / 3.0],
        &[0.0, -0.5, 2.0 / 3.0],
    ],
    dense_order: 3,
    reference: "Kutta, Beitrag zur näherungsweisen Integration totaler Differentialgleichungen, Z. Math. Phys. 46, 1901",
};
