"""Measures the order of convergence of the peers' multistep samplers, where the exact solution is known.

Data N(1.5, 0.4²), its exact denoiser, grids uniform in λ = ln(α/β) from -3 to 3. Each peer is run twice: from its
own start (steps of lower order until it has a history) and from exact states, so that only its formula counts.
Samplers of the stochastic equation (η = 1) get noise that is zero: the equation left has a closed form, too."""

import logging
import math

import numpy
import torch

import samplers_k
from denoiser import Double, gaussian, gaussian_flow
from diffusers_f64 import advance, coefficients, scheduler

logging.getLogger("diffusers").setLevel(logging.ERROR)
COUNTS = [32, 64, 128, 256, 512]
C = torch.tensor([[-1.0, 0.3, 1.7]])


def flow(kind, sigma):
    return gaussian_flow(C, *coefficients(kind, sigma))


def cosine(_x, alpha, beta):
    """D = C cos λ for the stochastic samplers: along their drift the Gaussian's D does not change, which is no test."""
    return C * torch.cos(torch.log(alpha / beta))


def noiseless(kind, sigma):
    """Of dx/dλ = 2(D - x), the reverse equation's drift where α = 1, for the D above."""
    alpha, beta = coefficients(kind, sigma)
    lam = torch.log(alpha / beta)
    return alpha * C * (4 * torch.cos(lam) + 2 * torch.sin(lam)) / 5


def silence(like, *_, **__):
    return torch.zeros(like)


def grid(n):
    return torch.linspace(3, -3, n + 1).exp()


def diffusers(name, order, kind="vp", **config):
    arguments = {"order": order} if name.startswith("LMS") else {}
    if not arguments:
        config["solver_order"] = order
    stochastic = "sde" in config.get("algorithm_type", "")
    solution, denoiser = (noiseless, cosine) if stochastic else (flow, gaussian)

    def end(n, exact):
        peer = scheduler(name, config, silence)
        peer.set_timesteps(n)
        peer.sigmas = sigmas = grid(n)

        def before(i, x):
            if i == 0 or i <= exact:
                if getattr(peer, "last_sample", None) is not None:
                    peer.last_sample = solution(kind, sigmas[i - 1])
                return solution(kind, sigmas[i])
            return x

        *_, x = advance(peer, kind, "epsilon", None, before, denoiser, **arguments)
        return (x - solution(kind, sigmas[-1])).abs().max().item()

    return end


def k_diffusion(function, **arguments):
    solution, denoiser = (noiseless, cosine) if arguments.get("eta") else (flow, gaussian)
    if "eta" in arguments:
        arguments["noise_sampler"] = lambda *_: torch.zeros_like(C)

    def end(n, exact):
        sigmas = grid(n)
        calls = 0

        def model(x, sigma):
            nonlocal calls
            if calls <= exact:
                # The peer's own state, put right before the peer uses it.
                x.copy_(solution("ve", sigma[0]))
            calls += 1
            return denoiser(x, torch.ones(()), sigma[0])

        samplers_k.sampling.torch = Double(torch)
        x = solution("ve", sigmas[0])
        x = getattr(samplers_k.sampling, function)(model, x, sigmas, disable=True, **arguments)
        return (x - solution("ve", sigmas[-1])).abs().max().item()

    return end


def third_order(weight):
    """Multistep DPM-Solver++ of order 3 with `weight` × (φ₂/h - 1/2) on the second divided difference."""

    def end(n, exact):
        sigmas, h, d = grid(n), 6 / n, []
        x = flow("ve", sigmas[0])
        for i, sigma in enumerate(sigmas[:-1]):
            if i <= exact:
                x = flow("ve", sigma)
            d = [gaussian(x, torch.ones(()), sigma), *d[:2]]
            x = math.exp(-h) * x - math.expm1(-h) * d[0]
            phi_2 = math.expm1(-h) / h + 1
            if len(d) == 2:
                x = x + phi_2 * (d[0] - d[1])
            if len(d) == 3:
                second = (d[0] - 2 * d[1] + d[2]) / 2
                x = x + phi_2 * (d[0] - d[1] + second) - weight * (phi_2 / h - 0.5) * second
        return (x - flow("ve", sigmas[-1])).abs().max().item()

    return end


