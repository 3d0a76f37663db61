"""Cases from k-diffusion."""

import importlib
import sys
import types
from importlib.util import find_spec

import torch

from denoiser import Double, denoise
from samplers_case import Case, call


def load():
    """`k_diffusion.sampling` without the package's own start, which loads training and its many requirements."""
    package = types.ModuleType("k_diffusion")
    package.__path__ = list(find_spec("k_diffusion").submodule_search_locations)
    sys.modules["k_diffusion"] = package
    return importlib.import_module("k_diffusion.sampling")


sampling = load()

GRIDS = {
    "karras": lambda n: sampling.get_sigmas_karras(n, 0.03, 14.0),
    "exponential": lambda n: sampling.get_sigmas_exponential(n, 0.1, 5.0),
    "vp": lambda n: sampling.get_sigmas_vp(n),
    # Ends with noise left.
    "polyexponential, no zero": lambda n: sampling.get_sigmas_polyexponential(n + 1, 0.05, 20.0, rho=1.3)[:-1],
}


def churn_options(sigmas, s_churn=0.0, s_tmin=0.0, s_tmax=float("inf"), s_noise=1.0):
    """`gammas`: by how much of itself σ is raised before each step."""
    n = len(sigmas) - 1
    return {
        "S_churn": s_churn,
        "S_tmin": s_tmin,
        "S_tmax": None if s_tmax == float("inf") else s_tmax,
        "S_noise": s_noise,
        "gammas": [min(s_churn / n, 2**0.5 - 1) if s_tmin <= sigma <= s_tmax else 0.0 for sigma in sigmas[:-1].tolist()],
    }


def run(sampler, parameter, function, grid, steps, options=None, noisy=False, **arguments):
    """`noisy`: the function takes a `noise_sampler`. Others may draw at the start of a step, with or without use."""
    case = Case()
    sigmas = GRIDS[grid](steps)
    start = case.normal() * sigmas[0]
    starts, used = [], None

    def step_starts(x):
        case.step = len(starts)
        starts.append(x.clone())

    def like(x):
        step_starts(x)
        return case.draw()

    settings = dict(arguments)
    sampling.torch = Double(torch, randn_like=like)
    churn = function in ("sample_euler", "sample_heun", "sample_dpm_2")
    if churn:
        churned = churn_options(sigmas, **arguments)
        used = lambda step: churned["gammas"][step] > 0
        options = churned if arguments else None
    else:
        settings["callback"] = lambda info: step_starts(info["x"])
    if noisy:
        settings["noise_sampler"] = case.draw
        if arguments.get("eta") == 0:
            # Drawn, but with no weight.
            used = lambda step: False
    model = lambda x, sigma: denoise(x, torch.ones(()), sigma[0])
    end = getattr(sampling, function)(model, start, sigmas, disable=True, **settings)
    return case.entry(
        sampler,
        parameter,
        call(f"k_diffusion.sampling.{function}", arguments),
        f"{grid}, {steps} steps",
        "ve",
        torch.ones(len(sigmas)),
        sigmas,
        start,
        [*starts[1:], end],
        options,
        used,
    )


def deterministic():
    for sampler, function in [("euler", "sample_euler"), ("heun", "sample_heun"), ("dpm2", "sample_dpm_2")]:
        for grid, steps in [("karras", 6), ("vp", 5), ("polyexponential, no zero", 7)]:
            yield run(sampler, None, function, grid, steps)
    for grid, steps in [("karras", 7), ("vp", 6), ("polyexponential, no zero", 8)]:
        # Of order 1 at the start and where the step ends without noise.
        orders = [1, *[2] * (steps - 2), 2 if "no zero" in grid else 1]
        yield run("dpm++2m", None, "sample_dpmpp_2m", grid, steps, {"orders": orders})
    for order, grid, steps in [(1, "vp", 6), (2, "karras", 7), (3, "exponential", 8), (4, "karras", 9)]:
        yield run("lms", order, "sample_lms", grid, steps, order=order)


def churned():
    for sampler, function in [("edm-churn", "sample_heun"), ("euler-churn", "sample_euler")]:
        for grid, steps, settings in [
            ("karras", 6, {"s_churn": 1.5}),
            ("vp", 5, {"s_churn": 10.0}),
            ("karras", 8, {"s_churn": 2.0, "s_tmin": 0.1, "s_tmax": 6.0, "s_noise": 1.01}),
        ]:
            yield run(sampler, settings["s_churn"], function, grid, steps, **settings)


def ancestral():
    for sampler, function in [
        ("euler-ancestral", "sample_euler_ancestral"),
        ("dpm2-ancestral", "sample_dpm_2_ancestral"),
        ("dpm++2s-ancestral", "sample_dpmpp_2s_ancestral"),
    ]:
        for eta, grid, steps in [(1.0, "karras", 6), (0.6, "vp", 5), (1.0, "polyexponential, no zero", 6)]:
            yield run(sampler, eta, function, grid, steps, noisy=True, eta=eta)
    for grid, steps in [("karras", 6), ("vp", 5)]:
        yield run("dpm++2s-ancestral", 0.0, "sample_dpmpp_2s_ancestral", grid, steps, noisy=True, eta=0.0)


def stochastic():
    for eta, grid, steps in [(1.0, "karras", 6), (0.5, "vp", 5), (1.0, "polyexponential, no zero", 6)]:
        last = 0 if "no zero" in grid else 1
        # Two draws a step: at the intermediate point and at the end.
        yield run("dpm++2s-sde", eta, "sample_dpmpp_sde", grid, steps, {"r": 0.5}, noisy=True, eta=eta, r=0.5)
        for kind in ("midpoint", "heun"):
            options = {"solver_type": kind, "orders": [1, *[2] * (steps - 1 - last), *[1] * last]}
            arguments = {"eta": eta, "solver_type": kind}
            yield run("dpm++2m-sde", eta, "sample_dpmpp_2m_sde", grid, steps, options, noisy=True, **arguments)
        # The step of order 2 before there are three values has the weights of solver_type "heun".
        orders = [1, 2, *[3] * (steps - 2 - last), *[1] * last]
        options = {"solver_type": "heun", "third_order": "half", "orders": orders}
        yield run("dpm++3m-sde", eta, "sample_dpmpp_3m_sde", grid, steps, options, noisy=True, eta=eta)


def cases():
    for family in (deterministic, churned, ancestral, stochastic):
        yield from family()
