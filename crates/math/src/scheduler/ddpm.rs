use super::{Coeffs, Scheduler, SchedulerError};

/// The discrete diffusion of DDPM with β_n for n = 0 … T − 1, continued smoothly between its steps.
///
/// α² = ᾱ_n = Π_{i≤n} (1 − β_i) and β² = 1 − ᾱ_n at n = T(1 − t) − 1: step T − 1 is t = 0, and the data, one step before
/// n = 0, are t = 1. At the steps themselves the product is met to rounding. A uniform grid of times visits the steps that
/// "trailing" spacing visits elsewhere.
///
/// Between the steps ln ᾱ is the sum of g(x) = ln(1 − β(x)) continued by the midpoint formula of Euler and Maclaurin:
/// Σ_{i≤n} g(i) = ∫ g − (g′ − g′₀)/24 + 7(g‴ − g‴₀)/5760 from −½ to n + ½, which is analytic in n.
///
/// It is within 10⁻³ of [`VariancePreserving`](super::VariancePreserving), its limit of many steps. β̇ is −∞ at t = 1.
///
/// Source: Ho et al., *Denoising diffusion probabilistic models*, NeurIPS 2020.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ddpm {
    law: BetaLaw,
    first: f64,
    slope: f64,
    steps: u32,
}

/// How β rises from its first to its last step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BetaLaw {
    /// β itself linearly.
    #[default]
    Linear,
    /// √β linearly, as in latent diffusion ("scaled linear").
    Sqrt,
}

impl Default for Ddpm {
    /// The usual: β from 10⁻⁴ to 0.02 in 1,000 steps, linearly.
    fn default() -> Self {
        Self::new(BetaLaw::Linear, 1e-4, 0.02, 1000).expect("within the limits")
    }
}

impl Ddpm {
    /// The scheduler of `steps` steps whose β rises from `first` to `last`.
    ///
    /// # Errors
    /// [`SchedulerError::Betas`] unless 0 < `first` ≤ `last` ≤ ½, and there are steps enough for β to change little from one to
    /// the next.
    pub fn new(law: BetaLaw, first: f64, last: f64, steps: u32) -> Result<Self, SchedulerError> {
        let refusal = SchedulerError::Betas { first, last, steps };
        if !(first > 0.0 && first <= last && last <= 0.5 && steps >= 2) {
            return Err(refusal);
        }
        let [a, b] = match law {
            BetaLaw::Linear => [first, last],
            BetaLaw::Sqrt => [first.sqrt(), last.sqrt()],
        };
        let slope = (b - a) / f64::from(steps - 1);
        // Half a step before the first β must still be positive, and what the formula leaves out below rounding.
        if slope > 0.01 || a <= 0.5 * slope {
            return Err(refusal);
        }
        Ok(Self {
            law,
            first: a,
            slope,
            steps,
        })
    }

    /// T.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// The terms ln(1 + v) of g at x, by v and its slope.
    fn terms(&self, x: f64) -> ([[f64; 2]; 2], usize) {
        let v = self.first + self.slope * x;
        match self.law {
            BetaLaw::Linear => ([[-v, -self.slope], [0.0; 2]], 1),
            // 1 − β = (1 − √β)(1 + √β).
            BetaLaw::Sqrt => ([[-v, -self.slope], [v, self.slope]], 2),
        }
    }

    fn g(&self, x: f64) -> f64 {
        let (terms, count) = self.terms(x);
        terms[..count].iter().map(|[v, _]| v.ln_1p()).sum()
    }

    /// The `k`-th derivative of g at x: Σ (−1)^{k−1} (k − 1)! (v′/(1 + v))^k.
    fn derivative(&self, k: i32, x: f64) -> f64 {
        let (terms, count) = self.terms(x);
        let factorial: f64 = (1..k).map(f64::from).product();
        let sign = if k % 2 == 1 { 1.0 } else { -1.0 };
        let powers = terms[..count]
            .iter()
            .map(|[v, slope]| (slope / (1.0 + v)).powi(k));
        sign * factorial * powers.sum::<f64>()
    }

