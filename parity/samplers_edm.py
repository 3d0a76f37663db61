"""Cases from the sampler of NVlabs/edm, taken out of a checkout's `generate.py` without the rest of that script."""

import ast
from pathlib import Path

import numpy
import torch

from denoiser import denoise
from samplers_case import Case, call
from samplers_k import churn_options

PEER = "NVlabs/edm edm_sampler"


def load(checkout):
    tree = ast.parse((Path(checkout) / "generate.py").read_text())
    tree.body = [node for node in tree.body if getattr(node, "name", None) == "edm_sampler"]
    scope = {"torch": torch, "np": numpy}
    exec(compile(tree, "generate.py", "exec"), scope)
    return scope["edm_sampler"]


class Network:
    sigma_min, sigma_max = 0.0, float("inf")

    def __init__(self):
        self.sigmas = None

    def round_sigma(self, sigma):
        # The whole grid is asked for first, then single values.
        if self.sigmas is None:
            self.sigmas = torch.cat([sigma, torch.zeros(1)])
        return sigma

    def __call__(self, x, sigma, _labels):
        return denoise(x, torch.ones(()), sigma)


def cases(checkout):
    sampler = load(checkout)
    for steps, settings in [
        (6, {"S_churn": 0.0}),
        (7, {"S_churn": 2.0}),
        (5, {"S_churn": 40.0, "sigma_min": 0.02, "sigma_max": 20.0, "rho": 5}),
        (9, {"S_churn": 3.0, "S_min": 0.05, "S_max": 50.0, "S_noise": 1.003}),
    ]:
        case, network, starts = Case(), Network(), []

        def like(x):
            case.step = len(starts)
            starts.append(x)
            return case.draw()

        end = sampler(network, case.normal(), randn_like=like, num_steps=steps, **settings)
        names = {"S_churn": "s_churn", "S_min": "s_tmin", "S_max": "s_tmax", "S_noise": "s_noise"}
        options = churn_options(network.sigmas, **{ours: settings[key] for key, ours in names.items() if key in settings})
        yield case.entry(
            "edm-churn" if settings["S_churn"] else "heun",
            settings["S_churn"] or None,
            call(PEER, settings),
            f"karras, {steps} steps",
            "ve",
            torch.ones(steps + 1),
            network.sigmas,
            starts[0],
            [*starts[1:], end],
            options if settings["S_churn"] else None,
            lambda step: options["gammas"][step] > 0,
        )
