//! Runge–Kutta methods as data.

mod bogacki_shampine;
mod classical;
mod dormand_prince;
#[cfg(test)]
mod tests;
mod tsit5;

pub use bogacki_shampine::BOGACKI_SHAMPINE;
pub use classical::{EULER, HEUN, MIDPOINT, RALSTON, RK3, RK4};
pub use dormand_prince::DORMAND_PRINCE;
pub use tsit5::TSIT5;

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
    /// The weights b − b̂ of the error estimate h Σ (bᵢ − b̂ᵢ) kᵢ, the difference to the embedded
    /// solution; empty when there is none.
    pub b_err: &'static [f64],
    /// The order q of the embedded solution b̂, 0 when there is none. The estimate is O(h^{q+1}),
    /// hence a step size controller's exponent is 1/(q + 1).
    pub error_order: u32,
    /// First same as last: the last stage is f at the new state and so the next step's first stage.
    pub fsal: bool,
    /// Row i holds the coefficients dᵢ₁, …, dᵢₘ of the continuous weight bᵢ(θ) = Σⱼ dᵢⱼ θʲ:
    /// x(t + θh) ≈ x + h Σ bᵢ(θ) kᵢ for θ in \[0, 1\], and bᵢ(1) = bᵢ. Empty when there is none.
    pub dense: &'static [&'static [f64]],
    /// The order of the dense output: its error at a fixed time is O(h^dense_order) or, where the
    /// step's own order is higher, one better; 0 when there is none.
    pub dense_order: u32,
    /// Where the method comes from.
    pub reference: &'static str,
}

impl Tableau {
    /// The number of stages s.
    pub const fn stages(&self) -> usize {
        self.b.len()
    }

    /// The number of evaluations of f per step: s, or s − 1 where the last stage serves the next
    /// step as well.
    pub const fn evaluations(&self) -> usize {
        self.stages() - self.fsal as usize
    }

    /// The continuous weights bᵢ(θ), one per stage; empty without dense output.
    pub fn weights_at(&self, theta: f64) -> Vec<f64> {
        self.dense.iter().map(|d| polynomial(d, theta)).collect()
    }
}

/// Σⱼ dⱼ θʲ with j from 1.
pub(crate) fn polynomial(d: &[f64], theta: f64) -> f64 {
    d.iter().rev().fold(0.0, |sum, d| (sum + d) * theta)
}

/// All tableaus: menus, documentation and law tests iterate this slice.
pub const TABLEAUS: &[&Tableau] = &[
    &EULER,
    &MIDPOINT,
    &HEUN,
    &RALSTON,
    &RK3,
    &RK4,
    &BOGACKI_SHAMPINE,
    &DORMAND_PRINCE,
    &TSIT5,
];

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
    // Without the last stage of a FSAL method: its weight is 0.
    let k = evaluate(tableau, tableau.evaluations(), f, t, h, x);
    for (b, k) in tableau.b.iter().zip(&k) {
        add(h * b, k, x);
    }
}

/// All s stages k₁, …, kₛ of a step of length `h` from `x` at time `t`: what `b`, `b_err` and the
/// continuous weights apply to.
pub fn stages(tableau: &Tableau, f: &mut Field<'_>, t: f64, h: f64, x: &[f64]) -> Vec<Vec<f64>> {
    evaluate(tableau, tableau.stages(), f, t, h, x)
}

/// The first `count` stages.
fn evaluate(
    tableau: &Tableau,
    count: usize,
    f: &mut Field<'_>,
    t: f64,
    h: f64,
    x: &[f64],
) -> Vec<Vec<f64>> {
    let mut k: Vec<Vec<f64>> = Vec::with_capacity(count);
    for (a, c) in tableau.a.iter().zip(tableau.c).take(count) {
        let mut at = x.to_vec();
        for (a, k) in a.iter().zip(&k) {
            add(h * a, k, &mut at);
        }
        let mut out = vec![0.0; x.len()];
        f(t + c * h, &at, &mut out);
        k.push(out);
    }
    k
}

/// x ← x + w k.
pub(crate) fn add(w: f64, k: &[f64], x: &mut [f64]) {
    for (x, k) in x.iter_mut().zip(k) {
        *x += w * k;
    }
}