def slope(errors):
    """Of the counts where rounding does not show."""
    kept = [(n, error) for n, error in zip(COUNTS, errors) if error > 3e-12]
    n, error = numpy.log(kept).T
    return -numpy.polyfit(n, error, 1)[0]


PLUS = "DPMSolverMultistepScheduler"
PEERS = {
    "diffusers DPMSolverMultistep 2 midpoint": (2, diffusers(PLUS, 2, final_sigmas_type="sigma_min")),
    "diffusers DPMSolverMultistep 2 heun": (2, diffusers(PLUS, 2, final_sigmas_type="sigma_min", solver_type="heun")),
    "diffusers DPMSolverMultistep 3": (3, diffusers(PLUS, 3, final_sigmas_type="sigma_min")),
    "order 3, weight 1 (as the peers)": (3, third_order(1)),
    "order 3, weight 2 (exact)": (3, third_order(2)),
    **{
        f"diffusers UniPCMultistep {order} {kind}": (
            order + 1,
            diffusers("UniPCMultistepScheduler", order, solver_type=kind, lower_order_final=False,
                      final_sigmas_type="sigma_min"),
        )
        for order in (1, 2, 3)
        for kind in ("bh1", "bh2")
    },
    **{f"diffusers DEISMultistep {order}": (order, diffusers("DEISMultistepScheduler", order)) for order in (1, 2, 3)},
    **{
        f"diffusers LMSDiscrete {order}": (order, diffusers("LMSDiscreteScheduler", order, "ve"))
        for order in (1, 2, 3, 4)
    },
    **{f"k-diffusion lms {order}": (order, k_diffusion("sample_lms", order=order)) for order in (1, 2, 3, 4)},
    "k-diffusion dpmpp_2m": (2, k_diffusion("sample_dpmpp_2m")),
    "k-diffusion dpmpp_2m_sde η = 0 midpoint": (2, k_diffusion("sample_dpmpp_2m_sde", eta=0.0)),
    "k-diffusion dpmpp_2m_sde η = 0 heun": (
        2, k_diffusion("sample_dpmpp_2m_sde", eta=0.0, solver_type="heun")
    ),
    "k-diffusion dpmpp_3m_sde η = 0": (3, k_diffusion("sample_dpmpp_3m_sde", eta=0.0)),
    **{
        f"diffusers SDE-DPMSolverMultistep {order} {kind}": (
            order,
            diffusers(PLUS, order, algorithm_type="sde-dpmsolver++", solver_type=kind, final_sigmas_type="sigma_min"),
        )
        for order, kind in ((1, "midpoint"), (2, "midpoint"), (2, "heun"), (3, "midpoint"))
    },
    "k-diffusion dpmpp_2m_sde η = 1 midpoint": (2, k_diffusion("sample_dpmpp_2m_sde", eta=1.0)),
    "k-diffusion dpmpp_2m_sde η = 1 heun": (2, k_diffusion("sample_dpmpp_2m_sde", eta=1.0, solver_type="heun")),
    "k-diffusion dpmpp_3m_sde η = 1": (3, k_diffusion("sample_dpmpp_3m_sde", eta=1.0)),
}

if __name__ == "__main__":
    print(f"{'peer':42} own start  exact start  errors from exact starts at {COUNTS} steps")
    for name, (history, end) in PEERS.items():
        own, exact = ([end(n, start) for n in COUNTS] for start in (0, history - 1))
        print(f"{name:42} {slope(own):9.2f}  {slope(exact):11.2f}  {' '.join(f'{error:.1e}' for error in exact)}")
