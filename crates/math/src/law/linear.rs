//! Linear ordinary differential equations.

use super::phi;

/// The linear equation dx/dt = −θx.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Linear {
    /// The rate θ.
    pub theta: f64,
}

impl Linear {
    /// The flow ψ_t(x₀) = x₀e^{−θt}.
    pub fn flow(&self, x0: f64, t: f64) -> f64 {
        x0 * (-self.theta * t).exp()
    }

    /// What Euler's method makes of it in `n` ≥ 1 steps: x₀(1 − θt/n)ⁿ.
    pub fn euler(&self, x0: f64, t: f64, n: u32) -> f64 {
        x0 * (1.0 - self.theta * t / f64::from(n)).powf(f64::from(n))
    }
}

/// A linear system in the plane, dx/dt = Ax.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Planar {
    /// A, row after row.
    pub a: [[f64; 2]; 2],
}

impl Planar {
    /// The rotation by the angle ωt, counterclockwise: dx/dt = (−ωx₂, ωx₁).
    pub const fn rotation(omega: f64) -> Planar {
        Planar::spiral(0.0, omega)
    }

    /// The spiral dx/dt = (−rx₁ − ωx₂, ωx₁ − rx₂): a rotation whose radius decays like e^{−rt}.
    pub const fn spiral(rate: f64, omega: f64) -> Planar {
        Planar {
            a: [[-rate, -omega], [omega, -rate]],
        }
    }

    /// e^{At}, of any real A: with m = tr A/2, B = A − mI and δ = m² − det A it is
    /// e^{mt}(cosh(√δt) I + sinh(√δt)/√δ B), since B² = δI; for δ < 0 cosine and sine.
    pub fn exponential(&self, t: f64) -> [[f64; 2]; 2] {
        let [[a, b], [c, d]] = self.a;
        let (m, half) = (0.5 * (a + d), 0.5 * (a - d));
        let delta = half * half + b * c;
        let root = delta.abs().sqrt();
        // e^{mt} cosh and e^{mt} sinh/√δ; by the eigenvalues m ± √δ, which do not overflow early.
        let (even, odd) = if delta >= 0.0 {
            let (fast, slow) = (((m - root) * t).exp(), ((m + root) * t).exp());
            (0.5 * (fast + slow), slow * t * phi(2.0 * root * t))
        } else {
            let scale = (m * t).exp();
            let angle = root * t;
            (scale * angle.cos(), scale * angle.sin() / root)
        };
        [[even + odd * half, odd * b], [odd * c, even - odd * half]]
    }

    /// The flow ψ_t(x₀) = e^{At}x₀.
    pub fn flow(&self, x0: [f64; 2], t: f64) -> [f64; 2] {
        self.exponential(t).map(|[p, q]| p * x0[0] + q * x0[1])
    }
}
