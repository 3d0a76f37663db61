//! Runge–Kutta methods as data.

/// An explicit Runge–Kutta method in Butcher's notation, with s stages:
///
/// kᵢ = f(t + cᵢh, x + h Σ_{j<i} aᵢⱼ kⱼ), x ← x + h Σ bᵢ kᵢ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tableau {
    /// The name in menus and configurations.
    pub name: &'static str,
    /// The name in prose.
    pub title: &'static str,
    /// The order p: the error at a fixed time is O(hᵖ) for smooth f.
    pub order: u32,
    /// Row i holds the i coefficients of the stages before it.
    pub a: &'static [&'static [f64]],
    /// The weights, one per stage.
    pub b: &'static [f64],
    /// The nodes, one per stage; cᵢ = Σⱼ aᵢⱼ.
    pub c: &'static [f64],
    /// Where the method comes from.
    pub reference: &'static str,
}

impl Tableau {
    /// The number of stages s, which is the number of evaluations of f per step.
    pub const fn stages(&self) -> usize {
        self.b.len()
    }
}

/// Euler's method.
pub const EULER: Tableau = Tableau {
    name: "euler",
    title: "Euler",
    order: 1,
    a: &[&[]],
    b: &[1.0],
    c: &[0.0],
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
    reference: "Kutta, Beitrag zur näherungsweisen Integration totaler Differentialgleichungen, Z. Math. Phys. 46, 1901",
};

/// All tableaus: menus, documentation and law tests iterate this slice.
pub const TABLEAUS: &[&Tableau] = &[&EULER, &MIDPOINT, &HEUN, &RALSTON, &RK3, &RK4];

/// The tableau of that name.
pub fn tableau(name: &str) -> Option<&'static Tableau> {
    TABLEAUS
        .iter()
        .copied()
        .find(|tableau| tableau.name == name)
}

/// The right-hand side of dx/dt = f(t, x), called as `f(t, x, out)`.
pub type Field<'a> = dyn FnMut(f64, &[f64], &mut [f64]) + 'a;

/// One step of length `h` (of either sign) from time `t`: `x` becomes the state at t + h.
/// `f(t, x, out)` writes the derivative of the state, of the same length as `x`, into `out`.
pub fn step(tableau: &Tableau, f: &mut Field<'_>, t: f64, h: f64, x: &mut [f64]) {
    let dim = x.len();
    let mut k = vec![vec![0.0; dim]; tableau.stages()];
    let mut at = x.to_vec();
    for (i, (a, c)) in tableau.a.iter().zip(tableau.c).enumerate() {
        at.copy_from_slice(x);
        let (before, from_here) = k.split_at_mut(i);
        for (a, k) in a.iter().zip(before) {
            add(h * a, k, &mut at);
        }
        f(t + c * h, &at, &mut from_here[0]);
    }
    for (b, k) in tableau.b.iter().zip(&k) {
        add(h * b, k, x);
    }
}

/// x ← x + w k.
fn add(w: f64, k: &[f64], x: &mut [f64]) {
    for (x, k) in x.iter_mut().zip(k) {
        *x += w * k;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::uniform;

    #[test]
    fn consistent() {
        for tableau in TABLEAUS {
            let s = tableau.stages();
            assert_eq!(
                (tableau.a.len(), tableau.c.len()),
                (s, s),
                "{}",
                tableau.name
            );
            assert!((tableau.b.iter().sum::<f64>() - 1.0).abs() < 1e-15);
            for (i, (a, c)) in tableau.a.iter().zip(tableau.c).enumerate() {
                assert_eq!(a.len(), i, "{} is not explicit", tableau.name);
                assert!(
                    (a.iter().sum::<f64>() - c).abs() < 1e-15,
                    "{}",
                    tableau.name
                );
            }
            assert_eq!(super::tableau(tableau.name), Some(*tableau));
        }
        assert_eq!(super::tableau("rk5"), None);
    }

    /// The error at t = 2 of x₀ = e^{sin t} and x₁ = x₀², which solve dx₀/dt = x₀ cos t and
    /// dx₁/dt = 2x₀² cos t + (x₁ − x₀²).
    fn error(tableau: &Tableau, n: usize) -> f64 {
        let mut x = [1.0, 1.0];
        let mut f = |t: f64, x: &[f64], out: &mut [f64]| {
            out[0] = x[0] * t.cos();
            out[1] = 2.0 * x[0] * x[0] * t.cos() + (x[1] - x[0] * x[0]);
        };
        for pair in uniform(n).windows(2) {
            step(
                tableau,
                &mut f,
                2.0 * pair[0],
                2.0 * (pair[1] - pair[0]),
                &mut x,
            );
        }
        let exact = 2f64.sin().exp();
        (x[0] - exact).abs() + (x[1] - exact * exact).abs()
    }

    #[test]
    fn measured_order() {
        for tableau in TABLEAUS {
            let order = (error(tableau, 160) / error(tableau, 320)).log2();
            assert!(
                (order - f64::from(tableau.order)).abs() < 0.1,
                "{}: measured order {order}",
                tableau.name
            );
        }
    }

    #[test]
    fn euler_on_a_linear_field_in_closed_form() {
        let theta = 0.7;
        for n in [1, 2, 5, 100] {
            let mut x = [1.0, -3.0];
            for pair in uniform(n).windows(2) {
                step(
                    &EULER,
                    &mut |_, x, out| (0..2).for_each(|i| out[i] = -theta * x[i]),
                    pair[0],
                    pair[1] - pair[0],
                    &mut x,
                );
            }
            let factor = (1.0 - theta / n as f64).powi(n as i32);
            assert!((x[0] - factor).abs() < 1e-14 && (x[1] + 3.0 * factor).abs() < 1e-14);
        }
    }

    /// A method of order p integrates the polynomial tᵖ⁻¹ exactly, in one step.
    #[test]
    fn quadrature_order() {
        for tableau in TABLEAUS {
            for degree in 0..tableau.order as i32 {
                let mut x = [0.0];
                step(
                    tableau,
                    &mut |t, _, out| out[0] = t.powi(degree),
                    0.0,
                    1.0,
                    &mut x,
                );
                assert!(
                    (x[0] - 1.0 / f64::from(degree + 1)).abs() < 1e-15,
                    "{}",
                    tableau.name
                );
            }
        }
    }
}
