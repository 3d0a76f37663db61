//! Weights of the samplers that treat a Gaussian path's linear part exactly, derived once.
//!
//! On x = αz + βε with λ = ln(α/β) the flow is d(x/β)/dλ = e^λ D, and as well d(x/α)/dσ = ε̂ with
//! σ = β/α = e^{−λ}. A sampler replaces D or ε̂ by a polynomial through its latest values and integrates
//! that exactly, so that every step is one [`Update`]. Interpolating polynomials have one set of weights,
//! which the field knows under many names: exponential Adams–Bashforth is UniP and, up to one
//! rearranged second-order weight, DPM-Solver++; exponential Adams–Moulton is UniC; in ε̂ it is DEIS, and
//! in σ LMS. Sources: Song et al., *DDIM*, 2021; Karras et al. 2022; Lu et al., *DPM-Solver++*, 2022; Zhang &
//! Chen, *DEIS*, 2023; Zhao et al., *UniPC*, 2023.

mod moments;
#[cfg(test)]
mod tests;

use moments::{moments, polynomials};

/// A time of a path as these samplers see it: the weights of x = αz + βε there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Node {
    /// α, the weight of the data.
    pub alpha: f64,
    /// β, the weight of the noise.
    pub beta: f64,
}

impl Node {
    /// λ = ln(α/β), half the logarithmic signal-to-noise ratio: −∞ at pure noise, +∞ at the data.
    pub fn lambda(&self) -> f64 {
        self.alpha.ln() - self.beta.ln()
    }

    /// σ = β/α: +∞ at pure noise, 0 at the data.
    pub fn sigma(&self) -> f64 {
        self.beta / self.alpha
    }

    /// Are both α and β positive, so that λ is finite?
    pub fn is_inside(&self) -> bool {
        self.alpha > 0.0 && self.beta > 0.0
    }

    /// The node of the same α whose σ is `sigma`.
    pub fn with_sigma(&self, sigma: f64) -> Node {
        Node {
            alpha: self.alpha,
            beta: self.alpha * sigma,
        }
    }
}

/// One step: x′ = `state`·x + Σ `data`\[j\]·D_j + Σ `eps`\[j\]·ε̂_j + `noise`·ξ, the estimates newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Update {
    /// The weight of x.
    pub state: f64,
    /// The weights of the data estimates.
    pub data: Vec<f64>,
    /// The weights of the noise estimates.
    pub eps: Vec<f64>,
    /// The weight of fresh standard normal noise ξ.
    pub noise: f64,
}

/// q = e^{−h} = σ′/σ: by how much a step shrinks the noise-to-signal ratio; 0 from pure noise or to the data.
fn ratio(from: Node, to: Node) -> f64 {
    (from.alpha / from.beta) * (to.beta / to.alpha)
}

/// DDIM(η): x′ = α′D + √(β′² − n²) ε̂ + n ξ with n = ηβ′√(1 − σ′²/σ²).
///
/// η = 0 is Euler's method on d(x/α)/dσ = ε̂ and the first order of every exponential sampler; η = 1 is the
/// ancestral step of DDPM, of Euler ancestral and of first-order SDE-DPM-Solver++, which are the same
/// thing. Finite from pure noise and to the data. Source: Song et al. 2021, eq. 12 and 16.
pub fn ddim(from: Node, to: Node, eta: f64) -> Update {
    let q = ratio(from, to);
    let noise = eta * to.beta * (1.0 - q * q).max(0.0).sqrt();
    let kept = (to.beta * to.beta - noise * noise).max(0.0).sqrt();
    Update {
        data: vec![to.alpha],
        eps: vec![kept],
        noise,
        ..Update::default()
    }
}

/// [`ddim`] with ε̂ = (x − αD)/β put in: in terms of x and D alone.
pub fn ddim_of_data(from: Node, to: Node, eta: f64) -> Update {
    let Update { eps, noise, .. } = ddim(from, to, eta);
    let state = eps[0] / from.beta;
    Update {
        state,
        data: vec![to.alpha - from.alpha * state],
        noise,
        ..Update::default()
    }
}

/// Exponential Adams–Bashforth of the order `nodes.len()` in D: x′ = (β′/β) x + α′ ∫ e^{s−λ′} P(s) ds, P the
/// polynomial in λ through the estimates at `nodes` (newest first, nodes\[0\] where x is). One order less for
/// every node that is not inside; first order to the data.
pub fn exponential(nodes: &[Node], to: Node) -> Update {
    stochastic(nodes, to, 0.0)
}

/// The same on the SDE whose noise is η times that of the reversed forward process:
/// x′ = (β′/β) e^{−ηh} x + α′(1 + η) ∫ e^{(1+η)(s−λ′)} P(s) ds + β′√(1 − e^{−2ηh}) ξ.
///
/// η = 1 is SDE-DPM-Solver++ with interpolating weights at any order. Source: Lu et al. 2022, §4.3.
pub fn stochastic(nodes: &[Node], to: Node, eta: f64) -> Update {
    let from = nodes[0];
    let q = ratio(from, to);
    let k = 1.0 + eta;
    let state = to.beta / from.beta * q.powf(eta);
    let noise = to.beta * (1.0 - q.powf(2.0 * eta)).max(0.0).sqrt();
    let known = usable(nodes, to);
    if known.len() == 1 {
        let data = vec![to.alpha - from.alpha * state];
        return Update {
            state,
            data,
            noise,
            ..Update::default()
        };
    }
    // In units of 1/k the exponential is e^s: the integral of (k ds) e^{k(s−λ′)} P(s).
    let offsets: Vec<f64> = known
        .iter()
        .map(|n| k * (n.lambda() - from.lambda()))
        .collect();
    let h = k * (to.lambda() - from.lambda());
    let data = weights(&offsets, h, 1.0)
        .into_iter()
        .map(|w| to.alpha * w)
        .collect();
    Update {
        state,
        data,
        noise,
        ..Update::default()
    }
}