    /// ln ᾱ and its derivative by n, at T(1 − t) = n + 1.
    fn log_alpha_bar(&self, n_plus_one: f64) -> (f64, f64) {
        let (low, high) = (-0.5, n_plus_one - 0.5);
        // By quadrature: all terms have one sign, so that nothing cancels near the data.
        let half = 0.5 * n_plus_one;
        let integral: f64 = GAUSS
            .iter()
            .map(|[node, weight]| {
                let [left, right] = [-node, *node].map(|u| self.g(low + half * (1.0 + u)));
                weight * (left + right)
            })
            .sum();
        let difference = |k| self.derivative(k, high) - self.derivative(k, low);
        let value = half * integral - difference(1) / 24.0 + 7.0 * difference(3) / 5760.0;
        let slope = self.g(high) - self.derivative(2, high) / 24.0
            + 7.0 * self.derivative(4, high) / 5760.0;
        (value, slope)
    }
}

/// The nodes and weights of Gauss and Legendre on \[−1, 1\], of 16 points, by halves.
const GAUSS: [[f64; 2]; 8] = [
    [0.095_012_509_837_637_44, 0.189_450_610_455_068_5],
    [0.281_603_550_779_258_9, 0.182_603_415_044_923_6],
    [0.458_016_777_657_227_4, 0.169_156_519_395_002_54],
    [0.617_876_244_402_643_7, 0.149_595_988_816_576_73],
    [0.755_404_408_355_003, 0.124_628_971_255_533_88],
    [0.865_631_202_387_831_7, 0.095_158_511_682_492_78],
    [0.944_575_023_073_232_6, 0.062_253_523_938_647_89],
    [0.989_400_934_991_649_9, 0.027_152_459_411_754_095],
];

impl Scheduler for Ddpm {
    fn name(&self) -> &'static str {
        "ddpm"
    }

    fn at(&self, t: f64) -> Coeffs {
        let steps = f64::from(self.steps);
        let (log, slope) = self.log_alpha_bar(steps * (1.0 - t));
        let alpha = (0.5 * log).exp();
        let beta = log.exp_m1().abs().sqrt();
        let d_alpha = -0.5 * steps * slope * alpha; // dn/dt = −T
        Coeffs {
            alpha,
            beta,
            d_alpha,
            d_beta: -alpha * d_alpha / beta, // α² + β² = 1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn betas(law: BetaLaw, first: f64, last: f64, steps: u32) -> Vec<f64> {
        let line = |a: f64, b: f64, i: u32| a + (b - a) * f64::from(i) / f64::from(steps - 1);
        (0..steps)
            .map(|i| match law {
                BetaLaw::Linear => line(first, last, i),
                BetaLaw::Sqrt => line(first.sqrt(), last.sqrt(), i).powi(2),
            })
            .collect()
    }

    /// The definition, a product over the steps.
    #[test]
    fn it_is_the_product_at_every_step() {
        for (law, first, last, steps) in [
            (BetaLaw::Linear, 1e-4, 0.02, 1000),
            (BetaLaw::Sqrt, 0.00085, 0.012, 1000),
            (BetaLaw::Linear, 2e-3, 0.2, 100),
            (BetaLaw::Sqrt, 0.3, 0.3, 7),
        ] {
            let scheduler = Ddpm::new(law, first, last, steps).unwrap();
            let mut log = 0.0;
            for (n, beta) in betas(law, first, last, steps).into_iter().enumerate() {
                log += (-beta).ln_1p();
                let t = 1.0 - (n as f64 + 1.0) / f64::from(steps);
                let c = scheduler.at(t);
                let error = (2.0 * c.alpha.ln() / log - 1.0).abs();
                assert!(error < 2e-12, "{scheduler:?} at {n}: off by {error:e}");
            }
        }
        // Ho et al.: the last ᾱ is about 4·10⁻⁵.
        let end = Ddpm::default().at(0.0).alpha.powi(2);
        assert!((end - 4.0358e-5).abs() < 1e-9, "{end}");
    }

    #[test]
    fn what_cannot_be_continued_is_refused() {
        for (first, last, steps) in [
            (0.0, 0.02, 1000),
            (0.02, 1e-4, 1000),
            (1e-4, 0.6, 1000),
            (1e-4, 0.5, 10),
            (1e-9, 0.02, 1000),
            (f64::NAN, 0.02, 1000),
            (0.01, 0.02, 1),
        ] {
            let error = Ddpm::new(BetaLaw::Linear, first, last, steps).unwrap_err();
            assert!(error.to_string().contains("the ddpm scheduler"));
        }
    }
}
