use super::*;
use crate::scheduler::{Edm, SCHEDULERS, Scheduler, VariancePreserving};

fn node(scheduler: &dyn Scheduler, t: f64) -> Node {
    let c = scheduler.at(t);
    Node {
        alpha: c.alpha,
        beta: c.beta,
    }
}

/// ∫₀^h e^{κ(s−h)} s^k ds by composite Gauss–Legendre quadrature of two points.
fn quadrature(f: impl Fn(f64) -> f64, h: f64) -> f64 {
    let n = 4000;
    let g = 0.5 / 3_f64.sqrt();
    (0..n)
        .flat_map(|i| [i as f64 + 0.5 - g, i as f64 + 0.5 + g])
        .map(|s| f(s * h / n as f64) * 0.5 * h / n as f64)
        .sum()
}

#[test]
fn moments_are_the_integrals() {
    for kappa in [1.0, 2.0, -1.0, 0.0, 0.3] {
        for h in [1e-7, 1e-3, 0.2, 0.97, 1.03, 4.0, -0.5, -3.0] {
            for (k, m) in moments::moments(5, h, kappa).into_iter().enumerate() {
                let exact = quadrature(|s| (kappa * (s - h)).exp() * s.powi(k as i32), h);
                let scale = h.abs().powi(k as i32 + 1) * (-kappa * h).exp().max(1.0);
                assert!(
                    (m - exact).abs() < 1e-10 * scale,
                    "κ {kappa}, h {h}, k {k}: {m}, {exact}"
                );
                let relative = (m - exact).abs() / exact.abs();
                assert!(relative < 1e-9, "κ {kappa}, h {h}, k {k}: {relative:e}");
            }
        }
    }
}

/// An update of order p is exact where D (or ε̂) is a polynomial of degree p − 1 in its variable.
#[test]
fn weights_integrate_polynomials_exactly() {
    let vp = VariancePreserving::default();
    let times = [0.46, 0.4, 0.37, 0.3];
    let nodes = times.map(|t| node(&vp, t));
    let to = node(&vp, 0.52);
    let (l0, l1) = (nodes[0].lambda(), to.lambda());
    let x = 0.8;
    for order in 1..=4 {
        let p = |s: f64| {
            (0..order)
                .map(|k| (0.3 + k as f64) * (s - l0).powi(k))
                .sum::<f64>()
        };
        let known = &nodes[..order as usize];
        for eta in [0.0, 0.5, 1.0] {
            let u = stochastic(known, to, eta);
            let k = 1.0 + eta;
            let integral = quadrature(|s| k * (k * (l0 + s - l1)).exp() * p(l0 + s), l1 - l0);
            let state = to.beta / nodes[0].beta * (-eta * (l1 - l0)).exp();
            let got: f64 = u
                .data
                .iter()
                .zip(known)
                .map(|(w, n)| w * p(n.lambda()))
                .sum();
            assert!((u.state - state).abs() < 1e-14);
            assert!(
                (got - to.alpha * integral).abs() < 1e-10,
                "order {order}, η {eta}"
            );
        }
        // ε̂ a polynomial in λ, x/α its integral over σ.
        let u = deis(known, to);
        let integral = quadrature(|s| -(-(l0 + s)).exp() * p(l0 + s), l1 - l0);
        let got: f64 = u.state * x
            + u.eps
                .iter()
                .zip(known)
                .map(|(w, n)| w * p(n.lambda()))
                .sum::<f64>();
        let exact = match order {
            1 => got, // in ε̂ first order is DDIM, whose ε̂ stands for x as well
            _ => to.alpha / nodes[0].alpha * x + to.alpha * integral,
        };
        assert!((got - exact).abs() < 1e-10, "deis {order}: {got}, {exact}");
        let u = lms(known, to);
        let (s0, s1) = (nodes[0].sigma(), to.sigma());
        let integral = quadrature(|s| p(s0 + s), s1 - s0);
        let got: f64 = u.eps.iter().zip(known).map(|(w, n)| w * p(n.sigma())).sum();
        if order > 1 {
            assert!(
                (got - to.alpha * integral).abs() < 1e-9,
                "lms {order}: {got}"
            );
        }
        // UniC: one degree more.
        if order > 1 {
            let u = unic(known, to);
            let p = |s: f64| p(s) + 0.7 * (s - l0).powi(order);
            let integral = quadrature(|s| (l0 + s - l1).exp() * p(l0 + s), l1 - l0);
            let got: f64 = u.data[0] * p(l1)
                + u.data[1..]
                    .iter()
                    .zip(known)
                    .map(|(w, n)| w * p(n.lambda()))
                    .sum::<f64>();
            assert!((got - to.alpha * integral).abs() < 1e-10, "unic {order}");
        }
    }
}