/// DPM-Solver++ of second order as published, for step lengths h₀ before h: the slope of D from its two latest values enters with
/// weight ½(1 − e^{−(1+η)h}) where the exact integral is another function that agrees to O(h³). With η > 0
/// SDE-DPM-Solver++(2M).
pub fn dpm_second(nodes: &[Node], to: Node, eta: f64) -> Update {
    let mut update = stochastic(&nodes[..1], to, eta);
    if let [from, before] = usable(&nodes[..nodes.len().min(2)], to)[..] {
        let h = to.lambda() - from.lambda();
        let r = (from.lambda() - before.lambda()) / h;
        let slope = 0.5 * update.data[0] / r;
        update.data = vec![update.data[0] + slope, -slope];
    }
    update
}

/// DEIS with polynomials in ln σ: x′ = (α′/α) x + α′ ∫ P(ln σ) dσ, P through the noise estimates at `nodes`
/// (newest first). First order from pure noise and to the data.
pub fn deis(nodes: &[Node], to: Node) -> Update {
    let known = usable(nodes, to);
    if known.len() == 1 {
        return ddim(nodes[0], to, 0.0);
    }
    let from = nodes[0];
    let offsets: Vec<f64> = known.iter().map(|n| n.lambda() - from.lambda()).collect();
    let h = to.lambda() - from.lambda();
    // dσ = −e^{−λ} dλ, and α′e^{−λ′} = β′.
    let eps = weights(&offsets, h, -1.0)
        .into_iter()
        .map(|w| -to.beta * w)
        .collect();
    Update {
        state: to.alpha / from.alpha,
        eps,
        ..Update::default()
    }
}

/// Linear multistep in σ (Adams–Bashforth with unequal steps): x′ = (α′/α) x + α′ ∫ P(σ) dσ, P the
/// polynomial in σ through the noise estimates at `nodes` (newest first). First order from pure noise; of
/// full order to the data, where σ = 0. Source: Karras et al. 2022, on which *k-diffusion* builds it.
pub fn lms(nodes: &[Node], to: Node) -> Update {
    let known: Vec<Node> = nodes.iter().copied().take_while(Node::is_inside).collect();
    if known.len() <= 1 {
        return ddim(nodes[0], to, 0.0);
    }
    let from = nodes[0];
    let offsets: Vec<f64> = known.iter().map(|n| n.sigma() - from.sigma()).collect();
    let h = to.sigma() - from.sigma();
    let eps = weights(&offsets, h, 0.0)
        .into_iter()
        .map(|w| to.alpha * w)
        .collect();
    Update {
        state: to.alpha / from.alpha,
        eps,
        ..Update::default()
    }
}

/// UniP of order `nodes.len()` with B(h) = e^h − 1: [`exponential`], but of second order with the published ½ of
/// [`dpm_second`]. Source: Zhao et al. 2023.
pub fn unip(nodes: &[Node], to: Node) -> Update {
    match nodes.len() {
        2 => dpm_second(nodes, to, 0.0),
        _ => exponential(nodes, to),
    }
}

/// UniC: the step to `to` again, now that the estimate there is known; data\[0\] is its weight, the others
/// those at `nodes` (newest first). Exponential Adams–Moulton of order `nodes.len()` + 1, but with one node the
/// published weight ½(1 − e^{−h}). Source: Zhao et al. 2023.
pub fn unic(nodes: &[Node], to: Node) -> Update {
    let from = nodes[0];
    let known = usable(nodes, to);
    let mut update = stochastic(&nodes[..1], to, 0.0);
    let change = update.data[0];
    if known.len() == 1 {
        update.data = vec![0.5 * change, 0.5 * change];
        return update;
    }
    let h = to.lambda() - from.lambda();
    let offsets: Vec<f64> = std::iter::once(h)
        .chain(known.iter().map(|n| n.lambda() - from.lambda()))
        .collect();
    update.data = weights(&offsets, h, 1.0)
        .into_iter()
        .map(|w| to.alpha * w)
        .collect();
    update
}

/// DPM-Solver++(2S): the step with the estimates D₀ here and D_s at `stage`, λ_s = λ + rh:
/// x′ = (β′/β) x + α′(1 − e^{−h}) \[(1 − 1/2r) D₀ + (1/2r) D_s\]; the weights are data\[0\] of D₀ and data\[1\] of D_s.
pub fn singlestep_second(from: Node, stage: Node, to: Node) -> Update {
    let mut update = ddim_of_data(from, to, 0.0);
    let r = (stage.lambda() - from.lambda()) / (to.lambda() - from.lambda());
    let w = 0.5 * update.data[0] / r;
    update.data = vec![update.data[0] - w, w];
    update
}

/// The leading nodes with finite λ, at least one; only the first where the step ends at the data.
fn usable(nodes: &[Node], to: Node) -> Vec<Node> {
    if !to.is_inside() {
        return nodes[..1].to_vec();
    }
    let inside = nodes.iter().take_while(|n| n.is_inside()).count();
    nodes[..inside.max(1)].to_vec()
}

/// w_j = ∫₀^h e^{κ(s−h)} ℓ_j(s) ds with ℓ_j Lagrange's polynomials on `offsets`.
fn weights(offsets: &[f64], h: f64, kappa: f64) -> Vec<f64> {
    let moments = moments(offsets.len(), h, kappa);
    polynomials(offsets)
        .iter()
        .map(|p| p.iter().zip(&moments).map(|(c, m)| c * m).sum())
        .collect()
}