/// What every update owes: where D is the constant z and ε̂ the constant ε, x = αz + βε goes to
/// α′z + β′ε; and a stochastic one puts in as much noise as it takes out.
#[test]
fn constants_are_carried_exactly() {
    for spec in SCHEDULERS {
        let scheduler = (spec.make)();
        let at = |t| node(&*scheduler, t);
        for (times, to) in [
            (vec![0.0], 0.1),
            (vec![0.1, 0.0], 0.25),
            (vec![0.25, 0.1, 0.0], 0.3),
            (vec![0.6, 0.5, 0.35, 0.2], 0.8),
            (vec![0.9, 0.8, 0.6], 1.0),
        ] {
            let nodes: Vec<Node> = times.iter().map(|t| at(*t)).collect();
            let (from, to) = (nodes[0], at(to));
            let (z, eps) = (1.3, -0.4);
            let x = from.alpha * z + from.beta * eps;
            let exact = to.alpha * z + to.beta * eps;
            let check = |name: &str, u: Update| {
                let got =
                    u.state * x + u.data.iter().sum::<f64>() * z + u.eps.iter().sum::<f64>() * eps;
                assert!(
                    (got - exact).abs() < 1e-11 * (1.0 + x.abs() + exact.abs()),
                    "{name} on {} from {from:?} to {to:?}: {got}, {exact}",
                    spec.name
                );
            };
            check("ddim", ddim(from, to, 0.0));
            check("ddim of data", ddim_of_data(from, to, 0.0));
            check("exponential", exponential(&nodes, to));
            check("dpm", dpm_second(&nodes, to, 0.0));
            check("deis", deis(&nodes, to));
            check("lms", lms(&nodes, to));
            check("unip", unip(&nodes, to));
            check("unic", unic(&nodes, to));
            for eta in [0.3, 1.0] {
                for u in [
                    ddim_of_data(from, to, eta),
                    stochastic(&nodes, to, eta),
                    dpm_second(&nodes, to, eta),
                ] {
                    // The noise in x has variance β², that of x′ must be β′².
                    let kept = (u.state * from.beta).powi(2) + u.noise.powi(2);
                    assert!((kept - to.beta.powi(2)).abs() < 1e-12 * (1.0 + from.beta.powi(2)));
                    let data = u.data.iter().sum::<f64>() + u.state * from.alpha;
                    assert!((data - to.alpha).abs() < 1e-12, "{} η {eta}", spec.name);
                }
            }
        }
    }
}

/// DDPM's posterior, written in its own symbols: β̃ = (1 − ᾱ_{s−1})/(1 − ᾱ_s)·β_s, μ̃ from x and x̂₀.
#[test]
fn eta_one_is_the_posterior_of_ddpm() {
    let (abar, abar_prev) = (0.3_f64, 0.42_f64);
    let (from, to) = (
        Node {
            alpha: abar.sqrt(),
            beta: (1.0 - abar).sqrt(),
        },
        Node {
            alpha: abar_prev.sqrt(),
            beta: (1.0 - abar_prev).sqrt(),
        },
    );
    let step = abar / abar_prev; // α_s of the paper
    let u = ddim_of_data(from, to, 1.0);
    let variance = (1.0 - abar_prev) / (1.0 - abar) * (1.0 - step);
    assert!((u.noise.powi(2) - variance).abs() < 1e-15);
    assert!((u.data[0] - abar_prev.sqrt() * (1.0 - step) / (1.0 - abar)).abs() < 1e-15);
    assert!((u.state - step.sqrt() * (1.0 - abar_prev) / (1.0 - abar)).abs() < 1e-15);
}

/// First-order SDE-DPM-Solver++ and the ancestral step are one and the same.
#[test]
fn names_of_one_thing() {
    let edm = Edm::default();
    for (from, to) in [(0.2, 0.5), (0.9, 0.95), (0.5, 1.0)] {
        let (from, to) = (node(&edm, from), node(&edm, to));
        let (a, b) = (ddim_of_data(from, to, 1.0), stochastic(&[from], to, 1.0));
        for (a, b) in [
            (a.state, b.state),
            (a.data[0], b.data[0]),
            (a.noise, b.noise),
        ] {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }
}

/// The published second-order weight agrees with the exact integral to O(h³).
#[test]
fn published_second_order_weights_agree_to_their_order() {
    let at = |l: f64| Node {
        alpha: 1.0,
        beta: (-l).exp(),
    };
    let gap = |h: f64| {
        let nodes = [at(0.0), at(-h)];
        let (a, b) = (exponential(&nodes, at(h)), dpm_second(&nodes, at(h), 0.0));
        // Times a slope of D of order h.
        (a.data[1] - b.data[1]).abs() * h
    };
    let order = (gap(0.02) / gap(0.01)).log2();
    assert!((order - 3.0).abs() < 0.05, "{order}");
}
